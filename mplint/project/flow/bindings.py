"""Which names a step binds, and to what: the definitions that `mplint.project.flow.reaching` tells apart."""

from __future__ import annotations

from typing import Iterator, Union

import msgspec

from mplint import facts as f

Binder = Union[
    f.Assign, f.Change, f.For, f.With, f.Import, f.FunctionFacts, f.ClassFacts, f.Handler, f.Bind, f.Case, f.Delete, f.Param, f.Clause
]  # fmt: skip


class Definition(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One binding of `name` by `row`; compared by identity, one object a binding.

    `value` is the expression that the binding starts from: the assigned value (Assign, Change, Bind), the iterable whose
    elements are bound (For, Clause) or the context manager whose `__enter__` result is bound (With).  `path` leads from
    there to the name through displays of targets: `a` in `(x, (a, b)) = value` has path (1, 0); positions behind a starred
    target count from the end (-1 is the last), the starred target itself is None.  `imported` is the pair of an Import
    ("a.b", "c").  A Delete says that the name is unbound from there on; an Assign without a value only annotates.
    """

    row: Binder
    name: str
    value: f.Expr | None = None
    path: tuple[int | None, ...] = ()
    imported: tuple[str, str] | None = None


class Binding(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A definition inside a node.

    `at` numbers the bound name's row, -1 when it has none and is bound last of all; `early` says that something else of the
    node is evaluated after it; `certain` that the node cannot be left normally without it; `ends` that the name is unbound.
    """

    definition: Definition
    at: int = -1
    early: bool = False
    certain: bool = True
    ends: bool = False


def of_targets(row: Binder, targets: tuple[f.Expr, ...], value: f.Expr | None) -> list[Binding]:
    """The names bound when a value is stored in `targets`, one after the other."""
    found: list[tuple[f.Name, tuple[int | None, ...]]] = []
    hazards: list[int] = []
    stack: list[tuple[f.Expr, tuple[int | None, ...]]] = [(t, ()) for t in reversed(targets)]
    while stack:
        target, path = stack.pop()
        if isinstance(target, f.Name):
            found.append((target, path))
        elif isinstance(target, f.Star):
            stack.append((target.value, path))
        elif isinstance(target, f.Sequence):
            if target.kind != "slice":
                hazards.append(len(found))
                stack.extend(reversed([(item, (*path, place)) for item, place in zip(target.items, _places(target.items))]))
        else:
            hazards.append(len(found))
    last = hazards[-1] if hazards else 0
    return [Binding(Definition(row, n.id, value, p), n.at, early=i < last) for i, (n, p) in enumerate(found)]


def _places(items: tuple[f.Expr, ...]) -> list[int | None]:
    star = next((i for i, item in enumerate(items) if isinstance(item, f.Star)), len(items))
    return [i if i < star else None if i == star else i - len(items) for i in range(len(items))]


def of_step(step: f.Step) -> list[Binding]:
    """The names that a simple step, a definition or a class binds, walruses apart."""
    if isinstance(step, f.Assign):
        found = of_targets(step, step.targets, step.value)
        return found if step.value is not None else [msgspec.structs.replace(b, certain=False) for b in found]
    if isinstance(step, f.Change):
        return of_targets(step, (step.target,), step.value) if isinstance(step.target, f.Name) else []
    if isinstance(step, (f.FunctionFacts, f.ClassFacts)):
        return [Binding(Definition(step, step.name))]
    if isinstance(step, f.Import):
        return [Binding(Definition(step, local, imported=pair), early=pair is not step.names[-1]) for local, pair in _imported(step)]
    if isinstance(step, f.Delete):
        return of_targets(step, step.targets, None)
    return []


def _imported(step: f.Import) -> Iterator[tuple[str, tuple[str, str]]]:
    for pair in step.names:
        name, alias = pair
        yield alias or (name if step.module or step.level else name.split(".")[0]), pair


def of_params(function: f.FunctionFacts) -> list[Binding]:
    return [Binding(Definition(param, param.name)) for param in function.params]


def of_clauses(clauses: tuple[f.Clause, ...]) -> list[list[Definition]]:
    """The names bound by each clause of a comprehension."""
    return [[b.definition for b in of_targets(c, (c.target,), c.source)] for c in clauses]


def mentioned(steps: tuple[f.Step, ...]) -> frozenset[str]:
    """Which of the rare rows are anywhere in `steps`, nested functions included: "b" (Bind), "D" (Declare), "g" (Comprehension).

    It may name one too many; that it looks at the encoded rows makes it much faster than a walk.
    """
    try:
        text = msgspec.json.encode(steps)
    except RecursionError:
        return frozenset("bDg")
    return frozenset(tag for tag in "bDg" if f'["{tag}",'.encode() in text)
