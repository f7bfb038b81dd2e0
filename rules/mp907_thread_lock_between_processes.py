"""MP907: a lock, event or condition of `threading` does nothing between processes: each has a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.project.importing import is_test
from mplint.project.lives.lifetimes import Touch
from mplint.project.messages.sharing import is_run_by_several, shared_places
from mplint.project.modules import CallSite, Function
from mplint.project.processes.sides import sides
from mplint.project.values import Literal
from mplint.rule import Example, Hangs, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project

_TELLING = {
    "Event": ({"wait", "is_set", "isSet"}, {"set"}),
    "Condition": ({"wait", "wait_for"}, {"notify", "notify_all", "notifyAll"}),
    "Semaphore": ({"acquire"}, {"release"}),
    "BoundedSemaphore": ({"acquire"}, {"release"}),
}
"""What waits for a word on an object of `threading`, and what gives it."""

_GUARDS = frozenset({"Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition"})


class ThreadLockBetweenProcesses(Rule):
    """A lock, event, condition or semaphore of `threading` that processes are to share.

    ## What it does

    Reports events, conditions and semaphores of `threading` where one process waits for what another one says, and its locks where several processes
    write to a shared value or to the same file under one.

    ## Why it hurts

    A forked process has a copy of the object. Measured on CPython 3.8 to 3.13: an event that the parent sets stays unset in the process that waits
    for it, a semaphore that the process releases stays taken in the parent. A lock is taken by each process for itself, so that it keeps nobody out. Where
    processes are spawned the object cannot be sent (`TypeError: cannot pickle '_thread.lock' object`); at the module level each process makes its own.

    ## When it knows

    The object is followed from the call that makes it, into the processes that it is handed to or that have it as a global or attribute. All calls that
    wait must be on one side and all that set on the other; an event that the worker sets, too, is silent, and so is one that threads or signal handlers
    use. A lock counts when what it guards is surely shared, a `Value`, an `Array`, a manager's object or a file with a fixed name that is
    opened to write, and when several processes come there at a time; not when its name may have another lock.

    ## Fix safety

    The fix makes the object with `multiprocessing` instead. It is unsafe: such an object is slower, must be handed to the processes when they are
    made, and cannot be an argument of a pool's task.

    ## References

    - [multiprocessing, Synchronization between processes](https://docs.python.org/3/library/multiprocessing.html#synchronization-primitives).
    """

    code = "MP907"
    name = "thread-lock-between-processes"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        if is_test(project, module.path):
            return
        for made in _made(project, module):
            found = _told(project, made) if made.kind in _TELLING else None
            found = found or (_guarded(project, made) if made.kind in _GUARDS else None)
            if found is not None and "worker" not in sides(project, made.site.function):
                message, because = found
                yield Alarm(self.code, made.site.site, message, because, made.site.function.qualname, made.kind)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if isinstance(node, cst.Call):
            repair.replace_source(node.func, repair.import_name("multiprocessing", alarm.hint))
            repair.title = f"Make it a `multiprocessing.{alarm.hint}`"
            repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
import threading
from multiprocessing import Process


def serve(stop):
    while not stop.wait(0.05):
        pass
    print("stopped", flush=True)


def main():
    stop = threading.Event()  # MP907
    server = Process(target=serve, args=(stop,))
    server.start()
    threading.Timer(0.1, stop.set).start()
    server.join()


if __name__ == "__main__":
    main()
""",
        bad_ends=Hangs(),
        fixed="""\
import multiprocessing
import threading
from multiprocessing import Process


def serve(stop):
    while not stop.wait(0.05):
        pass
    print("stopped", flush=True)


def main():
    stop = multiprocessing.Event()
    server = Process(target=serve, args=(stop,))
    server.start()
    threading.Timer(0.1, stop.set).start()
    server.join()


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("stopped"),
    )


class _Made(NamedTuple):
    """A call that makes an object of `threading`, and the names by which worker code knows it; none where it is handed over."""

    site: CallSite
    kind: str
    names: frozenset[str]


_Found = tuple[str, tuple[Step, ...]]


def _made(project: Project, module: Module) -> Iterator[_Made]:
    """The objects that a module makes where processes may get a copy of them."""
    if not project.spells(module, b"threading") or not _has_processes(project, module):
        return
    kinds = {*_TELLING, *_GUARDS}
    imports = [i for i in module.outline.imports if i.module == "threading"]
    spelled = {f"{i.local}(" for i in imports if i.name in kinds} | {f"{i.local}.{kind}(" for i in imports if not i.name for kind in kinds}
    for function in module.functions(*spelled) if spelled else ():
        for site in function.calls:
            kind = f.last_name(site.call.func)
            if kind in kinds and f"{f.dotted(site.call.func)}(" in spelled and project.external(site.call.func, function) == f"threading.{kind}":
                names = _names(site)
                handed = any(s.site.function is function and s.where == "process" for s in project.submissions_of(module))
                known = not (handed and not function.is_module) and not _is_process(project, function)
                if not _may_be_another(project, site, names) and (not known or any(_is_in_workers(project, name) for name in names)):
                    yield _Made(site, kind, names if known else frozenset())


def _is_in_workers(project: Project, name: str) -> bool:
    """Whether worker code spells a name, or the method of one."""
    return project.kept(("spelled by workers", name), lambda: any(worker.spells(name) for worker in project.workers()))


def _has_processes(project: Project, module: Module) -> bool:
    return bool(project.workers_in(module)) or any(s.where == "process" for s in project.submissions_of(module)) or project.spells(module, b"Process")


def _is_worker_code(project: Project, function: Function) -> bool:
    """Whether a process may run a function, as the body of a class that nobody in the project makes an object of, too."""
    return function in project.workers() or (function.name == "run" and _is_process(project, function))


def _is_process(project: Project, function: Function) -> bool:
    return function.owner is not None and project.role(function.owner) == "process"


def _names(site: CallSite) -> frozenset[str]:
    """The last names of what the result of a call is assigned to."""
    around = site.function.parent(site.call)
    while isinstance(around, f.Sequence):
        around = site.function.parent(around)
    targets = around.targets if isinstance(around, f.Assign) else ()
    return frozenset(f.last_name(row) for target in targets for row in f.walk(target) if isinstance(row, (f.Name, f.Attr))) - {site.function.receiver}


def _may_be_another(project: Project, site: CallSite, names: frozenset[str]) -> bool:
    """Whether something else is assigned to the same name, too: a lock of `multiprocessing` where there are processes."""
    cls = site.function.owner
    for function in cls.methods_mentioning(*names) if cls is not None else (site.function,):
        for row in function.rows:
            if isinstance(row, f.Assign) and isinstance(row.value, f.Call) and row.value is not site.call and any(f.last_name(t) in names for t in row.targets):
                if not project.external(row.value.func, function).startswith("threading."):
                    return True
    return False


# -- events, conditions, semaphores: one waits, another says


def _told(project: Project, made: _Made) -> _Found | None:
    waiting, saying = _TELLING[made.kind]
    if made.names and not any(_is_in_workers(project, f"{name}.{verb}") for name in made.names for verb in (*waiting, *saying)):
        return None
    life = project.life(made.site, handed=True, patient=True)
    if life.escapes or ("with" in life.names() and made.kind != "Condition"):
        return None
    waits, said = list(life.touched(*waiting)), list(life.touched(*saying))
    inside = {_is_worker_code(project, t.function) for t in (*waits, *said)} if waits and said else set()
    if inside != {True, False}:
        return None
    for one, other in (("worker", "parent"), ("parent", "worker")):
        here = [t for t in waits if sides(project, t.function) == {one}]
        there = [t for t in said if sides(project, t.function) == {other}]
        if not here or len(there) != len(said) or not said or any(_is_handler(project, t.function) for t in said):
            continue
        if other == "worker" and len(here) != len(waits):
            continue
        worker, parent = (here[0], said[0]) if one == "worker" else (said[0], here[0])
        if worker.function is made.site.function:
            continue
        sayer = "the parent" if one == "worker" else "the process"
        message = f"a process has a copy of this `threading.{made.kind}`: what {sayer} does to it does not reach the other side"
        does = ("waits for it", "says it") if one == "worker" else ("says it", "waits for it")
        steps = [Step(t.function.site(t.row), f"the {who} {what} here") for t, who, what in zip((worker, parent), ("process", "parent"), does)]
        return message, (*(project.why(worker.function) or ()), *steps)
    return None


def _is_handler(project: Project, function: Function) -> bool:
    """Whether a function is called for a signal, in whichever process that comes to."""
    handlers = project.kept("handlers of signals", lambda: frozenset(g for s in project.submissions() if s.role in {"handler", "callback"} for g in s.callees))
    return function in handlers or (function.outer is not None and function.outer in handlers)


# -- locks: what they guard


def _guarded(project: Project, made: _Made) -> _Found | None:
    if not any(worker.spells("open(") or worker in shared_places(project) for worker in project.workers() if not made.names or worker.spells(*made.names)):
        return None
    life = project.life(made.site, handed=True, patient=True)
    for touch in life.touched("with", "acquire"):
        function = touch.function
        for row in _under(touch) if _is_worker_code(project, function) else ():
            what = _shared(project, function, row)
            if not what or sides(project, function) != {"worker"} or not is_run_by_several(project, made.site, function):
                continue
            if not _is_held_otherwise(function, row, touch.row):
                message = f"this `threading.{made.kind}` is copied into each process: it keeps none of them from writing to {what} at the same time"
                return message, (*(project.why(function) or ()), Step(function.site(row), f"{what[0].upper()}{what[1:]} is written here, under the lock"))
    return None


def _under(touch: Touch) -> Iterator[f.Row]:
    """The rows that run while a lock is held, which a `with` or a call of `acquire` takes."""
    if isinstance(touch.row, f.With):
        yield from f.walk(*touch.row.body)
    elif touch.call is not None:
        freed = [s.call for s in touch.function.calls if isinstance(s.call.func, f.Attr) and s.call.func.attr == "release"]
        graph = touch.function.graph
        for row in touch.function.rows:
            if isinstance(row, (f.Assign, f.Change, f.Call)) and graph.dominated(row, by=[touch.call]) and graph.reaches(touch.call, row, avoiding=freed):
                yield row


def _shared(project: Project, function: Function, row: f.Row) -> str:
    """What a row writes to that processes share; "" for nothing."""
    if isinstance(row, (f.Assign, f.Change)):
        for target in row.targets if isinstance(row, f.Assign) else (row.target,):
            if isinstance(target, (f.Attr, f.Item)) and target.at in shared_places(project).get(function, ()):
                return "the shared value"
    if isinstance(row, f.Call) and f.last_name(row.func) == "open" and project.external(row.func, function) in {"builtins.open", "io.open"}:
        mode, path = row.positional(1) or row.keyword("mode"), row.positional(0)
        if path is not None and isinstance(mode, f.Const) and any(letter in str(mode.value) for letter in "wax+") and _is_fixed(project, path, function):
            return "the file"
    return ""


def _is_fixed(project: Project, path: f.Expr, function: Function) -> bool:
    """Whether a path is the same in all processes: a global, or written out."""
    if isinstance(path, f.Name) and path.id in function.module.outline.names and function.graph.definitions(path) is None:
        return True
    values = project.values(path, function)
    return len(values) == 1 and isinstance(values[0], Literal)


def _is_held_otherwise(function: Function, row: f.Row, own: f.Row) -> bool:
    """Whether something else than the lock is entered around a row, which may keep other processes out."""
    for block, item in function.graph.withs_around(row):
        if block is not own and not (isinstance(item.value, f.Call) and f.last_name(item.value.func) in {"open", "suppress"}):
            return True
    return False
