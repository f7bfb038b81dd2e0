"""What stands around a place: handlers, withs, loops and the conditions under which it is reached."""

from __future__ import annotations

from typing import Iterator, Union

import msgspec

from mplint import facts as f
from mplint.project.flow.evaluation import Part
from mplint.project.flow.nodes import Node, Place


class Branch(msgspec.Struct, frozen=True, eq=False, gc=False):
    """`test` was true (`holds`) or false when control came here; `row` is the If, While or expression that asked (None for `and`, `or`, `?:`)."""

    test: f.Expr
    holds: bool
    row: f.If | f.While | None = None


Loop = Union[f.For, f.While]

_EXPECTING = frozenset({"raises", "assertRaises", "assertRaisesRegex", "assert_raises", "assert_raises_regex", "suppress"})


def expects_error(item: f.WithItem) -> bool:
    """Whether a `with` is there for an exception, by the name of what it enters: `pytest.raises`, `assertRaises` and the like, `contextlib.suppress`."""
    return f.last_name(item.value.func if isinstance(item.value, f.Call) else item.value) in _EXPECTING


def places(node: Node) -> Iterator[Place]:
    """The compound statements around a node, innermost first."""
    place = node.place
    while place is not None:
        yield place
        place = place.outer


def tries(node: Node) -> tuple[Place, ...]:
    return tuple(p for p in places(node) if isinstance(p.row, f.Try))


def handlers(node: Node) -> tuple[tuple[f.Try, f.Handler], ...]:
    return tuple((p.row, h) for p in places(node) if isinstance(p.row, f.Try) and p.part == "body" for h in p.row.handlers)


def withs(node: Node) -> tuple[tuple[f.With, f.WithItem], ...]:
    return tuple((p.row, p.branch) for p in places(node) if isinstance(p.row, f.With) and isinstance(p.branch, f.WithItem))


def loops(node: Node) -> tuple[Loop, ...]:
    owner = node.owner
    own: tuple[Loop, ...] = ()
    if (node.kind == "test" and isinstance(owner, f.While)) or node.kind in ("next", "target"):
        own = (owner,)
    return own + tuple(p.row for p in places(node) if isinstance(p.row, (f.For, f.While)) and p.part == "body")


def branches(node: Node, part: Part | None) -> tuple[Branch, ...]:
    found: list[Branch] = []
    condition = part.condition if part is not None else None
    while condition is not None:
        if condition.test is not None:
            found.append(Branch(condition.test, condition.holds))
        condition = condition.outer
    for place in places(node):
        if isinstance(place.row, (f.If, f.While)):
            found.append(Branch(place.row.test, place.part in ("body", "after body"), place.row))
    return tuple(found)
