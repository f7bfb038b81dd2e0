"""The constructors that dataclass and attrs decorators write."""

from __future__ import annotations

from typing import Any

from mplint import facts as f
from mplint.project.modules import Class
from mplint.verdict.calls import bind, call
from mplint.verdict.expressions import ev
from mplint.verdict.fields import Field, Made, fields_of
from mplint.verdict.machine import Frame, Machine, Thrown, Vague
from mplint.verdict.objects import set_attribute
from mplint.verdict.terms import NONE, BoundFunc, Const, Func, Obj


def generated(m: Machine, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The `__init__` that a dataclass or attrs decorator writes."""
    cls, name, receiver, *values = args
    if not isinstance(receiver, Obj) or not isinstance(cls.cls, Class):
        raise Vague("a generated constructor")
    if name.value == "__setattr__":
        raise Thrown("dataclasses.FrozenInstanceError", "cannot assign to field")
    made = m.shapes.made(cls.cls)
    assert made is not None
    fields = fields_of(m.shapes, cls.cls, made)
    params = [*(x for x in fields if x.init and not x.kw_only), *(x for x in fields if x.init and x.kw_only)]
    facts = f.FunctionFacts(0, "__init__", tuple(_param(x, made) for x in params), ())
    home = Frame(cls.cls.outer or cls.cls.module.body, {}, None)
    env = bind(m, facts, tuple(values), kwargs, home, f"{cls.cls.name}.__init__")
    for field in fields:
        public = _public(field, made)
        if field.init:
            value = env[public]
            if value == Const(Ellipsis) and field.default is None and field.factory is not None:
                value = _made_by(m, field)
        elif field.default is not None:
            value = ev(m, field.default, Frame(home.function, {}, field.owner))
        elif field.factory is not None:
            value = _made_by(m, field)
        else:
            continue
        if field.converter is not None:
            value = call(m, ev(m, field.converter, Frame(home.function, {}, field.owner)), (value,), {})
        if not field.init_only:
            set_attribute(m, receiver, field.name, value, raw=True)
        env[public] = value
    after = "__post_init__" if made.kind == "dataclass" else "__attrs_post_init__"
    known = m.shapes.of(cls.cls).find_python(after)  # the decorator looked for it in this class and its bases
    hook = m.shapes.of(receiver.cls).find_python(after) if known is not None else None
    if hook is not None and hook.functions:
        extra = tuple(env[_public(x, made)] for x in fields if x.init_only)
        call(m, BoundFunc(Func(hook.functions[-1]), receiver), extra, {})
    if made.auto_exc:
        receiver.args = tuple(env[_public(x, made)] for x in fields if x.init)
    return NONE


def _public(field: Field, made: Made) -> str:
    return field.name.lstrip("_") if made.kind == "attrs" else field.name


def _param(field: Field, made: Made) -> f.Param:
    default = field.default if field.default is not None else f.Const(0, None, "ellipsis") if field.factory is not None else None
    return f.Param(_public(field, made), "keyword-only" if field.kw_only else "positional", default, field.annotation)


def _made_by(m: Machine, field: Field) -> Any:
    assert field.factory is not None
    return call(m, ev(m, field.factory, Frame(field.owner.outer or field.owner.module.body, {}, field.owner)), (), {})
