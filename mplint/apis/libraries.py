"""Rows of the libraries around `multiprocessing`: forks of it, executors, pools and parallel maps of their own.

`multiprocess`, `billiard` and `torch.multiprocessing` copy the whole of `multiprocessing`: they are aliases of it, except for the classes
that behave in another way (dill instead of pickle, a pool that notices the death of a worker).
"""

from __future__ import annotations

from typing import Literal

from mplint.apis import Alias, Api, Choice, Kind, Row
from mplint.apis import Parameter as P

_POOL, _CONTEXT, _PROCESS = "multiprocessing.pool.Pool", "multiprocessing.context.BaseContext", "multiprocessing.Process"
_THREAD_POOL, _BASE_PROCESS = "multiprocessing.pool.ThreadPool", "multiprocessing.process.BaseProcess"
_RESULT, _MAP_RESULT = "multiprocessing.pool.AsyncResult", "multiprocessing.pool.MapResult"
_EXECUTOR, _FUTURE, _CF_TIMEOUT = "concurrent.futures.Executor", "concurrent.futures.Future", "concurrent.futures.TimeoutError"



def _fork(fork: str, unpickler: Literal["pickle", "dill"], *, told: bool) -> tuple[Row, ...]:
    """Rows of a copy of `multiprocessing` called `fork`; `told`: its pool notices the death of a worker."""
    places = ("", "context.BaseContext.")
    return (
        Alias(f"{fork}.*", "multiprocessing.*"),
        Kind(name=f"{fork}.pool.Pool", role="pool", where="process", bases=(_POOL,), unpickler=unpickler, notices_death=told, daemonic=told,
            leaving="stop"),
        Api(name=f"{fork}.pool.Pool", does=("make",), gives=f"{fork}.pool.Pool", initializer=P(1, "initializer"), initargs=P(2, "initargs"),
            context=P(19 if told else 4, "context")),
        Kind(name=f"{fork}.Process", role="process", where="process", bases=(_BASE_PROCESS,), unpickler=unpickler, entry="run"),
        Alias(f"{fork}.context.Process", f"{fork}.Process"),
        Kind(name=f"{fork}.context.BaseContext", role="context", bases=(_CONTEXT,), unpickler=unpickler),
        *(Api(name=f"{fork}.{at}Pool", does=("make",), gives=f"{fork}.pool.Pool", initializer=P(1, "initializer"),
              initargs=P(2, "initargs")) for at in places),
        *(Api(name=f"{fork}.{at}Process", does=("make", "submit"), gives=f"{fork}.Process", where="process", callee=P(1, "target"),
              payload="args", arguments=P(3, "args"), keywords=P(4, "kwargs")) for at in places),
        *(Api(name=f"{fork}.{at}get_context", does=("make",), gives=f"{fork}.context.BaseContext", method="argument:0",
              method_at=P(0, "method")) for at in places),
    )


_BILLIARD: tuple[Row, ...] = (
    *(Kind(name=f"billiard.exceptions.{name}", role="exception", bases=("builtins.Exception",))
      for name in ("WorkerLostError", "TimeLimitExceeded", "SoftTimeLimitExceeded", "RestartFreqExceeded", "Terminated")),
    *(Alias(f"billiard.exceptions.{name}", f"multiprocessing.{name}") for name in ("TimeoutError", "ProcessError", "BufferTooShort")),
    *(Alias(f"billiard.pool.{name}", f"billiard.exceptions.{name}")
      for name in ("WorkerLostError", "TimeLimitExceeded", "SoftTimeLimitExceeded")),
    *(Alias(f"celery.exceptions.{name}", f"billiard.exceptions.{name}")
      for name in ("WorkerLostError", "TimeLimitExceeded", "SoftTimeLimitExceeded")),
)

_TORCH: tuple[Row, ...] = (
    Alias("torch.multiprocessing.*", "multiprocessing.*"),
    *(Api(name=f"torch.multiprocessing.{name}", does=("make", "submit", "wait"), gives="torch.multiprocessing.ProcessContext",
          where="process", callee=P(0, "fn"), payload="rank", arguments=P(1, "args"), method="spawn", method_at=P(5, "start_method"),
          through=_PROCESS) for name in ("spawn", "start_processes")),
    Alias("torch.multiprocessing.spawn.spawn", "torch.multiprocessing.spawn"),
    Alias("torch.multiprocessing.spawn.start_processes", "torch.multiprocessing.start_processes"),
    Kind(name="torch.multiprocessing.ProcessContext", role="process-group", where="process", notices_death=True),
    Api(name="torch.multiprocessing.ProcessContext.join", does=("join",), timeout=P(0, "timeout")),
    Alias("torch.multiprocessing.spawn.ProcessContext", "torch.multiprocessing.ProcessContext"),
    Kind(name="torch.multiprocessing.spawn.ProcessException", role="exception", bases=("builtins.Exception",), plain=False),
    *(row for name in ("ProcessRaisedException", "ProcessExitedException") for row in (
        Kind(name=f"torch.multiprocessing.{name}", role="exception", bases=("torch.multiprocessing.spawn.ProcessException",), plain=False),
        Alias(f"torch.multiprocessing.spawn.{name}", f"torch.multiprocessing.{name}"))),
)

