"""Where the objects of process APIs can turn up, by name: what decides which pages are read at all.

From the names that imports bind to an API the walk goes to whatever such an object is stored in, returned from, passed to or
derived by, to a fixpoint.  A name counts inside its page when it is a local variable or a parameter, and in the whole project
when it is an attribute, a global, a function or a class.  That is too much at times and costs a page that is read for nothing;
what an expression really is, `Project.values` decides.
"""

from __future__ import annotations

import collections
import re
from typing import TYPE_CHECKING, Collection, Iterator

from mplint import facts as f
from mplint.project.names import absolute
from mplint.project.annotations import annotation_values
from mplint.project.carrying import Carrying
from mplint.project.hierarchy import family as family_of
from mplint.project.modules import CallSite, Class, Function, Module
from mplint.project.parameters import Delivery, bindings, delivered_values
from mplint.project.values import Bound, Entered, External, Instance, Many, Partial, Tuple, Value
from mplint.project.vocabulary import ADDING, AWAITED, AWAITING, DISTINCT, OPENING, PASSING, Vocabulary
from mplint.source.words import called_in, imported_in

if TYPE_CHECKING:
    from mplint.project import Project

_DEEP = 2
"""Through how many functions more than one a gather may be away from the call that gives work to an executor."""

_COMMON = 8
"""A name that more functions have says nothing about which of them is called."""

_ENTERING = ("__enter__", "__aenter__")

Place = tuple[Module, int]

_MOVING = (f.Assign, f.For, f.Comprehension, f.With, f.Bind, f.Return, f.Yield, f.Import, f.Declare, f.Call, f.ClassFacts)
"""Rows by which a value goes from one name to another."""


