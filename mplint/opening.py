"""From paths to findings: one project for each that the paths lie in, their sessions, and their results as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from mplint.config.settings import Settings
from mplint.finding.result import Result
from mplint.source import Sources
from mplint.source.discover import Found, discover, grouped

if TYPE_CHECKING:
    from mplint.cache.findings import Entry
    from mplint.cache.folder import Folder
    from mplint.cache.memory import Memory
    from mplint.session import Session


class Opened:
    """A project, and the files of it that were named.  Its session begins when something has to be found out."""

    def __init__(
        self,
        settings: Settings,
        found: Found,
        *,
        overlays: Mapping[str, bytes] | None = None,
        noqa: bool = True,
        codes: Callable[[str], bool] | None = None,
        folder: Folder | None = None,
    ) -> None:
        self.settings = settings
        self.found = found
        self._overlays = dict(overlays or {})
        self._noqa = noqa
        self._codes = codes
        self._folder = folder
        self._recalled: Entry | None = None

    @cached_property
    def _memory(self) -> Memory | None:
        if self._folder is None:
            return None
        from mplint.cache.memory import Memory

        return Memory(self._folder, self.settings, self.found.project, self._overlays)

    @cached_property
    def session(self) -> Session:
        """The session over the project.  Raises ConfigError."""
        from mplint.session import Session

        memory = self._memory
        pieces = memory.pieces if memory is not None else None
        session = Session(self.settings, self.found.project, overlays=self._overlays, noqa=self._noqa, codes=self._codes, pieces=pieces)
        if memory is not None:
            session.sources.tell(memory.digests, memory.data)
        return session

    def with_session(self, session: Session) -> Opened:
        """The same project as another session sees it."""
        other = Opened(self.settings, self.found, overlays=self._overlays, noqa=self._noqa, codes=self._codes)
        other.__dict__["session"] = session
        return other

    def text(self, path: str) -> str:
        """The text of a file as it was checked.  Raises UnreadableFile."""
        sources = self.session.sources if "session" in self.__dict__ else self._sources
        return sources.read(path).text

    @cached_property
    def _sources(self) -> Sources:
        return Sources(self.settings.root, self.found.project, self._overlays)

    @property
    def is_recalled(self) -> bool:
        """Whether the last check was answered by an earlier run."""
        return self._recalled is not None

    @property
    def remarks(self) -> tuple[str, ...]:
        """Warnings about the settings."""
        return self.session.chosen.remarks if self._recalled is None else self._recalled.remarks

    @property
    def broken(self) -> tuple[str, ...]:
        """Rule packs that could not be loaded."""
        return self.session.packs.broken if self._recalled is None else ()

    def recall(self, *, fixable: bool = True) -> Result | None:
        """What an earlier run found in exactly these files; without `fixable` only when there is nothing in it to be fixed."""
        if self._memory is None or not self._noqa or self._codes is not None:
            return None
        entry = self._memory.recall(self.found.given)
        if entry is None or not (fixable or all(finding.fix is None for finding in entry.result.findings)):
            return None
        self._recalled = entry
        return entry.result

    def check(self, *, fixes: bool = True, jobs: int = 1, progress: Callable[[int, int], None] | None = None) -> Result:
        """What is found in the named files now, kept for later runs."""
        self._recalled = None
        result = self.session.check(self.found.given, fixes=fixes, jobs=jobs, progress=progress)
        if self._memory is not None:
            if fixes and self._noqa and self._codes is None:
                self._memory.keep(result, self.session)
            else:
                self._memory.save()
        return result


def open_sessions(
    paths: Sequence[str],
    settings_for: Callable[[Sequence[str]], Settings],
    *,
    overlays: Mapping[str, bytes] | None = None,
    noqa: bool = True,
    codes: Callable[[str], bool] | None = None,
    folder_for: Callable[[Settings], Folder | None] = lambda settings: None,
) -> tuple[Opened, ...]:
    """What is open for each project that `paths` lie in: one, as a rule.  `settings_for` loads the settings of a group of paths, `folder_for`
    tells where the cache of a project is, None for no cache."""
    opened = []
    for group in grouped(paths):
        settings = settings_for(group)
        found = discover(group, settings, unsaved=overlays or ())
        opened.append(Opened(settings, found, overlays=overlays, noqa=noqa, codes=codes, folder=folder_for(settings)))
    return tuple(opened)


def merged(results: Sequence[Result]) -> Result:
    """The results of several projects as one."""
    if len(results) == 1:
        return results[0]
    lists = {
        name: tuple(item for result in results for item in getattr(result, name))
        for name in ("findings", "hidden", "accepted", "withheld", "crashes", "checked")
    }
    return Result(**lists, gone=sum(result.gone for result in results))
