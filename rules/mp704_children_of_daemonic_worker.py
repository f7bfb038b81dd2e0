"""MP704: a worker that may have no children starts some."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Site, Step
from mplint.project.processes.children import beginnings, child_of
from mplint.project.modules import Class, Function
from mplint.project.values import External, Instance
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project, Use
    from mplint.project.flow.around import Branch
    from mplint.project.workers import Submission

_STANDARD = frozenset({"multiprocessing", "concurrent", "torch", "mpire"})
"""Packages whose processes are those of `multiprocessing`."""

_POOLS = frozenset({"multiprocessing.pool.Pool"})


class ChildrenOfDaemonicWorker(Rule):
    """A daemonic worker process that starts processes of its own.

    ## What it does

    Reports pools, executors, managers and processes that are made in the worker code of a `Pool` or of a daemonic `Process`. Also subclasses
    of `Pool` that put a class in the place of its method `Process`, which was the way around that until Python 3.8.

    ## Why it hurts

    The workers of a `Pool` are daemonic, and a daemonic process may not have children: `AssertionError: daemonic processes are not allowed to
    have children`, in every task. Measured on CPython 3.8 to 3.13, for a `Pool` and for an executor inside a `Pool` worker; executors may nest.

    `class NestablePool(Pool): Process = NoDaemonProcess` works on CPython 3.6.15 and 3.7.16. From 3.8 on, `Pool` calls `Process` with the
    context as its first argument, and making the pool ends in `AssertionError: group argument must be None for now` (measured on 3.8 to 3.13).

    ## When it knows

    The function has to run in a worker for certain, and the worker has to be daemonic: of `multiprocessing.Pool`, `torch.multiprocessing`'s,
    billiard's or mpire's pool, or of a `Process` with `daemon=True`. Silent for the workers of executors, joblib and loky, for processes of
    `multiprocess` (which allows it), for pools with a context or a `Process` of their own, for what is only done under a condition (so that
    it may not be done there), and where the error is handled.

    ## References

    - [multiprocessing.Process.daemon](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.daemon): "a daemonic process
      is not allowed to create child processes".
    - [nipype#2745](https://github.com/nipy/nipype/issues/2745): the pool with a `Process` of its own, broken by a new Python.
    """

    code = "MP704"
    name = "children-of-daemonic-worker"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        yield from _replaced(module, project, self.code)
        seen = set()
        for use in project.uses(module, "make"):
            reach = project.workers().get(use.function)
            if reach is None or not reach.certain or use.site in seen:
                continue
            owner = _daemonic(project, reach.submission)
            child = _child(use, project)
            if (
                not owner
                or child is None
                or _family(project, child) != owner
                or _may_be_skipped(use.function, use.call)
                or _is_skipped_on_the_way(project, use.function)
            ):
                continue
            seen.add(use.site)
            title = child.cls.name.rpartition(".")[2]
            message = f"a daemonic worker may not have children: this `{title}` ends in AssertionError"
            because = (*(project.why(use.function) or ()), Step(use.site.site, f"`{use.function.name}` starts processes"))
            yield Alarm(self.code, use.site.site, message, because, use.function.qualname)

    example = Example(
        bad="""\
from multiprocessing import Pool


def square(n):
    return n * n


def total(row):
    with Pool(2) as pool:  # MP704
        return sum(pool.map_async(square, row).get(timeout=9))


if __name__ == "__main__":
    with Pool(2) as pool:
        print(pool.map_async(total, [[1, 2], [3, 4]]).get(timeout=9))
""",
        bad_ends=Raises("AssertionError: daemonic processes are not allowed to have children"),
        fixed="""\
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Pool


def square(n):
    return n * n


def total(row):
    with Pool(2) as pool:
        return sum(pool.map_async(square, row).get(timeout=9))


if __name__ == "__main__":
    with ProcessPoolExecutor(2) as executor:
        print(list(executor.map(total, [[1, 2], [3, 4]], timeout=9)))
""",
        fixed_ends=Prints("[5, 25]"),
    )


_SPELLED = re.compile(r"^\s+Process\s*(:[^=\n]*)?=", re.MULTILINE)


def _replaced(module: Module, project: Project, code: str) -> Iterator[Alarm]:
    """Classes that derive from `Pool` and whose `Process` is a class of processes."""
    numbers = [number for number, page in enumerate(module.outline.pages) if page.kind == "step" and page.indent]
    names = dict.fromkeys(module.outline.pages[n].name for n in numbers if _SPELLED.search(module.page_code(n)))
    for name in names:
        cls = module.class_(name)
        if cls is None or not _POOLS & project.ancestry(cls):
            continue
        for row in cls.assigned("Process"):
            values = project.values(row.value, module.body) if row.value is not None else ()
            if values and all(_is_plain_process(project, value) for value in values):
                message = "`Pool` passes its context to `Process` since Python 3.8: with a class in its place the pool cannot be made"
                yield Alarm(code, Site(module.path, row.at), message, (), cls.qualname)


def _is_plain_process(project: Project, value: object) -> bool:
    """Whether a value is a class of processes with the usual arguments, `group` first."""
    if isinstance(value, Class):
        init = project.find_method(value, "__init__")
        usual = not isinstance(init, Function) or [p.name for p in init.facts.params[1:2]] == ["group"]
        return project.role(value) == "process" and usual
    return isinstance(value, External) and project.role(value) == "process"


def _daemonic(project: Project, submission: Submission) -> str:
    """The package whose daemonic process a worker is, "" when it is not daemonic or that is not certain."""
    owner = submission.receiver
    if owner is None or owner.where != "process":
        return ""
    if submission.role in {"target", "run"}:
        return _family(project, owner) if _is_made_daemonic(project, submission, owner) else ""
    kind = project.kind(owner)
    if kind is None or not kind.daemonic or not isinstance(owner.cls, External) or _has_own_ways(project, owner):
        return ""
    return _family(project, owner)


def _family(project: Project, value: Instance) -> str:
    """The package whose rule about children holds for a process."""
    kind = project.kind(value)
    head = kind.name.partition(".")[0] if kind is not None else ""
    return "multiprocessing" if head in _STANDARD else head


def _has_own_ways(project: Project, pool: Instance) -> bool:
    """Whether a pool is made with a context of the project's, or with a word about daemons."""
    site = project.maker(pool)
    if site is None:
        return True
    given = [a.value for a in site.call.args if a.keyword in {"context", "daemon"} or a.star]
    given += [site.call.func.value] if isinstance(site.call.func, f.Attr) else []
    given += [site.call.args[4].value] if len(site.call.args) > 4 else []
    return any(not _is_of_library(value) for expr in given for value in project.values(expr, site.function))


def _is_of_library(value: object) -> bool:
    return isinstance(value, External) or (isinstance(value, Instance) and isinstance(value.cls, External))


def _is_made_daemonic(project: Project, submission: Submission, owner: Instance) -> bool:
    """Whether a process is daemonic for certain: by its argument, by an attribute that is set before it starts, or by its own class."""
    given = submission.site.call.keyword("daemon")
    if given is not None:
        return _is_true(given)
    set_to = [around.value for t in project.life(submission.site).touched("daemon") if isinstance(around := t.function.parent(t.row), f.Assign)]
    if set_to:
        return all(value is not None and _is_true(value) for value in set_to)
    init = project.find_method(owner.cls, "__init__") if isinstance(owner.cls, Class) else None
    if not isinstance(init, Function):
        return False
    for row in init.rows:
        if isinstance(row, f.Assign) and row.value is not None and any(f.dotted(t) == f"{init.receiver}.daemon" for t in row.targets):
            return _is_true(row.value) and not init.graph.branch_conditions(row)
        passed = row.keyword("daemon") if isinstance(row, f.Call) and isinstance(row.func, f.Attr) and row.func.attr == "__init__" else None
        if passed is not None:
            return _is_true(passed)
    return False


def _is_true(expr: f.Expr) -> bool:
    return isinstance(expr, f.Const) and expr.value is True


def _child(use: Use, project: Project) -> Instance | None:
    """The pool, executor, manager or started process that a call makes."""
    child = child_of(project, use)
    if child is None or not isinstance(child.cls, External):
        return None
    return child if project.role(child) != "process" or any(True for _ in beginnings(project, use, child)) else None


def _may_be_skipped(function: Function, call: f.Row) -> bool:
    """Whether something decides that a call is made, or its error is handled; a check that raises decides nothing."""
    graph = function.graph
    around = function.ancestors(call)
    deciding = [branch for branch in graph.branch_conditions(call) if any(branch.row is row for row in around) or not _raises(branch)]
    return bool(deciding) or graph.is_conditional(call) or bool(graph.handlers_around(call))


def _raises(branch: Branch) -> bool:
    """Whether the other outcome of a test is an error."""
    block = () if branch.row is None else branch.row.orelse if branch.holds else branch.row.body
    return bool(block) and isinstance(block[-1], f.Raise)


def _is_skipped_on_the_way(project: Project, function: Function) -> bool:
    """The same for the calls that lead from the task to `function`."""
    reach = project.workers().get(function)
    while reach is not None and reach.caller is not None and reach.call is not None:
        if _may_be_skipped(reach.caller, reach.call):
            return True
        reach = project.workers().get(reach.caller)
    return False
