"""Alarms on the exception classes of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Step
from mplint.project.modules import CallSite, Class, Function, Module
from mplint.verdict import recipes, wording
from mplint.verdict.classes import stated
from mplint.verdict.judge import Verdict, verdict
from mplint.verdict.shapes import Shapes

if TYPE_CHECKING:
    from mplint.project import Project


def shapes_of(project: Project) -> Shapes:
    return project.kept("verdict shapes", lambda: Shapes(project, project.target))


def verdict_on(project: Project, cls: Class) -> Verdict | None:
    """The verdict on a class of the project, reached once."""
    return project.kept(("verdict", cls), lambda: verdict(project, shapes_of(project), cls))


def alarms(module: Module, project: Project, code: str, kind: str) -> Iterator[Alarm]:
    """The alarms of one rule: for the classes of `module` whose verdict is `kind`."""
    for cls in stated(module):
        found = verdict_on(project, cls)
        if found is None or found.kind != kind or stays_inside(project, cls):
            continue
        chain = raised_in_worker(project, cls)
        when = "" if chain else "as soon as a worker raises it, "
        text = f"`{cls.name}` {wording.message(found)}; {when}{wording.consequence(kind)}"
        yield Alarm(code, cls.site(), text, (*chain, *_because(found)), cls.qualname, repair_hint(project, cls, found))


def local_classes(module: Module, project: Project, code: str) -> Iterator[Alarm]:
    """Exception classes that a function which runs in a worker process defines and raises: pickle finds them nowhere."""
    for function in project.workers_in(module):
        for row in function.rows:
            if isinstance(row, f.ClassFacts):
                cls = module.local_class(row, function)
                shape = shapes_of(project).of(cls)
                chain = project.why(function)
                if shape.is_exception and not shape.open and chain and _raises(project, function, cls):
                    text = f"`{cls.name}` cannot be pickled: it is defined inside a function; {wording.consequence('DUMP')}"
                    yield Alarm(code, cls.site(), text, chain, cls.qualname)


def _raises(project: Project, function: Function, cls: Class) -> bool:
    """Whether `function` raises `cls` and does not catch it itself."""
    for row in function.rows:
        if isinstance(row, f.Raise) and row.exc is not None:
            made = row.exc.func if isinstance(row.exc, f.Call) else row.exc
            if cls in project.values(made, function) and not any(_names(project, function, h, cls) for _, h in function.graph.handlers_around(row)):
                return True
    return False


def raised_in_worker(project: Project, cls: Class) -> tuple[Step, ...]:
    """Why an instance of `cls` is made in a worker process; () when no construction is known to run there."""
    for site in project.constructions(cls):
        chain = project.why(site.function)
        if chain is not None:
            return (*chain, Step(site.site, f"`{cls.name}` is made here, in the worker"))
    return ()


def _because(found: Verdict) -> Iterator[Step]:
    scenario = found.scenario
    if scenario is not None and scenario.site is not None and found.kind != "DUMP":
        yield Step(scenario.site.site, "constructed like this")
    if found.init is not None and found.inherited:
        method = found.init.method("__init__") or found.init.method("__new__")
        if method is not None:
            yield Step(method.site(), f"`{found.init.name}.__init__` is the constructor that pickle calls")


def stays_inside(project: Project, cls: Class) -> bool:
    """Whether the project proves that no instance leaves its function: the class is private, and whoever raises it catches it there."""
    if not cls.name.startswith("_") or project.subclasses(cls):
        return False
    sites = project.constructions(cls)
    return bool(sites) and all(_caught_at_once(project, site, cls) for site in sites)


def _caught_at_once(project: Project, site: CallSite, cls: Class) -> bool:
    step = next((row for row in site.function.ancestors(site.call) if isinstance(row, f.Raise)), None)
    if step is None:
        return False
    return any(_names(project, site.function, handler, cls) for _, handler in site.function.graph.handlers_around(step))


def _names(project: Project, function: Function, handler: f.Handler, cls: Class) -> bool:
    return handler.types is not None and cls in project.values(handler.types, function) and not any(isinstance(row, f.Raise) for row in f.walk(*handler.body))


def repair_hint(project: Project, cls: Class, found: Verdict) -> str:
    """The recipe that repairs the class, as `name member member`; "" when none does or a base of the project is to be repaired instead."""
    if found.kind == "DUMP":
        return " ".join(["drop", *found.outcome.what[:1]]) if found.outcome.cause == "object" and found.outcome.what[:1] not in {("args",), ("",), ()} else ""
    shapes = shapes_of(project)
    for base in shapes.of(cls).mro[1:]:
        if isinstance(base, Class):
            above = verdict_on(project, base)
            if above is not None and above.kind in {"FAIL", "CORRUPT"} and recipe_of(project, base) is not None and recipes.inherits(shapes, cls, base):
                return ""
    recipe = recipe_of(project, cls)
    return " ".join([recipe.name, *recipe.members]) if recipe is not None else ""


def recipe_of(project: Project, cls: Class) -> recipes.Recipe | None:
    return project.kept(("recipe", cls), lambda: recipes.chosen(project, shapes_of(project), cls))
