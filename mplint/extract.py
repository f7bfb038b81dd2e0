"""LibCST tree -> facts: the one walk.

Whitespace is never visited (55 % of the nodes of a tree are whitespace; a `CSTVisitor` rebuilds them all), positions are
never computed.  Every expression and statement gets the next number of its page, in evaluation-independent source order,
so that walking the same bytes again finds the same node under the same number.
"""

from __future__ import annotations

import ast
import contextlib
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import libcst as cst

from mplint import facts as f
from mplint.outline import Page

EXTRACTOR = 2
"""Version of what this module writes; part of every cache key."""

_UNFIT = (cst.CSTLogicError, cst.CSTValidationError, ValueError, TypeError)
"""What LibCST raises, besides ParserSyntaxError, for source that it cannot represent."""

_PLACE = re.compile(r"parser error: error at (\d+):(\d+):")

_FEED = re.compile(r"^[ \t\f]*\f", re.MULTILINE)

_LONG = 16_000
"""Characters; a shorter page that CPython parses does not nest deeply enough to matter."""

_STACK = 256 << 20
"""Bytes; they are reserved, not used."""

_DEPTH = 12_000
"""Recursion limit while a tree is walked."""


class Unreadable(Exception):
    """A page that LibCST cannot parse; `line` and `column` (from 1) are those of the file, 0 when unknown."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message, line, column)
        self.message, self.line, self.column = message, line, column

    def __str__(self) -> str:
        return self.message


def page_source(lines: list[str], page: Page) -> tuple[str, int]:
    """The text of a page as a module of its own, and the number of lines put before it.

    An indented page stands behind `if 1:`, so that nothing in it is dedented and columns stay as they are.
    """
    text = "".join(lines[page.first - 1 : page.last])
    if page.kind == "class":
        text += ("" if text.endswith(("\n", "\r")) else "\n") + _margin(text) + " pass\n"
    return (f"if 1:\n{text}", 1) if page.indent else (text, 0)


def _margin(text: str) -> str:
    head = text.lstrip("\r\n")
    return head[: len(head) - len(head.lstrip(" \t"))]


def parse_page(lines: list[str], page: Page) -> tuple[cst.Module, int]:
    """Parse a page.  Raises Unreadable with the position in the file."""
    source, before = page_source(lines, page)
    offset = page.first - 1 - before
    if "\f" in source:  # resets the indentation for CPython, confuses LibCST
        source = _FEED.sub("", source)
    try:
        return _parsed(source), before
    except cst.ParserSyntaxError as error:
        if found := _PLACE.match(error.message):  # behind the token that does not fit
            raise Unreadable("invalid syntax", min(int(found[1]) + offset, page.last), max(int(found[2]) - 1, 1)) from None
        raise Unreadable(error.message.removeprefix("tokenizer error: "), error.raw_line + offset, error.raw_column + 1) from None
    except _UNFIT as error:
        raise Unreadable(f"LibCST cannot read this ({type(error).__name__})", page.first, 1) from None
    except (RecursionError, MemoryError):
        raise Unreadable("nested too deeply to be read", page.first, 1) from None


def _parsed(source: str) -> cst.Module:
    """LibCST's own parser recurses on the machine's stack: what may nest deeply gets a large one."""
    if len(source) < _LONG:
        return cst.parse_module(source)
    outcome: list[cst.Module | BaseException] = []

    def parse() -> None:
        try:
            outcome.append(cst.parse_module(source))
        except BaseException as error:
            outcome.append(error)

    before = threading.stack_size(_STACK)
    try:
        thread = threading.Thread(target=parse, daemon=True)
        thread.start()
    except RuntimeError:  # no room for such a stack
        return cst.parse_module(source)
    finally:
        threading.stack_size(before)
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def steps_of(module: cst.Module, page: Page, number: int, nodes: list[cst.CSTNode] | None = None) -> tuple[f.Step, ...]:
    """The facts of a parsed page.  `nodes`, when given, receives the node of every number in order."""
    body: Iterable[Any] = module.body
    if page.indent:
        first = module.body[0]
        assert isinstance(first, cst.If)
        body = first.body.body
    walk = _Walk(number << f.PAGE_BITS, nodes, headless=page.kind == "class")
    try:
        with deep():
            return walk.block(body)
    except RecursionError:
        raise Unreadable("nested too deeply to be read", page.first, 1) from None


@contextlib.contextmanager
def deep() -> Iterator[None]:
    """Lets a chain of some thousand calls or terms be walked, as CPython reads it."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


