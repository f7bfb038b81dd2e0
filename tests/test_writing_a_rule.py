"""The rule in docs/writing-a-rule.md does what the page says of it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mplint.config import Options, load
from mplint.prove import prove, report
from mplint.registry import Registry
from mplint.rule import Rule
from mplint.session import Result, Session

PAGE = Path(__file__).resolve().parent.parent / "docs" / "writing-a-rule.md"


@pytest.fixture(scope="module")
def rule() -> Rule:
    source = PAGE.read_text(encoding="utf-8").split("```python\n", 1)[1].split("\n```\n", 1)[0]
    module = ModuleType("page_rule")
    sys.modules[module.__name__] = module
    exec(compile(source, str(PAGE), "exec"), vars(module))
    return vars(module)["PoolOfNobody"]()  # type: ignore[no-any-return]


def linted(rule: Rule, text: str) -> Result:
    root = str(PAGE.parent)
    path = f"{root}/program.py"
    settings = load(root, command_line=Options(select=(rule.code,)), isolated=True)
    session = Session(settings, [path], overlays={path: text.encode()}, packs=Registry((rule,), ()))
    return session.check([path])


def test_it_reports_and_repairs(rule: Rule) -> None:
    bad = rule.example.bad.replace("  # XP001", "")
    result = linted(rule, bad)
    assert not result.crashes
    marked = [row for row, line in enumerate(rule.example.bad.splitlines(), 1) if line.endswith("# XP001")]
    assert [finding.row for finding in result.findings] == marked
    fix = result.findings[0].fix
    assert fix is not None
    for edit in reversed(fix.edits):
        bad = bad[: edit.span.start] + edit.text + bad[edit.span.stop :]
    assert bad == rule.example.fixed
    assert linted(rule, bad).findings == ()


def test_it_is_silent_where_it_does_not_know(rule: Rule) -> None:
    for call in ("Pool(size())", "Pool(4)", "Pool()", "ThreadPool(0)"):
        program = f"from multiprocessing import Pool\nfrom multiprocessing.pool import ThreadPool\nfrom sizes import size\n\nwith {call} as pool:\n    pool.map(abs, [1])\n"
        assert linted(rule, program).findings == (), call


def test_its_programs_end_as_claimed(rule: Rule) -> None:
    proofs = prove(rule.example)
    assert all(proof.held for proof in proofs), report(rule.code, rule.name, proofs)


def test_the_page_names_only_questions_that_can_be_asked() -> None:
    from mplint.project import Project

    asked = re.findall(r"`project\.(\w+)", PAGE.read_text(encoding="utf-8").split("## The check", 1)[1])
    assert asked
    assert [name for name in asked if not hasattr(Project, name) and name not in {"target", "table"}] == []
