"""Base classes that lie outside the project: read from their source where it is at hand, or as it is known to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mplint.environment import module_file
from mplint.project.modules import Class, Module
from mplint.verdict import library
from mplint.verdict.known import SOURCES
from mplint.verdict.terms import Cls

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.verdict.machine import Machine

HOPS = 8
"""Re-exports that are followed from one module to the next."""


def class_outside(project: Project, dotted: str) -> Class | None:
    """The class of this dotted name in a library, None when its source is not known."""
    return project.kept(("outside", dotted), lambda: _read(project, dotted, HOPS) or _known(project, dotted))


CARRYING = frozenset({"__init__", "__new__", "__reduce__", "__reduce_ex__", "__setstate__", "__str__", "__setattr__"})
"""Methods that make, show, pickle or rebuild an exception."""


def exception_outside(m: Machine, name: str) -> Cls | None:
    """The exception class of a library by its dotted name; None when it is not known, or none."""
    builtin = library.builtin_base(m.project.table, name)
    if builtin:
        return Cls(builtin)
    found = class_outside(m.project, name)
    return Cls(found) if found is not None and m.shapes.of(found).is_exception else None


def _read(project: Project, dotted: str, hops: int) -> Class | None:
    module_name, _, name = dotted.rpartition(".")
    if not module_name or hops < 0:
        return None
    file = module_file(module_name, project.limits.libraries)
    if file is None:
        return None
    module = project.module(file)
    if module is None:
        return None
    if name in module.outline.classes:
        return module.class_(name)
    for imported in module.outline.imports:
        if imported.local == name or imported.name == "*":
            target = _absolute(module_name, file, imported.module, imported.level)
            found = _read(project, f"{target}.{name if imported.name == '*' else imported.name}", hops - 1) if target else None
            if found is not None:
                return found
    return module.class_(name) if name in module.outline.names else None


def _absolute(module_name: str, file: str, target: str, level: int) -> str:
    if not level:
        return target
    package = module_name.split(".") if file.endswith("__init__.py") else module_name.split(".")[:-1]
    package = package[: len(package) - (level - 1)]
    return ".".join([*package, *([target] if target else [])])


def _known(project: Project, dotted: str) -> Class | None:
    """A class of a well-known library as `mplint.verdict.known` has it; by its own name, wherever the library exports it."""
    top, _, rest = dotted.partition(".")
    name = rest.rpartition(".")[2]
    module = _module(project, top)
    return module.class_(name) if module is not None and name in module.outline.classes else None


def _module(project: Project, top: str) -> Module | None:
    from mplint.project import Project as Other
    from mplint.source import Sources

    if top not in SOURCES:
        return None
    path = f"/known/{top}.py"
    other = Other(Sources("/known", (path,), {path: SOURCES[top].encode()}), table=project.table, target=project.target)
    return other.module(path)
