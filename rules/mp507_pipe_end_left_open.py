"""MP507: the parent holds the end of the pipe that its worker writes to, and never sees that it was closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step, by_file
from mplint.project.messages.pipes import Pipe, pipes
from mplint.project.modules import CallSite
from mplint.project.processes.sides import side_of
from mplint.project.waits.watching import is_watched
from mplint.rule import Example, Hangs, Raises, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.finding import Site
    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project
    from mplint.project.lives.lifetimes import Touch


class PipeEndLeftOpen(Rule):
    """The parent keeps its copy of the end of a pipe that a worker writes to.

    ## What it does

    Reports `recv()` in the parent while the parent still has the worker's end of the `Pipe` open, too. It has it in a variable of the function
    that receives, in an attribute or in a global.

    ## Why it hurts

    `recv()` raises `EOFError` when every copy of the other end is closed. The parent's own copy keeps it open: when the worker dies, nothing ever
    comes and nothing is ever closed, so `recv()` hangs. Measured on CPython 3.8 to 3.13; with the copy closed after `start()`, `EOFError`.

    ## When it knows

    Both ends are followed from the call that makes them into the worker. Silent when the parent closes the worker's end anywhere, or lets go of it
    (`del`, or because the function that had it has returned), when it asks `poll()` or waits for several connections, when `is_alive()`,
    `exitcode` or `sentinel` is looked at as MP506 says, and when one of the ends leaves the sight.

    ## Fix safety

    Closes the worker's end behind `start()`, where both stand in one function. Unsafe: the parent must have no other use for that end, and with
    fork a worker that was started before the close has a copy of it, too.

    ## References

    - [multiprocessing.Pipe](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.connection.Connection.recv): `EOFError` "if
      there is nothing left to receive and the other end was closed".
    """

    code = "MP507"
    name = "pipe-end-left-open"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        yield from project.kept("MP507", lambda: by_file(_alarms(project))).get(module.path, ())

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        if not alarm.hint:
            return
        number, name = alarm.hint.split(" ")
        repair.insert_after(repair.statement_of(repair.node(int(number))), f"{name}.close()")
        repair.title = f"Close the parent's copy of `{name}` once the worker has its own"
        repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
import os
import signal
from multiprocessing import Pipe, Process


def render(sender):
    sender.send("title")
    os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out


def main():
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=render, args=(sender,))
    worker.start()
    while (line := receiver.recv()) != "end":  # MP507
        print(line)


if __name__ == "__main__":
    main()
""",
        bad_ends=Hangs(),
        fixed="""\
import os
import signal
from multiprocessing import Pipe, Process


def render(sender):
    sender.send("title")
    os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out


def main():
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=render, args=(sender,))
    worker.start()
    sender.close()
    while (line := receiver.recv()) != "end":
        print(line)


if __name__ == "__main__":
    main()
""",
        fixed_ends=Raises("EOFError"),
    )


def _alarms(project: Project) -> Iterator[Alarm]:
    """The alarms of the whole project."""
    for pipe in pipes(project):
        if pipe.is_closed(project) or any(name.endswith(".wait()") for name in pipe.near.names()):
            continue
        for touch in sorted(pipe.taken, key=lambda t: t.row.at):
            if touch.call is None or not _is_held(pipe, touch) or _is_there(pipe, touch) or is_watched(project, touch.function, touch.row):
                continue
            site = touch.function.site(touch.call)
            message = f"`{touch.name}()` waits for ever when the worker dies: the parent holds the worker's end of the pipe open"
            because = (
                Step(pipe.made.site, "the pipe is made here"),
                *(Step(put.function.site(put.row), f"`{put.function.name}`, which runs in the worker, sends by the other end") for put in pipe.told[:1]),
            )
            yield Alarm(PipeEndLeftOpen.code, site, message, because, touch.function.qualname, _hint(project, pipe, site))
            break


def _is_held(pipe: Pipe, touch: Touch) -> bool:
    """Whether the parent still has the worker's end when it receives: in an attribute or a global, or in a variable of the very function."""
    made = pipe.made
    if pipe.far.kept:
        return True
    return touch.function is made.function and made.function.graph.reaches(made.call, touch.row)


def _is_there(pipe: Pipe, touch: Touch) -> bool:
    """Whether the end was asked on the way here whether something came, perhaps with a timeout."""
    graph = touch.function.graph
    return any(t.function is touch.function and graph.reaches(t.row, touch.row) for t in pipe.near.touched("poll"))


def _hint(project: Project, pipe: Pipe, site: Site) -> str:
    """The number of the call that starts the worker and the name of its end, where the one can be closed behind the other; "" elsewhere."""
    function, graph = pipe.made.function, pipe.made.function.graph
    around = function.parent(pipe.made.call)
    target = around.targets[0] if isinstance(around, f.Assign) and len(around.targets) == 1 else None
    if site.path != function.path or not isinstance(target, f.Sequence) or len(target.items) != 2:
        return ""
    if any(side_of(project, pipe.made, t.function) - {"worker"} for t in pipe.far.touches):
        return ""
    name = target.items[pipe.place]
    starts = [
        use.call
        for call in function.calls
        for use in project.uses_at(CallSite(function, call.call), "start")
        if use.receiver is not None and project.role(use.receiver) == "process" and isinstance(function.parent(use.call), f.Do)
    ]
    loops = graph.loops_around(pipe.made.call)
    if len(starts) != 1 or not isinstance(name, f.Name) or len(loops) != len(graph.loops_around(starts[0])) or not graph.reaches(pipe.made.call, starts[0]):
        return ""
    return f"{starts[0].at} {name.id}"
