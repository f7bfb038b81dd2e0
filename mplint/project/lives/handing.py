"""Where what is handed to a process, thread or task turns up there: the parameters of its function that an argument becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.apis import Parameter
from mplint.project import hierarchy, workers
from mplint.project.modules import Class, Function, Module
from mplint.project.lives.nesting import Path, inside
from mplint.project.parameters import argument_of
from mplint.project.values import External, Instance, Partial
from mplint.source import words

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.project.workers import Submission


_EMPTY = {"builtins.object", "abc.ABC", "typing.Generic"}
"""Bases that bring no method that anybody calls."""


class Received(NamedTuple):
    """The parameter of `callee` that an argument becomes, or what it holds; `left` is where the object lies in it there."""

    callee: Function
    param: f.Param
    left: Path


def received(project: Project, function: Function, call: f.Call, argument: f.Row, path: Path) -> tuple[Received, ...] | None:
    """The parameters that an argument of a call, in which an object lies at `path`, becomes in a worker or thread; None when that is not known."""
    found: list[Received] = []
    for submission in handed_by(project, function).get(call.at, ()):
        more = _received(project, submission, call, argument, path) if submission.resolved else None
        if more is None:
            return None
        found.extend(more)
    return tuple(dict.fromkeys(found)) or None


def parameters(callee: Function, call: f.Call, argument: f.Row, path: Path) -> Iterator[tuple[f.Param, Path]]:
    """The parameter that an argument of a call of `callee` becomes, and where the object lies in it; a `*` or `**` argument is taken apart."""
    for place, given in enumerate(call.args):
        if given.value is not argument:
            continue
        for param in callee.facts.params:
            if param.kind not in {"*", "**"} and not given.star and argument_of(call, callee, param) is argument:
                yield param, path
                return
        key = path[0] if path else None
        rest = next((param for param in callee.facts.params if param.kind == "*"), None)
        if rest is not None and not given.star and not given.keyword and not any(a.star for a in call.args[:place]):
            before = sum(1 for p in callee.facts.params if p.kind in {"positional", "positional-only"}) - (1 if callee.receiver else 0)
            yield rest, inside(place - before, path)
        elif given.star == "*" and isinstance(key, int) and not any(a.star for a in call.args[:place]):
            before = sum(1 for a in call.args[:place] if not a.keyword)
            places = [p for p in callee.facts.params if p.kind in {"positional", "positional-only"}][1 if callee.receiver else 0 :]
            yield from ((param, path[1:]) for param in places[before + key : before + key + 1])
        elif given.star == "**" and isinstance(key, str):
            yield from tuple((param, path[1:]) for param in _called(callee, key)) or ((param, path) for param in _others(callee))
        elif given.keyword:
            yield from ((param, inside(given.keyword, path)) for param in _others(callee))


def below(project: Project, function: Function, call: f.Call) -> tuple[Function, ...]:
    """The methods that a call of `self.name()` runs when the class does not have that method, but its subclasses do."""
    func = call.func
    if not isinstance(func, f.Attr) or not isinstance(func.value, f.Name):
        return ()
    values = project.values(func.value, function)
    if len(values) != 1 or not isinstance(values[0], Instance) or values[0].made is not None or not isinstance(values[0].cls, Class):
        return ()
    cls = values[0].cls
    if not all(isinstance(base, Class) or (isinstance(base, External) and base.name in _EMPTY) for base in project.mro(cls)) or project.stored(cls, func.attr):
        return ()
    found = (c.method(func.attr) for c in hierarchy.derived(project, cls, func.attr, words.defines))
    return tuple(dict.fromkeys(method for method in found if method is not None))


def handed_by(project: Project, function: Function) -> dict[int, tuple[Submission, ...]]:
    """The calls of a function that hand work to processes and threads, by number."""

    def compute() -> dict[int, tuple[Submission, ...]]:
        out: dict[int, tuple[Submission, ...]] = {}
        for submission in (*project.submissions_of(function.module), *threads_of(project, function.module)):
            if submission.site.function is function and submission.role in {"target", "task", "initializer"}:
                out[submission.site.call.at] = (*out.get(submission.site.call.at, ()), submission)
        return out

    return project.kept(("handed by", function), compute)


def threads_of(project: Project, module: Module) -> tuple[Submission, ...]:
    """The functions that a module hands to threads; the spread does not follow threads, there are too many of them."""

    def compute() -> Iterator[Submission]:
        for function in module.functions("Thread(") if project.spells(module, b"Thread(") else ():
            for site in function.calls:
                if f.last_name(site.call.func) == "Thread":
                    if not project.spread.matters(site) and project.external(site.call.func, function) == "threading.Thread":
                        yield from workers.submitted(project, site, project.table.apis["threading.Thread"], None)

    return project.kept(("threads", module), lambda: tuple(compute()))


def _received(project: Project, submission: Submission, call: f.Call, argument: f.Row, path: Path) -> tuple[Received, ...] | None:
    api, key = submission.api, path[0] if path else None
    if submission.role == "initializer":
        if not _is(project, call, api.initargs, argument):
            return ()
        return _placed(submission, key, path[1:]) if isinstance(key, int) else None
    if api.payload == "args":
        if isinstance(key, int) and _is(project, call, api.arguments, argument):
            return _placed(submission, key, path[1:])
        if isinstance(key, str) and _is(project, call, api.keywords, argument):
            return _named(submission, key, path[1:])
    elif api.payload in {"each", "star"} and _is(project, call, api.arguments, argument) and path:
        if api.payload == "each":
            return _placed(submission, 0, path[1:])
        return _placed(submission, path[1], path[2:]) if len(path) > 1 and isinstance(path[1], int) else None
    elif api.payload == "call" and api.arguments is None and api.callee is not None and api.callee.position is not None:
        for place, given in enumerate(call.args):
            if given.value is argument and not given.star:
                return _named(submission, given.keyword, path) if given.keyword else _placed(submission, place - api.callee.position - 1, path)
    return None


def _is(project: Project, call: f.Call, parameter: Parameter | None, argument: f.Row) -> bool:
    return parameter is not None and project.argument(call, parameter) is argument


def _placed(submission: Submission, place: int, left: Path) -> tuple[Received, ...] | None:
    """The parameter that the argument of this number becomes; None where one of the functions takes fewer."""
    out: list[Received] = []
    for callee in submission.callees:
        params = [p for p in callee.facts.params if p.kind in {"positional", "positional-only"}]
        skipped = 1 if callee.receiver and callee not in submission.callables else 0
        for value in submission.callables:
            if isinstance(value, Partial):
                skipped += sum(1 for a in value.call.args if not a.keyword) - 1
        if not 0 <= place < len(params) - skipped:
            if len(submission.callees) == 1:
                return None
            continue  # one of several functions that it cannot be
        out.append(Received(callee, params[place + skipped], left))
    return tuple(out) or None


def _named(submission: Submission, name: str, left: Path) -> tuple[Received, ...] | None:
    found = [(callee, next(_called(callee, name), None)) for callee in submission.callees]
    out = tuple(Received(callee, param, left) for callee, param in found if param is not None)
    return out if out and len(out) == len(found) else None


def _others(callee: Function) -> Iterator[f.Param]:
    """The parameter that gets the keyword arguments which no other one is called like."""
    return (p for p in callee.facts.params if p.kind == "**")


def _called(callee: Function, name: str) -> Iterator[f.Param]:
    return (p for p in callee.facts.params if p.name == name and p.kind in {"positional", "keyword-only"})
