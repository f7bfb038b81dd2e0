"""MP302: a worker that materialises what cannot fit is killed, and takes its task with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety
from mplint.project.parameters import argument_of
from mplint.project.values import Literal
from mplint.rule import Example, Prints, Raises, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Function, Module, Project

BUILDING = frozenset({
    *(f"builtins.{name}" for name in ("list", "tuple", "set", "frozenset", "sorted", "dict", "bytes", "bytearray")),
    "collections.deque", "collections.Counter", "array.array",
})  # fmt: skip
"""Callables that keep every item of what they are given."""

CONSUMING = frozenset({"builtins.sum", "builtins.any", "builtins.all", "builtins.min", "builtins.max"})
"""Callables that take the items one by one and keep none."""

SHORT = 2.0**70
"""Numbers beyond this are not computed."""


class UnboundedMemory(Rule):
    """A worker that builds a container which cannot fit into memory.

    ## What it does

    Reports lists, sets, dicts, tuples and strings in worker code that are built from a `range` beyond the configured bound or from an endless
    iterator. The bound is 10^9 items when nothing is configured; sequences that are repeated so often count too.

    ## Why it hurts

    The worker grows until the kernel kills it, with luck some other process. `Pool` never answers for the lost task and waits for ever; an
    executor is broken, and all its other tasks are lost. Only where an address-space limit stops the worker before does a `MemoryError` come back.

    ## When it knows

    The number must be a constant, also through names, arithmetic and arguments that are constants everywhere. Silent for generators, for
    `sum(range(N))` and other consumers that keep nothing, for `islice` and other limits, and for comprehensions with a condition.

    ## Fix safety

    Where a list comprehension is only iterated, it becomes a generator expression. That is unsafe: an exception in one of its elements comes later.

    ## References

    - [Generator expressions](https://docs.python.org/3/reference/expressions.html#generator-expressions), which make one item at a time.
    """

    code = "MP302"
    name = "unbounded-memory"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for function in project.workers_in(module):
            inside: set[int] = set()
            for row in function.rows:
                items = _built(project, function, row) if id(row) not in inside else 0.0
                if items > project.limits.memory:
                    inside.update(id(r) for r in f.walk(row))
                    count = "without an end" if items == float("inf") else f"of {items:.0e} items".replace("e+", "e")
                    what = row.kind if isinstance(row, f.Comprehension) else "container"
                    message = f"a worker builds a {what} {count}: it is killed when the memory is used up, and its task is lost"
                    hint = "iterate" if _is_iterated(project, function, row) else ""
                    yield Alarm(self.code, function.site(row), message, project.why(function) or (), function.qualname, hint)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if not alarm.hint or not isinstance(node, cst.ListComp):
            return
        text = repair.code(node).strip()
        if text.startswith("[") and text.endswith("]"):
            repair.replace_source(node, f"({text[1:-1]})")
        repair.title = "Make the items one by one"
        repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
from multiprocessing import Pool


def first_square_above(bound):
    for square in [n * n for n in range(10**10)]:  # MP302
        if square > bound:
            return square


if __name__ == "__main__":
    with Pool(1) as pool:
        print(pool.apply(first_square_above, (50,)))
""",
        bad_ends=Raises("MemoryError"),
        fixed="""\
from multiprocessing import Pool


def first_square_above(bound):
    for square in (n * n for n in range(10**10)):
        if square > bound:
            return square


if __name__ == "__main__":
    with Pool(1) as pool:
        print(pool.apply(first_square_above, (50,)))
""",
        fixed_ends=Prints("64"),
    )


def _built(project: Project, function: Function, row: f.Row) -> float:
    """How many items an expression puts into memory by itself; 0 when it builds nothing or that is not known."""
    if isinstance(row, f.Comprehension) and row.kind != "generator":
        return _items(project, function, row)
    if isinstance(row, f.Sequence) and row.kind in {"list", "set", "tuple"}:
        return max((_items(project, function, i.value) for i in row.items if isinstance(i, f.Star)), default=0.0)
    if isinstance(row, f.Op) and row.op == "*" and len(row.operands) == 2:
        return max(_repeated(project, function, *row.operands), _repeated(project, function, *reversed(row.operands)))
    if isinstance(row, f.Call):
        return _called(project, function, row)
    return 0.0


