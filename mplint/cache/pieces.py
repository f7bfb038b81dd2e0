"""What was read of single files: what the triage saw and the outline, by the digest of their bytes, and the facts of pages, by that of their text."""

from __future__ import annotations

import hashlib
import time
from typing import TypeVar

import msgspec

from mplint import facts as f
from mplint.cache.folder import Folder
from mplint.cache.identity import identity
from mplint.facts.outline import Outline
from mplint.source.scan import FileScan

T = TypeVar("T")

UNUSED = 14
"""Days after which what no run asked for is dropped."""


class Kept(msgspec.Struct, array_like=True):
    """A piece as it is stored, and the day on which a run last asked for it."""

    used: int
    piece: msgspec.Raw


class KeptScan(msgspec.Struct, array_like=True):
    used: int
    scan: FileScan


_FACTS = msgspec.msgpack.Decoder(dict[bytes, Kept])
_SCANS = msgspec.msgpack.Decoder(dict[bytes, KeptScan])
_OUTLINE = msgspec.msgpack.Decoder(Outline)
_STEPS = msgspec.msgpack.Decoder(tuple[f.Step, ...])
_ENCODER = msgspec.msgpack.Encoder()
_MISFITS = (msgspec.MsgspecError, ValueError, TypeError, RecursionError, MemoryError, OverflowError)


class Pieces:
    """The pieces that belong to the project in `root`.  An entry is decoded when it is asked for; a bad one is a miss."""

    def __init__(self, folder: Folder, root: str) -> None:
        self._folder = folder
        self._key = hashlib.blake2b(identity() + root.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        self._today = int(time.time() // 86400)
        self._facts = folder.read("facts", self._key, _FACTS) or {}
        self._scans = folder.read("scans", self._key, _SCANS) or {}
        self._new_facts = self._new_scans = False

    def scan(self, digest: bytes) -> FileScan | None:
        """What the triage saw in a file."""
        kept = self._scans.get(digest)
        if kept is None:
            return None
        if kept.used != self._today:
            kept.used = self._today
            self._new_scans = True
        return kept.scan

    def keep_scan(self, digest: bytes, scan: FileScan) -> None:
        self._scans[digest] = KeptScan(self._today, scan)
        self._new_scans = True

    def outline(self, digest: bytes, lines: int) -> Outline | None:
        """The outline of a file of so many lines."""
        found = self._kept(digest, _OUTLINE)
        return found if found is not None and _fits(found, lines) else None

    def keep_outline(self, digest: bytes, outline: Outline) -> None:
        self._keep(digest, outline)

    def steps(self, digest: bytes, page: int) -> tuple[f.Step, ...] | None:
        """The facts of the page with that number and digest (see `Module.page_digest`)."""
        found = self._kept(digest, _STEPS)
        return found if found is not None and all(step.at >> f.PAGE_BITS == page for step in found) else None

    def keep_steps(self, digest: bytes, steps: tuple[f.Step, ...]) -> None:
        self._keep(digest, steps)

    def _kept(self, digest: bytes, decoder: msgspec.msgpack.Decoder[T]) -> T | None:
        kept = self._facts.get(digest)
        if kept is None:
            return None
        if kept.used != self._today:
            kept.used = self._today
            self._new_facts = True
        try:
            return decoder.decode(kept.piece)
        except _MISFITS:
            return None

    def _keep(self, digest: bytes, value: object) -> None:
        try:
            raw = msgspec.Raw(_ENCODER.encode(value))
        except _MISFITS:  # too deep, or text that is no Unicode: read again the next time
            return
        self._facts[digest] = Kept(self._today, raw)
        self._new_facts = True

    def save(self) -> None:
        """Write what is new."""
        oldest = self._today - UNUSED
        if self._new_facts:
            self._folder.write("facts", self._key, {digest: kept for digest, kept in self._facts.items() if kept.used >= oldest})
        if self._new_scans:
            self._folder.write("scans", self._key, {digest: kept for digest, kept in self._scans.items() if kept.used >= oldest})
        self._new_facts = self._new_scans = False


def _fits(outline: Outline, lines: int) -> bool:
    """Whether every page and line that an outline names exists."""
    if any(not 0 < page.first <= page.last + 1 <= lines + 1 for page in outline.pages if page.kind != "module"):
        return False
    tables = [outline.functions, outline.names]
    for cls in outline.classes.values():
        tables += [cls.methods, cls.names, {"": (cls.head,)}]
    count = len(outline.pages)
    return all(0 <= page < count for table in tables for pages in table.values() for page in pages)
