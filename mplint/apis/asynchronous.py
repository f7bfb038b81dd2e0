"""Rows of `asyncio`: what runs in executors, and what waits for it."""

from __future__ import annotations

from mplint.apis import Alias, Api, Kind, Row
from mplint.apis import Parameter as P

_LOOP, _TASK, _FUTURE, _TIMEOUT = "asyncio.AbstractEventLoop", "asyncio.Task", "asyncio.Future", "asyncio.TimeoutError"
_GROUP = "asyncio.TaskGroup"

ROWS: tuple[Row, ...] = (
    Kind(name=_LOOP, role="event-loop"),
    Kind(name="asyncio.BaseEventLoop", role="event-loop", bases=(_LOOP,)),
    *(Api(name=f"asyncio.{name}", does=("make",), gives=_LOOP) for name in ("get_running_loop", "get_event_loop", "new_event_loop")),
    Api(name=f"{_LOOP}.run_in_executor", does=("submit",), gives=_FUTURE, where="argument:executor", executor=P(0, "executor"),
        callee=P(1, "func"), payload="call"),
    Api(name=f"{_LOOP}.set_default_executor", does=("executor",), executor=P(0, "executor")),
    Api(name=f"{_LOOP}.shutdown_default_executor", does=("shutdown",)),
    Api(name=f"{_LOOP}.add_signal_handler", does=("handler",), callee=P(1, "callback"), payload="call"),
    Api(name=f"{_LOOP}.remove_signal_handler", does=("handler",)),
    Api(name=f"{_LOOP}.create_task", does=("pass",), gives=_TASK, passes=P(0, "coro")),
    Api(name=f"{_LOOP}.create_future", does=("make",), gives=_FUTURE),
    Api(name=f"{_LOOP}.run_until_complete", does=("wait", "pass"), passes=P(0, "future")),
    *(Api(name=f"{_LOOP}.{name}", does=("callback",), callee=P(0, "callback"), payload="call")
      for name in ("call_soon", "call_soon_threadsafe")),
    *(Api(name=f"{_LOOP}.{name}", does=("callback",), callee=P(1, "callback"), payload="call") for name in ("call_later", "call_at")),
    Api(name=f"{_LOOP}.stop", does=("stop",)),
    Api(name=f"{_LOOP}.close", does=("close",)),
    Api(name="asyncio.to_thread", does=("submit",), gives=_FUTURE, where="thread", callee=P(0), payload="call",
        through="concurrent.futures.ThreadPoolExecutor"),
    Api(name="asyncio.create_task", does=("pass",), gives=_TASK, passes=P(0, "coro")),
    Api(name="asyncio.ensure_future", does=("pass",), gives=_FUTURE, passes=P(0, "coro_or_future")),
    Api(name="asyncio.wrap_future", does=("pass",), gives=_FUTURE, passes=P(0, "future")),
    Api(name="asyncio.shield", does=("pass",), gives=_FUTURE, passes=P(0, "arg")),
    Api(name="asyncio.wait_for", does=("wait", "pass"), passes=P(0, "fut"), timeout=P(1, "timeout"), raises=_TIMEOUT),
    Api(name="asyncio.wait", does=("wait",), gives_each=_TASK, passes=P(0, "fs"), timeout=P(None, "timeout")),
    Api(name="asyncio.as_completed", does=("iterate",), gives_each=_FUTURE, passes=P(0, "fs"), timeout=P(None, "timeout"), raises=_TIMEOUT),
    Api(name="asyncio.gather", does=("gather",), gives=_FUTURE),
    Api(name="asyncio.run", does=("wait", "pass"), passes=P(0, "main")),
    Api(name="asyncio.run_coroutine_threadsafe", does=("pass",), gives="concurrent.futures.Future", passes=P(0, "coro")),
    Api(name="asyncio.timeout", does=("make",), gives="asyncio.Timeout", timeout=P(0, "delay"), raises=_TIMEOUT, since=(3, 11)),
    Api(name="asyncio.timeout_at", does=("make",), gives="asyncio.Timeout", timeout=P(0, "when"), raises=_TIMEOUT, since=(3, 11)),
    Kind(name="asyncio.Timeout", role="timeout", since=(3, 11)),
    Api(name="asyncio.Timeout.reschedule", does=("alarm",), since=(3, 11)),
    Kind(name="asyncio.Runner", role="event-loop", since=(3, 11)),
    Api(name="asyncio.Runner", does=("make",), gives="asyncio.Runner", since=(3, 11)),
    Api(name="asyncio.Runner.run", does=("wait", "pass"), passes=P(0, "coro"), since=(3, 11)),
    Api(name="asyncio.Runner.get_loop", does=("poll",), gives=_LOOP, since=(3, 11)),
    Kind(name=_GROUP, role="task-group", leaving="wait", since=(3, 11)),
    Api(name=_GROUP, does=("make",), gives=_GROUP, since=(3, 11)),
    Api(name=f"{_GROUP}.create_task", does=("pass",), gives=_TASK, passes=P(0, "coro"), since=(3, 11)),
    Kind(name=_FUTURE, role="future"),
    Kind(name=_TASK, role="task", bases=(_FUTURE,)),
    *(Api(name=f"{_FUTURE}.{name}", does=("poll",)) for name in ("result", "exception", "done", "cancelled")),
    Api(name=f"{_FUTURE}.cancel", does=("cancel",)),
    Api(name=f"{_FUTURE}.add_done_callback", does=("callback",), callee=P(0)),
    *(Api(name=f"{_FUTURE}.{name}", does=("set",)) for name in ("set_result", "set_exception")),
    *(Kind(name=f"asyncio.{name}", role="lock", where="task") for name in ("Lock", "Semaphore", "Condition")),
    Kind(name="asyncio.BoundedSemaphore", role="lock", where="task", bases=("asyncio.Semaphore",)),
    Kind(name="asyncio.Event", role="event", where="task"),
    Kind(name="asyncio.Queue", role="queue", where="task"),
    *(Kind(name=f"asyncio.{name}", role="queue", where="task", bases=("asyncio.Queue",)) for name in ("LifoQueue", "PriorityQueue")),
    *(Api(name=f"asyncio.{name}", does=("make",), gives=f"asyncio.{name}")
      for name in ("Lock", "Semaphore", "BoundedSemaphore", "Condition", "Event", "Queue", "LifoQueue", "PriorityQueue")),
    Kind(name=_TIMEOUT, role="exception", bases=("builtins.Exception",), same_as="builtins.TimeoutError", same_since=(3, 11)),
    Kind(name="asyncio.CancelledError", role="exception", bases=("builtins.BaseException",)),
    Kind(name="asyncio.InvalidStateError", role="exception", bases=("builtins.Exception",)),
    *(Alias(f"asyncio.{part}.*", "asyncio.*") for part in ("base_events", "events", "exceptions", "futures", "locks", "queues", "runners",
          "taskgroups", "tasks", "threads", "timeouts")),
)
