"""Attributes of values, and the making of instances."""

from __future__ import annotations

from typing import Any

from mplint import facts as f
from mplint.project.modules import Class, Function
from mplint.verdict import builtins, library, operators
from mplint.verdict.docstrings import docstring
from mplint.verdict.expressions import converted, ev
from mplint.verdict.machine import Frame, Machine, Thrown, Vague
from mplint.verdict.outside import CARRYING, exception_outside
from mplint.verdict.shapes import Found, Shape
from mplint.verdict.terms import (
    NONE, TYPES, BoundFunc, BuiltinMethod, Cls, Const, DictObj, Ext, Func, ListObj, Method, Obj, Partial, Seq, SuperOf, Term, contains, freeze,
)  # fmt: skip


def attribute(m: Machine, value: Any, name: str) -> Any:
    """`value.name`.  Raises Thrown where there certainly is none."""
    if isinstance(value, Obj):
        return object_attribute(m, value, name)
    if isinstance(value, Cls):
        return class_attribute(m, value, name)
    if isinstance(value, SuperOf):
        return _super_attribute(m, value, name)
    if isinstance(value, Ext):
        base = exception_outside(m, value.name) if name in CARRYING else None
        return class_attribute(m, base, name) if base is not None else Ext(f"{value.name}.{name}")
    if isinstance(value, Term) and value.op == "member" and name in {"name", "value"}:
        return value.parts[2] if name == "value" else Const(value.parts[1])
    if isinstance(value, Term) and value.op == "module":
        module = value.parts[0]
        return converted(m.project.global_values(module, name), Frame(module.body), name)
    if isinstance(value, (Func, BoundFunc, Partial, BuiltinMethod)):
        return Const(value.function.qualname.rpartition(".")[2]) if name == "__name__" and isinstance(value, Func) else Term("attr", (freeze(value), name))
    if isinstance(value, (ListObj, DictObj, Seq, Const)):
        kind = operators.kind(m, value)
        if kind in TYPES and not _instances_have(TYPES[kind], name):
            raise Thrown("AttributeError", f"{kind!r} object has no attribute {name!r}")
        return _class_of(value, name) or Method(value, name)
    kind = operators.kind(m, value)
    if kind in TYPES:
        if not _instances_have(TYPES[kind], name):
            raise Thrown("AttributeError", f"{kind!r} object has no attribute {name!r}")
        return _class_of(value, name) or Method(value, name)
    frozen = freeze(value)
    if name == "__traceback__":
        return Term("attr", (frozen, name), "!a traceback")
    if name in _EVERYWHERE or (name in _NAMES and isinstance(value, Term) and value.op == "type"):
        return _class_of(value, name) or Term("attr", (frozen, name), _attribute_kind(kind, name))
    if m.rebuilding and name not in m.asked.get(frozen, ()) and not (hasattr(str, name) and _is_like_text(frozen)):
        for source, names in m.asked.items():
            if name in names and frozen != source and contains(frozen, source) and not _made_alike(frozen, source):
                raise Thrown("AttributeError", f"no attribute {name!r}")
    elif not m.rebuilding:
        m.asked.setdefault(frozen, set()).add(name)
    return Term("attr", (frozen, name), _attribute_kind(kind, name))


def _instances_have(kind: type, name: str) -> bool:
    """Whether the objects of a builtin class have an attribute, which `__name__` of the class itself is not."""
    return any(name in vars(base) for base in kind.__mro__)


def _made_alike(value: Any, other: Any) -> bool:
    """Whether the same function gave two values: what one has, the other has."""
    return all(isinstance(v, Term) and v.op == "call" for v in (value, other)) and bool(value.parts[0] == other.parts[0])


def _is_like_text(value: Any) -> bool:
    """Whether a value comes from a method that texts have and that gives a text: whoever had it once may have it again."""
    called = value.parts[0] if isinstance(value, Term) and value.op == "call" else None
    return isinstance(called, Term) and called.op == "attr" and library.METHOD_KINDS["str"].get(called.parts[1]) == "str"


def _class_of(value: Any, name: str) -> Any:
    return Term("type", (freeze(value),)) if name == "__class__" else None


_EVERYWHERE = {"__class__", "__doc__"}
"""Attributes that every object has."""

_NAMES = {"__name__", "__qualname__", "__doc__", "__module__", "strerror", "__file__"}


def _attribute_kind(kind: str, name: str) -> str:
    return "str" if name in _NAMES else ""