_OPERATORS = {
    "Add": "+", "Subtract": "-", "Multiply": "*", "Divide": "/", "FloorDivide": "//", "Modulo": "%", "Power": "**",
    "MatrixMultiply": "@", "LeftShift": "<<", "RightShift": ">>", "BitAnd": "&", "BitOr": "|", "BitXor": "^", "BitInvert": "~",
    "And": "and", "Or": "or", "Not": "not", "Minus": "neg", "Plus": "pos", "Equal": "==", "NotEqual": "!=", "LessThan": "<",
    "LessThanEqual": "<=", "GreaterThan": ">", "GreaterThanEqual": ">=", "In": "in", "NotIn": "not in", "Is": "is", "IsNot": "is not",
}  # fmt: skip


class _Walk:
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

    # -- steps

    def block(self, body: Iterable[Any]) -> tuple[f.Step, ...]:
        steps: list[f.Step] = []
        for node in body:
            if type(node) is cst.SimpleStatementLine:
                for small in node.body:
                    steps.append(_STEPS[type(small)](self, small))
            else:
                steps.append(_STEPS[type(node)](self, node))
        return tuple(steps)

    def suite(self, node: Any) -> tuple[f.Step, ...]:
        """The steps of an indented block, a one-line suite, an `else` or a `finally`; () when there is none."""
        if node is None:
            return ()
        if type(node) in (cst.Else, cst.Finally):
            node = node.body
        if type(node) is cst.SimpleStatementSuite:
            return tuple(_STEPS[type(small)](self, small) for small in node.body)
        return self.block(node.body)

    def function(self, node: cst.FunctionDef) -> f.FunctionFacts:
        at = self.number(node)
        decorators = tuple(self.expr(d.decorator) for d in node.decorators)
        params = self.params(node.params)
        returns = self.annotation(node.returns)
        self.generators.append(False)
        body = self.suite(node.body)
        is_generator = self.generators.pop()
        if body and isinstance(body[0], f.Do) and isinstance(body[0].value, f.Const) and body[0].value.kind == "str":
            body = body[1:]
        return f.FunctionFacts(at, node.name.value, params, body, decorators, returns, node.asynchronous is not None, is_generator)

    def params(self, node: cst.Parameters) -> tuple[f.Param, ...]:
        out: list[f.Param] = []

        def add(param: cst.Param, kind: str) -> None:
            default = self.maybe(param.default)
            out.append(f.Param(param.name.value, kind, default, self.annotation(param.annotation)))

        for param in node.posonly_params:
            add(param, "positional-only")
        for param in node.params:
            add(param, "positional")
        if isinstance(node.star_arg, cst.Param):
            add(node.star_arg, "*")
        for param in node.kwonly_params:
            add(param, "keyword-only")
        if node.star_kwarg is not None:
            add(node.star_kwarg, "**")
        return tuple(out)

    def annotation(self, node: cst.Annotation | None) -> f.Expr | None:
        if node is None:
            return None
        value: cst.BaseExpression = node.annotation
        if isinstance(value, cst.SimpleString):
            text = _literal(value.value)
            if isinstance(text, str):
                at = self.number(value)
                try:
                    quoted: f.Expr = _renumber(_Walk(0, None, False).expr(cst.parse_expression(text.strip())), at)
                except (cst.ParserSyntaxError, *_UNFIT, RecursionError):
                    return f.Const(at, text, "str")
                return quoted
        return self.expr(value)

    def class_(self, node: cst.ClassDef) -> f.ClassFacts:
        at = self.number(node)
        decorators = tuple(self.expr(d.decorator) for d in node.decorators)
        bases = tuple(self.argument(arg) for arg in (*node.bases, *node.keywords))
        body = () if self.headless else self.suite(node.body)
        return f.ClassFacts(at, node.name.value, bases, body, decorators)

    def assign(self, node: cst.Assign) -> f.Assign:
        at = self.number(node)
        targets = tuple(self.expr(t.target) for t in node.targets)
        return f.Assign(at, targets, self.expr(node.value))

    def annotated(self, node: cst.AnnAssign) -> f.Assign:
        at = self.number(node)
        target = self.expr(node.target)
        note = self.annotation(node.annotation)
        return f.Assign(at, (target,), self.maybe(node.value), note)

    def alias(self, node: cst.TypeAlias) -> f.Assign:
        at = self.number(node)
        return f.Assign(at, (self.expr(node.name),), self.expr(node.value))

    def change(self, node: cst.AugAssign) -> f.Change:
        at = self.number(node)
        op = _OPERATORS[type(node.operator).__name__.removesuffix("Assign")]
        return f.Change(at, self.expr(node.target), op, self.expr(node.value))

    def do(self, node: cst.Expr) -> f.Do:
        at = self.number(node)
        return f.Do(at, self.expr(node.value))

    def return_(self, node: cst.Return) -> f.Return:
        at = self.number(node)
        return f.Return(at, self.maybe(node.value))

    def raise_(self, node: cst.Raise) -> f.Raise:
        at = self.number(node)
        exc = self.maybe(node.exc)
        return f.Raise(at, exc, self.expr(node.cause.item) if node.cause is not None else None)

    def jump(self, node: cst.Break | cst.Continue | cst.Pass) -> f.Jump:
        return f.Jump(self.number(node), type(node).__name__.lower())

    def declare(self, node: cst.Global | cst.Nonlocal) -> f.Declare:
        return f.Declare(self.number(node), type(node).__name__.lower(), tuple(item.name.value for item in node.names))

    def import_(self, node: cst.Import) -> f.Import:
        at = self.number(node)
        return f.Import(at, "", 0, tuple((_dotted(a.name), _alias(a)) for a in node.names))

    def import_from(self, node: cst.ImportFrom) -> f.Import:
        at = self.number(node)
        module = _dotted(node.module) if node.module is not None else ""
        names = (("*", ""),) if isinstance(node.names, cst.ImportStar) else tuple((_dotted(a.name), _alias(a)) for a in node.names)
        return f.Import(at, module, len(node.relative), names)

    def assert_(self, node: cst.Assert) -> f.Assert:
        at = self.number(node)
        return f.Assert(at, self.expr(node.test), self.maybe(node.msg))

    def delete(self, node: cst.Del) -> f.Delete:
        at = self.number(node)
        target = self.expr(node.target)
        return f.Delete(at, target.items if isinstance(target, f.Sequence) else (target,))

    def if_(self, node: cst.If) -> f.If:
        at = self.number(node)
        test, body = self.expr(node.test), self.suite(node.body)
        orelse = (self.if_(node.orelse),) if isinstance(node.orelse, cst.If) else self.suite(node.orelse)
        return f.If(at, test, body, orelse)

    def while_(self, node: cst.While) -> f.While:
        at = self.number(node)
        return f.While(at, self.expr(node.test), self.suite(node.body), self.suite(node.orelse))

    def for_(self, node: cst.For) -> f.For:
        at = self.number(node)
        target, source = self.expr(node.target), self.expr(node.iter)
        return f.For(at, target, source, self.suite(node.body), self.suite(node.orelse), node.asynchronous is not None)

    def try_(self, node: cst.Try | cst.TryStar) -> f.Try:
        at = self.number(node)
        body = self.suite(node.body)
        handlers = tuple(self.handler(h) for h in node.handlers)
        return f.Try(at, body, handlers, self.suite(node.orelse), self.suite(node.finalbody), isinstance(node, cst.TryStar))

    def handler(self, node: cst.ExceptHandler | cst.ExceptStarHandler) -> f.Handler:
        at = self.number(node)
        types = self.maybe(node.type)
        name = node.name.name.value if node.name is not None and isinstance(node.name.name, cst.Name) else ""
        return f.Handler(at, types, name, self.suite(node.body))

    def with_(self, node: cst.With) -> f.With:
        at = self.number(node)
        items = tuple(f.WithItem(self.expr(i.item), self.expr(i.asname.name) if i.asname is not None else None) for i in node.items)
        return f.With(at, items, self.suite(node.body), node.asynchronous is not None)

    def match(self, node: cst.Match) -> f.Match:
        at = self.number(node)
        subject = self.expr(node.subject)
        return f.Match(at, subject, tuple(self.case(c) for c in node.cases))

    def case(self, node: cst.MatchCase) -> f.Case:
        at = self.number(node)
        names: list[str] = []
        patterns: list[f.Expr] = []
        stack: list[cst.CSTNode] = [node.pattern]
        while stack:
            item = stack.pop()
            if isinstance(item, cst.MatchValue):
                patterns.append(self.expr(item.value))
            elif isinstance(item, cst.MatchClass):
                patterns.append(self.expr(item.cls))
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
        guard = self.maybe(node.guard)
        return f.Case(at, tuple(names), tuple(patterns), guard, self.suite(node.body), _matches_anything(node.pattern))

    # -- expressions

    def expr(self, node: Any) -> f.Expr:
        row: f.Expr = _EXPRS[type(node)](self, node)
        return row

    def maybe(self, node: Any) -> f.Expr | None:
        return None if node is None else self.expr(node)

    def name(self, node: cst.Name) -> f.Expr:
        value = node.value
        at = self.number(node)
        if value == "None":
            return f.Const(at, None, "none")
        if value == "True" or value == "False":
            return f.Const(at, value == "True", "bool")
        return f.Name(at, value)

    def attr(self, node: cst.Attribute) -> f.Attr:
        at = self.number(node)
        return f.Attr(at, self.expr(node.value), node.attr.value)

    def integer(self, node: cst.Integer) -> f.Const:
        at = self.number(node)
        try:
            value = int(node.value, 0)
        except ValueError:  # beyond the digits limit, or a Python 2 octal
            return f.Const(at, float("inf"), "float")
        return f.Const(at, value if -(2**63) <= value < 2**63 else float(min(value, 10**308)), "int")

    def float_(self, node: cst.Float) -> f.Const:
        return f.Const(self.number(node), float(node.value.replace("_", "")), "float")

    def imaginary(self, node: cst.Imaginary) -> f.Const:
        return f.Const(self.number(node), node.value, "complex")

    def ellipsis(self, node: cst.Ellipsis) -> f.Const:
        return f.Const(self.number(node), None, "ellipsis")

    def string(self, node: cst.SimpleString) -> f.Const:
        at = self.number(node)
        value = _literal(node.value)
        if isinstance(value, bytes):
            return f.Const(at, value.decode("latin-1"), "bytes")
        return f.Const(at, _clean(value), "str")

    def concatenated(self, node: cst.ConcatenatedString) -> f.Expr:
        at = self.number(node)
        parts = [self.expr(node.left), self.expr(node.right)]
        if all(isinstance(p, f.Const) for p in parts):
            return f.Const(at, "".join(str(p.value) for p in parts if isinstance(p, f.Const)), parts[0].kind)  # type: ignore[union-attr]
        return f.Text(at, tuple(q for p in parts for q in (p.parts if isinstance(p, f.Text) else (p,))))

    def text(self, node: cst.FormattedString | cst.TemplatedString) -> f.Text:
        return f.Text(self.number(node), self.pieces(node.parts))

    def pieces(self, parts: Iterable[Any]) -> tuple[f.Expr, ...]:
        """The pieces of a formatted string; `{x!r}` is the operator "!r", `{x:spec}` the operator ":" over x and the spec."""
        out: list[f.Expr] = []
        for part in parts:
            if isinstance(part, (cst.FormattedStringText, cst.TemplatedStringText)):
                out.append(f.Const(self.number(part), _clean(part.value), "str"))
                continue
            expr = self.expr(part.expression)
            if part.conversion:
                expr = f.Op(self.number(part), f"!{part.conversion}", (expr,))
            if part.format_spec:
                at = self.number(part)
                expr = f.Op(at, ":", (expr, f.Text(at, self.pieces(part.format_spec))))
            out.append(expr)
        return tuple(out)

    def argument(self, node: cst.Arg) -> f.Argument:
        return f.Argument(self.expr(node.value), node.keyword.value if node.keyword is not None else "", node.star)

    def call(self, node: cst.Call) -> f.Call:
        at = self.number(node)
        func = self.expr(node.func)
        return f.Call(at, func, tuple(self.argument(a) for a in node.args))

    def display(self, node: cst.Tuple | cst.List | cst.Set) -> f.Sequence:
        at = self.number(node)
        return f.Sequence(at, type(node).__name__.lower(), tuple(self.element(e) for e in node.elements))

    def element(self, node: cst.BaseElement) -> f.Expr:
        if isinstance(node, cst.StarredElement):
            return f.Star(self.number(node), self.expr(node.value))
        return self.expr(node.value)

    def dict_(self, node: cst.Dict) -> f.Mapping:
        at = self.number(node)
        keys: list[f.Expr | None] = []
        values: list[f.Expr] = []
        for element in node.elements:
            keys.append(self.expr(element.key) if isinstance(element, cst.DictElement) else None)
            values.append(self.expr(element.value))
        return f.Mapping(at, tuple(keys), tuple(values))

    def binary(self, node: cst.BinaryOperation | cst.BooleanOperation) -> f.Op:
        at = self.number(node)
        left = self.expr(node.left)
        return f.Op(at, _OPERATORS[type(node.operator).__name__], (left, self.expr(node.right)))

    def unary(self, node: cst.UnaryOperation) -> f.Op:
        return f.Op(self.number(node), _OPERATORS[type(node.operator).__name__], (self.expr(node.expression),))

    def comparison(self, node: cst.Comparison) -> f.Op:
        at = self.number(node)
        operands = [self.expr(node.left), *(self.expr(c.comparator) for c in node.comparisons)]
        pairs = tuple(
            f.Op(at, _OPERATORS[type(c.operator).__name__], (operands[i], operands[i + 1])) for i, c in enumerate(node.comparisons)
        )
        return pairs[0] if len(pairs) == 1 else f.Op(at, "and", pairs)

    def choice(self, node: cst.IfExp) -> f.Choice:
        at = self.number(node)
        body = self.expr(node.body)
        test = self.expr(node.test)
        return f.Choice(at, test, body, self.expr(node.orelse))

    def subscript(self, node: cst.Subscript) -> f.Item:
        at = self.number(node)
        value = self.expr(node.value)
        parts = [self.index(e.slice) for e in node.slice]
        return f.Item(at, value, parts[0] if len(parts) == 1 else f.Sequence(at, "tuple", tuple(parts)))

    def index(self, node: cst.BaseSlice) -> f.Expr:
        if isinstance(node, cst.Index):
            return f.Star(self.number(node), self.expr(node.value)) if node.star else self.expr(node.value)
        assert isinstance(node, cst.Slice)
        at = self.number(node)
        parts = (node.lower, node.upper, node.step)
        return f.Sequence(at, "slice", tuple(self.expr(p) if p is not None else f.Const(at, None, "none") for p in parts))

    def lambda_(self, node: cst.Lambda) -> f.Lambda:
        at = self.number(node)
        params = self.params(node.params)
        self.generators.append(False)
        body = self.expr(node.body)
        is_generator = self.generators.pop()
        return f.Lambda(at, f.FunctionFacts(at, "<lambda>", params, (f.Return(body.at, body),), is_generator=is_generator))

    def comprehension(self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp) -> f.Comprehension:
        at = self.number(node)
        kind = {cst.ListComp: "list", cst.SetComp: "set", cst.GeneratorExp: "generator"}[type(node)]
        clauses = self.clauses(node.for_in)
        return f.Comprehension(at, kind, self.expr(node.elt), clauses)

    def dict_comprehension(self, node: cst.DictComp) -> f.Comprehension:
        at = self.number(node)
        clauses = self.clauses(node.for_in)
        return f.Comprehension(at, "dict", f.Sequence(at, "tuple", (self.expr(node.key), self.expr(node.value))), clauses)

    def clauses(self, node: cst.CompFor | None) -> tuple[f.Clause, ...]:
        out: list[f.Clause] = []
        while node is not None:
            target, source = self.expr(node.target), self.expr(node.iter)
            out.append(f.Clause(target, source, tuple(self.expr(i.test) for i in node.ifs), node.asynchronous is not None))
            node = node.inner_for_in
        return tuple(out)

    def await_(self, node: cst.Await) -> f.Await:
        return f.Await(self.number(node), self.expr(node.expression))

    def yield_(self, node: cst.Yield) -> f.Yield:
        self.generators[-1] = True
        at = self.number(node)
        if isinstance(node.value, cst.From):
            return f.Yield(at, self.expr(node.value.item), True)
        return f.Yield(at, self.maybe(node.value))

    def bind(self, node: cst.NamedExpr) -> f.Bind:
        at = self.number(node)
        target = self.expr(node.target)
        assert isinstance(target, f.Name)
        return f.Bind(at, target, self.expr(node.value))


