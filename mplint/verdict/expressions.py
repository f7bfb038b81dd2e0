"""Expressions of a constructor, evaluated on symbolic values."""

from __future__ import annotations

from typing import Any, Callable

from mplint import facts as f
from mplint.project.modules import Class, Function
from mplint.project.values import Bound as ProjectBound
from mplint.project.values import External, Instance, Literal, Many, ModuleValue, Tuple, Unknown
from mplint.verdict import builtins, library, operators
from mplint.verdict.machine import Frame, Machine, Thrown, Vague
from mplint.verdict.outside import CARRYING
from mplint.verdict.terms import (
    NONE, BoundFunc, BuiltinMethod, Cls, Const, DictObj, Ext, Func, LambdaFunc, ListObj, Obj, Seq, Sym, Term, freeze, kind_of, text,
)  # fmt: skip
from mplint.verdict.truth import compare, truth
from mplint.verdict.versions import known_flag, version_flag


def ev(m: Machine, expr: f.Expr, frame: Frame) -> Any:
    """The value of `expr`.  Raises Thrown, Vague or Impossible."""
    m.tick()
    return _HANDLERS[type(expr)](m, expr, frame)


def local(frame: Frame, name: str) -> Frame | None:
    """The frame that binds `name`, None when it is no local variable."""
    where: Frame | None = frame
    while where is not None:
        if name in where.env:
            return where
        where = where.outer
    return None


def _name(m: Machine, expr: f.Name, frame: Frame) -> Any:
    where = local(frame, expr.id)
    if where is not None:
        return where.env[expr.id]
    if expr.id == "__class__" and frame.owner is not None:
        return Cls(frame.owner)
    if frame.owner is not None and frame.function.is_module:  # a default or a class-level value
        found = m.shapes.own(frame.owner, expr.id)
        if found is not None and found.what == "value" and found.assign is not None and found.assign.value is not expr:
            return ev(m, found.assign.value, frame)  # type: ignore[arg-type]
        if found is not None and found.functions:
            return Func(found.functions[-1])
    if frame.site:
        return _at_site(m, expr, frame)
    return resolved(m, m.project.values(expr, frame.function), frame, expr.id)


def resolved(m: Machine, values: tuple[Any, ...], frame: Frame, name: str) -> Any:
    """What a free name is; one that tells the version of Python apart is told apart."""
    value = converted(values, frame, name)
    if isinstance(value, Ext):
        return known_flag(m, value)
    if isinstance(value, Term) and value.op == "global":
        flag = version_flag(m, frame.function.module, name)
        return value if flag is None else flag
    return value


def _at_site(m: Machine, expr: f.Name, frame: Frame) -> Any:
    """A name at a construction site: a local one only as far as its one assignment in sight says what it is."""
    found = frame.function.graph.definitions(expr)
    if found is None:
        return converted(m.project.global_values(frame.function.module, expr.id), frame, expr.id)
    row = found[0] if len(found) == 1 else None
    if isinstance(row, f.Assign) and len(row.targets) == 1 and isinstance(row.targets[0], f.Name):
        if isinstance(row.value, (f.Const, f.Text, f.Lambda, f.Op, f.Call)):
            return ev(m, row.value, frame)
    return Sym(expr.id)


def converted(values: tuple[Any, ...], frame: Frame, name: str) -> Any:
    """The project's values of a name or attribute as one symbolic value."""
    known = [v for v in values if not isinstance(v, Unknown)]
    definite = [v for v in known if isinstance(v, (Class, Function, External, ModuleValue))]
    if frame.site:
        if len(known) == 1 == len(values) and isinstance(known[0], (Literal, Class, External, Instance, Many)):
            return _single(known[0], frame, name)
        return Sym(f"{name}")
    if len(known) == 1:
        return _single(known[0], frame, name)
    if definite:
        return _single(definite[0], frame, name)
    return Term("global", (frame.function.module.path, name))


