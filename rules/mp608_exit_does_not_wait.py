"""MP608: the end of a `with Pool()` block terminates work that nobody waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.project.lives import unfinished
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project


class ExitDoesNotWait(Rule):
    """Work given to a process pool whose `with` block is left before it is done.

    ## What it does

    Reports `apply_async`, `map_async`, `starmap_async`, `imap` and `imap_unordered` inside a `with Pool()` block when nothing in the block waits
    for the work or collects its result.

    ## Why it hurts

    `Pool.__exit__` calls `terminate()`: workers are killed in the middle of a task, waiting tasks are dropped, and callbacks are never called. The
    program goes on and ends with status 0. Measured on CPython 3.10 to 3.13.

    ## When it knows

    The pool of the call must be the one that the block entered. Silent when the block closes and joins the pool, asks the result for
    anything, waits for something else (an event, a queue, a sleep), or hands the result to somebody; for thread pools, and for executors, whose end
    of the block waits. A result that is read after the block is reported by MP508.

    ## Fix safety

    Adds `close()` and `join()` to the end of the block. Unsafe: the program waits now, and for ever if a worker dies.

    ## References

    - [multiprocessing.pool](https://docs.python.org/3/library/multiprocessing.html#module-multiprocessing.pool): `__exit__()` calls `terminate()`.
    """

    code = "MP608"
    name = "exit-does-not-wait"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for left in unfinished.left(project, module):
            if left.use.site in seen or left.waited or (left.life.escapes and left.life.escapes != "returned") or any(left.after()):
                continue
            seen.add(left.use.site)
            method = left.use.row.name.rpartition(".")[2]
            function = left.use.function
            target = left.block.items[left.item].target
            falls = function.graph.can_fall_through(left.block.body) and not left.life.returned
            hint = f"{left.block.at} {target.id}" if isinstance(target, f.Name) and falls else ""
            because = (Step(function.site(left.block), "the end of this block terminates the pool"),)
            message = f"the block is left before the work of `{method}` is done: it is terminated"
            yield Alarm(self.code, left.use.site.site, message, because, function.qualname, hint)

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
