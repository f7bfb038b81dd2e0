"""MP604: nobody asks how a child process ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Step
from mplint.project.modules import CallSite, Class, Function
from mplint.project.processes.sides import sides
from mplint.project.values import Instance
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project, Use
    from mplint.project.lives.lifetimes import Life, Touch

_ASKED = frozenset({"exitcode", "sentinel", "_popen", "_check_closed", "*"})
"""What tells how a process ended, or that it did."""

_ENDED = ("terminate", "kill", "interrupt")


class ExitCodeUnchecked(Rule):
    """A child process whose exit code nobody looks at.

    ## What it does

    Reports a `Process` that is started, joined or polled, while its `exitcode` is looked at nowhere the object goes. Where it is looked at, but
    only with `exitcode == 1` or `exitcode > 0`, the comparison is reported: it misses the children that a signal ended.

    ## Why it hurts

    A child that dies of an exception, of `sys.exit(1)` or of a signal (the kernel's OOM killer, a segmentation fault) tells nobody: `join()`
    returns as if all were well. Measured on CPython 3.8 to 3.13. The only sign is `exitcode`: 1, or the negative number of the signal.

    ## When it knows

    The process is followed through names, attributes, lists, arguments and returns. Silent when `exitcode` or `sentinel` is read anywhere
    there (to ask only whether it is None tells no more than `is_alive()`), when the object leaves the sight, when the parent itself ends the
    child (`terminate()`, `kill()`) before it joins it, for daemonic helpers that nobody joins, when what the child did is asserted afterwards,
    when the exit codes of other children are asked for by who joins, when a thread that joins logs every end as an error, when the answer comes
    through a queue, pipe or event that is waited for with a timeout by who joins, or through a queue that is read without waiting by who asks
    whether the process lives, and when it decides about an error that the process lives or has ended.

    ## References

    - [multiprocessing.Process.exitcode](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.exitcode):
      None, 0, 1, or the negative number of a signal.
    """

    code = "MP604"
    name = "exit-code-unchecked"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for use in project.uses(module, "make"):
            made = _process(use, project)
            if made is None or use.site in seen:
                continue
            seen.add(use.site)
            life = project.life(use.site)
            names = life.names()
            if not life.escapes:
                yield from self._half_checked(use, life)
            if life.escapes or (names - _only_none(life)) & _ASKED or "start" not in names or _asks_itself(made, project):
                continue
            joins = list(life.touched("join"))
            if joins and all(_is_ended_before(join, life) for join in joins):
                continue
            if not joins and (names & {*_ENDED, "close"} or _is_daemon(use, life) or {"attribute", "global"} & set(life.kept)):
                continue
            if _notices(life) or _hears_with_timeout(life, project) or any(_is_judged_otherwise(t, project) for t in joins or life.touched("start")):
                continue
            said = "is joined, but" if joins else "is polled, but" if "is_alive" in names else "is started and forgotten:"
            message = f"this process {said} nobody looks at its exit code: a crash goes unnoticed"
            because = tuple(Step(j.function.site(j.row), "it is joined here") for j in joins[:1])
            yield Alarm(self.code, use.site.site, message, because, use.function.qualname)

    def _half_checked(self, use: Use, life: Life) -> Iterator[Alarm]:
        """Where the exit code is only compared with numbers that no signal gives."""
        looks = list(life.touched("exitcode"))
        if looks and all(_sees_no_signal(look) for look in looks):
            because = (Step(use.site.site, "the process is made here"),)
            for look in looks:
                message = "this comparison misses a process that a signal ended: its exit code is negative"
                yield Alarm(self.code, look.function.site(look.row), message, because, look.function.qualname)

    example = Example(
        bad="""\
from multiprocessing import Process


def export(path):
    with open(path, "w") as file:
        file.write("exported")


def main():
    process = Process(target=export, args=("missing/report.txt",))  # MP604
    process.start()
    process.join()
    print("the report is written")


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("the report is written"),
        fixed="""\
from multiprocessing import Process


def export(path):
    with open(path, "w") as file:
        file.write("exported")


def main():
    process = Process(target=export, args=("missing/report.txt",))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"the export ended with {process.exitcode}")
    print("the report is written")


if __name__ == "__main__":
    main()
""",
        fixed_ends=Raises("RuntimeError: the export ended with 1"),
    )


def _process(use: Use, project: Project) -> Instance | None:
    """The child process that a call makes, None when it makes something else."""
    return next((v for v in project.made_by(use.site) if project.role(v) == "process" and v.where == "process"), None)


def _asks_itself(made: Instance, project: Project) -> bool:
    """Whether a class of the project that the process is of reads its own exit code."""
    if not isinstance(made.cls, Class):
        return False
    family = [c for c in (*project.mro(made.cls), *project.subclasses(made.cls)) if isinstance(c, Class)]
    return any(
        isinstance(row, f.Attr) and row.attr == word
        for cls in family
        for word in ("exitcode", "sentinel")
        for method in cls.methods_mentioning(word)
        for row in f.walk(*method.facts.body, into_functions=True)
    )