def _single(value: Any, frame: Frame, name: str) -> Any:
    if isinstance(value, Literal):
        return Const(value.value)
    if isinstance(value, Class):
        return Cls(value)
    if isinstance(value, Function):
        return Func(value)
    if isinstance(value, External):
        return _external(value.name)
    if isinstance(value, ModuleValue):
        return Term("module", (value.module,), "!a module")
    if isinstance(value, ProjectBound) and isinstance(value.function, Function):
        return BoundFunc(Func(value.function), Cls(value.receiver)) if isinstance(value.receiver, Class) else Term("global", (frame.function.module.path, name))
    kind = ""
    if isinstance(value, Instance) and isinstance(value.cls, External):
        bad = library.UNPICKLABLE.get(value.cls.name)
        kind = f"!{bad}" if bad else library.KINDS.get(value.cls.name, value.cls.name)
    elif isinstance(value, Many):
        kind = value.kind if value.kind in {"list", "set", "dict", "tuple"} else ""
    elif isinstance(value, Tuple):
        kind = "tuple"
    if frame.site:
        return Sym(name, kind)
    if isinstance(value, Instance) and isinstance(value.cls, Class) and value.made is not None:
        return Term("made", (value.made, name, value.cls))
    return Term("global", (frame.function.module.path, name), kind)


def _external(name: str) -> Any:
    head, _, rest = name.removeprefix("builtins.").partition(".")
    builtin = builtins.canonical(head) if name.startswith("builtins.") else ""
    if builtin and rest:
        return BuiltinMethod(builtin, rest)
    return Cls(builtin) if builtin else Ext(name)


def _attr(m: Machine, expr: f.Attr, frame: Frame) -> Any:
    from mplint.verdict.objects import attribute

    root: f.Expr = expr
    while isinstance(root, f.Attr):
        root = root.value
    if isinstance(root, f.Name) and local(frame, root.id) is None:
        if frame.site and frame.function.graph.definitions(root) is not None:
            return Sym(expr.attr)
        values = m.project.values(expr, frame.function)
        carried = expr.attr in CARRYING and len(values) == 1 and isinstance(values[0], External)
        if frame.site or (not carried and len(values) == 1 and isinstance(values[0], (External, Class, Function, ModuleValue))):
            value = converted(values, frame, expr.attr)
            return known_flag(m, value) if isinstance(value, Ext) else value
    return attribute(m, ev(m, expr.value, frame), expr.attr)


def _const(m: Machine, expr: f.Const, frame: Frame) -> Any:
    if expr.kind == "bytes":
        return Const(str(expr.value).encode("latin-1", "replace"))
    if expr.kind == "ellipsis":
        return Const(Ellipsis)
    if expr.kind == "complex":
        return Term("complex", (expr.value,), "complex")
    return Const(expr.value)


def _text(m: Machine, expr: f.Text, frame: Frame) -> Any:
    return text([operators.to_text(m, ev(m, part, frame)) for part in expr.parts])


def _sequence(m: Machine, expr: f.Sequence, frame: Frame) -> Any:
    items: list[Any] = []
    for part in expr.items:
        if isinstance(part, f.Star):
            more = iterate(m, ev(m, part.value, frame))
            if more is None:
                return Term("display", (expr.kind, freeze(tuple(items)), freeze(ev(m, part.value, frame))), expr.kind)
            items.extend(more)
        else:
            items.append(ev(m, part, frame))
    return ListObj(items) if expr.kind == "list" else Seq(expr.kind, tuple(items))


def iterate(m: Machine, value: Any) -> list[Any] | None:
    """The elements of a value when all are known.  Raises Thrown for what cannot be iterated."""
    if isinstance(value, Seq):
        return list(value.items)
    if isinstance(value, ListObj):
        return None if value.items is None else list(value.items)
    if isinstance(value, DictObj):
        return None if value.rest else list(value.items)
    if isinstance(value, Const):
        if isinstance(value.value, (str, bytes)) and len(value.value) <= 64:
            return [Const(c) for c in value.value]
        if not isinstance(value.value, (str, bytes)):
            raise Thrown("TypeError", f"{kind_of(value)!r} object is not iterable")
    if operators.kind(m, value) in {"int", "float", "bool"}:
        raise Thrown("TypeError", f"{operators.kind(m, value)!r} object is not iterable")
    return None


def element(m: Machine, value: Any) -> Any:
    """A generic element of an iterable of unknown length."""
    name = operators.kind(m, value)
    return Term("element", (freeze(value),), "str" if name == "str" else "int" if name == "bytes" else "")


def _mapping(m: Machine, expr: f.Mapping, frame: Frame) -> Any:
    out = DictObj({})
    for key, value in zip(expr.keys, expr.values):
        worth = ev(m, value, frame)
        if key is not None:
            out.items[freeze(ev(m, key, frame))] = worth
        elif isinstance(worth, DictObj):
            out.items.update(worth.items)
            out.rest += worth.rest
        else:
            out.rest += (freeze(worth),)
    return out


