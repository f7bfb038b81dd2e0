"""MP909: whoever fails while it holds a lock keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step, by_file
from mplint.project.importing import is_test
from mplint.project.modules import Function
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project

_HARMLESS = frozenset({
    "print", "len", "str", "repr", "range", "min", "max", "isinstance", "getpid", "current_process", "format", "time", "sleep", "monotonic", "perf_counter",
    "debug", "info", "warning", "warn", "error", "exception", "log", "critical", "append", "add", "items", "keys", "values", "enumerate", "zip", "list", "dict",
    "set", "tuple", "bool", "sorted", "acquire", "wait", "notify", "notify_all", "is_set", "clear", "flush", "get_ident", "now", "strip", "abs", "sum", "round",
})  # fmt: skip
"""Calls that are not expected to fail."""


class LockWithoutRelease(Rule):
    """A lock between processes that an exception leaves locked.

    ## What it does

    Reports `acquire()` of a `multiprocessing` lock whose `release()` is passed by on some way out of the function, by an error or by a `return`. Locks
    are `Lock`, `RLock`, `Condition` and `Semaphore`, a manager's too.

    ## Why it hurts

    A lock between processes is not given back when its holder fails, or even ends: the next process that asks for it waits for ever. In a pool
    the worker itself goes on, and so does its hold on the lock. Measured on CPython 3.10 to 3.13: after a `ValueError` between
    `acquire()` and `release()` the next process hangs.

    ## When it knows

    `acquire()` and `release()` of the same lock have to stand in one function, and between them a call that can fail, or a way around. Silent for
    `with lock:`, below `try` with the release in `finally` or in a handler, for an `acquire()` that is given a timeout or whose result is used, where
    the release is in another function (`__enter__` and `__exit__`, semaphores that count between processes), where only
    printing, logging and the like stands between, and for tests.

    ## Fix safety

    Where `acquire()` and `release()` stand in one block, what is between them is put under `with lock:`. It is unsafe: the lock is now also
    free after a failure, with whatever was left half done.

    ## References

    - [multiprocessing.Lock](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Lock): "can also be used as a context manager".
    """

    code = "MP909"
    name = "lock-without-release"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        yield from project.kept("MP909", lambda: by_file(_alarms(project))).get(module.path, ())

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if not alarm.hint or not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
            return
        first, last = repair.statement_of(node), repair.statement_of(repair.node(int(alarm.hint)))
        block = list(repair.block_of(first))
        places = [[item is wanted for item in block].index(True) if any(item is wanted for item in block) else -1 for wanted in (first, last)]
        if -1 in places or places[1] - places[0] < 2:
            return
        repair.wrap(block[places[0] + 1 : places[1]], f"with {repair.code(node.func.value)}:")
        repair.remove(first)
        repair.remove(last)
        repair.title = "Hold the lock by `with`"
        repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
from multiprocessing import Lock, Process


def pay(lock, amount):
    lock.acquire()  # MP909
    cents = int(amount) * 100
    print("paid", cents)
    lock.release()


def main():
    lock = Lock()
    for amount in ("ten", "5"):
        process = Process(target=pay, args=(lock, amount))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
""",
        bad_ends=Hangs(),
        fixed="""\
from multiprocessing import Lock, Process


def pay(lock, amount):
    with lock:
        cents = int(amount) * 100
        print("paid", cents)


def main():
    lock = Lock()
    for amount in ("ten", "5"):
        process = Process(target=pay, args=(lock, amount))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("paid 500"),
    )


def _alarms(project: Project) -> Iterator[Alarm]:
    """The alarms of the whole project."""
    if not project.sources.holding(b".acquire("):
        return
    for site in project.calls_ending("Lock", "Semaphore", "Condition"):
        for value in project.made_by(site):
            kind = project.kind(value)
            if value.where != "process" or kind is None or not (kind.role == "lock" or kind.name.endswith(("AcquirerProxy", "ConditionProxy"))):
                continue
            for touch in project.life(site, handed=True, patient=True).touched("acquire"):
                if touch.call is not None and _is_bare(touch.function, touch.call) and not is_test(project, touch.function.path):
                    alarm = _alarm(touch.function, touch.call, Step(site.site, "the lock is made here"))
                    if alarm is not None:
                        yield alarm


def _alarm(function: Function, acquire: f.Call, made: Step) -> Alarm | None:
    lock = _spelled(acquire)
    releases = [site.call for site in function.calls if f.last_name(site.call.func) == "release" and _spelled(site.call) == lock]
    if not lock or not any(function.graph.reaches(acquire, release) for release in releases):
        return None
    found = _passed_by(function, acquire, releases)
    if found is None:
        return None
    row, said = found
    message = f"{said} leaves `{lock}` locked: whoever asks for it next waits for ever"
    because = (made, Step(function.site(row), f"{said} comes before `release()`"))
    hint = f"{releases[0].at}" if len(releases) == 1 else ""
    return Alarm(LockWithoutRelease.code, function.site(acquire), message, because, function.qualname, hint)


def _is_bare(function: Function, call: f.Call) -> bool:
    """Whether an `acquire` is a statement of its own that waits as long as it takes."""
    given = call.args
    waits = not given or (len(given) == 1 and isinstance(given[0].value, f.Const) and given[0].value.value is True)
    return waits and isinstance(function.parent(call), f.Do)


def _spelled(call: f.Call) -> str:
    """How the object of a method is written, "" when it is not a plain name."""
    return f.dotted(call.func.value) if isinstance(call.func, f.Attr) else ""


def _passed_by(function: Function, acquire: f.Call, releases: list[f.Call]) -> tuple[f.Row, str] | None:
    """What goes past the releases: a call that can fail, or a step that leaves the function; with its name."""
    graph = function.graph
    ours = (acquire, *releases)
    releasing = [*releases, *_conditions(function, acquire, releases)]
    for row in function.rows:
        if not isinstance(row, (f.Call, f.Return, f.Raise)) or row.at < acquire.at or any(row is own for own in ours):
            continue
        if isinstance(row, f.Call) and (f.last_name(row.func) in _HARMLESS or any(above is own for above in function.ancestors(row) for own in ours)):
            continue
        if graph.reaches(acquire, row, avoiding=releasing) and not _is_caught(function, row, releases):
            if isinstance(row, f.Call):
                return row, f"an error in `{f.last_name(row.func) or 'this call'}()`"
            return row, "`return`" if isinstance(row, f.Return) else "`raise`"
    return None


def _conditions(function: Function, acquire: f.Call, releases: list[f.Call]) -> Iterator[f.Row]:
    """The tests that decide about a release and can be trusted: in a `finally`, or the same as one around the `acquire`."""
    around = function.ancestors(acquire)
    known = {_shape(row.test) for row in around if isinstance(row, f.If)}
    for release in releases:
        final = any(place.part == "final" for place in function.graph.tries_around(release))
        for row in function.ancestors(release):
            if isinstance(row, f.If) and not any(row is above for above in around) and (final or _shape(row.test) in known):
                yield row.test


def _shape(test: f.Expr) -> tuple[tuple[str, str], ...]:
    """What a condition looks like, wherever it stands."""
    return tuple(
        (type(row).__name__, str(getattr(row, "op", "") or getattr(row, "value", "") if isinstance(row, (f.Op, f.Const)) else f.last_name(row)))
        for row in f.walk(test)
    )


def _is_caught(function: Function, row: f.Row, releases: list[f.Call]) -> bool:
    """Whether a `finally` or a handler around a row releases, or what handles its error comes to a release all the same."""
    for place in function.graph.tries_around(row):
        if not isinstance(place.row, f.Try):
            continue
        if any(other is release for other in f.walk(*place.row.final) for release in releases) and place.part != "final":
            return True
        if place.part == "body" and place.row.handlers and not isinstance(row, f.Return):
            return all(
                any(other is release for other in f.walk(*handler.body) for release in releases)
                or (function.graph.can_fall_through(handler.body) and any(function.graph.reaches(handler.body[-1], release) for release in releases))
                for handler in place.row.handlers
            )
    return False