_LOKY_EXECUTOR = "loky.ProcessPoolExecutor"
_LOKY: tuple[Row, ...] = (
    Kind(name=_LOKY_EXECUTOR, role="executor", where="process", bases=(_EXECUTOR,), unpickler="cloudpickle", notices_death=True,
        leaving="wait"),
    Kind(name="loky.reusable_executor._ReusablePoolExecutor", role="executor", where="process", bases=(_LOKY_EXECUTOR,),
        unpickler="cloudpickle", notices_death=True, leaving="wait"),
    Api(name=_LOKY_EXECUTOR, does=("make",), gives=_LOKY_EXECUTOR, context=P(4, "context"), initializer=P(5, "initializer"),
        initargs=P(6, "initargs"), method="loky"),
    Api(name="loky.get_reusable_executor", does=("make", "reuse"), gives="loky.reusable_executor._ReusablePoolExecutor",
        context=P(1, "context"), initializer=P(7, "initializer"), initargs=P(8, "initargs"), method="loky"),
    Api(name="loky.wrap_non_picklable_objects", does=("pass",), passes=P(0, "obj")),
    Kind(name="loky.process_executor.BrokenProcessPool", role="exception", bases=("concurrent.futures.process.BrokenProcessPool",)),
    Kind(name="loky.process_executor.TerminatedWorkerError", role="exception", bases=("loky.process_executor.BrokenProcessPool",)),
    Kind(name="loky.process_executor.ShutdownExecutorError", role="exception", bases=("builtins.RuntimeError",)),
    Alias("loky.BrokenProcessPool", "loky.process_executor.BrokenProcessPool"),
    Alias("loky.process_executor.ProcessPoolExecutor", _LOKY_EXECUTOR),
    Alias("loky.reusable_executor.get_reusable_executor", "loky.get_reusable_executor"),
    Alias("loky.backend.get_context", "multiprocessing.get_context"),
    Alias("loky.backend.context.get_context", "multiprocessing.get_context"),
    *(Alias(f"loky.{name}", f"concurrent.futures.{name}")
      for name in ("as_completed", "wait", "Future", "Executor", "CancelledError", "TimeoutError")),
    Alias("joblib.externals.loky.*", "loky.*"),
)

_JOBLIB_FORKS = "joblib._parallel_backends.MultiprocessingBackend"
"""What runs the tasks of `Parallel(backend="multiprocessing")`: a `Pool`, which pickles by the pickle of the standard library, with reducers for arrays only."""

_THREADED = (
    Choice(P(1, "backend"), "threading", "thread"),
    Choice(P(10, "prefer"), "threads", "thread"),
    Choice(P(11, "require"), "sharedmem", "thread"),
)
_OTHERS = (
    Choice(P(1, "backend"), "sequential", "here"),
    Choice(P(1, "backend"), "loky", "process"),
    Choice(P(1, "backend"), "multiprocessing", "process", _JOBLIB_FORKS),
)
_JOBLIB: tuple[Row, ...] = (
    Kind(name="joblib.Parallel", role="parallel", where="process", unpickler="cloudpickle", notices_death=True),
    Kind(name=_JOBLIB_FORKS, role="parallel", where="process", bases=("joblib.Parallel",), daemonic=True),
    Api(name="joblib.Parallel", does=("make",), gives="joblib.Parallel", where_if=(*_THREADED, *_OTHERS), timeout=P(4, "timeout"),
        raises=_CF_TIMEOUT),
    Api(name="joblib.Parallel.__call__", does=("submit", "wait"), where="receiver", callee=P(0, "iterable"), payload="delayed"),
    Api(name="joblib.delayed", does=("delay",), callee=P(0, "function"), payload="call"),
    Api(name="joblib.parallel_config", does=("choose",), where_if=(Choice(P(0, "backend"), "threading", "thread"),
        Choice(P(None, "prefer"), "threads", "thread"), Choice(P(None, "require"), "sharedmem", "thread"))),
    Api(name="joblib.parallel_backend", does=("choose",), where_if=(Choice(P(0, "backend"), "threading", "thread"),)),
    Alias("joblib.wrap_non_picklable_objects", "loky.wrap_non_picklable_objects"),
    Alias("joblib.parallel.*", "joblib.*"),
    Alias("sklearn.utils.parallel.Parallel", "joblib.Parallel"),
    Alias("sklearn.utils.parallel.delayed", "joblib.delayed"),
)

