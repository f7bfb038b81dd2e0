"""MP803: the arguments of a task or process are not what its function takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.apis import Api
from mplint.finding import Alarm, Safety, Step
from mplint.project.flow.around import expects_error
from mplint.project.modules import Class, Function
from mplint.project.messages.payloads import written
from mplint.project.messages.signatures import Given, callee_of, misfit
from mplint.project.values import External, Instance, Literal, Value
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project, Submission

_SINGLE = {"lock", "event", "barrier", "queue", "simple-queue", "connection", "pool", "executor", "process", "manager", "future", "async-result", "context"}
"""Roles of objects that nobody can iterate over; a shared array can be, and a value is told from it by its class."""


class ArgsNotATuple(Rule):
    """`args=(x)`: parentheses around one thing are no tuple.

    ## What it does

    Reports `args` of a process or task that is a text, a number or another single thing, and arguments that its function cannot take. Those are
    too many, too few, or a keyword that is none of its parameters.

    ## Why it hurts

    A text is taken apart: `args=("abc")` calls the function with three arguments. Measured on CPython 3.10 and 3.13: a child that is given the wrong
    arguments ends with exit code 1 and a traceback that nobody may see, and the parent goes on; a pool raises `TypeError` when the
    result is asked for. `args=(5)` and `args=(queue)` raise `TypeError` in `Process(...)` itself. Type checkers see none of it: `args` is
    declared as an iterable of anything.

    ## When it knows

    What `args` is must be known, and for the second half there must be one function of the project, undecorated, with all arguments written
    out. A text that has as many characters as the function has parameters is left alone, so are tests that expect the
    error, and processes that are never started.

    ## Fix safety

    The fix writes the tuple, `(x,)`. It is safe: what was there could not work.

    ## References

    - [multiprocessing.Process](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process): `args` is the argument tuple.
    """

    code = "MP803"
    name = "args-not-a-tuple"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen: set[int] = set()
        for submission in project.submissions_of(module):
            site, api = submission.site, submission.api
            if submission.where not in {"process", "any"} or submission.role not in {"task", "target", "initializer"} or site.call.at in seen:
                continue
            if site.call.starred or api.payload == "delayed":
                continue
            given = _tuple_of(project, submission)
            single = _single(project, given, site.function) if given is not None else ""
            if single and given is not None and not _fits(project, submission, given) and not _is_expected(submission):
                seen.add(site.call.at)
                message = f"these arguments are {single}, not a tuple: write a comma behind it"
                yield Alarm(self.code, site.function.site(given), message, (), site.function.qualname, "tuple")
                continue
            values = [v for v in submission.callables if not isinstance(v, Literal)]
            arguments = _given(project, submission, api)
            if arguments is None or single or len(values) != 1:
                continue
            callee = callee_of(project, values[0], arguments)
            why = misfit(callee) if callee is not None else ""
            if callee is not None and why and not _is_expected(submission) and not _is_never_started(project, submission):
                seen.add(site.call.at)
                name = callee.function.owner.name if callee.function.name == "__init__" and callee.function.owner is not None else callee.function.name
                because = (Step(callee.function.site(), "these are its parameters"),)
                yield Alarm(self.code, site.site, f"`{name}` {why}", because, site.function.qualname)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if alarm.hint != "tuple" or not isinstance(node, cst.BaseExpression):
            return
        inner = cst.Element(node.with_changes(lpar=[], rpar=[]), comma=cst.Comma())
        repair.replace(node, cst.Tuple([inner], lpar=node.lpar or [cst.LeftParen()], rpar=node.rpar or [cst.RightParen()]))
        repair.title = "Make it a tuple"
        repair.safety = Safety.SAFE

    example = Example(
        bad="""\
from multiprocessing import Pool


def greet(name):
    return f"good morning, {name}"


if __name__ == "__main__":
    with Pool(1) as pool:
        print(pool.apply(greet, args=("Ada")))  # MP803
""",
        bad_ends=Raises("TypeError: greet() takes 1 positional argument but 3 were given"),
        fixed="""\
from multiprocessing import Pool


def greet(name):
    return f"good morning, {name}"


if __name__ == "__main__":
    with Pool(1) as pool:
        print(pool.apply(greet, args=("Ada",)))
