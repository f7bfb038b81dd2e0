"""`sarif`: SARIF 2.1.0 for code scanning services, with the because chain as a code flow and the fixes as replacements."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from mplint.finding import Finding, Place, Safety, Span
from mplint.report.fingerprint import fingerprints
from mplint.report.jsons import pretty
from mplint.report.prose import page_of
from mplint.report.scene import Scene, quoted

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "SRCROOT"
_LEVELS = {"error": "error", "warning": "warning", "note": "note"}


def render(findings: Sequence[Finding], scene: Scene) -> Iterator[str]:
    """One log with one run, and the rules that found something.  Columns count characters; addresses are relative to `SRCROOT` where a file is below the
    root."""
    codes = sorted({finding.code for finding in findings})
    index = {code: number for number, code in enumerate(codes)}
    names = {finding.code: finding.name for finding in findings}
    driver: dict[str, Any] = {"name": "mplint", "rules": [_rule(code, names.get(code, ""), scene) for code in codes]}
    if scene.version:
        driver["version"] = scene.version
    base = scene.uri(os.path.join(scene.root, "")).rstrip("/") + "/"
    prints = fingerprints(findings, scene)
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"uri": base, "description": {"text": "The directory in which mplint ran."}}},
        "results": [_result(finding, index[finding.code], name, scene) for finding, name in zip(findings, prints)],
    }
    yield pretty({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


def _rule(code: str, name: str, scene: Scene) -> dict[str, Any]:
    rule = scene.rules.get(code)
    found: dict[str, Any] = {"id": code, "name": rule.name if rule is not None else name or code}
    if rule is not None:
        summary, page = rule.summary(), page_of(rule)
        found["shortDescription"] = {"text": summary or rule.name}
        if page:
            found["help"] = {"text": page, "markdown": page}
        found["properties"] = {"tags": ["multiprocessing", "preview" if rule.preview else "stable"], "since": rule.since}
    found["defaultConfiguration"] = {"level": "warning"}
    if scene.url:
        found["helpUri"] = scene.url.format(code=code, name=found["name"])
    return found


def _result(finding: Finding, index: int, name: str, scene: Scene) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS.get(finding.severity, "warning"),
        "message": {"text": finding.message},
        "locations": [_location(finding, scene)],
        "partialFingerprints": {"mplint/v1": name},
    }
    if finding.because:
        steps = [*(_step(place, scene) for place in finding.because), {"location": {**_location(finding, scene), **_said(finding.message)}}]
        for number, step in enumerate(steps):
            step["executionOrder"] = number + 1
        result["codeFlows"] = [{"message": {"text": "Why it happens in a worker"}, "threadFlows": [{"locations": steps}]}]
        result["relatedLocations"] = [{"id": number, **_step(place, scene)["location"]} for number, place in enumerate(finding.because, 1)]
    fix = finding.fix
    if fix is not None and fix.edits and fix.safety is not Safety.SHOWN and finding.notebook_cell is None:
        path = fix.path or finding.path
        result["fixes"] = [
            {
                "description": {"text": fix.title + (" (may change behaviour)" if fix.safety is Safety.UNSAFE else "")},
                "artifactChanges": [
                    {
                        "artifactLocation": _artifact(path, scene),
                        "replacements": [{"deletedRegion": _region(path, edit.span, scene), "insertedContent": {"text": edit.text}} for edit in fix.edits],
                    }
                ],
            }
        ]
    properties: dict[str, Any] = {}
    if fix is not None:
        properties["fix"] = {"title": fix.title, "applicability": fix.safety.value}
    if finding.notebook_cell is not None:
        properties["notebookCell"] = finding.notebook_cell
    if properties:
        result["properties"] = properties
    return result


def _location(finding: Finding, scene: Scene) -> dict[str, Any]:
    region: dict[str, Any] = {
        "startLine": finding.row,
        "startColumn": finding.column,
        "endLine": finding.end_row,
        "endColumn": finding.end_column,
    }
    if source := scene.source(finding.path, finding.span):
        region["snippet"] = {"text": source}
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": _artifact(finding.path, scene), "region": region}}
    if finding.scope:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.scope}]
    return location


def _step(place: Place, scene: Scene) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": place.row, "startColumn": place.column}
    text = scene.text(place.path)
    if place.span.start < place.span.stop <= len(text.text) and text.position(place.span.start) == (place.row, place.column):
        region["endLine"], region["endColumn"] = text.position(place.span.stop)
        region["snippet"] = {"text": text.text[place.span.start : place.span.stop]}
    return {"location": {"physicalLocation": {"artifactLocation": _artifact(place.path, scene), "region": region}, **_said(place.message)}}


def _said(message: str) -> dict[str, Any]:
    return {"message": {"text": message}}


def _region(path: str, span: Span, scene: Scene) -> dict[str, int]:
    (row, column), (end_row, end_column) = (scene.text(path).position(offset) for offset in (span.start, span.stop))
    return {"startLine": row, "startColumn": column, "endLine": end_row, "endColumn": end_column}


def _artifact(path: str, scene: Scene) -> dict[str, str]:
    relative = scene.relative(path)
    if os.path.isabs(relative):
        return {"uri": scene.uri(path)}
    return {"uri": quoted(relative), "uriBaseId": _ROOT}
