"""MP705: the processes of a frozen program start the program again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step, by_file
from mplint.project.importing import guards, is_beside, is_main_guard
from mplint.project.modules import CallSite, Function
from mplint.project.processes.freezing import Frozen, frozen_programs, imported_by
from mplint.project.processes.platforms import runs_on
from mplint.project.values import External, Instance
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project

_STARTING = frozenset({"pool", "executor", "process", "process-group", "manager"})
_TRACKED = frozenset({"lock", "event", "queue", "simple-queue", "barrier", "shared-value", "shared-memory"})
"""Roles of what has a semaphore or a segment, which the resource tracker, a process, looks after."""

_STANDARD = ("multiprocessing.", "concurrent.", "torch.")

_PARSING = frozenset({"parse_args", "parse_known_args", "parse_intermixed_args"})

_WINDOWS = frozenset({"win32", "nt", "windows"})
"""How Windows calls itself, in lower case."""

_DEPTH = 4
"""Calls between the beginning of a program and `freeze_support()`."""


class MissingFreezeSupport(Rule):
    """A program that is made into an executable and starts processes without `multiprocessing.freeze_support()`.

    ## What it does

    Reports the beginning of a frozen program that imports what starts processes and does not call `freeze_support()` before it parses its arguments.
    PyInstaller, cx_Freeze, py2exe, py2app, Nuitka and briefcase freeze programs.

    ## Why it hurts

    A process that is started by `spawn` runs `sys.executable`, which is the program itself once it is frozen. `freeze_support()` sees that a
    process was meant and does its work; without it the program begins again: a second window, an error about arguments that nobody gave, or
    processes without end. Measured on CPython 3.10 to 3.13 with the program in the place of Python, as PyInstaller puts it. A `ThreadPool` is
    enough under spawn and forkserver, the defaults on macOS and on Linux from 3.14: for its lock it starts the resource tracker (measured on
    3.10 to 3.13).

    ## When it knows

    A program is frozen when a .spec file, a script that imports cx_Freeze, py2exe, py2app or PyInstaller, or a table of `pyproject.toml` names it;
    where there is none of these, the programs that come with a package that asks for `sys.frozen` or `sys._MEIPASS`, or is made with such a
    tool, are. What they import, directly or not, has to make pools, executors, processes, or locks and queues of `multiprocessing`. Silent when
    something that is imported, or another program of a package that only asks, calls `freeze_support()`, except where that is behind the parsing of
    arguments or for Windows alone; for tests, examples and scripts.

    ## Fix safety

    The fix makes `freeze_support()` the first thing that the program does. It is safe: in a program that is not frozen the call does nothing.

    ## References

    - [multiprocessing.freeze_support](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.freeze_support).
    - [psf/black#3275](https://github.com/psf/black/pull/3275): not on Windows alone.
    - [PyInstaller, Multi-processing](https://pyinstaller.org/en/stable/common-issues-and-pitfalls.html#multi-processing): needed on all platforms.
    """

    code = "MP705"
    name = "missing-freeze-support"
    preview = True

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        yield from project.kept("MP705", lambda: by_file(_alarms(project))).get(module.path, ())

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        statement = repair.statement_of(node)
        repair.insert_before(statement, f"{repair.import_name('multiprocessing', 'freeze_support')}()")
        repair.title = "Call `freeze_support()` first"
        repair.safety = Safety.SAFE

    example = Example(
        bad="""\
import multiprocessing
import os
import sys
from multiprocessing import spawn


def freeze():
    \"\"\"What PyInstaller does: the program is run in place of Python, and `freeze_support` works on every platform.\"\"\"
    launcher = os.path.join(os.getcwd(), "program")
    if not hasattr(sys, "frozen"):
        with open(launcher, "w") as file:
            file.write(f'#!/bin/sh\\ncase $1 in --multi*) set -- "{__file__}" "$@" ;; esac\\nexec "{sys.executable}" "$@"\\n')
        os.chmod(launcher, 0o700)
        sys.frozen = True
        multiprocessing.set_executable(launcher)
        multiprocessing.freeze_support = spawn.freeze_support


freeze()


def render(page):
    print("page", page)


def main():
    if sys.argv[1:]:  # MP705
        sys.exit("the program began again")
    process = multiprocessing.get_context("spawn").Process(target=render, args=(1,))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError("no page was rendered")


if __name__ == "__main__":
    main()
""",
        bad_ends=Raises("RuntimeError: no page was rendered"),
        fixed="""\
import multiprocessing
import os
import sys
from multiprocessing import spawn


def freeze():
    \"\"\"What PyInstaller does: the program is run in place of Python, and `freeze_support` works on every platform.\"\"\"
    launcher = os.path.join(os.getcwd(), "program")
    if not hasattr(sys, "frozen"):
        with open(launcher, "w") as file:
            file.write(f'#!/bin/sh\\ncase $1 in --multi*) set -- "{__file__}" "$@" ;; esac\\nexec "{sys.executable}" "$@"\\n')
        os.chmod(launcher, 0o700)
        sys.frozen = True
        multiprocessing.set_executable(launcher)
        multiprocessing.freeze_support = spawn.freeze_support


freeze()


def render(page):
    print("page", page)


def main():
    multiprocessing.freeze_support()
    if sys.argv[1:]:
        sys.exit("the program began again")
    process = multiprocessing.get_context("spawn").Process(target=render, args=(1,))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError("no page was rendered")


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("page 1"),
    )


def _alarms(project: Project) -> Iterator[Alarm]:
    """The alarms of the whole project."""
    starting = _starting(project)
    supported = project.sources.holding(b"freeze_support(")
    if not starting:
        return
    for program in frozen_programs(project):
        imported = imported_by(project, program.module.path)
        start = next((starting[path] for path in imported if path in starting), None)
        if start is None:
            continue
        order = list(_events(project, program))
        if order[:1] == ["freeze"] or (
            not {"freeze", "windows"} & set(order) and any(p in supported for p in (imported if program.certain else project.sources.files))
        ):
            continue
        late = "only after it has parsed its arguments" if "freeze" in order else "on Windows only, though macOS needs it, too"
        said = f"calls `freeze_support()` {late}" if {"freeze", "windows"} & set(order) else "does not call `freeze_support()`"
        message = f"this program, once frozen, {said}: a process that it starts begins it again"
        first = next(guards(program.module), program.step)
        because = (Step(program.module.body.site(first), program.because),) if first.at >> f.PAGE_BITS < len(program.module.outline.pages) else ()
        steps = (*because, Step(start[0].site, start[1]))
        yield Alarm(MissingFreezeSupport.code, program.function.site(program.step), message, steps, program.function.qualname)


def _starting(project: Project) -> dict[str, tuple[CallSite, str]]:
    """The files that start processes, each with a call that does and what it does; those that start one themselves count before what is tracked."""
    out: dict[str, tuple[CallSite, str]] = {}
    for module in project.spread.modules():
        if is_beside(project, module):
            continue
        for use in project.uses(module, "make"):
            for value in project.made_by(use.site):
                if (said := _starts(project, value)) and (module.path not in out or "itself" in said):
                    out[module.path] = (use.site, said.replace(" itself", ""))
    return out


def _starts(project: Project, value: Instance) -> str:
    """What making an object has to do with processes, "" when nothing."""
    kind = project.kind(value)
    if kind is None or (isinstance(value.cls, External) and not value.cls.name.startswith(_STANDARD)):
        return ""
    if value.where == "process" and kind.role in _STARTING:
        return "it starts processes here itself"
    if (value.where == "process" and kind.role in _TRACKED) or kind.name == "multiprocessing.pool.ThreadPool":
        return "it makes a semaphore here, for which the resource tracker is started"
    return ""


def _events(project: Project, program: Frozen) -> Iterator[str]:
    """The calls of `freeze_support` and of parsers of arguments, in the order in which the program comes to them: "freeze" ("windows" where it is for
    that alone), "parse"."""
    body, seen = program.module.body, {program.function}
    outside = tuple(step for step in body.facts.body if not (isinstance(step, f.If) and is_main_guard(step.test)))
    inside = tuple(step for guard in guards(program.module) for step in guard.body)
    yield from _calls_in(project, body, outside, _DEPTH, seen)
    if program.function is body:
        yield from _calls_in(project, body, inside, _DEPTH, seen)
    else:
        yield from _calls_in(project, program.function, program.function.facts.body, _DEPTH, seen)


def _calls_in(project: Project, function: Function, steps: tuple[f.Step, ...], depth: int, seen: set[Function]) -> Iterator[str]:
    for call in _evaluated(steps):
        name = f.last_name(call.func)
        if name == "freeze_support":
            yield "windows" if runs_on(function, call, _WINDOWS) else "freeze"
        elif name in _PARSING:
            yield "parse"
        elif depth:
            for callee in project.callees(CallSite(function, call)):
                if callee not in seen:
                    seen.add(callee)
                    yield from _calls_in(project, callee, callee.facts.body, depth - 1, seen)


def _evaluated(rows: Iterable[f.Row]) -> Iterator[f.Call]:
    """The calls below some rows, what is passed to a call before the call itself."""
    for row in rows:
        if not isinstance(row, (f.FunctionFacts, f.ClassFacts, f.Lambda)):
            yield from _evaluated(f.children(row))
            if isinstance(row, f.Call):
                yield row
