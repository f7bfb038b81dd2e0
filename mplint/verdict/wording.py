"""What an alarm says: what will happen, why, and where the exception comes from."""

from __future__ import annotations

from typing import Any

from mplint.verdict.judge import Verdict
from mplint.verdict.terms import Const, Seq, Sym, Term, kind_of

NAMES = 4
"""Parameters that are listed by name."""


def message(verdict: Verdict) -> str:
    """What happens to a class that does not survive, without its name in front and the consequence behind."""
    outcome = verdict.outcome
    if outcome.kind == "DUMP":
        return _dump(verdict)
    if outcome.kind == "CORRUPT":
        return f"changes in transit: {_changed(verdict)}"
    return f"fails to unpickle: {_failure(verdict)}"


def consequence(kind: str) -> str:
    """What a program sees."""
    if kind == "FAIL":
        return "a Pool waits for ever and an executor breaks"
    if kind == "CORRUPT":
        return "the parent gets another exception than was raised"
    return "the parent gets a pickling error in its place"


def _init(verdict: Verdict) -> str:
    return f"`{verdict.init.name}.__init__`" if verdict.init is not None and verdict.inherited else "`__init__`"


def _failure(verdict: Verdict) -> str:
    outcome = verdict.outcome
    if outcome.cause == "missing":
        names = _listed(outcome.what)
        by = " by keyword" if "keyword-only" in outcome.reason else ""
        return f"{_init(verdict)} needs {names}{by}, but {carried(verdict)}"
    if outcome.cause == "many":
        return f"{_init(verdict)} takes fewer arguments than `args` carries: {carried(verdict)}"
    if outcome.cause == "star":
        return f"{_init(verdict)} takes fewer arguments than `args` carries: all that was behind a star"
    if outcome.cause == "state":
        return outcome.reason
    return f"{_init(verdict)} runs again on what `args` carries and raises {outcome.reason}"


def _changed(verdict: Verdict) -> str:
    outcome = verdict.outcome
    if outcome.cause == "lost":
        return f"{_listed(tuple(n for n in outcome.what))} is lost or changes, it is not part of what pickle carries"
    return outcome.reason


def _dump(verdict: Verdict) -> str:
    return f"cannot be pickled: {verdict.outcome.reason}"


def _listed(names: tuple[str, ...]) -> str:
    shown = [f"`{n}`" for n in names[:NAMES]]
    if len(names) > NAMES:
        return f"{', '.join(shown)} and {len(names) - NAMES} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def carried(verdict: Verdict) -> str:
    """What `args` holds when the exception is pickled."""
    args = verdict.outcome.args
    if not args:
        keyword = verdict.scenario is not None and verdict.scenario.kwargs and not verdict.scenario.args
        return "`args` is empty, since it is constructed with keywords" if keyword else "`args` is empty"
    if len(args) > 1:
        return f"`args` carries {len(args)} values"
    one = _one(args[0])
    return f"`args` carries only {'one value' if one.strip('`') in verdict.outcome.what else one}"


def _one(value: Any) -> str:
    if isinstance(value, Sym) and value.name.isidentifier():
        return f"`{value.name}`"
    if kind_of(value) == "str" or isinstance(value, Const) and isinstance(value.value, str):
        return "the message"
    if isinstance(value, (Term, Seq)) and kind_of(value):
        return f"a {kind_of(value)}".replace("a int", "an int") if kind_of(value).isidentifier() else "one value"
    return "one value"
