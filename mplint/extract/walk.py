"""The state of a walk, and what literals and names say."""

from __future__ import annotations

import ast
from typing import Any

import libcst as cst

from mplint import facts as f


class Walk:
    """Counts the nodes of a page; `nodes`, when given, keeps them.  `generators` says of each function around whether it yields."""

    def __init__(self, start: int, nodes: list[cst.CSTNode] | None, headless: bool) -> None:
        self.next = start
        self.nodes = nodes
        self.headless = headless
        self.generators = [False]

    def number(self, node: cst.CSTNode) -> int:
        at = self.next
        self.next = at + 1
        if self.nodes is not None:
            self.nodes.append(node)
        return at


def dotted(node: cst.BaseExpression) -> str:
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    return ".".join([node.value if isinstance(node, cst.Name) else "", *reversed(parts)])


def alias(node: cst.ImportAlias) -> str:
    return node.asname.name.value if node.asname is not None and isinstance(node.asname.name, cst.Name) else ""


def literal(text: str) -> str | bytes:
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError):
        return text
    return value if isinstance(value, (str, bytes)) else text


def clean(text: str | bytes) -> str:
    """Text that any encoder takes: lone surrogates are replaced."""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def renumber(row: Any, at: int) -> Any:
    """The same expression with every number set to `at`: a quoted annotation has one position."""
    changes: dict[str, Any] = {}
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if name == "at":
            changes["at"] = at
        elif isinstance(value, f.Row) or hasattr(value, "__struct_fields__"):
            changes[name] = renumber(value, at)
        elif isinstance(value, tuple):
            changes[name] = tuple(renumber(v, at) if hasattr(v, "__struct_fields__") else v for v in value)
    return type(row)(**{n: changes.get(n, getattr(row, n)) for n in row.__struct_fields__})
