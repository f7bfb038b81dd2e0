"""MP807: a task gives back something that cannot leave its process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Step
from mplint.project.modules import Function
from mplint.project.messages.payloads import is_pickled
from mplint.project.messages.nameless import Refusal
from mplint.project.messages.pickling import Question, refused
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    from mplint.finding import Site
    from mplint.project import Module, Project, Submission


class UnpicklableResult(Rule):
    """A function that returns a generator, a lambda or an open file, run by a process pool.

    ## What it does

    Reports functions that are tasks of a process pool and return what pickle refuses. That is a generator (every function with `yield` gives one), a coroutine,
    a lambda, a function or class that is defined inside the function, a lock, an open file, or a tuple, list or object that holds one.

    ## Why it hurts

    The work is done, and its result is lost on the way back. Measured on CPython 3.10 and 3.13: `Pool` raises `MaybeEncodingError` in `map()` and
    `get()`, an executor `TypeError` or `AttributeError` in `result()`; where nobody asks for the result nothing is told.

    ## When it knows

    The function must be one of the project, without decorators, given to a pool of processes that pickles (not loky, multiprocess or pathos, and of
    joblib only `backend="multiprocessing"`), and what it returns must be known. `map`, `zip` and `filter` objects can be pickled when their function
    can.

    ## References

    - [What can be pickled and unpickled](https://docs.python.org/3/library/pickle.html#what-can-be-pickled-and-unpickled)
    """

    code = "MP807"
    name = "unpicklable-result"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        tasks: dict[Function, Submission] = project.kept("tasks that are pickled", lambda: dict(_tasks(project)))
        for function, submission in tasks.items():
            if function.module is not module:
                continue
            for site, found in _refusals(project, function):
                because = (Step(submission.site.site, f"`{submission.title}` takes `{function.qualname}` and runs it in a worker"), *found.steps[1:])
                yield Alarm(self.code, site, f"pickle refuses {found.what}: the worker cannot send it back", because, function.qualname)

    example = Example(
        bad="""\
from multiprocessing import Pool


def lines(count):
    return (f"line {number}" for number in range(count))  # MP807


if __name__ == "__main__":
    with Pool(1) as pool:
        print(pool.map(lines, [2]))
""",
        bad_ends=Raises("TypeError(\"cannot pickle 'generator' object\")"),
        fixed="""\
from multiprocessing import Pool


def lines(count):
    return [f"line {number}" for number in range(count)]


if __name__ == "__main__":
    with Pool(1) as pool:
        print(pool.map(lines, [2]))
""",
        fixed_ends=Prints("[['line 0', 'line 1']]"),
    )


def _tasks(project: Project) -> Iterator[tuple[Function, Submission]]:
    for submission in reversed(project.submissions()):
        if submission.role == "task" and "make" not in submission.api.does and is_pickled(project, submission):
            for callee in submission.callees:
                if not callee.facts.decorators and callee.name != "__init__":
                    yield callee, submission


def _refusals(project: Project, function: Function) -> Iterator[tuple[Site, Refusal]]:
    if function.facts.is_async or function.facts.is_generator:
        what = "a generator" if function.facts.is_generator else "a coroutine"
        yield function.site(), Refusal(f"{what}, which is what `{function.name}` gives")
        return
    for row in function.rows:
        if isinstance(row, f.Return) and row.value is not None:
            found = refused(Question(project, False, function, row), row.value, function)
            if found is not None:
                yield function.site(row.value), found
