"""MP101: a pool takes what a signal handler raises for the result of the task, and waits for a worker that does not end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.project.calling import called_by
from mplint.project.processes.handlers import Home, Registration, home, owner_name, registrations, signal_parameter
from mplint.project.raising import Escape, caught_classes
from mplint.project.modules import CallSite
from mplint.project.values import External, Instance
from mplint.rule import Example, Exits, Hangs, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Function, Module, Project

ENDING = {"SIGTERM": 15, "SIGINT": 2, "SIGHUP": 1}
"""Signals that ask a process to end, and their numbers."""

NEAR = 2
"""Calls between a handler and what it raises: what lies deeper is raised on conditions that are not about the signal."""


class HandlerRaisesException(Rule):
    """A signal handler in a worker that raises an `Exception`.

    ## What it does

    Reports handlers for SIGTERM, SIGINT and SIGHUP that run in a worker process and can raise a subclass of `Exception`, by themselves or in a
    function that they call. The handler is registered in worker code (an initializer, a task, the body of a process), or in the parent before
    a pool is made that inherits it by fork. Reports also handlers of the parent that join its processes or ask whether they live, and that
    other processes inherit by fork: only the parent may do that.

    ## Why it hurts

    `Pool.terminate()`, which the end of a `with` block and of the program calls too, sends SIGTERM and joins the workers without a limit. A
    worker catches what the handler raises as the result of its task and goes back to waiting, and nothing signals it again. Measured on
    CPython 3.8 to 3.13: certain hang whenever a worker is inside a task, with fork, spawn and forkserver. A limit on `get()` does not
    save such a pool. In an executor the exception becomes the result of a task and the worker survives.

    An inherited handler that joins fails with `AssertionError: can only join a child process`, at any place in the code of the worker:
    `except Exception` there takes it, and the process goes on. Measured on CPython 3.10 to 3.13.

    ## When it knows

    What is raised must resolve to an exception class, and no handler on the way may catch it. Silent for `sys.exit()`, `SystemExit`,
    `KeyboardInterrupt` and other classes that do not derive from `Exception`, for `os._exit()`, and for processes without children. Silent for
    inherited handlers with another start method than fork, with an initializer that registers its own, and where the old handler is put back.
    For the body of a `Process`, which such an exception ends, only when code in it catches `Exception`. Handlers that join count only when
    they are inherited, look at no process id, and when the signal gets there: Ctrl-C does, and what the handler itself terminates.

    ## Fix safety

    Replaces the `raise` by `sys.exit(128 + signum)`, when it stands in the handler itself. It is unsafe: what caught the exception on purpose no
    longer does. For an inherited handler the cure is shown and never applied: an initializer that restores the default.

    ## References

    - [Signal handlers and exceptions](https://docs.python.org/3/library/signal.html#handlers-and-exceptions)
    - [gh-73945](https://github.com/python/cpython/issues/73945): deadlock of `Pool.terminate()`.
    """

    code = "MP101"
    name = "handler-raises-exception"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for registration in registrations(project, module):
            signals = sorted(registration.signals & ENDING.keys(), key=lambda name: -ENDING[name])
            joining = tuple(_may_join(registration, project)) if signals else ()
            where = home(project, registration) if joining else None
            joined = next(_joined(project, joining, where), None) if where is not None else None
            if where is not None and joined is not None:
                yield self._joins(registration, where, joined, signals)
                continue
            raised = [e for handler in registration.functions for e in project.escapes(handler, NEAR) if e.how == "raise" and e.is_exception and _is_meant(e)]
            if not signals or not raised:
                continue
            where = home(project, registration)
            escape = min(raised, key=lambda e: len(e.because))
            if where is not None and _matters(project, where, escape):
                yield self._alarm(registration, where, escape, signals)

    def _joins(self, registration: Registration, where: Home, joined: CallSite, signals: list[str]) -> Alarm:
        method = f.last_name(joined.call.func)
        what = f"the handler of {' and '.join(signals)} calls `{method}()` of the parent's processes"
        effect = f"`{owner_name(where)}` inherits it by fork and fails there: only the parent may {'join' if method == 'join' else 'ask'}"
        because = (*where.because, Step(joined.site, f"`{method}()` raises AssertionError in every process but the parent"))
        return Alarm(self.code, registration.site.site, f"{what}: {effect}", because, registration.site.function.qualname)

    def _alarm(self, registration: Registration, where: Home, escape: Escape, signals: list[str]) -> Alarm:
        handler = registration.functions[0]
        named = " and ".join(signals)
        what = f"the handler of {named} raises `{escape.title}`"
        owner = owner_name(where)
        if where.inherited:
            effect = f"the workers of a `{owner}` inherit it by fork, take that for the result of their task and do not end"
        elif where.role == "executor":
            effect = "an executor takes that for the result of the task, and the worker goes on"
        elif where.role == "process":
            effect = "code of this process that catches `Exception` swallows it, and the process goes on"
        else:
            effect = "a pool takes that for the result of the task, and the worker does not end"
        if "SIGTERM" not in signals:
            what = f"the handler of {named} can raise `{escape.title}` in a worker"
        raising = Step(escape.site, f"`{escape.title}` is raised here")
        site = registration.site
        return Alarm(
            self.code,
            site.site,
            f"{what}: {effect}",
            (*where.because, *escape.because, raising),
            site.function.qualname,
            _hint(where, escape, handler, registration),
        )

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        kind, _, rest = alarm.hint.partition(" ")
        if kind == "raise":
            at, _, number = rest.partition(" ")
            raised = repair.node(int(at))
            repair.replace_source(repair.statement_of(raised), f"{repair.import_name('sys', 'exit')}(128 + {number})")
            repair.title = "End the worker with `sys.exit()`"
            repair.safety = Safety.UNSAFE
        elif kind == "pool":
            at, _, number = rest.partition(" ")
            call = repair.node(int(at))
            if isinstance(call, cst.Call):
                default = f"{repair.import_name('signal', 'SIG_DFL')}"
                repair.add_argument(call, f"initializer={repair.import_name('signal', 'signal')}, initargs=({repair.import_name('signal', number)}, {default})")
                repair.title = "Restore the default in every worker"
                repair.safety = Safety.SHOWN

    example = Example(
        bad='''\
import signal
import time
from multiprocessing import Event, Pool

busy = Event()


class Shutdown(Exception):
    """The service is to stop."""


def on_term(signum, frame):
    raise Shutdown


def install():
    signal.signal(signal.SIGTERM, on_term)  # MP101


def convert(seconds):
    busy.set()
    time.sleep(seconds)


if __name__ == "__main__":
    with Pool(1, initializer=install) as pool:
        pool.apply_async(convert, (60,))
        busy.wait()
''',
        bad_ends=Hangs(),
        fixed='''\
import signal
import sys
import time
from multiprocessing import Event, Pool

busy = Event()


class Shutdown(Exception):
    """The service is to stop."""


def on_term(signum, frame):
    sys.exit(128 + signum)


def install():
    signal.signal(signal.SIGTERM, on_term)


def convert(seconds):
    busy.set()
    time.sleep(seconds)


if __name__ == "__main__":
    with Pool(1, initializer=install) as pool:
        pool.apply_async(convert, (60,))
        busy.wait()
''',
        fixed_ends=Exits(),
    )


def _may_join(registration: Registration, project: Project) -> Iterator[CallSite]:
    """The calls in a handler, and in what it calls, that may join processes or ask whether they live; none where it asks which process it runs in."""
    functions = dict.fromkeys(registration.functions)
    functions.update(dict.fromkeys(callee for handler in registration.functions for callee, _ in called_by(project, handler)))
    if any(function.spells(*_ASKING) for function in functions):
        return
    if not registration.signals & {"SIGINT", "SIGHUP"} and not any(function.spells("terminate") for function in functions):
        return
    for function in functions:
        for site in function.calls if function.spells(*_PARENTS) else ():
            if isinstance(site.call.func, f.Attr) and site.call.func.attr in _PARENTS and not function.graph.handlers_around(site.call):
                yield site


def _joined(project: Project, joining: tuple[CallSite, ...], where: Home) -> Iterator[CallSite]:
    """Those of the calls `joining` by which a handler that other processes inherit joins one, or asks whether it lives."""
    if not where.inherited or not where.certain:
        return
    touched = project.life(where.creation).touched("join", "is_alive") if where.creation is not None and where.role == "process" else ()
    for site in joining:
        values = project.values(site.call.func.value, site.function) if isinstance(site.call.func, f.Attr) else ()
        if any(isinstance(v, Instance) and project.role(v) == "process" for v in values) or any(t.call is site.call for t in touched):
            yield site


_PARENTS = ("join", "is_alive")
"""What only the process that started another may call of it."""

_ASKING = ("getpid", "getppid", "current_process", "parent_process")
"""What a handler asks that does different things in the parent and in what was forked from it."""


def _is_meant(escape: Escape) -> bool:
    """Whether it is how a handler ends: not what tells, somewhere below it, that a thing that never happens has happened."""
    return not (escape.because and "builtins.AssertionError" in escape.names)


def _matters(project: Project, where: Home, escape: Escape) -> bool:
    """Whether an Exception out of a handler keeps the process from ending."""
    if not where.certain:
        return False
    if where.role in {"pool", "executor"}:
        return True
    return where.role == "process" and not where.inherited and _swallows(project, where, escape)


def _swallows(project: Project, where: Home, escape: Escape) -> bool:
    """Whether code of a process catches `Exception` and goes on, and none of it waits for this exception by its name."""
    start = next((s for s in project.submissions() if where.owner is not None and s.receiver is not None and s.receiver.made == where.owner.made), None)
    seen: dict[Function, None] = dict.fromkeys(start.callees if start is not None else ())
    queue = list(seen)
    swallows = False
    while queue and len(seen) < 300:
        function = queue.pop()
        for row in function.rows:
            if isinstance(row, f.Handler):
                if any(kind == escape.thrown for kind in caught_classes(project, function, row)):
                    return False
                swallows = swallows or _goes_on(project, function, row)
        for callee, _ in called_by(project, function):
            if callee not in seen:
                seen[callee] = None
                queue.append(callee)
    return swallows


def _goes_on(project: Project, function: Function, handler: f.Handler) -> bool:
    names = {v.name for v in caught_classes(project, function, handler) if isinstance(v, External)}
    return (handler.types is None or bool(names & {"builtins.Exception", "builtins.BaseException"})) and function.graph.ways_out(handler.body) != {"raise"}


def _hint(where: Home, escape: Escape, handler: Function, registration: Registration) -> str:
    """What can be repaired in the file of the registration: the raise, or the pool that is made with an inherited handler."""
    if where.inherited:
        call = where.creation.call if where.creation is not None and where.creation.function.path == registration.site.function.path else None
        free = call is not None and where.role == "pool" and call.keyword("initializer") is None and len(call.args) < 2 and not call.starred
        return f"pool {call.at} {min(registration.signals)}" if free and call is not None else ""
    if escape.function is not handler or handler.path != registration.site.function.path:
        return ""
    number = signal_parameter(handler)
    return f"raise {escape.row.at} {number}" if number else ""
