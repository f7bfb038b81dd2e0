"""The hooks in the real pre-commit, in a repository made for the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import HANGING, LIMIT, project

pytest.importorskip("pre_commit")
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

HOOKS = Path(__file__).parent.parent / ".pre-commit-hooks.yaml"
SAFE = "[tool.mplint]\ntimeout = 60\n"
FIXED = HANGING.replace("pool.map(work, range(9))", "pool.map_async(work, range(9)).get(timeout=60)")


def git(*words: str, cwd: Path) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.invalid")
    subprocess.run(["git", *identity, *words], cwd=cwd, check=True, capture_output=True, timeout=LIMIT)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose first commit holds `old.py` with a finding and `tasks.py`, and that uses the hooks of the tree.

    The hooks are taken as they are but for their language: `system` runs the interpreter of the test, and nothing is installed.
    """
    import yaml

    program = tmp_path / "bin" / "mplint"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(HOOKS.parent)!r})\nfrom mplint.cli import main\nmain()\n")
    program.chmod(0o755)
    hooks = yaml.safe_load(HOOKS.read_text())
    for hook in hooks:
        hook["language"] = "system"
        hook["entry"] = f"{program.parent}/{hook['entry']}"
    root = project(tmp_path / "repo", {"old.py": HANGING, "app.py": "x = 1\n"}, config=SAFE)
    (root / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]}))
    git("init", "-q", cwd=root)
    git("add", ".", cwd=root)
    git("commit", "-q", "-m", "first", cwd=root)
    return root


def hook(name: str, root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = dict(os.environ) | {"PRE_COMMIT_HOME": str(root.parent / "cache"), "PRE_COMMIT_COLOR": "never"}
    command = [sys.executable, "-m", "pre_commit", "run", name, *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, env=env, timeout=LIMIT, stdin=subprocess.DEVNULL)


def test_the_manifest_is_valid() -> None:
    from pre_commit.clientlib import load_manifest

    hooks = {item["id"]: item for item in load_manifest(str(HOOKS))}
    assert set(hooks) == {"mplint", "mplint-fix"}
    assert all(item["require_serial"] and item["types_or"] == ["python", "pyi"] and item["language"] == "python" for item in hooks.values())


def test_only_changed_files_are_reported_and_the_whole_project_is_linked(repository: Path) -> None:
    (repository / "app.py").write_text(HANGING)
    git("add", "app.py", cwd=repository)
    done = hook("mplint", repository)
    assert done.returncode == 1
    assert "app.py:8:16" in done.stdout and "old.py" not in done.stdout
    assert "old.py:8:16" in hook("mplint", repository, "--all-files").stdout


def test_no_python_file_is_no_failure(repository: Path) -> None:
    (repository / "notes.txt").write_text("x")
    git("add", "notes.txt", cwd=repository)
    assert hook("mplint", repository).returncode == 0


def test_excluded_files_are_not_reported(repository: Path) -> None:
    (repository / "pyproject.toml").write_text(SAFE + 'extend-exclude = ["app.py"]\n')
    (repository / "app.py").write_text(HANGING)
    git("add", "app.py", "pyproject.toml", cwd=repository)
    assert hook("mplint", repository).returncode == 0


def test_a_fix_fails_the_hook_and_leaves_the_fixed_file_and_then_it_passes(repository: Path) -> None:
    (repository / "app.py").write_text(HANGING)
    git("add", "app.py", cwd=repository)
    done = hook("mplint-fix", repository)
    assert done.returncode == 1
    assert "files were modified by this hook" in done.stdout
    assert (repository / "app.py").read_text() == FIXED
    assert (repository / "old.py").read_text() == HANGING
    git("add", "app.py", cwd=repository)
    assert hook("mplint-fix", repository).returncode == 0
