"""`gitlab`: a code quality report for merge requests."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from mplint.finding import Finding
from mplint.report.fingerprint import fingerprints
from mplint.report.jsons import pretty
from mplint.report.scene import Scene

_SEVERITIES = {"error": "critical", "warning": "major", "note": "minor"}


def render(findings: Sequence[Finding], scene: Scene) -> Iterator[str]:
    """One array.  Paths are relative to CI_PROJECT_DIR where they are below it."""
    root = os.environ.get("CI_PROJECT_DIR", "")
    yield (
        pretty(
            [
                {
                    "check_name": finding.code,
                    "description": f"{finding.code} {finding.name}: {finding.message}",
                    "severity": _SEVERITIES.get(finding.severity, "major"),
                    "fingerprint": name,
                    "location": {
                        "path": scene.relative(finding.path, root).replace(os.sep, "/"),
                        "positions": {
                            "begin": {"line": finding.row, "column": finding.column},
                            "end": {"line": finding.end_row, "column": finding.end_column},
                        },
                    },
                }
                for finding, name in zip(findings, fingerprints(findings, scene, root))
            ]
        )
        + "\n"
    )
