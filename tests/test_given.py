"""Functions that a worker is given, and calls, run in the worker: by arguments, by `partial`, by what a process keeps."""

from __future__ import annotations

from pathlib import Path

from test_values import linked


def test_a_worker_calls_what_it_is_given(tmp_path: Path) -> None:
    project = linked(tmp_path, {"main.py": """
        from functools import partial
        from multiprocessing import Pool, Process
        def argument(x): pass
        def keyword(): pass
        def bound(x): pass
        def passed_on(): pass
        def first(): pass
        def second(): pass
        def constructed(x): pass
        def kept_only(): pass
        def not_called(): pass
        def loop(work, queue, tail=None):
            for x in iter(queue.get, None):
                work(x)
            tail()
        def apply(function, x):
            return function(x)
        def through(function):
            relay(function)
        def relay(function):
            return function()
        def store(function, queue):
            queue.put(function)
        class Runner(Process):
            def __init__(self, function, other):
                super().__init__()
                self.function = function
                self.other = other
            def run(self):
                self.function(1)
                print(self.other)
        def main(queue):
            Process(target=loop, args=(argument, queue), kwargs={"tail": keyword}).start()
            Process(target=store, args=(not_called, queue)).start()
            with Pool() as pool:
                pool.map(partial(apply, bound), [])
                pool.apply_async(through, (passed_on,))
                pool.apply_async(relay, (first,))
                pool.map(relay, [second])
            Runner(constructed, kept_only).start()
        """})  # fmt: skip
    chains = {function.qualname: " / ".join(step.message for step in project.why(function) or ()) for function in project.workers()}
    given = {"argument", "keyword", "bound", "passed_on", "first", "constructed"}
    assert set(chains) == {"loop", "apply", "through", "relay", "store", "Runner.run", *given}
    assert chains["argument"] == "`Process` takes `loop` and runs it in a worker / `loop` calls `argument`"
    assert chains["first"] == "`Pool.apply_async` takes `relay` and runs it in a worker / `relay` calls `first`"
    assert chains["constructed"] == "`Process` runs `Runner.run` as the body of a process / `run` calls `constructed`"
