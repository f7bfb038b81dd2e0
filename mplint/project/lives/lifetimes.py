"""Where an object goes after a call made it: through names, attributes, containers, parameters and returns, and what is done to it there.

The walk is forward and by syntax, so that it also sees what value tracking loses; whatever it cannot follow is an escape, and
who escaped is nobody's to judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.project.lives import handing, mentions, nesting, records
from mplint.project.callables import callable_values, is_open
from mplint.project.containers import ADDING
from mplint.project.modules import CallSite, Class, Function
from mplint.project.lives.nesting import Among, Path, inside, key_of, moved, opened
from mplint.project.parameters import callers_by_declaration
from mplint.project.processes.sides import sides
from mplint.project.values import Bound, External, Instance, Many, Value

if TYPE_CHECKING:
    from mplint.project import Project

STEPS = 600
"""Places looked at for one object before it counts as escaped."""

_LOOKING = {
    "print", "len", "str", "repr", "isinstance", "id", "type", "hasattr", "bool", "callable", "any", "all", "sum", "format", "range",
    "debug", "info", "warning", "warn", "error", "exception", "log", "critical",
}  # fmt: skip
"""Functions that look at an argument and do not keep it."""

_HOLDING = {
    "list", "tuple", "set", "frozenset", "sorted", "iter", "reversed", "enumerate", "zip", "dict", "filter", "deque", "chain", "islice", "tqdm", "copy",
    "cycle", "from_iterable",
}  # fmt: skip
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
    "attribute", "class", "global"; `owners` the classes in whose attributes; `handed` where the work runs that it is handed to ("process",
    "thread", "any"), for a life that is followed there.
    """

    touches: tuple[Touch, ...]
    escapes: str
    returned: bool
    kept: frozenset[str]
    owners: tuple[Class, ...]
    handed: frozenset[str] = frozenset()

    def names(self) -> frozenset[str]:
        return frozenset(t.name for t in self.touches)

    def touched(self, *names: str) -> Iterator[Touch]:
        return (t for t in self.touches if t.name in names)


def life_of(project: Project, site: CallSite, *, handed: bool = False, path: Path = (), patient: bool = False, inward: bool = False) -> Life:
    """The life of what the call at `site` gives, or of what lies at `path` in that; with `handed` also in the processes and threads that it is handed to.

    A `patient` walk goes on where the object left the sight in one place: for those who look for what is done, not for what is not.  For an `inward`
    one it is no escape but a touch, "passed()", when code that only workers run passes the object to what is not known.
    """
    walk = _Walk(project, handed, patient, inward)
    walk.value(site.function, site.call, path)
    walk.run()
    return Life(tuple(walk.touches), walk.escapes, walk.returned, frozenset(walk.kept), tuple(walk.owners), frozenset(walk.places))


