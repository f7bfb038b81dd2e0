"""What the triage sees in the bytes of one file: all that it ever asks of a file that it turns away."""

from __future__ import annotations

import re

import msgspec

TOKENS = (b"multiprocess", b"run_in_executor", b".imap", b".starmap")
"""Any of these bytes makes a file a seed, and so does `_async(`."""

AWAITED = (b"run_in_executor", b"to_thread", b"wrap_future")
"""Where any file has one of these, what gathers, groups or waits for awaitables matters too."""

AWAITING = (b"gather", b"TaskGroup", b"wait_for", b"asyncio.wait")

_CLASS = re.compile(rb"class\s+(\w+)\s*\(([^)]*)\)")
_WORD = re.compile(rb"\w+")
_PROPERTY = re.compile(rb"@[\w.]*property\b[^\n]*\s+(?:async\s+)?def\s+(\w+)")


class FileScan(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`is_seed`, `is_awaited`, `is_awaiting`: whether it holds one of those tokens.  `heads` are its class statements with bases: name,
    words of the bases.  `imported` are the words behind `import` in its import statements, `origins` those behind `from`."""

    is_seed: bool = False
    is_awaited: bool = False
    is_awaiting: bool = False
    heads: tuple[tuple[str, tuple[bytes, ...]], ...] = ()
    imported: frozenset[bytes] = frozenset()
    origins: frozenset[bytes] = frozenset()
    properties: tuple[str, ...] = ()
    """Names of properties that are defined in it."""


def scan_of(data: bytes) -> FileScan:
    """Look through the bytes of a file."""
    heads: tuple[tuple[str, tuple[bytes, ...]], ...] = ()
    if b"class" in data:
        heads = tuple((found[1].decode("ascii", "replace"), tuple(dict.fromkeys(_WORD.findall(found[2])))) for found in _CLASS.finditer(data))
    is_async = b"async" in data
    is_seed = any(token in data for token in TOKENS) or (is_async and b"_async(" in data)
    awaited = any(token in data for token in AWAITED if is_async or token == b"run_in_executor")
    awaiting = is_async and any(token in data for token in AWAITING)
    properties = tuple(name.decode("ascii", "replace") for name in _PROPERTY.findall(data)) if b"property" in data else ()
    origins, imported = (frozenset(_WORD.findall(words)) for words in _imports(data))
    return FileScan(is_seed, awaited, awaiting, heads, imported, origins, properties)


def _imports(data: bytes) -> tuple[bytes, bytes]:
    """What stands before and behind each `import`, as far as its line and the brackets behind it go."""
    before: list[bytes] = []
    behind: list[bytes] = []
    at = data.find(b"import")
    while at >= 0:
        first = data.rfind(b"\n", 0, at) + 1
        end = data.find(b"\n", at)
        bracket = data.find(b"(", at, end if end >= 0 else len(data))
        if bracket >= 0 and not data[at + 6 : bracket].strip():
            end = data.find(b")", bracket)
        before.append(data[first:at])
        behind.append(data[at + 6 : end] if end >= 0 else data[at + 6 :])
        at = data.find(b"import", end) if end >= 0 else -1
    return b"\n".join(before), b"\n".join(behind)