_PATHOS: tuple[Row, ...] = (
    Kind(name="pathos.multiprocessing.ProcessPool", role="pool", where="process", unpickler="dill"),
    Kind(name="pathos.threading.ThreadPool", role="pool", where="thread"),
    Kind(name="pathos.parallel.ParallelPool", role="pool", where="any", unpickler="dill"),
    *(row for pool in ("pathos.multiprocessing.ProcessPool", "pathos.threading.ThreadPool", "pathos.parallel.ParallelPool") for row in (
        Api(name=pool, does=("make", "reuse"), gives=pool),
        Api(name=f"{pool}.map", does=("submit", "wait"), where="receiver", callee=P(0, "f"), payload="zip", arguments=P(1), twin="amap"),
        Api(name=f"{pool}.amap", does=("submit",), gives=_MAP_RESULT, where="receiver", callee=P(0, "f"), payload="zip", arguments=P(1)),
        Api(name=f"{pool}.imap", does=("submit", "iterate"), gives="multiprocessing.pool.IMapIterator", where="receiver", callee=P(0, "f"),
            payload="zip", arguments=P(1)),
        Api(name=f"{pool}.uimap", does=("submit", "iterate"), gives="multiprocessing.pool.IMapUnorderedIterator", where="receiver",
            callee=P(0, "f"), payload="zip", arguments=P(1)),
        Api(name=f"{pool}.pipe", does=("submit", "wait"), where="receiver", callee=P(0, "f"), payload="call", twin="apipe"),
        Api(name=f"{pool}.apipe", does=("submit",), gives=_RESULT, where="receiver", callee=P(0, "f"), payload="call"),
        Api(name=f"{pool}.close", does=("close",)),
        Api(name=f"{pool}.terminate", does=("stop",)),
        Api(name=f"{pool}.clear", does=("stop",)),
        Api(name=f"{pool}.join", does=("join",)),
        Api(name=f"{pool}.restart", does=("start",)),
    )),
    Alias("pathos.multiprocessing.ProcessingPool", "pathos.multiprocessing.ProcessPool"),
    Alias("pathos.multiprocessing.ThreadingPool", "pathos.threading.ThreadPool"),
    Alias("pathos.pools.ProcessPool", "pathos.multiprocessing.ProcessPool"),
    Alias("pathos.pools.ThreadPool", "pathos.threading.ThreadPool"),
    Alias("pathos.pools.ParallelPool", "pathos.parallel.ParallelPool"),
    *(Alias(name, "multiprocess.pool.Pool") for name in ("pathos.multiprocessing.Pool", "pathos.multiprocessing._ProcessPool",
          "pathos.pools._ProcessPool", "pathos.helpers.ProcessPool")),
    *(Alias(name, "multiprocessing.dummy.Pool")
      for name in ("pathos.multiprocessing.ThreadPool", "pathos.pools._ThreadPool", "pathos.helpers.ThreadPool")),
    Alias("pathos.helpers.mp.*", "multiprocess.*"),
)

