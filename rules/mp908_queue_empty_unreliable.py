"""MP908: a queue between processes looks empty while its items are still on their way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step, by_file
from mplint.project.lives.lifetimes import Life, Touch
from mplint.project.messages.asking import ASKING, Asked, asked_of
from mplint.project.messages.channels import PUTTING, root
from mplint.project.messages.holding import is_locked
from mplint.project.messages.sharing import is_run_by_several
from mplint.project.modules import CallSite, Function
from mplint.project.processes.children import processes
from mplint.project.processes.handlers import is_for_test
from mplint.project.processes.sides import callers, side_of
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project

_ENDING = ("join", "is_alive", "exitcode", "sentinel", "terminate", "kill")
"""What asks whether a process has ended, or sees to it."""

_WAITS = re.compile(
    r"join|wait|sleep|result|recv|finish|complete|terminate|kill|input|collect|alive|exitcode|sentinel|poll|stop|close|shutdown|is_set|ready|done"
)
"""What something is called that lets time go by, or asks whether the others have finished."""


class QueueEmptyUnreliable(Rule):
    """`while not queue.empty()` on a queue between processes.

    ## What it does

    Reports `empty()` and `qsize()` of a `multiprocessing` queue that decide whether anything is left to take out. It does so where a process that puts
    into the queue may not have got so far, and where other processes take items out, too, so that the `get()` behind it may wait.

    ## Why it hurts

    An item is in the queue when the thread behind `put()` has written it to a pipe, and `empty()` only looks at the pipe. Measured on CPython 3.10
    to 3.13 with fork and spawn: a loop that starts a process and drains its queue by `while not queue.empty()` read 0 of 5 items in every run; one that
    drains what the same process has just put lost items in most runs; when four processes drained 200 items that way, one of them waited in
    `get()` for ever in 28 of 64 runs. After `join()` of all that put, every run was complete.

    ## When it knows

    The queue is followed from the call that makes it into the processes. Reported are loops and branches that come behind the start of a writer, or
    behind a `put()`, with nothing between that could wait; loops of a process that is started right after the `put()`; and a `get()` without timeout
    behind `empty()` in a function that several processes run. Silent when anything waits before (`join()`, `sleep()`, a `get()`), when a loop
    around asks again, when what is taken out is thrown away, under a lock, and for queues of threads and of a manager.

    ## Fix safety

    The change is shown and never applied: a `None` that the process puts last ends the loop.

    ## References

    - [multiprocessing.Queue](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Queue.empty): "Because of
      multithreading/multiprocessing semantics, this is not reliable."
    """

    code = "MP908"
    name = "queue-empty-unreliable"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        yield from project.kept("MP908", lambda: by_file(_alarms(project))).get(module.path, ())

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        parts = alarm.hint.split()
        loop = repair.statement_of(node)
        if len(parts) != 2 or not isinstance(loop, cst.While) or not isinstance(loop.body, cst.IndentedBlock):
            return
        first = loop.body.body[0]
        taking = first.body[0] if isinstance(first, cst.SimpleStatementLine) and len(first.body) == 1 else None
        if not isinstance(taking, cst.Assign) or not isinstance(taking.targets[0].target, cst.Name) or len(loop.body.body) < 2:
            return
        repair.replace_source(loop.test, f"({repair.code(taking.targets[0].target)} := {repair.code(taking.value)}) is not None")
        repair.remove(taking)
        repair.append_to_body(repair.node(int(parts[0])), f"{parts[1]}.put(None)")
        repair.title = "Let a None that is put last end the loop"
        repair.safety = Safety.SHOWN

    example = Example(
        bad="""\
import time
from multiprocessing import Process, Queue


def measure(readings):
    for number in range(5):
        time.sleep(0.2)
        readings.put(number)


