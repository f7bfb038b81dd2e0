"""MP508: a result is asked for after its pool was terminated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint.finding import Alarm, Step
from mplint.project.lives import unfinished
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project

_READING = frozenset(
    {"get", "wait", "next", "iter", "next()", "list()", "tuple()", "set()", "sorted()", "sum()", "any()", "all()", "dict()", "enumerate()", "zip()", "tqdm()"}
)


class ResultReadAfterPool(Rule):
    """A result of a process pool that is read after the pool's `with` block.

    ## What it does

    Reports `get()` and `wait()` of an AsyncResult, and iterating what `imap` gives, after the `with Pool()` block that the work was given in.

    ## Why it hurts

    Leaving the block terminates the pool. A result that is not there yet never comes: measured on CPython 3.8 to 3.13, the call hangs.

    ## When it knows

    The work must be given to the pool that the block entered, and every way from there to the reading must leave the block. Silent when the block
    waits before it is left (`close()` and `join()`, `result.wait()`, or anything else that passes time), and for thread pools.

    ## References

    - [multiprocessing.pool](https://docs.python.org/3/library/multiprocessing.html#module-multiprocessing.pool): `__exit__()` calls `terminate()`.
    """

    code = "MP508"
    name = "result-read-after-pool"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for left in unfinished.left(project, module):
            if left.waited or left.life.escapes not in {"", "returned"}:
                continue
            function = left.use.function
            given = Step(left.use.site.site, "the work is given to the pool here")
            ended = Step(function.site(left.block), "the end of this block terminates the pool")
            for touch in left.after():
                row = touch.call or touch.row
                if touch.name in _READING and row.at not in seen:
                    seen.add(row.at)
                    message = "the pool of this result is terminated already: the result never comes"
                    yield Alarm(self.code, function.site(row), message, (given, ended), function.qualname)

    example = Example(
        bad="""\
import time
from multiprocessing import Pool


def double(number):
    time.sleep(1)
    return 2 * number


if __name__ == "__main__":
    with Pool(2) as pool:
        answer = pool.map_async(double, [1, 2])
    print(answer.get())  # MP508
""",
        bad_ends=Hangs(),
        fixed="""\
import time
from multiprocessing import Pool


def double(number):
    time.sleep(1)
    return 2 * number


if __name__ == "__main__":
    with Pool(2) as pool:
        answer = pool.map_async(double, [1, 2])
        print(answer.get())
""",
        fixed_ends=Prints("[2, 4]"),
    )
