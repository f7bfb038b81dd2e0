"""The worker side of a project as a value: where work is handed over, what runs there, and which hazards lie on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from mplint.finding import Finding, Site

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.project.modules import Function
    from mplint.project.workers import Submission

PlacesOf = Callable[[Iterable[Site]], Mapping[Site, tuple[int, int]]]
"""Row and column (from 1) of each site asked for; a site that cannot be found is left out."""

_HERE = {"callback", "handler"}


class Hazard(msgspec.Struct, frozen=True):
    """A finding on the map; `finding` is its index among the findings that the map was made from."""

    code: str
    name: str
    message: str
    path: str
    row: int
    column: int
    severity: str
    finding: int


class Call(msgspec.Struct, frozen=True):
    """A call in `row` of the function at hand to the function `worker` (an index into `WorkerMap.workers`)."""

    row: int
    worker: int


class Worker(msgspec.Struct, frozen=True):
    """A function that may run in a worker process, what it calls, and the hazards in it.

    `name` is dotted inside its module, "<module>" for module-level code; `hazards` index `WorkerMap.hazards`.
    """

    name: str
    module: str
    path: str
    row: int
    column: int
    calls: tuple[Call, ...] = ()
    hazards: tuple[int, ...] = ()


class Run(msgspec.Struct, frozen=True):
    """A function that a handover makes run: `role` is "task", "initializer", "target" or "run"."""

    role: str
    worker: int


class Handover(msgspec.Struct, frozen=True):
    """A call that hands work to worker processes.

    `title` is what people call it ("Pool.map"), `inside` the function that does it, `where` is "process", or "any" when it may be
    threads as well; `start` is the start method, "" when not said.  `open` says that what it runs is not known completely.
    """

    title: str
    inside: str
    path: str
    row: int
    column: int
    where: str = "process"
    start: str = ""
    runs: tuple[Run, ...] = ()
    hazards: tuple[int, ...] = ()
    open: bool = False


class WorkerMap(msgspec.Struct, frozen=True):
    """Handovers in the order of their places; workers are referred to by index.  `elsewhere` are hazards that are on no way."""

    handovers: tuple[Handover, ...] = ()
    workers: tuple[Worker, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    elsewhere: tuple[int, ...] = ()

    def homes(self) -> tuple[tuple[int, int], ...]:
        """For each worker the handover and the calling worker (-1: handed over directly) under which a tree unfolds it.

        It is where the fewest calls lead to it, so that trees stay shallow; everywhere else it is only referred to.
        """
        homes: dict[int, tuple[int, int]] = {}
        for number, handover in enumerate(self.handovers):
            level = []
            for run in handover.runs:
                if homes.setdefault(run.worker, (number, -1)) == (number, -1) and run.worker not in level:
                    level.append(run.worker)
            while level:
                following = []
                for caller in level:
                    for call in self.workers[caller].calls:
                        if call.worker not in homes:
                            homes[call.worker] = (number, caller)
                            following.append(call.worker)
                level = following
        return tuple(homes.get(index, (-1, -1)) for index in range(len(self.workers)))

    def dangerous(self) -> frozenset[int]:
        """The workers that hold a hazard or reach one."""
        callers: dict[int, list[int]] = {}
        for index, worker in enumerate(self.workers):
            for call in worker.calls:
                callers.setdefault(call.worker, []).append(index)
        open_ = [index for index, worker in enumerate(self.workers) if worker.hazards]
        seen = set(open_)
        while open_:
            for caller in callers.get(open_.pop(), ()):
                if caller not in seen:
                    seen.add(caller)
                    open_.append(caller)
        return frozenset(seen)


def worker_map(project: Project, findings: Sequence[Finding], *, places_of: PlacesOf) -> WorkerMap:
    """The map of a project.

    A finding belongs to the worker function whose definition is its `scope` (or is around it), that of a class to the class's
    constructor; else to the handover in whose
    rows it lies, or that its because chain starts from; else it is elsewhere.
    """
    submissions = [s for s in project.submissions() if s.role not in _HERE and s.where in {"process", "any"}]
    edges, order = _reach(project, [callee for submission in submissions for callee in submission.callees])
    sites = [s.site.site for s in submissions] + [f.site() for f in order] + [site for calls in edges.values() for site, _ in calls]
    places = places_of(dict.fromkeys(sites))
    number = {function: index for index, function in enumerate(order)}
    hazards = tuple(Hazard(f.code, f.name, f.message, f.path, f.row, f.column, f.severity, index) for index, f in enumerate(findings))
    handovers = _handovers(submissions, number, places)
    in_worker, at_handover, elsewhere = _attribute(findings, order, handovers)
    workers = []
    for index, function in enumerate(order):
        row, column = places.get(function.site(), (1, 1))
        calls = dict.fromkeys((number[callee], places.get(site, (row, 1))[0]) for site, callee in edges[function])
        workers.append(
            Worker(
                function.qualname,
                function.module.name,
                function.path,
                row,
                column,
                tuple(Call(at, callee) for callee, at in _first(calls)),
                tuple(in_worker.get(index, ())),
            )
        )
    placed = [msgspec.structs.replace(h, hazards=tuple(at_handover.get(i, ()))) for i, h in enumerate(handovers)]
    return WorkerMap(tuple(placed), tuple(workers), hazards, tuple(elsewhere))


def _reach(project: Project, starts: Sequence[Function]) -> tuple[dict[Function, list[tuple[Site, Function]]], list[Function]]:
    from mplint.project.calling import called_by

    edges: dict[Function, list[tuple[Site, Function]]] = {}
    order = list(dict.fromkeys(starts))
    known = set(order)
    for function in order:
        edges[function] = [(function.site(row), callee) for callee, row in called_by(project, function)]
        for _, callee in edges[function]:
            if callee not in known:
                known.add(callee)
                order.append(callee)
    return edges, order


def _first(calls: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Each callee once, with the row of the first call."""
    found: dict[int, int] = {}
    for callee, row in calls:
        found[callee] = min(row, found.get(callee, row))
    return sorted(found.items(), key=lambda item: item[1])


