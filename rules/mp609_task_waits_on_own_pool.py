"""MP609: a task that gives work to the pool whose worker it runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Site, Step
from mplint.project.calling import called_by
from mplint.project.importing import is_guarded
from mplint.project.messages.pickling import goes_its_own_way
from mplint.project.processes.sides import sides
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import CallSite, Function, Instance, Module, Project, Submission, Use

_OTHER = frozenset({"spawn", "forkserver"})
_STANDARD = frozenset({"multiprocessing.pool.Pool", "concurrent.futures.ProcessPoolExecutor"})
_FEW = 200
"""Functions that are followed from the tasks of one pool."""


class TaskWaitsOnOwnPool(Rule):
    """A task that gives work to its own pool and waits for it.

    ## What it does

    Reports work that a task hands to the process pool or executor in which it runs itself, through a global or an attribute: any `submit` or `map` of an
    executor, and what is waited for of a `Pool`. And the same of a `Pool` in a `Process` that is forked when the pool is there.

    ## Why it hurts

    A worker is a copy of the program as it was when the worker started, and none of the threads that serve the pool are in it. An executor
    starts its workers inside `submit`, which holds the executor's lock: in the copy that lock is taken for ever, so that the task hangs in
    `submit` itself, however many workers are free, and whether it looks at the result or not. The workers of a `Pool` start before the pool gets its name:
    the task finds None or no such name, and only a worker that was started later, for one that ended, has a copy, and waits on it for ever. So does a
    `Process` that is forked afterwards. Measured on CPython 3.8 to 3.13 (a task of a `Pool`: 3.10 to 3.13), where workers are forked.

    ## When it knows

    The pool must be the same object, made by one call and kept in a global, a class or an attribute, and the task must come to the call through functions that
    resolve. Of a process it must be certain that the pool was made before: by a statement of the same module, or earlier in the function that makes the
    process. Silent for another pool, for pools that the worker makes itself, for pools that spawn or forkserver starts (a lazily made
    one is another there), for an object that leaves the pool behind when it is pickled, for the branch that a task takes when there is no `Pool`, and for
    threads.

    ## References

    - [concurrent.futures.ProcessPoolExecutor](https://docs.python.org/3/library/concurrent.futures.html#processpoolexecutor): "calling
      Executor or Future methods from a callable submitted to a ProcessPoolExecutor will result in deadlock".
    """

    code = "MP609"
    name = "task-waits-on-own-pool"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for use in project.uses(module, "submit"):
            pool = use.receiver
            if use.site in seen or pool is None or pool.made is None or pool.where != "process" or use.function not in project.workers():
                continue
            role = _known(project, pool)
            if not role or pool.start in _OTHER or (project.target >= (3, 14) and pool.start != "fork"):
                continue
            way = _own_tasks(project, pool, role).get(use.function)
            if way is None or not _is_one(project, use, pool) or (role == "pool" and (not _is_waited_for(project, use) or _is_asked_for(use))):
                continue
            seen.add(use.site)
            forked = way[0].site in _forked_with(project, pool)
            method, cls = use.row.name.rpartition(".")[2], pool.cls.name.rpartition(".")[2]
            if role == "executor":
                message = f"`{method}` in a task of the same executor never returns: the worker's copy of the `{cls}` is locked and nobody serves it"
            elif forked:
                message = f"`{method}` in a process that was forked with the pool: its copy of the `{cls}` never answers"
            else:
                message = f"`{method}` in a task of the same pool: a worker has no `{cls}`, or a copy of it that never answers"
            yield Alarm(self.code, use.site.site, message, (*project.made_step(pool), *way), use.function.qualname)

    example = Example(
        bad="""\
from concurrent.futures import ProcessPoolExecutor

executor = ProcessPoolExecutor(4)


def size(page):
    return len(page)


def total(pages):
    return sum(executor.map(size, pages))  # MP609


if __name__ == "__main__":
    print("total:", executor.submit(total, ["tea", "coffee"]).result())
""",
        bad_ends=Hangs(),
        fixed="""\
from concurrent.futures import ProcessPoolExecutor

executor = ProcessPoolExecutor(4)


def size(page):
    return len(page)


def total(pages):
    return sum(map(size, pages))


if __name__ == "__main__":
    print("total:", executor.submit(total, ["tea", "coffee"]).result())
""",
        fixed_ends=Prints("total: 9"),
    )


def _known(project: Project, pool: Instance) -> str:
    """The role of a pool of the standard library or one derived from it, "" for others: a manager's pool lives in another process, for one."""
    kind = project.kind(pool)
    bases = project.table.bases(kind.name) if kind is not None else ()
    if kind is None or kind.name == "multiprocessing.managers.PoolProxy" or _STANDARD.isdisjoint(bases):
        return ""
    return kind.role


def _own_tasks(project: Project, pool: Instance, role: str) -> dict[Function, tuple[Step, ...]]:
    """What runs in the workers of a pool, and in processes that are forked with it, with the way there."""
    return project.kept(("tasks of", pool.made), lambda: _followed(project, pool, role))


def _forked_with(project: Project, pool: Instance) -> dict[Site, Submission]:
    """The processes that are forked when a pool is there: its threads are not in them."""

    def compute() -> dict[Site, Submission]:
        maker = project.maker(pool)
        if maker is None:
            return {}
        return {
            s.site.site: s
            for s in project.submissions()
            if s.role in {"target", "run"} and s.where == "process" and s.start not in _OTHER and _is_there(project, maker, s)
        }

    return project.kept(("forked with", pool.made), compute)


def _is_there(project: Project, maker: CallSite, submission: Submission) -> bool:
    """Whether a pool is made before a process is, in a module that both stand in or in the same function."""
    site, function = submission.site, maker.function
    if function is site.function:
        return function.graph.reaches(maker.call, site.call) and not function.graph.reaches(site.call, maker.call)
    return (
        function.is_module and function.module is site.function.module and not is_guarded(function, maker.call) and sides(project, site.function) == {"parent"}
    )


def _followed(project: Project, pool: Instance, role: str) -> dict[Function, tuple[Step, ...]]:
    out: dict[Function, tuple[Step, ...]] = {}
    for submission in project.submissions():
        if submission.role == "task" and submission.receiver is not None and submission.receiver.made == pool.made:
            for callee in submission.callees:
                said = f"`{submission.title}` takes `{callee.qualname}` and runs it in a worker"
                out.setdefault(callee, (Step(submission.site.site, said),))
    for site, submission in _forked_with(project, pool).items() if role == "pool" else ():
        for callee in submission.callees:
            out.setdefault(callee, (Step(site, f"`{callee.qualname}` runs in a process that is forked here, when the pool is there"),))
    queue = list(out)
    for function in queue:  # which grows
        for callee, row in called_by(project, function) if len(out) < _FEW else ():
            if callee not in out:
                out[callee] = (*out[function], Step(function.site(row), f"`{function.name}` calls `{callee.qualname}`"))
                queue.append(callee)
    return out


def _is_one(project: Project, use: Use, pool: Instance) -> bool:
    """Whether the call that made the pool made one object that the parent and its workers know by the same global or attribute."""
    maker = project.maker(pool)
    if maker is None or any("reuse" in row.does for row, _ in project.rows(maker)):
        return False
    lazy = _is_lazy(maker)
    if maker.function in project.workers() and not lazy:
        return False
    life = project.life(maker)
    if not life.kept or (life.returned and not lazy and not maker.function.decorators and len(project.callers(maker.function)) > 1):
        return False
    of_self = _is_of_self(use)
    return not any(goes_its_own_way(project, owner) if of_self else len(project.constructions(owner)) > 1 for owner in life.owners)


def _is_lazy(maker: CallSite) -> bool:
    """Whether a pool is made where a test found none: `if executor is None:`."""
    return any(
        isinstance(row, (f.Name, f.Attr))
        for branch in maker.function.graph.branch_conditions(maker.call)
        for row in f.walk(branch.test)
        if f.dotted(row) in _names(maker)
    )


def _names(maker: CallSite) -> frozenset[str]:
    """What the pool is called where it is made."""
    around = maker.function.parent(maker.call)
    return frozenset(f.dotted(target) for target in around.targets) if isinstance(around, f.Assign) else frozenset()


def _is_of_self(use: Use) -> bool:
    """Whether the pool is an attribute of the object that the method is of."""
    return isinstance(use.call.func, f.Attr) and bool(use.function.receiver) and f.dotted(use.call.func.value).startswith(f"{use.function.receiver}.")


def _is_waited_for(project: Project, use: Use) -> bool:
    """Whether a call of a pool's method waits for its result, itself or by what the same function does with it."""
    if not {"wait", "iterate"}.isdisjoint(use.row.does):
        return not (isinstance(use.function.parent(use.call), f.Do) and "iterate" in use.row.does)
    for site in use.function.calls:
        for other in project.uses_at(site, "collect", "wait"):
            if other.receiver is not None and other.receiver.made == use.site.site:
                return True
    return False


def _is_asked_for(use: Use) -> bool:
    """Whether the call stands in a branch that looks at the pool first: in a worker there is none."""
    name = f.dotted(use.call.func.value) if isinstance(use.call.func, f.Attr) else ""
    tests = [branch.test for branch in use.function.graph.branch_conditions(use.call)]
    return any(f.dotted(row) == name for test in tests for row in f.walk(test) if isinstance(row, (f.Name, f.Attr)))
