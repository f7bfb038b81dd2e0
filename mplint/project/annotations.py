"""The instances that an annotation promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mplint import facts as f
from mplint.project.modules import Class, Function
from mplint.project.values import External, Instance, Literal, Many, Unknown, Value

if TYPE_CHECKING:
    from mplint.project import Project

_WRAPPERS = {"Optional", "Union", "Final", "ClassVar", "Annotated", "Awaitable", "Coroutine", "Required", "NotRequired"}
_LISTS = {
    "list", "List", "set", "Set", "frozenset", "FrozenSet", "Sequence", "Iterable", "Iterator", "Collection", "Deque", "deque", "Generator",
    "AsyncIterator",
}  # fmt: skip
_DICTS = {"dict", "Dict", "Mapping", "MutableMapping", "DefaultDict", "defaultdict", "OrderedDict"}


def annotation_values(project: Project, note: f.Expr, function: Function) -> list[Value]:
    """What the annotation `note` stands for, through Optional, unions, Annotated and container types."""
    if isinstance(note, f.Const):
        return [Literal(None)] if note.kind == "none" else [Unknown("annotation")]
    if isinstance(note, f.Op) and note.op == "|":
        return [v for operand in note.operands for v in annotation_values(project, operand, function)]
    if isinstance(note, f.Item):
        return _subscripted(project, note, function)
    out: list[Value] = []
    for value in project.values(note, function):
        if isinstance(value, Class):
            out.append(project.instance_of(value))
        elif isinstance(value, External):
            kind = project.table.kind(value.name)
            row = project.table.api(value.name) if kind is None else None
            if row is not None and "make" in row.does and row.gives:  # `multiprocessing.Pool` is a function, and people annotate with it
                value, kind = External(row.gives), project.table.kind(row.gives)
            out.append(Instance(value, kind.where if kind is not None else ""))
    return out or [Unknown("annotation")]


def _subscripted(project: Project, note: f.Item, function: Function) -> list[Value]:
    head = f.dotted(note.value).rpartition(".")[2]
    inner = note.index.items if isinstance(note.index, f.Sequence) else (note.index,)
    if head in _WRAPPERS:
        chosen = inner[:1] if head == "Annotated" else inner[-1:] if head == "Coroutine" else inner
        return [v for part in chosen for v in annotation_values(project, part, function)]
    if head in _LISTS and inner:
        return [Many("list", tuple(annotation_values(project, inner[0], function)))]
    if head in _DICTS:
        keys, *values = (tuple(annotation_values(project, part, function)) for part in inner)
        return [Many("dict", tuple(v for part in values for v in part), keys)]
    if head in {"tuple", "Tuple"}:
        return [Many("tuple", tuple(v for part in inner for v in annotation_values(project, part, function)))]
    if head in {"Type", "type"} and inner:
        return list(project.values(inner[0], function))
    return annotation_values(project, note.value, function)
