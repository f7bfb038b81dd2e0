"""Control flow and reaching definitions of random programs against what CPython does with them."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from test_flow import body

from mplint import facts as f
from mplint.project.flow import Graph, graph_of

NAMES = ("x", "y")
RAISED = (ValueError, KeyError, OSError)


class Ways:
    """Decisions of one run: those of `script`, then the first of each; `taken` and `widths` say what was decided."""

    def __init__(self, script: list[int], limit: int) -> None:
        self.script, self.limit = script, limit
        self.taken: list[int] = []
        self.widths: list[int] = []

    def decide(self, width: int) -> int:
        place = len(self.taken)
        choice = self.script[place] % width if place < len(self.script) else 0
        self.taken.append(choice)
        self.widths.append(width)
        return choice


class Tracer:
    """The functions that a program calls; each may raise.

    `seen` holds (number of the use, what the name held); `passed` the uses begun, and minus those ended without an exception.
    """

    def __init__(self, ways: Ways) -> None:
        self.ways = ways
        self.seen: list[tuple[int, Any]] = []
        self.passed: list[int] = []
        self.left = ""

    def act(self) -> None:
        if len(self.ways.taken) > self.ways.limit:
            raise OSError("enough")
        choice = self.ways.decide(4)
        if choice:
            raise RAISED[choice - 1]

    def use(self, number: int, value: Any) -> None:
        self.seen.append((number, value))
        self.passed.append(number)
        self.act()
        self.passed.append(-number)

    def choose(self) -> bool:
        self.act()
        return bool(self.ways.decide(2))

    def keep(self, value: Any) -> Any:
        self.act()
        return value

    @contextlib.contextmanager
    def manage(self, value: Any) -> Iterator[Any]:
        self.act()
        try:
            yield value
        finally:
            self.act()

    def run(self, source: str) -> None:
        space: dict[str, Any] = {"use": self.use, "choose": self.choose, "keep": self.keep, "manage": self.manage, "act": self.act}
        exec(source, space)
        try:
            self.left = "return" if space["program"]() else "fall"
        except (*RAISED, UnboundLocalError):
            self.left = "raise"

    def follows(self, first: int, then: int, avoiding: int = 0) -> bool:
        """Whether use `first` ended, and later `then` began with no `avoiding` begun between."""
        live = False
        for number in self.passed:
            if live and number == then:
                return True
            live = number == -first or (live and number != avoiding)
        return False


class Writer:
    """Draws a program; every value assigned is a number of its own, every use too.

    `unbinding`: names can be unbound where they are used (behind a handler `as name`), so that the use itself raises.
    """

    def __init__(self, draw: st.DrawFn, loops: bool, unbinding: bool) -> None:
        self.draw, self.loops, self.unbinding = draw, loops, unbinding
        self.count = 100
        self.left = 9
        self.classes = ["ValueError", "KeyError"]

    def number(self) -> int:
        self.count += 1
        return self.count

    def name(self) -> str:
        return self.draw(st.sampled_from(NAMES))

    def block(self, depth: int, looping: bool) -> list[str]:
        lines: list[str] = []
        for _ in range(self.draw(st.integers(1, 3))):
            lines += self.statement(depth, looping)
        return [f"  {line}" for line in lines]

    def statement(self, depth: int, looping: bool) -> list[str]:
        self.left -= 1
        kinds = ["assign", "assign", "keep", "use", "use", "leave"]
        if depth < 3 and self.left > 0:
            kinds += ["if", "try", "try", "final", "with", "match"] + (["while", "forever", "for", "walrus"] if self.loops else [])
        kind = self.draw(st.sampled_from(kinds))
        down = depth + 1
        name = self.name()
        if kind == "assign":
            return [f"{name} = {self.number()}"]
        if kind == "keep":
            return [f"{name} = keep({self.number()})"]
        if kind == "use":
            return [f"use({self.number()}, {name})"]
        if kind == "leave":
            ways = ["return 1", "raise ValueError", "raise KeyError()", "pass", "act()"] + (["break", "continue"] if looping else [])
            return [self.draw(st.sampled_from(ways))]
        if kind == "if":
            return ["if choose():", *self.block(down, looping), *self.maybe("else:", down, looping)]
        if kind == "match":
            return ["match choose():", "  case True:", *self.case(down, looping), f"  case {name} if choose():", *self.case(down, looping)]
        if kind == "with":
            return [f"with manage({self.number()}) as {name}:", *self.block(down, looping)]
        if kind == "walrus":
            return [f"if choose() and ({name} := keep({self.number()})):", *self.block(down, looping), *self.maybe("else:", down, looping)]
        if kind == "while":
            return ["while choose():", *self.block(down, True), *self.maybe("else:", down, looping)]
        if kind == "forever":
            return ["while True:", "  act()", *self.block(down, True)]
        if kind == "for":
            source = f"keep(({self.number()}, {self.number()}))"
            return [f"for {name} in {source}:", *self.block(down, True), *self.maybe("else:", down, looping)]
        tried = ["try:", "  act()", *self.block(down, looping)]
        if kind == "final":
            return [*tried, "finally:", *self.block(down, looping)]
        held = name if self.unbinding else "z"
        if self.loops:
            caught = self.draw(st.sampled_from(["ValueError", f"ValueError as {held}", "(ValueError, KeyError)", "LookupError", ""]))
            second = "KeyError" if caught else ""
        else:  # no class twice: what one handler lets by another does not take
            named = self.draw(st.booleans())
            caught = self.classes.pop() + " as z" * named if self.classes else ""
            second = self.classes.pop() if bool(self.classes) and self.draw(st.booleans()) else ""
        tried += [f"except {caught}:", *self.block(down, looping)]
        if second:
            tried += [f"except {second}:", *self.block(down, looping)]
        return [*tried, *self.maybe("else:", down, looping), *self.maybe("finally:", down, looping)]

    def case(self, depth: int, looping: bool) -> list[str]:
        return [f"  {line}" for line in self.block(depth, looping)]

    def maybe(self, head: str, depth: int, looping: bool) -> list[str]:
        return [head, *self.block(depth, looping)] if self.draw(st.booleans()) else []


@st.composite
def programs(draw: st.DrawFn, loops: bool, unbinding: bool = False) -> str:
    writer = Writer(draw, loops, unbinding)
    lines = [f"  {name} = {number}" for number, name in enumerate(NAMES)]
    return "\n".join(["def program():", *lines, *writer.block(0, False), *(f"  use({writer.number()}, {n})" for n in NAMES)]) + "\n"


def predicted(source: str) -> dict[int, set[Any]]:
    """For each use, the constants (or "Handler") that may be in the name, and whether it may be unbound ("?")."""
    facts = body(source)
    graph = graph_of(facts)
    out: dict[int, set[Any]] = {}
    for row in f.walk(*facts.body):
        if isinstance(row, f.Call) and f.dotted(row.func) == "use":
            number, name = row.args[0].value, row.args[1].value
            assert isinstance(number, f.Const) and isinstance(name, f.Name)
            assert isinstance(number.value, int)
            values: set[Any] = set()
            for definition in graph.reaching(name).definitions:
                found = [r.value for r in f.walk(definition.value) if isinstance(r, f.Const)] if definition.value is not None else []
                values.update(found or [type(definition.row).__name__])
            out[number.value] = values
    return out


def observed(seen: list[tuple[int, Any]]) -> set[tuple[int, Any]]:
    return {(n, "Handler" if isinstance(v, Exception) else "Case" if isinstance(v, bool) else v) for n, v in seen}


@settings(deadline=None, max_examples=150)
@given(programs(loops=True, unbinding=True), st.lists(st.lists(st.integers(0, 3), max_size=40), min_size=1, max_size=20))
def test_every_definition_seen_at_run_time_is_predicted(source: str, scripts: list[list[int]]) -> None:
    expected = predicted(source)
    for script in scripts:
        tracer = Tracer(Ways(script, 60))
        tracer.run(source)
        for number, value in observed(tracer.seen):
            assert value in expected[number], f"use {number} saw {value}\n{source}"


def numbered(facts: f.FunctionFacts) -> dict[int, f.Call]:
    """The calls `use(number, name)` by number."""
    out: dict[int, f.Call] = {}
    for row in f.walk(*facts.body):
        if isinstance(row, f.Call) and f.dotted(row.func) == "use" and isinstance(row.args[0].value, f.Const):
            out[int(row.args[0].value.value or 0)] = row
    return out


def claims(graph: Graph, calls: dict[int, f.Call]) -> dict[str, set[tuple[int, int]]]:
    """What the graph says of every pair of uses, and of the pairs with a third (the first) between."""
    pairs = [(a, b) for a in calls for b in calls]
    third = min(calls)
    return {
        "reaches": {(a, b) for a, b in pairs if graph.reaches(calls[a], calls[b])},
        "around": {(a, b) for a, b in pairs if graph.reaches(calls[a], calls[b], avoiding=[calls[third]])},
        "undominated": {(a, b) for a, b in pairs if a != b and not graph.dominated(calls[b], by=[calls[a]])},
        "unfollowed": {(a, b) for a, b in pairs if not graph.always_followed(calls[a], by=[calls[b]])},
        "lost": {(a, b) for a, b in pairs if not graph.always_followed(calls[a], by=[calls[b]], exceptional=True)},
    }


def shown(tracer: Tracer, calls: dict[int, f.Call]) -> dict[str, set[tuple[int, int]]]:
    """The same, of one run."""
    pairs = [(a, b) for a in calls for b in calls]
    passed = tracer.passed
    begun = {a: passed.index(a) for a in calls if a in passed}
    ended = {a: len(passed) - 1 - passed[::-1].index(-a) for a in calls if -a in passed}
    lost = {(a, b) for a, b in pairs if a in ended and b not in passed[ended[a] :]}
    return {
        "reaches": {(a, b) for a, b in pairs if tracer.follows(a, b)},
        "around": {(a, b) for a, b in pairs if tracer.follows(a, b, min(calls))},
        "undominated": {(a, b) for a, b in pairs if b in begun and a != b and begun.get(a, len(passed)) > begun[b]},
        "unfollowed": lost if tracer.left != "raise" else set(),
        "lost": lost,
    }


@settings(deadline=None, max_examples=150)
@given(programs(loops=True), st.lists(st.lists(st.integers(0, 3), max_size=40), min_size=1, max_size=20))
def test_every_way_taken_at_run_time_is_known(source: str, scripts: list[list[int]]) -> None:
    facts = body(source)
    graph, calls = graph_of(facts), numbered(facts)
    expected = claims(graph, calls)
    for script in scripts:
        tracer = Tracer(Ways(script, 60))
        tracer.run(source)
        for claim, pairs in shown(tracer, calls).items():
            assert pairs <= expected[claim], f"{claim}\n{source}"
        assert tracer.left in graph.exits(exceptional=True), source


def every_run(source: str) -> Iterator[Tracer]:
    """The program on all of its ways; Hypothesis is told to look for another when they are too many."""
    script: list[int] = []
    for _ in range(3000):
        tracer = Tracer(Ways(script, 1000))
        tracer.run(source)
        yield tracer
        taken, widths = tracer.ways.taken, tracer.ways.widths
        while taken and taken[-1] == widths[len(taken) - 1] - 1:
            taken.pop()
        if not taken:
            return
        script = [*taken[:-1], taken[-1] + 1]
    reject()


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(programs(loops=False))
def test_nothing_is_predicted_that_is_seen_on_no_way(source: str) -> None:
    facts = body(source)
    graph, calls = graph_of(facts), numbered(facts)
    met: set[tuple[int, Any]] = set()
    left: set[str] = set()
    ways: dict[str, set[tuple[int, int]]] = {}
    for tracer in every_run(source):
        met |= observed(tracer.seen)
        left.add(tracer.left)
        for claim, pairs in shown(tracer, calls).items():
            ways.setdefault(claim, set()).update(pairs)
    assert met == {(number, value) for number, values in predicted(source).items() for value in values}, source
    assert left == graph.exits(exceptional=True), source
    for claim, pairs in claims(graph, calls).items():
        assert ways[claim] == pairs, f"{claim}\n{source}"
