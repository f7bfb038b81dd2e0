"""What a name becomes by one of its definitions: an assignment, loop, with, import, handler, parameter, clause ..."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.project.annotations import annotation_values
from mplint.project.flow.bindings import Definition, of_step, of_targets
from mplint.project.modules import Class, Function
from mplint.project.parameters import parameter_values
from mplint.project.results import entered_values
from mplint.project.values import External, Instance, Many, Tuple, Unknown, Value, elements, useful

if TYPE_CHECKING:
    from mplint.project import Project


def definitions_in(row: f.Row, name: str) -> Iterator[Definition]:
    """The definitions of `name` that a step makes by itself, the steps inside it not counted."""
    if isinstance(row, f.For):
        bindings = of_targets(row, (row.target,), row.source)
    elif isinstance(row, f.With):
        bindings = [b for i in row.items if i.target is not None for b in of_targets(row, (i.target,), i.value)]
    else:
        bindings = of_step(row)  # type: ignore[arg-type]
    return (b.definition for b in bindings if b.definition.name == name)


def definition_values(project: Project, definition: Definition, function: Function) -> list[Value]:
    """All that a definition, made in `function`, can give its name."""
    row, value = definition.row, definition.value
    if isinstance(row, f.Assign):
        found = _along(project, value, definition.path, function) if value is not None else ()
        out = list(found)
        if row.annotation is not None and not any(map(useful, out)):
            out.extend(v for v in annotation_values(project, row.annotation, function) if value is None or useful(v))
        return out
    if isinstance(row, (f.For, f.Clause)) and value is not None:
        return list(unpacked(elements(project.values(value, function)) or (Unknown("loop"),), definition.path))
    if isinstance(row, f.With) and value is not None:
        return list(unpacked(entered_values(project, project.values(value, function)), definition.path))
    if isinstance(row, f.Import) and definition.imported is not None:
        target, alias = definition.imported
        if row.module or row.level:
            return project.import_values(function.module, row.module, row.level, target)
        return project.import_values(function.module, target if alias else target.partition(".")[0], 0, "")
    if isinstance(row, f.FunctionFacts):
        return [function.view(row)]
    if isinstance(row, f.ClassFacts):
        return [function.module.local_class(row, function)]
    if isinstance(row, f.Handler):
        return caught(project, row, function)
    if isinstance(row, f.Bind) and value is not None:
        return list(project.values(value, function))
    if isinstance(row, f.Param):
        return list(parameter_values(project, row, function))
    if isinstance(row, f.Change) and value is not None:
        return [v for v in project.values(value, function) if row.op in {"+", "|"} and isinstance(v, (Many, Tuple))] or [Unknown("arithmetic")]
    return [] if isinstance(row, f.Delete) else [Unknown("binding")]


def caught(project: Project, row: f.Handler, function: Function) -> list[Value]:
    """The exceptions that a handler can be given."""
    types = project.values(row.types, function) if row.types is not None else (External("builtins.BaseException"),)
    return [Instance(t) for t in (*types, *elements(types)) if isinstance(t, (Class, External))] or [Unknown("exception")]


def _along(project: Project, value: f.Expr, path: tuple[int | None, ...], function: Function) -> tuple[Value, ...]:
    while path and isinstance(value, f.Sequence) and not any(isinstance(i, f.Star) for i in value.items):
        step = path[0]
        if step is None or not -len(value.items) <= step < len(value.items):
            break
        value, path = value.items[step], path[1:]
    return unpacked(project.values(value, function), path)


def unpacked(values: tuple[Value, ...], path: tuple[int | None, ...]) -> tuple[Value, ...]:
    """The parts at `path` of values that are taken apart by a target; see `Definition.path`."""
    for step in path:
        parts: list[Value] = []
        for value in values:
            if step is None:
                parts.append(Many("list", elements((value,))))
            elif isinstance(value, Tuple) and -len(value.items) <= step < len(value.items):
                parts.extend(value.items[step])
            else:
                parts.extend(elements((value,)) or (Unknown("item"),))
        values = tuple(dict.fromkeys(parts))
    return values
