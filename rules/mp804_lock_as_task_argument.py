"""MP804: a lock, queue or shared value is sent to a pool with a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety
from mplint.project.modules import Function
from mplint.project.messages.payloads import arguments, pickler_of, written
from mplint.apis.unpicklable import GUARDED
from mplint.project.values import Instance, Partial, Value, elements
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project, Submission


class LockAsTaskArgument(Rule):
    """A `multiprocessing` lock, queue, event or shared value as an argument of a pool's task.

    ## What it does

    Reports a `Lock`, `Event`, `Queue`, `Value` or another shared object of `multiprocessing` that is sent to the workers of a pool with a task. That is as an
    argument, inside a tuple, list or dict of arguments, or bound by `partial`.

    ## Why it hurts

    These objects may travel only while a process is being started. Measured on CPython 3.8 to 3.13: the task fails with `RuntimeError: Lock objects should
    only be shared between processes through inheritance`, told by `map()` or by the result; where nobody asks for the result, nothing happens at all.

    ## When it knows

    The object must come from a call that makes one. Silent on the proxies of a `Manager`, which are made for it, on `initargs`, on the arguments
    of a `Process`, on the ends of a `Pipe`, and on thread pools. The pickler does not matter: dill and cloudpickle are refused as well.

    ## Fix safety

    The fix is only shown: it takes the object from a manager, whose proxies can be sent anywhere, at the price of a call to the manager's process for each
    use. Handing the object to each worker once, by `initializer` and `initargs`, costs nothing.

    ## References

    - [Programming guidelines](https://docs.python.org/3/library/multiprocessing.html#programming-guidelines): "Explicitly pass resources to child
      processes", "Better to inherit than pickle/unpickle".
    """

    code = "MP804"
    name = "lock-as-task-argument"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen: set[object] = set()
        for submission in project.submissions_of(module):
            if submission.where != "process" or submission.role != "task" or "make" in submission.api.does:
                continue
            for expr, function in _sent(project, submission):
                found = _shared(project, expr, function)
                site = function.site(expr)
                if found is None or site in seen or pickler_of(project, submission) in {"", "inherited"}:
                    continue
                seen.add(site)
                name = found.cls.name.rpartition(".")[2].removesuffix("()")
                name = {"Synchronized": "Value", "SynchronizedArray": "Array"}.get(name, name)
                message = f"a `{name}` of `multiprocessing` cannot be sent with a task: only a process that starts may be given it"
                made = found.made if found.made is not None and found.made.path == function.path and not name.startswith("Raw") else None
                yield Alarm(self.code, site, message, project.made_step(found), function.qualname, f"{made.at} {name}" if made is not None else "")

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        at, _, name = alarm.hint.partition(" ")
        made = repair.node(int(at)) if at else None
        if not isinstance(made, cst.Call) or name in {"SimpleQueue"}:
            return
        repair.replace_source(made.func, f"{repair.import_name('multiprocessing', 'Manager')}().{name}")
        repair.title = f"Take the {name} from a manager"
        repair.safety = Safety.SHOWN

    example = Example(
        bad="""\
from multiprocessing import Lock, Manager, Pool


def write(line, lock):
    with lock:
        print(line, flush=True)


if __name__ == "__main__":
    lock = Lock()
    with Pool(2) as pool:
        pool.starmap(write, [("written", lock)])  # MP804
""",
        bad_ends=Raises("RuntimeError: Lock objects should only be shared between processes through inheritance"),
        fixed="""\
from multiprocessing import Lock, Manager, Pool


def write(line, lock):
    with lock:
        print(line, flush=True)


if __name__ == "__main__":
    lock = Manager().Lock()
    with Pool(2) as pool:
        pool.starmap(write, [("written", lock)])
""",
        fixed_ends=Prints("written"),
    )


def _sent(project: Project, submission: Submission) -> Iterator[tuple[f.Expr, Function]]:
    """The expressions that are pickled with a task: its arguments, those in displays, those that `partial` binds."""
    queue = [(part.expr, part.function) for part in arguments(project, submission)]
    for value in submission.callables:
        if isinstance(value, Partial) and not value.delayed:
            queue.extend((a.value, value.function) for a in value.call.args[1:])
    while queue:
        expr, function = queue.pop()
        display = written(expr, function)
        if isinstance(display, f.Sequence):
            queue.extend((item, function) for item in display.items)
        elif isinstance(display, f.Mapping):
            queue.extend((value, function) for value in display.values)
        else:
            yield expr, function


def _shared(project: Project, expr: f.Expr, function: Function) -> Instance | None:
    """The object of `multiprocessing` that an expression is for certain."""
    values: tuple[Value, ...] = project.values(expr, function)
    values = elements(values) if isinstance(expr, f.Star) else values
    found = [v for v in values if isinstance(v, Instance) and v.made is not None and v.where == "process" and project.role(v) in GUARDED]
    return found[0] if found and len(found) == len(values) else None
