"""Which of two rows of different functions runs first, by the calls that lead to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mplint import facts as f
from mplint.project.modules import Function

if TYPE_CHECKING:
    from mplint.project import Project

LEVELS = 4
"""Calls that are followed back from a row."""

WIDE = 40
"""Functions that are asked who calls them."""

Place = tuple[Function, f.Row]


def runs_before(project: Project, first: Place, then: Place) -> tuple[Function, f.Row, f.Row] | None:
    """The function in which what leads to `first` comes before what leads to `then`, with both rows; None where no such function is known."""
    later = ways_to(project, then)
    for function, rows in ways_to(project, first).items():
        for row in rows:
            for other in later.get(function, ()):
                if row is not other and function.graph.reaches(row, other):
                    return function, row, other
    return None


def ways_to(project: Project, place: Place) -> dict[Function, tuple[f.Row, ...]]:
    """The functions that lead to a row, its own first, each with the rows by which they do."""
    return project.kept(("ways to", place[0], place[1].at), lambda: _ways_to(project, place))


def _ways_to(project: Project, place: Place) -> dict[Function, tuple[f.Row, ...]]:
    out: dict[Function, tuple[f.Row, ...]] = {place[0]: (place[1],)}
    level = [place[0]]
    for _ in range(LEVELS):
        following: dict[Function, None] = {}
        for function in level[:WIDE]:
            for site in project.callers(function):
                if site.function not in out:
                    following[site.function] = None
                if site.function in following:
                    out[site.function] = (*out.get(site.function, ()), site.call)
        level = list(following)
    return out
