"""Where an object goes after a call made it: through names, attributes, containers, parameters and returns, and what is done to it there.

The walk is forward and by syntax, so that it also sees what value tracking loses; whatever it cannot follow is an escape, and
who escaped is nobody's to judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.project import mentions
from mplint.project.containers import ADDING
from mplint.project.modules import CallSite, Class, Function
from mplint.project.parameters import argument_of
from mplint.project.values import Instance

if TYPE_CHECKING:
    from mplint.project import Project

STEPS = 600
"""Places looked at for one object before it counts as escaped."""

_LOOKING = {
    "print", "len", "str", "repr", "isinstance", "id", "type", "hasattr", "bool", "callable", "any", "all", "sum", "format", "range",
    "debug", "info", "warning", "warn", "error", "exception", "log", "critical",
}  # fmt: skip
"""Functions that look at an argument and do not keep it."""

_HOLDING = {"list", "tuple", "set", "frozenset", "sorted", "iter", "reversed", "enumerate", "zip", "dict", "filter", "deque", "chain", "islice", "tqdm", "copy"}
"""Functions whose result holds what was in their argument."""

_SAME = {"closing", "nullcontext", "cast", "shield", "ensure_future", "wrap_future"}
"""Functions that give back their argument, or what stands for it."""

_ENTERING = {"enter_context", "enter_async_context", "closing"}

_GIVING = {"pop", "popleft", "get", "values", "items", "copy", "popitem", "__getitem__", "keys"}
"""Methods of containers that give what is inside."""


class Touch(NamedTuple):
    """Something that is done to an object: an attribute of it is read or set, it is entered by `with`, or passed to a library call.

    `name` is the attribute, "with", or the canonical name of the call with "()" behind it; `row` the attribute, the With or the call.
    """

    name: str
    function: Function
    row: f.Row

    @property
    def call(self) -> f.Call | None:
        """The call of the method that was read, None when it was not called at once."""
        around = self.function.parent(self.row)
        return around if isinstance(around, f.Call) and around.func is self.row else None


class Life(NamedTuple):
    """What becomes of an object.

    `escapes` says how it left the sight, "" when it did not ("returned" when nobody in the project calls who returns it; for any other reason
    the walk ends there, and `touches` are some of what is done); `returned` that a function gives it to its callers; `kept` where it is stored:
    "attribute", "class", "global"; `owners` the classes in whose attributes.
    """

    touches: tuple[Touch, ...]
    escapes: str
    returned: bool
    kept: frozenset[str]
    owners: tuple[Class, ...]

    def names(self) -> frozenset[str]:
        return frozenset(t.name for t in self.touches)

    def touched(self, *names: str) -> Iterator[Touch]:
        return (t for t in self.touches if t.name in names)


def life_of(project: Project, site: CallSite) -> Life:
    """The life of what the call at `site` gives."""
    walk = _Walk(project)
    walk.value(site.function, site.call, 0)
    walk.run()
    return Life(tuple(walk.touches), walk.escapes, walk.returned, frozenset(walk.kept), tuple(walk.owners))


class _Walk:
    """The occurrences still to be looked at: (function, expression, how many containers are around the object)."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.touches: dict[Touch, None] = {}
        self.escapes = ""
        self.returned = False
        self.kept: set[str] = set()
        self.owners: dict[Class, None] = {}
        self._queue: list[tuple[Function, f.Row, int]] = []
        self._seen: set[tuple[int, int, int]] = set()

    def run(self) -> None:
        for _ in range(STEPS):
            if not self._queue or self.escapes not in ("", "returned"):
                return
            self._step(*self._queue.pop())
        self._escape("too many places")

    def value(self, function: Function, row: f.Row, held: int) -> None:
        """`row` may give the object, or something that holds it `held` containers deep."""
        key = (id(function), id(row), min(held, 3))
        if key not in self._seen:
            self._seen.add(key)
            self._queue.append((function, row, min(held, 3)))

    def _escape(self, how: str) -> None:
        self.escapes = self.escapes or how

    # -- one expression: what the row around it does with it

    def _step(self, function: Function, row: f.Row, held: int) -> None:
        around = function.parent(row)
        if isinstance(around, f.Attr):
            self._attribute(function, around, held)
        elif isinstance(around, f.Call):
            self._passed(function, around, row, held)
        elif isinstance(around, f.Assign):
            if around.value is row:
                for target in around.targets:
                    self._bound(function, target, around, held)
        elif isinstance(around, f.Bind):
            self._bound(function, around.name, around, held)
            self.value(function, around, held)
        elif isinstance(around, f.With):
            self._entered(function, around, row, held)
        elif isinstance(around, (f.Return, f.Yield)):
            self._given(function, around, held)
        elif isinstance(around, f.Sequence):
            self._displayed(function, around, row, held)
        elif isinstance(around, f.Mapping):
            self.value(function, around, held + 1)
        elif isinstance(around, f.Comprehension):
            self._comprehended(function, around, row, held)
        elif isinstance(around, f.For):
            if around.source is row:
                self._iterated(function, row, held)
                self._bound(function, around.target, around, max(held - 1, 0))
        elif isinstance(around, f.Item):
            if around.value is row and held:
                sliced = isinstance(around.index, f.Sequence) and around.index.kind == "slice"
                self.value(function, around, held if sliced else held - 1)
            elif around.index is row and mentions.is_target(function, around):  # a key
                self._bound(function, around.value, around, held + 1)
        elif isinstance(around, f.Op):
            if around.op in {"and", "or", "+", "|", "*"}:
                self.value(function, around, held)
        elif isinstance(around, f.Choice):
            if around.test is not row:
                self.value(function, around, held)
        elif isinstance(around, (f.Await, f.Star)):
            if isinstance(around, f.Star):
                self._iterated(function, row, held)
            elif not held:
                self.touches[Touch("await", function, around)] = None
            self.value(function, around, held)
        elif isinstance(around, f.Change):
            self._bound(function, around.target, around, held)
        elif isinstance(around, (f.Raise, f.FunctionFacts, f.ClassFacts)):
            self._escape("raised or defined")
        elif around is None and not isinstance(row, f.Call) and function.parent(row) is None:
            self._escape("a default or decorator")

    def _iterated(self, function: Function, row: f.Row, held: int) -> None:
        if not held:
            self.touches[Touch("iter", function, row)] = None

    def _attribute(self, function: Function, attr: f.Attr, held: int) -> None:
        if not held:
            self.touches[Touch(attr.attr, function, attr)] = None
            return
        call = function.parent(attr)
        if isinstance(call, f.Call) and call.func is attr and attr.attr in _GIVING:
            self.value(function, call, held if attr.attr in {"values", "items", "copy", "keys"} else held - 1)

    def _displayed(self, function: Function, display: f.Sequence, row: f.Row, held: int) -> None:
        """An item of a display; taken apart at once when the display is assigned to one of the same length."""
        around = function.parent(display)
        place = next((i for i, item in enumerate(display.items) if item is row), 0)
        if isinstance(around, f.Assign) and around.value is display:
            for target in around.targets:
                if isinstance(target, f.Sequence) and len(target.items) == len(display.items):
                    self._bound(function, target.items[place], around, held)
                else:
                    self._bound(function, target, around, held + 1)
        else:
            self.value(function, display, held + 1)

    def _comprehended(self, function: Function, comprehension: f.Comprehension, row: f.Row, held: int) -> None:
        for clause in comprehension.clauses:
            if clause.source is row:
                self._iterated(function, row, held)
                self._bound(function, clause.target, clause, max(held - 1, 0))
        if comprehension.element is row:
            self.value(function, comprehension, held + 1 if not (comprehension.kind == "dict" and held) else held)

    def _entered(self, function: Function, around: f.With, row: f.Row, held: int) -> None:
        for item in around.items:
            if item.value is row and not held:
                self.touches[Touch("with", function, around)] = None
                if item.target is not None:
                    self._bound(function, item.target, around, 0)

    def _given(self, function: Function, around: f.Return | f.Yield, held: int) -> None:
        """Returned or yielded: every caller has it."""
        self.returned = True
        if isinstance(around, f.Yield) or function.name == "<lambda>" or function.is_property:
            self._escape("yielded")
            return
        callers = self._callers(function)
        if not callers:
            self._escape("returned")
        for site in callers:
            self.value(site.function, site.call, held)

    def _callers(self, function: Function) -> tuple[CallSite, ...]:
        """The calls of a function; of a method also those through a base class that declares it."""
        callers = self.project.callers(function)
        if callers or function.owner is None:
            return callers
        for base in self.project.mro(function.owner)[1:]:
            declared = base.method(function.name) if isinstance(base, Class) else None
            if declared is not None:
                return self.project.callers(declared)
        return ()

    # -- passed to a call

    def _passed(self, function: Function, call: f.Call, row: f.Row, held: int) -> None:
        if call.func is row:
            return
        func = call.func
        last = func.attr if isinstance(func, f.Attr) else func.id if isinstance(func, f.Name) else ""
        if isinstance(func, f.Attr) and last in ADDING:
            self._bound(function, func.value.value if isinstance(func.value, f.Item) else func.value, call, held if ADDING[last][1] else held + 1)
            return
        if last in _ENTERING and not held:
            self.touches[Touch("with", function, call)] = None
        if not held and (last in _HOLDING or last in _LOOKING or last == "next"):
            self.touches[Touch(f"{last}()", function, call)] = None
        if last in _ENTERING or last in _SAME:
            self.value(function, call, held)
        elif last in _HOLDING:
            self.value(function, call, max(held, 1))
        elif last == "next":
            self.value(function, call, max(held - 1, 0))
        elif last in {"getattr", "setattr", "delattr"}:
            name = call.positional(1)
            self.touches[Touch(str(name.value) if isinstance(name, f.Const) else "*", function, call)] = None
        elif last not in _LOOKING:
            self._to_unknown_or_known(function, call, row, held)

    def _to_unknown_or_known(self, function: Function, call: f.Call, row: f.Row, held: int) -> None:
        site = CallSite(function, call)
        given = function.parent(row) if isinstance(function.parent(row), f.Star) else row
        for api, _ in self.project.rows(site):
            self.touches[Touch(f"{api.name}()", function, call)] = None
            if api.passes is not None and (self.project.argument(call, api.passes) is given or any(a.star and a.value is given for a in call.args)):
                self.value(function, call, held + 1 if "wait" in api.does else held)
            elif "gather" in api.does:
                self.value(function, call, max(held, 1))
            elif api.executor is None or self.project.argument(call, api.executor) is not given or "executor" in api.does:
                self._escape(f"given to `{api.name}`")
            return
        callees = self.project.callees(site)
        if not callees or len(callees) > 4:
            self._escape(f"passed to `{f.dotted(call.func) or 'a call'}`")
            return
        for callee in callees:
            self._received(callee, call, row, held)

    def _received(self, callee: Function, call: f.Call, row: f.Row, held: int) -> None:
        for param in callee.facts.params:
            if param.kind not in {"*", "**"} and argument_of(call, callee, param) is row:
                for inside, load in mentions.reads_of_parameter(callee, param):
                    self.value(inside, load, held)
                return
        self._escape(f"passed to `{callee.name}`")

    # -- bound to a target

    def _bound(self, function: Function, target: f.Expr, binder: f.Row | f.Clause, held: int) -> None:
        if isinstance(target, f.Name):
            self._named(function, target, binder, held)
        elif isinstance(target, f.Attr):
            self._stored(function, target, held)
        elif isinstance(target, f.Item):
            self._bound(function, target.value, target, held + 1)
        elif isinstance(target, f.Star):
            self._bound(function, target.value, binder, held)
        elif isinstance(target, f.Sequence):
            for item in target.items:
                self._bound(function, item, binder, max(held - 1, 0))
        elif isinstance(target, f.Call):  # `d.setdefault(k, []).append(x)`
            inner = target.func.value if isinstance(target.func, f.Attr) else None
            if inner is not None and f.dotted(inner):
                self._bound(function, inner, target, held + 1)
            else:
                self._escape("put into a container")
        else:
            self._escape("put somewhere")

    def _named(self, function: Function, target: f.Name, binder: f.Row | f.Clause, held: int) -> None:
        self._read(mentions.reads_of_name(self.project, function, target, binder), held)

    def _stored(self, function: Function, target: f.Attr, held: int) -> None:
        values = self.project.values(target.value, function)
        if any(isinstance(v, Class) for v in values):
            self.kept.add("class")
            self._escape("kept by a class")
            return
        classes = [v.cls if isinstance(v, Instance) else v for v in values]
        known = [c for c in classes if isinstance(c, Class)]
        if not known or len(known) != len(classes):
            self._escape(f"stored in `{f.dotted(target) or target.attr}`")
            return
        for cls in known:
            self.owners[cls] = None
            self._read(mentions.reads_of_attribute(self.project, cls, target.attr), held)

    def _read(self, reads: mentions.Reads, held: int) -> None:
        if reads.kept:
            self.kept.add(reads.kept)
        if reads.escapes:
            self._escape(reads.escapes)
        for function, row in reads.places:
            self.value(function, row, held)
