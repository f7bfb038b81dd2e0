"""Classes and their bases: linearised as CPython does it, with what lies outside the project by name."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Callable, Iterator, TypeVar

from mplint.project.modules import Class, Function
from mplint.project.values import Bound, External, Tuple, Unknown, Value

if TYPE_CHECKING:
    from mplint.project import Project

Base = Class | External | Unknown


def linearised(project: Project, cls: Class) -> tuple[Base, ...]:
    """The MRO of `cls` (C3); builtin bases are expanded, other outside classes stand for themselves, an unresolved base is Unknown."""
    merged = _c3(project, cls, ())
    return tuple(merged)


def direct_bases(project: Project, cls: Class) -> tuple[Base, ...]:
    """The positional bases as values; `Generic[T]` and the like are left out."""
    out: list[Base] = []
    scope = cls.outer or cls.module.body
    for arg in cls.facts.bases:
        if arg.keyword:
            continue
        if arg.star:
            out.extend(_starred(project.values(arg.value, scope), cls))
            continue
        values = [_made_by(project, v) for v in project.values(arg.value, scope)]
        chosen = _chosen([v for v in values if isinstance(v, (Class, External)) and v is not cls])
        if chosen is None:
            out.append(Unknown("base"))
        elif not (isinstance(chosen, External) and chosen.name in _TRANSPARENT):
            out.append(chosen)
    return tuple(out)


def _made_by(project: Project, value: Value) -> Value:
    """The class that `context.Process` stands for; other values as they are."""
    row = project.row_of(value) if isinstance(value, Bound) else None
    return External(row.gives) if row is not None and row.gives and "make" in row.does else value


def _starred(values: tuple[Value, ...], cls: Class) -> list[Base]:
    """The bases that `class C(*bases)` takes from a tuple; of several possible tuples the first, as with an optional import."""
    for value in values:
        if isinstance(value, Tuple):
            chosen = [_chosen([v for v in item if isinstance(v, (Class, External)) and v is not cls]) for item in value.items]
            return [b if b is not None else Unknown("base") for b in chosen]
    return [Unknown("base")]


_TRANSPARENT = {"typing.Generic", "typing.Protocol", "abc.ABC", "builtins.object", "typing_extensions.Generic", "typing_extensions.Protocol"}


def _chosen(values: list[Class | External]) -> Class | External | None:
    """Of several possible bases (an optional import) the one that says most: a class of the project, then a builtin, then the first."""
    for value in values:
        if isinstance(value, Class):
            return value
    for value in values:
        if isinstance(value, External) and value.name.startswith("builtins."):
            return value
    return values[0] if values else None


def _c3(project: Project, cls: Class, below: tuple[Class, ...]) -> list[Base]:
    if cls in below:
        return [Unknown("cycle")]
    bases = direct_bases(project, cls)
    sequences = [_expanded(project, b, (*below, cls)) for b in bases] + [list(bases)]
    merged = merge(sequences)
    if merged is None:  # an order CPython would refuse: keep what can be said
        merged = list(dict.fromkeys(b for s in sequences for b in s))
    return [cls, *merged]


def _expanded(project: Project, base: Base, below: tuple[Class, ...]) -> list[Base]:
    if isinstance(base, Class):
        return _c3(project, base, below)
    if isinstance(base, External):
        real = builtin_class(base.name)
        if real is not None:
            return [External(f"builtins.{c.__name__}") for c in real.__mro__ if c is not object]
        return [External(n) for n in _outside(project, base.name)]
    return [base]


def _outside(project: Project, name: str) -> Iterator[str]:
    """A class of a library and its bases as the table has them, builtin ones with all of theirs, each once."""
    known: dict[str, None] = {}
    for base in project.table.bases(name):
        real = builtin_class(base)
        known.update(dict.fromkeys((f"builtins.{c.__name__}" for c in real.__mro__ if c is not object) if real is not None else (base,)))
    yield from known


Place = TypeVar("Place")


def merge(sequences: list[list[Place]]) -> list[Place] | None:
    """The C3 merge of linearised bases and the list of bases; None for an order that CPython refuses."""
    rest = [list(s) for s in sequences if s]
    out: list[Place] = []
    while rest:
        for sequence in rest:
            head = sequence[0]
            if not any(head in other[1:] for other in rest):
                break
        else:
            return None
        out.append(head)
        rest = [[b for b in s if b != head] for s in rest]
        rest = [s for s in rest if s]
    return out


def builtin_class(name: str) -> type | None:
    """The builtin class of this canonical name, None when it is none."""
    if not name.startswith("builtins."):
        return None
    found = getattr(builtins, name.removeprefix("builtins."), None)
    return found if isinstance(found, type) else None


def is_exception(project: Project, value: Value) -> bool | None:
    """Whether a class is an exception class; None when a base does not resolve."""
    names = ancestry(project, value)
    if "builtins.BaseException" in names:
        return True
    return None if "?" in names else False


def ancestry(project: Project, value: Value) -> frozenset[str]:
    """Canonical names of a class and all its bases outside the project; "?" when one is unknown."""
    if isinstance(value, Class):
        out: set[str] = set()
        for base in project.mro(value):
            out |= {"?"} if isinstance(base, Unknown) else ancestry(project, base) if isinstance(base, External) else set()
        return frozenset(out)
    if isinstance(value, External):
        real = builtin_class(value.name)
        if real is not None:
            return frozenset(f"builtins.{c.__name__}" for c in real.__mro__)
        names = project.table.bases(value.name)
        if not any(project.table.kind(n) for n in names):
            from mplint.verdict.outside import class_outside  # reads modules, which are linked by what stands here

            read = class_outside(project, value.name)
            if read is not None:
                return ancestry(project, read) | {value.name}
        out = set(names)
        for name in names:
            above = builtin_class(name)
            out |= {f"builtins.{c.__name__}" for c in above.__mro__} if above is not None else set()
        return frozenset(out if "builtins.object" in out or any(project.table.kind(n) for n in names) else out | {"?"})
    return frozenset({"?"})


def derived(project: Project, cls: Class, name: str, *ways: Callable[[bytes, str], bool]) -> Iterator[Class]:
    """The subclasses of `cls`, at any depth, in whose files `name` stands in one of these `ways` (see `mplint.source.words`); the other files are
    not read."""
    names, queue = {cls.name}, [cls.name]
    while queue:
        for path, below in project.triage.derived(queue.pop()):
            if below not in names:
                names.add(below)
                queue.append(below)
            data = project.sources.skim(path, name)
            module = project.module(path) if any(way(data, name) for way in ways) else None
            for found in module.classes_named(below) if module is not None else ():
                if found is not cls and cls in project.mro(found):
                    yield found


def find_method(project: Project, cls: Class, name: str) -> Function | External | None:
    """The definition of `name` that an instance of `cls` uses; External when it is a library's."""
    for base in project.mro(cls):
        if isinstance(base, Class):
            method = base.method(name)
            if method is not None:
                return method
        elif isinstance(base, External):
            if project.table.method(base.name, name) is not None:
                return External(f"{base.name}.{name}")
            real = builtin_class(base.name)
            if real is not None and name in vars(real):
                return External(f"{base.name}.{name}")
            if real is None and project.table.kind(base.name) is None:
                return None
        else:
            return None
    return None


def family(project: Project, cls: Class) -> dict[str, str]:
    """The names, and files, of `cls`, of its bases in the project, and of everything that derives from it as far as class statements spell it."""
    names = {base.name: base.path for base in project.mro(cls) if isinstance(base, Class)}
    names[cls.name] = cls.path
    queue = [cls.name]
    while queue:
        for path, name in project.triage.derived(queue.pop()):
            if name not in names:
                names[name] = path
                queue.append(name)
    return names
