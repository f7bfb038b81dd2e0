"""Where it is decided, by what a queue says of itself, whether something is taken out of it."""

from __future__ import annotations

from typing import Iterator, NamedTuple

from mplint import facts as f
from mplint.project.lives.lifetimes import Life, Touch
from mplint.project.messages.channels import TAKING
from mplint.project.modules import Function

ASKING = ("empty", "qsize")


class Asked(NamedTuple):
    """A place where a queue is asked whether it holds something: `row` is the step that this decides, `gets` what is done when it does."""

    function: Function
    call: f.Call
    row: f.If | f.While | f.For | f.Comprehension
    gets: tuple[Touch, ...]


def asked_of(life: Life) -> Iterator[Asked]:
    """The places where it is decided, by what the queue says, whether something is taken out of it."""
    for touch in life.touched(*ASKING):
        call, function = touch.call, touch.function
        if call is None:
            continue
        for above in reversed(function.ancestors(call)):
            row, below = _decided(function, above, call)
            if row is not None:
                inside = {id(r) for r in f.walk(*below)}
                gets = tuple(t for t in life.touched(*TAKING) if t.function is function and t.call is not None and id(t.call) in inside)
                if gets:
                    yield Asked(function, call, row, gets)
                break


def _decided(function: Function, row: f.Row, call: f.Call) -> tuple[f.If | f.While | f.For | f.Comprehension | None, tuple[f.Row, ...]]:
    """The step that goes on only when the queue is not empty, and what it does then; None when `row` does not decide that."""
    if isinstance(row, (f.While, f.If)):
        answer = _when_empty(row.test, call)
        if answer is not None and not answer:
            return row, row.body
        if answer and isinstance(row, f.If):
            around = next((above for above in reversed(function.ancestors(row)) if isinstance(above, (f.While, f.For))), None)
            leaves = not function.graph.can_fall_through(row.body) and "continue" not in function.graph.ways_out(row.body)
            return (around, around.body) if leaves and around is not None else (row, row.orelse)
    if isinstance(row, f.For) and _is_range(row.source, call):
        return row, row.body
    if isinstance(row, f.Comprehension) and any(_is_range(clause.source, call) for clause in row.clauses):
        return row, (row.element,)
    return None, ()


def _is_range(source: f.Expr, call: f.Call) -> bool:
    return isinstance(source, f.Call) and f.dotted(source.func) == "range" and len(source.args) == 1 and source.args[0].value is call


def _when_empty(test: f.Expr, asked: f.Call) -> bool | int | None:
    """What a condition is when the queue is empty, None when that depends on something else."""
    if test is asked:
        return 0 if f.last_name(asked.func) == "qsize" else True
    if isinstance(test, f.Const) and isinstance(test.value, (bool, int)):
        return test.value
    if not isinstance(test, f.Op):
        return None
    values = [_when_empty(operand, asked) for operand in test.operands]
    if test.op == "not":
        return None if values[0] is None else not values[0]
    if test.op in {"and", "or"}:
        deciding = test.op == "or"
        if any(v is not None and bool(v) is deciding for v in values):
            return deciding
        return None if None in values else not deciding
    left, right = values[0], values[-1]
    if len(values) != 2 or left is None or right is None:
        return None
    return {">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right, "!=": left != right, "==": left == right, "is": left is right}.get(
        test.op
    )
