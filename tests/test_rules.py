"""One harness for every rule: its page, its example (reported, repaired, proved) and its fixtures."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from concurrent.futures import Future

import pytest
from cases import FIXTURES, Case, check, example_of, fixtures, repaired, rows, unmarked

from mplint.prove import Proof, report
from mplint.registry import registry
from mplint.rule import Hangs, Rule
from mplint.session import Result

RULES = pytest.mark.parametrize("rule", registry().rules, ids=lambda rule: rule.code)
SECTIONS = ("What it does", "Why it hurts", "When it knows", "Fix safety", "References")


@pytest.fixture(scope="module", autouse=True)
def _early(proofs: object) -> None:
    """Proofs begin with the first test of this module and are waited for by the last."""


def places(result: Result) -> set[tuple[str, int]]:
    return {(finding.path, finding.row) for finding in result.findings}


def shown(result: Result) -> str:
    lines = [f"{finding.path}:{finding.row}:{finding.column} {finding.code} {finding.message}" for finding in result.findings]
    return "\n".join([*lines, *(crash.traceback for crash in result.crashes)])


def assert_reported(case: Case) -> None:
    result = check(case)
    assert not result.crashes, shown(result)
    assert {finding.code for finding in result.findings} <= {case.code}
    assert places(result) == case.marked, shown(result)
    told = [(finding.path, finding.span, finding.message) for finding in result.findings]
    assert len(told) == len(set(told)), f"reported twice:\n{shown(result)}"


def assert_repaired(case: Case, wanted: Mapping[str, str], *, shown: bool = False) -> None:
    result = repaired(case, shown=shown)
    assert dict(case.files) | result.texts == dict(case.files) | dict(wanted), [reason for _, reason in result.withheld]


def test_every_rule_loads() -> None:
    assert registry().broken == ()
    assert registry().rules


NEEDS = {rule.code: rule.example.needs for rule in registry().rules}
"""Oldest Python that can parse what the fix of a rule writes."""


@RULES
def test_identity(rule: Rule) -> None:
    assert re.fullmatch(r"MP\d{3}", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
    assert [other.code for other in registry().all if other.name == rule.name] == [rule.code]
    file = type(rule).__module__.rpartition(".")[2]
    assert file == f"{rule.code.lower()}_{rule.name.replace('-', '_')}"


@RULES
def test_page(rule: Rule) -> None:
    page = rule.__doc__ or ""
    found = re.findall(r"^ *## (.+)$", page, re.MULTILINE)
    assert found == [section for section in SECTIONS if section != "Fix safety" or rule.has_fix()]
    for section in found:
        text = page.split(f"## {section}\n", 1)[1].split("\n    ## ", 1)[0]
        assert len(text.split()) >= 4, f"{section} is empty"
    assert 10 <= len(rule.summary()) <= 200, rule.summary()


@RULES
def test_example_is_reported(rule: Rule) -> None:
    case = example_of(rule)
    assert case.marked, "no line of the bad program is marked"
    assert_reported(case)


@RULES
def test_fixed_example_is_silent(rule: Rule) -> None:
    result = check(example_of(rule, fixed=True))
    assert not result.crashes and not result.findings, shown(result)


@pytest.mark.parametrize("rule", [rule for rule in registry().rules if rule.has_fix()], ids=lambda rule: rule.code)
def test_fix_turns_bad_into_fixed(rule: Rule) -> None:
    if sys.version_info < rule.example.needs:
        pytest.skip("what the fix writes is newer than this Python, which therefore withholds it")
    case = example_of(rule)
    assert_repaired(case, case.fixed, shown=True)


@pytest.mark.parametrize("case", fixtures(), ids=str)
def test_fixture(case: Case) -> None:
    assert_reported(case)
    if case.fixed and sys.version_info >= NEEDS[case.code]:
        assert_repaired(case, case.fixed)


@RULES
def test_there_are_near_misses(rule: Rule) -> None:
    mine = [case for case in fixtures() if case.code == rule.code]
    assert any(case.marked for case in mine), "no fixture in which it reports"
    assert any(not case.marked for case in mine), "no fixture in which it is silent"


def test_fixtures_belong_to_rules() -> None:
    codes = {rule.code for rule in registry().all}
    assert [folder.name for folder in FIXTURES.iterdir() if folder.name not in codes] == []


def test_markers() -> None:
    text = "a()  # MP501\nb()  # MP501, MP605\nc()  # see MP501\n"
    assert rows(text, "MP501") == {1, 2}
    assert unmarked(text) == "a()\nb()\nc()  # see MP501\n"


@RULES
def test_endings(rule: Rule, proofs: Mapping[str, Future[tuple[Proof, ...]]]) -> None:
    example = rule.example
    assert not isinstance(example.fixed_ends, Hangs)
    assert example.bad_ends != example.fixed_ends
    found = proofs[rule.code].result()
    assert all(proof.held for proof in found), report(rule.code, rule.name, found)
