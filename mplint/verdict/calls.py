"""Calls: arguments, binding to parameters, functions of the project, generated constructors."""

from __future__ import annotations

from typing import Any

from mplint import facts as f
from mplint.project.modules import Class
from mplint.verdict import builtins, operators
from mplint.verdict.expressions import ev, iterate
from mplint.verdict.functions import FUNCTIONS, outside
from mplint.verdict.methods import method
from mplint.verdict.machine import DEPTH, Frame, Machine, Thrown, Vague
from mplint.verdict.objects import builtin_text, construct, plain_function, set_attribute
from mplint.verdict.terms import (
    NONE, BoundFunc, BuiltinMethod, Cls, Const, DictObj, Ext, Func, LambdaFunc, Method, Obj, Partial, Seq, SuperOf, Term, freeze,
)  # fmt: skip


def call_expression(m: Machine, expr: f.Call, frame: Frame) -> Any:
    if isinstance(expr.func, f.Name) and expr.func.id == "super" and "super" not in frame.env:
        return _super(m, expr, frame)
    func = ev(m, expr.func, frame)
    args, kwargs, vague = arguments(m, expr, frame)
    if frame.site and not isinstance(func, (Ext, Method)):
        return Term("call", (freeze(func),), "object" if isinstance(func, Cls) else "")
    if vague:
        if isinstance(func, (Ext, Term, Method, LambdaFunc)) or (isinstance(func, Cls) and not m.shapes.of(func.cls).is_exception):
            return Term("call", (freeze(func), freeze(args), freeze(tuple(kwargs.items())), tuple(vague)))
        if not (isinstance(func, BuiltinMethod) and func.name == "__init__" and isinstance(func.receiver, Obj) and not kwargs):
            raise Vague("a starred argument")
        func.receiver.args, func.receiver.args_term = None, (freeze(args), tuple(vague))
        return NONE
    if isinstance(func, Ext) and func.name in {"builtins.locals", "builtins.vars"} and not args:
        return DictObj({Const(k): v for k, v in frame.env.items()})
    return call(m, func, args, kwargs)


def arguments(m: Machine, expr: f.Call, frame: Frame) -> tuple[tuple[Any, ...], dict[str, Any], list[Any]]:
    """Positional and keyword arguments, and what stood behind stars that cannot be taken apart."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    vague: list[Any] = []
    for arg in expr.args:
        value = ev(m, arg.value, frame)
        if arg.star == "*":
            items = iterate(m, value)
            if items is None and m.stars is not None and not frame.site:
                items = [Term("item", (freeze(value), Const(number))) for number in range(m.stars)]
            if items is None:
                vague.append(freeze(value))
            else:
                args.extend(items)
        elif arg.star == "**":
            if isinstance(value, DictObj):
                kwargs.update({str(k.value): v for k, v in value.items.items() if isinstance(k, Const)})
                vague.extend(value.rest)
            else:
                vague.append(freeze(value))
        elif arg.keyword:
            kwargs[arg.keyword] = value
        else:
            args.append(value)
    return tuple(args), kwargs, vague


def _super(m: Machine, expr: f.Call, frame: Frame) -> Any:
    owner, receiver = frame.owner, frame.receiver
    outer = frame.outer
    while owner is None and outer is not None:
        owner, receiver, outer = outer.owner, outer.receiver, outer.outer
    after: Any = owner
    if expr.args:
        first = ev(m, expr.args[0].value, frame)
        after = first.cls if isinstance(first, Cls) else None
        receiver = ev(m, expr.args[1].value, frame) if len(expr.args) > 1 else receiver
    of = receiver.cls if isinstance(receiver, (Obj, Cls)) else None
    if after is None or of is None:
        raise Vague("super()")
    return SuperOf(after, of, receiver)


def call(m: Machine, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The value of `func(*args, **kwargs)`."""
    m.tick()
    if isinstance(func, BoundFunc):
        return call(m, func.function, (func.receiver, *args), kwargs)
    if isinstance(func, Func):
        return call_function(m, func, args, kwargs)
    if isinstance(func, BuiltinMethod):
        return _builtin(m, func, args, kwargs)
    if isinstance(func, Cls):
        return _instance(m, func, args, kwargs)
    if isinstance(func, Partial):
        from mplint.verdict.generated import generated

        if func.func == Ext("mplint.generated"):
            return generated(m, (*func.args, *args), kwargs)
        return call(m, func.func, (*func.args, *args), {**dict(func.keywords), **kwargs})
    if isinstance(func, Method):
        return method(m, func.receiver, func.name, args, kwargs)
    if isinstance(func, Ext):
        handler = FUNCTIONS.get(func.name)
        return handler(m, args, kwargs) if handler is not None else outside(m, func.name, args, kwargs)
    if isinstance(func, LambdaFunc):
        env = bind(m, func.facts, args, kwargs, func.frame, "<lambda>")
        step = func.facts.body[0]
        assert isinstance(step, f.Return) and step.value is not None
        return ev(m, step.value, Frame(func.frame.function, env, func.frame.owner, func.frame.receiver, func.frame))
    if isinstance(func, Const):
        raise Thrown("TypeError", f"{type(func.value).__name__!r} object is not callable")
    return Term("call", (freeze(func), freeze(args), freeze(tuple(kwargs.items()))))


