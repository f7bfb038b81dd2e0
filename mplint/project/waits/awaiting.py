"""What awaiting a value waits for: the work of a pool, through futures, tasks, coroutines and the functions that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Step
from mplint.project.modules import CallSite, Function, Module
from mplint.project.values import Coroutine, External, Instance, Many, Tuple, Value, elements

if TYPE_CHECKING:
    from mplint.project import Project

BROAD = frozenset({"builtins.Exception", "builtins.BaseException"})


class Wait(NamedTuple):
    """Awaiting a value waits for work that was given to an executor.

    `where`: "process", "thread" or "any" (an executor that may be either).  `because` leads from the value to the call that gives the
    work away.  `guarded`: whatever the work raises is caught on the way and goes no further.
    """

    where: str
    because: tuple[Step, ...]
    guarded: bool


def waits(project: Project, values: tuple[Value, ...], depth: int = 0) -> Iterator[Wait]:
    """What awaiting any of `values` waits for."""
    for value in values:
        if isinstance(value, Instance):
            if project.role(value) == "future" and value.where in {"process", "thread", "any"} and value.made is not None:
                yield Wait(value.where, (Step(value.made, _given(project, value)),), False)
        elif isinstance(value, Coroutine) and depth < 6:
            yield from _inside(project, value, depth)
        elif isinstance(value, (Many, Tuple)) and depth < 6:
            yield from waits(project, elements((value,)), depth + 1)


def _given(project: Project, future: Instance) -> str:
    place = {"process": "a process pool", "thread": "a thread pool", "any": "an executor that may be a process pool"}[future.where]
    return f"the work is given to {place} here"


def _inside(project: Project, coroutine: Coroutine, depth: int) -> Iterator[Wait]:
    function = coroutine.function
    step = Step(coroutine.caller.site(coroutine.call), f"`{function.name}` is called here")
    for row in function.rows:
        if isinstance(row, f.Await):
            for wait in waits(project, project.values(row.value, function), depth + 1):
                yield Wait(wait.where, (step, *wait.because), wait.guarded or is_guarded(project, function, row))


def is_guarded(project: Project, function: Function, row: f.Row) -> bool:
    """Whether a handler around `row` catches every Exception and does not raise again."""
    for _, handler in function.graph.handlers_around(row):
        if catches_all(project, function, handler):
            return "raise" not in function.graph.ways_out(handler.body)
    return any(
        project.external(i.value.func if isinstance(i.value, f.Call) else None, function) == "contextlib.suppress" for _, i in function.graph.withs_around(row)
    )


def catches_all(project: Project, function: Function, handler: f.Handler) -> bool:
    """Whether a handler is for Exception or wider."""
    if handler.types is None:
        return True
    types = project.values(handler.types, function)
    return any(isinstance(t, External) and t.name in BROAD for t in (*types, *elements(types)))


def awaited_at(function: Function, call: f.Call) -> tuple[f.Row, ...]:
    """Where what `call` gives is awaited in the same function: around it, or through the names it is stored in; the call itself when nowhere."""
    around = [row for row in function.ancestors(call) if isinstance(row, f.Await)]
    if around:
        return (around[-1],)
    parent = function.parent(call)
    if isinstance(parent, f.Assign):
        names = {t.id for t in parent.targets if isinstance(t, f.Name)}
        found = tuple(row for row in function.rows if isinstance(row, f.Await) and any(isinstance(r, f.Name) and r.id in names for r in f.walk(row.value)))
        if found:
            return found
    return (call,)


def callers_guard(project: Project, function: Function) -> bool:
    """Whether every place that awaits `function` in the project handles what comes out of it."""
    callers: tuple[CallSite, ...] = project.callers(function)
    return bool(callers) and all(any(is_handled(project, site.function, row) for row in awaited_at(site.function, site.call)) for site in callers)


def is_handled(project: Project, function: Function, row: f.Row) -> bool:
    """Whether a handler around `row` would see an Exception of any class, re-raised or not: somebody thought of it."""
    return any(catches_all(project, function, handler) for _, handler in function.graph.handlers_around(row))


def _is_cancelled_after(project: Project, function: Function, row: f.Row) -> bool:
    """Whether the `finally` of a try around `row` cancels what is still under way, by itself or by a function of the project, and waits for its end."""
    for place in function.graph.tries_around(row):
        if isinstance(place.row, f.Try) and place.part != "final" and any(isinstance(r, f.Await) for r in f.walk(*place.row.final)):
            for site in function.calls_in(*place.row.final):
                inner = (call for callee in project.callees(site) for call in callee.calls)
                if any(f.last_name(s.call.func) == "cancel" for s in (site, *inner)):
                    return True
    return False


class Gather(NamedTuple):
    """An `asyncio.gather` over the work of executors that nobody handles; `used` says that its result is looked at."""

    site: CallSite
    wait: Wait
    used: bool


def unguarded_gathers(project: Project, function: Function) -> Iterator[Gather]:
    """The gathers of a function, without `return_exceptions` and a handler, over work that an executor does; the surest wait of each."""
    for use in (u for site in function.calls for u in project.uses_at(site, "gather")):
        asked = use.call.keyword("return_exceptions")
        if asked is not None and not (isinstance(asked, f.Const) and asked.value is False):
            continue
        found = [w for w in _gathered(project, use.site) if not w.guarded]
        if not found:
            continue
        rows = awaited_at(function, use.call)
        if any(is_handled(project, function, row) or _is_cancelled_after(project, function, row) for row in rows) or callers_guard(project, function):
            continue
        used = not all(isinstance(function.parent(row), f.Do) for row in rows)
        yield Gather(use.site, min(found, key=lambda w: ("process", "any", "thread").index(w.where)), used)


def collecting_gathers(project: Project, function: Function) -> Iterator[tuple[CallSite, Wait]]:
    """The gathers of a function with `return_exceptions=True` over work whose exceptions nobody catches on the way; the surest wait of each."""
    for use in (u for site in function.calls for u in project.uses_at(site, "gather")):
        asked = use.call.keyword("return_exceptions")
        if isinstance(asked, f.Const) and asked.value is True:
            found = [w for w in _gathered(project, use.site) if not w.guarded]
            if found:
                yield use.site, min(found, key=lambda w: ("process", "any", "thread").index(w.where))


def _gathered(project: Project, site: CallSite) -> Iterator[Wait]:
    for arg in site.call.args:
        if arg.star == "*":
            yield from waits(project, elements(project.values(arg.value, site.function)))
        elif not arg.keyword and not arg.star:
            yield from waits(project, project.values(arg.value, site.function))


class Work(NamedTuple):
    """A place where a coroutine waits for the work of an executor: `row` is an `await`, or what `async with` enters when a task group is waited for at
    its end."""

    row: f.Row
    wait: Wait


def work_awaited(project: Project, function: Function) -> Iterator[Work]:
    """Where `function` itself waits for the work of executors."""
    for row in function.rows:
        if isinstance(row, f.Await):
            for wait in waits(project, project.values(row.value, function)):
                yield Work(row, wait)
    for use in (u for site in function.calls for u in project.uses_at(site, "gather")):
        for wait in _gathered(project, use.site):
            for awaited in awaited_at(function, use.call):
                yield Work(awaited, wait)
    for group in task_groups(project, function):
        for wait in group_work(project, function, group):
            yield Work(group.item.value, wait)


class Group(NamedTuple):
    """An `async with asyncio.TaskGroup()`: the statement, its item and the groups that it can enter."""

    row: f.With
    item: f.WithItem
    groups: tuple[Instance, ...]


def task_groups(project: Project, function: Function) -> Iterator[Group]:
    """The task groups that `function` enters."""
    for row in function.rows:
        if not isinstance(row, f.With) or not row.is_async:
            continue
        for item in row.items:
            entered = tuple(v for v in project.values(item.value, function) if isinstance(v, Instance) and project.role(v) == "task-group")
            if entered:
                yield Group(row, item, entered)


def group_work(project: Project, function: Function, group: Group) -> Iterator[Wait]:
    """The work of executors that the tasks of a group wait for; tasks that are added in other functions are not seen."""
    entered = {g.made for g in group.groups}
    for use in (u for site in function.calls for u in project.uses_at(site, "pass")):
        if use.receiver is not None and use.receiver.made in entered and use.row.passes is not None:
            task = project.argument(use.call, use.row.passes)
            yield from waits(project, project.values(task, function)) if task is not None else ()


CALLERS = 400
"""Coroutine functions whose callers are looked for, at most."""


def waiters(project: Project, module: Module) -> tuple[Function, ...]:
    """The coroutine functions of `module` that wait for the work of a process pool (or of an executor that may be one), themselves or in a coroutine
    that they await."""
    found = project.kept("waiters", lambda: _waiters(project))
    return tuple(function for function in found if function.module is module)


def _waiters(project: Project) -> tuple[Function, ...]:
    found: dict[Function, None] = {}
    for module in project.spread.modules():
        for function in project.live(module):
            if function.facts.is_async and any(work.wait.where != "thread" for work in work_awaited(project, function)):
                found[function] = None
    queue = list(found)
    while queue and len(found) < CALLERS:
        for site in project.callers(queue.pop()):
            if site.function.facts.is_async and site.function not in found:
                found[site.function] = None
                queue.append(site.function)
    return tuple(found)
