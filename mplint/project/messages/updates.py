"""Updates of what processes share: read, changed and written back, each in a step of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Iterator, NamedTuple

from mplint import facts as f
from mplint.project.lives.lifetimes import Touch
from mplint.project.messages.holding import is_locked
from mplint.project.messages.sharing import Write, Writers, writers_of
from mplint.project.modules import CallSite, Function

if TYPE_CHECKING:
    from mplint.project import Project

CHANGING = frozenset({
    "append", "appendleft", "extend", "extendleft", "insert", "add", "update", "clear", "pop", "popitem", "popleft", "remove", "discard", "sort", "reverse",
    "setdefault", "fill", "difference_update", "intersection_update", "symmetric_difference_update", "__setitem__", "__delitem__",
})  # fmt: skip
"""Methods that change the container or array that they are called on."""


class Update(NamedTuple):
    """A row that changes `place`, an attribute or item of a shared object, by what was there, while others write to the object, too."""

    function: Function
    row: f.Assign | f.Change
    place: f.Attr | f.Item
    writers: Writers


def lost_updates(project: Project, made: CallSite, touches: Iterable[Touch]) -> Iterator[Update]:
    """The updates among the touches of what `made` makes that no lock guards and that others may come between."""
    writes: list[tuple[Write, Update]] = []
    for touch in touches:
        row = touch.function.parent(touch.row)
        if isinstance(touch.row, (f.Attr, f.Item)) and isinstance(row, (f.Assign, f.Change)) and is_written(row, touch.row):
            own = isinstance(touch.row, f.Item) and _is_own(touch.function, touch.row)
            writes.append(
                (Write(touch.function, row, _depends(touch.function, row, touch.row) and not own), Update(touch.function, row, touch.row, Writers(False, ())))
            )
    for write, update in writes:
        if write.changes and not is_locked(project, write.function, write.row):
            writers = writers_of(project, made, write, [other for other, _ in writes])
            if writers is not None:
                yield update._replace(writers=writers)


def is_written(row: f.Assign | f.Change, place: f.Row) -> bool:
    """Whether a row stores something in `place` itself."""
    return row.target is place if isinstance(row, f.Change) else any(t is place for t in row.targets)


def _depends(function: Function, row: f.Assign | f.Change, place: f.Attr | f.Item) -> bool:
    """Whether what is written is made of what was there, read in the same row or kept under a name before."""
    if isinstance(row, f.Change):
        return True
    return row.value is not None and any(is_same(r, place) or _keeps(function, r, row.value, place) for r in f.walk(row.value))


def _keeps(function: Function, name: f.Row, value: f.Expr, place: f.Attr | f.Item) -> bool:
    """Whether a name in `value`, which makes something else of it, is what was in `place`."""
    found = function.graph.definitions(name) if isinstance(name, f.Name) and name is not value else None
    return bool(found) and all(isinstance(d, f.Assign) and d.value is not None and is_same(d.value, place) for d in found or ())


def is_same(row: f.Row, place: f.Attr | f.Item) -> bool:
    """Whether an expression is spelled as `place` is."""
    if isinstance(place, f.Attr):
        return isinstance(row, f.Attr) and row.attr == place.attr and f.dotted(row) == f.dotted(place) != ""
    return isinstance(row, f.Item) and f.dotted(row.value) == f.dotted(place.value) != "" and _spelled(row.index) == _spelled(place.index) != ""


def _spelled(index: f.Expr) -> str:
    return str(index.value) if isinstance(index, f.Const) else f.dotted(index)


def _is_own(function: Function, place: f.Item) -> bool:
    """Whether the index of an item comes from outside: every worker has its own then."""
    for row in f.walk(place.index):
        if isinstance(row, (f.Attr, f.Call)):
            return True
        if isinstance(row, f.Name):
            binders = function.graph.definitions(row)
            if not binders or any(isinstance(b, f.Param) for b in binders):
                return True
    return False
