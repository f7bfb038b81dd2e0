"""MP608: the end of a `with Pool()` block terminates work that nobody waited for, and workers whose messages are not written yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.project.lives import unfinished
from mplint.project.lives.lifetimes import Life, Touch
from mplint.project.lives.unfinished import Block
from mplint.project.messages.channels import PUTTING, TAKING, is_below, is_given
from mplint.project.modules import CallSite, Function
from mplint.project.processes.children import is_standard
from mplint.project.processes.sides import side_of
from mplint.project.values import Instance
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project

_LOGGING = frozenset({"logging.handlers.QueueHandler()", "logging.handlers.QueueHandler.__init__()"})
"""By these every record that a worker logs is put into a queue."""

_LISTENING = frozenset({"logging.handlers.QueueListener()", "logging.handlers.QueueListener.__init__()"})

_PASSING = frozenset({
    "sleep", "wait", "join", "stop", "shutdown", "acquire", "communicate", "recv", "pause", "select", "serve_forever", "mainloop", "run_forever",
    "run_until_complete", "poll", "is_alive", "wait_for", "join_thread", "input", "empty", "qsize", "terminate", "task_done",
})  # fmt: skip
"""Last names of calls by which the block may wait until the messages are written, or say that nobody needs them any more."""


class ExitDoesNotWait(Rule):
    """Work given to a process pool whose `with` block is left before it is done, or before what its workers put into a queue is written.

    ## What it does

    Reports `apply_async`, `map_async`, `starmap_async`, `imap` and `imap_unordered` inside a `with Pool()` block when nothing in the block waits
    for the work or collects its result. Also reports the block itself when its workers put into a `multiprocessing.Queue`, or log into one by a
    `QueueHandler`, and nothing in the block waits for more than the results.

    ## Why it hurts

    `Pool.__exit__` calls `terminate()`: workers are killed in the middle of a task, waiting tasks are dropped, and callbacks are never called. The
    program goes on and ends with status 0.

    A queue is written to by a thread of the worker, which may still be busy when the results are there. What it has not written is lost, and
    when it is killed in the middle of a message, the reader waits for the other half for ever. Measured with a block that does no more than `map`:
    of 20 messages of 1 MB, 6 to 20 are lost, and the reader hangs each time; of 8000 log records (1000 a task) 2700 to 6900 are lost, and the
    reader hangs each time; with one number a task, something is lost in 0 to 8 of 100 runs. With `close()` and `join()` nothing is lost,
    nor with the queue of a manager or a `SimpleQueue`, whose `put()` ends when the message is written. All measured on CPython 3.10 to 3.13.

    ## When it knows

    The pool of the call must be the one that the block entered. Silent when the block closes and joins the pool, asks the result for
    anything, waits for something else (an event, a queue, a sleep), or hands the result to somebody; for thread pools, and for executors, whose end
    of the block waits. A result that is read after the block is reported by MP508.

    Of a queue it must be known that workers of this pool put into it and that somebody else takes something out, unless it is for log records. Silent
    when the block itself takes something out, joins a thread, stops a listener or sleeps, and for workers that wait for their messages by
    `join_thread()` or say `cancel_join_thread()`.

    ## Fix safety

    Adds `close()` and `join()` to the end of the block. Unsafe: the program waits now, and for ever if a worker dies. Not offered where the queue
    is only read after the block, since workers do not end before that.

    ## References

    - [multiprocessing.pool](https://docs.python.org/3/library/multiprocessing.html#module-multiprocessing.pool): `__exit__()` calls `terminate()`.
    """

    code = "MP608"
    name = "exit-does-not-wait"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen, blocks = set(), set()
        for left in unfinished.left(project, module):
            if left.use.site in seen or left.waited or (left.life.escapes and left.life.escapes != "returned") or any(left.after()):
                continue
            seen.add(left.use.site)
            blocks.add(left.block.at)
            method = left.use.row.name.rpartition(".")[2]
            function = left.use.function
            target = left.block.items[left.item].target
            falls = function.graph.can_fall_through(left.block.body) and not left.life.returned
            hint = f"{left.block.at} {target.id}" if isinstance(target, f.Name) and falls else ""
            because = (Step(function.site(left.block), "the end of this block terminates the pool"),)
            message = f"the block is left before the work of `{method}` is done: it is terminated"
            yield Alarm(self.code, left.use.site.site, message, because, function.qualname, hint)
        for block in unfinished.blocks(project, module):
            if block.row.at not in blocks:
                yield from _unwritten(project, block)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if not alarm.hint:
            return
        number, name = alarm.hint.split(" ")
        block = repair.node(int(number))
        if isinstance(block, cst.With):
            repair.append_to_body(block, f"{name}.close()\n{name}.join()")
            repair.title = "Wait for the work at the end of the block"
            repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
import time
from multiprocessing import Pool

done = []


def convert(name):
    time.sleep(1)
    return name


def main():
    with Pool(2) as pool:
        for name in ("a", "b", "c"):
            pool.apply_async(convert, (name,), callback=done.append)  # MP608
    print("converted:", sorted(done))


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("converted: []"),
        fixed="""\
import time
from multiprocessing import Pool

done = []


def convert(name):
    time.sleep(1)
    return name


def main():
    with Pool(2) as pool:
        for name in ("a", "b", "c"):
            pool.apply_async(convert, (name,), callback=done.append)
        pool.close()
        pool.join()
    print("converted:", sorted(done))


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("converted: ['a', 'b', 'c']"),
    )


