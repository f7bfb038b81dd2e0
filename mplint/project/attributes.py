"""What an attribute of a value can be: class members, instance attributes set in any method, members of modules and libraries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.project.annotations import annotation_values
from mplint.project.containers import ADDING, Growth, growth, grown
from mplint.project.definitions import unpacked
from mplint.project.hierarchy import derived
from mplint.project.modules import Class, Function, Module
from mplint.project.results import entered_values, given
from mplint.apis.unpicklable import REFUSED
from mplint.source import words
from mplint.project.values import Bound, External, Instance, Literal, Many, ModuleValue, Partial, Super, Tuple, Unknown, Value, elements, useful

if TYPE_CHECKING:
    from mplint.project import Project


def attribute_values(project: Project, base: Value, attr: str, function: Function) -> tuple[Value, ...]:
    """All that `base.attr` can be; `function` is where it is asked."""
    if isinstance(base, ModuleValue):
        values = project.global_values(base.module, attr, default=False)
        if values:
            return values
        inner = project.find_module(f"{base.module.name}.{attr}", base.module.path)
        return (ModuleValue(inner),) if inner is not None else (Unknown("attribute"),)
    if isinstance(base, External):
        name = project.table.canonical(f"{base.name}.{attr}")
        found = project.find_module(name, function.path)
        return (ModuleValue(found),) if found is not None else (External(name),)
    if isinstance(base, Class):
        return _class_attribute(project, base, attr, receiver=None) or (Unknown("attribute"),)
    if isinstance(base, Instance) and attr == "__class__":
        return (base.cls,)
    if isinstance(base, Instance):
        if isinstance(base.cls, External):
            return _external_attribute(project, base, base.cls.name, attr)
        return _instance_attribute(project, base, base.cls, attr)
    if isinstance(base, Super):
        receiver = base.receiver
        start = receiver.cls if isinstance(receiver, Instance) else receiver
        order = project.mro(start if isinstance(start, Class) else base.cls)
        after = order[order.index(base.cls) + 1 :] if base.cls in order else order[1:]
        return _from_classes(project, after, attr, receiver) or (Unknown("attribute"),)
    if isinstance(base, (Many, Tuple)):
        return (Bound(External(f"builtins.{base.kind if isinstance(base, Many) else 'tuple'}.{attr}"), base),)
    if isinstance(base, Partial) and attr == "func":
        return (base.func,)
    if isinstance(base, Literal) and base.value is None:
        return ()
    if isinstance(base, Bound) and isinstance(base.function, External) and base.function.name in REFUSED:
        return (Bound(External(f"{base.function.name}.{attr}"), base.receiver),)
    if isinstance(base, Unknown) and attr in _SPEAKING:
        return _external_attribute(project, Instance(External(_SPEAKING[attr])), _SPEAKING[attr], attr)
    return (Unknown("attribute"),)


_SPEAKING = {"run_in_executor": "asyncio.AbstractEventLoop", "add_signal_handler": "asyncio.AbstractEventLoop"}
"""Methods that nothing else has: their name says what an unknown object is."""


def _external_attribute(project: Project, base: Instance, cls: str, attr: str) -> tuple[Value, ...]:
    return (Bound(External(f"{project.table.canonical(cls)}.{attr}"), base),)


def _class_attribute(project: Project, cls: Class, attr: str, *, receiver: Value | None) -> tuple[Value, ...]:
    found = _from_classes(project, project.mro(cls), attr, receiver if receiver is not None else cls)
    if any(map(useful, found)):
        return found
    return tuple(dict.fromkeys((*found, *project.stored(cls, attr))))


def _from_classes(project: Project, order: tuple[Class | External | Unknown, ...], attr: str, receiver: Value) -> tuple[Value, ...]:
    for cls in order:
        if isinstance(cls, Class):
            found = _own(project, cls, attr, receiver)
            if found:
                return found
        elif isinstance(cls, External) and cls.name != "builtins.object":
            if project.table.method(cls.name, attr) is not None:
                return (Bound(External(f"{project.table.canonical(cls.name)}.{attr}"), receiver),)
            if cls.name.startswith("builtins."):
                continue
            return (Bound(External(f"{project.table.canonical(cls.name)}.{attr}"), receiver),)
    return ()


def _own(project: Project, cls: Class, attr: str, receiver: Value) -> tuple[Value, ...]:
    """What `attr` is in the body of this very class; () when it is not there."""
    method = cls.method(attr)
    if method is not None:
        on_instance = isinstance(receiver, Instance)
        if method.is_static:
            return (method,)
        if method.is_class_method:
            return (Bound(method, receiver.cls if isinstance(receiver, Instance) and isinstance(receiver.cls, Class) else receiver),)
        if method.is_property and on_instance:
            return project.returned(method)
        return (Bound(method, receiver),) if on_instance else (method,)
    values = tuple(v for row in cls.assigns(attr) for v in project.class_level(cls, row, attr))
    if values:
        return values
    inner = cls.module.class_(f"{cls.qualname}.{attr}") if cls.outer is None else None
    return (inner,) if inner is not None else ()


_STORING = re.compile(
    r"\s*(?:=(?!=)|[+|]=|\\|\.(?:" + "|".join(ADDING) + r")\b)"  # assigned, changed, added to
    r"|[ \t]*:[ \t]*[^\s#]|[ \t]+in\b"  # annotated, bound by a loop
    r"|\s*\[(?:[^\n]*(?:=|\.(?:" + "|".join(ADDING) + r")\b)|[^\n\]]*\n)"  # by index
)
"""What follows an attribute that is stored to, or added to."""

_AMONG = re.compile(r"[ \t]*[,)\]][^=\n]*=")
_ALONE = re.compile(r"[ \t]*[,)\]]*[ \t]*(?:#[^\n]*)?\n")
_BEFORE = re.compile(r"[ \t(\[*]*[\w.]+")
_ENTERED = re.compile(r"\bas\s+[\w.]*$")


def _writes(text: str, attr: str) -> bool:
    """Whether the source of a function may store something in an attribute `attr`, or add to it."""
    word = f".{attr}"
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not (text[end : end + 1].isalnum() or text[end : end + 1] == "_"):
            before = text[text.rfind("\n", 0, at) + 1 : at]
            if _STORING.match(text, end) or _ENTERED.search(before):
                return True
            if "=" not in before.rpartition(";")[2] and _AMONG.match(text, end):  # one of several targets
                return True
            if _BEFORE.fullmatch(before) and _ALONE.match(text, end):  # of several lines
                return True
        at = text.find(word, end)
    return False


def _instance_attribute(project: Project, base: Instance, cls: Class, attr: str) -> tuple[Value, ...]:
    order = project.mro(cls)
    for owner in order:
        if isinstance(owner, Class) and attr in owner.method_names():
            return _own(project, owner, attr, base)
    found = project.stored(cls, attr)
    if not any(map(useful, found)):
        found = tuple(dict.fromkeys((*found, *_from_classes(project, order, attr, base))))
    if base.made is None and (found or not any(isinstance(b, Unknown) for b in order)) and (_is_class(project, found) or not any(map(useful, found))):
        found = tuple(dict.fromkeys((*found, *_below(project, base, cls, attr, declared=Literal(None) in found))))
    return found or (Unknown("attribute"),)


def _below(project: Project, base: Instance, cls: Class, attr: str, *, declared: bool) -> Iterator[Value]:
    """What the subclasses of `cls` give as an attribute that it does not; where it declares the attribute (None, for now) also their methods."""
    for below in derived(project, cls, attr, words.stores, *((words.defines,) if declared else ())):
        yield from project.stored(below, attr)
        if declared and attr in below.method_names():
            yield from _own(project, below, attr, base)


def _is_class(project: Project, values: tuple[Value, ...]) -> bool:
    """Whether an attribute holds a class, which is there to be replaced by subclasses."""
    return any(isinstance(v, Class) or (isinstance(v, External) and project.table.kind(v.name) is not None) for v in values)


def stored_values(project: Project, cls: Class, attr: str) -> tuple[Value, ...]:
    """What is assigned to `self.attr` (or to that of the class): by the methods of `cls` and its bases, with what they add to it when it is
    a container, and by others as far as objects of APIs were followed."""
    out: list[Value] = []
    more = Growth()
    for owner in project.mro(cls):
        if not isinstance(owner, Class):
            continue
        for method in owner.methods_where(lambda text: _writes(text, attr), attr):
            holders = [owner.name, *((method.receiver, f"{method.receiver}.__class__") if method.receiver else ())]
            for function in (method, *method.all_nested()):
                for target in (f"{holder}.{attr}" for holder in holders):
                    for row in project.stores(function).get(target, ()):
                        out.extend(_made_for(project, cls, row, function) or _stored_by(project, row, target, function))
                    more += growth(project, function, target)
        if not any(map(useful, out)):
            out.extend(v for row in owner.assigns(attr) for v in project.class_level(owner, row, attr))
    out.extend(v for values in placed_values(project, attr, cls) for v in values)
    return grown(dict.fromkeys(out), more)


def _made_for(project: Project, cls: Class, row: f.Row, function: Function) -> tuple[Value, ...]:
    """What a method that `cls` inherits makes by a class that is an attribute of its object, as in `self.pool = self.pool_class()`: `cls` says
    which; () where it does not."""
    call = row.value if isinstance(row, f.Assign) and len(row.targets) == 1 else None
    if not isinstance(call, f.Call) or not isinstance(call.func, f.Attr) or f.dotted(call.func.value) != function.receiver or function.owner in (None, cls):
        return ()
    makers = _from_classes(project, project.mro(cls), call.func.attr, project.instance_of(cls))
    return tuple(given(project, makers, call, function)) if _is_class(project, makers) else ()


def placed_values(project: Project, attr: str, holder: Class | Module) -> Iterator[tuple[Value, ...]]:
    """What code outside of `holder` assigns to its attribute, as far as objects of APIs were followed."""
    for target, row, function in project.placed(attr):
        if row.value is not None and any(_is_of(project, v, holder) for v in project.values(target.value, function)):
            for place in row.targets:
                yield _placed(project.values(row.value, function), place, f.dotted(target))


def _is_of(project: Project, value: Value, holder: Class | Module) -> bool:
    if isinstance(value, ModuleValue):
        return value.module is holder
    cls = value.cls if isinstance(value, Instance) else value
    return isinstance(cls, Class) and isinstance(holder, Class) and (holder in project.mro(cls) or cls in project.mro(holder))


def stores(function: Function) -> dict[str, list[f.Row]]:
    """For each dotted target the rows of the body that bind it."""
    out: dict[str, list[f.Row]] = {}
    for row in function.rows:
        for target in f.stored_to(row):
            for part in f.walk(target):
                if isinstance(part, f.Attr) and f.dotted(part):
                    out.setdefault(f.dotted(part), []).append(row)
    return out


def _stored_by(project: Project, row: f.Row, target: str, function: Function) -> tuple[Value, ...]:
    out: list[Value] = []
    if isinstance(row, f.Assign):
        if row.value is not None:
            for place in row.targets:
                out.extend(_placed(project.values(row.value, function), place, target))
        if row.annotation is not None and not any(map(useful, out)):
            out.extend(annotation_values(project, row.annotation, function))
    elif isinstance(row, f.With):
        for item in row.items:
            if item.target is not None:
                out.extend(_placed(entered_values(project, project.values(item.value, function)), item.target, target))
    elif isinstance(row, f.For):
        out.extend(_placed(elements(project.values(row.source, function)), row.target, target))
    return tuple(out)


def _placed(values: tuple[Value, ...], place: f.Expr, target: str) -> tuple[Value, ...]:
    """The part of `values` that a target expression puts into the dotted `target`."""
    if f.dotted(place) == target:
        return values
    if isinstance(place, f.Sequence):
        return tuple(v for n, item in enumerate(place.items) for v in _placed(unpacked(values, (n,)), item, target))
    return ()
