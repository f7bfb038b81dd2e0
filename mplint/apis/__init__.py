"""The API table: what each library call does, as rows and not as code.

Two kinds of rows.  A `Kind` is a class whose instances matter (a pool, an executor, a future, a queue ...); an `Api` is a
callable: a function, a constructor or a method ("module.Class.method").  Names are canonical: the place where the library
defines the thing for its users (`multiprocessing.pool.Pool`, not `multiprocessing.context.Pool`).  Other spellings are
`Alias` rows (`torch.multiprocessing.Pool` is `multiprocessing.Pool`).  Methods are looked up through the `bases` of a kind.
Where a call returns something whose class has no public name, its kind is called after the call: `concurrent.futures.Executor.map()`.

Projects add rows of their own wrappers in `[[tool.mplint.api]]` with the same columns.  Each built-in row is checked against
the installed library by `tests/test_apis.py`.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Iterable, Literal, TypeAlias

import msgspec

Role: TypeAlias = Literal[
    "pool",  # Pool's methods
    "executor",  # submit and map
    "process", "thread", "popen",
    "process-group",  # torch.multiprocessing.spawn
    "parallel",  # joblib
    "async-result", "future", "task", "result-iterator",
    "queue", "simple-queue", "connection", "lock", "event", "barrier", "shared-value", "shared-memory",
    "manager", "proxy", "context", "task-group", "event-loop",
    "timeout",  # asyncio.timeout
    "exception",
]  # fmt: skip

Place: TypeAlias = Literal[
    "",  # of its source, or does not apply
    "process", "thread", "task",
    "here",  # in the calling thread itself
    "any",  # an abstract Executor, a cluster
    "receiver",  # where the object whose method this is runs its work
    "argument:executor",
]  # fmt: skip

Verb: TypeAlias = Literal[
    "make",  # constructs a kind
    "reuse",  # with "make": the pool may be one that is there already and is not the caller's to close
    "start",
    "submit",  # hands `callee` to a worker
    "decorate",  # calls of the decorated function run in `where`
    "delay",  # `callee` is called later by who is given the result
    "wait",  # blocks until workers answer
    "iterate",  # gives an iterator that blocks at each step
    "collect",  # get, result: blocks for one answer
    "gather",
    "pass",  # its `passes` is what it returns or waits for: shield, wait_for, create_task, ensure_future, wrap_future
    "poll",  # looks without blocking
    "cancel",
    "close",  # no new tasks
    "shutdown",  # no new tasks, may wait
    "stop",  # terminates or kills workers
    "join",  # waits for the end
    "handler",  # registers a signal handler
    "alarm",  # starts or cancels a timer
    "signal",  # sends a signal
    "interrupt",  # siginterrupt
    "mask",  # signal mask
    "callback",  # registers `callee` to run in the parent
    "atexit",  # registers `callee` for the end of the process
    "exit",  # ends the process or raises SystemExit: never returns
    "fork",
    "method",  # sets the start method
    "executor",  # sets the default executor
    "choose",  # a block that sets where joblib runs
    "freeze",  # freeze_support
    "put", "get",
    "detach",  # nobody waits for the queue's feeder thread
    "acquire", "release", "set",
]  # fmt: skip

Payload: TypeAlias = Literal[
    "",
    "call",  # rest of the arguments, from `arguments` on if given
    "args",  # `args=` and `kwds=`
    "each",  # an iterable, one item a task
    "zip",  # iterables, one a parameter
    "star",  # an iterable of tuples
    "unpack",  # an iterable: tuples and dicts are unpacked, other items are not
    "rank",  # the worker's number, then `args=`
    "delayed",  # `callee` is an iterable of `delayed(f)(...)`
]  # fmt: skip


class Parameter(msgspec.Struct, frozen=True, array_like=True):
    """Where an argument stands in a call: `position` counts positional arguments after `self` from 0, None when keyword-only."""

    position: int | None
    keyword: str = ""


class Choice(msgspec.Struct, frozen=True, array_like=True):
    """A literal argument `value` of `parameter` makes the instance run its work in `where` ("here": in the calling thread itself), and be one of
    the class `gives`, where the call does not give what it gives without that argument."""

    parameter: Parameter
    value: str
    where: Place
    gives: str = ""


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A class of the API.

    `where`: where the work given to an instance runs; for queues, locks, events: between what an instance can be shared.
    `bases`: kinds it is a subclass of or whose methods it copies (a proxy, a fork of the library).
    """

    name: str
    role: Role
    where: Place = ""
    bases: tuple[str, ...] = ()
    unpickler: Literal["pickle", "cloudpickle", "dill", "inherited"] = "pickle"
    """How tasks travel: cloudpickle with loky and joblib (but not its backend "multiprocessing"), dill with multiprocess and pathos; with mpire workers inherit the callable."""
    notices_death: bool = False
    """Whether a waiting call is told when a worker dies (executors, billiard) instead of waiting for ever (Pool)."""
    daemonic: bool = False
    """Whether its workers are daemonic: they may not have child processes of `multiprocessing` (those of `multiprocess` may)."""
    leaving: Literal["", "stop", "wait"] = ""
    """What the end of its `with` block does: "stop" (Pool terminates), "wait" (executors finish all work), "" nothing to the work."""
    entry: str = ""
    """Method that runs in the worker and that a subclass defines: "run" of Process and Thread."""
    same_as: str = ""
    """From Python `same_since` on, the class is this class itself (`concurrent.futures.TimeoutError`)."""
    same_since: tuple[int, ...] = ()
    since: tuple[int, ...] = ()
    plain: bool = True
    """Exceptions: whether one is constructed, pickled and rebuilt as one of its base: no constructor and no pickle method of its own."""


