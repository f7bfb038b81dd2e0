"""MP703: a start method that is set where the module is imported, or for everybody else too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.project import Use
from mplint.project.importing import guards, is_guarded, is_library, on_import
from mplint.project.modules import CallSite
from mplint.project.processes.targets import constructing, constructor_row
from mplint.project.values import Literal
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project
    from mplint.project.modules import Function

_FREE = frozenset(
    {"Process", "Pipe", "RawValue", "RawArray", "cpu_count", "current_process", "parent_process", "active_children", "freeze_support", "set_start_method"}
)
"""What `multiprocessing` offers without asking for the start method."""

_QUESTIONS = frozenset({"get_start_method", "parent_process", "current_process"})
"""What a module asks before it sets the start method, so that its children do not do it again."""

_METHODS = frozenset({"", "fork", "spawn", "forkserver"})

_COMMANDS = frozenset({"command", "group", "callback"})
"""Decorators of click and typer that make a function a program's entry."""


class StartMethodSetOnImport(Rule):
    """A start method that is set when the module is imported, set for other people's code, or not set at all.

    ## What it does

    Reports `set_start_method` that runs whenever the module is imported. In modules of packages also what fixes the start method on
    import without naming it (`multiprocessing.Lock()`, `Queue()`, `get_context()` ...), and functions that set it for the whole program
    in order to start a few processes of their own. And `get_context("spawn")` whose result nobody uses, which sets nothing.

    ## Why it hurts

    A process that `spawn` or `forkserver` starts imports the main module again, and the start method is already set there:
    `set_start_method` raises `RuntimeError: context has already been set` in every child. Measured on CPython 3.8 to 3.13: `Pool` starts
    new workers for ever and the call hangs, even where the pool itself stands below the main guard.

    The start method belongs to the whole program. It can be set once, and the first lock, queue or pool of the default context fixes it:
    after that, the program's own `set_start_method` fails with the same error (measured on CPython 3.6 to 3.13). With `force=True` it
    changes under the feet of everybody else.

    ## When it knows

    The call has to run on import: as a statement of the module, or in a function that one of them calls. Silent below
    `if __name__ == "__main__":`; for scripts and tests also where the method is fork, with `force=True`, and where RuntimeError is caught or
    `get_start_method` asked before, because a child gets over that. Modules of packages are expected to leave the choice to the program
    that imports them. A function is reported when it sets the method and then uses the default context itself; not when it is a
    command or called `main`, or sets it only where `get_start_method(allow_none=True)` is None. A context is unused when nothing ever reads it;
    not where the call may fail and that is handled, for then it is a question.

    ## Fix safety

    In a script the call moves below its main guard, or gets one. It is unsafe: whoever imports the script for the side effect loses it.

    ## References

    - [Contexts and start methods](https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods): "A library which wants to
      use a particular start method should probably use get_context()".
    - [numcodecs#522](https://github.com/zarr-developers/numcodecs/issues/522): a lock made on import.
    """

    code = "MP703"
    name = "start-method-set-on-import"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for use in project.uses(module, "method", "make", "poll"):
            if use.site in seen:
                continue
            if "method" in use.row.does:
                seen.add(use.site)
                yield from self._set(use, module, project)
            elif use.row.name.endswith(".get_context") and _asked(use):
                seen.add(use.site)
                yield from self._unused(use, project)
        if is_library(project, module):
            for use in _on_module_level(module, project):
                if _fixes(use, project):
                    name = use.row.name.rpartition(".")[2]
                    message = f"`{name}` on import fixes the start method: the program's own `set_start_method` fails from then on"
                    yield Alarm(self.code, use.site.site, message, (), use.function.qualname)
                    break

    def _set(self, use: Use, module: Module, project: Project) -> Iterator[Alarm]:
        function = use.function
        way = on_import(project, function)
        if function.is_module and is_guarded(function, use.call):
            return
        forced = use.call.keyword("force") or use.call.positional(1)
        methods = _methods(use, project)
        if not methods <= _METHODS:
            return  # a library's own, which does what it likes
        if way and is_library(project, module) and not is_library(project, way[0].function.module):
            way = None  # a script that calls the function of a package
        if way is None:
            if is_library(project, module) and _is_selfish(use, forced, project):
                message = "this sets the start method of the whole program: a context of its own (`get_context`) would do"
                yield Alarm(self.code, use.site.site, message, (), function.qualname)
            return
        because = tuple(Step(site.site, f"importing the module calls `{site.function.name if not site.function.is_module else function.name}`") for site in way)
        careful = forced is not None or any(_is_careful(project, s.function, s.call) for s in (*way, use.site))
        home = way[0].function.module if way else module
        library = is_library(project, home)
        if not careful and methods != {"fork"}:
            method = next(iter(methods)) if len(methods) == 1 and "" not in methods else "spawn"
            message = f"each process that `{method}` starts imports this again and fails here: the start method is set already"
        elif library:
            message = "importing this module sets the start method of the whole program"
        else:
            return
        hint = "" if library or way else "move" if any(True for _ in guards(module)) else "wrap"
        yield Alarm(self.code, use.site.site, message, because, function.qualname, hint)

    def _unused(self, use: Use, project: Project) -> Iterator[Alarm]:
        if use.function.graph.handlers_around(use.call) or use.function.graph.withs_around(use.call):
            return
        life = project.life(use.site)
        around = use.function.parent(use.call)
        if not isinstance(around, (f.Do, f.Assign)) or life.touches or life.escapes or life.returned or "class" in life.kept:
            return
        if use.function.is_module and _is_named_again(project, use):
            return
        message = "nobody uses this context: `get_context` sets nothing by itself"
        yield Alarm(self.code, use.site.site, message, (), use.function.qualname)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        statement = repair.statement_of(node)
        if not alarm.hint or not isinstance(statement, cst.Expr) or statement.value is not node:
            return
        repair.title = "Set the start method below the main guard"
        repair.safety = Safety.UNSAFE
        if alarm.hint == "wrap":
            repair.wrap([statement], 'if __name__ == "__main__":')
            return
        guard = next((s for s in repair.block_of(statement) if isinstance(s, cst.If) and "__name__" in repair.code(s.test)), None)
        if guard is not None and isinstance(guard.body, cst.IndentedBlock):
            repair.insert_before(guard.body.body[0], repair.code(statement))
            repair.remove(statement)

    example = Example(
        bad="""\
import multiprocessing

multiprocessing.set_start_method("spawn")  # MP703


def resize(picture):
    return picture // 2


if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        print(pool.map_async(resize, [640, 1024]).get())
""",
        bad_ends=Hangs(),
        fixed="""\
import multiprocessing


def resize(picture):
    return picture // 2


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    with multiprocessing.Pool(2) as pool:
        print(pool.map_async(resize, [640, 1024]).get())
""",
        fixed_ends=Prints("[320, 512]"),
    )


