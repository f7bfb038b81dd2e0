"""The docstring of a class, for classes whose message is written there; facts leave it out."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from mplint.facts import PAGE_BITS
from mplint.project.modules import Class
from mplint.verdict.terms import Cls, Const, Term

if TYPE_CHECKING:
    from mplint.project import Project


def docstring(project: Project, cls: Cls) -> Any:
    """What `__doc__` of a class is: the docstring as it is written, as far as it is known."""
    of = cls.cls
    found = project.kept(("docstring", of), lambda: _docstring(project, of)) if isinstance(of, Class) else None
    return Const(found) if found is not None else Term("doc", (cls,), "str")


def _docstring(project: Project, cls: Class) -> str | None:
    number = cls.facts.at >> PAGE_BITS
    pages = cls.module.outline.pages
    if pages[number].kind != "class" or pages[number].name != cls.qualname:
        return None
    project.sources.data(cls.path)  # no page holds these lines: every byte of the file counts from here on
    after = next((page.first for page in pages[number + 1 :]), len(cls.module.lines) + 1)
    try:
        body = ast.parse("if 1:\n" + cls.module.lines.between(pages[number].last + 1, after - 1)).body
    except SyntaxError:
        return None
    step = body[0].body[0] if isinstance(body[0], ast.If) else None
    if isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant) and isinstance(step.value.value, str):
        return step.value.value
    return None
