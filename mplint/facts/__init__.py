"""What a module does, in small steps: frozen, plain, serialisable rows without syntax nodes.

`mplint.extract` lowers a LibCST tree to these rows and the tree is dropped.  Whitespace, comments, parentheses and
quotes are gone; the order of evaluation, the control flow and every name stay.  A row knows its node only by `at`,
the number of the node in the walk of its module: `at >> PAGE_BITS` is the page (see `mplint.facts.outline`), the low bits
count nodes inside the page.  `mplint.finding.spans` turns such a number back into a node and a position, only where a finding
needs it.

Two families of rows: `Expr` (what is computed) and `Step` (what is done).  Both are closed unions, so that
`match`/`isinstance` over them is exhaustive.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Iterator, Union

import msgspec

PAGE_BITS = 20
"""Low bits of `at` that count the nodes inside a page; the rest is the page's number."""


class Row(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    at: int


# -- expressions -----------------------------------------------------------------------------------------------------


class Name(Row, frozen=True, tag="n"):
    id: str


class Attr(Row, frozen=True, tag="a"):
    value: Expr
    attr: str


class Const(Row, frozen=True, tag="c"):
    """A literal: number, text, bytes (as text, `kind` "bytes"), True, False, None or `...` (`kind` "ellipsis").

    Integers beyond 64 bits are kept as floats; `kind` is "int", "float", "complex", "str", "bytes", "bool", "none" or "ellipsis".
    """

    value: None | bool | int | float | str
    kind: str


class Text(Row, frozen=True, tag="t"):
    """An f-string or t-string: the expressions in its braces, in order, and the literal pieces between them."""

    parts: tuple[Expr, ...]


class Argument(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One argument of a call: `keyword` is "" when positional, `star` is "", "*" or "**"."""

    value: Expr
    keyword: str = ""
    star: str = ""


class Call(Row, frozen=True, tag="k"):
    func: Expr
    args: tuple[Argument, ...]

    def positional(self, index: int) -> Expr | None:
        """The positional argument number `index`, None when absent or hidden behind a `*`."""
        seen = 0
        for arg in self.args:
            if arg.star == "*":
                return None
            if not arg.keyword and not arg.star:
                if seen == index:
                    return arg.value
                seen += 1
        return None

    def keyword(self, name: str) -> Expr | None:
        """The argument passed as `name=`, or None."""
        return next((a.value for a in self.args if a.keyword == name), None)

    @property
    def starred(self) -> bool:
        """Whether a `*` or `**` argument may supply what is not written out."""
        return any(a.star for a in self.args)


class Sequence(Row, frozen=True, tag="s"):
    """A display: `kind` is "tuple", "list" or "set"."""

    kind: str
    items: tuple[Expr, ...]


class Mapping(Row, frozen=True, tag="d"):
    """A dict display; a `**x` entry has None as its key."""

    keys: tuple[Expr | None, ...]
    values: tuple[Expr, ...]


class Op(Row, frozen=True, tag="o"):
    """An operator over operands: "+", "%", "not", "and", "or", "<", "is not", "in", ...; comparisons are split pairwise and joined by "and".

    Inside a `Text`, "!r", "!s" and "!a" convert and ":" formats its first operand by the `Text` in the second.
    """

    op: str
    operands: tuple[Expr, ...]


class Choice(Row, frozen=True, tag="i"):
    """`body if test else orelse`."""

    test: Expr
    body: Expr
    orelse: Expr


class Item(Row, frozen=True, tag="x"):
    """`value[index]`; a slice is a `Sequence` of kind "slice": start, stop and step, None constants where absent."""

    value: Expr
    index: Expr


class Lambda(Row, frozen=True, tag="l"):
    function: FunctionFacts


class Clause(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One `for target in source if ...` of a comprehension."""

    target: Expr
    source: Expr
    conditions: tuple[Expr, ...]
    is_async: bool = False


class Comprehension(Row, frozen=True, tag="g"):
    """`kind` is "list", "set", "dict" or "generator"; a dict's element is a two-item tuple display, or a Star of what is merged into it."""

    kind: str
    element: Expr
    clauses: tuple[Clause, ...]


class Await(Row, frozen=True, tag="w"):
    value: Expr


class Yield(Row, frozen=True, tag="y"):
    value: Expr | None
    is_from: bool = False


class Bind(Row, frozen=True, tag="b"):
    """`name := value`."""

    name: Name
    value: Expr


class Star(Row, frozen=True, tag="*"):
    """`*value` inside a display, target or subscript."""

    value: Expr


Expr = Union[Name, Attr, Const, Text, Call, Sequence, Mapping, Op, Choice, Item, Lambda, Comprehension, Await, Yield, Bind, Star]


# -- steps -----------------------------------------------------------------------------------------------------------


class Assign(Row, frozen=True, tag="A"):
    """`targets = value`; an annotation without a value has `value` None.  Chained targets are all listed."""

    targets: tuple[Expr, ...]
    value: Expr | None
    annotation: Expr | None = None


class Change(Row, frozen=True, tag="U"):
    """`target op= value`, `op` without the equals sign."""

    target: Expr
    op: str
    value: Expr


class Do(Row, frozen=True, tag="E"):
    """An expression as a statement: its value is thrown away."""

    value: Expr


class Return(Row, frozen=True, tag="R"):
    value: Expr | None


class Raise(Row, frozen=True, tag="X"):
    exc: Expr | None
    cause: Expr | None


class Jump(Row, frozen=True, tag="J"):
    """`kind` is "break", "continue" or "pass"."""

    kind: str


class Declare(Row, frozen=True, tag="D"):
    """`kind` is "global" or "nonlocal"."""

    kind: str
    names: tuple[str, ...]


class Import(Row, frozen=True, tag="I"):
    """`import a.b as c`: module "", names (("a.b", "c"),).  `from .x import y`: module "x", level 1, names (("y", ""),); a star is ("*", "")."""

    module: str
    level: int
    names: tuple[tuple[str, str], ...]


class Assert(Row, frozen=True, tag="Q"):
    test: Expr
    message: Expr | None


class Delete(Row, frozen=True, tag="K"):
    targets: tuple[Expr, ...]


class If(Row, frozen=True, tag="F"):
    test: Expr
    body: tuple[Step, ...]
    orelse: tuple[Step, ...]


class While(Row, frozen=True, tag="W"):
    test: Expr
    body: tuple[Step, ...]
    orelse: tuple[Step, ...]


class For(Row, frozen=True, tag="O"):
    target: Expr
    source: Expr
    body: tuple[Step, ...]
    orelse: tuple[Step, ...]
    is_async: bool = False


class Handler(Row, frozen=True, tag="H"):
    """`except types as name`; a bare `except` has `types` None."""

    types: Expr | None
    name: str
    body: tuple[Step, ...]


class Try(Row, frozen=True, tag="T"):
    """`is_star` for `except*`."""

    body: tuple[Step, ...]
    handlers: tuple[Handler, ...]
    orelse: tuple[Step, ...]
    final: tuple[Step, ...]
    is_star: bool = False


class WithItem(msgspec.Struct, frozen=True, array_like=True, gc=False):
    value: Expr
    target: Expr | None


class With(Row, frozen=True, tag="V"):
    items: tuple[WithItem, ...]
    body: tuple[Step, ...]
    is_async: bool = False


class Case(Row, frozen=True, tag="p"):
    """One `case` of a match: the names it binds, the expressions in its pattern, its guard; `always` when the pattern matches anything."""

    names: tuple[str, ...]
    patterns: tuple[Expr, ...]
    guard: Expr | None
    body: tuple[Step, ...]
    always: bool = False


class Match(Row, frozen=True, tag="M"):
    subject: Expr
    cases: tuple[Case, ...]


class Param(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`kind` is "positional" (also by keyword), "positional-only", "keyword-only", "*" or "**"."""

    name: str
    kind: str
    default: Expr | None = None
    annotation: Expr | None = None


class FunctionFacts(Row, frozen=True, tag="f"):
    """A `def`, `async def` or lambda (name "<lambda>", body one `Return`).  The docstring is left out of the body."""

    name: str
    params: tuple[Param, ...]
    body: tuple[Step, ...]
    decorators: tuple[Expr, ...] = ()
    returns: Expr | None = None
    is_async: bool = False
    is_generator: bool = False


class ClassFacts(Row, frozen=True, tag="C"):
    """A class statement.  `bases` holds positional bases and keywords (`metaclass=`).

    Of a class that has pages of its own (module level, see `mplint.facts.outline`) the body is empty: its statements and methods
    are pages too.  A class inside a function carries its whole body.
    """

    name: str
    bases: tuple[Argument, ...]
    body: tuple[Step, ...]
    decorators: tuple[Expr, ...] = ()


Step = Union[
    Assign, Change, Do, Return, Raise, Jump, Declare, Import, Assert, Delete, If, While, For, Try, With, Match, FunctionFacts, ClassFacts
]  # fmt: skip


# -- walking ---------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=None)
def _fields(cls: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of a row type that can hold rows: not those of plain numbers and text."""
    plain = {"None", "bool", "int", "float", "str", "tuple"}
    notes = {name: note for base in reversed(cls.__mro__) for name, note in getattr(base, "__annotations__", {}).items()}
    return tuple(name for name in cls.__struct_fields__ if not plain.issuperset(re.findall(r"\w+", notes[name])))


def children(row: Any) -> list[Any]:
    """The rows directly below `row`, in source order, whatever they are nested in (arguments, clauses, tuples)."""
    out: list[Any] = []
    for name in _fields(type(row)):  # type: ignore[arg-type]
        value = getattr(row, name)
        if isinstance(value, tuple):
            for item in value:
                if isinstance(item, Row):
                    out.append(item)
                elif isinstance(item, msgspec.Struct):
                    out.extend(children(item))
        elif isinstance(value, Row):
            out.append(value)
    return out


def walk(*rows: Any, into_functions: bool = False) -> Iterator[Any]:
    """`rows` and everything below them in source order; nested functions, lambdas and classes are yielded but not entered, unless asked for."""
    stack = list(reversed(rows))
    later: set[int] = set()
    while stack:
        row = stack.pop()
        yield row
        if into_functions or not isinstance(row, (FunctionFacts, ClassFacts, Lambda)):
            below = children(row)
            if type(row) is Op and row.op == "and" and row.operands[0].at == row.at:  # `a < b < c`: b is in two pairs
                later.update(map(id, below[1:]))
            stack.extend(reversed(below[1:] if id(row) in later else below))


def stored_to(row: Row) -> tuple[Expr, ...]:
    """The targets that a row stores something in: of an assignment, a loop, a `with`, a walrus."""
    if isinstance(row, Assign):
        return row.targets
    if isinstance(row, For):
        return (row.target,)
    if isinstance(row, With):
        return tuple(item.target for item in row.items if item.target is not None)
    return (row.name,) if isinstance(row, Bind) else ()


def stored_in(row: Row) -> Iterator[Expr]:
    """The targets that a row binds, changes or deletes, those of unpacking one by one."""
    targets = [row.target] if isinstance(row, Change) else list(reversed(row.targets if isinstance(row, Delete) else stored_to(row)))
    while targets:
        target = targets.pop()
        if isinstance(target, Sequence):
            targets.extend(reversed(target.items))
        else:
            yield target.value if isinstance(target, Star) else target


def last_name(expr: Row) -> str:
    """`c` of `a.b.c`, whatever stands before the dot; "" when the expression is no name."""
    return expr.attr if isinstance(expr, Attr) else expr.id if isinstance(expr, Name) else ""


def is_given(expr: Expr | None) -> bool:
    """Whether an argument is there and is not the constant `None`."""
    return expr is not None and not (isinstance(expr, Const) and expr.kind == "none")


def dotted(expr: Expr | None) -> str:
    """`a.b.c` when the expression is a plain dotted name, else ""."""
    parts: list[str] = []
    while isinstance(expr, Attr):
        parts.append(expr.attr)
        expr = expr.value
    if not isinstance(expr, Name):
        return ""
    return ".".join([expr.id, *reversed(parts)])
