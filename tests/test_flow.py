"""Control flow and reaching definitions: stated cases."""

from __future__ import annotations

import inspect
import sys

from mplint import facts as f
from mplint.extract import parse_page, steps_of
from mplint.facts.outline import Page
from mplint.project.flow import Ending, Graph, Leaving, graph_of
from mplint.source import Lines


def body(source: str) -> f.FunctionFacts:
    """The code of a module, lowered as one page."""
    lines = Lines(source)
    page = Page(1, len(lines), "module")
    module, _ = parse_page(lines, page)
    steps = steps_of(module, page, 0)
    if len(steps) == 1 and isinstance(steps[0], f.FunctionFacts):
        return steps[0]
    return f.FunctionFacts(0, "<module>", (), steps)


def uses(facts: f.FunctionFacts, name: str = "x") -> list[f.Name]:
    """The arguments of calls `use(name)`, in order."""
    calls = (r for r in f.walk(*facts.body) if isinstance(r, f.Call) and f.dotted(r.func) == "use")
    return [a.value for c in calls for a in c.args if isinstance(a.value, f.Name) and a.value.id == name]


def seen(graph: Graph, name: f.Name) -> set[object]:
    """The constants assigned by the definitions that reach a name; rows of other kinds by their type; "?" when it may be unbound."""
    found = graph.reaching(name)
    out: set[object] = {d.value.value if isinstance(d.value, f.Const) else type(d.row).__name__ for d in found.definitions}
    return out | ({"?"} if found.unbound else set())


def check(source: str, *expected: set[object]) -> None:
    facts = body(source)
    graph = graph_of(facts)
    assert [seen(graph, name) for name in uses(facts)] == list(expected)


def test_straight() -> None:
    check("x = 1\nuse(x)\nx = 2\nuse(x)\ndel x\nuse(x)\n", {1}, {2}, {"Delete", "?"})


def test_branches() -> None:
    check("if a:\n  x = 1\nelif b:\n  x = 2\nuse(x)\n", {1, 2, "?"})
    check("if a:\n  x = 1\nelse:\n  raise E\nuse(x)\n", {1})
    check("def g(x):\n  if a:\n    x = 1\n    use(x)\n  use(x)\n", {1}, {1, "Param"})


def test_loops() -> None:
    check("x = 0\nfor i in y:\n  use(x)\n  x = 1\nelse:\n  use(x)\nuse(x)\n", {0, 1}, {0, 1}, {0, 1})
    check("while True:\n  x = 1\n  if a: break\n  x = 2\nuse(x)\n", {1})
    check("for x in y:\n  use(x)\nuse(x)\n", {"For"}, {"For", "?"})


def test_exceptions() -> None:
    check("x = 0\ntry:\n  x = f()\n  g()\nexcept E as e:\n  use(x)\nelse:\n  use(x)\nuse(x)\n", {0, "Assign"}, {"Assign"}, {0, "Assign"})
    check("x = 0\ntry:\n  x = f()\nexcept E:\n  use(x)\n", {0})
    check("def g():\n  x = 0\n  try:\n    f()\n    x = 1\n    return x\n  finally:\n    use(x)\n", {0, 1})
    check("x = 0\ntry:\n  f()\n  x = 1\nfinally:\n  pass\nuse(x)\n", {1})
    check("try:\n  f()\nexcept E as x:\n  use(x)\nuse(x)\n", {"Handler"}, {"?"})
    check("import contextlib\nx = 0\nwith contextlib.suppress(E):\n  f()\n  x = 1\nuse(x)\n", {0, 1})
    check("x = 0\ntry:\n  x = y.a = f()\nexcept E:\n  use(x)\n", {0, "Assign"})
    check("try:\n  f()\nexcept Exception:\n  x = 1\nexcept ValueError:\n  x = 2\nelse:\n  raise E\nuse(x)\n", {1})
    check("x = 0\nwith open(f) as x:\n  g()\nuse(x)\n", {"With"})


def test_expressions() -> None:
    check("x = 0\nif (x := f()) and (y := use(x)):\n  use(x)\n", {"Bind"}, {"Bind"})
    check("x = 0\na and (x := f())\nuse(x)\n", {0, "Bind"})
    check("x = 0\nz = [use(x) for x in use(x)]\nuse(x)\n", {"Clause"}, {0}, {0})
    check("x = 0\nx, use(x).a = 1, 2\n", {"Assign"})


def test_match() -> None:
    check("match v:\n  case [x, 1]:\n    use(x)\n  case _:\n    x = 2\nuse(x)\n", {"Case"}, {"Case", 2})
    check("x = 0\nmatch v:\n  case 1:\n    x = 1\nuse(x)\n", {0, 1})


