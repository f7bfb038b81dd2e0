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
from mplint.project.modules import CallSite, Class, Function, Module
from mplint.project.values import Bound, Partial, Value

if TYPE_CHECKING:
    from mplint.project import Project

_IDENTIFIER = re.compile(r"[^\W\d]\w*")

PASSING = {
    "list", "tuple", "set", "sorted", "iter", "reversed", "enumerate", "zip", "next", "dict", "filter", "closing", "nullcontext", "enter_context",
    "enter_async_context", "cast", "partial", "delayed", "copy", "deque", "chain", "islice", "tqdm", "gather", "wait_for", "shield", "ensure_future", "create_task",
}  # fmt: skip
"""Functions whose result holds what they are given."""

ADDING = {"append", "appendleft", "add", "extend", "update", "insert", "setdefault"}

DISTINCT = {"run_in_executor", "apply_async", "map_async", "starmap_async", "imap", "imap_unordered", "starmap", "gather", "add_done_callback", "signal"}
"""Calls of these names are looked at whatever they are called on."""

Place = tuple[Module, int]


class Vocabulary:
    """The words of an API table: last names of what it knows, those that give an object, and the packages they come from."""

    def __init__(self, table: Table) -> None:
        names = (*table.apis, *table.kinds, *table.aliases)
        self.words = frozenset(n.rpartition(".")[2] for n in names) - {"*"}
        giving = {row.name.rpartition(".")[2] for row in table.apis.values() if row.gives or row.gives_each or "pass" in row.does}
        self.giving = frozenset(giving | {n.rpartition(".")[2] for n in table.kinds})
        self.packages = frozenset(n.partition(".")[0] for n in names) - _PLAIN


