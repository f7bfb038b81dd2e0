"""Calls that leave the project: builtins and library functions whose effect matters, methods of plain values."""

from __future__ import annotations

import textwrap
from typing import Any, Callable

from mplint.verdict import library, operators
from mplint.verdict.machine import Machine, Thrown, Vague
from mplint.verdict.terms import NONE, TYPES, Cls, Const, DictObj, Ext, Func, ListObj, Obj, Partial, Seq, Term, freeze
from mplint.verdict.truth import instance_of, truth

Args = tuple[Any, ...]
Kwargs = dict[str, Any]


def outside(m: Machine, name: str, args: Args, kwargs: Kwargs) -> Any:
    """The result of a library function of which only the type may be known."""
    if name == "sys.exc_info" and not m.handling:
        return Seq("tuple", (NONE, NONE, NONE))
    bad = library.UNPICKLABLE.get(name)
    if bad is not None:
        return Term("call", (name, freeze(args)), f"!{bad}")
    kind = library.KINDS.get(name, "")
    if name == "builtins.len" and args:
        return _len(m, args[0])
    if name in library.IDEMPOTENT and len(args) == 1 and not kwargs:
        value = freeze(args[0])
        if isinstance(value, Term) and value.op == "call" and value.parts[0] == name:
            return value
    if name == "mplint.nothing":
        return NONE
    state = ("again",) if m.rebuilding and not (args or kwargs or kind) else ()  # it looks at something that may have changed since
    return Term("call", (name, freeze(args), freeze(tuple(kwargs.items())), *state), kind)


def _len(m: Machine, value: Any) -> Any:
    if isinstance(value, Const) and isinstance(value.value, (str, bytes)):
        return Const(len(value.value))
    if isinstance(value, Seq):
        return Const(len(value.items))
    if isinstance(value, ListObj) and value.items is not None:
        return Const(len(value.items))
    if isinstance(value, DictObj) and not value.rest:
        return Const(len(value.items))
    if operators.kind(m, value) in {"int", "float", "bool", "NoneType"}:
        raise Thrown("TypeError", f"object of type {operators.kind(m, value)!r} has no len()")
    return Term("len", (freeze(value),), "int")