def test_scopes() -> None:
    facts = body("def g(x, y=1):\n  global z\n  z = 1\n  def h():\n    nonlocal x\n    x = 2\n  use(x)\n  use(z, w)\n")
    graph = graph_of(facts)
    names = {r.id: graph.reaching(r) for r in f.walk(*facts.body) if isinstance(r, f.Name)}
    assert names["x"].elsewhere and names["x"].scope == "local" and not names["x"].unbound
    assert names["z"].scope == "global" and [type(d.row) for d in names["z"].definitions] == [f.Assign]
    assert names["w"].scope == "free"
    assert [graph.definitions(n) for n in uses(facts, "w") + uses(facts, "z")] == [None, None]
    assert [d.row for d in graph.all_definitions("y")] == [facts.params[1]]


def test_paths_into_displays() -> None:
    facts = body("a, (b, *c, d), e.f = g\nfor i, j in k:\n  use(a, b, c, d, j)\n")
    graph = graph_of(facts)
    last = {r.id: r for r in f.walk(*facts.body) if isinstance(r, f.Name)}
    assert {n: graph.reaching(last[n]).definitions[0].path for n in "abcdj"} == {"a": (0,), "b": (1, 0), "c": (1, None), "d": (1, -1), "j": (1,)}


def calls(facts: f.FunctionFacts) -> dict[str, f.Call]:
    """The calls without arguments, by dotted name."""
    return {f.dotted(r.func): r for r in f.walk(*facts.body) if isinstance(r, f.Call) and not r.args}


def ending(call: f.Call) -> Ending:
    names: dict[str, Ending] = {"sys.exit": "raise", "os._exit": "stop"}
    return names.get(f.dotted(call.func), "")


def test_order() -> None:
    facts = body("a()\nif t():\n  b()\nelse:\n  c()\nd(), e()\nwhile True:\n  w()\n")
    graph, at = graph_of(facts), calls(facts)
    assert graph.reaches(at["a"], at["d"], avoiding=[at["b"]])
    assert not graph.reaches(at["a"], at["d"], avoiding=[at["b"], at["c"]])
    assert not graph.reaches(at["b"], at["c"]) and graph.reaches(at["w"], at["w"])
    assert graph.reaches(at["d"], at["e"]) and not graph.reaches(at["e"], at["d"])
    assert graph.dominated(at["d"], by=[at["b"], at["c"]]) and not graph.dominated(at["d"], by=[at["b"]])
    assert graph.exits() == set() and graph.exits(exceptional=True) == {"raise"}


def test_sometimes() -> None:
    facts = body("x and a()\ny = b() if c() else d()\n[e() for _ in f()]\ng()\n")
    graph, at = graph_of(facts), calls(facts)
    assert [n for n in at if graph.is_conditional(at[n])] == ["a", "b", "d", "e"]
    assert not graph.dominated(at["g"], by=[at["a"]]) and graph.dominated(at["g"], by=[at["c"]])
    assert [(b.test, b.holds) for b in graph.branch_conditions(at["d"])] == [(at["c"], False)]
    assert graph.reaches(at["e"], at["e"])


def test_every_way_out() -> None:
    facts = body("def g():\n  p = a()\n  try:\n    b()\n    return c()\n  except E:\n    d()\n  finally:\n    z()\n  e()\n")
    graph, at = graph_of(facts), calls(facts)
    assert graph.always_followed(at["a"], by=[at["z"]], exceptional=True)
    assert not graph.always_followed(at["a"], by=[at["c"]])
    assert graph.always_followed(at["d"], by=[at["e"]]) and not graph.always_followed(at["d"], by=[at["e"]], exceptional=True)
    assert not graph.reaches(at["c"], at["e"], avoiding=[at["d"]])
    assert len(graph.nodes_of(at["z"])) == 3
    assert graph.exits() == {"return", "fall"} and graph.exits(avoiding=[at["d"]]) == {"return"}


def test_only_explicit_raises_leave_unless_asked() -> None:
    graph = graph_of(body("def g():\n  try:\n    raise A\n  except A:\n    f()\n"))
    assert graph.exits() == {"fall"} and graph.exits(exceptional=True) == {"fall", "raise"}


