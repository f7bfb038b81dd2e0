"""MP702: a process is forked while other threads run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.project.processes import threads
from mplint.project.processes.children import beginnings, child_of, has_unknown_context, is_standard
from mplint.project.processes.forking import forks
from mplint.project.importing import is_library, is_test
from mplint.project.modules import CallSite, Function
from mplint.project.processes.platforms import MAC, is_on, is_spawned, runs_on
from mplint.project.values import External, Instance
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project, Use


class ForkWithThreads(Rule):
    """A process that is forked while other threads of its parent run.

    ## What it does

    Reports processes, pools and executors that fork after a thread was started, on a thread, or in a function that
    offers threads as well, and start methods that are fork for macOS.

    ## Why it hurts

    A fork copies the memory and one thread. A lock that another thread holds at that moment stays locked in the child for ever: the child
    waits for it, and whoever joins the child waits too. Measured on CPython 3.8 to 3.13 for a `threading.Lock`, on 3.8 and 3.13 for the lock
    inside a `queue.Queue`; not for `logging`, which makes new locks after a fork. CPython 3.12 and later warn at such a fork: "This
    process is multi-threaded, use of fork() may lead to deadlocks in the child".

    On macOS the system's libraries may start threads of their own: the library reference calls fork unsafe there, and it is not the default
    since Python 3.8.

    ## When it knows

    The start method has to be fork: asked for by name, or the default, which it is on Linux before Python 3.14 as long as the project sets no other.
    The thread is started in the same function, by its callers, when the object is made or when the module is imported, on every way to the fork; or
    the function itself is what a thread runs: a target, a task of a thread pool, the `run` of a thread. A function of a package that makes a pool of
    threads or one of forked processes, as a parameter asks, is reported because programs that may choose threads there have threads elsewhere, too.
    Silent for spawn and forkserver, when the threads were joined or their pool was left before, and for tests. The threads that pools and queues of
    `multiprocessing` run for themselves do not count.

    ## Fix safety

    The fix asks for a context that spawns. It is unsafe: what the child gets must then be picklable and its module importable, and its globals
    are those of the module and no longer those of the parent.

    ## References

    - [Contexts and start methods](https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods): "safely forking a
      multithreaded process is problematic".
    - [gh-77906](https://github.com/python/cpython/issues/77906) (bpo-33725): fork on macOS.
    - [gh-84559](https://github.com/python/cpython/issues/84559): fork is no longer the default since 3.14.
    """

    code = "MP702"
    name = "fork-with-threads"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        if is_test(project, module.path):
            return
        seen = set()
        for use in project.uses(module, "make", "method"):
            if use.site in seen:
                continue
            if use.row.method_at is not None:
                if _is_fork_on_mac(use, project):
                    seen.add(use.site)
                    message = "fork is asked for on macOS, where the libraries of the system run threads of their own"
                    yield Alarm(self.code, use.site.site, message, (), use.function.qualname)
                continue
            child = child_of(project, use)
            if child is None or not is_standard(child) or not forks(project, use.site, child) or has_unknown_context(project, use, child):
                continue
            if child.start or not is_spawned(use.function, use.call):
                seen.add(use.site)
                yield from self._forked(use, child, project)

    def _forked(self, use: Use, child: Instance, project: Project) -> Iterator[Alarm]:
        title = child.cls.name.rpartition(".")[2]
        for function, row in beginnings(project, use, child):
            found = threads.before(project, function, row)
            if found is not None:
                start, way = found
                because = (Step(start.site.site, "a thread is started here"), *way, *_elsewhere(use, function, row))
                message = f"`{title}` forks while a thread that was started before can still run: a lock that it holds stays locked in the child"
            else:
                chain = threads.on_thread(project, function)
                if chain is None:
                    continue
                because = (*chain, *_elsewhere(use, function, row))
                message = f"`{title}` forks on a thread, beside the main one: a lock that another thread holds stays locked in the child"
            yield Alarm(self.code, use.site.site, message, because, use.function.qualname, _hint(use, child))
            return
        other = _alternative(use, child, project)
        if other is not None:
            because = (Step(other.site, "the caller may choose threads instead"),)
            message = f"`{title}` forks in a function that offers threads as well: a lock that a thread of its callers holds stays locked in the child"
            yield Alarm(self.code, use.site.site, message, because, use.function.qualname, _hint(use, child))

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if not alarm.hint or not isinstance(node, cst.Call):
            return
        context = f"{repair.import_name('multiprocessing', 'get_context')}({repair.quoted('spawn')})"
        if alarm.hint == "executor":
            repair.add_argument(node, f"mp_context={context}")
        else:
            repair.replace_source(node.func, f"{context}.{alarm.hint}")
        repair.title = "Spawn instead of fork"
        repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
import multiprocessing
import threading

lock = threading.Lock()


def refresh(locked, reported):
    with lock:
        locked.set()
        reported.wait()


def report():
    with lock:
        print("reported", flush=True)


def main():
    locked, reported = threading.Event(), threading.Event()
    threading.Thread(target=refresh, args=(locked, reported), daemon=True).start()
    locked.wait()
    process = multiprocessing.Process(target=report)  # MP702
    process.start()
    process.join()
    reported.set()


if __name__ == "__main__":
    main()
""",
        bad_ends=Hangs(),
        fixed="""\
import multiprocessing
import threading

lock = threading.Lock()


def refresh(locked, reported):
    with lock:
        locked.set()
        reported.wait()


def report():
    with lock:
        print("reported", flush=True)


def main():
    locked, reported = threading.Event(), threading.Event()
    threading.Thread(target=refresh, args=(locked, reported), daemon=True).start()
    locked.wait()
    process = multiprocessing.get_context("spawn").Process(target=report)
    process.start()
    process.join()
    reported.set()


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("reported"),
    )


def _alternative(use: Use, child: Instance, project: Project) -> CallSite | None:
    """The call by which a function of a library makes threads where a parameter asks for them and not for these processes."""
    function = use.function
    if child.start or not is_library(project, function.module):
        return None
    target, params = _target(function, use.call), _deciding(function, use.call)
    for site in function.calls if target and params else ():
        if site.call is not use.call and _target(function, site.call) == target and params & _deciding(function, site.call):
            values = project.values(site.call, function)
            if values and all(isinstance(v, Instance) and v.where == "thread" and project.role(v) in {"executor", "pool"} for v in values):
                if not function.graph.reaches(site.call, use.call) and not function.graph.reaches(use.call, site.call):
                    return site
    return None


def _target(function: Function, call: f.Call) -> str:
    """The name that a call's value is assigned to."""
    around = function.parent(call)
    while isinstance(around, f.Choice):
        around = function.parent(around)
    return f.dotted(around.targets[0]) if isinstance(around, f.Assign) and len(around.targets) == 1 else ""


def _deciding(function: Function, call: f.Call) -> frozenset[str]:
    """The parameters that decide whether a call is made."""
    names = {p.name for p in function.facts.params}
    return frozenset(r.id for branch in function.graph.branch_conditions(call) for r in f.walk(branch.test) if isinstance(r, f.Name) and r.id in names)


def _elsewhere(use: Use, function: Function, row: f.Row) -> tuple[Step, ...]:
    return () if row is use.call else (Step(function.site(row), "the fork happens here"),)


def _hint(use: Use, child: Instance) -> str:
    """How the fix is to ask for another start method, "" when it cannot."""
    if child.start or not isinstance(child.cls, External) or use.receiver is not None:
        return ""
    if use.row.name == "concurrent.futures.ProcessPoolExecutor":
        return "executor"
    head, _, last = use.row.name.rpartition(".")
    return last if head == "multiprocessing" else ""


def _is_fork_on_mac(use: Use, project: Project) -> bool:
    """Whether a start method that is asked for is fork where the platform is macOS."""
    given = project.argument(use.call, use.row.method_at)
    if given is None:
        return False
    if _is_fork(given):
        return runs_on(use.function, use.call, MAC)
    sources: list[f.Expr] = [given]
    if isinstance(given, f.Name):
        for row in use.function.graph.definitions(given) or ():
            if isinstance(row, f.Assign) and row.value is not None:
                if _is_fork(row.value) and runs_on(use.function, row, MAC):
                    return True
                sources.append(row.value)
    for source in sources:
        if isinstance(source, f.Choice):
            if (_is_fork(source.body) and is_on(source.test, True, MAC)) or (_is_fork(source.orelse) and is_on(source.test, False, MAC)):
                return True
    return False


def _is_fork(expr: f.Expr) -> bool:
    return isinstance(expr, f.Const) and expr.value == "fork"
