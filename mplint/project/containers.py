"""What is put into containers after they were made: append, add, an index, `+=`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mplint import facts as f
from mplint.project.modules import Function
from mplint.project.values import Many, Value, elements

if TYPE_CHECKING:
    from mplint.project import Project

ADDING = {"append": (0, False), "appendleft": (0, False), "add": (0, False), "extend": (0, True), "update": (0, True), "insert": (1, False), "setdefault": (1, False)}
"""Method -> the argument that is added, and whether its elements are."""


def additions(function: Function) -> dict[str, list[tuple[f.Expr, bool]]]:
    """For each container (dotted name) the expressions that the body of `function` adds to it, and whether their elements are meant."""
    out: dict[str, list[tuple[f.Expr, bool]]] = {}
    for row in f.walk(*function.facts.body):
        if isinstance(row, f.Call) and isinstance(row.func, f.Attr) and row.func.attr in ADDING:
            position, each = ADDING[row.func.attr]
            added = row.positional(position)
            target = row.func.value.value if isinstance(row.func.value, f.Item) else row.func.value
            if added is not None and f.dotted(target):
                out.setdefault(f.dotted(target), []).append((added, each))
        elif isinstance(row, f.Assign) and row.value is not None:
            for place in row.targets:
                if isinstance(place, f.Item) and f.dotted(place.value):
                    out.setdefault(f.dotted(place.value), []).append((row.value, False))
        elif isinstance(row, f.Change) and row.op in {"+", "|"} and f.dotted(row.target):
            out.setdefault(f.dotted(row.target), []).append((row.value, True))
    return out


def growth(project: Project, function: Function, name: str) -> tuple[Value, ...]:
    """What the body of `function` adds to the container `name` (dotted)."""
    out: list[Value] = []
    for added, of_each in project.additions(function).get(name, ()):
        values = project.values(added, function)
        out.extend(elements(values) if of_each else values)
    return tuple(dict.fromkeys(out))


def grown(values: tuple[Value, ...], more: tuple[Value, ...]) -> tuple[Value, ...]:
    """`values` with what was added later to the containers among them."""
    if not more:
        return values
    return tuple(Many(v.kind, tuple(dict.fromkeys((*v.items, *more)))) if isinstance(v, Many) else v for v in values)
