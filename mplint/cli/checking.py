"""Checking: from a request to a printed report and an exit code."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import msgspec

from mplint import __version__
from mplint.cli import FAILED, FINE, FOUND, caching
from mplint.cli.complaints import complain
from mplint.cli.words import Request
from mplint.config import Settings, load
from mplint.config.files import nearest
from mplint.config.settings import ConfigError
from mplint.discover import Found, common_directory
from mplint.opening import Opened, merged, open_sessions
from mplint.result import Crash, Result

if TYPE_CHECKING:
    from mplint.finding import Finding
    from mplint.rule import Rule

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


def settings_for(asked: Request, paths: Sequence[str]) -> Settings:
    """The settings that are in force for paths of one project.  Raises ConfigError."""
    single = not any(os.path.isdir(path) for path in paths)
    return load(common_directory(paths), command_line=asked.options, config=asked.config, isolated=asked.isolated, single_file=single)


def opened_for(asked: Request, given: Input) -> tuple[Opened, ...]:
    """The sessions that a request needs.  Raises ConfigError."""

    def settings(paths: Sequence[str]) -> Settings:
        found = settings_for(asked, paths)
        return found if asked.write_baseline is None else msgspec.structs.replace(found, baseline=None)

    return open_sessions(given.paths, settings, overlays=given.overlays, folder_for=caching.folders(asked))


def check(asked: Request) -> int:
    """Check, fix when asked, report.  Returns the exit code."""
    given = read_input(asked)
    started = time.perf_counter()
    opened = opened_for(asked, given)
    accepts = asked.add_noqa or asked.write_baseline is not None
    repairs = opened[0].settings.fix or asked.diff
    known = [None if accepts or not project.found.given else project.recall(fixable=not repairs) for project in opened]
    for project, answer in zip(opened, known):
        if answer is None:
            project.session  # noqa: B018 - selectors that mean nothing end the run before anything else is said
    failed = sum(tell_paths(project.found) for project in opened) > 0
    if not any(project.found.given for project in opened):
        return _nothing([project.found for project in opened], opened[0].settings, asked, failed)
    for remark in dict.fromkeys(remark for project in opened for remark in project.remarks):
        complain(remark, word="warning")
    for broken in dict.fromkeys(text for project in opened for text in project.broken):
        complain(broken)
        failed = True
    with progress(asked) as tell:
        results = [
            project.check(fixes=not accepts, jobs=asked.jobs, progress=tell) if answer is None else answer for project, answer in zip(opened, known)
        ]
    result = merged(results)
    if accepts:
        from mplint.cli import accepting

        code = accepting.accept(opened, results, asked)
    elif repairs:
        from mplint.cli import repairing

        code = repairing.repair(opened, results, asked, given)
    else:
        code = report(opened, result, asked)
    tell_crashes(result, asked)
    if asked.show_unknown:
        from mplint.cli import workers

        workers.tell_unknown(opened)
    if asked.verbose:
        _tell_run(opened, result, time.perf_counter() - started)
    return FAILED if failed or result.crashes else code


def report(opened: Sequence[Opened], result: Result, asked: Request, *, fixed: int = 0, stream: TextIO | None = None) -> int:
    """Write the findings; the exit code that they deserve."""
    write(opened, result.findings, asked, fixed=fixed, stream=stream)
    if result.gone and not asked.quiet:
        complain(f"the baseline holds {result.gone} finding(s) that are gone: write it again with --write-baseline", word="note")
    return FOUND if result.findings and not asked.exit_zero else FINE


def write(opened: Sequence[Opened], findings: tuple[Finding, ...], asked: Request, *, fixed: int = 0, stream: TextIO | None = None) -> None:
    """Write a report to `stream`, to the file that was asked for, or to standard output.  Raises ConfigError when it cannot be written."""
    if asked.output_file is None or stream is not None:
        _write(opened, findings, asked, fixed, stream or sys.stdout)
        return
    try:
        with open(asked.output_file, "w", encoding="utf-8", newline="") as file:
            _write(opened, findings, asked, fixed, file)
    except OSError as error:
        raise ConfigError(f"--output-file {asked.output_file}: {error.strerror or error}") from None


def _write(opened: Sequence[Opened], findings: tuple[Finding, ...], asked: Request, fixed: int, stream: TextIO) -> None:
    from mplint.report import Scene
    from mplint.report import write as write_report
    from mplint.report.style import style_for

    settings = opened[0].settings
    worker_map = None
    rules: dict[str, type[Rule]] = {}
    if settings.output_format in {"html", "sarif"} and not asked.statistics:
        from mplint.registry import registry

        rules = {rule.code: type(rule) for rule in registry().all}
    if settings.output_format == "html":
        from mplint.cli.workers import map_of

        worker_map = map_of(opened[0].session, findings)
    scene = Scene(
        text_of=opened[0].text,
        rules=rules,
        version=__version__,
        style=style_for(stream, color=asked.color, environ=os.environ),
        unsafe_fixes=settings.unsafe_fixes,
        fixed=fixed,
        quiet=asked.quiet,
        worker_map=worker_map,
    )
    write_report(findings, format=settings.output_format, stream=stream, scene=scene, statistics=asked.statistics)


def tell_paths(found: Found) -> bool:
    """Complain about paths that do not exist or are no Python; whether one of them is an error."""
    for path in found.missing:
        folder = os.path.dirname(path) or "."
        names = os.listdir(folder) if os.path.isdir(folder) else ()
        complain(f"{path}: no such file or directory{nearest(os.path.basename(path), names)}")
    for path, reason in found.skipped:
        if reason != "excluded":
            complain(f"{path}: {reason}, skipped", word="warning")
    return bool(found.missing)


def _nothing(found: Sequence[Found], settings: Settings, asked: Request, failed: bool) -> int:
    """Nothing is there to check: fine when everything that was named is excluded on purpose."""
    skipped = [reason for project in found for _, reason in project.skipped]
    if not failed and skipped and all(reason == "excluded" for reason in skipped):
        return FINE
    if not failed:
        complain("no Python files found" + (f" in {', '.join(asked.paths)}" if asked.paths else ""))
    if settings.output_format not in {"full", "concise"}:
        from mplint.report import Scene
        from mplint.report import write as write_report

        write_report((), format=settings.output_format, stream=sys.stdout, scene=Scene(text_of=lambda _: ""))
    return FAILED


def tell_crashes(result: Result, asked: Request) -> None:
    """Report rules that raised: one line for each error, with the traceback when asked for."""
    first: dict[tuple[str, str], Crash] = {}
    for crash in result.crashes:
        first.setdefault((crash.code, crash.error), crash)
    counts = Counter((crash.code, crash.error) for crash in result.crashes)
    for key, crash in first.items():
        more = f" (and in {counts[key] - 1} more files)" if counts[key] > 1 else ""
        complain(f"internal error in {crash.code} at {os.path.relpath(crash.path)}: {crash.error}{more}")
        if asked.verbose:
            sys.stderr.write(crash.traceback)
    if result.crashes and not asked.verbose:
        complain("--verbose shows the traceback; the other findings are complete", word="note")


def _tell_run(opened: Sequence[Opened], result: Result, seconds: float) -> None:
    linked, rules = sum(len(project.found.project) for project in opened), len(opened[0].session.rules)
    known = "" if not all(project.is_recalled for project in opened) else ", answered by the cache"
    complain(f"{len(result.checked)} files checked, {linked} linked, {rules} rules, {seconds:.2f} s{known}", word="note")
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


def grouped_roots(asked: Request) -> list[str]:
    """The directories (and loose files) that a request is about: what has to be watched."""
    from mplint.discover import grouped

    paths = asked.paths or (".",)
    return [settings_for(asked, group).root if any(map(os.path.isdir, group)) else common_directory(group) for group in grouped(paths)]
