"""The branches behind `os.fork()`: the steps that only the child runs."""

from __future__ import annotations

from typing import Callable, Iterator

from mplint import facts as f
from mplint.project.modules import CallSite, Function

ONWARDS = frozenset({"fall", "return", "break", "continue"})
"""The ways out of a block after which the process goes on."""


def children_of(site: CallSite) -> Iterator[tuple[f.Step, ...]]:
    """The blocks that only the child of a fork runs, where the parent goes on beside it."""
    function, call = site.function, site.call
    around = function.parent(call)
    target = around.targets[0] if isinstance(around, f.Assign) and len(around.targets) == 1 else around.name if isinstance(around, f.Bind) else None
    name = f.dotted(target)

    def is_pid(expr: f.Expr) -> bool:
        return expr is call or (isinstance(expr, f.Bind) and expr.value is call) or (bool(name) and f.dotted(expr) == name)

    for suite in _suites(function.facts.body):
        for place, step in enumerate(suite):
            in_child = _is_child(step.test, is_pid) if isinstance(step, f.If) and (step.test is call or function.graph.reaches(call, step.test)) else None
            if in_child is None or not isinstance(step, f.If):
                continue
            rest = suite[place + 1 :]
            child, parent = (step.body, step.orelse) if in_child else (step.orelse, step.body)
            if not child and "fall" not in function.graph.ways_out(parent):
                child = rest
            elif not child:
                continue
            else:
                parent = (*parent, *rest)
            if child and _goes_on(function, parent):
                yield child


def _is_child(test: f.Expr, is_pid: Callable[[f.Expr], bool]) -> bool | None:
    """Whether a test is true in the child (False: in the parent); None when it asks something else."""
    if is_pid(test):
        return False
    if not isinstance(test, f.Op):
        return None
    if test.op == "not":
        inner = _is_child(test.operands[0], is_pid)
        return None if inner is None else not inner
    if len(test.operands) != 2:
        return None
    left, right = test.operands
    if is_pid(left) and isinstance(right, f.Const) and right.value == 0:
        return {"==": True, "is": True, "<=": True, "!=": False, ">": False}.get(test.op)
    if is_pid(right) and isinstance(left, f.Const) and left.value == 0:
        return {"==": True, ">=": True, "!=": False, "<": False}.get(test.op)
    return None


def _goes_on(function: Function, parent: tuple[f.Step, ...]) -> bool:
    """Whether the parent is still there after its branch, and not only its child."""
    return not parent or bool(function.graph.ways_out(parent) & ONWARDS)


def _suites(body: tuple[f.Step, ...]) -> Iterator[tuple[f.Step, ...]]:
    """A block and all blocks in it, nested definitions not counted."""
    yield body
    for step in body:
        if isinstance(step, (f.If, f.While, f.For, f.Try)):
            yield from _suites(step.body)
            yield from _suites(step.orelse)
        if isinstance(step, f.Try):
            yield from _suites(step.final)
            for handler in step.handlers:
                yield from _suites(handler.body)
        elif isinstance(step, f.With):
            yield from _suites(step.body)