def _unwritten(project: Project, block: Block) -> Iterator[Alarm]:
    """The alarm on a block whose workers may not have written all that they put into a queue."""
    runs = _runs(project, block.pool)
    maker = project.maker(block.pool)
    if not runs or maker is None or not is_standard(block.pool):
        return
    later = tuple(site for site in block.later() if not any(place.part == "handler" for place in block.function.graph.tries_around(site.call)))
    if any(_passes_time(project, site) for site in later) or _is_joined_elsewhere(project, maker, block):
        return
    for made, life in _queues(project):
        user = next((t for t in life.touches if _puts(t) and _is_in(project, made, t, runs)), None)
        if user is None or not _is_of(project, maker, made, runs) or not life.names().isdisjoint({"join_thread", "cancel_join_thread"}):
            continue
        readers = [t for t in life.touches if t.name in TAKING or t.name == "iter()" or t.name in _LISTENING]
        others = [t for t in readers if not _is_in(project, made, t, runs) or side_of(project, made, t.function) != {"worker"}]
        if not others and user.name not in _LOGGING:
            continue
        taking = {t.function for t in readers}
        if any(site.call.at == (t.call or t.row).at for site in later for t in readers) or any(_leads_to(project, site, taking) for site in later):
            continue
        target = block.row.items[block.item].target
        falls = block.function.graph.can_fall_through(block.row.body)
        aside = not others or any(t.name in _LISTENING or "parent" not in side_of(project, made, t.function) for t in others)
        hint = f"{block.row.at} {target.id}" if isinstance(target, f.Name) and falls and aside else ""
        what = "logs into a queue" if user.name in _LOGGING else "puts into a queue"
        because = (
            Step(made.site, "the queue is made here"),
            Step(
                user.function.site(user.call or user.row), f"`{user.function.name}`, which runs in the workers, {what}, which a thread of the worker writes to"
            ),
            *(Step(use.site.site, "the results are there before all is written") for use in block.given[:1]),
        )
        message = "the end of the block kills workers that may still be writing to a queue: messages are lost, and half of one blocks the reader for ever"
        yield Alarm(ExitDoesNotWait.code, block.function.site(block.row.items[block.item].value), message, because, block.function.qualname, hint)
        return


def _queues(project: Project) -> tuple[tuple[CallSite, Life], ...]:
    """The queues of `multiprocessing` itself that have a thread which writes."""

    def compute() -> Iterator[tuple[CallSite, Life]]:
        for site in project.calls_ending("Queue"):
            if any(v.where == "process" and project.role(v) == "queue" for v in project.made_by(site)):
                yield site, project.life(site, handed=True, patient=True)

    return project.kept("queues that write later", lambda: tuple(compute()))


def _runs(project: Project, pool: Instance) -> frozenset[Function]:
    """What the workers of a pool run: its tasks and its initializer."""
    found = (s for s in project.submissions() if s.where != "thread" and s.role in {"task", "initializer"} and s.receiver is not None)
    return frozenset(callee for s in found if s.receiver is not None and s.receiver.made == pool.made for callee in s.callees)


def _puts(touch: Touch) -> bool:
    return touch.name in PUTTING or touch.name in _LOGGING


def _is_in(project: Project, made: CallSite, touch: Touch, runs: frozenset[Function]) -> bool:
    return "worker" in side_of(project, made, touch.function) and any(is_below(project, touch.function, run) for run in runs)


def _is_of(project: Project, maker: CallSite, made: CallSite, runs: frozenset[Function]) -> bool:
    """Whether the workers of this pool have this queue: it is given to them, made by the module, or nobody else runs what they run."""
    if made.function.is_module or is_given(project, maker, made):
        return True
    return all(
        s.receiver is not None and s.receiver.made == maker.site for s in project.submissions() if not runs.isdisjoint(s.callees) and s.where == "process"
    )


def _passes_time(project: Project, site: CallSite) -> bool:
    """Whether a call waits for something else than results, or leads to one that does."""
    if f.last_name(site.call.func) in _PASSING:
        return not any(use.receiver is not None and project.role(use.receiver) == "async-result" for use in project.uses_at(site))
    return any(f.last_name(inner.call.func) in _PASSING for callee in project.callees(site) for inner in callee.calls)


def _is_joined_elsewhere(project: Project, maker: CallSite, block: Block) -> bool:
    """Whether another function joins the pool, or may do so."""
    life = project.life(maker)
    return bool(life.escapes) or any(t.function is not block.function for t in life.touched("join"))


def _leads_to(project: Project, site: CallSite, functions: set[Function]) -> bool:
    """Whether a call runs one of the functions here and now."""
    return any(is_below(project, function, callee) for callee in project.callees(site) for function in functions)
