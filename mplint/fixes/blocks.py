"""Edits of statements: lines put before, behind, around and in place of them, in the style and at the margin of their block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

import libcst as cst

from mplint.finding import Span
from mplint.fixes.edits import Draft, Unrepairable
from mplint.fixes.tree import Tree

Statement = Union[cst.BaseSmallStatement, cst.BaseCompoundStatement]

_CLAUSES = (cst.ExceptHandler, cst.ExceptStarHandler, cst.MatchCase, cst.Else, cst.Finally)


class Blocks:
    """Statement edits of one repair of `tree`, added to `draft`.

    A small statement is a member of a line or of a one-line suite (`if x: f()`); a suite is opened, that is put on lines of its
    own, before anything is added to it.
    """

    def __init__(self, tree: Tree, draft: Draft) -> None:
        self.tree = tree
        self.draft = draft
        self._opened: set[cst.CSTNode] = set()
        self._wrapped: list[Span] = []
        self._inserted: list[int] = []

    def block_of(self, statement: cst.CSTNode) -> list[Statement]:
        """The statements of the block that holds `statement`, itself included."""
        line = self.tree.suite(statement) or statement
        block = line if isinstance(line, cst.SimpleStatementSuite) else self.tree.parents.get(line)
        body = self.tree.statements() if isinstance(block, cst.Module) else getattr(block, "body", ())
        return [item for member in body for item in _members(member)]

    def insert_before(self, node: cst.CSTNode, lines: str) -> None:
        node = self._anchor(node, 0)
        suite = self.tree.suite(node)
        if suite is not None and node is not suite.body[0]:
            self._split(suite, _index(suite, node), lines)
        elif isinstance(suite, cst.SimpleStatementSuite):
            self._open(suite, lines)
        else:
            start = self.tree.span(node).start
            self._insert(self.tree.line_start(start), self._block(lines, self._margin(start)))

    def insert_after(self, node: cst.CSTNode, lines: str) -> None:
        node = self._anchor(node, -1)
        suite = self.tree.suite(node)
        if suite is not None and node is not suite.body[-1]:
            self._split(suite, _index(suite, node) + 1, lines)
            return
        if isinstance(suite, cst.SimpleStatementSuite):
            margin = self._open(suite)
        else:
            margin = self._margin(self.tree.span(suite.body[0] if suite is not None else node).start)
        self._insert(self.tree.end(node), self._block(lines, margin))

    def append(self, node: cst.CSTNode, lines: str) -> None:
        body = getattr(node, "body", None)
        if not isinstance(body, (cst.IndentedBlock, cst.SimpleStatementSuite)):
            raise Unrepairable("there is no block here")
        members = [item for member in body.body for item in _members(member)]
        last = members[-1]
        if len(members) == 1 and (isinstance(last, cst.Pass) or (isinstance(last, cst.Expr) and isinstance(last.value, cst.Ellipsis))):
            self.replace(last, lines)
            return
        if lines.lstrip().startswith(("def ", "async def ", "class ", "@")):
            lines = "\n" + lines.strip("\n")
        self.insert_after(last, lines)

    def replace(self, node: cst.CSTNode, lines: str) -> None:
        node = self._anchor(node, 0)
        suite = self.tree.suite(node)
        many = "\n" in lines.strip("\n")
        if many and suite is not None and len(suite.body) > 1:
            raise Unrepairable("several statements share a line")
        span = self.tree.span(node)
        margin = self._open(suite) if many and isinstance(suite, cst.SimpleStatementSuite) else self.tree.margin(span.start) or ""
        self.draft.put(span, self.tree.newline.join(self.tree.lines(lines, margin))[len(margin) :])

    def wrap(self, statements: Sequence[cst.CSTNode], header: str, footer: str) -> None:
        nodes = [self._anchor(item, 0) for statement in statements for item in _members(statement)]
        if not nodes:
            raise Unrepairable("there is nothing to wrap")
        block = self.block_of(nodes[0])
        first = block.index(nodes[0]) if nodes[0] in block else 0
        if block[first : first + len(nodes)] != nodes:
            raise Unrepairable("the statements are not neighbours")
        if any(set(suite.body) - set(nodes) for suite in map(self.tree.suite, nodes) if suite is not None):
            raise Unrepairable("several statements share a line")
        suite = self.tree.suite(nodes[0])
        if isinstance(suite, cst.SimpleStatementSuite):
            margin = self._open(suite, header, deeper=True)
        else:
            margin = self._margin(self.tree.span(nodes[0]).start)
            self._indent(Span(self.tree.line_start(self.tree.span(nodes[0]).start), self.tree.end(nodes[-1])), self._block(header, margin))
        if footer:
            self._insert(self.tree.end(nodes[-1]), self._block(footer, margin))

    def _indent(self, lines: Span, header: str) -> None:
        """Put `header` above some lines and set them one level deeper; blank lines and the insides of strings stay."""
        start = lines.start
        self.draft.insert(start, header)
        self._wrapped.append(lines)
        while start < lines.stop:
            after = self.tree.line_end(start)
            if self.tree.source.text[start:after].strip() and not self.tree.in_text(start):
                self.draft.insert(start, self.tree.unit)
            start = after

    def remove(self, node: cst.CSTNode) -> None:
        if isinstance(node, (cst.BaseSmallStatement, cst.BaseStatement)):
            self._remove_statement(self._anchor(node, 0))
        elif isinstance(node, (cst.Decorator, *_CLAUSES)):
            self.draft.put(Span(self.tree.line_start(self.tree.inner[node].start), self.tree.end(node)), "")
        elif hasattr(node, "comma"):
            self._remove_item(node)
        else:
            raise Unrepairable("this cannot be taken away")

    def _remove_statement(self, node: Any) -> None:
        suite, inner = self.tree.suite(node), self.tree.inner
        if len(self.block_of(node)) == 1 and not isinstance(self.tree.parents[suite or node], cst.Module):
            self.draft.put(self.tree.span(node), "pass")
        elif suite is None or len(suite.body) == 1:
            self.draft.put(self._with_blank_lines(Span(self.tree.line_start(self.tree.span(node).start), self.tree.end(node))), "")
        elif node is suite.body[0]:
            self.draft.put(Span(inner[node].start, inner[suite.body[1]].start), "")
        else:
            self.draft.put(Span(inner[suite.body[_index(suite, node) - 1]].stop, inner[node].stop), "")

    def _with_blank_lines(self, lines: Span) -> Span:
        """Lines that are to go, with the blank lines on one side of them where there are some on both: the greater number stays."""
        text, start, stop = self.tree.source.text, lines.start, lines.stop
        while start and not text[(above := self.tree.line_start(start - 1)) : start].strip():
            start = above
        while stop < len(text) and not text[stop : (below := self.tree.line_end(stop))].strip():
            stop = below
        if text.count(self.tree.newline, start, lines.start) <= text.count(self.tree.newline, lines.stop, stop):
            return Span(start, lines.stop)
        return Span(lines.start, stop)

    def _remove_item(self, node: cst.CSTNode) -> None:
        siblings = [item for item in self.tree.parents[node].children if hasattr(item, "comma")]
        index = siblings.index(node)
        span = self.tree.span(node)
        if index + 1 < len(siblings):
            self.draft.put(Span(span.start, self.tree.span(siblings[index + 1]).start), "")
        elif index:
            self.draft.put(Span(self.tree.span(siblings[index - 1]).stop, span.stop), "")
        else:
            self.draft.put(self.tree.outer[node], "")

    def check(self) -> None:
        """Raises Unrepairable when lines were put between lines that are set deeper."""
        if any(span.start <= offset < span.stop for offset in self._inserted for span in self._wrapped):
            raise Unrepairable("its edits collide")

    # -- lines

    def _anchor(self, node: cst.CSTNode, member: int) -> Any:
        """The node at whose line lines are added: a small statement, a compound one or a clause."""
        if isinstance(node, cst.SimpleStatementLine):
            return node.body[member]
        if isinstance(node, cst.If) and isinstance(self.tree.parents.get(node), cst.If):
            raise Unrepairable("an elif is no statement of its own")
        if isinstance(node, (cst.BaseSmallStatement, cst.BaseCompoundStatement, cst.Decorator, *_CLAUSES)):
            return node
        raise Unrepairable("this is no statement")

    def _margin(self, start: int) -> str:
        margin = self.tree.margin(start)
        if margin is None:
            raise Unrepairable("something else stands on the same line")
        return margin

    def _block(self, lines: str, margin: str) -> str:
        blank = self.tree.newline if lines.startswith("\n") else ""
        return blank + "".join(line + self.tree.newline for line in self.tree.lines(lines, margin))

    def _insert(self, offset: int, text: str) -> None:
        """Add whole lines before the line that begins at `offset`."""
        before = self.tree.source.text[:offset]
        if before and not before.endswith(("\n", "\r")):  # the file ends without a line end
            text = self.tree.newline + text.removesuffix(self.tree.newline)
        self.draft.insert(offset, text)
        self._inserted.append(offset)

    def _open(self, suite: cst.SimpleStatementSuite, lines: str = "", *, deeper: bool = False) -> str:
        """Put a one-line suite on lines of its own, `lines` before it; its margin."""
        gap, margin = self.tree.inside(suite)
        if suite in self._opened:
            if lines:
                raise Unrepairable("its edits collide")
            return margin
        self._opened.add(suite)
        above = self.tree.lines(lines, margin) if lines else []
        self.draft.put(gap, "".join(self.tree.newline + line for line in (*above, margin + (self.tree.unit if deeper else ""))))
        return margin

    def _split(self, suite: cst.SimpleStatementLine | cst.SimpleStatementSuite, index: int, lines: str) -> None:
        """Put lines before the small statement number `index` of a line or suite, which is not its first."""
        if isinstance(suite, cst.SimpleStatementSuite):
            margin = self._open(suite)
        else:
            margin = self._margin(self.tree.span(suite.body[0]).start)
        inner = self.tree.inner
        gap = Span(inner[suite.body[index - 1]].stop, inner[suite.body[index]].start)
        self.draft.put(gap, "".join(self.tree.newline + line for line in (*self.tree.lines(lines, margin), margin)))


def _members(node: Any) -> list[Any]:
    return list(node.body) if isinstance(node, cst.SimpleStatementLine) else [node]


def _index(suite: cst.SimpleStatementLine | cst.SimpleStatementSuite, node: cst.CSTNode) -> int:
    return next(index for index, item in enumerate(suite.body) if item is node)
