"""MP504: several classes are called TimeoutError, and the clause names one that the wait does not raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.project.modules import Class
from mplint.project.waits.awaiting import waits
from mplint.project.raising import caught_classes
from mplint.project.values import Bound, External, Instance, Unknown, elements
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Function, Module, Project, Use, Value

_WIDE = frozenset({"builtins.Exception", "builtins.BaseException"})

_OF_QUEUES = frozenset({"queue.Empty", "queue.Full"})
"""What `get` and `put` of a queue raise at their limit."""


class WrongTimeoutError(Rule):
    """`except TimeoutError` around a wait that raises another class of that name.

    ## What it does

    Reports `except` clauses for a `TimeoutError` that the bounded wait inside them does not raise. `AsyncResult.get` and `next` of `imap` raise
    `multiprocessing.TimeoutError`, which is never the builtin one; futures and asyncio raise classes of their own before Python 3.11; `get` and
    `put` of a multiprocessing queue raise `queue.Empty` and `queue.Full`.

    ## Why it hurts

    The clause never matches, so that the timeout it was written for ends the program. Measured on CPython 3.10 to 3.13: the
    program ends with `multiprocessing.context.TimeoutError`.

    ## When it knows

    The wait must be on a process or thread pool, an executor or what these gave, or on a queue, with a timeout; around a queue the `try` must
    do nothing else. Silent when another clause takes what is
    raised by its own name, or, where the `try` does more than wait, by `except Exception`; unless the clause names a class that nothing but
    such waits can raise, nothing else in the `try` does, and the `except Exception` does something else.

    ## Fix safety

    Names the class that is raised, and imports it. Safe where the `try` does nothing but wait; where it does more, the class is added to those
    that are there, which is unsafe.

    ## References

    - [multiprocessing.TimeoutError](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.TimeoutError)
    - [concurrent.futures.TimeoutError](https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.TimeoutError), an alias of the
      builtin one since 3.11.
    """

    code = "MP504"
    name = "wrong-timeout-error"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for use in project.uses(module, "collect", "wait", "iterate", "get", "put"):
            raised = _raised(project, use) if use.function.spells("TimeoutError") else ""
            place = _place(project, use, raised) if raised else ""
            if not place:
                continue
            for wrong in _wrong(project, use, raised):
                if wrong.handler.at in seen or (raised in _OF_QUEUES and not wrong.alone):
                    continue
                seen.add(wrong.handler.at)
                method = use.row.name.rpartition(".")[2]
                clause = f"`except {wrong.spelled or f.dotted(wrong.handler.types)}`" + (
                    " (the builtin class)" if wrong.name == "builtins.TimeoutError" else ""
                )
                message = f"{clause} does not match `{raised.removeprefix('builtins.')}`, which `{method}` on {place} raises"
                because = (Step(use.site.site, f"`{method}` reaches its limit here"),)
                hint = f"{raised} {wrong.spelled} {'alone' if wrong.alone else 'more'}" if wrong.spelled else ""
                yield Alarm(self.code, use.function.site(wrong.handler), message, because, use.function.qualname, hint)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if not alarm.hint or not isinstance(node, cst.ExceptHandler) or node.type is None:
            return
        raised, spelled, alone = alarm.hint.split(" ")
        types = [element.value for element in node.type.elements] if isinstance(node.type, cst.Tuple) else [node.type]
        wrong = next((t for t in types if repair.code(t) == spelled), None)
        if wrong is None:
            return
        home, _, name = raised.rpartition(".")
        if home == "builtins" and spelled == name:  # the name is taken in this file
            home = "concurrent.futures"
        right = name if home == "builtins" else repair.import_name(home, name)
        if alone == "alone":
            repair.replace_source(wrong, right)
        elif isinstance(node.type, cst.Tuple):
            repair.insert_text_after(types[-1], f", {right}")
        else:
            repair.replace_source(wrong, f"({spelled}, {right})")
        repair.title = f"Catch `{right}`"
        repair.safety = Safety.SAFE if alone == "alone" else Safety.UNSAFE

    example = Example(
        bad="""\
import multiprocessing
import time

if __name__ == "__main__":
    with multiprocessing.Pool(1) as pool:
        answer = pool.apply_async(time.sleep, (60,))
        try:
            answer.get(timeout=1)
        except TimeoutError:  # MP504
            print("no answer in time")
""",
        bad_ends=Raises("multiprocessing.context.TimeoutError"),
        fixed="""\
import multiprocessing
import time

if __name__ == "__main__":
    with multiprocessing.Pool(1) as pool:
        answer = pool.apply_async(time.sleep, (60,))
        try:
            answer.get(timeout=1)
        except multiprocessing.TimeoutError:
            print("no answer in time")
