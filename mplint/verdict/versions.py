"""Flags that tell versions of Python apart: `sys.version_info >= (3,)`, `PY2`, `six.PY3`, `TYPE_CHECKING`."""

from __future__ import annotations

from typing import Any

from mplint import facts as f
from mplint.project.modules import Module
from mplint.project.names import absolute
from mplint.verdict.machine import Frame, Impossible, Machine, Thrown, Vague
from mplint.verdict.terms import Const, Ext, Seq

HOPS = 4
"""Imports that are followed to where a flag is defined."""


def known_flag(m: Machine, value: Ext) -> Any:
    """What a library's name says about the version, or the name itself."""
    if value.name == "sys.version_info":
        return Seq("tuple", (Const(m.version[0]), Const(m.version[1]), Const(0), Const("final"), Const(0)))
    if value.name in {"six.PY3", "future.utils.PY3"}:
        return Const(True)
    if value.name in {"six.PY2", "future.utils.PY2", "typing.TYPE_CHECKING"}:
        return Const(False)
    return value


def version_flag(m: Machine, module: Module, name: str, hops: int = HOPS) -> Const | None:
    """The value of a module-level name that is computed from the version of Python alone, None for every other."""
    pages = module.outline.names.get(name, ())
    if len(pages) == 1 and "version_info" in module.page_code(pages[0]):
        for row in module.steps(pages[0]):
            if isinstance(row, f.Assign) and row.value is not None and f.dotted(row.targets[0]) == name:
                try:
                    from mplint.verdict.expressions import ev

                    value = ev(m, row.value, Frame(module.body))
                except (Vague, Thrown, Impossible):
                    return None
                return value if isinstance(value, Const) else None
    if hops:
        for imported in module.outline.imports:
            if imported.local == name and imported.name not in {"", "*"}:
                found = m.project.find_module(absolute(module.package, imported.module, imported.level), module.path)
                if found is not None and found is not module:
                    return version_flag(m, found, imported.name, hops - 1)
    return None
