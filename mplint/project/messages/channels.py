"""Queues between processes: who puts into them and who takes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.project.lives.lifetimes import Life, Touch
from mplint.project.modules import CallSite, Function
from mplint.project.processes.children import processes
from mplint.project.processes.sides import Side, side_of, sides
from mplint.project.values import Instance, held

if TYPE_CHECKING:
    from mplint.project import Project

PUTTING = frozenset({"put", "put_nowait"})
TAKING = frozenset({"get", "get_nowait"})
_PARENT: frozenset[Side] = frozenset({"parent"})
_BOTH: frozenset[Side] = frozenset({"parent", "worker"})
"""Work that the parent can do itself, where it starts no workers: it ends no wait for theirs."""

_DEPTH = 2
"""Calls between what a process runs and what uses a queue."""


class Channel(NamedTuple):
    """A queue that processes share.

    `made` is the call that makes it, `queue` the object, `life` what becomes of it in all processes; `told` are the calls by which workers put
    something into it, or may do so ("passed()": they pass it to code out of sight), `fed` those by which only the parent does, `taken` the places
    where the parent takes something out that it has not put there just before, `relayed` those where only threads of it do.
    """

    made: CallSite
    queue: Instance
    life: Life
    told: tuple[Touch, ...]
    fed: tuple[Touch, ...]
    taken: tuple[Touch, ...]
    relayed: tuple[Touch, ...]


def channels(project: Project) -> tuple[Channel, ...]:
    """The queues of the project that workers put into, as far as all that is done to them is known."""
    return project.kept("channels", lambda: tuple(_channels(project)))


def relays(project: Project) -> tuple[Channel, ...]:
    """The queues of threads by which a thread hands on what workers put into a channel; `told` is what the workers put."""

    def compute() -> Iterator[Channel]:
        for channel in channels(project):
            threads = {touch.function for touch in channel.relayed}
            for module in {function.module: None for function in threads}:
                for function in module.functions("Queue("):
                    for site in function.calls:
                        if project.external(site.call.func, function) == "queue.Queue":
                            life = project.life(site, handed=True)
                            puts = list(life.touched(*PUTTING))
                            if not life.escapes and puts and all(t.function in threads for t in puts):
                                taken = tuple(t for t in life.touched(*TAKING) if "parent" in sides(project, t.function))
                                yield Channel(site, channel.queue, life, channel.told, channel.fed, taken, ())

    return project.kept("relays", lambda: tuple(compute()))


def joins(project: Project) -> Iterator[tuple[CallSite, Touch, Touch]]:
    """The queues whose `join()` the parent calls and whose `task_done()` workers call: (the call that makes one, the join, a task_done)."""
    for site, _, life in _queues(project):
        done = [t for t in life.touched("task_done") if sides(project, t.function) == {"worker"}]
        for touch in life.touched("join") if done and not life.escapes else ():
            if touch.function is site.function or sides(project, touch.function) == _PARENT:
                yield site, touch, done[0]


def _channels(project: Project) -> list[Channel]:
    found = (_told(project, *queue) for queue in _queues(project) if not queue[2].escapes)
    return [channel for channel in found if channel is not None]


def _queues(project: Project) -> tuple[tuple[CallSite, Instance, Life], ...]:
    """The calls that make queues for processes, what they make, and what becomes of that."""

    def made(site: CallSite) -> Iterator[tuple[CallSite, Instance, Life]]:
        for use in project.uses_at(site, "make"):
            for value in project.made_by(site):
                if value.where == "process" and _is_queue(project, value):
                    life = project.life(site, handed=True)
                    if life.escapes.startswith("passed to"):
                        life = project.life(site, handed=True, inward=True)
                    yield use.site, value, life
                    return

    return project.kept("queues", lambda: tuple(queue for site in project.calls_ending("Queue") for queue in made(site)))


def _told(project: Project, made: CallSite, value: Instance, life: Life) -> Channel | None:
    """The channel, when workers put into it.  The function that makes it is in the parent, wherever that runs."""
    if life.handed == {"thread"} and not life.kept:
        return None
    hidden = tuple(life.touched("passed()"))
    names = {f.last_name(t.row.func) for t in hidden if isinstance(t.row, f.Call)}
    at = {t: _putting(project, made, t, names) for t in life.touched(*PUTTING)}
    told = (*(t for t, side in at.items() if "worker" in side), *hidden)
    if not told:
        return None
    takes = {t: side_of(project, made, t.function) for t in life.touched(*TAKING, "iter()")}
    taken = tuple(t for t, side in takes.items() if "parent" in side)
    own = {t: _calls(project, made, t.function) for t, side in at.items() if side == _BOTH}
    fed = tuple(t for t, side in at.items() if side - {"worker"} and (t not in own or _is_near(made, t.function, own[t], taken)))
    taken = tuple(t for t in taken if not any(made.function.graph.reaches(call, t.row) for calls in own.values() for call in calls))
    relayed = tuple(t for t, side in takes.items() if side == {"thread"})
    return Channel(made, value, life, told, fed, taken, relayed)


def _calls(project: Project, made: CallSite, function: Function) -> list[f.Call]:
    """Where who makes the queue calls `function` himself."""
    return [site.call for site in project.callers(function) if site.function is made.function]


def _is_near(made: CallSite, function: Function, calls: list[f.Call], taken: tuple[Touch, ...]) -> bool:
    """Whether who makes the queue also runs `function` himself, and others take something out: in a method of the same class, or by `calls`."""
    if function.owner is not None and function.owner is made.function.owner:
        return True
    return bool(calls) and any(t.function is not made.function for t in taken)


def _putting(project: Project, made: CallSite, put: Touch, hidden: set[str]) -> frozenset[Side]:
    """Where a `put` runs: also in workers, when these pass the queue to a method of that name of objects that nothing is known of."""
    side = side_of(project, made, put.function)
    return side | {"worker"} if put.function.name in hidden else side


def _is_queue(project: Project, value: Instance) -> bool:
    kind = project.kind(value)
    return kind is not None and (kind.role in {"queue", "simple-queue"} or "queue.Queue" in kind.bases)


def writers(project: Project, told: tuple[Touch, ...]) -> tuple[CallSite, ...]:
    """The calls that make the processes which put into a queue or pipe by one of the calls `told`."""
    roots = {root(project, put.function) for put in told}
    return tuple(site for site, runs in processes(project).items() if not roots.isdisjoint(runs))


def root(project: Project, function: Function) -> Function:
    """The function that a process was given and that `function` runs for."""
    reached = project.workers()
    seen: set[Function] = set()
    while (reach := reached.get(function)) is not None and reach.caller is not None and function not in seen:
        seen.add(function)
        function = reach.caller
    return function


def is_below(project: Project, function: Function, run: Function) -> bool:
    """Whether `function` runs when a process runs `run`: it is what the process was given, or is called from there, by a few calls."""
    return root(project, function) is run or function in project.kept(("below", run), lambda: _called(project, run))


def _called(project: Project, run: Function) -> frozenset[Function]:
    found = {run: None}
    for _ in range(_DEPTH):
        for function in tuple(found):
            found.update((callee, None) for site in function.calls for callee in project.callees(site))
    return frozenset(found)


def is_given(project: Project, process: CallSite, made: CallSite) -> bool:
    """Whether what `made` makes, a queue or lock, is an argument of the call that makes a process or pool; others may run the same function with other ones."""
    values = tuple(v for a in process.call.args for v in project.values(a.value, process.function))
    found = (*values, *held(values), *held(held(values)))
    return any(isinstance(v, Instance) and v.made == made.site for v in found)
