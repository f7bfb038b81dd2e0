"""The worker map: what is on it, and the tree on the terminal."""

from __future__ import annotations

import textwrap
from pathlib import Path

import msgspec
from report_samples import MAIN, PARSE, scene, small_map

from mplint.cli.workers import map_of
from mplint.config import load
from mplint.finding import Finding, Span
from mplint.opening import open_sessions
from mplint.report.map_tree import render_map
from mplint.worker_map import Call, Handover, Run, Worker, WorkerMap

PROJECT = {
    "app/__init__.py": "",
    "app/main.py": """\
        from concurrent.futures import ThreadPoolExecutor
        from multiprocessing import Pool

        from app.work import begin, count


        def main(paths):
            with Pool(4, initializer=begin) as pool:
                pool.map(count, paths)
            with ThreadPoolExecutor() as threads:
                threads.submit(begin)


        def unused():
            return len([])
        """,
    "app/work.py": """\
        def begin():
            pass


        def count(path):
            return sum(map(words, open(path)))


        def words(line):
            if not line:
                return count(line)
            return len(line.split())
        """,
}


def built(root: Path, *findings: tuple[str, str, int]) -> tuple[WorkerMap, Path]:
    """The map of the project in `root` with findings given by file, scope and row."""
    for name, text in PROJECT.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text), encoding="utf-8")
    (opened,) = open_sessions((str(root),), lambda group: load(str(root), isolated=True))
    made = [Finding("MP1", "n", str(root / file), Span(0, 1), row, 1, row, 2, f"hazard in {scope or file}", scope=scope) for file, scope, row in findings]
    return map_of(opened.session, made), root


def test_handovers_and_what_they_run(tmp_path: Path) -> None:
    worker_map, root = built(tmp_path)
    names = [worker.name for worker in worker_map.workers]
    assert [(h.title, h.inside, h.row, [(r.role, names[r.worker]) for r in h.runs]) for h in worker_map.handovers] == [
        ("Pool", "main", 8, [("initializer", "begin")]),
        ("Pool.map", "main", 9, [("task", "count")]),
    ]
    by_name = {worker.name: worker for worker in worker_map.workers}
    assert set(by_name) == {"begin", "count", "words"}
    assert (by_name["count"].path, by_name["count"].row) == (str(root / "app" / "work.py"), 5)
    assert [(call.row, names[call.worker]) for call in by_name["count"].calls] == [(6, "words")]
    assert [(call.row, names[call.worker]) for call in by_name["words"].calls] == [(11, "count")]


def test_findings_go_to_their_function_or_handover_or_elsewhere(tmp_path: Path) -> None:
    worker_map, _ = built(tmp_path, ("app/work.py", "words", 10), ("app/work.py", "words.inner", 11), ("app/main.py", "main", 9), ("app/main.py", "unused", 15))
    assert {worker.name: worker.hazards for worker in worker_map.workers} == {"begin": (), "count": (), "words": (0, 1)}
    assert [handover.hazards for handover in worker_map.handovers] == [(), (2,)]
    assert worker_map.elsewhere == (3,)
    names = [worker.name for worker in worker_map.workers]
    assert {names[index] for index in worker_map.dangerous()} == {"count", "words"}


def test_the_tree() -> None:
    assert (
        "".join(render_map(small_map(), scene(), everything=False))
        == """\
app/main.py:9  Pool.map in main  (fork)
├─ ▲ MP501 app/main.py:9  `Pool.map` without a timeout: a worker that dies takes its task along, and this call waits for ever
├─ ? more that could not be resolved
├─ parse  app/parse.py:6
│  ├─ RowError.__init__  app/parse.py:2
│  │  ├─ ▲ MP201 app/parse.py:1  `RowError` cannot be unpickled in the parent: `__init__` takes 2 arguments, `args` holds 1
│  │  ├─ parse  app/parse.py:6  (↻ recursion)
│  │  ╰─ RowError.__init__  app/parse.py:2  (↻ recursion)
│  ╰─ calls 1 function without hazards
╰─ setup  app/main.py:3  (initializer)

1 place hands work to worker processes, where 4 functions may run; 2 hazards on the way.
"""
    )


def test_a_small_map_is_shown_whole() -> None:
    assert "quiet  app/parse.py:8" in "".join(render_map(small_map(), scene()))


def test_hazards_on_no_way_are_listed_apart() -> None:
    apart = msgspec.structs.replace(small_map(), handovers=(), workers=(), elsewhere=(0, 1))
    tree = "".join(render_map(apart, scene()))
    assert tree.startswith("not on the way of any worker\n  ▲ MP501 app/main.py:9  ")
    assert tree.endswith("Nothing hands work to a worker process here.\n")


def test_each_function_unfolds_once_where_the_fewest_calls_lead_to_it() -> None:
    workers = tuple(Worker(f"w{n}", "m", PARSE, n + 1, 1, calls) for n, calls in enumerate(((Call(1, 1),), (Call(2, 2),), (Call(3, 0),))))
    handovers = tuple(Handover("Pool.map", "main", MAIN, row, 1, runs=(Run("task", at),)) for row, at in ((1, 0), (2, 2)))
    worker_map = WorkerMap(handovers, workers)
    assert worker_map.homes() == ((0, -1), (0, 0), (0, 1))
    lines = "".join(render_map(worker_map, scene())).splitlines()
    assert [line for line in lines if "w2" in line] == ["      ╰─ w2  app/parse.py:3", "╰─ w2  app/parse.py:3  (↑ above)"]


def test_a_long_chain_of_calls_is_no_problem() -> None:
    many = 3000
    workers = tuple(Worker(f"w{n}", "m", PARSE, n + 1, 1, (Call(1, n + 1),) if n + 1 < many else ()) for n in range(many))
    worker_map = WorkerMap((Handover("Pool.map", "main", MAIN, 1, 1, runs=(Run("task", 0),)),), workers)
    assert len(worker_map.homes()) == many
    assert "".join(render_map(worker_map, scene(), everything=True)).count("w2999") == 1
