"""Comments and logical lines of Python text, found without parsing: also in files that no parser reads."""

from __future__ import annotations

import bisect
import re
from functools import cached_property

import msgspec

from mplint.source import Source

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\r\n]*)"""
    r"""|(?P<string>(?P<quote>\"{3}|'{3})(?s:\\.|.)*?(?:(?P=quote)|\Z)|"(?:\\(?:\r\n|[\s\S])|[^"\\\r\n])*"?|'(?:\\(?:\r\n|[\s\S])|[^'\\\r\n])*'?)"""
    r"""|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<joined>\\(?:\r\n|\r|\n))|(?P<end>\r\n|\r|\n)"""
)


class Comment(msgspec.Struct, frozen=True):
    """`text` begins with `#`; `start` is its offset in the source; `row` counts from 1."""

    row: int
    start: int
    text: str


class Layout:
    """Where the comments of a source stand, and which rows each logical line covers."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @cached_property
    def comments(self) -> tuple[Comment, ...]:
        """All comments, in order."""
        return self._scanned[0]

    @cached_property
    def _scanned(self) -> tuple[tuple[Comment, ...], list[int]]:
        comments: list[Comment] = []
        firsts = [1]
        depth = 0
        starts = self.source.starts
        for token in _TOKEN.finditer(self.source.text):
            kind = token.lastgroup if token["quote"] is None else "string"
            if kind == "comment":
                comments.append(Comment(bisect.bisect_right(starts, token.start()), token.start(), token[0]))
            elif kind == "open":
                depth += 1
            elif kind == "close":
                depth = max(0, depth - 1)
            elif kind == "end" and depth == 0:
                firsts.append(bisect.bisect_right(starts, token.start()) + 1)
        return tuple(comments), firsts

    def logical(self, row: int) -> tuple[int, int]:
        """The first and the last row of the logical line that `row` belongs to."""
        firsts = self._scanned[1]
        at = bisect.bisect_right(firsts, row) - 1
        last = firsts[at + 1] - 1 if at + 1 < len(firsts) else len(self.source.lines)
        return firsts[at], max(last, row)
