"""Which rules there are: the packs that are installed under the entry point group `mplint.rules`, and the engine's own codes."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from types import ModuleType

import msgspec

from mplint.rule import Rule

GROUP = "mplint.rules"
_BUILTIN = "mplint.rules"


class FileError(Rule):
    """A file that cannot be read or parsed.

    ## What it does

    Reports a file that cannot be read, decoded or parsed, at the place where reading failed. The rest of the project is still checked.

    ## Why it hurts

    Nothing in such a file is checked, and what other modules take from it stays unknown.
    """

    code = "MP000"
    name = "unreadable-file"


class UselessSuppression(Rule):
    """A suppression comment that suppresses nothing.

    ## What it does

    Reports `# noqa: MP...` and `# mplint: ignore[...]` comments in which a code or a name suppresses no finding, or is not the name of a
    rule. Only codes of rules that are running are judged, and a bare `# noqa` is left alone: other tools may need it.

    ## Why it hurts

    Such a comment claims a hazard that is not there, and it hides the next one that appears on its line.

    ## Fix safety

    The fix removes the code, or the whole comment when nothing else is left in it; it is safe.
    """

    code = "MP001"
    name = "useless-suppression"


class Registry(msgspec.Struct, frozen=True):
    """The rules, sorted by code; `engine` are the codes that no rule checks; `broken` names packs that could not be loaded."""

    rules: tuple[Rule, ...]
    engine: tuple[Rule, ...]
    broken: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[Rule, ...]:
        """Everything that can be selected, explained and suppressed."""
        return (*self.engine, *self.rules)

    def find(self, word: str) -> Rule | None:
        """The rule with this code or name, whatever the case."""
        wanted = word.strip().lower()
        return next((rule for rule in self.all if wanted in {rule.code.lower(), rule.name}), None)


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The installed rules, loaded at the first call.  A pack that cannot be loaded is named and does not stop the others."""
    rules: dict[str, Rule] = {}
    broken: list[str] = []
    engine = (FileError(), UselessSuppression())
    taken = {rule.code: "mplint" for rule in engine}
    for pack in _packs():
        try:
            found = list(_rules_of(_builtin() if pack == _BUILTIN else importlib.import_module(pack)))
        except Exception as error:  # a pack may do anything on import; it must not take the others down
            broken.append(f"rule pack {pack} cannot be loaded: {type(error).__name__}: {error}")
            continue
        for rule in found:
            if rule.code in taken:
                broken.append(f"rule pack {pack}: {rule.code} is taken by {taken[rule.code]}")
                continue
            taken[rule.code] = pack
            rules[rule.code] = rule
    return Registry(tuple(rules[code] for code in sorted(rules)), engine, tuple(broken))


def _packs() -> Iterator[str]:
    from importlib.metadata import entry_points

    yield _BUILTIN
    seen = {_BUILTIN}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if point.value not in seen:
            seen.add(point.value)
            yield point.value


def _builtin() -> ModuleType:
    """The pack that comes with mplint; in a bare clone it lies beside the package, in `rules`."""
    if importlib.util.find_spec(_BUILTIN) is not None:
        return importlib.import_module(_BUILTIN)
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "rules")
    spec = importlib.util.spec_from_file_location(_BUILTIN, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder])
    if spec is None or spec.loader is None:
        raise ImportError(f"no rules in {folder}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_BUILTIN] = module
    spec.loader.exec_module(module)
    return module


def _rules_of(pack: ModuleType) -> Iterator[Rule]:
    """The rules in the modules of a package, or in a single module."""
    modules = [pack]
    for info in pkgutil.iter_modules(getattr(pack, "__path__", ())):
        modules.append(importlib.import_module(f"{pack.__name__}.{info.name}"))
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Rule) and value is not Rule and value.__module__ == module.__name__:
                if "code" not in vars(value):  # a common base of several rules
                    continue
                if re.fullmatch(r"[A-Z]{2,3}\d{3}", value.code) is None:
                    raise ValueError(f"{value.__qualname__}: a code is two or three capitals and three digits, not {value.code!r}")
                if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", getattr(value, "name", "")) is None:
                    raise ValueError(f"{value.__qualname__}: a name is words in kebab-case, not {getattr(value, 'name', '')!r}")
                yield value()
