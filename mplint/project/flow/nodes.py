"""The control-flow graph of one function as plain lists: nodes, edges, and where each node stands."""

from __future__ import annotations

import builtins
from typing import Any, Callable, Literal, Union

import msgspec

from mplint import facts as f

NORMAL, RAISED, MAYBE = 0, 1, 2
"""Kinds of edges: after the node was evaluated; the node raises by itself; something in the node may raise.

Over the last two the node's own bindings have not been made (except early ones).
"""

ENTRY, FELL, RETURNED, ESCAPED, STOPPED, BROKEN, CONTINUED = range(7)
"""Numbers of the nodes without rows: the entry; left at the end, by `return`, by an exception; the process was ended.

BROKEN and CONTINUED are left by a `break` or `continue` of a loop outside, when a block is looked at by itself.
"""

Way = Literal["fall", "return", "raise", "stop", "break", "continue"]

Ending = Literal["", "raise", "stop"]
"""What a call never returns by: "raise" as `sys.exit` does, "stop" as `os._exit`; "" for any other call."""

Ends = Callable[[f.Call], Ending]
Swallows = Callable[[f.WithItem], bool]


class Place(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Where a node stands: inside `part` of the compound statement `row`, and so on outwards.

    `part` is "body", "orelse", "final", "handler" (`branch` is the Handler), "case" (the Case), "with" (the WithItem), or
    "after body" / "after orelse": behind an If (or While) that only this branch goes on from.
    """

    row: Union[f.If, f.While, f.For, f.Try, f.With, f.Match]
    part: str
    branch: Union[f.Handler, f.Case, f.WithItem, None]
    outer: Place | None


class Node(msgspec.Struct, frozen=True, eq=False, gc=False):
    """`rows` are evaluated one after the other.

    `kind`: "step" (a simple step, definition or class), "test" (If, While), "source" and "target" (For), "next" (the loop asks
    for an element), "enter" and "leave" (a with item), "subject", "pattern", "matched"
    (the names of a pattern are bound) and "guard" (Match), "try" (the block begins),
    "raised" (an exception looks for its handler), "handler", "unbind" (the name of a handler ends), "entry" or "exit".
    `owner` is the step, Handler or Case that the node belongs to, `index` the number of the with item.
    """

    kind: str
    rows: tuple[Any, ...]
    owner: Any
    place: Place | None
    may_raise: bool
    index: int = 0


def may_raise(row: Any) -> bool:
    """Whether evaluating `row` can raise at all: anything but constants, lambdas without defaults and their storing in a name."""
    if isinstance(row, (f.Const, f.Jump, f.Declare)):
        return False
    if isinstance(row, f.Lambda):
        return any(p.default is not None for p in row.function.params)
    if isinstance(row, f.FunctionFacts):
        return bool(row.decorators) or any(p.default is not None for p in row.params)
    if isinstance(row, f.Assign):
        return not (row.value is None or not may_raise(row.value)) or not all(isinstance(t, f.Name) for t in row.targets)
    if isinstance(row, f.Do):
        return may_raise(row.value)
    if isinstance(row, f.Return):
        return row.value is not None and may_raise(row.value)
    return True


def ending_call(step: Any) -> f.Call | None:
    """The call that a step comes down to: its whole value, awaited or not."""
    value = step.value if isinstance(step, (f.Do, f.Assign, f.Return)) else step
    if isinstance(value, f.Await):
        value = value.value
    return value if isinstance(value, f.Call) else None


def constant(test: f.Expr) -> bool | None:
    """The truth of a test that is a literal, else None."""
    negated = False
    while isinstance(test, f.Op) and test.op == "not":
        test, negated = test.operands[0], not negated
    if not isinstance(test, f.Const):
        return None
    return (test.kind == "ellipsis" or bool(test.value)) != negated


def catches(handler: f.Handler, raised: str = "BaseException") -> bool | None:
    """Whether a handler takes an exception of the class `raised` (dotted, as it is written there); None when the names do not tell."""
    verdicts = [_derives(raised, name) for name in caught_names(handler)]
    return True if True in verdicts else None if None in verdicts else False


def forestalled(handler: f.Handler, earlier: tuple[f.Handler, ...]) -> bool:
    """Whether the handlers before this one take all that it could."""
    return all(name and any(catches(other, name) for other in earlier) for name in caught_names(handler))


def caught_names(handler: f.Handler) -> tuple[str, ...]:
    """The classes that a handler names, dotted; "" where that is another expression, "BaseException" for a bare `except`."""
    if handler.types is None:
        return ("BaseException",)
    types = handler.types.items if isinstance(handler.types, f.Sequence) else (handler.types,)
    return tuple(f.dotted(t) for t in types)


def _derives(raised: str, base: str) -> bool | None:
    if base == raised or base == "BaseException":
        return bool(base) or None
    child, parent = getattr(builtins, raised, None), getattr(builtins, base, None)
    if isinstance(child, type) and isinstance(parent, type) and issubclass(child, BaseException):
        return issubclass(child, parent)
    return None


def raised_class(step: Any) -> str | None:
    """The class that a step always raises, "" where it is not written out; None when it need not raise."""
    if isinstance(step, f.Raise):
        return f.dotted(step.exc.func if isinstance(step.exc, f.Call) else step.exc)
    return "AssertionError" if isinstance(step, f.Assert) and constant(step.test) is False else None
