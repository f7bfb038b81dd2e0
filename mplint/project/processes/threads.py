"""Where threads are started, where they have ended again, and what runs on one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Step
from mplint.project.importing import is_guarded, is_test
from mplint.project.modules import CallSite, Function
from mplint.project.values import External, Instance

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.project.workers import Submission

_STARTING = frozenset({"start", "submit", "map", "ThreadPool", "Pool", "run_in_executor", "to_thread"})
"""Last names of calls that may start a thread."""

_ENDING = frozenset({"join", "shutdown", "close", "terminate", "cancel", "stop"})

FILES = 40
"""In how many files the calls of a function are looked for, and its being the target of a thread; a name in more files than that says too little."""

CALLERS = 2
"""Levels of callers that are asked what they start before, or whether they run on a thread."""

Chain = tuple[Step, ...]


class Started(NamedTuple):
    """A call that starts a thread; `thread` is the thread or the pool of threads."""

    site: CallSite
    thread: Instance


def started(project: Project, function: Function) -> tuple[Started, ...]:
    """The calls in the body of `function` that start a thread."""
    return project.kept(("threads started", function), lambda: tuple(_started(project, function)))


def _started(project: Project, function: Function) -> Iterator[Started]:
    for site in function.calls:
        func = site.call.func
        last = f.last_name(func)
        if last not in _STARTING:
            continue
        if last == "start" and isinstance(func, f.Attr):
            found = _threads(project, func.value, function)
        elif last in {"submit", "map"} and isinstance(func, f.Attr):
            found = tuple(v for v in _threads(project, func.value, function) if project.role(v) in {"executor", "pool"})
        elif last in {"ThreadPool", "Pool"}:
            found = tuple(v for v in _threads(project, site.call, function) if project.role(v) == "pool")
        else:
            found = tuple(
                Instance(External("concurrent.futures.ThreadPoolExecutor"), "thread") for use in project.uses_at(site, "submit") if use.where == "thread"
            )
        if found:
            yield Started(site, found[0])


def _threads(project: Project, expr: f.Expr, function: Function) -> tuple[Instance, ...]:
    """The threads or pools of threads that an expression is: () when it may be something else."""
    values = project.values(expr, function)
    found = tuple(v for v in values if isinstance(v, Instance) and v.where == "thread" and project.role(v) in {"thread", "executor", "pool"})
    return found if len(found) == len(values) else ()


def running(project: Project, function: Function, row: f.Row) -> Started | None:
    """A thread that the body of `function` starts before `row`, on every way there (or in the last round of a loop), and that nothing shows to have
    ended by then."""
    for start in started(project, function):
        call = start.site.call
        if call is not row and _is_before(function, call, row) and not _has_ended(project, function, start, row):
            return start
    return None


def _is_before(function: Function, call: f.Call, row: f.Row) -> bool:
    graph = function.graph
    if not graph.reaches(call, row):
        return False
    if graph.dominated(row, by=[call]):
        return True
    here = graph.loops_around(row)
    own = [loop for loop in graph.loops_around(call) if not any(loop is other for other in here)]
    tests = _conditions(function, call)
    if own and isinstance(own[-1], f.For):  # each of several threads is started
        return graph.dominated(row, by=[own[-1].source]) and tests <= _conditions(function, own[-1].source)
    return not own and bool(here) and tests == _conditions(function, row)


def _conditions(function: Function, row: f.Row) -> set[tuple[int, bool]]:
    """The tests that decide about a row, with their outcomes."""
    return {(id(branch.test), branch.holds) for branch in function.graph.branch_conditions(row)}


def _has_ended(project: Project, function: Function, start: Started, row: f.Row) -> bool:
    graph = function.graph
    for site in function.calls:
        func = site.call.func
        if isinstance(func, f.Attr) and func.attr in _ENDING and graph.reaches(start.site.call, site.call) and graph.reaches(site.call, row):
            values = project.values(func.value, function)
            if any(not isinstance(v, Instance) or v.where == "thread" for v in values):
                return True
    inside = {id(block) for block, _ in graph.withs_around(row)}
    for block, item in graph.withs_around(start.site.call):
        if id(block) not in inside and any(isinstance(v, Instance) and v.where == "thread" for v in project.values(item.value, function)):
            return True
    return False


def before(project: Project, function: Function, row: f.Row) -> tuple[Started, Chain] | None:
    """A thread that is started before `row` of `function` runs: there, by its callers, when its object is made, or when its module is imported."""
    level: list[tuple[Function, f.Row, Chain]] = [(function, row, ())]
    for _ in range(CALLERS + 1):
        following: list[tuple[Function, f.Row, Chain]] = []
        for place, at, way in level:
            found = running(project, place, at)
            if found is not None:
                return found, way
            for caller in _callers(project, place):
                step = Step(caller.site, f"{_title(caller.function)} calls `{place.qualname}`")
                following.append((caller.function, caller.call, (step, *way)))
        level = following
    return _made_with(project, function) or _imported_with(project, function)


def _made_with(project: Project, function: Function) -> tuple[Started, Chain] | None:
    """A thread that the object of a method starts when it is made, or entered."""
    for name in ("__init__", "__enter__"):
        ready = function.owner.method(name) if function.owner is not None else None
        if ready is None or ready is function or function.name == "__init__" or _is_part_of(project, function, ready):
            continue
        for start in started(project, ready):
            if not ready.graph.branch_conditions(start.site.call) and not any(True for _ in _ends(ready)):
                return start, ()
    return None


def _is_part_of(project: Project, function: Function, ready: Function, levels: int = CALLERS) -> bool:
    """Whether a function is called by `ready` alone, itself or through others: what comes first there is told by the calls."""
    callers = _callers(project, function)
    return bool(callers) and all(s.function is ready or (levels > 0 and _is_part_of(project, s.function, ready, levels - 1)) for s in callers)


def _ends(function: Function) -> Iterator[f.Call]:
    for site in function.calls:
        if f.last_name(site.call.func) in {"join", "shutdown"}:
            yield site.call


def _imported_with(project: Project, function: Function) -> tuple[Started, Chain] | None:
    """A thread that importing the module of a function starts."""
    body = function.module.body
    if function.is_module:
        return None
    for start in started(project, body):
        call = start.site.call
        if not is_guarded(body, call) and not body.graph.branch_conditions(call) and not any(True for _ in _ends(body)):
            return start, ()
    return None


def on_thread(project: Project, function: Function, levels: int = CALLERS) -> Chain | None:
    """Why `function` runs on a thread that is not the main one: () for the `run` of a thread; None when nothing shows that it does."""
    handed = _handed(project).get(function)
    if handed is not None:
        return (Step(handed.site, f"`{function.qualname}` is run on a thread"),)
    if function.name == "run" and function.owner is not None and "threading.Thread" in project.ancestry(function.owner):
        return (Step(function.site(), f"`{function.qualname}` is the body of a thread"),)
    taken = _target(project, function)
    if taken is not None:
        return (Step(taken.site, f"a thread runs `{function.qualname}`"),)
    if levels:
        for caller in _callers(project, function):
            way = on_thread(project, caller.function, levels - 1)
            if way is not None:
                return (*way, Step(caller.site, f"{_title(caller.function)} calls `{function.qualname}`"))
    return None


def _handed(project: Project) -> dict[Function, CallSite]:
    """The functions that are given to pools of threads, with the call that does."""
    return project.kept(
        "handed to threads",
        lambda: {callee: s.site for s in reversed(project.submissions()) if _is_of_thread(project, s) for callee in s.callees},
    )


def _is_of_thread(project: Project, submission: Submission) -> bool:
    return submission.where == "thread" and submission.role in {"task", "target", "run"} and not is_test(project, submission.site.function.path)


def _callers(project: Project, function: Function) -> tuple[CallSite, ...]:
    """The calls of a function in its own file and in those that have threads; those of tests say nothing about what it is for."""
    return project.kept(("callers with threads", function), lambda: tuple(_calls(project, function))) if not function.is_module else ()


def _calls(project: Project, function: Function) -> Iterator[CallSite]:
    spelled = re.compile(rf"\b{re.escape(function.name)}\s*\(")
    for path in _threaded(project, function, b"("):
        module = project.module(path)
        for other in module.functions_where(lambda text, _: function.name in text and spelled.search(text), function.name) if module is not None else ():
            for site in other.calls:
                if f.last_name(site.call.func) == function.name and function in project.callees(site):
                    yield site


_HOMES = (
    "threading", "_thread", "futures", "concurrent", "Thread", "Timer", "ThreadPool", "ThreadPoolExecutor", "multiprocessing", "multiprocess", "pool",
    "dummy", "asyncio",
)  # fmt: skip
"""Words of the imports by which a file comes to threads."""


def _threaded(project: Project, function: Function, then: bytes = b"") -> tuple[str, ...]:
    """The file of a function and those that have its name and threads, tests apart; () when these are too many."""
    near = project.sources.holding(function.name.encode() + then, project.sources.holding(b"hread", sorted(project.triage.importing(_HOMES))))
    others = tuple(path for path in near if path != function.path and not is_test(project, path))
    return (function.path, *others) if len(others) < FILES else ()


def _target(project: Project, function: Function) -> CallSite | None:
    """The call that makes a thread which runs `function`."""
    if function.is_module or function.name.startswith("<") or function.name.startswith("__"):
        return None
    word = re.compile(rf"\b{re.escape(function.name)}\b")
    paths = _threaded(project, function)
    for path in dict.fromkeys((*project.sources.holding(b"Thread(", paths), *project.sources.holding(b"Timer(", paths))):
        module = project.module(path)
        for other in (
            module.functions_where(lambda text, _: function.name in text and ("Thread(" in text or "Timer(" in text), function.name, "Thread", "Timer")
            if module is not None
            else ()
        ):
            for site in other.calls:
                if f.last_name(site.call.func) in {"Thread", "Timer"}:
                    given = site.call.keyword("target") or site.call.keyword("function") or site.call.positional(1)
                    if given is not None and word.search(f.dotted(given)) and function in _run_by(project, given, other):
                        return CallSite(other, site.call)
    return None


def _run_by(project: Project, given: f.Expr, function: Function) -> tuple[Function, ...]:
    return tuple(callee for value in project.values(given, function) for callee in project.run_by(value))


def _title(function: Function) -> str:
    return f"importing `{function.module.name}`" if function.is_module else f"`{function.name}`"
