"""Methods of plain values: text, lists, dicts."""

from __future__ import annotations

from typing import Any

from mplint.verdict import library, operators
from mplint.verdict.machine import Machine, Thrown, Vague
from mplint.verdict.terms import NONE, TYPES, Const, DictObj, ListObj, Seq, Sym, Term, freeze, text

Args = tuple[Any, ...]
Kwargs = dict[str, Any]


def method(m: Machine, receiver: Any, name: str, args: Args, kwargs: Kwargs) -> Any:
    """`receiver.name(*args, **kwargs)` for text, lists, dicts and other plain values."""
    if isinstance(receiver, ListObj) and receiver.kind == "list":
        return _list_method(m, receiver, name, args, kwargs)
    if isinstance(receiver, DictObj):
        return _dict_method(m, receiver, name, args, kwargs)
    kind = operators.kind(m, receiver)
    if kind == "str":
        found = _text_method(m, receiver, name, args, kwargs)
        if found is not None:
            return found
    if isinstance(receiver, Const) and all(isinstance(a, Const) for a in args) and not kwargs and isinstance(receiver.value, (str, bytes, int, float)):
        return _lifted(operators._try(getattr(receiver.value, name), *(a.value for a in args)))
    return Term("method", (name, freeze(receiver), freeze(args), freeze(tuple(kwargs.items()))), library.METHOD_KINDS.get(kind, {}).get(name, ""))


def _lifted(value: Any) -> Any:
    if isinstance(value, list):
        return ListObj([_lifted(v) for v in value])
    if isinstance(value, tuple):
        return Seq("tuple", tuple(_lifted(v) for v in value))
    return Const(value)


def _text_method(m: Machine, receiver: Any, name: str, args: Args, kwargs: Kwargs) -> Any:
    from mplint.verdict.expressions import iterate
    from mplint.verdict.objects import attribute

    if name == "format" and isinstance(receiver, Const):
        return operators.brace_format(m, receiver.value, args, kwargs, lambda value, key: attribute(m, value, key))
    if name == "join" and args:
        items = iterate(m, args[0])
        if items is None:
            return Term("join", (freeze(receiver), freeze(args[0])), "str")
        out: list[Any] = []
        for number, piece in enumerate(items):
            kind = operators.kind(m, piece)
            if kind in TYPES and kind != "str":
                raise Thrown("TypeError", f"sequence item {number}: expected str instance, {kind} found")
            out.extend([receiver, piece] if number else [piece])
        return text(out)
    if name == "replace" and len(args) >= 2 and all(isinstance(a, Const) for a in args) and not kwargs:
        if isinstance(receiver, Sym):
            return receiver  # an input is like nothing that is written out
        if isinstance(receiver, Term) and receiver.op == "text":
            given = [a.value for a in args]
            return text([Const(operators._try(p.value.replace, *given)) if isinstance(p, Const) else p for p in receiver.parts])
    if name in {"strip", "lstrip", "rstrip", "lower", "upper"} and not args:
        if isinstance(receiver, Term) and receiver.op == "method" and receiver.parts[0] == name:
            return receiver
    return None


def _list_method(m: Machine, receiver: ListObj, name: str, args: Args, kwargs: Kwargs) -> Any:
    from mplint.verdict.expressions import iterate

    if receiver.items is not None:
        if name == "append":
            receiver.items.append(args[0])
            return NONE
        if name == "extend":
            more = iterate(m, args[0])
            if more is not None:
                receiver.items.extend(more)
                return NONE
        if name == "insert" and isinstance(args[0], Const):
            receiver.items.insert(args[0].value, args[1])
            return NONE
        if name == "pop" and receiver.items and all(isinstance(a, Const) for a in args):
            return operators._try(receiver.items.pop, *(a.value for a in args))
        if name == "copy":
            return ListObj(list(receiver.items))
    if name in {"append", "extend", "insert", "pop", "remove", "sort", "reverse", "clear"}:
        before = freeze(receiver)
        receiver.items, receiver.source = None, Term("method", (name, before, freeze(args)))
        return Term("method", (name, before, freeze(args), "result"))
    return Term("method", (name, freeze(receiver), freeze(args), freeze(tuple(kwargs.items()))), library.METHOD_KINDS["list"].get(name, ""))


def _dict_method(m: Machine, receiver: DictObj, name: str, args: Args, kwargs: Kwargs) -> Any:
    key = freeze(args[0]) if args else None
    default = args[1] if len(args) > 1 else NONE
    exact = not receiver.rest and all(isinstance(k, Const) for k in receiver.items) and isinstance(key, Const)
    if name == "get" and (exact or key in receiver.items):
        return receiver.items.get(key, default)
    if name == "pop" and (exact or key in receiver.items):
        if key in receiver.items:
            return receiver.drop(key)
        if len(args) < 2:
            raise Thrown("KeyError", repr(getattr(key, "value", "")))
        return default
    if name == "setdefault" and exact:
        if key not in receiver.items:
            receiver.put(key, default)
        return receiver.items[key]
    if name == "update":
        if args and isinstance(args[0], DictObj):
            for k, v in args[0].items.items():
                receiver.put(k, v)
            receiver.rest += args[0].rest
        elif args:
            receiver.rest += (key,)
        for word, value in kwargs.items():
            receiver.put(Const(word), value)
        if receiver.rest and receiver.owner is not None:
            raise Vague("`__dict__` updated with something unknown")
        return NONE
    if name == "copy":
        return DictObj(dict(receiver.items), receiver.rest)
    if name in {"keys", "values", "items"} and not receiver.rest:
        if name == "keys":
            return Seq("tuple", tuple(receiver.items))
        return Seq("tuple", tuple(v if name == "values" else Seq("tuple", (k, v)) for k, v in receiver.items.items()))
    return Term("method", (name, freeze(receiver), freeze(args), freeze(tuple(kwargs.items()))), library.METHOD_KINDS["dict"].get(name, ""))
