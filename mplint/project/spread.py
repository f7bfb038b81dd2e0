"""Where the objects of process APIs can turn up, by name: what decides which pages are read at all.

From the names that imports bind to an API the walk goes to whatever such an object is stored in, returned from, passed to or
derived by, to a fixpoint.  A name counts inside its page when it is a local variable or a parameter, and in the whole project
when it is an attribute, a global, a function or a class.  That is too much at times and costs a page that is read for nothing;
what an expression really is, `Project.values` decides.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.apis import Table
from mplint.project.names import BUILTINS
from mplint.project.modules import CallSite, Class, Function, Module
from mplint.project.values import Bound, Entered, External, Instance, Many, Partial, Tuple, Value

if TYPE_CHECKING:
    from mplint.project import Project

_IDENTIFIER = re.compile(r"[^\W\d]\w*")

PASSING = {
    "list", "tuple", "set", "sorted", "iter", "reversed", "enumerate", "zip", "next", "filter", "closing", "nullcontext", "enter_context",
    "enter_async_context", "cast", "partial", "delayed", "copy", "deque", "chain", "islice", "tqdm",
}  # fmt: skip
"""Functions whose result holds what they are given."""

ADDING = {"append", "appendleft", "add", "extend", "update", "insert", "setdefault"}

DISTINCT = {
    "run_in_executor", "apply_async", "map_async", "starmap_async", "imap", "imap_unordered", "starmap", "gather", "add_done_callback", "signal",
    "to_thread", "TaskGroup", "create_task", "wait_for", "wrap_future", "add_signal_handler", "setitimer", "alarm",
}  # fmt: skip
"""Calls of these names are looked at whatever they are called on."""

OPENING = DISTINCT - {"create_task", "wait_for", "starmap", "alarm"}
"""Pages that hold one of these are read even where nothing else leads."""

Place = tuple[Module, int]


class Vocabulary:
    """The words of an API table: last names of what it knows, those that give an object or hand some out, and the modules they come from."""

    def __init__(self, table: Table) -> None:
        names = [n for n in (*table.apis, *table.kinds, *table.aliases) if n.partition(".")[0] not in _PLAIN]
        self.words = frozenset(n.rpartition(".")[2] for n in (*table.apis, *table.kinds, *table.aliases)) - {"*"}
        giving = {row.name.rpartition(".")[2] for row in table.apis.values() if row.gives or row.gives_each or "pass" in row.does}
        self.giving = frozenset(giving | {n.rpartition(".")[2] for n in table.kinds})
        self.handing = frozenset(row.name.rpartition(".")[2] for row in table.apis.values() if row.gives_each)
        self.modules = frozenset(m for n in names if (m := n.rpartition(".")[0]) and not m.rpartition(".")[2][:1].isupper())
        self.above = frozenset(".".join(m.split(".")[:k]) for m in self.modules for k in range(1, m.count(".") + 1)) - self.modules
        self.roots = frozenset(m.partition(".")[0] for m in self.modules)


_PLAIN = {"asyncio", "builtins", "os", "sys", "atexit", "threading", "subprocess", "queue", "functools", "contextlib", "typing", "weakref", "time", "random", "posix"}
"""Packages of rows that say nothing about processes by themselves; what an event loop does with an executor has names of its own."""


class Spread:
    """The names, and the pages in which they are used.  `everywhere` are names of the whole project, `local` those of one page."""

    def __init__(self, project: Project, vocabulary: Vocabulary) -> None:
        self.project, self.vocabulary = project, vocabulary
        self.everywhere: set[str] = set()
        self.local: dict[Place, set[str]] = {}
        self._imported: dict[Module, set[str]] = {}
        self._identifiers: dict[Module, list[frozenset[str]]] = {}
        self._queue: dict[Place, None] = {}
        self._live: dict[Place, None] = {}
        self._defined: set[str] = set()
        for module in project.seeds():
            self._enter(module)
        self._settle()

    # -- what others ask

    def pages(self, module: Module) -> Iterator[int]:
        """The pages of a module in which an object of an API may be used, in order."""
        return iter(sorted(page for other, page in self._live if other is module))

    def modules(self) -> tuple[Module, ...]:
        return tuple(dict.fromkeys(module for module, _ in self._live))

    def matters(self, site: CallSite) -> bool:
        """Whether a call may be one that the API table knows."""
        words = self._words((site.function.module, site.call.at >> f.PAGE_BITS))
        func = site.call.func
        if isinstance(func, f.Attr):
            return func.attr in DISTINCT or func.attr in self.everywhere or (self._carries(func.value, words) and func.attr in self.vocabulary.words)
        return self._carries(func, words)

    # -- the walk

    def _enter(self, module: Module) -> None:
        """Take a module in: its imported names, and the pages that use one of them."""
        if module in self._imported:
            return
        bound: set[str] = set()
        for i in module.outline.imports:
            if i.local and i.name in self.everywhere:
                bound.add(i.local)
            elif not i.level:
                bound |= self._leads(i.local, i.module, i.name)
        self._imported[module] = bound
        self._identifiers[module] = [frozenset(_IDENTIFIER.findall(module.page_text(n))) for n in range(len(module.outline.pages))]
        start = self._imported[module] | self.everywhere | OPENING
        for number, names in enumerate(self._identifiers[module]):
            if not names.isdisjoint(start) or ("import" in names and not names.isdisjoint(self.vocabulary.roots)):
                self._queue[module, number] = None

    def _leads(self, local: str, module: str, name: str) -> set[str]:
        """The words by which an import leads to an API: its local name, or the submodules to look for below a package."""
        full = f"{module}.{name}" if name else module
        vocabulary = self.vocabulary
        if full in vocabulary.modules or (module in vocabulary.modules and (name in vocabulary.giving or name in DISTINCT or name == "*")):
            return {local}
        if full in vocabulary.above:
            return {m[len(full) + 1 :].partition(".")[0] for m in vocabulary.modules if m.startswith(full + ".")}
        return set()

    def _settle(self) -> None:
        while self._queue:
            place = next(iter(self._queue))
            del self._queue[place]
            self._live[place] = None
            self._read(*place)
            if not self._queue:
                self._others()

    def _others(self) -> None:
        """Modules without any token that import, or derive from, one of the names."""
        for path in self.project.triage.importers(self._defined):
            module = self.project.module(path)
            if module is not None:
                self._enter(module)

    def _words(self, place: Place) -> frozenset[str]:
        return frozenset(self.local.get(place, ())) | self._imported.get(place[0], set())

    def _read(self, module: Module, page: int) -> None:
        where = module.outline.pages[page]
        class_level = where.kind == "step" and where.indent
        for _ in range(3):
            before = len(self.local.get((module, page), ()))
            words = self._words((module, page))
            for row in f.walk(*module.steps(page)):
                if isinstance(row, f.ClassFacts):
                    self._derived(module, row, words)
            if where.kind != "function":
                for row in f.walk(*module.steps(page)):
                    self._spread(module, page, row, module.body, words, class_level)
            for function in self.project.functions_on(module, page):
                if not function.is_module:
                    self._signature(module, page, function, words)
                    for row in f.walk(*function.facts.body):
                        self._spread(module, page, row, function, words, False)
            if len(self.local.get((module, page), ())) == before:
                break

    def _derived(self, module: Module, row: f.ClassFacts, words: frozenset[str]) -> None:
        if any(self._carries(base.value, words) and self._is_api(base.value, module.body) for base in row.bases if not base.keyword):
            self._everywhere(row.name, defined=True)

    def _signature(self, module: Module, page: int, function: Function, words: frozenset[str]) -> None:
        for param in function.facts.params:
            if param.annotation is not None and self._noted(param.annotation, words):
                self._note(module, page, param.name)
        if function.facts.returns is not None and self._noted(function.facts.returns, words):
            self._everywhere(function.name, defined=True)

    def _noted(self, annotation: f.Expr, words: frozenset[str]) -> bool:
        return any(self._carries(row, words) for row in f.walk(annotation) if isinstance(row, (f.Name, f.Attr)))

    def _is_api(self, expr: f.Expr, function: Function) -> bool:
        """Whether an expression that may carry an object really does."""
        return any(self._of_api(value) for value in self.project.values(expr, function))

    def _of_api(self, value: Value) -> bool:
        if isinstance(value, (Many, Entered)):
            return any(self._of_api(v) for v in value.items)
        if isinstance(value, Tuple):
            return any(self._of_api(v) for item in value.items for v in item)
        if isinstance(value, Instance):
            return self.project.role(value) not in {"", "exception"}
        if isinstance(value, Bound):
            return isinstance(value.function, External) and self._of_api(value.receiver)
        if isinstance(value, Partial):
            return self._of_api(value.func)
        if isinstance(value, Class):
            return self.project.role(value) not in {"", "exception"}
        if isinstance(value, External):
            table = self.project.table
            row, kind = table.api(value.name), table.kind(value.name)
            return (kind is not None and kind.role != "exception") or (row is not None and bool(row.gives or row.gives_each)) or value.name in self.vocabulary.modules
        return False

    def _spread(self, module: Module, page: int, row: f.Row, function: Function, words: frozenset[str], class_level: bool) -> None:
        top = function.is_module and not class_level
        if isinstance(row, f.Assign):
            carried = row.value is not None and self._carries(row.value, words) and self._is_api(row.value, function)
            if carried or (row.annotation is not None and self._noted(row.annotation, words)):
                for target in row.targets:
                    self._bind(module, page, target, top, class_level)
        elif isinstance(row, f.For):
            if self._hands(row.source, words) and self._is_api(row.source, function):
                self._bind(module, page, row.target, top, class_level)
        elif isinstance(row, f.Comprehension):
            for clause in row.clauses:
                if self._hands(clause.source, words) and self._is_api(clause.source, function):
                    self._bind(module, page, clause.target, False, False)
        elif isinstance(row, f.With):
            for item in row.items:
                if item.target is not None and self._carries(item.value, words) and self._is_api(item.value, function):
                    self._bind(module, page, item.target, top, class_level)
        elif isinstance(row, f.Bind):
            if self._carries(row.value, words) and self._is_api(row.value, function):
                self._bind(module, page, row.name, top, class_level)
        elif isinstance(row, (f.Return, f.Yield)):
            if row.value is not None and self._carries(row.value, words) and self._is_api(row.value, function):
                self._everywhere(function.name, defined=True)
        elif isinstance(row, f.Import):
            for name, alias in row.names:
                local = alias or name.partition(".")[0]
                found = self._leads(local, row.module or (name if alias else local), name if row.module else "") if not row.level else set()
                for word in found | ({local} if name in self.everywhere else set()):
                    self._note(module, page, word)
        elif isinstance(row, f.Declare):
            for name in row.names:
                if row.kind == "global" and name in words:
                    self._everywhere(name, defined=True)
        elif isinstance(row, f.Call):
            self._passed(module, page, row, function, words)

    def _passed(self, module: Module, page: int, call: f.Call, function: Function, words: frozenset[str]) -> None:
        carried = [a for a in call.args if self._carries(a.value, words)]
        if not carried:
            return
        func = call.func
        last = _last(func)
        if isinstance(func, f.Attr) and last in ADDING:
            if any(self._is_api(a.value, function) for a in carried):
                self._bind(module, page, func.value.value if isinstance(func.value, f.Item) else func.value, False, False)
        elif last not in PASSING and last not in self.vocabulary.words:
            carried = [a for a in carried if self._is_api(a.value, function)]
            for value in self.project.values(func, function) if carried else ():
                for callee in _bodies(self.project, value):
                    self._receive(callee, call, carried)

    def _receive(self, callee: Function, call: f.Call, carried: list[f.Argument]) -> None:
        """A function of the project is given an object: its parameter is one of the names."""
        from mplint.project.parameters import argument_of

        page = callee.facts.at >> f.PAGE_BITS
        self._enter(callee.module)
        for param in callee.facts.params:
            given = argument_of(call, callee, param)
            if given is not None and any(a.value is given for a in carried):
                self._note(callee.module, page, param.name)
            elif param.kind == "**" and any(a.keyword and not any(p.name == a.keyword for p in callee.facts.params) for a in carried):
                self._note(callee.module, page, param.name)

    def _bind(self, module: Module, page: int, target: f.Expr, top: bool, class_level: bool) -> None:
        if isinstance(target, f.Name):
            if top:
                self._everywhere(target.id, defined=True)
            elif class_level:
                self._everywhere(target.id)
            self._note(module, page, target.id)
        elif isinstance(target, f.Attr):
            self._everywhere(target.attr)
        elif isinstance(target, f.Star) or (isinstance(target, f.Item) and not isinstance(target.index, f.Const)):
            self._bind(module, page, target.value, top, class_level)
        elif isinstance(target, f.Sequence):
            for item in target.items:
                self._bind(module, page, item, top, class_level)

    def _note(self, module: Module, page: int, name: str) -> None:
        names = self.local.setdefault((module, page), set())
        if name not in names:
            names.add(name)
            self._queue[module, page] = None

    def _everywhere(self, name: str, *, defined: bool = False) -> None:
        if defined:
            self._defined.add(name)
        if name in self.everywhere or name.startswith("__"):
            return
        self.everywhere.add(name)
        for module, pages in self._identifiers.items():
            for number, names in enumerate(pages):
                if name in names:
                    self._queue[module, number] = None

    def _carries(self, expr: f.Expr, words: frozenset[str]) -> bool:
        """Whether an expression may be, or hold, an object (or a class, or a module) of an API."""
        if isinstance(expr, f.Name):
            return expr.id in words or (expr.id in self.everywhere and expr.id not in BUILTINS)
        if isinstance(expr, f.Attr):
            return expr.attr in self.everywhere or expr.attr in words or (expr.attr in self.vocabulary.words and self._carries(expr.value, words))
        if isinstance(expr, f.Call):
            last = _last(expr.func)
            if last in PASSING:
                return any(self._carries(a.value, words) for a in expr.args)
            return self._makes(expr.func, words)
        if isinstance(expr, (f.Item, f.Star, f.Await, f.Bind)):
            return self._carries(expr.value, words)
        if isinstance(expr, f.Choice):
            return self._carries(expr.body, words) or self._carries(expr.orelse, words)
        if isinstance(expr, f.Op):
            return expr.op in {"and", "or", "+", "|"} and any(self._carries(o, words) for o in expr.operands)
        if isinstance(expr, f.Sequence):
            return any(self._carries(i, words) for i in expr.items)
        if isinstance(expr, f.Mapping):
            return any(self._carries(v, words) for k, v in zip(expr.keys, expr.values) if not isinstance(k, f.Const))
        if isinstance(expr, f.Comprehension):
            return self._carries(expr.element, words)
        return False

    def _makes(self, func: f.Expr, words: frozenset[str]) -> bool:
        """Whether calling `func` gives an object: a class or factory of an API or of the project, a method that gives one."""
        if isinstance(func, f.Name):
            return func.id in self._defined or func.id in words
        if isinstance(func, f.Attr):
            return func.attr in self._defined or (func.attr in self.vocabulary.giving and self._carries(func.value, words))
        return self._carries(func, words)

    def _hands(self, source: f.Expr, words: frozenset[str]) -> bool:
        """Whether iterating over `source` gives objects: a container of them, not the results of tasks."""
        if isinstance(source, f.Call):
            last = _last(source.func)
            if last in PASSING or last in {"values", "items", "keys", "range", "len"}:
                return any(self._hands(a.value, words) for a in source.args) or (
                    last in {"values", "items", "keys"} and isinstance(source.func, f.Attr) and self._carries(source.func.value, words)
                )
            return last in self.vocabulary.handing or last in self._defined
        return self._carries(source, words)


def _last(func: f.Expr) -> str:
    return func.attr if isinstance(func, f.Attr) else func.id if isinstance(func, f.Name) else ""


def _bodies(project: Project, value: Value) -> Iterator[Function]:
    """The functions whose parameters a call of `value` binds."""
    if isinstance(value, Function):
        yield value
    elif isinstance(value, Bound) and isinstance(value.function, Function):
        yield value.function
    elif isinstance(value, Partial):
        yield from _bodies(project, value.func)
    elif isinstance(value, Class):
        init = project.find_method(value, "__init__")
        if isinstance(init, Function):
            yield init
