"""What pickle refuses, and why: what it finds under no name, and objects that hold something of this process alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Step
from mplint.project.callables import callable_values
from mplint.project.modules import CallSite, Class, Function
from mplint.project.messages.payloads import written
from mplint.project.messages.nameless import Refusal, of_function, of_local
from mplint.apis.unpicklable import GUARDED, PLACES, REFUSED, ROLES, TRAVELLING
from mplint.project.values import Bound, External, Instance, Literal, Many, ModuleValue, Partial, Tuple, Unknown, Value

if TYPE_CHECKING:
    from mplint.project import Project

DEPTH = 4
"""Objects inside objects that are looked into."""

_OWN_WAY = ("__getstate__", "__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__", "__copyreg__")
"""Methods with which a class decides itself what of it travels."""


class Question(NamedTuple):
    """How is asked: `starting` a process (which may be given locks and queues), at most `depth` objects deep; `caller` and `row` where it is sent."""

    project: Project
    starting: bool
    caller: Function
    row: f.Row
    depth: int = DEPTH

    def deeper(self) -> Question:
        return self._replace(depth=self.depth - 1)


def refused(asked: Question, expr: f.Expr, function: Function) -> Refusal | None:
    """Why pickle refuses what `expr`, a row of `function`, is; None when it takes it, or when that is not known."""
    expr = written(expr, function)
    if asked.depth < 0:
        return None
    if isinstance(expr, f.Sequence):
        return _first(refused(asked.deeper(), item, function) for item in expr.items)
    if isinstance(expr, f.Mapping):
        return _first(refused(asked.deeper(), value, function) for value in expr.values)
    step = (Step(function.site(expr), "it is made here"),)
    if isinstance(expr, f.Comprehension):
        return Refusal("a generator", step) if expr.kind == "generator" else refused(asked.deeper(), expr.element, function)
    if isinstance(expr, f.Call):
        project = asked.project
        if project.external(expr.func, function) == "collections.defaultdict" and expr.args:
            inner = refused(asked.deeper(), expr.args[0].value, function)
            return Refusal(f"a `defaultdict` with {inner.what}", inner.steps) if inner is not None else None
        callees = project.callees(CallSite(function, expr))
        if callees and all(c.facts.is_generator and not c.facts.decorators and c.name != "__init__" for c in callees):
            return Refusal("a generator", step)
        if _is_view(project, expr, function):
            return Refusal(f"the {f.last_name(expr.func)} of a dict, a view of it", step)
    values = callable_values(asked.project, expr, function)
    found = [refusal(asked, value) for value in values if not (isinstance(value, Literal) and value.value is None and len(values) > 1 and _is_function(values))]
    return found[0] if found and all(found) else None


def _is_view(project: Project, call: f.Call, function: Function) -> bool:
    """Whether a call gives the keys, values or items of a dict."""
    if not isinstance(call.func, f.Attr) or call.func.attr not in {"keys", "values", "items"} or call.args:
        return False
    holders = project.values(call.func.value, function)
    return bool(holders) and all(isinstance(v, Many) and v.kind == "dict" for v in holders)


def _is_function(values: tuple[Value, ...]) -> bool:
    return any(isinstance(v, (Function, Partial)) for v in values)


def refusal(asked: Question, value: Value) -> Refusal | None:
    """Why pickle refuses a value."""
    if asked.depth < 0:
        return None
    if isinstance(value, Function):
        return of_function(asked.project, value)
    if isinstance(value, Class):
        return of_local(value, f"the class `{value.name}`, which is local to `{value.outer.name}`") if value.outer is not None else None
    if isinstance(value, External):
        return Refusal(f"`{value.name}`, {PLACES[value.name]}") if value.name in PLACES else None
    if isinstance(value, ModuleValue):
        return Refusal("a module")
    if isinstance(value, Partial):
        given = [a.value for a in (value.call.args if not value.delayed else ())]
        return refusal(asked.deeper(), value.func) or _first(refused(asked.deeper(), a, value.function) for a in given[1:])
    if isinstance(value, Bound):
        if isinstance(value.function, External):
            what = REFUSED.get(value.function.name)
            return Refusal(what, asked.project.made_step(value.receiver)) if what is not None and isinstance(value.receiver, Instance) else None
        return refusal(asked, value.receiver) if isinstance(value.receiver, Instance) else None
    if isinstance(value, Instance):
        return _instance(asked, value)
    if isinstance(value, Tuple):
        return _first(_all(refusal(asked.deeper(), v) for v in item) for item in value.items)
    if isinstance(value, Many):
        return _all(refusal(asked.deeper(), v) for v in value.items) if value.kind in {"list", "set", "dict", "tuple"} else None
    return None


def _first(found: Iterable[Refusal | None]) -> Refusal | None:
    return next((r for r in found if r is not None), None)


def _all(found: Iterable[Refusal | None]) -> Refusal | None:
    """The first, where nothing is taken."""
    every = list(found)
    return every[0] if every and all(r is not None for r in every) else None


# -- objects


def _instance(asked: Question, value: Instance) -> Refusal | None:
    project, cls = asked.project, value.cls
    if isinstance(cls, Class):
        if cls.outer is not None:
            return of_local(cls, f"an object of `{cls.name}`, a class that is local to `{cls.outer.name}`")
        return holding(asked, cls)
    return _of_library(asked, value, cls.name, project.made_step(value))


def _of_library(asked: Question, value: Instance, name: str, steps: tuple[Step, ...]) -> Refusal | None:
    project = asked.project
    name = project.table.canonical(name)
    if name in REFUSED:
        return Refusal(REFUSED[name], steps)
    kind = project.table.kind(name)
    if kind is None or name in TRAVELLING or kind.where == "task" or (value.made is None and not isinstance(value.cls, Class)):
        return None  # an annotation may name the twin of what is really passed: a manager's lock, an executor of another kind
    if kind.role in ROLES:
        return Refusal(ROLES[kind.role], steps)
    if kind.role in GUARDED and (kind.where == "thread" or not asked.starting):
        return Refusal(f"a {'' if kind.where == 'thread' else 'shared '}{GUARDED[kind.role]}".replace("shared shared", "shared"), steps)
    return None


def holding(asked: Question, cls: Class) -> Refusal | None:
    """What an object of a class of the project holds for certain that pickle refuses, unless the class decides itself what travels."""
    project = asked.project
    if goes_its_own_way(project, cls):
        return None
    for base in project.mro(cls):
        known = _of_library(asked, project.instance_of(cls), base.name, ()) if isinstance(base, External) else None
        if known is not None:
            return Refusal(f"an object of `{cls.name}`, {known.what}", known.steps)
    return project.kept(("holds", cls, asked.starting, asked.depth, asked.caller, asked.row.at), lambda: _own_pool(asked, cls) or _first(_held(asked, cls)))


def _own_pool(asked: Question, cls: Class) -> Refusal | None:
    """The pool in an attribute of `self` on which `self` is sent: it is there, whoever put it there."""
    project, caller, func = asked.project, asked.caller, asked.row.func if isinstance(asked.row, f.Call) else None
    pool = func.value if isinstance(func, f.Attr) else None
    if not isinstance(pool, f.Attr) or caller.owner is None or f.dotted(pool.value) != caller.receiver or cls not in project.mro(caller.owner):
        return None
    stored = project.stored(cls, pool.attr) if project.find_method(cls, pool.attr) is None else ()
    found = next(
        (v for v in stored if isinstance(v, Instance) and isinstance(v.cls, External) and v.cls.name not in TRAVELLING and project.role(v) in ROLES), None
    )
    return Refusal(f"an object of `{cls.name}`, whose `{pool.attr}` is {ROLES[project.role(found)]}", project.made_step(found)) if found is not None else None


def goes_its_own_way(project: Project, cls: Class) -> bool:
    """Whether a class decides itself what of its objects travels, or may, by a base that is not known."""
    for base in project.mro(cls):
        if isinstance(base, Class):
            if not set(_OWN_WAY).isdisjoint(base.method_names()):
                return True
        elif isinstance(base, Unknown) or not (base.name.startswith("builtins.") or base.name in REFUSED or project.table.kind(base.name) is not None):
            return True
    return False


def _held(asked: Question, cls: Class) -> Iterator[Refusal | None]:
    """What each attribute of an object of `cls` is refused for."""
    for attr, row, method in _stores(asked, cls):
        if not isinstance(row, f.Assign) or row.value is None or not any(f.dotted(t).rpartition(".")[2] == attr for t in row.targets):
            continue
        found = refused(asked.deeper(), row.value, method)
        if found is None or not _lasts(asked, cls, attr, row, method):
            continue
        said = found.what.removeprefix(f"an object of `{cls.name}`, ")
        steps = (Step(method.site(row), f"`{cls.name if method.is_module else method.qualname}` puts it into `self.{attr}`"),)
        yield Refusal(f"an object of `{cls.name}`, whose `{attr}` is {said}", steps if not _is_chain(found) else (*steps, *found.steps))


def _is_chain(found: Refusal) -> bool:
    return "whose" in found.what


def _stores(asked: Question, cls: Class) -> Iterator[tuple[str, f.Row, Function]]:
    """The assignments to attributes of `self` that every object of `cls` that is sent has seen: attribute, row, method."""
    project, caller = asked.project, asked.caller
    for base in project.mro(cls):
        if isinstance(base, Class) and any("dataclass" in f.dotted(d.func if isinstance(d, f.Call) else d) for d in base.facts.decorators):
            scope = base.outer or base.module.body
            yield from (
                (t.id, row, scope)
                for row in base.assigns()
                if isinstance(row.value, f.Call) and row.value.keyword("init") is None
                for t in row.targets
                if isinstance(t, f.Name)
            )
        init = base.method("__init__") if isinstance(base, Class) else None
        if init is None:
            continue
        yield from _always(project, init)
        for site in init.calls:
            func = site.call.func
            if isinstance(func, f.Attr) and f.dotted(func.value) == init.receiver and not _is_sometimes(init, site.call):
                helper = base.method(func.attr) if isinstance(base, Class) else None
                if helper is not None and not helper.facts.is_generator:
                    yield from _always(project, helper)
        if not any(isinstance(row, f.Name) and row.id == "super" for row in init.rows):
            break
    if caller.owner is not None and caller.receiver and caller.owner in project.mro(cls) and caller.name != "__init__":
        for attr, row, _ in _always(project, caller, before=asked.row):
            yield attr, row, caller


def _always(project: Project, method: Function, before: f.Row | None = None) -> Iterator[tuple[str, f.Row, Function]]:
    for target, rows in project.stores(method).items():
        holder, _, attr = target.rpartition(".")
        for row in rows if holder and holder == method.receiver else ():
            if method.graph.dominated(before, by=[row]) if before is not None else not _is_sometimes(method, row):
                yield attr, row, method


def _is_sometimes(function: Function, row: f.Row) -> bool:
    """Whether a row stands in a branch, a loop or a handler."""
    return any(isinstance(around, (f.If, f.While, f.For, f.Match, f.Handler, f.Choice, f.Comprehension)) for around in function.ancestors(row))


def _lasts(asked: Question, cls: Class, attr: str, store: f.Row, method: Function) -> bool:
    """Whether nothing else is put into the attribute, or it is taken away, between the store and where the object is sent."""
    project, caller = asked.project, asked.caller
    if method is caller:
        others = [r for rows in (project.stores(caller).get(f"{caller.receiver}.{attr}", ()), _deletions(caller, attr)) for r in rows if r is not store]
        return not any(caller.graph.reaches(store, other) and caller.graph.reaches(other, asked.row) for other in others)
    for base in project.mro(cls):
        if not isinstance(base, Class):
            continue
        for other in base.methods_mentioning(f".{attr}"):
            rows = [r for r in project.stores(other).get(f"{other.receiver}.{attr}", ()) if r is not store]
            if _deletions(other, attr) or any(_may_be_taken(asked, row, other) for row in rows):
                return False
        if any(True for _ in base.methods_mentioning("__dict__")):
            return False
    return True


def _may_be_taken(asked: Question, row: f.Row, function: Function) -> bool:
    return not isinstance(row, f.Assign) or row.value is None or refused(asked.deeper(), row.value, function) is None


def _deletions(function: Function, attr: str) -> list[f.Row]:
    """Where an attribute of `self` is deleted, or may be through `setattr`."""
    out: list[f.Row] = []
    for row in function.rows:
        if isinstance(row, f.Delete) and any(isinstance(t, f.Attr) and t.attr == attr for t in row.targets):
            out.append(row)
        elif isinstance(row, f.Call) and f.dotted(row.func) in {"setattr", "delattr"}:
            out.append(row)
    return out