def class_attribute(m: Machine, cls: Cls, name: str) -> Any:
    shape = m.shapes.of(cls.cls)
    if name in {"__name__", "__qualname__"}:
        return Const(shape.name)
    if name == "__module__":
        return Const(cls.cls.module.name if isinstance(cls.cls, Class) else "builtins")
    if name == "__doc__":
        return docstring(m.project, cls)
    found = shape.find(name)
    if found is None:
        if shape.open:
            raise Vague(shape.open)
        return Term("attr", (cls, name))
    if found.what in {"function", "cached"}:
        function = found.functions[-1]
        if function.is_class_method:
            return BoundFunc(Func(function), cls)
        return Func(function)
    if found.what == "value":
        value = class_value(m, found)
        if isinstance(cls.cls, Class) and (enums := [n for n in m.project.ancestry(cls.cls) if n.startswith("enum.")]):
            plain = enums == ["enum.Enum"] and not any(kind in shape.mro for kind in ("str", "int", "float"))
            return Term("member", (cls, name, freeze(value)), "" if plain else operators.kind(m, value))
        return value
    if found.what == "builtin":
        assert isinstance(found.owner, str)
        return BuiltinMethod(found.owner, name)
    if found.what == "generated":
        return Partial(Ext("mplint.generated"), (Cls(found.owner), Const(name)), ())
    return Term("attr", (cls, name))


def class_value(m: Machine, found: Found) -> Any:
    """The value of a class-level assignment."""
    assert found.assign is not None and found.assign.value is not None and isinstance(found.owner, Class)
    owner = found.owner
    if isinstance(found.assign.value, f.Name) and found.assign.value.id == "__doc__":
        return docstring(m.project, Cls(owner))
    value = ev(m, found.assign.value, Frame(owner.outer if owner.outer is not None else owner.module.body, {}, owner))
    if isinstance(value, (ListObj, DictObj)):
        return value
    return value


def _bound(m: Machine, found: Found, name: str, receiver: Any) -> Any:
    """What a class-level definition becomes when it is asked of an instance (or, in `__new__`, of the class)."""
    if found.what == "function":
        function = found.functions[-1]
        if function.is_static or name == "__new__":
            return Func(function)
        if function.is_class_method:
            return BoundFunc(Func(function), Cls(receiver.cls))
        return BoundFunc(Func(function), receiver)
    if found.what == "cached":
        from mplint.verdict.calls import call

        return call(m, Func(found.functions[-1]), (receiver,), {})
    if found.what == "value":
        value = class_value(m, found)
        if isinstance(value, Func):
            return BoundFunc(value, receiver)
        if isinstance(value, BuiltinMethod) and value.receiver is None:
            return BuiltinMethod(value.owner, value.name, receiver)
        return value
    if found.what == "builtin":
        assert isinstance(found.owner, str)
        return BuiltinMethod(found.owner, name, receiver if name != "__new__" else None)
    if found.what == "generated":
        return Partial(Ext("mplint.generated"), (Cls(found.owner), Const(name), receiver), ())
    raise Vague(f"`{name}` of a class")


def object_attribute(m: Machine, obj: Obj, name: str) -> Any:
    shape = m.shapes.of(obj.cls)
    if name == "__class__":
        return Cls(obj.cls)
    if name in {"__doc__", "__module__"}:
        return class_attribute(m, Cls(obj.cls), name)
    if name == "__dict__" and shape.find_python(name) is None:
        return DictObj({Const(k): v for k, v in obj.attrs.items()}, (), obj)
    found = shape.find(name)
    if found is not None and found.what == "property":
        getter = next((x for x in found.functions if not any(f.dotted(d).endswith((".setter", ".deleter")) for d in x.facts.decorators)), None)
        if getter is None:
            raise Vague("a property without a getter")
        from mplint.verdict.calls import call

        return call(m, Func(getter), (obj,), {})
    if found is not None and found.what == "slot":
        if name not in obj.slots:
            return _missing(m, obj, shape, name)
        return obj.slots[name]
    if found is not None and found.what == "member":
        if name == "args":
            return Seq("tuple", obj.args) if obj.args is not None else Term("args", (freeze(obj.args_term),), "tuple")
        if name == "__traceback__":
            return obj.fields.get(name, NONE)
        return obj.fields.get(name, NONE)
    if name in obj.attrs:
        return obj.attrs[name]
    if found is not None:
        return _bound(m, found, name, obj)
    return _missing(m, obj, shape, name)


def _missing(m: Machine, obj: Obj, shape: Shape, name: str) -> Any:
    fallback = shape.find_python("__getattr__")
    if fallback is not None and fallback.functions:
        from mplint.verdict.calls import call

        return call(m, BoundFunc(Func(fallback.functions[-1]), obj), (Const(name),), {})
    if shape.open:
        raise Vague(shape.open)
    raise Thrown("AttributeError", f"{shape.name!r} object has no attribute {name!r}")


