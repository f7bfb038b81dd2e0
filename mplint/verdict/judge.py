"""The verdict on an exception class: every way in which the project constructs it, or, without one, the plain ways."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Iterator

from mplint import facts as f
from mplint.project.importing import is_test
from mplint.project.modules import CallSite, Class
from mplint.verdict.calls import arguments
from mplint.verdict.machine import Frame, Impossible, Machine, Thrown, Vague
from mplint.verdict.objects import construct
from mplint.verdict.fields import fields_of
from mplint.verdict.shapes import Shape, Shapes
from mplint.verdict.terms import Const, DictObj, Func, LambdaFunc, ListObj, Obj, Seq, Sym, Term, kind_of
from mplint.verdict.transit import OK, Outcome, round_trip

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.verdict.recipes import Recipe

PATHS = 32
"""Paths through the constructor that are followed for one construction."""

AGREE = 6
"""Paths that must agree that all is well before the others are left out."""

WORK = 20_000
"""Expressions evaluated for one class at most."""

SITES = 60
"""Constructions of one class that are looked at."""

DECISIVE = ("__init__", "__new__", "__reduce__", "__reduce_ex__", "__setstate__", "__setattr__", "__getattribute__", "__slots__")
"""Without one of these in a class of the project the builtin's own construction is all there is."""


@dataclass(frozen=True)
class Scenario:
    """One way of construction; `site` is the call in the project, None for a way that was made up."""

    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...]
    site: CallSite | None = None
    last_resort: bool = False
    """Looked at only when no construction before it ends."""

    handling: bool = True
    """Whether it may happen while another exception is handled, as far as the constructor asks for that one."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of an exception class.  `scenario` is the construction that decided; `init` the class whose constructor runs."""

    outcome: Outcome
    scenario: Scenario | None = None
    init: Class | None = None

    inherited: bool = False
    """Whether the constructor that runs is that of a base."""

    @property
    def kind(self) -> str:
        return self.outcome.kind


_RANK = {"FAIL": 4, "DUMP": 3, "CORRUPT": 2, "OK": 1, "UNKNOWN": 0}


def verdict(project: Project, shapes: Shapes, cls: Class) -> Verdict | None:
    """The verdict on `cls`, None when it is no exception class."""
    shape = shapes.of(cls)
    if not shape.is_exception:
        return None
    if shape.open:
        return Verdict(Outcome("UNKNOWN", shape.open))
    init = _constructor(shape)
    if not _decisive(shapes, shape):
        return Verdict(OK, None, init)
    best: Verdict | None = None
    left = WORK
    for scenario in (*scenarios(project, shapes, shape), *(replace(way, last_resort=True) for way in plain(parameters(shapes, shape)))):
        if scenario.last_resort and best is not None:
            break
        outcome, steps = judged(project, shapes, cls, scenario, left)
        left -= steps
        if outcome is not None and (best is None or _RANK[outcome.kind] > _RANK[best.kind]):
            best = Verdict(outcome, scenario, init, init is not None and init is not cls)
        if left <= 0 or outcome is not None and outcome.kind == "FAIL":
            break
    return best or Verdict(Outcome("UNKNOWN", "no construction that ends"))


def _decisive(shapes: Shapes, shape: Shape) -> bool:
    own = [c for c in shape.mro if isinstance(c, Class)]
    return any(shapes.made(c) is not None or any(shapes.own(c, n) is not None for n in DECISIVE) for c in own) or shapes.registered(shape.cls) is not None


def _constructor(shape: Shape) -> Class | None:
    found = shape.find_python("__init__") or shape.find_python("__new__")
    return found.owner if found is not None and isinstance(found.owner, Class) else None


def parameters(shapes: Shapes, shape: Shape) -> tuple[f.Param, ...] | None:
    """What the constructor takes, without the receiver; None when it is the builtin's own."""
    found = shape.find("__init__")
    if found is None or isinstance(found.owner, str):
        maker = shape.find_python("__new__")
        found = maker if maker is not None else found
    if found is None or isinstance(found.owner, str):
        return None
    if found.what == "generated":
        made = shapes.made(found.owner)
        assert made is not None
        fields = [x for x in fields_of(shapes, found.owner, made) if x.init]
        return tuple(
            f.Param(
                x.name.lstrip("_") if made.kind == "attrs" else x.name,
                "keyword-only" if x.kw_only else "positional",
                x.default if x.default is not None else x.factory,
                x.annotation,
            )
            for x in fields
        )
    return found.functions[-1].facts.params[1:] if found.functions else None


