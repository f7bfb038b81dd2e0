"""The control flow of one function: which rows run before, after and instead of which."""

from __future__ import annotations

import sys
from bisect import bisect_right
from functools import cached_property
from typing import Iterable

from mplint import facts as f
from mplint.project.flow import around
from mplint.project.flow.bindings import Binder, Definition, mentioned
from mplint.project.flow.build import Builder
from mplint.project.flow.evaluation import Part, parts_of
from mplint.project.flow.nodes import Ending, Ends, Node, Place, Swallows, Way
from mplint.project.flow.paths import Paths, Point
from mplint.project.flow.reaching import Names, Reaching

_ROOM = 4_000
"""Recursion allowed on top of the limit when a deeply nested function is met from deep inside a computation."""


class Graph:
    """Nodes and edges of a function's body, and questions about them.

    Rows are those of this function's own body, by their number (`at`); what stands in a nested function, a lambda or the body
    of a class counts as the place of its definition.  Code after `finally:` has one node for each way into it.
    """

    def __init__(self, facts: f.FunctionFacts, *, ends: Ends, swallows: Swallows) -> None:
        self.facts = facts
        self._ends, self._swallows = ends, swallows
        builder = _built(facts, ends, swallows)
        self.nodes: list[Node] = builder.nodes
        self.successors, self.predecessors = builder.successors, builder.predecessors
        self._parts: dict[int, dict[int, Part]] = {}

    # -- places

    @cached_property
    def _regions(self) -> tuple[list[int], list[tuple[int, ...]]]:
        found: dict[int, list[int]] = {}
        for number, node in enumerate(self.nodes):
            for start in _starts(node):
                found.setdefault(start, []).append(number)
        starts = sorted(found)
        return starts, [tuple(found[start]) for start in starts]

    def nodes_of(self, row: f.Row) -> tuple[int, ...]:
        """The nodes in which `row` is evaluated: one, several inside a `finally`, none when it is not of this body."""
        starts, nodes = self._regions
        index = bisect_right(starts, row.at) - 1
        if index < 0 or starts[index] >> f.PAGE_BITS != row.at >> f.PAGE_BITS:
            return ()
        return nodes[index]

    def node_of(self, row: f.Row) -> Node | None:
        """The (first) node in which `row` is evaluated."""
        found = self.nodes_of(row)
        return self.nodes[found[0]] if found else None

    def parts(self, node: int) -> dict[int, Part]:
        """Everything evaluated in a node, by number."""
        if node not in self._parts:
            self._parts[node] = parts_of(self.nodes[node].rows)
        return self._parts[node]

    # -- names

    @cached_property
    def _names(self) -> Names:
        return Names(self.facts, self._rare, self.nodes, self.predecessors, self.parts)

    @cached_property
    def _rare(self) -> frozenset[str]:
        return mentioned(self.facts.body)

    def reaching(self, name: f.Name) -> Reaching:
        """What the name can be bound to where it stands, in detail."""
        nodes = self.nodes_of(name)
        if not nodes:
            return Reaching("free")
        if "g" in self._rare:
            part = self.parts(nodes[0]).get(name.at)
            found = part.scope.find(name.id) if part is not None and part.scope is not None else None
            if found is not None:
                return Reaching("comprehension", (found,))
        return self._names.at(name.id, nodes, name.at)

    def definitions(self, name: f.Name) -> tuple[Binder, ...] | None:
        """The rows that can have bound the name where it stands, in source order; None when it is not local (free, global, nonlocal).

        () when nothing binds it on any way there.
        """
        found = self.reaching(name)
        if found.scope not in ("local", "comprehension"):
            return None
        return tuple({id(d.row): d.row for d in found.definitions}.values())

    def all_definitions(self, name: str) -> tuple[Definition, ...]:
        """Every definition of a name in this body, wherever; () for names declared global or nonlocal here."""
        return () if name in self._names.declared else tuple(self._names.all_of(name))

    # -- ways

    @cached_property
    def _paths(self) -> Paths:
        return Paths(self.nodes, self.successors, self.nodes_of, self.parts)

    def reaches(self, start: Point, goal: Point, *, avoiding: Iterable[Point] = ()) -> bool:
        """Whether control can come from `start`, once evaluated, to the evaluation of `goal` and pass none of `avoiding` between.

        A point that its node evaluates only sometimes (behind `and`, in a comprehension) cannot be relied on to be in the way.
        """
        return self._paths.reaches(start, goal, avoiding)

    def dominated(self, goal: Point, *, by: Iterable[Point]) -> bool:
        """Whether every way from the entry to `goal` passes one of `by` before; true where no way leads."""
        return self._paths.dominated(goal, by)

    def always_followed(self, start: Point, *, by: Iterable[Point], exceptional: bool = False) -> bool:
        """Whether every way from `start`, once evaluated, out of the function passes one of `by`.

        Ways that end by an exception leaving the function, or by the end of the process, count only when `exceptional`.
        Exceptions that the function handles itself count always.
        """
        return self._paths.always_followed(start, by, exceptional)

    def exits(self, *, exceptional: bool = False, avoiding: Iterable[Point] = ()) -> frozenset[Way]:
        """The ways in which the body can be left without passing `avoiding`; an exception that is not written out (`raise`) counts only when `exceptional`."""
        return self._paths.exits(exceptional, avoiding)

    def ways_out(self, block: tuple[f.Step, ...], *, exceptional: bool = False) -> frozenset[Way]:
        """The ways in which control, once in a block of steps, can leave it; "break" and "continue" are of loops around it."""
        alone = Graph(f.FunctionFacts(self.facts.at, self.facts.name, (), block), ends=self._ends, swallows=self._swallows)
        return alone.exits(exceptional=exceptional)

    def can_fall_through(self, block: tuple[f.Step, ...]) -> bool:
        """Whether control can leave a block at its end."""
        return "fall" in self.ways_out(block)

    # -- surroundings; all innermost first, () for rows that are not of this body

    def is_conditional(self, row: f.Row) -> bool:
        """Whether the step or test that `row` is part of can be done without evaluating it."""
        return any(p is not None and p.condition is not None for p in (self.parts(n).get(row.at) for n in self.nodes_of(row)))

    def tries_around(self, row: f.Row) -> tuple[Place, ...]:
        """The try statements around a row, with the part it is in: "body", "handler" (`branch` is the Handler), "orelse" or "final"."""
        node = self.node_of(row)
        return around.tries(node) if node is not None else ()

    def handlers_around(self, row: f.Row) -> tuple[tuple[f.Try, f.Handler], ...]:
        """The handlers that are asked when `row` raises."""
        node = self.node_of(row)
        return around.handlers(node) if node is not None else ()

    def withs_around(self, row: f.Row) -> tuple[tuple[f.With, f.WithItem], ...]:
        """The context managers that are entered while `row` runs."""
        node = self.node_of(row)
        return around.withs(node) if node is not None else ()

    def loops_around(self, row: f.Row) -> tuple[around.Loop, ...]:
        """The loops that can run `row` more than once; comprehensions apart."""
        node = self.node_of(row)
        return around.loops(node) if node is not None else ()

    def branch_conditions(self, row: f.Row) -> tuple[around.Branch, ...]:
        """The tests that decide that `row` runs, with their outcome then: of enclosing branches and of those that leave before it."""
        node = self.node_of(row)
        return around.branches(node, self.parts(self.nodes_of(row)[0]).get(row.at)) if node is not None else ()


