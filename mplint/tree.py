"""A module, or a part of it, as LibCST reads it, with the geometry that text edits need: lines, margins, one-line suites, strings over several lines."""

from __future__ import annotations

import bisect
import re
from typing import Union

import libcst as cst

from mplint import extract, spans
from mplint.edits import NeedsWhole, Unrepairable
from mplint.facts import PAGE_BITS
from mplint.finding import Span
from mplint.outline import Outline, Page
from mplint.source import Source, lines_of

Statement = Union[cst.BaseSmallStatement, cst.SimpleStatementLine, cst.BaseCompoundStatement]

_TEXTS = (cst.SimpleString, cst.FormattedString, cst.TemplatedString)
_INDENT = re.compile(r"^(?:    )+")


class Tree:
    """Lines `first` to `last` of `source`, all by default; offsets are those of the file.

    The lines are whole statements of the module level.  Raises Unrepairable when LibCST cannot read them, or would not write them back
    byte for byte.
    """

    def __init__(self, source: Source, first: int = 1, last: int = 0) -> None:
        self.source = source
        last = last or len(source.lines)
        self.whole = first <= 1 and last >= len(source.lines)
        base = source.starts[first - 1] if source.starts else 0
        try:
            self.module, _ = extract.parse_page(source.lines, Page(first, last, "module"))
            self.layout = spans.Layout(self.module, base)
        except (extract.Unreadable, RecursionError) as error:
            raise Unrepairable(f"LibCST cannot read the file: {error}") from None
        if self.layout.text != "".join(source.lines[first - 1 : last]):
            raise Unrepairable("LibCST does not write the file as it is")
        self.unit = self.module.default_indent
        self.newline = source.newline
        self._texts = sorted(span for node, span in self.layout.inner.items() if isinstance(node, _TEXTS) and self._lines_in(span))

    def _lines_in(self, span: Span) -> bool:
        text = self.source.text
        return text.find("\n", span.start, span.stop) >= 0 or text.find("\r", span.start, span.stop) >= 0

    def nodes(self, outline: Outline, ats: list[int]) -> dict[int, cst.CSTNode]:
        """The nodes of this tree that have the numbers `ats` in the walks of their pages.

        Raises LookupError, extract.Unreadable, and NeedsWhole when a page is outside this part of the file.
        """
        pages: dict[int, list[int]] = {}
        for at in ats:
            pages.setdefault(at >> PAGE_BITS, []).append(at)
        wanted: dict[int, tuple[type[cst.CSTNode], Span]] = {}
        for number, members in pages.items():
            page = outline.pages[number]
            if (
                not self.whole
                and not self.layout.outer[self.module].start <= self.source.starts[page.first - 1] < self.layout.outer[self.module].stop
            ):
                raise NeedsWhole
            nodes, layout, place = spans.page_layout(self.source, page, number)
            for at in members:
                node = nodes[at - (number << PAGE_BITS)]
                wanted[at] = type(node), place(layout.head(node))
        types = {type_ for type_, _ in wanted.values()}
        heads = {(type(node), self.layout.head(node)): node for node in self.layout.inner if type(node) in types}
        return {at: heads[head] for at, head in wanted.items()}

    # -- text

    def span(self, node: cst.CSTNode) -> Span:
        """The range of a node with its own parentheses and decorators, without its comma, semicolon, comments and line end."""
        outer, inner = self.layout.outer[node], self.layout.inner[node]
        if isinstance(node, cst.BaseExpression):
            return outer
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)) and node.decorators:
            return Span(self.layout.inner[node.decorators[0]].start, inner.stop)
        comma = getattr(node, "comma", None)
        if isinstance(comma, cst.Comma):
            return Span(outer.start, self.layout.outer[comma].start)
        return inner

    def code(self, node: cst.CSTNode) -> str:
        """The text of a node; the lines of a statement lose its margin."""
        span = self.span(node)
        text = self.source.text[span.start : span.stop]
        margin = self.margin(span.start)
        if not margin or not isinstance(node, (cst.BaseStatement, cst.BaseSmallStatement)):
            return text
        out, at = [], span.start
        for line in lines_of(text):
            out.append(line.removeprefix(margin) if at > span.start and not self.in_text(at) else line)
            at += len(line)
        return "".join(out)

    def line_start(self, offset: int) -> int:
        """Offset of the first character of the line that holds `offset`."""
        starts = self.source.starts
        return starts[max(bisect.bisect_right(starts, offset) - 1, 0)] if starts else 0

    def line_end(self, offset: int) -> int:
        """Offset just behind the line that holds `offset`, its line end included."""
        starts = self.source.starts
        index = bisect.bisect_right(starts, offset)
        return starts[index] if index < len(starts) else len(self.source.text)

    def margin(self, offset: int) -> str | None:
        """The whitespace before `offset` on its line, None when something else stands there."""
        before = self.source.text[self.line_start(offset) : offset]
        return None if before.strip() else before

    def in_text(self, offset: int) -> bool:
        """Whether `offset` is inside a string that goes over several lines."""
        index = bisect.bisect_left(self._texts, Span(offset, 0)) - 1
        return index >= 0 and self._texts[index].stop > offset

    # -- statements

    def suite(self, node: cst.CSTNode) -> cst.SimpleStatementLine | cst.SimpleStatementSuite | None:
        """The line, or the one-line suite, that holds a small statement."""
        parent = self.layout.parents.get(node)
        return parent if isinstance(parent, (cst.SimpleStatementLine, cst.SimpleStatementSuite)) else None

    def inside(self, suite: cst.SimpleStatementSuite) -> tuple[Span, str]:
        """The gap between the colon and a one-line suite, and the margin that the suite has once it is put on lines of its own."""
        owner = self.layout.parents[suite]
        margin = self.margin(self.layout.inner[owner].start) or ""
        return Span(self.layout.outer[suite].start, self.layout.inner[suite.body[0]].start), margin + self.unit

    def end(self, node: cst.CSTNode) -> int:
        """Where what follows a statement goes: behind its last line, and behind the comments that are indented as its body."""
        stop = self.line_end(self.span(node).stop)
        if isinstance(node, (cst.BaseSmallStatement, cst.SimpleStatementLine)):
            return stop
        margin = self.margin(self.span(node).start) or ""
        at = stop
        while at < len(self.source.text):
            after = self.line_end(at)
            line = self.source.text[at:after]
            text = line.lstrip(" \t\f")
            if text.strip() and not (text.startswith("#") and len(line) - len(text) > len(margin)):
                break
            at = after
            stop = after if text.strip() else stop
        return stop

    def lines(self, snippet: str, margin: str) -> list[str]:
        """The lines of a snippet (four spaces a level) in the style of the file, below `margin`, without line ends."""
        rows = lines_of(snippet.strip("\n"))
        shift = min((len(row) - len(row.lstrip(" ")) for row in rows if row.strip()), default=0)
        fixed = texts_in("".join(rows))
        out = []
        for index, row in enumerate(rows):
            row = row.rstrip("\r\n")
            if index in fixed:
                out.append(row)
            elif row.strip():
                out.append(margin + _INDENT.sub(lambda found: self.unit * (len(found[0]) // 4), row[shift:]))
            else:
                out.append("")
        return out


def texts_in(snippet: str) -> set[int]:
    """The lines (from 0) of a snippet that begin inside a string."""
    try:
        layout = spans.Layout(cst.parse_module(snippet))
    except (cst.ParserSyntaxError, cst.CSTLogicError, ValueError):
        return set()
    rows: set[int] = set()
    for node, span in layout.inner.items():
        if isinstance(node, _TEXTS):
            before = len(lines_of(layout.text[: span.start] + "x"))
            rows.update(range(before, before - 1 + len(lines_of(layout.text[span.start : span.stop]))))
    return rows
