"""What a submitted expression can be: a parameter is followed to what the project's calls pass.

Objects of APIs are delivered to parameters by the spread; callables are not, there are too many of them.  Those that are really
submitted are followed back here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Iterator

from mplint import facts as f
from mplint.project.modules import Class, Function
from mplint.project.parameters import argument_of
from mplint.project.switches import is_switched_off
from mplint.project.values import External, Instance, Many, Partial, Tuple, Unknown, Value

if TYPE_CHECKING:
    from mplint.project import Project

HOPS = 3
"""Calls that are followed back."""


def callable_values(project: Project, expr: f.Expr, function: Function, hops: int = HOPS) -> tuple[Value, ...]:
    """All that `expr`, submitted in `function`, can be; Unknown among it when something stays open."""
    values = project.values(expr, function)
    if not hops or not any(map(is_open, values)):
        return values
    known = tuple(v for v in values if not is_open(v))
    return project.settled(("callable", id(expr), hops), lambda: tuple(dict.fromkeys((*known, *_followed(project, expr, function, values, hops))))) or values


def is_open(value: Value) -> bool:
    """Whether something about a callable is not known."""
    if isinstance(value, Partial):
        return is_open(value.func)
    if isinstance(value, Many):
        return any(map(is_open, value.items))
    if isinstance(value, Tuple):  # joblib's task: (function, args, kwargs)
        return bool(value.items) and any(map(is_open, value.items[0]))
    if isinstance(value, Instance):
        return isinstance(value.cls, External) and value.cls.name in _VAGUE
    return isinstance(value, Unknown)


_VAGUE = {"typing.Any", "typing.Callable", "collections.abc.Callable", "builtins.object"}
"""Annotations that say nothing about which function it is."""


def _followed(project: Project, expr: f.Expr, function: Function, values: tuple[Value, ...], hops: int) -> Iterable[Value]:
    """Where `expr` comes from, when its open values can be followed; else these."""
    if isinstance(expr, (f.Star, f.Bind)):
        return callable_values(project, expr.value, function, hops)
    if isinstance(expr, f.Choice):
        return (*callable_values(project, expr.body, function, hops), *callable_values(project, expr.orelse, function, hops))
    if isinstance(expr, f.Op) and expr.op in {"or", "and"}:
        return [v for operand in (expr.operands[-1:] if expr.op == "and" else expr.operands) for v in callable_values(project, operand, function, hops)]
    if isinstance(expr, f.Name):
        return list(_of_name(project, expr, function, hops)) or filter(is_open, values)
    if isinstance(expr, f.Attr) and isinstance(expr.value, f.Name):
        return list(_of_attribute(project, expr, function, hops)) or filter(is_open, values)
    if isinstance(expr, f.Comprehension):
        return [Many("iterator" if expr.kind == "generator" else expr.kind, callable_values(project, expr.element, function, hops))]
    if isinstance(expr, f.Call):
        return [v for value in filter(is_open, values) for v in _of_call(project, expr, function, value, hops)]
    return filter(is_open, values)


def _of_call(project: Project, call: f.Call, function: Function, value: Value, hops: int) -> Iterator[Value]:
    """`partial(parameter)`, `delayed(parameter)` and `delayed(parameter)(argument)`."""
    while isinstance(value, Partial) and isinstance(call.func, f.Call):
        call = call.func
    first = call.positional(0)
    if not isinstance(value, Partial) or first is None:
        yield value
        return
    for inner in callable_values(project, first, function, hops):
        yield Partial(inner, value.call, value.function, value.delayed)


def wrapped_tasks(project: Project, expr: f.Expr, function: Function) -> tuple[Value, ...]:
    """The functions in tasks that a function of the project makes for joblib, `delayed(function)(argument)`; () when it is joblib's own."""
    element = expr.element if isinstance(expr, f.Comprehension) else None
    if not isinstance(element, f.Call) or not isinstance(element.func, f.Call):
        return ()
    maker = element.func
    if not any(isinstance(v, Function) for v in project.values(maker.func, function)):
        return ()
    first = maker.positional(0)
    return callable_values(project, first, function) if first is not None else ()


def _of_name(project: Project, expr: f.Name, function: Function, hops: int) -> Iterator[Value]:
    if function.is_module:
        return
    reaching = function.graph.reaching(expr)
    rows, owner = list(reaching.definitions), function
    while reaching.scope == "free" and not rows and owner.outer is not None and not owner.outer.is_module:
        owner = owner.outer
        rows = list(owner.graph.all_definitions(expr.id) or ())
    for definition in rows:
        row = definition.row
        if isinstance(row, f.Param):
            yield from _of_parameter(project, row, owner, expr, hops)
        elif isinstance(row, (f.Assign, f.Bind)) and definition.value is not None and not definition.path:
            yield from callable_values(project, definition.value, owner, hops)
        else:
            from mplint.project.definitions import definition_values

            yield from definition_values(project, definition, owner)


def _of_parameter(project: Project, param: f.Param, function: Function, expr: f.Name, hops: int) -> Iterator[Value]:
    """What the calls of `function` that lead to `expr` pass, else its default; Unknown when nothing in the project calls it."""
    sites = project.callers(function)
    for site in sites:
        argument = argument_of(site.call, function, param)
        if argument is not None and is_switched_off(function, expr, site.call):
            continue
        if argument is not None:
            yield from callable_values(project, argument, site.function, hops - 1)
        elif site.call.starred:
            yield Unknown("star")
    if param.default is not None:
        yield from project.values(param.default, function.outer or function.module.body)
    if not sites:
        yield Unknown("parameter")


def _of_attribute(project: Project, expr: f.Attr, function: Function, hops: int) -> Iterator[Value]:
    """`self.attribute` that a method of the class is given by its callers."""
    scope: Function | None = function
    while scope is not None and not scope.receiver:
        scope = scope.outer
    if scope is None or scope.owner is None or f.dotted(expr.value) != scope.receiver:
        return
    for owner in project.mro(scope.owner):
        for method in owner.methods_mentioning(f".{expr.attr}") if isinstance(owner, Class) else ():
            for row in project.stores(method).get(f"{method.receiver}.{expr.attr}", ()) if method.receiver else ():
                if isinstance(row, f.Assign) and row.value is not None and any(isinstance(t, f.Attr) for t in row.targets):
                    yield from callable_values(project, row.value, method, hops)
