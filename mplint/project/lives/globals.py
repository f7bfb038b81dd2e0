"""Globals of a module: the rows of functions that change them, and those that read them."""

from __future__ import annotations

from typing import Iterator

from mplint import facts as f
from mplint.project.lives.mentions import is_target, loads
from mplint.project.messages.updates import CHANGING
from mplint.project.modules import Function


def changed_globals(function: Function) -> Iterator[tuple[str, f.Row]]:
    """The globals that the body of a function binds anew or changes in place, each with the row; of a module's body the latter alone."""
    declared = declared_globals(function)
    for row in function.rows:
        for target in f.stored_in(row):
            if isinstance(target, f.Name) and target.id in declared:
                yield target.id, row
            elif isinstance(target, f.Item) and (f.dotted(target.value) in declared or is_global(function, target.value)):
                yield f.dotted(target.value), row
        if isinstance(row, f.Call) and isinstance(row.func, f.Attr) and row.func.attr in CHANGING:
            if f.dotted(row.func.value) in declared or is_global(function, row.func.value):
                yield f.dotted(row.func.value), row


def declared_globals(function: Function) -> frozenset[str]:
    """The names that the body of a function says to be global."""
    return frozenset(n for row in function.rows if isinstance(row, f.Declare) and row.kind == "global" for n in row.names)


def is_global(function: Function, expr: f.Expr) -> bool:
    """Whether an expression of a function is the name of a global that its module binds at its own level."""
    return isinstance(expr, f.Name) and expr.id in function.module.outline.names and is_free(function, expr)


def is_free(function: Function, name: f.Name) -> bool:
    """Whether a name is local neither to the function nor to one around it."""
    if function.graph.definitions(name):
        return False
    scope: Function | None = function
    while scope is not None and not scope.is_module:
        if scope.has_parameter(name) or scope.graph.all_definitions(name.id):
            return False
        scope = scope.outer
    return True


def global_reads(function: Function, name: str) -> Iterator[f.Name]:
    """Where a function uses the value of a global, and does not only put something into it."""
    for load in loads(function, name):
        around = function.parent(load)
        if isinstance(around, f.Item) and around.value is load and is_target(function, around):
            continue
        if is_free(function, load) or (function.is_module and load.id == name):
            yield load
