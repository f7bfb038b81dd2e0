"""MP801: what is sent to a worker process is something that pickle refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Step
from mplint.project.flow.around import expects_error
from mplint.project.parameters import argument_of
from mplint.project.messages.nameless import Refusal
from mplint.project.messages.payloads import Part, Pickled, arguments, callables, is_pickled, pickled
from mplint.project.messages.pickling import Question, refusal, refused
from mplint.project.processes.running import given_running, running
from mplint.project.values import Instance
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    from mplint.project import Function, Module, Project, Submission

_REFUSALS = {"PicklingError", "PickleError", "AttributeError", "TypeError", "NotImplementedError"}
"""What pickling raises: who handles one of these by name knows what may happen."""


class UnpicklableCallable(Rule):
    """A lambda, an inner function, or an object with a lock or a pool in it, on its way to another process.

    ## What it does

    Reports what pickle refuses and a worker process is sent. That is a lambda, a function or class that is defined inside a function, a
    function that its decorator replaced by an inner one, a generator, an open file (`sys.stdout`, too), the keys of a dict, a lock of `threading`, a
    pool, a process that was started, and a method of an object that holds one of these; as the task, as an argument of it, as the target of a
    process or as an initializer.

    ## Why it hurts

    Tasks of `Pool` and `ProcessPoolExecutor` are pickled, whatever the start method. Measured on CPython 3.8 to 3.13: `map()` or `result()`
    raises `AttributeError`, `PicklingError` or `TypeError`, and where nobody asks for the result the task is lost in silence; billiard's pool never
    answers for a lambda (4.3.2). What a `Process` or an initializer is given is pickled under spawn and forkserver, and `start()` raises;
    only fork hands it over as it is. Fork is the default on Linux up to Python 3.13, and nowhere else.

    ## When it knows

    The pool must be one that pickles (not loky, multiprocess or pathos, and of joblib only `backend="multiprocessing"`), and of processes. An object
    counts when its constructor, or the method that sends it, puts such a thing into an attribute on every way and nothing else is put there, or when
    an attribute keeps a process that runs already; classes with `__getstate__` or `__reduce__` and those with unknown bases are left alone. For a
    `Process` the start method must be spawn or forkserver, or left to the default in a project that never sets fork; the message says which. Silent
    where the pickling error is handled by name.

    ## References

    - [What can be pickled and unpickled](https://docs.python.org/3/library/pickle.html#what-can-be-pickled-and-unpickled)
    - [Contexts and start methods](https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods): forkserver is the default
      on Linux since Python 3.14.
    """

    code = "MP801"
    name = "unpicklable-callable"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen: set[object] = set()
        for submission in project.submissions_of(module):
            if not is_pickled(project, submission):
                continue
            how: Pickled | None = None
            for part, found in _refusals(project, submission):
                if found.what.startswith("a shared "):  # MP804 tells of these
                    continue
                how = pickled(project, submission) if how is None else how
                site = part.function.site(part.expr)
                if not how or site in seen or _is_expected(submission) or (how == "default" and _asks_for_platform(submission)):
                    continue
                seen.add(site)
                yield Alarm(self.code, site, _message(found, how), found.steps, part.function.qualname)

    example = Example(
        bad="""\
from concurrent.futures import ProcessPoolExecutor
from threading import Lock


class Thumbnails:
    def __init__(self, size):
        self.size = size
        self.lock = Lock()

    def render(self, name):
        return f"{name} at {self.size}"

    def render_all(self, names):
        with ProcessPoolExecutor(2) as executor:
            return list(executor.map(self.render, names))  # MP801


if __name__ == "__main__":
    print(Thumbnails(64).render_all(["a.png", "b.png"]))
""",
        bad_ends=Raises("TypeError: cannot pickle '_thread.lock' object"),
        fixed="""\
from concurrent.futures import ProcessPoolExecutor
from functools import partial


def render(size, name):
    return f"{name} at {size}"


class Thumbnails:
    def __init__(self, size):
        self.size = size

    def render_all(self, names):
        with ProcessPoolExecutor(2) as executor:
            return list(executor.map(partial(render, self.size), names))


if __name__ == "__main__":
    print(Thumbnails(64).render_all(["a.png", "b.png"]))
""",
        fixed_ends=Prints("['a.png at 64', 'b.png at 64']"),
    )


def _refusals(project: Project, submission: Submission) -> Iterator[tuple[Part, Refusal]]:
    """What of a submission pickle refuses: the callable, the object that is the process, the arguments."""
    site = submission.site
    asked = Question(project, submission.role in {"target", "run", "initializer"}, site.function, site.call)
    if submission.role in {"run", "target"}:
        yield from ((Part(expr, site.function), alive) for expr, alive in given_running(project, submission))
    if submission.role == "run":
        for value in project.values(site.call, site.function):
            found = refusal(asked, value) if isinstance(value, Instance) and project.role(value) == "process" else None
            if found is not None:
                yield Part(site.call, site.function), found
        return
    for part in callables(project, submission):
        found = next((r for v in project.values(part.expr, part.function) if (r := refusal(asked, v)) is not None), None)
        if part.expr is submission.argument:
            found = found or _passed(asked, submission, submission.argument) or running(project, submission)
        if found is not None:
            yield part, found
    for part in arguments(project, submission):
        found = refused(asked, part.expr, part.function)
        if found is not None:
            yield part, found


def _passed(asked: Question, submission: Submission, argument: f.Expr) -> Refusal | None:
    """What a caller passes to a function that submits its parameter, whatever else is the case, to a pool that is not one as well."""
    function, project = submission.site.function, asked.project
    param = _parameter(function, argument)
    func = submission.site.call.func
    if param is None or function.graph.branch_conditions(submission.site.call) or (isinstance(func, f.Attr) and _parameter(function, func.value) is not None):
        return None
    if not all(project.row_of(v) is not None for v in project.values(func, function)):
        return None
    for caller in project.callers(function):
        given = argument_of(caller.call, function, param)
        for value in project.values(given, caller.function) if given is not None else ():
            found = refusal(asked, value)
            if found is not None:
                return Refusal(found.what, (Step(caller.site, f"`{caller.function.name}` passes it to `{function.qualname}`"), *found.steps))
    return None


def _parameter(function: Function, expr: f.Expr) -> f.Param | None:
    """The parameter that a name is, unless it is bound to something else, too."""
    binders = function.graph.definitions(expr) if isinstance(expr, f.Name) else None
    return binders[0] if binders is not None and len(binders) == 1 and isinstance(binders[0], f.Param) else None


def _is_expected(submission: Submission) -> bool:
    """Whether the pickling error is handled by name, or asked for by a test."""
    site = submission.site
    for _, handler in site.function.graph.handlers_around(site.call):
        types = handler.types.items if isinstance(handler.types, f.Sequence) else (handler.types,)
        if any(f.dotted(t).rpartition(".")[2] in _REFUSALS for t in types):
            return True
    for around in site.ancestors:
        for item in around.items if isinstance(around, f.With) else ():
            if expects_error(item):
                return True
    return False


def _asks_for_platform(submission: Submission) -> bool:
    """Whether a test on the way asks which platform this is, or how processes start."""
    site = submission.site
    return any(
        (isinstance(row, f.Attr) and f.dotted(row) in {"sys.platform", "os.name", "os.fork"})
        or (isinstance(row, f.Const) and row.value in {"fork", "win32", "nt", "spawn"})
        for branch in site.function.graph.branch_conditions(site.call)
        for row in f.walk(branch.test)
    )


def _message(found: Refusal, how: Pickled) -> str:
    if how == "default":
        return f"pickle refuses {found.what}: it reaches the process only by fork, the default on Linux before Python 3.14 and nowhere else"
    return f"pickle refuses {found.what}: it cannot be sent to a worker process"
