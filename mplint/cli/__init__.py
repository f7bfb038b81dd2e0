"""The command line.  Thin: it turns words into settings, asks a session, and prints."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

FINE, FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: nothing found; something found; mplint could not do its work; interrupted."""

_GARBAGE = 200_000
"""Objects made before circles are looked for: almost nothing that a run makes is in one, and looking costs a seventh of its time."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code.  Raises SystemExit always."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words in (["--version"], ["-V"]):
        from mplint import __version__

        print(f"mplint {__version__}")
        sys.exit(FINE)
    gc.set_threshold(_GARBAGE)
    try:
        from mplint.cli.command import run

        code = run(words)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of the output went away (`mplint | head`): nobody is left to be told.
        _abandon(sys.stdout)
        code = FOUND
    sys.exit(code)


def _abandon(stream: object) -> None:
    """Keep the interpreter from flushing into a closed pipe when it ends."""
    import os

    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, stream.fileno())  # type: ignore[attr-defined]
