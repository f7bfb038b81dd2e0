"""Tasks whose answer only a callback gets, and the places that wait for what the callback delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.project.lives.lifetimes import Touch
from mplint.project.modules import CallSite, Function
from mplint.project.values import Bound, External, Instance, Value
from mplint.project.waits.waiting import waiting
from mplint.project.waits.watching import is_watched

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.project.workers import Submission

_DELIVERING = {"queue": frozenset({"put", "put_nowait"}), "simple-queue": frozenset({"put"}), "event": frozenset({"set"})}
"""The methods by which a callback ends a wait, by the role of the object."""

_WORDS = frozenset(word for words in _DELIVERING.values() for word in words)


class Delivery(NamedTuple):
    """A task that a process pool is given at `site` and that only a callback answers, and the place that waits for its word (`wait`) without a limit.

    `handed` are the expressions by which the method of the pool comes to a function that calls it under another name, with the functions they are in.
    """

    site: CallSite
    pool: Instance
    wait: Touch
    handed: tuple[tuple[Function, f.Attr], ...]


def deliveries(project: Project) -> tuple[Delivery, ...]:
    """The tasks of pools that do not notice the death of a worker, for whose callback somebody waits."""
    return project.kept("deliveries", lambda: tuple(_deliveries(project)))


def _deliveries(project: Project) -> Iterator[Delivery]:
    calling = [s for s in project.submissions() if s.role == "callback" and s.api.callbacks]
    for submission in calling:
        site = submission.site
        pool = _pool(project, site) if isinstance(site.function.parent(site.call), f.Do) else None
        for told in dict.fromkeys(_told(project, submission)) if pool is not None else ():
            wait = next(_waits(project, told, calling), None)
            if wait is not None and pool is not None:
                yield Delivery(site, pool, wait, () if isinstance(site.call.func, f.Attr) else tuple(_handed(project, pool)))


def _pool(project: Project, site: CallSite) -> Instance | None:
    """The process pool that a call gives a task to, if that does not notice the death of a worker."""
    for use in project.uses_at(site, "submit"):
        kind = project.kind(use.receiver) if use.receiver is not None else None
        if kind is not None and kind.role == "pool" and use.where == "process" and not kind.notices_death:
            return use.receiver
    return None


def _handed(project: Project, pool: Instance) -> Iterator[tuple[Function, f.Attr]]:
    """Where a method that gives the pool tasks is an argument of a call."""
    for module in project.spread.modules() if pool.made is not None else ():
        for site in project.calls(module) if project.spells(module, b"_async") else ():
            for argument in site.call.args:
                if isinstance(argument.value, f.Attr) and argument.value.attr.endswith("_async"):
                    values = project.values(argument.value, site.function)
                    if any(isinstance(v, Bound) and isinstance(v.receiver, Instance) and v.receiver.made == pool.made for v in values):
                        yield site.function, argument.value


def _told(project: Project, submission: Submission) -> Iterator[Instance]:
    """The queues and events that a callback puts into or sets."""
    yield from _objects_told(project, submission.callables)
    for callee in submission.callees:
        for site in callee.calls:
            if isinstance(site.call.func, f.Attr) and site.call.func.attr in _WORDS:
                yield from _objects_told(project, project.values(site.call.func, callee))


def _objects_told(project: Project, methods: tuple[Value, ...]) -> Iterator[Instance]:
    for value in methods:
        if isinstance(value, Bound) and isinstance(value.function, External) and isinstance(value.receiver, Instance):
            if value.function.name.rpartition(".")[2] in _DELIVERING.get(project.role(value.receiver), ()):
                yield value.receiver


def _waits(project: Project, told: Instance, calling: list[Submission]) -> Iterator[Touch]:
    """Where something is waited for that callbacks alone deliver."""
    made, role = project.maker(told), project.role(told)
    if made is None:
        return
    life = project.life(made, handed=True)
    if life.escapes or any(not _by_callback(touch, calling) for touch in life.touched(*_DELIVERING[role])):
        return
    for touch in life.touched("wait") if role == "event" else life.touched("get"):
        if (_is_endless(touch) if role == "event" else waiting(project, touch)) and not is_watched(project, touch.function, touch.row):
            yield touch


def _by_callback(touch: Touch, calling: list[Submission]) -> bool:
    """Whether what is put, or set, is so by the callback of a task."""
    if touch.call is None:
        return any(s.argument is touch.row for s in calling)
    return any(_is_within(touch.function, callee) for s in calling for callee in s.callees)


def _is_within(function: Function, outer: Function) -> bool:
    return function is outer or function in outer.all_nested()


def _is_endless(touch: Touch) -> bool:
    given = touch.call.positional(0) or touch.call.keyword("timeout") if touch.call is not None else None
    return touch.call is not None and not touch.call.starred and not f.is_given(given)
