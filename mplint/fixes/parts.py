"""A file in parts that can be read alone: cut between statements of the module level."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence

from mplint.facts.outline import Outline
from mplint.finding import Edit, Span
from mplint.fixes.edits import applied
from mplint.source import Source


class Parts:
    """The parts of a file, numbered from 0: what is before the first page of the module level, then each such page with what follows it."""

    def __init__(self, source: Source, outline: Outline) -> None:
        self._source = source
        lines = source.lines
        firsts = {page.first for page in outline.pages if not page.indent}
        continued = {first for first in firsts if first > 1 and lines[first - 2].rstrip("\r\n").endswith("\\")}
        self._firsts = sorted({1, *firsts.difference(continued)})

    def __len__(self) -> int:
        return len(self._firsts)

    def lines(self, number: int) -> tuple[int, int]:
        """The first and the last line of a part, from 1, inclusive."""
        after = self._firsts[number + 1] if number + 1 < len(self._firsts) else len(self._source.lines) + 1
        return self._firsts[number], after - 1

    def at(self, offset: int) -> int:
        """The number of the part that holds the character at `offset`; the last one for the end of the file."""
        return bisect.bisect_right(self._firsts, bisect.bisect_right(self._source.starts, offset)) - 1

    def start(self, number: int) -> int:
        """The offset of the first character of a part."""
        return self._source.starts[self._firsts[number] - 1] if number else 0

    def text(self, first: int, last: int) -> str:
        """The text of the parts `first` to `last`."""
        return self._source.lines.between(self.lines(first)[0], self.lines(last)[1])

    def changed(self, edits: Sequence[Edit]) -> Iterator[str]:
        """The texts of the parts that sorted edits change, as they become.

        The file parses as it did before when each of them does: other edits than whole new lines take the neighbours in that they touch.
        """
        groups: list[tuple[int, int, list[Edit]]] = []
        for edit in edits:
            first = last = self.at(max(edit.span.start - 1, 0))
            if edit.span.start < edit.span.stop or not edit.text.endswith(("\n", "\r")):
                last = self.at(edit.span.stop)
            if groups and first <= groups[-1][1]:
                first, before, mine = groups.pop()
                groups.append((first, max(before, last), [*mine, edit]))
            else:
                groups.append((first, last, [edit]))
        for first, last, mine in groups:
            start = self.start(first)
            shifted = [Edit(Span(edit.span.start - start, edit.span.stop - start), edit.text) for edit in mine]
            yield applied(self.text(first, last), shifted)
