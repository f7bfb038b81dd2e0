"""MP802: a function is called where it should be handed to a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.project.modules import CallSite, Class, Function
from mplint.project.values import Coroutine, External, Instance, Literal, Many, Tuple, Unknown, Value
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project, Use

_NOTHING = {"builtins.print", "time.sleep", "builtins.setattr", "os.makedirs", "os.remove", "shutil.rmtree", "logging.info", "logging.debug"}
"""Functions of libraries that return None."""

_PLAIN = {
    "builtins.str", "builtins.int", "builtins.float", "builtins.bool", "builtins.bytes", "builtins.list", "builtins.dict", "builtins.set", "builtins.tuple",
}  # fmt: skip


_BARREN = {"a coroutine", "a generator"}
"""What a worker cannot give back either."""


class CalledNotPassed(Rule):
    """`submit(f(x))` or `Process(target=f(x))`, where `f(x)` gives nothing that could be called.

    ## What it does

    Reports a call in the place of the function that a pool, executor or `Process` should run. The function that is called gives something that
    cannot be called in its turn: nothing at all, a number, a list, a coroutine.

    ## Why it hurts

    The work is done here and now, in the parent, before any process has it. Measured on CPython 3.10 and 3.13: `Process(target=f(x))` starts a
    child that does nothing and ends with exit code 0; the result of a task is `TypeError: 'NoneType' object is not callable`.

    ## When it knows

    Every function that the call can reach must be one of the project, undecorated, not overridden, and all that it returns must be known. Factories
    that return functions, `partial(...)` and classes with `__call__` are what belongs there.

    ## Fix safety

    The fix hands function and arguments over: `submit(f, x)`, `Process(target=f, args=(x,))`. It is unsafe: the work runs where it did not run before.

    ## References

    - [multiprocessing.Process](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process): `target` is the callable object.
    """

    code = "MP802"
    name = "called-not-passed"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen: set[int] = set()
        for use in project.uses(module, "submit", "make"):
            for parameter in (use.row.callee, use.row.initializer):
                call = project.argument(use.call, parameter)
                if not isinstance(call, f.Call) or call.at in seen or use.row.payload == "delayed" or _where(project, use) not in {"process", "any"}:
                    continue
                site = CallSite(use.function, call)
                what = _given(project, site)
                if what:
                    seen.add(call.at)
                    message = f"`{f.dotted(call.func) or 'it'}` is called here, in the parent, and what it gives, {what}, is handed over in its place"
                    steps = tuple(Step(g.site(), "this runs before anything is handed over") for g in project.callees(site)[:1])
                    yield Alarm(
                        self.code,
                        use.function.site(call),
                        message,
                        steps,
                        use.function.qualname,
                        _shape(use, call) if parameter is use.row.callee and what not in _BARREN else "",
                    )

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        call = cst.ensure_type(node, cst.Call)
        given = [a for a in call.args if a.keyword is None]
        named = [a for a in call.args if a.keyword is not None]
        function = repair.code(call.func)
        items = ", ".join(repair.code(a.value) for a in given)
        words = ", ".join(f"{repair.quoted(a.keyword.value)}: {repair.code(a.value)}" for a in named if a.keyword is not None)
        if alarm.hint == "call":
            text = ", ".join(
                [function, *(repair.code(a.value) for a in given), *(f"{a.keyword.value}={repair.code(a.value)}" for a in named if a.keyword is not None)]
            )
        elif alarm.hint in {"args kwargs", "args kwds"}:
            parts = [function]
            if given:
                parts.append(f"args=({items}{',' if len(given) == 1 else ''})")
            if named:
                parts.append(f"{alarm.hint.partition(' ')[2]}={{{words}}}")
            text = ", ".join(parts)
        else:
            return
        repair.replace_source(call, text)
        repair.title = "Hand the function over"
        repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
import os
from multiprocessing import Process


def convert(name, parent):
    print(name, "is converted in", "the parent" if os.getpid() == parent else "a process of its own", flush=True)


if __name__ == "__main__":
    process = Process(target=convert("a.wav", os.getpid()))  # MP802
    process.start()
    process.join()
""",
        bad_ends=Prints("a.wav is converted in the parent"),
        fixed="""\
import os
from multiprocessing import Process


def convert(name, parent):
    print(name, "is converted in", "the parent" if os.getpid() == parent else "a process of its own", flush=True)


if __name__ == "__main__":
    process = Process(target=convert, args=("a.wav", os.getpid()))
    process.start()
    process.join()
""",
        fixed_ends=Prints("a.wav is converted in a process of its own"),
    )