def _matches_anything(pattern: cst.MatchPattern) -> bool:
    if isinstance(pattern, cst.MatchOr):
        return any(_matches_anything(e.pattern) for e in pattern.patterns)
    return isinstance(pattern, cst.MatchAs) and (pattern.pattern is None or _matches_anything(pattern.pattern))


def _dotted(node: cst.BaseExpression) -> str:
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    return ".".join([node.value if isinstance(node, cst.Name) else "", *reversed(parts)])


def _alias(node: cst.ImportAlias) -> str:
    return node.asname.name.value if node.asname is not None and isinstance(node.asname.name, cst.Name) else ""


def _literal(text: str) -> str | bytes:
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError):
        return text
    return value if isinstance(value, (str, bytes)) else text


def _clean(text: str | bytes) -> str:
    """Text that any encoder takes: lone surrogates are replaced."""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def _renumber(row: Any, at: int) -> Any:
    """The same expression with every number set to `at`: a quoted annotation has one position."""
    changes: dict[str, Any] = {}
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if name == "at":
            changes["at"] = at
        elif isinstance(value, f.Row) or hasattr(value, "__struct_fields__"):
            changes[name] = _renumber(value, at)
        elif isinstance(value, tuple):
            changes[name] = tuple(_renumber(v, at) if hasattr(v, "__struct_fields__") else v for v in value)
    return type(row)(**{n: changes.get(n, getattr(row, n)) for n in row.__struct_fields__})


