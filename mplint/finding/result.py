"""What a run finds, as plain values."""

from __future__ import annotations

import msgspec

from mplint.finding import Alarm, Finding
from mplint.source.look import Look


class Crash(msgspec.Struct, frozen=True):
    """A rule that raised: its code, the file it looked at, the last line of the traceback, and all of it."""

    code: str
    path: str
    error: str
    traceback: str


class Answer(msgspec.Struct, frozen=True):
    """What the rules say about one file; `errors` are all files that could not be read so far."""

    alarms: tuple[Alarm, ...]
    crashes: tuple[Crash, ...]
    errors: dict[str, tuple[str, int, int]]


class Looked(msgspec.Struct, frozen=True):
    """What was looked at for an answer: words and the files that hold them, files whose every byte counts, and what of modules and which names
    in them (see `mplint.cache.trace`)."""

    words: dict[bytes, tuple[str, ...]]
    words_of: dict[bytes, dict[str, bool]]
    raw: frozenset[str]
    looks: dict[str, Look]
    sought: frozenset[str]


ENCODER = msgspec.msgpack.Encoder()
DECODER = msgspec.msgpack.Decoder(tuple[Answer, Looked])


class Result(msgspec.Struct, frozen=True):
    """What a run found.

    `findings` are sorted and are what is reported; `hidden` were suppressed by comments, `accepted` by the baseline.  `withheld` are
    findings whose fix cannot be written, with the reason.  `checked` are the files that were looked at, `gone` counts entries of the
    baseline that are no longer found.
    """

    findings: tuple[Finding, ...]
    hidden: tuple[Finding, ...] = ()
    accepted: tuple[Finding, ...] = ()
    withheld: tuple[tuple[Finding, str], ...] = ()
    crashes: tuple[Crash, ...] = ()
    checked: tuple[str, ...] = ()
    gone: int = 0


def crash_of(code: str, path: str, error: Exception) -> Crash:
    """What is told about an exception that ended a rule."""
    import traceback

    return Crash(code, path, f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))
