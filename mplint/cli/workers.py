"""Answers about workers: why a line runs in one, and the map of all that does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mplint import __version__
from mplint.cli import FAILED, FINE, FOUND
from mplint.cli.complaints import complain
from mplint.cli.inputs import Input, opened_for, read_input, tell_paths
from mplint.cli.words import Request
from mplint.config.settings import ConfigError
from mplint.finding import Finding, Site
from mplint.opening import Opened
from mplint.session import Session
from mplint.worker_map import WorkerMap, worker_map

if TYPE_CHECKING:
    from mplint.finding.spans import Position
    from mplint.project.modules import Function, Module


def answer(asked: Request) -> int:
    """`--why` and `--map`."""
    return _why(asked, str(asked.why)) if asked.why is not None else _map(asked)


def positions(session: Session, sites: Iterable[Site]) -> dict[Site, Position]:
    """Where sites are; one that cannot be found is left out."""
    from mplint.finding.spans import resolve

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
    file, row = _place(place)
    path = os.path.abspath(file)
    session = opened_for(asked, Input((path,)))[0].session
    module = session.project.module(path)
    if module is None:
        message, at, column = session.project.errors[path]
        raise ConfigError(f"--why: {file}:{at}:{column}: {message}")
    reached = session.project.workers()
    if row is None:
        functions = [function for function in module.functions() if function in reached]
    else:
        innermost = _function_at(session, module, row)
        functions = [innermost] if innermost is not None and innermost in reached else []
    if not functions:
        print(
            f"{file}:{row} is not in a function that is known to run in a worker process." if row else f"Nothing in {file} is known to run in a worker process."
        )
        return FOUND
    steps = {function: session.project.why(function) or () for function in functions}
    places = positions(session, [step.site for chain in steps.values() for step in chain])
    for function, chain in steps.items():
        print(f"`{function.qualname}` {'runs' if reached[function].certain else 'may run'} in a worker process:")
        for step in chain:
            if step.site in places:
                spot = places[step.site]
                print(f"  {os.path.relpath(step.site.path)}:{spot.row}:{spot.column}  {step.message}")
    return FINE


def _place(place: str) -> tuple[str, int | None]:
    """File and row of `PATH` or `PATH:LINE`.  Raises ConfigError."""
    if os.path.isfile(place):
        return place, None
    file, colon, line = place.rpartition(":")
    if not colon or not line.isdecimal() or not int(line):
        raise ConfigError(f'--why: expected "PATH" or "PATH:LINE", got {place!r}')
    if not os.path.isfile(file):
        raise ConfigError(f"--why: {file}: no such file")
    return file, int(line)


def tell_unknown(opened: Sequence[Opened]) -> None:
    """`--show-unknown`: the receivers, callables and bases in the checked files that could not be resolved, why, and what share could."""
    from mplint.unknown import KINDS, account_of

    lines: dict[tuple[str, int, int, str], None] = {}
    asked, resolved = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    for project in opened:
        account = account_of(project.session.project, project.found.given)
        places = positions(project.session, [question.site for question in account.open])
        for question in account.open:
            if question.site in places:
                place = places[question.site]
                lines[os.path.relpath(question.site.path), place.row, place.column, question.message] = None
        for kind in KINDS:
            asked[kind] += account.asked[kind]
            resolved[kind] += account.resolved(kind)
    for path, row, column, message in sorted(lines):
        complain(f"{path}:{row}:{column}: {message}", word="open")
    shares = [f"{resolved[kind]} of {asked[kind]} {kind}s ({100 * resolved[kind] / asked[kind]:.0f} %)" for kind in KINDS if asked[kind]]
    complain(f"resolved: {', '.join(shares)}" if shares else "nothing is handed to a pool, a process or an executor here", word="note")


def _function_at(session: Session, module: Module, row: int) -> Function | None:
    """The innermost function whose definition, from its first decorator to its last statement, covers a row."""
    functions = [function for function in module.functions() if not function.is_module]
    parts = {g: [g.site(), *(g.site(r) for r in (*g.facts.decorators, *g.facts.body[-1:]))] for g in functions}
    places = positions(session, [site for sites in parts.values() for site in sites])
    found: list[tuple[int, int, Function]] = []
    for function, sites in parts.items():
        spots = [places[site] for site in sites if site in places]
        first, last = min((p.row for p in spots), default=0), max((p.end_row for p in spots), default=0)
        if first <= row <= last:
            found.append((last - first, -min(p.span.start for p in spots), function))
    return min(found, key=lambda entry: entry[:2])[2] if found else None
