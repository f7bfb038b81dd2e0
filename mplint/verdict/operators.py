"""Operators, conversion to text and formatting of symbolic values."""

from __future__ import annotations

import operator
import re
import string
from typing import Any, Callable

from mplint.verdict.library import GROWING, KEEPING
from mplint.verdict.machine import Machine, Thrown
from mplint.verdict.terms import NONE, TYPES, Const, DictObj, ListObj, Obj, Seq, Sym, Term, as_text, contains, freeze, kind_of, text

_PLAIN: dict[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "&": operator.and_,
    "|": operator.or_, "^": operator.xor, "<<": operator.lshift, ">>": operator.rshift, "neg": operator.neg, "pos": operator.pos,
    "~": operator.invert, "**": operator.pow,
}  # fmt: skip
NUMBERS = {"int", "float", "bool", "complex"}
_PERCENT = re.compile(r"%(?:\((?P<key>[^)]*)\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?(?P<type>[a-zA-Z%])")


def kind(m: Machine, value: Any) -> str:
    """The type of a value by name, with what this run has learnt about inputs."""
    return m.kinds.get(value.name, "") or value.kind if isinstance(value, Sym) else kind_of(value)


def learn(m: Machine, value: Any, name: str) -> None:
    """From now on `value` is known to be of this type: the run would have failed otherwise."""
    if isinstance(value, Sym) and not kind(m, value):
        m.kinds[value.name] = name


def to_text(m: Machine, value: Any) -> Any:
    """`str(value)`."""
    if isinstance(value, Obj):
        from mplint.verdict.objects import text_of

        return text_of(m, value)
    if isinstance(value, Sym) and kind(m, value) == "str":
        return value
    return as_text(value)


def represent(value: Any) -> Any:
    if isinstance(value, Const):
        return Const(repr(value.value))
    return Term("repr", (freeze(value),), "str")


def formatted(m: Machine, value: Any, spec: Any) -> Any:
    """`format(value, spec)`."""
    if isinstance(spec, Const) and isinstance(spec.value, str):
        if spec.value == "":
            return to_text(m, value)
        if isinstance(value, Const):
            return Const(_try(format, value.value, spec.value))
        name = kind(m, value)
        sample = {"str": "x", "int": 1, "float": 1.5, "bool": True, "list": [], "dict": {}, "tuple": (), "set": set(), "bytes": b""}.get(name)
        if sample is not None:
            _try(format, sample, spec.value)
        elif not name and spec.value[-1] in "feEgGn%d":
            learn(m, value, "int" if spec.value[-1] == "d" else "float")
    return Term("format", (freeze(value), spec), "str")


