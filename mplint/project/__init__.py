"""The linked project: what names mean, what values can be, who calls whom, what runs in a worker and why.

Everything is computed when it is first asked for and kept; a module is read only when a question reaches it.
"""

from __future__ import annotations

import builtins
import re
from functools import cached_property
from typing import TYPE_CHECKING, Callable, Iterator, Mapping, NamedTuple, TypeVar

from mplint import facts as f
from mplint.apis import Api, Kind, Parameter, Table, builtin_table
from mplint.finding import Step
from mplint.project import attributes, containers, definitions, evaluate, hierarchy, names, parameters, raising, results, triage, workers
from mplint.project.lives import lifetimes
from mplint.project.answers import Answers
from mplint.project.hierarchy import Base
from mplint.project.index import Index
from mplint.project.modules import CallSite, Class, Function, Module
from mplint.project.processes.freezing import frozen_programs
from mplint.project.lives.nesting import Key, Path
from mplint.project.parameters import Delivery
from mplint.project.raising import Escape
from mplint.project.reading import Reading
from mplint.project.spread import Spread
from mplint.project.vocabulary import Vocabulary
from mplint.project.values import (
    Bound,
    Coroutine,
    Entered,
    External,
    Instance,
    Literal,
    Many,
    ModuleValue,
    Partial,
    Super,
    Tuple,
    Unknown,
    Value,
    elements,
)
from mplint.project.workers import Reach, Submission
from mplint.source import Sources

if TYPE_CHECKING:
    from mplint.cache.pieces import Pieces

__all__ = [
    "Base", "Bound", "CallSite", "Class", "Coroutine", "Entered", "Escape", "External", "Function", "Instance", "Literal", "Many", "Module", "ModuleValue",
    "Partial", "Project", "Reach", "Submission", "Super", "Tuple", "Unknown", "Value", "elements",
]  # fmt: skip

T = TypeVar("T")

CANDIDATES = 40
"""In how many files the callers of one function are looked for; a name in more files than that says too little."""


class Use(NamedTuple):
    """A call that the API table knows: what it does (`row`), to which object, and where that object's work runs."""

    site: CallSite
    row: Api
    receiver: Instance | None
    where: str

    @property
    def call(self) -> f.Call:
        return self.site.call

    @property
    def function(self) -> Function:
        return self.site.function


class Limits(NamedTuple):
    """Bounds that a project chooses: the text that waiting fixes write as timeout and whether it is the project's own, and the length beyond which
    memory is unbounded."""

    timeout: str = "3600"
    timeout_is_own: bool = False
    memory: int = 10**9
    libraries: tuple[str, ...] = ()
    """The site-packages folders in which the sources of third-party bases are read."""


def _far(value: Instance | None, site: CallSite) -> int:
    """How far from a call the object that it is done to is made: on the same page, in the same file, elsewhere."""
    made = value.made if value is not None else None
    if made is None or made.path != site.function.path:
        return 2
    return int(made.at >> f.PAGE_BITS != site.call.at >> f.PAGE_BITS)


