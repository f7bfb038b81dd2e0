"""MP805: the workers of a pool cannot find the function that they are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Step
from mplint.project.importing import is_main_guard
from mplint.project.processes.forking import forks
from mplint.project.modules import CallSite, Function
from mplint.project.messages.payloads import is_pickled
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project, Submission


class DefinedAfterPool(Rule):
    """A pool that was forked before its task was defined, or whose workers never define it.

    ## What it does

    Reports a task whose function the module defines below the line that makes the pool, and, for pools that spawn or forkserver starts, a task that is defined
    under `if __name__ == "__main__"`.

    ## Why it hurts

    Functions are pickled by name, and a worker looks the name up in what it has of the module: a forked one has the module as it was when the pool
    was made, any other one imports it anew, without what stands under the guard. Measured on CPython 3.8 to 3.13: the workers of a `Pool`
    die on every task and are started again for ever, and `map()` hangs; an executor breaks.

    ## When it knows

    Pool, function and task must be at the level of the same module, and the pool must start by fork for certain, or by spawn or forkserver for
    certain. Silent for executors that fork: their workers start with the first task.

    ## References

    - [Using a pool of workers](https://docs.python.org/3/library/multiprocessing.html#using-a-pool-of-workers): the `__main__` module has to be importable
      by the children.
    """

    code = "MP805"
    name = "defined-after-pool"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for submission in project.submissions_of(module):
            if submission.role != "task" or "make" in submission.api.does or not submission.site.function.is_module or not is_pickled(project, submission):
                continue
            for function in submission.callees:
                if function.module is module and function.outer is None and function.owner is None:
                    said = _why(project, submission, function)
                    if said:
                        because = (
                            (*project.made_step(submission.receiver), Step(function.site(), f"`{function.name}` is defined here"))
                            if submission.receiver
                            else ()
                        )
                        yield Alarm(self.code, submission.site.site, said, because, submission.site.function.qualname)
                        break

    example = Example(
        bad="""\
from multiprocessing import Pool

pool = Pool(2)


def double(number):
    return 2 * number


if __name__ == "__main__":
    print(pool.map(double, [1, 2, 3]))  # MP805
""",
        bad_ends=Hangs(),
        fixed="""\
from multiprocessing import Pool


def double(number):
    return 2 * number


pool = Pool(2)

if __name__ == "__main__":
    print(pool.map(double, [1, 2, 3]))
""",
        fixed_ends=Prints("[2, 4, 6]"),
    )


def _why(project: Project, submission: Submission, function: Function) -> str:
    pool = submission.receiver
    if pool is None or pool.made is None or pool.made.path != function.path:
        return ""
    made = next((s for s in function.module.body.calls if s.site == pool.made), None)
    if made is None:
        return ""
    if pool.start in {"spawn", "forkserver"}:
        guarded = _is_guarded(function)
        return f"`{function.name}` exists under the main guard only: workers that `{pool.start}` starts never define it" if guarded else ""
    if project.role(pool) != "pool" or not forks(project, made, pool) or not _is_later(made, function):
        return ""
    return f"`{function.name}` is defined after the pool was forked: its workers do not have it"


def _is_guarded(function: Function) -> bool:
    """Whether a function is defined under `if __name__ == "__main__"`."""
    body = function.module.body
    rows = [row for row in body.rows if row is function.facts]
    return any(isinstance(around, f.If) and is_main_guard(around.test) for row in rows for around in body.ancestors(row))


def _is_later(made: CallSite, function: Function) -> bool:
    """Whether a function is defined below a call of its module, and nowhere above it."""
    return all(other.facts.at > made.call.at for other in function.module.functions_named(function.name)) and function.facts.at > made.call.at