_PLAIN = {"builtins", "os", "sys", "atexit", "threading", "subprocess", "queue", "functools", "contextlib", "typing", "weakref", "time", "random", "posix"}
"""Packages of rows that say nothing about processes by themselves."""


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
        packages = self.vocabulary.packages
        self._imported[module] = {
            i.local
            for i in module.outline.imports
            if i.local and ((not i.level and i.module.partition(".")[0] in packages and (not i.name or i.name in self.vocabulary.words or i.name == "*" or self._is_package(i.module, i.name))) or i.name in self.everywhere)
        }
        self._identifiers[module] = [frozenset(_IDENTIFIER.findall(module.page_text(n))) for n in range(len(module.outline.pages))]
        start = self._imported[module] | self.everywhere | DISTINCT
        for number, names in enumerate(self._identifiers[module]):
            if not names.isdisjoint(start) or ("import" in names and not names.isdisjoint(packages)):
                self._queue[module, number] = None

    def _is_package(self, module: str, name: str) -> bool:
        prefix = f"{module}.{name}."
        table = self.project.table
        return any(n.startswith(prefix) for rows in (table.apis, table.kinds, table.aliases) for n in rows)

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
        kind = module.outline.pages[page].kind
        steps = module.steps(page)
        top = kind in {"step", "module", "block"} and not (kind == "step" and module.outline.pages[page].indent)
        for _ in range(4):
            before = len(self.local.get((module, page), ()))
            words = self._words((module, page))
            for step in steps:
                self._step(module, page, step, words, "", top, in_class=kind == "step" and module.outline.pages[page].indent)
            if len(self.local.get((module, page), ())) == before:
                break

    def _step(self, module: Module, page: int, root: f.Row, words: frozenset[str], function: str, top: bool, in_class: bool) -> None:
        stack: list[tuple[f.Row, str, bool, bool]] = [(root, function, top, in_class)]
        while stack:
            row, inside, at_top, class_level = stack.pop()
            if isinstance(row, f.FunctionFacts):
                self._signature(module, page, row, words)
                stack.extend((child, row.name, False, False) for child in f.children(row))
                continue
            if isinstance(row, f.ClassFacts):
                if any(self._carries(base.value, words) for base in row.bases):
                    self._everywhere(row.name, defined=True)
                stack.extend((child, inside, False, True) for child in row.body)
                continue
            self._spread(module, page, row, words, inside, at_top, class_level)
            stack.extend((child, inside, at_top, class_level) for child in f.children(row))
            if isinstance(row, f.Comprehension):
                for clause in row.clauses:
                    if self._carries(clause.source, words):
                        self._bind(module, page, clause.target, False, False)

    def _signature(self, module: Module, page: int, row: f.FunctionFacts, words: frozenset[str]) -> None:
        for param in row.params:
            if param.annotation is not None and any(self._carries(r, words) for r in f.walk(param.annotation) if isinstance(r, (f.Name, f.Attr))):
                self._note(module, page, param.name)
        if row.returns is not None and any(self._carries(r, words) for r in f.walk(row.returns) if isinstance(r, (f.Name, f.Attr))):
            self._everywhere(row.name, defined=True)

    def _spread(self, module: Module, page: int, row: f.Row, words: frozenset[str], inside: str, top: bool, class_level: bool) -> None:
        if isinstance(row, f.Assign):
            if (row.value is not None and self._carries(row.value, words)) or (
                row.annotation is not None and any(self._carries(r, words) for r in f.walk(row.annotation) if isinstance(r, (f.Name, f.Attr)))
            ):
                for target in row.targets:
                    self._bind(module, page, target, top, class_level)
        elif isinstance(row, f.For):
            if self._carries(row.source, words):
                self._bind(module, page, row.target, top, class_level)
        elif isinstance(row, f.With):
            for item in row.items:
                if item.target is not None and self._carries(item.value, words):
                    self._bind(module, page, item.target, top, class_level)
        elif isinstance(row, f.Bind):
            if self._carries(row.value, words):
                self._bind(module, page, row.name, top, class_level)
        elif isinstance(row, (f.Return, f.Yield)):
            if inside and row.value is not None and self._carries(row.value, words):
                self._everywhere(inside, defined=True)
        elif isinstance(row, f.Import):
            for name, alias in row.names:
                if not row.level and (row.module or name).partition(".")[0] in self.vocabulary.packages or name in self.everywhere:
                    self._note(module, page, alias or name.partition(".")[0])
        elif isinstance(row, f.Declare):
            for name in row.names:
                if row.kind == "global" and name in words:
                    self._everywhere(name, defined=True)
        elif isinstance(row, f.Call):
            self._passed(module, page, row, words)

    def _passed(self, module: Module, page: int, call: f.Call, words: frozenset[str]) -> None:
        carried = [a for a in call.args if self._carries(a.value, words)]
        if not carried:
            return
        func = call.func
        last = func.attr if isinstance(func, f.Attr) else func.id if isinstance(func, f.Name) else ""
        if isinstance(func, f.Attr) and last in ADDING:
            self._bind(module, page, func.value.value if isinstance(func.value, f.Item) else func.value, False, False)
        elif last not in PASSING and last not in self.vocabulary.words:
            function = self._function_around(module, page, call)
            if function is not None:
                for value in self.project.values(func, function):
                    for callee in _bodies(self.project, value):
                        self._receive(callee, call, carried)

    def _function_around(self, module: Module, page: int, call: f.Call) -> Function | None:
        for function in self.project.functions_on(module, page):
            if call.at in self.project.body_rows(function):
                return function
        return None

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
        elif isinstance(target, (f.Item, f.Star)):
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
        """Whether an expression may be, or hold, an object of an API."""
        if isinstance(expr, f.Name):
            return expr.id in words or expr.id in self.everywhere
        if isinstance(expr, f.Attr):
            return expr.attr in self.everywhere or self._carries(expr.value, words)
        if isinstance(expr, f.Call):
            func = expr.func
            last = func.attr if isinstance(func, f.Attr) else func.id if isinstance(func, f.Name) else ""
            if last in PASSING and any(self._carries(a.value, words) for a in expr.args):
                return True
            if isinstance(func, f.Attr):
                return last in self.everywhere or (last in self.vocabulary.giving and self._carries(func.value, words))
            return self._carries(func, words)
        if isinstance(expr, (f.Item, f.Star, f.Await, f.Bind)):
            return self._carries(expr.value, words)
        if isinstance(expr, f.Choice):
            return self._carries(expr.body, words) or self._carries(expr.orelse, words)
        if isinstance(expr, f.Op):
            return expr.op in {"and", "or", "+", "|"} and any(self._carries(o, words) for o in expr.operands)
        if isinstance(expr, f.Sequence):
            return any(self._carries(i, words) for i in expr.items)
        if isinstance(expr, f.Mapping):
            return any(self._carries(v, words) for v in expr.values)
        if isinstance(expr, f.Comprehension):
            return self._carries(expr.element, words)
        return False


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
