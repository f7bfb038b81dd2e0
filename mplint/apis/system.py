"""Rows of `signal`, `os`, `sys`, `atexit`, `threading`, `queue` and `subprocess`: what ends, interrupts or synchronises a process."""

from __future__ import annotations

from mplint.apis import Alias, Api, Kind, Row
from mplint.apis import Parameter as P

_SIGNALS: tuple[Row, ...] = (
    Api(name="signal.signal", does=("handler",), callee=P(1, "handler")),
    Api(name="signal.siginterrupt", does=("interrupt",)),
    Api(name="signal.pthread_sigmask", does=("mask",)),
    Api(name="signal.getsignal", does=("poll",)),
    Api(name="signal.alarm", does=("alarm",), arguments=P(0)),
    Api(name="signal.setitimer", does=("alarm",), arguments=P(1)),
    Api(name="signal.pause", does=("wait",)),
    Api(name="signal.raise_signal", does=("signal",)),
    Api(name="signal.pthread_kill", does=("signal",)),
    Api(name="os.kill", does=("signal",)),
    Api(name="os.killpg", does=("signal",)),
)

_ENDS: tuple[Row, ...] = (
    Api(name="sys.exit", does=("exit",), raises="builtins.SystemExit"),
    Api(name="builtins.exit", does=("exit",), raises="builtins.SystemExit"),
    Api(name="builtins.quit", does=("exit",), raises="builtins.SystemExit"),
    Api(name="os._exit", does=("exit",)),
    Api(name="os.abort", does=("exit",)),
    *(Api(name=f"os.{name}", does=("exit",)) for name in ("execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe")),
    Api(name="os.fork", does=("fork",)),
    Api(name="os.forkpty", does=("fork",)),
    Api(name="os.wait", does=("wait",)),
    Api(name="os.waitpid", does=("wait",)),
    Api(name="atexit.register", does=("atexit",), callee=P(0), payload="call"),
    Alias("posix._exit", "os._exit"),
)

_THREADS: tuple[Row, ...] = (
    Kind(name="threading.Thread", role="thread", where="thread", entry="run"),
    Kind(name="threading.Timer", role="thread", where="thread", bases=("threading.Thread",)),
    Api(name="threading.Thread", does=("make", "submit"), gives="threading.Thread", where="thread", callee=P(1, "target"), payload="args",
        arguments=P(3, "args"), keywords=P(4, "kwargs")),
    Api(name="threading.Timer", does=("make", "submit"), gives="threading.Timer", where="thread", callee=P(1, "function"), payload="args",
        arguments=P(2, "args"), keywords=P(3, "kwargs")),
    Api(name="threading.Thread.start", does=("start",)),
    Api(name="threading.Thread.join", does=("join",), timeout=P(0, "timeout")),
    Api(name="threading.Thread.is_alive", does=("poll",)),
    Api(name="threading.Timer.cancel", does=("cancel",)),
    *(Kind(name=f"threading.{name}", role="lock", where="thread") for name in ("Lock", "RLock", "Semaphore", "Condition")),
    Kind(name="threading.BoundedSemaphore", role="lock", where="thread", bases=("threading.Semaphore",)),
    Kind(name="threading.Event", role="event", where="thread"),
    Kind(name="threading.Barrier", role="barrier", where="thread"),
    *(Api(name=f"threading.{name}", does=("make",), gives=f"threading.{name}")
      for name in ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event", "Barrier")),
    *(Api(name=f"threading.{name}.acquire", does=("acquire",), timeout=P(1, "timeout"))
      for name in ("Lock", "RLock", "Semaphore", "Condition")),
    *(Api(name=f"threading.{name}.release", does=("release",)) for name in ("Lock", "RLock", "Semaphore", "Condition")),
    Api(name="threading.Condition.wait", does=("wait",), timeout=P(0, "timeout")),
    Api(name="threading.Condition.wait_for", does=("wait",), timeout=P(1, "timeout")),
    *(Api(name=f"threading.Condition.{name}", does=("set",)) for name in ("notify", "notify_all")),
    Api(name="threading.Event.wait", does=("wait",), timeout=P(0, "timeout")),
    Api(name="threading.Event.is_set", does=("poll",)),
    *(Api(name=f"threading.Event.{name}", does=("set",)) for name in ("set", "clear")),
    Api(name="threading.Barrier.wait", does=("wait",), timeout=P(0, "timeout"), raises="threading.BrokenBarrierError"),
    Api(name="threading.Barrier.abort", does=("stop",)),
)

_QUEUES: tuple[Row, ...] = (
    Kind(name="queue.Queue", role="queue", where="thread"),
    *(Kind(name=f"queue.{name}", role="queue", where="thread", bases=("queue.Queue",)) for name in ("LifoQueue", "PriorityQueue")),
    Kind(name="queue.SimpleQueue", role="simple-queue", where="thread"),
    *(Api(name=f"queue.{name}", does=("make",), gives=f"queue.{name}") for name in ("Queue", "LifoQueue", "PriorityQueue", "SimpleQueue")),
    *(Api(name=f"queue.{name}.put", does=("put",), arguments=P(0, "item"), timeout=P(2, "timeout"), raises="queue.Full")
      for name in ("Queue", "SimpleQueue")),
    *(Api(name=f"queue.{name}.get", does=("get",), timeout=P(1, "timeout"), raises="queue.Empty") for name in ("Queue", "SimpleQueue")),
    *(Api(name=f"queue.{name}.put_nowait", does=("put", "poll"), arguments=P(0, "item"), raises="queue.Full")
      for name in ("Queue", "SimpleQueue")),
    *(Api(name=f"queue.{name}.get_nowait", does=("get", "poll"), raises="queue.Empty") for name in ("Queue", "SimpleQueue")),
    *(Api(name=f"queue.{name}.{method}", does=("poll",)) for name in ("Queue", "SimpleQueue") for method in ("empty", "qsize")),
    Api(name="queue.Queue.full", does=("poll",)),
    Api(name="queue.Queue.join", does=("join",)),
    Api(name="queue.Queue.task_done", does=("release",)),
    Alias("multiprocessing.queues.Empty", "queue.Empty"),
    Alias("multiprocessing.queues.Full", "queue.Full"),
)

_COMMANDS: tuple[Row, ...] = (
    Kind(name="subprocess.Popen", role="popen"),
    Api(name="subprocess.Popen", does=("make", "start"), gives="subprocess.Popen"),
    Api(name="subprocess.Popen.wait", does=("join",), timeout=P(0, "timeout"), raises="subprocess.TimeoutExpired"),
    Api(name="subprocess.Popen.communicate", does=("join",), timeout=P(1, "timeout"), raises="subprocess.TimeoutExpired"),
    Api(name="subprocess.Popen.poll", does=("poll",)),
    Api(name="subprocess.Popen.send_signal", does=("signal",)),
    *(Api(name=f"subprocess.Popen.{name}", does=("stop",)) for name in ("terminate", "kill")),
    *(Api(name=f"subprocess.{name}", does=("wait",), timeout=P(None, "timeout"), raises="subprocess.TimeoutExpired")
      for name in ("run", "call", "check_call", "check_output")),
)

ROWS: tuple[Row, ...] = (*_SIGNALS, *_ENDS, *_THREADS, *_QUEUES, *_COMMANDS)
