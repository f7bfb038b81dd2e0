"""MP204: what `except Exception` in the worker does not take ends the worker, and the task is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint.finding import Alarm, Step
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project, Submission
    from mplint.project.raising import Escape


class TaskRaisesBaseException(Rule):
    """A task of a `Pool` that can raise a `BaseException` which is no `Exception`.

    ## What it does

    Reports where a task of a process pool raises a `BaseException` that is no `Exception`, and nothing on its way out handles it.
    `KeyboardInterrupt`, `GeneratorExit`, `asyncio.CancelledError` and the project's own such classes are meant.

    ## Why it hurts

    A worker of `multiprocessing.Pool` catches `Exception` around the task. Measured on CPython 3.8 to 3.13: anything else ends the worker,
    the task is lost without a word, and `map`, `apply` and `get()` wait for its answer for ever.

    ## When it knows

    What is raised must be written out in the task or in what it calls, and resolve to a class. Silent for executors, which deliver such exceptions,
    for `SystemExit`, which is the matter of exit-in-task, and for handlers that only let through what comes from outside: Ctrl-C, a cancellation.

    ## References

    - [PR 101081](https://github.com/python/cpython/pull/101081): a `BaseException` in a task of a pool, open.
    - [Exception hierarchy](https://docs.python.org/3/library/exceptions.html#exception-hierarchy)
    """

    code = "MP204"
    name = "task-raises-base-exception"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for submission in project.submissions():
            if submission.role != "task" or submission.where != "process" or not _loses_tasks(project, submission):
                continue
            for callee in submission.callees:
                for escape in project.escapes(callee):
                    if escape.site.path != module.path or escape.site in seen or not _ends_worker(escape):
                        continue
                    seen.add(escape.site)
                    message = f"`{escape.title}` is no `Exception`: it ends the worker of the pool, and whoever waits for the task waits for ever"
                    because = (Step(submission.site.site, f"`{callee.qualname}` is a task of a process pool"), *escape.because)
                    yield Alarm(self.code, escape.site, message, because, escape.function.qualname)

    example = Example(
        bad="""\
from multiprocessing import Pool


class OutOfTime(BaseException):
    pass


def work(seconds):
    if seconds > 5:
        raise OutOfTime  # MP204
    return seconds


if __name__ == "__main__":
    with Pool(1) as pool:
        print(pool.map(work, [1, 9]))
""",
        bad_ends=Hangs(),
        fixed="""\
from multiprocessing import Pool


class OutOfTime(Exception):
    pass


def work(seconds):
    if seconds > 5:
        raise OutOfTime
    return seconds


if __name__ == "__main__":
    with Pool(1) as pool:
        try:
            print(pool.map(work, [1, 9]))
        except OutOfTime:
            print("out of time")
""",
        fixed_ends=Prints("out of time"),
    )


def _loses_tasks(project: Project, submission: Submission) -> bool:
    """Whether the task goes to a pool that does not notice the death of a worker."""
    receiver = submission.receiver
    if receiver is None or project.role(receiver) != "pool":
        return False
    kind = project.kind(receiver)
    return kind is None or not kind.notices_death


_FROM_OUTSIDE = frozenset({"builtins.KeyboardInterrupt", "builtins.GeneratorExit", "asyncio.CancelledError"})
"""What nobody has to write out for it to come: a handler that raises it again changes nothing."""


def _ends_worker(escape: Escape) -> bool:
    if escape.how == "again" and _FROM_OUTSIDE & escape.names:
        return False
    return escape.how in {"raise", "again"} and escape.is_exit and "?" not in escape.names and "builtins.SystemExit" not in escape.names
