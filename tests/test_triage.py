"""What triage promises: on real packages, reading everything finds nothing that reading what matters does not."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from mplint.finding import Alarm
from mplint.project import Project
from mplint.registry import registry
from mplint.source import Sources

PACKAGES = ("pebble", "loky", "flake8", "pre_commit", "mpire", "xdist")


def alarms(root: Path, *, whole: bool) -> set[tuple[str, str, int, str]]:
    files = tuple(sorted(str(path) for path in root.rglob("*.py")))
    project = Project(Sources(str(root), files), whole=whole)
    found: set[tuple[str, str, int, str]] = set()
    for path in files:
        module = project.module(path) if project.relevant(path) else None
        for rule in registry().rules if module is not None else ():
            assert module is not None
            found |= {_key(alarm, root) for alarm in rule.check(module, project)}
    return found


def _key(alarm: Alarm, root: Path) -> tuple[str, str, int, str]:
    return alarm.code, str(Path(alarm.site.path).relative_to(root)), alarm.site.at, alarm.message


@pytest.mark.parametrize("name", PACKAGES)
def test_triage_loses_nothing(name: str) -> None:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{name} is not installed")
    root = Path(spec.submodule_search_locations[0])
    assert alarms(root, whole=True) == alarms(root, whole=False)


def test_examples() -> None:
    root = Path(__file__).parent.parent / "examples"
    found = alarms(root, whole=True)
    assert found
    assert found == alarms(root, whole=False)
