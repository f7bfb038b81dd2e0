"""The order in which the parts of one node are evaluated, and which of them only sometimes."""

from __future__ import annotations

from typing import Any, Iterable, Iterator

import msgspec

from mplint import facts as f
from mplint.project.flow.bindings import Definition, of_clauses


class Condition(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A part runs only when `test` was true (`holds`) or false; `test` None inside a comprehension: any number of times."""

    test: f.Expr | None
    holds: bool = True
    outer: Condition | None = None


class Scope(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What the clauses of a comprehension have bound where a part is evaluated, innermost clause first."""

    definitions: tuple[Definition, ...]
    outer: Scope | None = None

    def find(self, name: str) -> Definition | None:
        scope: Scope | None = self
        while scope is not None:
            for definition in scope.definitions:
                if definition.name == name:
                    return definition
            scope = scope.outer
        return None


class Part(msgspec.Struct, frozen=True, eq=False, gc=False):
    """`order` counts the rows of a node in the order in which their evaluation ends."""

    row: Any
    order: int
    condition: Condition | None
    scope: Scope | None


def in_comprehension(part: Part) -> bool:
    """Whether a part is evaluated any number of times, each time over."""
    condition = part.condition
    while condition is not None and condition.test is not None:
        condition = condition.outer
    return condition is not None


_Todo = tuple[Any, Condition | None, Scope | None]


def parts_of(roots: Iterable[Any]) -> dict[int, Part]:
    """By its number, every row that is evaluated when `roots` are, one after the other.

    Bodies of nested functions, lambdas and classes are left out.  Of rows that share a number the outermost counts.
    """
    parts: dict[int, Part] = {}
    stack: list[tuple[Any, Condition | None, Scope | None, bool]] = [(r, None, None, False) for r in reversed(list(roots))]
    order = 0
    while stack:
        row, condition, scope, done = stack.pop()
        if done:
            old = parts.get(row.at)
            parts[row.at] = Part(row, order, condition if old is None or old.condition is not None else None, scope)
            order += 1
        else:
            stack.append((row, condition, scope, True))
            below = list(_below(row, condition, scope))
            stack.extend((r, c, s, False) for r, c, s in reversed(below))
    return parts


def _below(row: Any, condition: Condition | None, scope: Scope | None) -> Iterator[_Todo]:
    """The rows evaluated for `row`, in order."""
    if isinstance(row, f.Op) and row.op in ("and", "or"):
        for index, operand in enumerate(row.operands):
            yield operand, condition, scope
            if index == 0 or row.op == "and":
                condition = Condition(operand, row.op == "and", condition)
    elif isinstance(row, f.Choice):
        yield row.test, condition, scope
        yield row.body, Condition(row.test, True, condition), scope
        yield row.orelse, Condition(row.test, False, condition), scope
    elif isinstance(row, f.Comprehension):
        yield from _comprehension(row, condition, scope)
    elif isinstance(row, f.Assert):
        yield row.test, condition, scope
        if row.message is not None:
            yield row.message, Condition(row.test, False, condition), scope
    else:
        for part in _plain(row):
            yield part, condition, scope


def _comprehension(row: f.Comprehension, condition: Condition | None, scope: Scope | None) -> Iterator[_Todo]:
    bound = of_clauses(row.clauses)
    outer, inner = scope, scope
    for index, clause in enumerate(row.clauses):
        yield clause.source, condition, outer if index == 0 else inner
        if index == 0:
            condition = Condition(None, True, condition)
        inner = Scope(tuple(bound[index]), inner)
        yield clause.target, condition, inner
        for test in clause.conditions:
            yield test, condition, inner
            condition = Condition(test, True, condition)
    yield row.element, condition, inner


def _plain(row: Any) -> Iterator[Any]:
    if isinstance(row, f.Assign):
        if row.value is not None:
            yield row.value
        yield from row.targets
        if row.annotation is not None:
            yield row.annotation
    elif isinstance(row, f.Bind):
        yield row.value
        yield row.name
    elif isinstance(row, f.Mapping):
        for key, value in zip(row.keys, row.values):
            if key is not None:
                yield key
            yield value
    elif isinstance(row, f.Lambda):
        yield from (p.default for p in row.function.params if p.default is not None)
    elif isinstance(row, f.FunctionFacts):
        yield from row.decorators
        yield from (p.default for p in row.params if p.default is not None)
        yield from (p.annotation for p in row.params if p.annotation is not None)
        if row.returns is not None:
            yield row.returns
    elif isinstance(row, f.ClassFacts):
        yield from row.decorators
        yield from (b.value for b in row.bases)
    else:
        yield from f.children(row)