""",
        fixed_ends=Prints("no answer in time"),
    )


class _Wrong(NamedTuple):
    """A clause for another `TimeoutError`: what it names, as it is spelled ("" inside a tuple with a name), and whether its try does nothing but wait."""

    handler: f.Handler
    name: str
    spelled: str
    alone: bool


def _raised(project: Project, use: Use) -> str:
    """Canonical name of what the wait raises at its limit; "" when it has none, or returns."""
    if use.row.timeout is None or not use.row.raises:
        return ""
    given = project.argument(use.call, use.row.timeout)
    if not f.is_given(given):
        return ""
    raised = project.table.canonical(use.row.raises)
    return raised if raised.rpartition(".")[2] == "TimeoutError" or raised in _OF_QUEUES else ""


def _place(project: Project, use: Use, raised: str) -> str:
    """What is waited for, in words; "" when it is neither the work of a pool nor a queue."""
    if raised in _OF_QUEUES:
        return "a queue"
    if use.receiver is not None:
        where = use.where
    else:
        passed = project.argument(use.call, use.row.passes)
        values = project.values(passed, use.function) if passed is not None else ()
        found = {w.where for w in waits(project, values)} | {v.where for v in elements(values) if isinstance(v, Instance) and project.role(v) == "future"}
        where = found.pop() if len(found) == 1 else "any" if found else ""
    return {"process": "a process pool", "thread": "a thread pool", "any": "an executor"}.get(where, "")


def _wrong(project: Project, use: Use, raised: str) -> Iterator[_Wrong]:
    """The clauses around a wait that name another `TimeoutError`, as long as no clause inside them takes what is raised."""
    bases = frozenset(project.table.bases(raised)) | _WIDE | ({"builtins.OSError"} if raised == "builtins.TimeoutError" else set())
    found: list[_Wrong] = []
    for row in {id(row): row for row, _ in use.function.graph.handlers_around(use.call)}.values():
        alone = not any(isinstance(r, (f.Call, f.Await, f.Raise)) for r in _others(use, row))
        caught = ""
        here: list[_Wrong] = []
        for handler in row.handlers:
            names = _names(project, use.function, handler)
            caught = next((n for n in names if n == "?" or n in bases), "" if handler.types is not None else "builtins.BaseException")
            if caught:
                break
            here.extend(_Wrong(handler, n, s, alone) for n, s in names.items() if n.rpartition(".")[2] == "TimeoutError")
        if caught and (caught not in _WIDE or not alone):
            if caught in _WIDE:
                wide = next(h for h in row.handlers if h.types is None or caught in _names(project, use.function, h))
                found.extend(w for w in here if _is_meant(project, use, row, w.name) and _shape(w.handler) != _shape(wide))
            break
        found.extend(here)
        if caught:
            break
    yield from found


def _is_meant(project: Project, use: Use, row: f.Try, name: str) -> bool:
    """Whether a clause for `name`, which only waits raise, can be there for nothing else that the `try` does."""
    if name == "builtins.TimeoutError":
        return False
    for other in _others(use, row):
        if isinstance(other, f.Call) and not all(_raises_other(project, v, name) for v in project.values(other.func, use.function) or (Unknown("call"),)):
            return False
    return True


def _raises_other(project: Project, called: Value, name: str) -> bool:
    """Whether what is called surely raises no `name`: an exception that is made, a builtin, a known call without that limit."""
    if isinstance(called, Class):
        return called.method("__init__") is None
    api = project.row_of(called)
    if api is not None:
        return not api.raises or project.table.canonical(api.raises) != name
    function = called.function if isinstance(called, Bound) else called
    return isinstance(function, External) and function.name.startswith("builtins.")


def _shape(handler: f.Handler) -> list[tuple[object, ...]]:
    """What a clause does, wherever it stands and whatever it calls the exception."""
    rows = (row for step in handler.body for row in f.walk(step))
    return [
        (
            type(row),
            *("" if value == handler.name else value for key in ("id", "attr", "value", "op") if isinstance(value := getattr(row, key, None), (str, int))),
        )
        for row in rows
    ]


def _others(use: Use, row: f.Try) -> Iterator[f.Row]:
    """What the body of the try does besides the wait and what only prints or logs."""
    own = {id(r) for r in f.walk(use.call)}
    for step in row.body:
        for other in f.walk(step):
            around = any(r is use.call for r in f.walk(other))
            if id(other) not in own and not (around and isinstance(other, f.Await)) and not _is_harmless(other):
                yield other


def _is_harmless(row: f.Row) -> bool:
    """Whether a row is a call that only prints, logs or collects."""
    return isinstance(row, f.Call) and f.dotted(row.func).rpartition(".")[2] in {"print", "append", "debug", "info", "tqdm", "list"}


def _names(project: Project, function: Function, handler: f.Handler) -> dict[str, str]:
    """Canonical names of the classes that a clause is for, with their spelling ("" in a tuple that has a name of its own); "?" stands for what is
    unknown or the project's own."""
    spelled = handler.types.items if isinstance(handler.types, f.Sequence) else (handler.types,) if handler.types is not None else ()
    out: dict[str, str] = {}
    for expr in spelled:
        values = project.values(expr, function)
        out.setdefault(_known(project, values[0]) if len(values) == 1 else "?", f.dotted(expr))
    if not isinstance(handler.types, f.Sequence) and out.keys() == {"?"}:
        out = {_known(project, c): "" for c in caught_classes(project, function, handler)}
    return out


def _known(project: Project, cls: Value) -> str:
    """Canonical name of a library's class; "?" for a class of the project, and for another library's TimeoutError, which may be any of them."""
    name = project.table.canonical(cls.name) if isinstance(cls, External) else "?"
    if name.rpartition(".")[2] == "TimeoutError" and name != "builtins.TimeoutError" and project.table.kind(name) is None:
        return "?"
    return name
