"""How a name of a library is spelled at a place of a file, and the import that is missing for it."""

from __future__ import annotations

import re
import symtable
import sys
from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from mplint.edits import NeedsWhole, Unrepairable
from mplint.finding import Edit, Span
from mplint.tree import Tree


class Spelling(NamedTuple):
    """`text` stands for the name; `edit` adds the import that it needs, None when there is one."""

    text: str
    edit: Edit | None


class _Binding(NamedTuple):
    """`local` is an expression that stands for `name` of `module`, or for `module` itself when `name` is ""."""

    local: str
    module: str
    name: str
    stop: int


def spelling(tree: Tree, place: cst.CSTNode, module: str, name: str = "") -> Spelling:
    """The expression for `name` of `module` (for the module itself without a name) at `place`.

    An import that is visible there is used, under its alias.  Otherwise the module is imported at the top of the file, under
    another name when its own means something else at `place`.  Raises Unrepairable.
    """
    if not tree.whole:
        raise NeedsWhole
    scopes = _scopes(tree, place)
    functions = [scope for scope in scopes if isinstance(scope, (cst.FunctionDef, cst.Lambda))]
    tables = _tables(tree, functions)
    start = tree.layout.inner[place].start
    visible = [
        binding
        for binding in _bindings(tree, tree.module)
        if (functions or binding.stop <= start) and not _shadowed(binding.local, tables) and not _rebound(binding.local, tables[0])
    ]
    for scope in functions:
        if isinstance(scope, cst.FunctionDef):
            visible += [binding for binding in _bindings(tree, scope.body) if binding.stop <= start]
    for binding in visible:
        if (binding.module, binding.name) == (module, name) or (not name and f"{binding.module}.{binding.name}" == module and binding.name):
            return Spelling(binding.local, None)
    for binding in visible:
        if name and (binding.module == module and not binding.name or f"{binding.module}.{binding.name}" == module and binding.name):
            return Spelling(f"{binding.local}.{name}", None)
    root = module.split(".")[0]
    bound = _known(root, tables[0]) and not any(b.local.split(".")[0] == b.module.split(".")[0] == root for b in visible)
    if bound or _shadowed(root, tables):
        local = fresh(tree, "_" + module.replace(".", "_"))
        statement = f"import {module} as {local}"
    else:
        local, statement = module, f"import {module}"
    return Spelling(f"{local}.{name}" if name else local, _addition(tree, module, statement))


def fresh(tree: Tree, wish: str) -> str:
    """`wish`, with a number behind it when the file uses that name already."""
    used = set(re.findall(r"\w+", tree.source.text))
    number, name = 2, wish
    while name in used:
        number, name = number + 1, f"{wish}{number}"
    return name


