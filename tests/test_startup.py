"""What is imported: nothing heavy where nothing has to be read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command import LIMIT, project

ROOT = Path(__file__).parent.parent
HEAVY = {
    "libcst", "rich", "pathspec", "packaging", "mplint.session", "mplint.project", "mplint.registry", "mplint.rules", "mplint.extract", "mplint.facts", "mplint.facts.outline",
    "mplint.finding.spans", "mplint.verdict", "mplint.finding.suppress", "mplint.cache.pieces", "multiprocessing", "concurrent", "asyncio", "tempfile", "json", "importlib.metadata",
    "configparser", "logging", "socket",
}  # fmt: skip


def imported(*words: str, cwd: Path) -> tuple[set[str], str]:
    """The modules that a run of the command leaves imported, and what it said."""
    program = (
        "import sys\nbefore = set(sys.modules)\nfrom mplint.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print(*sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    env = {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "FORCE_COLOR"}} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program, *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=LIMIT)
    return set(done.stderr.splitlines()[-1].split()), done.stdout


def test_the_version_needs_nothing(tmp_path: Path) -> None:
    modules, said = imported("--version", cwd=tmp_path)
    assert said.startswith("mplint ")
    assert {name for name in modules if name.partition(".")[0] not in sys.stdlib_module_names} == {"mplint", "mplint.cli"}


@pytest.mark.parametrize("words", [(), ("--output-format", "concise"), ("app.py",), ("--statistics",)], ids=" ".join)
def test_a_run_with_nothing_changed(tmp_path: Path, words: tuple[str, ...]) -> None:
    root = project(tmp_path)
    first, said = imported(cwd=root)
    assert {"libcst", "mplint.session", "mplint.rules"} <= first and "MP501" in said
    again, said = imported(*words, cwd=root)
    assert "MP501" in said
    assert HEAVY & again == set()


def test_the_first_run_needs_no_rich(tmp_path: Path) -> None:
    modules, _ = imported("--no-cache", cwd=project(tmp_path))
    assert {"rich", "pathspec", "libcst.matchers", "multiprocessing"} & modules == set()