_PEBBLE: tuple[Row, ...] = (
    Kind(name="pebble.ProcessPool", role="executor", where="process", notices_death=True, leaving="wait"),
    Kind(name="pebble.ThreadPool", role="executor", where="thread", leaving="wait"),
    Api(name="pebble.ProcessPool", does=("make",), gives="pebble.ProcessPool", initializer=P(2, "initializer"), initargs=P(3, "initargs"),
        context=P(4, "context")),
    Api(name="pebble.ThreadPool", does=("make",), gives="pebble.ThreadPool", initializer=P(2, "initializer"), initargs=P(3, "initargs")),
    Api(name="pebble.ProcessPool.schedule", does=("submit",), gives="pebble.ProcessFuture", where="receiver", callee=P(0, "function"),
        payload="args", arguments=P(1, "args"), keywords=P(2, "kwargs"), timeout=P(3, "timeout")),
    Api(name="pebble.ProcessPool.submit", does=("submit",), gives="pebble.ProcessFuture", where="receiver", callee=P(0), payload="call",
        arguments=P(2), timeout=P(1)),
    Api(name="pebble.ThreadPool.schedule", does=("submit",), gives=_FUTURE, where="receiver", callee=P(0, "function"), payload="args",
        arguments=P(1, "args"), keywords=P(2, "kwargs")),
    Api(name="pebble.ThreadPool.submit", does=("submit",), gives=_FUTURE, where="receiver", callee=P(0), payload="call"),
    *(Api(name=f"pebble.{pool}.map", does=("submit",), gives=gives, where="receiver", callee=P(0, "function"), payload="zip",
          arguments=P(1),
          timeout=P(None, "timeout")) for pool, gives in (("ProcessPool", "pebble.ProcessMapFuture"), ("ThreadPool", "pebble.MapFuture"))),
    *(Api(name=f"pebble.{pool}.close", does=("close",)) for pool in ("ProcessPool", "ThreadPool")),
    *(Api(name=f"pebble.{pool}.stop", does=("stop",)) for pool in ("ProcessPool", "ThreadPool")),
    *(Api(name=f"pebble.{pool}.join", does=("join",), timeout=P(0, "timeout")) for pool in ("ProcessPool", "ThreadPool")),
    Kind(name="pebble.ProcessFuture", role="future", bases=(_FUTURE,)),
    Kind(name="pebble.ProcessMapFuture", role="future", bases=("pebble.ProcessFuture",)),
    Kind(name="pebble.MapFuture", role="future", bases=(_FUTURE,)),
    Kind(name="pebble.ProcessExpired", role="exception", bases=("builtins.OSError",), plain=False),
    Alias("pebble.common.ProcessExpired", "pebble.ProcessExpired"),
    *(Api(name=f"pebble.{module}.process", does=("decorate",), gives=gives, where="process", payload="call", timeout=P(None, "timeout"))
      for module, gives in (("concurrent", "pebble.ProcessFuture"), ("asynchronous", "asyncio.Future"))),
    *(Api(name=f"pebble.{module}.thread", does=("decorate",), gives=gives, where="thread", payload="call")
      for module, gives in (("concurrent", _FUTURE), ("asynchronous", "asyncio.Future"))),
    Alias("pebble.pool.*", "pebble.*"),
)

_MPIRE: tuple[Row, ...] = (
    Kind(name="mpire.WorkerPool", role="pool", where="process", unpickler="inherited", notices_death=True, daemonic=True, leaving="stop"),
    Api(name="mpire.WorkerPool", does=("make",), gives="mpire.WorkerPool", method_at=P(6, "start_method"), where_if=(
        Choice(P(6, "start_method"), "threading", "thread"),
        *(Choice(P(6, "start_method"), method, "process") for method in ("fork", "spawn", "forkserver")))),
    Api(name="mpire.WorkerPool.map", does=("submit", "wait"), where="receiver", callee=P(0, "func"), payload="unpack",
        arguments=P(1, "iterable_of_args"), initializer=P(9, "worker_init"), timeout=P(11, "task_timeout"), raises="builtins.TimeoutError"),
    Api(name="mpire.WorkerPool.map_unordered", does=("submit", "wait"), where="receiver", callee=P(0, "func"), payload="unpack",
        arguments=P(1, "iterable_of_args"), initializer=P(8, "worker_init"), timeout=P(10, "task_timeout"), raises="builtins.TimeoutError"),
    *(Api(name=f"mpire.WorkerPool.{name}", does=("submit", "iterate"), gives="mpire.WorkerPool.imap()", where="receiver",
          callee=P(0, "func"), payload="unpack", arguments=P(1, "iterable_of_args"), initializer=P(8, "worker_init"),
          timeout=P(10, "task_timeout"), raises="builtins.TimeoutError") for name in ("imap", "imap_unordered")),
    Api(name="mpire.WorkerPool.apply", does=("submit", "wait"), where="receiver", callee=P(0, "func"), payload="args",
        arguments=P(1, "args"), keywords=P(2, "kwargs"), callbacks=(P(3, "callback"), P(4, "error_callback")),
        initializer=P(5, "worker_init"), timeout=P(7, "task_timeout"), raises="builtins.TimeoutError", twin="apply_async"),
    Api(name="mpire.WorkerPool.apply_async", does=("submit",), gives="mpire.async_result.AsyncResult", where="receiver",
        callee=P(0, "func"), payload="args", arguments=P(1, "args"), keywords=P(2, "kwargs"),
        callbacks=(P(3, "callback"), P(4, "error_callback")), initializer=P(5, "worker_init")),
    *(Api(name=f"mpire.WorkerPool.{name}", does=("join",)) for name in ("stop_and_join", "join")),
    Api(name="mpire.WorkerPool.terminate", does=("stop",)),
    Kind(name="mpire.WorkerPool.imap()", role="result-iterator"),
    Kind(name="mpire.async_result.AsyncResult", role="async-result"),
    Api(name="mpire.async_result.AsyncResult.get", does=("collect",), timeout=P(0, "timeout"), raises="builtins.TimeoutError"),
    Api(name="mpire.async_result.AsyncResult.wait", does=("wait",), timeout=P(0, "timeout")),
    Alias("mpire.pool.WorkerPool", "mpire.WorkerPool"),
)

