"""Whether arguments bind to the parameters of what is called, as CPython would say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mplint import facts as f
from mplint.project.modules import Class, Function
from mplint.project.values import Bound, External, Partial, Unknown, Value

if TYPE_CHECKING:
    from mplint.project import Project


class Given(NamedTuple):
    """Arguments: how many by position, which by keyword; `open_places`/`open_names`: more of them may come from a `*` or `**` argument."""

    places: int
    names: tuple[str, ...] = ()
    open_places: bool = False
    open_names: bool = False

    def after(self, call: f.Call, skipped: int) -> Given:
        """These arguments behind those of a `partial` call, whose first `skipped` are not arguments of the function."""
        args = call.args[skipped:]
        return Given(
            self.places + sum(1 for a in args if not a.keyword and not a.star),
            (*self.names, *(a.keyword for a in args if a.keyword and a.keyword not in self.names)),
            self.open_places or any(a.star == "*" for a in args),
            self.open_names or any(a.star == "**" for a in args),
        )


class Callee(NamedTuple):
    """A function whose signature is known, how many of its parameters are bound already, and the arguments it is given."""

    function: Function
    skipped: int
    given: Given


def callee_of(project: Project, value: Value, given: Given) -> Callee | None:
    """The function of the project that runs when `value` is called with `given`; None where its signature is not known."""
    if isinstance(value, Partial):
        return None if value.delayed else callee_of(project, value.func, given.after(value.call, 1))
    if isinstance(value, Function):
        return Callee(value, 0, given) if _is_plain(value) else None
    if isinstance(value, Bound) and isinstance(value.function, Function):
        plain = _is_plain(value.function) and value.function.receiver
        return Callee(value.function, 1, given) if plain and not _is_overridden(project, value) else None
    if isinstance(value, Class):
        family = project.mro(value)
        if value.facts.decorators or any(isinstance(base, Unknown) for base in family) or any(k.keyword == "metaclass" for k in value.facts.bases):
            return None
        for base in family:
            if isinstance(base, External) or not isinstance(base, Class) or base.method("__new__") is not None or base.method("__call__") is not None:
                return None
            init = base.method("__init__")
            if init is not None:
                return Callee(init, 1, given) if _is_plain(init) else None
    return None


def _is_plain(function: Function) -> bool:
    """Whether nothing stands between a function and who calls it."""
    return {f.dotted(decorator) for decorator in function.facts.decorators} <= {"staticmethod", "classmethod"}


def _is_overridden(project: Project, value: Bound) -> bool:
    """Whether the object may be of a subclass that has another method of that name."""
    function = value.function
    if not isinstance(function, Function) or function.owner is None:
        return False
    return any(function.name in cls.method_names() for cls in project.subclasses(function.owner))


def misfit(callee: Callee) -> str:
    """Why the arguments do not bind, as the end of a sentence; "" where they do, or may."""
    function, given = callee.function, callee.given
    params = function.facts.params
    by_place = [p for p in params if p.kind in {"positional", "positional-only"}][callee.skipped :]
    takes_any = any(p.kind == "*" for p in params)
    takes_named = any(p.kind == "**" for p in params)
    if given.places > len(by_place) and not takes_any:
        return f"takes {_count(len(by_place), 'positional argument')} and is given {given.places}"
    filled = {p.name for p in by_place[: given.places]}
    known = {p.name for p in params if p.kind in {"positional", "keyword-only"}}
    for name in given.names:
        if name in filled and name in known:
            return f"is given `{name}` twice"
        if name not in known and not takes_named:
            return f"has no parameter `{name}`"
    if given.open_places or given.open_names:
        return ""
    missing = [p.name for p in by_place[given.places :] if p.default is None and p.name not in given.names]
    missing += [p.name for p in params if p.kind == "keyword-only" and p.default is None and p.name not in given.names]
    return f"is not given {_listed(missing)}" if missing else ""


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _listed(names: list[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)
