"""Where an object goes after a call made it: through names, attributes, containers, parameters and returns, and what is done to it there.

The walk is forward and by syntax, so that it also sees what value tracking loses; whatever it cannot follow is an escape, and
who escaped is nobody's to judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.project.containers import ADDING
from mplint.project.modules import CallSite, Class, Function
from mplint.project.parameters import argument_of
from mplint.project.values import Instance, ModuleValue, Unknown

if TYPE_CHECKING:
    from mplint.project import Project

STEPS = 600
"""Places looked at for one object before it counts as escaped."""

FILES = 40
"""In how many files an attribute or global is looked for; a name in more files than that says too little."""

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


_CONTAINERS = {"list", "dict", "set", "deque", "defaultdict", "OrderedDict", "WeakSet", "WeakKeyDictionary", "WeakValueDictionary"}

_BINDING = (f.Assign, f.For, f.With, f.Bind, f.Clause)
"""Rows that bind a name anew; anything else that binds adds to what the name has."""


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

    `escapes` says how it left the sight, "" when it did not; `returned` that a function gives it to its callers; `kept` where it is stored:
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
            if not self._queue:
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
            elif around.index is row and is_target(function, around):  # a key
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
                for load in loads(callee, param.name):
                    found = callee.graph.definitions(load)
                    if found is not None and any(d is param for d in found):
                        self.value(callee, load, held)
                for inner in callee.all_nested():
                    self._free(inner, param.name, held)
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
        """A local name: the loads that this binding reaches.  Where the name was already bound (a container), all loads."""
        name = target.id
        if function.is_module or name in _declared(function, "global"):
            self._global(function, name, held)
            return
        scope = function
        if name in _declared(function, "nonlocal") or not function.graph.all_definitions(name):
            outer = function.outer
            while outer is not None and not outer.is_module and not outer.graph.all_definitions(name):
                outer = outer.outer
            if outer is None or outer.is_module:
                if self._clause_of(function, target):
                    self._loads(function, name, binder, held)
                else:
                    self._global(function, name, held)
                return
            scope = outer
        if not isinstance(binder, _BINDING) and not all(_makes_container(d.row) for d in scope.graph.all_definitions(name)):
            self._escape(f"put into `{name}`")
            return
        self._loads(scope, name, binder if scope is function else None, held)
        for inner in scope.all_nested():
            self._free(inner, name, held)

    def _clause_of(self, function: Function, target: f.Name) -> bool:
        return any(isinstance(row, f.Comprehension) for row in function.ancestors(target))

    def _loads(self, function: Function, name: str, binder: f.Row | f.Clause | None, held: int) -> None:
        fresh = isinstance(binder, _BINDING)
        for load in loads(function, name):
            found = function.graph.definitions(load)
            if found is None or not fresh or any(d is binder for d in found):
                self.value(function, load, held)

    def _free(self, function: Function, name: str, held: int) -> None:
        """Loads of an outer name in a nested function."""
        if not function.graph.all_definitions(name):
            for load in loads(function, name):
                if function.graph.definitions(load) is None:
                    self.value(function, load, held)

    def _global(self, function: Function, name: str, held: int) -> None:
        self.kept.add("global")
        module = function.module
        for inner in _functions_mentioning(self.project, module.path, name):
            for load in loads(inner, name):
                if inner.graph.definitions(load) in (None, ()) or inner.is_module or name in _declared(inner, "global"):
                    self.value(inner, load, held)
        paths = [p for p in self.project.sources.files if p != module.path and name.encode() in self.project.sources.data(p)]
        if len(paths) > FILES:
            self._escape("a global with a common name")
            return
        for path in paths:
            for inner in _functions_mentioning(self.project, path, name):
                self._imported(inner, module, name, held)

    def _imported(self, function: Function, module: object, name: str, held: int) -> None:
        for row in f.walk(*function.facts.body):
            if isinstance(row, f.Attr) and row.attr == name:
                if any(isinstance(v, ModuleValue) and v.module is module for v in self.project.values(row.value, function)):
                    self.value(function, row, held)
            elif isinstance(row, f.Name) and row.id == name and function.graph.definitions(row) in (None, ()):
                if any(i.local == name and i.name == name for i in function.module.outline.imports):
                    self.value(function, row, held)

    # -- attributes

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
            self._held_by(cls, target.attr, held)

    def _held_by(self, cls: Class, attr: str, held: int) -> None:
        family = self._family(cls)
        if any(isinstance(base, Unknown) for member in family for base in self.project.mro(member)):
            self._escape("stored in an object whose class is not known entirely")
            return
        self.owners[cls] = None
        self.kept.add("attribute")
        dotted = b"." + attr.encode()
        near = {member.path for member in family}
        paths = [p for p in self.project.sources.files if p not in near and dotted in self.project.sources.data(p)] if not attr.startswith("_") else []
        if len(paths) > FILES:
            words = [member.name.encode() for member in family] + [member.module.name.rpartition(".")[2].encode() for member in family]
            paths = [p for p in paths if any(w in self.project.sources.data(p) for w in words)][:FILES]
        for path in (*sorted(near), *paths):
            for function in _functions_mentioning(self.project, path, attr):
                self._reads(function, attr, family, held)

    def _reads(self, function: Function, attr: str, family: frozenset[Class], held: int) -> None:
        for row in f.walk(*function.facts.body):
            if isinstance(row, f.Attr) and row.attr == attr and not is_target(function, row):
                own = isinstance(row.value, f.Name) and _receiver(function) == row.value.id
                if own:
                    owner = _owner(function)
                    if owner is not None and owner in family:
                        self.value(function, row, held)
                    continue
                for value in self.project.values(row.value, function) or (Unknown("nothing"),):
                    if isinstance(value, Unknown) or (isinstance(value, Instance) and value.cls in family) or value in family:
                        self.value(function, row, held)
                        break
            elif isinstance(row, f.Call) and isinstance(row.func, f.Name) and row.func.id == "getattr":
                name = row.positional(1)
                if isinstance(name, f.Const) and name.value == attr:
                    self.value(function, row, held)

    def _family(self, cls: Class) -> frozenset[Class]:
        """The class with the classes of the project it derives from and those that derive from it."""
        return frozenset({cls, *(b for b in self.project.mro(cls) if isinstance(b, Class)), *self.project.subclasses(cls)})


def _makes_container(row: object) -> bool:
    """Whether a binding of a name makes a container that nobody else has."""
    if isinstance(row, (f.Change, f.Delete)):
        return True
    value = row.value if isinstance(row, f.Assign) else None
    if isinstance(value, f.Call):
        return f.dotted(value.func).rpartition(".")[2] in _CONTAINERS
    return isinstance(value, (f.Sequence, f.Mapping, f.Comprehension, f.Op)) or (isinstance(row, f.Assign) and (value is None or isinstance(value, f.Const)))


def loads(function: Function, name: str) -> tuple[f.Name, ...]:
    """The places in the body of `function` where the value of `name` is used."""
    return tuple(row for row in f.walk(*function.facts.body) if isinstance(row, f.Name) and row.id == name and not is_target(function, row))


def is_target(function: Function, row: f.Expr) -> bool:
    """Whether a name or attribute stands where a value is stored, not where it is used."""
    around = function.parent(row)
    while isinstance(around, (f.Sequence, f.Star)):
        row, around = around, function.parent(around)
    if isinstance(around, (f.Assign, f.Delete)):
        return any(t is row for t in around.targets)
    if isinstance(around, (f.For, f.Change)):
        return around.target is row
    if isinstance(around, f.With):
        return any(i.target is row for i in around.items)
    if isinstance(around, f.Comprehension):
        return any(c.target is row for c in around.clauses)
    return isinstance(around, f.Bind) and around.name is row


def _declared(function: Function, kind: str) -> frozenset[str]:
    return frozenset(n for row in f.walk(*function.facts.body) if isinstance(row, f.Declare) and row.kind == kind for n in row.names)


def _receiver(function: Function) -> str:
    """The name of `self` where `function` stands, nested functions included."""
    scope: Function | None = function
    while scope is not None and not scope.receiver:
        scope = scope.outer
    return scope.receiver if scope is not None else ""


def _owner(function: Function) -> Class | None:
    scope: Function | None = function
    while scope is not None and scope.owner is None:
        scope = scope.outer
    return scope.owner if scope is not None else None


def _functions_mentioning(project: Project, path: str, word: str) -> Iterator[Function]:
    module = project.module(path)
    if module is not None:
        yield from module.functions(lambda text: word in text)
