"""MP404: a task group raises an ExceptionGroup, and the clause waits for what is inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety
from mplint.project.waits.awaiting import Group, Wait, group_work, task_groups, work_awaited
from mplint.project.modules import Class
from mplint.project.raising import caught_classes
from mplint.project.values import External, Unknown
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Function, Module, Project, Value

_GROUPS = frozenset({"builtins.ExceptionGroup", "builtins.BaseExceptionGroup", "exceptiongroup.ExceptionGroup", "exceptiongroup.BaseExceptionGroup"})

_WIDE = frozenset({"builtins.Exception", "builtins.BaseException"})

_BARE = frozenset({"asyncio.CancelledError", "builtins.KeyboardInterrupt", "builtins.SystemExit", "builtins.GeneratorExit"})
"""What a task group raises as it is."""

_BROKEN = frozenset({"concurrent.futures.BrokenExecutor", "concurrent.futures.process.BrokenProcessPool", "builtins.RuntimeError"})
"""What only the pool raises; RuntimeError is its base."""


class TaskGroupHalfCaught(Rule):
    """`except BrokenProcessPool` around a task group, which never raises it.

    ## What it does

    Reports `except` clauses for single exceptions around an `asyncio.TaskGroup` whose tasks wait for a process pool.

    ## Why it hurts

    Whatever the tasks and the block of a `TaskGroup` raise leaves it inside an `ExceptionGroup`, be it one exception only. A clause
    for `BrokenProcessPool` or `ValueError` never matches it, so that what was meant to be handled ends the program. Measured on CPython 3.11 to 3.13.

    ## When it knows

    A task of the group, or its block, must lead to the work of a process pool (or of an executor that may be one). Silent for `except*`, for
    a `try` that names `ExceptionGroup`, for classes that come out as they are (`CancelledError`, `KeyboardInterrupt`), and when something else in
    the `try` may raise what the clause is for.

    ## Fix safety

    Writes `except*`. It is unsafe, for the clause then runs once for all matching exceptions, its name is bound to a group, and the clauses after
    it run too. No fix when a clause uses `return`, `break` or `continue`, which `except*` does not allow.

    ## References

    - [Task groups](https://docs.python.org/3/library/asyncio-task.html#task-groups): how exceptions are combined.
    - [PEP 654](https://peps.python.org/pep-0654/): `except*`.
    """

    code = "MP404"
    name = "task-group-half-caught"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for function in project.functions(module, "TaskGroup"):
            if not function.facts.is_async:
                continue
            for group in task_groups(project, function):
                around = function.graph.handlers_around(group.item.value)
                wait = _surest(project, function, group) if around else None
                if wait is None:
                    continue
                pool = "a process pool" if wait.where == "process" else "an executor that may be a process pool"
                for row, handler in around:
                    if _knows_groups(project, function, row):
                        break
                    names = _dead(project, function, handler)
                    if names and not _others_may_raise(project, function, row, group, names):
                        message = f"`except {_spelled(handler)}` never matches: the TaskGroup over {pool} raises an ExceptionGroup"
                        yield Alarm(
                            self.code,
                            function.site(handler),
                            message,
                            wait.because,
                            function.qualname,
                            str(row.at) if _mendable(row) else "",
                        )
                    if _is_wide(project, function, row) and handler is row.handlers[-1]:
                        break

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        old = repair.node(int(alarm.hint)) if alarm.hint else None
        if not isinstance(old, cst.Try):
            return
        handlers = [
            cst.ExceptStarHandler(
                body=h.body,
                type=h.type,
                name=h.name,
                leading_lines=h.leading_lines,
                whitespace_after_except=cst.SimpleWhitespace(""),
                whitespace_after_star=h.whitespace_after_except,
                whitespace_before_colon=h.whitespace_before_colon,
            )
            for h in old.handlers
            if h.type is not None
        ]
        new = cst.TryStar(
            body=old.body,
            handlers=handlers,
            orelse=old.orelse,
            finalbody=old.finalbody,
            leading_lines=old.leading_lines,
            whitespace_before_colon=old.whitespace_before_colon,
        )
        repair.replace(old, new)
        repair.title = "Handle what is inside the group with `except*`"
        repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
import asyncio
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool


async def main():
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(2) as executor:
        try:
            async with asyncio.TaskGroup() as group:
                for status in (1, 2):
                    group.create_task(run(loop, executor, status))
        except BrokenProcessPool:  # MP404
            print("a worker died: trying again later")


async def run(loop, executor, status):
    await loop.run_in_executor(executor, os._exit, status)


if __name__ == "__main__":
    asyncio.run(main())
""",
        bad_ends=Raises("ExceptionGroup: unhandled errors in a TaskGroup"),
        fixed="""\
import asyncio
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool


async def main():
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(2) as executor:
        try:
            async with asyncio.TaskGroup() as group:
                for status in (1, 2):
                    group.create_task(run(loop, executor, status))
        except* BrokenProcessPool:
            print("a worker died: trying again later")


async def run(loop, executor, status):
    await loop.run_in_executor(executor, os._exit, status)


if __name__ == "__main__":
    asyncio.run(main())
""",
        fixed_ends=Prints("a worker died: trying again later"),
        needs=(3, 11),
    )


def _surest(project: Project, function: Function, group: Group) -> Wait | None:
    """The work of processes that a group waits for, in its tasks or in its own block."""
    own = {id(row) for step in group.row.body for row in f.walk(step)}
    found = [w for w in group_work(project, function, group) if w.where != "thread"]
    found += [work.wait for work in work_awaited(project, function) if id(work.row) in own and work.wait.where != "thread"]
    return min(found, key=lambda w: ("process", "any").index(w.where), default=None)


def _names(project: Project, value: Value) -> frozenset[str]:
    """Canonical names of a class and of all its bases; "?" among them when one is unknown."""
    if isinstance(value, (Class, External)):
        return project.ancestry(value) | ({project.table.canonical(value.name)} if isinstance(value, External) else set())
    return frozenset({"?"})


def _knows_groups(project: Project, function: Function, row: f.Try) -> bool:
    """Whether a clause of the try is for groups, or for something unknown."""
    return row.is_star or any(
        isinstance(value, Unknown) or _names(project, value) & (_GROUPS | {"?"}) for h in row.handlers for value in caught_classes(project, function, h)
    )


def _is_wide(project: Project, function: Function, row: f.Try) -> bool:
    return any(h.types is None or any(isinstance(v, External) and v.name in _WIDE for v in caught_classes(project, function, h)) for h in row.handlers)


def _dead(project: Project, function: Function, handler: f.Handler) -> frozenset[str]:
    """The classes of a clause none of which a task group raises: the project's under their own names; none when one of them can match."""
    out: set[str] = set()
    for value in caught_classes(project, function, handler):
        name = value.qualname if isinstance(value, Class) else project.table.canonical(value.name) if isinstance(value, External) else ""
        if not name or name in _WIDE | _BARE | _GROUPS:
            return frozenset()
        out.add(name)
    return frozenset(out)


def _others_may_raise(project: Project, function: Function, row: f.Try, group: Group, names: frozenset[str]) -> bool:
    """Whether something in the try but outside the group may raise one of these classes by itself."""
    inside = {id(r) for step in group.row.body for r in f.walk(step)}
    inside |= {id(r) for step in row.body for g in f.walk(step) if isinstance(g, f.With) and _is_group(project, function, g) for s in g.body for r in f.walk(s)}
    if names <= _BROKEN and not any(id(w.row) not in inside and w.row is not group.item.value and _within(row, w.row) for w in work_awaited(project, function)):
        return any(u for s in function.calls if _within(row, s.call) and id(s.call) not in inside for u in project.uses_at(s, "submit", "collect"))
    for step in row.body:
        for other in f.walk(step):
            if id(other) in inside:
                continue
            if isinstance(other, (f.Raise, f.Assert, f.Yield)) or (isinstance(other, f.Await) and other.value is not group.item.value):
                return True
            if isinstance(other, f.Call) and not _is_harmless(project, function, other):
                return True
    return False


def _is_group(project: Project, function: Function, row: f.With) -> bool:
    return any(g.row is row for g in task_groups(project, function))


def _within(row: f.Try, wanted: f.Row) -> bool:
    return any(r is wanted for step in row.body for r in f.walk(step))


def _is_harmless(project: Project, function: Function, call: f.Call) -> bool:
    """Whether a call only makes a pool, a loop or a group, prints or logs."""
    site = next((s for s in function.calls if s.call is call), None)
    made = site is not None and any("timeout" not in use.row.gives.lower() for use in project.uses_at(site, "make"))
    last = f.dotted(call.func).rpartition(".")[2]
    return made or last in {
        "print",
        "debug",
        "info",
        "warning",
        "error",
        "exception",
        "append",
        "len",
        "range",
        "get_running_loop",
        "monotonic",
        "perf_counter",
        "time",
        "TaskGroup",
    }


def _mendable(row: f.Try) -> bool:
    """Whether `except*` is allowed for all clauses of the try."""
    return all(h.types is not None for h in row.handlers) and not any(
        isinstance(r, f.Return) or (isinstance(r, f.Jump) and r.kind != "pass") for h in row.handlers for r in f.walk(*h.body)
    )


def _spelled(handler: f.Handler) -> str:
    if isinstance(handler.types, f.Sequence):
        return "(" + ", ".join(f.dotted(item) for item in handler.types.items) + ")"
    return f.dotted(handler.types)
