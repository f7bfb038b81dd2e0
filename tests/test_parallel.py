"""Several processes say what one says, also when one of them dies."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command import HANGING, codes, project, run
from test_cli import pack

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")


@pytest.mark.parametrize("deed", ["os._exit(3)", "os.kill(os.getpid(), signal.SIGKILL)", "raise RuntimeError"], ids=["leaves", "killed", "raises"])
def test_agreement(tmp_path: Path, deed: str) -> None:
    env = pack(
        tmp_path,
        "import os, signal\nfrom mplint.rule import Rule\nHERE = os.getpid()\nclass Deed(Rule):\n    '''Deed.'''\n    code = 'XY101'\n    name = 'deed-rule'\n"
        f"    def check(self, module, project):\n        if os.getpid() != HERE and module.path.endswith('m7.py'):\n            {deed}\n        yield from ()\n",
    )
    root = project(tmp_path / "project", {f"m{n}.py": HANGING for n in range(12)} | {"broken.py": "import multiprocessing\nx = (\n"})
    one = run("-j", "1", "--no-cache", "--output-format", "concise", cwd=root, env=env)
    several = run("-j", "3", "--no-cache", "--output-format", "concise", cwd=root, env=env)
    assert len(codes(one)) == 14
    assert several.stdout == one.stdout
    assert (several.returncode, "XY101" in several.stderr) == ((2, True) if "raise" in deed else (1, False))