def _is_ended_before(join: Touch, life: Life) -> bool:
    """Whether the parent ends the child itself before this join, or when the join takes too long."""
    ends = [touch.row for touch in life.touched(*_ENDED) if touch.function is join.function]
    call = join.call
    if ends and call is not None and call.args:
        return True
    graph = join.function.graph
    return any(graph.reaches(row, join.row, avoiding=_rounds(join.function, row, join.row)) for row in ends)


def _rounds(function: Function, row: f.Row, other: f.Row) -> list[f.Row]:
    """Where the `for` loops around both rows take the next item: from there on it is about another process."""
    around = function.graph.loops_around(other)
    return [loop.target for loop in function.graph.loops_around(row) if isinstance(loop, f.For) and any(loop is shared for shared in around)]


def _sees_no_signal(look: Touch) -> bool:
    """Whether an exit code is asked only whether it is a certain positive number, or greater than one, and nothing else is done with it."""
    around = look.function.parent(look.row)
    if not isinstance(around, f.Op) or len(around.operands) != 2 or any(isinstance(row, f.Assert) for row in look.function.ancestors(around)):
        return False
    numbers = [o.value for o in around.operands if isinstance(o, f.Const) and isinstance(o.value, int) and not isinstance(o.value, bool)]
    if around.op == "==":
        return any(number > 0 for number in numbers)
    greater = around.op in {">", ">="} and around.operands[0] is look.row
    return greater and any(number >= (0 if around.op == ">" else 1) for number in numbers)


def _only_none(life: Life) -> set[str]:
    """`exitcode`, where all looks at it ask whether it is None: that tells whether the process has ended, as `is_alive()` does, and not how."""
    return {"exitcode"} if all(_asks_for_none(look.function, look.row) for look in life.touched("exitcode")) else set()


def _asks_for_none(function: Function, row: f.Row) -> bool:
    around = function.parent(row)
    return isinstance(around, f.Op) and around.op in {"is", "is not"} and any(isinstance(o, f.Const) and o.value is None for o in around.operands)


def _is_judged_otherwise(touch: Touch, project: Project) -> bool:
    """Whether the function that joins (or starts) asserts afterwards what the child should have done, asks other children for their exit codes, or
    watches the child from a thread of its own, to report each end as an error."""
    function = touch.function
    call = function.parent(touch.row)
    to_the_end = touch.name == "join" and isinstance(call, f.Call) and not call.args and "thread" in sides(project, function)
    for row in function.rows:
        if to_the_end and isinstance(row, f.Call) and f.last_name(row.func) in {"error", "critical"} and function.graph.reaches(touch.row, row):
            if not any(place.part == "handler" for place in function.graph.tries_around(row)):
                return True
        if isinstance(row, f.Attr) and row.attr == "exitcode" and not _asks_for_none(function, row):
            return True
        asserts = isinstance(row, f.Assert) or (isinstance(row, f.Call) and f.dotted(row.func).rpartition(".")[2].startswith("assert"))
        if asserts and function.graph.reaches(touch.row, row):
            return True
    return False


def _is_daemon(use: Use, life: Life) -> bool:
    """Whether the process is made daemonic: it ends with its parent and is meant to."""
    given = use.call.keyword("daemon")
    return (given is not None and not (isinstance(given, f.Const) and given.value is False)) or "daemon" in life.names()


def _notices(life: Life) -> bool:
    """Whether a process that is no longer alive leads to an error."""
    for touch in life.touched("is_alive", "exitcode"):
        for row in touch.function.ancestors(touch.row):
            if isinstance(row, f.If) and any(isinstance(r, f.Raise) for r in f.walk(*row.body, *row.orelse)):
                return True
    return False


def _hears_with_timeout(life: Life, project: Project) -> bool:
    """Whether a function that joins or starts the process, or a method of its owner, waits for a queue, pipe or event with a timeout; or one that asks
    whether it lives takes out of a queue without waiting."""
    asking = {touch.function for touch in life.touched("is_alive")}
    functions: dict[Function, None] = {touch.function: None for touch in life.touched("join", "start", "is_alive")}
    functions.update((method, None) for owner in life.owners for method in owner.methods_mentioning("timeout") if method not in project.workers())
    for function in functions:
        for call in function.calls:
            for use in project.uses_at(CallSite(function, call.call), "get", "poll", "wait"):
                if use.receiver is None or project.role(use.receiver) not in {"queue", "connection", "proxy", "event", "barrier"}:
                    continue
                given = project.argument(call.call, use.row.timeout) if use.row.timeout is not None else None
                if f.is_given(given) or (function in asking and "get" in use.row.does and _does_not_wait(use)):
                    return True
    return False


def _does_not_wait(use: Use) -> bool:
    """Whether a call takes out of a queue what is there, and never waits for more."""
    block = use.call.positional(0) or use.call.keyword("block")
    return "poll" in use.row.does or (isinstance(block, f.Const) and block.value is False)
