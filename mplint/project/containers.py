"""What is put into containers after they were made: append, add, an index, `+=`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, NamedTuple

from mplint import facts as f
from mplint.project.lives.nesting import key_of
from mplint.project.modules import Function
from mplint.project.values import Entry, Many, Named, Value, elements, held, named

if TYPE_CHECKING:
    from mplint.project import Project

ADDING = {
    "append": (0, False),
    "appendleft": (0, False),
    "add": (0, False),
    "extend": (0, True),
    "update": (0, True),
    "insert": (1, False),
    "setdefault": (1, False),
}
"""Method -> the argument that is added, and whether its elements are."""


MAKING = frozenset({"list", "dict", "set", "deque", "defaultdict", "OrderedDict", "Counter"})
"""Last names of what makes a container."""

LOOKING_UP = {"get": 1, "pop": 1, "setdefault": 1}
"""Method -> the argument that it gives where there is nothing under the key."""


def default_of(call: f.Call) -> f.Expr | None:
    """What a lookup gives where nothing is found: the `x` of `d.get(key, x)`, `d.pop(key, x)`, `getattr(o, name, x)`; None when it is no lookup."""
    if isinstance(call.func, f.Attr) and call.func.attr in LOOKING_UP:
        place = LOOKING_UP[call.func.attr]
    elif isinstance(call.func, f.Name) and call.func.id == "getattr":
        place = 2
    else:
        return None
    return call.positional(place) if len(call.args) == place + 1 else None


class Addition(NamedTuple):
    """`value` is added to a container, or its elements are (`each`); under `key` when that is written; `below`: to a container inside it."""

    value: f.Expr
    each: bool = False
    key: f.Expr | None = None
    below: bool = False


class Growth(NamedTuple):
    """What is added: elements (values of a dict), and keys; `named` as in `Many`."""

    items: tuple[Value, ...] = ()
    keys: tuple[Value, ...] = ()
    named: Named = ()

    def __add__(self, other: Growth) -> Growth:  # type: ignore[override]
        items, keys = (tuple(dict.fromkeys((*own, *more))) for own, more in ((self.items, other.items), (self.keys, other.keys)))
        return Growth(items, keys, named((*self.named, *other.named)))


def additions(function: Function) -> dict[str, list[Addition]]:
    """For each container (dotted name) what the body of `function` adds to it."""
    out: dict[str, list[Addition]] = {}
    for row in function.rows:
        if isinstance(row, f.Call) and isinstance(row.func, f.Attr) and row.func.attr in ADDING:
            position, each = ADDING[row.func.attr]
            added = row.positional(position)
            below = isinstance(row.func.value, f.Item)
            target = row.func.value.value if isinstance(row.func.value, f.Item) else row.func.value
            if added is not None and f.dotted(target):
                key = row.positional(0) if row.func.attr == "setdefault" else row.func.value.index if isinstance(row.func.value, f.Item) else None
                out.setdefault(f.dotted(target), []).append(Addition(added, each, key, below))
        elif isinstance(row, f.Assign) and row.value is not None:
            for place in row.targets:
                if isinstance(place, f.Item) and f.dotted(place.value):
                    out.setdefault(f.dotted(place.value), []).append(Addition(row.value, key=place.index))
        elif isinstance(row, f.Change) and row.op in {"+", "|"} and f.dotted(row.target):
            out.setdefault(f.dotted(row.target), []).append(Addition(row.value, each=True))
    return out


def growth(project: Project, function: Function, name: str) -> Growth:
    """What the body of `function` adds to the container `name` (dotted)."""
    items: list[Value] = []
    keys: list[Value] = []
    entries: list[Entry] = []
    for added in project.additions(function).get(name, ()):
        values = project.values(added.value, function)
        more = held(values) if added.each else values
        items.extend((Many("list", more),) if added.below else more)
        if added.each:
            keys.extend(k for v in values if isinstance(v, Many) and v.kind == "dict" for k in elements((v,)))
            entries.extend(entry for v in values if isinstance(v, Many) for entry in v.named)
        if added.key is not None and not isinstance(added.key, f.Const):
            keys.extend(project.values(added.key, function))
        elif not added.below:
            entries.append((key_of(added.key), more))
    return Growth(tuple(dict.fromkeys(items)), tuple(dict.fromkeys(keys)), named(entries))


def grown(values: Iterable[Value], more: Growth) -> tuple[Value, ...]:
    """`values` with what was added later to the containers among them."""
    if not more.items and not more.keys:
        return tuple(values)
    return tuple(_grown(v, more) if isinstance(v, Many) else v for v in values)


def _grown(value: Many, more: Growth) -> Many:
    whole = Growth(value.items, value.keys, value.named) + (more if value.kind == "dict" else Growth(more.items))
    return Many(value.kind, whole.items, whole.keys, whole.named)
