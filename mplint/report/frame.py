"""The lines around a span, chosen once for every report that shows source."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from mplint.finding import Edit, Span
from mplint.report.scene import Text

BEFORE, AFTER = 2, 1
"""Lines of context above and below a marked range."""
LONGEST = 6
"""Marked lines that are shown whole; of a longer range its first and last lines are."""


class Line(msgspec.Struct, frozen=True):
    """A line of a frame: `row` counts from 1 in the text, the characters `start` to `stop` (from 0) are marked, none when equal.

    `row` 0 stands for lines that were left out.
    """

    row: int
    text: str
    start: int = 0
    stop: int = 0


class Change(msgspec.Struct, frozen=True):
    """A line of a fix: `sign` is "-" (goes), "+" (comes), " " (stays) or "" (lines left out); `row` counts in the old text."""

    sign: str
    row: int
    text: str


def frame(text: Text, span: Span, *, notebook: bool = False) -> tuple[Line, ...]:
    """The marked lines of `span` and their surroundings (in a notebook, those of the cell); nothing when the text does not hold the span."""
    if not text.text or span.start > len(text.text):
        return ()
    first, column = text.position(span.start)
    last, end = text.position(max(span.start, min(span.stop, len(text.text))))
    if end == 1 and last > first:
        last -= 1
        end = len(text.line(last)) + 1
    top = max(1, first - BEFORE, text.top(first) + 1 if notebook else 1)
    while top < first and not text.line(top).strip():
        top += 1
    bottom = min(len(text.lines), last + AFTER)
    while notebook and bottom > last and text.top(bottom) > last:
        bottom -= 1
    while bottom > last and not text.line(bottom).strip():
        bottom -= 1
    lines = []
    for row in range(top, bottom + 1):
        line = text.line(row)
        if last - first >= LONGEST and first + 2 < row < last:
            if row == first + 3:
                lines.append(Line(0, ""))
            continue
        if not first <= row <= last:
            lines.append(Line(row, line))
            continue
        start = column - 1 if row == first else len(line) - len(line.lstrip())
        stop = end - 1 if row == last else len(line.rstrip())
        lines.append(Line(row, line, start, max(stop, start + (first == last))))
    return tuple(lines)


def changes(text: Text, edits: tuple[Edit, ...], context: int = 0) -> tuple[Change, ...]:
    """What the edits of a fix do to the lines, with `context` lines that stay around each group (one above a pure insertion)."""
    found: list[Change] = []
    shown = 0
    for first, last, new in _groups(text, edits):
        old = [text.line(row) for row in range(first, last + 1)]
        head = 0
        while head < min(len(old), len(new)) and old[head] == new[head]:
            head += 1
        tail = 0
        while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
            tail += 1
        begin, end, block = first + head, last - tail, new[head : len(new) - tail]
        while begin > end and begin > 2 and block and block[-1] == text.line(begin - 1) == "":
            begin, end, block = begin - 1, end - 1, [block[-1], *block[:-1]]
        above = max(shown + 1, begin - (context or int(begin > end)), 1)
        if shown and above > shown + 1:
            found.append(Change("", 0, ""))
        found += [Change(" ", row, text.line(row)) for row in range(above, begin)]
        found += [Change("-", row, text.line(row)) for row in range(begin, end + 1)]
        found += [Change("+", begin, line) for line in block]
        shown = min(len(text.lines), end + context)
        found += [Change(" ", row, text.line(row)) for row in range(end + 1, shown + 1)]
    while found and found[-1].sign == " " and not found[-1].text.strip():
        found.pop()
    return tuple(found)


def _groups(text: Text, edits: tuple[Edit, ...]) -> Iterator[tuple[int, int, list[str]]]:
    """First row, last row and new lines of each run of edits that touch the same lines."""
    group: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: edit.span):
        if group and text.position(edit.span.start)[0] > text.position(group[-1].span.stop)[0]:
            yield _changed(text, group)
            group = []
        group.append(edit)
    if group:
        yield _changed(text, group)


def _changed(text: Text, group: list[Edit]) -> tuple[int, int, list[str]]:
    first, last = text.position(group[0].span.start)[0], text.position(group[-1].span.stop)[0]
    at = text.starts[first - 1]
    pieces = []
    for edit in group:
        pieces += [text.text[at : edit.span.start], edit.text]
        at = edit.span.stop
    end = text.starts[last - 1] + len(text.line(last))
    new = "".join(pieces) + text.text[at:end]
    return first, last, Text(new).lines
