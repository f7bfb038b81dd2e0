"""What the files of a project hold, by digest; files that have not changed by all signs of the file system are not read again."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

import msgspec

from mplint.source import digest_of

SETTLED = 2_000_000_000
"""Nanoseconds for which a file must have been left alone before its times are trusted; the coarsest clock of a file system ticks that slowly."""


class Stamp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Size in bytes, times in nanoseconds (0 when they must not be trusted), and the digest of the content."""

    size: int
    modified: int
    changed: int
    digest: bytes


Stamps = dict[str, Stamp]
DECODER = msgspec.msgpack.Decoder(Stamps)


class Seen(msgspec.Struct, frozen=True):
    """`stamps` of the files, `data` of those that were read; `is_new` when the stamps are worth keeping."""

    stamps: Stamps
    data: dict[str, bytes]
    is_new: bool


def look(paths: Sequence[str], known: Mapping[str, Stamp], overlays: Mapping[str, bytes]) -> Seen:
    """Stamps of all `paths`: by `known` where nothing has changed, by reading elsewhere."""
    stamps: Stamps = {}
    data: dict[str, bytes] = {}
    newest = time.time_ns() - SETTLED
    is_new = len(known) != len(paths)
    for path in paths:
        if path in overlays:
            stamps[path] = Stamp(len(overlays[path]), 0, 0, digest_of(overlays[path]))
            is_new = is_new or path not in known
            continue
        old = known.get(path)
        try:
            found = os.stat(path)
            if old is not None and old.modified and (old.size, old.modified, old.changed) == (found.st_size, found.st_mtime_ns, found.st_ctime_ns):
                stamps[path] = old
                continue
            with open(path, "rb", buffering=0) as file:
                data[path] = file.readall()
        except OSError as error:
            stamps[path] = Stamp(0, 0, 0, b"cannot be read: %d" % (error.errno or 0))
            continue
        is_settled = max(found.st_mtime_ns, found.st_ctime_ns) < newest
        times = (found.st_mtime_ns, found.st_ctime_ns) if is_settled else (0, 0)
        stamps[path] = Stamp(found.st_size, *times, digest_of(data[path]))
        is_new = is_new or stamps[path] != old
    return Seen(stamps, data, is_new)


def unchanged(seen: Seen, overlays: Mapping[str, bytes]) -> bool:
    """Whether the files still are what `look` saw: what was found out since is about exactly that content."""
    for path, stamp in seen.stamps.items():
        if path in overlays:
            continue
        if not stamp.modified:
            try:
                with open(path, "rb", buffering=0) as file:
                    if digest_of(file.readall()) != stamp.digest:
                        return False
            except OSError as error:
                if stamp.digest != b"cannot be read: %d" % (error.errno or 0):
                    return False
            continue
        try:
            found = os.stat(path)
        except OSError:
            return False
        if (stamp.size, stamp.modified, stamp.changed) != (found.st_size, found.st_mtime_ns, found.st_ctime_ns):
            return False
    return True
