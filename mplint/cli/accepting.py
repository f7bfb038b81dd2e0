"""Accepting what is found: `# noqa` comments and baselines, written."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mplint.cli import FAILED, FINE
from mplint.cli.complaints import complain
from mplint.cli.words import Request
from mplint.config.settings import ConfigError
from mplint.finding import Finding, baseline, suppress
from mplint.finding.result import Result
from mplint.fixes.writing import Unwritable, write_atomically, write_source
from mplint.opening import Opened, merged
from mplint.report.scene import counted
from mplint.session import Session

_NEVER = frozenset({"MP000", "MP001"})


def accept(opened: Sequence[Opened], results: Sequence[Result], asked: Request) -> int:
    """`--add-noqa`, or `--write-baseline`.  Returns the exit code."""
    if asked.add_noqa:
        return sum(_add_noqa(project.session, result) for project, result in zip(opened, results)) and FAILED
    return _write_baseline(opened[0].session, merged(results), str(asked.write_baseline))


def _add_noqa(session: Session, result: Result) -> int:
    """Write `# noqa: CODE` behind every finding; the number of files that could not be written."""
    by_path: dict[str, list[Finding]] = {}
    for finding in result.findings:
        if finding.code not in _NEVER:
            by_path.setdefault(finding.path, []).append(finding)
    count = failed = 0
    for path, findings in by_path.items():
        source = session.sources.read(path)
        try:
            write_source(source, suppress.added(source, findings))
        except Unwritable as error:
            complain(f"{os.path.relpath(path)}: {error}")
            failed += 1
            continue
        count += len(findings)
    print(f"Suppressed {counted(count, 'finding')} in {counted(len(by_path) - failed, 'file')}.")
    return failed


def _write_baseline(session: Session, result: Result, target: str) -> int:
    """Write a baseline that accepts every finding; what an older one accepts in files that were not checked stays."""
    path = os.path.abspath(target)
    old = baseline.read(path) if os.path.exists(path) else None
    data = baseline.written(path, result.findings, checked=result.checked, running=session.running, old=old)
    try:
        write_atomically(path, data)
    except OSError as error:
        raise ConfigError(f"--write-baseline {target}: {error.strerror or error}") from None
    count = sum(finding.code not in _NEVER for finding in result.findings)
    print(f"Accepted {counted(count, 'finding')} in {os.path.relpath(path)}.")
    return FINE