def _called(project: Project, function: Function, call: f.Call) -> float:
    func = call.func
    if isinstance(func, f.Attr) and func.attr == "join" and isinstance(func.value, f.Const) and func.value.kind in {"str", "bytes"}:
        given = call.positional(0)
    elif isinstance(func, (f.Name, f.Attr)) and (name := project.external(func, function)) in BUILDING:
        given = call.positional(0) if not (name == "collections.deque" and (call.keyword("maxlen") or len(call.args) > 1)) else None
        if name in {"builtins.bytes", "builtins.bytearray"} and given is not None and not isinstance(given, f.Const | f.Text):
            return _number(project, function, given) or 0.0
    else:
        return 0.0
    return _items(project, function, given) if given is not None else 0.0


def _items(project: Project, function: Function, expr: f.Expr) -> float:
    """How many items iterating over an expression gives; 0 when that is not known."""
    if isinstance(expr, f.Comprehension):
        if any(c.conditions or c.is_async for c in expr.clauses):
            return 0.0
        total = 1.0
        for clause in expr.clauses:
            total *= min(_items(project, function, clause.source), SHORT) or 1.0
        endless = any(_items(project, function, c.source) == float("inf") for c in expr.clauses)
        return float("inf") if endless else total if total > 1.0 else 0.0
    if isinstance(expr, f.Name) and isinstance(found := _assigned(function, expr), (f.Comprehension, f.Call)):
        return _items(project, function, found) if not (isinstance(found, f.Comprehension) and found.kind != "generator") else 0.0
    if not isinstance(expr, f.Call):
        return 0.0
    name = project.external(expr.func, function) if isinstance(expr.func, (f.Name, f.Attr)) else ""
    if expr.starred:
        return 0.0
    if name == "builtins.range":
        return _length(project, function, expr)
    if name in {"itertools.count", "itertools.cycle"} or (name == "itertools.repeat" and len(expr.args) == 1):
        return float("inf")
    if name in {"builtins.zip", "builtins.map"}:
        sources = [a.value for a in expr.args[1 if name == "builtins.map" else 0 :]]
        return min((_items(project, function, s) for s in sources), default=0.0)
    if name in {"builtins.enumerate", "builtins.reversed", "builtins.iter"} and expr.args:
        return _items(project, function, expr.args[0].value)
    if name in {"itertools.product"} and not expr.keyword("repeat"):
        total = 1.0
        for arg in expr.args:
            total *= min(_items(project, function, arg.value), SHORT) or 1.0
        return total if total > 1.0 else 0.0
    return 0.0


def _length(project: Project, function: Function, call: f.Call) -> float:
    numbers = [_number(project, function, a.value) for a in call.args]
    if not numbers or any(n is None for n in numbers):
        return 0.0
    known = [n for n in numbers if n is not None]
    start, stop = (0.0, known[0]) if len(known) == 1 else (known[0], known[1])
    step = known[2] if len(known) > 2 else 1.0
    return max(0.0, (stop - start) / step) if step else 0.0


def _repeated(project: Project, function: Function, sequence: f.Expr, times: f.Expr) -> float:
    """The length of `sequence * times`."""
    if isinstance(sequence, f.Sequence) and sequence.kind in {"list", "tuple"}:
        size = len(sequence.items)
    elif isinstance(sequence, f.Const) and sequence.kind in {"str", "bytes"}:
        size = len(str(sequence.value))
    else:
        return 0.0
    return size * (_number(project, function, times) or 0.0)


