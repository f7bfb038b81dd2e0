"""MP502: the answer of a dead worker never comes, and `get()` waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, Sequence

from mplint import facts as f
from mplint.finding import Alarm, Step, by_file
from mplint.fixes.limiting import add_limit, limit_hint
from mplint.project.values import Instance
from mplint.project.waits.callbacks import deliveries
from mplint.rule import Example, Hangs, Raises, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import CallSite, Module, Project, Use


class AsyncResultWithoutTimeout(Rule):
    """`get()` or `wait()` on the result of a process pool's task, without a limit.

    ## What it does

    Reports `AsyncResult.get()` and `AsyncResult.wait()` without a timeout, for results of `apply_async`, `map_async` and `starmap_async`
    on a process pool. A wait with a timeout is reported too where a `while True`, or `while not ready()`, only waits again after it; so are
    a loop that ends only when `ready()` says so, `join()` where the results were thrown away (also by another function, when this one closes the
    pool), and a task whose result is thrown away while a queue or an event is waited for that only its callback fills or sets, also where
    `pool.apply_async` is handed to the function that does so.

    ## Why it hurts

    A worker that dies inside a task takes the task with it; `multiprocessing.Pool` starts a new worker and never answers for the lost
    task. Measured on CPython 3.8 to 3.13, fork and spawn: `get()` and `wait()` hang. A timeout raises `multiprocessing.TimeoutError`, which
    is not the builtin `TimeoutError`.

    ## When it knows

    The result must come from a process pool by what the project does with it. Silent after a successful `ready()`, after a loop that watches
    the workers (`is_alive()`) until results are ready, in callbacks (they run when the result is there), for thread pools and billiard, with a
    timeout in any spelling, and for a queue or event that others fill or set, too.

    ## Fix safety

    Adds `timeout=T`. Safe when the project sets `timeout` in its configuration; unsafe with the default of an hour.

    ## References

    - [gh-66587](https://github.com/python/cpython/issues/66587): a lost worker is never noticed, open since 2014.
    - [multiprocessing.pool.AsyncResult](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.AsyncResult)
    """

    code = "MP502"
    name = "async-result-without-timeout"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen: set[object] = set()
        for use in project.uses(module, "collect", "wait"):
            result = use.receiver
            if result is None or use.where != "process" or project.role(result) != "async-result" or use.site in seen:
                continue
            if use.call.starred or _is_told(project, result):
                continue
            given = project.argument(use.call, use.row.timeout)
            bounded = f.is_given(given)
            if bounded and not _is_repeated(use):
                continue
            if not bounded and _is_ready(use):
                continue
            seen |= {use.site, *(id(loop) for loop in use.function.graph.loops_around(use.call) if bounded)}
            method = use.row.name.rpartition(".")[2]
            message = f"`{method}()` without a timeout waits for ever when the worker of this task dies"
            if bounded:
                message = f"`{method}()` is repeated after each timeout: the loop goes on for ever when the worker of this task dies"
            hint = limit_hint(project.limits) if given is None else ""
            yield Alarm(self.code, use.site.site, message, project.made_step(result), use.function.qualname, hint)
        for use in project.uses(module, "poll", "join"):
            receiver = use.receiver
            if receiver is None or use.where != "process" or _is_told(project, receiver) or use.site in seen:
                continue
            loops = {id(loop) for loop in use.function.graph.loops_around(use.call)}
            if project.role(receiver) == "async-result" and use.row.name.endswith(".ready") and not loops & seen and _polls_for_ever(use):
                seen.add(use.site)
                message = "this loop asks `ready()` and nothing else: it goes on for ever when the worker of the task dies"
                yield Alarm(self.code, use.site.site, message, project.made_step(receiver), use.function.qualname)
            elif (
                project.role(receiver) == "pool"
                and "join" in use.row.does
                and not _any_is_told(project, use)
                and (dropped := _dropped(use, project)) is not None
            ):
                seen.add(use.site)
                message = "`join()` is all that waits for these tasks, and it waits for ever when a worker dies"
                because = (*project.made_step(receiver), Step(dropped.site, "the result of these tasks is thrown away"))
                yield Alarm(self.code, use.site.site, message, because, use.function.qualname)
        yield from project.kept("MP502 callbacks", lambda: by_file(_uncalled(project))).get(module.path, ())

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        add_limit(node, alarm.hint, repair)

    example = Example(
        bad="""\
import os
import signal
from multiprocessing import Pool


def render(page):
    if page == 2:
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out
    return page * 10


if __name__ == "__main__":
    with Pool(2) as pool:
        answers = [pool.apply_async(render, (page,)) for page in range(4)]
        print([answer.get() for answer in answers])  # MP502
""",
        bad_ends=Hangs(),
        fixed="""\
import os
import signal
from multiprocessing import Pool


def render(page):
    if page == 2:
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out
    return page * 10


if __name__ == "__main__":
    with Pool(2) as pool:
        answers = [pool.apply_async(render, (page,)) for page in range(4)]
        print([answer.get(timeout=3) for answer in answers])
""",
        fixed_ends=Raises("TimeoutError"),
    )


_BOUNDING = frozenset({
    "monotonic", "perf_counter", "time_ns", "now", "deadline", "timeout", "elapsed", "is_alive", "exitcode", "sentinel", "pid", "_pool", "is_set", "poll",
})  # fmt: skip
"""Names by which a loop looks at the clock, at the workers or at a flag."""


def _uncalled(project: Project) -> Iterator[Alarm]:
    """The alarms on tasks whose callback is waited for, in the whole project."""
    for delivery in deliveries(project):
        waits = Step(delivery.wait.function.site(delivery.wait.row), f"`{delivery.wait.name}()` waits for what the callback delivers, without a limit")
        for function, row in delivery.handed or ((delivery.site.function, delivery.site.call),):
            message = "when the worker of this task dies its callback is never called, and what waits for that waits for ever"
            because = (*project.made_step(delivery.pool), waits)
            if delivery.handed:
                message = f"`{f.dotted(row)}` is handed to code that waits for its callbacks alone: when a worker dies none comes, and it waits for ever"
                because = (*project.made_step(delivery.pool), Step(delivery.site.site, "the task is given to the pool here"), waits)
            yield Alarm(AsyncResultWithoutTimeout.code, function.site(row), message, because, function.qualname)


def _is_told(project: Project, value: Instance) -> bool:
    """Whether who waits for this result, or this pool, is told when a worker dies."""
    kind = project.kind(value.source or value)
    return kind is not None and kind.notices_death


def _any_is_told(project: Project, use: Use) -> bool:
    return any(other.receiver is not None and _is_told(project, other.receiver) for other in project.uses_at(use.site, "join"))


def _polls_for_ever(use: Use) -> bool:
    """Whether `ready()` alone decides how long the loop around it goes on."""
    loop = next((row for row in use.function.graph.loops_around(use.call) if isinstance(row, f.While)), None)
    if loop is None or not (_asks_ready_somehow(loop.test) or (isinstance(loop.test, f.Const) and loop.test.value)):
        return False
    rows = [loop.test, *loop.body]
    known = {t.id for row in f.walk(*rows) if isinstance(row, f.Attr) and isinstance(t := row.value, f.Name)}
    named = {r.attr for r in f.walk(*rows) if isinstance(r, f.Attr)} | {r.id for r in f.walk(*rows) if isinstance(r, f.Name) and r.id not in known}
    clock = any(isinstance(r, f.Attr) and r.attr == "time" for r in f.walk(*rows))
    source = use.receiver.source if use.receiver is not None else None
    if clock or named & _BOUNDING or any(isinstance(r, f.Raise) for r in f.walk(*rows)) or source is None:
        return False
    leaving = [r for r in f.walk(*loop.body) if isinstance(r, f.Return) or (isinstance(r, f.Jump) and r.kind == "break")]
    branches = [branch.test for row in leaving for branch in use.function.graph.branch_conditions(row) if branch.row is not loop]
    if any(not _asks_ready_somehow(test) for test in branches) or len(leaving) > len(branches):
        return False
    given = {r.id for arg in (a.value for r in f.walk(*rows) if isinstance(r, f.Call) for a in r.args) for r in f.walk(arg) if isinstance(r, f.Name)}
    return not any(p in given for p in _names_of(use, source))


def _names_of(use: Use, pool: Instance) -> set[str]:
    """The local names through which the function gives tasks to the pool."""
    return {
        f.dotted(site.call.func.value).partition(".")[0]
        for site in use.function.calls
        if isinstance(site.call.func, f.Attr) and site.call.func.attr.endswith("_async")
    } | {p.name for p in use.function.facts.params if p.name and pool.made is None}


def _asks_ready_somehow(test: f.Expr) -> bool:
    return any(isinstance(r, f.Attr) and r.attr == "ready" for r in f.walk(test))


def _dropped(use: Use, project: Project) -> CallSite | None:
    """A task given to the pool whose result nobody keeps and for whose callback nobody waits: before the join in the same function, or in another one
    when this one closes the pool."""
    graph, pool = use.function.graph, use.receiver
    ends = [site.call for site in use.function.calls if f.last_name(site.call.func) == "terminate"]
    for site in use.function.calls:
        if _is_thrown_away(site) and graph.reaches(site.call, use.call, avoiding=ends) and not any(d.site == site for d in deliveries(project)):
            if any(
                other.receiver is not None and pool is not None and other.receiver.made == pool.made is not None for other in project.uses_at(site, "submit")
            ):
                return site
    if pool is None or pool.made is None or not _closes(use, project, ends):
        return None
    for submission in project.submissions():
        site, on = submission.site, submission.receiver
        if submission.role == "task" and isinstance(on, Instance) and on.made == pool.made and site.function is not use.function:
            if _is_thrown_away(site) and not any(d.site == site for d in deliveries(project)):
                return site
    return None


def _is_thrown_away(site: CallSite) -> bool:
    return isinstance(site.call.func, f.Attr) and site.call.func.attr.endswith("_async") and isinstance(site.function.parent(site.call), f.Do)


def _closes(join: Use, project: Project, ends: Sequence[f.Row]) -> bool:
    """Whether the pool is closed before the join, and not terminated in between."""
    for site in join.function.calls:
        if any(use.receiver is not None and join.receiver is not None and use.receiver.made == join.receiver.made for use in project.uses_at(site, "close")):
            if join.function.graph.reaches(site.call, join.call, avoiding=ends):
                return True
    return False


def _is_ready(use: Use) -> bool:
    """Whether `ready()` of the result was asked for on the way here, or what is waited for was chosen by it."""
    graph = use.function.graph
    for branch in graph.branch_conditions(use.call):
        if any(isinstance(r, f.Call) and isinstance(r.func, f.Attr) and r.func.attr in {"ready", "successful"} for r in f.walk(branch.test)):
            return True
    sources = [row.source for row in graph.loops_around(use.call) if isinstance(row, f.For)]
    for row in use.site.ancestors:
        if isinstance(row, f.Comprehension):
            sources.extend(clause.source for clause in row.clauses)
            if any(_asks_ready(condition) for clause in row.clauses for condition in clause.conditions):
                return True
    names = {r.id for source in sources for r in f.walk(source) if isinstance(r, f.Name)}
    for row in use.function.rows:
        if isinstance(row, f.While) and _asks_ready_somehow(row.test):
            return True
        if isinstance(row, f.While) and _watches(row) and graph.reaches(row.test, use.call):
            return True
        if isinstance(row, f.Assign) and row.value is not None and any(isinstance(t, f.Name) and t.id in names for t in row.targets):
            chosen = [r for r in f.walk(row.value) if isinstance(r, f.Comprehension)]
            if any(_asks_ready(condition) for c in chosen for clause in c.clauses for condition in clause.conditions):
                return True
    return False


def _is_repeated(use: Use) -> bool:
    """Whether the wait stands in a `while True` that does nothing about a timeout but wait again."""
    loops = [row for row in use.function.graph.loops_around(use.call) if isinstance(row, f.While)]
    if not loops or not (_asks_not_ready(loops[0].test) or (isinstance(loops[0].test, f.Const) and loops[0].test.value)):
        return False
    for _, handler in use.function.graph.handlers_around(use.call):
        names = handler.types.items if isinstance(handler.types, f.Sequence) else (handler.types,)
        if any(f.dotted(name).rpartition(".")[2] == "TimeoutError" for name in names):
            return all(isinstance(step, f.Jump) and step.kind in {"pass", "continue"} for step in handler.body)
    return False


def _asks_not_ready(test: f.Expr) -> bool:
    asked = test.operands[0] if isinstance(test, f.Op) and test.op == "not" else None
    return isinstance(asked, f.Call) and isinstance(asked.func, f.Attr) and asked.func.attr == "ready"


def _watches(loop: f.While) -> bool:
    """Whether a loop looks at results and at the workers that make them."""
    asked = {r.attr for step in loop.body for r in f.walk(step) if isinstance(r, f.Attr)}
    return "ready" in asked and bool(asked & {"is_alive", "exitcode", "sentinel"})


def _asks_ready(test: f.Expr) -> bool:
    return any(isinstance(r, f.Attr) and r.attr == "ready" and not _negated(test, r) for r in f.walk(test))


def _negated(test: f.Expr, attr: f.Attr) -> bool:
    return isinstance(test, f.Op) and test.op == "not" and any(r is attr for r in f.walk(test))
