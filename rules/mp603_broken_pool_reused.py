"""MP603: a broken executor is used again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Site, Step
from mplint.project.importing import is_test
from mplint.project.modules import CallSite, Function
from mplint.project.parameters import argument_of
from mplint.project.values import External, Instance, elements
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project, Use

_BROKEN = frozenset({"concurrent.futures.BrokenExecutor", "concurrent.futures.process.BrokenProcessPool"})


class BrokenPoolReused(Rule):
    """A process executor that is used again after it broke.

    ## What it does

    Reports work given to a process executor after `except BrokenProcessPool` (or `BrokenExecutor`, or loky's `TerminatedWorkerError`) around work of the
    same executor, with no new executor in between. And work given to a process executor that is kept, in an attribute or a global, while the failure of
    single tasks is taken note of elsewhere (a done callback, a handler for every exception, a function that asks the future later and goes on, whoever awaits
    `run_in_executor`) or nowhere, when nothing in the project ever asks for a broken executor.

    ## Why it hurts

    A broken executor stays broken: when one worker dies, every later `submit` raises `BrokenProcessPool` at once. Measured on CPython 3.8 to 3.13.
    A handler that counts, logs and goes on therefore loses all the work that follows.

    ## When it knows

    The executor in the `try` and the one that is used afterwards must be one object, and no way between may bind its name or attribute again or
    call a function of the project that may do so. Silent when the handler raises again or leaves; and for `get_reusable_executor()`, asked again,
    which gives a new executor. A kept executor must be made in another function than the one that gives it work, or passes it to the function of the same
    file that does, one that does not end it again; an inner function that is only called on the spot is the same piece of work. Silent as soon as
    any file of the project but its tests names one of these exceptions.

    ## References

    - [concurrent.futures.process.BrokenProcessPool](https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.process.BrokenProcessPool)
    - [loky](https://loky.readthedocs.io/en/stable/API.html): what ends an executor.
    """

    code = "MP603"
    name = "broken-pool-reused"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for function in project.functions(module, "except"):
            for row in function.rows:
                if not isinstance(row, f.Try):
                    continue
                handlers = [h for h in row.handlers if _is_for_broken(project, function, h)]
                tried = _executors_in(project, function, row) if handlers else {}
                if not tried:
                    continue
                for handler in handlers:
                    for use in _uses_after(project, function, handler, tried):
                        if use.site not in seen:
                            seen.add(use.site)
                            method = use.row.name.rpartition(".")[2]
                            because = (Step(function.site(handler), "the break is caught here, and no new executor is made"),)
                            message = f"`{method}` on an executor that is broken: it raises at once, the work is lost"
                            yield Alarm(self.code, use.site.site, message, because, function.qualname)
        for site, on, executor in _kept_unwatched(module, project):
            if site not in seen:
                seen.add(site)
                message = f"`{f.dotted(on)}` stays broken once one of its workers has died: all later work given to it is lost, and nobody makes a new one"
                yield Alarm(self.code, site.site, message, project.made_step(executor), site.function.qualname)

    example = Example(
        bad="""\
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool


def main():
    executor = ProcessPoolExecutor(2)
    try:
        executor.submit(os._exit, 1).result()  # as when the kernel kills a worker
    except BrokenProcessPool:
        print("a worker died")
    print(executor.submit(abs, -7).result())  # MP603
    executor.shutdown()


if __name__ == "__main__":
    main()
""",
        bad_ends=Raises("BrokenProcessPool"),
        fixed="""\
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool


def main():
    executor = ProcessPoolExecutor(2)
    try:
        executor.submit(os._exit, 1).result()  # as when the kernel kills a worker
    except BrokenProcessPool:
        print("a worker died")
        executor.shutdown()
        executor = ProcessPoolExecutor(2)
    print(executor.submit(abs, -7).result())
    executor.shutdown()


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("7"),
    )


_NAMES = (b"BrokenProcessPool", b"BrokenExecutor", b"TerminatedWorkerError", b"._broken")


def _kept_unwatched(module: Module, project: Project) -> Iterator[tuple[CallSite, f.Name | f.Attr, Instance]]:
    """Work that is given to executors which outlive it, where a task may fail without an end to that."""
    for use in project.uses(module, "submit"):
        on = project.argument(use.call, use.row.executor)
        if use.row.executor is None and isinstance(use.call.func, f.Attr):
            on = use.call.func.value
        if on is None:
            continue
        goes_on = _goes_on(project, use)
        for site, given in _places(project, use, on):
            made = [v for v in project.values(given, site.function) if isinstance(v, Instance) and _is_kept(project, v, site.function)]
            if len(made) == 1 and not project.kept("broken executors are asked for", lambda: _asks(project)) and (goes_on or _is_noted_later(project, use)):
                yield site, given, made[0]


def _places(project: Project, use: Use, on: f.Expr) -> Iterator[tuple[CallSite, f.Name | f.Attr]]:
    """Where an executor is named that outlives the function: where it is given work, or where it is passed, in the same file, to the function that does so."""
    if not isinstance(on, f.Name) or use.function.graph.definitions(on) is None:
        if isinstance(on, (f.Name, f.Attr)):
            yield use.site, on
        return
    param = use.function.parameter(on)
    if param is None or any(row is not param for row in use.function.graph.definitions(on) or ()):
        return
    for site in project.callers(use.function):
        given = argument_of(site.call, use.function, param) if site.function.module is use.function.module else None
        if isinstance(given, f.Attr) or (isinstance(given, f.Name) and site.function.graph.definitions(given) is None):
            yield site, given


def _is_kept(project: Project, value: Instance, function: Function) -> bool:
    if value.where != "process" or project.role(value) != "executor" or value.made is None or is_test(project, value.made.path):
        return False
    if any("reuse" in row.does and row.gives == getattr(value.cls, "name", "") for row in project.table.apis.values()):
        return False
    return not _makes(function, value.made) and not _is_of_one_run(project, value.made) and not _is_called_in_place(function, value.made)


def _makes(function: Function, made: Site) -> bool:
    return any(function.site(site.call) == made for site in function.calls)


def _is_called_in_place(function: Function, made: Site) -> bool:
    """Whether the function stands inside the one that makes the executor, which only calls it: both are one piece of work."""
    outer = function.outer
    if outer is None or function.facts.decorators or not _makes(outer, made):
        return False
    named = [outer.parent(row) for row in outer.rows if isinstance(row, f.Name) and row.id == function.name]
    return bool(named) and all(isinstance(row, f.Call) and f.dotted(row.func) == function.name for row in named)


def _is_of_one_run(project: Project, made: Site) -> bool:
    """Whether the function that makes an executor ends it, too: all that is in between is one piece of work."""
    module = project.module(made.path)
    for use in project.uses(module, "make", "shutdown", "close", "stop") if module is not None else ():
        if use.receiver is not None and use.receiver.made == made and _makes(use.function, made):
            return True
        if use.site.site == made:
            entered = [item.value for row in use.function.rows if isinstance(row, f.With) for item in row.items]
            if any(use.call is row for value in entered for row in f.walk(value)):
                return True
    return False


def _goes_on(project: Project, use: Use) -> bool:
    """Whether the program lives on when this task fails."""
    function = use.function
    if use.row.executor is not None or isinstance(function.parent(use.call), f.Do):
        return True
    for site in function.calls:
        if isinstance(site.call.func, f.Attr) and site.call.func.attr == "add_done_callback":
            if any(
                other.receiver is not None and other.receiver.made == use.site.site and _answers(project, other) for other in project.uses_at(site, "callback")
            ):
                return True
    return _is_survived(project, function, use.call)


def _is_noted_later(project: Project, use: Use) -> bool:
    """Whether the outcome of the task is asked for by another function, which goes on whatever it was."""
    for touch in project.life(use.site, patient=True).touched("result", "exception"):
        if touch.function is not use.function and _is_survived(project, touch.function, touch.row):
            return True
    return False


def _is_survived(project: Project, function: Function, row: f.Row) -> bool:
    """Whether a handler for every exception stands around the row, and goes on."""
    for _, handler in function.graph.handlers_around(row):
        types = project.values(handler.types, function) if handler.types is not None else (External("builtins.BaseException"),)
        if {External("builtins.Exception"), External("builtins.BaseException")} & {*types, *elements(types)}:
            return "raise" not in function.graph.ways_out(handler.body)
    return False


def _answers(project: Project, use: Use) -> bool:
    """Whether a done callback is where the outcome of the task is asked for."""
    given = project.argument(use.call, use.row.callee)
    called = [g for value in (project.values(given, use.function) if given is not None else ()) for g in project.run_by(value)]
    return any(isinstance(site.call.func, f.Attr) and site.call.func.attr in {"result", "exception"} for g in called for site in g.calls)


def _asks(project: Project) -> bool:
    """Whether any file of the project but its tests names what a broken executor raises."""
    return any(not is_test(project, path) for name in _NAMES for path in project.sources.holding(name))


def _is_for_broken(project: Project, function: Function, handler: f.Handler) -> bool:
    if handler.types is None:
        return False
    types = project.values(handler.types, function)
    named = {project.table.canonical(t.name) for t in (*types, *elements(types)) if isinstance(t, External)}
    return any(_BROKEN & set(project.table.bases(name)) for name in named)


def _executor(project: Project, use: Use) -> tuple[Instance, f.Expr] | None:
    """The process executor that a call gives work to, and how it is called there."""
    if use.row.executor is not None:
        on = project.argument(use.call, use.row.executor)
    else:
        on = use.call.func.value if isinstance(use.call.func, f.Attr) else None
    values = project.values(on, use.function) if on is not None else ()
    if on is None or len(values) != 1 or not isinstance(values[0], Instance):
        return None
    value = values[0]
    return (value, on) if value.where == "process" and project.role(value) == "executor" and value.made is not None else None


def _executors_in(project: Project, function: Function, row: f.Try) -> dict[Site, None]:
    """The executors whose work is given away or waited for in the body of a try."""
    out: dict[Site, None] = {}
    for call in f.walk(*row.body):
        if not isinstance(call, f.Call):
            continue
        for use in project.uses_at(CallSite(function, call), "submit", "collect"):
            if "collect" in use.row.does:
                source = use.receiver.source if use.receiver is not None else None
                if source is not None and source.made is not None and source.where == "process" and project.role(source) == "executor":
                    out[source.made] = None
            else:
                found = _executor(project, use)
                if found is not None and found[0].made is not None:
                    out[found[0].made] = None
    return out


def _uses_after(project: Project, function: Function, handler: f.Handler, tried: dict[Site, None]) -> Iterator[Use]:
    """The first calls that a handler leads to and that give work to one of the broken executors."""
    found: list[tuple[Use, f.Expr, Site]] = []
    for site in function.calls:
        for use in project.uses_at(site, "submit"):
            executor = _executor(project, use)
            if executor is not None and executor[0].made in tried:
                found.append((use, executor[1], executor[0].made))
    for use, on, made in found:
        others = [other.call for other, _, _ in found if other.call is not use.call]
        if function.graph.reaches(handler, use.call, avoiding=[*_renewals(project, function, on, made), *others]):
            yield use


def _renewals(project: Project, function: Function, on: f.Expr, made: Site) -> list[f.Row]:
    """The rows of a function after which a name or attribute may mean another executor."""
    name = f.dotted(on)
    head = name.partition(".")[0]
    out: list[f.Row] = []
    for row in function.rows:
        if isinstance(row, f.Call):
            if function.site(row) == made or (row.func is not on and project.callees(CallSite(function, row))):
                out.append(row)
        elif isinstance(row, f.Assign) and any(
            f.dotted(t) in {name, head} for target in row.targets for t in f.walk(target) if isinstance(t, (f.Name, f.Attr))
        ):
            out.append(row)
        elif isinstance(row, f.With) and any(i.target is not None and f.dotted(i.target) == name for i in row.items):
            out.append(row)
    return out
