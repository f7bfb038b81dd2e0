"""What values can be: each case is a small project; the comment behind a call of `show` says what its argument is."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from mplint import facts as f
from mplint.finding.spans import resolve
from mplint.project import Bound, Class, External, Function, Instance, Literal, Many, ModuleValue, Partial, Project, Tuple, Unknown, Value
from mplint.project.values import shallow
from mplint.source import Sources

CASES: dict[str, dict[str, str]] = {
    "with": {"main.py": """
        import multiprocessing as mp
        with mp.Pool() as pool:
            show(pool)  #: process Pool
        """},
    "context inline": {"main.py": """
        import multiprocessing
        show(multiprocessing.get_context("spawn").Pool(2))  #: process Pool spawn
        show(multiprocessing.get_context("fork").Process())  #: process Process fork
        """},
    "context in a variable": {"main.py": """
        from multiprocessing import get_context
        def run(method):
            context = get_context("forkserver")
            with context.Pool() as pool:
                show(pool)  #: process Pool forkserver
            other = get_context(method)
            show(other.Pool())  #: process Pool
        """},
    "context in an attribute": {"main.py": """
        import multiprocessing
        class Runner:
            def __init__(self):
                self._ctx = multiprocessing.get_context("spawn")
                self.pool = self._ctx.Pool(1)
            def run(self):
                show(self._ctx.Pool())  #: process Pool spawn
                show(self.pool)  #: process Pool spawn
        """},
    "context as a parameter": {"main.py": """
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        def run(ctx):
            show(ctx.Pool())  #: process Pool spawn
            show(ProcessPoolExecutor(mp_context=ctx))  #: process ProcessPoolExecutor spawn
        run(multiprocessing.get_context("spawn"))
        """},
    "conditional expression": {"main.py": """
        from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
        from multiprocessing import Pool
        def run(threads, n):
            executor = ThreadPoolExecutor() if threads else ProcessPoolExecutor()
            show(executor)  #: process ProcessPoolExecutor, thread ThreadPoolExecutor
            pool = Pool(n) if n else None
            show(pool)  #: process Pool
            kind = ThreadPoolExecutor if threads else ProcessPoolExecutor
            with kind(n) as chosen:
                show(chosen)  #: process ProcessPoolExecutor, thread ThreadPoolExecutor
        """},
    "or": {"main.py": """
        from multiprocessing import Pool
        def run(pool=None):
            mine = pool or Pool()
            show(mine)  #: process Pool
        """},
    "branches and reassignment": {"main.py": """
        from multiprocessing import Pool
        from multiprocessing.pool import ThreadPool
        def run(threads):
            pool = None
            if threads:
                pool = ThreadPool()
                show(pool)  #: thread ThreadPool
            else:
                pool = Pool()
                show(pool)  #: process Pool
            show(pool)  #: process Pool, thread ThreadPool
            pool = 3
            show(pool)  #: nothing
        """},
    "tuples and walrus": {"main.py": """
        from multiprocessing import Pipe, Pool
        from multiprocessing.dummy import Pool as Threads
        def both():
            return Pool(), Threads()
        one, (two, *rest) = Pool(), (Threads(), Pool(), Pool())
        show(one)  #: process Pool
        show(two)  #: thread ThreadPool
        show(rest)  #: [process Pool, thread ThreadPool]
        def run():
            a, b = both()
            show(a)  #: process Pool
            show(b)  #: thread ThreadPool
            if (pool := Pool(3)) is not None:
                show(pool)  #: process Pool
            r, w = Pipe()
            show(w)  #: process Connection
        """},
    "attribute of a base class": {"base.py": """
        from multiprocessing import Pool
        class Base:
            def open(self):
                self.pool = Pool()
        """, "main.py": """
        from base import Base
        class Middle(Base):
            pass
        class Runner(Middle):
            def run(self):
                show(self.pool)  #: process Pool
        def outside(runner: Runner):
            show(runner.pool)  #: process Pool
        show(Runner().pool)  #: process Pool
        """},
    "attribute set by a subclass": {"main.py": """
        from concurrent.futures import ProcessPoolExecutor
        class Base:
            executor = None
            def run(self):
                show(self.executor)  #: process ProcessPoolExecutor
        class Runner(Base):
            def __init__(self):
                self.executor = ProcessPoolExecutor()
        """},
    "attribute set from outside": {"main.py": """
        from multiprocessing import Pool
        class State:
            def __init__(self):
                self.pool = None
        def begin():
            state = State()
            state.pool = Pool()
            return state
        def run(state: State):
            show(state.pool)  #: process Pool
        """},
    "class attribute": {"main.py": """
        from concurrent.futures import ThreadPoolExecutor
        class Runner:
            executor = ThreadPoolExecutor()
            def run(self):
                show(self.executor)  #: thread ThreadPoolExecutor
            @classmethod
            def go(cls):
                show(cls.executor)  #: thread ThreadPoolExecutor
        show(Runner.executor)  #: thread ThreadPoolExecutor
        """},
    "class attribute set by a method": {"main.py": """
        from multiprocessing import Pool
        class Runner:
            pool = None
            @classmethod
            def open(cls):
                cls.pool = Pool()
            @staticmethod
            def run():
                show(Runner.pool)  #: process Pool
        class Other:
            pool = None
        def begin():
            Other.pool = Pool()
        show(Other.pool)  #: process Pool
        """},
    "module global": {"state.py": """
        from multiprocessing import Pool
        POOL = None
        def begin():
            global POOL
            POOL = Pool()
        """, "main.py": """
        import state
        from state import POOL
        def run():
            show(state.POOL)  #: process Pool
            show(POOL)  #: process Pool
        """},
    "global set from another module": {"state.py": "POOL = None\n", "main.py": """
        import state
        from multiprocessing import Pool
        def begin():
            state.POOL = Pool()
        def run():
            show(state.POOL)  #: process Pool
        """},
    "factories": {"made.py": """
        import multiprocessing as mp
        from contextlib import contextmanager
        def pool_of(n, threads=False):
            if threads:
                return mp.pool.ThreadPool(n)
            pool = mp.Pool(n)
            return pool
        @contextmanager
        def opened(n):
            with mp.get_context("spawn").Pool(n) as pool:
                yield pool
        class Maker:
            @classmethod
            def make(cls):
                return mp.Pool()
            @property
            def pool(self):
                return self._made()
            def _made(self):
                return mp.Pool()
        """, "main.py": """
        from made import Maker, opened, pool_of
        show(pool_of(3))  #: process Pool, thread ThreadPool
        with opened(3) as pool:
            show(pool)  #: process Pool spawn
        show(Maker.make())  #: process Pool
        show(Maker().pool)  #: process Pool
        make = pool_of
        show(make(2))  #: process Pool, thread ThreadPool
        """},
    "annotated parameters": {"main.py": """
        from __future__ import annotations
        from typing import TYPE_CHECKING, Optional, Union
        from concurrent.futures import Executor, Future, ProcessPoolExecutor
        if TYPE_CHECKING:
            from multiprocessing.pool import Pool
        def run(pool: Pool, maybe: Optional[ProcessPoolExecutor], text: "Pool | None", either: Union[Pool, None], some: list[Future]):
            show(pool)  #: process Pool
            show(maybe)  #: process ProcessPoolExecutor
            show(text)  #: process Pool
            show(either)  #: process Pool
            for future in some:
                show(future)  #: Future
        def abstract(executor: Executor):
            show(executor)  #: any Executor
        def called(executor: Executor):
            show(executor)  #: process ProcessPoolExecutor
        called(ProcessPoolExecutor())
        """},
    "parameters from calls": {"work.py": """
        def run(pool, *, other=None):
            show(pool)  #: process Pool, thread ThreadPool
            show(other)  #: thread ThreadPoolExecutor
            inner(pool)
        def inner(pool):
            show(pool)  #: process Pool, thread ThreadPool
        class Task:
            def __init__(self, pool):
                self.pool = pool
            def go(self):
                show(self.pool)  #: process Pool
        """, "main.py": """
        from concurrent.futures import ThreadPoolExecutor
        from multiprocessing import Pool
        from multiprocessing.pool import ThreadPool
        from work import Task, run
        def main():
            with Pool() as pool:
                run(pool)
                Task(pool).go()
            run(ThreadPool(), other=ThreadPoolExecutor())
        """},
    "containers": {"main.py": """
        from concurrent.futures import ProcessPoolExecutor, as_completed, wait
        from multiprocessing import Process, Queue
        def run(xs):
            processes = [Process(target=print) for _ in xs]
            for p in processes:
                show(p)  #: process Process
            later = []
            for x in xs:
                later.append(Process(target=print, args=(x,)))
            [show(p) for p in later]  #: process Process
            named = {}
            for x in xs:
                named[x] = Process()
            show(named["a"])  #: process Process
            for name, p in named.items():
                show(p)  #: process Process
            for p in named.values():
                show(p)  #: process Process
            show(later[0])  #: process Process
            show(later.pop())  #: process Process
            for i, p in enumerate(processes):
                show(p)  #: process Process
            for p, x in zip(processes, xs):
                show(p)  #: process Process
            queues = {"in": Queue(), "out": Queue()}
            show(queues["in"])  #: process Queue
            show(next(iter(processes)))  #: process Process
            show((processes + later)[1:])  #: [process Process]
        """},
    "futures": {"main.py": """
        from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, as_completed, wait
        def run(xs):
            with ProcessPoolExecutor() as ex:
                futures = {ex.submit(work, x): x for x in xs}
                for future in as_completed(futures):
                    show(future)  #: process Future
                    show(futures[future])  #: ?
                for future in futures:
                    show(future)  #: process Future
                for future, x in futures.items():
                    show(future)  #: process Future
                    show(x)  #: ?
                for future in as_completed({ex.submit(work, x): x for x in xs}):
                    show(future)  #: process Future
                by_name = {x: ex.submit(work, x) for x in xs}
                for x, future in by_name.items():
                    show(future)  #: process Future
                    show(x)  #: ?
                pending = {ex.submit(work, x) for x in xs}
                while pending:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for future in done:
                        show(future)  #: process Future
                keyed = {}
                for x in xs:
                    keyed[ex.submit(work, x)] = x
                for future in as_completed(keyed):
                    show(future)  #: process Future
        def work(x):
            return x
        """},
    "results": {"main.py": """
        from multiprocessing import Pool
        from multiprocessing.pool import ThreadPool
        with Pool() as pool:
            show(pool.apply_async(print))  #: process AsyncResult
            results = [pool.apply_async(print, (i,)) for i in range(3)]
            for result in results:
                show(result)  #: process AsyncResult
            show(pool.map_async(print, []))  #: process MapResult
        show(ThreadPool().apply_async(print))  #: thread AsyncResult
        """},
    "partial of a class": {"main.py": """
        from functools import partial
        from multiprocessing import Pool
        open_pool = partial(Pool, 4)
        show(open_pool())  #: process Pool
        """},
    "decorators that keep the function": {"main.py": """
        import functools
        from multiprocessing import Pool
        def logged(function):
            @functools.wraps(function)
            def inner(*args, **kwargs):
                return function(*args, **kwargs)
            return inner
        @logged
        def made():
            return Pool()
        @functools.lru_cache(maxsize=None)
        def kept():
            return Pool()
        show(made())  #: process Pool
        show(kept())  #: process Pool
        """},
    "closing and stacks": {"main.py": """
        from contextlib import ExitStack, closing, nullcontext
        from multiprocessing import Pool
        def run(given=None):
            with closing(Pool()) as pool:
                show(pool)  #: process Pool
            with ExitStack() as stack:
                show(stack.enter_context(Pool()))  #: process Pool
            with nullcontext(Pool()) as pool:
                show(pool)  #: process Pool
            with (Pool() if given is None else nullcontext(given)) as pool:
                show(pool)  #: process Pool
        """},
    "subclasses": {"main.py": """
        import multiprocessing.pool
        from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
        class NoDaemonPool(multiprocessing.pool.Pool):
            pass
        class Quiet(ProcessPoolExecutor):
            def __enter__(self):
                return self
        class Threads(ThreadPoolExecutor):
            pass
        class Worker(multiprocessing.Process):
            def run(self):
                show(self)  #: process Worker
        with NoDaemonPool() as pool:
            show(pool)  #: process NoDaemonPool
        with Quiet() as executor:
            show(executor)  #: process Quiet
            show(executor.submit(print))  #: process Future
        show(Threads())  #: thread Threads
        """},
    "a wrapper's __enter__": {"main.py": """
        from multiprocessing import Pool
        class Opened:
            def __enter__(self):
                self.pool = Pool()
                return self.pool
            def __exit__(self, *exc):
                self.pool.close()
        with Opened() as pool:
            show(pool)  #: process Pool
        """},
    "optional imports": {"main.py": """
        try:
            from multiprocess import Pool
        except ImportError:
            from multiprocessing import Pool
        try:
            import billiard as mp
        except ImportError:
            mp = None
        try:
            from fast_futures import ProcessPoolExecutor
        except ImportError:
            ProcessPoolExecutor = None
        show(Pool())  #: process Pool
        def run():
            show(mp.Pool())  #: process Pool
        """},
    "imports in functions": {"main.py": """
        def run(n):
            import multiprocessing.pool as mpp
            from concurrent import futures
            show(mpp.ThreadPool(n))  #: thread ThreadPool
            show(mpp.Pool(n))  #: process Pool
            show(futures.ProcessPoolExecutor())  #: process ProcessPoolExecutor
        """},
    "re-exports and stars": {"lib/__init__.py": """
        from .inner import *
        from .pools import make as make_pool
        """, "lib/inner.py": """
        from multiprocessing import *
        from concurrent.futures import ThreadPoolExecutor as Threads
        """, "lib/pools.py": """
        from . import inner
        def make():
            return inner.Pool()
        """, "main.py": """
        import lib
        from lib import Threads, make_pool
        show(lib.Pool())  #: process Pool
        show(Threads())  #: thread ThreadPoolExecutor
        show(make_pool())  #: process Pool
        """},
    "other libraries": {"main.py": """
        import torch.multiprocessing as mp
        from joblib import Parallel
        from pathos.multiprocessing import ProcessingPool, ThreadPool
        from mpire import WorkerPool
        from loky import get_reusable_executor
        show(mp.Pool())  #: process Pool
        show(ProcessingPool())  #: process ProcessPool
        show(ThreadPool())  #: thread ThreadPool
        show(WorkerPool())  #: process WorkerPool
        show(get_reusable_executor())  #: process _ReusablePoolExecutor loky
        show(Parallel(n_jobs=2, prefer="threads"))  #: thread Parallel
        """},
    "dictionary of classes": {"main.py": """
        from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
        KINDS = {"process": ProcessPoolExecutor, "thread": ThreadPoolExecutor}
        def run(kind):
            with KINDS[kind]() as executor:
                show(executor)  #: process ProcessPoolExecutor, thread ThreadPoolExecutor
            with KINDS.get(kind, ThreadPoolExecutor)() as executor:
                show(executor)  #: process ProcessPoolExecutor, thread ThreadPoolExecutor
        """},
    "class as a parameter": {"main.py": """
        from multiprocessing import Pool
        from multiprocessing.pool import ThreadPool
        def run(kind=Pool):
            with kind() as pool:
                show(pool)  #: process Pool, thread ThreadPool
        run(ThreadPool)
        """},
    "dataclass fields": {"main.py": """
        from concurrent.futures import ProcessPoolExecutor
        from dataclasses import dataclass, field
        from multiprocessing import Pool
        @dataclass
        class State:
            executor: ProcessPoolExecutor
            pool: object = field(default_factory=Pool)
        def run(state: State):
            show(state.executor)  #: process ProcessPoolExecutor
            show(state.pool)  #: process Pool
        """},
    "methods in variables": {"main.py": """
        from multiprocessing import Pool
        pool = Pool()
        mapper = pool.imap
        show(mapper)  #: Pool.imap
        show(pool.map if pool else map)  #: Pool.map, builtins.map
        """},
    "nothing is guessed": {"main.py": """
        import unknown_library
        def run(pool, executor):
            show(pool)  #: ?
            show(executor)  #: ?
            show(unknown_library.pool())  #: ?
        """},
}  # fmt: skip


def described(project: Project, value: Value) -> str:
    """A value in few words; "" for literals."""
    if isinstance(value, Instance):
        return " ".join(part for part in (value.where, value.cls.name.rpartition(".")[2], value.start) if part)
    if isinstance(value, Bound):
        name = value.function.name if isinstance(value.function, External) else value.function.qualname
        return ".".join(name.split(".")[-2:])
    if isinstance(value, (Many, Tuple)):
        items = value.items if isinstance(value, Many) else tuple(v for item in value.items for v in item)
        return "[" + ", ".join(sorted({described(project, v) for v in items} - {""})) + "]"
    if isinstance(value, Partial):
        return f"partial {described(project, value.func)}"
    if isinstance(value, (Function, Class)):
        return value.qualname
    if isinstance(value, (External, ModuleValue)):
        return value.name if isinstance(value, External) else value.module.name
    return "" if isinstance(value, Literal) else "?" if isinstance(value, Unknown) else type(value).__name__


def linked(root: Path, files: dict[str, str]) -> Project:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return Project(Sources(str(root), [str(root / name) for name in files]))


@pytest.mark.parametrize("name", CASES)
def test_values(tmp_path: Path, name: str) -> None:
    project = linked(tmp_path, CASES[name])
    project.submissions()
    expected: dict[str, str] = {}
    found: dict[str, str] = {}
    for path in project.sources.files:
        module = project.module(path)
        assert module is not None
        for row, line in enumerate(module.lines, 1):
            if wanted := re.search(r"#: (.*)", line):
                expected[f"{Path(path).name}:{row}: {line.split('#')[0].strip()}"] = wanted[1].strip()
        shows = [s for function in module.functions() for s in function.calls if f.dotted(s.call.func) == "show"]
        places = resolve(project.sources.read(path), module.outline, {s.call.at for s in shows})
        for site in shows:
            row = places[site.call.at].row
            argument = site.call.positional(0)
            assert argument is not None
            values = {described(project, v) for v in project.values(argument, site.function)}
            line = module.lines[row - 1]
            found[f"{Path(path).name}:{row}: {line.split('#')[0].strip()}"] = (
                ", ".join(sorted(values - {""} - ({"?"} if "#: ?" not in line else set()))) or "nothing"
            )
    assert found == expected


def test_containers_that_hold_each_other_stay_small() -> None:
    """A method of a container holds it, so a list of methods of lists of methods has to end somewhere, too."""
    value: Value = Literal(0)
    for _ in range(8):
        value = shallow(Many("list", tuple(Bound(External(f"builtins.dict.method{n}"), Many("dict", (value, Literal(n)))) for n in range(8))))
    assert 1 < _size(value) < 1000


def _size(value: Value) -> int:
    inner = value.items if isinstance(value, Many) else (value.receiver,) if isinstance(value, Bound) else ()
    return 1 + sum(map(_size, inner))
