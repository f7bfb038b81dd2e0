"""What is put into a manager's dict, list or namespace, as far as it is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.project.lives.lifetimes import Life, Touch
from mplint.project.lives.nesting import Key, key_of
from mplint.project.messages.updates import is_written
from mplint.project.modules import CallSite, Function
from mplint.project.values import Instance, Many, held

if TYPE_CHECKING:
    from mplint.project import Project

MAKING = ("dict", "list", "Namespace", "Value", "Array")
"""The methods of a manager whose proxies give copies."""


class Stored(NamedTuple):
    """What is put into a proxy, under which key or name, None where that is not known."""

    key: Key
    value: f.Expr
    function: Function


def stored_in(site: CallSite, kind: str, life: Life) -> Iterator[Stored]:
    """What a proxy of a `kind` is made with by the call at `site`, and what is put into it in the course of its life."""
    yield from _given(site, kind)
    for touch in life.touches:
        yield from _put_by(touch, kind)


def _given(site: CallSite, kind: str) -> Iterator[Stored]:
    """What the proxy is made with."""
    for argument in site.call.args:
        if argument.keyword:
            yield Stored(argument.keyword, argument.value, site.function)
    first = site.call.positional(0)
    if first is not None and kind in {"dict", "list"}:
        yield from _contents(first, site.function)


def _contents(expr: f.Expr, function: Function) -> Iterator[Stored]:
    """What a display, comprehension or call puts into a dict or list."""
    if isinstance(expr, f.Mapping):
        yield from (Stored(key_of(key), value, function) for key, value in zip(expr.keys, expr.values) if key is not None)
    elif isinstance(expr, f.Sequence):
        yield from (Stored(None, value, function) for value in expr.items)
    elif isinstance(expr, f.Comprehension):
        element = expr.element
        yield Stored(None, element.items[1] if expr.kind == "dict" and isinstance(element, f.Sequence) else element, function)
    elif isinstance(expr, f.Op) and expr.op in {"*", "+"}:
        for operand in expr.operands:
            yield from _contents(operand, function)
    elif isinstance(expr, f.Call) and f.last_name(expr.func) in {"dict", "list"}:
        yield from (Stored(a.keyword, a.value, function) for a in expr.args if a.keyword)
        for argument in expr.args[:1]:
            if not argument.keyword:
                yield from _contents(argument.value, function)


def _put_by(touch: Touch, kind: str) -> Iterator[Stored]:
    """What a touch of the proxy puts into it."""
    function, row = touch.function, touch.row
    around = function.parent(row)
    if isinstance(row, (f.Item, f.Attr)) and isinstance(around, (f.Assign, f.Change)) and is_written(around, row) and around.value is not None:
        if isinstance(around, f.Assign) and kind == ("Namespace" if isinstance(row, f.Attr) else kind):
            yield Stored(row.attr if isinstance(row, f.Attr) else key_of(row.index), around.value, function)
    call = touch.call
    if call is None or kind == "Namespace":
        return
    place = {"append": 0, "insert": 1, "setdefault": 1, "__setitem__": 1}.get(touch.name)
    value = call.positional(place) if place is not None else None
    if value is not None:
        yield Stored(key_of(call.positional(0)) if kind == "dict" else None, value, function)
    elif touch.name in {"update", "extend"}:
        yield from (Stored(a.keyword, a.value, function) for a in call.args if a.keyword)
        first = call.positional(0)
        yield from _contents(first, function) if first is not None else ()


def is_plain(project: Project, stored: list[Stored]) -> bool:
    """Whether what was put into a proxy is known to be an object of one process, as far as it was seen, and never a proxy."""
    known = False
    for value, function in ((s.value, s.function) for s in stored):
        if any(isinstance(row, f.Call) and isinstance(row.func, f.Attr) and row.func.attr in MAKING for row in f.walk(value)):
            return False
        values = project.values(value, function)
        for found in (*values, *held(values)):
            if isinstance(found, Instance) and (project.role(found) or found.where):
                return False
            if isinstance(found, (Instance, Many)):
                known = True
        known = known or isinstance(value, (f.Mapping, f.Sequence, f.Comprehension)) or _is_array(project, value, function)
    return known


def _is_array(project: Project, value: f.Expr, function: Function) -> bool:
    return isinstance(value, f.Call) and project.external(value.func, function).startswith(("numpy.", "pandas.", "collections."))
