"""What the module level of a file says, without a look into its functions: its imports, the names that it binds, where another import goes."""

from __future__ import annotations

import ast
import symtable
import sys
import warnings
from collections.abc import Iterator
from typing import NamedTuple, Union

from mplint.facts.outline import shallow
from mplint.finding import Edit, Span
from mplint.fixes.edits import Unrepairable
from mplint.source import Source

Import = Union[ast.Import, ast.ImportFrom]


class Binding(NamedTuple):
    """`local` is an expression that stands for `name` of `module`, or for `module` itself when `name` is ""."""

    local: str
    module: str
    name: str


class TopLevel:
    """The module level of a file.  Raises Unrepairable where the running Python cannot parse it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree, text = shallow(source.text)
                self._table = symtable.symtable(text, source.path, "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise Unrepairable("this Python cannot tell which names the file binds") from None
        self._body = tree.body

    def imports(self) -> Iterator[tuple[Binding, int]]:
        """What the imports bind that are run whatever happens, and the offset at which each of them ends."""
        for node in self._body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for binding in bindings(node):
                    yield binding, self._stop(node)

    def binds(self, name: str) -> bool:
        """Whether `name` means something of the file's own at the module level."""
        return self.rebinds(name) or (name in self._table.get_identifiers() and self._table.lookup(name).is_imported())

    def rebinds(self, name: str) -> bool:
        """Whether something else than an import gives `name` a meaning at the module level."""
        if name not in self._table.get_identifiers():
            return False
        symbol = self._table.lookup(name)
        return symbol.is_assigned() or symbol.is_namespace()

    def addition(self, module: str, statement: str) -> Edit:
        """The edit that puts an import of `module` where an import sorter would: among its kind, else before or behind the other imports."""
        newline = self._source.newline
        imports, prologue = self._block()
        kind = [node for node in imports if _standard(_module(node)) == _standard(module)]
        plain = [node for node in kind if isinstance(node, ast.Import)]
        for node in plain:
            if _module(node) > module:
                return self._line_before(node, statement + newline)
        if plain:
            return self._line_after(plain[-1], statement)
        if kind:
            return self._line_before(kind[0], statement + newline)
        if imports and _standard(module):
            return self._line_before(imports[0], statement + newline + newline)
        if imports:
            return self._line_after(imports[-1], newline + statement)
        if prologue is not None:
            spaced = not "".join(self._source.lines[_last(prologue) :][:1]).strip()
            return self._line_after(prologue, newline + statement + ("" if spaced else newline))
        return self._on_top(statement)

    def _block(self) -> tuple[list[Import], ast.stmt | None]:
        """The imports before the first definition, and the last of the docstring and the `__future__` imports."""
        imports: list[Import] = []
        prologue: ast.stmt | None = None
        for node in self._body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                break
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                prologue = node
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                imports.append(node)
            elif node is self._body[0] and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                prologue = node
        return imports, prologue

    def _on_top(self, statement: str) -> Edit:
        """Before the first statement and the comment that belongs to it, behind the comment at the very top of the file."""
        lines, newline = self._source.lines, self._source.newline
        first = self._body[0]
        definition = isinstance(first, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        row = min(node.lineno for node in (first, *getattr(first, "decorator_list", ()))) - 1
        top = row
        while top > 0 and lines[top - 1].lstrip().startswith("#"):
            top -= 1
        start = self._source.starts[top or row]
        return Edit(Span(start, start), statement + newline * (3 if definition else 2))

    def _line_before(self, node: ast.stmt, text: str) -> Edit:
        row = node.lineno
        for other in reversed(self._body[: self._body.index(node)]):
            row = other.lineno if _last(other) == row else row  # a statement may begin where one of several lines ends
        start = self._source.starts[row - 1]
        return Edit(Span(start, start), text)

    def _line_after(self, node: ast.stmt, text: str) -> Edit:
        row = _last(node)
        for other in self._body[self._body.index(node) :]:
            row = _last(other) if other.lineno == row else row
        stop = self._source.starts[row] if row < len(self._source.starts) else len(self._source.text)
        if self._source.lines[row - 1].endswith(("\n", "\r")):
            return Edit(Span(stop, stop), text + self._source.newline)
        return Edit(Span(stop, stop), self._source.newline + text)

    def _stop(self, node: ast.stmt) -> int:
        row = _last(node) - 1
        line = self._source.lines[row]
        return self._source.starts[row] + len(line.encode()[: node.end_col_offset].decode())


def bindings(node: Import) -> Iterator[Binding]:
    """What an import binds; nothing is said of stars and of relative imports."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Binding(alias.asname or alias.name, alias.name, "")
            if not alias.asname and "." in alias.name:
                root = alias.name.split(".")[0]
                yield Binding(root, root, "")
    elif node.module and not node.level:
        for alias in node.names:
            if alias.name != "*":
                yield Binding(alias.asname or alias.name, node.module, alias.name)


def _last(node: ast.stmt) -> int:
    """The number, from 1, of the last line of a statement."""
    return node.end_lineno or node.lineno


def _module(node: Import) -> str:
    return node.names[0].name if isinstance(node, ast.Import) else "." * node.level + (node.module or "")


def _standard(module: str) -> bool:
    return module.split(".")[0] in sys.stdlib_module_names
