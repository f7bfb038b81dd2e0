"""Linked views over facts: a module, the functions and classes in it, the calls of a function.

Each view is made once for its definition, so identity is equality and views can be keys.  Nothing is lowered before it is
asked for.
"""

from __future__ import annotations

from typing import Callable, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Site
from mplint.facts.outline import ClassOutline, Outline, Page
from mplint.project.flow import Ending, Graph, graph_of
from mplint.source import Lines, Source, digest_of
from mplint.source.look import Look
from mplint.source.words import code_of, names_in, without_remarks

Lower = Callable[[str, int], tuple[f.Step, ...]]
"""Facts of page `number` of the module at `path`; () where it cannot be read."""


_ENDINGS: dict[str, Ending] = {"sys.exit": "raise", "os._exit": "stop", "os.abort": "stop", "posix._exit": "stop"}


class CallSite(NamedTuple):
    """A call and the function in whose own body it stands."""

    function: Function
    call: f.Call

    @property
    def site(self) -> Site:
        return self.function.site(self.call)

    @property
    def ancestors(self) -> tuple[f.Row, ...]:
        return self.function.ancestors(self.call)


class Function:
    """A function, method, lambda or the code of a module (`is_module`), with its place in the project."""

    def __init__(
        self, module: Module, facts: f.FunctionFacts | None, qualname: str, owner: Class | None = None, outer: Function | None = None, page: int | None = None
    ) -> None:
        self.module, self.qualname, self.owner, self.outer = module, qualname, owner, outer
        self._facts, self._page = facts, page
        self._parents: dict[int, f.Row] | None = None
        self._rows: tuple[f.Row, ...] | None = None
        self._calls: tuple[CallSite, ...] | None = None
        self._inner: tuple[Function, ...] | None = None
        self._all_nested: tuple[Function, ...] | None = None
        self._graph: Graph | None = None

    def __repr__(self) -> str:
        return f"<Function {self.module.name}.{self.qualname}>"

    @property
    def facts(self) -> f.FunctionFacts:
        """The rows of the function; what has pages of its own is read when somebody asks for it."""
        if self._facts is None:
            self._facts = self.module.code() if self._page is None else self.module.defined_on(self._page)
        return self._facts

    @property
    def name(self) -> str:
        return self.facts.name if self._facts is not None else self.qualname.rpartition(".")[2]

    @property
    def decorators(self) -> tuple[f.Expr, ...]:
        """Outermost first."""
        return () if self._page is not None and not self.module.outline.pages[self._page].decorators else self.facts.decorators

    @property
    def _decorated(self) -> tuple[str, ...]:
        """The names of the decorators."""
        return self.module.outline.pages[self._page].decorators if self._page is not None else tuple(map(f.dotted, self.facts.decorators))

    @property
    def is_module(self) -> bool:
        return self.qualname == "<module>"

    @property
    def path(self) -> str:
        return self.module.path

    def spells(self, *words: str) -> bool:
        """Whether one of `words` stands in the source of this function, or of what is on the same page."""
        pages = self.module.acting_pages() if self.is_module else (self.facts.at >> f.PAGE_BITS,)
        return any(self.module.holds(page, *words) for page in pages)

    def site(self, row: f.Row | None = None) -> Site:
        """The site of a row of this function; its own without one."""
        return Site(self.module.path, (self.facts if row is None else row).at)

    @property
    def graph(self) -> Graph:
        """The control flow of the body."""
        if self._graph is None:
            self._graph = graph_of(self.facts, ends=self.module.ending)
        return self._graph

    @property
    def is_static(self) -> bool:
        return self.owner is not None and "staticmethod" in self._decorated

    @property
    def is_class_method(self) -> bool:
        return self.owner is not None and "classmethod" in self._decorated

    @property
    def is_property(self) -> bool:
        return self.owner is not None and any(
            name.rpartition(".")[2] in {"property", "cached_property", "lazy_property", "classproperty"} for name in self._decorated
        )

    @property
    def receiver(self) -> str:
        """The name of the first parameter of a method ("self"), "" where there is none."""
        if self.owner is None or self.is_static or not self.facts.params or self.outer is not self.owner.outer:
            return ""
        first = self.facts.params[0]
        return first.name if first.kind in {"positional", "positional-only"} else ""

    @property
    def rows(self) -> tuple[f.Row, ...]:
        """The rows of the body in source order; nested functions, lambdas and classes are among them, what is inside those is not."""
        if self._rows is None:
            self._rows = tuple(f.walk(*self.facts.body))
        return self._rows

    @property
    def calls(self) -> tuple[CallSite, ...]:
        """The calls of the body in source order; those of nested functions and lambdas are theirs."""
        if self._calls is None:
            self._calls = tuple(CallSite(self, row) for row in self.rows if isinstance(row, f.Call))
        return self._calls

    def parameter(self, expr: f.Expr | None) -> f.Param | None:
        """The parameter whose name an expression is."""
        return next((p for p in self.facts.params if p.name == expr.id), None) if isinstance(expr, f.Name) else None

    def has_parameter(self, expr: f.Expr | None) -> bool:
        """Whether an expression is the name of one of the parameters."""
        return self.parameter(expr) is not None

    def calls_in(self, *steps: f.Row) -> Iterator[CallSite]:
        """Those of `calls` that stand in these steps."""
        inside = {id(row) for row in f.walk(*steps) if isinstance(row, f.Call)}
        return (site for site in self.calls if id(site.call) in inside)

    @property
    def inner(self) -> tuple[Function, ...]:
        """Functions and lambdas defined directly in the body; of several with one name, all."""
        if self._inner is None:
            self._inner = tuple(
                self.view(row) if isinstance(row, f.FunctionFacts) else self.module.view(row.function, self._below("<lambda>"), None, self)
                for row in self.rows
                if isinstance(row, (f.FunctionFacts, f.Lambda))
            )
        return self._inner

    def view(self, row: f.FunctionFacts) -> Function:
        """The view of a function that is defined in the body."""
        return self.module.view(row, self._below(row.name), None, None if self.is_module else self)

    def _below(self, name: str) -> str:
        return name if self.is_module else f"{self.qualname}.{name}"

    def all_nested(self) -> tuple[Function, ...]:
        """Every function inside, at any depth, those of local classes too."""
        if self._all_nested is None:
            out: list[Function] = []
            for function in self.inner:
                out += (function, *function.all_nested())
            for row in self.rows:
                if isinstance(row, f.ClassFacts):
                    for method in self.module.local_class(row, self).methods():
                        out += (method, *method.all_nested())
            self._all_nested = tuple(out)
        return self._all_nested

    def _parent_map(self) -> dict[int, f.Row]:
        if self._parents is None:
            parents: dict[int, f.Row] = {}
            stack: list[f.Row] = [self.facts]
            while stack:
                row = stack.pop()
                for child in f.children(row):
                    parents[id(child)] = row
                    if not isinstance(child, (f.FunctionFacts, f.ClassFacts)):
                        stack.append(child)
            self._parents = parents
        return self._parents

    def parent(self, row: f.Row) -> f.Row | None:
        """The row directly around `row`; None for a step of the body."""
        found = self._parent_map().get(id(row))
        return None if found is self.facts else found

    def ancestors(self, row: f.Row) -> tuple[f.Row, ...]:
        """The rows around `row` in this function, outermost first."""
        parents = self._parent_map()
        out: list[f.Row] = []
        current = parents.get(id(row))
        while current is not None and current is not self.facts:
            out.append(current)
            current = parents.get(id(current))
        return tuple(reversed(out))


