"""Text as a terminal shows it: how many columns a character takes, tabs, and lines cut to fit."""

from __future__ import annotations

import unicodedata

TAB = 4
"""Columns between tab stops in a code frame."""

_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def tame(text: str) -> str:
    """`text` on one line without control characters: what stands in a source file must not steer the reader's terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_tame(char) for char in text)


def _tame(char: str) -> str:
    if char in "\t\r\n":
        return " "
    if char < " ":
        return chr(0x2400 + ord(char))
    if char in _TURNING or unicodedata.category(char) in {"Cc", "Zl", "Zp"}:
        return "\ufffd"
    return char


def width_of(char: str) -> int:
    """Columns that one character takes: 0, 1 or 2."""
    if char < "\u0300":
        return 1
    if unicodedata.category(char) in {"Mn", "Me", "Cf"} and char not in _TURNING:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def width(text: str) -> int:
    """Columns that `text` takes."""
    return len(text) if text.isascii() else sum(map(width_of, text))


class Cells:
    """One line laid out in columns: `at[i]` is the column (from 0) of character `i`, the last entry is the width of the line."""

    def __init__(self, line: str) -> None:
        self.pieces: list[str] = []
        self.at: list[int] = [0]
        for char in line:
            column = self.at[-1]
            wide = TAB - column % TAB if char == "\t" else width_of(char)
            self.pieces.append(" " * wide if char == "\t" else _tame(char))
            self.at.append(column + wide)

    def column(self, character: int) -> int:
        """The column of a character index; beyond the end, the width of the line."""
        return self.at[min(character, len(self.at) - 1)]

    def crop(self, left: int, right: int, more: str) -> str:
        """Columns `left` to `right`, with the one-column sign `more` where something was cut off."""
        cut_left, cut_right = left > 0, self.at[-1] > right
        first, last = left + cut_left, right - cut_right
        kept: list[str] = []
        reached = first
        for index, piece in enumerate(self.pieces):
            start, stop = self.at[index], self.at[index + 1]
            if start >= first and stop <= last:
                kept.append(" " * (start - reached) + piece)
                reached = stop
        body = "".join(kept).rstrip()
        if cut_left:
            body = (more if self.at[-1] > 0 else "") + body
        return body + " " * (last - reached) + more if cut_right and body else body
