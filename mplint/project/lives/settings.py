"""Globals that a program sets while it runs: which there may be, what they are once their module is imported, and the rows that set them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.facts.outline import ImportedName
from mplint.project.containers import MAKING
from mplint.project.importing import is_guarded, is_main_guard, is_test, on_import
from mplint.project.lives.globals import changed_globals
from mplint.project.messages.updates import CHANGING
from mplint.project.modules import Function, Module
from mplint.project.names import absolute

if TYPE_CHECKING:
    from mplint.project import Project

Setting = tuple[Function, f.Row]

_GLOBAL = re.compile(r"^[ \t]*global[ \t]+([\w \t,]+)", re.MULTILINE)

_NEW = MAKING - {"defaultdict"}
"""What makes an empty container when it is given nothing."""

_PLAIN = re.compile(
    r"""\s*(\w+)\s*(?::[^=\n]*)?=\s*(?:[\[{]|(?:None|True|False|-?\d[\w.]*|"[^"\n]*"|'[^'\n]*'|(?:collections\.)?(?:(?:%s)\(\)|defaultdict\([\w.]*\)))\s*(?:\#.*)?\Z)"""
    % "|".join(sorted(_NEW))
)
"""How a statement begins that gives a name a constant, or a container that is written out."""

_SETS = r"""(?:\s*(?::[^=\n]*)?(?:[-+*/|&]|//|\*\*)?=(?!=)|\[[^\]\n]*\]\s*=(?!=)|\.(?:append|appendleft|extend|update|add|insert|setdefault)\()"""
"""What stands behind a name that is set, or a container that is changed."""


_LONG = 20
"""Characters of a text that a message does not repeat."""


class Initial(NamedTuple):
    """What a global is once its module is imported; `value` is None where nothing binds it, `said` how a message calls the value."""

    value: f.Expr | None
    said: str


def imported_modules(project: Project, module: Module) -> dict[str, str]:
    """The names by which a module has other modules of the project, with their files."""
    return project.kept(("modules imported", module), lambda: dict(_imported(project, module)))


def _imported(project: Project, module: Module) -> Iterator[tuple[str, str]]:
    for i in module.outline.imports:
        base = absolute(module.package, i.module, i.level)
        path = project.index.find(".".join(p for p in (base, i.name) if p), module.path) if i.name != "*" else None
        if path is not None and path != module.path:
            yield i.local or base, path


def set_at_run_time(project: Project, module: Module) -> frozenset[str]:
    """The globals of a module that functions, its main program or other modules may set, by their texts."""
    return project.kept(("globals set at run time", module), lambda: frozenset(_spelled(project, module)))


def _spelled(project: Project, module: Module) -> Iterator[str]:
    outline = module.outline
    for number, page in enumerate(outline.pages):
        if page.kind in {"function", "block"} and module.holds(number, "global "):
            module.look.near.add("global")
            for found in _GLOBAL.findall(module.skim(number)):
                yield from (name.strip() for name in found.split(","))
    yield from _guarded(module)
    plain = [name for name, pages in outline.names.items() if len(pages) == 1 and _is_plain(module, pages[0], name)]
    for name in plain:
        if any(page.kind in {"function", "block"} and _sets(module, n, name) for n, page in enumerate(outline.pages)) or any(
            _setting_users(project, module, name)
        ):
            yield name


def _sets(module: Module, page: int, name: str) -> bool:
    """Whether the text of a page may change a container of this name."""
    return module.holds(page, f"{name}[", f"{name}.") and _changing(name).search(module.skim(page)) is not None


def _changing(name: str) -> re.Pattern[str]:
    return re.compile(name + _SETS)  # which may be the end of another name: the rows tell


def _setting_users(project: Project, module: Module, name: str) -> Iterator[str]:
    """The files that import a module, and in whose text an attribute of this name is set."""
    word = f".{name}".encode()
    users = sorted(path for path in project.triage.importing((module.name.rpartition(".")[2],)) if path != module.path)
    wanted = re.compile(re.escape(word) + _SETS.encode())
    return (path for path in project.sources.holding(word, users) if wanted.search(project.sources.skim(path, name)) is not None)


def _guarded(module: Module) -> Iterator[str]:
    """The names that the main program of a module binds."""
    pages = {n for n in range(len(module.outline.pages)) if is_main_program(module, n)}
    return (name for name, found in module.outline.names.items() if not pages.isdisjoint(found))


def is_main_program(module: Module, page: int) -> bool:
    """Whether a page may be code that only the main program runs, by its text; functions have pages of their own elsewhere."""
    where = module.outline.pages[page]
    return where.kind == "step" and not where.indent and module.holds(page, "__main__")


def _is_plain(module: Module, number: int, name: str) -> bool:
    page = module.outline.pages[number]
    if page.kind != "step" or page.indent:
        return False
    module.look.near.add(name)
    found = _PLAIN.match(module.skim(number))
    return found is not None and found[1] == name


def initial(project: Project, module: Module, name: str) -> Initial | None:
    """What a global is once its module is imported; None when that is neither nothing, a constant nor a container that is written out."""
    outline, values = module.outline, []
    if (
        name in outline.functions
        or name in outline.classes
        or any(i.local == name or (i.name == "*" and _gives(project, module, i, name)) for i in outline.imports)
    ):
        return None
    for page in outline.names.get(name, ()):
        steps = (step for step in module.steps(page) if not isinstance(step, f.If) or not is_main_guard(step.test))
        for row in f.walk(*steps):
            if _binds(row, name):
                if not isinstance(row, f.Assign) or not any(isinstance(t, f.Name) for t in row.targets):
                    return None
                values.extend([row.value] if row.value is not None else [])
    said = {called(value) for value in values}
    if len(said) > 1 or "" in said:
        return None
    return Initial(values[0], said.pop()) if values else Initial(None, "")


def _gives(project: Project, module: Module, star: ImportedName, name: str) -> bool:
    """Whether an import of everything may bring a name."""
    other = project.find_module(absolute(module.package, star.module, star.level), module.path)
    if other is None:
        return True
    outline = other.outline
    return name in outline.names or name in outline.functions or name in outline.classes or any(i.local == name or i.name == "*" for i in outline.imports)


def called(value: f.Expr) -> str:
    """How a message calls a constant or a container that is written out; "" for anything else."""
    if isinstance(value, f.Const):
        return f"`{value.value!r}`" if value.kind not in {"str", "bytes"} or len(str(value.value)) < _LONG else "what its module says"
    if isinstance(value, f.Call):
        name = f.last_name(value.func)
        return "empty" if (name in _NEW and not value.args) or (name == "defaultdict" and len(value.args) == 1) else ""
    if isinstance(value, (f.Sequence, f.Mapping)):
        return "what its module says" if (value.items if isinstance(value, f.Sequence) else value.values) else "empty"
    return ""


def settings(project: Project, module: Module, name: str) -> tuple[Setting, ...]:
    """The rows by which a program sets a global of `module` in its parent alone; () when workers set it, too, or an import does."""
    return project.kept(("settings", module, name), lambda: _settings(project, module, name))


def _settings(project: Project, module: Module, name: str) -> tuple[Setting, ...]:
    if project.sources.holding(b"globals()", (module.path,)) and any(function.spells("globals()") for function in project.workers_in(module)):
        return ()
    found = [(function, row) for function, row in _bindings(project, module, name) if not is_test(project, function.path)]
    if any(function in project.workers() or (function.is_module and not is_guarded(function, row)) for function, row in found):
        return ()
    if any(not function.is_module and on_import(project, function) is not None for function in dict(found)):
        return ()
    before = initial(project, module, name)
    return tuple((function, row) for function, row in found if not _empties(row) and not (before is not None and _is_same(row, before)))


def _bindings(project: Project, module: Module, name: str) -> Iterator[Setting]:
    changing = _changing(name)
    for function in module.functions_where(lambda text, owner: name in text and ("global " in text or changing.search(text)), name, "global"):
        for changed, row in changed_globals(function):
            if changed == name:
                yield function, row
    if name in _guarded(module):
        for row in module.body.rows:
            if _binds(row, name) and is_guarded(module.body, row):
                yield module.body, row
    for path in _setting_users(project, module, name):
        user = project.module(path)
        if user is not None:
            yield from _attributes_set(project, user, module, name)


def _attributes_set(project: Project, user: Module, module: Module, name: str) -> Iterator[Setting]:
    """The rows of `user` that set a global of `module`, which it imports."""
    aliases = {alias for alias, found in imported_modules(project, user).items() if found == module.path}
    wanted = re.compile(rf"\.{name}{_SETS}")
    for function in user.functions_where(lambda text, owner: wanted.search(text), name) if aliases else ():
        yield from ((function, row) for row in function.rows if _changes_attribute(row, name, aliases))


def _binds(row: f.Row, name: str) -> bool:
    return any(isinstance(t, f.Name) and t.id == name for t in f.stored_in(row))


def _changes_attribute(row: f.Row, name: str, aliases: set[str]) -> bool:
    """Whether a row sets the attribute `name` of one of these modules, or changes what it holds."""
    if isinstance(row, f.Call):
        return isinstance(row.func, f.Attr) and row.func.attr in CHANGING and _is_of(row.func.value, name, aliases)
    return any(_is_of(t.value if isinstance(t, f.Item) else t, name, aliases) for t in f.stored_in(row))


def _is_of(target: f.Expr, name: str, aliases: set[str]) -> bool:
    return isinstance(target, f.Attr) and target.attr == name and f.dotted(target.value) in aliases


def _is_same(row: f.Row, before: Initial) -> bool:
    """Whether a row gives a global the constant that it has from the start."""
    value = row.value if isinstance(row, f.Assign) else None
    return isinstance(value, f.Const) and isinstance(before.value, f.Const) and (value.kind, value.value) == (before.value.kind, before.value.value)


def _empties(row: f.Row) -> bool:
    """Whether a row only takes something out of a global."""
    if isinstance(row, f.Call):
        return f.last_name(row.func) in {"clear", "pop", "popleft", "popitem", "remove", "discard"}
    return isinstance(row, f.Delete) or (isinstance(row, f.Assign) and row.value is not None and called(row.value) in {"empty", "`None`"})