def scenarios(project: Project, shapes: Shapes, shape: Shape) -> Iterator[Scenario]:
    """The constructions in the project; when there is none that tells anything, or only tests make one, with the required arguments and with all."""
    assert isinstance(shape.cls, Class)
    seen: set[Any] = set()
    some = False
    asks = any(True for c in shape.mro if isinstance(c, Class) for _ in c.methods_mentioning("exc_info"))
    names = tuple(p.name for p in parameters(shapes, shape) or () if p.kind in {"positional", "positional-only"})
    for site in constructions(project, shape.cls)[: SITES * 4]:
        scenario = at_site(project, shapes, site, names)
        if scenario is None:
            continue
        if asks and not any(place.part == "handler" for place in site.function.graph.tries_around(site.call)):
            scenario = replace(scenario, handling=False)
        key = (scenario.handling, tuple(_look(a) for a in scenario.args), tuple((k, _look(v)) for k, v in scenario.kwargs))
        if key not in seen and len(seen) < SITES:
            seen.add(key)
            some = some or not is_test(project, site.site.path)
            yield scenario
    if not some:
        yield from plain(parameters(shapes, shape))


def constructions(project: Project, cls: Class) -> list[CallSite]:
    """The calls in the project that construct `cls`: by its name, and by `cls(...)` in its own class methods."""
    named = cls.module.class_(cls.qualname) if cls.outer is None else None
    sites = list(project.constructions(named or cls))
    for method in cls.methods_mentioning("classmethod"):
        if method.is_class_method and method.facts.params:
            first = method.facts.params[0].name
            sites.extend(site for site in method.calls if isinstance(site.call.func, f.Name) and site.call.func.id == first)
    return sites


def _look(value: Any) -> Any:
    if isinstance(value, Const):
        return value
    return kind_of(value), type(value).__name__


def plain(params: tuple[f.Param, ...] | None) -> Iterator[Scenario]:
    if params is None:
        yield Scenario((Sym("message"),), ())
        return
    places = [p for p in params if p.kind in {"positional", "positional-only"}]
    needed = [p for p in places if p.default is None]
    keywords = tuple((p.name, Sym(p.name)) for p in params if p.kind == "keyword-only" and p.default is None)
    star = next((p for p in params if p.kind == "*"), None)
    yield Scenario(tuple(Sym(p.name) for p in needed), keywords)
    if len(places) > len(needed) or (star is not None and not places):
        extra = (Sym(f"*{star.name}"),) if star is not None and not places else ()
        yield Scenario((*(Sym(p.name) for p in places), *extra), keywords)
    if star is not None:  # the base may take no other number: `UnicodeDecodeError(*args)`
        for count in (2, 3, 4, 5):
            yield Scenario((*(Sym(p.name) for p in places), *(Sym(f"*{star.name}{i}") for i in range(count))), keywords, None, True)


def at_site(project: Project, shapes: Shapes, site: CallSite, names: tuple[str, ...]) -> Scenario | None:
    """A construction in the project as a scenario; None when a star hides what is passed."""
    if site.call.starred:
        return None
    m = Machine(project, shapes, shapes.version)
    try:
        args, kwargs, vague = arguments(m, site.call, Frame(site.function, {}, None, None, None, True))
    except (Vague, Thrown, Impossible):
        args = tuple(Sym("") for a in site.call.args if not a.keyword)
        kwargs, vague = {a.keyword: Sym("") for a in site.call.args if a.keyword}, []
    if vague:
        return None
    generic = tuple(_generic(a, names[i] if i < len(names) else f"#{i}", m) for i, a in enumerate(args))
    return Scenario(generic, tuple((k, _generic(v, k, m)) for k, v in kwargs.items()), site)


def _generic(value: Any, name: str, m: Machine) -> Any:
    """An argument as the constructor sees it: what is known stays, what is computed becomes an input of its type."""
    if isinstance(value, (Const, LambdaFunc, Func)):
        return value
    if isinstance(value, (ListObj, DictObj, Seq)):
        return value
    kind = m.kinds.get(value.name, "") or value.kind if isinstance(value, Sym) else kind_of(value)
    if isinstance(value, Term) and kind.startswith("!"):
        return value
    return Sym(name, kind)


def repaired(project: Project, shapes: Shapes, cls: Class, recipe: Recipe, limit: int) -> int | None:
    """Whether `cls` survives every construction, in the project and plain, once the recipe is its `__reduce__`: the work done, None when not."""
    shape = shapes.of(cls)
    if shape.open:
        return None
    some, work = False, 0
    for scenario in (*scenarios(project, shapes, shape), *plain(parameters(shapes, shape))):
        outcome, steps = judged(project, shapes, cls, scenario, limit - work, recipe)
        work += steps
        if work >= limit or (outcome is not None and outcome.kind != "OK"):
            return None
        some = some or outcome is not None
    return work if some else None


