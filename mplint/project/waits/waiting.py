"""How a place waits for what other processes put into a queue: until something comes, or only so long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from mplint import facts as f
from mplint.project.lives.lifetimes import Touch
from mplint.project.modules import Function
from mplint.project.processes.sides import sides
from mplint.project.values import Instance

if TYPE_CHECKING:
    from mplint.project import Project

Waiting: TypeAlias = Literal["", "blocks", "polls"]

_CLOCK = frozenset({"monotonic", "perf_counter", "time", "now", "deadline", "elapsed", "perf_counter_ns", "monotonic_ns", "timeout", "retries", "attempts"})
"""Names by which a loop counts how long it has waited."""


def waiting(project: Project, touch: Touch) -> Waiting:
    """Whether taking something out (`get`, or `iter(queue.get, end)`) waits without a limit: it "blocks", or it "polls" in a loop that only ends with an
    item."""
    call, function = touch.call, touch.function
    if call is None:
        around = function.parent(touch.row)
        called = isinstance(around, f.Call) and isinstance(around.func, f.Name) and around.func.id == "iter" and around.positional(0) is touch.row
        return "blocks" if called and touch.name == "get" else ""
    if call.starred:
        return ""
    if touch.name == "get" and _is_unlimited(call):
        loop = _asked_in(function, call)
        if loop is None:
            return "blocks"
        return "polls" if isinstance(loop, f.While) and _only_ends_with_an_item(project, function, loop, call) else ""
    for row in function.graph.loops_around(call):
        if isinstance(row, f.While) and _is_tried_again(function, call, row) and _only_ends_with_an_item(project, function, row, call):
            return "polls"
    return ""


def _is_unlimited(call: f.Call) -> bool:
    timeout, block = call.keyword("timeout") or call.positional(1), call.keyword("block") or call.positional(0)
    if f.is_given(timeout):
        return False
    return block is None or (isinstance(block, f.Const) and block.value is True)


def _asked_in(function: Function, call: f.Call) -> f.Row | None:
    """The loop in which the queue is asked, before each `get`, whether it holds something; the branch itself without a loop; None when it is not asked."""
    loops = function.graph.loops_around(call)
    for loop in loops:
        if isinstance(loop, f.For) and _asks_for_items(loop.source):
            return loop
    around = function.ancestors(call)
    for branch in function.graph.branch_conditions(call):
        if not _asks_for_items(branch.test):
            continue
        if branch.row is None:
            return loops[0] if loops else call
        if any(row is branch.row for row in around):
            if not any(row is branch.row for loop in loops for row in function.ancestors(loop)):
                return next(iter(loops), branch.row)
        elif isinstance(branch.row, f.If) and all(any(row is loop for row in function.ancestors(branch.row)) for loop in loops):
            return next(iter(loops), branch.row)
    return None


def _asks_for_items(test: f.Expr) -> bool:
    return any(isinstance(row, f.Attr) and row.attr in {"empty", "qsize"} for row in f.walk(test))


def _is_tried_again(function: Function, call: f.Call, loop: f.While) -> bool:
    """Whether a handler inside the loop takes `queue.Empty` and does nothing but go on."""
    for place, handler in function.graph.handlers_around(call):
        names = handler.types.items if isinstance(handler.types, f.Sequence) else (handler.types,)
        if any(f.dotted(name).rpartition(".")[2] == "Empty" for name in names):
            return any(row is loop for row in function.ancestors(place)) and all(_goes_on(step) for step in handler.body) and not place.orelse
    return False


def _goes_on(step: f.Step) -> bool:
    return (isinstance(step, f.Jump) and step.kind in {"pass", "continue"}) or (
        isinstance(step, f.Do) and isinstance(step.value, f.Call) and f.dotted(step.value.func).rpartition(".")[2] in {"sleep", "debug", "info"}
    )


def _only_ends_with_an_item(project: Project, function: Function, loop: f.While, get: f.Call) -> bool:
    """Whether the loop goes on as long as nothing comes: no other condition, no clock, and no way out but behind the `get` or by a worker's event."""
    rows = list(f.walk(loop.test, *loop.body))
    if any(f.last_name(r) in _CLOCK for r in rows if not _sleeps(function, r)):
        return False
    if not _is_about_items(project, function, loop.test):
        return False
    for site in function.calls:
        if any(site.call is r for r in rows) and any(isinstance(r, f.Raise) for g in project.callees(site) for r in g.rows):
            return False
    graph = function.graph
    for row in rows:
        if isinstance(row, (f.Return, f.Raise)) or (isinstance(row, f.Jump) and row.kind == "break"):
            if not graph.dominated(row, by=[get]) and not _by_workers_event(project, function, row, loop):
                return False
    return True


def _sleeps(function: Function, row: f.Row) -> bool:
    around = function.parent(row)
    while isinstance(around, f.Attr):
        row, around = around, function.parent(around)
    return f.dotted(row).rpartition(".")[2] == "sleep" or isinstance(row, f.Attr) and row.attr == "sleep"  # type: ignore[arg-type]


def _is_about_items(project: Project, function: Function, test: f.Expr) -> bool:
    """Whether a condition is always true, or only asks names and lengths: nothing that changes while nothing comes."""
    if isinstance(test, f.Const):
        return bool(test.value)
    for row in f.walk(test):
        if isinstance(row, f.Call) and not (isinstance(row.func, f.Name) and row.func.id in {"len", "any", "all"}):
            return False
        if isinstance(row, f.Attr):
            return False
    return True


def _by_workers_event(project: Project, function: Function, row: f.Row, loop: f.While) -> bool:
    """Whether the way out is taken only when an event is set that workers set: a worker that was killed did not."""
    for branch in function.graph.branch_conditions(row):
        for asked in f.walk(branch.test):
            if isinstance(asked, f.Attr) and asked.attr == "is_set" and branch.holds and branch.row is not loop:
                return any(_is_set_by_workers(project, v) for v in project.values(asked.value, function) if isinstance(v, Instance))
    return False


def _is_set_by_workers(project: Project, event: Instance) -> bool:
    if event.made is None or project.role(event) != "event":
        return False
    made = project.maker(event)
    if made is None:
        return False
    return any("worker" in sides(project, t.function) for t in project.life(made, handed=True).touched("set"))
