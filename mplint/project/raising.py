"""What leaves a function by other ways than returning: exceptions that are written out somewhere below it, and the end of the process.

Followed are `raise`, `assert`, `sys.exit()` and its like through the calls of the project's functions, minding the handlers around
them.  What operators and library functions raise by themselves is not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, Mapping, NamedTuple

from mplint import facts as f
from mplint.finding import Site, Step
from mplint.project.hierarchy import builtin_class, find_method
from mplint.project.modules import CallSite, Class, Function
from mplint.project.flow.nodes import constant
from mplint.project.switches import is_switched_off
from mplint.project.values import External, Instance, Partial, Unknown, Value, elements

if TYPE_CHECKING:
    from mplint.project import Project

DEPTH = 6
"""Longest way of calls that is followed when the question does not say: what is raised farther below is handled by whoever knows, or not meant."""

MANY = 40
"""Most escapes kept for one function."""

CANDIDATES = 4
"""A call that may be of more functions than that says nothing about what it raises."""


_EXCEPTION = External("builtins.Exception")


class Escape(NamedTuple):
    """One way out of a function.

    `thrown` is the exception class (Unknown when it does not resolve) and `names` all library classes among its ancestors, itself
    included.  `how`: "raise" (written out), "again" (a handler passes on what it caught), "assert", "exit" (`sys.exit`), or "end" (the
    process ends at once, `os._exit`).  `row` is the raise, assert or call at `site`, `because` are the calls that lead there, and `via` is the
    row of the function that was asked about: the first of these calls, or `row` itself.
    """

    thrown: Value
    names: frozenset[str]
    how: str
    site: Site
    function: Function
    row: f.Row
    via: f.Row
    because: tuple[Step, ...] = ()

    @property
    def is_exception(self) -> bool:
        """Whether `except Exception` catches it for certain."""
        return "builtins.Exception" in self.names

    @property
    def is_exit(self) -> bool:
        """Whether it is a BaseException that `except Exception` does not catch, or the end of the process."""
        return self.how == "end" or ("builtins.BaseException" in self.names and not self.is_exception)

    def is_near(self, function: Function) -> bool:
        """Whether it is raised in `function` or in one of the same file that it calls: farther off, the conditions are somebody else's."""
        return not self.because or (len(self.because) == 1 and self.function.path == function.path)

    @property
    def title(self) -> str:
        """How people call what is thrown, "" when it does not resolve."""
        thrown = self.thrown
        return thrown.name.rpartition(".")[2] if isinstance(thrown, (Class, External)) else ""


def escapes(project: Project, function: Function, depth: int) -> tuple[Escape, ...]:
    """All that can leave `function` (when called and, if it is a coroutine function, awaited), down to `depth` calls.  Not memoised: `Project.escapes` is."""
    found: dict[tuple[Value, Site], Escape] = {}
    for escape in _Walk(project, function, depth).block(function.facts.body, {}):
        known = found.get((escape.thrown, escape.site))
        if known is None or len(escape.because) < len(known.because):
            found[escape.thrown, escape.site] = escape
    return tuple(found.values())[:MANY]


def catches(project: Project, function: Function, handler: f.Handler, escape: Escape) -> bool:
    """Whether a handler takes an escape; where its classes do not resolve it is taken to."""
    if escape.how == "end":
        return False
    if handler.types is None:
        return True
    for kind in caught_classes(project, function, handler):
        if isinstance(kind, Class):
            if isinstance(escape.thrown, Class) and kind in project.mro(escape.thrown):
                return True
        elif isinstance(kind, External):
            real = builtin_class(kind.name)
            name = f"builtins.{real.__name__}" if real is not None else project.table.canonical(kind.name)
            if name in escape.names or name == "builtins.BaseException" or ("?" in escape.names and (real is None or name == "builtins.Exception")):
                return True
        else:
            return True
    return False


def caught_classes(project: Project, function: Function, handler: f.Handler) -> tuple[Value, ...]:
    """The classes that a handler names, as values; () for a bare `except`."""
    if handler.types is None:
        return ()
    out: list[Value] = []
    for value in project.values(handler.types, function):
        inner = elements((value,))
        out.extend(inner or (value,))
    return tuple(dict.fromkeys(out)) or (Unknown("handler"),)


