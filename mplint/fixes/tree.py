"""A file as LibCST reads it, as much of it as is asked for, with the geometry that text edits need: lines, margins, one-line suites, strings over
several lines."""

from __future__ import annotations

import bisect
import contextlib
import re
import tokenize
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Union

import libcst as cst

from mplint import extract
from mplint.facts import PAGE_BITS
from mplint.facts.outline import Outline, Page
from mplint.finding import Span, spans
from mplint.fixes.edits import Unrepairable
from mplint.fixes.parts import Parts
from mplint.fixes.toplevel import TopLevel
from mplint.source import Source, lines_of

Statement = Union[cst.BaseSmallStatement, cst.SimpleStatementLine, cst.BaseCompoundStatement]

_TEXTS = (cst.SimpleString, cst.FormattedString, cst.TemplatedString)
_INDENT = re.compile(r"^(?:    )+")


class Tree:
    """A file, read part by part: what is asked of a node needs no more of it than the statement of the module level that holds the node.

    Offsets are those of the file.  `inner`, `outer`, `parents` and `indents` are those of `mplint.finding.spans.Layout`, of what was read so far; the node
    around a statement of the module level is a Module of that part.  Whatever reads raises Unrepairable where LibCST cannot, or would not write back
    byte for byte what it reads.
    """

    def __init__(self, source: Source, outline: Outline) -> None:
        self.source = source
        self.outline = outline
        self.parts = Parts(source, outline)
        self.newline = source.newline
        self.inner: dict[cst.CSTNode, Span] = {}
        self.outer: dict[cst.CSTNode, Span] = {}
        self.parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self.indents: dict[cst.CSTNode, tuple[str, ...]] = {}
        self._read: dict[int, cst.Module | Unrepairable] = {}
        self._nodes: dict[int, list[cst.CSTNode]] = {}
        self._texts: list[Span] = []
        self.comments: list[Span] = []

    # -- reading

    @cached_property
    def top(self) -> TopLevel:
        """The module level of the file."""
        return TopLevel(self.source)

    def _module(self, number: int) -> cst.Module:
        """What LibCST reads in a part."""
        if number not in self._read:
            try:
                self._read[number] = self._parsed(number)
            except Unrepairable as reason:
                self._read[number] = reason
        module = self._read[number]
        if isinstance(module, Unrepairable):
            raise module
        return module

    def _parsed(self, number: int) -> cst.Module:
        try:
            module, _ = extract.parse_page(self.source.lines, Page(*self.parts.lines(number), "module"))
            layout = spans.Layout(module, self.parts.start(number))
        except (extract.Unreadable, RecursionError) as error:
            raise Unrepairable(f"LibCST cannot read the file: {error}") from None
        if layout.text != self.parts.text(number, number):
            raise Unrepairable("LibCST does not write the file as it is")
        self.inner.update(layout.inner)
        self.outer.update(layout.outer)
        self.parents.update(layout.parents)
        self.indents.update(layout.indents)
        self.comments += (span for node, span in layout.inner.items() if isinstance(node, cst.Comment))
        self._texts = sorted([*self._texts, *(span for node, span in layout.inner.items() if isinstance(node, _TEXTS) and self._lines_in(span))])
        return module

    def _lines_in(self, span: Span) -> bool:
        text = self.source.text
        return text.find("\n", span.start, span.stop) >= 0 or text.find("\r", span.start, span.stop) >= 0

    def node(self, at: int) -> cst.CSTNode:
        """The node with the number `at`.  Raises LookupError and extract.Unreadable."""
        number = at >> PAGE_BITS
        if number < 0:
            raise LookupError(at)
        if number not in self._nodes:
            page, nodes = self.outline.pages[number], list[cst.CSTNode]()
            lines = Span(self.source.starts[page.first - 1], self.line_end(self.source.starts[page.last - 1]))
            module = self._module(self.parts.at(lines.start))
            extract.steps_in(list(self._beginning_in(lines, module.body)), page, number, nodes)
            self._nodes[number] = nodes
        return self._nodes[number][at - (number << PAGE_BITS)]

    def _beginning_in(self, lines: Span, body: Iterable[cst.CSTNode]) -> Iterator[cst.CSTNode]:
        """The statements of the module level or of classes that begin in a range."""
        for node in body:
            if lines.start <= self.span(node).start < lines.stop:
                yield node
            elif isinstance(node, cst.ClassDef) and self.inner[node].start < lines.start < self.inner[node].stop:
                yield from self._beginning_in(lines, node.body.body)

    def part(self, node: cst.CSTNode) -> int:
        """The number of the part that holds a node."""
        return self.parts.at(self.inner[node].start)

    def root(self, node: cst.CSTNode) -> cst.Module:
        """The Module of the part that holds a node."""
        return self._module(self.part(node))

    def statements(self) -> list[Statement]:
        """All statements of the module level; reads the whole file."""
        return [line for number in range(len(self.parts)) for line in self._module(number).body]

    def around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around `node`, innermost first."""
        above = self.parents.get(node)
        while above is not None:
            yield above
            above = self.parents.get(above)

    # -- names

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(re.findall(r"\w+", self.source.text))

    def fresh(self, wish: str) -> str:
        """`wish`, with a number behind it when the file uses that name already."""
        number, name = 2, wish
        while name in self._words:
            number, name = number + 1, f"{wish}{number}"
        return name

    # -- text

    @cached_property
    def unit(self) -> str:
        """One level of indentation: the first one of a definition."""
        first = min((page.first for page in self.outline.pages if page.kind != "step"), default=1)
        with contextlib.suppress(SyntaxError, tokenize.TokenError):
            for token in tokenize.generate_tokens(iter(self.source.lines[first - 1 :]).__next__):
                if token.type == tokenize.INDENT:
                    return token.string
        return "    "

    def row(self, node: cst.CSTNode) -> int:
        """The line, from 1, on which a node begins, its decorators left out."""
        return bisect.bisect_right(self.source.starts, self.inner[node].start)

    def span(self, node: cst.CSTNode) -> Span:
        """The range of a node with its own parentheses and decorators, without its comma, semicolon, comments and line end."""
        outer, inner = self.outer[node], self.inner[node]
        if isinstance(node, cst.BaseExpression):
            return outer
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)) and node.decorators:
            return Span(self.inner[node.decorators[0]].start, inner.stop)
        comma = getattr(node, "comma", None)
        if isinstance(comma, cst.Comma):
            return Span(outer.start, self.outer[comma].start)
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
        parent = self.parents.get(node)
        return parent if isinstance(parent, (cst.SimpleStatementLine, cst.SimpleStatementSuite)) else None

    def inside(self, suite: cst.SimpleStatementSuite) -> tuple[Span, str]:
        """The gap between the colon and a one-line suite, and the margin that the suite has once it is put on lines of its own."""
        owner = self.parents[suite]
        margin = self.margin(self.inner[owner].start) or ""
        return Span(self.outer[suite].start, self.inner[suite.body[0]].start), margin + self.unit

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
