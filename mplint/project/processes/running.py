"""Processes that run already while another one is started that is given them, or the object in whose attributes they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Step
from mplint.project.modules import Class, Function
from mplint.project.messages.nameless import Refusal
from mplint.project.messages.pickling import goes_its_own_way
from mplint.project.parameters import argument_of
from mplint.project.values import Bound, Instance

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.project.workers import Submission


def running(project: Project, submission: Submission) -> Refusal | None:
    """The attribute of `self` that holds a started process when this process, which is given `self`, starts; pickle refuses processes that were started."""
    function, made = submission.site.function, submission.site.call
    cls = function.owner
    if cls is None or not function.receiver or submission.role != "target" or not _sends_self(submission, function) or goes_its_own_way(project, cls):
        return None
    for attr in _collected(function, made):
        for method in cls.methods_mentioning(".start()"):
            loop = _starting_loop(method, attr)
            if loop is not None:
                said = Step(method.site(loop), f"the first process in `self.{attr}` runs when the second is started here")
                return Refusal(f"an object of `{cls.name}`, whose `{attr}` holds a process that runs already", (said,))
    starts = list(_starts(function, made))
    for attr, row, others in _kept(project, function, made):
        first = next((a for a in others for b in starts if a is not b and function.graph.reaches(a, b)), None)
        again = next((a for a in others for b in starts if a is b and function.graph.reaches(row, b) and function.graph.reaches(b, row)), None)
        found = first or again
        if found is not None and not _is_reset(function, attr, row):
            steps = (Step(function.site(row), f"`self.{attr}` keeps a process"), Step(function.site(found), "which is started here"))
            return Refusal(f"an object of `{cls.name}`, whose `{attr}` holds a process that runs already", steps)
    return None


def given_running(project: Project, submission: Submission) -> Iterator[tuple[f.Expr, Refusal]]:
    """What a process is given, as an argument or to keep by its constructor, that is a process which was surely started before this one is."""
    function, made = submission.site.function, submission.site.call
    starts = list(_starts(function, made))
    for name in _given(project, submission) if starts else ():
        for step in function.graph.definitions(name) or ():
            if not isinstance(step, f.Assign) or not isinstance(step.value, f.Call) or not _is_process(project, step.value, function, own=True):
                continue
            others = list(_starts(function, step.value))
            if others and all(function.graph.dominated(start, by=others) for start in starts):
                said = (Step(function.site(others[0]), f"`{name.id}` is started here"), Step(function.site(starts[0]), "and this process afterwards"))
                yield name, Refusal("a process that runs already", said)


def _given(project: Project, submission: Submission) -> Iterator[f.Name]:
    """The names among the arguments of a process: those of its target, or those that its constructor keeps in attributes as they are."""
    call = submission.site.call
    if submission.role == "target":
        given = call.keyword("args")
        yield from (i for i in (given.items if isinstance(given, f.Sequence) else ()) if isinstance(i, f.Name))
        return
    for cls in project.values(call.func, submission.site.function):
        init = project.find_method(cls, "__init__") if isinstance(cls, Class) else None
        if not isinstance(init, Function) or not isinstance(cls, Class) or goes_its_own_way(project, cls):
            return
        kept = {
            row.value.id
            for row in init.rows
            if isinstance(row, f.Assign)
            and isinstance(row.value, f.Name)
            and any(isinstance(t, f.Attr) and f.dotted(t.value) == init.receiver for t in row.targets)
        }
        for param in init.facts.params:
            passed = argument_of(call, init, param) if param.name in kept else None
            if isinstance(passed, f.Name):
                yield passed


def _sends_self(submission: Submission, function: Function) -> bool:
    if any(isinstance(v, Bound) and isinstance(v.receiver, Instance) and v.receiver.cls is function.owner for v in submission.callables):
        argument = submission.argument
        return isinstance(argument, f.Attr) and f.dotted(argument.value) == function.receiver
    given = submission.site.call.keyword("args")
    return isinstance(given, f.Sequence) and any(isinstance(i, f.Name) and i.id == function.receiver for i in given.items)


def _collected(function: Function, made: f.Call) -> Iterator[str]:
    """The attributes of `self` that a loop or comprehension fills with what `made` makes."""
    around = function.ancestors(made)
    if not any(isinstance(row, (f.For, f.While, f.Comprehension)) for row in around):
        return
    names = {*_names(function, made)}
    for row in function.rows:
        if isinstance(row, f.Call) and isinstance(row.func, f.Attr) and row.func.attr == "append" and isinstance(row.func.value, f.Attr):
            given = row.positional(0)
            if f.dotted(row.func.value.value) == function.receiver and (given is made or (isinstance(given, f.Name) and given.id in names)):
                yield row.func.value.attr
        elif isinstance(row, f.Assign) and isinstance(row.value, f.Comprehension) and row.value.element is made:
            yield from (t.attr for t in row.targets if isinstance(t, f.Attr) and f.dotted(t.value) == function.receiver)


def _starting_loop(function: Function, attr: str) -> f.For | None:
    """A loop over an attribute of `self` that starts one item after the other."""
    for row in function.rows:
        if isinstance(row, f.For) and isinstance(row.target, f.Name) and f.dotted(row.source) == f"{function.receiver}.{attr}":
            for inner in f.walk(*row.body):
                if isinstance(inner, f.Attr) and inner.attr == "start" and f.dotted(inner.value) == row.target.id:
                    return row
    return None


def _starts(function: Function, made: f.Call) -> Iterator[f.Call]:
    """The calls of `start()` in the function on what `made` makes."""
    names = set(_names(function, made))
    for site in function.calls:
        func = site.call.func
        if isinstance(func, f.Attr) and func.attr == "start" and (func.value is made or (f.dotted(func.value) in names)):
            yield site.call


def _names(function: Function, made: f.Call) -> Iterator[str]:
    around = function.parent(made)
    if isinstance(around, f.Assign) and around.value is made:
        yield from (f.dotted(t) for t in around.targets if f.dotted(t))


def _kept(project: Project, function: Function, made: f.Call) -> Iterator[tuple[str, f.Row, tuple[f.Call, ...]]]:
    """The attributes of `self` in which the function keeps processes: name, the row that does it, where these processes are started."""
    for site in function.calls:
        call = site.call
        if (
            isinstance(call.func, f.Attr)
            and call.func.attr == "append"
            and isinstance(call.func.value, f.Attr)
            and f.dotted(call.func.value.value) == function.receiver
        ):
            given = call.positional(0)
            if isinstance(given, f.Name) and given.id in set(_names(function, made)):
                yield call.func.value.attr, call, tuple(_starts(function, made))
    for row in function.rows:
        if not isinstance(row, f.Assign) or not isinstance(row.value, f.Call) or row.value is made:
            continue
        for target in row.targets:
            if isinstance(target, f.Attr) and f.dotted(target.value) == function.receiver and _is_process(project, row.value, function):
                yield target.attr, row, tuple(_starts(function, row.value))


def _is_process(project: Project, made: f.Call, function: Function, *, own: bool = False) -> bool:
    """Whether a call makes a process of the library; `own`: or of a class that derives from it and leaves its pickling alone."""
    values = project.values(made, function)
    return bool(values) and all(
        isinstance(v, Instance)
        and v.where == "process"
        and project.role(v) == "process"
        and (not isinstance(v.cls, Class) or (own and not goes_its_own_way(project, v.cls)))
        for v in values
    )


def _is_reset(function: Function, attr: str, kept: f.Row) -> bool:
    """Whether the function puts something else into the attribute, or takes things out of it, after it kept the process."""
    for row in function.rows:
        targets = row.targets if isinstance(row, (f.Assign, f.Delete)) else ()
        if row is not kept and any(isinstance(t, f.Attr) and t.attr == attr for t in targets) and function.graph.reaches(kept, row):
            return True
        if (
            isinstance(row, f.Call)
            and isinstance(row.func, f.Attr)
            and row.func.attr in {"clear", "remove", "pop"}
            and f.dotted(row.func.value) == f"{function.receiver}.{attr}"
        ):
            return True
    return False
