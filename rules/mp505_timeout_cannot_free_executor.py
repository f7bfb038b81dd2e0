"""MP505: the limit is reached, and the end of the `with` block waits for the stuck task all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Site, Step
from mplint.project.values import Instance, elements
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Function, Module, Project, Use

_ENDING = frozenset({"kill", "terminate", "terminate_workers", "kill_workers", "killpg", "_exit", "abort", "pthread_kill", "send_signal"})
"""Last names of calls that end a worker or the program."""


class TimeoutCannotFreeExecutor(Rule):
    """A wait with a limit inside the `with` block of the process executor that does the work.

    ## What it does

    Reports `result(timeout=...)`, `exception(timeout=...)`, `map(timeout=...)`, `as_completed(timeout=...)` and `wait(timeout=...)` inside
    `with ProcessPoolExecutor()`, for the work of that executor.

    ## Why it hurts

    The limit ends the wait and not the task. The end of the block calls `shutdown(wait=True)`, which waits for the stuck worker: the
    timeout was in vain. Measured on CPython 3.8 to 3.13: the block hangs for as long as the task does, and `shutdown(wait=False, cancel_futures=True)`
    frees neither it nor the end of the interpreter.

    ## When it knows

    The future must come from the executor of an enclosing `with` in the same function. Silent when the function ends workers or the program
    (`kill`, `terminate`, `terminate_workers`, `os._exit`), for futures that are already done, for a limit of zero, and for a `while` loop that
    waits for the same work again and again.

    ## References

    - [Executor.shutdown](https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.shutdown), which `with` calls.
    - [ProcessPoolExecutor.terminate_workers](https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.ProcessPoolExecutor.terminate_workers),
      since 3.14.
    """

    code = "MP505"
    name = "timeout-cannot-free-executor"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for use in project.uses(module, "collect", "iterate", "wait"):
            if use.site in seen or not _has_limit(project, use):
                continue
            made = _executors(project, use)
            entered = made and _entered(project, use, made)
            if not entered or _ends_workers(use.function) or _is_polling(use) or _is_done(project, use):
                continue
            seen.add(use.site)
            method = use.row.name.rpartition(".")[2]
            message = f"the limit of `{method}` frees nothing: leaving the `with` block waits for the stuck task all the same"
            because = (Step(entered, "the block is left when the executor's workers are done"),)
            yield Alarm(self.code, use.site.site, message, because, use.function.qualname)

    example = Example(
        bad="""\
import time
from concurrent.futures import ProcessPoolExecutor, TimeoutError


def main():
    with ProcessPoolExecutor(1) as executor:
        future = executor.submit(time.sleep, 600)
        try:
            future.result(timeout=1)  # MP505
        except TimeoutError:
            print("no answer in time")


if __name__ == "__main__":
    main()
""",
        bad_ends=Hangs(),
        fixed="""\
import time
from concurrent.futures import ProcessPoolExecutor, TimeoutError


def main():
    with ProcessPoolExecutor(1) as executor:
        future = executor.submit(time.sleep, 600)
        try:
            future.result(timeout=1)
        except TimeoutError:
            print("no answer in time")
            for worker in list(executor._processes.values()):
                worker.kill()


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("no answer in time"),
    )


def _has_limit(project: Project, use: Use) -> bool:
    given = project.argument(use.call, use.row.timeout) if use.row.timeout is not None else None
    return given is not None and not (isinstance(given, f.Const) and (given.kind == "none" or not given.value))


def _waited(project: Project, use: Use) -> tuple[Instance, ...]:
    """The executor or the futures that the call waits for."""
    if use.receiver is not None:
        return (use.receiver,)
    passed = project.argument(use.call, use.row.passes) if use.row.passes is not None else None
    values = project.values(passed, use.function) if passed is not None else ()
    return tuple(v for v in (*values, *elements(values)) if isinstance(v, Instance))


def _executors(project: Project, use: Use) -> frozenset[Site]:
    """Where the process executors were made whose work is waited for, and whose blocks wait for it too."""
    out = set()
    for value in _waited(project, use):
        executor = value if project.role(value) == "executor" else value.source if project.role(value) == "future" else None
        kind = project.kind(executor) if executor is not None else None
        if (
            executor is not None
            and executor.made is not None
            and executor.where == "process"
            and kind is not None
            and kind.leaving == "wait"
        ):
            out.add(executor.made)
    return frozenset(out)


def _entered(project: Project, use: Use, made: frozenset[Site]) -> Site | None:
    """The `with` around the call that enters one of the executors."""
    for _, item in use.function.graph.withs_around(use.call):
        if any(isinstance(v, Instance) and v.made in made for v in project.values(item.value, use.function)):
            return use.function.site(item.value)
    return None


def _ends_workers(function: Function) -> bool:
    """Whether something in the function ends a worker, or the program; or takes the executor's processes to do so elsewhere."""
    return any(
        (isinstance(row, f.Call) and f.dotted(row.func).rpartition(".")[2] in _ENDING)
        or (isinstance(row, f.Call) and isinstance(row.func, f.Attr) and row.func.attr in _ENDING)
        or (isinstance(row, f.Attr) and row.attr == "_processes")
        for row in function.rows
    )


def _is_polling(use: Use) -> bool:
    """Whether the wait stands in a `while` loop inside the block: it looks again when the limit was reached."""
    around = [row for row, _ in use.function.graph.withs_around(use.call)]
    loops = use.function.graph.loops_around(use.call)
    return any(isinstance(row, f.While) and any(any(r is row for r in f.walk(*w.body)) for w in around) for row in loops)


def _is_done(project: Project, use: Use) -> bool:
    """Whether the future comes out of `as_completed` or `wait`, or was asked before whether it is done."""
    func = use.call.func
    if not (isinstance(func, f.Attr) and isinstance(func.value, f.Name)):
        return False
    name = func.value
    for branch in use.function.graph.branch_conditions(use.call):
        if branch.holds and any(isinstance(r, f.Attr) and r.attr == "done" for r in f.walk(branch.test)):
            return True
    return any(_gives_done(project, use.function, source) for source in _sources(use.function, name))


def _sources(function: Function, name: f.Name) -> Iterator[f.Expr]:
    """What the loops and comprehensions iterate over that bind the name."""
    for row in function.rows:
        if isinstance(row, f.For) and _binds(row.target, name.id):
            yield row.source
        elif isinstance(row, f.Comprehension):
            yield from (c.source for c in row.clauses if _binds(c.target, name.id))


def _binds(target: f.Expr, name: str) -> bool:
    return any(isinstance(r, f.Name) and r.id == name for r in f.walk(target))


def _gives_done(project: Project, function: Function, source: f.Expr, depth: int = 2) -> bool:
    """Whether iterating over an expression gives futures that are done: `as_completed`, or the first set of `wait`."""
    for row in f.walk(source):
        if isinstance(row, f.Call) and project.external(row.func, function) == "concurrent.futures.as_completed":
            return True
        if isinstance(row, f.Attr) and row.attr == "done":
            return True
        if isinstance(row, f.Name) and depth:
            for step in function.rows:
                if not isinstance(step, f.Assign) or step.value is None:
                    continue
                for target in step.targets:
                    first = target.items[0] if isinstance(target, f.Sequence) and target.items else None
                    waited = isinstance(step.value, f.Call) and project.external(step.value.func, function) == "concurrent.futures.wait"
                    if waited and isinstance(first, f.Name) and first.id == row.id:
                        return True
                    if isinstance(target, f.Name) and target.id == row.id and _gives_done(project, function, step.value, depth - 1):
                        return True
    return False
