"""What runs in a worker, where, and why: each case is a small project with the submissions (or the reach) it has."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_values import linked

from mplint.project import Project
from mplint.project.workers import Submission

SUBMISSIONS: dict[str, tuple[dict[str, str], set[str]]] = {
    "functions and partial": (
        {"work.py": """
            def work(x):
                return x
            """, "main.py": """
            import functools
            from functools import partial
            from multiprocessing import Pool
            from work import work
            import work as module
            def main():
                with Pool() as pool:
                    pool.map(work, [])
                    pool.imap(module.work, [])
                    pool.starmap(partial(work, 1), [])
                    bound = functools.partial(partial(work), 2)
                    pool.apply_async(bound)
            """},
        {"Pool.map task process work", "Pool.imap task process work", "Pool.starmap task process work", "Pool.apply_async task process work"},
    ),
    "methods": (
        {"main.py": """
            from concurrent.futures import ProcessPoolExecutor
            class Base:
                def step(self):
                    raise NotImplementedError
            class Job(Base):
                def __call__(self, x):
                    return x
                def step(self):
                    return 1
                @staticmethod
                def fixed(x):
                    return x
                @classmethod
                def shared(cls, x):
                    return x
                def run(self, other: Base):
                    with ProcessPoolExecutor() as ex:
                        ex.submit(self.step)
                        ex.submit(self.fixed)
                        ex.submit(Job.fixed)
                        ex.submit(self.shared)
                        ex.submit(Job.step, self)
                        ex.submit(other.step)
                        ex.submit(self)
                        ex.submit(Job)
            class Made:
                def __init__(self):
                    self.job = Job()
                def run(self):
                    job = Job()
                    with ProcessPoolExecutor() as ex:
                        ex.map(job.step, [])
                        ex.map(self.job.fixed, [])
                        ex.map(job, [])
            """},
        {
            "Executor.submit task process Job.step", "Executor.submit task process Job.fixed", "Executor.submit task process Job.shared",
            "Executor.submit task process Base.step,Job.step", "Executor.submit task process Job.__call__",
            "Executor.submit task process ", "Executor.map task process Job.step", "Executor.map task process Job.fixed", "Executor.map task process Job.__call__",
        },
    ),
    "lambda, nested, local": (
        {"main.py": """
            from multiprocessing import Pool
            from multiprocessing.pool import ThreadPool
            def main(flag):
                def inner(x):
                    return x
                chosen = inner if flag else outer
                with Pool() as pool:
                    pool.map(lambda x: x, [])
                    pool.apply(inner)
                    pool.imap(chosen, [])
                    pool.imap_unordered(flag and outer or inner, [])
                with ThreadPool() as pool:
                    pool.map(inner, [])
            def outer(x):
                return x
            """},
        {
            "Pool.map task process main.<lambda>", "Pool.apply task process main.inner", "Pool.imap task process main.inner,outer",
            "Pool.imap_unordered task process main.inner,outer", "Pool.map task thread main.inner",
        },
    ),
    "parameters": (
        {"lib.py": """
            from functools import partial
            from multiprocessing import Pool
            from typing import Callable
            def spread(function, items, pool=None):
                pool = pool or Pool()
                task = partial(function, 1)
                return pool.map(task, items)
            def through(function):
                return spread(function, [])
            class Runner:
                def __init__(self, job):
                    self.job = job
                def run(self):
                    with Pool() as pool:
                        pool.imap(self.job, [])
            def open_end(function):
                Pool().starmap(function, [])
            def annotated(function: Callable[[int], int]):
                Pool().apply(function)
            """, "main.py": """
            from lib import Runner, annotated, spread, through
            def one(x): pass
            def two(x): pass
            def three(x): pass
            def main():
                spread(one, [])
                through(two)
                Runner(three).run()
                annotated(three)
            """},
        {"Pool.map task process one,two", "Pool.imap task process three", "Pool.starmap task process ?", "Pool.apply task process three"},
    ),
    "decorated": (
        {"main.py": """
            import functools
            from multiprocessing import Pool
            def logged(function):
                @functools.wraps(function)
                def inner(*args):
                    return function(*args)
                return inner
            @logged
            def work(x):
                return x
            Pool().map(work, [])
            """},
        {"Pool.map task process work"},
    ),
    "processes": (
        {"main.py": """
            import multiprocessing as mp
            class Worker(mp.Process):
                def __init__(self, n):
                    super().__init__(daemon=True)
                def run(self):
                    helper()
            class Spawned(mp.get_context("spawn").Process):
                def run(self):
                    pass
            class Later(Worker):
                pass
            def helper(): pass
            def main():
                mp.Process(target=helper).start()
                Worker(1).start()
                Later(2).start()
                Spawned().start()
                mp.get_context("spawn").Process(target=helper, args=())
            """},
        {
            "Process target process helper", "Process run process Worker.run", "Process run process Spawned.run",
            "BaseContext.Process target process helper spawn",
        },
    ),
    "initializers and callbacks": (
        {"main.py": """
            from concurrent.futures import ProcessPoolExecutor
            from multiprocessing import Pool
            def begin(): pass
            def work(): pass
            def done(result): pass
            def failed(error): pass
            def main():
                with Pool(2, begin) as pool:
                    pool.apply_async(work, callback=done, error_callback=failed)
                with ProcessPoolExecutor(initializer=begin) as ex:
                    ex.submit(work).add_done_callback(done)
            """},
        {
            "Pool initializer process begin", "Pool.apply_async task process work", "Pool.apply_async callback  done", "Pool.apply_async callback  failed",
            "ProcessPoolExecutor initializer process begin", "Executor.submit task process work", "Future.add_done_callback callback  done",
        },
    ),
    "joblib": (
        {"main.py": """
            from joblib import Parallel, delayed
            import joblib
            def work(x): return x
            def each(function):
                return Parallel(n_jobs=2)(delayed(function)(i) for i in range(3))
            def main():
                Parallel(n_jobs=2)(delayed(work)(i) for i in range(3))
                tasks = [joblib.delayed(work)(i) for i in range(3)]
                Parallel(2, prefer="threads")(tasks)
                with Parallel() as parallel:
                    parallel(joblib.delayed(work)(i) for i in range(3))
                each(other)
            def other(x): return x
            """},
        {"Parallel.__call__ task process work", "Parallel.__call__ task thread work", "Parallel.__call__ task process other"},
    ),
    "scikit-learn's wrappers": (
        {"main.py": """
            from sklearn.utils.parallel import Parallel, delayed
            def work(x): return x
            def main():
                Parallel(n_jobs=2)(delayed(work)(i) for i in range(3))
            """},
        {"Parallel.__call__ task process work"},
    ),
    "a project's own wrappers of joblib": (
        {"own/__init__.py": "", "own/parallel.py": """
            import joblib
            from functools import update_wrapper
            class Parallel(joblib.Parallel):
                def __call__(self, iterable):
                    with_config = (((f, a), k) for f, a, k in iterable)
                    return super().__call__(with_config)
            def delayed(function):
                def delayed_function(*args, **kwargs):
                    return _FuncWrapper(function), args, kwargs
                return delayed_function
            class _FuncWrapper:
                def __init__(self, function):
                    self.function = function
                    update_wrapper(self, self.function)
                def __call__(self, *args, **kwargs):
                    return self.function(*args, **kwargs)
            """, "own/main.py": """
            from .parallel import Parallel, delayed
            def work(x): return x
            def main():
                Parallel(n_jobs=2)(delayed(work)(i) for i in range(3))
            """},
        {"Parallel.__call__ task process work", "Parallel.__call__ task process ?"},
    ),
    "run_in_executor": (
        {"main.py": """
            import asyncio
            from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
            from functools import partial
            def work(): pass
            class Service:
                def __init__(self):
                    self.pool = ProcessPoolExecutor()
                    self.loop = asyncio.get_event_loop()
                async def one(self):
                    await self.loop.run_in_executor(self.pool, partial(work))
                async def two(self, loop):
                    await loop.run_in_executor(None, work)
                    await asyncio.get_running_loop().run_in_executor(ThreadPoolExecutor(), work)
            """},
        {"AbstractEventLoop.run_in_executor task process work", "AbstractEventLoop.run_in_executor task thread work"},
    ),
    "conditional pools": (
        {"main.py": """
            from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
            def work(): pass
            def main(threads):
                cls = ThreadPoolExecutor if threads else ProcessPoolExecutor
                with cls() as ex:
                    ex.submit(work)
            """},
        {"Executor.submit task process work", "Executor.submit task thread work"},
    ),
    "super of an executor": (
        {"base.py": """
            from concurrent.futures import ProcessPoolExecutor
            class Counting(ProcessPoolExecutor):
                def submit(self, function, *args):
                    return super().submit(function, *args)
            """, "main.py": """
            from base import Counting
            def work(): pass
            def main():
                Counting().submit(work)
            """},
        {"Executor.submit task process work"},
    ),
    "nothing is a pool by its name": (
        {"main.py": """
            import unheard
            def work(): pass
            def main(pool, executor):
                pool.map(work, [])
                executor.submit(work)
                unheard.Pool().map(work, [])
            """},
        set(),
    ),
}  # fmt: skip


def told(submission: Submission) -> str:
    callees = ",".join(sorted(callee.qualname for callee in submission.callees))
    return f"{submission.title} {submission.role} {submission.where} {callees if submission.resolved else '?'}" + (
        f" {submission.start}" if submission.start else ""
    )


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_submissions(tmp_path: Path, name: str) -> None:
    files, expected = SUBMISSIONS[name]
    assert {told(s) for s in linked(tmp_path, files).submissions()} == expected


def named(project: Project) -> dict[str, str]:
    """Each function that runs in a worker, with its chain."""
    return {function.qualname: " / ".join(step.message for step in project.why(function) or ()) for function in project.workers()}


def test_everything_that_a_task_reaches(tmp_path: Path) -> None:
    project = linked(tmp_path, {"shapes.py": """
        class Shape:
            def area(self):
                raise NotImplementedError
            @property
            def name(self):
                return label(self)
        class Square(Shape):
            def __init__(self, a):
                self.a = check(a)
            def area(self):
                return super().name
            def __enter__(self):
                return self
            def __exit__(self, *exc):
                close()
        def label(shape): pass
        def check(a): pass
        def close(): pass
        def unrelated(): pass
        """, "main.py": """
        from multiprocessing import Pool
        from shapes import Shape, Square
        def key(x): pass
        def helper(): pass
        def never(): pass
        TABLE = {"a": helper}
        def work(x):
            def inner():
                deeper()
            with Square(x) as square:
                square.area()
            inner()
            sorted([], key=key)
            TABLE[x]()
            twice(retried)
        def deeper(): pass
        def main():
            with Pool() as pool:
                pool.map(work, [], callback(never))
        def callback(function):
            return None
        def twice(function):
            once(function)
        def once(function):
            return function()
        def retried(): pass
        """})  # fmt: skip
    reached = named(project)
    assert set(reached) == {
        "work", "work.inner", "deeper", "Square.__init__", "Square.area", "Square.__enter__", "Square.__exit__", "Shape.name", "label", "check", "close",
        "key", "helper", "twice", "once", "retried",
    }  # fmt: skip
    assert reached["label"] == "`Pool.map` takes `work` and runs it in a worker / `work` calls `Square.area` / `area` calls `Shape.name` / `name` calls `label`"


def test_a_certain_process_comes_before_a_possible_one(tmp_path: Path) -> None:
    project = linked(tmp_path, {"main.py": """
        from concurrent.futures import Executor, ProcessPoolExecutor
        def maybe(executor: Executor):
            executor.submit(work)
            executor.submit(other)
        def main():
            with ProcessPoolExecutor() as ex:
                ex.submit(work)
        def work(): pass
        def other(): pass
        """})  # fmt: skip
    assert {f.qualname: reach.certain for f, reach in project.workers().items()} == {"work": True, "other": False}
    assert named(project)["other"] == "`Executor.submit` takes `other` and may run it in a worker process"


def test_threads_callbacks_and_handlers_are_no_workers(tmp_path: Path) -> None:
    project = linked(tmp_path, {"main.py": """
        import signal
        from concurrent.futures import ThreadPoolExecutor
        from multiprocessing import Pool
        def a(): pass
        def b(*args): pass
        def c(*args): pass
        def main():
            with ThreadPoolExecutor() as ex:
                ex.submit(a)
            signal.signal(signal.SIGTERM, b)
            Pool().apply_async(print, callback=c)
        """})  # fmt: skip
    assert not project.workers()


def test_only_what_is_reached_is_parsed(tmp_path: Path) -> None:
    files = {f"other{n}.py": f"def f{n}(x):\n    return x.map(f{n}, [])\n" for n in range(20)}
    project = linked(tmp_path, {**files, "main.py": """
        from multiprocessing import Pool
        from other3 import f3
        Pool().map(f3, [])
        """})  # fmt: skip
    assert set(named(project)) == {"f3"}
    assert {m.name for m in project.loaded} == {"main", "other3"}


def test_of_those_that_import_an_application_only_who_uses_its_pool_is_read(tmp_path: Path) -> None:
    files = {f"idle{n}.py": f"from core import App\n\ndef f{n}(app: App):\n    return app.name.map(f{n})\n" for n in range(20)}
    project = linked(tmp_path, {**files, "core.py": """
        from multiprocessing import Pool
        class App:
            def __init__(self):
                self.name, self.crew = "", Pool()
        """, "busy.py": """
        from core import App
        from jobs import give
        def start(app: App):
            give(app)
        """, "jobs.py": """
        from core import App
        def give(app: App):
            app.crew.map(work, [])
        def work(x):
            pass
        """})  # fmt: skip
    assert set(named(project)) == {"work"}
    assert {m.name for m in project.loaded} == {"core", "jobs"}


def test_spawned_workers_import_the_module_of_their_task(tmp_path: Path) -> None:
    project = linked(tmp_path, {"main.py": """
        import multiprocessing as mp
        def table():
            return rows()
        def rows(): pass
        def forked(): pass
        def main():
            mp.get_context("spawn").Pool().map(work, [])
            mp.get_context("fork").Pool().map(other.other, [])
        def work(x): pass
        import other
        TABLE = table()
        if __name__ == "__main__":
            main()
        """, "other.py": """
        def made(): pass
        def other(x): pass
        MADE = made()
        """})  # fmt: skip
    assert named(project) == {
        "work": "`Pool.map` takes `work` and runs it in a worker",
        "other": "`Pool.map` takes `other` and runs it in a worker",
        "table": "`Pool.map` uses processes that `spawn` starts, each of which imports `main` / importing `main` calls `table`",
        "rows": "`Pool.map` uses processes that `spawn` starts, each of which imports `main` / importing `main` calls `table` / `table` calls `rows`",
    }
