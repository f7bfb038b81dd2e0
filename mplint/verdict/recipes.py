"""Repairs of an exception class, each tried on symbolic values before it is offered.

"rebuild" makes the copy without running `__init__` again: `copyreg.__newobj__` with `args`, and `__dict__` as the state.  "fields" also
carries what does not live in `__dict__`: members of the C structure and slots, and `args` itself.  "call" calls the class with its own
parameters.  "drop" is "rebuild" without the attributes that cannot be pickled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mplint.project.modules import Class
from mplint.verdict import builtins
from mplint.verdict.fields import slots_of
from mplint.verdict.shapes import Shape, Shapes
from mplint.verdict.terms import NONE, Cls, Const, DictObj, Ext, Obj, Seq

if TYPE_CHECKING:
    from mplint.project import Project

WORK = 12_000
"""Expressions evaluated for trying one repair on a class and its subclasses at most."""


@dataclass(frozen=True)
class Recipe:
    """`members` are the names that "fields" carries, the parameters of "call", or the attributes that "drop" leaves out."""

    name: str
    members: tuple[str, ...] = ()


def reduced(recipe: Recipe, obj: Obj) -> Any:
    """What the `__reduce__` of the recipe returns."""
    from mplint.verdict.machine import Vague

    if obj.args is None:
        raise Vague("args")
    state = {Const(k): v for k, v in obj.attrs.items()}
    if recipe.name == "rebuild":
        return Seq("tuple", (Ext("copyreg.__newobj__"), Seq("tuple", (Cls(obj.cls), *obj.args)), DictObj(state)))
    if recipe.name == "fields":
        known = {**obj.fields, **obj.slots}
        state.update({Const(n): known[n] for n in recipe.members if known.get(n, NONE) != NONE})
        state[Const("args")] = Seq("tuple", obj.args)
        return Seq("tuple", (Ext("copyreg.__newobj__"), Seq("tuple", (Cls(obj.cls),)), DictObj(state)))
    if recipe.name == "drop":
        kept = {k: v for k, v in state.items() if k.value not in recipe.members}
        return Seq("tuple", (Ext("copyreg.__newobj__"), Seq("tuple", (Cls(obj.cls), *obj.args)), DictObj(kept)))
    values = {**obj.fields, **obj.slots, **obj.attrs}
    if any(n not in values for n in recipe.members):
        raise Vague("a parameter that is not kept")
    return Seq("tuple", (Cls(obj.cls), Seq("tuple", tuple(values[n] for n in recipe.members))))


def candidates(shapes: Shapes, shape: Shape) -> list[Recipe]:
    """The repairs worth trying on a class, the plainest first."""
    assert isinstance(shape.cls, Class)
    if shapes.own(shape.cls, "__reduce__") is not None or shape.find_python("__reduce_ex__") is not None or shapes.registered(shape.cls) is not None:
        return []
    slots = tuple(sorted(n for c in shape.mro if isinstance(c, Class) for n in slots_of(c)))
    kind = builtins.solid(shape.builtins)
    members = (
        tuple(n for n in builtins.members(kind, shapes.version) if n not in {"characters_written", "print_file_and_line", "obj"})
        if kind in builtins.MEMBERS
        else ()
    )
    recipes = [Recipe("rebuild")]
    if kind not in {"BaseExceptionGroup", "UnicodeDecodeError", "UnicodeEncodeError", "UnicodeTranslateError"}:
        recipes.append(Recipe("fields", (*members, *slots)))
    from mplint.verdict.judge import parameters

    params = parameters(shapes, shape)
    if params is not None and all(p.kind in {"positional", "positional-only"} for p in params):
        recipes.append(Recipe("call", tuple(p.name for p in params)))
    return recipes


def chosen(project: Project, shapes: Shapes, cls: Class) -> Recipe | None:
    """The first repair after which `cls` and its subclasses in the project survive every construction; None when there is none."""
    from mplint.verdict.judge import repaired

    for recipe in candidates(shapes, shapes.of(cls)):
        left = WORK
        for each in (cls, *(sub for sub in project.subclasses(cls) if inherits(shapes, sub, cls))):
            work = repaired(project, shapes, each, recipe, left)
            if work is None:
                break
            left -= work
        else:
            return recipe
    return None


def inherits(shapes: Shapes, sub: Class, cls: Class) -> bool:
    """Whether `sub` would take the `__reduce__` of `cls`."""
    for place in shapes.of(sub).mro:
        if place == cls:
            return True
        if any(shapes.own(place, name) is not None for name in ("__reduce__", "__reduce_ex__")):
            return False
    return False
