"""The command as a user runs it, and projects to run it on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HANGING = """\
from multiprocessing import Pool

from tasks import work


def main():
    with Pool(2) as pool:
        return pool.map(work, range(9))
"""
"""One finding: MP501 in row 8, column 16, with an unsafe fix."""
TASKS = "def work(x):\n    return x\n"
LIMIT = 60.0


def project(root: Path, files: Mapping[str, str] | None = None, *, config: str = "") -> Path:
    """A project of two modules, the finding in `app.py`; `files` are added or replace them."""
    content = {"pyproject.toml": config, "app.py": HANGING, "tasks.py": TASKS} | dict(files or {})
    for name, text in content.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root


def run(*words: str, cwd: Path, stdin: bytes = b"", module: str = "mplint", env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`python -m mplint ...`, in a project that knows no other environment than this one."""
    environ = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR", "VIRTUAL_ENV", "PRE_COMMIT"}}
    paths = [str(Path(__file__).parent.parent), *filter(None, [environ.get("PYTHONPATH")])]
    environ |= {"PYTHONPATH": os.pathsep.join(paths), **(env or {})}
    done = subprocess.run([sys.executable, "-m", module, *words], cwd=cwd, input=stdin, capture_output=True, timeout=LIMIT, env=environ)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def codes(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The findings of a concise report: `app.py:8:16: MP501`."""
    return [" ".join(line.split(" ")[:2]) for line in done.stdout.splitlines() if ": MP" in line]


def pack(root: Path, text: str) -> dict[str, str]:
    """A rule pack of somebody else, installed as far as Python can tell; the environment that knows it."""
    home = root / "installed"
    meta = home / "pack-1.0.dist-info"
    meta.mkdir(parents=True)
    (home / "ourpack.py").write_text(text)
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: pack\nVersion: 1.0\n")
    (meta / "entry_points.txt").write_text("[mplint.rules]\nours = ourpack\n")
    return {"PYTHONPATH": os.pathsep.join((str(Path(__file__).parent.parent), str(home)))}
