"""What a call gives: new objects, what functions of the project return, what library calls are known to give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Iterator

import msgspec

from mplint import facts as f
from mplint.apis import Api, Parameter
from mplint.project.annotations import annotation_values
from mplint.project.containers import default_of
from mplint.project.lives.nesting import key_of
from mplint.project.modules import Class, Function
from mplint.apis.unpicklable import GIVES, REFUSED
from mplint.project.values import (
    Bound,
    Coroutine,
    Entered,
    External,
    Instance,
    Literal,
    Many,
    Partial,
    Super,
    Tuple,
    Unknown,
    Value,
    elements,
    held,
    named,
    under,
    useful,
)

if TYPE_CHECKING:
    from mplint.project import Project


def call_values(project: Project, call: f.Call, function: Function) -> Iterable[Value]:
    """All that `call`, standing in `function`, can give."""
    if isinstance(call.func, f.Name) and call.func.id == "super":
        return _super(project, call, function)
    callees = project.values(call.func, function)
    out = list(given(project, callees, call, function))
    default = default_of(call)
    if default is not None and not isinstance(default, f.Const) and not any(_is_known(project, callee) for callee in callees):
        out.extend(project.values(default, function))
    return out or (Unknown("call"),)


def given(project: Project, callees: Iterable[Value], call: f.Call, function: Function) -> Iterator[Value]:
    """What `call` gives when it is one of `callees` that it calls."""
    return (value for callee in callees for value in _called(project, callee, call, function))


def _is_known(project: Project, callee: Value) -> bool:
    """Whether something says what a call gives: code of the project, or a row of the API table."""
    return isinstance(callee, Function) or (isinstance(callee, Bound) and isinstance(callee.function, Function)) or project.row_of(callee) is not None


def _super(project: Project, call: f.Call, function: Function) -> tuple[Value, ...]:
    scope: Function | None = function
    while scope is not None and not scope.receiver:
        scope = scope.outer
    if scope is None or scope.owner is None:
        return (Unknown("super"),)
    receiver: Value = scope.owner if scope.is_class_method or scope.name == "__new__" else project.instance_of(scope.owner)
    return (Super(scope.owner, receiver),)


def _called(project: Project, callee: Value, call: f.Call, function: Function) -> Iterable[Value]:
    if isinstance(callee, Class):
        return (_constructed(project, callee, call, function),)
    if isinstance(callee, Function):
        return _returned(project, callee, call, function)
    if isinstance(callee, Bound):
        if isinstance(callee.function, Function):
            given = tuple(_returned(project, callee.function, call, function))
            if any(map(useful, given)):
                return given
            return (*given, *(v for method in project.run_by(callee) if method is not callee.function for v in _returned(project, method, call, function)))
        return _external(project, callee.function.name, call, function, callee.receiver)
    if isinstance(callee, Partial):
        return (callee,) if callee.delayed else _called(project, callee.func, call, function)
    if isinstance(callee, External):
        return _external(project, callee.name, call, function, None)
    if isinstance(callee, Instance) and isinstance(callee.cls, Class):
        method = project.find_method(callee.cls, "__call__")
        if isinstance(method, Function):
            return _returned(project, method, call, function)
    return (Unknown("call"),)


def _constructed(project: Project, cls: Class, call: f.Call, function: Function) -> Instance:
    """A new instance; where its work runs is said by the arguments of the library's constructor, if the class has that one."""
    made = project.instance_of(cls, made=function.site(call))
    init = project.find_method(cls, "__init__")
    row = next((r for b in project.mro(cls) if isinstance(b, External) and (r := project.table.api(b.name)) is not None), None)
    if row is None or not row.where_if or isinstance(init, Function):
        return made
    return msgspec.structs.replace(made, where=_chosen(project, row, call, function)[0] or made.where)


def _returned(project: Project, callee: Function, call: f.Call, function: Function) -> Iterable[Value]:
    names = {f.dotted(d.func if isinstance(d, f.Call) else d).rpartition(".")[2] for d in callee.decorators}
    if names & {"contextmanager", "asynccontextmanager"}:
        return (Entered(elements(project.returned(callee))),)
    if callee.facts.is_async and not callee.facts.is_generator:
        return (Coroutine(callee, call, function),)
    return project.returned(callee)