class Project:
    """The files under one root, linked.  `errors` collects the files that could not be read: path -> (message, row, column).

    `whole` reads every page of every file, whatever triage says: slow, and the measure of what triage promises.
    """

    def __init__(
        self,
        sources: Sources,
        *,
        table: Table | None = None,
        target: tuple[int, int] = (3, 10),
        limits: Limits | None = None,
        pieces: Pieces | None = None,
        roots: tuple[str, ...] = (),
        whole: bool = False,
    ) -> None:
        self.sources = sources
        self.whole = whole
        self._pieces = pieces
        self.limits = limits or Limits()
        self.table = (table or builtin_table()).at(target)
        self.target = target
        self._reading = Reading(sources, pieces, roots)
        self._memo: dict[object, object] = {}
        self._answers = Answers()
        self._delivered: dict[tuple[Function, str], dict[tuple[int, Key], Delivery]] = {}
        self._placed: dict[str, dict[int, tuple[f.Attr, f.Assign, Function]]] = {}
        self._submitted: dict[Module, tuple[Submission, ...]] = {}

    # -- modules

    @property
    def index(self) -> Index:
        return self._reading.index

    def module(self, path: str) -> Module | None:
        """The module in the file `path`; None (and an entry in `errors`) when it cannot be read."""
        return self._reading.module(path)

    def find_module(self, name: str, importer: str) -> Module | None:
        """The project's module that `import name` means in the file `importer`."""
        path = self.index.find(name, importer)
        return self.module(path) if path is not None else None

    @property
    def errors(self) -> dict[str, tuple[str, int, int]]:
        return self._reading.errors

    @property
    def loaded(self) -> tuple[Module, ...]:
        """The modules that were read so far."""
        return self._reading.loaded

    # -- questions, each answered once

    def values(self, expr: f.Expr, function: Function) -> tuple[Value, ...]:
        """All that `expr`, a row of `function`, can be at its place; Unknown among them when something did not resolve."""
        return self._answers.ask(id(expr), lambda: evaluate.evaluate(self, expr, function), ())

    def global_values(self, module: Module, name: str, *, default: bool = True) -> tuple[Value, ...]:
        """What the module-level `name` can be in `module`."""
        return self._answers.ask((module.path, name, default), lambda: names.global_values(self, module, name, default=default), ())

    def returned(self, function: Function) -> tuple[Value, ...]:
        """What calling (and awaiting) `function` gives."""
        return self._answers.ask(("returned", function), lambda: results.returned_values(self, function), ())

    def escapes(self, function: Function, depth: int = raising.DEPTH) -> tuple[Escape, ...]:
        """The exceptions, and ends of the process, that are written out in `function` or up to `depth` calls below and leave it."""
        return self._answers.ask(("escapes", function, depth), lambda: raising.escapes(self, function, depth), ())

    def never_returns(self, function: Function) -> bool:
        """Whether a call of `function` always ends in an exception or the end of the process."""
        return self._answers.ask(("never returns", function), lambda: raising.never_returns(self, function), False)

    def stored(self, cls: Class, attr: str) -> tuple[Value, ...]:
        """What methods of `cls` and its bases store in the attribute of their instance."""
        return self._answers.ask(("stored", cls, attr), lambda: attributes.stored_values(self, cls, attr), ())

    def deliver(self, callee: Function, param: str, delivery: Delivery) -> bool:
        """Note that an object of an API is passed to a parameter; whether that is new.  What was answered before is forgotten then."""
        known = self._delivered.setdefault((callee, param), {})
        key = (id(delivery.expr), delivery.taken)
        if key in known:
            return False
        known[key] = delivery
        self._answers = Answers()
        return True

    def delivered(self, callee: Function, param: str) -> tuple[Delivery, ...]:
        """The objects of APIs that the project's calls pass to a parameter, as far as they were followed."""
        return tuple(self._delivered.get((callee, param), {}).values())

    def place(self, target: f.Attr, row: f.Assign, function: Function) -> bool:
        """Note that `row` of `function` assigns an object of an API to an attribute; whether that is new.  Forgets answers as `deliver` does."""
        known = self._placed.setdefault(target.attr, {})
        if id(target) in known:
            return False
        known[id(target)] = (target, row, function)
        self._answers = Answers()
        return True

    def placed(self, attr: str) -> tuple[tuple[f.Attr, f.Assign, Function], ...]:
        """The assignments of objects of APIs to attributes of this name that are not those of a method to its own object."""
        return tuple(self._placed.get(attr, {}).values())

    def callers(self, function: Function) -> tuple[CallSite, ...]:
        """The calls in the project that call exactly `function`."""
        return self._answers.ask(("callers", function), lambda: parameters.callers(self, function), ())

    def class_level(self, cls: Class, row: f.Row, name: str) -> list[Value]:
        """What a class-level statement gives `name`; other names of the class body are not looked up there."""
        scope = cls.outer or cls.module.body
        return [v for d in definitions.definitions_in(row, name) for v in definitions.definition_values(self, d, scope)]

    def additions(self, function: Function) -> dict[str, list[containers.Addition]]:
        """See `containers.additions`."""
        return self.kept(("additions", function), lambda: containers.additions(function))

    def stores(self, function: Function) -> dict[str, list[f.Row]]:
        """See `attributes.stores`."""
        return self.kept(("stores", function), lambda: attributes.stores(function))

    def body_rows(self, function: Function) -> frozenset[int]:
        """The numbers of the rows in the body of `function`, nested functions not counted."""
        return self.kept(("rows", function), lambda: frozenset(row.at for row in function.rows))

    def life(self, site: CallSite, *, handed: bool = False, path: Path = (), patient: bool = False, inward: bool = False) -> lifetimes.Life:
        """Where the object that a call makes (or what lies at `path` in it) goes, and what is done to it there; with `handed` also in the processes
        and threads that it is given to; see `life_of` for `patient` and `inward`."""
        key = ("life", site.site, handed, path, patient, inward)
        return self.kept(key, lambda: lifetimes.life_of(self, site, handed=handed, path=path, patient=patient, inward=inward))

    def settled(self, key: object, compute: Callable[[], tuple[T, ...]]) -> tuple[T, ...]:
        """What `compute` gives, for a question that may come back to itself (see `Answers`)."""
        return self._answers.ask(key, compute, ())

    def kept(self, key: object, compute: Callable[[], T]) -> T:
        """What `compute` gave when `key` was first asked for; not for questions that may come back to themselves (see `Answers`)."""
        if key not in self._memo:
            self._memo[key] = compute()
        return self._memo[key]  # type: ignore[return-value]

    def import_values(self, module: Module, target: str, level: int, name: str) -> list[Value]:
        return names.import_values(self, module, target, level, name)

    def external(self, expr: f.Expr | None, function: Function) -> str:
        """Canonical dotted name of the library object that `expr` is, "" when it is none or several."""
        if expr is None:
            return ""
        found = {v.name for v in self.values(expr, function) if isinstance(v, External)}
        return self.table.canonical(found.pop()) if len(found) == 1 else ""

    # -- classes

    def mro(self, cls: Class) -> tuple[Base, ...]:
        """The linearised bases of `cls`, itself first."""
        return self._answers.ask(("mro", cls), lambda: hierarchy.linearised(self, cls), (cls,))

    def find_method(self, cls: Class, name: str) -> Function | External | None:
        return hierarchy.find_method(self, cls, name)

    def ancestry(self, value: Value) -> frozenset[str]:
        """Canonical names of all library classes a class derives from; "?" among them when one is unknown."""
        return hierarchy.ancestry(self, value)

    def subclasses(self, cls: Class) -> tuple[Class, ...]:
        """The classes of the project that derive from `cls` by name, at any depth."""
        return self._answers.ask(("subclasses", cls), lambda: self._subclasses(cls), ())

    def _subclasses(self, cls: Class) -> tuple[Class, ...]:
        out: dict[Class, None] = {}
        queue = [cls]
        while queue:
            base = queue.pop()
            for path, name in self.triage.derived(base.name):
                module = self.module(path)
                for found in module.classes_named(name) if module is not None else ():
                    if found not in out and found is not cls and base in self.mro(found):
                        out[found] = None
                        queue.append(found)
        return tuple(out)

    def instance_of(self, cls: Class, *, made: object = None) -> Instance:
        """An instance of `cls`; where its work runs comes from the library class it derives from."""
        from mplint.finding import Site

        where = ""
        for base in self.mro(cls):
            kind = self.table.kind(base.name) if isinstance(base, External) else None
            if kind is not None:
                where = kind.where
                break
        return Instance(cls, where, "", made if isinstance(made, Site) else None)

    def role(self, value: Value) -> str:
        """The role of an object in the API table ("pool", "executor", "process", "future" ...), through its bases; "" when it has none."""
        cls = value.cls if isinstance(value, Instance) else value
        for base in self.mro(cls) if isinstance(cls, Class) else (cls,):
            kind = self.table.kind(base.name) if isinstance(base, External) else None
            if kind is not None:
                return kind.role
        return ""

    def kind(self, value: Instance) -> Kind | None:
        """The row of the API table for the class of an object, through its bases."""
        name = self._library_class(value)
        return self.table.kind(name) if name else None

    def made_step(self, value: Instance) -> tuple[Step, ...]:
        """The because chain of an object: where it (or what gave it) was made."""
        maker = value.source or value
        cls = maker.cls.name.rpartition(".")[2]
        return (Step(maker.made, f"the `{cls}` is made here"),) if maker.made is not None else ()

    @cached_property
    def builtin_exceptions(self) -> frozenset[str]:
        return frozenset(f"builtins.{n}" for n, v in vars(builtins).items() if isinstance(v, type) and issubclass(v, BaseException))

    # -- calls

    def argument(self, call: f.Call, parameter: Parameter | None) -> f.Expr | None:
        """The argument that a row of the API table means, None when it is not passed, or the row has none."""
        if parameter is None:
            return None
        found = call.keyword(parameter.keyword) if parameter.keyword else None
        return found if found is not None or parameter.position is None else call.positional(parameter.position)

    def row_of(self, value: Value) -> Api | None:
        """The row of the API table for what calling `value` does."""
        if isinstance(value, External):
            return self.table.api(value.name)
        if isinstance(value, Bound) and isinstance(value.function, External):
            cls, _, name = value.function.name.rpartition(".")
            return self.table.method(cls, name)
        if isinstance(value, Instance):
            cls_name = self._library_class(value)
            return self.table.method(cls_name, "__call__") if cls_name else None
        return None

    def _library_class(self, value: Instance) -> str:
        if isinstance(value.cls, External):
            return value.cls.name
        return next((b.name for b in self.mro(value.cls) if isinstance(b, External) and self.table.kind(b.name) is not None), "")

    def rows(self, site: CallSite) -> tuple[tuple[Api, Instance | None], ...]:
        """What a call does by the API table, with the object it is done to; one entry for each possibility."""
        if not self.spread.matters(site):
            return ()
        out: list[tuple[Api, Instance | None]] = []
        for value in self.values(site.call.func, site.function):
            row = self.row_of(value)
            if row is not None:
                receiver = value.receiver if isinstance(value, Bound) else value
                out.append((row, receiver if isinstance(receiver, Instance) else None))
            elif isinstance(value, Class):
                outside = next((b for b in self.mro(value) if isinstance(b, External) and self.table.kind(b.name) is not None), None)
                row = self.table.api(outside.name) if outside is not None else None
                if row is not None:
                    out.append((row, None))
        # of several objects the one that is made nearest tells best what happens here
        return tuple(sorted(dict.fromkeys(out), key=lambda found: _far(found[1], site)) if len(out) > 1 else out)

    def table_where(self, row: Api, call: f.Call, function: Function, receiver: Instance | None) -> str:
        """Where the work of this call runs: "process", "thread", "any" or ""."""
        if row.executor is not None:
            chosen = self.argument(call, row.executor)
            found = {self._executor_where(v) for v in self.values(chosen, function)} if chosen is not None else {"any"}
            return found.pop() if len(found) == 1 else "any"
        if row.where in {"", "receiver"}:
            return receiver.where if receiver is not None else ""
        return row.where

    def _executor_where(self, value: Value) -> str:
        if isinstance(value, Literal) and value.value is None:
            return "thread"
        if isinstance(value, Instance):
            known = value.where in {"process", "thread"} or not workers.runs_here(self, value)
            return (value.where or "any") if known else "thread"
        return "any"

    def uses(self, module: Module, *does: str) -> Iterator[Use]:
        """The calls in `module` that do one of `does` by the API table (all that do anything, without one)."""
        every = self.kept(("uses", module), lambda: tuple(use for site in self.calls(module) for use in self.uses_at(site)))
        for use in every:
            if not does or any(verb in use.row.does for verb in does):
                yield use

    def uses_at(self, site: CallSite, *does: str) -> Iterator[Use]:
        """What one call does by the API table; one entry for each kind of object it may be done to."""
        for row, receiver in self.rows(site):
            if not does or any(verb in row.does for verb in does):
                yield Use(site, row, receiver, self.table_where(row, site.call, site.function, receiver))

    def made_by(self, site: CallSite) -> Iterator[Instance]:
        """The objects that a call itself makes, not those that it only gives."""
        return (v for v in self.values(site.call, site.function) if isinstance(v, Instance) and v.made == site.site)

    def maker(self, value: Instance) -> CallSite | None:
        """The call that made an object, where that is known."""
        module = self.module(value.made.path) if value.made is not None else None
        if module is None or value.made is None:
            return None
        sites = (site for function in self.functions_on(module, value.made.at >> f.PAGE_BITS) for site in function.calls)
        return next((site for site in sites if site.call.at == value.made.at), None)

    def calls_ending(self, *endings: str) -> Iterator[CallSite]:
        """The calls of names that end so, in the modules that objects of process APIs come to."""
        near = {module.path: module for module in self.spread.modules()}
        for path in dict.fromkeys(p for word in endings for p in self.sources.holding(f"{word}(".encode(), sorted(near))):
            yield from (site for site in self.calls(near[path]) if f.last_name(site.call.func).endswith(endings))

    def callees(self, site: CallSite) -> tuple[Function, ...]:
        """The functions of the project that a call runs here and now."""
        return tuple(dict.fromkeys(g for v in self.values(site.call.func, site.function) for g in self.run_by(v)))

    def run_by(self, value: Value) -> tuple[Function, ...]:
        """The functions of the project that run when `value` is called."""
        return tuple(dict.fromkeys(workers.functions_of(self, value)))

    def runs_arguments(self, site: CallSite) -> bool:
        """Whether the call is of a builtin that calls the functions it is given at once."""
        return self.external(site.call.func, site.function) in _CALLS_ARGUMENTS

    def calls_named(self, name: str, module: Module, family: Mapping[str, str] | None = None) -> Iterator[CallSite]:
        """Calls of something called `name`, in the files that can mean a definition of `module`: those that import it or its module.  Of a
        method, those that import one of the classes that have it (`family`: their names and files) or hold one."""
        spelled = re.compile(rf"\b{re.escape(name)}\s*\(")
        foreign = re.compile(rf"(?<!\bself\.)\b{re.escape(name)}\s*\(")  # what `self` has of that name elsewhere is another definition

        def wanted(text: str, owner: str) -> bool:
            return name in text and (spelled if owner.rpartition(".")[2] in (family or ()) else foreign).search(text) is not None

        close = self.triage.importing((module.name.rpartition(".")[2], *(family or (name,))))
        close.update(dict.fromkeys((module.path, *(family or {}).values())))
        if not family:
            close.update(dict.fromkeys(self.triage.through_packages(module.path, name)))
        paths = self.sources.holding(name.encode() + b"(", sorted(close))
        for path in paths[:CANDIDATES]:
            found = self.module(path)
            if found is None:
                continue
            for function in found.functions_where(wanted, name):
                for site in function.calls:
                    if f.last_name(site.call.func) == name:
                        yield site

    def arguments(self, function: Function, param: f.Param) -> tuple[tuple[f.Expr, Function], ...]:
        """What the calls of the project pass to a parameter: the expressions, each with the function it stands in."""
        found = ((parameters.argument_of(s.call, function, param), s.function) for s in self.callers(function))
        return tuple((expr, caller) for expr, caller in found if expr is not None)

    def constructions(self, cls: Class) -> tuple[CallSite, ...]:
        """Every call in the project that constructs exactly `cls`."""
        return self._answers.ask(("constructions", cls), lambda: self._constructions(cls), ())

    def _constructions(self, cls: Class) -> tuple[CallSite, ...]:
        return tuple(s for s in self.calls_named(cls.name, cls.module) if cls in self.values(s.call.func, s.function))

    # -- workers

    @cached_property
    def triage(self) -> triage.Triage:
        return triage.Triage(self.sources, self.vocabulary.starting, self._pieces)

    def seeds(self) -> Iterator[Module]:
        """The modules whose bytes say that they may hand work to somebody."""
        for path in self.triage.seeds:
            module = self.module(path)
            if module is not None:
                yield module

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.table, lambda name: self.index.find(name, "") is not None)

    @cached_property
    def spread(self) -> Spread:
        """Where objects of process APIs can turn up."""
        return Spread(self, self.vocabulary)

    def functions_on(self, module: Module, page: int) -> tuple[Function, ...]:
        """The functions of one page, nested ones too; the module body for a page of its statements."""
        return self.kept(("page", module, page), lambda: self._functions_on(module, page))

    def _functions_on(self, module: Module, page: int) -> tuple[Function, ...]:
        place = module.outline.pages[page]
        if place.kind == "module" or (place.kind == "step" and not place.indent):
            inner = [g for g in module.body.all_nested() if g.facts.at >> f.PAGE_BITS == page]
            return (module.body, *inner)
        return tuple(module.functions_on(page))

    def live(self, module: Module) -> Iterator[Function]:
        """The functions of `module` in whose pages an API may be used."""
        seen: set[Function] = set()
        for page in self.spread.pages(module):
            for function in self.functions_on(module, page):
                if function not in seen:
                    seen.add(function)
                    yield function

    def submissions_of(self, module: Module) -> tuple[Submission, ...]:
        if module not in self._submitted:
            self._submitted[module] = tuple(s for function in self.live(module) for s in workers.submissions_in(self, function))
        return self._submitted[module]

    @cached_property
    def _submissions(self) -> tuple[Submission, ...]:
        return tuple(s for module in self.spread.modules() for s in self.submissions_of(module))

    def submissions(self) -> tuple[Submission, ...]:
        """Every place of the project that hands a callable to a worker, a callback or a signal."""
        return self._submissions

    @cached_property
    def _reach(self) -> dict[Function, Reach]:
        return workers.reached(self)

    def workers(self) -> Mapping[Function, Reach]:
        """All functions that may run in a worker process and how they are reached."""
        return self._reach

    def workers_in(self, module: Module) -> tuple[Function, ...]:
        """Those of `workers` that are defined in `module`."""
        return self.kept("workers by module", self._workers_by_module).get(module, ())

    def _workers_by_module(self) -> dict[Module, tuple[Function, ...]]:
        out: dict[Module, list[Function]] = {}
        for function in self._reach:
            out.setdefault(function.module, []).append(function)
        return {module: tuple(functions) for module, functions in out.items()}

    def why(self, function: Function) -> tuple[Step, ...] | None:
        """The because chain: why `function` runs in a worker process; None when it does not."""
        return workers.chain(self, self._reach, function)

    # -- what rules look at

    def relevant(self, path: str) -> bool:
        """Whether any rule can have something to say about the file."""
        return self.whole or path in self.triage.exceptions or path in self._touched or self.pipes(path) or self.forks(path)

    def spells(self, module: Module, word: bytes) -> bool:
        """Whether the text of a module has a word."""
        return bool(self.sources.holding(word, (module.path,)))

    def pipes(self, path: str) -> bool:
        """Whether the bytes of a file say that it starts programs with pipes and waits for them."""
        return path in self._piping

    @cached_property
    def _piping(self) -> frozenset[str]:
        paths = tuple(self.triage.importing(("subprocess",)))
        for word in (b"Popen", b"PIPE"):
            paths = self.sources.holding(word, paths)
        return frozenset((*self.sources.holding(b".wait(", paths), *self.sources.holding(b".poll(", paths)))

    def forks(self, path: str) -> bool:
        """Whether the bytes of a file say that it forks by itself."""
        return path in self._forking

    @cached_property
    def _forking(self) -> frozenset[str]:
        return frozenset(self.sources.holding(b"fork()", tuple(self.triage.importing(("os",)))))

    @cached_property
    def _touched(self) -> frozenset[str]:
        handed = {function.path for submission in self.submissions() for function in submission.callees}
        frozen = {path for program in frozen_programs(self) for path in (program.module.path, program.function.path)}
        return frozenset(m.path for m in self.spread.modules()) | {function.path for function in self._reach} | handed | frozen

    def functions(self, module: Module, *words: str) -> Iterator[Function]:
        """The functions of `module` that rules look at: those whose source names an API, and those that run in a worker; with `words` those alone
        on whose pages one of them stands."""
        for function in self.kept(("functions", module), lambda: tuple({**dict.fromkeys(self.live(module)), **dict.fromkeys(self.workers_in(module))})):
            if not words or function.spells(*words):
                yield function

    def calls(self, module: Module) -> Iterator[CallSite]:
        """The calls of those functions."""
        for function in self.functions(module):
            yield from function.calls


_CALLS_ARGUMENTS = {
    "builtins.map", "builtins.filter", "builtins.sorted", "builtins.min", "builtins.max", "functools.reduce", "builtins.list", "itertools.starmap",
}  # fmt: skip
