"""The question asked of the bytes: which files can matter at all.

The promise: a file is kept when it names a process or executor API, registers signal handlers, gathers, calls a method that only
pools have, or states a class that may derive from an exception.  `docs/architecture.md` says what can still be missed.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Iterator

from mplint.source import Sources

TOKENS = (
    b"multiprocess", b"concurrent.futures", b"concurrent import futures", b"joblib", b"loky", b"billiard", b"pathos", b"pebble", b"mpire",
    b"run_in_executor", b"process_map", b"apply_async", b"imap", b"starmap", b"map_async", b"signal.signal", b"import signal", b"from signal", b"ProcessPool", b"get_context",
)  # fmt: skip
"""Any of these bytes makes a file a seed."""

AWAITED = (b"run_in_executor", b"to_thread", b"wrap_future")
"""Where any file has one of these, what gathers, groups or waits for awaitables matters too."""

AWAITING = (b"gather", b"TaskGroup", b"wait_for", b"asyncio.wait")

_CLASS = re.compile(rb"class\s+(\w+)\s*\(([^)]*)\)")
_FROM = re.compile(rb"from\s+[\w.]+\s+import\s+(\([^)]*\)|[^\n]*)")
_WORD = re.compile(rb"\w+")
_EXCEPTION = re.compile(rb"(?:Error|Exception|Warning|Exit|Interrupt|Failure|Failed|StopIteration|Group)$")


class Triage:
    """The answers for one set of files."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    @cached_property
    def seeds(self) -> tuple[str, ...]:
        """Files that may hand work to somebody."""
        tokens = TOKENS
        if any(token in self.sources.data(path) for path in self.sources.files for token in AWAITED):
            tokens += AWAITED + AWAITING
        return tuple(p for p in self.sources.files if any(t in self.sources.data(p) for t in tokens))

    @cached_property
    def heads(self) -> tuple[tuple[str, str, frozenset[bytes]], ...]:
        """Every class statement with bases: file, name, last words of the bases."""
        out: list[tuple[str, str, frozenset[bytes]]] = []
        for path in self.sources.files:
            data = self.sources.data(path)
            if b"class" in data:
                for found in _CLASS.finditer(data):
                    out.append((path, found[1].decode("ascii", "replace"), frozenset(_WORD.findall(found[2]))))
        return tuple(out)

    def derived(self, name: str) -> Iterator[tuple[str, str]]:
        """Class statements (file, name) that name `name` among their bases."""
        word = name.encode()
        return ((path, cls) for path, cls, bases in self.heads if word in bases)

    @cached_property
    def exceptions(self) -> dict[str, frozenset[str]]:
        """Files and names of the classes in them that may be exceptions, judged by the words of their bases, to a fixpoint."""
        known: set[bytes] = set()
        chosen: dict[tuple[str, str], None] = {}
        grew = True
        while grew:
            grew = False
            for path, cls, bases in self.heads:
                if (path, cls) not in chosen and any(b in known or _EXCEPTION.search(b) for b in bases):
                    chosen[path, cls] = None
                    known.add(cls.encode())
                    grew = True
        out: dict[str, set[str]] = {}
        for path, cls in chosen:
            out.setdefault(path, set()).add(cls)
        return {path: frozenset(classes) for path, classes in out.items()}

    @cached_property
    def kept(self) -> frozenset[str]:
        """Files in which something is looked at."""
        return frozenset(self.seeds) | frozenset(self.exceptions)

    @cached_property
    def _taken(self) -> tuple[tuple[str, frozenset[bytes]], ...]:
        """What each file imports by name from anywhere."""
        out: list[tuple[str, frozenset[bytes]]] = []
        for path in self.sources.files:
            names: set[bytes] = set()
            for found in _FROM.finditer(self.sources.data(path)):
                names.update(_WORD.findall(found[1]))
            out.append((path, frozenset(names)))
        return tuple(out)

    def importers(self, names: set[str]) -> Iterator[str]:
        """Files that import one of `names` by name, or derive a class from one."""
        wanted = {name.encode() for name in names}
        for path, taken in self._taken:
            if not taken.isdisjoint(wanted):
                yield path
        for path, _, bases in self.heads:
            if not bases.isdisjoint(wanted):
                yield path
