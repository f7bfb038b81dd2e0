"""Futures of executors: what a call waits for, and which futures are known to be done where they are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.project.modules import Function
from mplint.project.values import Instance, Value, elements

if TYPE_CHECKING:
    from mplint.project import Project, Use

ASKED = frozenset({"done", "ready"})
"""Methods by which a future or a result tells whether it is there."""


def has_limit(project: Project, use: Use) -> bool:
    """Whether a wait is given a timeout that is neither None nor zero."""
    given = project.argument(use.call, use.row.timeout)
    return f.is_given(given) and not (isinstance(given, f.Const) and not given.value)


def waited_for(project: Project, use: Use) -> tuple[Value, ...]:
    """What the call waits for: the executor or future whose method it is, or the futures that are passed to it."""
    if isinstance(use.call.func, f.Attr) and use.receiver is not None:
        return project.values(use.call.func.value, use.function)
    passed = project.argument(use.call, use.row.passes)
    values = project.values(passed, use.function) if passed is not None else ()
    return tuple(dict.fromkeys((*values, *elements(values))))


def executor_of(project: Project, value: Value) -> Instance | None:
    """The executor that a value is, or that a future is of."""
    if not isinstance(value, Instance):
        return None
    return value if project.role(value) == "executor" else value.source if project.role(value) == "future" else None


def is_done(project: Project, use: Use) -> bool:
    """Whether the future comes out of `as_completed` or `wait`, or was asked before whether it is done."""
    for branch in use.function.graph.branch_conditions(use.call):
        if branch.holds and any(isinstance(r, f.Attr) and r.attr in ASKED for r in f.walk(branch.test)):
            return True
    func = use.call.func
    if not (isinstance(func, f.Attr) and isinstance(func.value, f.Name)):
        return False
    return any(_gives_done(project, use.function, source) for source in sources_of(use.function, func.value.id))


def sources_of(function: Function, name: str) -> Iterator[f.Expr]:
    """What the loops and comprehensions iterate over that bind a name, and what `next()` and `pop()` take from that do."""
    for row in function.rows:
        if isinstance(row, f.For) and _binds(row.target, name):
            yield row.source
        elif isinstance(row, f.Assign) and isinstance(row.value, f.Call) and any(f.dotted(target) == name for target in row.targets):
            taken = row.value.positional(0) if f.dotted(row.value.func) == "next" else None
            if isinstance(row.value.func, f.Attr) and row.value.func.attr in {"pop", "popleft"}:
                taken = row.value.func.value
            if taken is not None:
                yield taken
        elif isinstance(row, f.Comprehension):
            yield from (c.source for c in row.clauses if _binds(c.target, name))


def _binds(target: f.Expr, name: str) -> bool:
    return any(isinstance(r, f.Name) and r.id == name for r in f.walk(target))


def _gives_done(project: Project, function: Function, source: f.Expr, depth: int = 2) -> bool:
    """Whether iterating over an expression gives futures that are done: `as_completed`, or the first set of `wait`."""
    for row in f.walk(source):
        if isinstance(row, f.Call) and project.external(row.func, function) == "concurrent.futures.as_completed":
            return True
        if isinstance(row, f.Attr) and row.attr == "done":
            return True
        if isinstance(row, f.Name) and depth:
            for step in function.rows:
                if not isinstance(step, f.Assign) or step.value is None:
                    continue
                for target in step.targets:
                    first = target.items[0] if isinstance(target, f.Sequence) and target.items else None
                    if isinstance(first, f.Name) and first.id == row.id and is_wait(project, function, step.value):
                        return True
                    if isinstance(target, f.Name) and target.id == row.id and _gives_done(project, function, step.value, depth - 1):
                        return True
    return False


def is_wait(project: Project, function: Function, value: f.Expr) -> bool:
    """Whether an expression is what `wait` of futures or tasks gives: those that are done, and the others."""
    call = value.value if isinstance(value, f.Await) else value
    return isinstance(call, f.Call) and project.external(call.func, function) in {"concurrent.futures.wait", "asyncio.wait"}
