"""What ends worker processes before their work is done."""

from __future__ import annotations

from mplint import facts as f
from mplint.project.modules import Function

_ENDING = frozenset({"kill", "terminate", "terminate_workers", "kill_workers", "killpg", "_exit", "abort", "pthread_kill", "send_signal"})
"""Last names of calls that end a worker or the program."""


def ends_workers(function: Function, *, unless_raised: bool = False) -> bool:
    """Whether something in a function ends a worker, or the program; or takes the executor's processes to do so elsewhere.

    With `unless_raised`, whether it does so when nothing is raised: what stands in a handler does not count.
    """
    for row in function.rows:
        if (isinstance(row, f.Call) and f.last_name(row.func) in _ENDING) or (isinstance(row, f.Attr) and row.attr == "_processes"):
            if not unless_raised or not any(isinstance(place.branch, f.Handler) for place in function.graph.tries_around(row)):
                return True
    return False