def returned_values(project: Project, function: Function) -> tuple[Value, ...]:
    """What the body of `function` returns (awaited, if it is a coroutine function); a generator gives one `Many` of what it yields."""
    out: list[Value] = []
    if function.facts.is_generator:
        items: list[Value] = []
        for row in function.rows:
            if isinstance(row, f.Yield) and row.value is not None:
                values = project.values(row.value, function)
                items.extend(elements(values) if row.is_from else values)
        return (Many("iterator", tuple(dict.fromkeys(items))),)
    for row in function.rows:
        if isinstance(row, f.Return) and row.value is not None:
            out.extend(project.values(row.value, function))
    useful = [v for v in out if not isinstance(v, (Unknown, Literal))]
    if not useful and function.facts.returns is not None:
        noted = [v for v in annotation_values(project, function.facts.returns, function) if not isinstance(v, (Unknown, Literal))]
        if noted:
            return tuple(noted)
    return tuple(dict.fromkeys(out)) or (Literal(None),)


def _external(project: Project, name: str, call: f.Call, function: Function, receiver: Value | None) -> Iterable[Value]:
    name = project.table.canonical(name)
    special = _SPECIAL.get(name)
    if special is not None:
        return special(project, call, function)
    if receiver is not None:
        if isinstance(receiver, (Many, Tuple)):
            return _container_method(name.rpartition(".")[2], receiver, call)
        if name.endswith(".__enter__"):
            return (receiver,)
        if name.endswith(".copy") and name.removesuffix(".copy") in REFUSED:
            return (Bound(External(name.removesuffix(".copy")), receiver),)
    api = project.table.api(name) or (project.table.method(*_split(name)) if receiver is not None else None)
    if api is not None:
        return _by_row(project, api, call, function, receiver)
    kind = project.table.kind(name)
    if kind is not None:
        return (Instance(External(name), kind.where, made=function.site(call)),)
    if name.rpartition(".")[2][:1].isupper() or name in project.builtin_exceptions:
        return (Instance(External(name), made=function.site(call)),)
    if name in GIVES:
        return (Instance(External(GIVES[name]), made=function.site(call)),)
    return (Unknown("call"),)


def _split(name: str) -> tuple[str, str]:
    head, _, last = name.rpartition(".")
    return head, last


def _by_row(project: Project, api: Api, call: f.Call, function: Function, receiver: Value | None) -> Iterable[Value]:
    if "pass" in api.does:
        position, keyword = (api.passes.position, api.passes.keyword) if api.passes is not None else (0, "")
        inner = (call.positional(position) if position is not None else None) or (call.keyword(keyword) if keyword else None)
        return project.values(inner, function) if inner is not None else (Unknown("call"),)
    source = receiver if isinstance(receiver, Instance) else None
    where, start = project.table_where(api, call, function, source), ""
    gives = api.gives
    if api.where_if:
        where, gives = _chosen(project, api, call, function)
    if api.method or api.method_at is not None:
        start = _start_method(project, api, call, function)
    elif api.context is not None:
        chosen = project.argument(call, api.context)
        contexts = project.values(chosen, function) if chosen is not None else ()
        start = next((v.start for v in contexts if isinstance(v, Instance)), "")
    elif source is not None:
        start = source.start
    task: tuple[Value, ...] = ()
    if api.callee is not None and "submit" in api.does:
        submitted = project.argument(call, api.callee)
        task = project.values(submitted, function) if submitted is not None else ()
    executor = source
    if api.executor is not None:
        chosen = project.argument(call, api.executor)
        executor = next((v for v in project.values(chosen, function) if isinstance(v, Instance)), None) if chosen is not None else None
    made = function.site(call)
    if api.gives_each:
        kind = project.table.kind(api.gives_each)
        item = Instance(External(api.gives_each), where or (kind.where if kind else ""), start, made, executor, task)
        if not api.gives:
            many = Many("iterator", _passed(project, api, call, function) or (item,))
            if "wait" in api.does and api.passes is not None:  # done, not done
                return (Tuple(((many,), (many,))),)
            return (many,) if "make" not in api.does else (Tuple(((item,), (item,))),)
    if gives:
        kind = project.table.kind(gives)
        fixed = kind.where if kind is not None else ""
        return (Instance(External(gives), (where or fixed if api.where_if else fixed or where), start, made, executor, task),)
    return (Unknown("call"),)


def _passed(project: Project, api: Api, call: f.Call, function: Function) -> tuple[Value, ...]:
    """The futures and tasks that a call waits for and gives back (`as_completed`, `wait`), when it is known which."""
    waited = project.argument(call, api.passes)
    known = elements(project.values(waited, function)) if waited is not None else ()
    return tuple(v for v in known if isinstance(v, Coroutine) or (isinstance(v, Instance) and project.role(v) in {"future", "task"}))


