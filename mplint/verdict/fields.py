"""Fields of dataclasses and attrs classes, and slots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.project.modules import Class
from mplint.verdict import library

if TYPE_CHECKING:
    from mplint.verdict.shapes import Shapes

DATACLASS = {"dataclasses.dataclass"}
ATTRS_OLD = {"attr.s", "attr.attrs", "attr.attributes", "attr.dataclass", "attr.ib", "attrs.s"}
ATTRS_NEW = {f"{p}.{n}" for p in ("attr", "attrs") for n in ("define", "mutable", "frozen")}


@dataclass(frozen=True)
class Made:
    """How a decorator generates a constructor: `kind` is "dataclass" or "attrs"; `auto_exc` passes the fields up."""

    kind: str
    kw_only: bool = False
    frozen: bool = False
    slots: bool = False
    init: bool = True
    auto_exc: bool = False
    old: bool = False


@dataclass(frozen=True)
class Field:
    """A field of a dataclass or attrs class.  `default` is an expression of `owner`'s body, `factory` one to be called."""

    name: str
    owner: Class
    annotation: f.Expr | None = None
    default: f.Expr | None = None
    factory: f.Expr | None = None
    converter: f.Expr | None = None
    init: bool = True
    kw_only: bool = False
    init_only: bool = False


def made_by(name: str, call: f.Call | None) -> Made | None:
    def flag(key: str, default: bool) -> bool:
        value = call.keyword(key) if call is not None else None
        return bool(value.value) if isinstance(value, f.Const) else default

    if name in DATACLASS:
        return Made("dataclass", flag("kw_only", False), flag("frozen", False), flag("slots", False), flag("init", True))
    if name in ATTRS_OLD:
        frozen = flag("frozen", False)
        return Made("attrs", flag("kw_only", False), frozen, flag("slots", False), flag("init", True), flag("auto_exc", False), name != "attr.dataclass")
    if name in ATTRS_NEW:
        frozen = flag("frozen", name.endswith(".frozen"))
        return Made("attrs", flag("kw_only", False), frozen, flag("slots", True), flag("init", True), flag("auto_exc", True))
    return None


def slots_of(cls: Class) -> frozenset[str]:
    names: set[str] = set()
    for assign in cls.assigned("__slots__"):
        value = assign.value
        items = value.items if isinstance(value, f.Sequence) else tuple(k for k in value.keys if k) if isinstance(value, f.Mapping) else (value,)
        names.update(str(i.value) for i in items if isinstance(i, f.Const) and i.kind == "str")
    return frozenset(names - {"__dict__", "__weakref__"})


def fields_of(shapes: Shapes, cls: Class, made: Made) -> tuple[Field, ...]:
    """The fields of `cls`, inherited ones first, as the generated constructor takes them."""
    out: dict[str, Field] = {}
    for base in reversed(shapes.of(cls).mro):
        if isinstance(base, Class):
            how = made if base is cls else shapes.made(base)
            if how is not None and how.kind == made.kind:
                for field in _own_fields(shapes, base, how):
                    out[field.name] = field
    return tuple(out.values())


def _own_fields(shapes: Shapes, cls: Class, made: Made) -> Iterator[Field]:
    kw_only = made.kw_only
    for assign in cls.assigns():
        target = assign.targets[0]
        if not isinstance(target, f.Name) or (assign.annotation is None and (made.kind == "dataclass" or not isinstance(assign.value, f.Call))):
            continue
        note = f.dotted(assign.annotation.value if isinstance(assign.annotation, f.Item) else assign.annotation).rpartition(".")[2]
        if note == "ClassVar":
            continue
        if note == "KW_ONLY":
            kw_only = True
            continue
        call = assign.value if isinstance(assign.value, f.Call) else None
        maker = library.dotted_of(shapes.values(call.func, cls)) if call is not None else ""
        if maker not in library.FIELD_MAKERS:
            if assign.annotation is None or made.old:
                continue
            yield Field(target.id, cls, assign.annotation, assign.value, kw_only=kw_only, init_only=note == "InitVar")
            continue
        assert call is not None
        default, factory = call.keyword("default"), call.keyword("default_factory") or call.keyword("factory")
        if maker.startswith("attr") and default is None:
            default = call.positional(0)
        if isinstance(default, f.Call) and library.dotted_of(shapes.values(default.func, cls)) in {"attr.Factory", "attrs.Factory"}:
            factory, default = default.positional(0), None
        init, keyword = call.keyword("init"), call.keyword("kw_only")
        yield Field(
            target.id, cls, assign.annotation, default, factory, call.keyword("converter"),
            not (isinstance(init, f.Const) and init.value is False), bool(keyword.value) if isinstance(keyword, f.Const) else kw_only, note == "InitVar",
        )  # fmt: skip
