"""MP905: a process that is killed leaves half a message behind, a lock that nobody releases, or a queue that nobody empties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Alarm, Site, Step
from mplint.project.lives.lifetimes import Life, Touch
from mplint.project.messages.channels import PUTTING, TAKING, root
from mplint.project.messages.sizes import is_little
from mplint.project.processes.sides import callers, sides
from mplint.project.values import Instance, held
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.project.modules import CallSite, Function, Module

_KILLING = ("terminate", "kill")

_DEPTH = 2
"""Calls between the one that kills and what goes on using the queue."""


class TerminateBreaksQueue(Rule):
    """A process is killed in the middle of a message.

    ## What it does

    Reports `terminate()` and `kill()` of a process that puts into a queue, or takes a lock, which the program goes on using; and of one that reads a
    queue which the parent fills.

    ## Why it hurts

    The process is stopped wherever it is. Half a message stays in the pipe, and the next `get()` waits for the other half for ever, whatever its
    timeout; the lock that guards the writing end is never released, and every other `put()` waits for it. A lock that the process held is never free.
    And what a killed reader has not taken keeps the parent from ending: its queue waits at the exit of the interpreter until everything is written.
    Measured on CPython 3.10 to 3.13 under fork: with messages of 1 MB (a small one is rarely cut) and with 5000 short tuples that nobody reads, all of
    these hang.

    ## When it knows

    The process, the queue and the lock are followed from the calls that make them. What is used afterwards must come behind the call in its function,
    or in who calls that. Silent when the process was joined before, with or without a limit, for queues of a manager, for a queue that is made anew,
    after `cancel_join_thread()`, and, for a reader, when the parent takes something out itself or all that it puts is little.

    ## References

    - [Process.terminate](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.terminate): "liable to become corrupted".
    - [Programming guidelines](https://docs.python.org/3/library/multiprocessing.html#programming-guidelines): "Avoid terminating processes".
    """

    code = "MP905"
    name = "terminate-breaks-queue"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        yield from project.kept("MP905", lambda: _alarms(project)).get(module.path, ())

    example = Example(
        bad="""\
import queue
import time
from multiprocessing import Process, Queue


def work(answers):
    while True:
        answers.put(bytes(1_000_000))


def main():
    answers = Queue()
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
    answers, stop = Queue(), Event()
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
    """A queue or lock that processes share: `made` by this call; `life` is what is done to it everywhere."""

    made: CallSite
    role: str
    life: Life

    def uses(self) -> Iterator[Touch]:
        return self.life.touched("acquire", "with") if self.role == "lock" else self.life.touched(*PUTTING, *TAKING, "iter()")


def _alarms(project: Project) -> dict[str, list[Alarm]]:
    """The alarms of the whole project, by file."""
    processes = _processes(project)
    killed = _killed(project, processes)
    out: dict[str, dict[object, Alarm]] = {}
    for shared in _shared(project) if killed else ():
        at_work = [t for t in shared.uses() if "worker" in sides(project, t.function) and t.function is not shared.made.function]
        for (process, runs), kills in killed.items() if at_work else ():
            if any(other is not process and runs & also for other, also in processes.items()) and not _is_given(project, process, shared):
                continue
            mine = [t for t in at_work if any(_does(project, run, t) for run in runs)]
            users = [t for t in mine if t.name not in TAKING]
            if _all_do(project, runs, users):
                for kill, after in ((k, _used_after(project, shared, k)) for k in kills):
                    if after is not None:
                        _add(out, _broken(shared, users[0], kill, after))
            readers = [t for t in mine if t.name in TAKING]
            left = _left(project, shared) if shared.role == "queue" and _all_do(project, runs, readers) else None
            if left is not None:
                for kill in kills:
                    _add(out, _unread(shared, kill, left))
    return {path: list(found.values()) for path, found in out.items()}


def _is_given(project: Project, process: CallSite, shared: _Shared) -> bool:
    """Whether this very queue or lock is an argument of the process; others may run the same function with other ones."""
    values = tuple(v for a in process.call.args for v in project.values(a.value, process.function))
    found = (*values, *held(values), *held(held(values)))
    return any(isinstance(v, Instance) and v.made == shared.made.site for v in found)


def _all_do(project: Project, runs: frozenset[Function], touches: list[Touch]) -> bool:
    """Whether each of the functions that a process may run does one of these things."""
    return bool(runs) and all(any(_does(project, run, t) for t in touches) for run in runs)


def _does(project: Project, run: Function, touch: Touch) -> bool:
    """Whether something is done by a function that a process runs, or in what it calls."""
    return root(project, touch.function) is run or touch.function in project.kept(("does", run), lambda: _called(project, run))


def _called(project: Project, run: Function) -> frozenset[Function]:
    """A function and what it calls, some calls deep."""
    found = {run: None}
    for _ in range(_DEPTH):
        for function in tuple(found):
            found.update((callee, None) for site in function.calls for callee in project.callees(site))
    return frozenset(found)


def _add(out: dict[str, dict[object, Alarm]], alarm: Alarm) -> None:
    out.setdefault(alarm.site.path, {}).setdefault(alarm.site, alarm)


def _broken(shared: _Shared, user: Touch, kill: Touch, after: Step) -> Alarm:
    what = "holds a lock" if shared.role == "lock" else "puts into a queue"
    then = "the lock is never free again" if shared.role == "lock" else "a message that is cut in half blocks the next `get()` for ever, whatever its timeout"
    message = f"`{kill.name}()` of a process that {what} which is used afterwards: {then}"
    made = Step(shared.made.site, f"the {'lock' if shared.role == 'lock' else 'queue'} is made here")
    at_work = Step(user.function.site(user.row), f"`{user.function.name}`, which runs in the process, uses it")
    return Alarm(TerminateBreaksQueue.code, _site(kill), message, (made, at_work, after), kill.function.qualname)


def _unread(shared: _Shared, kill: Touch, left: Touch) -> Alarm:
    message = f"`{kill.name}()` of a process that reads a queue which the parent fills: the program cannot end when more than a pipe holds is left in it"
    because = (Step(shared.made.site, "the queue is made here"), Step(left.function.site(left.row), "the parent puts into it"))
    return Alarm(TerminateBreaksQueue.code, _site(kill), message, because, kill.function.qualname)


def _site(kill: Touch) -> Site:
    return kill.function.site(kill.call or kill.row)


def _processes(project: Project) -> dict[CallSite, frozenset[Function]]:
    """The calls that make processes, with the functions that these run; none where nothing is killed."""
    near = [module.path for module in project.spread.modules()]
    out: dict[CallSite, frozenset[Function]] = {}
    if any(project.sources.holding(f".{word}(".encode(), near) for word in _KILLING):
        for submission in project.submissions():
            if submission.role in {"target", "run"} and submission.where == "process":
                out[submission.site] = out.get(submission.site, frozenset()) | frozenset(submission.callees)
    return out


def _killed(project: Project, processes: dict[CallSite, frozenset[Function]]) -> dict[tuple[CallSite, frozenset[Function]], list[Touch]]:
    """Those of the processes that are killed before they were joined, and the calls that do it."""
    out: dict[tuple[CallSite, frozenset[Function]], list[Touch]] = {}
    for site, functions in processes.items():
        life = project.life(site, patient=True)
        joins = [t for t in life.touched("join") if t.call is not None]
        for kill in life.touched(*_KILLING):
            if kill.call is not None and not any(_comes_first(join, kill) for join in joins):
                out.setdefault((site, functions), []).append(kill)
    return out


def _comes_first(join: Touch, kill: Touch) -> bool:
    """Whether a process was joined before it is killed; not where the kill is the answer to an exception around the join."""
    graph = kill.function.graph
    if join.function is not kill.function or not graph.reaches(join.row, kill.row):
        return False
    handled = [step for place in graph.tries_around(kill.row) if place.part == "handler" and isinstance(place.row, f.Try) for step in place.row.body]
    return not any(row is join.row for row in f.walk(*handled))


def _shared(project: Project) -> Iterator[_Shared]:
    """The queues and locks of `multiprocessing` itself."""
    for site in project.calls_ending("Queue", "Lock", "Semaphore"):
        for value in project.made_by(site):
            role = project.role(value)
            if value.where == "process" and role in {"queue", "simple-queue", "lock"}:
                yield _Shared(site, role, project.life(site, handed=True))


def _left(project: Project, shared: _Shared) -> Touch | None:
    """Where the parent puts much into a queue that only processes empty."""
    if shared.life.escapes or "cancel_join_thread" in shared.life.names():
        return None
    if any("worker" not in sides(project, t.function) or t.function is shared.made.function for t in shared.life.touched(*TAKING, "iter()")):
        return None
    for put in shared.life.touched(*PUTTING):
        parent = put.function is shared.made.function or "worker" not in sides(project, put.function)
        if parent and put.call is not None and not _is_nothing(put.call) and _is_much(project, put.function, put.call):
            return put
    return None


def _is_nothing(call: f.Call) -> bool:
    given = call.positional(0) or call.keyword("obj")
    return isinstance(given, f.Const)


def _is_much(project: Project, function: Function, call: f.Call) -> bool:
    return bool(function.graph.loops_around(call)) or call.starred or not is_little(project, call.positional(0) or call.keyword("obj"), function)


def _used_after(project: Project, shared: _Shared, kill: Touch) -> Step | None:
    """What goes on using the queue or lock after the process was killed: behind the call, or behind the calls of its function."""
    uses = {t.function: t for t in shared.uses()}
    return _after(project, shared, kill.function, kill.call or kill.row, uses, _DEPTH)


def _after(project: Project, shared: _Shared, function: Function, row: f.Row, uses: dict[Function, Touch], depth: int) -> Step | None:
    graph = function.graph
    anew = [shared.made.call] if shared.made.function is function else []
    for touch in shared.uses():
        if touch.function is function and graph.reaches(row, touch.row, avoiding=anew):
            return Step(function.site(touch.row), "it is used here afterwards")
    for site in function.calls:
        for callee in project.callees(site):
            if callee in uses and callee is not function and graph.reaches(row, site.call, avoiding=anew):
                return Step(callee.site(uses[callee].row), "it is used here afterwards")
    if depth:
        for site in callers(project, function):
            if site.function is not function and not anew:
                found = _after(project, shared, site.function, site.call, uses, depth - 1)
                if found is not None:
                    return found
    return None
