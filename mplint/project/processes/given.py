"""What a worker is given: as arguments, in a `partial`, or by the constructor of its process; and the functions among that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.project.callables import callable_values
from mplint.project.calling import runs_parameter
from mplint.project.hierarchy import find_method
from mplint.project.modules import Class, Function
from mplint.project.values import Bound, Partial

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.project.workers import Submission

_CALLABLE = (f.Lambda, f.Name, f.Attr, f.Call)

Passed = tuple[f.Param, f.Expr, Function]
"""A parameter, and what it is given in a function."""


def given(project: Project, submission: Submission, callee: Function) -> Iterator[tuple[Function, f.Row]]:
    """The functions of the project that `callee`, which a submission hands over, was given and calls, each with the row that does."""
    used = _kept(project, submission, callee) if submission.role == "run" else _called(project, submission, callee)
    for expr, where, row in used:
        for value in callable_values(project, expr, where):
            if isinstance(value, (Function, Bound, Partial)):
                yield from ((function, row) for function in project.run_by(value))


def _called(project: Project, submission: Submission, callee: Function) -> Iterator[tuple[f.Expr, Function, f.Row]]:
    for param, expr, where in passed(project, submission, callee) if callee.facts.params else ():
        if isinstance(expr, _CALLABLE) and runs_parameter(project, callee, param.name):
            row = next(
                (s.call for s in callee.calls if any(isinstance(e, f.Name) and e.id == param.name for e in (s.call.func, *(a.value for a in s.call.args)))),
                None,
            )
            if row is not None:
                yield expr, where, row


def _kept(project: Project, submission: Submission, run: Function) -> Iterator[tuple[f.Expr, Function, f.Row]]:
    """What the `run` of a process calls of the attributes in which its constructor keeps parameters."""
    called = {s.call.func.attr: s.call for s in run.calls if isinstance(s.call.func, f.Attr) and run.receiver and f.dotted(s.call.func.value) == run.receiver}
    cls = submission.receiver.cls if submission.receiver is not None else None
    init = find_method(project, cls, "__init__") if called and isinstance(cls, Class) else None
    if not isinstance(init, Function):
        return
    for param, expr, where in _of_call(submission.site.call.args, submission.site.function, init, 1):
        for row in init.rows if isinstance(expr, _CALLABLE) else ():
            if isinstance(row, f.Assign) and isinstance(row.value, f.Name) and row.value.id == param.name:
                attrs = [t.attr for t in row.targets if isinstance(t, f.Attr) and f.dotted(t.value) == init.receiver]
                yield from ((expr, where, called[attr]) for attr in attrs if attr in called)


def passed(project: Project, submission: Submission, callee: Function) -> Iterator[Passed]:
    """What `callee`, which a submission hands over, is given for its parameters, as far as it is written out; its constructor is not asked."""
    site, api = submission.site, submission.api
    for value in submission.callables:
        places = 1 if callee.receiver and callee is not value else 0
        if isinstance(value, Partial):
            yield from _of_call(value.call.args[1:], value.function, callee, places)
            places += sum(1 for a in value.call.args[1:] if not a.keyword)
        if submission.role == "initializer":
            yield from _of_items(project.argument(site.call, api.initargs), site.function, callee, places)
        elif api.payload == "args":
            yield from _of_items(project.argument(site.call, api.arguments), site.function, callee, places)
            yield from _of_keys(project.argument(site.call, api.keywords), site.function, callee)
        elif api.payload == "call" and api.arguments is None and api.callee is not None and api.callee.position is not None:
            yield from _of_call(site.call.args[api.callee.position + 1 :], site.function, callee, places)


def _of_call(args: tuple[f.Argument, ...], function: Function, callee: Function, places: int) -> Iterator[Passed]:
    for place, argument in enumerate(args):
        if argument.star:
            return
        param = _named(callee, argument.keyword) if argument.keyword else _at(callee, places + place)
        if param is not None:
            yield param, argument.value, function


def _of_items(expr: f.Expr | None, function: Function, callee: Function, places: int) -> Iterator[Passed]:
    for place, item in enumerate(expr.items if isinstance(expr, f.Sequence) else ()):
        param = _at(callee, places + place)
        if isinstance(item, f.Star) or param is None:
            return
        yield param, item, function


def _of_keys(expr: f.Expr | None, function: Function, callee: Function) -> Iterator[Passed]:
    for key, value in zip(expr.keys, expr.values) if isinstance(expr, f.Mapping) else ():
        param = _named(callee, str(key.value)) if isinstance(key, f.Const) else None
        if param is not None:
            yield param, value, function


def _at(callee: Function, place: int) -> f.Param | None:
    params = [p for p in callee.facts.params if p.kind in {"positional", "positional-only"}]
    return params[place] if place < len(params) else None


def _named(callee: Function, name: str) -> f.Param | None:
    return next((p for p in callee.facts.params if p.name == name and p.kind in {"positional", "keyword-only"}), None)
