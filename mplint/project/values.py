"""What an expression can evaluate to: plain values, a tuple of them where several are possible."""

from __future__ import annotations

from typing import Iterable, Union

import msgspec

from mplint import facts as f
from mplint.finding import Site
from mplint.project.lives.nesting import Key
from mplint.project.modules import Class, Function, Module


class External(msgspec.Struct, frozen=True):
    """Something outside the project, by canonical dotted name: `multiprocessing.pool.Pool`, `builtins.ValueError`, `signal.SIGTERM`."""

    name: str


class Instance(msgspec.Struct, frozen=True):
    """An object.

    `where` tells where work given to it runs: "process", "thread", "any" (an executor of unknown kind) or "" (does not apply).
    `start` is its start method ("spawn", "fork", "forkserver", "" when not said).  `made` is the call that created it, when that
    is known: two values with the same `made` are the same object.  `source` is what gave it: the pool of an AsyncResult, the
    executor of a future, the manager of a proxy.
    """

    cls: Class | External
    where: str = ""
    start: str = ""
    made: Site | None = None
    source: Instance | None = None
    task: tuple[Value, ...] = ()
    """For a future or AsyncResult: the callable that was submitted."""


class Bound(msgspec.Struct, frozen=True):
    """A method of an object: `function` of the project, or the External name of a library's method."""

    function: Function | External
    receiver: Value


class Partial(msgspec.Struct, frozen=True):
    """`functools.partial(func, ...)` made by `call` in `function`; or `joblib.delayed(func)` (`delayed`), whose call is a task and runs nothing."""

    func: Value
    call: f.Call
    function: Function
    delayed: bool = False


class Coroutine(msgspec.Struct, frozen=True):
    """What calling an `async def` gives; `call` is the call inside `caller`."""

    function: Function
    call: f.Call
    caller: Function


class Literal(msgspec.Struct, frozen=True):
    value: None | bool | int | float | str


class Many(msgspec.Struct, frozen=True):
    """A container or iterable; `items` is what its elements can be.  `kind`: "list", "set", "dict", "iterator", "tuple".

    Of a dict `items` are the values, and `keys` what iterating over it gives, as far as it is known.  `named` is what lies under keys that are
    written out (of a `*` parameter: at places), where that says more than a literal; it is among the items, too.
    """

    kind: str
    items: tuple[Value, ...]
    keys: tuple[Value, ...] = ()
    named: Named = ()


Named = tuple[tuple[Union[int, str], "tuple[Value, ...]"], ...]
"""Values by key, each key once."""

Entry = tuple[Key, "tuple[Value, ...]"]
"""What is put under a key."""


class Tuple(msgspec.Struct, frozen=True):
    """A tuple of known length: what each item can be."""

    items: tuple[tuple[Value, ...], ...]


class Entered(msgspec.Struct, frozen=True):
    """A context manager whose `with ... as` gives `items`."""

    items: tuple[Value, ...]


class Super(msgspec.Struct, frozen=True):
    """`super()` in a method of `cls`, for `receiver`."""

    cls: Class
    receiver: Value


class ModuleValue(msgspec.Struct, frozen=True):
    module: Module


class Unknown(msgspec.Struct, frozen=True):
    """`reason` says which question stayed open: "parameter", "attribute", "call", "name", ..."""

    reason: str


Value = Union[
    External, Instance, Bound, Partial, Coroutine, Literal, Many, Tuple, Entered, Super, ModuleValue, Unknown, Function, Class
]  # fmt: skip


def useful(value: Value) -> bool:
    """Whether a value says more than "something" or a literal."""
    return not isinstance(value, (Unknown, Literal))


def elements(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """What iterating over these values can give: the keys of a dict."""
    return _held(values, keys=True)


def held(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """What indexing these values can give: the values of a dict."""
    return _held(values, keys=False)


def _held(values: tuple[Value, ...], *, keys: bool) -> tuple[Value, ...]:
    out: list[Value] = []
    for value in values:
        if isinstance(value, Many):
            out.extend(value.keys if keys and value.kind == "dict" else value.items)
        elif isinstance(value, Tuple):
            out.extend(v for item in value.items for v in item)
    return tuple(dict.fromkeys(out))


def under(values: tuple[Value, ...], key: Key) -> tuple[Value, ...]:
    """What indexing these values by a key can give; all that they hold, where the key is None."""
    out: list[Value] = []
    for value in values:
        if isinstance(value, Tuple) and isinstance(key, int) and key < len(value.items):
            out.extend(value.items[key])
        elif isinstance(value, Many) and value.named and key is not None:
            others = {v for name, found in value.named if name != key for v in found}
            own = dict(value.named).get(key, ())
            out.extend((*own, *(v for v in value.items if v not in others)))
        else:
            out.extend(_held((value,), keys=False))
    return tuple(dict.fromkeys(out))


def named(entries: Iterable[Entry]) -> Named:
    """`Many.named` of what is put under keys, some of which may not be known."""
    out: dict[int | str, tuple[Value, ...]] = {}
    for key, values in entries:
        if key is not None and any(map(useful, values)):
            out[key] = tuple(dict.fromkeys((*out.get(key, ()), *values)))
    return tuple(out.items())


NESTING = 3
"""Containers inside containers that are told apart; a list that is put into itself would nest for ever."""

VAST = 200
"""Most values inside one container that are told apart below its own elements; containers that hold each other would multiply without end."""


def shallow(value: Value) -> Value:
    """`value` with containers below NESTING levels left out; of one with too much in it, all but its own elements."""
    return _cut(value, 1 if _is_vast(value) else NESTING)


def _is_vast(value: Value) -> bool:
    seen, ahead = 0, [value]
    while ahead:
        seen += 1
        if seen > VAST:
            return True
        inner = ahead.pop()
        if isinstance(inner, Many):
            ahead += inner.items
            ahead += inner.keys
            ahead += (v for _, found in inner.named for v in found)
        elif isinstance(inner, Tuple):
            ahead += (v for item in inner.items for v in item)
        elif isinstance(inner, Bound):
            ahead.append(inner.receiver)
    return False


def _cut(value: Value, depth: int) -> Value:
    if isinstance(value, Many):
        if not depth:
            return Unknown("nesting")
        items = tuple(dict.fromkeys(_cut(v, depth - 1) for v in value.items))
        keys = tuple(dict.fromkeys(_cut(v, depth - 1) for v in value.keys))
        if (items, keys) == (value.items, value.keys):
            return value
        return Many(value.kind, items, keys, tuple((name, tuple(_cut(v, depth - 1) for v in found)) for name, found in value.named))
    if isinstance(value, Tuple):
        if not depth:
            return Unknown("nesting")
        parts = tuple(tuple(dict.fromkeys(_cut(v, depth - 1) for v in item)) for item in value.items)
        return value if parts == value.items else Tuple(parts)
    if isinstance(value, Bound) and isinstance(value.receiver, (Many, Tuple)):  # a method of a container holds it
        receiver = _cut(value.receiver, depth)
        return Bound(value.function, receiver) if depth else receiver
    return value
