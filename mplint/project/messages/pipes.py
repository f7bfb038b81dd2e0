"""Pipes between processes: which end a worker writes to, where the parent reads the other, and whether the parent still holds the worker's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.project.lives.lifetimes import Life, Touch
from mplint.project.modules import CallSite
from mplint.project.processes.sides import side_of
from mplint.project.values import Instance, elements

if TYPE_CHECKING:
    from mplint.project import Project

SENDING = frozenset({"send", "send_bytes"})
RECEIVING = frozenset({"recv", "recv_bytes", "recv_bytes_into"})


class Pipe(NamedTuple):
    """A pipe whose end `far` (item `place` of what `made` gives) a worker sends by (`told`) while the parent receives by the other, `near` (`taken`)."""

    made: CallSite
    place: int
    near: Life
    far: Life
    told: tuple[Touch, ...]
    taken: tuple[Touch, ...]

    def is_closed(self, project: Project) -> bool:
        """Whether the parent closes the worker's end, or lets go of it by `del`."""
        closing = {"close", "with", "_close", "__exit__", "fileno", "detach"}
        return any(t.name in closing and side_of(project, self.made, t.function) - {"worker"} for t in self.far.touches) or any(
            isinstance(row, f.Delete) for row in self.made.function.rows
        )


def pipes(project: Project) -> tuple[Pipe, ...]:
    """The pipes of the project by which workers answer, as far as all that is done to both ends is known."""
    return project.kept("pipes", lambda: tuple(_pipes(project)))


def _pipes(project: Project) -> Iterator[Pipe]:
    for site in project.calls_ending("Pipe"):
        if _is_pipe(project, site):
            for mine, other in ((0, 1), (1, 0)):
                found = _told(project, site, mine, other)
                if found is not None:
                    yield found


def _is_pipe(project: Project, site: CallSite) -> bool:
    given = elements(project.values(site.call, site.function))
    return any(True for _ in project.uses_at(site, "make")) and any(isinstance(v, Instance) and project.role(v) == "connection" for v in given)


def _told(project: Project, site: CallSite, mine: int, other: int) -> Pipe | None:
    near, far = (project.life(site, handed=True, path=(place,)) for place in (mine, other))
    if near.escapes or far.escapes or (far.handed == {"thread"} and not far.kept):
        return None
    told = tuple(t for t in far.touched(*SENDING) if "worker" in side_of(project, site, t.function))
    taken = tuple(t for t in near.touched(*RECEIVING) if "parent" in side_of(project, site, t.function))
    return Pipe(site, other, near, far, told, taken) if told and taken else None