def main():
    readings, total = Queue(), 0
    sensor = Process(target=measure, args=(readings,))
    sensor.start()
    while not readings.empty():  # MP908
        reading = readings.get()
        total += reading
    sensor.join()
    print("all read" if total == 10 else "readings were lost")


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("readings were lost"),
        fixed="""\
import time
from multiprocessing import Process, Queue


def measure(readings):
    for number in range(5):
        time.sleep(0.2)
        readings.put(number)
    readings.put(None)


def main():
    readings, total = Queue(), 0
    sensor = Process(target=measure, args=(readings,))
    sensor.start()
    while (reading := readings.get()) is not None:
        total += reading
    sensor.join()
    print("all read" if total == 10 else "readings were lost")


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("all read"),
    )


def _alarms(project: Project) -> Iterator[Alarm]:
    """The alarms of the whole project."""
    if not any(project.sources.holding(f".{name}(".encode()) for name in ASKING):
        return
    for site in project.calls_ending("Queue"):
        for value in project.made_by(site):
            kind = project.kind(value)
            if value.where != "process" or kind is None or kind.role not in {"queue", "simple-queue"}:
                continue
            life = project.life(site, handed=True, patient=True)
            for asked in asked_of(life):
                message, steps, hint = _found(project, site, life, asked, kind.role == "queue")
                if message:
                    because = (Step(site.site, "the queue is made here"), *steps)
                    yield Alarm(QueueEmptyUnreliable.code, asked.function.site(asked.call), message, because, asked.function.qualname, hint)


def _found(project: Project, made: CallSite, life: Life, asked: Asked, buffered: bool) -> tuple[str, tuple[Step, ...], str]:
    """What is wrong with a question, the chain and what a fix needs; ("", (), "") when nothing is."""
    function, name = asked.function, f.last_name(asked.call.func)
    in_worker = "worker" in side_of(project, made, function)
    if (
        in_worker
        and any(_waits_for_ever(get) for get in asked.gets)
        and _is_run_by_several(project, made, function)
        and not is_locked(project, function, asked.call)
    ):
        return f"another process may take the item between `{name}()` and `get()`, which then waits for ever", project.why(function) or (), ""
    if not any(_is_kept(get) for get in asked.gets):
        return "", (), ""
    puts = list(life.touched(*PUTTING))
    before = [put.row for put in puts if put.function is function]
    if buffered and _comes_behind(function, asked.row, before, asked.call):
        return f"what was just put is not there yet: `{name}()` says that nothing is left", (Step(function.site(before[0]), "it is put here"),), ""
    if in_worker:
        return _of_worker(project, function, asked, puts) if buffered else ("", (), "")
    for put in puts:
        if "worker" not in side_of(project, made, put.function):
            continue
        for life in _processes(project, put.function):
            for start in life.touched("start"):
                too_early = any(_comes_behind(g, row, [start.row], asked.call) for g, row in _ways(project, function, asked) if g is start.function)
                if too_early or _is_joined_later(life, start, asked):
                    steps = (
                        Step(start.function.site(start.row), "the process starts here"),
                        Step(put.function.site(put.row), f"`{put.function.name}` puts into it there"),
                    )
                    hint = (
                        f"{put.function.facts.at} {f.dotted(put.row.value)}"
                        if _can_end(project, made, asked, put, puts) and isinstance(put.row, f.Attr)
                        else ""
                    )
                    rest = (
                        "as long as the first item is on its way: what comes later is not read"
                        if too_early
                        else "while processes may still put into it: they are joined only later"
                    )
                    return f"`{name}()` says that nothing is left {rest}", steps, hint
    return "", (), ""


def _is_joined_later(life: Life, start: Touch, asked: Asked) -> bool:
    """Whether a loop behind the start of a process is done with the queue before anything has looked whether the process still lives."""
    function, row = asked.function, asked.row
    if start.function is not function or not start.row.at < row.at or isinstance(row, f.If) or _is_asked_again(function, row, start.row.at):
        return False
    looks = [t.row.at for t in life.touched(*_ENDING) if t.function is function and t.row.at > start.row.at]
    body = max((r.at for r in f.walk(row)), default=row.at)
    joins = [t.row.at for t in life.touched("join") if t.function is function and t.row.at > body]
    return bool(joins) and min(looks) > body


def _of_worker(project: Project, function: Function, asked: Asked, puts: list[Touch]) -> tuple[str, tuple[Step, ...], str]:
    """What is wrong with a worker that is done when the queue is empty: it is started while what was put is on its way, or before."""
    if _waits(function, 0, asked.call.at) or _is_asked_again(function, asked.row, 0):
        return "", (), ""
    for start in (t for life in _processes(project, function) for t in life.touched("start")):
        for put in puts:
            if put.function is start.function and not _waits(put.function, put.row.at, start.row.at):
                steps = (
                    Step(put.function.site(put.row), "it is put here"),
                    Step(start.function.site(start.row), "the process starts here"),
                    *(project.why(function) or ()),
                )
                return f"the process may look before the items have come: `{f.last_name(asked.call.func)}()` says that nothing is left", steps, ""
    return "", (), ""


def _is_run_by_several(project: Project, made: CallSite, function: Function) -> bool:
    """Whether several processes run `function` at a time, and not in tests alone."""
    reach = project.workers().get(function)
    return not (reach is not None and is_for_test(project, reach, function)) and is_run_by_several(project, made, function)


def _waits_for_ever(get: Touch) -> bool:
    call = get.call
    return call is not None and get.name == "get" and not call.args


def _is_kept(get: Touch) -> bool:
    """Whether what is taken out is used."""
    return get.call is not None and not isinstance(get.function.parent(get.call), f.Do)


def _ways(project: Project, function: Function, asked: Asked) -> Iterator[tuple[Function, f.Row]]:
    """The places at which the question is asked: its own, and those of the calls that lead straight to it."""
    yield function, asked.row
    if not _waits(function, 0, asked.call.at) and not _is_asked_again(function, asked.row, 0):
        for site in callers(project, function):
            yield site.function, site.call


def _comes_behind(function: Function, row: f.Row, before: list[f.Row], asked: f.Call) -> bool:
    """Whether `row` follows one of `before`, and nothing between that and the question waits."""
    until = asked.at if any(above is row for above in function.ancestors(asked)) else row.at
    for earlier in before:
        reached = earlier.at < row.at and function.graph.reaches(earlier, row if isinstance(row, f.Call) else _head(row))
        if reached and not _waits(function, earlier.at, until) and not _is_asked_again(function, row, earlier.at):
            return True
    return False


def _head(row: f.Row) -> f.Row:
    """What is evaluated first of a step."""
    return row.test if isinstance(row, (f.If, f.While)) else row.source if isinstance(row, f.For) else row


def _is_asked_again(function: Function, row: f.Row, since: int) -> bool:
    """Whether a loop comes back to the question, so that what was missed is seen later; of those over something one that begins behind `since` and waits."""
    for loop in function.ancestors(row):
        if isinstance(loop, f.While) or (isinstance(loop, f.For) and loop.at > since and any(map(_is_wait, f.walk(*loop.body)))):
            return True
    return False


def _waits(function: Function, since: int, until: int) -> bool:
    """Whether anything between two places lets time go by: whatever its name says so, or an item that is taken out of something."""
    return any(since < row.at < until and _is_wait(row) for row in function.rows)


def _is_wait(row: f.Row) -> bool:
    if isinstance(row, f.Attr):
        return row.attr in {"exitcode", "sentinel"}
    if not isinstance(row, f.Call):
        return False
    name, first = f.last_name(row.func), row.positional(0)
    return (
        bool(_WAITS.search(name)) or name in {"map", "starmap"} or (name == "get" and (first is None or (isinstance(first, f.Const) and first.kind == "bool")))
    )


def _processes(project: Project, function: Function) -> Iterator[Life]:
    """The lives of the processes that run `function`."""
    first = root(project, function)
    yield from (project.life(site) for site, runs in processes(project).items() if first in runs)


def _can_end(project: Project, made: CallSite, asked: Asked, put: Touch, puts: list[Touch]) -> bool:
    """Whether one process alone puts, in a function of the same file, so that what it puts last is the end."""
    alone = all(other.function is put.function for other in puts) and put.function.module is asked.function.module
    reach = project.workers().get(put.function)
    plain = isinstance(asked.row, f.While) and isinstance(asked.row.test, f.Op) and asked.row.test.op == "not" and not asked.row.orelse
    return alone and plain and reach is not None and reach.caller is None and not is_run_by_several(project, made, put.function)
