"""MP303: a task that ends its process takes the task with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Alarm, Site, Step
from mplint.project.raising import Escape, caught_classes
from mplint.project.values import External
from mplint.rule import Example, Hangs, Raises, Rule

if TYPE_CHECKING:
    from mplint.project import Function, Module, Project, Submission

NEAR = 3
"""Calls between a task and the exit: what lies deeper is the end of another program that the task happens to run."""


class ExitInTask(Rule):
    """A task that ends the process which runs it.

    ## What it does

    Reports `sys.exit`, `exit`, `quit`, `raise SystemExit`, `os._exit` and `os.abort` in a function that is given to a process pool or executor as
    a task, and in what it calls.

    ## Why it hurts

    `Pool` starts a new worker and never answers for the lost task: every call that waits for it waits for ever. An executor passes the
    `SystemExit` of `sys.exit()` on, so that the parent itself exits where it asks for the result, past `except Exception`; after `os._exit()` it is
    broken, and all its other tasks are lost. Measured on CPython 3.8 to 3.13.

    ## When it knows

    The callable must resolve, the exit lie within three calls, and no handler on the way may catch `SystemExit`. Silent for the body of a
    `Process`, which ends like that; for initializers (MP606), signal handlers and callbacks, for threads, for the child that a task forks,
    in handlers of `KeyboardInterrupt` alone, and behind a test that the literals which a call passes decide otherwise (`error(text)` of `exit=False`).

    ## References

    - [gh-66587](https://github.com/python/cpython/issues/66587): a lost worker is never noticed.
    - [sys.exit](https://docs.python.org/3/library/sys.html#sys.exit) raises `SystemExit`, which is not an `Exception`.
    """

    code = "MP303"
    name = "exit-in-task"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for site, leaving in project.kept("exits in tasks", lambda: _exits(project)).items():
            if site.path == module.path:
                yield Alarm(self.code, site, leaving.message(project), leaving.because, leaving.function.qualname)

    example = Example(
        bad="""\
import sys
from multiprocessing import Pool


def check(number):
    if number < 0:
        sys.exit(f"negative: {number}")  # MP303
    return number


if __name__ == "__main__":
    with Pool(2) as pool:
        print(pool.map(check, [1, -2, 3]))
""",
        bad_ends=Hangs(),
        fixed="""\
from multiprocessing import Pool


def check(number):
    if number < 0:
        raise ValueError(f"negative: {number}")
    return number


if __name__ == "__main__":
    with Pool(2) as pool:
        print(pool.map(check, [1, -2, 3]))
""",
        fixed_ends=Raises("ValueError: negative: -2"),
    )


class _Leaving(NamedTuple):
    """How a task ends its process: `at_once` without an exception. `function` is where the call stands."""

    submission: Submission
    function: Function
    because: tuple[Step, ...]
    at_once: bool

    def message(self, project: Project) -> str:
        owner = self.submission.receiver
        kind = project.kind(owner) if owner is not None else None
        if kind is not None and kind.role == "pool" and not kind.notices_death:
            return f"this ends the worker in a task of `{self.submission.title}`: the task is lost, and who waits for it waits for ever"
        if self.at_once:
            return f"this ends the worker in a task of `{self.submission.title}`: the task is lost, and others with it"
        return f"`SystemExit` leaves a task of `{self.submission.title}`: the parent exits where it asks for the result"


def _exits(project: Project) -> dict[Site, _Leaving]:
    """The places that end the worker in a task, each once; tasks of pools first, for there it hurts most."""
    out: dict[Site, _Leaving] = {}
    tasks = [s for s in project.submissions() if s.role == "task" and s.where == "process"]
    for submission in sorted(tasks, key=lambda s: 0 if s.receiver is not None and project.role(s.receiver) == "pool" else 1):
        for value in submission.callables:
            row = project.table.api(value.name) if isinstance(value, External) else None
            if row is not None and "exit" in row.does:
                out.setdefault(submission.site.site, _Leaving(submission, submission.site.function, (), not row.raises))
        for callee in submission.callees:
            step = Step(submission.site.site, f"`{submission.title}` takes `{callee.qualname}` as a task")
            for escape in project.escapes(callee, NEAR):
                if _leaves(escape) and not _follows_interrupt(project, escape):
                    out.setdefault(escape.site, _Leaving(submission, escape.function, (step, *escape.because), escape.how == "end"))
    return out


def _leaves(escape: Escape) -> bool:
    return escape.how == "end" or (escape.how in {"exit", "raise"} and "builtins.SystemExit" in escape.names)


def _follows_interrupt(project: Project, escape: Escape) -> bool:
    """Whether it stands in a handler for KeyboardInterrupt alone: Ctrl-C reaches the parent, too, and nobody waits for the task any more."""
    for place in escape.function.graph.tries_around(escape.row):
        if isinstance(place.branch, f.Handler) and set(caught_classes(project, escape.function, place.branch)) == {External("builtins.KeyboardInterrupt")}:
            return True
    return False