class Spread:
    """The names, and the pages in which they are used.

    `local` are names of one page, `shared` those of a module's global scope (imports too), `attributes` those that are looked for behind a
    dot, in the files that can have an object of the class that they are of.
    """

    def __init__(self, project: Project, vocabulary: Vocabulary) -> None:
        self.project, self.vocabulary = project, vocabulary
        self.local: dict[Place, set[str]] = {}
        self.shared: dict[Module, set[str]] = {}
        self._attributed: dict[str, set[str]] = {}
        self._carrying = Carrying(vocabulary, self._attributed.keys())
        self._names: dict[Module, list[frozenset[str]]] = {}
        self._exports: dict[str, set[str]] = {}
        self._exported: dict[str, dict[str, None]] = {}
        self._dotted: set[str] = set()
        self._queue: dict[Place, None] = {}
        self._live: dict[Place, None] = {}
        self._owners: set[str] = set()
        self._importing: list[tuple[Module, int, frozenset[str]]] = []
        self._givers: set[Function] = set()
        self._entered = False
        self._asked: set[str] = set()
        self._asked_owners: set[str] = set()
        self._users: dict[str, None] = {}
        self._awaited: set[str] = set()
        self._modules: dict[Module, set[str]] = {}
        for module in project.seeds():
            self._enter(module)
        for module in tuple(self.shared):  # what is handed on by a module that was entered later
            for i in module.outline.imports:
                self._import(module, i.local, i.module, i.level, i.name)
            for number, names in enumerate(self._names[module]):
                if "import" in names and self._imports(names, module.page_code(number)):
                    self._queue[module, number] = None
        for place in self._awaiting():
            self._queue[place] = None
        if project.whole:
            self._enter_all()
        self._settle()
        self._importing.clear()
        self._names.clear()  # the most that is kept here, and nobody asks again
        project.sources.sought |= self._sought()

    def _sought(self) -> frozenset[str]:
        """All names that were looked for in pages."""
        plain = AWAITING | AWAITED | set(OPENING) | self._awaited | self._attributed.keys() | {"asyncio", "import", "super", "self", "cls"}
        stems = {self._stem(path) for path in self._exported}
        return plain.union({f".{name}" for name in plain | stems}, stems, self._dotted, *self.shared.values())

    def _enter_all(self) -> None:
        for path in self.project.sources.files:
            module = self.project.module(path)
            if module is not None:
                self._enter(module)
                for page in range(len(module.outline.pages)):
                    self._queue[module, page] = None

    # -- what others ask

    def pages(self, module: Module) -> Iterator[int]:
        """The pages of a module in which an object of an API may be used, in order."""
        return iter(sorted(page for other, page in self._live if other is module))

    def modules(self) -> tuple[Module, ...]:
        return tuple(dict.fromkeys(module for module, _ in self._live))

    def may_await_work(self, module: Module, page: int) -> bool:
        """Whether a page names what gives work to an executor and awaits it, or a function that leads there, some calls deep."""
        return self.project.whole or not module.names(page).isdisjoint(self._awaited)

    def matters(self, site: CallSite) -> bool:
        """Whether a call may be one that the API table knows."""
        if self.project.whole:
            return True
        module = site.function.module
        words = self._words((module, site.call.at >> f.PAGE_BITS)) if module in self.shared else frozenset()
        func = site.call.func
        if isinstance(func, f.Attr):
            return func.attr in DISTINCT or func.attr in self.attributes or (self._carrying.carries(func.value, words) and func.attr in self.vocabulary.words)
        return (isinstance(func, f.Name) and func.id in DISTINCT) or self._carrying.carries(func, words)

    # -- the walk

    def _enter(self, module: Module) -> None:
        """Take a module in: its imported names, and the pages that use one of them."""
        if module in self.shared:
            return
        bound: set[str] = set()
        for i in module.outline.imports:
            if not i.level and self.project.index.find(i.module, module.path) is None:
                bound |= self._leads(i.local, i.module, i.name)
                if (f"{i.module}.{i.name}" if i.name else i.module) in self.vocabulary.modules:
                    self._modules.setdefault(module, set()).add(i.local)
        self.shared[module] = bound
        for word in bound:
            if not word.startswith("."):  # who imports the name from here gets what the library calls so
                self._export(module, word)
        self._names[module] = [module.names(n) for n in range(len(module.outline.pages))]
        start = bound | self._attributes_in(module) | {f".{word}" for word in OPENING}
        self._importing += ((module, number, names) for number, names in enumerate(self._names[module]) if "import" in names)
        for number, names in enumerate(self._names[module]):
            if self._uses(module, number, names & start) or ("import" in names and self._imports(names, module.page_code(number))):
                self._queue[module, number] = None
        for i in module.outline.imports:
            self._import(module, i.local, i.module, i.level, i.name)

    def _imports(self, names: frozenset[str], code: str) -> bool:
        """Whether a page imports what leads to an API, from a library or from a module of the project, or such a module."""
        if not imported_in(code).isdisjoint(self._exports) or self.vocabulary.is_imported(code):
            return True
        return any(_spells(names, word[1:], self._stem(owner)) for word in names & self._dotted for owner in self._exports[word[1:]])

    def _awaiting(self) -> Iterator[Place]:
        """The pages that gather, or group, what may lead to an executor: through functions that are named, some calls deep."""
        awaited = {f".{word}" for word in AWAITED} | AWAITED
        pages = [(module, number, names) for module, sets in self._names.items() for number, names in enumerate(sets)]
        often = collections.Counter(_own_name(module, number) for module, number, _ in pages)
        vague = {"", *(name for name, times in often.items() if times > _COMMON)}
        leading: set[str] = set()
        found = awaited
        for _ in range(_DEEP + 1):
            holders = [(module, number) for module, number, names in pages if not names.isdisjoint(found)]
            fresh = {_own_name(m, number) for m, number in holders if found is awaited or _awaits(m.page_code(number), found)} - leading - vague
            leading |= fresh
            found = fresh | {f".{name}" for name in fresh}
        gathering = {f".{word}" for word in AWAITING} | AWAITING
        self._awaited = leading | {f".{name}" for name in leading} | awaited
        for module, number, names in pages:
            if not names.isdisjoint(gathering) and not names.isdisjoint(self._awaited) and not AWAITING.isdisjoint(called_in(module.page_code(number))):
                if "asyncio" in names or any(i.module == "asyncio" and i.name in AWAITING for i in module.outline.imports):
                    yield module, number

    def _import(self, module: Module, local: str, target: str, level: int, name: str) -> None:
        """A name that another module exports becomes one of this module."""
        if name == "*":
            for word in tuple(self._exported.get(self._target(module, target, level) or "", ())):
                self._share(module, word)
        elif local and name in self._exports and self._target(module, target, level) in self._exports[name]:
            self._share(module, local)
        else:
            for word in self._exported.get(self._target(module, target, level, name) or "", ()):
                self._attribute(word, only=module)

    def _target(self, module: Module, target: str, level: int, name: str = "") -> str | None:
        """The file that an import means: a module, or with `name` the module of that name in a package."""
        base = absolute(module.package, target, level)
        return self.project.index.find(f"{base}.{name}" if base and name else base or name, module.path)

    def _stem(self, path: str) -> str:
        """The word by which an import statement names the module of a file."""
        return self.project.index.name(path)[0].rpartition(".")[2]

    def _export(self, module: Module, word: str) -> None:
        self._dotted.add(f".{word}")
        self._exports.setdefault(word, set()).add(module.path)
        self._exported.setdefault(module.path, {})[word] = None

    def _leads(self, local: str, module: str, name: str) -> set[str]:
        """The words by which an import leads to an API: its local name, or the submodules to look for behind a dot."""
        full = f"{module}.{name}" if name else module
        vocabulary = self.vocabulary
        if full in vocabulary.modules or (module in vocabulary.modules and (name in vocabulary.giving or name in DISTINCT or name == "*")):
            return {local}
        if full in vocabulary.above:
            return {"." + m[len(full) + 1 :].partition(".")[0] for m in vocabulary.modules if m.startswith(full + ".")}
        return set()

    def _settle(self) -> None:
        self._others()
        while self._queue:
            place = next(iter(self._queue))
            del self._queue[place]
            self._live[place] = None
            self._read(*place)
            if not self._queue:
                self._others()

    def _others(self) -> None:
        """Modules without any token that import one of the names or derive a class from one; of those that import a class which keeps or gives
        objects, or derive from it, the ones that name an attribute of such: the class of an application may be imported everywhere."""
        new = self._exports.keys() - self._asked
        self._asked |= new
        for path in (*self.project.triage.importers(new), *self._behind(sorted(new))) if new else ():
            self._enter_file(path)
        self._users.update(dict.fromkeys(self.project.triage.importers(self._owners - self._asked_owners)))
        self._asked_owners |= self._owners
        for name, files in (*self._attributed.items(), *((word, {"*"}) for word in OPENING)) if self._users else ():
            users = [path for path in self._users if "*" in files or path in files]
            for path in self.project.sources.holding(f".{name}".encode(), users) if users else ():
                self._enter_file(path)

    def _behind(self, words: Collection[str]) -> Iterator[str]:
        """The files that import a module which exports one of `words`, and name that behind a dot, or import everything and name it."""
        holding = self.project.sources.holding
        for word in words:
            users = [path for path in self.project.triage.importing(map(self._stem, self._exports[word])) if path not in self._exported]
            yield from holding(f".{word}".encode(), users)
            yield from holding(word.encode(), holding(b"import *", users))

    def _enter_file(self, path: str) -> None:
        self._users.pop(path, None)
        module = self.project.module(path)
        if module is not None:
            self._enter(module)

    def _words(self, place: Place) -> frozenset[str]:
        return frozenset(self.local.get(place, ())) | self.shared.get(place[0], set())

    def _read(self, module: Module, page: int) -> None:
        where = module.outline.pages[page]
        class_level = where.kind == "step" and where.indent
        rows = self.project.kept(("spread", module, page), lambda: tuple(self._rows(module, page)))
        signatures = [g for g in self.project.functions_on(module, page) if not g.is_module]
        for _ in range(3):
            words = self._words((module, page))
            for function in signatures:
                self._signature(module, page, function, words)
            for row, function in rows:
                if isinstance(row, f.ClassFacts):
                    self._derived(module, row, function, words)
                else:
                    self._spread(module, page, row, function, words, class_level)
            if self._words((module, page)) == words:
                break

    def _rows(self, module: Module, page: int) -> Iterator[tuple[f.Row, Function]]:
        """The rows of a page by which a value goes from one name to another, with the function they are of."""
        if module.outline.pages[page].kind != "function":
            for row in f.walk(*module.steps(page)):
                if isinstance(row, _MOVING):
                    yield row, module.body
        for function in self.project.functions_on(module, page):
            if not function.is_module:
                for row in function.rows:
                    if isinstance(row, _MOVING):
                        yield row, function

    def _derived(self, module: Module, row: f.ClassFacts, function: Function, words: frozenset[str]) -> None:
        if any(self._carrying.carries(base.value, words) and self._is_api(base.value, function) for base in row.bases if not base.keyword):
            if row.name in module.outline.classes or row.name in module.outline.names:
                self._share(module, row.name)
                self._own(module, row.name)
            else:
                self._attribute(row.name)
                self._note(module, row.at >> f.PAGE_BITS, row.name)

    def _own(self, module: Module, name: str) -> None:
        """The methods of a class that derives from one of an API reach its methods by `super()` and `self`, and make others of it by `cls`."""
        outline = module.outline.classes.get(name)
        for page in (p for pages in outline.methods.values() for p in pages) if outline is not None else ():
            for word in ("super", "self", "cls"):
                if word in self._names[module][page]:
                    self._note(module, page, word)

    def _signature(self, module: Module, page: int, function: Function, words: frozenset[str]) -> None:
        for param in function.facts.params:
            outer = function.outer or module.body
            given = param.default is not None and self._carrying.carries(param.default, words) and self._is_api(param.default, outer)
            if given or (param.annotation is not None and self._noted(param.annotation, outer, words)):
                self._note(module, page, param.name)
        if function.facts.returns is not None and self._noted(function.facts.returns, function.outer or module.body, words):
            self._returns(function)

    def _noted(self, annotation: f.Expr, function: Function, words: frozenset[str]) -> bool:
        if not any(self._carrying.carries(row, words) for row in f.walk(annotation) if isinstance(row, (f.Name, f.Attr))):
            return False
        return any(self._of_api(v) for v in annotation_values(self.project, annotation, function))

    def _is_api(self, expr: f.Expr, function: Function) -> bool:
        """Whether an expression that may carry an object really does."""
        return any(self._of_api(value) for value in self.project.values(expr, function))

    def _of_api(self, value: Value) -> bool:
        if isinstance(value, Many):
            return any(self._of_api(v) for v in (*value.items, *value.keys))
        if isinstance(value, Entered):
            return any(self._of_api(v) for v in value.items)
        if isinstance(value, Tuple):
            return any(self._of_api(v) for item in value.items for v in item)
        if isinstance(value, Instance):
            kind = self.project.kind(value)
            return (kind is not None and kind.role != "exception" and kind.where != "task") or self._opens(value)
        if isinstance(value, Bound):
            return self._of_api(value.receiver) if isinstance(value.function, External) else value.function in self._givers
        if isinstance(value, Partial):
            return self._of_api(value.func)
        if isinstance(value, Class):
            return self.project.role(value) not in {"", "exception"}
        if isinstance(value, Function):
            return value in self._givers
        if isinstance(value, External):
            table = self.project.table
            row, kind = table.api(value.name), table.kind(value.name)
            return (
                (kind is not None and kind.role != "exception")
                or (row is not None and bool(row.gives or row.gives_each))
                or value.name in self.vocabulary.modules
            )
        return False

    def _opens(self, value: Instance) -> bool:
        """Whether `with` such an object of the project gives an object of an API."""
        return self._entered and isinstance(value.cls, Class) and any(self.project.find_method(value.cls, name) in self._givers for name in _ENTERING)

    def _spread(self, module: Module, page: int, row: f.Row, function: Function, words: frozenset[str], class_level: bool) -> None:
        top = function.is_module and not class_level
        if isinstance(row, f.Assign):
            carried = row.value is not None and self._carrying.carries(row.value, words) and self._is_api(row.value, function)
            if carried:
                self._placed(row, function)
            if carried or (row.annotation is not None and self._noted(row.annotation, function, words)):
                for part, value in (pair for target in row.targets for pair in _paired(target, row.value)):
                    if value is None or value is row.value or (self._carrying.carries(value, words) and self._is_api(value, function)):
                        self._bind(module, page, part, top, class_level, function)
        elif isinstance(row, f.For):
            if self._carrying.hands(row.source, words) and self._is_api(row.source, function):
                self._bind(module, page, row.target, top, class_level, function)
        elif isinstance(row, f.Comprehension):
            for clause in row.clauses:
                if self._carrying.hands(clause.source, words) and self._is_api(clause.source, function):
                    self._bind(module, page, clause.target, False, False, function)
        elif isinstance(row, f.With):
            for item in row.items:
                if item.target is not None and self._carrying.carries(item.value, words) and self._is_api(item.value, function):
                    self._bind(module, page, item.target, top, class_level, function)
        elif isinstance(row, f.Bind):
            if self._carrying.carries(row.value, words) and self._is_api(row.value, function):
                self._bind(module, page, row.name, top, class_level, function)
        elif isinstance(row, (f.Return, f.Yield)):
            if row.value is not None and self._carrying.carries(row.value, words) and self._is_api(row.value, function):
                self._returns(function)
        elif isinstance(row, f.Import):
            for name, alias in row.names:
                local = alias or name.partition(".")[0]
                found = self._leads(local, row.module or (name if alias else local), name if row.module else "") if not row.level else set()
                for word in found:
                    self._note(module, page, word)
                if name in self._exports and (row.module or row.level) and self._target(module, row.module, row.level) in self._exports[name]:
                    self._note(module, page, local)
                meant = self._target(module, *((row.module, row.level, name) if row.module or row.level else (name, 0)))
                for word in self._exported.get(meant or "", ()):
                    self._note(module, page, f".{word}")
        elif isinstance(row, f.Declare):
            for name in row.names:
                if row.kind == "global" and name in words:
                    self._share(module, name)
        elif isinstance(row, f.Call):
            self._passed(module, page, row, function, words)

    def _placed(self, row: f.Assign, function: Function) -> None:
        """Objects in attributes of other objects, of classes and of modules: those who read them have to be asked again."""
        for part in (t for target in row.targets for t in (target.items if isinstance(target, f.Sequence) else (target,))):
            if isinstance(part, f.Attr) and f.dotted(part.value) not in {"", function.receiver} and self.project.place(part, row, function):
                for module in tuple(self._names):
                    self._look(module, f".{part.attr}")

    def _passed(self, module: Module, page: int, call: f.Call, function: Function, words: frozenset[str]) -> None:
        carried = [a for a in call.args if self._carrying.carries(a.value, words)]
        if not carried:
            return
        func = call.func
        last = f.last_name(func)
        if isinstance(func, f.Attr) and last in ADDING:
            carried = [a for a in carried if self._is_api(a.value, function)]
            own = [callee for value in self.project.values(func, function) for callee in _bodies(self.project, value)] if carried else []
            for callee in own:  # a method of the project that is called so
                self._receive(callee, call, carried, function)
            if carried and not own:
                self._bind(module, page, func.value.value if isinstance(func.value, f.Item) else func.value, False, False, function)
        elif last not in PASSING and (isinstance(func, f.Name) or last not in self.vocabulary.words):
            carried = [a for a in carried if self._is_api(a.value, function)]
            for value in self.project.values(func, function) if carried else ():
                for callee in _bodies(self.project, value):
                    self._receive(callee, call, carried, function)

    def _receive(self, callee: Function, call: f.Call, carried: list[f.Argument], caller: Function) -> None:
        """A function of the project is given an object: its parameter is one of the names."""
        page = callee.facts.at >> f.PAGE_BITS
        self._enter(callee.module)
        for param, argument, taken, under in bindings(call, callee):
            if any(argument is a for a in carried):
                delivery = Delivery(argument.value, caller, taken, under)
                if taken is not None and not any(map(self._of_api, delivered_values(self.project, delivery))):
                    continue
                if self.project.deliver(callee, param.name, delivery):
                    self._queue[callee.module, page] = None
                self._note(callee.module, page, param.name)

    def _bind(self, module: Module, page: int, target: f.Expr, top: bool, class_level: bool, function: Function) -> None:
        if isinstance(target, f.Name):
            if top:
                self._share(module, target.id)
            elif class_level:
                self._attribute(target.id)
            self._note(module, page, target.id)
        elif isinstance(target, f.Attr):
            own = isinstance(target.value, f.Name) and target.value.id == function.receiver
            if function.owner is not None:
                self._owners.add(function.owner.name)
            self._attribute(target.attr, owner=function.owner if own else None)
        elif isinstance(target, f.Star) or isinstance(target, f.Item):
            self._bind(module, page, target.value, top, class_level, function)
        elif isinstance(target, f.Sequence):
            for item in target.items:
                self._bind(module, page, item, top, class_level, function)

    def _returns(self, function: Function) -> None:
        """A function gives objects: its name is one of the names, wherever it can be called by it."""
        self._givers.add(function)
        if function.owner is not None:
            self._owners.add(function.owner.name)
            if function.name in _ENTERING:  # `with Owner(...) as name` gives the name such an object
                self._entered = True
                self._share(function.owner.module, function.owner.name)
            # where the table has a method of that name, other objects have it too: only its own module is looked through
            self._attribute(function.name, only=function.module if function.name in self.vocabulary.giving else None)
        elif function.outer is None:
            self._share(function.module, function.name)
        else:
            self._note(function.module, function.facts.at >> f.PAGE_BITS, function.name)

    def _note(self, module: Module, page: int, name: str) -> None:
        names = self.local.setdefault((module, page), set())
        if name not in names:
            names.add(name)
            self._queue[module, page] = None

    def _share(self, module: Module, name: str) -> None:
        """A name of the global scope: in the pages of its module, and in those of modules that import it."""
        if name in self.shared.setdefault(module, set()):
            if module.path in self._exports.get(name, ()):
                return
        self.shared[module].add(name)
        self._export(module, name)
        self._asked.discard(name)
        self._look(module, name)
        stem = self._stem(module.path)
        for other in tuple(self.shared):
            if other is not module:
                for i in other.outline.imports:
                    if i.name in {name, "*", "", stem}:
                        self._import(other, i.local, i.module, i.level, i.name)
        for other, number, names in self._importing:  # a function that imports it, or its module, for itself
            if (name in names or _spells(names, name, stem)) and other is not module:
                self._queue[other, number] = None

    def _attribute(self, name: str, only: Module | None = None, owner: Class | None = None) -> None:
        """A name behind a dot: of instances of `owner`, of any object, or, with `only`, of an imported module in one other."""
        if name.startswith("__"):
            return
        if only is not None:
            if f".{name}" not in self.shared[only]:
                self.shared[only].add(f".{name}")
                self._look(only, f".{name}")
            return
        near = {"*"} if owner is None else self.project.kept(("near", owner), lambda: self._near(owner))
        known = self._attributed.setdefault(name, set())
        if not near <= known and "*" not in known:
            known |= near
            for module in tuple(self._names):
                if owner is None or module.path in near:
                    self._look(module, f".{name}")

    def _near(self, owner: Class) -> set[str]:
        """The files that can have an instance of a class: they state it, or a base of it or what derives from it, or import one of these or from there."""
        family = family_of(self.project, owner)
        modules = {path.rpartition("/")[2].removesuffix(".py") for path in family.values()}
        return {*family.values(), *self.project.triage.importing((*family, *modules))}

    def _attributes_in(self, module: Module) -> set[str]:
        return {f".{name}" for name, files in self._attributed.items() if "*" in files or module.path in files}

    @property
    def attributes(self) -> Collection[str]:
        """The names that are looked for behind a dot."""
        return self._attributed.keys()

    def _uses(self, module: Module, page: int, words: frozenset[str]) -> bool:
        """Whether a page that names `words` does more than use a part of a library that has nothing to do with processes (`joblib.load`)."""
        if not words or not words <= self._modules.get(module, set()):
            return bool(words)
        code = module.page_code(page)
        return any(not part or part in self.vocabulary.members for word in words for part in re.findall(rf"(?<![\w.]){word}\b(?:\.(\w+))?", code))

    def _look(self, module: Module, name: str) -> None:
        for number, names in enumerate(self._names.get(module, ())):
            if name in names and self._uses(module, number, frozenset({name})):
                self._queue[module, number] = None


