"""MP806: what was put into a queue is changed before the queue has pickled it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.project.messages.updates import CHANGING
from mplint.project.modules import Function
from mplint.project.values import Instance, Literal
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project, Use


class MutatedAfterPut(Rule):
    """An object that goes on changing after it was put into a `multiprocessing.Queue`.

    ## What it does

    Reports a list, dict, set or other object that is put into a queue between processes and changed afterwards while it still has the same name: in
    the lines that follow, or in the next turn of the loop.

    ## Why it hurts

    `put()` only keeps the object; a thread pickles it later. Measured on CPython 3.8 to 3.13: the consumer gets the object as it is by then, so
    that items are lost and others come twice, in silence.

    ## When it knows

    The queue must be a `Queue` or `JoinableQueue` of `multiprocessing` (a `SimpleQueue` and a manager's queue pickle at once). The object must be a
    local name that is not bound anew on the way from `put` to the change. Silent when a copy was put.

    ## Fix safety

    The fix puts a shallow copy, `copy.copy(item)`; it is only shown, for what lies deeper may change as well.

    ## References

    - [multiprocessing.Queue](https://docs.python.org/3/library/multiprocessing.html#pipes-and-queues): "the object is pickled and a background thread
      later flushes the
      pickled data"; it is that thread which pickles.
    """

    code = "MP806"
    name = "mutated-after-put"
    preview = True

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen: set[int] = set()
        for use in project.uses(module, "put"):
            item = project.argument(use.call, use.row.arguments)
            if not isinstance(item, f.Name) or use.call.at in seen or not _is_queue(project, use) or not _is_local(use.function, item):
                continue
            change = _change(project, use, item)
            if change is not None:
                seen.add(use.call.at)
                because = (Step(use.function.site(change), f"`{item.id}` is changed here"),)
                message = f"`{item.id}` is changed after it was put: the queue pickles it later, and the consumer may see the change"
                yield Alarm(self.code, use.function.site(item), message, because, use.function.qualname)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if isinstance(node, cst.Name):
            repair.replace_source(node, f"{repair.import_name('copy', 'copy')}({node.value})")
            repair.title = "Put a copy"
            repair.safety = Safety.SHOWN

    example = Example(
        bad="""\
import copy
from multiprocessing import Queue


def main():
    queue = Queue()
    item = {}
    for number in range(200):
        item["number"] = number
        queue.put(item)  # MP806
    numbers = {queue.get()["number"] for _ in range(200)}
    print("all are there" if len(numbers) == 200 else "some are lost")


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("some are lost"),
        fixed="""\
import copy
from multiprocessing import Queue


def main():
    queue = Queue()
    item = {}
    for number in range(200):
        item["number"] = number
        queue.put(copy.copy(item))
    numbers = {queue.get()["number"] for _ in range(200)}
    print("all are there" if len(numbers) == 200 else "some are lost")


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("all are there"),
    )


def _is_queue(project: Project, use: Use) -> bool:
    """Whether the queue has a thread that pickles what is put."""
    receiver = use.receiver
    return receiver is not None and receiver.where == "process" and project.role(receiver) == "queue"


def _is_local(function: Function, item: f.Name) -> bool:
    return not function.is_module and function.graph.reaching(item).scope == "local"


def _change(project: Project, use: Use, item: f.Name) -> f.Row | None:
    """What changes the object after the put, while the name is not bound to another."""
    graph = use.function.graph
    if any(isinstance(v, Literal) for v in project.values(item, use.function)):
        return None
    anew = [row.target if isinstance(row, f.For) else row for row in use.function.rows if _binds(row, item.id)]
    for row in use.function.rows:
        if _changes(project, use.function, row, item.id) and graph.reaches(use.call, row, avoiding=anew):
            return row
    return None


def _binds(row: f.Row, name: str) -> bool:
    return any(isinstance(part, f.Name) and part.id == name for target in f.stored_to(row) for part in _bound(target))


def _bound(target: f.Expr) -> Iterator[f.Expr]:
    if isinstance(target, f.Sequence):
        for item in target.items:
            yield from _bound(item)
    else:
        yield target.value if isinstance(target, f.Star) else target


def _changes(project: Project, function: Function, row: f.Row, name: str) -> bool:
    """Whether a row changes the object of this name: an item, an attribute, or a container by one of its methods."""
    if isinstance(row, (f.Assign, f.Delete)):
        return any(isinstance(t, (f.Item, f.Attr)) and f.dotted(t.value) == name for t in row.targets)
    if isinstance(row, f.Change):
        return isinstance(row.target, (f.Item, f.Attr)) and f.dotted(row.target.value) == name
    if isinstance(row, f.Call) and isinstance(row.func, f.Attr) and row.func.attr in CHANGING and f.dotted(row.func.value) == name:
        return not any(isinstance(v, Instance) and project.role(v) for v in project.values(row.func.value, function))
    return False
