"""Reports: findings in, text out.  One module a format, each with `render(findings, scene)`; `write` chooses and writes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO, cast

from mplint.finding import Finding
from mplint.report.scene import Scene

FORMATS = {
    "full": "full",
    "concise": "concise",
    "json": "jsons",
    "json-lines": "json_lines",
    "sarif": "sarif",
    "github": "github",
    "gitlab": "gitlab",
    "junit": "junit",
    "html": "html",
}
"""The names that `--output-format` takes, and the module of each."""

_FOR_PEOPLE = {"full", "concise"}

__all__ = ["FORMATS", "Scene", "render", "write"]


def render(findings: Sequence[Finding], *, format: str, scene: Scene, statistics: bool = False) -> Iterator[str]:
    """The report in pieces.  `statistics` counts by rule instead: a table, or JSON for `json`.  Raises KeyError for an unknown format."""
    name, function = FORMATS[format], "render"
    if statistics:
        name, function = "statistics", "render_json" if format == "json" else "render"
    renderer = getattr(importlib.import_module(f"mplint.report.{name}"), function)
    return cast("Callable[[Sequence[Finding], Scene], Iterator[str]]", renderer)(findings, scene)


def write(findings: Sequence[Finding], *, format: str, stream: TextIO, scene: Scene, statistics: bool = False) -> None:
    """Write a report.  Formats for programs are UTF-8 whatever the stream's encoding; the others fall back to escapes."""
    pieces = render(findings, format=format, scene=scene, statistics=statistics)
    encoding = getattr(stream, "encoding", None)
    buffer = getattr(stream, "buffer", None)
    if format not in _FOR_PEOPLE and not statistics and buffer is not None:
        stream.flush()
        for piece in pieces:
            buffer.write(piece.encode("utf-8", "replace"))
        buffer.flush()
        return
    for piece in pieces:
        stream.write(piece.encode(encoding, "backslashreplace").decode(encoding) if encoding else piece)
    stream.flush()
