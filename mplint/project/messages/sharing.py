"""Who writes to what processes share: which of them, and how many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, NamedTuple

from mplint import facts as f
from mplint.finding import Step
from mplint.project.modules import CallSite, Function
from mplint.project.processes.sides import callers, sides

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.project.workers import Submission

HOPS = 4
"""Calls that are followed back from where a process is made."""


class Write(NamedTuple):
    """A row of a function that writes; `changes` when what it writes depends on what was there."""

    function: Function
    row: f.Row
    changes: bool


class Writers(NamedTuple):
    """The processes that write at the time of a write: whether the parent is one of them, and the chain that shows it."""

    parent: bool
    steps: tuple[Step, ...]


def writers_of(project: Project, made: CallSite, write: Write, others: Iterable[Write]) -> Writers | None:
    """The processes that may write while `write` is done to what `made` makes; None when there is only one, or the others may not run at the time.

    What the parent sets, not knowing what was there, it may set before any process runs.
    """
    function = write.function
    if "worker" in sides(project, function):
        why = project.why(function) or ()
        if is_run_by_several(project, made, function):
            return Writers(False, why)
        for other in others:
            if other.function is function:
                continue
            where = sides(project, other.function)
            if "worker" in where and not _are_one(project, function, other.function):
                return Writers(False, (*why, *(project.why(other.function) or ()), _step(other)))
            if where == {"parent"} and other.changes:
                return Writers(True, (*why, _step(other)))
        return None
    if "thread" in sides(project, function):
        return None
    for other in others:
        if "worker" in sides(project, other.function):
            return Writers(True, (*(project.why(other.function) or ()), _step(other)))
    return None


def _step(write: Write) -> Step:
    return Step(write.function.site(write.row), f"`{write.function.qualname}` writes to it, too")


def _handed(project: Project, function: Function) -> Submission | None:
    reach = project.workers().get(function)
    return reach.submission if reach is not None else None


def _are_one(project: Project, one: Function, other: Function) -> bool:
    """Whether two functions are reached by the same handing over: they may run in the same process."""
    first, second = _handed(project, one), _handed(project, other)
    return first is None or second is None or first.callees == second.callees


def is_run_by_several(project: Project, made: CallSite, function: Function) -> bool:
    """Whether several processes run `function` at a time, with the same shared object."""
    submission = _handed(project, function)
    if submission is None:
        return False
    if submission.role in {"task", "initializer"}:
        return True
    alike = [s for s in project.submissions() if s.callees == submission.callees and s.where == "process" and s.role in {"target", "run"}]
    if len({s.site for s in alike if s.site.function is submission.site.function}) > 1:
        return True
    return any(is_repeated(project, s.site, made) for s in alike)


def is_repeated(project: Project, site: CallSite, made: CallSite | None = None, hops: int = HOPS) -> bool:
    """Whether a call is done several times; with `made` those count that are done for one object that `made` makes."""
    if made is not None and made.function in project.callees(site):  # what constructs the owner of the object
        return False
    loops = [row for row in site.ancestors if isinstance(row, (f.For, f.While, f.Comprehension))]
    if made is not None:
        mine = made.ancestors if made.function is site.function else ()
        loops = [loop for loop in loops if not any(loop is around for around in mine) and not (made.function.owner is not None and _has_one_each(site, loop))]
    if loops:
        return True
    if (made is not None and made.function is site.function) or not hops:
        return False
    return any(is_repeated(project, caller, made, hops - 1) for caller in callers(project, site.function))


def _has_one_each(site: CallSite, loop: f.For | f.While | f.Comprehension) -> bool:
    """Whether a method is called on an object of its own in each turn of a loop: the loop's variable, or one that is bound inside."""
    receiver = site.call.func.value if isinstance(site.call.func, f.Attr) else None
    if isinstance(receiver, f.Call):
        return True
    binders = site.function.graph.definitions(receiver) if isinstance(receiver, f.Name) else None
    inside = {id(row) for row in f.walk(loop)} | ({id(clause) for clause in loop.clauses} if isinstance(loop, f.Comprehension) else set())
    return bool(binders) and all(id(binder) in inside for binder in binders or ())


def shared_places(project: Project) -> dict[Function, set[int]]:
    """The numbers of the rows that touch a shared value or what a manager holds, by the function they stand in."""

    def compute() -> dict[Function, set[int]]:
        out: dict[Function, set[int]] = {}
        for site in project.calls_ending("Value", "Array", "dict", "list", "Namespace"):
            builtin = isinstance(site.call.func, f.Name) and site.call.func.id in {"dict", "list"}
            made = None if builtin else next(project.made_by(site), None)
            if made is not None and made.where == "process" and project.role(made) in {"shared-value", "proxy"}:
                for touch in project.life(site, handed=True, patient=True).touches:
                    out.setdefault(touch.function, set()).add(touch.row.at)
        return out

    return project.kept("places of shared values", compute)
