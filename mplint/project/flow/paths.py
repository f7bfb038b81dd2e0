"""Ways through a graph: what can run after what, and what must have run before."""

from __future__ import annotations

from typing import Callable, Iterable, Iterator, Union

import msgspec

from mplint import facts as f
from mplint.project.flow.evaluation import Part, in_comprehension
from mplint.project.flow.nodes import (
    BROKEN, CONTINUED, ENTRY, ESCAPED, FELL, MAYBE, RAISED, RETURNED, STOPPED, Node, Way,
)  # fmt: skip


class Leaving(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The moment when the block of a `with` is left, in whatever way: `__exit__` of item `index` runs (-1: of each item)."""

    row: f.With
    index: int = -1


Point = Union[f.Row, Leaving]
"""What questions about ways are asked of: the end of the evaluation of a row, or of the `__exit__` of a with."""

_WAYS: dict[int, Way] = {
    FELL: "fall", RETURNED: "return", ESCAPED: "raise", STOPPED: "stop", BROKEN: "break", CONTINUED: "continue",
}  # fmt: skip
_LAST = 1 << 60


class Spot(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A point inside a node: its place in the order of evaluation, and whether the node always comes by it."""

    order: int
    certain: bool
    part: Part | None


class Paths:
    """The walks over a graph given by its lists; they see every edge, those of exceptions that only may be raised too."""

    def __init__(
        self,
        nodes: list[Node],
        successors: list[list[tuple[int, int]]],
        nodes_of: Callable[[f.Row], tuple[int, ...]],
        parts: Callable[[int], dict[int, Part]],
    ) -> None:
        self._nodes, self._successors, self._nodes_of, self._parts = nodes, successors, nodes_of, parts

    def reaches(self, start: Point, goal: Point, avoiding: Iterable[Point]) -> bool:
        goals = dict(self._spots(goal))
        walls = self._walls(avoiding)
        for node, spot in self._spots(start):
            there = goals.get(node)
            if there is not None and self._within(spot, there, walls.get(node, [])):
                return True
        return self._meets(self._after(start, walls), goals, walls)

    def dominated(self, goal: Point, by: Iterable[Point]) -> bool:
        return not self._meets([ENTRY], dict(self._spots(goal)), self._walls(by))

    def always_followed(self, start: Point, by: Iterable[Point], exceptional: bool) -> bool:
        walls = self._walls(by)
        exits = (FELL, RETURNED, ESCAPED, STOPPED) if exceptional else (FELL, RETURNED)
        return not self._meets(self._after(start, walls), {number: Spot(0, True, None) for number in exits}, walls)

    def exits(self, exceptional: bool, avoiding: Iterable[Point] = ()) -> frozenset[Way]:
        """The ways out that can be taken past none of `avoiding`; "raise" is one only by an explicit `raise` unless `exceptional`."""
        walls = self._walls(avoiding)
        found: set[Way] = set()
        seen = {(ENTRY, False)}
        stack = list(seen)
        while stack:
            node, explicit = stack.pop()
            if node in _WAYS and (node != ESCAPED or explicit or exceptional):
                found.add(_WAYS[node])
            wall = walls[node][0] if node in walls else None
            for target, kind in self._leaving(node, -1, wall):
                state = (target, kind == RAISED or (explicit and kind != MAYBE))
                if state not in seen:
                    seen.add(state)
                    stack.append(state)
        return frozenset(found)

    # -- points and walks

    def _spots(self, point: Point) -> Iterator[tuple[int, Spot]]:
        """The nodes that a point is in.  A row inside a lambda or a nested definition is in none: it does not run there."""
        if isinstance(point, Leaving):
            for number, node in enumerate(self._nodes):
                if node.kind == "leave" and node.owner is point.row and point.index in (-1, node.index):
                    yield number, Spot(0, True, None)
            return
        for number in self._nodes_of(point):
            part = self._parts(number).get(point.at)
            if part is not None:
                yield number, Spot(part.order, part.condition is None, part)
            elif self._nodes[number].owner is point:
                yield number, Spot(_LAST, True, None)

    def _walls(self, points: Iterable[Point]) -> dict[int, list[int]]:
        """For each node that cannot be got through without one of `points`, their orders, ascending."""
        walls: dict[int, list[int]] = {}
        for point in points:
            for number, spot in self._spots(point):
                if spot.certain:
                    walls.setdefault(number, []).append(spot.order)
        return {number: sorted(orders) for number, orders in walls.items()}

    def _within(self, start: Spot, goal: Spot, walls: list[int]) -> bool:
        if start.order < goal.order:
            return not any(start.order < wall < goal.order for wall in walls)
        return start.part is not None and goal.part is not None and in_comprehension(start.part) and in_comprehension(goal.part)

    def _after(self, start: Point, walls: dict[int, list[int]]) -> list[int]:
        """The nodes that can follow directly when `start` has been evaluated."""
        out: list[int] = []
        for number, spot in self._spots(start):
            wall = next((w for w in walls.get(number, ()) if w > spot.order), None)
            out.extend(target for target, _ in self._leaving(number, spot.order, wall))
        return out

    def _leaving(self, number: int, since: int, wall: int | None) -> Iterator[tuple[int, int]]:
        """The successors of a node, with the kind of the edge, when all up to `since` has been evaluated and nothing from `wall` on may be."""
        raising = self._may_raise_between(number, since, _LAST if wall is None else wall)
        for target, kind in self._successors[number]:
            if kind == MAYBE and raising or kind != MAYBE and wall is None:
                yield target, kind

    def _may_raise_between(self, number: int, since: int, wall: int) -> bool:
        if since < 0 and wall == _LAST:
            return True
        rows = (p.row for p in self._parts(number).values() if since < p.order < wall)
        return any(isinstance(row, (f.Call, f.Await, f.Yield)) for row in rows)

    def _meets(self, starts: Iterable[int], goals: dict[int, Spot], walls: dict[int, list[int]]) -> bool:
        """Whether a walk from the entries of `starts` comes to a goal and not to a wall before."""
        stack = list(starts)
        seen = set(stack)
        while stack:
            number = stack.pop()
            wall = walls[number][0] if number in walls else None
            goal = goals.get(number)
            if goal is not None and (wall is None or goal.order <= wall):
                return True
            for target, _ in self._leaving(number, -1, wall):
                if target not in seen:
                    seen.add(target)
                    stack.append(target)
        return False
