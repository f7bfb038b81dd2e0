"""--why, --map and --show-unknown, as a user asks them."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import project, run
from test_values import linked

from mplint.project import Limits, Project
from mplint.source import Sources
from mplint.unknown import KINDS, account_of

TASKS = """\
from helpers import helper


def work(x):
    pick = lambda y: (
        y
    )
    return helper(pick(x))


def other(x):
    def inner():
        return x
    return inner
"""
FILES = {"tasks.py": TASKS, "helpers.py": "def helper(x):\n    return x\n"}


def test_why_a_line_runs_in_a_worker(tmp_path: Path) -> None:
    project(tmp_path, FILES)
    assert run("--why", "helpers.py:2", cwd=tmp_path).stdout == (
        "`helper` runs in a worker process:\n  app.py:8:16  `Pool.map` takes `work` and runs it in a worker\n  tasks.py:8:12  `work` calls `helper`\n"
    )
    assert run("--why", "tasks.py:6", cwd=tmp_path).stdout.startswith("`work.<lambda>` runs in a worker process:\n")
    assert run("--why", "tasks.py:5", cwd=tmp_path).stdout.startswith("`work.<lambda>` runs") is True


@pytest.mark.parametrize("place", ["app.py:6", "tasks.py:12", "tasks.py:13", "tasks.py:1", "tasks.py:99"])
def test_no_worker_runs_it(tmp_path: Path, place: str) -> None:
    done = run("--why", place, cwd=project(tmp_path, FILES))
    assert (done.returncode, done.stdout) == (1, f"{place} is not in a function that is known to run in a worker process.\n")


def test_why_a_whole_file(tmp_path: Path) -> None:
    project(tmp_path, FILES)
    done = run("--why", "tasks.py", cwd=tmp_path)
    assert done.returncode == 0
    assert [line.split("`")[1] for line in done.stdout.splitlines() if line.startswith("`")] == ["work", "work.<lambda>"]
    assert run("--why", "app.py", cwd=tmp_path).stdout == "Nothing in app.py is known to run in a worker process.\n"


def test_an_executor_of_unknown_kind_may_run_it(tmp_path: Path) -> None:
    text = "from concurrent.futures import Executor\n\n\ndef main(executor: Executor):\n    executor.submit(work)\n\n\ndef work():\n    pass\n"
    project(tmp_path, {"app.py": text})
    assert run("--why", "app.py:9", cwd=tmp_path).stdout == (
        "`work` may run in a worker process:\n  app.py:5:5  `Executor.submit` takes `work` and may run it in a worker process\n"
    )
    assert "app.py:5:5: what `Executor.submit` is called on is not known: it may be threads or processes\n" in run("--show-unknown", cwd=tmp_path).stderr


def test_the_map_on_the_terminal(tmp_path: Path) -> None:
    lines = run("--map", cwd=project(tmp_path, FILES)).stdout.splitlines()
    assert lines[0].startswith("app.py:8  Pool.map in main")
    assert [line.strip("│├╰─ ").partition("  ")[0] for line in lines[2:6]] == ["work", "helper", "work.<lambda>", ""]


def test_nothing_is_unknown(tmp_path: Path) -> None:
    done = run("--show-unknown", "--output-format", "concise", cwd=project(tmp_path, FILES))
    assert done.stderr == "mplint: note: resolved: 1 of 1 receivers (100 %), 1 of 1 callables (100 %)\n"
    (tmp_path / "app.py").write_text("print()\n")
    assert run("--show-unknown", cwd=tmp_path).stderr == "mplint: note: nothing is handed to a pool, a process or an executor here\n"


def test_what_stays_open_and_why(tmp_path: Path) -> None:
    text = """\
from multiprocessing import Pool
from elsewhere import *
from third_party import Base


def main(pool, job):
    pool.imap(work, [])
    with Pool() as mine:
        mine.map(job, [])
        mine.apply_async(undefined)


class Failure(Base, Exception):
    pass
"""
    done = run("--show-unknown", "--isolated", cwd=project(tmp_path, {"app.py": text}))
    assert done.stderr.splitlines() == [
        "mplint: open: app.py:7:5: what `pool.imap` is called on is not known: `pool` is a parameter of `main`, and no call in the project passes one",
        "mplint: open: app.py:9:9: what `Pool.map` runs is not known: `job` is a parameter of `main`, and no call in the project passes one",
        "mplint: open: app.py:10:9: what `Pool.apply_async` runs is not known: nothing binds the name",
        "mplint: open: app.py:13:7: what `Failure` derives from is not known: the source of `third_party.Base` is not at hand (see --python)",
        "mplint: note: resolved: 1 of 2 receivers (50 %), 0 of 2 callables (0 %), 0 of 1 bases (0 %)",
    ]


def test_bases_are_read_from_an_environment(tmp_path: Path) -> None:
    library = {
        "site/web/__init__.py": "from .errors import HTTPError\n", "site/web/errors.py": "class WebError(IOError): pass\nclass HTTPError(WebError): pass\n",
    }  # fmt: skip
    linked(tmp_path, library)
    app = {"app.py": "import web\nfrom multiprocessing import Pool\nclass E(web.HTTPError): pass\nclass F(web.Error): pass\n"}
    files = [str(tmp_path / name) for name in app]
    (tmp_path / "app.py").write_text(app["app.py"])
    for libraries, unknown in (((str(tmp_path / "site"),), {"F"}), ((), {"E", "F"})):
        read = Project(Sources(str(tmp_path), files), limits=Limits(libraries=libraries))
        account = account_of(read, files)
        assert {question.what for question in account.open} == unknown
        assert [account.asked[kind] for kind in KINDS] == [0, 0, 2]
        cls = read.module(files[0]).class_("E")  # type: ignore[union-attr]
        assert cls is not None and ("builtins.OSError" in read.ancestry(cls)) == ("E" not in unknown)