""",
        fixed_ends=Prints("good morning, Ada"),
    )


def _is_never_started(project: Project, submission: Submission) -> bool:
    """Whether a process is only made, as tests do that look at what it tells about itself."""
    life = project.life(submission.site, handed=True) if submission.role == "target" else None
    return life is not None and not life.escapes and "start" not in life.names()


def _tuple_of(project: Project, submission: Submission) -> f.Expr | None:
    """The argument that should be a tuple of arguments."""
    api, call = submission.api, submission.site.call
    if submission.role == "initializer":
        return project.argument(call, api.initargs)
    return project.argument(call, api.arguments) if api.payload == "args" and api.arguments is not None else None


def _single(project: Project, expr: f.Expr, function: Function) -> str:
    """What an expression is that is no iterable of arguments; "" when it may be one."""
    if isinstance(expr, f.Name) and _is_counted(function, expr):
        return "a number"
    values = project.values(expr, function)
    found = [_noun(project, v) for v in values]
    return found[0] if found and all(found) else ""


def _is_counted(function: Function, name: f.Name) -> bool:
    """Whether a name is what a loop over `range()` or `enumerate()` counts with."""
    found = function.graph.definitions(name)
    return bool(found) and all(isinstance(d, (f.For, f.Clause)) and _counts(function, d.source, d.target, name.id) for d in found or ())


def _counts(function: Function, source: f.Expr, target: f.Expr, name: str) -> bool:
    if not isinstance(source, f.Call) or not isinstance(source.func, f.Name) or function.graph.all_definitions(source.func.id):
        return False
    if source.func.id == "enumerate" and isinstance(target, f.Sequence) and target.items:
        target = target.items[0]
    elif source.func.id != "range":
        return False
    return isinstance(target, f.Name) and target.id == name


def _noun(project: Project, value: Value) -> str:
    if isinstance(value, Literal):
        return "a text" if isinstance(value.value, str) else "None" if value.value is None else "a number" if isinstance(value.value, (int, float)) else ""
    if not isinstance(value, Instance) or value.made is None and not isinstance(value.cls, External):
        return ""
    if isinstance(value.cls, External) and value.cls.name == "builtins.str":
        return "a text"
    if isinstance(value.cls, External) and value.made is not None:
        role, name = project.role(value), value.cls.name.rpartition(".")[2]
        return f"a `{name}`" if role in _SINGLE or name == "Synchronized" else ""
    if isinstance(value.cls, Class) and project.role(value) in _SINGLE:
        return f"a `{value.cls.name}`"
    return ""


def _fits(project: Project, submission: Submission, expr: f.Expr) -> bool:
    """Whether a text has just as many characters as the function takes arguments."""
    texts = [v.value for v in project.values(expr, submission.site.function) if isinstance(v, Literal) and isinstance(v.value, str)]
    if any(len(text) < 2 for text in texts):
        return True
    for text in texts:
        for value in submission.callables:
            callee = callee_of(project, value, Given(len(text)))
            if callee is not None and not misfit(callee) and not any(p.kind == "*" for p in callee.function.facts.params):
                return True
    return False


def _given(project: Project, submission: Submission, api: Api) -> Given | None:
    """The arguments that the function will be called with, None when they are not all written out."""
    call, function = submission.site.call, submission.site.function
    if submission.role == "initializer":
        return _counted(written(given, function)) if (given := _tuple_of(project, submission)) is not None else Given(0)
    if api.payload == "args":
        named = project.argument(call, api.keywords)
        names = _names(written(named, function)) if named is not None else ()
        given = _tuple_of(project, submission)
        counted = _counted(written(given, function)) if given is not None else Given(0)
        return counted._replace(names=names) if counted is not None and names is not None else None
    if api.payload == "call" and api.callee is not None and api.callee.position is not None and api.arguments is None:
        if any(a.keyword and (a.keyword == api.callee.keyword or submission.where == "any") for a in call.args) or _takes_more(project, submission):
            return None  # executors of other libraries have keywords of their own
        behind = [a for a in call.args if not a.keyword][api.callee.position + 1 :]
        taken = {p.keyword for p in (api.executor, api.timeout) if p is not None}
        return Given(len(behind), tuple(a.keyword for a in call.args if a.keyword and a.keyword not in taken))
    if api.payload == "each":
        return Given(1)
    if api.payload == "zip" and api.arguments is not None and api.arguments.position is not None:
        return Given(len([a for a in call.args if not a.keyword][api.arguments.position :])) if api.timeout is not None else None
    if api.payload == "star" and api.arguments is not None:
        items = project.argument(call, api.arguments)
        display = written(items, function) if items is not None else None
        element = (
            display.element
            if isinstance(display, f.Comprehension) and display.kind != "dict"
            else display.items[0]
            if isinstance(display, f.Sequence) and display.items
            else None
        )
        return _counted(element) if isinstance(element, f.Sequence) else None
    return None


def _takes_more(project: Project, submission: Submission) -> bool:
    """Whether the executor of `run_in_executor` keeps one of the arguments for itself, or may: pebble's `submit` takes a timeout first."""
    if submission.api.executor is not None and submission.where == "any":
        return True
    chosen = project.argument(submission.site.call, submission.api.executor)
    executors = [v.cls for v in project.values(chosen, submission.site.function) if isinstance(v, Instance)] if chosen is not None else []
    rows = [project.table.method(cls.name, "submit") for cls in executors if isinstance(cls, External)]
    return any(row is not None and row.arguments is not None for row in rows)


def _counted(expr: f.Expr) -> Given | None:
    if not isinstance(expr, f.Sequence) or expr.kind not in {"tuple", "list"} or any(isinstance(i, f.Star) for i in expr.items):
        return None
    return Given(len(expr.items))


def _names(expr: f.Expr) -> tuple[str, ...] | None:
    if isinstance(expr, f.Mapping) and all(isinstance(key, f.Const) and isinstance(key.value, str) for key in expr.keys):
        return tuple(str(key.value) for key in expr.keys if isinstance(key, f.Const))
    if isinstance(expr, f.Call) and f.dotted(expr.func) == "dict" and not expr.starred and all(a.keyword for a in expr.args):
        return tuple(a.keyword for a in expr.args)
    return None


def _is_expected(submission: Submission) -> bool:
    """Whether a test asks for the error."""
    for around in submission.site.ancestors:
        for item in around.items if isinstance(around, f.With) else ():
            if expects_error(item):
                return True
    return False
