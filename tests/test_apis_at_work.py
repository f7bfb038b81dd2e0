"""What the API table claims of pools and executors (where, daemonic, leaving, notices_death), seen in running ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from mplint.apis import builtin_table

LIMIT = 120
KINDS = (
    "concurrent.futures.ProcessPoolExecutor", "concurrent.futures.ThreadPoolExecutor",
    "multiprocessing.pool.Pool", "multiprocessing.pool.ThreadPool",
    "multiprocess.pool.Pool", "billiard.pool.Pool", "loky.ProcessPoolExecutor", "loky.reusable_executor._ReusablePoolExecutor",
    "pathos.multiprocessing.ProcessPool", "pathos.threading.ThreadPool", "pebble.ProcessPool", "pebble.ThreadPool", "mpire.WorkerPool",
)  # fmt: skip


def run(name: str, folder: Path) -> str:
    """What the script prints, in a process group of its own that ends with it; its complaints when it prints nothing."""
    script = Path(__file__).with_name("apis_at_work.py")
    with open(folder / "out", "w+") as out, open(folder / "err", "w+") as err:  # workers that stay would keep a pipe open
        process = subprocess.Popen([sys.executable, str(script), name, str(folder)], stdout=out, stderr=err, start_new_session=True)
        try:
            process.wait(LIMIT)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        out.seek(0)
        err.seek(0)
        return out.read() or err.read()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[str]]]:
    """All kinds beside each other: the programs wait more than they work."""
    with ThreadPoolExecutor(4) as executor:
        yield {name: executor.submit(run, name, tmp_path_factory.mktemp("kind")) for name in KINDS if find_spec(name.partition(".")[0])}


@pytest.mark.parametrize("name", KINDS)
def test_kind(name: str, running: dict[str, Future[str]]) -> None:
    if name not in running:
        pytest.skip(f"{name.partition('.')[0]} is not installed")
    kind = builtin_table().kinds[name]
    text = running[name].result()
    assert text.startswith("{"), text
    seen = json.loads(text)
    assert (seen["where"], seen["daemonic"], seen.get("leaving", "")) == (kind.where, kind.daemonic, kind.leaving)
    assert ("death" in seen) is kind.notices_death