def _paired(target: f.Expr, value: f.Expr | None) -> Iterator[tuple[f.Expr, f.Expr | None]]:
    """What is assigned to what: item by item where both sides are written out."""
    if isinstance(target, f.Sequence) and isinstance(value, f.Sequence) and len(target.items) == len(value.items):
        if not any(isinstance(item, f.Star) for item in (*target.items, *value.items)):
            yield from zip(target.items, value.items)
            return
    yield target, value


def _own_name(module: Module, page: int) -> str:
    """The name by which the function of a page is called; "" for none, and for one that others have by chance."""
    name = module.outline.pages[page].name.rpartition(".")[2]
    return name if len(name) > 2 and not name.startswith("__") else ""


_GIVEN = re.compile(r"(?:\b(?:await|return|yield)\s+|[(\[,*]\s*|\)\.)([\w.]+)(?=\()")


def _awaits(text: str, names: set[str] | frozenset[str]) -> bool:
    """Whether a source awaits, returns or passes on the result of something that is called by one of `names`."""
    return any(called in names or called[called.rfind(".") :] in names for called in _GIVEN.findall(text))


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


def _spells(names: frozenset[str], word: str, stem: str) -> bool:
    """Whether a page names a module by its `stem`, and a word of it behind a dot."""
    return f".{word}" in names and (stem in names or f".{stem}" in names)
