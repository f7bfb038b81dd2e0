"""Writing files so that they are never half written and never overwrite what somebody else has just written."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile

from mplint.source import Source


class Unwritable(Exception):
    """Why a file was left alone."""


def write_source(source: Source, text: str) -> None:
    """Replace the file of `source` by `text` in its encoding.  Raises Unwritable when it changed since it was read, or cannot be written."""
    try:
        data = source.encode(text)
    except ValueError as error:
        raise Unwritable(f"its encoding ({source.encoding}) cannot hold the new text: {error}") from None
    try:
        with open(source.path, "rb") as file:
            now = file.read()
        if now == data:
            return
        if now != source.data:
            raise Unwritable("it changed since it was read and was left alone")
        if not stat.S_IMODE(os.stat(source.path).st_mode) & 0o222:
            raise Unwritable("it is read-only and was left alone")
        write_atomically(source.path, data)
    except OSError as error:
        raise Unwritable(f"it cannot be written: {error.strerror or error}") from None


def write_atomically(path: str, data: bytes) -> None:
    """Put `data` into a file in one step, keeping its mode and, where that is allowed, its owner; a symbolic link stays one.  Raises OSError."""
    target = os.path.realpath(path)
    handle, temporary = tempfile.mkstemp(prefix=".mplint-", dir=os.path.dirname(target))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            old = os.stat(target)
            mode = stat.S_IMODE(old.st_mode)
            if hasattr(os, "chown"):
                with contextlib.suppress(OSError):
                    os.chown(temporary, old.st_uid, old.st_gid)
        except FileNotFoundError:
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
