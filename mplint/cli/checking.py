"""Checking: from a request to a printed report and an exit code."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from mplint import __version__
from mplint.cli import FAILED, FINE, FOUND
from mplint.cli.command import complain
from mplint.cli.words import Request
from mplint.config import Settings, load
from mplint.config.files import nearest
from mplint.config.settings import ConfigError
from mplint.discover import Found, common_directory
from mplint.session import Result, Session, open_session

if TYPE_CHECKING:
    from mplint.finding import Finding

_PROGRESS_AFTER = 1.0
"""Seconds of silence before a terminal is shown how far the run is."""


class Input(msgspec.Struct, frozen=True):
    """What is to be checked: paths with `-` replaced by the file it stands for, and its content."""

    paths: tuple[str, ...]
    overlays: Mapping[str, bytes] = {}
    stdin: str | None = None
    """Absolute path of the file that standard input stands for."""


def read_input(asked: Request) -> Input:
    """The paths of a request; standard input is read when `-` is among them."""
    if "-" not in asked.paths:
        return Input(asked.paths or (".",))
    if len(asked.paths) > 1:
        raise ConfigError("`-` (standard input) cannot be checked together with other paths")
    path = os.path.abspath(asked.stdin_filename or "-")
    return Input((path,), {path: sys.stdin.buffer.read()}, path)


def settings_for(asked: Request, given: Input) -> Settings:
    """The settings that are in force for the paths.  Raises ConfigError."""
    single = not any(os.path.isdir(path) for path in given.paths)
    return load(
        common_directory(given.paths), command_line=asked.options, config=asked.config, isolated=asked.isolated, single_file=single
    )


def check(asked: Request) -> int:
    """Check, fix when asked, report.  Returns the exit code."""
    given = read_input(asked)
    settings = settings_for(asked, given)
    if asked.write_baseline is not None:
        settings = msgspec.structs.replace(settings, baseline=None)
    started = time.perf_counter()
    session, found = open_session(given.paths, settings, overlays=given.overlays)
    failed = tell_paths(found, given)
    if not found.given:
        return _nothing(found, settings, asked, failed)
    for remark in session.chosen.remarks:
        complain(remark, word="warning")
    for broken in session.packs.broken:
        complain(broken)
        failed = True
    if asked.add_noqa or asked.write_baseline is not None:
        from mplint.cli import accepting

        with progress(asked) as tell:
            result = session.check(found.given, fixes=False, progress=tell)
        tell_crashes(result, asked)
        done = accepting.add_noqa(session, result) if asked.add_noqa else accepting.write_baseline(session, result, str(asked.write_baseline))
        return FAILED if failed or result.crashes else done
    fixing = settings.fix or asked.diff
    with progress(asked) as tell:
        result = session.check(found.given, progress=tell)
    if fixing:
        from mplint.cli import repairing

        return repairing.repair(session, result, asked, given, failed)
    code = report(session, result, asked)
    tell_crashes(result, asked)
    if asked.verbose:
        _tell_run(session, result, time.perf_counter() - started)
    return FAILED if failed or result.crashes else code


def report(session: Session, result: Result, asked: Request, *, fixed: int = 0, stream: object = None) -> int:
    """Write the findings; the exit code that they deserve."""
    write(session, result.findings, asked, fixed=fixed, stream=stream)
    if result.gone and not asked.quiet:
        complain(f"the baseline holds {result.gone} finding(s) that are gone: write it again with --write-baseline", word="note")
    return FOUND if result.findings and not asked.exit_zero else FINE


def write(session: Session, findings: tuple[Finding, ...], asked: Request, *, fixed: int = 0, stream: object = None) -> None:
    """Write a report to standard output, or to the file that was asked for."""
    from mplint.report import Scene
    from mplint.report import write as write_report
    from mplint.report.style import style_for

    settings = session.settings
    target = asked.output_file
    out = stream if stream is not None else sys.stdout if target is None else open(target, "w", encoding="utf-8", newline="")
    try:
        scene = Scene(
            text_of=lambda path: session.sources.read(path).text,
            rules={rule.code: type(rule) for rule in session.packs.all},
            version=__version__,
            style=style_for(out, color=asked.color, environ=os.environ),  # type: ignore[arg-type]
            unsafe_fixes=settings.unsafe_fixes,
            fixed=fixed,
            worker_map=_worker_map(session, findings) if settings.output_format == "html" else None,
        )
        write_report(findings, format=settings.output_format, stream=out, scene=scene, statistics=asked.statistics)  # type: ignore[arg-type]
    except OSError as error:
        if target is None:
            raise
        raise ConfigError(f"--output-file {target}: {error.strerror or error}") from None
    finally:
        if target is not None and stream is None:
            out.close()  # type: ignore[attr-defined]


def _worker_map(session: Session, findings: tuple[Finding, ...]) -> object:
    from mplint.cli.workers import places_of
    from mplint.worker_map import worker_map

    return worker_map(session.project, findings, places_of=places_of(session))


def tell_paths(found: Found, given: Input) -> bool:
    """Complain about paths that do not exist or are no Python; whether one of them is an error."""
    for path in found.missing:
        if path == given.stdin:
            continue
        folder = os.path.dirname(path) or "."
        names = os.listdir(folder) if os.path.isdir(folder) else ()
        complain(f"{path}: no such file or directory{nearest(os.path.basename(path), names)}")
    for path, reason in found.skipped:
        if reason != "excluded":
            complain(f"{path}: {reason}, skipped", word="warning")
    return any(path != given.stdin for path in found.missing)


def _nothing(found: Found, settings: Settings, asked: Request, failed: bool) -> int:
    """Nothing is there to check: fine when everything that was named is excluded on purpose."""
    if not failed and found.skipped and all(reason == "excluded" for _, reason in found.skipped):
        return FINE
    if not failed:
        complain("no Python files found" + (f" in {', '.join(asked.paths)}" if asked.paths else ""))
    if settings.output_format not in {"full", "concise"}:
        from mplint.report import Scene
        from mplint.report import write as write_report

        write_report((), format=settings.output_format, stream=sys.stdout, scene=Scene(text_of=lambda _: ""))
    return FAILED


def tell_crashes(result: Result, asked: Request) -> None:
    """Report rules that raised: one line each, with the traceback when asked for."""
    for crash in result.crashes:
        complain(f"internal error in {crash.code} at {os.path.relpath(crash.path)}: {crash.error}")
        if asked.verbose:
            sys.stderr.write(crash.traceback)
    if result.crashes and not asked.verbose:
        complain("--verbose shows the traceback; the other findings are complete", word="note")


def _tell_run(session: Session, result: Result, seconds: float) -> None:
    project = len(session.sources.files)
    complain(f"{len(result.checked)} files checked of {project} in the project, {len(session.rules)} rules, {seconds:.2f} s", word="note")
    for finding, reason in result.withheld:
        complain(f"{os.path.relpath(finding.path)}:{finding.row}: {finding.code} cannot be fixed: {reason}", word="note")
    complain(f"{len(result.hidden)} suppressed by comments, {len(result.accepted)} by the baseline", word="note")


@contextmanager
def progress(asked: Request) -> Iterator[Callable[[int, int], None] | None]:
    """What tells a terminal how far a long run is; None where nobody would see it."""
    if asked.quiet or not sys.stderr.isatty():
        yield None
        return
    started = time.monotonic()
    bar: list[object] = []

    def tell(done: int, of: int) -> None:
        if not bar and time.monotonic() - started > _PROGRESS_AFTER:
            from rich.console import Console
            from rich.progress import Progress

            shown = Progress(console=Console(stderr=True), transient=True)
            shown.start()
            bar.extend((shown, shown.add_task("checking", total=of)))
        if bar:
            bar[0].update(bar[1], completed=done)  # type: ignore[attr-defined]

    try:
        yield tell
    finally:
        if bar:
            bar[0].stop()  # type: ignore[attr-defined]
