"""What the literals of one call decide in the function that it calls: where nothing is passed for `leave=False`, what stands under `if leave:` never runs."""

from __future__ import annotations

from mplint import facts as f
from mplint.project.flow.nodes import constant
from mplint.project.modules import Function
from mplint.project.parameters import argument_of

_SAME = {"==": True, "is": True, "!=": False, "is not": False}

_NUMBERS = {"int", "float", "bool"}


def is_switched_off(function: Function, row: f.Row, call: f.Call) -> bool:
    """Whether `row` of `function` cannot run when `call` is what calls it, since a literal that it passes, or a default, decides a test around it."""
    branches = function.graph.branch_conditions(row)
    given = _given(function, call) if branches else {}
    return any(_truth(branch.test, function, given) is (not branch.holds) for branch in branches)


def _given(function: Function, call: f.Call) -> dict[str, f.Const]:
    """The literals that a call gives to parameters, by their names."""
    if call.starred:
        return {}
    passed = {p.name: argument_of(call, function, p) or p.default for p in function.facts.params if p.kind not in {"*", "**"}}
    return {name: value for name, value in passed.items() if isinstance(value, f.Const)}


def _truth(test: f.Expr, function: Function, given: dict[str, f.Const]) -> bool | None:
    """How a test turns out, None when these literals do not decide it."""
    if not isinstance(test, f.Op):
        known = _known(test, function, given)
        return constant(known) if known is not None else None
    if test.op == "not":
        inner = _truth(test.operands[0], function, given)
        return None if inner is None else not inner
    if test.op in {"and", "or"}:
        parts = {_truth(operand, function, given) for operand in test.operands}
        deciding = test.op == "or"
        return deciding if deciding in parts else None if None in parts else not deciding
    if len(test.operands) != 2:
        return None
    left = _known(test.operands[0], function, given)
    if left is None:
        return None
    if test.op in _SAME:
        right = _known(test.operands[1], function, given)
        return None if right is None else _is_same(left, right) is _SAME[test.op]
    among = test.operands[1].items if test.op in {"in", "not in"} and isinstance(test.operands[1], f.Sequence) else ()
    if among and all(isinstance(item, f.Const) for item in among):
        return any(isinstance(item, f.Const) and _is_same(left, item) for item in among) is (test.op == "in")
    return None


def _is_same(left: f.Const, right: f.Const) -> bool:
    return left.value == right.value and (left.kind == right.kind or {left.kind, right.kind} <= _NUMBERS)


def _known(expr: f.Expr, function: Function, given: dict[str, f.Const]) -> f.Const | None:
    """The literal that an expression is: written out, or a parameter that still is what the call passed."""
    if isinstance(expr, f.Const):
        return expr
    if not isinstance(expr, f.Name) or expr.id not in given:
        return None
    rows = function.graph.definitions(expr) or ()
    return given[expr.id] if rows and all(isinstance(row, f.Param) for row in rows) else None
