"""Functions and classes that pickle, which sends their names, finds under none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mplint import facts as f
from mplint.finding import Step
from mplint.project.modules import Class, Function

if TYPE_CHECKING:
    from mplint.project import Project


class Refusal(NamedTuple):
    """What pickle refuses, as a noun phrase, and the places that lead to it."""

    what: str
    steps: tuple[Step, ...] = ()


def of_function(project: Project, function: Function) -> Refusal | None:
    """A function is pickled by the name under which its module has it."""
    step = (Step(function.site(), "it is defined here"),)
    if function.name == "<lambda>":
        return Refusal("a lambda", step)
    if function.outer is not None and function.owner is None and not function.facts.decorators:
        return of_local(function, f"`{function.name}`, which is local to `{function.outer.name}`")
    inner = _put_in_place_of(project, function)
    if inner is not None:
        what = f"`{function.name}`, which its decorator replaced by an inner function"
        return Refusal(what, (*step, Step(inner.site(), "this takes its place, under its own name")))
    return None


def of_local(local: Function | Class, what: str) -> Refusal | None:
    """Something defined in a function, unless that declares its name global or gives it another."""
    outer = local.outer
    assert outer is not None
    for row in outer.rows:
        if isinstance(row, f.Declare) and row.kind == "global" and local.name in row.names:
            return None
        if isinstance(row, f.Attr) and row.attr in {"__qualname__", "__module__"}:
            return None
    return Refusal(what, (Step(local.site(), "it is defined here"),))


def _put_in_place_of(project: Project, function: Function) -> Function | None:
    """The inner function that a decorator of the project returns for a module-level function, under its own name."""
    if function.outer is not None or function.owner is not None or len(function.facts.decorators) != 1:
        return None
    values = project.values(function.facts.decorators[0], function.module.body)
    if len(values) != 1 or not isinstance(values[0], Function) or isinstance(function.facts.decorators[0], f.Call):
        return None
    maker = values[0]
    given = [row.value for row in maker.rows if isinstance(row, f.Return)]
    named = [g for g in maker.inner if len(given) == 1 and isinstance(given[0], f.Name) and g.name == given[0].id]
    inner = named[-1] if named else None
    if inner is None or inner.facts.decorators or any(isinstance(row, f.Attr) and row.attr in {"__qualname__", "__wrapped__"} for row in maker.rows):
        return None
    return None if any(f.dotted(site.call.func).rpartition(".")[2] in {"update_wrapper", "wraps"} for site in maker.calls) else inner
