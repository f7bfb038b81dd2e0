"""`json-lines`: one JSON object a line, each as in `json`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mplint.finding import Finding
from mplint.report.jsons import compact, plain
from mplint.report.scene import Scene


def render(findings: Sequence[Finding], scene: Scene) -> Iterator[str]:
    """The lines."""
    for finding in findings:
        yield compact(plain(finding, scene)) + "\n"
