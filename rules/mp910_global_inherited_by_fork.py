"""MP910: a worker reads a global that only a forked one has as the parent set it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Alarm, Step
from mplint.project.importing import is_test
from mplint.project.lives.globals import global_reads
from mplint.project.lives.mentions import is_target
from mplint.project.lives.settings import Initial, Setting, imported_modules, initial, is_main_program, set_at_run_time, settings
from mplint.project.modules import CallSite, Function, Module
from mplint.project.processes.children import has_unknown_context, is_standard
from mplint.project.processes.earlier import runs_before
from mplint.project.processes.forking import methods_set, starts_by_default
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.project.workers import Submission


class GlobalInheritedByFork(Rule):
    """A global that the parent sets while it runs and that workers read: only a forked one has it.

    ## What it does

    Reports reads, in code that workers run, of a global that the program sets after its module was imported and before it starts the workers, where
    nothing in the workers sets it.

    ## Why it hurts

    A forked process has a copy of all that its parent had in memory. One that spawn or forkserver starts imports the modules again and has of their globals
    what importing them gives: `None`, an empty list, the default of an option, or no such name at all. Measured on CPython 3.8 to 3.13 for `Pool`,
    `ProcessPoolExecutor` and `Process`: what `global`, an assignment to an attribute of a module, `append` or `update`, or the code under
    `if __name__ == "__main__":` had set was there in forked workers, and in none of the others. A missing name is a `NameError`
    in the worker; an option that fell back to its default is a wrong result without any error.

    Fork is not the default on macOS since Python 3.8, nor on Linux since 3.14, where forkserver is; Windows has none.

    ## When it knows

    Importing the module has to leave the global unbound, a constant or a container that is written out. What sets it has to come before the start of
    the workers, in the same function or on the calls that lead there. Silent where the start method is fork (by a context, or by `set_start_method`)
    or is not known, where a test asks for the platform or the start method, for globals that an initializer, a task or the import of a module sets,
    for reads that ask whether anything is there (`if cache is not None`, `table.get(key)`, `except NameError`), for threads, for tests, and for
    workers of joblib and loky: those get the globals of functions of `__main__` along.

    ## References

    - [multiprocessing, Programming guidelines](https://docs.python.org/3/library/multiprocessing.html#the-spawn-and-forkserver-start-methods): a global
      variable may have another value in a child process than in its parent.
    - [multiprocessing, Contexts and start methods](https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods): forkserver
      is the default on Linux since Python 3.14.
    - [gh-84112](https://github.com/python/cpython/issues/84112), [gh-128145](https://github.com/python/cpython/issues/128145): programs that lost
      their globals on macOS with Python 3.8, and on Linux with 3.14.
    """

    code = "MP910"
    name = "global-inherited-by-fork"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        done: set[tuple[Module, str]] = set()
        for read in _reads(project, module) if not is_test(project, module.path) else ():
            before = initial(project, read.owner, read.name) if (read.owner, read.name) not in done else None
            if before is None or _is_expected(read, before):
                continue
            for submission, start in _submissions(project, read.function):
                setting = next((s for s in settings(project, read.owner, read.name) if _precedes(project, s, submission)), None)
                if setting is not None:
                    done.add((read.owner, read.name))
                    yield self._alarm(project, read, before, start, setting)
                    break

    def _alarm(self, project: Project, read: _Read, before: Initial, start: str, setting: Setting) -> Alarm:
        lost = f"workers that `{start}` starts do not have that" if start else "workers have that by fork only (not on macOS, Windows, Linux from Python 3.14)"
        there = f"it is {before.said} here" if before.value is not None else "there is no such name here"
        message = f"the parent sets `{read.name}` while it runs, and {lost}: {there}"
        because = (Step(setting[0].site(setting[1]), f"the parent sets `{read.name}` here"), *(project.why(read.function) or ()))
        return Alarm(self.code, read.function.site(read.row), message, because, read.function.qualname)

    example = Example(
        bad="""\
from multiprocessing import get_context

tax = 0


def charge(price):
    return price + price * tax // 100  # MP910


def main():
    global tax
    tax = 20
    with get_context("spawn").Pool(2) as pool:
        print("charged", pool.map(charge, [100, 200]))


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("charged [100, 200]"),
        fixed="""\
from multiprocessing import get_context

tax = 0


def charge(price):
    return price + price * tax // 100


def set_tax(percent):
    global tax
    tax = percent


def main():
    with get_context("spawn").Pool(2, set_tax, (20,)) as pool:
        print("charged", pool.map(charge, [100, 200]))


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("charged [120, 240]"),
    )


class _Read(NamedTuple):
    """A row of `function` that uses the value of the global `name` of `owner`."""

    owner: Module
    name: str
    function: Function
    row: f.Expr


def _reads(project: Project, module: Module) -> Iterator[_Read]:
    """What the functions of a module that run in workers read of globals that may be set at run time, in source order."""
    workers = [function for function in project.workers_in(module) if project.workers()[function].certain and not _is_main(function)]
    own = set_at_run_time(project, module) if workers else frozenset()
    others = imported_modules(project, module) if workers else {}
    dots = [f"{name}." for name in others]
    for function in sorted(workers, key=lambda function: function.facts.at):
        if own and function.spells(*own):
            for row in function.rows:
                if isinstance(row, f.Name) and row.id in own and any(row is load for load in global_reads(function, row.id)):
                    yield _Read(module, row.id, function, row)
        if dots and function.spells(*dots):
            for row in function.rows:
                if isinstance(row, f.Attr) and (path := others.get(f.dotted(row.value))) is not None and not is_target(function, row):
                    owner = project.module(path)
                    if owner is not None and row.attr in set_at_run_time(project, owner):
                        yield _Read(owner, row.attr, function, row)


def _is_main(function: Function) -> bool:
    """Whether a function is the code of a module, or defined by its main program alone: other workers than forked ones do not even have it."""
    return function.is_module or is_main_program(function.module, function.facts.at >> f.PAGE_BITS)


def _is_expected(read: _Read, before: Initial) -> bool:
    """Whether the code around a read asks whether the global was set."""
    caught = {"": {"NameError", "AttributeError"}, "empty": {"KeyError", "IndexError", "LookupError"}, "`None`": {"TypeError", "AttributeError"}}.get(
        before.said
    )
    if caught is None:
        return False
    function = read.function
    for _, handler in function.graph.handlers_around(read.row):
        if handler.types is None or any(f.last_name(row) in {*caught, "Exception", "BaseException"} for row in f.walk(handler.types)):
            return True
    if before.value is None:
        return False
    asking = _ASKING if before.said == "`None`" or _has_keys(before.value) else _ASKING - {"in", "not in"}
    return _is_asked(function, read.row, f.dotted(read.row), asking) or _is_asked_later(function, read.row)


def _is_asked(function: Function, row: f.Row, name: str, asking: frozenset[str]) -> bool:
    """Whether a test that is made of the value, or decides about the row, asks for `name`."""

    def asks(test: f.Row) -> bool:
        return any(f.dotted(inner) == name for inner in f.walk(test) if isinstance(inner, (f.Name, f.Attr)))

    around = (*function.ancestors(row), row)
    if len(around) > 1 and isinstance(around[-2], f.Op) and around[-2].op in _ASKING - asking:
        return False
    for above, below in zip(around, around[1:]):
        if isinstance(above, f.Op) and above.op in asking:
            return True
        if isinstance(above, (f.If, f.While, f.Choice)) and (below is above.test or (isinstance(above, f.Choice) and asks(above.test))):
            return True
        if isinstance(above, f.Attr) and above.attr in {"get", "pop", "setdefault"}:
            return True
    return any(asks(branch.test) for branch in function.graph.branch_conditions(row))


_ASKING = frozenset({"and", "or", "not", "is", "is not", "in", "not in", "==", "!="})


def _has_keys(value: f.Expr) -> bool:
    return isinstance(value, f.Mapping) or (isinstance(value, f.Call) and f.last_name(value.func) in {"dict", "defaultdict", "OrderedDict", "Counter"})


def _is_asked_later(function: Function, row: f.Row) -> bool:
    """Whether a value is kept under a local name that a test asks for."""
    around = function.parent(row)
    names = {t.id for t in around.targets if isinstance(t, f.Name)} if isinstance(around, f.Assign) else set()
    return any(
        isinstance(other, f.Name) and other.id in names and other is not row and _is_asked(function, other, other.id, _ASKING) for other in function.rows
    )


def _submissions(project: Project, function: Function) -> Iterator[tuple[Submission, str]]:
    """The submissions by which workers that may not be forked come to run a function, each with their start method, "" for the default."""
    workers, root = project.workers(), function
    while (caller := workers[root].caller) is not None and caller in workers:
        root = caller
    for submission in project.submissions():
        if root in submission.callees and submission.where == "process" and submission.role in {"task", "target", "run", "initializer"}:
            start = _start(project, submission)
            if start is not None:
                yield submission, start


def _start(project: Project, submission: Submission) -> str | None:
    """The start method of the workers; None when it is fork, or unknown."""
    receiver = submission.receiver
    made = project.maker(receiver) if receiver is not None else None
    if receiver is None or made is None or not is_standard(receiver) or _asks_platform(project, made) or _asks_platform(project, submission.site):
        return None
    if any(not s.resolved and s.receiver is not None and s.receiver.made == receiver.made for s in project.submissions() if s.role == "initializer"):
        return None
    start = submission.start or receiver.start
    if start:
        return None if start == "fork" else start
    if any(has_unknown_context(project, use, receiver) for use in project.uses_at(made, "make")) or not starts_by_default(project, made):
        return None
    return "" if {"fork", "?"}.isdisjoint(methods_set(project, submission.site.function.path)) else None


def _asks_platform(project: Project, site: CallSite) -> bool:
    return bool(project.sources.holding(b"get_start_method", (site.function.path,))) or _is_for_platform(site.function, site.call)


def _is_for_platform(function: Function, row: f.Row) -> bool:
    """Whether a test that decides about a row asks for the platform or the start method."""
    words = (word for branch in function.graph.branch_conditions(row) for inner in f.walk(branch.test) for word in (f.dotted(inner), _text(inner)))
    return any(_PLATFORM.search(word) is not None for word in words if word)


def _text(expr: f.Row) -> str:
    return expr.value if isinstance(expr, f.Const) and isinstance(expr.value, str) else ""


_PLATFORM = re.compile(r"platform|windows|win32|linux|darwin|macos|posix|fork|spawn|start_?method|\bos\.name\b|uname|\bsystem\b", re.IGNORECASE)


def _precedes(project: Project, setting: Setting, submission: Submission) -> bool:
    """Whether a global is set before the workers can be forked, and not for some platforms alone."""
    made = project.maker(submission.receiver) if submission.receiver is not None else None
    start = made if made is not None and submission.receiver is not None and project.role(submission.receiver) == "pool" else submission.site
    met = runs_before(project, setting, (start.function, start.call))
    return met is not None and not any(_is_for_platform(function, row) for function, row in (setting, (met[0], met[1]), (met[0], met[2])))