def _str(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    if not args:
        return Const("")
    if len(args) > 1 or kwargs:
        return Term("call", ("builtins.str", freeze(args), freeze(tuple(kwargs.items()))), "str")
    return operators.to_text(m, args[0])


def _repr(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    return operators.represent(args[0])


def _type(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    if len(args) != 1:
        raise Vague("a class made at run time")
    value = args[0]
    if isinstance(value, Obj):
        return Cls(value.cls)
    kind = operators.kind(m, value)
    if kind in TYPES:
        return Ext(f"builtins.{kind}")
    if isinstance(value, Term) and value.op == "new":
        return value.parts[0]
    return Term("type", (freeze(value),))


def _isinstance(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    return Const(instance_of(m, args[0], args[1]))


def _attr_name(value: Any) -> str:
    if not (isinstance(value, Const) and isinstance(value.value, str)):
        raise Vague("an attribute by a computed name")
    return value.value


def _getattr(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    from mplint.verdict.objects import attribute

    if not (isinstance(args[1], Const)) and not isinstance(args[0], Obj):
        return Term("attr", (freeze(args[0]), freeze(args[1])))
    name = _attr_name(args[1])
    if len(args) == 3 and not isinstance(args[0], (Obj, Cls)) and operators.kind(m, args[0]) not in TYPES:
        return Term("attr", (freeze(args[0]), name, freeze(args[2])))
    try:
        return attribute(m, args[0], name)
    except Thrown as error:
        if len(args) == 3 and error.kind == "AttributeError":
            return args[2]
        raise


def _hasattr(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    from mplint.verdict.objects import attribute

    name = _attr_name(args[1])
    if not isinstance(args[0], (Obj, Cls)) and operators.kind(m, args[0]) not in TYPES:
        return Const(m.decide(Term("hasattr", (freeze(args[0]), name)), True))
    try:
        attribute(m, args[0], name)
    except Thrown as error:
        if error.kind == "AttributeError":
            return Const(False)
        raise
    return Const(True)


def _setattr(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    from mplint.verdict.objects import set_attribute

    if isinstance(args[0], Obj):
        set_attribute(m, args[0], _attr_name(args[1]), args[2])
    return NONE


def _object_setattr(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    from mplint.verdict.objects import set_attribute

    if isinstance(args[0], Obj):
        set_attribute(m, args[0], _attr_name(args[1]), args[2], raw=True)
    return NONE


def _sequence(kind: str) -> Callable[[Machine, Args, Kwargs], Any]:
    def run(m: Machine, args: Args, kwargs: Kwargs) -> Any:
        from mplint.verdict.expressions import iterate

        items = iterate(m, args[0]) if args else []
        if items is None:
            if operators.kind(m, args[0]) == kind and kind != "list":
                return args[0]
            return Term("call", (f"builtins.{kind}", freeze(args)), kind)
        return ListObj(items) if kind == "list" else Seq(kind, tuple(items))

    return run


def _dict(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    out = DictObj({})
    if args:
        if isinstance(args[0], DictObj):
            out = DictObj(dict(args[0].items), args[0].rest)
        else:
            out.rest = (freeze(args[0]),)
    out.items.update({Const(k): v for k, v in kwargs.items()})
    return out


def _partial(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    return Partial(args[0], tuple(args[1:]), tuple(kwargs.items()))


def _newobj(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    """`copyreg.__newobj__(cls, *args)`, which is `cls.__new__(cls, *args)`; also `cls.__new__` by its own name."""
    from mplint.verdict.calls import call
    from mplint.verdict.objects import class_attribute

    return call(m, class_attribute(m, args[0], "__new__"), args, kwargs)


def _newobj_ex(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    if len(args) != 3 or not isinstance(args[1], Seq) or not isinstance(args[2], DictObj):
        raise Vague("__newobj_ex__")
    return _newobj(m, (args[0], *args[1].items), {str(k.value): v for k, v in args[2].items.items()})


def _any_of(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    return Term("call", ("any", freeze(args)), "bool")


def _vars(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    from mplint.verdict.objects import attribute

    if len(args) == 1 and isinstance(args[0], Obj):
        return attribute(m, args[0], "__dict__")
    if len(args) == 1 and operators.kind(m, args[0]) in TYPES:
        raise Thrown("TypeError", "vars() argument must have __dict__ attribute")
    return Term("call", ("builtins.vars", freeze(args)), "dict")


def _print(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    return NONE


def _number(name: str) -> Callable[[Machine, Args, Kwargs], Any]:
    def run(m: Machine, args: Args, kwargs: Kwargs) -> Any:
        if not args:
            return Const(TYPES[name]())
        value = args[0]
        if isinstance(value, Const) and not kwargs and len(args) == 1:
            try:
                return Const(TYPES[name](value.value))
            except (TypeError, ValueError, OverflowError) as error:
                raise Thrown(type(error).__name__, str(error)) from None
        kind = operators.kind(m, value)
        if kind in {"list", "dict", "tuple", "NoneType", "set"}:
            raise Thrown("TypeError", f"{name}() argument must be a string or a real number, not {kind!r}")
        if isinstance(value, Term) and value.op == "text" and any(isinstance(p, Const) and any(c.isalpha() for c in p.value) for p in value.parts):
            raise Thrown("ValueError", f"invalid literal for {name}()")
        return value if kind == name else Term("call", (f"builtins.{name}", freeze(args)), name)

    return run


def _bool(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    return Const(truth(m, args[0]) if args else False)


def _dedent(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    known = len(args) == 1 and isinstance(args[0], Const) and isinstance(args[0].value, str)
    return Const(textwrap.dedent(args[0].value)) if known else outside(m, "textwrap.dedent", args, kwargs)


def _callable(m: Machine, args: Args, kwargs: Kwargs) -> Any:
    value = args[0] if args else NONE
    if operators.kind(m, value) in TYPES:
        return Const(False)
    return Const(True) if isinstance(value, (Cls, Func, Partial)) else outside(m, "builtins.callable", args, kwargs)


FUNCTIONS: dict[str, Callable[[Machine, Args, Kwargs], Any]] = {
    "builtins.str": _str, "builtins.repr": _repr, "builtins.type": _type, "builtins.isinstance": _isinstance, "builtins.getattr": _getattr,
    "builtins.hasattr": _hasattr, "builtins.setattr": _setattr, "builtins.object.__setattr__": _object_setattr,
    "builtins.tuple": _sequence("tuple"), "builtins.list": _sequence("list"), "builtins.set": _sequence("set"),
    "builtins.frozenset": _sequence("frozenset"), "builtins.dict": _dict, "functools.partial": _partial, "copyreg.__newobj__": _newobj,
    "copyreg.__newobj_ex__": _newobj_ex, "builtins.object.__new__": _newobj, "builtins.print": _print, "builtins.int": _number("int"),
    "builtins.float": _number("float"), "builtins.bool": _bool, "builtins.vars": _vars, "builtins.any": _any_of, "builtins.all": _any_of,
    "builtins.callable": _callable, "textwrap.dedent": _dedent,
}  # fmt: skip
