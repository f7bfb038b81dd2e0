"""What a run looked at, so that an edit of something else needs no second look.

The engine reads some modules: their outlines, some of their pages, and of the others whether they hold what it looks for (`mplint.source.look`).
It asks which files hold a word, and of every other file sees its scan alone.  When none of that differs after an edit, the engine would go the
same way again, and what it found stands.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from mplint.cache.meaning import meaning_of, new_in, pages_without, without
from mplint.cache.stamps import Stamps
from mplint.facts.outline import Page, outline_of
from mplint.finding import Finding, suppress
from mplint.finding.result import Result
from mplint.source import Source, Sources, UnreadableFile, decode, digest_of
from mplint.source.look import Look
from mplint.source.scan import scan_of
from mplint.finding.unreadable import SYNTAX_BUDGET, syntax_error

if TYPE_CHECKING:
    from mplint.cache.pieces import Pieces
    from mplint.session import Session

MANY = 32
"""Files that changed, beyond which everything is looked at again."""

_ABOUT_TEXT = frozenset({"MP000", "MP001"})


class Place(msgspec.Struct, frozen=True, array_like=True):
    """How far into a file findings reach, in characters, the digest of the text up to there, and whether comments behind it may count, too."""

    end: int
    digest: bytes
    addressed: bool


class Trace(msgspec.Struct, frozen=True, array_like=True):
    """`key` names the entry with the findings in the files `checked`.

    `files` are sizes and digests of all files; `words` the bytes that were looked for, each with a bit for every file that held them, `words_of`
    those that were looked for in some files only.
    `raw` are the files of which every byte mattered, `looks` what was looked at of the modules that were read, `sought` the names that were
    looked for in all pages of some of them, and `meanings` digests of what there was to see.
    """

    key: str
    checked: tuple[str, ...]
    files: dict[str, tuple[int, bytes]]
    words: dict[bytes, bytes]
    words_of: dict[bytes, dict[str, bool]]
    raw: frozenset[str]
    looks: dict[str, Look]
    sought: frozenset[str]
    meanings: dict[str, bytes]
    places: dict[str, Place]
    idle: int
    parsed: bool


DECODER = msgspec.msgpack.Decoder(tuple[Trace, ...])

KEPT = 4
"""Traces of the last runs, the newest first: after an edit was taken back, the one before it tells more."""


def trace_of(session: Session, key: str, stamps: Stamps, result: Result, parsed: bool) -> Trace:
    """The trace of a check that has just ended."""
    project, sources = session.project, session.sources
    meanings = {}
    for path, look in tuple(sources.looks.items()):
        module = project.module(path)
        meanings[path] = b"" if module is None else meaning_of(module.outline, module.lines, look, sources.sought)
    number = {path: at for at, path in enumerate(sources.files)}
    words = {}
    for word, paths in sources.asked.items():
        bits = bytearray(len(number) // 8 + 1)
        for path in paths:
            bits[number[path] >> 3] |= 1 << (number[path] & 7)
        words[word] = bytes(bits)
    ends: dict[str, int] = {}
    rows: dict[str, int] = {}
    for finding in (*result.findings, *result.hidden, *result.accepted):
        rows[finding.path] = max(rows.get(finding.path, 0), finding.noqa_row)
        for path, end in _reach(finding):
            ends[path] = max(end, ends.get(path, 0))
    places = {}
    for path, end in ends.items():
        try:
            source = sources.read(path)
        except UnreadableFile:  # told by a finding about its text, which no edit leaves standing
            continue
        rest = source.text.find("\n", max(end, rows.get(path, 0) and source.starts[min(rows[path], len(source.starts)) - 1]))
        end = len(source.text) if rest < 0 else rest
        places[path] = Place(end, _prefix(source, end), suppress.may_hide_all(source.data))
    looked, _ = session.looked_into(result.checked)
    idle = sum(stamps[path].size for path in set(result.checked).difference(looked))
    files = {path: (stamps[path].size, stamps[path].digest) for path in (*sources.files, *sources.specs)}
    return Trace(
        key, result.checked, files, words, sources.asked_of, frozenset(sources.raw), sources.looks, frozenset(sources.sought), meanings, places, idle, parsed
    )


def _reach(finding: Finding) -> list[tuple[str, int]]:
    ends = [(finding.path, finding.span.stop), *((place.path, place.span.stop) for place in finding.because)]
    return ends + [(finding.path, edit.span.stop) for edit in (finding.fix.edits if finding.fix is not None else ())]


def _prefix(source: Source, end: int) -> bytes:
    return digest_of(source.text[:end].encode("utf-8", "surrogatepass"))


Seen = tuple[Look, bytes]
"""What was looked at of a module, and the digest of what there was to see."""


def still_seen(trace: Trace, result: Result, stamps: Stamps, sources: Sources, pieces: Pieces) -> dict[str, Seen] | None:
    """What the engine would see of the modules that changed, where what was found stands for the files as they are now; None where it may not."""
    if trace.files.keys() != stamps.keys():
        return None
    changed = [path for path, (_, digest) in trace.files.items() if stamps[path].digest != digest]
    if not changed or len(changed) > MANY:
        return None
    spoken = {finding.path for finding in (*result.findings, *result.hidden, *result.accepted) if finding.code in _ABOUT_TEXT}
    idle = trace.idle + sum(stamps[path].size - trace.files[path][0] for path in changed if path not in trace.meanings)
    if (idle <= SYNTAX_BUDGET) != (trace.idle <= SYNTAX_BUDGET):
        return None
    number = {path: at for at, path in enumerate(trace.files)}
    seen: dict[str, Seen] = {}
    for path in changed:
        if path in spoken or not _is_told_alike(trace, path, number[path], sources.peek(path), pieces):
            return None
        try:
            source = decode(path, sources.peek(path))
            if path in trace.meanings:
                found = _seen(trace, source, sources, pieces)
                if found is None:
                    return None
                seen[path] = found
        except (UnreadableFile, SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        place = trace.places.get(path)
        if place is not None and (place.addressed or suppress.may_hide_all(source.data) or _prefix(source, place.end) != place.digest):
            return None
        if path not in trace.meanings and trace.parsed and path in trace.checked and syntax_error(source) is not None:
            return None
    return seen


def _is_told_alike(trace: Trace, path: str, number: int, data: bytes, pieces: Pieces) -> bool:
    """Whether the triage, and who looked for words in bytes, would be told the same of a file as before."""
    if path in trace.raw or path.endswith(".ipynb") or suppress.may_matter(data):
        return False
    before = pieces.scan(trace.files[path][1])
    scan = scan_of(data)
    pieces.keep_scan(digest_of(data), scan)
    if before != scan or any(len(bits) <= number >> 3 or (word in data) != bool(bits[number >> 3] >> (number & 7) & 1) for word, bits in trace.words.items()):
        return False
    return not any(path in seen and (word in data) != seen[path] for word, seen in trace.words_of.items())


def _seen(trace: Trace, source: Source, sources: Sources, pieces: Pieces) -> Seen | None:
    """What the engine would see of a module, when that is the same as before but for functions that nobody can have looked for."""
    path, look = source.path, trace.looks.get(source.path)
    if look is None:
        return None
    outline, lines = outline_of(source.text), source.lines
    meaning = meaning_of(outline, lines, look, trace.sought)
    if meaning != trace.meanings[path]:
        before = pieces.outline(trace.files[path][1], sys.maxsize)
        if before is None or len(outline.pages) <= len(before.pages):
            return None
        new = {
            page for name, page in new_in(outline, before, lines, look, trace.sought) if _is_unknown(name, outline.pages[page], source, trace.files, sources)
        }
        if meaning_of(without(outline, new), lines, look, trace.sought) != trace.meanings[path]:
            return None
        number = pages_without(outline, new)
        look = msgspec.structs.replace(look, read={number[page] for page in look.read if page < len(number)})
        meaning = meaning_of(outline, lines, look, trace.sought)
    pieces.keep_outline(source.digest, outline)
    return look, meaning


def _is_unknown(name: str, page: Page, source: Source, files: Iterable[str], sources: Sources) -> bool:
    """Whether a name stands nowhere but on its own page."""
    around = source.lines.between(1, page.first - 1) + source.lines.between(page.last + 1, len(source.lines))
    return name not in around and not any(name.encode() in sources.peek(other) for other in files if other != source.path)


def moved(trace: Trace, key: str, stamps: Stamps, seen: Mapping[str, Seen]) -> Trace:
    """The trace for the files as they are now, with what there is to see of those that changed."""
    idle = trace.idle + sum(stamps[path].size - size for path, (size, _) in trace.files.items() if path not in trace.meanings)
    files = {path: (stamps[path].size, stamps[path].digest) for path in trace.files}
    looks = {**trace.looks, **{path: look for path, (look, _) in seen.items()}}
    meanings = {**trace.meanings, **{path: meaning for path, (_, meaning) in seen.items()}}
    return msgspec.structs.replace(trace, key=key, files=files, looks=looks, meanings=meanings, idle=idle)
