"""Where what was bound to a name, a parameter or an attribute is read again, in the whole project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Collection, Iterator, NamedTuple

from mplint import facts as f
from mplint.project.modules import Class, Function, Module
from mplint.project.values import External, Instance, ModuleValue, Unknown

if TYPE_CHECKING:
    from mplint.project import Project

FILES = 40
"""In how many files an attribute or global is looked for; a name in more files than that says too little."""

_ANYBODY = 12
"""In how many files an attribute may be of the class, whatever else they name; where there are more, only those that name the class or its module."""

_CONTAINERS = {"list", "dict", "set", "deque", "defaultdict", "OrderedDict", "WeakSet", "WeakKeyDictionary", "WeakValueDictionary"}

_BINDING = (f.Assign, f.For, f.With, f.Bind, f.Clause)
"""Rows that bind a name anew; anything else that binds adds to what the name has."""

Place = tuple[Function, f.Row]


class Reads(NamedTuple):
    """The expressions that read what was bound; `kept` is "global" or "attribute" where it outlives the function; `escapes` says why others may read it,
    too."""

    places: tuple[Place, ...] = ()
    kept: str = ""
    escapes: str = ""


def loads(function: Function, name: str) -> tuple[f.Name, ...]:
    """The places in the body of `function` where the value of `name` is used."""
    return tuple(row for row in function.rows if isinstance(row, f.Name) and row.id == name and not is_target(function, row))


def is_target(function: Function, row: f.Expr) -> bool:
    """Whether a name or attribute stands where a value is stored, not where it is used."""
    around = function.parent(row)
    while isinstance(around, (f.Sequence, f.Star)):
        row, around = around, function.parent(around)
    if isinstance(around, (f.Assign, f.Delete)):
        return any(t is row for t in around.targets)
    if isinstance(around, (f.For, f.Change)):
        return around.target is row
    if isinstance(around, f.With):
        return any(i.target is row for i in around.items)
    if isinstance(around, f.Comprehension):
        return any(c.target is row for c in around.clauses)
    return isinstance(around, f.Bind) and around.name is row


# -- names


def reads_of_parameter(function: Function, param: f.Param) -> Iterator[Place]:
    """The reads of a parameter in its function and the functions inside."""
    for load in loads(function, param.name):
        if any(d is param for d in function.graph.definitions(load) or ()):
            yield function, load
    for inner in function.all_nested():
        yield from _free(inner, param.name)


def reads_of_name(project: Project, function: Function, target: f.Name, binder: f.Row | f.Clause) -> Reads:
    """The reads of the value that `binder`, a row of `function`, gives to the name `target`, or puts into the container of that name."""
    name = target.id
    if function.is_module or name in _declared(function, "global"):
        return _reads_of_global(project, function.module, name)
    scope = _scope(function, name)
    if scope is None:
        if any(isinstance(row, f.Comprehension) for row in function.ancestors(target)):
            return Reads(tuple(_reached(function, name, binder)))
        return _reads_of_global(project, function.module, name)
    if not isinstance(binder, _BINDING) and not all(_makes_container(d.row) for d in scope.graph.all_definitions(name)):
        return Reads(escapes=f"put into `{name}`")
    places = list(_reached(scope, name, binder if scope is function else None))
    for inner in scope.all_nested():
        places.extend(_free(inner, name))
    return Reads(tuple(places))


def _scope(function: Function, name: str) -> Function | None:
    """The function that a name of `function` is local to; None when it is a global."""
    if name not in _declared(function, "nonlocal") and function.graph.all_definitions(name):
        return function
    outer = function.outer
    while outer is not None and not outer.is_module and not outer.graph.all_definitions(name):
        outer = outer.outer
    return None if outer is None or outer.is_module else outer


def _reached(function: Function, name: str, binder: f.Row | f.Clause | None) -> Iterator[Place]:
    """The loads that a binding reaches; all loads, where it adds to a container."""
    fresh = isinstance(binder, _BINDING)
    for load in loads(function, name):
        found = function.graph.definitions(load)
        if found is None or not fresh or any(d is binder for d in found):
            yield function, load


def _free(function: Function, name: str) -> Iterator[Place]:
    """Loads of an outer name in a nested function."""
    if not function.graph.all_definitions(name):
        for load in loads(function, name):
            if function.graph.definitions(load) is None:
                yield function, load


def _makes_container(row: object) -> bool:
    """Whether a binding of a name makes a container that nobody else has."""
    if isinstance(row, (f.Change, f.Delete)):
        return True
    if not isinstance(row, f.Assign):
        return False
    if isinstance(row.value, f.Call):
        return f.dotted(row.value.func).rpartition(".")[2] in _CONTAINERS
    return row.value is None or isinstance(row.value, (f.Sequence, f.Mapping, f.Comprehension, f.Op, f.Const))


def _reads_of_global(project: Project, module: Module, name: str) -> Reads:
    places: list[Place] = []
    for function in _functions_mentioning(project, module.path, name, r"\b%s\b"):
        for load in loads(function, name):
            if function.graph.definitions(load) in (None, ()) or function.is_module or name in _declared(function, "global"):
                places.append((function, load))
    word = name.encode()
    paths = [p for p in project.sources.holding(word) if p != module.path]
    if len(paths) > FILES:
        return Reads(tuple(places), "global", "a global with a common name")
    for path in paths:
        for function in _functions_mentioning(project, path, name, r"\b%s\b"):
            places.extend((function, row) for row in _imported(project, function, module, name))
    return Reads(tuple(places), "global")


def _imported(project: Project, function: Function, module: Module, name: str) -> Iterator[f.Expr]:
    """Where a function of another module reads a global of `module`."""
    for row in function.rows:
        if isinstance(row, f.Attr) and row.attr == name:
            if any(isinstance(v, ModuleValue) and v.module is module for v in project.values(row.value, function)):
                yield row
        elif isinstance(row, f.Name) and row.id == name and function.graph.definitions(row) in (None, ()):
            if any(i.local == name and i.name == name for i in function.module.outline.imports):
                yield row


# -- attributes


def reads_of_attribute(project: Project, cls: Class, attr: str) -> Reads:
    """The reads of an attribute of the objects of `cls`: by its family of classes, and, unless it is private, by whoever has such an object."""
    family = frozenset({cls, *(b for b in project.mro(cls) if isinstance(b, Class)), *project.subclasses(cls)})
    if any(isinstance(base, Unknown) for member in family for base in project.mro(member)):
        return Reads((), "attribute", "stored in an object whose class is not known entirely")
    near = {member.path for member in family}
    paths: list[str] = []
    if not attr.startswith("_"):
        dotted = b"." + attr.encode()
        paths = [p for p in project.sources.holding(dotted) if p not in near]
    if len(paths) > _ANYBODY:
        words = [member.name.encode() for member in family] + [member.module.name.rpartition(".")[2].encode() for member in family]
        close = {p for w in words for p in project.sources.holding(w, paths)}
        paths = [p for p in paths if p in close][:FILES]
    names = {member.name for member in family}
    readers = dict.fromkeys(g for path in (*sorted(near), *paths) for g in _functions_mentioning(project, path, attr, _READ, names))
    for member in family:  # a class under an `if` of its module, too
        for method in member.methods_mentioning(attr):
            readers.update(dict.fromkeys((method, *method.all_nested())))
    places = [(function, row) for function in readers for row in _attribute_reads(project, function, attr, family)]
    return Reads(tuple(places), "attribute")


def reads_of_extra(project: Project, function: Function, target: f.Attr) -> Iterator[Place]:
    """The reads, in the same module, of an attribute that is put on an object of a library's class."""
    classes = {v.cls for v in project.values(target.value, function) if isinstance(v, Instance) and isinstance(v.cls, External)}
    for other in _functions_mentioning(project, function.path, target.attr, r"\.\s*%s\b") if classes else ():
        for row in other.rows:
            if isinstance(row, f.Attr) and row.attr == target.attr and not is_target(other, row):
                if any(isinstance(v, Instance) and v.cls in classes for v in project.values(row.value, other)):
                    yield other, row


