"""What the triage sees in the bytes of one file: all that it ever asks of a file that it turns away."""

from __future__ import annotations

import re

import msgspec

TOKENS = (
    b"multiprocess", b"concurrent.futures", b"concurrent import futures", b"signal.signal", b"import signal", b"from signal",
    b"run_in_executor", b"process_map", b"apply_async", b"imap", b"starmap", b"map_async", b"ProcessPool", b"get_context",
)  # fmt: skip
"""Any of these bytes makes a file a seed."""

LIBRARIES = {
    "joblib": (b"joblib",), "loky": (b"loky",), "billiard": (b"billiard",), "pathos": (b"pathos",), "pebble": (b"pebble",), "mpire": (b"mpire",),
    "sklearn": (b"sklearn.utils.parallel",), "distributed": (b"dask.distributed", b"from distributed", b"import distributed"),
}  # fmt: skip
"""And so does any of these, by which a file names a library, except in that library itself."""

AWAITED = (b"run_in_executor", b"to_thread", b"wrap_future")
"""Where any file has one of these, what gathers, groups or waits for awaitables matters too."""

AWAITING = (b"gather", b"TaskGroup", b"wait_for", b"asyncio.wait")

_CLASS = re.compile(rb"class\s+(\w+)\s*\(([^)]*)\)")
_FROM = re.compile(rb"from\s+[\w.]+\s+import\s+(\([^)]*\)|[^\n]*)")
_WORD = re.compile(rb"\w+")
_PROPERTY = re.compile(rb"@[\w.]*property\b[^\n]*\s+(?:async\s+)?def\s+(\w+)")


class FileScan(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`is_seed`, `is_awaited`, `is_awaiting`: whether it holds one of those tokens; `libraries`: which of those it names.  `heads` are its class statements with bases: name,
    words of the bases.  `taken` are the names that it imports from anywhere."""

    is_seed: bool = False
    is_awaited: bool = False
    is_awaiting: bool = False
    libraries: tuple[str, ...] = ()
    heads: tuple[tuple[str, tuple[bytes, ...]], ...] = ()
    taken: frozenset[bytes] = frozenset()
    properties: tuple[str, ...] = ()
    """Names of properties that are defined in it."""


def scan_of(data: bytes) -> FileScan:
    """Look through the bytes of a file."""
    heads: tuple[tuple[str, tuple[bytes, ...]], ...] = ()
    if b"class" in data:
        heads = tuple((found[1].decode("ascii", "replace"), tuple(dict.fromkeys(_WORD.findall(found[2])))) for found in _CLASS.finditer(data))
    taken: set[bytes] = set()
    for found in _FROM.finditer(data):
        taken.update(_WORD.findall(found[1]))
    awaited, awaiting = (any(token in data for token in tokens) for tokens in (AWAITED, AWAITING))
    properties = tuple(name.decode("ascii", "replace") for name in _PROPERTY.findall(data)) if b"property" in data else ()
    libraries = tuple(name for name, tokens in LIBRARIES.items() if any(token in data for token in tokens))
    return FileScan(any(token in data for token in TOKENS), awaited, awaiting, libraries, heads, frozenset(taken), properties)
