"""What travels with a submission: whether it is pickled on its way to the worker, and the expressions that go along."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.project.processes.forking import methods_set, methods_set_in, starts_by_default
from mplint.project.modules import Function
from mplint.project.values import Instance, Literal, Partial

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.project.workers import Submission

Pickled = typing.Literal["", "always", "default"]
"""Whether pickle carries what is submitted: not (or not known), always, or wherever the platform does not fork by default."""

HOPS = 3
"""Names that are followed from a call back to the display that they stand for."""


class Part(NamedTuple):
    """An expression that goes along: it stands in `function`."""

    expr: f.Expr
    function: Function


def pickled(project: Project, submission: Submission) -> Pickled:
    """How a submission's callable and arguments come to the worker.

    Tasks of pools are always pickled; a process and an initializer only when it is not forked.  Cloudpickle and dill take more than
    pickle and are not looked at.
    """
    if not is_pickled(project, submission):
        return ""
    if submission.role == "task" and "make" not in submission.api.does:
        return "always"
    if submission.role not in {"target", "initializer", "run", "task"}:
        return ""
    start = submission.start
    if start in {"spawn", "forkserver"}:
        return "always"
    if start or submission.api.name.startswith("billiard."):
        return ""
    if submission.api.context is not None and project.argument(submission.site.call, submission.api.context) is not None:
        return ""
    if not starts_by_default(project, submission.site) or methods_set(project, submission.site.function.path) & {"fork", "?"}:
        return ""
    if project.target >= (3, 14) or not {"spawn", "forkserver"}.isdisjoint(methods_set_in(project, submission.site.function.path)):
        return "always"
    return "default"


def is_pickled(project: Project, submission: Submission) -> bool:
    """Whether it is pickle that carries a submission to a process, if anything has to."""
    return submission.where == "process" and submission.role not in {"callback", "handler"} and pickler_of(project, submission) == "pickle"


def pickler_of(project: Project, submission: Submission) -> str:
    """How the pool, or the process, of a submission serialises; "" when it is not known which pool it is, or may be one of several that differ."""
    api = submission.api
    if api.through:
        kind = project.table.kind(api.through)
    elif api.executor is not None:
        chosen = project.argument(submission.site.call, api.executor)
        found = project.values(chosen, submission.site.function) if chosen is not None else ()
        kinds = {k.unpickler for v in found if isinstance(v, Instance) and (k := project.kind(v)) is not None}
        return kinds.pop() if len(kinds) == 1 else ""
    elif "make" in api.does:
        kind = project.kind(submission.receiver) if submission.receiver is not None else None
    else:
        receivers = [receiver for row, receiver in project.rows(submission.site) if row.callee is not None and receiver is not None]
        several = {k.unpickler if (k := project.kind(r)) is not None and (k.unpickler != "pickle" or not _is_alone(project, r)) else None for r in receivers}
        return (several.pop() or "") if len(several) == 1 else ""
    return kind.unpickler if kind is not None else ""


def _is_alone(project: Project, receiver: Instance) -> bool:
    """Whether it is a `Parallel` of one job, the default, which does its tasks itself."""
    site = project.maker(receiver) if project.role(receiver) == "parallel" else None
    jobs = (site.call.keyword("n_jobs") or site.call.positional(0)) if site is not None else None
    return site is not None and (jobs is None or project.values(jobs, site.function) in {(Literal(1),), (Literal(None),)})


def callables(project: Project, submission: Submission) -> Iterator[Part]:
    """The expressions that are what is called in the worker."""
    if submission.argument is not None and submission.api.payload != "delayed":
        yield Part(submission.argument, submission.site.function)
    for _, part in _delayed(project, submission):
        yield part


def _delayed(project: Project, submission: Submission) -> Iterator[tuple[f.Call, Part]]:
    """The tasks of joblib, `delayed(function)(argument)`, that are written out: each call, and its function."""
    if submission.api.payload != "delayed" or submission.argument is None:
        return
    for item in _elements(submission.argument, submission.site.function):
        if isinstance(item.expr, f.Call):
            for value in project.values(item.expr.func, item.function):
                if isinstance(value, Partial) and value.delayed and (given := value.call.positional(0)) is not None:
                    yield item.expr, Part(given, value.function)


def arguments(project: Project, submission: Submission) -> Iterator[Part]:
    """The expressions that are passed to the callee as arguments, as far as they are written out."""
    api, call, function = submission.api, submission.site.call, submission.site.function
    if api.payload == "delayed":
        for task, _ in _delayed(project, submission):
            yield from (Part(a.value, function) for a in task.args if not a.star)
        return
    if submission.role == "initializer":
        given = project.argument(call, api.initargs)
        yield from _items(given, function) if given is not None else ()
        return
    if api.payload in {"args", "rank"}:
        given = project.argument(call, api.arguments)
        yield from _items(given, function) if given is not None else ()
        named = project.argument(call, api.keywords)
        yield from _items(named, function) if named is not None else ()
    elif api.payload == "call":
        known = {p.keyword for p in (api.callee, api.executor, api.timeout) if p is not None} - {""}
        first = api.arguments or api.callee
        start = 0 if first is None or first.position is None else first.position + (api.arguments is None)
        yield from (Part(a.value, function) for a in call.args[start:] if not a.star and a.keyword not in known)
    elif api.payload in {"each", "zip", "star", "unpack"} and api.arguments is not None and api.arguments.position is not None:
        start = api.arguments.position
        several = call.args[start:] if api.payload == "zip" else ()
        named = project.argument(call, api.arguments)
        for expr in [a.value for a in several if not a.keyword and not a.star] or ([named] if named is not None else []):
            for item in _elements(expr, function):
                yield from _items(item.expr, item.function) if api.payload in {"star", "unpack"} else (item,)


def written(expr: f.Expr, function: Function, hops: int = HOPS) -> f.Expr:
    """`expr`, or what the one assignment of the name that it is gives it."""
    if isinstance(expr, f.Name) and hops and not function.is_module:
        found = function.graph.reaching(expr)
        rows = list(found.definitions)
        if found.scope == "local" and len(rows) == 1 and isinstance(rows[0].row, f.Assign) and not rows[0].path and rows[0].value is not None:
            return written(rows[0].value, function, hops - 1)
    return expr


def _items(expr: f.Expr, function: Function) -> Iterator[Part]:
    """The items of a written tuple, list or dict."""
    display = written(expr, function)
    if isinstance(display, f.Sequence):
        yield from (Part(item, function) for item in display.items if not isinstance(item, f.Star))
    elif isinstance(display, f.Mapping):
        yield from (Part(value, function) for key, value in zip(display.keys, display.values) if key is not None)
    elif isinstance(display, f.Call) and f.dotted(display.func) == "dict":
        yield from (Part(a.value, function) for a in display.args if a.keyword)


def _elements(expr: f.Expr, function: Function) -> Iterator[Part]:
    """What iterating over a written iterable gives, item by item."""
    source = written(expr, function)
    if isinstance(source, f.Sequence):
        yield from (Part(item, function) for item in source.items if not isinstance(item, f.Star))
    elif isinstance(source, f.Comprehension) and source.kind != "dict":
        yield Part(source.element, function)
    elif isinstance(source, f.Op) and source.op in {"*", "+"}:
        for operand in source.operands:
            yield from _elements(operand, function)
    elif isinstance(source, f.Call) and (given := [a for a in source.args if not a.star]):  # of `zip(*rows)` the items of the rows go
        last = f.dotted(source.func).rpartition(".")[2]
        if last == "repeat":
            yield Part(given[0].value, function)
        elif last in {"list", "tuple", "iter", "tqdm", "reversed"}:
            yield from _elements(given[0].value, function)
        elif last == "zip":
            for argument in given:
                for part in _elements(argument.value, function):
                    yield Part(f.Sequence(part.expr.at, "tuple", (part.expr,)), function)
