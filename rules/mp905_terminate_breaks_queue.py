"""MP905: a process that is killed leaves half a message behind, a lock that nobody releases, or a queue that nobody empties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Alarm, Site, Step, by_file
from mplint.project.lives.lifetimes import Touch
from mplint.project.messages.channels import PUTTING, TAKING, is_below, is_given
from mplint.project.messages.pipes import RECEIVING, pipes
from mplint.project.messages.sizes import is_little
from mplint.project.processes.children import processes
from mplint.project.processes.killing import killed
from mplint.project.processes.sides import callers, side_of
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.project.modules import CallSite, Function, Module

_READING = TAKING | RECEIVING

_HALF = "a message that is cut in half blocks the next `{}()` for ever"
_HARM = {
    "queue": ("queue", "puts into a queue", f"{_HALF.format('get')}, whatever its timeout"),
    "simple-queue": ("queue", "puts into a queue", _HALF.format("get")),
    "pipe": ("pipe", "sends by a pipe", _HALF.format("recv")),
    "lock": ("lock", "takes a lock", "when the process holds it, it is never free again"),
}
"""What is shared, what the process does with it, and what comes of it."""

_DEPTH = 2
"""Calls between the one that kills and what goes on using the queue."""


class TerminateBreaksQueue(Rule):
    """A process is killed in the middle of a message.

    ## What it does

    Reports `terminate()` and `kill()` of a process that puts into a queue, sends by a pipe or takes a lock which the program goes on using; and of
    one that reads a queue which the parent fills.

    ## Why it hurts

    The process is stopped wherever it is. Half a message stays in the pipe, and the next `get()` waits for the other half for ever, whatever its
    timeout; the lock that guards the writing end is never released, and every other `put()` waits for it. A lock that the process held is never free.
    And what a killed reader has not taken keeps the parent from ending: its queue waits at the exit of the interpreter until everything is written.
    Measured on CPython 3.10 to 3.13 under fork: with messages of 1 MB (a small one is rarely cut) and with 5000 short tuples that nobody reads, all of
    these hang.

    ## When it knows

    The process, the queue and the lock are followed from the calls that make them. What is used afterwards must come behind the call in its function,
    or in who calls that. Silent when the process was joined before, with or without a limit, for queues of a manager, for a queue that is made anew,
    after `cancel_join_thread()`, for a pipe whose sending end the parent has closed (`recv()` raises then), and, for a reader, when the parent takes
    something out itself, has taken the answers before, or puts little.

    ## References

    - [Process.terminate](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.terminate): "liable to become corrupted".
    - [Programming guidelines](https://docs.python.org/3/library/multiprocessing.html#programming-guidelines): "Avoid terminating processes".
    """

    code = "MP905"
    name = "terminate-breaks-queue"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        yield from project.kept("MP905", lambda: by_file(_alarms(project))).get(module.path, ())

    example = Example(
        bad="""\
import queue
import time
from multiprocessing import Process, Queue


def work(answers):
    while True:
        answers.put(bytes(1_000_000))


def main():
    answers = Queue(4)
    worker = Process(target=work, args=(answers,))
    worker.start()
    while answers.empty():
        time.sleep(0.01)
    worker.terminate()  # MP905
    worker.join()
    try:
        while True:
            answers.get(timeout=1)
    except queue.Empty:
        print("all that there was")


if __name__ == "__main__":
    main()
""",
        bad_ends=Hangs(),
        fixed="""\
import time
from multiprocessing import Event, Process, Queue


def work(answers, stop):
    while not stop.is_set():
        answers.put(bytes(1_000_000))
    answers.put(None)


def main():
    answers, stop = Queue(4), Event()
    worker = Process(target=work, args=(answers, stop))
    worker.start()
    while answers.empty():
        time.sleep(0.01)
    stop.set()
    while answers.get() is not None:
        pass
    worker.join()
    print("all that there was")


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("all that there was"),
    )


class _Shared(NamedTuple):
    """A queue, pipe or lock that processes share: the call that makes it and what is done to it, in all processes."""

    made: CallSite
    role: str
    uses: tuple[Touch, ...]
    others: frozenset[str]
    escapes: str


def _alarms(project: Project) -> Iterator[Alarm]:
    """The alarms of the whole project."""
    victims = killed(project)
    everything = tuple(_shared(project)) if victims else ()
    for shared in everything:
        at_work = [t for t in shared.uses if "worker" in side_of(project, shared.made, t.function)]
        for process, kills in victims.items() if at_work else ():
            runs = processes(project)[process]
            if any(site is not process and runs & also for site, also in processes(project).items()) and not is_given(project, process, shared.made):
                continue
            users = [t for t in at_work if t.name not in _READING]
            user = next((t for t in users if any(is_below(project, t.function, run) for run in runs)), None)
            if user is not None and _all_do(project, runs, users):
                for kill, after in ((k, _used_after(project, shared, k)) for k in kills):
                    if after is not None:
                        yield _broken(shared, user, kill, after)
            readers = [t for t in at_work if t.name in TAKING]
            left = _left(project, shared) if shared.role == "queue" and _all_do(project, runs, readers) else None
            if left is not None:
                for kill in kills:
                    if not any(_answers_come_first(project, other, runs, kill) for other in everything):
                        yield _unread(shared, kill, left)


