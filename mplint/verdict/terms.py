"""Symbolic values: what the parts of an exception are while its constructor is re-executed.

Immutable values compare by structure: two equal terms are the same object of the program, or equal ones.  `ListObj`, `DictObj`
and `Obj` are mutable and compare by identity; `freeze` takes their picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Union

from mplint import facts as f
from mplint.project.modules import Class, Function


class Const:
    """A known plain value: text, bytes, number, bool, None, Ellipsis."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Const) and type(other.value) is type(self.value) and (other.value == self.value or other.value is self.value)

    def __hash__(self) -> int:
        return hash((type(self.value).__name__, self.value))

    def __repr__(self) -> str:
        return f"Const({self.value!r})"


NONE = Const(None)


@dataclass(frozen=True)
class Sym:
    """An input of the constructor whose value is not known: generic, truthy, unlike every other.  `kind` is its type when known."""

    name: str
    kind: str = field(default="", compare=False)


_LARGE, _HUGE = 400, 1 << 40
"""Parts of parts, counted as in a tree.  Terms share their parts, so a loop makes trees that no machine can walk: above _LARGE the hash tells."""


def _size(part: Any) -> int:
    if isinstance(part, Term):
        return part.size
    if isinstance(part, Seq):
        return 1 + sum(map(_size, part.items))
    return sum(map(_size, part)) if isinstance(part, tuple) else 1


class Term:
    """Something computed from values.  `op` names the operation; `kind` is the type of the result, "" when unknown.

    A kind that begins with "!" cannot be pickled; the rest says what it is.  The parts are frozen, so a term is its own picture.
    """

    __slots__ = ("_hash", "kind", "op", "parts", "size")

    def __init__(self, op: str, parts: tuple[Any, ...], kind: str = "") -> None:
        self.op, self.parts, self.kind = op, parts, kind
        self.size = min(1 + sum(map(_size, parts)), _HUGE)
        self._hash = hash((op, parts))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Term) or self._hash != other._hash or self.op != other.op or self.size != other.size:
            return False
        return self.size > _LARGE or self.parts == other.parts

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Term({self.op!r}, {self.parts!r}, {self.kind!r})"


@dataclass(frozen=True)
class Seq:
    """A tuple of known length, or the frozen picture of a list or set: `kind` is "tuple", "list", "set" or "frozenset"."""

    kind: str
    items: tuple[Any, ...]


@dataclass(frozen=True)
class Func:
    """A function of the project; `env` holds what a nested one closes over."""

    function: Function
    env: Any = field(default=None, compare=False)


@dataclass(frozen=True)
class LambdaFunc:
    at: int
    path: str
    facts: f.FunctionFacts = field(compare=False)
    frame: Any = field(compare=False)


@dataclass(frozen=True)
class Cls:
    """A class: of the project, or a builtin or library one by dotted name."""

    cls: Class | str


@dataclass(frozen=True)
class Ext:
    """A function, module or object of a library, by dotted name."""

    name: str


@dataclass(frozen=True)
class Method:
    """`name` of a value that is no object of the interpreter: `"...".format`, `errors.append`."""

    receiver: Any
    name: str


@dataclass(frozen=True)
class BoundFunc:
    function: Any
    receiver: Any


@dataclass(frozen=True)
class BuiltinMethod:
    """A C-level method (`__init__`, `__new__`, `__reduce__`, ...) of the builtin exception `owner`, bound when `receiver` is given."""

    owner: str
    name: str
    receiver: Any = None


@dataclass(frozen=True)
class Partial:
    func: Any
    args: tuple[Any, ...]
    keywords: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class SuperOf:
    """`super()`: the rest of the MRO of `of` after `after`, for `receiver` (an object, or the class itself in `__new__`)."""

    after: Any
    of: Any
    receiver: Any


class ListObj:
    """A list that the constructor builds; `items` is None when unknown, then `source` says what it was made from."""

    def __init__(self, items: list[Any] | None, source: Any = None, kind: str = "list") -> None:
        self.items, self.source, self.kind = items, source, kind


class DictObj:
    """A dict that the constructor builds, keys in order; `rest` holds opaque mappings merged into it.

    With an `owner` it is that object's `__dict__`: what is put into it becomes an attribute.
    """

    def __init__(self, items: dict[Any, Any], rest: tuple[Any, ...] = (), owner: Obj | None = None) -> None:
        self.items, self.rest, self.owner = items, rest, owner

    def put(self, key: Any, value: Any) -> None:
        self.items[key] = value
        if self.owner is not None and isinstance(key, Const):
            self.owner.attrs[str(key.value)] = value

    def drop(self, key: Any) -> Any:
        if self.owner is not None and isinstance(key, Const):
            self.owner.attrs.pop(str(key.value), None)
        return self.items.pop(key, NONE)


