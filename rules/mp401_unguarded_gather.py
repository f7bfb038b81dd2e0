"""MP401: the first failure of a gather leaves the workers running and throws their results away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint.finding import Alarm, Safety
from mplint.project.waits.awaiting import unguarded_gathers
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project


class UnguardedGather(Rule):
    """`asyncio.gather` over the work of a process pool, with nobody handling what comes out.

    ## What it does

    Reports `asyncio.gather` over the work of a process pool, without `return_exceptions=True` and without an enclosing handler. The work is
    found through coroutines, tasks, comprehensions and wrappers; an executor that cannot be told to be a thread pool counts too.

    ## Why it hurts

    The first exception is raised at once. The healthy workers keep running to the end, their results are thrown away, and a second exception
    is never reported anywhere. When a worker dies, all of them get `BrokenProcessPool`. Measured on CPython 3.8 to 3.13.

    ## When it knows

    The awaitables must lead to `run_in_executor` (or a wrapped future) on a known executor. Silent for thread pools and the default executor (MP406
    covers those, and executors of the project whose `submit` calls the function itself), for plain coroutines, with `return_exceptions=True`, inside
    a `try` that handles `Exception` or whose `finally` cancels what is left and waits for it, when every awaited coroutine catches what its worker
    raises, and when every caller in the project handles it.

    ## Fix safety

    Adds `return_exceptions=True`, where the result is used. It is unsafe, for the result then holds exceptions and each element must be
    checked. With a discarded result nothing is offered: the flag would turn a loud failure into silence (MP407).

    ## References

    - [asyncio.gather](https://docs.python.org/3/library/asyncio-task.html#asyncio.gather)
    - [asyncio.TaskGroup](https://docs.python.org/3/library/asyncio-task.html#asyncio.TaskGroup), 3.11 and later, with `except*`.
    """

    code = "MP401"
    name = "unguarded-gather"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for function in project.functions(module, "gather"):
            for gather in unguarded_gathers(project, function):
                where = gather.wait.where
                if where == "thread":
                    continue
                pool = "a process pool" if where == "process" else "an executor that may be a process pool"
                message = f"`gather` over {pool}: the first exception loses the results of workers that go on running"
                yield Alarm(self.code, gather.site.site, message, gather.wait.because, function.qualname, "used" if gather.used else "")

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if alarm.hint and isinstance(node, cst.Call):
            repair.add_argument(node, "return_exceptions=True")
            repair.title = "Collect exceptions with `return_exceptions=True`"
            repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
import asyncio
from concurrent.futures import ProcessPoolExecutor


class Workers:
    def __init__(self, executor):
        self.executor = executor

    async def parse(self, text):
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, int, text)


async def main():
    with ProcessPoolExecutor(2) as executor:
        workers = Workers(executor)
        tasks = [asyncio.create_task(workers.parse(text)) for text in ("1", "2a", "3")]
        print(await asyncio.gather(*tasks))  # MP401


if __name__ == "__main__":
    asyncio.run(main())
""",
        bad_ends=Raises("ValueError: invalid literal for int()"),
        fixed="""\
import asyncio
from concurrent.futures import ProcessPoolExecutor


class Workers:
    def __init__(self, executor):
        self.executor = executor

    async def parse(self, text):
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, int, text)


async def main():
    with ProcessPoolExecutor(2) as executor:
        workers = Workers(executor)
        tasks = [asyncio.create_task(workers.parse(text)) for text in ("1", "2a", "3")]
        print(await asyncio.gather(*tasks, return_exceptions=True))


if __name__ == "__main__":
    asyncio.run(main())
""",
        fixed_ends=Prints("[1, ValueError("),
    )
