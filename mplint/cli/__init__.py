"""The command line.  Thin: it turns words into settings, asks a session, and prints."""

from __future__ import annotations

import errno
import gc
import sys
from collections.abc import Sequence

FINE, FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: nothing found; something found; mplint could not do its work; interrupted."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})

_GARBAGE = 200_000
"""Objects made before circles are looked for: almost nothing that a run makes is in one, and looking costs a seventh of its time."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code.  Raises SystemExit always."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    code = FOUND
    _open_closed()
    try:
        code = _run(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of the output went away (`mplint | head`): nobody is left to be told.
        _abandon(sys.stdout)
    except OSError as error:
        if error.errno not in _FULL or error.filename is not None:  # of a file, not of a stream
            raise
        from mplint.cli.complaints import complain

        _abandon(sys.stdout)
        complain(f"standard output cannot be written: {error.strerror or error}")
        code = FAILED
    sys.exit(code)


def _run(words: list[str]) -> int:
    if words in (["--version"], ["-V"]):
        from mplint import __version__

        print(f"mplint {__version__}")
        return FINE
    gc.set_threshold(_GARBAGE)
    from mplint.cli.command import run

    return run(words)


def _open_closed() -> None:
    """Give standard streams that the caller has closed (`>&-`) somewhere to go."""
    import os

    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))


def _abandon(stream: object) -> None:
    """Keep the interpreter from flushing into a closed pipe when it ends."""
    import os

    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, stream.fileno())  # type: ignore[attr-defined]
