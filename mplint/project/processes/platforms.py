"""What the tests around a place say about the platform, and the start method, that it runs with."""

from __future__ import annotations

from mplint import facts as f
from mplint.project.modules import Function

MAC = frozenset({"darwin"})
_SPAWNING = MAC | {"win32", "nt", "windows"}
"""How platforms without fork as their default call themselves, in lower case."""

_OTHER = frozenset({"spawn", "forkserver"})


def is_on(test: f.Expr, holds: bool, names: frozenset[str]) -> bool:
    """Whether a test that holds, or does not, says that a platform (or something else with a name) is one of `names`."""
    if isinstance(test, f.Op) and test.op == "not":
        return is_on(test.operands[0], not holds, names)
    if isinstance(test, f.Op) and test.op == ("and" if holds else "or"):
        return any(is_on(operand, holds, names) for operand in test.operands)
    if isinstance(test, f.Op) and test.op not in {"==", "in", "!=", "not in"}:
        return False
    named = any(isinstance(row, f.Const) and str(row.value).lower() in names for row in f.walk(test))
    if isinstance(test, f.Op):
        return named and holds == (test.op in {"==", "in"})
    return named and holds and isinstance(test, f.Call)


def runs_on(function: Function, row: f.Row, names: frozenset[str]) -> bool:
    """Whether the branches that `row` stands in are for one of these platforms."""
    return any(is_on(branch.test, branch.holds, names) for branch in function.graph.branch_conditions(row))


def is_spawned(function: Function, row: f.Row) -> bool:
    """Whether the branches that `row` stands in say that the default start method is not fork there."""
    return runs_on(function, row, _SPAWNING | _OTHER)
