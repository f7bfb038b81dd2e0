"""MP405: a coroutine that waits for a pool eats its cancellation and goes on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety
from mplint.project.waits.awaiting import Work, waiters, work_awaited
from mplint.project.raising import caught_classes
from mplint.project.values import External
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Function, Module, Project

_CANCELLED = "asyncio.CancelledError"


class CancellationSwallowed(Rule):
    """A clause around the work of a pool that takes the cancellation and goes on.

    ## What it does

    Reports `except CancelledError`, `except BaseException`, a bare `except:` and `contextlib.suppress` around an `await` of a process pool's work
    that go on after a cancellation. Where the target version is 3.7, `except Exception` does the same and is reported too.

    ## Why it hurts

    `Task.cancel()` only throws `CancelledError` into the coroutine once. Who takes it and goes on is not cancelled: a loop hands the next
    piece of work to the pool, and who waits for the task waits for ever. `asyncio.timeout` and `TaskGroup` rely on the same exception. Measured
    on CPython 3.10 to 3.13: a loop that swallows it goes on for ever.

    ## When it knows

    The `await`, `gather` or `TaskGroup` must lead to the work of a process pool, or of an executor that may be one. Silent when the clause raises on
    some way, ends the coroutine with `return` after naming `CancelledError`, keeps the exception or hands it on, and when the function itself
    cancels what it awaits.

    ## Fix safety

    Adds `raise` to a clause for `CancelledError` alone, and puts `except asyncio.CancelledError: raise` before a wider one. It is unsafe: the
    coroutine ends where it went on.

    ## References

    - [Task cancellation](https://docs.python.org/3/library/asyncio-task.html#task-cancellation): `CancelledError` should generally be propagated.
    - [bpo-32528](https://github.com/python/cpython/issues/76709): why `CancelledError` is no `Exception` since 3.8.
    """

    code = "MP405"
    name = "cancellation-swallowed"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for function in _candidates(project, module):
            seen = set()
            for work in work_awaited(project, function):
                if work.wait.where == "thread" or _cancels(function, work.row):
                    continue
                place = "a process pool" if work.wait.where == "process" else "an executor that may be a process pool"
                for row, clause, hint in _swallowing(project, function, work):
                    if row.at not in seen and function in waiters(project, module):
                        seen.add(row.at)
                        message = f"{clause} around the work of {place} swallows the cancellation: the coroutine goes on"
                        yield Alarm(self.code, function.site(row), message, work.wait.because, function.qualname, hint)
                    break

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if not alarm.hint or not isinstance(node, cst.ExceptHandler):
            return
        if alarm.hint == "append":
            repair.append_to_body(node, "raise")
        else:
            repair.insert_before(node, f"except {repair.import_name('asyncio', 'CancelledError')}:\n    raise")
        repair.title = "Let the cancellation pass"
        repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
import asyncio
import time
from concurrent.futures import ProcessPoolExecutor


async def poll(executor):
    loop = asyncio.get_running_loop()
    while True:
        try:
            await loop.run_in_executor(executor, time.sleep, 0.1)
        except asyncio.CancelledError:  # MP405
            print("cancelled")


async def main():
    with ProcessPoolExecutor(1) as executor:
        task = asyncio.create_task(poll(executor))
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.wait([task])


if __name__ == "__main__":
    asyncio.run(main())
""",
        bad_ends=Hangs(),
        fixed="""\
import asyncio
import time
from concurrent.futures import ProcessPoolExecutor


async def poll(executor):
    loop = asyncio.get_running_loop()
    while True:
        try:
            await loop.run_in_executor(executor, time.sleep, 0.1)
        except asyncio.CancelledError:
            print("cancelled")
            raise


async def main():
    with ProcessPoolExecutor(1) as executor:
        task = asyncio.create_task(poll(executor))
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.wait([task])


if __name__ == "__main__":
    asyncio.run(main())
""",
        fixed_ends=Prints("cancelled"),
    )


_TAKING = re.compile(r"\bexcept\s*(?::|\*?\s*\(?\s*[\w.]*\b[A-Z_]+\b)|CancelledError|BaseException|\bsuppress\b")
"""What the source of a function that can swallow a cancellation holds: a clause that takes it, or one for what is named like a constant."""


def _candidates(project: Project, module: Module) -> Iterator[Function]:
    """The coroutine functions of a module in which something takes a cancellation."""
    taking = _TAKING if project.target >= (3, 8) else re.compile(r"\bexcept\b|\bsuppress\b")
    for page in range(len(module.outline.pages)):
        if module.holds(page, "await", "async with") and project.spread.may_await_work(module, page) and taking.search(module.page_code(page)):
            for function in project.functions_on(module, page):
                if function.facts.is_async and _takes(project, function):
                    yield function


def _takes(project: Project, function: Function) -> bool:
    for row in function.rows:
        if isinstance(row, f.Try) and any(_cancellation_names(project, function, handler) for handler in row.handlers):
            return True
        if isinstance(row, f.With) and any(_suppressed(project, function, item) for item in row.items):
            return True
    return False


def _suppressed(project: Project, function: Function, item: f.WithItem) -> bool:
    """Whether a `with` suppresses a cancellation."""
    call = item.value
    if not isinstance(call, f.Call) or project.external(call.func, function) != "contextlib.suppress":
        return False
    return not {_CANCELLED, "builtins.BaseException"}.isdisjoint(project.external(arg.value, function) for arg in call.args)


def _swallowing(project: Project, function: Function, work: Work) -> Iterator[tuple[f.Row, str, str]]:
    """The clause that ends a cancellation of `work`, innermost first, with its name in the message and the hint for its fix; none when it passes them all."""
    done: set[int] = set()
    for row, handler in function.graph.handlers_around(work.row):
        if id(row) in done:
            continue
        names = _cancellation_names(project, function, handler)
        if not names:
            continue
        done.add(id(row))
        if _passes_on(function, handler, names):
            if "raise" in function.graph.ways_out(handler.body):
                continue
            return
        alone = names == {_CANCELLED}
        last = handler.body[-1]
        can_append = function.graph.can_fall_through(handler.body) and not isinstance(last, f.Return)
        yield handler, _title(handler), ("append" if can_append else "") if alone else "before"
        return
    for _, item in function.graph.withs_around(work.row):
        if _suppressed(project, function, item):
            yield item.value, "`suppress`", ""
            return


def _title(handler: f.Handler) -> str:
    if handler.types is None:
        return "a bare `except`"
    names = handler.types.items if isinstance(handler.types, f.Sequence) else (handler.types,)
    wide = [n for n in map(f.dotted, names) if n.rpartition(".")[2] in {"CancelledError", "BaseException", "Exception"}]
    return f"`except {wide[0] if wide else f.dotted(names[0])}`"


def _cancellation_names(project: Project, function: Function, handler: f.Handler) -> frozenset[str]:
    """The classes of a handler when one of them takes a cancellation ("" for a bare one); none when it does not, or when one is unknown."""
    if handler.types is None:
        return frozenset({""})
    classes = caught_classes(project, function, handler)
    names = frozenset(project.table.canonical(c.name) if isinstance(c, External) else "?" for c in classes)
    taking = {_CANCELLED, "builtins.BaseException"} | ({"builtins.Exception"} if project.target < (3, 8) else set())
    return names if names & taking else frozenset()


def _passes_on(function: Function, handler: f.Handler, names: frozenset[str]) -> bool:
    """Whether a clause lets the cancellation pass in some way, or means to end the coroutine."""
    ways = function.graph.ways_out(handler.body)
    if ways & {"raise", "stop"} or not ways:
        return True
    if _CANCELLED in names and ways == {"return"} and not any(isinstance(r, f.Return) and f.is_given(r.value) for r in f.walk(*handler.body)):
        return True
    if names & {"builtins.KeyboardInterrupt", "builtins.SystemExit"} and not function.graph.loops_around(handler.body[0]):
        return True
    for row in f.walk(*handler.body):
        if isinstance(row, f.Call) and isinstance(row.func, f.Attr) and row.func.attr in {"set_exception", "cancel", "uncancel", "throw"}:
            return True
        if handler.name and isinstance(row, f.Assign) and isinstance(row.value, f.Name) and row.value.id == handler.name:
            return True
        if handler.name and isinstance(row, f.Call) and isinstance(row.func, f.Attr) and row.func.attr in {"append", "put", "put_nowait"}:
            if any(isinstance(r, f.Name) and r.id == handler.name for arg in row.args for r in f.walk(arg.value)):
                return True
    later = [row for row in function.rows if isinstance(row, f.Raise) and row.exc is not None and "CancelledError" in _last_name(row.exc)]
    return any(function.graph.reaches(handler.body[-1], row) for row in later)


def _last_name(expr: f.Expr) -> str:
    return f.dotted(expr.func if isinstance(expr, f.Call) else expr).rpartition(".")[2]


def _cancels(function: Function, row: f.Row) -> bool:
    """Whether the function cancels something before it comes to `row`: then the cancellation that arrives is its own."""
    cancelling = [site.call for site in function.calls if isinstance(site.call.func, f.Attr) and site.call.func.attr in {"cancel", "cancelled"}]
    return any(function.graph.reaches(call, row) for call in cancelling)
