"""The trip of an exception through pickle: what is dumped, how it is rebuilt, what differs afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mplint import facts as f
from mplint.project.modules import Class
from mplint.verdict import operators
from mplint.verdict.calls import call
from mplint.verdict.machine import Impossible, Machine, Thrown, Vague
from mplint.verdict.recipes import reduced
from mplint.verdict.objects import object_attribute, set_attribute
from mplint.verdict.terms import (
    NONE, BoundFunc, BuiltinMethod, Cls, Const, DictObj, Func, LambdaFunc, ListObj, Obj, Partial, Seq, Term, freeze,
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """How the trip ends.

    `kind` is "OK", "FAIL" (it cannot be rebuilt), "CORRUPT" (it comes back changed), "DUMP" (it cannot be pickled) or
    "UNKNOWN".  `reason` says why in words; `what` names the parameters, attributes or objects concerned.  `cause` is the shape:
    "missing", "many", "star" (too many, behind a star), "keywords", "body", "state", "args", "lost", "changed", "object", "local", "loop".
    """

    kind: str
    reason: str = ""
    cause: str = ""
    what: tuple[str, ...] = ()
    args: tuple[Any, ...] = ()
    """The positional arguments that the rebuild gets, frozen."""

    refused: bool = False
    """Whether the constructor raises by a statement of its own: what it tests may as well find the other."""


OK = Outcome("OK")


def round_trip(m: Machine, obj: Obj) -> Outcome:
    """Pickle `obj` and rebuild it.  Raises Vague."""
    if isinstance(obj.cls, Class) and obj.cls.outer is not None:
        return Outcome("DUMP", f"`{obj.cls.name}` is defined inside a function", "local", (obj.cls.name,))
    try:
        parts = _reduced(m, obj)
    except Thrown as error:
        return Outcome("DUMP", f"`__reduce__` raises {error.kind}: {error.text}", "object")
    if not (isinstance(parts, Seq) and parts.kind == "tuple" and 2 <= len(parts.items) <= 6):
        raise Vague("what `__reduce__` returns")
    func, args, state = parts.items[0], parts.items[1], parts.items[2] if len(parts.items) > 2 else NONE
    if not (isinstance(args, Seq) and args.kind == "tuple"):
        raise Vague("the arguments that `__reduce__` gives")
    for value, name in ((func, ""), *((a, "args") for a in args.items)):
        bad = unpicklable(value, obj)
        if bad:
            return Outcome("DUMP", f"`{name or '__reduce__'}` holds {bad}", "object", (name, bad))
    bad_state = _bad_state(state)
    if bad_state is not None:
        return Outcome("DUMP", f"`self.{bad_state[0]}` is {bad_state[1]}", "object", bad_state)
    return _rebuilt(m, obj, func, args, state)


def _reduced(m: Machine, obj: Obj) -> Any:
    if m.recipe is not None:
        return reduced(m.recipe, obj)
    entry = m.shapes.registered(obj.cls)
    if entry is not None:
        return call(m, entry, (obj,), {})
    shape = m.shapes.of(obj.cls)
    found = shape.find_python("__reduce_ex__")
    if found is not None:
        return call(m, object_attribute(m, obj, "__reduce_ex__"), (Const(4),), {})
    return call(m, object_attribute(m, obj, "__reduce__"), (), {})


def _bad_state(state: Any) -> tuple[str, str] | None:
    if isinstance(state, DictObj):
        for key, value in state.items.items():
            bad = unpicklable(value, None)
            if bad:
                return str(key.value) if isinstance(key, Const) else "", bad
        return None
    bad = unpicklable(state, None)
    return ("state", bad) if bad else None


def unpicklable(value: Any, within: Obj | None, depth: int = 0) -> str:
    """What in `value` pickle refuses, in words; "" when it takes everything.  `within` is the object whose arguments these are."""
    if depth > 8:
        return ""
    if isinstance(value, LambdaFunc):
        return "a lambda"
    if isinstance(value, Func):
        return "a nested function" if value.function.outer is not None else ""
    if isinstance(value, Cls):
        return "a local class" if isinstance(value.cls, Class) and value.cls.outer is not None else ""
    if isinstance(value, Term):
        return value.kind[1:] if value.kind.startswith("!") else ""
    if isinstance(value, Obj):
        return "the exception itself" if value is within else ""
    if isinstance(value, BoundFunc):
        return unpicklable(value.receiver, within, depth + 1)
    inner: tuple[Any, ...] = ()
    if isinstance(value, Seq):
        inner = value.items
    elif isinstance(value, ListObj):
        inner = tuple(value.items or ())
    elif isinstance(value, DictObj):
        inner = tuple(value.items.values())
    elif isinstance(value, Partial):
        inner = (value.func, *value.args, *(v for _, v in value.keywords))
    elif isinstance(value, BuiltinMethod):
        inner = (value.receiver,) if value.receiver is not None else ()
    return next((bad for bad in (unpicklable(v, within, depth + 1) for v in inner) if bad), "")


def _rebuilt(m: Machine, obj: Obj, func: Any, args: Seq, state: Any) -> Outcome:
    before = picture(obj)
    given = tuple(copied(a) for a in args.items)
    frozen = tuple(freeze(a) for a in args.items)
    kept = copied(state)
    m.rebuilding, m.earlier, m.steps = True, m.steps, 0
    try:
        made = call(m, func, given, {})
    except Thrown as error:
        return _failure(m, error, frozen)
    except Impossible:
        return Outcome("FAIL", "`__init__` refuses what it gets back", "body", (), frozen)
    if not isinstance(made, Obj):
        raise Vague("what the rebuild gives")
    try:
        set_state(m, made, kept)
    except Thrown as error:
        return Outcome("FAIL", f"its attributes cannot be set again: {error.text}", "state", (), frozen)
    return compared(m, before, picture(made), frozen)


def _failure(m: Machine, error: Thrown, frozen: tuple[Any, ...]) -> Outcome:
    if isinstance(error.value, tuple):
        return Outcome("FAIL", error.text, "missing", tuple(str(v) for v in error.value), frozen)
    if error.value == "many":
        return Outcome("FAIL", error.text, "many", (), frozen)
    return Outcome("FAIL", f"{error.kind}: {error.text}" if error.kind else error.text, "body", (), frozen, error.stated)


def copied(value: Any, depth: int = 0) -> Any:
    """What comes out of pickle for a value that survives it: an equal one."""
    if depth > 8:
        return value
    if isinstance(value, ListObj):
        return ListObj([copied(v, depth + 1) for v in value.items] if value.items is not None else None, value.source, value.kind)
    if isinstance(value, DictObj):
        return DictObj({k: copied(v, depth + 1) for k, v in value.items.items()}, value.rest)
    if isinstance(value, Seq):
        return Seq(value.kind, tuple(copied(v, depth + 1) for v in value.items))
    return value


def set_state(m: Machine, obj: Obj, state: Any, builtin: bool = False) -> None:
    """What unpickling does with the third item of `__reduce__`."""
    if state == NONE:
        return
    found = m.shapes.of(obj.cls).find_python("__setstate__")
    if found is not None and not builtin:
        call(m, object_attribute(m, obj, "__setstate__"), (state,), {})
        return
    if not isinstance(state, DictObj):
        if operators.kind(m, state) not in {"", "dict"}:
            raise Thrown("TypeError", "state is not a dictionary")
        raise Vague("the state")
    if state.rest:
        raise Vague("the state")
    for key, value in list(state.items.items()):
        if isinstance(key, Const):
            set_attribute(m, obj, str(key.value), value)


_SHOWN = {"errno", "strerror", "filename", "filename2"}
"""Members of which `str()` tells whether they were ever set, to None too."""


def picture(obj: Obj) -> dict[str, Any]:
    """Everything that can be seen of an exception, frozen."""
    seen: dict[str, Any] = {"type": Cls(obj.cls), "args": Seq("tuple", tuple(freeze(a) for a in obj.args)) if obj.args is not None else obj.args_term}
    seen.update({f".{k}": freeze(v) for k, v in obj.fields.items() if (v != NONE or k in _SHOWN) and k not in {"obj", "characters_written"}})
    seen.update({f"/{k}": freeze(v) for k, v in obj.slots.items()})
    seen.update({f"self.{k}": freeze(v) for k, v in obj.attrs.items()})
    return seen


def compared(m: Machine, before: dict[str, Any], after: dict[str, Any], given: tuple[Any, ...]) -> Outcome:
    doubtful: list[str] = []
    changed: list[str] = []
    for name in dict.fromkeys([*before, *after]):
        if name in before and name in after:
            answer = operators.same(before[name], after[name])
            if answer is None:
                doubtful.append(name)
            elif not answer:
                changed.append(name)
        else:
            changed.append(name)
    names = tuple(n.lstrip("./").removeprefix("self.") for n in changed)
    if "type" in changed:
        return Outcome("CORRUPT", "it comes back as another class", "changed", names, given)
    if "args" in changed:
        was, now = before["args"], after["args"]
        if isinstance(was, Seq) and isinstance(now, Seq) and len(was.items) == len(now.items) == 1 and contains_text(now.items[0], was.items[0]):
            return Outcome("CORRUPT", "its message is formatted a second time", "changed", names, given)
        return Outcome("CORRUPT", "its `args` change", "changed", names, given)
    if changed:
        return Outcome("CORRUPT", f"`{names[0]}` is lost or changes", "lost", names, given)
    twin = _sentinel(m, before)
    if twin:
        return Outcome("CORRUPT", f"`{twin}` comes back as another object, and the class tests for identity with it", "changed", (twin,), given)
    if doubtful:
        raise Vague(f"whether `{doubtful[0].lstrip('./')}` stays the same")
    return OK


def _sentinel(m: Machine, before: dict[str, Any]) -> str:
    """The name of an object made once by the project that the exception holds and that its methods compare by `is`; "" without one."""
    held = [v for v in before.values() if isinstance(v, Term) and v.op == "made"]
    if not held:
        return ""
    cls = before["type"].cls
    for value in dict.fromkeys(held):
        _, name, kind = value.parts
        if any(m.shapes.of(kind).find_python(hook) is not None for hook in ("__reduce__", "__reduce_ex__", "__getnewargs__", "__eq__", "__new__")):
            continue
        for place in m.shapes.of(cls).mro:
            for method in place.methods_mentioning(name) if isinstance(place, Class) else ():
                rows = method.rows
                if method.name not in {"__init__", "__new__"} and any(
                    isinstance(r, f.Op) and r.op in {"is", "is not"} and any(f.dotted(o).rpartition(".")[2] == name for o in r.operands) for r in rows
                ):
                    return str(name)
    return ""


def contains_text(outer: Any, inner: Any) -> bool:
    """Whether the text `outer` was made around the text `inner`."""
    if not isinstance(outer, Term):
        return isinstance(outer, Const) and isinstance(inner, Const) and str(inner.value) in str(outer.value)
    parts = inner.parts if isinstance(inner, Term) and inner.op == "text" else (inner,)
    symbols = [p for p in parts if not isinstance(p, Const)]
    return bool(symbols) and all(s in outer.parts for s in symbols) and len(outer.parts) > len(parts)
