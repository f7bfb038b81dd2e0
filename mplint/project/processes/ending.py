"""What ends worker processes before their work is done."""

from __future__ import annotations

from mplint import facts as f
from mplint.project.modules import Function

_ENDING = frozenset({"kill", "terminate", "terminate_workers", "kill_workers", "killpg", "_exit", "abort", "pthread_kill", "send_signal"})
"""Last names of calls that end a worker or the program."""


def ends_workers(function: Function) -> bool:
    """Whether something in a function ends a worker, or the program; or takes the executor's processes to do so elsewhere."""
    return any((isinstance(row, f.Call) and f.last_name(row.func) in _ENDING) or (isinstance(row, f.Attr) and row.attr == "_processes") for row in function.rows)
