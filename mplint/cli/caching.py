"""`--clear-cache`: what earlier runs kept is thrown away."""

from __future__ import annotations

import os

from mplint.cache.folder import Folder
from mplint.cache.memory import place_of
from mplint.cli import FAILED, FINE
from mplint.cli.complaints import complain
from mplint.cli.inputs import settings_for
from mplint.cli.words import Request
from mplint.source.discover import grouped


def clear(asked: Request) -> int:
    """`--clear-cache`.  Returns the exit code."""
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
