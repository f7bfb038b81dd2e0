"""MP406: the first failure of a gather leaves the threads running and throws their results away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint.finding import Alarm, Safety
from mplint.project.waits.awaiting import unguarded_gathers
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project


class UnguardedGatherOverThreads(Rule):
    """`asyncio.gather` over the work of a thread pool, with nobody handling what comes out.

    ## What it does

    Reports the same as MP401 where the executor is a `ThreadPoolExecutor` or the default executor (`None`, `asyncio.to_thread`).

    ## Why it hurts

    The first exception is raised at once, while the other threads go on to the end and their results and exceptions are lost. `asyncio.run`
    then waits for the threads before it returns.

    ## When it knows

    The awaitables must lead to `run_in_executor` or `to_thread`. Silent with `return_exceptions=True`, inside a `try` that handles `Exception`
    or whose `finally` cancels what is left and waits for it, when every awaited coroutine catches what its thread raises, and when every caller in
    the project handles it.

    ## Fix safety

    Adds `return_exceptions=True`, where the result is used. It is unsafe, for the result then holds exceptions and each element must be checked.

    ## References

    - [asyncio.gather](https://docs.python.org/3/library/asyncio-task.html#asyncio.gather): what happens without `return_exceptions`.
    """

    code = "MP406"
    name = "unguarded-gather-over-threads"
    preview = True

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for function in project.functions(module, "gather"):
            for gather in unguarded_gathers(project, function):
                if gather.wait.where == "thread":
                    message = "`gather` over a thread pool: the first exception loses the results of threads that go on running"
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


async def parse(text):
    return await asyncio.to_thread(int, text)


async def main():
    print(await asyncio.gather(*[parse(text) for text in ("1", "2a", "3")]))  # MP406


asyncio.run(main())
""",
        bad_ends=Raises("ValueError: invalid literal for int()"),
        fixed="""\
import asyncio


async def parse(text):
    return await asyncio.to_thread(int, text)


async def main():
    print(await asyncio.gather(*[parse(text) for text in ("1", "2a", "3")], return_exceptions=True))


asyncio.run(main())
""",
        fixed_ends=Prints("[1, ValueError("),
    )
