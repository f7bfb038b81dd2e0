"""MP707: a lock or queue of the default start method is given to a process that another one starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.apis.unpicklable import GUARDED
from mplint.finding import Alarm, Step
from mplint.project.messages.payloads import arguments
from mplint.project.messages.pickling import goes_its_own_way
from mplint.project.processes.forking import forks
from mplint.project.modules import Class
from mplint.project.values import External, Instance, Value, elements
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project, Submission
    from mplint.project.modules import Function

_NAMES = {"Synchronized": "Value", "SynchronizedString": "Value", "SynchronizedArray": "Array"}
"""What makes the objects of these classes."""


class MixedStartMethods(Rule):
    """A lock, queue or event of one start method in a process that another one starts.

    ## What it does

    Reports a `Lock`, `Event`, `Queue`, `Value` or another shared object that is made where fork is the start method, and given to a process that `spawn` or
    `forkserver` starts. Such an object is made with the default context, or with `get_context("fork")`, and given as an argument, to the
    initializer of a pool or executor, or with the object whose method the process runs.

    ## Why it hurts

    The semaphore in such an object has no name where processes are forked, so that no other process can find it. Measured on Linux, where fork is
    the default: on Python 3.11.7 to 3.13 the start of the process fails with `RuntimeError: A SemLock created in a fork context is being shared with a
    process in a spawn context`; on 3.8 to 3.10 the process starts, and ends by a segmentation fault when it uses the object.
    Elsewhere, and from Python 3.14 on, the default is not fork and it works.

    ## When it knows

    Both the call that makes the object and the start method of the process must be known. Silent where the project sets another default by `set_start_method`,
    for a target version from 3.14 on, for the proxies of a manager, the ends of a `Pipe`, values without a lock, and objects of
    the project's own classes, which choose a context themselves.

    ## References

    - [multiprocessing, Contexts and start methods](https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods): "objects related to one
      context may not be compatible with processes for a different context".
    """

    code = "MP707"
    name = "mixed-start-methods"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for submission in project.submissions_of(module):
            if submission.start not in {"spawn", "forkserver"} or submission.where != "process" or submission.role not in {"target", "run", "initializer"}:
                continue
            for expr, function, found in (*_given(project, submission), *_held(project, submission)):
                site = function.site(expr)
                if found is None or site in seen:
                    continue
                seen.add(site)
                last = found.cls.name.rpartition(".")[2].removesuffix("()")
                because = (*project.made_step(found), Step(submission.site.site, f"the process is started by {submission.start} here"))
                message = f"this `{_NAMES.get(last, last)}` is made for forked processes: a process that `{submission.start}` starts cannot get it"
                yield Alarm(self.code, site, message, because, function.qualname)

    example = Example(
        bad="""\
from multiprocessing import Event, get_context


def work(done):
    done.set()


def main():
    done = Event()
    worker = get_context("spawn").Process(target=work, args=(done,))  # MP707
    worker.start()
    if not done.wait(10):
        raise ChildProcessError("nothing is done")
    worker.join()
    print("done")


if __name__ == "__main__":
    main()
""",
        bad_ends=Raises("Error: "),
        fixed="""\
from multiprocessing import get_context


def work(done):
    done.set()


def main():
    spawning = get_context("spawn")
    done = spawning.Event()
    worker = spawning.Process(target=work, args=(done,))
    worker.start()
    if not done.wait(10):
        raise ChildProcessError("nothing is done")
    worker.join()
    print("done")


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("done"),
    )


def _given(project: Project, submission: Submission) -> Iterator[tuple[f.Expr, Function, Instance | None]]:
    """What the process gets: its arguments, those of the constructor of a class of processes."""
    if submission.role != "run":
        yield from ((part.expr, part.function, _forked(project, part.expr, part.function)) for part in arguments(project, submission))
        return
    function = submission.site.function
    yield from ((a.value, function, _forked(project, a.value, function)) for a in submission.site.call.args if not a.star)


def _held(project: Project, submission: Submission) -> Iterator[tuple[f.Expr, Function, Instance | None]]:
    """What the object has that a process gets with a method: what its constructor makes, unless the class says itself what travels."""
    argument, site = submission.argument, submission.site
    cls = submission.callees[0].owner if len(submission.callees) == 1 and submission.callees[0].receiver else None
    if not isinstance(argument, f.Attr) or cls is None or goes_its_own_way(project, cls):
        return
    init = project.find_method(cls, "__init__")
    if init is None or isinstance(init, External):
        return
    for row in init.rows:
        if isinstance(row, f.Assign) and isinstance(row.value, f.Call) and any(f.dotted(t).startswith(f"{init.receiver}.") for t in row.targets):
            found = _forked(project, row.value, init)
            if found is not None:
                yield argument, site.function, found


def _forked(project: Project, expr: f.Expr, function: Function) -> Instance | None:
    """The shared object that an expression is for certain, if it is made where fork is the start method."""
    values: tuple[Value, ...] = project.values(expr, function)
    values = elements(values) if isinstance(expr, f.Star) else values
    if len(values) != 1 or not isinstance(values[0], Instance):
        return None
    found = values[0]
    if isinstance(found.cls, Class):  # its constructor gives the library's a context
        return None
    if found.made is None or found.where != "process" or project.role(found) not in GUARDED or _has_no_lock(project, found):
        return None
    maker = project.maker(found)
    return found if maker is not None and forks(project, maker, found) else None


def _has_no_lock(project: Project, found: Instance) -> bool:
    """Whether a value is made without a lock, or with one that is not the default."""
    maker = project.maker(found)
    return maker is None or found.cls.name.rpartition(".")[2].startswith("Raw") or maker.call.keyword("lock") is not None or maker.call.starred
