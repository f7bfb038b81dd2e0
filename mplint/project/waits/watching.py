"""Whether somebody looks at the worker processes while a place waits for what they send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.project.modules import Function
from mplint.project.processes.sides import callers, sides
from mplint.project.values import Instance

if TYPE_CHECKING:
    from mplint.project import Project

LOOKS = frozenset({
    "is_alive", "exitcode", "sentinel", "sentinels", "active_children", "waitpid", "wait4", "waitid", "pid_exists", "SIGCHLD", "returncode", "is_running",
    "alarm", "setitimer",
})  # fmt: skip
"""Names by which a program asks whether a process lives, or sets itself a limit that interrupts any wait."""

_UP = 2
"""Calls that are followed from the wait to who calls it."""

_DOWN = 2
"""Calls that are followed from a loop around the wait to what it does."""


def is_watched(project: Project, function: Function, row: f.Row) -> bool:
    """Whether a look at processes comes before `row` in its function, in a loop around it, there or in who calls it; or a thread of the file looks."""
    graph = function.graph
    if any(graph.reaches(look, row) and not _sends_away(function, look, row) for look in _looks(project, function)):
        return True
    if function.outer is not None and not function.outer.is_module and any(True for _ in _looks(project, function.outer)):
        return True
    return _loops_look(project, function, row, _UP, set()) or _thread_looks(project, function.path)


def _loops_look(project: Project, function: Function, row: f.Row, up: int, seen: set[Function]) -> bool:
    """Whether a loop around `row` looks at processes, itself or in what it calls; or one around the calls of the function."""
    if function in seen:
        return False
    seen.add(function)
    inside = {id(r) for loop in function.graph.loops_around(row) for r in f.walk(loop)}
    if inside:
        if any(id(look) in inside for look in _looks(project, function)):
            return True
        for site in function.calls:
            if id(site.call) in inside and site.call is not row and any(_mentions(project, callee, _DOWN) for callee in project.callees(site)):
                if not _leads_out(function, site.call):
                    return True
    return up > 0 and any(_loops_look(project, site.function, site.call, up - 1, seen) for site in callers(project, function))


def _sends_away(function: Function, look: f.Row, row: f.Row) -> bool:
    """Whether a look only has those leave whose worker still lives: who comes to `row` behind it waits for one that is dead, whatever it has sent."""
    graph = function.graph
    asked = function.parent(look)
    around = function.parent(asked) if isinstance(look, f.Attr) and look.attr == "is_alive" and isinstance(asked, f.Call) else None
    if not isinstance(around, f.If) or around.test is not asked or any(r is row for r in f.walk(*around.body)) or graph.loops_around(around):
        return False
    return bool(around.body) and graph.ways_out(around.body) <= {"raise", "return"}


def _leads_out(function: Function, row: f.Row) -> bool:
    """Whether a row stands in a branch that always leaves the loop: what is done there cleans up, and decides nothing."""
    graph = function.graph
    for branch in graph.branch_conditions(row):
        if isinstance(branch.row, f.If):
            block = branch.row.body if branch.holds else branch.row.orelse
            if any(r is row for r in f.walk(*block)) and not graph.can_fall_through(block) and "continue" not in graph.ways_out(block):
                return True
    return False


def _looks(project: Project, function: Function) -> Iterator[f.Row]:
    """Where the body of a function looks at processes; `is_alive()` of a thread is none of these."""
    for row in function.rows:
        if isinstance(row, f.Attr) and row.attr in LOOKS:
            if row.attr != "is_alive" or not any(isinstance(v, Instance) and project.role(v) == "thread" for v in project.values(row.value, function)):
                yield row
        elif isinstance(row, f.Name) and row.id in LOOKS:
            yield row


def _mentions(project: Project, function: Function, depth: int) -> bool:
    """Whether a function, or what it calls, looks at processes."""

    def compute() -> bool:
        if any(True for _ in _looks(project, function)):
            return True
        return depth > 1 and any(_mentions(project, callee, depth - 1) for site in function.calls for callee in project.callees(site) if callee is not function)

    return project.kept(("looks", function, depth), compute)


def _thread_looks(project: Project, path: str) -> bool:
    """Whether a function of a file that runs in a thread looks at processes."""

    def compute() -> bool:
        module = project.module(path)
        found = module.functions(*LOOKS) if module is not None else ()
        return any(any(True for _ in _looks(project, g)) and "thread" in sides(project, g) for g in found)

    return project.kept(("thread looks", path), compute)
