"""From selectors to rules: "ALL", prefixes, codes and names, and who wins when several speak of the same rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from mplint.config.files import nearest
from mplint.config.settings import ConfigError, Selection, Settings

if TYPE_CHECKING:
    from mplint.rule import Rule

_EXACT = 100
_DEFAULT = Selection("default", ("ALL",))


class Chosen(msgspec.Struct, frozen=True):
    """The rules that run, by code, and remarks on selectors that do nothing."""

    codes: frozenset[str]
    unfixable: frozenset[str] = frozenset()
    safe: frozenset[str] = frozenset()
    unsafe: frozenset[str] = frozenset()
    ignored_in: tuple[tuple[str, frozenset[str]], ...] = ()
    """Pattern of `per-file-ignores` and the codes that are not reported there."""
    remarks: tuple[str, ...] = ()


def choose(settings: Settings, rules: Sequence[Rule]) -> Chosen:
    """Resolve every selector of the settings.  Raises ConfigError for one that means no rule."""
    enabled: set[str] = set()
    remarks: list[str] = []
    for layer in (_DEFAULT, *settings.selection):
        updates: dict[str, tuple[int, bool]] = {}
        for words, wanted in (((*(layer.select or ()), *layer.extend_select), True), (layer.ignore, False)):
            for word in words:
                for rule in _meant(word, rules, layer.origin):
                    weight = _weight(word, rule)
                    if wanted and rule.preview and not _previewed(settings, weight):
                        if weight == _EXACT:
                            remarks.append(f"{layer.origin}: {rule.code} is in preview, it runs with --preview only")
                        continue
                    if weight >= updates.get(rule.code, (0, True))[0]:
                        updates[rule.code] = (weight, wanted)
        if layer.select is not None:
            enabled = {code for code, (_, wanted) in updates.items() if wanted}
        else:
            enabled |= {code for code, (_, wanted) in updates.items() if wanted}
            enabled -= {code for code, (_, wanted) in updates.items() if not wanted}

    def codes(key: str, words: Iterable[str]) -> frozenset[str]:
        origin = f"{settings.origins.get(key, 'configuration')}: `{key}`"
        return frozenset(rule.code for word in words for rule in _meant(word, rules, origin))

    return Chosen(
        frozenset(enabled),
        codes("unfixable", settings.unfixable),
        codes("extend-safe-fixes", settings.extend_safe_fixes),
        codes("extend-unsafe-fixes", settings.extend_unsafe_fixes),
        tuple((pattern, codes("per-file-ignores", words)) for pattern, words in settings.per_file_ignores),
        tuple(dict.fromkeys(remarks)),
    )


def _previewed(settings: Settings, weight: int) -> bool:
    return settings.preview and (weight == _EXACT or not settings.explicit_preview_rules)


def _weight(word: str, rule: Rule) -> int:
    """The longer a selector, the more it weighs."""
    wanted = word.strip().upper()
    if wanted in {rule.code, rule.name.upper()}:
        return _EXACT
    return 1 if wanted == "ALL" else 1 + len(wanted)


def _meant(word: str, rules: Sequence[Rule], origin: str) -> Iterator[Rule]:
    wanted = word.strip()
    upper = wanted.upper()
    found = False
    for rule in rules:
        if upper == "ALL" or rule.name == wanted.lower() or (wanted and rule.code.startswith(upper)):
            found = True
            yield rule
    if not found:
        words = [text for rule in rules for text in (rule.code, rule.name)]
        hint = nearest(wanted if "-" in wanted else upper, words)
        raise ConfigError(f"{origin}: no rule is meant by {word!r}{hint}")