_MAPS: tuple[Row, ...] = (
    Api(name="tqdm.contrib.concurrent.process_map", does=("submit", "wait"), where="process", callee=P(0, "fn"), payload="zip",
        arguments=P(1), timeout=P(None, "timeout"), raises=_CF_TIMEOUT, through="concurrent.futures.ProcessPoolExecutor"),
    Api(name="tqdm.contrib.concurrent.thread_map", does=("submit", "wait"), where="thread", callee=P(0, "fn"), payload="zip",
        arguments=P(1), timeout=P(None, "timeout"), raises=_CF_TIMEOUT, through="concurrent.futures.ThreadPoolExecutor"),
)

_DASK: tuple[Row, ...] = (
    Kind(name="distributed.Client", role="executor", where="any", unpickler="cloudpickle", notices_death=True),
    Api(name="distributed.Client", does=("make",), gives="distributed.Client"),
    Api(name="distributed.Client.submit", does=("submit",), gives="distributed.Future", where="any", callee=P(0, "func"), payload="call"),
    Api(name="distributed.Client.map", does=("submit",), gives_each="distributed.Future", where="any", callee=P(0, "func"), payload="zip",
        arguments=P(1)),
    Api(name="distributed.Client.gather", does=("wait",), passes=P(0, "futures")),
    Api(name="distributed.Client.get_executor", does=("make",), gives="distributed.cfexecutor.ClientExecutor"),
    Api(name="distributed.Client.close", does=("close",)),
    Kind(name="distributed.cfexecutor.ClientExecutor", role="executor", where="any", bases=(_EXECUTOR,), unpickler="cloudpickle",
        notices_death=True),
    Kind(name="distributed.Future", role="future"),
    Api(name="distributed.Future.result", does=("collect",), timeout=P(0, "timeout"), raises="builtins.TimeoutError"),
    Api(name="distributed.Future.exception", does=("collect",), timeout=P(0, "timeout"), raises="builtins.TimeoutError"),
    Api(name="distributed.Future.done", does=("poll",)),
    Api(name="distributed.Future.cancel", does=("cancel",)),
    Api(name="distributed.wait", does=("wait",), passes=P(0, "fs"), timeout=P(1, "timeout"), raises="builtins.TimeoutError"),
    Alias("distributed.client.*", "distributed.*"),
    Alias("dask.distributed.*", "distributed.*"),
)

_LIMITS: tuple[Row, ...] = (
    Kind(name="func_timeout.FunctionTimedOut", role="exception", bases=("builtins.BaseException",), plain=False),
    Alias("func_timeout.exceptions.FunctionTimedOut", "func_timeout.FunctionTimedOut"),
    Api(name="func_timeout.func_timeout", does=("submit", "wait"), where="thread", callee=P(1, "func"), payload="args",
        arguments=P(2, "args"), keywords=P(3, "kwargs"), timeout=P(0, "timeout"), raises="func_timeout.FunctionTimedOut"),
    Kind(name="gevent.Timeout", role="exception", bases=("builtins.BaseException",), plain=False),
    Alias("gevent.timeout.Timeout", "gevent.Timeout"),
    Kind(name="gevent.GreenletExit", role="exception", bases=("builtins.BaseException",)),
    Kind(name="eventlet.Timeout", role="exception", bases=("builtins.BaseException",), plain=False),
    Alias("eventlet.timeout.Timeout", "eventlet.Timeout"),
    Kind(name="trio.Cancelled", role="exception", bases=("builtins.BaseException",), plain=False),
)

ROWS: tuple[Row, ...] = (
    *_fork("multiprocess", "dill", told=False), *_fork("billiard", "pickle", told=True), *_BILLIARD, *_TORCH, *_LOKY, *_JOBLIB, *_PATHOS,
    *_PEBBLE, *_MPIRE, *_MAPS, *_DASK, *_LIMITS,
)
