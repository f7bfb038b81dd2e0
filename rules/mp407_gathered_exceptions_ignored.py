"""MP407: exceptions become results that nobody looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm
from mplint.project.waits import quiet
from mplint.project.waits.awaiting import Wait, collecting_gathers
from mplint.project.lives.mentions import loads
from mplint.project.modules import CallSite
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    from mplint.project import Function, Module, Project

_REDUCING = frozenset({"sum", "max", "min", "sorted", "join", "fsum", "concat", "vstack", "hstack", "concatenate", "stack"})
"""Functions that need each element to be a result."""

_ASKING = frozenset({"__class__", "args", "__traceback__", "__cause__", "with_traceback", "exception", "add_note"})
"""Attributes by which an element is asked whether it is an exception."""

_ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "%", "**", "@", "<", ">", "<=", ">="})


class GatheredExceptionsIgnored(Rule):
    """`gather(..., return_exceptions=True)` over a pool, and nobody asks which results are exceptions.

    ## What it does

    Reports `asyncio.gather` with `return_exceptions=True` over the work of a process pool when its result is thrown away, or used as if it held
    no exceptions.

    ## Why it hurts

    The flag turns every failure, also a broken pool, into an element of the list. Who throws the list away goes on as if all had been
    done, with no message anywhere; who uses an element as a result fails somewhere else. Measured on CPython 3.10 to 3.13: the program ends with status 0.

    ## When it knows

    The awaitables must lead to the work of a process pool (or of an executor that may be one). Silent when elements or the tasks themselves are
    looked at, tested, logged, passed on or returned, while cleaning up (`finally`, after `cancel()`), when every coroutine catches what its
    worker raises, and when the submitted function lets no exception out.

    ## References

    - [asyncio.gather](https://docs.python.org/3/library/asyncio-task.html#asyncio.gather): "exceptions are treated the same as successful results".
    """

    code = "MP407"
    name = "gathered-exceptions-ignored"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for function in project.functions(module, "gather"):
            for site, wait in collecting_gathers(project, function):
                if wait.where == "thread" or _is_quiet(project, wait):
                    continue
                verdict = _verdict(project, site)
                if verdict:
                    pool = "a process pool" if wait.where == "process" else "an executor that may be a process pool"
                    what = "thrown away" if verdict == "lost" else "used as results"
                    message = f"`gather` collects exceptions over {pool}, and they are {what}: nobody asks for them"
                    yield Alarm(self.code, site.site, message, wait.because, function.qualname)

    example = Example(
        bad="""\
import asyncio
from concurrent.futures import ProcessPoolExecutor


def store(row):
    if not row:
        raise ValueError("empty row")


async def main():
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(2) as executor:
        stored = (loop.run_in_executor(executor, store, row) for row in ("a", "", "b"))
        await asyncio.gather(*stored, return_exceptions=True)  # MP407
    print("everything is stored")


if __name__ == "__main__":
    asyncio.run(main())
""",
        bad_ends=Prints("everything is stored"),
        fixed="""\
import asyncio
from concurrent.futures import ProcessPoolExecutor


def store(row):
    if not row:
        raise ValueError("empty row")


async def main():
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(2) as executor:
        stored = (loop.run_in_executor(executor, store, row) for row in ("a", "", "b"))
        for outcome in await asyncio.gather(*stored, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
    print("everything is stored")


if __name__ == "__main__":
    asyncio.run(main())
""",
        fixed_ends=Raises("ValueError: empty row"),
    )


def _is_quiet(project: Project, wait: Wait) -> bool:
    """Whether the submitted function is known and lets no exception out."""
    given = wait.because[-1].site
    module = project.module(given.path)
    found = [s for s in project.submissions_of(module) if s.site.site == given and s.role == "task"] if module is not None else []
    return bool(found) and all(s.callees and all(quiet.is_quiet(project, g) for g in s.callees) for s in found)


def _verdict(project: Project, site: CallSite) -> str:
    """ "lost" when nothing is done with the result, "used" when its elements are taken for results, "" when somebody may look."""
    function = site.function
    found = [_of_list(project, function, expr) for expr in _results(project, site)]
    if not found or "" in found:
        return ""
    if "used" in found:
        return "used"
    return "" if _cleans_up(function, site.call) or _tasks_are_kept(function, site.call) else "lost"


def _results(project: Project, site: CallSite) -> Iterator[f.Expr]:
    """The expressions whose value is the list that the gather collects."""
    function = site.function
    expr = _climbed(project, function, site.call)
    around = function.parent(expr)
    if expr is not site.call or not isinstance(around, f.Assign):
        yield expr
        return
    for target in around.targets:
        for name in loads(function, target.id) if isinstance(target, f.Name) else ():
            yield _climbed(project, function, name)


def _climbed(project: Project, function: Function, expr: f.Expr) -> f.Expr:
    """What `await`, `run_until_complete` and the like around an expression give."""
    while True:
        around = function.parent(expr)
        if isinstance(around, f.Await):
            expr = around
        elif isinstance(around, f.Call) and around.func is not expr and _passes(project, function, around):
            expr = around
        else:
            return expr


def _passes(project: Project, function: Function, call: f.Call) -> bool:
    """Whether a call gives what its argument gives: `loop.run_until_complete`, `asyncio.run`, `wait_for`."""
    rows = [project.row_of(value) for value in project.values(call.func, function)]
    return any(row is not None and row.passes is not None for row in rows)


def _of_list(project: Project, function: Function, expr: f.Expr) -> str:
    """What is done with a list of results: "lost" nothing, "used" its elements are taken for results, "" anything else."""
    around = function.parent(expr)
    if isinstance(around, f.Do):
        return "lost"
    if isinstance(around, f.Assign) and around.value is expr and len(around.targets) == 1:
        target = around.targets[0]
        if isinstance(target, f.Name):
            return _worst(_of_list(project, function, name) for name in loads(function, target.id) if function.graph.reaches(around, name))
        if isinstance(target, f.Sequence):
            names = [item for item in target.items if isinstance(item, f.Name)]
            return _worst(_of_name(function, name.id) for name in names) if len(names) == len(target.items) else ""
        return ""
    if isinstance(around, f.For) and around.source is expr:
        return _of_target(function, around.target)
    if isinstance(around, f.Comprehension):
        clause = next((c for c in around.clauses if c.source is expr), None)
        return _of_target(function, clause.target) if clause is not None else ""
    if isinstance(around, f.Item) and around.value is expr:
        return _of_element(function, around)
    if isinstance(around, f.Call) and around.func is not expr:
        return _of_argument(project, function, around, expr)
    return ""


def _of_argument(project: Project, function: Function, call: f.Call, expr: f.Expr) -> str:
    last = f.dotted(call.func).rpartition(".")[2] or (call.func.attr if isinstance(call.func, f.Attr) else "")
    if last in _REDUCING:
        return "used"
    if last == "len":
        return "lost"
    place = next((i for i, arg in enumerate(call.args) if arg.value is expr), -1) + (last == "enumerate")
    around = function.parent(call)
    if last not in {"zip", "enumerate"} or place < 0:
        return ""
    target = around.target if isinstance(around, f.For) and around.source is call else None
    if isinstance(around, f.Comprehension):
        target = next((c.target for c in around.clauses if c.source is call), None)
    if isinstance(target, f.Sequence) and place < len(target.items):
        return _of_target(function, target.items[place])
    return ""


def _of_target(function: Function, target: f.Expr) -> str:
    """What is done with the elements that a loop binds."""
    if isinstance(target, f.Name):
        return _of_name(function, target.id)
    return "used" if isinstance(target, f.Sequence) else ""


def _of_name(function: Function, name: str) -> str:
    return _worst(_of_element(function, row) for row in loads(function, name))


def _of_element(function: Function, row: f.Expr) -> str:
    """What is done with one result: "used" as one, "" anything by which it may be looked at."""
    around = function.parent(row)
    if isinstance(around, f.Attr):
        return "" if around.attr in _ASKING else "used"
    if isinstance(around, f.Item) and around.value is row:
        return "used"
    if isinstance(around, f.Op) and around.op in _ARITHMETIC:
        return "used"
    if isinstance(around, f.Change) and around.value is row:
        return "used"
    if isinstance(around, f.For) and around.source is row:
        return "used"
    if isinstance(around, f.Assign) and around.value is row and any(isinstance(t, f.Sequence) for t in around.targets):
        return "used"
    return ""


def _worst(found: Iterator[str]) -> str:
    """ "" wins over "used", and that over "lost"."""
    seen = set(found)
    return "" if "" in seen else "used" if "used" in seen else "lost"


def _cleans_up(function: Function, call: f.Call) -> bool:
    """Whether the gather only waits for what was given up: in `finally` or a handler, or after a `cancel()`."""
    if any(place.part in {"final", "handler"} for place in function.graph.tries_around(call)):
        return True
    ending = [s.call for s in function.calls if isinstance(s.call.func, f.Attr) and s.call.func.attr in {"cancel", "set", "terminate", "shutdown"}]
    return any(function.graph.reaches(other, call) for other in ending)


def _tasks_are_kept(function: Function, call: f.Call) -> bool:
    """Whether the tasks can be asked for their exceptions elsewhere: they have a name that is used later, an attribute, or a callback."""
    if any(isinstance(s.call.func, f.Attr) and s.call.func.attr == "add_done_callback" for s in function.calls):
        return True
    for arg in call.args:
        if arg.keyword:
            continue
        for row in f.walk(arg.value):
            if isinstance(row, f.Attr) and not isinstance(function.parent(row), f.Call):
                return True
            if isinstance(row, f.Name) and row is arg.value:
                mine = function.graph.all_definitions(row.id)
                if not mine or row.id in {p.name for p in function.facts.params}:
                    return True
                if any(name is not row and function.graph.reaches(call, name) for name in loads(function, row.id)):
                    return True
    return False
