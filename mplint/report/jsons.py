"""`json`: one array of objects in the shape that ruff prints, with `because` and `severity` besides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from mplint.finding import Finding, Span
from mplint.report.scene import Scene


def render(findings: Sequence[Finding], scene: Scene) -> Iterator[str]:
    """The array, indented by two."""
    yield pretty([plain(finding, scene) for finding in findings]) + "\n"


def pretty(value: Any) -> str:
    """`value` as JSON for people and programs."""
    return msgspec.json.format(compact(value), indent=2)


def compact(value: Any) -> str:
    """`value` as JSON on one line.  Lone surrogates (a message can quote such a literal) become question marks."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        import json

        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()


def plain(finding: Finding, scene: Scene) -> dict[str, Any]:
    """A finding in builtin types: rows and columns from 1 (columns in characters), ends exclusive, paths absolute.

    `cell` is there for findings in notebooks only; positions count inside the cell in which they stand.
    """
    fix = finding.fix
    found: dict[str, Any] = {
        "code": finding.code,
        "name": finding.name,
        "message": finding.message,
        "filename": scene.absolute(finding.path),
        "location": {"row": finding.row, "column": finding.column},
        "end_location": {"row": finding.end_row, "column": finding.end_column},
        "url": scene.rule_url(finding),
        "fix": None
        if fix is None
        else {
            "applicability": fix.safety.value,
            "message": fix.title,
            "edits": [{"content": edit.text, **edges(finding, edit.span, scene)} for edit in fix.edits],
        },
        "noqa_row": finding.noqa_row,
        "because": [
            {
                "filename": scene.absolute(place.path),
                "location": {"row": place.row, "column": place.column},
                "message": place.message,
            }
            for place in finding.because
        ],
        "severity": finding.severity,
    }
    if finding.notebook_cell is not None:
        found["cell"] = finding.notebook_cell
    return found


def edges(finding: Finding, span: Span, scene: Scene) -> dict[str, dict[str, int]]:
    """`location` and `end_location` of a span in the file of the finding."""
    text = scene.text(finding.path)
    start, stop = text.position(span.start), text.position(span.stop)
    return {
        "location": {"row": scene.row(finding, start[0]), "column": start[1]},
        "end_location": {"row": scene.row(finding, stop[0]), "column": stop[1]},
    }
