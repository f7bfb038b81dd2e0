"""Which locks are held where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mplint import facts as f
from mplint.project.modules import Function
from mplint.project.processes.sides import callers
from mplint.project.values import Instance, Unknown

if TYPE_CHECKING:
    from mplint.project import Project

HOPS = 2
"""Levels of callers that are asked."""

_LOCKS = {"lock", "shared-value"}
"""Roles of objects whose `with` holds a lock; a shared value's is that of its own."""

_NAMED = re.compile(r"lock|mutex|semaphore|condition|\bcond\b|guard|synchroni[sz]ed|atomic|exclusive", re.IGNORECASE)


def is_locked(project: Project, function: Function, row: f.Row, hops: int = HOPS) -> bool:
    """Whether some lock is held where `row` runs: by a `with` around it, acquired before, or held by all who call the function.

    What is called a lock counts as one, and so does what is entered without a call where nothing is known about it.
    """
    if any(_holds(project, item.value, function) for _, item in function.graph.withs_around(row)):
        return True
    acquired = [site.call for site in function.calls if isinstance(site.call.func, f.Attr) and site.call.func.attr in {"acquire", "__enter__", "enter_context"}]
    if acquired and function.graph.dominated(row, by=acquired):
        return True
    if any(_NAMED.search(f.dotted(d.func if isinstance(d, f.Call) else d)) for d in function.facts.decorators):
        return True
    sites = callers(project, function) if hops else ()
    return bool(sites) and all(is_locked(project, site.function, site.call, hops - 1) for site in sites)


def _holds(project: Project, expr: f.Expr, function: Function) -> bool:
    named = expr.func if isinstance(expr, f.Call) else expr
    text = f.dotted(named) or (named.attr if isinstance(named, f.Attr) else f.dotted(named.value) if isinstance(named, f.Item) else "")
    if _NAMED.search(text):
        return True
    values = project.values(expr, function)
    if any(isinstance(v, Instance) and project.role(v) in _LOCKS for v in values):
        return True
    return not isinstance(expr, f.Call) and any(isinstance(v, Unknown) for v in values)
