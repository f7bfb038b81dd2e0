"""One run of a command as the operating system accounts for it, and medians over runs."""

from __future__ import annotations

import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_KIB = 1 if sys.platform == "darwin" else 1024


class Failed(Exception):
    """A command that could not be measured: not started, ended by a signal, out of time, or with a status that means failure."""


@dataclass(frozen=True)
class Run:
    """User plus system seconds and wall seconds of a whole process with the children it waited for; peak bytes of the largest of them.

    `peak` is never below the measuring process' own peak, because a child begins as its copy.  `errors` is what the command wrote
    on its error stream.
    """

    cpu: float
    wall: float
    peak: int
    status: int
    errors: str = ""


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float, good: Sequence[int] = (0, 1)) -> Run:
    """Run a command in its own process group with its output thrown away.  Raises Failed."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        try:
            process = subprocess.Popen(
                command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
            )
        except OSError as error:
            raise Failed(f"{command[0]}: {error.strerror}") from None
        late = threading.Event()

        def stop() -> None:
            late.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(timeout, stop)
        timer.start()
        try:
            _, state, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
        finally:
            timer.cancel()
        process.returncode = status = os.waitstatus_to_exitcode(state)
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    if late.is_set():
        raise Failed(f"stopped after {timeout:.0f} s")
    if "Traceback (most recent call last)" in text:  # Python tools end with 1 both when they find something and when they crash
        raise Failed(f"crashed: {text.strip().splitlines()[-1][:200]}")
    if status not in good:
        raise Failed(f"ended with {status}: {text.strip()[-200:]}")
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * _KIB, status, text)


def floor() -> int:
    """Peak bytes of this process: no peak below it can be seen."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB


def median(runs: Sequence[Run]) -> Run:
    """The medians of the figures, each taken by itself; errors of the last run."""
    last = runs[-1]
    cpu, wall = (statistics.median(getattr(r, name) for r in runs) for name in ("cpu", "wall"))
    return Run(cpu, wall, int(statistics.median(r.peak for r in runs)), last.status, last.errors)
