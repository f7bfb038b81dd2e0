"""What a function calls in the same process: direct calls, methods and properties, context managers, functions that it hands to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.project.hierarchy import find_method
from mplint.project.modules import CallSite, Class, Function
from mplint.project.parameters import argument_of
from mplint.project.values import Bound, Instance, Partial, Super

if TYPE_CHECKING:
    from mplint.project import Project

_ENTERING = ("__enter__", "__exit__", "__aenter__", "__aexit__")
_CALLABLE = (f.Lambda, f.Name, f.Attr, f.Call)
DEPTH = 3
"""Functions through which a parameter is passed on before somebody calls it."""


def called_by(project: Project, function: Function) -> Iterator[tuple[Function, f.Row]]:
    """Every function of the project that `function` may call in the same process, and the row that does it."""
    for site in function.calls:
        callees = project.callees(site)
        for callee in callees:
            yield callee, site.call
        if any(isinstance(arg.value, _CALLABLE) for arg in site.call.args):
            for callee in _handed(project, site, callees):
                yield callee, site.call
    for row in function.rows:
        if isinstance(row, f.With):
            for item in row.items:
                for value in project.values(item.value, function):
                    if isinstance(value, Instance) and isinstance(value.cls, Class):
                        for name in _ENTERING:
                            method = find_method(project, value.cls, name)
                            if isinstance(method, Function):
                                yield method, row
        elif isinstance(row, f.Attr):
            for method in _properties(project, row, function):
                yield method, row


def _properties(project: Project, row: f.Attr, function: Function) -> Iterator[Function]:
    """The property that reading an attribute runs."""
    if isinstance(row.value, f.Name) and row.value.id == function.receiver and function.owner is not None:
        if any(isinstance(base, Class) and base.may_have_property(row.attr) for base in project.mro(function.owner)):
            method = find_method(project, function.owner, row.attr)
            if isinstance(method, Function) and method.is_property:
                yield method
    elif row.attr in project.triage.properties:
        for value in project.values(row.value, function):
            method = None
            if isinstance(value, Instance) and isinstance(value.cls, Class):
                method = find_method(project, value.cls, row.attr)
            elif isinstance(value, Super):
                after = project.mro(value.receiver.cls if isinstance(value.receiver, Instance) and isinstance(value.receiver.cls, Class) else value.cls)
                later = after[after.index(value.cls) + 1 :] if value.cls in after else after[1:]
                method = next((m for b in later if isinstance(b, Class) and (m := b.method(row.attr)) is not None), None)
            if isinstance(method, Function) and method.is_property:
                yield method


def _handed(project: Project, site: CallSite, callees: tuple[Function, ...]) -> Iterator[Function]:
    """Functions among the arguments of a call that it calls at once: `map`, `sorted` and `reduce` do, and so do functions that call their parameter."""
    for callee in callees:
        for param in callee.facts.params:
            argument = argument_of(site.call, callee, param)
            if isinstance(argument, _CALLABLE) and runs_parameter(project, callee, param.name):
                yield from _functions(project, argument, site.function)
    if not callees and project.runs_arguments(site):
        for arg in site.call.args:
            yield from _functions(project, arg.value, site.function)


def _functions(project: Project, expr: f.Expr | None, function: Function) -> list[Function]:
    """The functions of the project that calling an argument would run."""
    if not isinstance(expr, _CALLABLE):
        return []
    return [g for value in project.values(expr, function) if isinstance(value, (Function, Bound, Partial)) for g in project.run_by(value)]


def runs_parameter(project: Project, function: Function, name: str, depth: int = DEPTH) -> bool:
    """Whether `function` calls its parameter `name`, itself or through functions of the project that it passes it to."""
    if name in _handling(project, function).called:
        return True
    return name in _handling(project, function).passed and project.kept(("runs", function, name), lambda: _passes_on(project, function, name, depth))


class _Handling(NamedTuple):
    """What a function, and the functions in it, do with plain names: call them, or pass them to the calls at these sites."""

    called: set[str]
    passed: dict[str, list[CallSite]]


def _handling(project: Project, function: Function) -> _Handling:
    return project.kept(("handling", function), lambda: _handled(function))


def _handled(function: Function) -> _Handling:
    out = _Handling(set(), {})
    for inner in (function, *function.all_nested()):
        own = {p.name for p in inner.facts.params} if inner is not function else set()
        for site in inner.calls:
            if isinstance(site.call.func, f.Name) and site.call.func.id not in own:
                out.called.add(site.call.func.id)
            for arg in site.call.args:
                if isinstance(arg.value, f.Name) and arg.value.id not in own:
                    out.passed.setdefault(arg.value.id, []).append(site)
    return out


def _passes_on(project: Project, function: Function, name: str, depth: int) -> bool:
    for site in _handling(project, function).passed[name] if depth else ():
        for callee in project.callees(site):
            for param in callee.facts.params:
                given = argument_of(site.call, callee, param)
                if isinstance(given, f.Name) and given.id == name and callee is not function and runs_parameter(project, callee, param.name, depth - 1):
                    return True
    return False
