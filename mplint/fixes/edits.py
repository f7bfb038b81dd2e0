"""Edits over one baseline text: collecting, joining, trimming, applying and judging them."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Sequence

from mplint.finding import Edit, Span


class Unrepairable(Exception):
    """Why a repair cannot be written; the fix is withheld and the reason is told."""


class Draft:
    """The edits of one repair of `text`, in the order in which they were thought of."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.imports: list[Edit] = []
        self.others: list[Edit] = []

    def put(self, span: Span, text: str) -> None:
        """Make `text` of a range, touching as few characters as possible."""
        edit = trimmed(self.text, span, text)
        if edit is not None:
            self.others.append(edit)

    def insert(self, offset: int, text: str) -> None:
        """Put `text` before the character at `offset`, behind what was put there before."""
        self.others.append(Edit(Span(offset, offset), text))

    def edits(self) -> tuple[Edit, ...]:
        """All edits sorted; those that touch are joined, but for imports, which other repairs may need as well.

        Raises Unrepairable when two of them overlap.
        """
        out: list[Edit] = []
        for edit in in_order(self.others):
            if out and edit.span.start < out[-1].span.stop:
                raise Unrepairable("its edits collide")
            if out and edit.span.start == out[-1].span.stop:
                last = out.pop()
                edit = Edit(Span(last.span.start, edit.span.stop), last.text + edit.text)
            out.append(edit)
        for extra in self.imports:
            if any(edit.span.start < extra.span.start < edit.span.stop for edit in out):
                raise Unrepairable("its edits collide")
        return tuple(in_order([*self.imports, *out]))


def in_order(edits: Iterable[Edit]) -> list[Edit]:
    """Edits by place; at the same place insertions come first, otherwise in the order given."""
    return sorted(edits, key=lambda edit: (edit.span.start, edit.span.stop > edit.span.start))


def trimmed(text: str, span: Span, new: str) -> Edit | None:
    """The smallest edit that makes `new` of `span`; None when that changes nothing."""
    old = text[span.start : span.stop]
    if old == new:
        return None
    head = 0
    shortest = min(len(old), len(new))
    while head < shortest and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shortest - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return Edit(Span(span.start + head, span.stop - tail), new[head : len(new) - tail])


def applied(text: str, edits: Sequence[Edit]) -> str:
    """`text` with edits that are sorted and do not overlap."""
    out, at = [], 0
    for edit in edits:
        out += [text[at : edit.span.start], edit.text]
        at = edit.span.stop
    return "".join([*out, text[at:]])


def parses(text: str) -> bool:
    """Whether the running Python can compile `text`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<repaired>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
