"""What a worker changes in a copy of its own: the attributes of the object that it runs in, the containers that it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.project.containers import MAKING
from mplint.project.lives.mentions import is_target
from mplint.project.messages.updates import CHANGING
from mplint.project.modules import Class, Function
from mplint.project.processes.sides import sides
from mplint.project.values import External

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.project.hierarchy import Base

_DEPTH = 2
"""Calls on the own object between the method that runs in the worker and the one that changes it."""


class Loss(NamedTuple):
    """`row` of `function`, which only workers run, changes `name`: an attribute of the object, or the parameter."""

    name: str
    function: Function
    row: f.Row


def changed(function: Function, name: str) -> Iterator[tuple[str, f.Row]]:
    """What a function does to the object called `name`: the attribute that it sets or changes in place, "" for an item or the object itself."""
    for row in function.rows:
        for target in f.stored_in(row) if isinstance(row, (f.Assign, f.Change, f.Delete)) else ():
            if isinstance(target, f.Item):
                target = target.value
                if isinstance(target, f.Name) and target.id == name:
                    yield "", row
            if isinstance(target, f.Attr) and isinstance(target.value, f.Name) and target.value.id == name and not _declares(row):
                yield target.attr, row
        if isinstance(row, f.Call) and isinstance(row.func, f.Attr) and row.func.attr in CHANGING:
            on = row.func.value
            if isinstance(on, f.Name) and on.id == name:
                yield "", row
            elif isinstance(on, f.Attr) and isinstance(on.value, f.Name) and on.value.id == name:
                yield on.attr, row


def _declares(row: f.Row) -> bool:
    return isinstance(row, f.Assign) and row.value is None


def losses(project: Project, cls: Class, start: Function) -> Iterator[Loss]:
    """The attributes that only workers set, in the method that they run or in others that it calls on its own object.

    The parent has nothing but a first value of such an attribute, an empty or a plain one that the class or its constructor gives it.
    """
    if not all(_is_known(project, base) for base in project.mro(cls)):
        return
    family = (*(base for base in project.mro(cls) if isinstance(base, Class)), *project.subclasses(cls))
    if any(True for _ in _lost(family, _inside(project, start, sure=False))):  # who else runs a method takes longer to find out
        yield from _lost(family, _inside(project, start, sure=True))


def _lost(family: tuple[Class, ...], inside: tuple[Function, ...]) -> Iterator[Loss]:
    """The attributes of which the class `family` says nothing but a first value, apart from what the methods `inside` do."""
    seen: set[str] = set()
    for function in inside:
        for attr, row in changed(function, function.receiver):
            if attr and attr not in seen and not _is_given(function, row) and _is_first_only(family, attr, inside):
                seen.add(attr)
                yield Loss(attr, function, row)


def _is_known(project: Project, base: Base) -> bool:
    """Whether a class is one of the project, or of those of libraries that do nothing with the attributes of others."""
    if isinstance(base, External):
        return base.name.startswith(("builtins.", "abc.", "typing.")) or project.table.kind(base.name) is not None
    return isinstance(base, Class)


def _inside(project: Project, start: Function, *, sure: bool) -> tuple[Function, ...]:
    """`start` and the methods that it calls on its own object, as far as nothing but workers runs them (to be `sure`: it is asked)."""

    def belongs(function: Function) -> bool:
        return bool(function.receiver) and (not sure or sides(project, function) == {"worker"})

    found = {start: None} if belongs(start) else {}
    level = tuple(found)
    for _ in range(_DEPTH):
        called = [
            callee
            for function in level
            for site in function.calls
            if isinstance(site.call.func, f.Attr) and isinstance(site.call.func.value, f.Name) and site.call.func.value.id == function.receiver
            for callee in project.callees(site)
        ]
        level = tuple(c for c in dict.fromkeys(called) if c not in found and belongs(c))
        found.update(dict.fromkeys(level))
    return tuple(found)


def _is_given(function: Function, row: f.Row) -> bool:
    """Whether what is set came to the worker as an argument: kept for the worker itself, and no result."""
    return isinstance(row, f.Assign) and function.has_parameter(row.value)


def _is_first_only(family: tuple[Class, ...], attr: str, inside: tuple[Function, ...]) -> bool:
    """Whether all that anybody but the worker gives an attribute is a first value."""
    given = False
    for cls in family:
        for assigned in cls.assigns(attr):
            if assigned.value is None or not is_first(assigned.value):
                return False
            given = True
        for method in cls.methods_mentioning(attr):
            if method.name == attr or method.name in {"__getattr__", "__getattribute__", "__setattr__", "__setstate__"}:
                return False
            if method in inside:
                continue
            if any(_is_set_on_another(method, row, attr) for row in method.rows):
                return False
            for name, row in (*changed(method, method.receiver), *_set_by_name(method)):
                if name == attr:
                    if method.name not in {"__init__", "__post_init__"} or not isinstance(row, f.Assign) or row.value is None or not is_first(row.value):
                        return False
                    given = True
    return given


def _is_set_on_another(method: Function, row: f.Row, attr: str) -> bool:
    targets = f.stored_in(row) if isinstance(row, (f.Assign, f.Change)) else ()
    return any(isinstance(t, f.Attr) and t.attr == attr and f.dotted(t.value) != method.receiver for t in targets)


def _set_by_name(method: Function) -> Iterator[tuple[str, f.Row]]:
    """What `setattr(self, "name", value)` sets."""
    for site in method.calls:
        name = site.call.positional(1)
        if f.last_name(site.call.func) == "setattr" and isinstance(name, f.Const):
            yield str(name.value), site.call


def is_first(value: f.Expr) -> bool:
    """Whether an expression is a plain constant or makes a container with nothing, or only constants, in it."""
    if isinstance(value, f.Const):
        return True
    if isinstance(value, f.Sequence):
        return value.kind == "tuple" and all(map(is_first, value.items)) or not value.items
    if isinstance(value, f.Mapping):
        return not value.values
    if isinstance(value, f.Op):
        return value.op == "*" and isinstance(value.operands[0], f.Sequence) and all(isinstance(i, f.Const) for i in value.operands[0].items)
    if isinstance(value, f.Call) and f.last_name(value.func) in MAKING:
        of_module = isinstance(value.func, f.Name) or f.dotted(value.func).startswith("collections.")
        kinds = all(isinstance(a.value, f.Name) and a.value.id in {"list", "dict", "set", "int", "float", "str"} for a in value.args)
        return of_module and (not value.args or f.last_name(value.func) == "defaultdict" and kinds)
    return False


def read_on(function: Function, receiver: str, attr: str) -> Iterator[f.Attr]:
    """Where a function reads an attribute of the object that it calls `receiver`, a dotted name."""
    for row in function.rows:
        if (
            isinstance(row, f.Attr)
            and row.attr == attr
            and f.dotted(row.value) == receiver
            and not is_target(function, row)
            and not _is_changed_there(function, row)
        ):
            yield row


def _is_changed_there(function: Function, row: f.Expr) -> bool:
    """Whether an expression stands where the object is changed, as in `row.append(1)` and `row[0] = 1`, with nothing read."""
    around = function.parent(row)
    if isinstance(around, f.Item) and around.value is row:
        return is_target(function, around)
    call = function.parent(around) if isinstance(around, f.Attr) and around.attr in CHANGING else None
    return isinstance(call, f.Call) and call.func is around and isinstance(function.parent(call), f.Do)
