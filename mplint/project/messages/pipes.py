"""Pipes between processes: which end a worker writes to, where the parent reads the other, and whether the parent still holds the worker's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.project.lives.lifetimes import Life, Touch
from mplint.project.modules import CallSite
from mplint.project.processes.sides import Side, sides
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
        return any(t.name in closing and at(project, self.made, t) - {"worker"} for t in self.far.touches) or any(
            isinstance(row, f.Delete) for row in self.made.function.rows
        )


def at(project: Project, made: CallSite, touch: Touch) -> frozenset[Side]:
    """On which side of a pipe a touch is.  The function that makes the pipe is in the parent, wherever that runs."""
    return sides(project, touch.function) if touch.function is not made.function else frozenset({"parent"})


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
    told = tuple(t for t in far.touched(*SENDING) if "worker" in at(project, site, t))
    taken = tuple(t for t in near.touched(*RECEIVING) if "parent" in at(project, site, t))
    return Pipe(site, other, near, far, told, taken) if told and taken else None
