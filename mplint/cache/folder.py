"""A folder of cache entries: small files with names of our own, read as data from a stranger, written in one step."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import msgspec

from mplint import __version__
from mplint.source import digest_of

T = TypeVar("T")

LARGEST = 128 << 20
"""Bytes of an entry; a larger one is neither read nor written."""

ROOM = 256 << 20
"""Bytes of all entries of this version together, beyond which the longest unused ones go."""

MOST = 100
"""Entries of one kind, beyond which the longest unused ones go."""

_TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of mplint and can be removed.  See https://bford.info/cachedir/\n"
_OURS = re.compile(r"(?:files|findings|facts|scans|traces)-[0-9a-f]{32}|\.[0-9a-f]{24}")
"""Entries, and files that were to become one."""
_VERSION = re.compile(r"\d+(?:\.\w+)+")
_OPEN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_CHECK = 16
"""Bytes at the start of an entry that name the rest: damage is found, intent is not."""

_STALE = 3600.0
"""Seconds after which a file that did not become an entry is rubbish."""


class Folder:
    """The entries of this version below `path`.  `warn` is told, once, that nothing can be kept, and why."""

    def __init__(self, path: str, *, own: bool = True, warn: Callable[[str], None] = lambda text: None) -> None:
        """`own` tells that the place is the default one: then a symbolic link in its place is not followed."""
        self.path = path
        self._home = os.path.join(path, __version__)
        self._own = own
        self._warn = warn
        self._broken = False

    def read(self, kind: str, key: str, decoder: msgspec.msgpack.Decoder[T]) -> T | None:
        """The entry of this name; None when there is none that can be read and decoded."""
        data = self._bytes(f"{kind}-{key}")
        if data is None or data[:_CHECK] != digest_of(data[_CHECK:]):
            return None
        try:
            return decoder.decode(memoryview(data)[_CHECK:])
        except (msgspec.MsgspecError, ValueError, TypeError, RecursionError, MemoryError, OverflowError):
            return None

    def used(self, kind: str, key: str) -> None:
        """Note that an entry was of use."""
        with contextlib.suppress(OSError, NotImplementedError):
            os.utime(os.path.join(self._home, f"{kind}-{key}"), follow_symlinks=False)

    def _bytes(self, name: str) -> bytes | None:
        if self._led_away():
            return None
        try:
            handle = os.open(os.path.join(self._home, name), os.O_RDONLY | _OPEN)
        except (OSError, ValueError):
            return None
        try:
            with os.fdopen(handle, "rb", buffering=0) as file:
                found = os.fstat(handle)
                if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
                    return None
                data = file.read(LARGEST)
        except (OSError, MemoryError):
            return None
        return data if data is not None and len(data) == found.st_size else None

    def write(self, kind: str, key: str, value: object) -> None:
        """Keep an entry, in one step and never through a symbolic link.  What cannot be encoded is left out."""
        if self._broken:
            return
        try:
            data = msgspec.msgpack.encode(value)
        except (ValueError, TypeError, RecursionError, OverflowError, MemoryError):
            return
        if len(data) > LARGEST:
            return
        if self._led_away():
            self._give_up("it is a symbolic link")
            return
        try:
            self._make()
            self._put(os.path.join(self._home, f"{kind}-{key}"), digest_of(data) + data)
        except OSError as error:
            self._give_up(error.strerror or str(error))

    def _give_up(self, reason: str) -> None:
        self._broken = True
        self._warn(f"nothing is kept in the cache {self.path}: {reason}")

    def _led_away(self) -> bool:
        """Whether a link stands where mplint would have made a folder."""
        return (self._own and os.path.islink(self.path)) or os.path.islink(self._home)

    def _make(self) -> None:
        """The folder, marked so that backups and git leave it alone."""
        if os.path.isdir(self._home):
            return
        fresh = not os.path.isdir(self.path)
        os.makedirs(self._home, exist_ok=True)
        if fresh:
            for name, data in (("CACHEDIR.TAG", _TAG), (".gitignore", b"# Made by mplint.\n*\n")):
                self._put(os.path.join(self.path, name), data)

    def _put(self, path: str, data: bytes) -> None:
        temporary = os.path.join(os.path.dirname(path), f".{os.urandom(12).hex()}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o666)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    def prune(self) -> None:
        """Remove what is too much, the entries that were used the longest ago first, and what runs that died left behind."""
        if self._broken or self._led_away():
            return
        entries: list[tuple[float, int, str]] = []
        now = time.time()
        try:
            with os.scandir(self._home) as found:
                for entry in found:
                    if _OURS.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                        seen = entry.stat(follow_symlinks=False)
                        if not entry.name.startswith("."):
                            entries.append((seen.st_mtime, seen.st_size, entry.path))
                        elif now - seen.st_mtime > _STALE:
                            _unlink(entry.path)
        except OSError:
            return
        total = sum(size for _, size, _ in entries)
        kinds = Counter(_kind(path) for _, _, path in entries)
        for _, size, path in sorted(entries):
            if total > ROOM or kinds[_kind(path)] > MOST:
                _unlink(path)
                total -= size
                kinds[_kind(path)] -= 1

    def clear(self) -> int:
        """Remove all entries, of other versions too; nothing that mplint did not write is touched.  Returns how many.  Raises OSError."""
        if self._own and os.path.islink(self.path):
            raise OSError("it is a symbolic link")
        count = 0
        if not os.path.isdir(self.path):
            return count
        for version in sorted(os.listdir(self.path)):
            home = os.path.join(self.path, version)
            if not _VERSION.fullmatch(version) or os.path.islink(home) or not os.path.isdir(home):
                continue
            for name in os.listdir(home):
                if _OURS.fullmatch(name):
                    os.unlink(os.path.join(home, name))
                    count += not name.startswith(".")
            with contextlib.suppress(OSError):  # something else lies in it
                os.rmdir(home)
        return count


def _kind(path: str) -> str:
    return os.path.basename(path).partition("-")[0]


def _unlink(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