def judged(project: Project, shapes: Shapes, cls: Class, scenario: Scenario, limit: int, recipe: Recipe | None = None) -> tuple[Outcome | None, int]:
    """The outcome of one construction over the paths through the constructor (None when no path makes an instance), and the work done."""
    groups: dict[tuple[int, ...], list[Outcome]] = {}
    todo: list[list[int]] = [[]]
    runs = work = 0
    while todo and runs < PATHS and work < limit:
        runs += 1
        choices = todo.pop()
        m = Machine(project, shapes, shapes.version, choices, recipe=recipe, handling=scenario.handling)
        outcome, first = _one(m, cls, scenario)
        work += m.steps + m.earlier
        todo.extend([*m.taken[:i], 1] for i in range(len(choices), len(m.taken)) if m.taken[i] == 0)
        if outcome is not None:
            groups.setdefault(tuple(m.taken[:first]), []).append(outcome)
            if _settled(groups, todo):
                break
    open_ = {key for key in groups for rest in todo if tuple(rest[: len(key)]) == key}
    answers = [_group(group) for key, group in groups.items() if key not in open_ or any(o.kind == "OK" for o in group)]
    if not answers and groups:
        return Outcome("UNKNOWN", "too many ways through the constructor"), work
    return (max(answers, key=lambda o: _RANK[o.kind]) if answers else None), work


def _settled(groups: dict[tuple[int, ...], list[Outcome]], todo: list[list[int]]) -> bool:
    """Whether further ways through the constructor can hardly tell more: one fails, or several agree that all is well."""
    closed = [group for key, group in groups.items() if not any(tuple(rest[: len(key)]) == key for rest in todo)]
    kinds = [_group(group).kind for group in closed]
    return "FAIL" in kinds or (len(kinds) >= AGREE and set(kinds) == {"OK"})


def _one(m: Machine, cls: Class, scenario: Scenario) -> tuple[Outcome | None, int]:
    """The outcome of one path, and the decisions that the construction took."""
    outcome, first = _run(m, cls, scenario)
    if outcome is None or outcome.kind != "UNKNOWN" or outcome.reason not in _STARRED:
        return outcome, first
    found = []
    for number in (0, 1, 2):  # with so many items behind the star
        again = Machine(m.project, m.shapes, m.version, list(m.taken[:first]), recipe=m.recipe, handling=m.handling, stars=number)
        found.append(_run(again, cls, scenario)[0])
        m.earlier += again.steps
    bad = [o for o in found if o is not None and o.kind in {"FAIL", "CORRUPT"}]
    if len(bad) < len(found):
        return outcome, first
    worst = next((o for o in bad[1:] if o.kind == "FAIL"), bad[1])
    return (replace(worst, cause="star") if worst.cause == "many" else worst), first


_STARRED = frozenset({"args", "a starred argument"})
"""Why nothing is known of a construction that takes apart what has no known length."""


def _run(m: Machine, cls: Class, scenario: Scenario) -> tuple[Outcome | None, int]:
    from mplint.verdict.transit import copied

    try:
        obj = construct(m, cls, tuple(copied(a) for a in scenario.args), {k: copied(v) for k, v in scenario.kwargs})
    except (Thrown, Impossible):
        return None, len(m.taken)
    except Vague as error:
        return Outcome("UNKNOWN", error.reason), len(m.taken)
    except RecursionError:
        return Outcome("UNKNOWN", "nested too deeply"), len(m.taken)
    first = len(m.taken)
    if not isinstance(obj, Obj):
        return Outcome("UNKNOWN", "what the constructor gives"), first
    try:
        return round_trip(m, obj), first
    except Vague as error:
        return Outcome("UNKNOWN", error.reason), first
    except (Impossible, Thrown):
        return None, first
    except RecursionError:
        return Outcome("UNKNOWN", "nested too deeply"), first


def _group(outcomes: list[Outcome]) -> Outcome:
    """One construction whose rebuild is not certain: bad only when it is bad whatever is the case."""
    good = next((o for o in outcomes if o.kind == "OK"), None)
    if good is not None:
        return good
    unknown = next((o for o in outcomes if o.kind == "UNKNOWN"), None)
    if unknown is not None:
        return unknown
    return next((o for o in outcomes if not o.refused), outcomes[0])
