"""MP606: a pool whose initializer fails starts new workers for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint.finding import Alarm, Site, Step
from mplint.project.raising import Escape
from mplint.rule import Example, Hangs, Raises, Rule

if TYPE_CHECKING:
    from mplint.project import Function, Module, Project, Submission


class InitializerCanRaise(Rule):
    """A `Pool` initializer that can fail.

    ## What it does

    Reports what leaves the initializer of a `multiprocessing.Pool` other than by returning: a `raise`, a failing `assert`, `sys.exit()`. They
    stand in the initializer itself or in a function of its file that it calls.

    ## Why it hurts

    A worker whose initializer fails ends, and the pool starts another one at once, which fails too: more than 50 in 1.5 seconds, for ever, while
    every call that waits for a result waits. Measured on CPython 3.8 to 3.13. Now and then a `map` without a `chunksize` finds the pool without a
    single worker and ends with `ZeroDivisionError` (seen on 3.13). An executor is broken at once, which is a clean end.

    ## When it knows

    The initializer must resolve, and no handler on the way may catch the exception. Silent for executors and threads, for functions of other files,
    and for what library functions raise by themselves.

    ## References

    - [gh-87472](https://github.com/python/cpython/issues/87472): an error in an initializer respawns workers for ever.
    """

    code = "MP606"
    name = "initializer-can-raise"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for site, failure in project.kept("failing initializers", lambda: _failures(project)).items():
            if site.path == module.path:
                yield Alarm(self.code, site, failure.message, failure.because, failure.function.qualname)

    example = Example(
        bad="""\
import os
from multiprocessing import Pool


def connect():
    if "DATABASE" not in os.environ:
        raise RuntimeError("no DATABASE to connect to")  # MP606


def count(table):
    return len(table)


if __name__ == "__main__":
    os.environ.pop("DATABASE", None)
    with Pool(2, initializer=connect) as pool:
        print(pool.map(count, ["users", "orders"], 1))
""",
        bad_ends=Hangs(4.0),
        fixed="""\
import os
from multiprocessing import Pool


def connected():
    if "DATABASE" not in os.environ:
        raise RuntimeError("no DATABASE to connect to")


def count(table):
    connected()
    return len(table)


if __name__ == "__main__":
    os.environ.pop("DATABASE", None)
    with Pool(2) as pool:
        print(pool.map(count, ["users", "orders"], 1))
""",
        fixed_ends=Raises("RuntimeError: no DATABASE to connect to"),
    )


class _Failure(NamedTuple):
    function: Function
    message: str
    because: tuple[Step, ...]


def _failures(project: Project) -> dict[Site, _Failure]:
    """The places in initializers of pools from which an exception leaves: the raise, or the call that lets it out."""
    out: dict[Site, _Failure] = {}
    for submission in project.submissions():
        if submission.role != "initializer" or not _respawns(project, submission):
            continue
        for callee in submission.callees:
            step = Step(submission.site.site, f"`{submission.title}` runs `{callee.qualname}` in every worker it starts")
            for escape in sorted(project.escapes(callee, 1), key=lambda e: len(e.because)):
                if not escape.is_near(callee):
                    continue
                site = escape.because[0].site if escape.because else escape.site
                because = (step, *escape.because, *((Step(escape.site, f"`{escape.title or 'an exception'}` is raised here"),) if escape.because else ()))
                message = f"{_what(escape)} leaves the initializer `{callee.name}`: the pool starts new workers for ever"
                out.setdefault(site, _Failure(callee, message, because))
    return out


def _respawns(project: Project, submission: Submission) -> bool:
    owner = submission.receiver
    kind = project.kind(owner) if owner is not None and owner.where == "process" else None
    return kind is not None and kind.role == "pool" and not kind.notices_death


def _what(escape: Escape) -> str:
    if escape.how == "end":
        return "the end of the process"
    return f"`{escape.title}`" if escape.title else "an exception"
