"""The question asked of the bytes: which files can matter at all.

The promise: a file is kept when it names a process or executor API, registers signal handlers, gathers, calls a method that only
pools have, or states a class that may derive from an exception.  `docs/architecture.md` says what can still be missed.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Collection, Iterable, Iterator, Sequence

from mplint.source.scan import FileScan, scan_of
from mplint.source import Sources, digest_of

if TYPE_CHECKING:
    from mplint.cache.pieces import Pieces

_EXCEPTION = re.compile(rb"(?:Error|Exception|Warning|Exit|Interrupt|Failure|Failed|StopIteration|Group)$")


class Triage:
    """The answers for one set of files; `starting` are the library modules by which work is handed over."""

    def __init__(self, sources: Sources, starting: Collection[str], pieces: Pieces | None = None) -> None:
        self.sources = sources
        self._starting = [frozenset(name.encode().split(b".")) for name in starting]
        self._pieces = pieces

    @cached_property
    def scans(self) -> dict[str, FileScan]:
        """What is seen in each file."""
        return {path: self._scan(path) for path in self.sources.files}

    def _scan(self, path: str) -> FileScan:
        if self._pieces is None:
            return scan_of(self.sources.peek(path))
        found = self._pieces.scan(self.sources.digest(path))
        if found is None:
            data = self.sources.peek(path)
            found = scan_of(data)
            self._pieces.keep_scan(digest_of(data), found)
        return found

    @cached_property
    def seeds(self) -> tuple[str, ...]:
        """Files that may hand work to somebody."""
        awaits = any(scan.is_awaited for scan in self.scans.values())
        return tuple(
            path
            for path, scan in self.scans.items()
            if scan.is_seed or any(map((scan.imported | scan.origins).issuperset, self._starting)) or (awaits and (scan.is_awaited or scan.is_awaiting))
        )

    @cached_property
    def properties(self) -> frozenset[str]:
        """The names of all properties."""
        return frozenset(name for scan in self.scans.values() for name in scan.properties)

    @cached_property
    def heads(self) -> tuple[tuple[str, str, frozenset[bytes]], ...]:
        """Every class statement with bases: file, name, last words of the bases."""
        return tuple((path, cls, frozenset(bases)) for path, scan in self.scans.items() for cls, bases in scan.heads)

    @cached_property
    def _by_base(self) -> dict[bytes, list[tuple[str, str]]]:
        out: dict[bytes, list[tuple[str, str]]] = {}
        for path, cls, bases in self.heads:
            for base in bases:
                out.setdefault(base, []).append((path, cls))
        return out

    def derived(self, name: str) -> Sequence[tuple[str, str]]:
        """Class statements (file, name) that name `name` among their bases."""
        return self._by_base.get(name.encode(), ())

    @cached_property
    def exceptions(self) -> dict[str, frozenset[str]]:
        """Files and names of the classes in them that may be exceptions, judged by the words of their bases, to a fixpoint."""
        queue = [base for base in self._by_base if _EXCEPTION.search(base)]
        known = set(queue)
        out: dict[str, set[str]] = {}
        while queue:
            for path, cls in self._by_base.get(queue.pop(), ()):
                out.setdefault(path, set()).add(cls)
                if cls.encode() not in known:
                    known.add(cls.encode())
                    queue.append(cls.encode())
        return {path: frozenset(classes) for path, classes in out.items()}

    @cached_property
    def kept(self) -> frozenset[str]:
        """Files in which something is looked at."""
        return frozenset(self.seeds) | frozenset(self.exceptions)

    @cached_property
    def _importing(self) -> dict[bytes, list[str]]:
        out: dict[bytes, list[str]] = {}
        for path, scan in self.scans.items():
            for word in scan.imported | scan.origins:
                out.setdefault(word, []).append(path)
        return out

    def importing(self, names: Iterable[str]) -> dict[str, None]:
        """Files whose import statements spell one of `names`, as a module or as what is imported."""
        return {path: None for name in names for path in self._importing.get(name.encode(errors="surrogateescape"), ())}

    def through_packages(self, path: str, name: str) -> Iterator[str]:
        """Files that import a package around the module at `path` which gives out `name`, or everything: `import falcon; falcon.HTTPError`."""
        place = path.removesuffix("/__init__.py").removesuffix(".py")
        words = {place.rpartition("/")[2].encode(), name.encode()}
        while (scan := self.scans.get(f"{(place := place.rpartition('/')[0])}/__init__.py")) is not None:
            if not (words.isdisjoint(scan.imported) and words.isdisjoint(scan.origins)):
                word = place.rpartition("/")[2].encode()
                words.add(word)
                yield from (user for user in self._importing.get(word, ()) if word in self.scans[user].imported)

    def importers(self, names: set[str]) -> Iterator[str]:
        """Files that import one of `names` by name, or derive a class from one."""
        wanted = {name.encode() for name in names}
        for path, scan in self.scans.items():
            if not scan.imported.isdisjoint(wanted):
                yield path
        for name in wanted:
            yield from (path for path, _ in self._by_base.get(name, ()))
