"""MP602: work for a pool that takes none any more, and waiting for one that was not told to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Site, Step
from mplint.project.flow.around import expects_error
from mplint.project.flow.paths import Leaving, Point
from mplint.project.modules import Function
from mplint.project.values import External, Instance
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project, Use

_REFUSING = frozenset({"multiprocessing.pool.Pool", "concurrent.futures.Executor"})
"""Classes whose objects take no work once they were closed, whatever happens."""


class SubmitAfterShutdown(Rule):
    """Work given to a pool or executor after it was closed.

    ## What it does

    Reports work given to a process pool, thread pool or executor that is closed on every way there: by `close()`, `terminate()`, `shutdown()`
    or the end of its `with` block. Reports `Pool.join()`, too, with no `close()` or `terminate()` before it.

    ## Why it hurts

    The call raises: `RuntimeError: cannot schedule new futures after shutdown` from an executor, `ValueError: Pool not running` from a pool, and
    `ValueError: Pool is still running` from `join()`. Measured on CPython 3.8 to 3.13.

    ## When it knows

    The name or attribute must mean one object, closed on every way to the call, and not be bound again in between. Silent where the
    error is expected (a handler around the call, `pytest.raises`, `assertRaises`), and for libraries whose pools can be started again.

    ## References

    - [concurrent.futures.Executor.shutdown](https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.shutdown)
    - [multiprocessing.pool.Pool.join](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.Pool.join): one must call
      `close()` or `terminate()` before.
    """

    code = "MP602"
    name = "submit-after-shutdown"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for use in project.uses(module, "submit", "join"):
            pool = _only_receiver(use, project)
            if pool is None or pool.made is None or use.site in seen or _is_expected(use):
                continue
            seen.add(use.site)
            ends = list(_ends(use.function, pool.made, project))
            if "join" in use.row.does:
                if project.role(pool) == "pool" and _is_still_running(use, pool, ends, project):
                    message = "`join()` on a pool that nobody closed: it raises ValueError"
                    yield Alarm(self.code, use.site.site, message, project.made_step(pool), use.function.qualname)
            elif _is_over(use, ends, project):
                last = next(row for point, row in ends if use.function.graph.reaches(point, use.call))
                method = use.row.name.rpartition(".")[2]
                kind = {"process": "process", "thread": "thread"}.get(pool.where, "")
                what = f"{kind} {project.role(pool)}".strip()
                because = (Step(use.function.site(last), "it is closed here" if isinstance(last, f.Call) else "the end of this block closes it"),)
                yield Alarm(self.code, use.site.site, f"`{method}` on a {what} that is closed already raises", because, use.function.qualname)

    example = Example(
        bad="""\
from concurrent.futures import ProcessPoolExecutor


def main():
    with ProcessPoolExecutor(2) as executor:
        sizes = list(executor.map(len, ["a", "bb"]))
    total = executor.submit(sum, sizes)  # MP602
    print("total:", total.result())


if __name__ == "__main__":
    main()
""",
        bad_ends=Raises("RuntimeError: cannot schedule new futures after shutdown"),
        fixed="""\
from concurrent.futures import ProcessPoolExecutor


def main():
    with ProcessPoolExecutor(2) as executor:
        sizes = list(executor.map(len, ["a", "bb"]))
        total = executor.submit(sum, sizes)
        print("total:", total.result())


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("total: 3"),
    )


def _only_receiver(use: Use, project: Project) -> Instance | None:
    """The pool or executor that the call is on, when it can be no other and takes no work after its end."""
    if not isinstance(use.call.func, f.Attr):
        return None
    values = project.values(use.call.func.value, use.function)
    if len(values) != 1 or not isinstance(values[0], Instance) or not isinstance(values[0].cls, External):
        return None
    kind = project.kind(values[0])
    if kind is None or not _REFUSING & set(project.table.bases(kind.name)):
        return None
    return values[0]


def _ends(function: Function, made: Site, project: Project) -> Iterator[tuple[Point, f.Row]]:
    """Where the body of `function` closes the object that was made there: the point, and the row that says so."""
    for site in function.calls:
        for use in project.uses_at(site, "close", "shutdown", "stop"):
            if use.receiver is not None and use.receiver.made == made:
                yield site.call, site.call
    for row in function.rows:
        if isinstance(row, f.With):
            for number, item in enumerate(row.items):
                if any(isinstance(v, Instance) and v.made == made for v in project.values(item.value, function)):
                    yield Leaving(row, number), row


def _is_over(use: Use, ends: list[tuple[Point, f.Row]], project: Project) -> bool:
    """Whether every way to the call closes the pool after it was bound to what it is called on."""
    function, graph = use.function, use.function.graph
    points = [point for point, _ in ends]
    if not any(graph.reaches(point, use.call) for point in points):
        return False
    assert isinstance(use.call.func, f.Attr)
    on = use.call.func.value
    if isinstance(on, f.Name):
        binders = graph.definitions(on)
        if binders is None:
            return False
        starts = [row for row in binders if isinstance(row, f.Row)]
        if len(starts) < len(binders):
            return graph.dominated(use.call, by=points)
        return all(not graph.reaches(row, use.call, avoiding=points) for row in starts)
    name = f.dotted(on)
    if not name or not graph.dominated(use.call, by=points):
        return False
    between = [site for site in function.calls if any(graph.reaches(p, site.call) for p in points) and graph.reaches(site.call, use.call)]
    if any(project.callees(site) for site in between):
        return False
    return not any(
        graph.reaches(row, use.call, avoiding=points)
        for row in function.rows
        if isinstance(row, f.Assign) and any(f.dotted(t) == name for target in row.targets for t in f.walk(target) if isinstance(t, f.Attr))
    )


def _is_still_running(use: Use, pool: Instance, ends: list[tuple[Point, f.Row]], project: Project) -> bool:
    """Whether nobody who has the pool closes it before this `join()`."""
    creation = project.maker(pool)
    if creation is None:
        return False
    life = project.life(creation)
    if life.escapes or life.returned or "global" in life.kept:
        return False
    closing = [t for t in life.touches if t.name in {"close", "terminate", "with", "__exit__", "*"} or "()" in t.name]
    if any(t.function is not use.function for t in closing):
        return False
    return not any(use.function.graph.reaches(point, use.call) for point, _ in ends) and len(ends) >= len(closing)


def _is_expected(use: Use) -> bool:
    """Whether somebody around the call waits for the error."""
    graph = use.function.graph
    if graph.handlers_around(use.call):
        return True
    if any(expects_error(item) for _, item in graph.withs_around(use.call)):
        return True
    return any(isinstance(row, f.Lambda) for row in use.function.ancestors(use.call))
