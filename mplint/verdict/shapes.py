"""The structure of a class: its MRO, where a name is found, slots, properties, generated constructors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterator, Union

from mplint import facts as f
from mplint.project.hierarchy import direct_bases, merge
from mplint.project.modules import Class, Function
from mplint.project.values import External, Unknown
from mplint.verdict import builtins, library, outside
from mplint.verdict.fields import Made, fields_of, made_by, slots_of
from mplint.verdict.terms import Func

if TYPE_CHECKING:
    from mplint.project import Project

Owner = Union[Class, str]


@dataclass(frozen=True)
class Found:
    """Where a name was found in an MRO and what it is: "function", "property", "slot", "value", "member", "builtin", "generated"."""

    owner: Owner
    what: str
    functions: tuple[Function, ...] = ()
    assign: f.Assign | None = None


class Shape:
    """A class as far as it matters here.  `mro` holds project classes and builtin names; `open` says why it is incomplete."""

    def __init__(self, shapes: Shapes, cls: Owner, mro: tuple[Owner, ...], open_: str) -> None:
        self.shapes, self.cls, self.mro, self.open = shapes, cls, mro, open_
        self.builtins = tuple(c for c in mro if isinstance(c, str))

    @property
    def name(self) -> str:
        return self.cls.rpartition(".")[2] if isinstance(self.cls, str) else self.cls.name

    @property
    def is_exception(self) -> bool:
        return "BaseException" in self.builtins

    def after(self, owner: Owner) -> tuple[Owner, ...]:
        return self.mro[self.mro.index(owner) + 1 :] if owner in self.mro else ()

    def lookup(self, name: str, places: tuple[Owner, ...]) -> Found | None:
        for place in places:
            found = self.shapes.own(place, name)
            if found is not None:
                return found
        return None

    def find(self, name: str) -> Found | None:
        return self.lookup(name, self.mro)

    def find_python(self, name: str) -> Found | None:
        """The first definition of `name` that is no builtin's."""
        return self.lookup(name, tuple(c for c in self.mro if not isinstance(c, str)))