class Class:
    """A class statement, with its methods and class-level assignments."""

    def __init__(self, module: Module, facts: f.ClassFacts, qualname: str, outer: Function | None = None) -> None:
        self.module, self.facts, self.qualname, self.outer = module, facts, qualname, outer
        self.outline: ClassOutline | None = None if outer is not None else module.outline.classes.get(qualname)

    def __repr__(self) -> str:
        return f"<Class {self.module.name}.{self.qualname}>"

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def path(self) -> str:
        return self.module.path

    def site(self) -> Site:
        return Site(self.module.path, self.facts.at)

    def method_names(self) -> tuple[str, ...]:
        if self.outline is not None and not self.facts.body:
            return tuple(self.outline.methods)
        return tuple(dict.fromkeys(s.name for s in self._local_steps() if isinstance(s, f.FunctionFacts)))

    def _local_steps(self) -> Iterator[f.Step]:
        for step in self.facts.body:
            if isinstance(step, (f.FunctionFacts, f.ClassFacts)):
                yield step
            else:
                yield from (row for row in f.walk(step) if isinstance(row, (f.Assign, f.FunctionFacts)))

    def method(self, name: str) -> Function | None:
        """The last definition of a method in this very class."""
        if self.outline is not None and not self.facts.body:
            for page in reversed(self.outline.methods.get(name, ())):
                if self.module.outline.pages[page].kind == "function":
                    return self.module.of_page(page, self)
                for row in f.walk(*self.module.steps(page)):
                    if isinstance(row, f.FunctionFacts) and row.name == name:
                        return self.module.view(row, f"{self.qualname}.{name}", self, self.outer)
            return None
        found = [s for s in self._local_steps() if isinstance(s, f.FunctionFacts) and s.name == name]
        return self.module.view(found[-1], f"{self.qualname}.{name}", self, self.outer) if found else None

    def may_have_property(self, name: str) -> bool:
        """Whether a definition of `name` in this very class may be decorated as a property, by its text."""
        if self.outline is None or self.facts.body:
            return name in self.method_names()
        return any(self.module.holds(page, "property") for page in self.outline.methods.get(name, ()))

    def methods(self) -> Iterator[Function]:
        for name in self.method_names():
            method = self.method(name)
            if method is not None:
                yield method

    def methods_mentioning(self, *words: str) -> Iterator[Function]:
        """The methods whose source holds one of `words`; the others are not even read."""
        return self._methods_on(lambda page: self.module.holds(page, *words))

    def methods_where(self, wanted: Callable[[str], object], *names: str) -> Iterator[Function]:
        """The methods whose source `wanted` says yes to, which depends on the lines with one of `names`; the others are not even read."""
        self.module.look.near.update(names)
        return self._methods_on(lambda page: wanted(self.module.skim(page)))

    def _methods_on(self, wanted: Callable[[int], object]) -> Iterator[Function]:
        if self.outline is None or self.facts.body:
            yield from self.methods()
            return
        for name, pages in self.outline.methods.items():
            if any(map(wanted, pages)):
                method = self.method(name)
                if method is not None:
                    yield method

    def assigned(self, name: str) -> tuple[f.Assign, ...]:
        """Class-level statements that assign `name`, annotations without a value included."""
        return tuple(step for step in self.assigns(name))

    def assigns(self, name: str = "") -> Iterator[f.Assign]:
        """Class-level assignments in source order, all of them or those of `name`."""
        steps: Iterator[f.Step]
        if self.outline is not None and not self.facts.body:
            pages = dict.fromkeys(p for n, ps in self.outline.names.items() if not name or n == name for p in ps)
            steps = (row for page in sorted(pages) for row in f.walk(*self.module.steps(page)))
        else:
            steps = self._local_steps()
        for row in steps:
            if isinstance(row, f.Assign) and (not name or any(isinstance(t, f.Name) and t.id == name for t in row.targets)):
                yield row


