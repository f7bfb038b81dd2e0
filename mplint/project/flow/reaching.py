"""Which definitions of a name reach a place: asked name by name, backwards, with what was found kept."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, Callable

import msgspec

from mplint import facts as f
from mplint.project.flow.bindings import Binding, Definition, of_params, of_step, of_targets
from mplint.project.flow.evaluation import Part, in_comprehension
from mplint.project.flow.nodes import ENTRY, NORMAL, Node


class Reaching(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What a name can be bound to at a place.

    `scope` is "local", "comprehension", "global", "nonlocal" (so declared) or "free" (not bound in this function at all);
    `unbound` says that a path leads there from the entry (or from a `del`) without a binding, `elsewhere` that other
    functions bind the name too, at any time.  No definitions and not unbound: no way leads there.
    """

    scope: str
    definitions: tuple[Definition, ...] = ()
    unbound: bool = False
    elsewhere: bool = False


_Found = frozenset[Any]
_UNBOUND = None


class Names:
    """The bindings of a graph by name, and the walk that finds those that reach a node."""

    def __init__(
        self,
        facts: f.FunctionFacts,
        rare: frozenset[str],
        nodes: list[Node],
        predecessors: list[list[tuple[int, int]]],
        parts: Callable[[int], dict[int, Part]],
    ) -> None:
        self._predecessors, self._parts = predecessors, parts
        self._head: list[int] = []
        for number, before in enumerate(predecessors):
            self._head.append(self._head[-1] if number and before == [(number - 1, NORMAL)] else number)
        self._bindings: dict[tuple[int, str], list[Binding]] = {}
        self._nodes_of: dict[str, list[int]] = {}
        self._entering: dict[tuple[str, int], _Found] = {}
        self._all: dict[str, dict[Definition, int]] = {}
        self.declared: dict[str, str] = {}
        walrus = "b" in rare
        made: dict[tuple[str, int, int], list[Binding]] = {}
        for number, node in enumerate(nodes):
            key = (node.kind, id(node.owner), node.index)
            if number == ENTRY:
                found = of_params(facts)
            elif key in made:
                found = made[key]
            else:
                found = made[key] = [*(self._walruses(number) if walrus and node.rows else ()), *_bindings(node)]
            for binding in found:
                self._note(number, binding)
            if node.kind == "step" and isinstance(node.owner, f.Declare) and facts.name != "<module>":
                self.declared.update(dict.fromkeys(node.owner.names, node.owner.kind))
        self._elsewhere = _rebound(facts) if "D" in rare else frozenset()

    def _walruses(self, number: int) -> list[Binding]:
        parts = sorted((p for p in self._parts(number).values() if isinstance(p.row, f.Bind)), key=lambda p: p.order)
        return [Binding(Definition(p.row, p.row.name.id, p.row.value), p.row.at, True, p.condition is None) for p in parts]

    def _note(self, number: int, binding: Binding) -> None:
        name = binding.definition.name
        here = self._bindings.setdefault((number, name), [])
        here.append(binding)
        if len(here) == 1:
            self._nodes_of.setdefault(name, []).append(number)

    def all_of(self, name: str) -> dict[Definition, int]:
        """Every definition of a name, in source order, with its place in it."""
        if name not in self._all:
            bindings = (b for n in self._nodes_of.get(name, ()) for b in self._bindings[n, name])
            definitions = dict.fromkeys(b.definition for b in bindings if not b.ends)
            self._all[name] = {d: place for place, d in enumerate(definitions)}
        return self._all[name]

    def at(self, name: str, nodes: tuple[int, ...], number: int) -> Reaching:
        """What reaches the row `number`, evaluated in any of `nodes`."""
        if name not in self._nodes_of:
            return Reaching(self.declared.get(name, "free"), elsewhere=name in self.declared)
        found: set[Any] = set()
        for node in nodes:
            found |= self._within(name, node, number)
        scope = self.declared.get(name, "local")
        places = self.all_of(name)
        definitions = tuple(sorted((d for d in found if d is not _UNBOUND), key=places.__getitem__))
        unbound = _UNBOUND in found or any(isinstance(d.row, f.Delete) for d in definitions)
        return Reaching(scope, definitions, unbound, scope != "local" or name in self._elsewhere)

    def _within(self, name: str, node: int, number: int) -> _Found:
        """What reaches a row of a node, minding what the node itself has bound before."""
        here = [b for b in self._bindings.get((node, name), ()) if b.early]
        if not here:
            return self._before(name, node)
        parts = self._parts(node)
        use = parts.get(number)
        found: set[Any] = set()
        for binding in reversed(here):
            bound = parts.get(binding.at)
            if use is None or bound is None or bound.order < use.order or (in_comprehension(bound) and in_comprehension(use)):
                found.add(binding.definition)
                if binding.certain and bound is not None and use is not None and bound.order < use.order:
                    return frozenset(found)
        return frozenset(found) | self._before(name, node)

    def _before(self, name: str, node: int) -> _Found:
        """What reaches the entry of a node."""
        found: set[Any] = set()
        if self._scan(name, node, self._head[node], found):
            return frozenset(found)
        return self._at_head(name, self._head[node]) | found

    def _scan(self, name: str, upper: int, head: int, found: set[Any]) -> bool:
        """Collect what the straight run from `head` to before `upper` binds, last first; True when none from before gets through."""
        where = self._nodes_of[name]
        index = bisect_left(where, upper) - 1
        while index >= 0 and where[index] >= head:
            for binding in reversed(self._bindings[where[index], name]):
                found.add(_UNBOUND if binding.ends else binding.definition)
                if binding.certain:
                    return True
            index -= 1
        return False

    def _at_head(self, name: str, head: int) -> _Found:
        key = (name, head)
        if key not in self._entering:
            found: set[Any] = set()
            seen = {head}
            stack = [head]
            while stack:
                current = stack.pop()
                known = self._entering.get((name, current))
                if known is not None:
                    found |= known
                    continue
                if current == ENTRY:
                    found.add(_UNBOUND)
                for source, kind in self._predecessors[current]:
                    upper = source + 1
                    if kind != NORMAL:
                        upper = source
                        found.update(b.definition for b in self._bindings.get((source, name), ()) if b.early)
                    before = self._head[source]
                    if not self._scan(name, upper, before, found) and before not in seen:
                        seen.add(before)
                        stack.append(before)
            self._entering[key] = frozenset(found)
        return self._entering[key]


def _bindings(node: Node) -> list[Binding]:
    """What a node binds, walruses apart."""
    owner = node.owner
    if node.kind == "step":
        return of_step(owner)
    if node.kind == "target":
        return of_targets(owner, (owner.target,), owner.source)
    if node.kind == "enter":
        item = owner.items[node.index]
        return of_targets(owner, (item.target,), item.value) if item.target is not None else []
    if node.kind in ("handler", "unbind"):
        return [Binding(Definition(owner, owner.name), ends=node.kind == "unbind")] if owner.name else []
    if node.kind == "matched":
        return [Binding(Definition(owner, name)) for name in owner.names]
    return []


def _rebound(facts: f.FunctionFacts) -> frozenset[str]:
    """Names of this function (or module) that functions inside it declare theirs to bind."""
    kind = "global" if facts.name == "<module>" else "nonlocal"
    declared = (row for row in f.walk(*facts.body, into_functions=True) if isinstance(row, f.Declare) and row.kind == kind)
    return frozenset(name for row in declared for name in row.names)