class Obj:
    """An instance under construction.

    `args` is the tuple of BaseException (None when unknown, then `args_term` says what it is), `fields` the C-level
    members, `slots` the values of `__slots__`, `attrs` the `__dict__`.
    """

    def __init__(self, cls: Any, args: tuple[Any, ...] | None = ()) -> None:
        self.cls = cls
        self.args = args
        self.args_term: Any = None
        self.attrs: dict[str, Any] = {}
        self.fields: dict[str, Any] = {}
        self.slots: dict[str, Any] = {}
        self.vague = False


Value = Union[
    Const, Sym, Term, Seq, Func, LambdaFunc, Cls, Ext, Method, BoundFunc, BuiltinMethod, Partial, SuperOf, ListObj, DictObj, Obj
]  # fmt: skip

TYPES: dict[str, type] = {
    "str": str, "int": int, "float": float, "bool": bool, "bytes": bytes, "NoneType": type(None), "tuple": tuple, "list": list, "set": set,
    "frozenset": frozenset, "dict": dict, "complex": complex, "bytearray": bytearray, "ellipsis": type(Ellipsis),
}  # fmt: skip


def kind_of(value: Any) -> str:
    """The builtin type of a value by name, the dotted name of another known class, "" when unknown."""
    if isinstance(value, Const):
        return type(value.value).__name__
    if isinstance(value, (Sym, Term)):
        return value.kind
    if isinstance(value, (Seq, ListObj)):
        return value.kind
    if isinstance(value, DictObj):
        return "dict"
    if isinstance(value, Obj):
        return "object"
    if isinstance(value, Cls):
        return "type"
    if isinstance(value, (Func, LambdaFunc)):
        return "function"
    return ""


def freeze(value: Any, depth: int = 0, seen: tuple[int, ...] = ()) -> Any:
    """An immutable picture of a value, for comparing and for parts of terms; of an object its class and `args`."""
    if depth > 12 or id(value) in seen:
        return Const("...")
    if isinstance(value, ListObj):
        if value.items is None:
            return Term("list", (value.source,), value.kind)
        return Seq(value.kind, tuple(freeze(v, depth + 1, (*seen, id(value))) for v in value.items))
    if isinstance(value, DictObj):
        items = tuple((k, freeze(v, depth + 1, (*seen, id(value)))) for k, v in value.items.items())
        return Term("dict", (*items, *value.rest), "dict")
    if isinstance(value, Seq):
        return Seq(value.kind, tuple(freeze(v, depth + 1, seen) for v in value.items))
    if isinstance(value, (Term, Const, Sym)):
        return value
    if isinstance(value, tuple):
        return tuple(freeze(v, depth + 1, seen) for v in value)
    if isinstance(value, Obj):
        args = Seq("tuple", value.args) if value.args is not None else value.args_term
        return Term("object", (value.cls, freeze(args, depth + 1, (*seen, id(value)))), "object")
    return value


def text(pieces: list[Any]) -> Any:
    """The text made of `pieces` put behind each other; pieces that are no text are converted with `str`."""
    flat: list[Any] = []
    for piece in pieces:
        piece = as_text(piece)
        parts = piece.parts if isinstance(piece, Term) and piece.op == "text" else (piece,)
        for part in parts:
            if isinstance(part, Const) and flat and isinstance(flat[-1], Const):
                flat[-1] = Const(flat[-1].value + part.value)
            elif not (isinstance(part, Const) and part.value == ""):
                flat.append(part)
    if not flat:
        return Const("")
    if len(flat) == 1:
        return flat[0]
    return Term("text", tuple(flat), "str")


def as_text(value: Any) -> Any:
    """`str(value)` of something that needs no `__str__` of the project."""
    if isinstance(value, Const):
        return value if isinstance(value.value, str) else Const(str(value.value))
    if kind_of(value) == "str":
        return value
    return Term("str", (freeze(value),), "str")


def contains(value: Any, part: Any, depth: int = 0) -> bool:
    """Whether `part` occurs in `value`."""
    if value == part:
        return True
    if depth > 12:
        return False
    if isinstance(value, Term):
        return any(contains(p, part, depth + 1) for p in value.parts)
    if isinstance(value, Seq):
        return any(contains(p, part, depth + 1) for p in value.items)
    if isinstance(value, tuple):
        return any(contains(p, part, depth + 1) for p in value)
    return False