def _built(facts: f.FunctionFacts, ends: Ends, swallows: Swallows) -> Builder:
    """The builder of a function's graph when its work is done."""
    limit = sys.getrecursionlimit()
    try:
        builder = Builder(ends, swallows)
        builder.function(facts)
    except RecursionError:
        sys.setrecursionlimit(limit + _ROOM)
        try:
            builder = Builder(ends, swallows)
            builder.function(facts)
        finally:
            sys.setrecursionlimit(limit)
    return builder


def _starts(node: Node) -> tuple[int, ...]:
    """Where, in the numbering of rows, the rows of a node begin."""
    kind, owner = node.kind, node.owner
    if kind == "source":
        return (owner.at, owner.source.at)
    if kind == "target":
        return (owner.target.at,)
    if kind == "enter":
        first = owner.items[node.index].value.at
        return (owner.at, first) if node.index == 0 else (first,)
    if kind == "guard":
        return (owner.guard.at,)
    if kind in ("step", "test", "subject", "pattern", "handler", "try"):
        return (owner.at,)
    return ()


def _never(call: f.Call) -> Ending:
    return ""


def _named_swallowing(item: f.WithItem) -> bool:
    return around.expects_error(item) or (isinstance(item.value, f.Call) and f.last_name(item.value.func) == "move_on_after")


def graph_of(function: f.FunctionFacts, *, ends: Ends | None = None, swallows: Swallows | None = None) -> Graph:
    """The control flow of a function, lambda or module (a FunctionFacts named "<module>").

    `ends` tells which calls never return (by default none), `swallows` which context managers keep exceptions from
    going on (by default those named as `contextlib.suppress` and `pytest.raises` are).  Neither may ask the graph that is being made.
    """
    return Graph(function, ends=ends or _never, swallows=swallows or _named_swallowing)