def test_leaving_a_with() -> None:
    facts = body("with a() as p, b():\n  if c():\n    raise E\n  d()\ne()\n")
    graph, at = graph_of(facts), calls(facts)
    step = facts.body[0]
    assert isinstance(step, f.With)
    assert graph.dominated(at["e"], by=[Leaving(step, 0)]) and graph.always_followed(at["a"], by=[Leaving(step)], exceptional=True)
    assert not graph.always_followed(at["a"], by=[Leaving(step, 1)], exceptional=True)  # b() may raise
    assert graph.reaches(Leaving(step), at["e"]) and not graph.reaches(Leaving(step), at["d"])
    assert [item for _, item in graph.withs_around(at["c"])] == [step.items[1], step.items[0]]
    assert [item for _, item in graph.withs_around(at["b"])] == [step.items[0]]


def test_ways_out_of_blocks() -> None:
    source = """
for x in y:
  try:
    a()
  except A:
    log()
    raise
  except B:
    sys.exit()
  except C:
    os._exit()
  except D:
    continue
  except E as e:
    if t():
      raise G from e
    return
  except H:
    try:
      b()
    except I:
      pass
    raise J
"""
    facts = body("def g():\n" + "".join(f"  {line}\n" for line in source.splitlines()))
    graph = graph_of(facts, ends=ending)
    handlers = [r for r in f.walk(*facts.body) if isinstance(r, f.Handler)]
    expected = [{"raise"}, {"raise"}, {"stop"}, {"continue"}, {"raise", "return"}, {"raise"}, {"fall"}]
    assert [graph.ways_out(h.body) for h in handlers] == expected
    assert [graph.can_fall_through(h.body) for h in handlers] == ["fall" in ways for ways in expected]
    at = calls(facts)
    assert [h.types for _, h in graph.handlers_around(at["a"])] == [h.types for h in handlers if f.dotted(h.types) != "I"]
    assert [p.part for p in graph.tries_around(at["b"])] == ["body", "handler"]
    assert not graph.reaches(at["os._exit"], at["a"]) and not graph.reaches(at["sys.exit"], at["a"])
    assert [type(r) for r in graph.loops_around(at["b"])] == [f.For]


def test_exit_goes_by_handlers_of_exception_only() -> None:
    facts = body("try:\n  sys.exit()\nexcept Exception:\n  a()\nexcept BaseException:\n  b()\nc()\n")
    graph, at = graph_of(facts, ends=ending), calls(facts)
    assert not graph.reaches(at["sys.exit"], at["a"]) and graph.reaches(at["sys.exit"], at["c"])


def test_conditions() -> None:
    facts = body("def g():\n  if a:\n    return\n  elif b:\n    raise E\n  while c:\n    if not d:\n      continue\n    h()\n  k()\n")
    graph, at = graph_of(facts), calls(facts)

    def tests(name: str) -> list[tuple[str, bool]]:
        return [(f.dotted(b.test) or "not d", b.holds) for b in graph.branch_conditions(at[name])]

    assert tests("h") == [("not d", False), ("c", True), ("b", False), ("a", False)]
    assert tests("k") == [("c", False), ("b", False), ("a", False)]


def test_deep_and_long_code_is_no_trouble() -> None:
    facts = body("def g(x):\n  if x == 0: pass\n" + "".join(f"  elif x == {i}:\n    use(x)\n" for i in range(400)) + "  use(" + "+".join("x" * 2000) + ")\n")
    graph = graph_of(facts)
    assert all(seen(graph, name) == {"Param"} for name in uses(facts))
    assert len(uses(facts)) == 400


def nested(levels: int, head: str, tail: str = "", indent: int = 1) -> str:
    """`levels` compound statements inside each other's `head` block, each with a `tail` of its own."""
    margin = " " * indent
    if not levels:
        return f"{margin}use(x)\n"
    return f"{margin}{head}\n{nested(levels - 1, head, tail, indent + 1)}" + (f"{margin}{tail}\n" if tail else "")


def test_nesting_is_no_trouble() -> None:
    for source in (nested(95, "if use(x):"), nested(18, "with use(x):"), nested(18, "try:", "finally: use(x)")):
        facts = body("def g(x):\n" + source)
        assert all(seen(graph_of(facts), name) == {"Param"} for name in uses(facts))
    facts = body("def g(x):\n" + nested(18, "try: f()\n{}finally:").format(*(" " * i for i in range(1, 19))))
    graph = graph_of(facts)
    assert len(graph.nodes) < 2_000 and [seen(graph, name) for name in uses(facts)] == [{"Param"}]


def from_below(facts: f.FunctionFacts, depth: int) -> Graph:
    return graph_of(facts) if depth == 0 else from_below(facts, depth - 1)


def test_nested_code_met_deep_inside_a_computation() -> None:
    facts = body("def g(x):\n" + nested(95, "if use(x):"))
    assert len(from_below(facts, sys.getrecursionlimit() - len(inspect.stack()) - 100).nodes) > 95