class Api(msgspec.Struct, frozen=True, kw_only=True):
    """A callable of the API.

    `gives`: canonical class of what it returns, "" unknown; `gives_each`: class of the elements when it returns an iterable, a pair
    ("make": `Pipe`) or two sets ("wait" of `passes`: the done and the others).
    `where`: where `callee` runs when the receiver does not say; "argument:executor" is where the `executor` argument runs its work.
    `callee`/`initializer`/`callbacks`: callables among the arguments; `timeout`: the argument that bounds the wait, if there is one.
    `payload`: how arguments reach the callee; `arguments`: the iterable (the first of them), the tuple of arguments, or the first of them;
    `keywords`: their dict; `initargs`: arguments of `initializer`.
    `method`: start method this call fixes ("loky": fork and exec, the main module is not imported again), or "argument:0" to read it from
    the call; `method_at`: the same place as a parameter, `method` is then its default.
    `where_if`: literal arguments that decide where; the first that matches wins, an argument that is there and is no literal means "any",
    none of them leaves it to the kind.
    `through`: kind of the pool that the function makes for itself.
    `raises`: for "exit" what it raises ("" when it ends the process at once); with a `timeout` what reaching it raises ("" returns).
    `twin`: the method with a bound (`map_async` for `map`).  `since`/`until`: Python versions (3, 14) or () for always.
    """

    name: str
    does: tuple[Verb, ...]
    gives: str = ""
    gives_each: str = ""
    where: Place = ""
    callee: Parameter | None = None
    initializer: Parameter | None = None
    callbacks: tuple[Parameter, ...] = ()
    executor: Parameter | None = None
    context: Parameter | None = None
    timeout: Parameter | None = None
    passes: Parameter | None = None
    payload: Payload = ""
    arguments: Parameter | None = None
    keywords: Parameter | None = None
    initargs: Parameter | None = None
    method: str = ""
    method_at: Parameter | None = None
    where_if: tuple[Choice, ...] = ()
    through: str = ""
    raises: str = ""
    twin: str = ""
    since: tuple[int, ...] = ()
    until: tuple[int, ...] = ()


class Alias(msgspec.Struct, frozen=True, array_like=True):
    """`name` (or everything below it: both end in ".*") is `same_as` under the same columns; a row of its own wins over a ".*" alias."""

    name: str
    same_as: str


Row: TypeAlias = Kind | Api | Alias


