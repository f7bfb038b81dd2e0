"""MP103: an alarm that raises in a worker strikes anywhere: before the clean-up, or in the next task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.project.processes.handlers import home, registrations
from mplint.project.processes.limits import TIMERS, limits
from mplint.project.raising import caught_classes
from mplint.project.modules import Class
from mplint.project.values import External
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import CallSite, Function, Module, Project
    from mplint.project.processes.handlers import Registration

BLOCKING = frozenset({"wait", "get", "collect", "join", "acquire"})


class AlarmRaisesInWorker(Rule):
    """A timer's signal handler that raises an `Exception` in a worker.

    ## What it does

    Reports handlers for SIGALRM and the other signals of timers that are registered in worker code and raise a subclass of `Exception`. It does
    so when the alarm is not cancelled in every case, or when it interrupts a wait that is followed by clean-up outside of `finally`. And
    exception classes that end somebody else's code when its time is up, but derive from `Exception`.

    ## Why it hurts

    The exception can come out of any bytecode. Clean-up that is not in a `finally` is skipped, and the worker lives on with what was left
    behind: one more entry for each task that was late. An alarm that is still set when its task has failed strikes the next task on that
    worker, which is innocent; in an idle worker it ends the worker, and an executor is then broken. Measured on CPython 3.8 to 3.13.

    A task of somebody else is likely to catch `Exception` somewhere, to log it and go on with the next item. That swallows the limit of a job
    runner: the alarm came once, and the task runs as long as it likes, measured on CPython 3.8 to 3.13. A class that derives from
    `BaseException` gets through.

    ## When it knows

    The handler must be registered in code that runs in a worker process, and the alarm set in the same function, class or module. Silent
    when the alarm is cancelled in a `finally`, or by the exit of a context manager, and no clean-up is seen in what it interrupts.

    A class is reported wherever its limit runs, when the limit is a `with` statement around a callable that was handed in or looked up, or a
    method that is there to be overridden, and when it derives from nothing but `Exception`: a `TimeoutError` is for callers to catch.

    ## Fix safety

    Wraps what follows the alarm in the same block in `try: ... finally: signal.alarm(0)`. It is unsafe: an alarm that was meant to outlive
    the function no longer does.

    ## References

    - [Signal handlers and exceptions](https://docs.python.org/3/library/signal.html#handlers-and-exceptions): they can be raised anywhere.
    - [airflow#35653](https://github.com/apache/airflow/pull/35653), [karton#241](https://github.com/CERT-Polska/karton/pull/241): limits that
      tasks swallowed.
    """

    code = "MP103"
    name = "alarm-raises-in-worker"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for limit in project.kept("limits", lambda: limits(project)).get(module.path, ()):
            message = f"`{limit.thrown.name}` ends code of others when its time is up: an `except Exception` there swallows it, and the task runs on"
            yield Alarm(self.code, limit.thrown.site(), message, limit.because, limit.thrown.qualname)
        for registration in registrations(project, module):
            if not registration.signals & TIMERS:
                continue
            raised = [e for handler in registration.functions for e in project.escapes(handler, 2) if e.how == "raise" and e.is_exception]
            where = home(project, registration) if raised else None
            if where is None or where.inherited or not where.certain:
                continue
            escape = min(raised, key=lambda e: len(e.because))
            danger = next(_dangers(project, module, registration), None)
            if danger is not None:
                message = f"the alarm's handler raises `{escape.title}` in a worker, {danger.effect}"
                because = (*where.because, *danger.because, *escape.because, Step(escape.site, f"`{escape.title}` is raised here"))
                site = registration.site
                yield Alarm(self.code, site.site, message, because, site.function.qualname, danger.hint)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        if not alarm.hint:
            return
        at, _, timer = alarm.hint.partition(" ")
        call = repair.node(int(at))
        statement = repair.statement_of(call)
        block = list(repair.block_of(statement))
        following = block[block.index(statement) + 1 :]
        cancel = (
            f"{repair.import_name('signal', 'setitimer')}({repair.import_name('signal', timer)}, 0)" if timer else f"{repair.import_name('signal', 'alarm')}(0)"
        )
        stale = [s for s in following if repair.code(s).strip() == cancel]
        covered = [s for s in following if s not in stale]
        if stale and covered and following.index(stale[0]) > 0:
            covered = following[: following.index(stale[0])]
        if not covered:
            return
        repair.wrap(covered, "try:", f"finally:\n    {cancel}")
        for statement in stale:
            repair.remove(statement)
        repair.title = "Cancel the alarm in a `finally`"
        repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
import signal
import time
from multiprocessing import Pool


def too_slow(signum, frame):
    raise RuntimeError("too slow")


def parse(text):
    signal.signal(signal.SIGALRM, too_slow)  # MP103
    signal.alarm(2)
    number = int(text)
    signal.alarm(0)
    return number


def archive(seconds):
    time.sleep(seconds)
    return "archived"


if __name__ == "__main__":
    with Pool(1) as pool:
        pool.apply_async(parse, ("12a",)).wait()
        print(pool.apply(archive, (3,)))
""",
        bad_ends=Raises("RuntimeError: too slow"),
        fixed="""\
import signal
import time
from multiprocessing import Pool


def too_slow(signum, frame):
    raise RuntimeError("too slow")


def parse(text):
    signal.signal(signal.SIGALRM, too_slow)
    signal.alarm(2)
    try:
        number = int(text)
    finally:
        signal.alarm(0)
    return number


def archive(seconds):
    time.sleep(seconds)
    return "archived"


if __name__ == "__main__":
    with Pool(1) as pool:
        pool.apply_async(parse, ("12a",)).wait()
        print(pool.apply(archive, (3,)))
""",
        fixed_ends=Prints("archived"),
    )


class _Danger(NamedTuple):
    effect: str
    because: tuple[Step, ...]
    hint: str = ""


def _dangers(project: Project, module: Module, registration: Registration) -> Iterator[_Danger]:
    uses = [(use.site, project.argument(use.call, use.row.arguments)) for use in project.uses(module, "alarm")]
    cancels = [site for site, given in uses if _is_zero(given) or _restores(site)]
    arms = [site for site, given in uses if not any(site.call is c.call for c in cancels)]
    function = registration.site.function
    near = [s for s in arms if s.function is function] or [s for s in arms if s.function.owner is not None and s.function.owner is function.owner] or arms
    for arm in near:
        step = Step(arm.site, "the alarm is set here")
        if not _cancelled(project, arm.function, arm.call, cancels):
            hint = f"{arm.call.at} {_timer(arm.call)}".strip() if arm.function.path == function.path and isinstance(arm.function.parent(arm.call), f.Do) else ""
            yield _Danger("and the alarm is not cancelled in a `finally`: it strikes the next task", (step,), hint)
        for block_function, block in _interrupted(project, arm, cancels):
            found = _clean_up(project, block_function, block)
            if found is not None:
                yield _Danger("which skips clean-up that is not in a `finally`: the worker lives on without it", (step, found))


def _is_zero(expr: f.Expr | None) -> bool:
    return isinstance(expr, f.Const) and expr.value == 0 and expr.kind in {"int", "float"}


def _restores(site: CallSite) -> bool:
    """Whether a timer is set where things are put in order again: to what it was before."""
    return site.function.name in {"__exit__", "__aexit__"} or any(place.part == "final" for place in site.function.graph.tries_around(site.call))


def _timer(call: f.Call) -> str:
    """The timer that a `setitimer` is for, "" for `alarm`."""
    return f.dotted(call.positional(0)).rpartition(".")[2] if len(call.args) > 1 else ""


def _cancelled(project: Project, function: Function, row: f.Row, cancels: list[CallSite], depth: int = 0) -> bool:
    """Whether an alarm that is set by the time of `row` is cancelled however what follows ends."""
    own = [s.call for s in function.calls if _cancels(project, s, cancels)]
    if own and function.graph.always_followed(row, by=own, exceptional=True):
        return True
    for step in function.rows:
        if isinstance(step, f.Try) and step.body and (any(r is row for s in step.body for r in f.walk(s)) or function.graph.reaches(row, step.body[0])):
            if any(r is c for s in step.final for r in f.walk(s) for c in own):
                return True
            if own and any(_is_broad(project, function, h) for h in step.handlers) and function.graph.always_followed(row, by=own):
                return True
    if function.owner is not None:
        for name in ("__exit__", "__aexit__"):
            leave = project.find_method(function.owner, name)
            if leave is not None and not isinstance(leave, External) and _reaches_cancel(project, leave, cancels):
                return True
    callers = project.callers(function) if depth < 2 else ()
    return bool(callers) and all(_cancelled(project, s.function, s.call, cancels, depth + 1) for s in callers)


def _cancels(project: Project, site: CallSite, cancels: list[CallSite]) -> bool:
    if any(site.call is c.call for c in cancels):
        return True
    return any(_reaches_cancel(project, callee, cancels, 1) for callee in project.callees(site))


def _reaches_cancel(project: Project, function: Function, cancels: list[CallSite], depth: int = 0) -> bool:
    if any(c.function is function for c in cancels):
        return True
    return depth < 3 and any(_reaches_cancel(project, g, cancels, depth + 1) for s in function.calls for g in project.callees(s))


def _is_broad(project: Project, function: Function, handler: f.Handler) -> bool:
    names = {v.name for v in caught_classes(project, function, handler) if isinstance(v, External)}
    return handler.types is None or bool(names & {"builtins.Exception", "builtins.BaseException"})


def _interrupted(project: Project, arm: CallSite, cancels: list[CallSite]) -> Iterator[tuple[Function, tuple[f.Step, ...]]]:
    """The code that may run while the alarm is set: the rest of the function, or the `with` blocks of the class that sets it."""
    function = arm.function
    after = tuple(s for s in function.facts.body if function.graph.reaches(arm.call, s) or any(r is arm.call for r in f.walk(s)))
    yield function, after
    seen: set[Function] = {function}
    queue = [site for site in function.calls if function.graph.reaches(arm.call, site.call)]
    if function.owner is not None:
        for other, block in _blocks_of(project, function.owner):
            yield other, block
            queue += other.calls_in(*block)
    while queue and len(seen) < 60:
        for callee in project.callees(queue.pop()):
            if callee not in seen:
                seen.add(callee)
                yield callee, callee.facts.body
                queue += callee.calls


def _blocks_of(project: Project, cls: Class) -> Iterator[tuple[Function, tuple[f.Step, ...]]]:
    for site in project.constructions(cls):
        parent = site.function.parent(site.call)
        if isinstance(parent, f.With):
            yield site.function, parent.body


def _clean_up(project: Project, function: Function, block: tuple[f.Step, ...]) -> Step | None:
    """A step that gives back right after a wait in the same block, so that an exception out of the wait leaves it undone."""
    for steps in _suites(block):
        for step, following in zip(steps, steps[1:]):
            given = _given_back(following)
            if given is None or not isinstance(step, (f.Do, f.Assign)):
                continue
            if any(isinstance(row, f.Call) and _blocks(project, function, row) for row in f.walk(step)) and not _given_elsewhere(function, step, given):
                return Step(function.site(following), f"`{given}` is cleaned up only when nothing is raised before")
    return None


def _suites(block: tuple[f.Step, ...]) -> Iterator[tuple[f.Step, ...]]:
    """The block and all blocks inside it, nested definitions not counted."""
    yield block
    for row in f.walk(*block):
        if isinstance(row, (f.If, f.While, f.For)):
            yield row.body
            yield row.orelse
        elif isinstance(row, f.Try):
            yield row.body
        elif isinstance(row, f.With):
            yield row.body


def _given_back(step: f.Step) -> str | None:
    """The container or lock that a step takes something out of, or releases."""
    if isinstance(step, f.Delete):
        return next((f.dotted(t.value) for t in step.targets if isinstance(t, f.Item) and "." in f.dotted(t.value)), None)
    value = step.value if isinstance(step, (f.Do, f.Assign)) else None
    if (
        isinstance(value, f.Call)
        and isinstance(value.func, f.Attr)
        and (value.func.attr in {"release", "remove", "discard"} or (value.func.attr == "pop" and value.args))
    ):
        return f.dotted(value.func.value) or None
    return None


def _given_elsewhere(function: Function, step: f.Step, name: str) -> bool:
    """Whether a `finally` or handler around the wait gives the same thing back."""
    for place in function.graph.tries_around(step):
        row = place.row
        if isinstance(row, f.Try) and place.part == "body":
            for other in (*row.final, *(s for h in row.handlers for s in h.body)):
                if any(isinstance(inner, (f.Do, f.Assign, f.Delete)) and _given_back(inner) == name for inner in f.walk(other)):
                    return True
    return False


def _blocks(project: Project, function: Function, call: f.Call) -> bool:
    """Whether a call waits for something."""
    if isinstance(call.func, (f.Name, f.Attr)) and project.external(call.func, function) == "time.sleep":
        return True
    rows = (project.row_of(value) for value in project.values(call.func, function))
    return any(row is not None and BLOCKING & set(row.does) for row in rows)