def _on_module_level(module: Module, project: Project) -> Iterator[Use]:
    """What the statements of a module and of its classes call of the API when it is imported."""
    for number in project.spread.pages(module):
        page = module.outline.pages[number]
        if page.kind == "module" or (page.kind == "step" and page.acts):
            for row in f.walk(*module.steps(number)):
                if isinstance(row, f.Call) and (page.indent or not is_guarded(module.body, row)):
                    yield from project.uses_at(CallSite(module.body, row), "make", "poll")


def _methods(use: Use, project: Project) -> set[str]:
    """The start methods that a call may ask for, "" when it is not known."""
    given = project.argument(use.call, use.row.method_at)
    values = project.values(given, use.function) if given is not None else ()
    return {str(v.value) if isinstance(v, Literal) and v.value else "" for v in values} or {""}


def _asked(use: Use) -> bool:
    """Whether `get_context` is asked for a start method by name."""
    given = use.call.positional(0) or use.call.keyword("method")
    return f.is_given(given)


def _fixes(use: Use, project: Project) -> bool:
    """Whether a call asks the default context for its start method, which fixes it."""
    head, _, last = use.row.name.rpartition(".")
    if use.receiver is not None or (last == "get_context" and _asked(use)) or len(project.values(use.call.func, use.function)) > 1:
        return False
    if last == "get_start_method":
        allowed = use.call.keyword("allow_none") or use.call.positional(0)
        return allowed is None or (isinstance(allowed, f.Const) and not allowed.value)
    if use.row.context is not None:
        given = project.argument(use.call, use.row.context)
        return use.where != "thread" and not f.is_given(given) and not use.row.method
    return head == "multiprocessing" and last not in _FREE and project.table.api(f"multiprocessing.context.BaseContext.{last}") is not None


