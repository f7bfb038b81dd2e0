"""MP902: a process that still has something to say cannot end, and `join()` waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Alarm, Step, by_file
from mplint.project.messages.channels import Channel, channels, is_given, writers
from mplint.project.importing import is_library
from mplint.project.messages.pipes import RECEIVING, pipes
from mplint.project.lives.lifetimes import Touch
from mplint.project.modules import CallSite, Function
from mplint.project.processes.sides import callers, side_of, sides
from mplint.project.messages.sizes import is_little
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    from mplint.finding import Site
    from mplint.project import Module, Project
    from mplint.project.lives.lifetimes import Life

_ENDING = ("terminate", "kill", "interrupt", "send_signal")
"""What ends the process before the join, whatever it still holds."""

_IDLING = frozenset({"sleep", "print", "debug", "info", "warning", "log", "flush", "write"})
"""Last names of calls that a loop makes while it waits for nothing but the end of a process."""

_DEPTH = 2
"""Calls between the function that joins and the one that takes out."""


class JoinBeforeDrain(Rule):
    """A process is joined before the queue or pipe that it fills is emptied.

    ## What it does

    Reports `join()` of a process that puts into a queue or sends by a pipe, where the parent reads it only after the join, or nobody reads the queue
    at all. A `join(timeout)` is reported too: it waits its whole timeout for a process that has long finished its work. So are loops that only ask
    `is_alive()` until the process has ended.

    ## Why it hurts

    A pipe holds some tens of kilobytes. What does not fit waits in the process, which does not end before somebody has read it, while the parent
    does not read before the process has ended: both wait for ever. Measured on CPython 3.8 to 3.13 with 1 MiB in a `Queue`, and on 3.10 to 3.13
    with 1 MB in a `Queue`, a `JoinableQueue` and a `SimpleQueue`; 1 kB comes through, so it works until the answers grow. By a `Pipe()` 1 MB and a
    thousand times 1 kB hang, by a `Pipe(False)` 100 kB (3.8, 3.10 and 3.13 on Linux).

    ## When it knows

    Every way from the start of the process to the join must be known, and the queue or pipe must be read after the join: by the same function, by
    what it calls, or by who calls it. Silent for the queues of a manager (the process that holds them takes everything at once), for queues that a
    thread or another process empties, after `cancel_join_thread()` in the process (in the parent it is of no use: measured on 3.8, 3.10, 3.11 and 3.13) or
    `terminate()`, and when all that is put is surely little: a number, a flag, a short text, once or each time that the parent asks by the same pipe.

    ## References

    - [multiprocessing, Programming guidelines](https://docs.python.org/3/library/multiprocessing.html#programming-guidelines): "Joining processes
      that use queues".
    """

    code = "MP902"
    name = "join-before-drain"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        yield from project.kept("MP902", lambda: by_file(_alarms(project))).get(module.path, ())

    example = Example(
        bad="""\
from multiprocessing import Process, Queue


def load(rows):
    rows.put(["row"] * 1_000_000)


def main():
    rows = Queue()
    process = Process(target=load, args=(rows,))
    process.start()
    process.join()  # MP902
    print(len(rows.get()))


if __name__ == "__main__":
    main()
""",
        bad_ends=Hangs(),
        fixed="""\
from multiprocessing import Process, Queue


def load(rows):
    rows.put(["row"] * 1_000_000)


def main():
    rows = Queue()
    process = Process(target=load, args=(rows,))
    process.start()
    loaded = rows.get(timeout=60)
    process.join()
    print(len(loaded))


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("1000000"),
    )


class Way(NamedTuple):
    """A queue or pipe from processes to the parent: `told` are the calls that put into it, `taken` the places where the parent takes out; `what` says
    what it is."""

    made: CallSite
    told: tuple[Touch, ...]
    taken: tuple[Touch, ...]
    what: str


