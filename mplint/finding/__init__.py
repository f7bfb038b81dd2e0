"""What mplint says: plain values that every reporter, fixer and test reads."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec


class Site(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A node of a module, by the number of the walk (see `mplint.facts`).  Rules speak in sites; the session resolves them."""

    path: str
    at: int


class Span(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """Half-open range of character offsets over the text of a file as it was read."""

    start: int
    stop: int


class Edit(msgspec.Struct, frozen=True, array_like=True):
    """Replace the characters of `span` by `text`; over the same baseline as every other edit of the run."""

    span: Span
    text: str


class Safety(enum.Enum):
    """Who may apply a fix: anybody (meaning and comments kept), who asks for it (`--unsafe-fixes`), nobody (it is only shown)."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    SHOWN = "display"


class Fix(msgspec.Struct, frozen=True):
    """A repair of one finding: all its edits in `path` are applied, or none.  `title` is a verb phrase."""

    title: str
    edits: tuple[Edit, ...]
    safety: Safety
    path: str = ""


class Step(msgspec.Struct, frozen=True):
    """One link of the chain from the submission site to the cause, before positions are known."""

    site: Site
    message: str


class Alarm(msgspec.Struct, frozen=True):
    """What a rule found, in sites: `code` at `site`, and why (`because`, from the submission site to the cause)."""

    code: str
    site: Site
    message: str
    because: tuple[Step, ...] = ()
    scope: str = ""
    """Dotted name of the enclosing definition; baselines count by it."""
    hint: str = ""
    """Rule-private: how the rule's own `fix` is to repair this alarm."""


def by_file(alarms: Iterable[Alarm]) -> dict[str, list[Alarm]]:
    """Alarms by the file that they stand in, the first at each site: for rules that look at the whole project at once."""
    out: dict[str, dict[Site, Alarm]] = {}
    for alarm in alarms:
        out.setdefault(alarm.site.path, {}).setdefault(alarm.site, alarm)
    return {path: list(found.values()) for path, found in out.items()}


class Place(msgspec.Struct, frozen=True):
    """One link of a because chain, resolved: `row` and `column` count from 1, columns in characters."""

    path: str
    span: Span
    row: int
    column: int
    message: str


class Finding(msgspec.Struct, frozen=True):
    """An alarm with positions: what is printed, suppressed, fixed and cached.

    `row`/`column` to `end_row`/`end_column` count from 1 in characters, the end is exclusive.  `noqa_row` is the line on which a
    suppression comment is read (the statement's last line).  `notebook_cell` is the 1-based cell of a notebook, else None.
    """

    code: str
    name: str
    path: str
    span: Span
    row: int
    column: int
    end_row: int
    end_column: int
    message: str
    because: tuple[Place, ...] = ()
    fix: Fix | None = None
    noqa_row: int = 0
    scope: str = ""
    severity: str = "warning"
    notebook_cell: int | None = None