class Module:
    """A file of the project.  `name` is dotted; a package's `__init__` has the package's name and `is_package`."""

    def __init__(self, name: str, is_package: bool, source: Source, look: Look, contents: Callable[[Source], Outline], lower: Lower) -> None:
        self.path, self.name, self.is_package, self._source, self.look = source.path, name, is_package, source, look
        self._contents, self._lower = contents, lower
        self._outline: Outline | None = None
        self._steps: dict[int, tuple[f.Step, ...]] = {}
        self._views: dict[int, Function] = {}
        self._functions: dict[int, Function] = {}
        self._classes: dict[str, Class | None] = {}
        self._local: dict[int, Class] = {}
        self._body: Function | None = None

    def __repr__(self) -> str:
        return f"<Module {self.name}>"

    @property
    def lines(self) -> Lines:
        return self._source.lines

    @property
    def outline(self) -> Outline:
        """The table of contents, made when it is first asked for."""
        if self._outline is None:
            self._outline = self._contents(self._source)
        return self._outline

    @property
    def is_read(self) -> bool:
        """Whether anybody has asked what is in it."""
        return self._outline is not None

    @property
    def package(self) -> str:
        return self.name if self.is_package else self.name.rpartition(".")[0]

    def ending(self, call: f.Call) -> Ending:
        """What a call never returns by, judged by the names that the module imports: "raise" for `sys.exit`, "stop" for `os._exit`."""
        name = f.dotted(call.func)
        if not name:
            return ""
        head, _, rest = name.partition(".")
        for imported in self.outline.imports:
            if imported.local == head:
                full = ".".join(p for p in (imported.module, imported.name, rest) if p)
                return _ENDINGS.get(full, "")
        return "raise" if name in {"exit", "quit"} else ""

    def steps(self, page: int) -> tuple[f.Step, ...]:
        if page not in self._steps:
            self.look.read.add(page)
            self._steps[page] = self._lower(self.path, page)
        return self._steps[page]

    def _text(self, page: int) -> str:
        where: Page = self.outline.pages[page]
        return self._source.between(where.first, where.last)

    def page_code(self, page: int) -> str:
        """The code of a page, without docstring and remarks; all of it counts from now on: an edit of it means another look at everything."""
        self.look.read.add(page)
        return code_of(without_remarks(self._text(page)))

    def holds(self, page: int, *words: str) -> bool:
        """Whether the text of a page has one of `words`."""
        self.look.held.update(words)
        text = self._text(page)
        return any(word in text for word in words)

    def names(self, page: int) -> frozenset[str]:
        """The words in the code of a page (see `names_in`), of which those count that are in `Sources.sought`, where the caller adds what it looks for."""
        self.look.named = True
        return names_in(code_of(self._text(page)))

    def skim(self, page: int) -> str:
        """The text of a page, for a question whose answer depends on nothing but the lines with a name that the caller adds to `look.near`, and
        those behind these."""
        return self._text(page)

    def page_digest(self, page: int) -> bytes:
        """Names all that the facts of a page depend on: its number, its kind and its text, wherever in the file it stands."""
        where = self.outline.pages[page]
        return digest_of(f"{page} {where.kind} {where.indent}\n{self._text(page)}".encode("utf-8", "surrogatepass"))

    def view(self, facts: f.FunctionFacts, qualname: str, owner: Class | None = None, outer: Function | None = None) -> Function:
        """The one view of a function of this module."""
        key = id(facts)
        if key not in self._views:
            page = facts.at >> f.PAGE_BITS
            if outer is None and self.outline.pages[page].kind == "function" and self.defined_on(page) is facts:
                return self.of_page(page, owner)
            self._views[key] = Function(self, facts, qualname, owner, outer)
        return self._views[key]

    def of_page(self, number: int, owner: Class | None = None) -> Function:
        """The one view of the function that a page holds; nothing is read for it."""
        if number not in self._functions:
            qualname = self.outline.pages[number].name
            head = qualname.rpartition(".")[0]
            self._functions[number] = Function(self, None, qualname, owner or (self.class_(head) if head else None), None, number)
        return self._functions[number]

    def defined_on(self, number: int) -> f.FunctionFacts:
        """The rows of the function that a page holds, an empty one where it cannot be read."""
        found = next((row for row in f.walk(*self.steps(number)) if isinstance(row, f.FunctionFacts)), None)
        return found or f.FunctionFacts(number << f.PAGE_BITS, self.outline.pages[number].name.rpartition(".")[2], (), ())

    def local_class(self, facts: f.ClassFacts, outer: Function) -> Class:
        """The view of a class defined inside a function."""
        if outer.is_module:
            found = self.class_(facts.name)
            if found is not None and found.facts is facts:
                return found
        if id(facts) not in self._local:
            self._local[id(facts)] = Class(self, facts, outer._below(facts.name), None if outer.is_module else outer)
        return self._local[id(facts)]

    def function(self, qualname: str) -> Function | None:
        """The last definition of a function or method, by dotted name."""
        head, _, last = qualname.rpartition(".")
        if head:
            cls = self.class_(head)
            return cls.method(last) if cls is not None else None
        for page in reversed(self.outline.functions.get(qualname, ())):
            if self.outline.pages[page].kind == "function":
                return self.of_page(page)
            for row in f.walk(*self.steps(page)):
                if isinstance(row, f.FunctionFacts) and row.name == qualname:
                    return self.view(row, qualname, None, None)
        return None

    def functions_named(self, name: str) -> Iterator[Function]:
        """Every module-level definition of `name` (a function may be defined twice under an `if`)."""
        for page in self.outline.functions.get(name, ()):
            if self.outline.pages[page].kind == "function":
                yield self.of_page(page)
                continue
            for row in f.walk(*self.steps(page)):
                if isinstance(row, f.FunctionFacts) and row.name == name:
                    yield self.view(row, name, None, None)

    def class_(self, qualname: str) -> Class | None:
        if qualname not in self._classes:
            self._classes[qualname] = None
            outline = self.outline.classes.get(qualname)
            pages = (outline.head,) if outline is not None else self.outline.names.get(qualname, ())
            for page in pages:
                for row in self._class_rows(self.steps(page)):
                    if row.name == qualname.rpartition(".")[2]:
                        self._classes[qualname] = Class(self, row, qualname)
        return self._classes[qualname]

    def _class_rows(self, steps: tuple[f.Step, ...]) -> Iterator[f.ClassFacts]:
        """The class statements of a page, those inside classes too."""
        for row in f.walk(*steps):
            if isinstance(row, f.ClassFacts):
                yield row
                yield from self._class_rows(row.body)

    def classes(self) -> Iterator[Class]:
        """The classes of the module level and those nested in them."""
        for name in self.outline.classes:
            cls = self.class_(name)
            if cls is not None:
                yield cls

    def classes_named(self, name: str) -> Iterator[Class]:
        """The classes of the module level, and those nested in them, whose own name this is."""
        for qualname in self.outline.classes:
            cls = self.class_(qualname) if qualname.rpartition(".")[2] == name else None
            if cls is not None:
                yield cls

    @property
    def body(self) -> Function:
        """The code that importing or running the module executes: the statements that call something, as one function."""
        if self._body is None:
            self._body = Function(self, None, "<module>")
        return self._body

    def acting_pages(self) -> tuple[int, ...]:
        """The pages of `body`."""
        return tuple(n for n, page in enumerate(self.outline.pages) if (page.kind == "step" and not page.indent and page.acts) or page.kind == "module")

    def code(self) -> f.FunctionFacts:
        """The rows of `body`."""
        steps = tuple(step for page in self.acting_pages() for step in self.steps(page))
        return f.FunctionFacts(steps[0].at if steps else 0, "<module>", (), steps)

    def functions(self, *words: str) -> Iterator[Function]:
        """The module body, then every function, method and nested function; with `words` those whose page (one of whose pages) holds one of them."""
        return self._functions_on((lambda page, owner: self.holds(page, *words)) if words else None)

    def functions_where(self, wanted: Callable[[str, str], object], *names: str) -> Iterator[Function]:
        """Those to whose page `wanted` says yes, by its text and the name of its class ("" outside of classes), which depends on the lines with one of
        `names`."""
        self.look.near.update(names)
        return self._functions_on(lambda page, owner: wanted(self.skim(page), owner))

    def _functions_on(self, wanted: Callable[[int, str], object] | None) -> Iterator[Function]:
        if wanted is None or any(wanted(number, "") for number in self.acting_pages()):
            yield self.body
            yield from self.body.all_nested()  # also all there is in a module of one page
        for number, page in enumerate(self.outline.pages):
            if page.kind in {"function", "block", "module"} or (page.kind == "step" and page.indent):
                if wanted is None or wanted(number, page.name.rpartition(".")[0] if page.kind == "function" else page.name):
                    yield from self.functions_on(number)

    def functions_on(self, number: int) -> Iterator[Function]:
        """The functions of one page, nested ones too; those of the module body are not repeated."""
        page: Page = self.outline.pages[number]
        if page.kind == "function":
            yield self.of_page(number)
            yield from self.of_page(number).all_nested()
        elif page.kind == "step" and page.indent:
            owner = self.class_(page.name) if page.name else None
            for row in f.walk(*self.steps(number)):
                if isinstance(row, f.FunctionFacts):
                    view = self.view(row, f"{owner.qualname}.{row.name}" if owner else row.name, owner, None)
                    yield view
                    yield from view.all_nested()
        elif page.kind == "block":
            cls = self.class_(page.name)
            for method in cls.methods() if cls is not None else ():
                yield method
                yield from method.all_nested()
