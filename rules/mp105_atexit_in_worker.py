"""MP105: a worker ends without its exit handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.project.processes.sides import sides
from mplint.project.values import External, Instance
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project
    from mplint.project.workers import Submission

_RUNS = (3, 13)
"""Python from which on workers run their exit handlers."""


class AtexitInWorker(Rule):
    """`atexit.register` in a worker process.

    ## What it does

    Reports `atexit.register()` in functions that run in worker processes alone.

    ## Why it hurts

    A forked worker ends by `os._exit()`, past all exit handlers: what was to be flushed, closed or removed is not. Measured on CPython 3.8 to
    3.12 with fork and forkserver, for `Process`, `Pool` and `ProcessPoolExecutor`: the handler never runs. With spawn it does, as
    with every start method from 3.13 on, but for the workers of a pool that its `with` block terminates: those run it at times (3.10 to 3.13).

    ## When it knows

    The function has to run in a worker for certain, and not in the parent, too. Silent where the target version is 3.13 or later, for processes whose
    start method is spawn, for workers of other libraries than `multiprocessing` and `concurrent.futures`, and for threads.

    ## Fix safety

    The change is shown and never applied: `multiprocessing.util.Finalize` with an `exitpriority` is run by all workers that end by themselves. In a pool
    that is terminated, as by the end of its `with` block, it may not be (measured).

    ## References

    - [atexit](https://docs.python.org/3/library/atexit.html): "not called when [...] `os._exit()` is called".
    - [gh-83856](https://github.com/python/cpython/issues/83856): exit handlers in forked processes, since 3.13.
    """

    code = "MP105"
    name = "atexit-in-worker"
    preview = True

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        if project.target >= _RUNS:
            return
        for function in project.workers_in(module):
            if not function.spells("atexit", "register"):
                continue
            reach = project.workers()[function]
            for site in function.calls:
                if f.last_name(site.call.func) != "register" or project.external(site.call.func, function) != "atexit.register":
                    continue
                if reach.certain and _ends_at_once(project, reach.submission) and sides(project, function) == {"worker"}:
                    because = (*(project.why(function) or ()), Step(site.site, "the handler is registered here"))
                    yield Alarm(self.code, site.site, "a forked worker never runs its exit handlers before Python 3.13", because, function.qualname)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        call = cst.ensure_type(node, cst.Call)
        if not call.args or any(argument.star for argument in call.args) or call.args[0].keyword is not None:
            return
        plain = [repair.code(argument.value) for argument in call.args[1:] if argument.keyword is None]
        named = [f"{argument.keyword.value!r}: {repair.code(argument.value)}" for argument in call.args if argument.keyword is not None]
        passed = [f"args=({', '.join(plain)}{',' * (len(plain) == 1)})"] if plain else []
        passed += [f"kwargs={{{', '.join(named)}}}"] if named else []
        finalize = repair.import_name("multiprocessing.util", "Finalize")
        repair.replace_source(call, f"{finalize}({', '.join(('None', repair.code(call.args[0].value), *passed, 'exitpriority=0'))})")
        repair.title = "Let the worker call it when it ends"
        repair.safety = Safety.SHOWN

    example = Example(
        bad="""\
import atexit
from multiprocessing import Process


def save(path, lines):
    with open(path, "w") as file:
        file.writelines(lines)


def record(path):
    lines = []
    atexit.register(save, path, lines)  # MP105
    lines.append("measured")


def main():
    process = Process(target=record, args=("record.txt",))
    process.start()
    process.join()
    try:
        print(open("record.txt").read())
    except FileNotFoundError:
        print("nothing was saved")


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("nothing was saved"),
        fixed="""\
import atexit
import multiprocessing.util
from multiprocessing import Process


def save(path, lines):
    with open(path, "w") as file:
        file.writelines(lines)


def record(path):
    lines = []
    multiprocessing.util.Finalize(None, save, args=(path, lines), exitpriority=0)
    lines.append("measured")


def main():
    process = Process(target=record, args=("record.txt",))
    process.start()
    process.join()
    try:
        print(open("record.txt").read())
    except FileNotFoundError:
        print("nothing was saved")


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("measured"),
        until=_RUNS,
    )


def _ends_at_once(project: Project, submission: Submission) -> bool:
    """Whether the worker is forked by the standard library, by the start method that is known or the default one."""
    owner = submission.receiver
    if (
        submission.role not in {"task", "initializer", "target", "run"}
        or owner is None
        or owner.where != "process"
        or (submission.start or owner.start) == "spawn"
    ):
        return False
    kind = project.kind(owner)
    return kind is not None and kind.name.startswith(("multiprocessing.", "concurrent.")) and isinstance(owner, Instance) and _is_known(owner)


def _is_known(owner: Instance) -> bool:
    """Whether the class of a pool or process is the library's own, or one of the project's."""
    return not isinstance(owner.cls, External) or owner.cls.name.startswith(("multiprocessing.", "concurrent."))