def _op(m: Machine, expr: f.Op, frame: Frame) -> Any:
    op = expr.op
    if op in {"and", "or"}:
        left = ev(m, expr.operands[0], frame)
        for right in expr.operands[1:]:
            if truth(m, left) is (op == "or"):
                return left
            left = ev(m, right, frame)
        return left
    first = ev(m, expr.operands[0], frame)
    if op == "not":
        return Const(not truth(m, first))
    if op == "!s":
        return operators.to_text(m, first)
    if op in {"!r", "!a"}:
        return operators.represent(first)
    if len(expr.operands) == 1:
        return operators.unary(m, op, first)
    second = ev(m, expr.operands[1], frame)
    if op == ":":
        return operators.formatted(m, first, second)
    if op in {"==", "!=", "is", "is not", "in", "not in", "<", "<=", ">", ">="}:
        return compare(m, op, first, second)
    return operators.binary(m, op, first, second)


def _choice(m: Machine, expr: f.Choice, frame: Frame) -> Any:
    return ev(m, expr.body if truth(m, ev(m, expr.test, frame)) else expr.orelse, frame)


def _item(m: Machine, expr: f.Item, frame: Frame) -> Any:
    value, index = ev(m, expr.value, frame), ev(m, expr.index, frame)
    if isinstance(value, (Cls, Ext)):
        return value
    if isinstance(value, Obj):
        from mplint.verdict.calls import call
        from mplint.verdict.objects import attribute

        return call(m, attribute(m, value, "__getitem__"), (index,), {})
    return operators.item(m, value, index)


def _comprehension(m: Machine, expr: f.Comprehension, frame: Frame) -> Any:
    inner = Frame(frame.function, {}, frame.owner, frame.receiver, frame, frame.site)
    source = ev(m, expr.clauses[0].source, frame)
    known = iterate(m, source)
    if known is not None and len(expr.clauses) == 1 and len(known) <= 24 and expr.kind != "generator" and not isinstance(expr.element, f.Star):
        out: list[Any] = []
        for value in known:
            assign(m, expr.clauses[0].target, value, inner)
            if all(truth(m, ev(m, c, inner)) for c in expr.clauses[0].conditions):
                out.append(ev(m, expr.element, inner))
        if expr.kind == "dict":
            return DictObj({freeze(pair.items[0]): pair.items[1] for pair in out if isinstance(pair, Seq)})
        return ListObj(out) if expr.kind == "list" else Seq("set", tuple(out))
    empty = known == []
    if not empty:
        for number, clause in enumerate(expr.clauses):
            values = source if not number else ev(m, clause.source, inner)
            some = iterate(m, values)
            assign(m, clause.target, some[0] if some else element(m, values), inner)
            for condition in clause.conditions:
                ev(m, condition, inner)
    result = NONE if empty else freeze(ev(m, expr.element, inner))
    return Term("comp", (expr.at, freeze(source), result), "!a generator" if expr.kind == "generator" else expr.kind)


def _lambda(m: Machine, expr: f.Lambda, frame: Frame) -> Any:
    return LambdaFunc(expr.at, frame.function.path, expr.function, frame)


def _call(m: Machine, expr: f.Call, frame: Frame) -> Any:
    from mplint.verdict.calls import call_expression

    return call_expression(m, expr, frame)


def assign(m: Machine, target: f.Expr, value: Any, frame: Frame) -> None:
    """`target = value`; see `mplint.verdict.targets`."""
    from mplint.verdict.targets import assign as run

    run(m, target, value, frame)


def _bind(m: Machine, expr: f.Bind, frame: Frame) -> Any:
    frame.env[expr.name.id] = value = ev(m, expr.value, frame)
    return value


def _await(m: Machine, expr: f.Await, frame: Frame) -> Any:
    return Term("await", (freeze(ev(m, expr.value, frame)),))


def _vague(m: Machine, expr: f.Row, frame: Frame) -> Any:
    raise Vague("yield in a constructor")


_HANDLERS: dict[type[Any], Callable[[Machine, Any, Frame], Any]] = {
    f.Name: _name, f.Attr: _attr, f.Const: _const, f.Text: _text, f.Call: _call, f.Sequence: _sequence, f.Mapping: _mapping, f.Op: _op,
    f.Choice: _choice, f.Item: _item, f.Lambda: _lambda, f.Comprehension: _comprehension, f.Await: _await, f.Yield: _vague, f.Bind: _bind,
    f.Star: lambda m, e, frame: ev(m, e.value, frame),
}  # fmt: skip
