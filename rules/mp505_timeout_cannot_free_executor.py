"""MP505: the limit is reached, and the end of the `with` block waits for the stuck task all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Site, Step
from mplint.project.processes.ending import ends_workers
from mplint.project.values import Instance
from mplint.project.waits.futures import executor_of, has_limit, is_done, waited_for
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project, Use


class TimeoutCannotFreeExecutor(Rule):
    """A wait with a limit inside the `with` block of the process executor that does the work.

    ## What it does

    Reports `result(timeout=...)`, `exception(timeout=...)`, `map(timeout=...)`, `as_completed(timeout=...)` and `wait(timeout=...)` inside
    `with ProcessPoolExecutor()`, for the work of that executor. Also where the same function calls its `shutdown()` on every way afterwards.

    ## Why it hurts

    The limit ends the wait and not the task. The end of the block calls `shutdown(wait=True)`, which waits for the stuck worker: the
    timeout was in vain. Measured on CPython 3.8 to 3.13: the block hangs for as long as the task does, and `shutdown(wait=False, cancel_futures=True)`
    frees neither it nor the end of the interpreter.

    ## When it knows

    The future must come from the executor of an enclosing `with` in the same function, or of that `shutdown()`, which must wait. Silent when the
    function ends workers or the program (`kill`, `terminate`, `terminate_workers`, `os._exit`), for futures that are already done, for a limit of
    zero, and for a `while` loop that waits for the same work again and again.

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
            if use.site in seen or not has_limit(project, use):
                continue
            made = _executors(project, use)
            entered = _entered(project, use, made) if made else None
            shut = _shut(project, use, made) if made and not entered else None
            end = entered or shut
            if end is None or ends_workers(use.function) or _is_polling(use, inside=entered is not None) or is_done(project, use):
                continue
            seen.add(use.site)
            method = use.row.name.rpartition(".")[2]
            waits, ends = ("`shutdown()`", "it returns") if shut is not None else ("leaving the `with` block", "the block is left")
            message = f"the limit of `{method}` frees nothing: {waits} waits for the stuck task all the same"
            because = (Step(end, f"{ends} when the executor's workers are done"),)
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


def _executors(project: Project, use: Use) -> frozenset[Site]:
    """Where the process executors were made whose work is waited for, and whose blocks wait for it too."""
    out = set()
    for value in waited_for(project, use):
        executor = executor_of(project, value)
        kind = project.kind(executor) if executor is not None else None
        if executor is not None and executor.made is not None and executor.where == "process" and kind is not None and kind.leaving == "wait":
            out.add(executor.made)
    return frozenset(out)


def _entered(project: Project, use: Use, made: frozenset[Site]) -> Site | None:
    """The `with` around the call that enters one of the executors."""
    for _, item in use.function.graph.withs_around(use.call):
        if any(isinstance(v, Instance) and v.made in made for v in project.values(item.value, use.function)):
            return use.function.site(item.value)
    return None


def _shut(project: Project, use: Use, made: frozenset[Site]) -> Site | None:
    """The `shutdown()` of one of the executors, in the same function, that comes after the wait on every way, whatever it raises, and waits itself."""
    closing = [site.call for site in use.function.calls for other in project.uses_at(site, "shutdown") if _waits(other, made)]
    if closing and use.function.graph.always_followed(use.call.func, by=closing, exceptional=True):
        return use.function.site(closing[0])
    return None


def _waits(shutdown: Use, made: frozenset[Site]) -> bool:
    given = shutdown.call.keyword("wait") or shutdown.call.positional(0)
    waits = given is None or (isinstance(given, f.Const) and given.value is True)
    return waits and not shutdown.call.starred and shutdown.receiver is not None and shutdown.receiver.made in made


def _is_polling(use: Use, *, inside: bool) -> bool:
    """Whether the wait stands in a `while` loop (`inside` the block, if there is one): it looks again when the limit was reached."""
    if not inside:
        return any(isinstance(row, f.While) for row in use.function.graph.loops_around(use.call))
    around = [row for row, _ in use.function.graph.withs_around(use.call)]
    loops = use.function.graph.loops_around(use.call)
    return any(isinstance(row, f.While) and any(any(r is row for r in f.walk(*w.body)) for w in around) for row in loops)