class Shapes:
    """The shapes of the classes of one project, each made once."""

    def __init__(self, project: Project, version: tuple[int, int]) -> None:
        self.project, self.version = project, version
        self._shapes: dict[Owner, Shape] = {}
        self._own: dict[tuple[Owner, str], Found | None] = {}
        self._made: dict[Class, Made | None] = {}

    def of(self, cls: Owner) -> Shape:
        if cls not in self._shapes:
            if isinstance(cls, str):
                self._shapes[cls] = Shape(self, cls, builtins.bases_of(cls), "")
            else:
                self._shapes[cls] = Shape(self, cls, *self._mro(cls))
        return self._shapes[cls]

    def _mro(self, cls: Class) -> tuple[tuple[Owner, ...], str]:
        places, unknown = self._linearised(cls, ())
        for owner in places:
            if not isinstance(owner, Class) or unknown:
                continue
            for argument in owner.facts.bases:
                if argument.keyword == "metaclass" and not self._plain_metaclass(owner, argument.value):
                    unknown = f"the metaclass of {cls.name}"
        return places, unknown

    def _linearised(self, cls: Class, below: tuple[Class, ...]) -> tuple[tuple[Owner, ...], str]:
        """The MRO as CPython makes it, over classes of the project, of libraries and builtin ones, and why it is incomplete."""
        if cls in below:
            return (cls,), f"a base of {cls.name}"
        sequences: list[tuple[Owner, ...]] = []
        unknown = f"the code behind the stub of {cls.name}" if cls.module.path.endswith(".pyi") else ""
        for base in direct_bases(self.project, cls):
            if isinstance(base, Class):
                above, reason = self._linearised(base, (*below, cls))
            else:
                above, reason = self._outside(base, cls)
            unknown = unknown or reason
            if above:
                sequences.append(above)
        sequences.append(tuple(s[0] for s in sequences))
        merged = merge([list(s) for s in sequences])
        if merged is None:  # an order that CPython would refuse: each class before its bases as far as it goes
            merged = list(dict.fromkeys(place for s in sequences for place in s))
        return (cls, *merged), unknown

    def _outside(self, base: External | Unknown, cls: Class) -> tuple[tuple[Owner, ...], str]:
        """The MRO of a base that is no class of the project, and why it is incomplete; () for one that takes no part."""
        if isinstance(base, Unknown):
            return (), f"a base of {cls.name}"
        name = library.builtin_base(self.project.table, base.name)
        if name:
            return builtins.bases_of(name), ""
        if library.inert(base.name):
            return (), ""
        found = outside.class_outside(self.project, base.name)
        if found is None or found is cls:
            return (), base.name
        above = self.of(found)
        return above.mro, above.open

    def _plain_metaclass(self, cls: Class, expr: f.Expr) -> bool:
        values = self.values(expr, cls)
        if len(values) != 1:
            return False
        value = values[0]
        if isinstance(value, External):
            return value.name in {"abc.ABCMeta", "builtins.type", "enum.EnumMeta"}
        if isinstance(value, Class):
            return all(
                entry.method("__call__") is None and entry.method("__new__") is None
                if isinstance(entry, Class)
                else isinstance(entry, External) and entry.name in {"builtins.type", "builtins.object", "abc.ABCMeta"}
                for entry in self.project.mro(value)
            )
        return False

    def values(self, expr: f.Expr, cls: Class) -> tuple[Any, ...]:
        return self.project.values(expr, cls.outer if cls.outer is not None else cls.module.body)

    def own(self, place: Owner, name: str) -> Found | None:
        """What `place` itself says about `name`."""
        key = (place, name)
        if key not in self._own:
            self._own[key] = _builtin(place, name, self.version) if isinstance(place, str) else self._in_class(place, name)
        return self._own[key]

    def _in_class(self, cls: Class, name: str) -> Found | None:
        functions = tuple(definitions(cls, name))
        if functions:
            last = functions[-1]
            accessor = any(f.dotted(d) == f"{name}.{end}" for d in last.decorators for end in ("setter", "getter", "deleter"))
            names = {f.dotted(d).rpartition(".")[2] for d in last.decorators}
            if "cached_property" in names:
                return Found(cls, "cached", functions)
            return Found(cls, "property" if accessor or any(name.endswith("property") for name in names) else "function", functions)
        if name in slots_of(cls):
            return Found(cls, "slot")
        made = self.made(cls)
        if made is not None and made.init and name == "__init__":
            return Found(cls, "generated")
        if made is not None and made.frozen and name == "__setattr__":
            return Found(cls, "generated")
        values = [a for a in cls.assigned(name) if a.value is not None]
        if made is not None and made.slots and name in {x.name for x in fields_of(self, cls, made)}:
            return Found(cls, "slot")
        if values and made is not None and made.kind == "attrs" and name in {x.name for x in fields_of(self, cls, made)}:
            return None
        return Found(cls, "value", (), values[-1]) if values else None

    def registered(self, cls: Owner) -> Any:
        """The function that `copyreg.pickle` was given for exactly this class in its own module, None without one."""
        if isinstance(cls, str) or not self.project.spells(cls.module, b"copyreg"):
            return None
        for site in cls.module.body.calls:
            if self.project.external(site.call.func, site.function) == "copyreg.pickle" and len(site.call.args) >= 2:
                if cls in self.project.values(site.call.args[0].value, site.function):
                    for value in self.project.values(site.call.args[1].value, site.function):
                        if isinstance(value, Function):
                            return Func(value)
        return None

    def made(self, cls: Class) -> Made | None:
        """How a class decorator generates the constructor of `cls`."""
        if cls not in self._made:
            self._made[cls] = None
            for decorator in cls.facts.decorators:
                call = decorator if isinstance(decorator, f.Call) else None
                for value in self.values(call.func if call else decorator, cls):
                    if isinstance(value, External) and self._made[cls] is None:
                        self._made[cls] = made_by(value.name, call)
        return self._made[cls]


def _builtin(place: str, name: str, version: tuple[int, int]) -> Found | None:
    if name in builtins.members(place, version):
        return Found(place, "member")
    if name in {"__init__", "__new__"}:
        return Found(place, "builtin")
    if name == "__reduce__":
        owners = {"BaseException", "OSError", "ImportError"} | ({"AttributeError"} if version >= (3, 12) else set())
        return Found(place, "builtin") if place in owners else None
    if place == "BaseException" and name in {
        "__setstate__", "__reduce_ex__", "__str__", "__repr__", "with_traceback", "add_note", "__setattr__", "__getattribute__", "__getstate__",
        "__init_subclass__", "__eq__", "__hash__", "__format__", "__delattr__", "__dir__", "__sizeof__",
    }:  # fmt: skip
        return Found(place, "builtin")
    if name == "__str__" and place in {"OSError", "KeyError", "ImportError", "SyntaxError", "UnicodeDecodeError", "UnicodeEncodeError", "BaseExceptionGroup"}:
        return Found(place, "builtin")
    return None


def definitions(cls: Class, name: str) -> Iterator[Function]:
    """Every `def name` in the body of `cls`, in source order: a property has several."""
    if cls.outline is not None and not cls.facts.body:
        steps: Iterator[f.Step] = (step for page in cls.outline.methods.get(name, ()) for step in cls.module.steps(page))
    else:
        steps = iter(cls.facts.body)
    for row in f.walk(*steps):
        if isinstance(row, f.FunctionFacts) and row.name == name:
            yield cls.module.view(row, f"{cls.qualname}.{name}", cls, cls.outer)
