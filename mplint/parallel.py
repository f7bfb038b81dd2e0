"""Checking files in several processes: the project is linked once, then forked, and each process checks its share.

Shares are small and handed out as processes become free.  What a process that dies had in hand is checked here.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing import connection
from multiprocessing.process import BaseProcess

import msgspec

Work = Callable[[str], bytes]
"""Checks one file; its answer has to travel as bytes."""


def processes_for(files: int, jobs: int) -> int:
    """How many processes to use for so many files: `jobs`, one a core when that is 0; 1 where none can be forked safely."""
    if sys.platform != "linux" or threading.active_count() > 1:
        return 1
    return max(1, min(jobs or os.cpu_count() or 1, files))


def spread(paths: Sequence[str], work: Work, *, processes: int, progress: Callable[[int, int], None] | None = None) -> dict[str, bytes]:
    """The answer of `work` for each path.  Raises what `work` raises only where a process died and its file is checked here."""
    context = multiprocessing.get_context("fork")
    todo = list(reversed(paths))
    answers: dict[str, bytes] = {}
    lost: list[str] = []
    busy: dict[connection.Connection, tuple[BaseProcess, str]] = {}
    workers: list[BaseProcess] = []
    ends: list[connection.Connection] = []
    try:
        for _ in range(processes):
            ours, theirs = context.Pipe()
            worker: BaseProcess = context.Process(target=_serve, args=(theirs, work, [*ends, ours]), daemon=True)
            worker.start()
            theirs.close()
            ends.append(ours)
            workers.append(worker)
            _hand_out(ours, worker, todo, busy)
        while busy:
            for ready in connection.wait(list(busy)):
                assert isinstance(ready, connection.Connection)
                owner, path = busy.pop(ready)
                try:
                    answers[path] = ready.recv_bytes()
                except (EOFError, OSError):  # the process died: its end of the pipe is closed
                    lost.append(path)
                    continue
                if progress is not None:
                    progress(len(answers), len(paths))
                _hand_out(ready, owner, todo, busy)
    finally:
        for end in ends:
            end.close()
        for each in workers:
            each.terminate()
            each.join()
    answers.update((path, work(path)) for path in (*lost, *reversed(todo)))
    return answers


def _hand_out(end: connection.Connection, worker: BaseProcess, todo: list[str], busy: dict[connection.Connection, tuple[BaseProcess, str]]) -> None:
    if todo:
        path = todo.pop()
        busy[end] = (worker, path)
        try:
            end.send_bytes(msgspec.msgpack.encode(path))
        except OSError:  # dead already: waiting for its answer will tell
            pass


def _serve(end: connection.Connection, work: Work, foreign: Sequence[connection.Connection]) -> None:
    """The life of a process: answer until nobody asks."""
    for other in foreign:
        other.close()
    try:
        while True:
            end.send_bytes(work(msgspec.msgpack.decode(end.recv_bytes(), type=str)))
    except (EOFError, OSError, KeyboardInterrupt):
        pass
