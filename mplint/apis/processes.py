"""Rows of `multiprocessing` and `concurrent.futures`.

What a context offers (`get_context("spawn").Pool`) the module `multiprocessing` offers too, so those rows are written once, for
`multiprocessing.context.BaseContext`, and repeated for the module.
"""

from __future__ import annotations

from msgspec.structs import replace

from mplint.apis import Alias, Api, Kind, Row
from mplint.apis import Parameter as P

_POOL, _THREAD_POOL, _PROCESS = "multiprocessing.pool.Pool", "multiprocessing.pool.ThreadPool", "multiprocessing.Process"
_RESULT, _MAP_RESULT, _TIMEOUT = "multiprocessing.pool.AsyncResult", "multiprocessing.pool.MapResult", "multiprocessing.TimeoutError"
_CONTEXT, _SYNC, _MANAGERS = "multiprocessing.context.BaseContext", "multiprocessing.synchronize", "multiprocessing.managers"
_QUEUES, _CONNECTION, _SHARED = "multiprocessing.queues", "multiprocessing.connection.Connection", "multiprocessing.sharedctypes"
_MANAGER = "multiprocessing.managers.SyncManager"
_CF = "concurrent.futures"
_EXECUTOR, _FUTURE, _CF_TIMEOUT = "concurrent.futures.Executor", "concurrent.futures.Future", "concurrent.futures.TimeoutError"

_CONTEXT_ROWS = (
    Api(name=f"{_CONTEXT}.Pool", does=("make",), gives=_POOL, initializer=P(1, "initializer"), initargs=P(2, "initargs")),
    Api(name=f"{_CONTEXT}.Process", does=("make", "submit"), gives=_PROCESS, where="process", callee=P(1, "target"), payload="args",
        arguments=P(3, "args"), keywords=P(4, "kwargs")),
    Api(name=f"{_CONTEXT}.Manager", does=("make",), gives=_MANAGER),
    Api(name=f"{_CONTEXT}.Queue", does=("make",), gives=f"{_QUEUES}.Queue"),
    Api(name=f"{_CONTEXT}.JoinableQueue", does=("make",), gives=f"{_QUEUES}.JoinableQueue"),
    Api(name=f"{_CONTEXT}.SimpleQueue", does=("make",), gives=f"{_QUEUES}.SimpleQueue"),
    Api(name=f"{_CONTEXT}.Pipe", does=("make",), gives_each=_CONNECTION),
    Api(name=f"{_CONTEXT}.Lock", does=("make",), gives=f"{_SYNC}.Lock"),
    Api(name=f"{_CONTEXT}.RLock", does=("make",), gives=f"{_SYNC}.RLock"),
    Api(name=f"{_CONTEXT}.Semaphore", does=("make",), gives=f"{_SYNC}.Semaphore"),
    Api(name=f"{_CONTEXT}.BoundedSemaphore", does=("make",), gives=f"{_SYNC}.BoundedSemaphore"),
    Api(name=f"{_CONTEXT}.Condition", does=("make",), gives=f"{_SYNC}.Condition"),
    Api(name=f"{_CONTEXT}.Event", does=("make",), gives=f"{_SYNC}.Event"),
    Api(name=f"{_CONTEXT}.Barrier", does=("make",), gives=f"{_SYNC}.Barrier"),
    Api(name=f"{_CONTEXT}.Value", does=("make",), gives=f"{_SHARED}.Synchronized"),
    Api(name=f"{_CONTEXT}.Array", does=("make",), gives=f"{_SHARED}.SynchronizedArray"),
    Api(name=f"{_CONTEXT}.RawValue", does=("make",), gives="multiprocessing.RawValue()"),
    Api(name=f"{_CONTEXT}.RawArray", does=("make",), gives="multiprocessing.RawArray()"),
    Api(name=f"{_CONTEXT}.get_context", does=("make",), gives=_CONTEXT, method="argument:0", method_at=P(0, "method")),
    Api(name=f"{_CONTEXT}.set_start_method", does=("method",), method="argument:0", method_at=P(0, "method")),
    Api(name=f"{_CONTEXT}.get_start_method", does=("poll",)),
    Api(name=f"{_CONTEXT}.freeze_support", does=("freeze",)),
    Api(name=f"{_CONTEXT}.active_children", does=("poll",), gives_each="multiprocessing.process.BaseProcess"),
    Api(name=f"{_CONTEXT}.current_process", does=("poll",), gives="multiprocessing.process.BaseProcess"),
    Api(name=f"{_CONTEXT}.parent_process", does=("poll",), gives="multiprocessing.process.BaseProcess"),
)

