"""A rule's page in Markdown: its docstring, and its example where the docstring leaves room for it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mplint.rule import Rule


def page_of(rule: type[Rule]) -> str:
    """The docstring with the two programs of the example, each with the way CPython ends it, before the section on certainty."""
    page = inspect.cleandoc(rule.__doc__ or "")
    example = getattr(rule, "example", None)
    if example is None or not page:
        return page
    shown = f"## Example\n\nThis program {example.bad_ends}:\n\n{_fenced(example.bad)}\n\nThis one {example.fixed_ends}:\n\n{_fenced(example.fixed)}"
    for heading in ("## When it knows", "## Fix safety", "## References"):
        if heading in page:
            before, after = page.split(heading, 1)
            return f"{before.rstrip()}\n\n{shown}\n\n{heading}{after}"
    return f"{page}\n\n{shown}"


def _fenced(program: str) -> str:
    return f"```python\n{program.strip()}\n```"