def call_function(m: Machine, func: Func, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    function = func.function
    if not plain_function(function):
        return Term("call", (func, freeze(args), freeze(tuple(kwargs.items()))), "!a coroutine" if function.facts.is_async else "!a generator")
    if len(m.active) >= DEPTH or m.active.count(function) >= 2:
        raise Vague("recursion")
    if not any(isinstance(a, (Obj, Cls)) for a in args):
        return _helper(m, func, args, kwargs)
    return _run(m, func, args, kwargs)


def _helper(m: Machine, func: Func, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A function that does not get the object: when it cannot be followed, its result is opaque."""
    try:
        return _run(m, func, args, kwargs)
    except Vague:
        return Term("call", (Func(func.function), freeze(args), freeze(tuple(kwargs.items()))))


def _run(m: Machine, func: Func, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    from mplint.verdict.statements import run

    function = func.function
    home = func.env if isinstance(func.env, Frame) else Frame(function.outer if function.outer is not None else function.module.body, {}, function.owner)
    env = bind(m, function.facts, args, kwargs, home, function.qualname)
    receiver = args[0] if args and function.owner is not None else None
    frame = Frame(function, env, function.owner, receiver, func.env if isinstance(func.env, Frame) else None)
    m.active.append(function)
    try:
        signal = run(m, function.facts.body, frame)
    finally:
        m.active.pop()
    return signal[1] if isinstance(signal, tuple) else NONE


def bind(m: Machine, facts: f.FunctionFacts, args: tuple[Any, ...], kwargs: dict[str, Any], home: Frame, name: str) -> dict[str, Any]:
    """The local names of a call.  Raises Thrown as CPython's TypeError."""
    env: dict[str, Any] = {}
    places = [p for p in facts.params if p.kind in {"positional", "positional-only"}]
    rest = dict(kwargs)
    for param, value in zip(places, args):
        env[param.name] = value
    extra = args[len(places) :]
    star = next((p for p in facts.params if p.kind == "*"), None)
    if star is not None:
        env[star.name] = Seq("tuple", extra)
    elif extra:
        least = sum(1 for p in places if p.default is None)
        takes = f"{len(places)}" if least == len(places) else f"from {least} to {len(places)}"
        raise Thrown("TypeError", f"{name}() takes {takes} positional argument{'s' if len(places) != 1 else ''} but {len(args)} were given", "many")
    for param in places[len(args) :]:
        if param.kind == "positional" and param.name in rest:
            env[param.name] = rest.pop(param.name)
    for param in places[: len(args)]:
        if param.kind == "positional" and param.name in rest:
            raise Thrown("TypeError", f"{name}() got multiple values for argument {param.name!r}")
    for param in facts.params:
        if param.kind == "keyword-only" and param.name in rest:
            env[param.name] = rest.pop(param.name)
    missing = [p for p in facts.params if p.kind in {"positional", "positional-only", "keyword-only"} and p.name not in env and p.default is None]
    if missing:
        kinds = "keyword-only" if all(p.kind == "keyword-only" for p in missing) else "positional"
        names = ", ".join(repr(p.name) for p in missing)
        raise Thrown(
            "TypeError", f"{name}() missing {len(missing)} required {kinds} argument{'s' if len(missing) > 1 else ''}: {names}", tuple(p.name for p in missing)
        )
    for param in facts.params:
        if param.name not in env and param.default is not None:
            env[param.name] = ev(m, param.default, home)
    keywords = next((p for p in facts.params if p.kind == "**"), None)
    if keywords is not None:
        env[keywords.name] = DictObj({Const(k): v for k, v in rest.items()})
    elif rest:
        raise Thrown("TypeError", f"{name}() got an unexpected keyword argument {next(iter(rest))!r}")
    if not m.rebuilding:
        _annotated(m, facts, env)
    return env


_SIMPLE = {"str", "int", "float", "bool", "bytes", "list", "dict", "tuple", "set"}
_GENERIC = {"List": "list", "Dict": "dict", "Tuple": "tuple", "Set": "set"}


def _annotated(m: Machine, facts: f.FunctionFacts, env: dict[str, Any]) -> None:
    """What the annotations say about inputs whose type is not known yet."""
    for param in facts.params:
        if param.annotation is not None and param.name in env and param.kind not in {"*", "**"}:
            name = annotated_kind(param.annotation)
            if name:
                operators.learn(m, env[param.name], name)


def annotated_kind(note: f.Expr) -> str:
    """The builtin type that an annotation promises, "" when it promises none; None beside it does not count."""
    if isinstance(note, f.Op) and note.op == "|":
        sides = {annotated_kind(side) for side in note.operands if f.is_given(side)}
        return sides.pop() if len(sides) == 1 else ""
    if isinstance(note, f.Item):
        head = f.dotted(note.value).rpartition(".")[2]
        if head == "Optional":
            return annotated_kind(note.index)
        return _GENERIC.get(head, head if head in _SIMPLE else "")
    name = f.dotted(note)
    return name if name in _SIMPLE else _GENERIC.get(name.rpartition(".")[2], "")


def _instance(m: Machine, cls: Cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    shape = m.shapes.of(cls.cls)
    if shape.is_exception or shape.open:
        picture = Term("new", (cls, freeze(args), freeze(tuple(kwargs.items()))), "object")
        if shape.open or not isinstance(cls.cls, Class):
            return picture
        try:
            return construct(m, cls.cls, args, kwargs)
        except Vague:
            return picture
    assert isinstance(cls.cls, Class)
    return Term("new", (cls, freeze(args), freeze(tuple(kwargs.items()))), "object")


def _builtin(m: Machine, func: BuiltinMethod, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    receiver = func.receiver
    if receiver is None and args:
        receiver, args = args[0], args[1:]
    if func.name == "__new__":
        if not isinstance(receiver, Cls):
            raise Vague("__new__")
        return builtins.new(m, receiver.cls, args, kwargs)
    if not isinstance(receiver, Obj):
        raise Vague(f"`{func.name}` of something else")
    if func.name == "__init__":
        builtins.init(m, func.owner, receiver, args, kwargs)
        return NONE
    if func.name == "__reduce__":
        return builtins.reduce(m, func.owner, receiver)
    if func.name == "__reduce_ex__":
        from mplint.verdict.objects import object_attribute

        return call(m, object_attribute(m, receiver, "__reduce__"), (), {})
    if func.name == "__setstate__":
        from mplint.verdict.transit import set_state

        set_state(m, receiver, args[0] if args else NONE, builtin=True)
        return NONE
    if func.name == "__setattr__" and len(args) == 2 and isinstance(args[0], Const):
        set_attribute(m, receiver, str(args[0].value), args[1], raw=True)
        return NONE
    if func.name == "__str__":
        return builtin_text(m, receiver, func.owner)
    if func.name in {"with_traceback", "add_note"}:
        return receiver
    return Term("call", (func.name, freeze(receiver), freeze(args)), "str" if func.name in {"__repr__", "__format__"} else "")
