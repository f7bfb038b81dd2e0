"""Node numbers lead back to their place in the file."""

from __future__ import annotations

import ast
import sys
import sysconfig
from pathlib import Path

import pytest

from mplint import extract, facts
from mplint.facts import outline
from mplint.finding import Span, spans
from mplint.source import Source, decode, lines_of

STDLIB = Path(sysconfig.get_paths()["stdlib"])


def rows_of(source: Source, contents: outline.Outline) -> list[facts.Row]:
    rows: list[facts.Row] = []
    for number, page in enumerate(contents.pages):
        module, _ = extract.parse_page(source.lines, page)
        rows.extend(facts.walk(*extract.steps_of(module, page, number), into_functions=True))
    return rows


def places(text: str, kind: type[facts.Row]) -> list[tuple[str, tuple[int, int], tuple[int, int], int]]:
    """For each row of `kind`: what its span covers, where it starts, where it ends, and its suppression row."""
    source = decode("x.py", text.encode())
    contents = outline.outline_of(text)
    rows = [row for row in rows_of(source, contents) if type(row) is kind]
    found = spans.resolve(source, contents, [row.at for row in rows])
    out = []
    for row in rows:
        at = found[row.at]
        out.append((text[at.span.start : at.span.stop], (at.row, at.column), (at.end_row, at.end_column), at.noqa_row))
    return out


def test_calls() -> None:
    text = "import a\nx = 1\n\n\ndef f(b):\n    return g(\n        (b),\n    )  # done\n"
    assert places(text, facts.Call) == [("g(\n        (b),\n    )", (6, 12), (8, 6), 8)]


def test_parentheses_of_a_call_are_not_part_of_it() -> None:
    assert places("x = (  # why\n    f()\n)\n", facts.Call) == [("f()", (2, 5), (2, 8), 3)]


def test_methods_stand_behind_a_margin() -> None:
    text = "class A(B):\n    '''doc'''\n\n    @deco(1)\n    def f(self, x=g(\n    )):\n        h()\n"
    assert places(text, facts.FunctionFacts) == [("f", (5, 9), (5, 10), 6)]
    expected = [("deco(1)", (4, 6), (4, 13), 4), ("g(\n    )", (5, 19), (6, 6), 6), ("h()", (7, 9), (7, 12), 7)]
    assert sorted(places(text, facts.Call), key=lambda place: place[1]) == expected


def test_class_heads_are_closed() -> None:
    text = "@deco\nclass A(\n    B,\n    metaclass=M(),\n):\n    # nothing yet\n    def f(self): pass\n    class C(D): x = E()\n"
    assert places(text, facts.ClassFacts) == [("A", (2, 7), (2, 8), 5), ("C", (8, 11), (8, 12), 8)]
    assert places(text, facts.Call) == [("M()", (4, 15), (4, 18), 5), ("E()", (8, 21), (8, 24), 8)]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (
            facts.If,
            "if a(\n):  # x\n    b\nelif c: d()\nelse:\n    e()\n",
            [("if a(\n):", (1, 1), (2, 3), 2), ("elif c:", (4, 1), (4, 8), 4)],
        ),
        (facts.While, "while a:\n    b()\n", [("while a:", (1, 1), (1, 9), 1)]),
        (facts.For, "for a in b: c()\n", [("for a in b:", (1, 1), (1, 12), 1)]),
        (facts.With, "def f():\n    with a as b, \\\n        c:\n        d\n", [("with a as b, \\\n        c:", (2, 5), (3, 11), 3)]),
        (facts.Try, "try:\n    a\nfinally:\n    b\n", [("try:", (1, 1), (1, 5), 1)]),
        (facts.Handler, "try:\n    a\nexcept (B,\n        C) as d:\n    e\n", [("except (B,\n        C) as d:", (3, 1), (4, 17), 4)]),
        (facts.Match, "match a:\n    case b: pass\n", [("match a:", (1, 1), (1, 9), 1)]),
        (facts.Case, "match a:\n    case b: pass\n", [("case b:", (2, 5), (2, 12), 2)]),
        (facts.Raise, "if a: raise b; c\n", [("raise b", (1, 7), (1, 14), 1)]),
    ],
)
def test_statements(kind: type[facts.Row], text: str, expected: list[object]) -> None:
    assert places(text, kind) == expected


