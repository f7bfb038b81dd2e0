"""MP601: a pool, executor or manager that nothing ever closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety
from mplint.project.flow.around import expects_error
from mplint.project.modules import CallSite, Class, Function
from mplint.project.values import Instance
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project, Use
    from mplint.project.lives.lifetimes import Life

CLOSING = frozenset(
    {"with", "close", "shutdown", "terminate", "terminate_workers", "kill_workers", "stop", "kill", "join", "stop_and_join", "clear", "__exit__",
    "aclose", "_terminate",
     "*"}
)  # fmt: skip
"""What ends a pool, an executor or a manager, or may ("*" is an attribute that is chosen at run time)."""

_WAITING = frozenset({"map", "starmap", "apply"})
"""Pool's methods that are over when they return: the end of a `with` block takes nothing away from them."""


class PoolNeverClosed(Rule):
    """A pool, an executor or a manager that nothing closes.

    ## What it does

    Reports a process pool, thread pool, executor or `Manager()` that is neither closed, shut down, terminated nor entered by `with`, wherever
    it goes in the project. The message says whether processes or threads stay behind.

    ## Why it hurts

    The workers outlive the work. Measured on CPython 3.10 to 3.13: a `multiprocessing.Pool` that a function makes and forgets leaves its
    worker processes and three threads behind until the program ends, at every call of the function; so does `ThreadPool` with its
    threads. The workers of an executor, and the process of a manager, stay as long as the object is referenced: by an attribute, a traceback,
    a reference cycle. It is a leak and not a hang.

    ## When it knows

    The object is followed through names, attributes, containers, arguments and `with`. Silent as soon as it leaves the sight: returned,
    yielded, passed to a function that the project does not define, stored in somebody else's object, made the default executor of a loop.
    An attribute counts as closed when any method of the class, or anybody who reads the attribute, closes it, also through another name.
    Silent for what modules and classes keep for the life of the process, for pools that a library owns (`get_reusable_executor`), and for what a
    test expects not to be made at all (`pytest.raises`).

    ## Fix safety

    Where the pool is made in one statement and used in those that follow it, they are put into a `with` block. Unsafe: leaving the block waits
    for an executor's work, and terminates a `Pool`.

    ## References

    - [multiprocessing.pool](https://docs.python.org/3/library/multiprocessing.html#module-multiprocessing.pool): "must be properly managed".
    - [concurrent.futures.Executor.shutdown](https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.shutdown)
    """

    code = "MP601"
    name = "pool-never-closed"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for use in project.uses(module, "make"):
            made = _made(use, project)
            if made is None or use.site in seen or _should_fail(use.site):
                continue
            seen.add(use.site)
            life = project.life(use.site)
            if life.escapes or life.returned or life.names() & CLOSING or _closed_by_own_method(made, life, project):
                continue
            if "global" in life.kept and not _in_script(use.function, use.call):
                continue
            hint = _block(use.site, life, project.role(made))
            yield Alarm(self.code, use.site.site, _message(made, project), (), use.function.qualname, hint)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if not alarm.hint:
            return
        first = repair.statement_of(node)
        last = repair.statement_of(repair.node(int(alarm.hint)))
        target = first.targets[0].target if isinstance(first, cst.Assign) else None
        block = list(repair.block_of(first))
        if not isinstance(target, cst.Name) or first not in block or last not in block or not isinstance(node, cst.Call):
            return
        repair.wrap(block[block.index(first) + 1 : block.index(last) + 1], f"with {repair.code(node)} as {target.value}:")
        repair.remove(first)
        repair.title = "Use it in a `with` block"
        repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
import multiprocessing


def main():
    pool = multiprocessing.Pool(2)  # MP601
    print(pool.map(abs, [-1, -2]))
    print("workers:", len(multiprocessing.active_children()))


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("workers: 2"),
        fixed="""\
import multiprocessing


def main():
    with multiprocessing.Pool(2) as pool:
        print(pool.map(abs, [-1, -2]))
    print("workers:", len(multiprocessing.active_children()))


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("workers: 0"),
    )


def _made(use: Use, project: Project) -> Instance | None:
    """The pool, executor or manager that a call makes for its caller; None when it makes something else."""
    if "reuse" in use.row.does:
        return None
    for value in project.made_by(use.site):
        role = project.role(value)
        if role in {"pool", "executor"} and value.where in {"process", "thread"}:
            return value
        if role == "manager" and use.row.name.endswith(".Manager"):
            return value
    return None


def _should_fail(site: CallSite) -> bool:
    """Whether a test expects that the object cannot be made: the call is in the last step of a `with pytest.raises(...)`."""
    for around in site.ancestors:
        if isinstance(around, f.With) and any(map(expects_error, around.items)):
            return any(row is site.call for row in f.walk(around.body[-1]))
    return False


def _closed_by_own_method(made: Instance, life: Life, project: Project) -> bool:
    """Whether a method that the project's own subclass adds is called: who knows what it closes."""
    if not isinstance(made.cls, Class):
        return False
    return any(isinstance(project.find_method(made.cls, touch.name), Function) for touch in life.touches)


def _in_script(function: Function, call: f.Call) -> bool:
    """Whether module code makes it under `if __name__ == "__main__"`: nobody imports it from there."""
    return function.is_module and any(
        isinstance(row, f.If) and any(isinstance(r, f.Name) and r.id == "__name__" for r in f.walk(row.test)) for row in function.ancestors(call)
    )


def _message(made: Instance, project: Project) -> str:
    role = project.role(made)
    if role == "manager":
        return "this manager is never shut down: its server process stays as long as it is referenced"
    who = "worker processes" if made.where == "process" else "threads"
    if role == "pool":
        return f"this {made.where} pool is never closed: its {who} stay until the program ends"
    return f"this {made.where} executor is never shut down: its {who} stay as long as it is referenced"


def _block(site: CallSite, life: Life, role: str) -> str:
    """The number of the last step that uses the object, when all uses follow its creation in one block; "" otherwise."""
    function, call = site
    first = function.parent(call)
    if not (isinstance(first, f.Assign) and len(first.targets) == 1 and isinstance(first.targets[0], f.Name)) or life.kept or first.annotation is not None:
        return ""
    if not life.touches or any(t.function is not function for t in life.touches):
        return ""
    if role == "pool" and not all(t.name in _WAITING and t.call is not None for t in life.touches):
        return ""
    around = function.parent(first)
    blocks = [getattr(around, name, ()) for name in ("body", "orelse", "final")] if around is not None else [function.facts.body]
    block = next((b for b in blocks if first in b), ())
    numbers = [place for t in life.touches for place, step in enumerate(block) if step is t.row or any(step is a for a in function.ancestors(t.row))]
    if len(numbers) < len(life.touches) or min(numbers) <= block.index(first):
        return ""
    return str(block[max(numbers)].at)
