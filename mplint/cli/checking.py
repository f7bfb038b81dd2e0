"""Checking: from a request to a printed report and an exit code."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from mplint.cli import FAILED, FINE
from mplint.cli.complaints import complain
from mplint.cli.inputs import opened_for, read_input, tell_paths
from mplint.cli.reporting import report, write
from mplint.cli.words import Request
from mplint.finding.result import Crash, Result
from mplint.opening import Opened, merged

_PROGRESS_AFTER = 1.0
"""Seconds of silence before a terminal is shown how far the run is."""


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
        return _nothing(opened, asked, failed)
    for remark in dict.fromkeys(remark for project in opened for remark in project.remarks):
        complain(remark, word="warning")
    for broken in dict.fromkeys(text for project in opened for text in project.broken):
        complain(broken)
        failed = True
    with progress(asked) as tell:
        results = [project.check(fixes=not accepts, jobs=asked.jobs, progress=tell) if answer is None else answer for project, answer in zip(opened, known)]
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


def _nothing(opened: Sequence[Opened], asked: Request, failed: bool) -> int:
    """Nothing is there to check: fine when everything that was named is excluded on purpose.  Who reads a report gets an empty one."""
    skipped = [reason for project in opened for _, reason in project.found.skipped]
    fine = not failed and bool(skipped) and all(reason == "excluded" for reason in skipped)
    if not fine and not failed:
        complain("no Python files found" + (f" in {', '.join(asked.paths)}" if asked.paths else ""))
    if opened[0].settings.output_format not in {"full", "concise"}:
        write(opened, (), asked)
    return FINE if fine else FAILED


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