class Table(msgspec.Struct, frozen=True, dict=True):
    """All rows, by canonical name."""

    kinds: dict[str, Kind]
    apis: dict[str, Api]
    aliases: dict[str, str]

    @cached_property
    def _spelled(self) -> dict[str, str]:
        return {}

    @cached_property
    def _rooms(self) -> frozenset[str]:
        """The modules, and classes, that have rows of their own: one in a copy of a library is not that of the original."""
        names = [*self.kinds, *self.apis]
        return frozenset(name[:at] for name in names for at in range(len(name)) if name[at] == ".")

    def canonical(self, name: str) -> str:
        """The canonical spelling of a dotted name; the name itself when no row knows it.  A `six` of a package's own is `six`."""
        known = self._spelled.get(name)
        if known is None:
            known = self._spelled[name] = self._canonical(name)
        return known

    def _canonical(self, name: str) -> str:
        if ".six.moves." in name:
            name = name[name.index("six.moves.") :]
        for _ in range(6):
            if name in self.aliases:
                name = self.aliases[name]
                continue
            if name in self.kinds or name in self.apis or name in self._rooms:
                return name
            head, dot, tail = name.rpartition(".")
            while head:
                if head in self.kinds:
                    return name
                star = self.aliases.get(f"{head}.*")
                if star is not None:
                    name = f"{star.removesuffix('.*')}.{tail}"
                    break
                if head in self.aliases:
                    name = f"{self.aliases[head]}.{tail}"
                    break
                head, dot, last = head.rpartition(".")
                tail = f"{last}.{tail}"
            else:
                return name
        return name

    def at(self, version: tuple[int, int]) -> Table:
        """The table as that Python version has it: classes that are others by then become aliases (`concurrent.futures.TimeoutError`)."""
        same = {kind.name: kind.same_as for kind in self.kinds.values() if kind.same_as and version >= kind.same_since}
        return Table({name: kind for name, kind in self.kinds.items() if name not in same}, self.apis, {**self.aliases, **same})

    def kind(self, name: str) -> Kind | None:
        return self.kinds.get(self.canonical(name))

    def api(self, name: str) -> Api | None:
        """The row of a function or constructor, by any of its spellings."""
        return self.apis.get(self.canonical(name))

    def method(self, cls: str, name: str) -> Api | None:
        """The row of method `name` of class `cls` or of one of its bases."""
        seen: set[str] = set()
        queue = [self.canonical(cls)]
        while queue:
            current = queue.pop(0)
            if current in seen:
                continue
            seen.add(current)
            row = self.apis.get(f"{current}.{name}")
            if row is not None:
                return row
            kind = self.kinds.get(current)
            if kind is not None:
                queue.extend(kind.bases)
        return None

    def bases(self, cls: str) -> tuple[str, ...]:
        """`cls` and all its bases that the table knows, nearest first."""
        out: list[str] = []
        queue = [self.canonical(cls)]
        while queue:
            current = queue.pop(0)
            if current not in out:
                out.append(current)
                kind = self.kinds.get(current)
                queue.extend(kind.bases if kind is not None else ())
        return tuple(out)


def table_of(rows: Iterable[Row]) -> Table:
    """Rows put in order.  Raises ValueError naming a row that is there twice."""
    kinds: dict[str, Kind] = {}
    apis: dict[str, Api] = {}
    aliases: dict[str, str] = {}
    for row in rows:
        if row.name in (kinds if isinstance(row, Kind) else apis if isinstance(row, Api) else aliases):
            raise ValueError(f"the API table has {row.name} twice")
        if isinstance(row, Kind):
            kinds[row.name] = row
        elif isinstance(row, Api):
            apis[row.name] = row
        else:
            aliases[row.name] = row.same_as
    return Table(kinds, apis, aliases)


@lru_cache(maxsize=1)
def builtin_table() -> Table:
    """The rows that ship with mplint."""
    from mplint.apis import asynchronous, errors, libraries, processes, system

    return table_of((*processes.ROWS, *system.ROWS, *asynchronous.ROWS, *errors.ROWS, *libraries.ROWS))