_CONTEXTS: tuple[Row, ...] = (
    Kind(name=_CONTEXT, role="context"),
    Kind(name="multiprocessing.context.DefaultContext", role="context", bases=(_CONTEXT,)),
    Kind(name="multiprocessing.context.SpawnContext", role="context", bases=(_CONTEXT,)),
    Kind(name="multiprocessing.context.ForkContext", role="context", bases=(_CONTEXT,)),
    Kind(name="multiprocessing.context.ForkServerContext", role="context", bases=(_CONTEXT,)),
    Api(name="multiprocessing.context.SpawnContext", does=("make",), gives="multiprocessing.context.SpawnContext", method="spawn"),
    Api(name="multiprocessing.context.ForkContext", does=("make",), gives="multiprocessing.context.ForkContext", method="fork"),
    Api(name="multiprocessing.context.ForkServerContext", does=("make",), gives="multiprocessing.context.ForkServerContext",
        method="forkserver"),
    *(replace(row, name="multiprocessing." + row.name.rpartition(".")[2]) for row in _CONTEXT_ROWS),
    *_CONTEXT_ROWS,
)

_POOLS: tuple[Row, ...] = (
    Kind(name=_POOL, role="pool", where="process", daemonic=True, leaving="stop"),
    Kind(name=_THREAD_POOL, role="pool", where="thread", bases=(_POOL,), leaving="stop"),
    Api(name=_POOL, does=("make",), gives=_POOL, initializer=P(1, "initializer"), initargs=P(2, "initargs"), context=P(4, "context")),
    Api(name=_THREAD_POOL, does=("make",), gives=_THREAD_POOL, initializer=P(1, "initializer"), initargs=P(2, "initargs")),
    Api(name="multiprocessing.dummy.Pool", does=("make",), gives=_THREAD_POOL, initializer=P(1, "initializer"), initargs=P(2, "initargs")),
    Api(name=f"{_POOL}.apply", does=("submit", "wait"), where="receiver", callee=P(0, "func"), payload="args", arguments=P(1, "args"),
        keywords=P(2, "kwds"), twin="apply_async"),
    Api(name=f"{_POOL}.apply_async", does=("submit",), gives=_RESULT, where="receiver", callee=P(0, "func"), payload="args",
        arguments=P(1, "args"), keywords=P(2, "kwds"), callbacks=(P(3, "callback"), P(4, "error_callback"))),
    Api(name=f"{_POOL}.map", does=("submit", "wait"), where="receiver", callee=P(0, "func"), payload="each", arguments=P(1, "iterable"),
        twin="map_async"),
    Api(name=f"{_POOL}.map_async", does=("submit",), gives=_MAP_RESULT, where="receiver", callee=P(0, "func"), payload="each",
        arguments=P(1, "iterable"), callbacks=(P(3, "callback"), P(4, "error_callback"))),
    Api(name=f"{_POOL}.starmap", does=("submit", "wait"), where="receiver", callee=P(0, "func"), payload="star", arguments=P(1, "iterable"),
        twin="starmap_async"),
    Api(name=f"{_POOL}.starmap_async", does=("submit",), gives=_MAP_RESULT, where="receiver", callee=P(0, "func"), payload="star",
        arguments=P(1, "iterable"), callbacks=(P(3, "callback"), P(4, "error_callback"))),
    Api(name=f"{_POOL}.imap", does=("submit", "iterate"), gives="multiprocessing.pool.IMapIterator", where="receiver", callee=P(0, "func"),
        payload="each", arguments=P(1, "iterable")),
    Api(name=f"{_POOL}.imap_unordered", does=("submit", "iterate"), gives="multiprocessing.pool.IMapUnorderedIterator", where="receiver",
        callee=P(0, "func"), payload="each", arguments=P(1, "iterable")),
    Api(name=f"{_POOL}.close", does=("close",)),
    Api(name=f"{_POOL}.terminate", does=("stop",)),
    Api(name=f"{_POOL}.join", does=("join",)),
    Kind(name=_RESULT, role="async-result"),
    Kind(name=_MAP_RESULT, role="async-result", bases=(_RESULT,)),
    Api(name=f"{_RESULT}.get", does=("collect",), timeout=P(0, "timeout"), raises=_TIMEOUT),
    Api(name=f"{_RESULT}.wait", does=("wait",), timeout=P(0, "timeout")),
    Api(name=f"{_RESULT}.ready", does=("poll",)),
    Api(name=f"{_RESULT}.successful", does=("poll",)),
    Kind(name="multiprocessing.pool.IMapIterator", role="result-iterator"),
    Kind(name="multiprocessing.pool.IMapUnorderedIterator", role="result-iterator", bases=("multiprocessing.pool.IMapIterator",)),
    Api(name="multiprocessing.pool.IMapIterator.next", does=("collect",), timeout=P(0, "timeout"), raises=_TIMEOUT),
    Alias("multiprocessing.pool.ApplyResult", _RESULT),
)

