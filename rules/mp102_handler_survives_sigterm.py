"""MP102: a pool that terminates a worker waits for it, and a handler that only takes note lets it live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety
from mplint.project.processes.handlers import Home, Registration, goes_on, home, is_replaced, owner_name, registrations, signal_parameter
from mplint.rule import Example, Exits, Hangs, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Function, Module, Project

IGNORING = "signal.SIG_IGN"


class HandlerSurvivesSigterm(Rule):
    """A SIGTERM handler that lets its worker live.

    ## What it does

    Reports handlers for SIGTERM that run in a worker process and neither end it nor raise: they set a flag, write to a log, or are `SIG_IGN`.
    The handler is registered in worker code, or in the parent before it forks the workers.

    ## Why it hurts

    `Pool.terminate()`, which the end of a `with` block and of the program calls too, sends SIGTERM and joins the workers without a limit. The
    parent keeps the lock of the task queue, so that even a worker whose task honours the flag gets stuck when it asks for the next one.
    Measured on CPython 3.8 to 3.13: certain hang whenever a worker is inside a task. `Process.terminate()` followed by `join()` hangs as well.

    ## When it knows

    Some way through the handler must end without an exit, a `raise` or a signal to itself. Silent for SIGINT, whose ignoring in an initializer is
    good practice, and for executors, which send no signal as long as no worker dies. Silent for the body of a `Process` that looks at what
    the handler stores, where nothing terminates it or what is left is killed, and where `SIG_IGN` stands only until a handler takes its place. Inherited
    handlers are told as MP101 tells them.

    ## Fix safety

    Adds `sys.exit(128 + signum)` at the end of the handler. It is unsafe: what the handler wanted to finish first is cut off.

    ## References

    - [gh-73945](https://github.com/python/cpython/issues/73945): deadlock of `Pool.terminate()`.
    - [multiprocessing.pool.Pool.terminate](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.Pool.terminate)
    """

    code = "MP102"
    name = "handler-survives-sigterm"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for registration in registrations(project, module):
            if registration.signals != {"SIGTERM"} and not ("SIGTERM" in registration.signals and registration.functions):
                continue
            ignored = IGNORING in registration.others and not registration.functions and not is_replaced(project, registration)
            surviving = tuple(h for h in registration.functions if goes_on(project, h))
            if not (ignored or surviving):
                continue
            where = home(project, registration)
            if where is not None and where.certain and _hangs(project, where, surviving):
                yield self._alarm(registration, where, surviving[0] if surviving else None)

    def _alarm(self, registration: Registration, where: Home, handler: Function | None) -> Alarm:
        what = f"`{handler.name}` lets the process live after SIGTERM" if handler is not None else "SIGTERM is ignored"
        owner = owner_name(where) if where.role == "process" else "a pool"
        inherited = " the workers inherit it by fork, and" if where.inherited else ""
        effect = (
            f"{inherited} who terminates and joins `{owner}` waits for ever"
            if where.role == "process"
            else f"{inherited} the end of the pool waits for ever for a busy worker"
        )
        hint = ""
        if handler is not None and not where.inherited and handler.path == registration.site.function.path and handler.name != "<lambda>":
            number = signal_parameter(handler)
            hint = f"{handler.facts.at} {number}" if number else ""
        site = registration.site
        return Alarm(self.code, site.site, f"{what}:{effect}", where.because, site.function.qualname, hint)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if not alarm.hint:
            return
        at, _, number = alarm.hint.partition(" ")
        handler = repair.node(int(at))
        if isinstance(handler, cst.FunctionDef):
            repair.append_to_body(handler, f"{repair.import_name('sys', 'exit')}(128 + {number})")
            repair.title = "End the worker with `sys.exit()`"
            repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
import signal
import time
from multiprocessing import Event, Pool

busy = Event()
stopping = False


def on_term(signum, frame):
    global stopping
    stopping = True


def install():
    signal.signal(signal.SIGTERM, on_term)  # MP102


def watch(seconds):
    busy.set()
    while not stopping:
        time.sleep(seconds)


if __name__ == "__main__":
    with Pool(1, initializer=install) as pool:
        pool.apply_async(watch, (0.1,))
        busy.wait()
""",
        bad_ends=Hangs(),
        fixed="""\
import signal
import sys
import time
from multiprocessing import Event, Pool

busy = Event()
stopping = False


def on_term(signum, frame):
    global stopping
    stopping = True
    sys.exit(128 + signum)


def install():
    signal.signal(signal.SIGTERM, on_term)


def watch(seconds):
    busy.set()
    while not stopping:
        time.sleep(seconds)


if __name__ == "__main__":
    with Pool(1, initializer=install) as pool:
        pool.apply_async(watch, (0.1,))
        busy.wait()
""",
        fixed_ends=Exits(),
    )


def _hangs(project: Project, where: Home, handlers: tuple[Function, ...]) -> bool:
    """Whether somebody waits for the process after SIGTERM for certain."""
    if where.role == "pool":
        return True
    if where.role != "process" or where.owner is None:
        return False
    return not any(_takes_note(h) for h in handlers) and _is_terminated(project, where)


def _takes_note(handler: Function) -> bool:
    """Whether a handler stores something or calls something that may tell the process to end: a flag, an event, a method of its object."""
    params = {p.name for p in handler.facts.params if p.name != handler.receiver}
    for row in handler.rows:
        if isinstance(row, (f.Assign, f.Change, f.Declare)):
            return True
        if isinstance(row, f.Call) and isinstance(row.func, f.Attr):
            if row.func.attr in {"set", "put", "put_nowait", "send", "close", "cancel", "stop", "shutdown", "terminate", "kill", "release", "write"}:
                return True
            if isinstance(row.func.value, f.Name) and row.func.value.id == handler.receiver:
                return True
        if isinstance(row, f.Call) and isinstance(row.func, f.Name) and row.func.id not in {"print", *params}:
            return True
    return False


def _is_terminated(project: Project, where: Home) -> bool:
    """Whether the project terminates the process somewhere, and kills it nowhere: who does that does not wait for the handler."""
    owner = where.owner
    ends: set[str] = set()
    for module in project.spread.modules():
        for use in project.uses(module, "stop"):
            other = use.receiver
            if (
                other is not None
                and owner is not None
                and project.role(other) == "process"
                and (other.made == owner.made or (other.made is None and other.cls == owner.cls))
            ):
                ends.add(use.row.name.rpartition(".")[2])
    return "terminate" in ends and "kill" not in ends
