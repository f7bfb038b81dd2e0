"""The cache of a run: where it is, what is said when it does not work, and how it is emptied."""

from __future__ import annotations

import os
from collections.abc import Callable

from mplint.cache.folder import Folder
from mplint.cache.memory import place_of
from mplint.cli import FAILED, FINE
from mplint.cli.complaints import complain
from mplint.cli.words import Request
from mplint.config import Settings
from mplint.discover import grouped


def folders(asked: Request) -> Callable[[Settings], Folder | None]:
    """What gives the cache of a project, None where none is to be used.  Of all that goes wrong with caches one warning is given."""
    said: list[str] = []

    def warn(text: str) -> None:
        if not said and not asked.quiet:
            complain(text, word="warning")
        said.append(text)

    def folder(settings: Settings) -> Folder | None:
        place = place_of(settings) if asked.cache else None
        return None if place is None else Folder(place, own=settings.cache_dir is None, warn=warn)

    return folder


def clear(asked: Request) -> int:
    """`--clear-cache`.  Returns the exit code."""
    from mplint.cli.checking import settings_for

    failed = False
    for group in grouped(asked.paths or (".",)):
        settings = settings_for(asked, group)
        place = place_of(settings)
        if place is None:
            continue
        shown = os.path.relpath(place)
        try:
            count = Folder(place, own=settings.cache_dir is None).clear()
        except OSError as error:
            complain(f"{shown} cannot be emptied: {error.strerror or error}")
            failed = True
            continue
        if not asked.quiet:
            complain(f"{count} entries removed from {shown}" if count != 1 else f"1 entry removed from {shown}", word="note")
    return FAILED if failed else FINE
