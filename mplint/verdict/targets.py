"""Assignment to names, attributes, items and tuples of them."""

from __future__ import annotations

from typing import Any

from mplint import facts as f
from mplint.verdict import operators
from mplint.verdict.expressions import ev, iterate
from mplint.verdict.machine import Frame, Machine, Thrown
from mplint.verdict.objects import set_attribute
from mplint.verdict.terms import DictObj, ListObj, Obj, Term, freeze


def assign(m: Machine, target: f.Expr, value: Any, frame: Frame) -> None:
    """`target = value`."""
    if isinstance(target, f.Name):
        frame.env[target.id] = value
    elif isinstance(target, f.Attr):
        owner = ev(m, target.value, frame)
        if isinstance(owner, Obj):
            set_attribute(m, owner, target.attr, value)
    elif isinstance(target, f.Item):
        owner, index = ev(m, target.value, frame), ev(m, target.index, frame)
        if isinstance(owner, DictObj):
            owner.put(freeze(index), value)
        elif isinstance(owner, ListObj):
            owner.source, owner.items = Term("set", (freeze(owner), freeze(index), freeze(value))), None
        elif operators.kind(m, owner) in {"str", "tuple", "int", "NoneType"}:
            raise Thrown("TypeError", f"{operators.kind(m, owner)!r} object does not support item assignment")
    elif isinstance(target, f.Star):
        assign(m, target.value, value, frame)
    elif isinstance(target, f.Sequence):
        _unpack(m, target, value, frame)


def _unpack(m: Machine, target: f.Sequence, value: Any, frame: Frame) -> None:
    items = iterate(m, value)
    star = next((i for i, t in enumerate(target.items) if isinstance(t, f.Star)), None)
    count = len(target.items)
    if items is None:
        for i, part in enumerate(target.items):
            assign(m, part, Term("unpacked", (freeze(value), i, count)), frame)
    elif star is None:
        if len(items) != count:
            raise Thrown("ValueError", f"{'too many' if len(items) > count else 'not enough'} values to unpack (expected {count})")
        for part, worth in zip(target.items, items):
            assign(m, part, worth, frame)
    else:
        after = count - star - 1
        if len(items) < count - 1:
            raise Thrown("ValueError", f"not enough values to unpack (expected at least {count - 1}, got {len(items)})")
        for part, worth in zip(target.items[:star], items):
            assign(m, part, worth, frame)
        assign(m, target.items[star], ListObj(items[star : len(items) - after]), frame)
        for part, worth in zip(target.items[star + 1 :], items[len(items) - after :]):
            assign(m, part, worth, frame)
