"""MP605: nobody looks at the result of a task, and its exception is lost with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm
from mplint.project.waits import quiet
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    from mplint.project import Function, Module, Project, Use
    from mplint.project.lives.lifetimes import Life
    from mplint.project.workers import Submission

_ONLY_WAITED = frozenset({
    "wait", "ready", "done", "running", "concurrent.futures.wait()", "concurrent.futures.as_completed()", "asyncio.wait()",
    "len()", "print()", "debug()", "info()",
})  # fmt: skip
"""What can be done to a result without learning that the task failed."""


class ResultDiscarded(Rule):
    """The result of a submitted task that nobody looks at.

    ## What it does

    Reports tasks given to a process or thread pool whose result is thrown away. That is the result of `submit`, `apply_async`, `map_async`,
    `starmap_async` or `run_in_executor` that nobody keeps or reads, futures that are only waited for (`wait(futures)` raises nothing) or asked
    whether they are done (`ready()`, `done()`), and an executor's `map` or a pool's `imap` that is never iterated. The message says which kind of
    pool it is.

    ## Why it hurts

    An exception of the task is stored in the result. Measured on CPython 3.8 to 3.13: with the result gone the exception is gone, and so is
    the news that the task could not be pickled or that its worker died; the program ends with status 0. The future of
    `run_in_executor` is reported by the event loop ("exception was never retrieved"), but only when it is collected.

    ## When it knows

    The receiver must be a pool or executor by what the project assigns to it. Silent with an `error_callback`, when the result is stored where
    others can read it, returned, passed on, awaited or given a done callback, and when the submitted function handles whatever it can
    raise: everything it does stands in a `try` with `except Exception` (or wider) that does not raise again or has logged or handed on what it
    caught, in that handler or in the `finally` behind it. On a process executor such a call is reported all the same: the result is the only place
    where `BrokenProcessPool` shows.

    ## References

    - [concurrent.futures.Future](https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Future.result)
    - [multiprocessing.pool.Pool.apply_async](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.Pool.apply_async):
      `error_callback`.
    """

    code = "MP605"
    name = "result-discarded"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for use in project.uses(module, "submit"):
            if use.site in seen or not _gives_result(use, project):
                continue
            seen.add(use.site)
            if use.call.keyword("error_callback") is not None or use.call.positional(4) is not None and use.row.callbacks:
                continue
            if isinstance(use.function.parent(use.call), (f.Await, f.Attr, f.Return, f.Yield)):
                continue
            life = project.life(use.site)
            if life.escapes or life.returned or life.kept or not life.names() <= _ONLY_WAITED:
                continue
            lost = "an exception of the task"
            if _handles_everything(use, project):
                if not _tells_of_death(use, project):
                    continue
                lost = "the news that a worker died"
            yield Alarm(self.code, use.site.site, _message(use, life, project, lost), (), use.function.qualname)

    example = Example(
        bad="""\
from concurrent.futures import ProcessPoolExecutor


def store(row):
    if not row:
        raise ValueError("empty row")


def main():
    with ProcessPoolExecutor(2) as executor:
        for row in ("a", "", "b"):
            executor.submit(store, row)  # MP605
    print("everything is stored")


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("everything is stored"),
        fixed="""\
from concurrent.futures import ProcessPoolExecutor


def store(row):
    if not row:
        raise ValueError("empty row")


def main():
    with ProcessPoolExecutor(2) as executor:
        futures = [executor.submit(store, row) for row in ("a", "", "b")]
        for future in futures:
            future.result()
    print("everything is stored")


if __name__ == "__main__":
    main()
""",
        fixed_ends=Raises("ValueError: empty row"),
    )


def _gives_result(use: Use, project: Project) -> bool:
    """Whether the call hands a task to a pool or executor and gives something that holds the task's exception."""
    if not use.row.gives or {"make", "wait"} & set(use.row.does) or use.where not in {"process", "thread", "any"}:
        return False
    if use.row.executor is not None:
        return True
    return use.receiver is not None and project.role(use.receiver) in {"pool", "executor"}


def _handles_everything(use: Use, project: Project) -> bool:
    """Whether each function that may be submitted is known and lets no exception out."""
    submissions = [s for s in project.submissions_of(use.function.module) if s.site.call is use.call and s.role == "task"]
    tasks = [s.callees or _run_in_context(s, project) for s in submissions]
    return bool(tasks) and all(task and all(quiet.is_quiet(project, g) for g in task) for task in tasks)


def _run_in_context(submission: Submission, project: Project) -> tuple[Function, ...]:
    """The functions that the `run` of a `contextvars.Context`, which is what is submitted, is given to call: `submit(context.run, function)`."""
    runs, call, function = submission.argument, submission.site.call, submission.site.function
    if not isinstance(runs, f.Attr) or runs.attr != "run":
        return ()
    after = next((n for n, given in enumerate(call.args, 1) if given.value is runs), len(call.args))
    given = call.positional(after)
    return tuple(g for v in project.values(given, function) for g in project.run_by(v)) if given is not None else ()


def _tells_of_death(use: Use, project: Project) -> bool:
    """Whether the result is of a process executor: it is the only place where the death of a worker shows."""
    return use.where == "process" and use.receiver is not None and project.role(use.receiver) == "executor"


def _message(use: Use, life: Life, project: Project, lost: str) -> str:
    place = {"process": "a process pool", "thread": "a thread pool", "any": "an executor"}[use.where]
    method = use.row.name.rpartition(".")[2]
    if life.touches and life.names() - {"len()", "print()", "debug()", "info()"}:
        return f"the results of `{method}` on {place} are only waited for: {lost} is lost"
    if project.table.kind(use.row.gives).role == "result-iterator":  # type: ignore[union-attr]
        return f"nobody iterates what `{method}` on {place} gives: {lost} is lost"
    if use.row.executor is not None:
        return f"the result of `{method}` on {place} is thrown away: {lost} is only told when the future is collected"
    return f"the result of `{method}` on {place} is thrown away: {lost} is lost"
