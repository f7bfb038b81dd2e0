"""MP902: a process that still has something to say cannot end, and `join()` waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint.finding import Alarm, Step, by_file
from mplint.project.messages.channels import Channel, channels, writers
from mplint.project.lives.lifetimes import Touch
from mplint.project.processes.sides import callers, sides
from mplint.project.messages.sizes import is_little
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    from mplint import facts as f
    from mplint.project import Module, Project
    from mplint.project.modules import Function

_ENDING = ("terminate", "kill", "interrupt", "send_signal")
"""What ends the process before the join, whatever it still holds."""

_DEPTH = 2
"""Calls between the function that joins and the one that takes out."""


class JoinBeforeDrain(Rule):
    """A process is joined before the queue that it fills is emptied.

    ## What it does

    Reports `join()` of a process that puts into a queue, where the parent reads that queue only after the join. A `join(timeout)` is reported
    too: it waits its whole timeout for a process that has long finished its work.

    ## Why it hurts

    A pipe holds some tens of kilobytes. What does not fit waits in the process, which does not end before somebody has read it, while the parent
    does not read before the process has ended: both wait for ever. Measured on CPython 3.8 to 3.13 with 1 MiB in a `Queue`, and on 3.10 to 3.13
    with 1 MB in a `Queue`, a `JoinableQueue` and a `SimpleQueue`; 1 kB comes through, so it works until the answers grow.

    ## When it knows

    Every way from the start of the process to the join must be known, and the queue must be read by the same function, or by what it calls, after
    the join. Silent for the queues of a manager (the process that holds them takes everything at once), for queues that a thread or another
    process empties, after `cancel_join_thread()` or `terminate()`, and when all that is put is surely little: a number, a flag, a short text, once.

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


def _alarms(project: Project) -> Iterator[Alarm]:
    """The alarms of the whole project."""
    for channel in channels(project):
        if not channel.taken or "passed()" in channel.life.names() or not _fills_up(channel, project) or not any(_may_be_much(project, put) for put in channel.told):
            continue
        for process in writers(project, channel):
            life = project.life(process)
            for join in life.touched("join"):
                if join.call is None or sides(project, join.function) == {"worker"}:
                    continue
                starts = [t.row for t in life.touched("start") if t.function is join.function]
                if any(join.function.graph.reaches(t.row, join.call, avoiding=starts) for t in life.touched(*_ENDING) if t.function is join.function):
                    continue
                places = _places(project, channel, join.function)
                if places and _is_too_early(join, starts, places):
                    bounded = bool(join.call.args)
                    said = "waits its whole timeout" if bounded else "waits for ever"
                    message = f"this `join()` {said} when the process has put more than a pipe holds into a queue that is only read afterwards"
                    because = (
                        Step(channel.made.site, "the queue is made here"),
                        *(Step(put.function.site(put.row), f"`{put.function.name}`, which runs in the process, puts into it") for put in channel.told[:1]),
                        Step(join.function.site(places[0]), "it is read here, after the join"),
                    )
                    yield Alarm(JoinBeforeDrain.code, join.function.site(join.call), message, because, join.function.qualname)


def _fills_up(channel: Channel, project: Project) -> bool:
    """Whether a process that puts into the queue waits at its end until somebody takes it out; a manager's queue takes everything at once."""
    kind = project.kind(channel.queue)
    if kind is None or kind.role not in {"queue", "simple-queue"}:
        return False
    return "cancel_join_thread" not in channel.life.names() and not any("worker" in sides(project, t.function) for t in channel.life.touched("get", "get_nowait"))


def _may_be_much(project: Project, put: Touch) -> bool:
    """Whether a worker may put more than a pipe holds: something large, or something again and again."""
    function = put.function
    if put.call is None or function.graph.loops_around(put.call):
        return True
    return put.call.starred or not is_little(project, put.call.positional(0) or put.call.keyword("obj"), function)


def _places(project: Project, channel: Channel, function: Function) -> list[f.Row]:
    """Where `function`, or what it calls, takes something out; none when somebody else takes something out, too."""
    out: list[f.Row] = []
    if channel.relayed:
        return []
    for touch in channel.taken:
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


def _is_too_early(join: Touch, starts: list[f.Row], places: list[f.Row]) -> bool:
    """Whether control comes from the start of the process to its join without taking anything out, and takes it out afterwards."""
    graph, call = join.function.graph, join.call
    assert call is not None
    if not any(graph.reaches(call, place, avoiding=starts) for place in places):
        return False
    around = graph.loops_around(call)
    for place in places:
        between = [loop for loop in graph.loops_around(place) if not any(loop is other for other in around)]
        if between and graph.reaches(place, call, avoiding=starts):
            return False
        if call.args and any(loop is other for loop in graph.loops_around(place) for other in around):
            return False
    if starts:
        return any(graph.reaches(start, call, avoiding=places) for start in starts)
    return not graph.dominated(call, by=places)
