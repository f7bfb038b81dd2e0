"""MP903: a worker changes its own copy of a global, and the parent reads another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Step
from mplint.project.containers import MAKING
from mplint.project.lives.globals import changed_globals, global_reads
from mplint.project.modules import CallSite, Function
from mplint.project.processes.sides import callers, sides
from mplint.project.values import Many
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project


class GlobalLostInWorker(Rule):
    """A global that worker code changes and the parent reads afterwards.

    ## What it does

    Reports changes of a global, or of a list, dict or set that is one, in code that only workers run, where the parent reads it afterwards.

    ## Why it hurts

    Each process has globals of its own. What the worker assigns or appends ends with the worker; the parent reads what was there before, and
    nothing is raised. Measured on CPython 3.8 to 3.13: the parent's value is unchanged.

    ## When it knows

    The function must run in workers only, by all calls that are known, and the read must come after the call that hands the work over: in the same function, in
    one that it calls afterwards, or in its caller. Silent for initializers, for globals that the parent changes too, for what the worker was given as an
    argument, and for caches that only workers read.

    ## References

    - [multiprocessing, Programming guidelines](https://docs.python.org/3/library/multiprocessing.html#all-start-methods): "Better to inherit than
      pickle/unpickle", "Global variables".
    """

    code = "MP903"
    name = "global-lost-in-worker"
    preview = True

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for function in project.workers_in(module):
            reach = project.workers()[function]
            if not reach.certain or reach.submission.role == "initializer" or function.is_module:
                continue
            done: set[str] = set()
            for name, row in _changed(function):
                if name in done or not _is_plain(project, module, name, row):
                    continue
                done.add(name)
                if not _is_read_elsewhere(project, module, name) or sides(project, function) != {"worker"}:
                    continue
                read = None if _is_changed_in_parent(project, module, name) else _read_after(project, reach.submission.site, module, name)
                if read is not None:
                    what = "assigned" if isinstance(row, f.Assign) else "changed"
                    message = f"the global `{name}` is {what} in a worker process: the parent, which reads it afterwards, does not see that"
                    because = (*(project.why(function) or ()), Step(read[0].site(read[1]), f"the parent reads `{name}` here"))
                    yield Alarm(self.code, function.site(row), message, because, function.qualname)

    example = Example(
        bad="""\
from multiprocessing import Pool

found = []


def search(number):
    if number % 7 == 0:
        found.append(number)  # MP903


def main():
    with Pool(2) as pool:
        pool.map(search, range(1, 30))
    print("found", found)


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("found []"),
        fixed="""\
from multiprocessing import Pool


def search(number):
    if number % 7 == 0:
        return number
    return None


def main():
    with Pool(2) as pool:
        answers = pool.map(search, range(1, 30))
    print("found", [number for number in answers if number is not None])


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("found [7, 14, 21, 28]"),
    )


def _changed(function: Function) -> Iterator[tuple[str, f.Row]]:
    """The globals that the body of a function changes, each with the row; not those in which it keeps what it is given, which is no result."""
    for name, row in changed_globals(function):
        if not (isinstance(row, f.Assign) and any(_names(t, name) for t in row.targets) and function.has_parameter(row.value)):
            yield name, row


def _is_plain(project: Project, module: Module, name: str, row: f.Row) -> bool:
    """Whether a global is one of each process: assigned, or a container that nobody shares."""
    if isinstance(row, f.Assign) and any(isinstance(t, f.Name) for t in row.targets):
        return True
    if isinstance(row, f.Change) and isinstance(row.target, f.Name):
        return True
    values = project.global_values(module, name)
    if values and all(isinstance(v, Many) for v in values):
        return True
    made = [
        r
        for page in module.outline.names.get(name, ())
        for r in f.walk(*module.steps(page))
        if isinstance(r, f.Assign) and any(_names(t, name) for t in r.targets)
    ]
    return bool(made) and all(_makes_container(row.value) for row in made)


def _names(target: f.Expr, name: str) -> bool:
    return isinstance(target, f.Name) and target.id == name


def _makes_container(value: f.Expr | None) -> bool:
    return isinstance(value, (f.Sequence, f.Mapping, f.Comprehension)) or (
        isinstance(value, f.Call)
        and isinstance(value.func, (f.Name, f.Attr))
        and f.dotted(value.func).rpartition(".")[2] in MAKING
        and not _of_object(value.func)
    )


def _of_object(func: f.Expr) -> bool:
    """Whether a method is called, as a manager's `dict()`, and no function of a module."""
    return isinstance(func, f.Attr) and f.dotted(func.value) != "collections"


def _is_changed_in_parent(project: Project, module: Module, name: str) -> bool:
    """Whether a function of the module that runs in the parent, too, changes the global."""
    for function in module.functions(name):
        if not function.is_module and any(changed == name for changed, _ in _changed(function)) and sides(project, function) != {"worker"}:
            return True
    return False


def _is_read_elsewhere(project: Project, module: Module, name: str) -> bool:
    """Whether any function that is not known to run in workers reads the global."""
    return any(function not in project.workers() and any(True for _ in global_reads(function, name)) for function in module.functions(name))


def _read_after(project: Project, site: CallSite, module: Module, name: str) -> tuple[Function, f.Row] | None:
    """Where the parent reads a global after a call: in its function, in what that calls, in its caller."""
    for function, call in ((site.function, site.call), *((c.function, c.call) for c in callers(project, site.function))):
        if sides(project, function) != {"parent"}:
            continue
        if function.module is module:
            for load in global_reads(function, name):
                if function.graph.reaches(call, load) and not any(load is inner for inner in f.walk(call)):
                    return function, load
        for other in function.calls:
            if other.call is not call and function.graph.reaches(call, other.call):
                for callee in project.callees(other):
                    if callee.module is module and sides(project, callee) == {"parent"}:
                        for load in global_reads(callee, name):
                            return callee, load
    return None
