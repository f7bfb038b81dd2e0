"""The words of a source, found by looking at its characters alone: several times faster than a pattern that matches each."""

from __future__ import annotations

_WORD = frozenset(b"_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ").union(range(128, 256))
_NAMES = bytes(c if c in _WORD or c == ord(".") else 32 for c in range(256))
_CALLS = bytes(c if c in _WORD or c == ord("(") else 32 for c in range(256))


def names_in(text: str) -> frozenset[str]:
    """Every word of a text; one behind a dot with that dot (".join"), for it is an attribute."""
    return frozenset(text.encode(errors="replace").replace(b".", b" .").translate(_NAMES).decode(errors="replace").split())


def called_in(text: str) -> frozenset[str]:
    """The words of a text that stand right before an opening parenthesis."""
    pieces = text.encode(errors="replace").translate(_CALLS).decode(errors="replace").split("(")
    return frozenset([piece.rpartition(" ")[2] for piece in pieces[:-1]])
