"""The report of a run: where it is written, and the exit code that it deserves."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from mplint import __version__
from mplint.cli import FINE, FOUND
from mplint.cli.complaints import complain
from mplint.cli.words import Request
from mplint.config.settings import ConfigError
from mplint.finding.result import Result
from mplint.opening import Opened

if TYPE_CHECKING:
    from mplint.finding import Finding
    from mplint.rule import Rule


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
