"""Line edits at many places of real code: CPython sees the same program, but for what the edit is."""

from __future__ import annotations

import ast
import sysconfig
import warnings
from collections.abc import Callable
from pathlib import Path

import libcst as cst
import pytest

from mplint import extract, facts
from mplint.facts.outline import outline_of
from mplint.finding import Alarm, Site
from mplint.fixes.edits import applied
from mplint.fixes.repair import Repair, Unrepairable
from mplint.fixes.tree import Tree
from mplint.source import decode

STDLIB = Path(sysconfig.get_paths()["stdlib"])
FILES = ["multiprocessing/pool.py", "asyncio/queues.py", "textwrap.py", "tokenize.py", "codeop.py"]
MARK = "MARK_"


class Unmark(ast.NodeTransformer):
    """Takes statements that name the mark out of a program, an `if MARK_:` leaving its body; `count` tells how many there were."""

    def __init__(self) -> None:
        self.count = 0

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                out: list[ast.AST] = []
                for item in block:
                    named = [n for n in ast.iter_child_nodes(item) if isinstance(n, ast.Name) and n.id == MARK]
                    self.count += bool(named)
                    out += [] if named and not isinstance(item, ast.If) else item.body if named and isinstance(item, ast.If) else [item]
                setattr(node, field, out)
        return node


def before(repair: Repair, statement: cst.CSTNode) -> None:
    repair.insert_before(statement, MARK)


def after(repair: Repair, statement: cst.CSTNode) -> None:
    repair.insert_after(statement, MARK)


def wrapped(repair: Repair, statement: cst.CSTNode) -> None:
    repair.wrap([statement], f"if {MARK}:")


def twice(repair: Repair, statement: cst.CSTNode) -> None:
    block = repair.block_of(statement)
    repair.wrap(block[-2:], f"if {MARK}:")
    repair.insert_before(block[0], MARK)


ACTS: list[Callable[[Repair, cst.CSTNode], None]] = [before, after, wrapped, twice]


@pytest.mark.parametrize("name", [name for name in FILES if (STDLIB / name).exists()])
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_lines_go_where_they_should(name: str, act: Callable[[Repair, cst.CSTNode], None]) -> None:
    warnings.simplefilter("ignore")
    source = decode(name, (STDLIB / name).read_bytes())
    outline = outline_of(source.text)
    tree = Tree(source, outline)
    meant = ast.dump(ast.parse(source.text))
    done = 0
    for number, page in list(enumerate(outline.pages))[:: 1 + len(outline.pages) // 9]:
        try:
            module, _ = extract.parse_page(source.lines, page)
        except extract.Unreadable:
            continue
        rows = [row for row in facts.walk(*extract.steps_of(module, page, number), into_functions=True) if isinstance(row, facts.Call)]
        for row in rows[:: 1 + len(rows) // 3]:
            repair = Repair(tree, Alarm("XX001", Site(name, row.at), ""))
            assert isinstance(repair.site, cst.Call)
            statement = repair.statement_of(repair.site)
            if isinstance(repair.parent(statement), cst.If) and isinstance(statement, cst.If):
                continue  # an elif
            try:
                act(repair, statement)
                edits = repair.edits()
            except Unrepairable:
                assert act is twice or repair.tree.suite(statement) is not None
                continue
            text = applied(source.text, edits)
            unmark = Unmark()
            assert ast.dump(unmark.visit(ast.parse(text))) == meant, text[max(edits[0].span.start - 200, 0) : edits[-1].span.stop + 200]
            assert unmark.count == (2 if act is twice else 1)
            kept = [line for line in source.text.split("\n") if "#" in line]
            assert [line.strip() for line in kept] == [line.strip() for line in text.split("\n") if "#" in line]
            done += 1
    assert done > (0 if act is twice else 1)  # most of a small file may not be wrapped
