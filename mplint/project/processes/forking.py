"""Where processes are made that start as copies of their parent, and what happens before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Step
from mplint.project.importing import is_beside, is_offered, is_test
from mplint.project.modules import CallSite, Function, Module
from mplint.project.values import Instance, Literal, Unknown
from mplint.source.words import called_in

if TYPE_CHECKING:
    from mplint.project import Project

WIDE = 200
"""Functions that are followed from one place to the making of a process."""

CALLERS = 3
"""Levels of callers that are asked what they do afterwards."""

LEVELS = 4
"""Longest way of calls to the making of a process that is followed."""

Creation = tuple[tuple[Step, ...], CallSite]
"""The call that makes a pool or process, and the calls that lead there."""


def made_after(project: Project, site: CallSite) -> Iterator[Creation]:
    """The processes that begin once a call is done: made later in the same function, or made before and started later, made in its callers, or in
    methods of the object that it makes ready."""
    if not _makers(project):
        return
    level: list[tuple[Function, f.Row, tuple[Step, ...]]] = [(site.function, site.call, ())]
    seen: set[Function] = set()
    for _ in range(CALLERS):
        following: list[tuple[Function, f.Row, tuple[Step, ...]]] = []
        for function, row, way in level:
            if function in seen:
                continue
            seen.add(function)
            for more, creation in (*_after(project, function, row), *_afterwards(project, function)):
                yield (*way, *more), creation
            for caller in project.callers(function):
                following.append((caller.function, caller.call, (Step(caller.site, f"`{caller.function.name}` calls `{function.qualname}`"), *way)))
        level = following


def _afterwards(project: Project, function: Function) -> Iterator[Creation]:
    """What the other methods of an object lead to that `function` makes ready."""
    if function.owner is not None and function.name in {"__init__", "__post_init__", "__enter__"}:
        for method in function.owner.methods():
            if method is not function:
                yield from leading(project, method)


def _after(project: Project, function: Function, row: f.Row) -> Iterator[Creation]:
    makers, names = _makers(project), _names(project)
    made = makers.get(function, ())
    for site in function.calls:
        name = f.last_name(site.call.func)
        if site.call is row or not (site in made or name in names or (made and name == "start")) or not function.graph.reaches(row, site.call):
            continue
        if site in made:
            yield (), site
            continue
        if name == "start":
            for creation in _waiting(project, site, made):
                if not function.graph.reaches(row, creation.call):
                    yield (Step(site.site, "a process that was made before starts here, as a copy of its parent"),), creation
        for callee in project.callees(site):
            for steps, creation in leading(project, callee):
                yield (Step(site.site, f"`{function.name}` calls `{callee.qualname}`"), *steps), creation


def _waiting(project: Project, start: CallSite, made: tuple[CallSite, ...]) -> Iterator[CallSite]:
    """Which of `made` a call of `start` sets going."""
    for use in project.uses_at(start, "start"):
        yield from (site for site in made if use.receiver is not None and use.receiver.made == site.site)


def leading(project: Project, start: Function) -> tuple[Creation, ...]:
    """The creations of processes that a call of `start` leads to, nearest first, with the calls on the way."""
    return project.kept(("leading to processes", start), lambda: tuple(_leading(project, start)))


def _leading(project: Project, start: Function) -> Iterator[Creation]:
    makers, names = _makers(project), _names(project)
    seen: dict[Function, tuple[Step, ...]] = {start: ()}
    queue = [start]
    while queue:
        function = queue.pop(0)
        for site in makers.get(function, ()):
            yield seen[function], site
        for site in function.calls:
            if f.last_name(site.call.func) in names and len(seen) < WIDE:
                for callee in project.callees(site):
                    if callee not in seen:
                        seen[callee] = (*seen[function], Step(site.site, f"`{function.name}` calls `{callee.qualname}`"))
                        queue.append(callee)


_DEFINED = re.compile(r"\b(?:def|class)\s+(\w+)")


def _makers(project: Project) -> dict[Function, tuple[CallSite, ...]]:
    """The functions that make a pool or process whose workers start as copies of their parent, with the calls that do."""
    return project.kept("makers of processes", lambda: dict(_making(project)))


def _making(project: Project) -> Iterator[tuple[Function, tuple[CallSite, ...]]]:
    for module in project.spread.modules():
        for function in project.live(module):
            found = tuple(site for site in function.calls if (made := made_by(project, site)) is not None and forks(project, site, made))
            if found:
                yield function, found


def _names(project: Project) -> frozenset[str]:
    """Names whose calls may lead to the making of a process, by what the text of the modules that name an API calls them."""
    return project.kept("names that lead to processes", lambda: _spelled(project))


def _spelled(project: Project) -> frozenset[str]:
    known: set[str] = set()
    fresh = {name for function in _makers(project) for name in _spellings(function.qualname)}
    calls = [calls for module in project.spread.shared for calls in _calls_by_text(module)]
    for _ in range(LEVELS):
        known |= fresh
        fresh = {name for names, called in calls if not called.isdisjoint(fresh) for name in names} - known
    for module in project.spread.shared:
        module.look.near.update(known)
    return frozenset(known)


def _calls_by_text(module: Module) -> Iterator[tuple[tuple[str, ...], frozenset[str]]]:
    """How the functions of a page are called, and the names that they call, as the text has it."""
    for number, page in enumerate(module.outline.pages):
        if page.kind in {"function", "block", "module"}:
            text = module.skim(number) if page.kind == "function" else module.page_code(number)
            defined = [page.name] if page.kind == "function" else [found[1] for found in _DEFINED.finditer(text)]
            yield tuple(name for qualname in defined for name in _spellings(qualname)), called_in(text[text.find(":") :])


def _spellings(qualname: str) -> Iterator[str]:
    """What calls of a function spell: its name, the name of its class for a constructor."""
    *outer, last = qualname.split(".")
    yield outer[-1] if last in {"__init__", "__enter__", "__call__"} and outer else last


def made_by(project: Project, site: CallSite) -> Instance | None:
    """The pool or process that a call makes."""
    if not project.spread.matters(site):
        return None
    return next((v for v in project.made_by(site) if v.where == "process" and project.role(v) in {"pool", "process"}), None)


def forks(project: Project, creation: CallSite, made: Instance) -> bool:
    """Whether the process starts as a copy of its parent for certain."""
    if made.start:
        return made.start == "fork"
    return project.target < (3, 14) and not _method_is_set(project, creation.function) and starts_by_default(project, creation)


def starts_by_default(project: Project, creation: CallSite) -> bool:
    """Whether a creation of processes that names no start method leaves it to the default, and not to a context that was asked for by a name we do not know."""
    contexts = (v for func in _spelled_out(creation) for v in project.values(func.value, creation.function))
    return not any(isinstance(v, Instance) and project.role(v) == "context" and _is_asked(project, v) for v in contexts)


def _spelled_out(creation: CallSite) -> Iterator[f.Attr]:
    """What a call calls, where that is an attribute, also through a local name: `make = context.Process`."""
    func = creation.call.func
    if isinstance(func, f.Attr):
        yield func
    elif isinstance(func, f.Name):
        kept = (binder.value for binder in creation.function.graph.definitions(func) or () if isinstance(binder, f.Assign))
        yield from (value for value in kept if isinstance(value, f.Attr))


def _is_asked(project: Project, context: Instance) -> bool:
    """Whether a context of unknown start method was asked for by one: only `get_context()` is the default."""
    made = project.maker(context)
    return made is None or bool(made.call.args)


def methods_set(project: Project, path: str) -> frozenset[str]:
    """The start methods that the project sets as default, for what runs in the file `path`; "?" among them for one that is not written out.

    What its tests set counts in tests only.
    """
    tested = is_test(project, path)
    return frozenset(method for setter, method in _settings(project) if tested or not is_test(project, setter.path))


def methods_set_in(project: Project, path: str) -> Iterator[str]:
    """The start methods that the file sets as default."""
    return (method for setter, method in _settings(project) if setter.path == path)


def _method_is_set(project: Project, function: Function) -> bool:
    """Whether the project sets another start method than fork before `function` runs.

    A function that the package offers to other programs also runs where no command of the package has set anything.
    """
    setters = {s for s, method in _settings(project) if method != "fork" and (s.module is function.module or not is_beside(project, s.module))}
    if not setters or function in setters or any(setter.is_module for setter in setters):
        return bool(setters)
    return not is_offered(project, function) and not any(is_offered(project, site.function) for site in project.callers(function))


def _settings(project: Project) -> tuple[tuple[Function, str], ...]:
    """The functions that set a start method as default, each with the method; "?" for one that is not written out."""
    return project.kept("start methods set", lambda: tuple(_set_in_files(project)))


def _set_in_files(project: Project) -> Iterator[tuple[Function, str]]:
    for path in project.sources.holding(b"set_start_method(", project.triage.seeds):
        module = project.module(path)
        for function in module.functions("set_start_method") if module is not None else ():
            for site in function.calls:
                if f.last_name(site.call.func) == "set_start_method":
                    given = site.call.positional(0) or site.call.keyword("method")
                    values = project.values(given, function) if given is not None else (Unknown("method"),)
                    for value in values:
                        if not isinstance(value, Literal):
                            yield function, "?"
                        elif value.value is not None:
                            yield function, str(value.value)
