"""Control flow and reaching definitions: stated cases, and random programs against what CPython does with them."""

from __future__ import annotations

from mplint import facts as f
from mplint.extract import parse_page, steps_of
from mplint.outline import Page
from mplint.project.flow import Graph, graph_of


def body(source: str) -> f.FunctionFacts:
    """The code of a module, lowered as one page."""
    lines = source.splitlines(keepends=True)
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
    check("x = 0\nwith open(f) as x:\n  g()\nuse(x)\n", {"With"})


def test_expressions() -> None:
    check("x = 0\nif (x := f()) and (y := use(x)):\n  use(x)\n", {"Bind"}, {"Bind"})
    check("x = 0\na and (x := f())\nuse(x)\n", {0, "Bind"})
    check("x = 0\nz = [use(x) for x in use(x)]\nuse(x)\n", {"Clause"}, {0}, {0})
    check("x = 0\nx, use(x).a = 1, 2\n", {"Assign"})


def test_match() -> None:
    check("match v:\n  case [x, 1]:\n    use(x)\n  case _:\n    x = 2\nuse(x)\n", {"Case"}, {"Case", 2})
    check("x = 0\nmatch v:\n  case 1:\n    x = 1\nuse(x)\n", {0, 1})
