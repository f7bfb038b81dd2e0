"""The measure of how much is resolved, on a project of which that is known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from test_values import linked

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "resolution.py"


def test_what_one_file_says_and_what_the_project_says(tmp_path: Path) -> None:
    linked(tmp_path / "app", {"made.py": """
        from multiprocessing import Pool
        def opened():
            return Pool()
        """, "main.py": """
        from concurrent.futures import ProcessPoolExecutor
        from made import opened
        from work import work
        def main(pool):
            with ProcessPoolExecutor() as ex:
                ex.submit(work)
            opened().map(work, [])
            pool.imap(work, [])
        """, "work.py": "def work(): pass\n", "idle.py": "def idle(): pass\n"})  # fmt: skip
    out = tmp_path / "out.json"
    done = subprocess.run([sys.executable, str(SCRIPT), str(tmp_path / "app"), "--json", str(out), "--open"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(out.read_text())
    assert {(r["method"], r["before"], r["after"]) for r in result["receivers"]} == {
        ("submit", "known", "known"),
        ("map", "open", "known"),
        ("imap", "open", "open"),
    }
    assert {(r["title"], r["after"]) for r in result["callables"]} == {("Executor.submit", "known"), ("Pool.map", "known")}
    assert (result["modules"], result["parsed"]) == (4, 3)
    assert any(line.startswith("open imap parameter") and line.endswith("main.py:8") for line in done.stdout.splitlines()), done.stdout
