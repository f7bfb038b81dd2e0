"""The child processes that a call leads to, and where they begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.project.modules import CallSite, Function
from mplint.project.values import External, Instance

if TYPE_CHECKING:
    from mplint.project import Project, Use

_BEGINNING = {"process": ("start",), "executor": ("submit", "map")}
"""The methods that start the processes of an object of this role, where making it does not."""

_STANDARD = frozenset({"multiprocessing", "concurrent", "billiard", "multiprocess", "torch"})
"""Packages whose processes start as `multiprocessing` has it."""


def processes(project: Project) -> dict[CallSite, frozenset[Function]]:
    """The calls that make processes, with the functions of the project that these run."""

    def compute() -> dict[CallSite, frozenset[Function]]:
        out: dict[CallSite, frozenset[Function]] = {}
        for submission in project.submissions():
            if submission.role in {"target", "run"} and submission.where == "process":
                out[submission.site] = out.get(submission.site, frozenset()) | frozenset(submission.callees)
        return out

    return project.kept("processes", compute)


def child_of(project: Project, use: Use) -> Instance | None:
    """The pool, executor, process or manager of child processes that a call makes."""
    for value in project.made_by(use.site):
        if value.where == "process":
            role = project.role(value)
            if role in {"pool", "process", "process-group", "executor"} or (role == "manager" and use.row.name.endswith(".Manager")):
                return value
    return None


def is_standard(child: Instance) -> bool:
    """Whether its processes start as those of `multiprocessing` do; so do those of the project's own classes."""
    return not isinstance(child.cls, External) or child.cls.name.partition(".")[0] in _STANDARD


def has_unknown_context(project: Project, use: Use, child: Instance) -> bool:
    """Whether a context is given whose start method is not known."""
    given = project.argument(use.call, use.row.context)
    return not child.start and (use.call.starred or f.is_given(given))


def beginnings(project: Project, use: Use, child: Instance) -> Iterator[tuple[Function, f.Row]]:
    """The calls that start the processes: a pool's own making, `start` of a process, what gives an executor work."""
    names = _BEGINNING.get(project.role(child))
    if names is None:
        yield use.function, use.call
        return
    for touch in project.life(use.site).touched(*names):
        if touch.call is not None:
            yield touch.function, touch.call
