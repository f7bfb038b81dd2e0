"""Statements as facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import libcst as cst

from mplint import facts as f
from mplint.extract.expressions import OPERATORS, annotation, argument, expr, maybe, params
from mplint.extract.pages import Unreadable, deep
from mplint.extract.walk import Walk, alias, dotted
from mplint.facts.outline import Page

EXTRACTOR = 2
"""Version of what this package writes; part of every cache key."""


def steps_of(module: cst.Module, page: Page, number: int, nodes: list[cst.CSTNode] | None = None) -> tuple[f.Step, ...]:
    """The facts of a parsed page.  `nodes`, when given, receives the node of every number in order."""
    body: Iterable[Any] = module.body
    if page.indent:
        first = module.body[0]
        assert isinstance(first, cst.If)
        body = first.body.body
    return steps_in(body, page, number, nodes)


def steps_in(body: Iterable[Any], page: Page, number: int, nodes: list[cst.CSTNode] | None = None) -> tuple[f.Step, ...]:
    """The facts of a page by its statements, wherever they were parsed."""
    walk = Walk(number << f.PAGE_BITS, nodes, headless=page.kind == "class")
    try:
        with deep():
            return block(walk, body)
    except RecursionError:
        raise Unreadable("nested too deeply to be read", page.first, 1) from None


def block(walk: Walk, body: Iterable[Any]) -> tuple[f.Step, ...]:
    steps: list[f.Step] = []
    for node in body:
        if type(node) is cst.SimpleStatementLine:
            for small in node.body:
                steps.append(step(walk, small))
        else:
            steps.append(step(walk, node))
    return tuple(steps)


def step(walk: Walk, node: Any) -> f.Step:
    handler = _STEPS.get(type(node))
    if handler is None:
        raise Unreadable(f"{type(node).__name__} is a statement that mplint does not know")
    row: f.Step = handler(walk, node)
    return row


def suite(walk: Walk, node: Any) -> tuple[f.Step, ...]:
    """The steps of an indented block, a one-line suite, an `else` or a `finally`; () when there is none."""
    if node is None:
        return ()
    if type(node) in (cst.Else, cst.Finally):
        node = node.body
    if type(node) is cst.SimpleStatementSuite:
        return tuple(step(walk, small) for small in node.body)
    return block(walk, node.body)


def function(walk: Walk, node: cst.FunctionDef) -> f.FunctionFacts:
    at = walk.number(node)
    decorators = tuple(expr(walk, d.decorator) for d in node.decorators)
    parameters = params(walk, node.params)
    returns = annotation(walk, node.returns)
    walk.generators.append(False)
    body = suite(walk, node.body)
    is_generator = walk.generators.pop()
    if body and isinstance(body[0], f.Do) and isinstance(body[0].value, f.Const) and body[0].value.kind == "str":
        body = body[1:]
    return f.FunctionFacts(at, node.name.value, parameters, body, decorators, returns, node.asynchronous is not None, is_generator)


def class_(walk: Walk, node: cst.ClassDef) -> f.ClassFacts:
    at = walk.number(node)
    decorators = tuple(expr(walk, d.decorator) for d in node.decorators)
    bases = tuple(argument(walk, arg) for arg in (*node.bases, *node.keywords))
    body = () if walk.headless else suite(walk, node.body)
    return f.ClassFacts(at, node.name.value, bases, body, decorators)


def assign(walk: Walk, node: cst.Assign) -> f.Assign:
    at = walk.number(node)
    targets = tuple(expr(walk, t.target) for t in node.targets)
    return f.Assign(at, targets, expr(walk, node.value))


def annotated(walk: Walk, node: cst.AnnAssign) -> f.Assign:
    at = walk.number(node)
    target = expr(walk, node.target)
    note = annotation(walk, node.annotation)
    return f.Assign(at, (target,), maybe(walk, node.value), note)


def type_alias(walk: Walk, node: cst.TypeAlias) -> f.Assign:
    at = walk.number(node)
    return f.Assign(at, (expr(walk, node.name),), expr(walk, node.value))


def change(walk: Walk, node: cst.AugAssign) -> f.Change:
    at = walk.number(node)
    op = OPERATORS[type(node.operator).__name__.removesuffix("Assign")]
    return f.Change(at, expr(walk, node.target), op, expr(walk, node.value))


def do(walk: Walk, node: cst.Expr) -> f.Do:
    at = walk.number(node)
    return f.Do(at, expr(walk, node.value))


def return_(walk: Walk, node: cst.Return) -> f.Return:
    at = walk.number(node)
    return f.Return(at, maybe(walk, node.value))


def raise_(walk: Walk, node: cst.Raise) -> f.Raise:
    at = walk.number(node)
    exc = maybe(walk, node.exc)
    return f.Raise(at, exc, expr(walk, node.cause.item) if node.cause is not None else None)


def jump(walk: Walk, node: cst.Break | cst.Continue | cst.Pass) -> f.Jump:
    return f.Jump(walk.number(node), type(node).__name__.lower())


def declare(walk: Walk, node: cst.Global | cst.Nonlocal) -> f.Declare:
    return f.Declare(walk.number(node), type(node).__name__.lower(), tuple(item.name.value for item in node.names))


def import_(walk: Walk, node: cst.Import) -> f.Import:
    at = walk.number(node)
    return f.Import(at, "", 0, tuple((dotted(a.name), alias(a)) for a in node.names))


def import_from(walk: Walk, node: cst.ImportFrom) -> f.Import:
    at = walk.number(node)
    module = dotted(node.module) if node.module is not None else ""
    names = (("*", ""),) if isinstance(node.names, cst.ImportStar) else tuple((dotted(a.name), alias(a)) for a in node.names)
    return f.Import(at, module, len(node.relative), names)


def assert_(walk: Walk, node: cst.Assert) -> f.Assert:
    at = walk.number(node)
    return f.Assert(at, expr(walk, node.test), maybe(walk, node.msg))


def delete(walk: Walk, node: cst.Del) -> f.Delete:
    at = walk.number(node)
    target = expr(walk, node.target)
    return f.Delete(at, target.items if isinstance(target, f.Sequence) else (target,))


def if_(walk: Walk, node: cst.If) -> f.If:
    at = walk.number(node)
    test, body = expr(walk, node.test), suite(walk, node.body)
    orelse = (if_(walk, node.orelse),) if isinstance(node.orelse, cst.If) else suite(walk, node.orelse)
    return f.If(at, test, body, orelse)


def while_(walk: Walk, node: cst.While) -> f.While:
    at = walk.number(node)
    return f.While(at, expr(walk, node.test), suite(walk, node.body), suite(walk, node.orelse))


def for_(walk: Walk, node: cst.For) -> f.For:
    at = walk.number(node)
    target, source = expr(walk, node.target), expr(walk, node.iter)
    return f.For(at, target, source, suite(walk, node.body), suite(walk, node.orelse), node.asynchronous is not None)


def try_(walk: Walk, node: cst.Try | cst.TryStar) -> f.Try:
    at = walk.number(node)
    body = suite(walk, node.body)
    handlers = tuple(handler(walk, h) for h in node.handlers)
    return f.Try(at, body, handlers, suite(walk, node.orelse), suite(walk, node.finalbody), isinstance(node, cst.TryStar))


def handler(walk: Walk, node: cst.ExceptHandler | cst.ExceptStarHandler) -> f.Handler:
    at = walk.number(node)
    types = maybe(walk, node.type)
    name = node.name.name.value if node.name is not None and isinstance(node.name.name, cst.Name) else ""
    return f.Handler(at, types, name, suite(walk, node.body))


def with_(walk: Walk, node: cst.With) -> f.With:
    at = walk.number(node)
    items = tuple(f.WithItem(expr(walk, i.item), expr(walk, i.asname.name) if i.asname is not None else None) for i in node.items)
    return f.With(at, items, suite(walk, node.body), node.asynchronous is not None)


def match(walk: Walk, node: cst.Match) -> f.Match:
    at = walk.number(node)
    subject = expr(walk, node.subject)
    return f.Match(at, subject, tuple(case(walk, c) for c in node.cases))


def case(walk: Walk, node: cst.MatchCase) -> f.Case:
    at = walk.number(node)
    names: list[str] = []
    patterns: list[f.Expr] = []
    stack: list[cst.CSTNode] = [node.pattern]
    while stack:
        item = stack.pop()
        if isinstance(item, cst.MatchValue):
            patterns.append(expr(walk, item.value))
        elif isinstance(item, cst.MatchClass):
            patterns.append(expr(walk, item.cls))
            stack.extend(p.value for p in (*item.patterns,))
            stack.extend(p.pattern for p in item.kwds)
        elif isinstance(item, cst.Name):
            names.append(item.value)
        else:
            if isinstance(item, cst.MatchMapping):
                stack.extend(e.pattern for e in item.elements)
                stack.extend([item.rest] if item.rest is not None else [])
            else:
                stack.extend(c for c in item.children if isinstance(c, (cst.MatchPattern, cst.Name, cst.MatchSequenceElement, cst.MatchOrElement)))
    guard = maybe(walk, node.guard)
    return f.Case(at, tuple(names), tuple(patterns), guard, suite(walk, node.body), _matches_anything(node.pattern))


def _matches_anything(pattern: cst.MatchPattern) -> bool:
    if isinstance(pattern, cst.MatchOr):
        return any(_matches_anything(e.pattern) for e in pattern.patterns)
    return isinstance(pattern, cst.MatchAs) and (pattern.pattern is None or _matches_anything(pattern.pattern))


_STEPS: dict[type[cst.CSTNode], Callable[[Walk, Any], Any]] = {
    cst.FunctionDef: function, cst.ClassDef: class_, cst.Assign: assign, cst.AnnAssign: annotated,
    cst.AugAssign: change, cst.Expr: do, cst.Return: return_, cst.Raise: raise_, cst.Break: jump,
    cst.Continue: jump, cst.Pass: jump, cst.Global: declare, cst.Nonlocal: declare, cst.Import: import_,
    cst.ImportFrom: import_from, cst.Assert: assert_, cst.Del: delete, cst.If: if_, cst.While: while_,
    cst.For: for_, cst.Try: try_, cst.TryStar: try_, cst.With: with_, cst.Match: match, cst.TypeAlias: type_alias,
}  # fmt: skip
if hasattr(cst, "LazyImport"):  # PEP 810, LibCST 1.9
    _STEPS |= {cst.LazyImport: import_, cst.LazyImportFrom: import_from}
