"""What goes to standard error: errors, warnings and notes in one form."""

from __future__ import annotations

import sys


def complain(text: str, *, word: str = "error") -> None:
    """Say something on standard error, after what standard output still holds."""
    sys.stdout.flush()
    print(f"mplint: {word}: {text}".encode("utf-8", "backslashreplace").decode("utf-8"), file=sys.stderr)
