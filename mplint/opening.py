"""From paths to sessions: one for each project that the paths lie in, and their results as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from mplint.config.settings import Settings
from mplint.discover import Found, discover, grouped
from mplint.result import Result
from mplint.session import Session


class Opened(msgspec.Struct, frozen=True):
    """A session over one project, and the files of it that were named."""

    session: Session
    found: Found


def open_sessions(
    paths: Sequence[str],
    settings_for: Callable[[Sequence[str]], Settings],
    *,
    overlays: Mapping[str, bytes] | None = None,
    noqa: bool = True,
    codes: Callable[[str], bool] | None = None,
) -> tuple[Opened, ...]:
    """A session for each project that `paths` lie in: one, as a rule.  `settings_for` loads the settings of a group of paths."""
    opened = []
    for group in grouped(paths):
        settings = settings_for(group)
        found = discover(group, settings, unsaved=overlays or ())
        opened.append(Opened(Session(settings, found.project, overlays=overlays, noqa=noqa, codes=codes), found))
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
