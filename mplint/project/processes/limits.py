"""Time limits on code that the project does not know: what the alarm of a job runner cuts off, and with which exception."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Step
from mplint.project.importing import is_test
from mplint.project.modules import CallSite, Class, Function
from mplint.project.processes.handlers import registrations
from mplint.project.values import Unknown

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.project.values import Value

TIMERS = frozenset({"SIGALRM", "SIGVTALRM", "SIGPROF"})
"""Signals that timers of the process send."""

_PLAIN = frozenset({"builtins.Exception", "builtins.BaseException", "builtins.object"})


class Limit(NamedTuple):
    """A time limit on somebody else's code: the exception class that ends it, which `except Exception` catches, and the way there."""

    thrown: Class
    because: tuple[Step, ...]


def limits(project: Project) -> dict[str, list[Limit]]:
    """The limits of the whole project, one for each exception class, by the file of the class.

    A class that derives from more than `Exception`, such as `TimeoutError`, is for callers to catch and is not counted.
    """
    out: dict[str, dict[Class, Limit]] = {}
    spelled = {path for word in (b"alarm(", b"setitimer(") for path in project.sources.holding(word)}
    for module in project.spread.modules() if spelled else ():
        alarms = [use.site for use in project.uses(module, "alarm")] if module.path in spelled else []
        for registration in registrations(project, module) if alarms else ():
            if not registration.signals & TIMERS:
                continue
            for escape in (e for handler in registration.functions for e in project.escapes(handler, 2)):
                thrown = escape.thrown
                if escape.how != "raise" or not escape.is_exception or not isinstance(thrown, Class) or not _is_plain(project, thrown):
                    continue
                near = (site for site in alarms if _belong(site.function, registration.site.function))
                call = next((step for site in near if (step := _foreign_call(project, site)) is not None), None)
                if call is not None:
                    because = (
                        call,
                        Step(registration.site.site, "the handler of its alarm is registered here"),
                        Step(escape.site, f"`{escape.title}` is raised here"),
                    )
                    out.setdefault(thrown.path, {}).setdefault(thrown, Limit(thrown, because))
    return {path: list(found.values()) for path, found in out.items()}


def _belong(arming: Function, registering: Function) -> bool:
    """Whether the function that sets an alarm is the one that registers its handler, or one of the same class."""
    return arming is registering or (arming.owner is not None and arming.owner is registering.owner)


def _is_plain(project: Project, thrown: Class) -> bool:
    return project.ancestry(thrown) <= _PLAIN and not is_test(project, thrown.path)


def _foreign_call(project: Project, arm: CallSite) -> Step | None:
    """A call of somebody else's code in a block that runs while the alarm of `arm` is set; None when nothing shows one."""
    for function, block in _limited(project, arm):
        for site in function.calls_in(*block) if not is_test(project, function.path) else ():
            if _is_foreign(project, site):
                return Step(site.site, "somebody else's code runs here under a time limit")
    return None


def _limited(project: Project, arm: CallSite) -> Iterator[tuple[Function, tuple[f.Step, ...]]]:
    """The blocks of the `with` statements over the class, or over the generator, that sets an alarm."""
    function = arm.function
    places: list[CallSite] = []
    if function.owner is not None:
        for cls in (function.owner, *project.subclasses(function.owner)):
            places += project.constructions(cls)
            for alias in _aliases(cls):
                places += (s for s in project.calls_named(alias, cls.module) if cls in project.values(s.call.func, s.function))
    elif any(f.last_name(d) == "contextmanager" for d in function.facts.decorators):
        places += project.callers(function)
    for site in places:
        around = site.function.parent(site.call)
        if isinstance(around, f.With):
            yield site.function, around.body


def _aliases(cls: Class) -> set[str]:
    """Other names that the statements of its module give a class."""
    module, said = cls.module, re.compile(rf"=\s*{re.escape(cls.name)}\s*$", re.MULTILINE)
    pages = (n for n, page in enumerate(module.outline.pages) if page.kind in {"module", "step"} and not page.indent and said.search(module.page_code(n)))
    rows = (row for n in pages for row in f.walk(*module.steps(n)) if isinstance(row, f.Assign))
    return {t.id for row in rows if isinstance(row.value, f.Name) and row.value.id == cls.name for t in row.targets if isinstance(t, f.Name)}


def _is_foreign(project: Project, site: CallSite) -> bool:
    """Whether a call is of a callable that was handed in or looked up, or of a method that is there to be overridden."""
    callees = project.callees(site)
    if callees:
        return all(_is_abstract(callee) for callee in callees)
    func = site.call.func
    if not isinstance(func, f.Name) or not _is_local(site.function, func):
        return False
    values: tuple[Value, ...] = project.values(func, site.function)
    return bool(values) and all(isinstance(value, Unknown) for value in values)


def _is_local(function: Function, name: f.Name) -> bool:
    """Whether a name is a parameter of the function or a variable of it."""
    return function.has_parameter(name) or any(isinstance(row, f.Assign) for row in function.graph.definitions(name) or ())


def _is_abstract(function: Function) -> bool:
    """Whether a method does nothing but say that it has to be overridden."""
    steps = [s for s in function.facts.body if not (isinstance(s, f.Do) and isinstance(s.value, f.Const))]
    exc = steps[0].exc if len(steps) == 1 and isinstance(steps[0], f.Raise) else None
    return function.owner is not None and f.dotted(exc.func if isinstance(exc, f.Call) else exc) == "NotImplementedError"
