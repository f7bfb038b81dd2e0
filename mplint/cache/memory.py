"""What a run knows from earlier ones about its project, and what it leaves for later ones."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from mplint.cache import findings, stamps
from mplint.cache.findings import Entry
from mplint.cache.folder import Folder
from mplint.cache.identity import files_of_packs
from mplint.config.settings import Settings
from mplint.finding.result import Result
from mplint.source import Sources, digest_of

if TYPE_CHECKING:
    from mplint.cache.pieces import Pieces
    from mplint.session import Session

NAME = ".mplint_cache"


def place_of(settings: Settings) -> str | None:
    """The folder of the cache; None for loose files, beside which nothing is left."""
    if settings.cache_dir is not None:
        return settings.cache_dir
    return None if settings.packages_only else os.path.join(settings.root, NAME)


class Memory:
    """`files` are those of the project, `overlays` the contents that stand for some of them."""

    def __init__(self, folder: Folder, settings: Settings, files: Sequence[str], overlays: Mapping[str, bytes]) -> None:
        self._folder = folder
        self._settings = settings
        self._files = files
        self._overlays = overlays
        self._name = hashlib.blake2b(os.fsencode(settings.root), digest_size=16).hexdigest()
        known = folder.read("files", self._name, stamps.DECODER)
        self._seen = stamps.look(files, known or {}, overlays)

    @property
    def digests(self) -> dict[str, bytes]:
        """Of the content of each file."""
        return {path: stamp.digest for path, stamp in self._seen.stamps.items()}

    @property
    def data(self) -> Mapping[str, bytes]:
        """The content of the files that had to be read."""
        return self._seen.data

    @cached_property
    def pieces(self) -> Pieces:
        """What was read of single files."""
        from mplint.cache.pieces import Pieces

        return Pieces(self._folder, self._settings.root)

    def recall(self, given: Sequence[str]) -> Entry | None:
        """What is known to be found in the files `given`."""
        entry = self._recalled(self._key(given), given)
        if entry is not None:
            self._folder.used("findings", self._key(given))
        elif not self._overlays:
            entry = self._retraced(given)
        if entry is not None:
            self._keep_stamps()
        return entry

    def _recalled(self, key: str, given: Sequence[str]) -> Entry | None:
        return findings.recall(self._folder, key, given, overlays=self._overlays, project=self._files)

    def _retraced(self, given: Sequence[str]) -> Entry | None:
        """What was found before an edit that the engine would not see."""
        from mplint.cache import trace

        name, stamps_now = self._trace_name(given), self._seen.stamps
        traces = self._folder.read("traces", name, trace.DECODER) or ()
        sources = Sources(self._settings.root, self._files)
        sources.tell({}, self._seen.data)
        for found in traces:
            entry = self._recalled(found.key, found.checked) if set(given).issubset(found.checked) else None
            if entry is None or (seen := trace.still_seen(found, entry.result, stamps_now, sources, self.pieces)) is None:
                continue
            if not stamps.unchanged(self._seen, self._overlays):
                return None
            key = self._key(found.checked)
            findings.keep(self._folder, key, entry)
            self._folder.write("traces", name, (trace.moved(found, key, stamps_now, seen), *(other for other in traces if other is not found)))
            self.pieces.save()
            return self._recalled(key, given)
        return None

    def _trace_name(self, given: Sequence[str]) -> str:
        return findings.key_of(self._settings, {}, given)

    def keep(self, result: Result, session: Session) -> None:
        """Remember the result of a check, unless it is not about the files as they were seen, or something broke."""
        if not result.crashes and stamps.unchanged(self._seen, self._overlays):
            looked, parsed = session.looked_into(result.checked)
            outside = [(path, digest_of(data)) for path, data in session.sources.outside.items()]
            outside += [(path, b"none") for path in session.sources.missing]
            outside += [(path, findings.content_of(path)) for path in files_of_packs({type(rule).__module__ for rule in session.rules})]
            entry = Entry(result, session.chosen.remarks, parsed, () if parsed else looked, tuple(outside))
            if not session.packs.broken:
                key = self._key(result.checked)
                findings.keep(self._folder, key, entry)
                self._keep_trace(session, key, result, parsed)
        self.save()

    def _keep_trace(self, session: Session, key: str, result: Result, parsed: bool) -> None:
        from mplint.cache import trace

        if self._overlays:
            return
        name = self._trace_name(result.checked)
        old = self._folder.read("traces", name, trace.DECODER) or ()
        if not old or len(old[0].checked) <= len(result.checked):
            new = trace.trace_of(session, key, self._seen.stamps, result, parsed)
            self._folder.write("traces", name, (new, *old)[: trace.KEPT])

    def save(self) -> None:
        """Remember what was read, whatever was found."""
        self._keep_stamps()
        if "pieces" in self.__dict__:
            self.pieces.save()
        self._folder.prune()

    def _keep_stamps(self) -> None:
        if self._seen.is_new and not self._overlays:
            self._folder.write("files", self._name, self._seen.stamps)
            self._seen = msgspec.structs.replace(self._seen, is_new=False)

    def _key(self, given: Sequence[str]) -> str:
        return findings.key_of(self._settings, self._seen.stamps, given)
