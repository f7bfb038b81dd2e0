"""MP701: processes are started wherever the module is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.project.processes.children import beginnings, child_of, has_unknown_context, is_standard
from mplint.project.importing import guards, is_guarded, is_library, is_notebook, is_test
from mplint.project.values import Instance, Literal
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project, Use
    from mplint.project.modules import CallSite, Function

DEPTH = 3
"""Calls inside the module between one of its statements and the start of a process."""


class MissingMainGuard(Rule):
    """Processes that are started when the module is imported.

    ## What it does

    Reports pools, managers and processes that are started by the statements of a module themselves, or by the functions of the module that
    they call, outside `if __name__ == "__main__":`.

    ## Why it hurts

    A process that `spawn` or `forkserver` starts first imports the main module of its parent, and so comes to the same statement. Python refuses
    that, and the child dies. Measured on CPython 3.8 to 3.13 with spawn: `Pool` starts new workers for ever and the call hangs, an executor
    breaks, a `Process` ends with exit code 1. With fork all goes well: the program works on Linux, and fails on macOS, on
    Windows, and on Linux from Python 3.14 on.

    ## When it knows

    The processes have to start there: making an executor or a `Process` is not enough. Silent below a main guard, in functions that
    nothing in the module calls on import, where the start method is fork (by a context, or by the module's `set_start_method`), for loky and
    joblib, which do not import the main module, for notebooks, and for tests.

    ## Fix safety

    The fix puts the statement, and all that follow it, below a main guard; not where functions or classes are defined between them. It is unsafe:
    whoever imports the module for what it does gets nothing any more.

    ## References

    - [Safe importing of main module](https://docs.python.org/3/library/multiprocessing.html#the-spawn-and-forkserver-start-methods).
    """

    code = "MP701"
    name = "missing-main-guard"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        if is_notebook(module) or is_test(project, module.path):
            return
        seen = set()
        for use in project.uses(module, "make"):
            child = child_of(project, use)
            if use.site in seen or child is None or not is_standard(child) or child.start == "fork" or has_unknown_context(project, use, child):
                continue
            seen.add(use.site)
            for function, row in beginnings(project, use, child):
                way = _on_import(project, function, row) if function.module is module else None
                if way is not None and not _is_forced_to_fork(module, project):
                    yield self._alarm(use, child, function, row, way, is_library(project, module))
                    break

    def _alarm(self, use: Use, child: Instance, function: Function, row: f.Row, way: tuple[CallSite, ...], library: bool) -> Alarm:
        title = child.cls.name.rpartition(".")[2]
        where = "" if child.start else " on macOS, on Windows and from Python 3.14 on"
        message = f"this `{title}` starts processes when the module is imported, and each of them imports it again{where}"
        because = [Step(site.site, f"{'importing the module' if site.function.is_module else f'`{site.function.name}`'} calls this") for site in way]
        if row is not use.call:
            because.append(Step(function.site(row), "the processes start here"))
        first = way[0].call if way else row
        hint = "" if library or any(True for _ in guards(use.function.module)) else str(first.at)
        return Alarm(self.code, use.site.site, message, tuple(because), use.function.qualname, hint)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if not alarm.hint:
            return
        statement = repair.statement_of(repair.node(int(alarm.hint)))
        outermost = [item for item in repair.ancestors(statement) if isinstance(item, (cst.BaseSmallStatement, cst.BaseCompoundStatement))][-1:]
        block = repair.block_of(*outermost or [statement])
        rest = block[[item in (statement, *outermost) for item in block].index(True) :]
        if any(isinstance(item, (cst.FunctionDef, cst.ClassDef, cst.Import, cst.ImportFrom)) for item in rest):
            return
        repair.wrap(rest, 'if __name__ == "__main__":')
        repair.title = "Start processes in the main program only"
        repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
from multiprocessing import get_context


def resize(picture):
    return picture // 2


with get_context("spawn").Pool(2) as pool:  # MP701
    print(pool.map_async(resize, [640, 1024]).get())
""",
        bad_ends=Hangs(),
        fixed="""\
from multiprocessing import get_context


def resize(picture):
    return picture // 2


if __name__ == "__main__":
    with get_context("spawn").Pool(2) as pool:
        print(pool.map_async(resize, [640, 1024]).get())
""",
        fixed_ends=Prints("[320, 512]"),
    )


def _on_import(project: Project, function: Function, row: f.Row) -> tuple[CallSite, ...] | None:
    """The calls by which importing the module comes to `row`, outermost first; None when nothing shows that it does."""
    module = function.module
    if function.is_module:
        return None if is_guarded(function, row) else ()
    ways = project.kept(("called on import", module), lambda: _called_on_import(project, module))
    return ways.get(function)


def _called_on_import(project: Project, module: Module) -> dict[Function, tuple[CallSite, ...]]:
    """The functions of a module that its statements call, outside a main guard, with the calls that lead to them."""
    own = {name.rpartition(".")[2] for name in (*module.outline.functions, *module.outline.classes)}
    out: dict[Function, tuple[CallSite, ...]] = {}
    level: list[tuple[Function, tuple[CallSite, ...]]] = [(module.body, ())] if own else []
    for _ in range(DEPTH):
        following: list[tuple[Function, tuple[CallSite, ...]]] = []
        for function, way in level:
            for site in function.calls:
                name = site.call.func.id if isinstance(site.call.func, f.Name) else ""
                if name not in own or (function.is_module and is_guarded(function, site.call)):
                    continue
                for callee in project.callees(site):
                    if callee.module is module and callee not in out and not callee.facts.is_async:
                        out[callee] = (*way, site)
                        following.append((callee, out[callee]))
        level = following
    return out


def _is_forced_to_fork(module: Module, project: Project) -> bool:
    """Whether the module sets the start method fork."""
    for use in project.uses(module, "method"):
        given = project.argument(use.call, use.row.method_at)
        if given is not None and all(isinstance(v, Literal) and v.value == "fork" for v in project.values(given, use.function)):
            return True
    return False
