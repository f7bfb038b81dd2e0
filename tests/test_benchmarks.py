"""The benchmark scripts measure what they say, on trees small enough for a test."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return {name: __import__(name) for name in ("measure", "trees", "speed")}


def test_synthetic_tree_grows_by_its_factor_and_is_always_the_same(scripts: dict[str, ModuleType], tmp_path: Path) -> None:
    trees = scripts["trees"]
    one, two, again = (trees.grow(tmp_path / name, factor) for name, factor in (("a", 1), ("a", 2), ("b", 1)))
    small, large = trees.size_of(one), trees.size_of(two)
    assert large.lines == 2 * small.lines > 80_000
    for path in one.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        compile(text, path, "exec")
        assert text == (again / path.relative_to(one)).read_text(encoding="utf-8")


def test_a_run_counts_children_and_reports_failures(scripts: dict[str, ModuleType], tmp_path: Path) -> None:
    measure = scripts["measure"]
    env = dict(os.environ)
    busy = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'bytearray(60_000_000); sum(range(3_000_000))'])"
    child = measure.run([sys.executable, "-c", busy], cwd=tmp_path, env=env, timeout=60)
    assert child.peak > 60_000_000
    assert child.cpu > measure.run([sys.executable, "-c", "pass"], cwd=tmp_path, env=env, timeout=60).cpu
    with pytest.raises(measure.Failed, match="ended with 3: no"):
        measure.run([sys.executable, "-c", "import sys; print('no', file=sys.stderr); sys.exit(3)"], cwd=tmp_path, env=env, timeout=60)
    with pytest.raises(measure.Failed, match="crashed: ZeroDivisionError"):
        measure.run([sys.executable, "-c", "1 / 0"], cwd=tmp_path, env=env, timeout=60)
    with pytest.raises(measure.Failed, match="stopped after"):
        measure.run([sys.executable, "-c", "import time; time.sleep(600)"], cwd=tmp_path, env=env, timeout=0.5)


def test_speed_measures_every_case_on_a_copy(scripts: dict[str, ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "busy.py").write_text("import multiprocessing\n", encoding="utf-8")
    (tree / "long.py").write_text("x = 1\n" * 100, encoding="utf-8")
    tool = tmp_path / "tool.py"
    tool.write_text(
        "import pathlib, sys\n"
        f"log = pathlib.Path({str(tmp_path / 'log')!r})\n"
        "with log.open('a') as file: print(len(pathlib.Path('busy.py').read_text()), *sys.argv[1:], file=file)\n"
        "print('2 files found, 1 read, 1 parsed', file=sys.stderr)\n"
        "sys.exit(1)\n",
        encoding="utf-8",
    )
    figures = tmp_path / "figures.json"
    status = scripts["speed"].main(
        ["--cache", str(tmp_path), "--trees", str(tree), "--growth", "--runs", "2", "--peers", "--mplint", f"{sys.executable} {tool}", "--json", str(figures)]
    )
    assert status == 0
    rows = {row["case"]: row for row in json.loads(figures.read_text(encoding="utf-8"))["rows"]}
    assert list(rows) == [
        "mplint cold, one job",
        "mplint cold, all jobs",
        "mplint warm",
        "mplint one comment edited",
        "mplint one function added",
        "mplint one pool added",
        "mplint one file given",
    ]
    assert rows["mplint cold, one job"]["counts"] == {"found": 2, "read": 1, "parsed": 1}
    assert rows["mplint cold, one job"]["cpu"] > 0
    log = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    sizes = [int(line.split()[0]) for line in log]
    assert sizes == sorted(sizes) and len(set(sizes)) == 10, "three edits a round, the uncounted one included, to the file that matters"
    assert any(line.endswith(" busy.py") for line in log)
    assert (tree / "busy.py").read_text(encoding="utf-8") == "import multiprocessing\n"
    assert "tree: 101 lines, 2 files" in capsys.readouterr().out


def test_a_case_that_fails_is_told_and_does_not_stop_the_others(scripts: dict[str, ModuleType], tmp_path: Path) -> None:
    speed = scripts["speed"]
    env = dict(os.environ)
    good = speed.Case(speed.YARDSTICK, [sys.executable, "-c", "sum(range(10**6))"], tmp_path, env)
    bad = speed.Case("mplint warm", [sys.executable, "-c", "import sys; sys.exit('no such option')"], tmp_path, env)
    bad_status = speed.Case("peer", [sys.executable, "-c", "import sys; sys.exit(2)"], tmp_path, env)
    rows = speed.measure("tree", [good, bad, bad_status], 2, 60)
    assert rows[0].ratio == 1.0
    assert rows[1].cpu is not None, "status 1 means findings"
    assert rows[2].cpu is None and "ended with 2" in rows[2].note
    assert "ended with 2" in speed.table(rows, {"tree": scripts["trees"].Size(1, 2, 3)})