def _ways(project: Project) -> Iterator[Way]:
    """The queues and pipes that can hold up the process which fills them, and that only the parent empties."""
    for channel in channels(project):
        if (
            (channel.taken or _is_never_read(project, channel))
            and not channel.relayed
            and "passed()" not in channel.life.names()
            and _fills_up(channel, project)
        ):
            if any(_may_be_much(project, put) for put in channel.told):
                yield Way(channel.made, channel.told, channel.taken, "queue")
    for pipe in pipes(project):
        others = any(side_of(project, pipe.made, t.function) != {"parent"} for t in pipe.near.touches if t.name in RECEIVING)
        if not others and any(_may_be_much(project, put, asked=tuple(pipe.far.touched(*RECEIVING))) for put in pipe.told):
            yield Way(pipe.made, pipe.told, pipe.taken, "pipe")


def _alarms(project: Project) -> Iterator[Alarm]:
    """The alarms of the whole project."""
    for way in _ways(project):
        for process in writers(project, way.told):
            if not way.taken and not _gets(project, process, way):
                continue
            life = project.life(process)
            for wait, call in _waits(life):
                if sides(project, wait.function) == {"worker"} or _is_ended(life, wait.function, call):
                    continue
                if not way.taken:
                    yield _alarm(way, wait, call, None)
                    continue
                place = _read_afterwards(project, way, life, wait.function, call, bounded=bool(call.args))
                if place is not None:
                    yield _alarm(way, wait, call, place)


def _read_afterwards(project: Project, way: Way, life: Life, function: Function, point: f.Call, *, bounded: bool, depth: int = _DEPTH) -> Site | None:
    """Where something is taken out after `point`, and not before: by the function that `point` stands in, or by one that calls it."""
    places = _places(project, way, function)
    if places:
        starts = [t.row for t in life.touched("start") if t.function is function]
        if any(place is point for place in places) or _is_ended(life, function, point) or not _is_too_early(function, point, starts, places, bounded=bounded):
            return None
        return function.site(places[0])
    sites = callers(project, function) if depth else ()
    found = (_read_afterwards(project, way, life, s.function, s.call, bounded=bounded, depth=depth - 1) for s in sites if s.function is not function)
    return next((place for place in found if place is not None), None)


def _is_ended(life: Life, function: Function, call: f.Call) -> bool:
    """Whether the function ends the process itself before the call."""
    starts = [t.row for t in life.touched("start") if t.function is function]
    return any(function.graph.reaches(t.row, call, avoiding=starts) for t in life.touched(*_ENDING) if t.function is function)


def _is_never_read(project: Project, channel: Channel) -> bool:
    """Whether nobody takes anything out, and nobody else can: all that is done to the queue is seen, and only this program has it."""
    life, module = channel.life, channel.made.function.module
    if life.escapes or life.returned or life.kept - {"global"} or ("global" in life.kept and is_library(project, module)):
        return False
    return not {"get", "get_nowait", "iter()", "join"} & life.names() and not any(name.endswith("()") for name in life.names())


def _gets(project: Project, process: CallSite, way: Way) -> bool:
    """Whether a process is given this very queue, as an argument or as a global."""
    return (way.made.function.is_module and not process.function.is_module) or is_given(project, process, way.made)


def _alarm(way: Way, wait: Touch, call: f.Call, place: Site | None) -> Alarm:
    what = "this `join()`" if wait.name == "join" else "this loop"
    said = "waits its whole timeout" if call.args else "waits for ever"
    filled = "put more than a pipe holds into a queue that" if way.what == "queue" else "sent more than a pipe holds by one that"
    message = f"{what} {said} when the process has {filled} {'nobody reads' if place is None else 'is only read afterwards'}"
    because = (
        Step(way.made.site, f"the {way.what} is made here"),
        *(
            Step(t.function.site(t.row), f"`{t.function.name}`, which runs in the process, {'puts' if way.what == 'queue' else 'sends'} into it")
            for t in way.told[:1]
        ),
        *([Step(place, "it is read here, afterwards")] if place is not None else []),
    )
    return Alarm(JoinBeforeDrain.code, wait.function.site(call), message, because, wait.function.qualname)


