"""Which functions let no exception out: everything in them that can fail stands under a handler that takes every Exception and keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mplint import facts as f
from mplint.project.waits.awaiting import catches_all
from mplint.project.modules import CallSite, Function

if TYPE_CHECKING:
    from mplint.project import Project

DEPTH = 3
"""Levels of calls of the project's own functions that are looked into."""

_HARMLESS = {
    "debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print", "print_exc", "format_exc", "getLogger", "get_logger", "len",
    "str", "repr", "isinstance", "type", "id", "bool", "getattr", "hasattr", "dict", "list", "tuple", "set", "range", "enumerate", "zip", "super",
    "time", "monotonic", "perf_counter", "now", "utcnow", "isoformat", "total_seconds", "getpid", "current_thread", "get_ident", "sleep", "append",
    "add", "discard", "pop", "put", "put_nowait", "clear", "is_set", "acquire", "release", "notify", "notify_all", "update", "get", "setdefault",
    "items", "keys", "values", "copy", "format", "join", "strip", "startswith", "endswith", "lower", "upper", "split", "set_result", "set_exception",
    "cancelled", "done", "Lock", "Event", "Queue", "uuid4", "partial", "cast",
}  # fmt: skip
"""Last names of calls that do not fail where they are usual: telling, asking the time, keeping something."""


_TELLING = {"exception", "print_exc", "set_exception"}
"""Last names of calls that take the exception which is being handled."""


def is_quiet(project: Project, function: Function, depth: int = DEPTH, inside: tuple[Function, ...] = ()) -> bool:
    """Whether nothing that `function` does can raise an Exception to its caller, as far as calls, `raise` and `assert` go.  `inside` are the functions
    on the way."""
    return all(
        _is_handled(project, function, row) or _cannot_fail(project, function, row, depth, (*inside, function)) or _tells(function, row)
        for row in function.rows
        if isinstance(row, (f.Call, f.Raise, f.Assert, f.Await))
    )


def _is_handled(project: Project, function: Function, row: f.Row) -> bool:
    """Whether a handler around `row` takes all and lets nothing out; what that handler calls, and the `finally` behind it, is how it is handled."""
    for place in function.graph.tries_around(row):
        if isinstance(row, f.Raise) and isinstance(place.branch, f.Handler) and _is_told(function, place.branch):
            return True
        if not isinstance(place.row, f.Try) or (place.part != "body" and (place.part == "orelse" or not isinstance(row, f.Call))):
            continue
        taker = next((handler for handler in place.row.handlers if catches_all(project, function, handler)), None)
        if taker is not None and ("raise" not in function.graph.ways_out(taker.body) or _is_told(function, taker)):
            return True
    return False


def _is_told(function: Function, handler: f.Handler) -> bool:
    """Whether a handler tells somebody what it caught, whatever it does then: nobody has to ask the result for it."""
    for call in f.walk(*handler.body):
        if isinstance(call, f.Call) and isinstance(function.parent(call), f.Do):
            last = f.last_name(call.func)
            passed = {row.id for row in f.walk(*(a.value for a in call.args)) if isinstance(row, f.Name)}
            if last in _TELLING or (handler.name in passed and last not in {"debug", "info"}):
                return True
    return False


def _tells(function: Function, row: f.Row) -> bool:
    """Whether a handler hands the exception that it caught to somebody: that is what it is for."""
    if not isinstance(row, f.Call):
        return False
    caught = {place.branch.name for place in function.graph.tries_around(row) if isinstance(place.branch, f.Handler)}
    return any(isinstance(a.value, f.Name) and a.value.id in caught for a in row.args)


def _cannot_fail(project: Project, function: Function, row: f.Row, depth: int, inside: tuple[Function, ...]) -> bool:
    if not isinstance(row, f.Call):
        return False
    last = f.last_name(row.func)
    if last in _HARMLESS or last.endswith(("Error", "Exception")):
        return True
    callees = project.callees(CallSite(function, row)) if depth else ()
    return bool(callees) and all(g in inside or is_quiet(project, g, depth - 1, inside) for g in callees)