def _handovers(submissions: Sequence[Submission], number: Mapping[Function, int], places: Mapping[Site, tuple[int, int]]) -> list[Handover]:
    grouped: dict[Site, list[Submission]] = {}
    for submission in submissions:
        grouped.setdefault(submission.site.site, []).append(submission)
    found = []
    for site, group in grouped.items():
        row, column = places.get(site, (1, 1))
        head = next((s for s in group if s.role != "initializer"), group[0])
        inside = head.site.function
        found.append(
            Handover(
                head.title,
                "" if inside.is_module else inside.qualname,
                site.path,
                row,
                column,
                head.where,
                head.start,
                tuple(dict.fromkeys(Run(s.role, number[callee]) for s in group for callee in s.callees)),
                (),
                not all(s.resolved for s in group),
            )
        )
    return sorted(found, key=lambda handover: (handover.path, handover.row, handover.column))


def _attribute(
    findings: Sequence[Finding], order: Sequence[Function], handovers: Sequence[Handover]
) -> tuple[dict[int, list[int]], dict[int, list[int]], list[int]]:
    """Indices of the findings by worker, by handover, and the rest."""
    workers = {(function.path, "" if function.is_module else function.qualname): index for index, function in enumerate(order)}
    in_worker: dict[int, list[int]] = {}
    at_handover: dict[int, list[int]] = {}
    elsewhere: list[int] = []
    for index, finding in enumerate(findings):
        worker = _enclosing(finding, workers)
        if worker is not None:
            in_worker.setdefault(worker, []).append(index)
            continue
        spots = [(finding.path, finding.row, finding.end_row), *((p.path, p.row, p.row) for p in finding.because)]
        handover = next((n for path, first, last in spots for n, h in enumerate(handovers) if h.path == path and first <= h.row <= last), None)
        if handover is None:
            elsewhere.append(index)
        else:
            at_handover.setdefault(handover, []).append(index)
    return in_worker, at_handover, elsewhere


def _enclosing(finding: Finding, workers: Mapping[tuple[str, str], int]) -> int | None:
    scope = "" if finding.scope == "<module>" else finding.scope
    if not scope:
        return workers.get((finding.path, ""))
    if (made := workers.get((finding.path, f"{scope}.__init__"))) is not None:
        return made
    while scope:
        if (found := workers.get((finding.path, scope))) is not None:
            return found
        scope = scope.rpartition(".")[0]
    return None
