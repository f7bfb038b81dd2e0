"""What a run looked at, so that an edit of something else needs no second look.

The engine reads some modules, by their outlines and pages; asks which files hold a word; and of every other file sees its scan alone.  When
none of that differs after an edit, the engine would go the same way again, and what it found stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from mplint.cache.stamps import Stamps
from mplint.facts.outline import Outline, outline_of
from mplint.finding import Finding, suppress
from mplint.finding.result import Result
from mplint.source import Lines, Source, UnreadableFile, decode, digest_of
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
    `raw` are the files of which every byte mattered, `meanings` digests of what the engine saw of the modules that it read.
    """

    key: str
    checked: tuple[str, ...]
    files: dict[str, tuple[int, bytes]]
    words: dict[bytes, bytes]
    words_of: dict[bytes, dict[str, bool]]
    raw: frozenset[str]
    meanings: dict[str, bytes]
    places: dict[str, Place]
    idle: int
    parsed: bool


DECODER = msgspec.msgpack.Decoder(Trace)


def trace_of(session: Session, key: str, stamps: Stamps, result: Result, parsed: bool) -> Trace:
    """The trace of a check that has just ended."""
    project, sources = session.project, session.sources
    meanings = {}
    for path in session.asked:
        module = project.module(path)
        meanings[path] = b"" if module is None else _meaning(module.outline, module.lines)
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
    return Trace(key, result.checked, files, words, sources.asked_of, frozenset(sources.raw), meanings, places, idle, parsed)


def _reach(finding: Finding) -> list[tuple[str, int]]:
    ends = [(finding.path, finding.span.stop), *((place.path, place.span.stop) for place in finding.because)]
    return ends + [(finding.path, edit.span.stop) for edit in (finding.fix.edits if finding.fix is not None else ())]


def _prefix(source: Source, end: int) -> bytes:
    return digest_of(source.text[:end].encode("utf-8", "surrogatepass"))


def _meaning(outline: Outline, lines: Lines) -> bytes:
    """Digest of what the engine can see of a module: its outline and the text of its pages."""
    digest = hashlib.blake2b(msgspec.msgpack.encode(outline), digest_size=16)
    for page in outline.pages:
        digest.update(lines.between(page.first, page.last).encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.digest()


def holds(trace: Trace, result: Result, stamps: Stamps, data: Mapping[str, bytes], pieces: Pieces) -> bool:
    """Whether what was found stands for the files as they are now; `data` are the contents of those that changed, at least."""
    if trace.files.keys() != stamps.keys():
        return False
    changed = [path for path, (_, digest) in trace.files.items() if stamps[path].digest != digest]
    if not changed or len(changed) > MANY or not all(path in data for path in changed):
        return False
    spoken = {finding.path for finding in (*result.findings, *result.hidden, *result.accepted) if finding.code in _ABOUT_TEXT}
    idle = trace.idle + sum(stamps[path].size - trace.files[path][0] for path in changed if path not in trace.meanings)
    if (idle <= SYNTAX_BUDGET) != (trace.idle <= SYNTAX_BUDGET):
        return False
    number = {path: at for at, path in enumerate(trace.files)}
    return all(path not in spoken and _same(trace, path, number[path], data[path], pieces) for path in changed)


def _same(trace: Trace, path: str, number: int, data: bytes, pieces: Pieces) -> bool:
    if path in trace.raw or path.endswith(".ipynb") or suppress.may_matter(data):
        return False
    before = pieces.scan(trace.files[path][1])
    scan = scan_of(data)
    pieces.keep_scan(digest_of(data), scan)
    if before != scan or any((word in data) != bool(bits[number >> 3] >> (number & 7) & 1) for word, bits in trace.words.items()):
        return False
    if any(path in seen and (word in data) != seen[path] for word, seen in trace.words_of.items()):
        return False
    try:
        source = decode(path, data)
        if path in trace.meanings and _meaning(outline_of(source.text), source.lines) != trace.meanings[path]:
            return False
    except (UnreadableFile, SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    place = trace.places.get(path)
    if place is not None and (place.addressed or suppress.may_hide_all(data) or _prefix(source, place.end) != place.digest):
        return False
    return path in trace.meanings or not trace.parsed or path not in trace.checked or syntax_error(source) is None


def moved(trace: Trace, key: str, stamps: Stamps) -> Trace:
    """The trace for the files as they are now."""
    idle = trace.idle + sum(stamps[path].size - size for path, (size, _) in trace.files.items() if path not in trace.meanings)
    files = {path: (stamps[path].size, stamps[path].digest) for path in trace.files}
    return msgspec.structs.replace(trace, key=key, files=files, idle=idle)
