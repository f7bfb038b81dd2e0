"""Dicts with fixed keys that one method of a class returns and another takes: the same record, though it goes through the hands of a caller outside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.project.lives import mentions
from mplint.project.modules import Class, Function

if TYPE_CHECKING:
    from mplint.project import Project

_ENOUGH = 2
"""Keys that both must name: one alone may be a coincidence."""


def taken_back(project: Project, function: Function, returned: f.Expr | None) -> Iterator[tuple[Function, f.Row]]:
    """Where methods of the class of `function` read a parameter by the keys of the dict that it returns, and by no others."""
    if not isinstance(returned, f.Mapping) or function.owner is None:
        return
    keys = {key.value for key in returned.keys if isinstance(key, f.Const) and key.kind == "str"}
    if len(keys) < max(_ENOUGH, len(returned.keys)):
        return
    for cls in (function.owner, *(base for base in project.mro(function.owner)[1:] if isinstance(base, Class)), *project.subclasses(function.owner)):
        words = (word for key in keys for word in re.findall(r"\w+", str(key)))
        for method in cls.methods_where(lambda text: sum(f'["{key}"]' in text or f"['{key}']" in text for key in keys) >= _ENOUGH, *words):
            for param in method.facts.params:
                if method is not function and _is_read_by(method, param.name, keys):
                    yield from mentions.reads_of_parameter(method, param)


def _is_read_by(method: Function, name: str, keys: set[None | bool | int | float | str]) -> bool:
    read = {
        row.index.value if isinstance(row.index, f.Const) else None
        for row in method.rows
        if isinstance(row, f.Item) and isinstance(row.value, f.Name) and row.value.id == name
    }
    return len(read) >= _ENOUGH and read <= keys
