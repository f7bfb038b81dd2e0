"""The exception classes that a module states, wherever they stand in it."""

from __future__ import annotations

from typing import Iterator

from mplint import facts as f
from mplint.project.modules import Class, Module


def stated(module: Module) -> Iterator[Class]:
    """Every class of the module level, those nested in classes and those under an `if` or `try` included; not those inside functions."""
    yield from module.classes()
    seen = set(module.outline.classes)
    pages = dict.fromkeys(page for name, pages in module.outline.names.items() if name not in seen for page in pages)
    for page in sorted(pages):
        if "class " in module.page_code(page):
            for row in f.walk(*module.steps(page)):
                if isinstance(row, f.ClassFacts):
                    cls = module.class_(row.name)
                    yield cls if cls is not None and cls.facts is row else module.local_class(row, module.body)
