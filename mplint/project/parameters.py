"""What a parameter can be: the object itself for `self`, what its annotation promises, what its default is, what the project's calls pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.project import hierarchy
from mplint.project.annotations import annotation_values
from mplint.project.lives.nesting import Key
from mplint.project.modules import CallSite, Class, Function
from mplint.project.values import Bound, Entry, External, Instance, Literal, Many, Partial, Tuple, Unknown, Value, named, under

if TYPE_CHECKING:
    from mplint.project import Project


def parameter_values(project: Project, param: f.Param, function: Function) -> tuple[Value, ...]:
    """All that `param` of `function` can be."""
    owner = function.owner
    if owner is not None and param.name == function.receiver and function.facts.params and param is function.facts.params[0]:
        return (owner,) if function.is_class_method or function.name in {"__new__", "__init_subclass__", "__class_getitem__"} else (project.instance_of(owner),)
    out: list[Value] = []
    if param.annotation is not None:
        noted = annotation_values(project, param.annotation, function)
        sharp = [v for v in noted if _sharp(project, v)]
        if sharp:
            if param.kind == "*":
                return (Many("tuple", tuple(sharp)),)
            return tuple(sharp)
        out.extend(v for v in noted if not isinstance(v, (Unknown, Literal)))
    if param.kind == "**":
        return (_gathered(project, param, function),)
    if param.kind == "*":
        many = _gathered(project, param, function)
        return (many,) if many.items else tuple(out) or (Unknown("parameter"),)
    passed = [v for delivery in project.delivered(function, param.name) for v in delivered_values(project, delivery)]
    if param.default is not None:
        given = [v for v in project.values(param.default, function.outer or function.module.body) if not isinstance(v, Unknown)]
        passed.extend(given)
        if any(isinstance(v, (Function, Partial)) for v in given):  # what calls pass instead is followed where it matters: `callable_values`
            passed.append(Unknown("parameter"))
    useful = [v for v in passed if not isinstance(v, (Unknown, Literal))]
    if out and useful and all(isinstance(v, (Instance, Many)) for v in useful):
        return tuple(useful)  # the calls know more than an abstract annotation
    return tuple(dict.fromkeys((*out, *passed))) or (Unknown("parameter"),)


class Delivery(NamedTuple):
    """An object of an API that a call in `caller` passes to a parameter: `expr`, or, of an argument with stars, what it has under the key
    `taken`.  A parameter with stars has it under the key `under`, or all that `expr` holds when there is none."""

    expr: f.Expr
    caller: Function
    taken: Key = None
    under: Key = None


def delivered_values(project: Project, delivery: Delivery) -> tuple[Value, ...]:
    """What is passed; of what an argument with stars has under other keys nothing."""
    values = project.values(delivery.expr, delivery.caller)
    if delivery.taken is None:
        return values
    return tuple(v for value in values if isinstance(value, Tuple) or (isinstance(value, Many) and value.named) for v in under((value,), delivery.taken))


def _gathered(project: Project, param: f.Param, function: Function) -> Many:
    """What a parameter with stars has, as far as objects of APIs were passed."""
    items: list[Value] = []
    entries: list[Entry] = []
    own = {p.name for p in function.facts.params}
    for delivery in project.delivered(function, param.name):
        values = delivered_values(project, delivery)
        if delivery.under is not None:
            items.extend(values)
            entries.append((delivery.under, values))
        else:
            rest = [entry for v in values if isinstance(v, Many) for entry in v.named if entry[0] not in own]
            items.extend(v for _, found in rest for v in found)
            entries.extend(rest)
    return Many("dict" if param.kind == "**" else "tuple", tuple(dict.fromkeys(items)), (), named(entries))


def _sharp(project: Project, value: Value) -> bool:
    """Whether an annotation says all that a rule could ask: not an abstract executor, not a bare container, not a plain builtin."""
    if _open(project, value):
        return False
    if isinstance(value, Instance):
        return not (isinstance(value.cls, External) and value.cls.name in {"typing.Any", "builtins.object", "typing.Callable", "collections.abc.Callable"})
    return isinstance(value, Many) and any(_sharp(project, v) for v in value.items)


def _open(project: Project, value: Value) -> bool:
    """Whether an annotation leaves open where work runs: an abstract executor, a result of any pool, a container of these."""
    if isinstance(value, Many):
        return any(_open(project, v) for v in value.items)
    return isinstance(value, Instance) and (value.where == "any" or (not value.where and project.role(value) in {"async-result", "future"}))


def argument_of(call: f.Call, callee: Function, param: f.Param) -> f.Expr | None:
    """The argument expression of `call` that binds to `param` of `callee` (its receiver not counted), None when there is none."""
    by_name = call.keyword(param.name) if param.kind in {"positional", "keyword-only"} else None
    if by_name is not None:
        return by_name
    places = [p for p in callee.facts.params if p.kind in {"positional", "positional-only", "*"}]
    if param not in places:
        return None
    position = places.index(param)
    if callee.receiver and not _unbound_call(call, callee):
        position -= 1
    return call.positional(position) if position >= 0 else None


def bindings(call: f.Call, callee: Function) -> Iterator[tuple[f.Param, f.Argument, Key, Key]]:
    """How the arguments of a call bind to the parameters of `callee`: the parameter, the argument, and as in `Delivery` what is taken of an
    argument with stars, and where a parameter with stars has it."""
    params = callee.facts.params
    places = [p for p in params if p.kind in {"positional", "positional-only"}][1 if callee.receiver and not _unbound_call(call, callee) else 0 :]
    rest, others = (next((p for p in params if p.kind == kind), None) for kind in ("*", "**"))
    by_name = {p.name: p for p in params if p.kind in {"positional", "keyword-only"}}
    given = {a.keyword for a in call.args}
    place, starred = 0, False
    for argument in call.args:
        if argument.keyword:
            param = by_name.get(argument.keyword)
            if param is not None:
                yield param, argument, None, None
            elif others is not None:
                yield others, argument, None, argument.keyword
        elif argument.star == "**":
            yield from ((p, argument, name, None) for name, p in by_name.items() if name not in given and p not in places[:place])
            if others is not None:
                yield others, argument, None, None
        elif argument.star and not starred:
            starred = True
            yield from ((p, argument, number, None) for number, p in enumerate(places[place:]) if p.name not in given)
            if rest is not None and place == len(places):
                yield rest, argument, None, None
        elif not starred:
            if place < len(places):
                yield places[place], argument, None, None
            elif rest is not None:
                yield rest, argument, None, place - len(places)
            place += 1


def _unbound_call(call: f.Call, callee: Function) -> bool:
    """`Class.method(self, ...)`: the receiver is written out."""
    return (
        isinstance(call.func, f.Attr)
        and callee.owner is not None
        and not callee.is_class_method
        and f.dotted(call.func.value).rpartition(".")[2] == callee.owner.name
    )


def callers(project: Project, function: Function) -> tuple[CallSite, ...]:
    """The calls in the project that call exactly `function`, also through `partial`; those in files that hold its name and can mean it."""
    name = function.owner.name if function.name == "__init__" and function.owner is not None else function.name
    if name == "<lambda>" or name == "<module>":
        return ()
    out: list[CallSite] = []
    owner = function.owner
    family = None if owner is None else project.kept(("family", owner), lambda: hierarchy.family(project, owner))
    for site in project.calls_named(name, function.module, family):
        if any(calls_function(project, value, function) for value in project.values(site.call.func, site.function)):
            out.append(site)
    return tuple(out)


def callers_by_declaration(project: Project, function: Function) -> tuple[CallSite, ...] | None:
    """The calls of a function; of a method that nobody calls as its own, those through a base class that declares it.  None when no base does."""
    found = project.callers(function)
    if found or function.owner is None:
        return found
    declared = (method for base in project.mro(function.owner)[1:] if isinstance(base, Class) and (method := base.method(function.name)) is not None)
    return next((tuple(s for s in project.callers(method) if not _is_above(s.call)) for method in declared), None)


def _is_above(call: f.Call) -> bool:
    """Whether a call is one by `super()`, which never comes down to a subclass."""
    holder = call.func.value if isinstance(call.func, f.Attr) else None
    return isinstance(holder, f.Call) and isinstance(holder.func, f.Name) and holder.func.id == "super"


def calls_function(project: Project, value: Value, function: Function) -> bool:
    """Whether calling `value` runs `function`."""
    if value is function:
        return True
    if isinstance(value, Bound):
        return value.function is function
    if isinstance(value, Partial):
        return calls_function(project, value.func, function)
    if isinstance(value, Class) and function.name == "__init__":
        return project.find_method(value, "__init__") is function
    return False