_PROCESSES: tuple[Row, ...] = (
    Kind(name="multiprocessing.process.BaseProcess", role="process", where="process", entry="run"),
    Kind(name=_PROCESS, role="process", where="process", entry="run", bases=("multiprocessing.process.BaseProcess",)),
    Alias("multiprocessing.context.Process", _PROCESS),
    *(Kind(name=f"multiprocessing.context.{name}", role="process", where="process", entry="run",
          bases=("multiprocessing.process.BaseProcess",)) for name in ("SpawnProcess", "ForkProcess", "ForkServerProcess")),
    *(Api(name=f"multiprocessing.context.{name}", does=("make", "submit"), gives=f"multiprocessing.context.{name}", method=method,
          where="process", callee=P(1, "target"), payload="args", arguments=P(3, "args"), keywords=P(4, "kwargs"))
      for name, method in (("SpawnProcess", "spawn"), ("ForkProcess", "fork"), ("ForkServerProcess", "forkserver"))),
    Api(name="multiprocessing.process.BaseProcess.start", does=("start",)),
    Api(name="multiprocessing.process.BaseProcess.join", does=("join",), timeout=P(0, "timeout")),
    Api(name="multiprocessing.process.BaseProcess.is_alive", does=("poll",)),
    Api(name="multiprocessing.process.BaseProcess.terminate", does=("stop",)),
    Api(name="multiprocessing.process.BaseProcess.kill", does=("stop",)),
    Api(name="multiprocessing.process.BaseProcess.interrupt", does=("stop",), since=(3, 14)),
    Api(name="multiprocessing.process.BaseProcess.close", does=("close",)),
    Alias("multiprocessing.process.active_children", "multiprocessing.active_children"),
    Alias("multiprocessing.process.current_process", "multiprocessing.current_process"),
    Alias("multiprocessing.process.parent_process", "multiprocessing.parent_process"),
    Kind(name="multiprocessing.dummy.DummyProcess", role="thread", where="thread", entry="run", bases=("threading.Thread",)),
    Alias("multiprocessing.dummy.Process", "multiprocessing.dummy.DummyProcess"),
    Api(name="multiprocessing.dummy.DummyProcess", does=("make", "submit"), gives="multiprocessing.dummy.DummyProcess", where="thread",
        callee=P(1, "target"), payload="args", arguments=P(3, "args"), keywords=P(4, "kwargs")),
    *(Alias(f"multiprocessing.dummy.{name}", f"threading.{name}")
      for name in ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event", "Barrier")),
    Alias("multiprocessing.dummy.Queue", "queue.Queue"),
    Alias("multiprocessing.dummy.JoinableQueue", "queue.Queue"),
)

_SHARING: tuple[Row, ...] = (
    Kind(name=f"{_QUEUES}.Queue", role="queue", where="process"),
    Kind(name=f"{_QUEUES}.JoinableQueue", role="queue", where="process", bases=(f"{_QUEUES}.Queue",)),
    Kind(name=f"{_QUEUES}.SimpleQueue", role="simple-queue", where="process"),
    *(Api(name=f"{_QUEUES}.{name}", does=("make",), gives=f"{_QUEUES}.{name}") for name in ("Queue", "JoinableQueue", "SimpleQueue")),
    Api(name=f"{_QUEUES}.Queue.put", does=("put",), arguments=P(0, "obj"), timeout=P(2, "timeout"), raises="queue.Full"),
    Api(name=f"{_QUEUES}.Queue.get", does=("get",), timeout=P(1, "timeout"), raises="queue.Empty"),
    Api(name=f"{_QUEUES}.Queue.put_nowait", does=("put", "poll"), arguments=P(0, "obj"), raises="queue.Full"),
    Api(name=f"{_QUEUES}.Queue.get_nowait", does=("get", "poll"), raises="queue.Empty"),
    *(Api(name=f"{_QUEUES}.Queue.{name}", does=("poll",)) for name in ("empty", "full", "qsize")),
    Api(name=f"{_QUEUES}.Queue.close", does=("close",)),
    Api(name=f"{_QUEUES}.Queue.join_thread", does=("join",)),
    Api(name=f"{_QUEUES}.Queue.cancel_join_thread", does=("detach",)),
    Api(name=f"{_QUEUES}.JoinableQueue.join", does=("join",)),
    Api(name=f"{_QUEUES}.JoinableQueue.task_done", does=("release",)),
    Api(name=f"{_QUEUES}.SimpleQueue.put", does=("put",), arguments=P(0, "obj")),
    Api(name=f"{_QUEUES}.SimpleQueue.get", does=("get",)),
    Api(name=f"{_QUEUES}.SimpleQueue.empty", does=("poll",)),
    Api(name=f"{_QUEUES}.SimpleQueue.close", does=("close",)),
    Kind(name=_CONNECTION, role="connection", where="process"),
    Alias("multiprocessing.connection.Pipe", "multiprocessing.Pipe"),
    Api(name="multiprocessing.connection.Client", does=("make",), gives=_CONNECTION),
    *(Api(name=f"{_CONNECTION}.{name}", does=("put",), arguments=P(0, argument))
      for name, argument in (("send", "obj"), ("send_bytes", "buf"))),
    *(Api(name=f"{_CONNECTION}.{name}", does=("get",)) for name in ("recv", "recv_bytes", "recv_bytes_into")),
    Api(name=f"{_CONNECTION}.poll", does=("poll",), timeout=P(0, "timeout")),
    Api(name=f"{_CONNECTION}.close", does=("close",)),
    Api(name="multiprocessing.connection.wait", does=("wait",), passes=P(0, "object_list"), timeout=P(1, "timeout")),
    *(Kind(name=f"{_SYNC}.{name}", role="lock", where="process") for name in ("Lock", "RLock", "Semaphore", "Condition")),
    Kind(name=f"{_SYNC}.BoundedSemaphore", role="lock", where="process", bases=(f"{_SYNC}.Semaphore",)),
    *(Api(name=f"{_SYNC}.{name}.acquire", does=("acquire",), timeout=P(1, "timeout"))
      for name in ("Lock", "RLock", "Semaphore", "Condition")),
    *(Api(name=f"{_SYNC}.{name}.release", does=("release",)) for name in ("Lock", "RLock", "Semaphore", "Condition")),
    Api(name=f"{_SYNC}.Condition.wait", does=("wait",), timeout=P(0, "timeout")),
    Api(name=f"{_SYNC}.Condition.wait_for", does=("wait",), timeout=P(1, "timeout")),
    *(Api(name=f"{_SYNC}.Condition.{name}", does=("set",)) for name in ("notify", "notify_all")),
    Kind(name=f"{_SYNC}.Event", role="event", where="process"),
    Api(name=f"{_SYNC}.Event.wait", does=("wait",), timeout=P(0, "timeout")),
    Api(name=f"{_SYNC}.Event.is_set", does=("poll",)),
    *(Api(name=f"{_SYNC}.Event.{name}", does=("set",)) for name in ("set", "clear")),
    Kind(name=f"{_SYNC}.Barrier", role="barrier", where="process", bases=("threading.Barrier",)),
    Kind(name=f"{_SHARED}.Synchronized", role="shared-value", where="process"),
    Kind(name=f"{_SHARED}.SynchronizedArray", role="shared-value", where="process"),
    *(Api(name=f"{_SHARED}.{kind}.get_lock", does=("poll",), gives=f"{_SYNC}.RLock") for kind in ("Synchronized", "SynchronizedArray")),
    Kind(name="multiprocessing.RawValue()", role="shared-value", where="process"),
    Kind(name="multiprocessing.RawArray()", role="shared-value", where="process"),
    *(Alias(f"{_SHARED}.{name}", f"multiprocessing.{name}") for name in ("Value", "Array", "RawValue", "RawArray")),
    Kind(name="multiprocessing.shared_memory.SharedMemory", role="shared-memory", where="process"),
    Kind(name="multiprocessing.shared_memory.ShareableList", role="shared-memory", where="process"),
    *(Api(name=f"multiprocessing.shared_memory.{name}", does=("make",), gives=f"multiprocessing.shared_memory.{name}")
      for name in ("SharedMemory", "ShareableList")),
    Api(name="multiprocessing.shared_memory.SharedMemory.close", does=("close",)),
    Api(name="multiprocessing.shared_memory.SharedMemory.unlink", does=("stop",)),
)

_MANAGED: tuple[Row, ...] = (
    Kind(name=f"{_MANAGERS}.BaseManager", role="manager", where="process", leaving="stop"),
    Kind(name=_MANAGER, role="manager", where="process", bases=(f"{_MANAGERS}.BaseManager",), leaving="stop"),
    Kind(name=f"{_MANAGERS}.SharedMemoryManager", role="manager", where="process", bases=(f"{_MANAGERS}.BaseManager",), leaving="stop"),
    *(Api(name=f"{_MANAGERS}.{name}", does=("make",), gives=f"{_MANAGERS}.{name}")
      for name in ("BaseManager", "SyncManager", "SharedMemoryManager")),
    Api(name=f"{_MANAGERS}.BaseManager.start", does=("start",), initializer=P(0, "initializer"), initargs=P(1, "initargs")),
    Api(name=f"{_MANAGERS}.BaseManager.shutdown", does=("stop",)),
    Api(name=f"{_MANAGERS}.BaseManager.join", does=("join",), timeout=P(0, "timeout")),
    Api(name=f"{_MANAGER}.Pool", does=("make",), gives=f"{_MANAGERS}.PoolProxy", initializer=P(1, "initializer"),
        initargs=P(2, "initargs")),
    *(Api(name=f"{_MANAGER}.{name}", does=("make",), gives=gives) for name, gives in (("Queue", f"{_MANAGER}.Queue()"),
          ("JoinableQueue", f"{_MANAGER}.Queue()"), ("dict", f"{_MANAGERS}.DictProxy"), ("list", f"{_MANAGERS}.ListProxy"),
          ("Namespace", f"{_MANAGERS}.NamespaceProxy"), ("Value", f"{_MANAGERS}.ValueProxy"), ("Array", f"{_MANAGERS}.ArrayProxy"),
          ("Event", f"{_MANAGERS}.EventProxy"), ("Barrier", f"{_MANAGERS}.BarrierProxy"), ("Condition", f"{_MANAGERS}.ConditionProxy"),
          ("Lock", f"{_MANAGERS}.AcquirerProxy"), ("RLock", f"{_MANAGERS}.AcquirerProxy"), ("Semaphore", f"{_MANAGERS}.AcquirerProxy"),
          ("BoundedSemaphore", f"{_MANAGERS}.AcquirerProxy"))),
    Kind(name=f"{_MANAGERS}.PoolProxy", role="pool", where="process", bases=(_POOL,), daemonic=True, leaving="stop"),
    Kind(name=f"{_MANAGER}.Queue()", role="proxy", where="process", bases=("queue.Queue",)),
    *(Kind(name=f"{_MANAGERS}.{name}", role="proxy", where="process")
      for name in ("DictProxy", "ListProxy", "NamespaceProxy", "ValueProxy", "ArrayProxy", "BarrierProxy", "AcquirerProxy")),
    Kind(name=f"{_MANAGERS}.ConditionProxy", role="proxy", where="process", bases=(f"{_MANAGERS}.AcquirerProxy",)),
    Kind(name=f"{_MANAGERS}.EventProxy", role="proxy", where="process"),
    Api(name=f"{_MANAGERS}.AcquirerProxy.acquire", does=("acquire",), timeout=P(1, "timeout")),
    Api(name=f"{_MANAGERS}.AcquirerProxy.release", does=("release",)),
    Api(name=f"{_MANAGERS}.ConditionProxy.wait", does=("wait",), timeout=P(0, "timeout")),
    Api(name=f"{_MANAGERS}.ConditionProxy.wait_for", does=("wait",), timeout=P(1, "timeout")),
    Api(name=f"{_MANAGERS}.EventProxy.wait", does=("wait",), timeout=P(0, "timeout")),
    Api(name=f"{_MANAGERS}.EventProxy.is_set", does=("poll",)),
    *(Api(name=f"{_MANAGERS}.EventProxy.{name}", does=("set",)) for name in ("set", "clear")),
    Api(name=f"{_MANAGERS}.BarrierProxy.wait", does=("wait",), timeout=P(0, "timeout")),
)

_EXECUTORS: tuple[Row, ...] = (
    Kind(name=_EXECUTOR, role="executor", where="any", leaving="wait"),
    Kind(name=f"{_CF}.ProcessPoolExecutor", role="executor", where="process", bases=(_EXECUTOR,), notices_death=True, leaving="wait"),
    Kind(name=f"{_CF}.ThreadPoolExecutor", role="executor", where="thread", bases=(_EXECUTOR,), leaving="wait"),
    Kind(name=f"{_CF}.InterpreterPoolExecutor", role="executor", where="thread", bases=(f"{_CF}.ThreadPoolExecutor",), leaving="wait",
        since=(3, 14)),
    Api(name=f"{_CF}.ProcessPoolExecutor", does=("make",), gives=f"{_CF}.ProcessPoolExecutor", context=P(1, "mp_context"),
        initializer=P(2, "initializer"), initargs=P(3, "initargs")),
    Api(name=f"{_CF}.ThreadPoolExecutor", does=("make",), gives=f"{_CF}.ThreadPoolExecutor", initializer=P(2, "initializer"),
        initargs=P(3, "initargs")),
    Api(name=f"{_CF}.InterpreterPoolExecutor", does=("make",), gives=f"{_CF}.InterpreterPoolExecutor", initializer=P(2, "initializer"),
        initargs=P(3, "initargs"), since=(3, 14)),
    Api(name=f"{_EXECUTOR}.submit", does=("submit",), gives=_FUTURE, where="receiver", callee=P(0), payload="call"),
    Api(name=f"{_EXECUTOR}.map", does=("submit", "iterate"), gives=f"{_EXECUTOR}.map()", where="receiver", callee=P(0, "fn"), payload="zip",
        arguments=P(1), timeout=P(None, "timeout"), raises=_CF_TIMEOUT),
    Api(name=f"{_EXECUTOR}.shutdown", does=("shutdown",)),
    Api(name=f"{_CF}.ProcessPoolExecutor.terminate_workers", does=("stop",), since=(3, 14)),
    Api(name=f"{_CF}.ProcessPoolExecutor.kill_workers", does=("stop",), since=(3, 14)),
    Kind(name=_FUTURE, role="future"),
    Kind(name=f"{_EXECUTOR}.map()", role="result-iterator"),
    Api(name=_FUTURE, does=("make",), gives=_FUTURE),
    Api(name=f"{_FUTURE}.result", does=("collect",), timeout=P(0, "timeout"), raises=_CF_TIMEOUT),
    Api(name=f"{_FUTURE}.exception", does=("collect",), timeout=P(0, "timeout"), raises=_CF_TIMEOUT),
    *(Api(name=f"{_FUTURE}.{name}", does=("poll",)) for name in ("done", "running", "cancelled")),
    Api(name=f"{_FUTURE}.cancel", does=("cancel",)),
    Api(name=f"{_FUTURE}.add_done_callback", does=("callback",), callee=P(0, "fn")),
    *(Api(name=f"{_FUTURE}.{name}", does=("set",)) for name in ("set_result", "set_exception")),
    Api(name=f"{_CF}.as_completed", does=("iterate",), gives_each=_FUTURE, passes=P(0, "fs"), timeout=P(1, "timeout"), raises=_CF_TIMEOUT),
    Api(name=f"{_CF}.wait", does=("wait",), gives_each=_FUTURE, passes=P(0, "fs"), timeout=P(1, "timeout")),
    *(Alias(f"{_CF}.{part}.*", f"{_CF}.*") for part in ("_base", "process", "thread", "interpreter")),
)

_ERRORS: tuple[Row, ...] = (
    Kind(name="multiprocessing.ProcessError", role="exception", bases=("builtins.Exception",)),
    Kind(name=_TIMEOUT, role="exception", bases=("multiprocessing.ProcessError",)),
    Kind(name="multiprocessing.BufferTooShort", role="exception", bases=("multiprocessing.ProcessError",)),
    Kind(name="multiprocessing.AuthenticationError", role="exception", bases=("multiprocessing.ProcessError",)),
    *(Alias(f"multiprocessing.context.{name}", f"multiprocessing.{name}")
      for name in ("ProcessError", "TimeoutError", "BufferTooShort", "AuthenticationError")),
    Alias("multiprocessing.pool.TimeoutError", _TIMEOUT),
    Kind(name="multiprocessing.pool.MaybeEncodingError", role="exception", bases=("builtins.Exception",), plain=False),
    Kind(name="multiprocessing.managers.RemoteError", role="exception", bases=("builtins.Exception",)),
    Kind(name=f"{_CF}._base.Error", role="exception", bases=("builtins.Exception",)),
    Kind(name=_CF_TIMEOUT, role="exception", bases=(f"{_CF}._base.Error",), same_as="builtins.TimeoutError", same_since=(3, 11)),
    Kind(name=f"{_CF}.CancelledError", role="exception", bases=(f"{_CF}._base.Error",)),
    Kind(name=f"{_CF}.InvalidStateError", role="exception", bases=(f"{_CF}._base.Error",)),
    Kind(name=f"{_CF}.BrokenExecutor", role="exception", bases=("builtins.RuntimeError",)),
    Kind(name=f"{_CF}.process.BrokenProcessPool", role="exception", bases=(f"{_CF}.BrokenExecutor",)),
    Kind(name=f"{_CF}.thread.BrokenThreadPool", role="exception", bases=(f"{_CF}.BrokenExecutor",)),
    Kind(name=f"{_CF}.interpreter.BrokenInterpreterPool", role="exception", bases=(f"{_CF}.BrokenExecutor",), since=(3, 14)),
)

ROWS: tuple[Row, ...] = (*_CONTEXTS, *_POOLS, *_PROCESSES, *_SHARING, *_MANAGED, *_EXECUTORS, *_ERRORS)
