"""MP506: a dead worker never answers, and `Queue.get()` waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint.finding import Alarm, Step, by_file
from mplint.project.messages.channels import channels, joins, relays
from mplint.project.waits.waiting import waiting
from mplint.project.waits.watching import is_watched
from mplint.rule import Example, Hangs, Raises, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project
    from mplint.project.lives.lifetimes import Touch
    from mplint.project.modules import Function


class QueueGetWithoutLiveness(Rule):
    """The parent waits for what a worker puts into a queue, and for nothing else.

    ## What it does

    Reports `Queue.get()` without a timeout, and `iter(queue.get, end)`, where worker processes put into the queue and the parent takes out. A
    loop that polls is reported too (`empty()` and a pause, or `get(timeout=...)` with `queue.Empty` passed over) when only an item ends it; and
    `join()` of a queue, where workers call its `task_done()`.

    ## Why it hurts

    A worker that dies before it has answered (an exception, a segmentation fault, the kernel's OOM killer) puts nothing, and the queue tells nobody:
    `get()` hangs, and so does `join()` when the worker had taken an item. Measured on CPython 3.8 to 3.13. `SimpleQueue`, `JoinableQueue` and the
    queues of a manager do the same.

    ## When it knows

    The queue is followed from the call that makes it through names, attributes, containers and arguments into the functions that processes and
    pools run; what a worker passes it to may be out of sight. Silent when the parent itself puts into the queue what workers do not (it can end the
    wait), when workers only put in handlers of exceptions, when `is_alive()`, `exitcode` or `sentinel` is looked at before the wait (not only to send
    away who still lives), in a loop around it or by a thread of the file, when the queue was asked for items, in workers and threads, and when the
    queue leaves the sight anywhere else.

    ## References

    - [multiprocessing.Queue](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Queue.get): `timeout` raises `queue.Empty`.
    - [multiprocessing.Process.sentinel](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.sentinel): waiting for the
      end of a process and for something else at once.
    """

    code = "MP506"
    name = "queue-get-without-liveness"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        yield from project.kept("MP506", lambda: by_file(_alarms(project))).get(module.path, ())

    example = Example(
        bad="""\
import os
import signal
from multiprocessing import Process, Queue


def render(page, answers):
    if page == 2:
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out
    answers.put(page * 10)


def main():
    answers = Queue()
    workers = [Process(target=render, args=(page, answers)) for page in range(4)]
    for worker in workers:
        worker.start()
    print(sorted(answers.get() for _ in workers))  # MP506


if __name__ == "__main__":
    main()
""",
        bad_ends=Hangs(),
        fixed="""\
import os
import queue
import signal
from multiprocessing import Process, Queue


def render(page, answers):
    if page == 2:
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out
    answers.put(page * 10)


def next_answer(answers, workers):
    while True:
        try:
            return answers.get(timeout=1)
        except queue.Empty:
            for worker in workers:
                if worker.exitcode:
                    raise RuntimeError(f"a worker ended with {worker.exitcode}") from None


def main():
    answers = Queue()
    workers = [Process(target=render, args=(page, answers)) for page in range(4)]
    for worker in workers:
        worker.start()
    print(sorted(next_answer(answers, workers) for _ in workers))


if __name__ == "__main__":
    main()
""",
        fixed_ends=Raises("RuntimeError: a worker ended with -9"),
    )


def _alarms(project: Project) -> Iterator[Alarm]:
    """The alarms of the whole project."""
    for channel in (*channels(project), *relays(project)):
        if channel.fed or all(_tells_of_errors(put) for put in channel.told):
            continue
        seen: set[Function] = set()
        for touch in sorted(channel.taken, key=lambda t: t.row.at):
            function, how = touch.function, waiting(project, touch)
            if not how or function in seen or is_watched(project, function, touch.row):
                continue
            seen.add(function)
            row = touch.call or function.parent(touch.row) or touch.row
            waits = f"`{touch.name}()` waits for ever" if how == "blocks" else "this loop only asks for items: it goes on for ever"
            because = (
                Step(channel.made.site, "the queue is made here"),
                *(Step(put.function.site(put.row), f"`{put.function.name}`, which runs in a worker, puts into it") for put in channel.told[:1]),
            )
            yield Alarm(QueueGetWithoutLiveness.code, function.site(row), f"{waits} when the worker that puts into this queue dies", because, function.qualname)
    for made, join, done in joins(project):
        if join.call is None or join.call.args or is_watched(project, join.function, join.row):
            continue
        because = (
            Step(made.site, "the queue is made here"),
            Step(done.function.site(done.row), f"`{done.function.name}`, which runs in a worker, says here that it is done with an item"),
        )
        message = "`join()` of this queue waits for ever when a worker dies that has taken something out of it"
        yield Alarm(QueueGetWithoutLiveness.code, join.function.site(join.call), message, because, join.function.qualname)


def _tells_of_errors(put: Touch) -> bool:
    """Whether a worker puts something only in a handler of exceptions: who takes it out was told by other means that it is there."""
    return any(place.part == "handler" for place in put.function.graph.tries_around(put.row))