def _chosen(project: Project, api: Api, call: f.Call, function: Function) -> tuple[str, str]:
    """Where the arguments of this call say that the work runs ("any" when they are not literal, "" when they do not say), and the class of what it gives."""
    where = "any" if any(a.star == "**" for a in call.args) else ""
    for choice in api.where_if:
        argument = project.argument(call, choice.parameter)
        if argument is None:
            continue
        values = project.values(argument, function)
        texts = {v.value if isinstance(v, Literal) else Unknown for v in values}
        if texts == {choice.value}:
            return choice.where, choice.gives or api.gives
        if choice.value in texts or Unknown in texts:
            where = "any"
    return where, api.gives


def _start_method(project: Project, api: Api, call: f.Call, function: Function) -> str:
    place = api.method_at
    if place is None and api.method.startswith("argument:"):
        place = Parameter(int(api.method.partition(":")[2]), "method")
    chosen = project.argument(call, place)
    if chosen is None and not api.method.startswith("argument:"):
        return api.method
    values = project.values(chosen, function) if chosen is not None else ()
    texts = {str(v.value) for v in values if isinstance(v, Literal) and isinstance(v.value, str)}
    return texts.pop() if len(texts) == 1 else ""


def entered_values(project: Project, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """What `with value as x` binds to x."""
    out: list[Value] = []
    for value in values:
        if isinstance(value, Entered):
            out.extend(value.items)
        elif isinstance(value, Instance) and isinstance(value.cls, Class):
            enter = project.find_method(value.cls, "__enter__") or project.find_method(value.cls, "__aenter__")
            given = project.returned(enter) if isinstance(enter, Function) else ()
            known = [v for v in given if not isinstance(v, (Unknown, Literal))]
            same = [v for v in known if isinstance(v, Instance) and v.cls is value.cls]
            out.extend([value] if same or not isinstance(enter, Function) else known or [Unknown("enter")])
        else:
            out.append(value)
    return tuple(dict.fromkeys(out))


def _container_method(name: str, receiver: Many | Tuple, call: f.Call) -> Iterable[Value]:
    if name in {"pop", "popleft", "get", "setdefault", "__getitem__"}:
        return under((receiver,), key_of(call.positional(0))) or (Unknown("item"),)
    keys, values = elements((receiver,)) or (Unknown("item"),), held((receiver,)) or (Unknown("item"),)
    if name in {"copy", "union"}:
        return (receiver,)
    if name == "values":
        return (Many("iterator", values),)
    if name == "keys":
        return (Many("iterator", keys),)
    if name == "items":
        return (Many("iterator", (Tuple((keys, values)),)),)
    if name == "popitem":
        return (Tuple((keys, values)),)
    return (Unknown("call"),)


def _first(project: Project, call: f.Call, function: Function) -> tuple[Value, ...]:
    first = call.positional(0)
    return project.values(first, function) if first is not None else ()


def _listed(project: Project, call: f.Call, function: Function) -> Iterable[Value]:
    return (Many("list", elements(_first(project, call, function))),)


def _dictionary(project: Project, call: f.Call, function: Function) -> Iterable[Value]:
    """`dict(other)`, `dict(pairs)`, `dict(name=value)`, `defaultdict(list)`."""
    entries = [(a.keyword, project.values(a.value, function)) for a in call.args if a.keyword]
    items = [v for _, values in entries for v in values]
    keys: list[Value] = []
    for value in _first(project, call, function):
        if isinstance(value, Many) and value.kind == "dict":
            items.extend(value.items)
            keys.extend(value.keys)
            entries.extend((str(key), values) for key, values in value.named if isinstance(key, str))
        for pair in elements((value,)) if isinstance(value, (Many, Tuple)) else ():
            if isinstance(pair, Tuple) and len(pair.items) == 2:
                keys.extend(pair.items[0])
                items.extend(pair.items[1])
    return (Many("dict", tuple(dict.fromkeys(items)), tuple(dict.fromkeys(keys)), named(entries)),)


def _field(project: Project, call: f.Call, function: Function) -> Iterable[Value]:
    """The default of a dataclass field."""
    made = call.keyword("default_factory") or call.keyword("factory")
    if made is not None:
        return [v for callee in project.values(made, function) for v in _called(project, callee, call, function)]
    default = call.keyword("default")
    return project.values(default, function) if default is not None else (Unknown("field"),)


def _numbered(project: Project, call: f.Call, function: Function) -> Iterable[Value]:
    return (Many("iterator", (Tuple(((Unknown("number"),), elements(_first(project, call, function)))),)),)


def _zipped(project: Project, call: f.Call, function: Function) -> Iterable[Value]:
    return (Many("iterator", (Tuple(tuple(elements(project.values(a.value, function)) for a in call.args if not a.star and not a.keyword)),)),)


def _mapped(project: Project, call: f.Call, function: Function) -> Iterable[Value]:
    """`map(f, xs)` gives what `f`, a function or class of the project, gives."""
    own = [v for v in _first(project, call, function) if isinstance(v, (Function, Class)) or (isinstance(v, Bound) and isinstance(v.function, Function))]
    found = [value for callee in own for value in _called(project, callee, call, function)]
    return (Many("iterator", tuple(dict.fromkeys(found)) or (Unknown("call"),)),)


def _next(project: Project, call: f.Call, function: Function) -> Iterable[Value]:
    return elements(_first(project, call, function)) or (Unknown("item"),)


def _same(project: Project, call: f.Call, function: Function) -> Iterable[Value]:
    return _first(project, call, function) or (Unknown("call"),)


def _entered(project: Project, call: f.Call, function: Function) -> Iterable[Value]:
    return entered_values(project, _first(project, call, function)) or (Unknown("call"),)


def _cast(project: Project, call: f.Call, function: Function) -> Iterable[Value]:
    second = call.positional(1)
    known = [v for v in (project.values(second, function) if second is not None else ()) if not isinstance(v, (Unknown, Literal))]
    note = call.positional(0)
    return known or (annotation_values(project, note, function) if note is not None else (Unknown("call"),))


def _partial(project: Project, call: f.Call, function: Function) -> Iterable[Value]:
    return [Partial(v, call, function) for v in _first(project, call, function)] or (Unknown("call"),)


def _delayed(project: Project, call: f.Call, function: Function) -> Iterable[Value]:
    return [Partial(v, call, function, True) for v in _first(project, call, function)] or (Unknown("call"),)


def _getattr(project: Project, call: f.Call, function: Function) -> Iterable[Value]:
    from mplint.project.attributes import attribute_values  # the one circle: an attribute can be a call's result

    bases = _first(project, call, function)
    name = call.positional(1)
    named = [(name, function)] if name is not None else []
    param = function.parameter(name)
    if param is not None and any(isinstance(base, Instance) and project.role(base) for base in bases):
        named += project.arguments(function, param)
    texts = dict.fromkeys(v.value for expr, user in named for v in project.values(expr, user) if isinstance(v, Literal) and isinstance(v.value, str))
    return [v for text in texts for base in bases for v in attribute_values(project, base, text, function)] or (Unknown("getattr"),)


_SPECIAL = {
    **dict.fromkeys(("builtins.list", "builtins.tuple", "builtins.sorted", "builtins.set", "builtins.frozenset", "builtins.iter", "builtins.reversed",
                     "builtins.filter", "collections.deque", "tqdm.tqdm", "tqdm.auto.tqdm", "itertools.chain", "tqdm.std.tqdm", "tqdm.trange",
                     "itertools.chain.from_iterable", "itertools.islice"), _listed),
    **dict.fromkeys(("builtins.dict", "collections.defaultdict", "collections.OrderedDict"), _dictionary),
    **dict.fromkeys(("dataclasses.field", "attr.ib", "attr.field", "attrs.field"), _field),
    "builtins.enumerate": _numbered,
    "builtins.zip": _zipped,
    "builtins.map": _mapped,
    "builtins.next": _next,
    "contextlib.closing": _same,
    "contextlib.aclosing": _same,
    "copy.copy": _same,
    "weakref.proxy": _same,
    "contextlib.nullcontext": lambda project, call, function: _first(project, call, function) or (Literal(None),),
    "contextlib.ExitStack.enter_context": _entered,
    "contextlib.AsyncExitStack.enter_context": _entered,
    "contextlib.AsyncExitStack.enter_async_context": _entered,
    "typing.cast": _cast,
    "functools.partial": _partial,
    "joblib.delayed": _delayed,
    "builtins.getattr": _getattr,
    "builtins.staticmethod": _same,
}  # fmt: skip
