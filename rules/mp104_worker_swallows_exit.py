"""MP104: a clause that catches everything keeps a worker alive that was told to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety
from mplint.project.processes.handlers import is_for_test
from mplint.project.raising import caught_classes
from mplint.project.values import External
from mplint.rule import Example, Exits, Hangs, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import CallSite, Function, Module, Project

EXITS = frozenset({"builtins.BaseException", "builtins.SystemExit"})
WAITING = (
    "subprocess.", "time.sleep", "socket.create_connection", "requests.", "urllib.request.", "httpx.", "os.system", "os.wait", "select.", "builtins.input",
)  # fmt: skip
"""Library calls that take their time, by the beginning of their names."""

BLOCKING = frozenset({"wait", "get", "collect", "join", "acquire", "iterate"})

_SAYING = frozenset({
    "print", "str", "repr", "type", "debug", "info", "warning", "warn", "error", "exception", "critical", "log", "isinstance", "format", "write",
})  # fmt: skip
"""Last names of calls that tell somebody, and do nothing about it."""


class WorkerSwallowsExit(Rule):
    """A bare `except:` in a worker that goes on.

    ## What it does

    Reports `except:` and `except BaseException:` in worker code, around calls that take their time, when the clause neither raises again nor ends
    the process.

    ## Why it hurts

    `SystemExit` and `KeyboardInterrupt` are no `Exception` for a reason: they end the process. A SIGTERM handler that calls `sys.exit()`, as it
    should, is undone by such a clause around whatever the signal interrupts: the worker goes on, and `Pool.terminate()`, which waits for
    it, hangs. Measured on CPython 3.8 to 3.13. So is Ctrl-C, which reaches every worker.

    ## When it knows

    The function must run in a worker process for certain. Counted are calls that wait and, in the task itself, those of other functions that call
    something. Silent when the clause can raise again, exits, or hands the exception on; when another clause before it takes `SystemExit`;
    and when it is the last thing that the body of a `Process` does, or leaves the loop that goes round in it.

    ## Fix safety

    `except:` becomes `except Exception:`. It is safe when nothing in the `try` statement names `SystemExit` or `KeyboardInterrupt`; for
    `except BaseException:`, which somebody wrote on purpose, it is unsafe.

    ## References

    - [BaseException](https://docs.python.org/3/library/exceptions.html#exception-hierarchy) and what derives from it but not from `Exception`.
    """

    code = "MP104"
    name = "worker-swallows-exit"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for function in project.workers_in(module):
            reach = project.workers()[function]
            if not reach.certain or function.is_module or not function.spells("except") or is_for_test(project, reach, function):
                continue
            for row in function.rows:
                handler = _swallowing(project, function, row) if isinstance(row, f.Try) else None
                if handler is None or not isinstance(row, f.Try) or not _takes_time(project, function, row, reach.caller is None):
                    continue
                if reach.submission.role in {"target", "run"} and reach.caller is None and not function.graph.reaches(handler, row.body[0]):
                    continue
                what = "a bare `except:`" if handler.types is None else "`except BaseException`"
                message = f"{what} in a worker swallows the `SystemExit` or `KeyboardInterrupt` that is to end it"
                yield Alarm(self.code, function.site(handler), message, project.why(function) or (), function.qualname, _hint(handler, row))

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if not alarm.hint or not isinstance(node, cst.ExceptHandler):
            return
        if node.type is None:
            repair.replace(node, node.with_changes(type=cst.Name("Exception"), whitespace_after_except=cst.SimpleWhitespace(" ")))
        else:
            repair.replace(node.type, cst.Name("Exception"))
        repair.title = "Catch `Exception` only"
        repair.safety = Safety.SAFE if alarm.hint == "safe" else Safety.UNSAFE

    example = Example(
        bad="""\
import signal
import sys
import time
from multiprocessing import Event, Pool

busy = Event()


def on_term(signum, frame):
    sys.exit(128 + signum)


def install():
    signal.signal(signal.SIGTERM, on_term)


def watch(seconds):
    while True:
        try:
            busy.set()
            time.sleep(seconds)
        except:  # MP104
            print("trying again")


if __name__ == "__main__":
    with Pool(1, initializer=install) as pool:
        pool.apply_async(watch, (60,))
        busy.wait()
""",
        bad_ends=Hangs(),
        fixed="""\
import signal
import sys
import time
from multiprocessing import Event, Pool

busy = Event()


def on_term(signum, frame):
    sys.exit(128 + signum)


def install():
    signal.signal(signal.SIGTERM, on_term)


def watch(seconds):
    while True:
        try:
            busy.set()
            time.sleep(seconds)
        except Exception:
            print("trying again")


if __name__ == "__main__":
    with Pool(1, initializer=install) as pool:
        pool.apply_async(watch, (60,))
        busy.wait()
""",
        fixed_ends=Exits(),
    )


def _swallowing(project: Project, function: Function, row: f.Try) -> f.Handler | None:
    """The handler of a try that takes SystemExit and goes on."""
    for handler in row.handlers:
        names = {v.name for v in caught_classes(project, function, handler) if isinstance(v, External)}
        if handler.types is not None and not names & EXITS:
            if "builtins.KeyboardInterrupt" in names:
                return None
            continue
        if handler.types is not None and "builtins.BaseException" not in names:
            return None  # SystemExit by its name: somebody thought of it
        ways = function.graph.ways_out(handler.body)
        if "raise" in ways or "stop" in ways or _hands_on(handler):
            return None
        return handler
    return None


def _hands_on(handler: f.Handler) -> bool:
    """Whether a handler gives the exception to somebody: as a result, to a queue, to a function that is not there to print it."""
    if not handler.name:
        return False
    for row in f.walk(*handler.body):
        if isinstance(row, f.Return) and row.value is not None and _names(row.value, handler.name):
            return True
        if isinstance(row, f.Assign) and row.value is not None and _names(row.value, handler.name):
            return True
        if isinstance(row, f.Call) and any(isinstance(a.value, f.Name) and a.value.id == handler.name for a in row.args):
            called = f.last_name(row.func)
            if called not in _SAYING:
                return True
    return False


def _names(expr: f.Expr, name: str) -> bool:
    """Whether an expression holds the object `name` itself, alone or in a display."""
    if isinstance(expr, f.Name):
        return expr.id == name
    return isinstance(expr, f.Sequence) and any(_names(i, name) for i in expr.items)


def _takes_time(project: Project, function: Function, row: f.Try, is_task: bool) -> bool:
    """Whether a try covers a call during which a signal is likely to come: one that waits, or, in the task itself, its very work."""
    return any(_waits(project, site) or (is_task and _is_work(project, site)) for site in function.calls_in(*row.body))


def _waits(project: Project, site: CallSite) -> bool:
    func = site.call.func
    if isinstance(func, (f.Name, f.Attr)) and project.external(func, site.function).startswith(WAITING):
        return True
    rows = (project.row_of(value) for value in project.values(func, site.function))
    return any(row is not None and BLOCKING & set(row.does) for row in rows)


def _is_work(project: Project, site: CallSite) -> bool:
    """Whether a call of a task is of something handed in, or of a function of the project that calls others itself."""
    if site.function.has_parameter(site.call.func):
        return True
    return any(callee.calls for callee in project.callees(site))


def _hint(handler: f.Handler, row: f.Try) -> str:
    """How sure the repair is, "" when there is none."""
    if handler.types is not None:
        return "unsafe" if f.dotted(handler.types) == "BaseException" else ""
    names = {r.id if isinstance(r, f.Name) else r.attr for r in f.walk(row, into_functions=True) if isinstance(r, (f.Name, f.Attr))}
    return "unsafe" if names & {"SystemExit", "KeyboardInterrupt", "GeneratorExit", "CancelledError"} else "safe"