def _try(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    except RecursionError:
        raise
    except Exception as error:
        raise Thrown(type(error).__name__, str(error)) from None


def percent(m: Machine, template: Any, value: Any) -> Any:
    """`template % value` for text."""
    if not (isinstance(template, Const) and isinstance(template.value, str)):
        return Term("%", (freeze(template), freeze(value)), "str")
    values = list(value.items) if isinstance(value, Seq) and value.kind == "tuple" else [value]
    used, end, pieces = 0, 0, []
    for match in _PERCENT.finditer(template.value):
        pieces.append(Const(template.value[end : match.start()]))
        end = match.end()
        if match["type"] == "%":
            pieces.append(Const("%"))
            continue
        if "*" in match[0]:
            return Term("%", (template, freeze(value)), "str")
        if match["key"] is not None:
            item = _keyed(m, value, match["key"])
        elif used < len(values):
            item = values[used]
        else:
            raise Thrown("TypeError", "not enough arguments for format string")
        used += 1
        pieces.append(_one(m, item, match["type"], match[0]))
    pieces.append(Const(template.value[end:]))
    keyed = isinstance(value, (DictObj, Sym)) or (isinstance(value, Term) and kind(m, value) in {"", "dict"})
    if used < len(values) and not keyed:
        raise Thrown("TypeError", "not all arguments converted during string formatting")
    return text(pieces)


def _keyed(m: Machine, value: Any, key: str) -> Any:
    if isinstance(value, DictObj):
        if Const(key) in value.items:
            return value.items[Const(key)]
        if not value.rest:
            raise Thrown("KeyError", repr(key))
    elif kind(m, value) not in {"", "dict", "object"}:
        raise Thrown("TypeError", "format requires a mapping")
    return Term("item", (freeze(value), Const(key)))


def _one(m: Machine, value: Any, code: str, spec: str) -> Any:
    if code in "sra":
        return to_text(m, value) if code == "s" else represent(value)
    name = kind(m, value)
    if code == "c":
        return Term("format", (freeze(value), Const(spec)), "str")
    if name and name not in NUMBERS and name in TYPES:
        raise Thrown("TypeError", f"{spec} format: a number is required, not {name}")
    if isinstance(value, Const):
        return Const(_try(operator.mod, spec, value.value))
    learn(m, value, "int" if code in "diouxX" else "float")
    return Term("format", (freeze(value), Const(spec)), "str")


def brace_format(m: Machine, template: str, args: tuple[Any, ...], kwargs: dict[str, Any], getattr_: Callable[[Any, str], Any]) -> Any:
    """`template.format(*args, **kwargs)`."""
    pieces: list[Any] = []
    auto = 0
    for literal, name, spec, conversion in _try(lambda t: list(string.Formatter().parse(t)), template):
        pieces.append(Const(literal))
        if name is None:
            continue
        head, rest = _try(lambda n: _split(n), name)
        if head == "":
            head, auto = auto, auto + 1
        if isinstance(head, int):
            if head >= len(args):
                raise Thrown("IndexError", "Replacement index out of range for positional args tuple")
            value = args[head]
        elif head in kwargs:
            value = kwargs[head]
        else:
            raise Thrown("KeyError", repr(head))
        for is_attr, key in rest:
            value = getattr_(value, str(key)) if is_attr else item(m, value, Const(key))
        if conversion in {"r", "a"}:
            value = represent(value)
        elif conversion == "s":
            value = to_text(m, value)
        pieces.append(formatted(m, value, Const(spec)) if "{" not in (spec or "") else Term("format", (freeze(value), Const(spec)), "str"))
    return text(pieces)


def _split(name: str) -> tuple[Any, list[tuple[bool, Any]]]:
    """`a.b[0]` of a replacement field as its head and the attributes and items that follow."""
    head, rest = re.match(r"([^.\[]*)(.*)", name, re.DOTALL).groups()  # type: ignore[union-attr]
    steps = [(bool(m[1]), m[1] or (int(m[2]) if m[2].isdigit() else m[2])) for m in re.finditer(r"\.([^.\[]+)|\[([^\]]+)\]", rest)]
    return (int(head) if head.isdigit() else head), steps


def binary(m: Machine, op: str, left: Any, right: Any) -> Any:
    """An arithmetic operator over two values."""
    if isinstance(left, Const) and isinstance(right, Const):
        if op in {"*", "**", "<<"} and not all(isinstance(v.value, (int, float, str, bytes)) and _small(v.value) for v in (left, right)):
            return Term(op, (left, right), kind_of(left))
        if op in _PLAIN:
            return Const(_try(_PLAIN[op], left.value, right.value))
    a, b = kind(m, left), kind(m, right)
    if op == "%" and a in {"", "str"} and not isinstance(left, Const) and isinstance(right, DictObj) and not right.items and not right.rest:
        learn(m, left, "str")  # a text without a placeholder, as one that was formatted is
        return left
    if op == "%" and a == "str":
        return percent(m, left, right)
    if op == "+":
        if "str" in (a, b):
            other, value = (b, right) if a == "str" else (a, left)
            if other and other != "str" and other in TYPES:
                raise Thrown("TypeError", f"can only concatenate str (not {other!r}) to str")
            learn(m, value, "str")
            return text(
                [to_text(m, left) if a == "str" or isinstance(left, Sym) else left, to_text(m, right) if b == "str" or isinstance(right, Sym) else right]
            )
        items = _items(left), _items(right)
        if a == b and a in {"list", "tuple"} and items[0] is not None and items[1] is not None:
            joined = (*items[0], *items[1])
            return ListObj(list(joined)) if a == "list" else Seq(a, joined)
    if a in TYPES and b in TYPES and a not in NUMBERS | {"set", "frozenset", "dict"} and b != a and op in {"+", "-", "/", "//", "&", "|"}:
        raise Thrown("TypeError", f"unsupported operand type(s) for {op}: {a!r} and {b!r}")
    if op in {"-", "/", "//"} and "str" in (a, b):
        raise Thrown("TypeError", f"unsupported operand type(s) for {op}: {a!r} and {b!r}")
    if op == "%" and not a and b in {"str", "tuple", "dict"}:  # only text is divided by these: `_("...") % name`
        return Term(op, (freeze(left), freeze(right)), "str")
    result = a if a == b else "float" if {a, b} <= NUMBERS else "str" if op == "*" and "str" in (a, b) else ""
    return Term(op, (freeze(left), freeze(right)), result)


def _small(value: Any) -> bool:
    return abs(value) < 1000 if isinstance(value, (int, float)) else len(value) < 200


def _items(value: Any) -> tuple[Any, ...] | None:
    if isinstance(value, Seq):
        return value.items
    return tuple(value.items) if isinstance(value, ListObj) and value.items is not None else None


def unary(m: Machine, op: str, value: Any) -> Any:
    if isinstance(value, Const) and op in _PLAIN:
        return Const(_try(_PLAIN[op], value.value))
    if kind(m, value) in {"str", "list", "dict", "tuple", "NoneType"}:
        raise Thrown("TypeError", f"bad operand type for unary {op}: {kind(m, value)!r}")
    return Term(op, (freeze(value),), kind(m, value))


def item(m: Machine, value: Any, index: Any) -> Any:
    """`value[index]`."""
    if isinstance(value, DictObj):
        if index in value.items:
            return value.items[index]
        if isinstance(index, Const) and not value.rest and all(isinstance(k, Const) for k in value.items):
            raise Thrown("KeyError", repr(index.value))
        return Term("item", (freeze(value), freeze(index)))
    items = _items(value)
    if isinstance(index, Seq) and index.kind == "slice" and all(isinstance(p, Const) for p in index.items):
        cut = slice(*(p.value for p in index.items))
        if items is not None:
            part = _try(operator.getitem, items, cut)
            return ListObj(list(part)) if isinstance(value, ListObj) else Seq(value.kind, part)
        if isinstance(value, Const):
            return Const(_try(operator.getitem, value.value, cut))
    elif isinstance(index, Const) and items is not None and kind(m, value) in {"list", "tuple"}:
        return _try(operator.getitem, items, index.value)
    elif isinstance(index, Const) and isinstance(value, Const):
        return Const(_try(operator.getitem, value.value, index.value))
    name = kind(m, value)
    if name in {"int", "float", "bool", "NoneType"}:
        raise Thrown("TypeError", f"{name!r} object is not subscriptable")
    if name in {"str", "bytes", "list", "tuple"} and kind(m, index) == "str":
        raise Thrown("TypeError", f"{name} indices must be integers or slices, not str")
    if isinstance(index, Const) and isinstance(index.value, str):
        m.asked.setdefault(freeze(value), set()).add(f"[{index.value}]")
    result = name if name in {"str", "bytes"} else ""
    return Term("item", (freeze(value), freeze(index)), result)


def same(a: Any, b: Any) -> bool | None:
    """Whether two frozen values are equal: None when that depends on what is not known."""
    if a == b:
        return True
    if isinstance(a, Seq) and isinstance(b, Seq) and a.kind == b.kind and len(a.items) == len(b.items):
        answers = [same(x, y) for x, y in zip(a.items, b.items)]
        return False if False in answers else None if None in answers else True
    if isinstance(a, Const) and isinstance(b, Const):
        return bool(a.value == b.value)
    if Term("str", (a,)) == b or Term("str", (b,)) == a:  # an input that may be text already
        return None
    if _idempotent(a, b) or _idempotent(b, a):
        return None
    return False


def _idempotent(outer: Any, inner: Any) -> bool:
    """Whether `outer` is a function whose text is not known, applied once more to `inner`."""
    if isinstance(outer, Term) and isinstance(inner, Term) and outer.op == inner.op == "join":
        return bool(outer.parts[0] == inner.parts[0] and _alone(outer.parts[1], inner))
    if not isinstance(outer, Term) or outer.op not in {"call", "loop", "comp", "method"} or inner == NONE:
        return False
    if _is_longer(outer, inner):
        return False
    if outer.parts[0] == "format" or (isinstance(outer.parts[0], str) and outer.parts[0] in GROWING):
        return False
    if isinstance(outer.parts[0], Term) and outer.parts[0].op == "attr":
        method, before = outer.parts[0], inner.parts[0] if isinstance(inner, Term) and inner.op == outer.op else None
        if method.parts[1] == "format":
            return False
        if isinstance(before, Term) and before.op == "attr" and before.parts[1] == method.parts[1] and contains(method.parts[0], inner):
            return bool(outer.parts[1:] == inner.parts[1:])
    return isinstance(inner, Term) and inner.op == outer.op and inner.parts[0] == outer.parts[0] and contains(outer.parts[1:], inner)


def _is_longer(outer: Any, inner: Any) -> bool:
    """Whether `outer` is a text with `inner` and more in it, but for white space."""
    while isinstance(outer, Term) and outer.op == "call" and outer.parts[0] in KEEPING and isinstance(outer.parts[1], tuple) and outer.parts[1]:
        outer = outer.parts[1][0]
    if not isinstance(outer, Term) or outer.op != "text" or inner not in outer.parts:
        return False
    return any(isinstance(part, Const) and str(part.value).strip() for part in outer.parts)


def _alone(value: Any, item: Any) -> bool:
    """Whether `value` is made from a list of nothing but `item`, which may give `item` itself when it is joined."""
    if isinstance(value, Seq):
        return value.items == (item,)
    return isinstance(value, Term) and any(_alone(part, item) for part in value.parts)
