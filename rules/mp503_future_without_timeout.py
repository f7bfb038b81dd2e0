"""MP503: a task that never ends, and a program that waits for it without a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm
from mplint.fixes.limiting import add_limit, limit_hint
from mplint.project.importing import is_test
from mplint.project.values import Instance, Literal, Many, Tuple
from mplint.project.waits.futures import executor_of, is_done, waited_for
from mplint.rule import Example, Hangs, Raises, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Function, Module, Project, Use


class FutureWithoutTimeout(Rule):
    """A wait without a limit for the work of a process executor that outlives the wait.

    ## What it does

    Reports `result()`, `exception()`, `as_completed()`, `wait()` and `executor.map()` without a timeout, for the work of a process executor that no
    `with` block closes. One alarm for each place that waits: `result()` of what `as_completed()` or `wait()` gave is none.

    ## Why it hurts

    An executor notices a worker that dies, and not one that is stuck: on a server that does not answer, on a lock that is never free. Measured on
    CPython 3.8 to 3.13: the wait lasts for as long as the task does. Under spawn and forkserver not every death is noticed either: on 3.11 to 3.13 a
    worker that a later `submit()` started, while others were busy, can die unseen until another task ends or is given.

    ## When it knows

    All that the executor can be must be process executors, made by calls that are known. Silent where a limit would free nothing: for executors that a
    `with` block enters, or that are shut down on every way from the wait, for both wait for the stuck task (MP505). Silent for futures that are
    done, in done callbacks, for a timeout that is handed on, for thread executors, for pebble's tasks that have a timeout of their own, and in tests.

    ## Fix safety

    Adds `timeout=T`. It is unsafe: a slow but healthy task raises `TimeoutError`, and the stuck worker stays until somebody kills it, also at the end
    of the interpreter. `wait()` has no fix, for it tells of its limit only by what it returns.

    ## References

    - [Future.result](https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Future.result)
    - [gh-105829](https://github.com/python/cpython/issues/105829): the fix since which the death of a worker that was started later can go unseen.
    """

    code = "MP503"
    name = "future-without-timeout"
    preview = True

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        if is_test(project, module.path):
            return
        for use in project.uses(module, "collect", "iterate", "wait"):
            given = project.argument(use.call, use.row.timeout)
            if use.site in seen or use.row.timeout is None or use.call.starred or f.is_given(given):
                continue
            executor = _executor(project, use)
            if executor is None or is_done(project, use) or _is_dropped(use) or _is_callback(project, use.function):
                continue
            if _was_waited_for(project, use) or _waits_at_its_end(project, use, executor):
                continue
            seen.add(use.site)
            method = use.row.name.rpartition(".")[2]
            message = f"`{method}()` without a timeout waits as long as a task does: for ever, when one is stuck{_unseen(project, executor)}"
            hint = limit_hint(project.limits, keeps=False) if given is None and method != "wait" else ""
            yield Alarm(self.code, use.site.site, message, project.made_step(executor), use.function.qualname, hint)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        add_limit(node, alarm.hint, repair)

    example = Example(
        bad="""\
import time
from concurrent.futures import ProcessPoolExecutor


def fetch(page):
    while page == 2:  # as a server that never answers
        time.sleep(1)
    return page * 10


if __name__ == "__main__":
    executor = ProcessPoolExecutor(2)
    pages = [executor.submit(fetch, page) for page in range(4)]
    try:
        print([page.result() for page in pages])  # MP503
    finally:
        for worker in list(executor._processes.values()):
            worker.kill()
""",
        bad_ends=Hangs(),
        fixed="""\
import time
from concurrent.futures import ProcessPoolExecutor


def fetch(page):
    while page == 2:  # as a server that never answers
        time.sleep(1)
    return page * 10


if __name__ == "__main__":
    executor = ProcessPoolExecutor(2)
    pages = [executor.submit(fetch, page) for page in range(4)]
    try:
        print([page.result(timeout=3) for page in pages])
    finally:
        for worker in list(executor._processes.values()):
            worker.kill()
""",
        fixed_ends=Raises("TimeoutError"),
    )


def _is_dropped(use: Use) -> bool:
    """Whether what `map` gives is thrown away: then nobody waits."""
    return "submit" in use.row.does and isinstance(use.function.parent(use.call), f.Do)


def _executor(project: Project, use: Use) -> Instance | None:
    """The process executor whose work is waited for, also where it may be one of threads instead; None where not all is known."""
    found: Instance | None = None
    for value in waited_for(project, use):
        if isinstance(value, (Many, Tuple, Literal)):
            continue
        executor = executor_of(project, value)
        if executor is None or executor.made is None or executor.where not in {"process", "thread"} or project.role(executor) != "executor":
            return None
        if _limits_tasks(project, value):
            return None
        if executor.where == "process":
            found = executor
    return found


def _limits_tasks(project: Project, value: object) -> bool:
    """Whether the task of a future was given a timeout of its own."""
    made = project.maker(value) if isinstance(value, Instance) and project.role(value) == "future" else None
    return made is not None and any(u.row.timeout is not None and project.argument(u.call, u.row.timeout) for u in project.uses_at(made, "submit"))


def _is_callback(project: Project, function: Function) -> bool:
    """Whether a function is called with futures that are done."""
    called = project.kept("done callbacks", lambda: frozenset(g for s in project.submissions() if s.role == "callback" for g in s.callees))
    return function in called


def _was_waited_for(project: Project, use: Use) -> bool:
    """Whether all work was waited for on every way here: by `wait()`, `as_completed()`, `shutdown()`, or the same future by another call."""
    function = use.function
    before: list[f.Row] = []
    for site in function.calls:
        if site.call is use.call or not function.graph.reaches(site.call, use.call) or any(r is site.call for r in use.site.ancestors):
            continue
        for other in project.uses_at(site):
            if _waits_for_all(project, other) and not any(
                loop is row for loop in function.graph.loops_around(use.call) for row in function.ancestors(site.call)
            ):
                before.append(site.call)
            elif "collect" in other.row.does and isinstance(site.call.func, f.Attr) and isinstance(use.call.func, f.Attr):
                name = f.dotted(use.call.func.value)
                if name and name == f.dotted(site.call.func.value):
                    before.append(site.call)
    return bool(before) and function.graph.dominated(use.call, by=before)


def _waits_for_all(project: Project, use: Use) -> bool:
    name, until = use.row.name.rpartition(".")[2], use.call.keyword("return_when")
    if until is not None and project.external(until, use.function) != "concurrent.futures.ALL_COMPLETED":
        return False
    return name == "as_completed" or (name in {"wait", "shutdown"} and not use.call.keyword("wait"))


def _waits_at_its_end(project: Project, use: Use, executor: Instance) -> bool:
    """Whether the executor is entered by a `with` block, or shut down on every way from here: both wait for the task, whatever the limit."""
    made = project.maker(executor)
    if made is None:
        return True
    if any(True for _ in project.life(made, patient=True).touched("with")):
        return True
    closing = [s.call for s in use.function.calls if any("shutdown" in u.row.does and _waits_for_all(project, u) for u in project.uses_at(s))]
    return bool(closing) and use.function.graph.always_followed(use.call, by=closing, exceptional=True)


def _unseen(project: Project, executor: Instance) -> str:
    """What else the wait can be for, by the start method of the executor."""
    if executor.start not in {"spawn", "forkserver"} or not project.target < (3, 14):
        return ""
    return ", and on Python 3.11 to 3.13 also when a worker has died unseen"
