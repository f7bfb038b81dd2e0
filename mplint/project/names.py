"""What a name means at module level: definitions, assignments, imports, star imports, builtins."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from mplint import facts as f
from mplint.project.attributes import placed_values
from mplint.project.containers import growth, grown
from mplint.project.definitions import definition_values, definitions_in
from mplint.project.modules import Module
from mplint.project.values import External, Instance, Many, ModuleValue, Unknown, Value, useful

if TYPE_CHECKING:
    from mplint.project import Project

BUILTINS = frozenset(dir(builtins))


def global_values(project: Project, module: Module, name: str, *, default: bool = True) -> tuple[Value, ...]:
    """What `name` can be in the global scope of `module`; builtins last, () or Unknown when nobody binds it."""
    out: list[Value] = []
    if name in module.outline.classes:
        cls = module.class_(name)
        out.extend([cls] if cls is not None else [])
    out.extend(module.functions_named(name))
    for imported in module.outline.imports:
        if imported.local == name and imported.name != "*":
            out.extend(import_values(project, module, imported.module, imported.level, imported.name))
    for page in module.outline.names.get(name, ()):
        if name in module.outline.classes:
            continue
        out.extend(_assigned(project, module, name, page))
    if name in module.outline.names and not any(useful(v) and not _is_noted(v) for v in out):
        declared = _declared(project, module, name)
        out = [*(v for v in out if not _is_noted(v) or not any(map(useful, declared))), *declared]
    if name in module.outline.names and not any(map(useful, out)):
        out.extend(v for values in placed_values(project, name, module) for v in values)
    values = tuple(dict.fromkeys(out))
    if any(isinstance(v, Many) for v in values):
        out = list(grown(values, growth(project, module.body, name)))
    if not out:
        for imported in module.outline.imports:
            if imported.name == "*":
                out.extend(_starred(project, module, imported.module, imported.level, name))
    if not out and name not in BUILTINS:
        out.extend(v for v in _declared(project, module, name) if isinstance(v, Instance) and isinstance(v.cls, External))
    if not out and default:
        out.append(External(f"builtins.{name}") if name in BUILTINS else Unknown("name"))
    return tuple(dict.fromkeys(out))


def _assigned(project: Project, module: Module, name: str, page: int) -> list[Value]:
    out: list[Value] = []
    for row in f.walk(*module.steps(page)):
        if isinstance(row, f.ClassFacts) and row.name == name:
            cls = module.class_(name)
            out.extend([cls] if cls is not None else [])
        else:
            for definition in definitions_in(row, name):
                out.extend(definition_values(project, definition, module.body))
    return out


def _is_noted(value: Value) -> bool:
    """Whether a value says no more than an annotation does: `pool: Pool | None = None`."""
    return isinstance(value, Instance) and value.made is None and value.source is None


def _declared(project: Project, module: Module, name: str) -> list[Value]:
    """What functions assign to `name` after `global name`."""
    out: list[Value] = []
    for number, page in enumerate(module.outline.pages):
        if page.kind == "function" and module.holds(number, "global ") and module.holds(number, name):
            for function in module.functions_on(number):
                if any(isinstance(r, f.Declare) and r.kind == "global" and name in r.names for r in function.rows):
                    for row in function.rows:
                        if isinstance(row, (f.Assign, f.With, f.For)):
                            for definition in definitions_in(row, name):
                                out.extend(definition_values(project, definition, function))
    return out


def absolute(package: str, target: str, level: int) -> str:
    """The dotted name that `from ..target import` means in a module of `package`."""
    if not level:
        return target
    parts = package.split(".") if package else []
    parts = parts[: len(parts) - (level - 1)] if level > 1 else parts
    return ".".join([*parts, *([target] if target else [])])


def import_values(project: Project, module: Module, target: str, level: int, name: str) -> list[Value]:
    """What `from target import name` (or `import target`, with `name` "") gives in `module`."""
    base = absolute(module.package, target, level)
    found = project.find_module(base, module.path)
    if not name:
        return [ModuleValue(found)] if found is not None else [External(project.table.canonical(base))]
    if found is not None and found is not module:
        values = project.global_values(found, name, default=False)
        if values:
            return list(values)
    inner = project.find_module(f"{base}.{name}" if base else name, module.path)
    if inner is not None:
        return [ModuleValue(inner)]
    if found is not None:
        return [Unknown("import")] if f"{base}.{name}" not in project.table.aliases else [External(project.table.canonical(f"{base}.{name}"))]
    return [External(project.table.canonical(f"{base}.{name}"))] if base else [Unknown("import")]


def _starred(project: Project, module: Module, target: str, level: int, name: str) -> list[Value]:
    base = absolute(module.package, target, level)
    found = project.find_module(base, module.path)
    if found is not None and found is not module:
        return list(project.global_values(found, name, default=False))
    full = project.table.canonical(f"{base}.{name}")
    if full in project.table.apis or full in project.table.kinds:
        return [External(full)]
    return []
