"""SARIF: valid by the official schema, and holding what code hosts make use of."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from report_samples import BREAKS, FINDINGS, MAIN, ROOT, TEXTS, WAITS, finding, scene

from mplint.finding import Edit, Finding, Fix, Safety, Span
from mplint.report import Scene, render
from mplint.rule import Example, Exits, Hangs, Rule


class Waits(Rule):
    """## What it does
    Finds `Pool.map` without a bound.  More.

    ## When it knows
    Always.
    """

    code = "MP501"
    name = "pool-call-without-timeout"
    example = Example("bad()  # MP501\n", Hangs(), "good()\n", Exits())


def log(*findings: Finding, **more: Any) -> Any:
    return json.loads("".join(render(findings, format="sarif", scene=scene(rules={"MP501": Waits}, **more))))


ODD = (
    finding(f"{ROOT}/wide.py", "pool.map(parse,\tpaths)", severity="note"),
    msgspec.structs.replace(WAITS, path="/elsewhere/a b#c.py", because=()),
    msgspec.structs.replace(BREAKS, notebook_cell=2),
    msgspec.structs.replace(WAITS, fix=Fix("By hand", (), Safety.SHOWN)),
)


@pytest.mark.parametrize("findings", [(), FINDINGS, ODD])
def test_valid_by_the_models_made_from_the_official_schema(findings: tuple[Finding, ...]) -> None:
    model = pytest.importorskip("pydantic_sarif.model", reason="holds the official schema as models")
    written = log(*findings, version="1.2.3", url="https://example.org/{code}")
    model.StaticAnalysisResultsFormatSarifVersion210JsonSchema.model_validate(written)
    broken = log(*FINDINGS)
    broken["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(ValueError, match="startLine"):
        model.StaticAnalysisResultsFormatSarifVersion210JsonSchema.model_validate(broken)


@pytest.mark.parametrize("findings", [(), FINDINGS, ODD])
def test_valid_by_a_copy_of_the_schema(findings: tuple[Finding, ...]) -> None:
    file = os.environ.get("SARIF_SCHEMA")
    if file is None:
        pytest.skip("SARIF_SCHEMA names no copy of sarif-schema-2.1.0.json")
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(Path(file).read_text(encoding="utf-8"))
    jsonschema.Draft4Validator(schema).validate(log(*findings, version="1.2.3", url="https://example.org/{code}"))


def test_rules_carry_their_page() -> None:
    driver = log(*FINDINGS)["runs"][0]["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == ["MP201", "MP501"]
    waits = driver["rules"][1]
    assert waits["shortDescription"]["text"] == "Finds `Pool.map` without a bound."
    assert "This program hangs:\n\n```python\nbad()  # MP501\n```" in waits["help"]["markdown"]
    assert waits["help"]["markdown"].index("## Example") < waits["help"]["markdown"].index("## When it knows")


def test_the_chain_is_a_code_flow_that_ends_at_the_finding() -> None:
    result = log(BREAKS)["runs"][0]["results"][0]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    places = [step["location"]["physicalLocation"] for step in steps]
    assert [(p["artifactLocation"]["uri"], p["region"]["startLine"]) for p in places] == [
        ("app/main.py", 9),
        ("app/parse.py", 10),
        ("app/parse.py", 1),
    ]
    assert places[0]["region"]["snippet"]["text"] == "pool.map(parse, paths)"
    assert [related["id"] for related in result["relatedLocations"]] == [1, 2]


def test_fixes_say_what_to_replace() -> None:
    fix = log(WAITS)["runs"][0]["results"][0]["fixes"][0]
    change = fix["artifactChanges"][0]
    lines = TEXTS[MAIN].split("\n")
    for replacement in reversed(change["replacements"]):
        region = replacement["deletedRegion"]
        line = lines[region["startLine"] - 1]
        text = replacement["insertedContent"]["text"]
        lines[region["startLine"] - 1] = line[: region["startColumn"] - 1] + text + line[region["endColumn"] - 1 :]
    assert "        counts = pool.map_async(parse, paths).get(timeout=3600)" in lines


def test_what_cannot_be_applied_is_no_fix() -> None:
    edit = (Edit(Span(0, 1), "x"),)
    shown = msgspec.structs.replace(WAITS, fix=Fix("By hand", edit, Safety.SHOWN))
    in_cell = msgspec.structs.replace(WAITS, fix=Fix("t", edit, Safety.SAFE), notebook_cell=1)
    for result in log(shown, in_cell)["runs"][0]["results"]:
        assert "fixes" not in result and result["properties"]["fix"]


def test_addresses_are_relative_to_the_root_or_whole() -> None:
    odd = msgspec.structs.replace(WAITS, path=f"{ROOT}/a b/ü#1.py", because=())
    away = msgspec.structs.replace(WAITS, path="/elsewhere/x.py", because=())
    run = json.loads("".join(render((odd, away), format="sarif", scene=Scene({}.__getitem__, root=ROOT))))["runs"][0]
    artifacts = [result["locations"][0]["physicalLocation"]["artifactLocation"] for result in run["results"]]
    assert artifacts == [{"uri": "a%20b/%C3%BC%231.py", "uriBaseId": "SRCROOT"}, {"uri": "file:///elsewhere/x.py"}]
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == "file:///project/"


def test_fingerprints_do_not_know_lines() -> None:
    moved = {**TEXTS, MAIN: "\n\n" + TEXTS[MAIN]}
    later = msgspec.structs.replace(WAITS, span=Span(WAITS.span.start + 2, WAITS.span.stop + 2), row=11, end_row=11, because=())
    again = json.loads("".join(render((later,), format="sarif", scene=Scene(moved.__getitem__, root=ROOT))))
    before = log(WAITS)["runs"][0]["results"][0]["partialFingerprints"]
    assert again["runs"][0]["results"][0]["partialFingerprints"] == before
