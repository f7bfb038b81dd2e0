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


SHARED = """\
import multiprocessing as mp

_pool = None
everybody = mp.Pool()


def shared():
    global _pool
    if _pool is None:
        _pool = mp.Pool()
    return _pool
"""


@pytest.mark.parametrize("use", ("one.shared()", "one.everybody", "one.mp.Pool()"))
@pytest.mark.parametrize(
    ("imports", "inside"),
    [(line, inside) for line in ("from . import one", "from p import one as one", "import p.one as one", "import p.one") for inside in (False, True)]
    + [("from .one import *", False)],
)
def test_objects_behind_the_dot_of_a_module(tmp_path: Path, use: str, imports: str, inside: bool) -> None:
    """Who imports a module and takes a pool out of it is looked at, although nothing in the file says so."""
    use = {"import p.one": f"p.{use}", "from .one import *": use.removeprefix("one.")}.get(imports, use)
    package = tmp_path / "p"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "one.py").write_text(SHARED)
    head, first = ("", f"    {imports}\n") if inside else (f"{imports}\n\n\n", "")
    (package / "two.py").write_text(f"{head}def go():\n{first}    return {use}.map(abs, [1])\n")
    found = alarms(tmp_path, whole=False)
    assert "MP501" in {code for code, path, *_ in found if path == "p/two.py"}
    assert found == alarms(tmp_path, whole=True)
