"""`github`: workflow commands that GitHub Actions turns into annotations of the changed files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from mplint.finding import Finding
from mplint.report.scene import Scene

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(findings: Sequence[Finding], scene: Scene) -> Iterator[str]:
    """One command a finding.  Paths are relative to GITHUB_WORKSPACE where they are below it."""
    root = os.environ.get("GITHUB_WORKSPACE", "")
    for finding in findings:
        properties = {
            "title": f"{finding.code} {finding.name}",
            "file": scene.relative(finding.path, root).replace(os.sep, "/"),
            "line": str(finding.row),
            "endLine": str(finding.end_row),
        }
        if finding.row == finding.end_row:
            properties |= {"col": str(finding.column), "endColumn": str(finding.end_column)}
        written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        lines = [f"{scene.label(finding)}: {finding.code} {finding.message}"]
        for number, place in enumerate(finding.because, 1):
            lines.append(f"{number}. {scene.relative(place.path)}:{place.row}: {place.message}")
        if finding.fix is not None:
            lines.append(f"fix: {finding.fix.title}")
        yield f"::{_COMMANDS.get(finding.severity, 'warning')} {written}::{_data(chr(10).join(lines))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
