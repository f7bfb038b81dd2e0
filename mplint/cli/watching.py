"""`--watch`: check again whenever a file is saved."""

from __future__ import annotations

import os
import sys
import time

import msgspec

from mplint.cli import FAILED, FINE
from mplint.cli.checking import check
from mplint.cli.complaints import complain
from mplint.cli.inputs import grouped_roots
from mplint.cli.words import Request
from mplint.config.settings import ConfigError

_FIRST_TURN = 200
"""Milliseconds after which a turn without changes is made."""
_CONFIG = ("pyproject.toml", "mplint.toml", ".mplint.toml", ".gitignore")


def watch(asked: Request) -> int:
    """Check, and again after each change, until interrupted.  A mistake in the configuration is told and waited out."""
    try:
        from watchfiles import watch as changes_in
    except ImportError:
        raise ConfigError("--watch needs the package watchfiles: pip install 'mplint[watch]'") from None
    if "-" in asked.paths:
        raise ConfigError("--watch: standard input cannot be watched")
    once = msgspec.structs.replace(asked, watch=False)
    roots = grouped_roots(once)
    if not all(os.path.exists(root) for root in roots):
        check(once)
        return FAILED
    checked = False
    # The first turn comes without a change, once the watch has begun: what is saved during the first check is not missed.
    turns = changes_in(*roots, watch_filter=lambda _, path: _matters(path), raise_interrupt=True, yield_on_timeout=True, rust_timeout=_FIRST_TURN)
    for changes in turns:
        if changes or not checked:
            _again(once, sorted({os.path.relpath(path) for _, path in changes}))
            checked = True
    return FINE


def _matters(path: str) -> bool:
    folder, name = os.path.split(path)
    if os.path.basename(folder) == ".mplint_cache":
        return False
    return name.endswith((".py", ".pyi", ".ipynb")) and not name.startswith(".mplint-") or name in _CONFIG


def _again(asked: Request, changed: list[str]) -> None:
    if sys.stdout.isatty():
        sys.stdout.write("\x1b[2J\x1b[3J\x1b[H")
    if changed:
        shown = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
        complain(f"{time.strftime('%H:%M:%S')} {shown} changed", word="note")
    try:
        check(asked)
    except ConfigError as error:
        complain(str(error))
    sys.stdout.flush()
