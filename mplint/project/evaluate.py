"""What an expression can be at its place: names through their reaching definitions, attributes through classes, calls through what they return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Iterable

from mplint import facts as f
from mplint.project.attributes import attribute_values
from mplint.project.containers import growth, grown
from mplint.project.definitions import definition_values
from mplint.project.lives.nesting import key_of
from mplint.project.modules import Class, Function
from mplint.project.results import call_values
from mplint.project.values import Coroutine, Entry, External, Instance, Literal, Many, Tuple, Unknown, Value, elements, held, named, shallow, under

if TYPE_CHECKING:
    from mplint.project import Project

LIMIT = 24
"""Most values kept for one expression; beyond it the expression is too vague to say anything about."""


def evaluate(project: Project, expr: f.Expr, function: Function) -> tuple[Value, ...]:
    """All that `expr`, standing in `function`, can be.  Not memoised: `Project.values` is."""
    handler = _HANDLERS.get(type(expr))
    found = handler(project, expr, function) if handler is not None else (Unknown("expression"),)
    return tuple(dict.fromkeys(shallow(v) for v in found))[:LIMIT]


def _name(project: Project, expr: f.Name, function: Function) -> Iterable[Value]:
    values = _bound(project, expr, function)
    if any(isinstance(v, Many) for v in values):
        return grown(values, growth(project, function, expr.id))
    return values


def _bound(project: Project, expr: f.Name, function: Function) -> tuple[Value, ...]:
    if function.is_module:
        return _at_module(project, expr, function)
    reaching = function.graph.reaching(expr)
    if reaching.scope in {"local", "comprehension"}:
        return tuple(v for d in reaching.definitions for v in definition_values(project, d, function))
    if reaching.scope == "global":
        own = tuple(v for d in reaching.definitions for v in definition_values(project, d, function))
        return own or project.global_values(function.module, expr.id)
    scope = function.outer
    while scope is not None and not scope.is_module:
        found = scope.graph.all_definitions(expr.id)
        if found:
            values = tuple(dict.fromkeys(v for d in found for v in definition_values(project, d, scope)))
            return grown(values, growth(project, scope, expr.id)) if any(isinstance(v, Many) for v in values) else values
        scope = scope.outer
    return project.global_values(function.module, expr.id)


def _at_module(project: Project, expr: f.Name, function: Function) -> tuple[Value, ...]:
    """Module code names its variables in order; a name that its acting statements do not bind is looked up like any global."""
    page = function.module.outline.pages[expr.at >> f.PAGE_BITS]
    acting = page.kind == "module" or (page.kind == "step" and page.acts and not page.indent)
    reaching = function.graph.reaching(expr) if acting and expr.at in project.body_rows(function) else None
    if reaching is not None and reaching.definitions:
        own = tuple(v for d in reaching.definitions for v in definition_values(project, d, function))
        if not reaching.unbound:
            return own
    return project.global_values(function.module, expr.id)


def _attr(project: Project, expr: f.Attr, function: Function) -> Iterable[Value]:
    found = tuple(v for base in project.values(expr.value, function) for v in attribute_values(project, base, expr.attr, function))
    if any(isinstance(v, Many) for v in found) and f.dotted(expr):
        return grown(found, growth(project, function, f.dotted(expr)))
    return found or (Unknown("attribute"),)


def _sequence(project: Project, expr: f.Sequence, function: Function) -> Iterable[Value]:
    if expr.kind == "tuple" and not any(isinstance(i, f.Star) for i in expr.items):
        return (Tuple(tuple(project.values(i, function) for i in expr.items)),)
    items: list[Value] = []
    for item in expr.items:
        items.extend(elements(project.values(item.value, function)) if isinstance(item, f.Star) else project.values(item, function))
    return (Many(expr.kind, tuple(dict.fromkeys(items))),)


def _mapping(project: Project, expr: f.Mapping, function: Function) -> Iterable[Value]:
    items: list[Value] = []
    keys: list[Value] = []
    entries: list[Entry] = []
    for key, value in zip(expr.keys, expr.values):
        values = project.values(value, function)
        items.extend(held(values) if key is None else values)
        keys.extend(elements(values) if key is None else project.values(key, function))
        entries.extend((entry for v in values if isinstance(v, Many) for entry in v.named) if key is None else ((key_of(key), values),))
    return (Many("dict", tuple(dict.fromkeys(items)), tuple(dict.fromkeys(keys)), named(entries)),)


def _comprehension(project: Project, expr: f.Comprehension, function: Function) -> Iterable[Value]:
    if expr.kind == "dict" and isinstance(expr.element, f.Sequence):
        keys, values = (project.values(i, function) for i in expr.element.items)
        return (Many("dict", values, keys),)
    return (Many("iterator" if expr.kind == "generator" else expr.kind, project.values(expr.element, function)),)


def _op(project: Project, expr: f.Op, function: Function) -> Iterable[Value]:
    operands = expr.operands[-1:] if expr.op == "and" else expr.operands  # what stands before is the result only when it is false
    values = [v for operand in operands for v in project.values(operand, function)]
    if expr.op in {"and", "or"}:
        return [v for v in values if not isinstance(v, Literal)] or values
    if expr.op == "|":
        return [v for v in values if not isinstance(v, (Literal, Unknown))] or (Unknown("arithmetic"),)
    if expr.op in {"+", "*"}:
        kept = tuple(v for v in values if isinstance(v, (Many, Tuple)))
        if kept:
            return (Many("list", elements(kept)),)
    return (Unknown("arithmetic"),)


def _item(project: Project, expr: f.Item, function: Function) -> Iterable[Value]:
    out: list[Value] = []
    index = expr.index
    for value in project.values(expr.value, function):
        if isinstance(value, Tuple) and isinstance(index, f.Const) and isinstance(index.value, int) and index.value < len(value.items):
            out.extend(value.items[index.value])
        elif isinstance(value, (Many, Tuple)):
            out.extend((value,) if isinstance(index, f.Sequence) and index.kind == "slice" else under((value,), key_of(index)))
        elif isinstance(value, (External, Class)):
            out.append(value)  # `Queue[int]` is `Queue`
    return out or (Unknown("item"),)


def _await(project: Project, expr: f.Await, function: Function) -> Iterable[Value]:
    out: list[Value] = []
    for value in project.values(expr.value, function):
        if isinstance(value, Coroutine):
            out.extend(project.returned(value.function))
        elif isinstance(value, Many):
            items = tuple(v for i in value.items for v in (project.returned(i.function) if isinstance(i, Coroutine) else (Unknown("awaited"),)))
            out.append(Many("list", items))
        elif isinstance(value, Tuple):  # the two sets of `asyncio.wait`
            out.append(value)
        else:
            out.append(Unknown("awaited"))
    return out


_HANDLERS: dict[type, Callable[..., Iterable[Value]]] = {
    f.Name: _name,
    f.Attr: _attr,
    f.Call: call_values,
    f.Const: lambda project, expr, function: (Literal(expr.value),) if expr.kind not in {"bytes", "ellipsis", "complex"} else (Unknown("literal"),),
    f.Text: lambda project, expr, function: (Instance(External("builtins.str")),),
    f.Sequence: _sequence,
    f.Mapping: _mapping,
    f.Comprehension: _comprehension,
    f.Choice: lambda project, expr, function: (*project.values(expr.body, function), *project.values(expr.orelse, function)),
    f.Op: _op,
    f.Item: _item,
    f.Lambda: lambda project, expr, function: (function.module.view(expr.function, f"{function.qualname}.<lambda>", None, function),),
    f.Await: _await,
    f.Bind: lambda project, expr, function: project.values(expr.value, function),
    f.Star: lambda project, expr, function: project.values(expr.value, function),
}
