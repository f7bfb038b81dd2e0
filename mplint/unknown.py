"""What the project model could not resolve: receivers, callables and bases, each with the reason, and what share it could."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

import msgspec

from mplint import facts as f
from mplint.finding import Site
from mplint.project.callables import is_open
from mplint.project.values import Bound, External, Instance, Many, Partial, Tuple, Unknown, Value

if TYPE_CHECKING:
    from mplint.project import Class, Function, Module, Project
    from mplint.project.modules import CallSite

Kind = Literal["receiver", "callable", "base"]

KINDS: tuple[Kind, ...] = ("receiver", "callable", "base")

_DISTINCT = {"apply_async", "map_async", "starmap", "starmap_async", "imap", "imap_unordered"}
_COMMON = {"submit", "map", "apply"}
_LIKE = re.compile(r"pool|executor", re.IGNORECASE)
_SPELLED = re.compile(r"\.\s*(?:" + "|".join(sorted(_DISTINCT | _COMMON)) + r")\s*\(")


class Open(msgspec.Struct, frozen=True):
    """A question that stayed open: `what` is as the source calls it, `reason` a clause."""

    kind: Kind
    site: Site
    what: str
    reason: str

    @property
    def message(self) -> str:
        said = {"receiver": f"what `{self.what}` is called on", "callable": f"what `{self.what}` runs", "base": f"what `{self.what}` derives from"}[self.kind]
        return f"{said} is not known: {self.reason}"


class Account(msgspec.Struct, frozen=True):
    """All open questions about some files, and how many there were of each kind."""

    open: tuple[Open, ...]
    asked: dict[Kind, int]

    def resolved(self, kind: Kind) -> int:
        """How many questions of a kind have an answer."""
        return self.asked[kind] - len({(o.site, o.what) for o in self.open if o.kind == kind})


def account_of(project: Project, paths: Iterable[str]) -> Account:
    """What stayed open in the files `paths`.

    A receiver is what the methods of pools and executors are called on; `submit`, `map` and `apply`, which much else has, count when the
    object is known to be one or is called like one.  A callable is what is handed to a pool, a process or an executor.  A base is that of a
    class that may be an exception or an API's.
    """
    checked = frozenset(paths)
    asked: dict[Kind, int] = dict.fromkeys(KINDS, 0)
    found: list[Open] = []
    handed: set[Site] = set()
    for submission in project.submissions():
        site = submission.site
        if submission.role == "handler" or site.function.path not in checked:
            continue
        handed.add(site.site)
        asked["callable"] += 1
        if not submission.resolved or any(map(is_open, submission.callables)):
            found.append(Open("callable", site.site, submission.title, _why_callable(submission.argument, submission.callables, site.function)))
        if submission.where == "any":
            found.append(Open("receiver", site.site, submission.title, "it may be threads or processes"))
    for module in (m for m in project.spread.modules() if m.path in checked):
        for site in _candidates(module):
            asked["receiver"] += 1
            unknown = _unknown(project.values(site.call.func, site.function)) if site.site not in handed else None
            if unknown is not None:
                found.append(Open("receiver", site.site, _written(site.call.func), _why(unknown, _receiver(site.call.func), site.function)))
    for cls in _classes(project, checked):
        asked["base"] += 1
        if "?" in project.ancestry(cls):
            found.append(Open("base", cls.site(), cls.name, _why_base(project, cls)))
    return Account(tuple(dict.fromkeys(found)), asked)


def _candidates(module: Module) -> Iterator[CallSite]:
    for function in module.functions_where(lambda text, _: _SPELLED.search(text), *_DISTINCT, *_COMMON):
        for site in function.calls:
            func = site.call.func
            if isinstance(func, f.Attr) and (func.attr in _DISTINCT or (func.attr in _COMMON and _LIKE.search(_last(func.value)))):
                yield site


def _unknown(values: tuple[Value, ...]) -> Unknown | None:
    """The open part of what a method can be; an object whose class says nothing is open, too."""
    for value in values:
        if isinstance(value, Unknown):
            return value
        cls = value.receiver.cls if isinstance(value, Bound) and isinstance(value.receiver, Instance) else None
        if isinstance(cls, External) and cls.name in {"builtins.object", "typing.Any"}:
            return Unknown("annotation")
    return None


def _classes(project: Project, checked: frozenset[str]) -> Iterator[Class]:
    for path, names in project.triage.exceptions.items():
        module = project.module(path) if path in checked else None
        for cls in module.classes() if module is not None else ():
            if cls.name in names:
                yield cls


_REASONS = {
    "parameter": "no call in the project passes it",
    "annotation": "its annotation says too little",
    "star": "it may be among the arguments behind a star",
    "attribute": "nothing in the project says what the attribute is",
    "call": "nothing says what the call gives",
    "name": "nothing binds the name",
    "import": "the module it is imported from does not define it",
    "item": "nothing says what the container holds",
    "loop": "nothing says what is iterated over",
    "getattr": "the attribute's name is computed",
    "awaited": "nothing says what is awaited",
    "base": "a base does not resolve",
}


def _why(unknown: Unknown, expr: f.Expr | None, function: Function) -> str:
    if unknown.reason in {"attribute", "parameter"} and isinstance(expr, f.Name):
        scope: Function | None = function
        while scope is not None:
            if scope.has_parameter(expr):
                return f"`{expr.id}` is a parameter of `{scope.name}`, and no call in the project passes one"
            scope = scope.outer
    return _REASONS.get(unknown.reason, "it is computed")


def _why_callable(argument: f.Expr | None, values: tuple[Value, ...], function: Function) -> str:
    stack = list(values)
    while stack:
        value = stack.pop()
        if isinstance(value, Unknown):
            return _why(value, argument, function)
        if isinstance(value, Partial):
            stack.append(value.func)
        elif isinstance(value, (Many, Tuple)):
            stack.extend(value.items if isinstance(value, Many) else value.items[0] if value.items else ())
    return "it is computed"


def _why_base(project: Project, cls: Class) -> str:
    for base in project.mro(cls):
        if isinstance(base, Unknown):
            return _REASONS["base"]
        if isinstance(base, External) and "?" in project.ancestry(base):
            return f"the source of `{base.name}` is not at hand (see --python)"
    return _REASONS["base"]


def _receiver(func: f.Expr) -> f.Expr | None:
    return func.value if isinstance(func, f.Attr) else None


def _last(expr: f.Expr) -> str:
    if isinstance(expr, f.Attr):
        return expr.attr
    if isinstance(expr, f.Name):
        return expr.id
    return _last(expr.func) if isinstance(expr, f.Call) else _last(expr.value) if isinstance(expr, f.Item) else ""


def _written(expr: f.Expr) -> str:
    """A call's function about as the source has it."""
    if isinstance(expr, f.Attr):
        return f"{_written(expr.value)}.{expr.attr}"
    if isinstance(expr, f.Call):
        return f"{_written(expr.func)}()"
    if isinstance(expr, f.Item):
        return f"{_written(expr.value)}[]"
    return expr.id if isinstance(expr, f.Name) else "..."
