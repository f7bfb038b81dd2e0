"""The worker map as a tree on the terminal: `mplint --map`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Union

from mplint.report.columns import tame
from mplint.report.scene import Scene, counted
from mplint.worker_map import Handover, Hazard, WorkerMap

_SMALL = 40
"""Workers of a map that is shown whole unless asked otherwise."""
_ROLES = {"initializer": "initializer", "run": "body of the process", "target": "target"}


def render_map(worker_map: WorkerMap, scene: Scene, *, everything: bool | None = None) -> Iterator[str]:
    """The tree, a blank line after each handover, and how much there is.

    A function is unfolded once, where the fewest calls lead to it.  Functions that neither hold nor reach a hazard are counted, not listed, unless
    `everything` is asked for (by default in a small map); what a handover runs directly is always listed.
    """
    tree = _Tree(worker_map, scene, len(worker_map.workers) <= _SMALL if everything is None else everything)
    for number, handover in enumerate(worker_map.handovers):
        yield from tree.handover(number, handover)
        yield "\n"
    style = scene.style
    if worker_map.elsewhere:
        yield style.paint("not on the way of any worker", "strong") + "\n"
        for index in worker_map.elsewhere:
            yield f"  {tree.hazard(worker_map.hazards[index])}\n"
        yield "\n"
    on_the_way = len(worker_map.hazards) - len(worker_map.elsewhere)
    if not worker_map.handovers:
        yield "Nothing hands work to a worker process here.\n"
        return
    places = counted(len(worker_map.handovers), "place hands", "places hand")
    functions = counted(len(worker_map.workers), "function")
    yield f"{places} work to worker processes, where {functions} may run; {counted(on_the_way, 'hazard')} on the way.\n"


_Piece = Union[str, Iterator["_Piece"]]


def _flat(pieces: Iterator[_Piece]) -> Iterator[str]:
    """The lines of nested iterators, however deep they are."""
    stack = [pieces]
    while stack:
        piece = next(stack[-1], None)
        if piece is None:
            stack.pop()
        elif isinstance(piece, str):
            yield piece
        else:
            stack.append(piece)


class _Tree:
    def __init__(self, worker_map: WorkerMap, scene: Scene, everything: bool) -> None:
        self.map, self.scene, self.style, self.everything = worker_map, scene, scene.style, everything
        self.dangerous = worker_map.dangerous()
        self.homes = worker_map.homes()
        self.unfolded: set[int] = set()

    def place(self, path: str, row: int) -> str:
        shown = self.style.paint(tame(f"{self.scene.relative(path)}:{row}"), "path")
        return self.style.link(shown, self.scene.uri(path))

    def hazard(self, hazard: Hazard) -> str:
        role = "error" if hazard.severity == "error" else "warning"
        sign = self.style.paint(f"{self.style.draw('▲', '!')} {hazard.code}", role)
        return f"{sign} {self.place(hazard.path, hazard.row)}  {tame(hazard.message)}"

    def handover(self, number: int, handover: Handover) -> Iterator[str]:
        inside = f" in {handover.inside}" if handover.inside else ""
        how = ", ".join(word for word in (handover.start, "processes or threads" if handover.where == "any" else "") if word)
        note = self.style.paint(f"  ({how})", "dim") if how else ""
        title = self.style.paint(handover.title, "strong")
        yield f"{self.place(handover.path, handover.row)}  {title}{inside}{note}\n"
        rows = [self.hazard(self.map.hazards[index]) for index in handover.hazards]
        if handover.open:
            rows.append(self.style.paint("? more that could not be resolved", "dim"))
        for count, line in enumerate(rows, 1):
            yield self._fork("", count == len(rows) and not handover.runs) + line + "\n"
        for count, run in enumerate(handover.runs, 1):
            unfold = self.homes[run.worker] == (number, -1)
            yield from _flat(self._worker(run.worker, "", count == len(handover.runs), _ROLES.get(run.role, ""), (), unfold))

    def _worker(self, index: int, indent: str, last: bool, note: str, path: tuple[int, ...], unfold: bool) -> Iterator[_Piece]:
        worker = self.map.workers[index]
        notes = [note] if note else []
        if index in path:
            notes.append(self.style.draw("↻ recursion", "recursion"))
        elif not unfold and (worker.calls or worker.hazards):
            above = index in self.unfolded
            notes.append(self.style.draw("↑ above" if above else "↓ below", "see above" if above else "see below"))
        name = self.style.paint(worker.name, "strong") if index in self.dangerous else worker.name
        extra = self.style.paint(f"  ({', '.join(notes)})", "dim") if notes else ""
        yield f"{self._fork(indent, last)}{name}  {self.place(worker.path, worker.row)}{extra}\n"
        if not unfold or index in self.unfolded:
            return
        self.unfolded.add(index)
        below = indent + ("   " if last else self.style.paint(self.style.draw("│  ", "|  "), "dim"))
        calls = [call.worker for call in worker.calls if self.everything or call.worker in self.dangerous]
        quiet = len(worker.calls) - len(calls)
        rows = [self.hazard(self.map.hazards[hazard]) for hazard in worker.hazards]
        for number, line in enumerate(rows, 1):
            yield self._fork(below, number == len(rows) and not calls and not quiet) + line + "\n"
        home = self.homes[index][0]
        for number, callee in enumerate(calls, 1):
            final = number == len(calls) and not quiet
            yield self._worker(callee, below, final, "", (*path, index), self.homes[callee] == (home, index))
        if quiet:
            words = f"calls {counted(quiet, 'function')} without hazards"
            yield self._fork(below, True) + self.style.paint(words, "dim") + "\n"

    def _fork(self, indent: str, last: bool) -> str:
        return indent + self.style.paint(self.style.draw("╰─ ", "`- ") if last else self.style.draw("├─ ", "|- "), "dim")