def _number(project: Project, function: Function, expr: f.Expr) -> float | None:
    """The value of a constant expression, also through names; None when it is not known."""
    if isinstance(expr, f.Const):
        return float(expr.value) if expr.kind in {"int", "float"} and isinstance(expr.value, (int, float)) else None
    if isinstance(expr, f.Op) and len(expr.operands) == 2:
        left, right = (_number(project, function, o) for o in expr.operands)
        return _computed(expr.op, left, right) if left is not None and right is not None else None
    if isinstance(expr, f.Op) and expr.op == "-" and len(expr.operands) == 1:
        value = _number(project, function, expr.operands[0])
        return -value if value is not None else None
    if isinstance(expr, f.Call) and isinstance(expr.func, f.Name) and project.external(expr.func, function) == "builtins.int" and len(expr.args) == 1:
        return _number(project, function, expr.args[0].value)
    if isinstance(expr, f.Name) and (found := _assigned(function, expr)) is not None and not isinstance(found, f.Name):
        return _number(project, function, found)
    if isinstance(expr, (f.Name, f.Attr)):
        return _known(project, function, expr)
    return None


def _known(project: Project, function: Function, expr: f.Name | f.Attr) -> float | None:
    """The one number that a global, an attribute or a parameter is everywhere."""
    scope: Function | None = function
    while isinstance(expr, f.Name) and scope is not None:
        param = scope.parameter(expr)
        if param is not None:
            return _passed(project, scope, param)
        scope = scope.outer
    if isinstance(expr, f.Name) and function.graph.definitions(expr) is None:
        steps = [s for page in function.module.outline.names.get(expr.id, ()) for s in f.walk(*function.module.steps(page)) if isinstance(s, f.Assign)]
        found = [s.value for s in steps if any(isinstance(t, f.Name) and t.id == expr.id for t in s.targets)]
        if len(found) == 1 and isinstance(found[0], f.Op):
            return _number(project, function.module.body, found[0])
    values = project.values(expr, function)
    numbers = [v.value for v in values if isinstance(v, Literal) and isinstance(v.value, (int, float)) and not isinstance(v.value, bool)]
    return float(numbers[0]) if len(values) == 1 and len(numbers) == 1 else None


def _passed(project: Project, function: Function, param: f.Param) -> float | None:
    """The one number that every call passes to a parameter; None when there is a call that is not known."""
    if any(function in s.callees for s in project.submissions()):
        return None
    given = [(argument_of(s.call, function, param), s) for s in project.callers(function)]
    if any(s.call.starred or expr is None or isinstance(expr, f.Name) for expr, s in given):
        return None
    numbers = {_number(project, s.function, expr) for expr, s in given if expr is not None}
    return numbers.pop() if len(numbers) == 1 else None


def _assigned(function: Function, name: f.Name) -> f.Expr | None:
    """The expression that a local name stands for when there is only one."""
    definitions = function.graph.definitions(name)
    if (
        definitions is not None
        and len(definitions) == 1
        and isinstance(definitions[0], f.Assign)
        and all(isinstance(t, f.Name) for t in definitions[0].targets)
    ):
        return definitions[0].value
    return None


def _computed(op: str, left: float, right: float) -> float | None:
    if op == "**":
        return left**right if 0 < left <= 2**64 and 0 <= right <= 30 else None
    if op == "<<":
        return left * 2.0**right if 0 <= right <= 64 else None
    operations = {"+": left + right, "-": left - right, "*": left * right}
    if right:
        operations |= {"/": left / right, "//": left // right}
    return operations.get(op)


def _is_iterated(project: Project, function: Function, row: f.Row) -> bool:
    """Whether nobody keeps a list comprehension: its elements are taken one by one where it stands."""
    if not (isinstance(row, f.Comprehension) and row.kind == "list"):
        return False
    parent = function.parent(row)
    if isinstance(parent, f.For):
        return parent.source is row
    return isinstance(parent, f.Call) and isinstance(parent.func, f.Name) and project.external(parent.func, function) in CONSUMING and len(parent.args) == 1