def _where(project: Project, use: Use) -> str:
    """Where the work runs; of a pool that is made here, where its workers are."""
    made = (v for v in project.values(use.call, use.function) if isinstance(v, Instance)) if "make" in use.row.does else ()
    return next((v.where for v in made), use.where)


def _given(project: Project, site: CallSite) -> str:
    """What a call gives, when it is nothing that can be called; "" when it can, or is not known."""
    callees = project.values(site.call.func, site.function)
    if not callees or not all(_is_sure(project, value) for value in callees):
        return ""
    if all(isinstance(v, External) and project.table.canonical(v.name) in _NOTHING for v in callees):
        return "nothing"
    found = [_noun(project, value) for value in project.values(site.call, site.function)]
    return found[0] if found and all(found) else ""


def _is_sure(project: Project, value: Value) -> bool:
    """Whether it is known what calling `value` runs."""
    if isinstance(value, External):
        return project.table.canonical(value.name) in _NOTHING
    runs = project.run_by(value)
    if len(runs) != 1 or isinstance(value, (Class, Instance)) or runs[0].facts.decorators:
        return False
    function = runs[0]
    if function.owner is not None and any(function.name in cls.method_names() for cls in project.subclasses(function.owner)):
        return False
    return not isinstance(function.facts.body[-1] if function.facts.body else None, f.Raise) and (
        function.facts.is_generator or function.facts.is_async or _says_all(project, function)
    )


def _says_all(project: Project, function: Function) -> bool:
    """Whether all that a function returns is written out."""
    returned = [row.value for row in function.rows if isinstance(row, f.Return) and row.value is not None]
    return all(_noun(project, v) for expr in returned for v in project.values(expr, function)) if returned else bool(function.facts.body)


def _noun(project: Project, value: Value) -> str:
    if isinstance(value, Literal):
        return "nothing" if value.value is None else f"`{value.value!r}`"
    if isinstance(value, Unknown):
        return "a result of arithmetic" if value.reason == "arithmetic" else ""
    if isinstance(value, Coroutine):
        return "a coroutine"
    if isinstance(value, Many):
        return "a generator" if value.kind == "iterator" else f"a {value.kind}"
    if isinstance(value, Tuple):
        return "a tuple"
    if isinstance(value, Instance) and isinstance(value.cls, External) and value.cls.name in _PLAIN:
        return f"a `{value.cls.name.rpartition('.')[2]}`"
    return ""


def _shape(use: Use, call: f.Call) -> str:
    """How the fix hands the arguments over; "" where it cannot."""
    api, outer = use.row, use.call
    if call.starred or outer.starred:
        return ""
    if api.payload == "call":
        return "call" if len(outer.args) == 1 or (api.executor is not None and len(outer.args) == 2) else ""
    if api.payload == "args":
        words = {p.keyword for p in (api.arguments, api.keywords) if p is not None}
        if words & {a.keyword for a in outer.args} or (
            api.arguments is not None and api.arguments.position is not None and outer.positional(api.arguments.position) is not None
        ):
            return ""
        keyword = api.keywords.keyword if api.keywords is not None else ""
        behind = [a for a in outer.args if not a.keyword]
        return f"args {keyword}" if keyword in {"kwargs", "kwds"} and (not behind or behind[-1].value is call) else ""
    return ""
