"""Expressions as facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import libcst as cst

from mplint import facts as f
from mplint.extract.pages import UNFIT, Unreadable
from mplint.extract.walk import Walk, clean, literal, renumber

OPERATORS = {
    "Add": "+", "Subtract": "-", "Multiply": "*", "Divide": "/", "FloorDivide": "//", "Modulo": "%", "Power": "**",
    "MatrixMultiply": "@", "LeftShift": "<<", "RightShift": ">>", "BitAnd": "&", "BitOr": "|", "BitXor": "^", "BitInvert": "~",
    "And": "and", "Or": "or", "Not": "not", "Minus": "neg", "Plus": "pos", "Equal": "==", "NotEqual": "!=", "LessThan": "<",
    "LessThanEqual": "<=", "GreaterThan": ">", "GreaterThanEqual": ">=", "In": "in", "NotIn": "not in", "Is": "is", "IsNot": "is not",
}  # fmt: skip


def params(walk: Walk, node: cst.Parameters) -> tuple[f.Param, ...]:
    out: list[f.Param] = []

    def add(param: cst.Param, kind: str) -> None:
        default = maybe(walk, param.default)
        out.append(f.Param(param.name.value, kind, default, annotation(walk, param.annotation)))

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


def annotation(walk: Walk, node: cst.Annotation | None) -> f.Expr | None:
    if node is None:
        return None
    value: cst.BaseExpression = node.annotation
    if isinstance(value, cst.SimpleString):
        text = literal(value.value)
        if isinstance(text, str):
            at = walk.number(value)
            try:
                quoted: f.Expr = renumber(expr(Walk(0, None, False), cst.parse_expression(text.strip())), at)
            except (cst.ParserSyntaxError, *UNFIT, RecursionError):
                return f.Const(at, text, "str")
            return quoted
    return expr(walk, value)


def expr(walk: Walk, node: Any) -> f.Expr:
    handler = _EXPRS.get(type(node))
    if handler is None:
        raise Unreadable(f"{type(node).__name__} is an expression that mplint does not know")
    row: f.Expr = handler(walk, node)
    return row


def maybe(walk: Walk, node: Any) -> f.Expr | None:
    return None if node is None else expr(walk, node)


def name(walk: Walk, node: cst.Name) -> f.Expr:
    value = node.value
    at = walk.number(node)
    if value == "None":
        return f.Const(at, None, "none")
    if value == "True" or value == "False":
        return f.Const(at, value == "True", "bool")
    return f.Name(at, value)


def attr(walk: Walk, node: cst.Attribute) -> f.Attr:
    at = walk.number(node)
    return f.Attr(at, expr(walk, node.value), node.attr.value)


def integer(walk: Walk, node: cst.Integer) -> f.Const:
    at = walk.number(node)
    try:
        value = int(node.value, 0)
    except ValueError:  # beyond the digits limit, or a Python 2 octal
        return f.Const(at, float("inf"), "float")
    return f.Const(at, value if -(2**63) <= value < 2**63 else float(min(value, 10**308)), "int")


def float_(walk: Walk, node: cst.Float) -> f.Const:
    return f.Const(walk.number(node), float(node.value.replace("_", "")), "float")


def imaginary(walk: Walk, node: cst.Imaginary) -> f.Const:
    return f.Const(walk.number(node), node.value, "complex")


def ellipsis(walk: Walk, node: cst.Ellipsis) -> f.Const:
    return f.Const(walk.number(node), None, "ellipsis")


def string(walk: Walk, node: cst.SimpleString) -> f.Const:
    at = walk.number(node)
    value = literal(node.value)
    if isinstance(value, bytes):
        return f.Const(at, value.decode("latin-1"), "bytes")
    return f.Const(at, clean(value), "str")


def concatenated(walk: Walk, node: cst.ConcatenatedString) -> f.Expr:
    at = walk.number(node)
    parts = [expr(walk, node.left), expr(walk, node.right)]
    if all(isinstance(p, f.Const) for p in parts):
        return f.Const(at, "".join(str(p.value) for p in parts if isinstance(p, f.Const)), parts[0].kind)  # type: ignore[union-attr]
    return f.Text(at, tuple(q for p in parts for q in (p.parts if isinstance(p, f.Text) else (p,))))


def text(walk: Walk, node: cst.FormattedString | cst.TemplatedString) -> f.Text:
    return f.Text(walk.number(node), pieces(walk, node.parts))


def pieces(walk: Walk, parts: Iterable[Any]) -> tuple[f.Expr, ...]:
    """The pieces of a formatted string; `{x!r}` is the operator "!r", `{x:spec}` the operator ":" over x and the spec."""
    out: list[f.Expr] = []
    for part in parts:
        if isinstance(part, (cst.FormattedStringText, cst.TemplatedStringText)):
            out.append(f.Const(walk.number(part), clean(part.value), "str"))
            continue
        shown = expr(walk, part.expression)
        if part.conversion:
            shown = f.Op(walk.number(part), f"!{part.conversion}", (shown,))
        if part.format_spec:
            at = walk.number(part)
            shown = f.Op(at, ":", (shown, f.Text(at, pieces(walk, part.format_spec))))
        out.append(shown)
    return tuple(out)


def argument(walk: Walk, node: cst.Arg) -> f.Argument:
    return f.Argument(expr(walk, node.value), node.keyword.value if node.keyword is not None else "", node.star)


def call(walk: Walk, node: cst.Call) -> f.Call:
    at = walk.number(node)
    func = expr(walk, node.func)
    return f.Call(at, func, tuple(argument(walk, a) for a in node.args))


def display(walk: Walk, node: cst.Tuple | cst.List | cst.Set) -> f.Sequence:
    at = walk.number(node)
    return f.Sequence(at, type(node).__name__.lower(), tuple(element(walk, e) for e in node.elements))


def element(walk: Walk, node: cst.BaseElement) -> f.Expr:
    return starred(walk, node) if isinstance(node, cst.StarredElement) else expr(walk, node.value)


def starred(walk: Walk, node: cst.StarredElement) -> f.Star:
    return f.Star(walk.number(node), expr(walk, node.value))


def dict_(walk: Walk, node: cst.Dict) -> f.Mapping:
    at = walk.number(node)
    keys: list[f.Expr | None] = []
    values: list[f.Expr] = []
    for element in node.elements:
        keys.append(expr(walk, element.key) if isinstance(element, cst.DictElement) else None)
        values.append(expr(walk, element.value))
    return f.Mapping(at, tuple(keys), tuple(values))


def binary(walk: Walk, node: cst.BinaryOperation | cst.BooleanOperation) -> f.Op:
    at = walk.number(node)
    left = expr(walk, node.left)
    return f.Op(at, OPERATORS[type(node.operator).__name__], (left, expr(walk, node.right)))


def unary(walk: Walk, node: cst.UnaryOperation) -> f.Op:
    return f.Op(walk.number(node), OPERATORS[type(node.operator).__name__], (expr(walk, node.expression),))


def comparison(walk: Walk, node: cst.Comparison) -> f.Op:
    at = walk.number(node)
    operands = [expr(walk, node.left), *(expr(walk, c.comparator) for c in node.comparisons)]
    pairs = tuple(f.Op(at, OPERATORS[type(c.operator).__name__], (operands[i], operands[i + 1])) for i, c in enumerate(node.comparisons))
    return pairs[0] if len(pairs) == 1 else f.Op(at, "and", pairs)


def choice(walk: Walk, node: cst.IfExp) -> f.Choice:
    at = walk.number(node)
    body = expr(walk, node.body)
    test = expr(walk, node.test)
    return f.Choice(at, test, body, expr(walk, node.orelse))


def subscript(walk: Walk, node: cst.Subscript) -> f.Item:
    at = walk.number(node)
    value = expr(walk, node.value)
    parts = [index(walk, e.slice) for e in node.slice]
    return f.Item(at, value, parts[0] if len(parts) == 1 else f.Sequence(at, "tuple", tuple(parts)))


def index(walk: Walk, node: cst.BaseSlice) -> f.Expr:
    if isinstance(node, cst.Index):
        return f.Star(walk.number(node), expr(walk, node.value)) if node.star else expr(walk, node.value)
    assert isinstance(node, cst.Slice)
    at = walk.number(node)
    parts = (node.lower, node.upper, node.step)
    return f.Sequence(at, "slice", tuple(expr(walk, p) if p is not None else f.Const(at, None, "none") for p in parts))


def lambda_(walk: Walk, node: cst.Lambda) -> f.Lambda:
    at = walk.number(node)
    parameters = params(walk, node.params)
    walk.generators.append(False)
    body = expr(walk, node.body)
    is_generator = walk.generators.pop()
    return f.Lambda(at, f.FunctionFacts(at, "<lambda>", parameters, (f.Return(body.at, body),), is_generator=is_generator))


def comprehension(walk: Walk, node: cst.ListComp | cst.SetComp | cst.GeneratorExp) -> f.Comprehension:
    at = walk.number(node)
    kind = {cst.ListComp: "list", cst.SetComp: "set", cst.GeneratorExp: "generator"}[type(node)]
    loops = clauses(walk, node.for_in)
    return f.Comprehension(at, kind, expr(walk, node.elt), loops)


def dict_comprehension(walk: Walk, node: cst.DictComp) -> f.Comprehension:
    at = walk.number(node)
    loops = clauses(walk, node.for_in)
    return f.Comprehension(at, "dict", f.Sequence(at, "tuple", (expr(walk, node.key), expr(walk, node.value))), loops)


def merged(walk: Walk, node: Any) -> f.Comprehension:
    """`{**d for d in dicts}` (PEP 798)."""
    at = walk.number(node)
    loops = clauses(walk, node.for_in)
    return f.Comprehension(at, "dict", f.Star(at, expr(walk, node.value)), loops)


def clauses(walk: Walk, node: cst.CompFor | None) -> tuple[f.Clause, ...]:
    out: list[f.Clause] = []
    while node is not None:
        target, source = expr(walk, node.target), expr(walk, node.iter)
        out.append(f.Clause(target, source, tuple(expr(walk, i.test) for i in node.ifs), node.asynchronous is not None))
        node = node.inner_for_in
    return tuple(out)


def await_(walk: Walk, node: cst.Await) -> f.Await:
    return f.Await(walk.number(node), expr(walk, node.expression))


def yield_(walk: Walk, node: cst.Yield) -> f.Yield:
    walk.generators[-1] = True
    at = walk.number(node)
    if isinstance(node.value, cst.From):
        return f.Yield(at, expr(walk, node.value.item), True)
    return f.Yield(at, maybe(walk, node.value))


def bind(walk: Walk, node: cst.NamedExpr) -> f.Bind:
    at = walk.number(node)
    target = expr(walk, node.target)
    assert isinstance(target, f.Name)
    return f.Bind(at, target, expr(walk, node.value))


_EXPRS: dict[type[cst.CSTNode], Callable[[Walk, Any], Any]] = {
    cst.Name: name, cst.Attribute: attr, cst.Integer: integer, cst.Float: float_, cst.Imaginary: imaginary,
    cst.Ellipsis: ellipsis, cst.SimpleString: string, cst.ConcatenatedString: concatenated, cst.FormattedString: text,
    cst.TemplatedString: text, cst.Call: call, cst.Tuple: display, cst.List: display, cst.Set: display,
    cst.Dict: dict_, cst.BinaryOperation: binary, cst.BooleanOperation: binary, cst.UnaryOperation: unary,
    cst.Comparison: comparison, cst.IfExp: choice, cst.Subscript: subscript, cst.Lambda: lambda_,
    cst.ListComp: comprehension, cst.SetComp: comprehension, cst.GeneratorExp: comprehension,
    cst.StarredElement: starred,  # of a comprehension, where LibCST reads more than CPython does
    cst.DictComp: dict_comprehension, cst.Await: await_, cst.Yield: yield_, cst.NamedExpr: bind,
}  # fmt: skip
if hasattr(cst, "StarredDictComp"):  # LibCST 1.9
    _EXPRS[cst.StarredDictComp] = merged
