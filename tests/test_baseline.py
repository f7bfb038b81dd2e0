"""Baselines: what they accept, what survives moved lines, what they say about the rest."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mplint.config.settings import ConfigError
from mplint.finding import Finding, Span, baseline

RUNNING = frozenset({"MP501", "MP502"})


def finding(path: Path, row: int, scope: str = "f", code: str = "MP501") -> Finding:
    return Finding(code, "name", str(path), Span(row, row), row, 1, row, 2, "message", scope=scope)


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "pkg" / "m.py"
    path.parent.mkdir()
    path.touch()
    return path


def write(tmp_path: Path, findings: list[Finding], checked: list[Path], old: baseline.Baseline | None = None) -> baseline.Baseline:
    path = tmp_path / "base.json"
    path.write_bytes(baseline.written(str(path), findings, checked=[str(p) for p in checked], running=RUNNING, old=old))
    return baseline.read(str(path))


def test_counts_by_file_rule_and_definition(tmp_path: Path, module: Path) -> None:
    base = write(tmp_path, [finding(module, 1), finding(module, 2), finding(module, 9, "A.g")], [module])
    assert json.loads(Path(base.path).read_text())["findings"] == {"pkg/m.py": {"MP501": {"f": 2, "A.g": 1}}}


def test_moved_lines_change_nothing_and_one_more_shows_all_of_its_definition(tmp_path: Path, module: Path) -> None:
    base = write(tmp_path, [finding(module, 1), finding(module, 9, "A.g")], [module])
    moved = [finding(module, 41), finding(module, 49, "A.g")]
    found = baseline.split(base, moved, checked=[str(module)], running=RUNNING)
    assert (found.new, len(found.accepted), found.gone) == ((), 2, 0)
    more = [*moved, finding(module, 50, "A.g")]
    assert [f.row for f in baseline.split(base, more, checked=[str(module)], running=RUNNING).new] == [49, 50]
    other = baseline.split(base, [finding(module, 1, code="MP502")], checked=[str(module)], running=RUNNING)
    assert (len(other.new), other.gone) == (1, 2)


def test_only_what_was_checked_is_replaced(tmp_path: Path, module: Path) -> None:
    twin = module.with_name("n.py")
    twin.touch()
    old = write(tmp_path, [finding(module, 1), finding(twin, 1)], [module, twin])
    assert write(tmp_path, [], [twin], old).counts == {("pkg/m.py", "MP501", "f"): 1}
    os.remove(module)
    assert write(tmp_path, [], [twin], old).counts == {}
    assert baseline.split(old, [], checked=[str(twin)], running=frozenset({"MP502"})).gone == 0


def test_unreadable_files_and_useless_comments_are_never_accepted(tmp_path: Path, module: Path) -> None:
    base = write(tmp_path, [finding(module, 1, code="MP000"), finding(module, 1, code="MP001")], [module])
    assert base.counts == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "damaged"), ('{"version": 2, "findings": {}}', "version 2"), ('{"version": 1, "findings": {"a": 1}}', "damaged"), (None, "does not exist")],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, text: str | None, reason: str) -> None:
    path = tmp_path / "base.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=reason):
        baseline.read(str(path))
