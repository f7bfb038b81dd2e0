"""Answers about workers: why a line runs in one, and the map of all that does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mplint import __version__
from mplint.cli import FAILED, FINE, FOUND
from mplint.cli.checking import opened_for, read_input, tell_paths
from mplint.cli.command import complain
from mplint.cli.words import Request
from mplint.config.settings import ConfigError
from mplint.finding import Finding, Site
from mplint.opening import Opened
from mplint.session import Session
from mplint.worker_map import WorkerMap, worker_map

if TYPE_CHECKING:
    from mplint.project.modules import Function
    from mplint.spans import Position


def answer(asked: Request) -> int:
    """`--why` and `--map`."""
    return _why(asked, str(asked.why)) if asked.why is not None else _map(asked)


def positions(session: Session, sites: Iterable[Site]) -> dict[Site, Position]:
    """Where sites are; one that cannot be found is left out."""
    from mplint.spans import resolve

    wanted: dict[str, set[int]] = {}
    for site in sites:
        wanted.setdefault(site.path, set()).add(site.at)
    found: dict[Site, Position] = {}
    for path, ats in wanted.items():
        module = session.project.module(path)
        if module is not None:
            found.update({Site(path, at): place for at, place in resolve(session.sources.read(path), module.outline, ats).items()})
    return found


def map_of(session: Session, findings: Sequence[Finding]) -> WorkerMap:
    """The worker map of a project with the findings on it."""

    def places_of(sites: Iterable[Site]) -> Mapping[Site, tuple[int, int]]:
        return {site: (place.row, place.column) for site, place in positions(session, sites).items()}

    return worker_map(session.project, findings, places_of=places_of)


def _map(asked: Request) -> int:
    from mplint.report.map_tree import render_map
    from mplint.report.scene import Scene
    from mplint.report.style import style_for

    given = read_input(asked)
    opened = opened_for(asked, given)
    failed = sum(tell_paths(project.found) for project in opened) > 0
    for project in opened:
        session = project.session
        findings = session.check(project.found.given, fixes=False).findings
        scene = Scene(
            text_of=lambda path: session.sources.read(path).text,  # noqa: B023 - used up within this turn of the loop
            rules={rule.code: type(rule) for rule in session.packs.all},
            version=__version__,
            style=style_for(sys.stdout, color=asked.color, environ=os.environ),
        )
        sys.stdout.writelines(render_map(map_of(session, findings), scene))
    return FAILED if failed else FINE


def _why(asked: Request, place: str) -> int:
    file, colon, line = place.rpartition(":")
    if not colon or not line.isdecimal():
        raise ConfigError(f'--why: expected "PATH:LINE", got {place!r}')
    path = os.path.abspath(file)
    if not os.path.isfile(path):
        raise ConfigError(f"--why: {file}: no such file")
    from mplint.cli.checking import Input

    session = opened_for(asked, Input((path,)))[0].session
    module = session.project.module(path)
    if module is None:
        message, row, column = session.project.errors[path]
        raise ConfigError(f"--why: {file}:{row}:{column}: {message}")
    function = _function_at(session, path, int(line))
    if function is None:
        print(f"{file}:{line} is not in a function that is known to run in a worker process.")
        return FOUND
    steps = session.project.why(function) or ()
    places = positions(session, [step.site for step in steps])
    print(f"`{function.qualname}` may run in a worker process:")
    for step in steps:
        if step.site in places:
            at = places[step.site]
            print(f"  {os.path.relpath(step.site.path)}:{at.row}:{at.column}  {step.message}")
    if not steps:
        complain("nothing is known about how", word="note")
    return FINE


def tell_unknown(opened: Sequence[Opened]) -> None:
    """`--show-unknown`: the handovers of work in the checked files of which not everything is known, and what is not."""
    lines: list[tuple[str, int, int, str]] = []
    for project in opened:
        session, checked = project.session, frozenset(project.found.given)
        asked: dict[Site, list[str]] = {}
        for submission in session.project.submissions():
            if submission.site.site.path not in checked:
                continue
            reasons = asked.setdefault(submission.site.site, [])
            if not submission.resolved:
                reasons.append(f"what `{submission.title}` runs is not known")
            if submission.where == "any":
                reasons.append(f"`{submission.title}` may run in threads or in processes")
        places = positions(session, [site for site, reasons in asked.items() if reasons])
        for site, place in places.items():
            lines += [(os.path.relpath(site.path), place.row, place.column, reason) for reason in dict.fromkeys(asked[site])]
    for path, row, column, reason in sorted(lines):
        complain(f"{path}:{row}:{column}: {reason}", word="open")
    complain(f"{len(lines)} questions stayed open" if len(lines) != 1 else "1 question stayed open", word="note")


def _function_at(session: Session, path: str, row: int) -> Function | None:
    """The innermost worker function whose definition covers a row."""
    functions = [function for function in session.project.workers() if function.path == path and not function.is_module]
    found: list[tuple[int, Function]] = []
    spans = _extents(session, path)
    for function in functions:
        extent = spans.get(function.qualname)
        if extent is not None and extent[0] <= row <= extent[1]:
            found.append((extent[1] - extent[0], function))
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _extents(session: Session, path: str) -> dict[str, tuple[int, int]]:
    """First and last row of each definition of a file, by dotted name."""
    import ast

    extents: dict[str, tuple[int, int]] = {}
    stack: list[tuple[ast.AST, str]] = [(ast.parse(session.sources.read(path).text), "")]
    while stack:
        node, outer = stack.pop()
        for child in ast.iter_child_nodes(node):
            name = outer
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                name = f"{outer}.{child.name}" if outer else child.name
                extents[name] = (min([child.lineno, *(d.lineno for d in child.decorator_list)]), child.end_lineno or child.lineno)
            stack.append((child, name))
    return extents