def _attribute_reads(project: Project, function: Function, attr: str, family: frozenset[Class]) -> Iterator[f.Expr]:
    for row in function.rows:
        if isinstance(row, f.Attr) and row.attr == attr and not is_target(function, row):
            if isinstance(row.value, f.Name) and _receiver(function) == row.value.id:
                if _owner(function) in family:
                    yield row
                continue
            values = project.values(row.value, function) or (Unknown("nothing"),)
            if any(isinstance(v, Unknown) or v in family or (isinstance(v, Instance) and v.cls in family) for v in values):
                yield row
        elif isinstance(row, f.Call) and isinstance(row.func, f.Name) and row.func.id == "getattr":
            name = row.positional(1)
            if isinstance(name, f.Const) and name.value == attr:
                yield row


def _declared(function: Function, kind: str) -> frozenset[str]:
    return frozenset(n for row in function.rows if isinstance(row, f.Declare) and row.kind == kind for n in row.names)


def _receiver(function: Function) -> str:
    """The name of `self` where `function` stands, nested functions included."""
    scope: Function | None = function
    while scope is not None and not scope.receiver:
        scope = scope.outer
    return scope.receiver if scope is not None else ""


def _owner(function: Function) -> Class | None:
    scope: Function | None = function
    while scope is not None and scope.owner is None:
        scope = scope.outer
    return scope.owner if scope is not None else None


_READ = r"""\.\s*%s\b|\bgetattr\([^"']*["']%s["']"""
"""How an attribute is read, by its name too."""


def _functions_mentioning(project: Project, path: str, name: str, spelled: str, family: Collection[str] | None = None) -> Iterator[Function]:
    """The functions of a file in whose source a name is spelled as the pattern says ("%s" in its place); where that is of `self`, only those of
    the classes of `family`."""
    module = project.module(path)
    if module is not None:
        every = re.compile(spelled.replace("%s", name))
        foreign = re.compile(rf"(?<!\bself)(?:{every.pattern})")
        yield from module.functions_where(lambda text, owner: (every if family is None or owner.rpartition(".")[2] in family else foreign).search(text), name)
