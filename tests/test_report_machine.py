"""Formats for programs: JSON, GitHub, GitLab, JUnit, statistics."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ElementTree

import msgspec
import pytest
from report_samples import BREAKS, FINDINGS, MAIN, PARSE, ROOT, TEXTS, WAITS, finding, scene

from mplint.finding import Edit, Finding, Fix, Safety, Span
from mplint.report import FORMATS, Scene, render, write
from mplint.report.fingerprint import fingerprints


def written(format: str, *findings: Finding, **more: object) -> str:
    return "".join(render(findings, format=format, scene=scene(**more)))


def test_json_has_the_shape_that_ruff_users_know() -> None:
    waits = json.loads(written("json", *FINDINGS, url="https://example.org/{code}"))[0]
    assert waits == {
        "code": "MP501",
        "name": "pool-call-without-timeout",
        "message": WAITS.message,
        "filename": "/project/app/main.py",
        "location": {"row": 9, "column": 18},
        "end_location": {"row": 9, "column": 40},
        "url": "https://example.org/MP501",
        "fix": {
            "applicability": "unsafe",
            "message": "Wait at most 3600 s with `map_async`",
            "edits": [
                {"content": "map_async", "location": {"row": 9, "column": 23}, "end_location": {"row": 9, "column": 26}},
                {"content": ".get(timeout=3600)", "location": {"row": 9, "column": 40}, "end_location": {"row": 9, "column": 40}},
            ],
        },
        "noqa_row": 9,
        "because": [{"filename": MAIN, "location": {"row": 9, "column": 18}, "message": "`Pool.map` runs `parse` in worker processes"}],
        "severity": "warning",
    }


def test_json_without_fix_or_page_has_null() -> None:
    plain = json.loads(written("json", finding(MAIN, "pool.map(parse, paths)")))[0]
    assert plain["fix"] is None and plain["url"] is None and "cell" not in plain


def test_json_edits_count_in_the_cell_they_stand_in() -> None:
    path, text = f"{ROOT}/b.ipynb", "import a\n# %% mplint: next cell\n\nfoo()\n"
    edits = (Edit(Span(0, 0), "import b\n"), Edit(Span(text.index("foo"), text.index("foo") + 3), "bar"))
    one = Finding("MP1", "n", path, edits[1].span, 2, 1, 2, 4, "m", fix=Fix("t", edits, Safety.SAFE), notebook_cell=3)
    (plain,) = json.loads("".join(render((one,), format="json", scene=Scene({path: text}.__getitem__, root=ROOT))))
    assert plain["cell"] == 3
    assert [edit["location"] for edit in plain["fix"]["edits"]] == [{"row": 1, "column": 1}, {"row": 2, "column": 1}]


def test_json_lines_are_the_same_objects() -> None:
    assert [json.loads(line) for line in written("json-lines", *FINDINGS).splitlines()] == json.loads(written("json", *FINDINGS))


@pytest.mark.parametrize("format", sorted(set(FORMATS) - {"full", "concise"}))
def test_formats_for_programs_are_utf8_on_any_stream(format: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    odd = finding(PARSE, "# 数える", "数える \udc80")
    write((odd,), format=format, stream=stream, scene=scene())
    assert "数える" in raw.getvalue().decode("utf-8")


def test_github_commands_escape_what_would_end_them() -> None:
    odd = msgspec.structs.replace(WAITS, message="50% of a, b::c\r\nnext", name="x,y:z", because=(), fix=None)
    (line,) = written("github", odd).splitlines()
    assert line == ("::warning title=MP501 x%2Cy%3Az,file=app/main.py,line=9,endLine=9,col=18,endColumn=40::app/main.py:9:18: MP501 50%25 of a, b::c%0D%0Anext")


def test_github_gives_columns_on_one_line_only_and_follows_the_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", f"{ROOT}/app")
    long = finding(PARSE, "class RowError(Exception):\n    def")
    (line,) = written("github", long).splitlines()
    assert line.startswith("::warning title=MP501 some-hazard,file=parse.py,line=1,endLine=2::")


def test_gitlab_report_has_what_gitlab_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI_PROJECT_DIR", raising=False)
    first, second = json.loads(written("gitlab", *FINDINGS))
    assert set(first) == {"check_name", "description", "severity", "fingerprint", "location"}
    assert (first["severity"], second["severity"]) == ("major", "critical")
    assert first["location"]["path"] == "app/main.py" and first["location"]["positions"]["begin"] == {"line": 9, "column": 18}
    assert first["fingerprint"] != second["fingerprint"]


def test_fingerprints_survive_moved_lines_and_new_messages() -> None:
    moved = "import os\n\n\n" + TEXTS[MAIN].replace("pool.map(parse, paths)", "pool.map(\n            parse, paths)")
    span = Span(moved.index("pool.map("), moved.index("paths)\n    return") + 6)
    later = msgspec.structs.replace(WAITS, span=span, row=12, end_row=13, message="said differently")
    here = Scene({**TEXTS, MAIN: moved}.__getitem__, root=ROOT)
    assert fingerprints((WAITS,), scene()) != fingerprints((BREAKS,), scene())
    before = fingerprints((finding(MAIN, "pool.map(parse, paths)", scope="main"),), scene())
    same = moved.replace("(\n            parse", "(parse")
    back = msgspec.structs.replace(later, span=Span(same.index("pool.map("), same.index("paths)\n    return") + 6))
    assert fingerprints((back,), Scene({**TEXTS, MAIN: same}.__getitem__, root=ROOT)) == before
    assert len(set(fingerprints((later, later, later), here))) == 3


def test_junit_is_xml_whatever_the_messages_hold() -> None:
    odd = msgspec.structs.replace(WAITS, message='a < b && "c"\x00\x1b ]]> 数\n2')
    root = ElementTree.fromstring(written("junit", odd, BREAKS))
    assert (root.get("tests"), root.get("failures")) == ("2", "2")
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["app/main.py", "app/parse.py"]
    failure = suites[0].find("testcase/failure")
    assert failure is not None and failure.get("message") == 'a < b && "c"\ufffd\ufffd ]]> 数\n2'
    assert "1. app/main.py:9:18: `Pool.map` runs" in (failure.text or "")


def test_junit_of_a_clean_run_is_a_passed_run() -> None:
    root = ElementTree.fromstring(written("junit"))
    assert root.get("failures") == "0" and root.find("testsuite/testcase") is not None


def test_statistics_count_by_rule_most_frequent_first() -> None:
    table = "".join(render((BREAKS, WAITS, WAITS), format="full", scene=scene(), statistics=True)).splitlines()
    assert table[:2] == ["2  MP501     pool-call-without-timeout", "1  MP201 [*] exception-fails-to-unpickle"]
    counted = json.loads("".join(render((BREAKS, WAITS, WAITS), format="json", scene=scene(), statistics=True)))
    assert counted[0] == {"code": "MP501", "name": "pool-call-without-timeout", "count": 2, "safe_fixes": 0, "unsafe_fixes": 2}
