"""On which side of a process boundary a function runs: in a worker, in a thread, or where the program itself runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, Literal, TypeAlias

from mplint import facts as f
from mplint.project.lives import handing
from mplint.project.modules import CallSite, Function, Module
from mplint.project.parameters import callers_by_declaration
from mplint.project.values import Unknown

if TYPE_CHECKING:
    from mplint.project import Project

Side: TypeAlias = Literal["worker", "thread", "parent"]

_DEPTH = 3
"""Calls that are followed back from a function that nothing is known to run in a worker."""


def sides(project: Project, function: Function) -> frozenset[Side]:
    """Where `function` can run by the calls of the project; what nobody calls runs in the parent."""
    return project.kept(("sides", function), lambda: frozenset(_sides(project, function, _DEPTH, set()) or {"parent"}))


def side_of(project: Project, made: CallSite, function: Function) -> frozenset[Side]:
    """The same, seen from the object that `made` makes: the function that does is in the parent, wherever that runs."""
    return frozenset({"parent"}) if function is made.function else sides(project, function)


def _sides(project: Project, function: Function, depth: int, seen: set[Function]) -> set[Side]:
    if function in seen:
        return set()
    seen.add(function)
    out: set[Side] = set(_handed(project).get(function, ()))
    out |= _entry(project, function)
    worker = function in project.workers()
    if not worker and (out or not depth):
        return out or {"parent"}
    asked = worker or _has_threads(project, function.module) or (function.owner is not None and function.name in _called_by_workers(project))
    calls = callers(project, function) if asked else ()
    for site in calls:
        if not {"worker", "parent"} <= out:
            out |= _sides(project, site.function, depth if worker else depth - 1 if _has_threads(project, function.module) else 0, seen)
    if function.outer is not None and not out:
        out |= _sides(project, function.outer, depth, seen)
    return out or (set() if calls else {"worker" if worker else "parent"})


def _called_by_workers(project: Project) -> frozenset[str]:
    """The names of the methods that functions in workers call."""
    return project.kept(
        "called by workers",
        lambda: frozenset(s.call.func.attr for function in project.workers() for s in function.calls if isinstance(s.call.func, f.Attr)),
    )


def _has_threads(project: Project, module: Module) -> bool:
    """Whether a module hands anything to threads."""
    return bool(handing.threads_of(project, module)) or any(s.where == "thread" for s in project.submissions_of(module))


def callers(project: Project, function: Function) -> tuple[CallSite, ...]:
    """The calls of a function; of a method also those through a base class that declares it, or on an object of which nothing else is known."""
    return project.kept(("callers of", function), lambda: _callers(project, function))


def _callers(project: Project, function: Function) -> tuple[CallSite, ...]:
    found = callers_by_declaration(project, function)
    if found is not None:
        return found
    if function.name.startswith("__") or function.name in project.vocabulary.words or function.name in _COMMON:
        return ()
    return tuple(_open_calls(project, function.name))


_FEW = 6

_COMMON = frozenset({"run", "main", "start", "stop", "close", "open", "read", "write", "next", "add", "pop", "update", "append", "process", "call", "execute"})


def _open_calls(project: Project, name: str) -> Iterator[CallSite]:
    """The calls of a method of this name on objects of which nothing is known; none where too many files have such calls."""
    paths = project.sources.holding(f".{name}(".encode())
    for module in (project.module(path) for path in paths if len(paths) <= _FEW):
        for function in module.functions(f".{name}(") if module is not None else ():
            for site in function.calls:
                if isinstance(site.call.func, f.Attr) and site.call.func.attr == name:
                    if all(isinstance(v, Unknown) for v in project.values(site.call.func, function)):
                        yield site


def _handed(project: Project) -> dict[Function, set[Side]]:
    """The functions that are handed to processes and threads."""

    def compute() -> dict[Function, set[Side]]:
        out: dict[Function, set[Side]] = {}
        for submission in (*project.submissions(), *(s for module in project.spread.modules() for s in handing.threads_of(project, module))):
            side: Side = "thread" if submission.where == "thread" or submission.role == "callback" else "worker"
            if submission.role != "handler":
                for callee in submission.callees:
                    out.setdefault(callee, set()).add(side)
        return out

    return project.kept("handed to sides", compute)


def _entry(project: Project, function: Function) -> set[Side]:
    """The side of the method that a Process or Thread of the project runs."""
    if function.name != "run" or function.owner is None:
        return set()
    role = project.role(function.owner)
    return {"worker"} if role == "process" else {"thread"} if role == "thread" else set()
