"""Where a node stands in the text: numbers of the walk -> character ranges, rows and columns.

A page that holds a finding is parsed again, walked again (`mplint.extract`), and written out once while the offset of every
node is noted.  LibCST's own position providers do the same at several times the price and count lines only.
"""

from __future__ import annotations

import bisect
import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import libcst as cst
import msgspec
from libcst._nodes.internal import CodegenState

from mplint import extract
from mplint.facts import PAGE_BITS
from mplint.facts.outline import Outline, Page
from mplint.finding import Span
from mplint.source import Source

_NAMED = (cst.FunctionDef, cst.ClassDef)
_HEADED = (cst.If, cst.While, cst.For, cst.Try, cst.TryStar, cst.With, cst.ExceptHandler, cst.ExceptStarHandler, cst.MatchCase)
_SIMPLE = (cst.SimpleStatementLine, cst.SimpleStatementSuite)


class Position(msgspec.Struct, frozen=True):
    """A place in a file.

    Rows and columns count from 1, columns in characters, the end is exclusive.  `noqa_row` is the last row of the simple
    statement, or of the header of the compound statement, in which the place stands.
    """

    span: Span
    row: int
    column: int
    end_row: int
    end_column: int
    noqa_row: int


class Layout(CodegenState):
    """The text of a tree and where each of its nodes stands in it, by character offset.

    `inner` is the range of a node without the whitespace, comments, parentheses and commas that LibCST counts to it, `outer`
    the range with them; both count from `base`, the offset at which the tree begins in its file.
    `indents` is the indentation of the lines inside the node, `parents` the node around it.
    """

    def __init__(self, module: cst.Module, base: int = 0) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.inner: dict[cst.CSTNode, Span] = {}
        self.outer: dict[cst.CSTNode, Span] = {}
        self.parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self.indents: dict[cst.CSTNode, tuple[str, ...]] = {}
        self._margins: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._offset = base
        self._stack: list[tuple[cst.CSTNode, int]] = []
        with extract.deep():
            module._codegen(self)
        self.text = "".join(self.tokens)
        self.tokens.clear()

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.add_token(token)

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        self._offset += len(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        if self._stack:
            self.parents[node] = self._stack[-1][0]
        indents = tuple(self.indent_tokens)
        self.indents[node] = self._margins.setdefault(indents, indents)
        self._stack.append((node, self._offset))

    def after_codegen(self, node: cst.CSTNode) -> None:
        start = self._stack.pop()[1]
        span = Span(start, self._offset)
        self.outer[node] = span
        self.inner.setdefault(node, span)

    @contextlib.contextmanager
    def record_syntactic_position(self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None) -> Iterator[None]:
        start = self._offset
        yield
        first = start if start_node is None else self.inner[start_node].start
        self.inner[node] = Span(first, self._offset if end_node is None else self.inner[end_node].stop)

    def head(self, node: cst.CSTNode) -> Span:
        """What of a node is shown: the name of a definition, the header of another compound statement (up to its colon), else all of it."""
        if isinstance(node, _NAMED):
            return self.inner[node.name]
        return self._header(node) or self.inner[node]

    def statements(self) -> list[Span]:
        """The ranges in which a suppression comment counts, disjoint and sorted: simple statement lines, headers, decorators."""
        spans = []
        for node in self.inner:
            if isinstance(node, _SIMPLE):
                if node.body:
                    spans.append(Span(self.inner[node.body[0]].start, self.inner[node.body[-1]].stop))
            elif isinstance(node, cst.Decorator):
                spans.append(self.inner[node])
            elif isinstance(node, _NAMED):
                spans.append(Span(self.inner[node].start, self.outer[node.body].start))
            elif header := self._header(node):
                spans.append(header)
        return sorted(spans)

    def _header(self, node: cst.CSTNode) -> Span | None:
        if isinstance(node, _HEADED):
            return Span(self.inner[node].start, self.outer[node.body].start)
        if isinstance(node, cst.Match):
            return Span(self.inner[node].start, self.outer[node.whitespace_after_colon].start)
        return None


def resolve(source: Source, outline: Outline, ats: Collection[int]) -> dict[int, Position]:
    """Positions of the nodes numbered `ats`; every page is parsed once.

    A negative number stands for the file as a whole.  A page that cannot be parsed (any more), or nests too deeply to be written
    out, gives the start of its first line.
    Raises LookupError for a number that no page holds.
    """
    pages: dict[int, list[int]] = {}
    for at in sorted(set(ats)):
        pages.setdefault(at >> PAGE_BITS if at >= 0 else -1, []).append(at)
    found: dict[int, Position] = {}
    for number, members in pages.items():
        if number < 0:
            found.update(dict.fromkeys(members, _position(source, Span(0, 0), Span(0, 0))))
        else:
            found.update(_resolve_page(source, outline.pages[number], number, members))
    return found


def _resolve_page(source: Source, page: Page, number: int, ats: list[int]) -> Iterator[tuple[int, Position]]:
    try:
        nodes, layout, place = page_layout(source, page, number)
    except (extract.Unreadable, RecursionError):
        start = source.starts[page.first - 1]
        for at in ats:
            yield at, _position(source, Span(start, start), Span(start, start))
        return
    units = layout.statements()
    starts = [unit.start for unit in units]
    for at in ats:
        span = layout.head(nodes[at - (number << PAGE_BITS)])
        unit = units[max(bisect.bisect_right(starts, span.start) - 1, 0)]
        yield at, _position(source, place(span), place(unit))


def page_layout(source: Source, page: Page, number: int) -> tuple[list[cst.CSTNode], Layout, Callable[[Span], Span]]:
    """The nodes of a page by their number, their layout, and what turns its ranges into ranges of the file.  Raises Unreadable."""
    module, _ = extract.parse_page(source.lines, page)
    text, before = extract.page_source(source.lines, page)
    nodes: list[cst.CSTNode] = []
    extract.steps_of(module, page, number, nodes)
    layout = Layout(module)
    to_text = aligned(layout.text, text)
    shift = source.starts[page.first - 1] - (text.index("\n") + 1 if before else 0)

    def place(span: Span) -> Span:
        start, stop = to_text(span)
        return Span(start + shift, min(stop + shift, len(source.text)))

    return nodes, layout, place


def aligned(written: str, read: str) -> Callable[[Span], tuple[int, int]]:
    """What turns a range of `written` into the same range of `read`, the text that was parsed.

    Some trees are not written out as they were read (a form feed before the first token, a lone carriage return at the end); only
    whitespace differs then, so that the n-th visible character is the same in both.
    """
    if written == read:
        return lambda span: (span.start, span.stop)
    visible = _visible(read)
    counts = _visible(written)

    def move(span: Span) -> tuple[int, int]:
        first, last = bisect.bisect_left(counts, span.start), bisect.bisect_left(counts, span.stop)
        start = visible[min(first, len(visible) - 1)] if visible else 0
        return start, visible[min(last, len(visible)) - 1] + 1 if last > first else start

    return move


def _visible(text: str) -> list[int]:
    return [index for index, char in enumerate(text) if not char.isspace()]


def _position(source: Source, span: Span, unit: Span) -> Position:
    row, column = row_column(source.starts, span.start)
    end_row, end_column = row_column(source.starts, span.stop)
    return Position(span, row, column, end_row, end_column, max(row_column(source.starts, unit.stop)[0], row))


def row_column(starts: Sequence[int], offset: int) -> tuple[int, int]:
    """Row and column, from 1, of a character offset; `starts` are the offsets of the lines."""
    row = max(bisect.bisect_right(starts, offset), 1)
    return row, offset - (starts[row - 1] if starts else 0) + 1


def generate(module: cst.Module, node: Any, indent: Sequence[str] = ()) -> str:
    """The code of a node that stands below the indentation `indent` (`Module.code_for_node` knows of none)."""
    state = CodegenState(default_indent=module.default_indent, default_newline=module.default_newline)
    for token in indent:
        state.increase_indent(token)
    with extract.deep():
        node._codegen(state)
    return "".join(state.tokens)
