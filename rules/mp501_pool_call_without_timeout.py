"""MP501: a dead worker's task is never answered, and the call waits for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm
from mplint.fixes.limiting import limit_hint, read_limit
from mplint.project.modules import CallSite
from mplint.project.values import Bound, External, Instance
from mplint.rule import Example, Hangs, Raises, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project, Use


class PoolCallWithoutTimeout(Rule):
    """A call on a process pool that waits without a limit.

    ## What it does

    Reports `map`, `starmap`, `apply`, `imap` and `imap_unordered` on a process pool: `multiprocessing.Pool` however it was made, its
    subclasses, and libraries with the same class. Also where one of them is handed to a library that will call it, as in
    `differential_evolution(f, bounds, workers=pool.map)`.

    ## Why it hurts

    A worker that dies inside a task (the kernel's OOM killer, a segmentation fault, `sys.exit()` in the task) takes the task with it.
    The pool starts a new worker, nobody answers for the lost task, and the call waits until somebody presses Ctrl-C. Measured on
    CPython 3.8 to 3.13, fork and spawn: all of these calls hang, and so does `close()` followed by `join()`.

    ## When it knows

    The receiver must be a process pool by what the project assigns to it, also across modules; where it can be one of several things, one
    of them must be a process pool. Silent for `ThreadPool` and `multiprocessing.dummy` (a thread cannot die like that), executors (they
    notice), billiard (so does it), and for `imap` whose results are taken with
    `next(timeout=...)` or whose iterator class the project itself has patched.

    ## Fix safety

    `pool.map(f, xs)` becomes `pool.map_async(f, xs).get(timeout=T)`, which returns the same list. The fix is safe when the project sets
    `timeout` in its configuration, for then T is its own word. With the default of an hour it is unsafe: a slow but healthy job is cut
    off. For `imap` nothing can be rewritten in place.

    ## References

    - [gh-66587](https://github.com/python/cpython/issues/66587): a lost worker is never noticed, open since 2014.
    - [multiprocessing.pool.AsyncResult.get](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.AsyncResult.get)
    """

    code = "MP501"
    name = "pool-call-without-timeout"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen = set()
        for use in project.uses(module, "wait", "iterate"):
            if use.receiver is None or use.where != "process" or project.role(use.receiver) != "pool" or use.site in seen:
                continue
            kind = project.kind(use.receiver)
            if use.row.timeout is not None or (kind is not None and kind.notices_death):
                continue
            if "iterate" in use.row.does and (_is_bounded(use, project) or project.kept("iterators are replaced", lambda: _replaces_iterators(project))):
                continue
            seen.add(use.site)
            method = use.row.name.rpartition(".")[2]
            message = f"`{method}` on a process pool waits for ever when a worker dies"
            if "iterate" in use.row.does:
                message = f"`{method}` on a process pool: its iterator waits for ever when a worker dies"
            hint = f"{use.row.twin} {limit_hint(project.limits)}" if use.row.twin else ""
            yield Alarm(self.code, use.site.site, message, project.made_step(use.receiver), use.function.qualname, hint)
        for site, given, pool in _handed_away(module, project):
            message = f"`{f.dotted(given)}` is handed away: each call of it waits for ever when a worker of its process pool dies"
            yield Alarm(self.code, site.function.site(given), message, project.made_step(pool), site.function.qualname)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if not alarm.hint or not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
            return
        twin, hint = alarm.hint.split(" ", 1)
        repair.safety, timeout = read_limit(hint)
        repair.replace_source(node.func.attr, twin)
        repair.insert_text_after(node, f".get(timeout={timeout})")
        repair.title = f"Wait with a limit: `{twin}(...).get(timeout={timeout})`"

    example = Example(
        bad="""\
import os
import signal
from multiprocessing import Pool


def render(page):
    if page == 2:
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out
    return page * 10


if __name__ == "__main__":
    with Pool(2) as pool:
        print(pool.map(render, range(4)))  # MP501
""",
        bad_ends=Hangs(),
        fixed="""\
import os
import signal
from multiprocessing import Pool


def render(page):
    if page == 2:
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out
    return page * 10


if __name__ == "__main__":
    with Pool(2) as pool:
        print(pool.map_async(render, range(4)).get(timeout=3))
""",
        fixed_ends=Raises("TimeoutError"),
    )


def _handed_away(module: Module, project: Project) -> Iterator[tuple[CallSite, f.Attr, Instance]]:
    """The waiting methods of process pools that are passed to code outside the project: `differential_evolution(workers=pool.map)`."""
    for site in project.calls(module):
        for arg in site.call.args:
            if isinstance(arg.value, f.Attr) and arg.value.attr in _WAITING and _is_library(site, project):
                for value in project.values(arg.value, site.function):
                    row = project.row_of(value) if isinstance(value, Bound) else None
                    pool = value.receiver if isinstance(value, Bound) else None
                    if row is None or row.timeout is not None or not isinstance(pool, Instance) or not {"wait", "iterate"} & set(row.does):
                        continue
                    kind = project.kind(pool)
                    if pool.where == "process" and project.role(pool) == "pool" and not (kind is not None and kind.notices_death):
                        yield site, arg.value, pool
                        break


_WAITING = {"map", "starmap", "apply", "imap", "imap_unordered"}


def _is_library(site: CallSite, project: Project) -> bool:
    """Whether a call is certainly of library code, and of no builtin: what the project's own functions do is seen where they do it."""
    values = project.values(site.call.func, site.function)
    names = [v.name for v in (v.function if isinstance(v, Bound) else v for v in values) if isinstance(v, External)]
    return len(names) == len(values) > 0 and not any(name.startswith("builtins.") for name in names)


def _replaces_iterators(project: Project) -> bool:
    """Whether the project gives the iterators of `imap` a `next` of its own, with whatever bound."""
    for path in project.sources.holding(b"IMapIterator", project.triage.seeds):
        module = project.module(path)
        for step in module.body.facts.body if module is not None else ():
            for row in f.walk(step):
                targets = row.targets if isinstance(row, f.Assign) else ()
                if any(isinstance(t, f.Attr) and t.attr in {"next", "__next__"} and f.dotted(t.value).endswith("IMapIterator") for t in targets):
                    return True
    return False


def _is_bounded(use: Use, project: Project) -> bool:
    """Whether the iterator that this call gives is asked with `next(timeout=...)` in the same function."""
    return any(
        other.receiver is not None
        and other.receiver.made == use.site.site
        and other.row.timeout is not None
        and project.argument(other.call, other.row.timeout)
        for site in use.function.calls
        for other in project.uses_at(site, "collect")
    )
