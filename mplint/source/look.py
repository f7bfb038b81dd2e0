"""What was looked at of the text of one file that is read as a module."""

from __future__ import annotations

import msgspec


class Look(msgspec.Struct):
    """`read` are the numbers of the pages of which all the code counts.  Of every page it counts whether the text has one of the words `held`,
    what the lines with one of the names `near` are, each with the line of code behind it, and, where `named`, which of the names that are sought
    everywhere (`Sources.sought`) the code has."""

    read: set[int] = msgspec.field(default_factory=set)
    held: set[str] = msgspec.field(default_factory=set)
    near: set[str] = msgspec.field(default_factory=set)
    named: bool = False

    @property
    def nearby(self) -> set[str]:
        """The names `near`, as words and as attributes (see `names_in`)."""
        return self.near.union(f".{name}" for name in self.near)

    @property
    def size(self) -> tuple[int, ...]:
        """Grows with every look."""
        return len(self.read), len(self.held), len(self.near), self.named

    def add(self, other: Look) -> None:
        """What was looked at elsewhere counts, too."""
        self.read |= other.read
        self.held |= other.held
        self.near |= other.near
        self.named |= other.named
