"""Conditions on symbolic values: what is certain, and what a run has to decide."""

from __future__ import annotations

from typing import Any

from mplint.verdict import operators
from mplint.verdict.machine import Machine
from mplint.verdict.terms import NONE, TYPES, BoundFunc, Cls, Const, DictObj, Ext, Func, LambdaFunc, ListObj, Obj, Seq, Sym, Term, freeze


def truth(m: Machine, value: Any) -> bool:
    """Whether `value` is true.  An input is: callers that pass something pass something real."""
    if isinstance(value, Const):
        return bool(value.value)
    if isinstance(value, Seq):
        return bool(value.items)
    if isinstance(value, ListObj):
        return m.decide(Term("truth", (freeze(value),)), True) if value.items is None else bool(value.items)
    if isinstance(value, DictObj):
        return bool(value.items) or (bool(value.rest) and m.decide(Term("truth", (freeze(value),)), True))
    if isinstance(value, (Obj, Func, LambdaFunc, Cls, BoundFunc, Ext)):
        return True
    if isinstance(value, Term):
        if value.op == "text":
            return True
        if value.op == "not":
            return not truth(m, value.parts[0])
        if value.kind.startswith("!") or value.op in {"new", "module"}:
            return True
        if value.op in {"str", "repr"} and isinstance(value.parts[0], (Sym, Const)):
            return True
    if isinstance(value, Sym) and operators.kind(m, value) not in {"bool", "int"}:
        return True
    return m.decide(Term("truth", (freeze(value),)), True)


def compare(m: Machine, op: str, left: Any, right: Any) -> Any:
    """A comparison as a constant, decided where it is not certain."""
    if op in {"is not", "!=", "not in"}:
        return Const(not truth(m, compare(m, {"is not": "is", "!=": "==", "not in": "in"}[op], left, right)))
    a, b = freeze(left), freeze(right)
    if op == "is":
        return Const(_identical(m, left, right, a, b))
    if op == "==":
        return Const(_equal(m, left, right, a, b))
    if op == "in":
        return Const(_member(m, left, right, a, b))
    if isinstance(left, Const) and isinstance(right, Const):
        return operators.binary(m, op, left, right)
    if isinstance(left, Seq) and isinstance(right, Seq) and all(isinstance(i, Const) for i in (*left.items, *right.items)):
        return operators.binary(m, op, Const(tuple(i.value for i in left.items)), Const(tuple(i.value for i in right.items)))
    names = operators.kind(m, left), operators.kind(m, right)
    numbers = {"int", "float", "bool"}
    if all(n in TYPES for n in names) and names[0] != names[1] and not set(names) <= numbers:
        from mplint.verdict.machine import Thrown

        raise Thrown("TypeError", f"{op!r} not supported between instances of {names[0]!r} and {names[1]!r}")
    for value, name, other in ((left, names[0], names[1]), (right, names[1], names[0])):
        if not name and other in numbers:
            operators.learn(m, value, "int")
    return Const(m.decide(Term(op, (a, b)), False))


def _identical(m: Machine, left: Any, right: Any, a: Any, b: Any) -> bool:
    if isinstance(left, (Obj, ListObj, DictObj)) or isinstance(right, (Obj, ListObj, DictObj)):
        return left is right
    if isinstance(a, Const) and isinstance(b, Const):
        return bool(a == b)
    for one, other in ((a, b), (b, a)):
        if one == NONE or (isinstance(one, Const) and isinstance(one.value, bool)):
            if isinstance(other, (Sym, Seq, Func, Cls, LambdaFunc)) and not (isinstance(other, Sym) and operators.kind(m, other) in {"bool", "NoneType"}):
                return False
            if isinstance(other, Term) and (other.kind not in {"", "bool"} or other.op in {"text", "new", "fresh"}):
                return False
    if a == b:
        return True
    if isinstance(a, (Sym, Cls, Func)) and isinstance(b, (Sym, Cls, Func, Term)):
        if not (isinstance(b, Term) and b.op not in {"global", "new"}):
            return False
    return m.decide(Term("is", (a, b)), False)


def _equal(m: Machine, left: Any, right: Any, a: Any, b: Any) -> bool:
    if a == b:
        return True
    if isinstance(a, Const) and isinstance(b, Const):
        return bool(a.value == b.value)
    if isinstance(a, Seq) and isinstance(b, Seq) and (a.kind != b.kind or len(a.items) != len(b.items)):
        return False
    names = operators.kind(m, left), operators.kind(m, right)
    if all(n in TYPES for n in names) and names[0] != names[1] and not set(names) <= {"int", "float", "bool"}:
        return False
    if isinstance(a, (Cls, Func)) and isinstance(b, (Cls, Func)):
        return False
    return m.decide(Term("==", (a, b)), False)


def _member(m: Machine, left: Any, right: Any, a: Any, b: Any) -> bool:
    if isinstance(a, Const) and isinstance(b, Const) and isinstance(a.value, str) and isinstance(b.value, str):
        return a.value in b.value
    if isinstance(right, DictObj) and not right.rest and (a in right.items or (isinstance(a, Const) and all(isinstance(k, Const) for k in right.items))):
        return a in right.items
    items = right.items if isinstance(right, (Seq, ListObj)) else None
    if items is not None:
        if a in [freeze(i) for i in items]:
            return True
        if isinstance(a, Const) and all(isinstance(i, Const) for i in items):
            return False
        if not items:
            return False
    if operators.kind(m, right) in {"int", "float", "NoneType", "bool"}:
        from mplint.verdict.machine import Thrown

        raise Thrown("TypeError", f"argument of type {operators.kind(m, right)!r} is not iterable")
    if isinstance(b, Term) and b.op == "text" and isinstance(a, Const) and isinstance(a.value, str):
        if any(isinstance(p, Const) and a.value in p.value for p in b.parts):
            return True
    return m.decide(Term("in", (a, b)), False)


_ABSTRACT = {"builtins", "collections", "typing", "typing_extensions", "numbers", "abc", "os", "types", "six", "past", "future"}
"""Packages with classes that plain values are instances of; a class of any other is one that they are not."""


def instance_of(m: Machine, value: Any, types: Any) -> bool:
    """`isinstance(value, types)`."""
    if isinstance(types, Seq):
        return any(instance_of(m, value, t) for t in types.items)
    name = operators.kind(m, value)
    wanted = types.name.removeprefix("builtins.") if isinstance(types, Ext) and types.name.startswith("builtins.") else ""
    if isinstance(value, Obj):
        if isinstance(types, Cls):
            return types.cls in m.shapes.of(value.cls).mro
        return wanted == "object"
    if isinstance(value, Cls):
        return wanted in {"type", "object"}
    if wanted == "object":
        return True
    if name in TYPES:
        if wanted in TYPES:
            return issubclass(TYPES[name], TYPES[wanted])
        if isinstance(types, Cls) or (isinstance(types, Ext) and types.name.partition(".")[0] not in _ABSTRACT):
            return False
    if isinstance(value, Term) and value.op == "new" and isinstance(types, Cls) and isinstance(value.parts[0], Cls):
        return types.cls in m.shapes.of(value.parts[0].cls).mro
    key = Term("isinstance", (freeze(value), freeze(types)))
    if wanted in TYPES and isinstance(value, Sym):
        for other, answer in m.assumed.items():
            if answer and isinstance(other, Term) and other.op == "isinstance" and other.parts[0] == value and other != key:
                return False
    answer = m.decide(key, True)
    if answer and wanted in TYPES:
        operators.learn(m, value, wanted)
    return answer