class _Walk:
    """The occurrences still to be looked at: (function, expression, where the object lies in what that gives)."""

    def __init__(self, project: Project, handed: bool, patient: bool, inward: bool) -> None:
        self.project, self.handed, self.patient, self.inward = project, handed, patient, inward
        self.touches: dict[Touch, None] = {}
        self.escapes = ""
        self.returned = False
        self.kept: set[str] = set()
        self.owners: dict[Class, None] = {}
        self.places: set[str] = set()
        self._queue: list[tuple[Function, f.Row, Path]] = []
        self._seen: set[tuple[int, int, Path]] = set()

    def run(self) -> None:
        for _ in range(STEPS):
            if not self._queue or (self.escapes not in ("", "returned") and not self.patient):
                return
            self._step(*self._queue.pop())
        self._escape("too many places")

    def value(self, function: Function, row: f.Row, path: Path | None) -> None:
        """`row` may give the object, or something that holds it at `path`; None when it is something else."""
        if path is not None and (key := (id(function), id(row), path)) not in self._seen:
            self._seen.add(key)
            self._queue.append((function, row, path))

    def _escape(self, how: str) -> None:
        self.escapes = self.escapes or how

    # -- one expression: what the row around it does with it

    def _step(self, function: Function, row: f.Row, path: Path) -> None:
        around = function.parent(row)
        if isinstance(around, f.Attr):
            self._attribute(function, around, path)
        elif isinstance(around, f.Call):
            self._passed(function, around, row, path)
        elif isinstance(around, f.Assign):
            if around.value is row:
                for target in around.targets:
                    self._bound(function, target, around, path)
        elif isinstance(around, f.Bind):
            self._bound(function, around.name, around, path)
            self.value(function, around, path)
        elif isinstance(around, f.With):
            self._entered(function, around, row, path)
        elif isinstance(around, (f.Return, f.Yield)):
            self._given(function, around, path)
        elif isinstance(around, f.Sequence):
            self._displayed(function, around, row, path)
        elif isinstance(around, f.Mapping):
            self._mapped(function, around, row, path)
        elif isinstance(around, f.Comprehension):
            self._comprehended(function, around, row, path)
        elif isinstance(around, f.For):
            if around.source is row:
                self._bound(function, around.target, around, self._iterated(function, row, path))
        elif isinstance(around, f.Item):
            if around.value is row and not path:
                self.touches[Touch("[]", function, around)] = None
            if around.value is row and path:
                sliced = isinstance(around.index, f.Sequence) and around.index.kind == "slice"
                self.value(function, around, moved(path) if sliced else opened(path, key_of(around.index)))
            elif around.index is row and mentions.is_target(function, around):  # a key
                self._bound(function, around.value, around, inside(Among.KEYS, path))
        elif isinstance(around, f.Op):
            if around.op in {"and", "or", "+", "|", "*"}:
                self.value(function, around, moved(path) if around.op == "*" or (around.op == "+" and around.operands[0] is not row) else path)
        elif isinstance(around, f.Choice):
            if around.test is not row:
                self.value(function, around, path)
        elif isinstance(around, (f.Await, f.Star)):
            if not path and isinstance(around, f.Await):
                self.touches[Touch("await", function, around)] = None
            self.value(function, around, self._iterated(function, row, path) if isinstance(around, f.Star) else path)
        elif isinstance(around, f.Change):
            self._bound(function, around.target, around, path)
        elif isinstance(around, (f.Raise, f.FunctionFacts, f.ClassFacts)):
            self._escape("raised or defined")
        elif around is None and not isinstance(row, f.Call) and function.parent(row) is None:
            self._escape("a default or decorator")

    def _iterated(self, function: Function, row: f.Row, path: Path) -> Path | None:
        if not path:
            self.touches[Touch("iter", function, row)] = None
        values = self.project.values(row, function) if path and isinstance(row, (f.Name, f.Attr)) else ()
        return nesting.iterated(path, of_dict=bool(values) and all(isinstance(v, Many) and v.kind == "dict" for v in values))

    def _attribute(self, function: Function, attr: f.Attr, path: Path) -> None:
        if not path:
            self.touches[Touch(attr.attr, function, attr)] = None
            return
        call = function.parent(attr)
        if not (isinstance(call, f.Call) and call.func is attr):  # a field of a named tuple
            self.value(function, attr, opened(path))
        elif attr.attr in _GIVING:
            self.value(function, call, nesting.taken(attr.attr, path, call))

    def _displayed(self, function: Function, display: f.Sequence, row: f.Row, path: Path) -> None:
        place = next((i for i, item in enumerate(display.items) if item is row), 0)
        ordered = display.kind != "set" and not any(isinstance(item, f.Star) for item in display.items[: place + 1])
        self.value(function, display, inside(place if ordered else None, path))

    def _mapped(self, function: Function, mapping: f.Mapping, row: f.Row, path: Path) -> None:
        for key, value in zip(mapping.keys, mapping.values):
            if value is row:
                self.value(function, mapping, path if key is None else inside(key_of(key), path))
            elif key is row:
                self.value(function, mapping, inside(Among.KEYS, path))

    def _comprehended(self, function: Function, comprehension: f.Comprehension, row: f.Row, path: Path) -> None:
        for clause in comprehension.clauses:
            if clause.source is row:
                self._bound(function, clause.target, clause, self._iterated(function, row, path))
        if comprehension.element is row:
            self.value(function, comprehension, nesting.paired(path) if comprehension.kind == "dict" else inside(None, path))

    def _entered(self, function: Function, around: f.With, row: f.Row, path: Path) -> None:
        for item in around.items:
            if item.value is row and not path:
                self.touches[Touch("with", function, around)] = None
                if item.target is not None:
                    self._bound(function, item.target, around, ())

    def _given(self, function: Function, around: f.Return | f.Yield, path: Path) -> None:
        """Returned or yielded: every caller has it."""
        self.returned = True
        if isinstance(around, f.Yield) or function.name == "<lambda>" or function.is_property:
            self._escape("yielded")
            return
        callers = callers_by_declaration(self.project, function) or ()
        back = list(records.taken_back(self.project, function, around.value)) if self.handed else []
        for method, load in back:
            self.value(method, load, path)
        if not callers and not back:
            self._escape("returned")
        for site in callers:
            self.value(site.function, site.call, path)

    # -- passed to a call

    def _passed(self, function: Function, call: f.Call, row: f.Row, path: Path) -> None:
        if call.func is row:
            return
        func = call.func
        last = f.last_name(func)
        if isinstance(func, f.Attr) and last in ADDING:
            where = nesting.added(last, ADDING[last][1], path, call)
            if isinstance(func.value, f.Item):
                self._bound(function, func.value.value, call, inside(key_of(func.value.index), where))
            else:
                self._bound(function, func.value, call, where)
            return
        if last in _ENTERING and not path:
            self.touches[Touch("with", function, call)] = None
        if not path and (last in _HOLDING or last in _LOOKING or last == "next"):
            self.touches[Touch(f"{last}()", function, call)] = None
        if last in _ENTERING or last in _SAME:
            self.value(function, call, path)
        elif last in _HOLDING:
            for place, argument in enumerate(call.args):
                if argument.value is row:
                    self.value(function, call, nesting.converted(last, path, argument, place))
        elif last == "next":
            self.value(function, call, nesting.iterated(path))
        elif last in {"getattr", "setattr", "delattr"}:
            name = call.positional(1)
            self.touches[Touch(str(name.value) if isinstance(name, f.Const) else "*", function, call)] = None
        elif last not in _LOOKING:
            self._to_unknown_or_known(function, call, row, path)

    def _is_handed_over(self, function: Function, call: f.Call, row: f.Row, path: Path) -> bool:
        """Goes on in the worker or thread that the call gives the object to, if it does."""
        if not self.handed:
            return False
        places = handing.received(self.project, function, call, row, path)
        if places:
            self.places.update(s.where for s in handing.handed_by(self.project, function)[call.at])
        for callee, param, left in places or ():
            for reader, load in mentions.reads_of_parameter(callee, param):
                self.value(reader, load, left)
        if places is None:
            for cls in self.project.values(call.func, function):
                if not isinstance(cls, Class):
                    continue
                init = self.project.find_method(cls, "__init__")
                if isinstance(init, Function):
                    self._received(init, call, row, path)
                    places = ()
                elif self.project.role(cls) in {"process", "thread"} and (call.keyword("args") is row or call.keyword("kwargs") is row):
                    self._read(mentions.reads_of_attribute(self.project, cls, "_args" if call.keyword("args") is row else "_kwargs"), path)
                    places = ()
        return places is not None

    def _to_unknown_or_known(self, function: Function, call: f.Call, row: f.Row, path: Path) -> None:
        site = CallSite(function, call)
        if self._is_handed_over(function, call, row, path):
            return
        given = function.parent(row) if isinstance(function.parent(row), f.Star) else row
        for api, _ in self.project.rows(site):
            self.touches[Touch(f"{api.name}()", function, call)] = None
            if api.passes is not None and (self.project.argument(call, api.passes) is given or any(a.star and a.value is given for a in call.args)):
                self.value(function, call, inside(None, path) if "wait" in api.does else path)
            elif "gather" in api.does:
                self.value(function, call, path or (None,))
            elif api.executor is None or self.project.argument(call, api.executor) is not given or "executor" in api.does:
                self._escape(f"given to `{api.name}`")
            return
        callees = self.project.callees(site) or handing.below(self.project, function, call)
        if not callees and self.handed:
            found = callable_values(self.project, call.func, function)
            callees = tuple(dict.fromkeys(g for v in found for g in self.project.run_by(v))) if not any(map(is_open, found)) else ()
        called = self.project.values(call.func, function)
        if not callees or len(callees) > 4 or any(isinstance(v.function if isinstance(v, Bound) else v, External) for v in called):
            if self.inward and function in self.project.workers() and sides(self.project, function) == {"worker"}:
                self.touches[Touch("passed()", function, call)] = None
                return
            for value in called:
                for name in _library_names(self.project, value):
                    self.touches[Touch(f"{name}()", function, call)] = None
            self._escape(f"passed to `{f.dotted(call.func) or 'a call'}`")
            return
        for callee in callees:
            self._received(callee, call, row, path)

    def _received(self, callee: Function, call: f.Call, row: f.Row, path: Path) -> None:
        for param, left in handing.parameters(callee, call, row, path):
            for reader, load in mentions.reads_of_parameter(callee, param):
                self.value(reader, load, left)
            return
        self._escape(f"passed to `{callee.name}`")

    # -- bound to a target

    def _bound(self, function: Function, target: f.Expr, binder: f.Row | f.Clause, path: Path | None) -> None:
        if path is None:
            return
        if isinstance(target, f.Name):
            self._named(function, target, binder, path)
        elif isinstance(target, f.Attr):
            self._stored(function, target, path)
        elif isinstance(target, f.Item):
            self._bound(function, target.value, target, inside(key_of(target.index), path))
        elif isinstance(target, f.Star):
            self._bound(function, target.value, binder, inside(None, path))
        elif isinstance(target, f.Sequence):
            alone = any(isinstance(item, f.Star) for item in target.items)
            for place, item in enumerate(target.items):
                self._bound(function, item, binder, opened(path, None if alone else place))
        elif isinstance(target, f.Call):  # `d.setdefault(k, []).append(x)`
            inner = target.func.value if isinstance(target.func, f.Attr) else None
            if inner is not None and f.dotted(inner):
                self._bound(function, inner, target, inside(key_of(target.positional(0)), path))
            else:
                self._escape("put into a container")
        else:
            self._escape("put somewhere")

    def _named(self, function: Function, target: f.Name, binder: f.Row | f.Clause, path: Path) -> None:
        self._read(mentions.reads_of_name(self.project, function, target, binder), path)

    def _stored(self, function: Function, target: f.Attr, path: Path) -> None:
        values = self.project.values(target.value, function)
        if any(isinstance(v, Class) for v in values):
            self.kept.add("class")
            self._escape("kept by a class")
            return
        classes = [v.cls if isinstance(v, Instance) else v for v in values]
        known = [c for c in classes if isinstance(c, Class)]
        if not known or len(known) != len(classes):
            for row in mentions.reads_of_extra(self.project, function, target):
                self.value(*row, path)
            self._escape(f"stored in `{f.dotted(target) or target.attr}`")
            return
        for cls in known:
            self.owners[cls] = None
            self._read(mentions.reads_of_attribute(self.project, cls, target.attr), path)

    def _read(self, reads: mentions.Reads, path: Path) -> None:
        if reads.kept:
            self.kept.add(reads.kept)
        if reads.escapes:
            self._escape(reads.escapes)
        for function, row in reads.places:
            self.value(function, row, path)


def _library_names(project: Project, value: Value) -> Iterator[str]:
    """What of a library is called by calling `value`: a function or class, the method of one, or what a class of the project derives from."""
    if isinstance(value, External):
        yield project.table.canonical(value.name)
    elif isinstance(value, Bound):
        yield from _library_names(project, value.function)
    elif isinstance(value, Class):
        yield from sorted(project.ancestry(value))
