"""`junit`: XML in which each file is a suite and each finding a failed case."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mplint.finding import Finding
from mplint.report.scene import Scene

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


def render(findings: Sequence[Finding], scene: Scene) -> Iterator[str]:
    """The document.  A run that found nothing has one passed case, for readers that take an empty report for a failed run."""
    total = len(findings)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<testsuites name="mplint" tests="{max(total, 1)}" failures="{total}" errors="0">\n'
    files: dict[str, list[Finding]] = {}
    for finding in findings:
        files.setdefault(finding.path, []).append(finding)
    for path, found in files.items():
        name = _attribute(scene.relative(path))
        yield f'  <testsuite name="{name}" tests="{len(found)}" failures="{len(found)}" errors="0" skipped="0">\n'
        for finding in found:
            case = _attribute(f"{finding.code} {finding.name} at {finding.row}:{finding.column}")
            yield f'    <testcase name="{case}" classname="{name}" file="{name}" line="{finding.row}">\n'
            yield f'      <failure type="{_attribute(finding.code)}" message="{_attribute(finding.message)}">'
            yield _content("\n".join(_lines(finding, scene))) + "</failure>\n    </testcase>\n"
        yield "  </testsuite>\n"
    if not findings:
        yield '  <testsuite name="mplint" tests="1" failures="0" errors="0" skipped="0">\n'
        yield '    <testcase name="nothing found" classname="mplint"/>\n  </testsuite>\n'
    yield "</testsuites>\n"


def _lines(finding: Finding, scene: Scene) -> Iterator[str]:
    yield f"{scene.label(finding)}: {finding.code} {finding.message}"
    for number, place in enumerate(finding.because, 1):
        yield f"{number}. {scene.relative(place.path)}:{place.row}:{place.column}: {place.message}"
    if finding.fix is not None:
        yield f"fix: {finding.fix.title}"


def _content(text: str) -> str:
    clean = _FORBIDDEN.sub("\ufffd", text)
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _attribute(text: str) -> str:
    return "".join(_ESCAPES.get(char, char) for char in _FORBIDDEN.sub("\ufffd", text))