def _waits(life: Life) -> Iterator[tuple[Touch, f.Call]]:
    """Where somebody waits for the end of a process: `join()`, and loops that do nothing but ask whether it lives."""
    idle: set[Function] = set()
    for touch in life.touched("is_alive"):
        if touch.call is not None and _is_idle(touch.function, touch.call):
            idle.add(touch.function)
            yield touch, touch.call
    for touch in life.touched("join"):
        if touch.call is not None and touch.function not in idle:
            yield touch, touch.call


def _is_idle(function: Function, call: f.Call) -> bool:
    """Whether a call is all that a loop asks, alone or in `any()`, which leaves only by its condition and reads nothing."""
    loop = next((row for row in function.ancestors(call) if isinstance(row, f.While)), None)
    asked = list(f.walk(loop.test)) if loop is not None else []
    if loop is None or not any(row is call for row in asked) or any(isinstance(row, f.Op) for row in asked):
        return False
    return not any(
        isinstance(row, (f.Return, f.Raise, f.Yield))
        or (isinstance(row, f.Jump) and row.kind == "break")
        or (isinstance(row, f.Call) and f.last_name(row.func) not in _IDLING)
        for row in f.walk(*loop.body, *loop.orelse)
    )


def _fills_up(channel: Channel, project: Project) -> bool:
    """Whether a process that puts into the queue waits at its end until somebody takes it out; a manager's queue takes everything at once."""
    kind = project.kind(channel.queue)
    if kind is None or kind.role not in {"queue", "simple-queue"}:
        return False
    return not any("worker" in sides(project, t.function) for t in channel.life.touched("get", "get_nowait", "cancel_join_thread"))


def _may_be_much(project: Project, put: Touch, asked: tuple[Touch, ...] = ()) -> bool:
    """Whether a worker may put more than a pipe holds: something large, or something again and again, unless it is `asked` each time."""
    function = put.function
    if put.call is None:
        return True
    loops = function.graph.loops_around(put.call) if function.graph.reaches(put.call, put.call) else ()
    rows = {id(row) for loop in loops for row in f.walk(loop)}
    if rows and not any(id(t.row) in rows for t in asked):
        return True
    return put.call.starred or not is_little(project, put.call.positional(0) or put.call.keyword("obj"), function)


def _places(project: Project, way: Way, function: Function) -> list[f.Row]:
    """Where `function`, or what it calls, takes something out; none when somebody else takes something out, too."""
    out: list[f.Row] = []
    for touch in way.taken:
        found = _places_of(project, touch.call or touch.row, touch.function, function, _DEPTH)
        if not found:
            return []
        out.extend(found)
    return out


def _places_of(project: Project, row: f.Row, inner: Function, outer: Function, depth: int) -> list[f.Row]:
    if inner is outer:
        return [row]
    if not depth:
        return []
    return [r for site in callers(project, inner) for r in _places_of(project, site.call, site.function, outer, depth - 1)]


def _is_too_early(function: Function, call: f.Call, starts: list[f.Row], places: list[f.Row], *, bounded: bool) -> bool:
    """Whether control comes from the start of the process to the wait for its end without taking anything out, and takes it out afterwards."""
    graph = function.graph
    if not any(graph.reaches(call, place, avoiding=starts) for place in places):
        return False
    around = graph.loops_around(call)
    for place in places:
        between = [loop for loop in graph.loops_around(place) if not any(loop is other for other in around)]
        if between and graph.reaches(place, call, avoiding=starts):
            return False
        if bounded and any(loop is other for loop in graph.loops_around(place) for other in around):
            return False
    if starts:
        return any(graph.reaches(start, call, avoiding=places) for start in starts)
    return not graph.dominated(call, by=places)
