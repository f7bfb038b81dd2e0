"""Work that is given to a process pool inside its `with` block, and what becomes of it before the block is left, which terminates the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.project.flow.paths import Leaving
from mplint.project.lives.lifetimes import Life, Touch
from mplint.project.modules import CallSite, Function, Module
from mplint.project.values import Instance

if TYPE_CHECKING:
    from mplint.project import Project, Use

_BLOCKING = {
    "sleep", "wait", "join", "get", "recv", "acquire", "input", "pause", "select", "communicate", "serve_forever", "mainloop", "result", "run_forever",
    "run_until_complete", "poll", "is_set", "ready", "empty", "is_alive", "wait_for",
}  # fmt: skip
"""Last names of calls that pass time, or ask whether it is over: the work may be done by then."""


_NOT_LEAVING = {"contextlib.closing", "contextlib.nullcontext"}
"""Managers that do not call the `__exit__` of what they are given."""


class Left(NamedTuple):
    """A task given to the pool of a `with` block: `use` is the call, `block` the With, `item` the number of its item, `life` what becomes of its result.

    `waited`: something inside the block waits (for the pool, for this result, or for something else that may tell that it is there).
    """

    use: Use
    block: f.With
    item: int
    life: Life
    waited: bool

    def after(self) -> Iterator[Touch]:
        """What the function does with the result when the block was left on every way from the task to there."""
        function, graph = self.use.function, self.use.function.graph
        for touch in self.life.touches:
            if touch.function is function and not _inside(function, touch.row, self.block):
                gone = Leaving(self.block, self.item)
                if graph.reaches(self.use.call, touch.row) and not graph.reaches(self.use.call, touch.row, avoiding=[gone]):
                    yield touch


class Block(NamedTuple):
    """A `with` that enters a process pool, which its end terminates: `item` is the number of its item, `given` the calls inside that give the pool work."""

    function: Function
    row: f.With
    item: int
    pool: Instance
    given: tuple[Use, ...]

    def later(self) -> Iterator[CallSite]:
        """The calls in the block that can come after work was given."""
        mine = {row.at for use in self.given for row in f.walk(use.call)}
        for site in self.function.calls:
            if site.call.at not in mine and _inside(self.function, site.call, self.row):
                if any(self.function.graph.reaches(use.call, site.call) for use in self.given):
                    yield site


def blocks(project: Project, module: Module) -> tuple[Block, ...]:
    """The blocks of a module at whose end a process pool is terminated."""
    found: dict[tuple[int, int], Block] = {}
    for use in _given(project, module):
        place = _block(project, use)
        if place is not None and use.receiver is not None:
            row, item = place
            known = found.get((row.at, item))
            found[row.at, item] = Block(use.function, row, item, use.receiver, (*known.given, use) if known is not None else (use,))
    return tuple(found.values())


def left(project: Project, module: Module) -> Iterator[Left]:
    """The tasks of a module that are given to a process pool inside the block which terminates it, and do not wait by themselves."""
    for use in _given(project, module):
        gives = project.table.kind(use.row.gives) if use.row.gives else None
        if "wait" in use.row.does or gives is None or gives.role not in {"async-result", "result-iterator"}:
            continue
        found = _block(project, use)
        if found is not None:
            block, index = found
            life = project.life(use.site)
            yield Left(use, block, index, life, _waited(project, use, block, life))


def _given(project: Project, module: Module) -> Iterator[Use]:
    """The calls that give work to a process pool which the end of a `with` terminates."""
    for use in project.uses(module, "submit"):
        pool = project.kind(use.receiver) if use.where == "process" and use.receiver is not None and use.receiver.made is not None else None
        if pool is not None and pool.role == "pool" and pool.leaving == "stop":
            yield use


def _block(project: Project, use: Use) -> tuple[f.With, int] | None:
    """The `with` around a call that entered the very pool that the call is on."""
    assert use.receiver is not None
    for row, item in use.function.graph.withs_around(use.call):
        if isinstance(item.value, f.Call) and project.external(item.value.func, use.function) in _NOT_LEAVING:
            continue
        values = project.values(item.value, use.function)
        if any(isinstance(v, Instance) and v.made == use.receiver.made for v in values):
            return row, row.items.index(item)
    return None


def _inside(function: Function, row: f.Row, block: f.With) -> bool:
    return any(around is block for around in function.ancestors(row))


def _waited(project: Project, use: Use, block: f.With, life: Life) -> bool:
    function = use.function
    if any(t.function is not function or _inside(function, t.row, block) for t in life.touches):
        return True
    told = any(project.argument(use.call, param) is not None for param in use.row.callbacks)
    if told and any(isinstance(row, f.While) and function.graph.reaches(use.call, row) for row in f.walk(*block.body)):
        return True  # the loop may go on until the callbacks have said that all is done
    mine = {row.at for row in f.walk(use.call)}
    for site in function.calls:
        if site.call.at in mine or not _inside(function, site.call, block) or not function.graph.reaches(use.call, site.call):
            continue
        last = f.last_name(site.call.func)
        if last in _BLOCKING or any(True for _ in project.uses_at(CallSite(function, site.call), "wait", "join", "collect", "get", "gather")):
            return True
    return False
