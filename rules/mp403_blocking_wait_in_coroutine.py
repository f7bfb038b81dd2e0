"""MP403: a coroutine that waits for a worker without `await`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Site, Step
from mplint.project.processes.ending import ends_workers
from mplint.project.values import Instance
from mplint.project.waits.futures import ASKED, is_done, waited_for
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Function, Module, Project, Use

_ROLES = frozenset({"pool", "executor", "future", "async-result", "result-iterator"})
_CONSUMING = frozenset({"list", "tuple", "set", "frozenset", "dict", "sorted", "sum", "min", "max", "any", "all", "next", "join", "extend", "update"})
_PASSING = frozenset({"enumerate", "zip", "iter", "map", "filter", "reversed", "tqdm", "islice", "chain", "track"})
_KEEPING = frozenset({"append", "add", "extend", "ensure_future", "wrap_future", "list", "tuple", "set", "add_done_callback"})
_MOMENT = 0.1
"""Limit in seconds up to which a wait is taken for a look."""


class BlockingWaitInCoroutine(Rule):
    """A coroutine that waits for worker processes and holds up the event loop.

    ## What it does

    Reports calls in an `async def` that wait for a process pool without `await`. These are `result()`, `get()`, `wait()`, `as_completed()`, `map()`, `apply()`,
    `join()` and `shutdown()`, and the end of a `with ProcessPoolExecutor()` while work is under way.

    ## Why it hurts

    The event loop runs in one thread, and a call that does not return stops everything on it for as long as the worker takes: no other task goes on, no
    timeout fires, no cancellation arrives. Measured on CPython 3.8 to 3.13: a task that ticks every 0.05 s ticks once in a second. When the worker
    waits for something that a task of the same loop has to do, both wait for ever.

    ## When it knows

    The call must stand in the coroutine itself and wait for a pool of processes. Silent inside `to_thread` and `run_in_executor`, for futures that
    are done (asked for, awaited before by `wrap_future`, given by `as_completed` or `wait`), for asyncio's futures and tasks, whose `result()` never
    waits, for limits of a tenth of a second or less, and for threads. The end of a `with` block, `shutdown()` and `join()` of a pool of the
    coroutine's own are silent where its work was awaited before: an idle executor is gone in 1 to 50 ms (measured for 1 to 16 workers), and after
    `terminate()` or `kill()`.

    ## References

    - [Running Blocking Code](https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code): blocking code "should not be called directly".
    - [loop.run_in_executor](https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.run_in_executor), and
      [asyncio.wrap_future](https://docs.python.org/3/library/asyncio-future.html#asyncio.wrap_future) for futures that are there already.
    """

    code = "MP403"
    name = "blocking-wait-in-coroutine"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for use in project.uses(module, "wait", "collect", "iterate", "shutdown", "join"):
            if use.site in seen or not use.function.facts.is_async or use.row.name.startswith("asyncio."):
                continue
            because = _blocks(project, use)
            if because is not None:
                seen.add(use.site)
                what = (
                    f"the results of `{f.last_name(use.call.func)}` are waited for"
                    if _is_iterated(use)
                    else f"`{f.last_name(use.call.func)}` waits for a process pool"
                )
                message = f"{what} without `await`: the event loop and all that runs on it stands still"
                yield Alarm(self.code, use.site.site, message, because, use.function.qualname)
        for function in project.functions(module, "with "):
            if function.facts.is_async:
                yield from _left_blocks(project, function, self.code)

    example = Example(
        bad="""\
import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

ready = multiprocessing.Event()


def brew():
    ready.wait()
    return "tea"


async def heat():
    ready.set()


async def main():
    executor = ProcessPoolExecutor(1)
    heating = asyncio.create_task(heat())
    print(executor.submit(brew).result())  # MP403
    await heating


if __name__ == "__main__":
    asyncio.run(main())
""",
        bad_ends=Hangs(),
        fixed="""\
import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

ready = multiprocessing.Event()


def brew():
    ready.wait()
    return "tea"


async def heat():
    ready.set()


async def main():
    executor = ProcessPoolExecutor(1)
    heating = asyncio.create_task(heat())
    print(await asyncio.wrap_future(executor.submit(brew)))
    await heating


if __name__ == "__main__":
    asyncio.run(main())
""",
        fixed_ends=Prints("tea"),
    )


def _blocks(project: Project, use: Use) -> tuple[Step, ...] | None:
    """What a call waits for that holds up its thread; None when it does not."""
    does = set(use.row.does)
    if isinstance(use.function.parent(use.call), f.Await) or _is_a_look(project, use):
        return None
    if use.receiver is None and {"submit", "wait"} <= does and "make" not in does:
        return () if use.where == "process" else None
    found = next((v for v in waited_for(project, use) if isinstance(v, Instance) and v.where == "process" and project.role(v) in _ROLES), None)
    if found is None:
        return None
    role = project.role(found)
    if does & {"shutdown", "join"}:
        if role not in {"pool", "executor"} or _does_not_wait(use) or ends_workers(use.function):
            return None
        maker = project.maker(found)
        own = maker is not None and maker.function is use.function
        if own and not _works(project, use.function, found, lambda row: use.function.graph.reaches(row, use.call)):
            return None
    elif "iterate" in does:
        if not _is_iterated(use):
            return None
    elif use.receiver is not None and role in {"future", "async-result"} and (is_done(project, use) or _is_known(project, use)):
        return None
    return project.made_step(found)


def _is_a_look(project: Project, use: Use) -> bool:
    """Whether a call waits for a moment at most."""
    given = project.argument(use.call, use.row.timeout)
    return isinstance(given, f.Const) and isinstance(given.value, (int, float)) and given.value <= _MOMENT


def _does_not_wait(use: Use) -> bool:
    """Whether `shutdown` is told not to wait, or may be."""
    given = use.call.keyword("wait") or use.call.positional(0) if "shutdown" in use.row.does else None
    return use.call.starred or (given is not None and not (isinstance(given, f.Const) and given.value is True))


def _is_iterated(use: Use) -> bool:
    """Whether something goes through what the call gives: a loop, `list()`; by the name that it gets, too."""
    if "iterate" not in use.row.does:
        return False
    function = use.function
    if _consumes(function, use.call):
        return True
    around = function.parent(use.call)
    names = {t.id for t in around.targets if isinstance(t, f.Name)} if isinstance(around, f.Assign) else set()
    return any(isinstance(row, f.Name) and row.id in names and function.graph.reaches(use.call, row) and _consumes(function, row) for row in function.rows)


def _consumes(function: Function, row: f.Row) -> bool:
    around = function.parent(row)
    while isinstance(around, f.Call) and around.func is not row and f.last_name(around.func) in _PASSING:
        row, around = around, function.parent(around)
    if isinstance(around, f.For):
        return around.source is row and not around.is_async
    if isinstance(around, f.Comprehension):
        return any(c.source is row and not c.is_async for c in around.clauses) and (around.kind != "generator" or _consumes(function, around))
    return isinstance(around, f.Star) or (isinstance(around, f.Call) and around.func is not row and f.last_name(around.func) in _CONSUMING)


def _is_known(project: Project, use: Use) -> bool:
    """Whether the function saw to it before that the answer is there: asked for it, awaited it, or waited for all."""
    function, graph = use.function, use.function.graph
    for row in function.rows:
        if isinstance(row, f.Attr) and row.attr in ASKED and graph.dominated(use.call, by=[row]):
            return True
        if isinstance(row, (f.Name, f.Attr)) and f.last_name(row) in {"wrap_future", "wait", "as_completed"} and graph.reaches(row, use.call):
            if project.external(row, function) in {"asyncio.wrap_future", "concurrent.futures.wait", "concurrent.futures.as_completed"}:
                return True
    return False


def _left_blocks(project: Project, function: Function, code: str) -> Iterator[Alarm]:
    """The `with` blocks of the coroutine's own process executors that are left while work is under way."""
    for row in function.rows:
        if not isinstance(row, f.With) or row.is_async or ends_workers(function):
            continue
        counts = _inside(row)
        for item in row.items:
            for value in project.values(item.value, function):
                if isinstance(value, Instance) and value.where == "process" and _waits_at_its_end(project, value):
                    maker = project.maker(value)
                    own = isinstance(item.value, f.Call) or (maker is not None and maker.function is function)
                    if own and _works(project, function, value, counts):
                        message = "the end of this block waits for its workers without `await`: the event loop and all that runs on it stands still"
                        yield Alarm(code, function.site(item.value), message, (), function.qualname)
                        break


def _inside(block: f.With) -> Callable[[f.Row], bool]:
    inside = {row.at for row in f.walk(*block.body)}
    return lambda row: row.at in inside


def _waits_at_its_end(project: Project, executor: Instance) -> bool:
    kind = project.kind(executor)
    return kind is not None and kind.role == "executor" and kind.leaving == "wait"


def _works(project: Project, function: Function, pool: Instance, counts: Callable[[f.Row], bool]) -> bool:
    """Whether the coroutine gave work to its pool and did not wait for it: `counts` says which rows come before the pool's end."""
    return any(
        counts(use.call) and pool.made in _places(project, use) and not _is_finished(use, counts)
        for site in function.calls
        for use in project.uses_at(site, "submit")
    )


def _places(project: Project, use: Use) -> set[Site | None]:
    """Where the pools were made that a submission may give its work to."""
    if use.row.executor is None:
        return {use.receiver.made} if use.receiver is not None else set()
    chosen = project.argument(use.call, use.row.executor)
    return {v.made for v in project.values(chosen, use.function) if isinstance(v, Instance)} if chosen is not None else set()


def _is_finished(use: Use, counts: Callable[[f.Row], bool]) -> bool:
    """Whether a coroutine waits, in whatever way, for the work that it gives away; what it hands on is taken for waited for."""
    if "wait" in use.row.does:
        return True
    if "iterate" in use.row.does:
        return _is_iterated(use)
    around = use.function.ancestors(use.call)
    if any(isinstance(row, f.Await) or (isinstance(row, f.Call) and f.last_name(row.func) not in _KEEPING and row.func not in around) for row in around):
        return True
    top = next((row for row in reversed(around) if isinstance(row, (f.Do, f.Assign, f.Return))), None)
    if isinstance(top, f.Return):
        return False
    kept: tuple[f.Row, ...] = top.targets if isinstance(top, f.Assign) else ()
    if isinstance(top, f.Do):
        adding = next(
            (r.func.value for r in around if isinstance(r, f.Call) and isinstance(r.func, f.Attr) and r.func.attr in {"append", "add", "extend"}), None
        )
        if adding is None:
            return top.value is not use.call and not _only_notes(top.value, use.call)
        kept = (adding,)
    names = {row.id for row in f.walk(*kept) if isinstance(row, f.Name)}
    return not names or _are_waited_for(use.function, names, counts)


def _only_notes(value: f.Row, call: f.Call) -> bool:
    """Whether a statement only adds a callback to the future."""
    return isinstance(value, f.Call) and isinstance(value.func, f.Attr) and value.func.value is call and value.func.attr == "add_done_callback"


def _are_waited_for(function: Function, names: set[str], counts: Callable[[f.Row], bool]) -> bool:
    """Whether something that `counts` awaits, asks or collects what these names hold, or what is made of it; or hands it on."""
    for _ in range(3):
        for row in function.rows:
            if isinstance(row, f.Assign) and row.value is not None and _mentions(row.value, names):
                names |= {r.id for t in row.targets for r in f.walk(t) if isinstance(r, f.Name)}
            elif isinstance(row, (f.For, f.Comprehension)):
                for clause in (row,) if isinstance(row, f.For) else row.clauses:
                    if _mentions(clause.source, names):
                        names |= {r.id for r in f.walk(clause.target) if isinstance(r, f.Name)}
    for row in filter(counts, function.rows):
        if isinstance(row, f.Await) and _mentions(row.value, names):
            return True
        if isinstance(row, f.For) and row.is_async and _mentions(row.source, names):
            return True
        if isinstance(row, f.Call) and f.last_name(row.func) not in {"append", "add", "print", "len", "add_done_callback", "debug", "info"}:
            if _mentions(row.func if isinstance(row.func, f.Attr) else row, names) or any(_mentions(a.value, names) for a in row.args):
                return True
        if isinstance(row, f.Attr) and row.attr in ASKED and _mentions(row.value, names):
            return True
    return False


def _mentions(row: f.Row, names: set[str]) -> bool:
    return any(isinstance(r, f.Name) and r.id in names for r in f.walk(row))
