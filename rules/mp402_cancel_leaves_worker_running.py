"""MP402: the wait is cancelled, and the worker goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Step
from mplint.project.processes.ending import ends_workers
from mplint.project.values import Coroutine, External, Instance
from mplint.project.waits.awaiting import Wait, waits, work_awaited
from mplint.project.waits.futures import is_wait, sources_of
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import CallSite, Function, Module, Project, Value

_LIMITS = frozenset({"asyncio.timeout", "asyncio.timeout_at", "async_timeout.timeout", "async_timeout.timeout_at"})
_SPELLED = ("wait_for(", "timeout(", "timeout_at(")
_ENDING = ("._processes", "terminate_workers", "kill_workers")
_ASKED = frozenset({"cancelled", "running", "done"})


class CancelLeavesWorkerRunning(Rule):
    """A limit or a cancellation that ends the wait for a worker process, and not its work.

    ## What it does

    Reports `asyncio.wait_for`, `asyncio.timeout` and the `cancel()` of a task or future over work that a process executor does. Also `cancel()` of
    an executor's future that is trusted to stop a task that runs: after its time limit, or with nobody looking at what `cancel()` returns.

    ## Why it hurts

    Nothing reaches into a worker. The coroutine gets its `TimeoutError` or `CancelledError` in time and the worker finishes its work all the same.
    When it is stuck, the `shutdown` that follows waits for it, as does the end of the interpreter after `shutdown(wait=False)`: the program hangs.
    `Future.cancel()` returns False for a task that runs, and does nothing. Measured on CPython 3.8 to 3.13.

    ## When it knows

    The work must be given to an executor of processes (`concurrent.futures`, loky), directly or in coroutines that resolve. Silent when the function,
    its callers or what it calls end the workers (`kill`, `terminate`, `terminate_workers`, `kill_workers`; not in a handler of a caller that never
    hears of the limit), for what `shield` protects, for pebble, whose futures end their worker, for a coroutine that works in a loop, whose
    cancellation ends the loop, for the cancelling of many futures without a limit, which keeps those in the queue from starting, and for threads.

    ## References

    - [asyncio.wait_for](https://docs.python.org/3/library/asyncio-task.html#asyncio.wait_for).
    - [concurrent.futures.Future.cancel](https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Future.cancel): a call that is being
      executed "cannot be cancelled".
    - [ProcessPoolExecutor.terminate_workers](https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.ProcessPoolExecutor.terminate_workers),
      since 3.14.
    """

    code = "MP402"
    name = "cancel-leaves-worker-running"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for function, row, message, because in _left(module, project):
            if row.at not in seen and not _are_ended(project, function, row):
                seen.add(row.at)
                yield Alarm(self.code, function.site(row), message, because, function.qualname)

    example = Example(
        bad="""\
import asyncio
import time
from concurrent.futures import ProcessPoolExecutor


async def main():
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(1) as executor:
        try:
            await asyncio.wait_for(loop.run_in_executor(executor, time.sleep, 600), 1)  # MP402
        except asyncio.TimeoutError:
            print("no answer in time")


if __name__ == "__main__":
    asyncio.run(main())
""",
        bad_ends=Hangs(),
        fixed="""\
import asyncio
import time
from concurrent.futures import ProcessPoolExecutor


async def main():
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(1) as executor:
        try:
            await asyncio.wait_for(loop.run_in_executor(executor, time.sleep, 600), 1)
        except asyncio.TimeoutError:
            print("no answer in time")
            for worker in list(executor._processes.values()):
                worker.kill()


if __name__ == "__main__":
    asyncio.run(main())
""",
        fixed_ends=Prints("no answer in time"),
    )


_Left = tuple["Function", f.Row, str, tuple[Step, ...]]


def _left(module: Module, project: Project) -> Iterator[_Left]:
    """Where waiting for a process ends before its work does."""
    pages = range(len(module.outline.pages))
    gives = any(module.holds(page, "run_in_executor") for page in pages)
    for page in pages:
        cancels = module.holds(page, ".cancel(")
        if (cancels and gives) or ((cancels or module.holds(page, *_SPELLED)) and project.spread.may_await_work(module, page)):
            for function in project.functions_on(module, page):
                yield from _limited(project, function)
                for site in function.calls:
                    if f.last_name(site.call.func) == "cancel":
                        yield from _cancelled_task(project, site)
                        yield from _cancelled_future(project, site)
    for use in project.uses(module, "cancel"):
        yield from _cancelled_future(project, use.site)


def _limited(project: Project, function: Function) -> Iterator[_Left]:
    """`wait_for` and blocks with a time limit over the work of processes."""
    for site in function.calls:
        if f.last_name(site.call.func) == "wait_for" and project.external(site.call.func, function) == "asyncio.wait_for":
            awaited, limit = site.call.positional(0) or site.call.keyword("fut"), site.call.positional(1) or site.call.keyword("timeout")
            if awaited is not None and f.is_given(limit) and (wait := _surest(project, function, awaited)) is not None:
                yield (
                    function,
                    site.call,
                    "`wait_for` gives up and the worker does not: the task goes on, and the executor's shutdown waits for it",
                    wait.because,
                )
    for row in function.rows:
        item = _limit_of(project, function, row) if isinstance(row, f.With) and row.is_async else None
        if item is None:
            continue
        for work in work_awaited(project, function):
            inside = any(around is row for around, _ in function.graph.withs_around(work.row))
            if isinstance(work.row, f.Await) and inside and _goes_on(project, work.wait) and not _is_shielded(project, function, work.row.value):
                message = f"`{f.last_name(item.func)}` gives up and the worker does not: the task goes on, and the executor's shutdown waits for it"
                yield function, item, message, work.wait.because
                break


def _limit_of(project: Project, function: Function, row: f.With) -> f.Call | None:
    """The time limit that a block enters."""
    for item in row.items:
        call = item.value
        if isinstance(call, f.Call) and f.last_name(call.func) in {"timeout", "timeout_at"} and project.external(call.func, function) in _LIMITS:
            given = call.positional(0) or next((a.value for a in call.args), None)
            if f.is_given(given):
                return call
    return None


def _surest(project: Project, function: Function, awaited: f.Expr) -> Wait | None:
    """The work of processes that awaiting an expression waits for, a `gather` in it too."""
    if _is_shielded(project, function, awaited):
        return None
    for wait in waits(project, project.values(awaited, function)):
        if _goes_on(project, wait):
            return wait
    if "gather" in _called(function, awaited):
        for work in work_awaited(project, function):
            if isinstance(work.row, f.Await) and any(row is awaited for row in f.walk(work.row)) and _goes_on(project, work.wait):
                return work.wait
    return None


def _called(function: Function, expr: f.Expr) -> frozenset[str]:
    """The last names of the calls in an expression, and in what its names were given in the function."""
    out = {f.last_name(row.func) for row in f.walk(expr) if isinstance(row, f.Call)}
    if isinstance(expr, f.Name):
        for step in function.rows:
            if isinstance(step, f.Assign) and step.value is not None and any(isinstance(t, f.Name) and t.id == expr.id for t in step.targets):
                out |= {f.last_name(row.func) for row in f.walk(step.value) if isinstance(row, f.Call)}
    return frozenset(out)


def _is_shielded(project: Project, function: Function, awaited: f.Expr) -> bool:
    """Whether somebody protects the work from the cancellation: then it is meant to go on."""
    if "shield" in _called(function, awaited):
        return True
    coroutines = [v for v in project.values(awaited, function) if isinstance(v, Coroutine)]
    return any(v.function.spells("shield(") for v in coroutines)


def _goes_on(project: Project, wait: Wait) -> bool:
    """Whether the work is done by an executor of processes whose futures cannot end it."""
    if wait.where != "process" or not wait.because:
        return False
    given = project.maker(Instance(External(""), made=wait.because[-1].site))
    return given is not None and any(_is_deaf(project, v) for v in project.values(given.call, given.function))


def _is_deaf(project: Project, future: Value) -> bool:
    if not isinstance(future, Instance) or future.where != "process" or future.source is None:
        return False
    kind = project.kind(future.source)
    return kind is not None and "concurrent.futures.Executor" in project.table.bases(kind.name)


def _cancelled_task(project: Project, site: CallSite) -> Iterator[_Left]:
    """`cancel()` of a task whose coroutine waits for a process, once and not in a loop."""
    function, func = site.function, site.call.func
    if not isinstance(func, f.Attr) or (_is_one_of_many(function, func.value) and not _after_limit(project, function, site.call)):
        return
    coroutines = tuple(v for v in project.values(func.value, function) if isinstance(v, Coroutine))
    for wait in waits(project, coroutines) if not any(_works_on(v) or v.function.spells("shield(") for v in coroutines) else ():
        if _goes_on(project, wait):
            yield (
                function,
                site.call,
                "`cancel` ends the coroutine and not the work: the worker goes on, and the executor's shutdown waits for it",
                wait.because,
            )
            break


def _works_on(coroutine: Coroutine) -> bool:
    """Whether a coroutine awaits things in a loop, so that cancelling it keeps it from going on."""
    function = coroutine.function
    return any(isinstance(row, f.Await) and any(isinstance(loop, f.While) for loop in function.graph.loops_around(row)) for row in function.rows)


def _cancelled_future(project: Project, site: CallSite) -> Iterator[_Left]:
    """`cancel()` of a future whose task may run."""
    function, call = site.function, site.call
    if not isinstance(call.func, f.Attr):
        return
    future = next((v for v in project.values(call.func.value, function) if isinstance(v, Instance) and _is_deaf(project, v)), None)
    if future is None or future.made is None:
        return
    asynchronous = isinstance(future.cls, External) and project.table.canonical(future.cls.name) == "asyncio.Future"
    if not _after_limit(project, function, call):
        if _is_one_of_many(function, call.func.value):
            return
        if not asynchronous and any(isinstance(row, f.Attr) and row.attr in _ASKED for row in function.rows):
            return
    if not asynchronous and not isinstance(function.parent(call), f.Do):
        return
    what = "ends the waiting and not the work" if asynchronous else "does not stop a task that runs"
    because = (Step(future.made, "the work is given to a process pool here"),)
    yield function, call, f"`cancel` {what}: the worker goes on, and the executor's shutdown waits for it", because


def _is_one_of_many(function: Function, expr: f.Expr) -> bool:
    """Whether an expression is taken out of a collection."""
    return isinstance(expr, (f.Item, f.Call)) or (isinstance(expr, f.Name) and any(True for _ in sources_of(function, expr.id)))


def _after_limit(project: Project, function: Function, call: f.Call) -> bool:
    """Whether a call stands in the handler of a time limit, or is for those that `wait` with a limit left over."""
    for place in function.graph.tries_around(call):
        if isinstance(place.branch, f.Handler) and place.branch.types is not None:
            types = place.branch.types
            if any(f.last_name(t).endswith("TimeoutError") for t in (types.items if isinstance(types, f.Sequence) else (types,))):
                return True
    name = call.func.value.id if isinstance(call.func, f.Attr) and isinstance(call.func.value, f.Name) else ""
    return any(_is_left_over(project, function, source) for source in sources_of(function, name))


def _is_left_over(project: Project, function: Function, source: f.Expr) -> bool:
    """Whether iterating over an expression gives the second set of a `wait` with a limit."""
    if not isinstance(source, f.Name):
        return False
    for step in function.rows:
        if isinstance(step, f.Assign) and step.value is not None and is_wait(project, function, step.value):
            second = [t.items[1] for t in step.targets if isinstance(t, f.Sequence) and len(t.items) == 2]
            call = step.value.value if isinstance(step.value, f.Await) else step.value
            limit = call.keyword("timeout") or call.positional(1) if isinstance(call, f.Call) else None
            if f.is_given(limit) and any(isinstance(t, f.Name) and t.id == source.id for t in second):
                return True
    return False


def _are_ended(project: Project, function: Function, row: f.Row) -> bool:
    """Whether the workers are ended where the wait is: in the function, in what it calls, in who calls it, or by a method of its object."""
    if ends_workers(function) or any(ends_workers(callee) for site in function.calls for callee in project.callees(site)):
        return True
    if function.owner is not None and any(True for _ in function.owner.methods_mentioning(*_ENDING)):
        return True
    kept = _keeps_limit(function, row)
    return not function.is_module and any(ends_workers(site.function, unless_raised=kept) for site in project.callers(function))


def _keeps_limit(function: Function, row: f.Row) -> bool:
    """Whether a handler around the wait takes the error of its limit, and goes on: whoever calls the function never hears of it."""
    for _, handler in function.graph.handlers_around(row):
        types = handler.types.items if isinstance(handler.types, f.Sequence) else (handler.types,)
        if any(t is None or f.last_name(t).endswith(("TimeoutError", "Exception")) for t in types):
            return "raise" not in function.graph.ways_out(handler.body)
    return False
