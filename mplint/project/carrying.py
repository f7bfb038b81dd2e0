"""Which expressions may carry an object of a process API from one name to another, judged by the names in them."""

from __future__ import annotations

from typing import Collection, NamedTuple

from mplint import facts as f
from mplint.project.containers import default_of
from mplint.project.vocabulary import PASSING, TAKING, Vocabulary


class Carrying(NamedTuple):
    """The words of the APIs, and the `attributes` that are known to keep such objects; each question adds the `words` of its place."""

    vocabulary: Vocabulary
    attributes: Collection[str]

    def carries(self, expr: f.Expr, words: frozenset[str]) -> bool:
        """Whether an expression may be, or hold, an object (or a class, or a module) of an API."""
        if isinstance(expr, f.Name):
            return expr.id in words
        if isinstance(expr, f.Attr):
            return expr.attr in self.attributes or f".{expr.attr}" in words or (expr.attr in self.vocabulary.members and self.carries(expr.value, words))
        if isinstance(expr, f.Call):
            last = f.last_name(expr.func)
            if last in PASSING or last == "dict":
                return any(self.carries(a.value, words) for a in expr.args)
            default = default_of(expr)
            if default is not None and self.carries(default, words):
                return True
            if last == "getattr" and (name := expr.positional(1)) is not None:
                of = expr.args[0].value
                return self.carries(f.Attr(expr.at, of, str(name.value)) if isinstance(name, f.Const) else of, words)
            if last == "map" and expr.args:  # the builtin: what its function gives
                first = expr.args[0].value
                given = first.function.body[0] if isinstance(first, f.Lambda) else None
                return self.makes(first, words) or (isinstance(given, f.Return) and given.value is not None and self.carries(given.value, words))
            return self.makes(expr.func, words)
        if isinstance(expr, (f.Item, f.Star, f.Await, f.Bind)):
            return self.carries(expr.value, words)
        if isinstance(expr, f.Choice):
            return self.carries(expr.body, words) or self.carries(expr.orelse, words)
        if isinstance(expr, f.Op):
            return expr.op in {"and", "or", "+", "|"} and any(self.carries(o, words) for o in expr.operands)
        if isinstance(expr, f.Sequence):
            return any(self.carries(i, words) for i in expr.items)
        if isinstance(expr, f.Mapping):
            return any(self.carries(v, words) for v in expr.values)
        if isinstance(expr, f.Comprehension):
            return self.carries(expr.element, words)
        return False

    def makes(self, func: f.Expr, words: frozenset[str]) -> bool:
        """Whether calling `func` gives an object: a class or factory of an API or of the project, a method that gives one."""
        if isinstance(func, f.Name):
            return func.id in words
        if isinstance(func, f.Attr):
            if func.attr in self.attributes or f".{func.attr}" in words:
                return True
            return (func.attr in self.vocabulary.giving or func.attr in TAKING) and self.carries(func.value, words)
        return self.carries(func, words)

    def hands(self, source: f.Expr, words: frozenset[str]) -> bool:
        """Whether iterating over `source` gives objects: a container of them, not the results of tasks."""
        if isinstance(source, f.Call):
            last = f.last_name(source.func)
            if last in PASSING or last in {"values", "items", "keys", "range", "len"}:
                return any(self.hands(a.value, words) for a in source.args) or (
                    last in {"values", "items", "keys"} and isinstance(source.func, f.Attr) and self.carries(source.func.value, words)
                )
            return last in self.vocabulary.handing or self.makes(source.func, words)
        return self.carries(source, words)
