"""How a name of a library is spelled at a place of a file, and the import that is missing for it."""

from __future__ import annotations

import ast
import symtable
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from mplint.finding import Edit
from mplint.fixes.edits import Unrepairable
from mplint.fixes.toplevel import Binding, bindings
from mplint.fixes.tree import Tree


class Spelling(NamedTuple):
    """`text` stands for the name; `edit` adds the import that it needs, None when there is one."""

    text: str
    edit: Edit | None


def spelling(tree: Tree, place: cst.CSTNode, module: str, name: str = "") -> Spelling:
    """The expression for `name` of `module` (for the module itself without a name) at `place`.

    An import that is visible there is used, under its alias.  Otherwise the module is imported at the top of the file, under
    another name when its own means something else at `place`.  Raises Unrepairable.
    """
    top = tree.top
    functions = [scope for scope in tree.around(place) if isinstance(scope, (cst.FunctionDef, cst.Lambda))]
    hidden = _local(tree, functions)
    start = tree.inner[place].start
    visible = [
        binding for binding, stop in top.imports() if (functions or stop <= start) and (root := _root(binding.local)) not in hidden and not top.rebinds(root)
    ]
    for scope in functions:
        visible.extend(_imports(tree, scope, start))
    for binding in visible:
        if (binding.module, binding.name) == (module, name) or (not name and f"{binding.module}.{binding.name}" == module and binding.name):
            return Spelling(binding.local, None)
    for binding in visible:
        if name and (binding.module == module and not binding.name or f"{binding.module}.{binding.name}" == module and binding.name):
            return Spelling(f"{binding.local}.{name}", None)
    root = _root(module)
    if root in hidden or (top.binds(root) and not any(_root(b.local) == _root(b.module) == root for b in visible)):
        local = tree.fresh("_" + module.replace(".", "_"))
        statement = f"import {module} as {local}"
    else:
        local, statement = module, f"import {module}"
    return Spelling(f"{local}.{name}" if name else local, top.addition(module, statement))


def _root(dotted: str) -> str:
    return dotted.partition(".")[0]


def _local(tree: Tree, functions: list[cst.FunctionDef | cst.Lambda]) -> set[str]:
    """The names that are local to some of `functions`, which stand around each other."""
    if not functions:
        return set()
    part = tree.part(functions[-1])
    before = tree.parts.lines(part)[0] - 1
    wanted = {(_name(function), tree.row(function) - before) for function in functions}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stack = symtable.symtable(tree.parts.text(part, part), tree.source.path, "exec").get_children()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unrepairable("this Python cannot tell which names the file binds") from None
    names: set[str] = set()
    while stack:
        table = stack.pop()
        stack.extend(table.get_children())
        if table.get_type() == "function" and (table.get_name(), table.get_lineno()) in wanted:
            names.update(symbol.get_name() for symbol in table.get_symbols() if symbol.is_local())
    return names


def _name(function: cst.FunctionDef | cst.Lambda) -> str:
    return function.name.value if isinstance(function, cst.FunctionDef) else "lambda"


def _imports(tree: Tree, scope: cst.FunctionDef | cst.Lambda, stop: int) -> Iterator[Binding]:
    """What the imports among the statements of a function bind that end before `stop`."""
    for line in scope.body.body if isinstance(scope.body, cst.BaseSuite) else ():
        for node in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(node, (cst.Import, cst.ImportFrom)) and tree.inner[node].stop <= stop:
                for read in ast.parse(tree.code(node)).body:
                    if isinstance(read, (ast.Import, ast.ImportFrom)):
                        yield from bindings(read)