def _scopes(tree: Tree, node: cst.CSTNode) -> list[cst.CSTNode]:
    scopes: list[cst.CSTNode] = []
    above = tree.layout.parents.get(node)
    while above is not None:
        if isinstance(above, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
            scopes.append(above)
        above = tree.layout.parents.get(above)
    return scopes


def _tables(tree: Tree, functions: list[cst.FunctionDef | cst.Lambda]) -> list[symtable.SymbolTable]:
    """The symbol table of the file, then those of all functions that are called as one of `functions` is."""
    try:
        top = symtable.symtable(tree.source.text, tree.source.path, "exec")
    except (SyntaxError, ValueError, RecursionError):
        raise Unrepairable("this Python cannot tell which names the file binds") from None
    names = {scope.name.value if isinstance(scope, cst.FunctionDef) else "lambda" for scope in functions}
    tables, stack = [top], top.get_children()
    while stack:
        table = stack.pop()
        stack.extend(table.get_children())
        if table.get_name() in names and table.get_type() == "function":
            tables.append(table)
    return tables


def _known(name: str, table: symtable.SymbolTable) -> bool:
    if name not in table.get_identifiers():
        return False
    symbol = table.lookup(name)
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()


def _rebound(local: str, top: symtable.SymbolTable) -> bool:
    """Whether the module gives the name of an import another meaning, too."""
    symbol = top.lookup(local.split(".")[0])
    return symbol.is_assigned() or symbol.is_namespace()


def _shadowed(local: str, tables: list[symtable.SymbolTable]) -> bool:
    root = local.split(".")[0]
    return any(root in table.get_identifiers() and table.lookup(root).is_local() for table in tables[1:])


def _bindings(tree: Tree, block: cst.Module | cst.BaseSuite) -> Iterator[_Binding]:
    for line in block.body:
        for node in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            stop = tree.layout.inner[node].stop
            if isinstance(node, cst.Import):
                for alias in node.names:
                    module = tree.code(alias.name)
                    yield _Binding(tree.code(alias.asname.name) if alias.asname else module, module, "", stop)
                    if not alias.asname and "." in module:
                        yield _Binding(module.split(".")[0], module.split(".")[0], "", stop)
            elif isinstance(node, cst.ImportFrom) and node.module and not node.relative and not isinstance(node.names, cst.ImportStar):
                for alias in node.names:
                    local = alias.asname.name if alias.asname else alias.name
                    yield _Binding(tree.code(local), tree.code(node.module), tree.code(alias.name), stop)


def _addition(tree: Tree, module: str, statement: str) -> Edit:
    """The edit that puts an import where an import sorter would: among its kind, else before or behind the other imports."""
    newline = tree.newline
    imports, prologue = _block(tree)
    kind = [node for node in imports if _standard(_module(tree, node)) == _standard(module)]
    plain = [node for node in kind if isinstance(node, cst.Import)]
    for node in plain:
        if _module(tree, node) > module:
            return _line_before(tree, node, statement + newline)
    if plain:
        return _line_after(tree, plain[-1], statement)
    if kind:
        return _line_before(tree, kind[0], statement + newline)
    if imports and _standard(module):
        return _line_before(tree, imports[0], statement + newline + newline)
    if imports:
        return _line_after(tree, imports[-1], newline + statement)
    if prologue is not None:
        stop = tree.line_end(tree.layout.inner[prologue].stop)
        spaced = not tree.source.text[stop : tree.line_end(stop)].strip()
        return _line_after(tree, prologue, newline + statement + ("" if spaced else newline))
    return _on_top(tree, statement)


def _block(tree: Tree) -> tuple[list[cst.Import | cst.ImportFrom], cst.BaseSmallStatement | None]:
    """The imports before the first definition, and the last of the docstring and the `__future__` imports."""
    imports: list[cst.Import | cst.ImportFrom] = []
    prologue: cst.BaseSmallStatement | None = None
    for index, line in enumerate(tree.module.body):
        if isinstance(line, (cst.FunctionDef, cst.ClassDef)):
            break
        for node in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(node, cst.ImportFrom) and isinstance(node.module, cst.Name) and node.module.value == "__future__":
                prologue = node
            elif isinstance(node, (cst.Import, cst.ImportFrom)):
                imports.append(node)
            elif index == 0 and isinstance(node, cst.Expr) and isinstance(node.value, (cst.SimpleString, cst.ConcatenatedString)):
                prologue = node
    return imports, prologue


def _module(tree: Tree, node: cst.Import | cst.ImportFrom) -> str:
    if isinstance(node, cst.Import):
        return tree.code(node.names[0].name)
    return "." * len(node.relative) + (tree.code(node.module) if node.module else "")


def _standard(module: str) -> bool:
    return module.split(".")[0] in sys.stdlib_module_names


def _line_before(tree: Tree, node: cst.CSTNode, text: str) -> Edit:
    start = tree.line_start(tree.layout.inner[node].start)
    return Edit(Span(start, start), text)


def _line_after(tree: Tree, node: cst.CSTNode, text: str) -> Edit:
    stop = tree.line_end(tree.layout.inner[node].stop)
    if tree.source.text[:stop].endswith(("\n", "\r")):
        return Edit(Span(stop, stop), text + tree.newline)
    return Edit(Span(stop, stop), tree.newline + text)


def _on_top(tree: Tree, statement: str) -> Edit:
    """Before the first statement and the comment that belongs to it, behind the comment at the very top of the file."""
    first = tree.module.body[0]
    row = tree.source.text.count(tree.newline, 0, tree.span(first).start)
    lines = tree.source.lines
    top = row
    while top > 0 and lines[top - 1].lstrip().startswith("#"):
        top -= 1
    if top == 0:
        top = row
    blank = 2 if isinstance(first, (cst.FunctionDef, cst.ClassDef)) else 1
    start = sum(map(len, lines[:top]))
    return Edit(Span(start, start), statement + tree.newline * (1 + blank))
