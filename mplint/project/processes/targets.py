"""What a class that derives from Process lets its processes run by handing a target to the library's constructor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.project.callables import callable_values
from mplint.project.hierarchy import find_method
from mplint.project.modules import CallSite, Class, Function
from mplint.project.parameters import argument_of
from mplint.project.values import Bound, External, Value

if TYPE_CHECKING:
    from mplint.apis import Api
    from mplint.project import Project

_DEPTH = 3
"""Constructors between the class and the library's."""


def constructor_row(project: Project, value: Value, *roles: str) -> Api | None:
    """The row of a class of processes (or of what `roles` name) whose `__init__` the value is: `super().__init__` in a class that derives from it."""
    name = value.name if isinstance(value, External) else value.function.name if isinstance(value, Bound) and isinstance(value.function, External) else ""
    cls, dot, last = name.rpartition(".")
    kind = project.table.kind(cls) if dot and last == "__init__" else None
    return project.table.api(cls) if kind is not None and kind.role in (roles or ("process",)) else None


def constructing(value: Value, call: f.Call) -> f.Call:
    """The call of a library's `__init__` as one of its class: `Process.__init__(self, ...)` without the `self`."""
    return f.Call(call.at, call.func, call.args[1:]) if isinstance(value, External) else call


def targets(project: Project, site: CallSite, cls: Class) -> Iterator[Value]:
    """What the process that `site` makes of `cls` runs, when that is what the constructors of `cls` hand up as its target."""
    init = find_method(project, cls, "__init__")
    if isinstance(init, Function):
        yield from _handed_up(project, init, site, _DEPTH)


def _handed_up(project: Project, init: Function, site: CallSite, depth: int) -> Iterator[Value]:
    for inner in init.calls:
        if f.last_name(inner.call.func) != "__init__":
            continue
        for value in project.values(inner.call.func, init):
            row = constructor_row(project, value)
            if row is not None:
                yield from _target(project, row, init, constructing(value, inner.call), site)
            elif isinstance(value, Bound) and isinstance(value.function, Function) and depth:
                yield from _handed_up(project, value.function, inner, depth - 1)


def _target(project: Project, row: Api, init: Function, call: f.Call, site: CallSite) -> Iterator[Value]:
    """The target in a call of the library's constructor that stands in `init`, which `site` calls."""
    handed = project.argument(call, row.callee)
    if handed is None:
        given = site.call.keyword("target") if any(a.star == "**" for a in call.args) else None
        if given is not None:
            yield from callable_values(project, given, site.function)
        return
    param = init.parameter(handed)
    given = argument_of(site.call, init, param) if param is not None else None
    yield from callable_values(project, given, site.function) if given is not None else callable_values(project, handed, init)