def never_returns(project: Project, function: Function) -> bool:
    """Whether a call of `function` always ends in an exception or the end of the process, as far as that is written out."""
    if function.facts.is_generator:
        return False
    avoiding = [site.call for site in function.calls if _never_returns(project, site)]
    return not function.graph.exits(avoiding=avoiding) & {"fall", "return"}


def _never_returns(project: Project, site: CallSite) -> bool:
    if ending(project, site) is not None:
        return True
    callees = project.callees(site)
    return bool(callees) and all(project.never_returns(callee) for callee in callees)


def ending(project: Project, site: CallSite) -> str | None:
    """What a call that ends the process raises ("" when it ends at once); None for every other call."""
    if not isinstance(site.call.func, (f.Name, f.Attr)):
        return None
    row = project.table.api(project.external(site.call.func, site.function))
    return row.raises if row is not None and "exit" in row.does else None


class _Walk:
    """The walk through one function."""

    def __init__(self, project: Project, function: Function, depth: int) -> None:
        self.project, self.function, self.depth = project, function, depth
        self.forks = function.spells("fork") and any(project.external(site.call.func, function) in {"os.fork", "os.forkpty"} for site in function.calls)

    def block(self, steps: tuple[f.Step, ...], caught: Mapping[str, tuple[Escape, ...]]) -> Iterator[Escape]:
        """What leaves a block; `caught` has what the handlers around it took, by their names and, the innermost, under ""."""
        for step in steps:
            yield from self.step(step, caught)
            if isinstance(step, (f.Raise, f.Return)) or (isinstance(step, f.Jump) and step.kind != "pass"):
                return

    def step(self, step: f.Step, caught: Mapping[str, tuple[Escape, ...]]) -> Iterator[Escape]:
        if isinstance(step, (f.FunctionFacts, f.ClassFacts)):
            return
        if isinstance(step, f.Raise):
            yield from self.expressions(step.exc, step.cause)
            yield from self.raised(step, caught)
        elif isinstance(step, f.Assert):
            yield from self.expressions(step.test)
            if constant(step.test) is not True:
                yield self.escape(External("builtins.AssertionError"), "assert", step)
        elif isinstance(step, f.Try):
            yield from self.tried(step, caught)
        elif isinstance(step, f.With):
            yield from self.entered(step, caught)
        elif isinstance(step, (f.If, f.While)):
            yield from self.expressions(step.test)
            known = constant(step.test)
            if known is not False:
                yield from self.block(step.body, caught)
            if known is not True:
                yield from self.block(step.orelse, caught)
        elif isinstance(step, f.For):
            yield from self.expressions(step.source)
            yield from self.block(step.body, caught)
            yield from self.block(step.orelse, caught)
        elif isinstance(step, f.Match):
            yield from self.expressions(step.subject)
            for case in step.cases:
                yield from self.expressions(case.guard)
                yield from self.block(case.body, caught)
        else:
            yield from self.expressions(step)

    def tried(self, step: f.Try, caught: Mapping[str, tuple[Escape, ...]]) -> Iterator[Escape]:
        rest = list(self.block(step.body, caught))
        out: list[Escape] = []
        for handler in step.handlers:
            taken = tuple(e for e in rest if catches(self.project, self.function, handler, e))
            rest = [e for e in rest if e not in taken]
            again = taken or tuple(self.implied(handler))
            out.extend(self.block(handler.body, {**caught, "": again, **({handler.name: again} if handler.name else {})}))
        out = [*rest, *out, *self.block(step.orelse, caught)]
        if step.final and "fall" not in self.function.graph.ways_out(step.final):
            out = [e for e in out if e.how == "end"]
        yield from out
        yield from self.block(step.final, caught)

    def implied(self, handler: f.Handler) -> Iterator[Escape]:
        """What a handler is there for when nothing written out below its try explains it; one for everything is there for exceptions."""
        kinds: tuple[Value, ...] = caught_classes(self.project, self.function, handler) if handler.types is not None else (_EXCEPTION,)
        for kind in kinds:
            yield self.escape(_EXCEPTION if kind == External("builtins.BaseException") else kind, "again", handler)

    def entered(self, step: f.With, caught: Mapping[str, tuple[Escape, ...]]) -> Iterator[Escape]:
        inside = list(self.block(step.body, caught))
        for item in step.items:
            yield from self.expressions(item.value)
            called = item.value.func if isinstance(item.value, f.Call) else None
            if called is not None and self.project.external(called, self.function) == "contextlib.suppress" and isinstance(item.value, f.Call):
                types = f.Sequence(item.value.at, "tuple", tuple(a.value for a in item.value.args))
                handler = f.Handler(item.value.at, types, "", ())
                inside = [e for e in inside if not catches(self.project, self.function, handler, e)]
            for value in self.project.values(item.value, self.function):
                if isinstance(value, Instance) and isinstance(value.cls, Class):
                    leave = find_method(self.project, value.cls, "__exit__")
                    if isinstance(leave, Function) and _may_swallow(leave):
                        inside = [e for e in inside if e.how == "end"]
                    for method in (find_method(self.project, value.cls, "__enter__"), leave):
                        if isinstance(method, Function):
                            yield from self.through(method, item.value)
        yield from inside

    def expressions(self, *rows: f.Row | None) -> Iterator[Escape]:
        for row in f.walk(*(r for r in rows if r is not None)):
            if isinstance(row, f.Call):
                yield from self.called(CallSite(self.function, row))

    def called(self, site: CallSite) -> Iterator[Escape]:
        raises = ending(self.project, site)
        if raises is not None:
            if raises:
                yield self.escape(External(raises), "exit", site.call)
            elif not self.forks:  # there it is the child that ends
                yield self.escape(Unknown("end"), "end", site.call)
            return
        callees = self.project.callees(site) if self.depth else ()
        if len(callees) > CANDIDATES:
            return
        partial = any(isinstance(value, Partial) for value in self.project.values(site.call.func, self.function)) if callees else False
        for callee in callees:
            if self.runs(callee, site.call):
                yield from self.through(callee, site.call, None if partial else site.call)

    def runs(self, callee: Function, call: f.Call) -> bool:
        """Whether the body of `callee` runs here and now and is not one that subclasses replace."""
        if _is_placeholder(callee):
            return False
        parent = self.function.parent(call)
        if callee.facts.is_generator:
            return isinstance(parent, (f.For, f.With, f.Comprehension)) or (isinstance(parent, f.Yield) and parent.is_from)
        return not callee.facts.is_async or isinstance(parent, f.Await)

    def through(self, callee: Function, row: f.Row, call: f.Call | None = None) -> Iterator[Escape]:
        """What leaves `callee` here; `call` is what calls it, where all that it is given is written there."""
        if not self.depth:
            return
        step = Step(self.function.site(row), f"`{self.function.name}` calls `{callee.qualname}`")
        for escape in self.project.escapes(callee, self.depth - 1):
            if call is None or not is_switched_off(callee, escape.via, call):
                yield escape._replace(because=(step, *escape.because), via=row)

    def raised(self, step: f.Raise, caught: Mapping[str, tuple[Escape, ...]]) -> Iterator[Escape]:
        exc = step.exc
        if exc is None or (isinstance(exc, f.Name) and exc.id in caught):
            for escape in caught.get(exc.id if isinstance(exc, f.Name) else "", ()):
                yield escape if escape.how != "again" else self.escape(escape.thrown, "again", step)
            return
        for value in dict.fromkeys(_class_of(v) for v in self.project.values(exc, self.function)) or (Unknown("raised"),):
            yield self.escape(value, "raise", step)

    def escape(self, thrown: Value, how: str, row: f.Row) -> Escape:
        names = self.project.ancestry(thrown) if isinstance(thrown, (Class, External)) else frozenset({"?"})
        return Escape(thrown, names, how, self.function.site(row), self.function, row, row)


def _class_of(value: Value) -> Value:
    if isinstance(value, Instance):
        return value.cls
    return value if isinstance(value, (Class, External)) else Unknown("raised")


def _is_placeholder(function: Function) -> bool:
    """Whether a method only says that subclasses must define it."""
    body = function.facts.body
    return all(isinstance(s, f.Raise) and "NotImplemented" in f.dotted(s.exc.func if isinstance(s.exc, f.Call) else s.exc) for s in body)


def _may_swallow(leave: Function) -> bool:
    """Whether an `__exit__` may return something true."""
    return any(isinstance(r, f.Return) and r.value is not None and not (isinstance(r.value, f.Const) and not r.value.value) for r in leave.rows)