def _all_do(project: Project, runs: frozenset[Function], touches: list[Touch]) -> bool:
    """Whether each of the functions that a process may run does one of these things."""
    return bool(runs) and all(any(is_below(project, t.function, run) for t in touches) for run in runs)


def _broken(shared: _Shared, user: Touch, kill: Touch, after: Step) -> Alarm:
    name, what, then = _HARM[shared.role]
    message = f"`{kill.name}()` of a process that {what} which is used afterwards: {then}"
    made = Step(shared.made.site, f"the {name} is made here")
    at_work = Step(user.function.site(user.row), f"`{user.function.name}`, which runs in the process, uses it")
    return Alarm(TerminateBreaksQueue.code, _site(kill), message, (made, at_work, after), kill.function.qualname)


def _unread(shared: _Shared, kill: Touch, left: Touch) -> Alarm:
    message = f"`{kill.name}()` of a process that reads a queue which the parent fills: the program cannot end when more than a pipe holds is left in it"
    because = (Step(shared.made.site, "the queue is made here"), Step(left.function.site(left.row), "the parent puts into it"))
    return Alarm(TerminateBreaksQueue.code, _site(kill), message, because, kill.function.qualname)


def _site(kill: Touch) -> Site:
    return kill.function.site(kill.call or kill.row)


def _shared(project: Project) -> Iterator[_Shared]:
    """The queues and locks of `multiprocessing` itself, and the pipes whose sending end the parent still holds."""
    for site in project.calls_ending("Queue", "Lock", "Semaphore"):
        for value in project.made_by(site):
            role = project.role(value)
            if value.where == "process" and role in {"queue", "simple-queue", "lock"}:
                life = project.life(site, handed=True)
                uses = life.touched("acquire", "with") if role == "lock" else life.touched(*PUTTING, *TAKING, "iter()")
                yield _Shared(site, role, tuple(uses), life.names(), life.escapes)
    for pipe in pipes(project):
        if not pipe.is_closed(project):
            yield _Shared(pipe.made, "pipe", (*pipe.told, *pipe.taken), frozenset(), "")


def _left(project: Project, shared: _Shared) -> Touch | None:
    """Where the parent puts much into a queue that only processes empty."""
    if shared.escapes or {"cancel_join_thread", "_reader"} & shared.others:  # or the parent empties the pipe below it
        return None
    at_home = [t for t in shared.uses if "worker" not in side_of(project, shared.made, t.function)]
    if any(t.name not in PUTTING for t in at_home):
        return None
    puts = ((t, t.call) for t in at_home)
    return next((t for t, call in puts if call is not None and not _is_nothing(call) and _is_much(project, t.function, call)), None)


def _answers_come_first(project: Project, answers: _Shared, runs: frozenset[Function], kill: Touch) -> bool:
    """Whether the function takes what the process sends back before it kills it: then all was read; not where it kills because it was left early."""
    graph = kill.function.graph
    if any(place.part in {"final", "handler"} for place in graph.tries_around(kill.row)):
        return False
    if not any(t.name in _READING and t.function is kill.function and graph.reaches(t.row, kill.row) for t in answers.uses):
        return False
    return _all_do(project, runs, [t for t in answers.uses if t.name not in _READING])


def _is_nothing(call: f.Call) -> bool:
    given = call.positional(0) or call.keyword("obj")
    return isinstance(given, f.Const)


def _is_much(project: Project, function: Function, call: f.Call) -> bool:
    return bool(function.graph.loops_around(call)) or call.starred or not is_little(project, call.positional(0) or call.keyword("obj"), function)


def _used_after(project: Project, shared: _Shared, kill: Touch) -> Step | None:
    """What goes on using the queue or lock after the process was killed: behind the call, or behind the calls of its function."""
    uses = {t.function: t for t in shared.uses}
    return _after(project, shared, kill.function, kill.call or kill.row, uses, _DEPTH)


def _after(project: Project, shared: _Shared, function: Function, row: f.Row, uses: dict[Function, Touch], depth: int) -> Step | None:
    graph = function.graph
    anew = [s.call for s in function.calls if s == shared.made or shared.made.function in project.callees(s)]
    for touch in shared.uses:
        if touch.function is function and graph.reaches(row, touch.row, avoiding=anew):
            return Step(function.site(touch.row), "it is used here afterwards")
    for site in function.calls:
        for callee in project.callees(site):
            if callee in uses and callee is not function and graph.reaches(row, site.call, avoiding=anew):
                return Step(callee.site(uses[callee].row), "it is used here afterwards")
    if depth:
        for site in callers(project, function):
            if site.function is not function and shared.made.function is not function:
                found = _after(project, shared, site.function, site.call, uses, depth - 1)
                if found is not None:
                    return found
    return None
