"""Processes that are killed before anybody has waited for their end, and the calls that do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mplint import facts as f
from mplint.project.lives.lifetimes import Touch
from mplint.project.modules import CallSite
from mplint.project.processes.children import processes

if TYPE_CHECKING:
    from mplint.project import Project

_KILLING = ("terminate", "kill")


def killed(project: Project) -> dict[CallSite, tuple[Touch, ...]]:
    """The calls that make processes, and those that kill these by `terminate()` or `kill()` without having joined them before."""
    return project.kept("killed", lambda: dict(_killed(project)))


def _killed(project: Project) -> list[tuple[CallSite, tuple[Touch, ...]]]:
    near = [module.path for module in project.spread.modules()]
    if not any(project.sources.holding(f".{word}(".encode(), near) for word in _KILLING):
        return []
    found = ((site, _kills(project, site)) for site in processes(project))
    return [(site, kills) for site, kills in found if kills]


def _kills(project: Project, site: CallSite) -> tuple[Touch, ...]:
    life = project.life(site, patient=True)
    joins = [touch for touch in life.touched("join") if touch.call is not None]
    return tuple(t for t in life.touched(*_KILLING) if t.call is not None and not any(_comes_first(join, t) for join in joins))


def _comes_first(join: Touch, kill: Touch) -> bool:
    """Whether a process was joined before it is killed; not where the kill is the answer to an exception around the join."""
    graph = kill.function.graph
    if join.function is not kill.function or not graph.reaches(join.row, kill.row):
        return False
    handled = [step for place in graph.tries_around(kill.row) if place.part == "handler" and isinstance(place.row, f.Try) for step in place.row.body]
    return not any(row is join.row for row in f.walk(*handled))