def _super_attribute(m: Machine, value: SuperOf, name: str) -> Any:
    shape = m.shapes.of(value.of)
    found = shape.lookup(name, shape.after(value.after))
    if found is None:
        if shape.open:
            raise Vague(shape.open)
        if name in {"__init__", "__init_subclass__", "__setstate__"}:
            return Ext("mplint.nothing")
        raise Thrown("AttributeError", f"'super' object has no attribute {name!r}")
    if found.what == "property":
        from mplint.verdict.calls import call

        return call(m, Func(found.functions[0]), (value.receiver,), {})
    if found.what in {"member", "slot"} and isinstance(value.receiver, Obj):
        return object_attribute(m, value.receiver, name)
    return _bound(m, found, name, value.receiver)


def set_attribute(m: Machine, obj: Obj, name: str, value: Any, *, raw: bool = False) -> None:
    """`obj.name = value`; `raw` is `object.__setattr__`, past what the class says about assignment."""
    from mplint.verdict.calls import call

    shape = m.shapes.of(obj.cls)
    hook = shape.find_python("__setattr__") if not raw else None
    if hook is not None and hook.what == "generated":
        raise Thrown("dataclasses.FrozenInstanceError", f"cannot assign to field {name!r}")
    if hook is not None and hook.functions:
        call(m, BoundFunc(Func(hook.functions[-1]), obj), (Const(name), value), {})
        return
    found = shape.find(name)
    if found is not None and found.what == "property":
        setter = next((x for x in found.functions if any(f.dotted(d).endswith(".setter") for d in x.facts.decorators)), None)
        if setter is None:
            raise Thrown("AttributeError", f"property {name!r} of {shape.name!r} object has no setter")
        call(m, Func(setter), (obj, value), {})
    elif found is not None and found.what == "slot":
        obj.slots[name] = value
    elif found is not None and found.what == "member":
        _set_member(m, obj, name, value)
    else:
        obj.attrs[name] = value


def _set_member(m: Machine, obj: Obj, name: str, value: Any) -> None:
    from mplint.verdict.expressions import iterate

    if name == "args":
        items = iterate(m, value)
        obj.args = None if items is None else tuple(items)
        obj.args_term = freeze(value) if items is None else None
    elif name == "__dict__":
        if not isinstance(value, DictObj) or value.rest:
            raise Vague("`__dict__` assigned")
        obj.attrs = {str(k.value): v for k, v in value.items.items() if isinstance(k, Const)}
    elif name == "__class__":
        if not isinstance(value, Cls):
            raise Vague("`__class__` assigned")
        obj.cls = value.cls
    elif name in {"message", "exceptions"} and "BaseExceptionGroup" in m.shapes.of(obj.cls).builtins:
        raise Thrown("AttributeError", "readonly attribute")
    elif not name.startswith("__"):
        obj.fields[name] = value


def text_of(m: Machine, obj: Obj) -> Any:
    """`str(obj)` of an exception."""
    from mplint.verdict.calls import call

    shape = m.shapes.of(obj.cls)
    found = shape.find("__str__")
    if found is not None and found.functions:
        return call(m, BoundFunc(Func(found.functions[-1]), obj), (), {})
    if shape.open:
        raise Vague(shape.open)
    return builtin_text(m, obj, found.owner if found is not None and isinstance(found.owner, str) else "BaseException")


def builtin_text(m: Machine, obj: Obj, owner: str) -> Any:
    """`owner.__str__(obj)`."""
    plain = owner == "BaseException"
    if owner == "OSError":
        plain = "filename" not in obj.fields and not {"errno", "strerror"} <= set(obj.fields)
    elif owner == "ImportError" and operators.kind(m, obj.fields.get("msg", NONE)) == "str":
        return obj.fields["msg"]
    elif owner == "KeyError" and obj.args is not None and len(obj.args) == 1:
        return operators.represent(obj.args[0])
    if not plain or obj.args is None:
        return Term("str", (freeze(obj),), "str")
    if len(obj.args) == 1:
        return operators.to_text(m, obj.args[0])
    return Const("") if not obj.args else Term("str", (freeze(Seq("tuple", obj.args)),), "str")


def construct(m: Machine, cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`cls(*args, **kwargs)` for an exception class: `__new__`, then `__init__`."""
    from mplint.verdict.calls import call

    shape = m.shapes.of(cls)
    if shape.open:
        raise Vague(shape.open)
    maker = shape.find_python("__new__")
    if maker is not None and maker.functions:
        made = call(m, Func(maker.functions[-1]), (Cls(cls), *args), dict(kwargs))
    else:
        made = builtins.new(m, cls, args, kwargs)
    if not isinstance(made, Obj):
        raise Vague("`__new__` returns something else")
    if cls not in m.shapes.of(made.cls).mro:
        return made
    found = m.shapes.of(made.cls).find("__init__")
    if found is not None:
        call(m, _bound(m, found, "__init__", made), args, dict(kwargs))
    return made


def plain_function(function: Function) -> bool:
    return not (function.facts.is_async or function.facts.is_generator)