_STEPS: dict[type[cst.CSTNode], Callable[[_Walk, Any], Any]] = {
    cst.FunctionDef: _Walk.function, cst.ClassDef: _Walk.class_, cst.Assign: _Walk.assign, cst.AnnAssign: _Walk.annotated,
    cst.AugAssign: _Walk.change, cst.Expr: _Walk.do, cst.Return: _Walk.return_, cst.Raise: _Walk.raise_, cst.Break: _Walk.jump,
    cst.Continue: _Walk.jump, cst.Pass: _Walk.jump, cst.Global: _Walk.declare, cst.Nonlocal: _Walk.declare, cst.Import: _Walk.import_,
    cst.ImportFrom: _Walk.import_from, cst.Assert: _Walk.assert_, cst.Del: _Walk.delete, cst.If: _Walk.if_, cst.While: _Walk.while_,
    cst.For: _Walk.for_, cst.Try: _Walk.try_, cst.TryStar: _Walk.try_, cst.With: _Walk.with_, cst.Match: _Walk.match, cst.TypeAlias: _Walk.alias,
}  # fmt: skip

_EXPRS: dict[type[cst.CSTNode], Callable[[_Walk, Any], Any]] = {
    cst.Name: _Walk.name, cst.Attribute: _Walk.attr, cst.Integer: _Walk.integer, cst.Float: _Walk.float_, cst.Imaginary: _Walk.imaginary,
    cst.Ellipsis: _Walk.ellipsis, cst.SimpleString: _Walk.string, cst.ConcatenatedString: _Walk.concatenated, cst.FormattedString: _Walk.text,
    cst.TemplatedString: _Walk.text, cst.Call: _Walk.call, cst.Tuple: _Walk.display, cst.List: _Walk.display, cst.Set: _Walk.display,
    cst.Dict: _Walk.dict_, cst.BinaryOperation: _Walk.binary, cst.BooleanOperation: _Walk.binary, cst.UnaryOperation: _Walk.unary,
    cst.Comparison: _Walk.comparison, cst.IfExp: _Walk.choice, cst.Subscript: _Walk.subscript, cst.Lambda: _Walk.lambda_,
    cst.ListComp: _Walk.comprehension, cst.SetComp: _Walk.comprehension, cst.GeneratorExp: _Walk.comprehension,
    cst.DictComp: _Walk.dict_comprehension, cst.Await: _Walk.await_, cst.Yield: _Walk.yield_, cst.NamedExpr: _Walk.bind,
}  # fmt: skip