def _is_careful(project: Project, function: Function, call: f.Call) -> bool:
    """Whether a second `set_start_method` does no harm: RuntimeError is caught, or it is asked before whether one is set."""
    for _, handler in function.graph.handlers_around(call):
        if handler.types is None:
            return True
        names = {_last(name) for name in (handler.types.items if isinstance(handler.types, f.Sequence) else (handler.types,))}
        if names & {"RuntimeError", "Exception", "BaseException"}:
            return True
    if any(_last(item.value.func) == "suppress" for _, item in function.graph.withs_around(call) if isinstance(item.value, f.Call)):
        return True
    asked = [row for branch in function.graph.branch_conditions(call) for row in f.walk(branch.test)]
    answers = [
        d.value for row in asked if isinstance(row, f.Name) for d in function.graph.definitions(row) or () if isinstance(d, f.Assign) and d.value is not None
    ]
    return any(isinstance(row, (f.Attr, f.Name)) and _last(row) in _QUESTIONS for row in (*asked, *f.walk(*answers)))


def _is_first(function: Function, call: f.Call) -> bool:
    """Whether the start method is only set where nobody has set one before."""
    return any(branch.holds and _asks_for_none(branch.test) for branch in function.graph.branch_conditions(call))


def _asks_for_none(test: f.Expr) -> bool:
    if not isinstance(test, f.Op):
        return False
    if test.op == "and":
        return any(map(_asks_for_none, test.operands))
    return test.op == "is" and any(isinstance(o, f.Call) and _last(o.func) == "get_start_method" for o in test.operands)


def _is_selfish(use: Use, forced: f.Expr | None, project: Project) -> bool:
    """Whether a function sets the start method for what it, or a function that calls it for that, starts with the default context."""
    if (forced is None and _is_careful(project, use.function, use.call)) or _is_first(use.function, use.call):
        return False
    places = (use.site, *project.callers(use.function)) if not _is_entry(use.function) else ()
    return any(
        _fixes(other, project) and place.function.graph.reaches(place.call, site.call)
        for place in places
        if not _is_entry(place.function) and is_library(project, place.function.module)
        for site in place.function.calls
        if site.call is not place.call
        for other in _made(site, project)
    )


def _made(site: CallSite, project: Project) -> Iterator[Use]:
    """What a call makes, also as the constructor of a class that derives from a pool or an executor."""
    yield from project.uses_at(site, "make")
    if f.last_name(site.call.func) == "__init__":
        for value in project.values(site.call.func, site.function):
            row = constructor_row(project, value, "pool", "executor")
            if row is not None:
                call = constructing(value, site.call)
                yield Use(CallSite(site.function, call), row, None, project.table_where(row, call, site.function, None))


def _is_entry(function: Function) -> bool:
    """Whether a function is where a program begins."""
    return function.is_module or function.name == "main" or any(_last(d.func if isinstance(d, f.Call) else d) in _COMMANDS for d in function.facts.decorators)


def _is_named_again(project: Project, use: Use) -> bool:
    """Whether the text of the module has the name of a module-level context a second time: in an alias, in `__all__`."""
    around = use.function.parent(use.call)
    names = [t.id for t in around.targets if isinstance(t, f.Name)] if isinstance(around, f.Assign) else []
    text = project.sources.data(use.function.path)
    return any(len(re.findall(rf"\b{name}\b".encode(), text)) > 1 for name in names)


def _last(expr: f.Expr) -> str:
    return f.dotted(expr).rpartition(".")[2]
