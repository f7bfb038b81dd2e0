"""What a pool of the API table really does: `python apis_at_work.py KIND FOLDER` prints it as JSON.

"where" and "daemonic": where the work runs, and whether the worker is daemonic.  "leaving": "wait" when a task that was begun in a `with`
block is over after the block, else "stop".  "death": the error that a waiting call gets when its worker dies (only of kinds that tell it,
the others would wait for ever).  The tests end the whole process group.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import sys
import threading
import time
from functools import partial
from typing import Any

from mplint.apis import Api, builtin_table

TABLE = builtin_table()
PATIENCE = 60
LESS_WAITING = {"billiard.pool.Pool": {"lost_worker_timeout": 1.0}}


def place() -> tuple[int, bool]:
    return os.getpid(), multiprocessing.current_process().daemon


def die() -> None:
    os._exit(3)


def task(folder: str) -> None:
    """Says that it has begun, waits to be told to end, says that it did."""
    open(os.path.join(folder, "begun"), "w").close()
    wait_for(os.path.join(folder, "end"))
    open(os.path.join(folder, "ended"), "w").close()


def wait_for(path: str) -> None:
    for _ in range(PATIENCE * 50):
        if os.path.exists(path):
            return
        time.sleep(0.02)


def resolve(name: str) -> Any:
    """The object of this name; a module on the way is imported first."""
    parts = name.split(".")
    found = importlib.import_module(parts[0])
    for depth, part in enumerate(parts[1:], 2):
        if not hasattr(found, part):
            importlib.import_module(".".join(parts[:depth]))
        found = getattr(found, part)
    return found


def submitting(kind: str) -> tuple[str, Api]:
    """The method of the kind that takes one callable with its arguments and answers later."""
    for name in ("submit", "schedule", "apply_async", "apipe"):
        row = TABLE.method(kind, name)
        if row is not None and not (name == "submit" and row.timeout is not None):  # pebble's submit takes its limit in between
            return name, row
    raise LookupError(kind)


def submit(pool: Any, kind: str, function: Any, *args: object) -> Any:
    name, row = submitting(kind)
    method = getattr(pool, name)
    return method(function, *args) if row.payload == "call" else method(function, args)


def answer(result: Any, kind: str) -> Any:
    """What the result that the row names gives, by its method that collects."""
    gives = submitting(kind)[1].gives
    name = next(n for n in ("result", "get") if TABLE.method(gives, n) is not None)
    return getattr(result, name)(timeout=PATIENCE)


def seen(kind: str, folder: str) -> dict[str, object]:
    """What instances of the kind do, under the names of the columns that claim it."""
    makers = (row.name for row in TABLE.apis.values() if row.gives == kind and "make" in row.does and "BaseContext" not in row.name)
    maker = partial(resolve(next(makers)), 2, **LESS_WAITING.get(kind, {}))
    claims = TABLE.kinds[kind]
    pool = maker()
    pid, daemonic = answer(submit(pool, kind, place), kind)
    out: dict[str, object] = {"where": "thread" if pid == os.getpid() else "process", "daemonic": pid != os.getpid() and daemonic}
    if claims.leaving:
        with maker() as pool:
            submit(pool, kind, task, folder)
            wait_for(os.path.join(folder, "begun"))
            if claims.leaving == "wait":
                threading.Timer(0.3, lambda: open(os.path.join(folder, "end"), "w").close()).start()
        out["leaving"] = "wait" if os.path.exists(os.path.join(folder, "ended")) else "stop"
    if claims.notices_death:
        try:
            answer(submit(maker(), kind, die), kind)
        except Exception as error:
            out["death"] = type(error).__name__
    return out


if __name__ == "__main__":
    print(json.dumps(seen(*sys.argv[1:])), flush=True)
    os._exit(0)
