"""Extraction: the same numbers every time, nothing lost on the way, no source that brings it down."""

from __future__ import annotations

import ast
import inspect
import re
import sysconfig
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mplint.extract.expressions
import mplint.extract.steps
from mplint import extract, facts
from mplint.facts import outline
from mplint.source import Lines, decode

STDLIB = Path(sysconfig.get_paths()["stdlib"])
SAMPLE = [path for path in sorted(STDLIB.glob("*.py"))[::9] if path.stat().st_size < 80_000]
SAMPLE += [STDLIB / "multiprocessing" / "pool.py", STDLIB / "concurrent" / "futures" / "process.py", STDLIB / "asyncio" / "tasks.py"]


def pages(text: str) -> Iterator[tuple[outline.Page, tuple[facts.Step, ...], list[cst.CSTNode]]]:
    lines = Lines(text)
    for number, page in enumerate(outline.outline_of(text).pages):
        nodes: list[cst.CSTNode] = []
        module, _ = extract.parse_page(lines, page)
        yield page, extract.steps_of(module, page, number, nodes), nodes


def rows_of(text: str) -> list[facts.Row]:
    return [row for _, steps, _ in pages(text) for row in facts.walk(*steps, into_functions=True)]


def name_of(node: ast.expr) -> str:
    """The dotted name of a call's function, as facts spell it; "" when it is another expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: path.name)
def test_the_standard_library(path: Path) -> None:
    """Its calls, definitions, raises, handlers and names are those that CPython sees, and the facts survive being stored."""
    text = decode(str(path), path.read_bytes()).text
    steps = [step for _, members, _ in pages(text) for step in members]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(steps), type=list[facts.Step]) == steps
    rows = list(facts.walk(*steps, into_functions=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nodes = list(ast.walk(ast.parse(text)))
    calls = Counter((facts.dotted(row.func), tuple((a.keyword, a.star) for a in row.args)) for row in rows if isinstance(row, facts.Call))
    for node in nodes:
        if isinstance(node, ast.Call):
            starred = [("", "*" if isinstance(arg, ast.Starred) else "", arg) for arg in node.args]
            named = [(word.arg or "", "" if word.arg else "**", word.value) for word in node.keywords]
            ordered = sorted(starred + named, key=lambda item: (item[2].lineno, item[2].col_offset))
            key = name_of(node.func), tuple((keyword, star) for keyword, star, _ in ordered)
            calls[key] -= 1
    assert not {key: count for key, count in calls.items() if count}
    written = sorted((n for n in nodes if isinstance(n, ast.stmt)), key=lambda n: (n.lineno, n.col_offset))
    functions = [row.name for row in sorted(rows, key=lambda row: row.at) if isinstance(row, facts.FunctionFacts) and row.name != "<lambda>"]
    assert functions == [n.name for n in written if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    for kind, twin in (
        (facts.Raise, ast.Raise),
        (facts.Handler, ast.ExceptHandler),
        (facts.ClassFacts, ast.ClassDef),
        (facts.Return, ast.Return),
    ):
        lambdas = sum(isinstance(n, ast.Lambda) for n in nodes) if twin is ast.Return else 0
        assert sum(isinstance(row, kind) for row in rows) == sum(isinstance(n, twin) for n in nodes) + lambdas, kind


@pytest.mark.parametrize("path", SAMPLE[::4], ids=lambda path: path.name)
def test_numbers_are_the_same_when_walked_again(path: Path) -> None:
    text = decode(str(path), path.read_bytes()).text
    for (page, steps, nodes), (_, again, twins) in zip(pages(text), pages(text), strict=True):
        assert steps == again and [type(node) for node in nodes] == [type(node) for node in twins], page
        number = next((row.at >> facts.PAGE_BITS for row in steps), 0)
        for row in facts.walk(*steps, into_functions=True):
            assert row.at >> facts.PAGE_BITS == number and row.at - (number << facts.PAGE_BITS) < len(nodes)
            if isinstance(row, facts.Call):
                assert isinstance(nodes[row.at - (number << facts.PAGE_BITS)], cst.Call)


NAMES = st.sampled_from(["a", "b", "p.q", "f()"])
EXPRESSIONS = st.recursive(
    NAMES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"g({', '.join(items)})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} + {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"[{pair[0]} for x in {pair[1]} if h(x)]"),
        inner.map(lambda item: f"(lambda y: {item})"),
        inner.map(lambda item: f"f'{{{item}!r:>{{k()}}}}'" if "'" not in item else item),
        st.tuples(inner, inner, inner).map(lambda three: f"({three[0]} if {three[1]} else {three[2]})"),
    ),
    max_leaves=8,
)
BODIES = st.recursive(
    EXPRESSIONS.map(lambda code: [code]),
    lambda inner: st.one_of(
        inner.map(lambda body: ["def d():", *("    " + line for line in body)]),
        inner.map(lambda body: ["class C(e()):", *("    " + line for line in body)]),
        st.tuples(inner, inner).map(lambda two: ["if a:", *("  " + line for line in two[0]), "elif i(): j()", "else:", *("\t" + line for line in two[1])]),
        st.tuples(inner, inner).map(lambda two: [*two[0], *two[1]]),
        inner.map(lambda body: ["try:", *("    " + line for line in body), "except (r(), s) as t: u()", "finally: v(); w()"]),
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=150)
@given(BODIES, st.sampled_from(["\n", "\r\n", "\r"]))
def test_no_call_is_lost(body: list[str], end: str) -> None:
    text = end.join(body) + end
    expected = Counter(name_of(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    assert Counter(facts.dotted(row.func) for row in rows_of(text) if isinstance(row, facts.Call)) == expected


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("import a; a.f()\n", ["a.f"]),
        ("from a import (\n    b\n); b()\n", ["b"]),
        ("x = '''\n'''; f()\n", ["f"]),
        ("class A(\n    B): x = f()\n", ["f"]),
        ("class A(B\n): x = f()\n", ["f"]),
        ("class A:\n    '''x\n    '''; y = f()\n    z = g()\n", ["f", "g"]),
        ("class A: x = f(); y = g()\n", ["f", "g"]),
        ("class A:\n    class B: x = f()\n    def g(self): h()\n", ["f", "h"]),
        ("class A:\n\tdef f(self):\n\t\tg()\n", ["g"]),
        ("\fclass A:\n\f    def f(self):\n\f        g()\n", ["g"]),
        ("def f():\n    '''\n\f    '''\n    g()", ["g"]),
        ("if a:\r    f()\relse:\r    g()\r", ["f", "g"]),
        ("def f(): \\\n    g()\n", ["g"]),
        ("x = a() < b() < c() and d()\n", ["a", "b", "c", "d"]),
        ("@d\n# c\n@e()\n\n\nclass A:\n    # c\n    @f()\n    # c\n    def g(self): pass\n", ["e", "f"]),
        ("x = " + " + ".join(["f()"] * 400) + "\n", ["f"] * 400),
        ("x = a" + ".b()" * 400 + "\n", [""] * 399 + ["a.b"]),
        ("if a: pass\n" + "elif b: f()\n" * 300, ["f"] * 300),
    ],
)
def test_pages_of_odd_layout(text: str, calls: list[str]) -> None:
    assert [facts.dotted(row.func) for row in sorted(rows_of(text), key=lambda row: row.at) if isinstance(row, facts.Call)] == calls


@pytest.mark.parametrize("text", ["x = [*f(y) for y in g()]", "x = {**f(y) for y in g()}", "lazy import f\nlazy from f import g\nf(g())"])
def test_syntax_that_only_libcst_reads(text: str) -> None:
    if re.search(r"lazy|\*\* ?f", text) and not hasattr(cst, "LazyImport"):
        pytest.skip("read from LibCST 1.9 on")
    lines = Lines(f"{text}\n")
    page = outline.Page(1, text.count("\n") + 1, "module")
    tree, _ = extract.parse_page(lines, page)
    assert {facts.dotted(row.func) for row in facts.walk(*extract.steps_of(tree, page, 0)) if isinstance(row, facts.Call)} == {"f", "g"}


def concrete(*bases: type) -> Iterator[str]:
    for base in bases:
        if not inspect.isabstract(base):
            yield base.__name__
        yield from concrete(*base.__subclasses__())


def test_every_statement_and_expression_of_libcst_is_known() -> None:
    assert set(concrete(cst.BaseSmallStatement, cst.BaseCompoundStatement)) <= {node.__name__ for node in mplint.extract.steps._STEPS}
    assert set(concrete(cst.BaseExpression)) <= {node.__name__ for node in mplint.extract.expressions._EXPRS}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("print 'x'\n", 1),
        ("x = 1\nexec 'x' in y\n", 2),
        ("x = rt''\nx = tr'' ''\ny = (\n", 0),
        ("x = 1 +\n", 1),
        ("def f():\n\tx\n        y\n", 0),
        ("".join(" " * depth + "if a:\n" for depth in range(150)) + " " * 150 + "f()\n", 0),
    ],
)
def test_what_cannot_be_read_is_said_so(text: str, line: int) -> None:
    lines = Lines(text)
    page = outline.Page(1, len(lines), "module")
    with pytest.raises(extract.Unreadable) as caught:
        module, _ = extract.parse_page(lines, page)
        extract.steps_of(module, page, 0)
    assert str(caught.value) and (not line or caught.value.line == line)


def test_an_error_in_a_page_has_its_place_in_the_file() -> None:
    lines = Lines("class A:\n    def f(self):\n        x = = 1\n")
    with pytest.raises(extract.Unreadable) as caught:
        extract.parse_page(lines, outline.Page(2, 3, "function", "A.f", indent=True))
    assert (caught.value.line, caught.value.column, str(caught.value)) == (3, 13, "invalid syntax")


def test_long_pages_are_read_on_a_large_stack() -> None:
    text = "x = " + " or ".join(["f()"] * 5000) + "\n"
    assert sum(isinstance(row, facts.Call) for row in rows_of(text)) == 5000