def test_suppression_row_is_that_of_the_statement() -> None:
    text = "if a: f(); x = '''\n''' + g()\nh(lambda: (\n  i()))\n"
    assert [(code, row) for code, *_, row in places(text, facts.Call)] == [("f()", 2), ("g()", 2), ("h(lambda: (\n  i()))", 4), ("i()", 4)]


def test_statements_that_share_a_line() -> None:
    assert places("import a; a.f()\n", facts.Call) == [("a.f()", (1, 11), (1, 16), 1)]
    assert places("from a import (\n    b\n); b()\n", facts.Call) == [("b()", (3, 4), (3, 7), 3)]
    assert places("class A:\n    '''x\n    '''; y = f()\n", facts.Call) == [("f()", (3, 14), (3, 17), 3)]
    assert places("class A(\n    B): y = f()\n", facts.Call) == [("f()", (2, 13), (2, 16), 2)]


def test_columns_count_characters() -> None:
    assert places("x = 'é\U0001f600'; f()\n", facts.Call) == [("f()", (1, 11), (1, 14), 1)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    text = end.join(["x = 1", "", "class A:", "\tdef f(self):", "\t\tif x:", "\t\t\treturn g(", "\t\t\t\t1)", ""])
    assert places(text, facts.Call) == [(f"g({end}\t\t\t\t1)", (6, 11), (7, 7), 7)]


@pytest.mark.parametrize("text", ["\fdef f():\n    g()\n", "\f\nx = 1\n\f\ndef f():\n\f    g()\n", "class A:\n    def f():\n\f        g()\n"])
def test_form_feeds(text: str) -> None:
    [(code, start, *_)] = places(text, facts.Call)
    line = lines_of(text)[start[0] - 1]
    assert code == "g()" and line[start[1] - 1 :] == "g()\n"


def test_a_file_that_ends_without_a_newline() -> None:
    assert places("def f():\n    g()", facts.Call) == [("g()", (2, 5), (2, 8), 2)]


def test_a_module_page() -> None:
    text = "x = 1\nf(\n2)\n"
    source = decode("x.py", text.encode())
    contents = outline.Outline((outline.Page(1, 3, "module"),), (), {}, {}, {})
    [call] = [row for row in rows_of(source, contents) if isinstance(row, facts.Call)]
    assert spans.resolve(source, contents, [call.at])[call.at] == spans.Position(Span(6, 11), 2, 1, 3, 3, 3)


def test_unknown_numbers() -> None:
    source = decode("x.py", b"x = 1\n")
    contents = outline.outline_of(source.text)
    assert spans.resolve(source, contents, [-1])[-1] == spans.Position(Span(0, 0), 1, 1, 1, 1, 1)
    with pytest.raises(LookupError):
        spans.resolve(source, contents, [999])


@pytest.mark.parametrize("name", ["multiprocessing/pool.py", "argparse.py", "asyncio/base_events.py", "typing.py", "dataclasses.py"])
def test_positions_are_those_of_ast(name: str) -> None:
    """Every call, definition, raise and handler stands where CPython says."""
    source = decode(name, (STDLIB / name).read_bytes())
    contents = outline.outline_of(source.text)
    wanted = (facts.Call, facts.FunctionFacts, facts.Raise, facts.Handler, facts.Assign)
    rows = [row for row in rows_of(source, contents) if type(row) in wanted and getattr(row, "name", "") != "<lambda>"]
    found = spans.resolve(source, contents, [row.at for row in rows])
    mine = sorted((type(row).__name__, at.row, at.column) for row in rows for at in [found[row.at]] if not isinstance(row, facts.FunctionFacts))
    kinds = {ast.Call: "Call", ast.Raise: "Raise", ast.ExceptHandler: "Handler", ast.Assign: "Assign", ast.AnnAssign: "Assign"}
    if sys.version_info >= (3, 12):
        kinds[ast.TypeAlias] = "Assign"
    tree = ast.parse(source.text)
    quoted = [node for node in ast.walk(tree) if type(node) in kinds]
    assert mine == sorted((kinds[type(node)], node.lineno, node.col_offset + 1) for node in quoted)  # type: ignore[attr-defined]
    for row in rows:
        if isinstance(row, facts.FunctionFacts):
            span = found[row.at].span
            assert source.text[span.start : span.stop] == row.name


def test_a_page_that_nests_too_deeply_to_be_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def overflowing(module: object) -> None:
        raise RecursionError

    monkeypatch.setattr(spans, "Layout", overflowing)
    assert places("x = 1\ny = f()\n", facts.Call) == [("", (2, 1), (2, 1), 2)]
