"""Where an object lies inside containers: the keys and places by which one comes to it, outermost first."""

from __future__ import annotations

from enum import Enum
from typing import Union

from mplint import facts as f


class Among(Enum):
    """Where something lies that no key leads to."""

    KEYS = "keys"
    """It is a key of a dict itself."""


Key = Union[int, str, None]
"""A literal key, a place in a tuple, or None where it is not known."""

Path = tuple[Union[Key, Among], ...]
"""() is the object itself; ("queue", 0) is what `x["queue"][0]` gives."""

_DEPTH = 3
"""Containers inside containers that are told apart; a list that is put into itself would nest for ever."""


def inside(key: Key | Among, path: Path) -> Path:
    """The path when what had `path` is put into a container under `key`."""
    return (key, *path)[:_DEPTH]


def opened(path: Path, key: Key = None) -> Path | None:
    """The path of what `key` takes out of a container (anything of it, without one); None when that is something else."""
    if path and (path[0] is Among.KEYS or (key is not None and path[0] is not None and (type(key) is not type(path[0]) or key != path[0]))):
        return None
    return path[1:]


def iterated(path: Path, *, of_dict: bool = False) -> Path | None:
    """The path in what iterating over a container gives; None where that is something else: of a dict the keys."""
    return None if path and (isinstance(path[0], str) or (of_dict and path[0] is not Among.KEYS)) else path[1:]


def paired(path: Path) -> Path:
    """The path in a dict that is made of pairs of key and value, of which one has `path`."""
    return inside(Among.KEYS if path[:1] == (0,) else None, path[1:])


def moved(path: Path) -> Path:
    """The path when the container was made anew, in another order."""
    return (None, *path[1:]) if path else path


def key_of(index: f.Expr | None) -> Key:
    """The literal key that an index is; of a number counted from the end None."""
    if isinstance(index, f.Const) and index.kind in {"int", "str"} and isinstance(index.value, (int, str)):
        return index.value if isinstance(index.value, str) or index.value >= 0 else None
    return None


def converted(name: str, path: Path, argument: f.Argument, place: int) -> Path:
    """The path in what a function that holds its argument gives: `list`, `zip`, `enumerate` ..."""
    if name == "dict" and argument.keyword:
        return inside(argument.keyword, path)
    if not path:
        return (None,)
    if name == "dict" and _gives_pairs(argument.value):
        return paired(path[1:])
    if name == "zip":
        return (path[1], path[0], *path[2:]) if argument.star and len(path) > 1 else inside(None, inside(None if argument.star else place, path[1:]))
    if name == "enumerate":
        return inside(None, inside(1, path[1:]))
    if name == "from_iterable":
        return inside(None, path[2:])
    alike = name in {"dict", "copy", "deepcopy"} or (name in {"list", "tuple", "iter"} and path[0] is not Among.KEYS)
    return path if alike else moved(path)


def _gives_pairs(expr: f.Expr) -> bool:
    """Whether what is made a dict is written as pairs of key and value."""
    return (isinstance(expr, f.Call) and f.last_name(expr.func) in {"zip", "enumerate", "items", "sorted", "map", "zip_longest"}) or isinstance(
        expr, (f.Comprehension, f.Sequence)
    )


def taken(method: str, path: Path, call: f.Call) -> Path | None:
    """The path in what a method of a container gives; None when it gives something else."""
    is_key = path[0] is Among.KEYS
    if method == "copy":
        return path
    if method in {"keys", "values"}:
        return moved(path) if is_key == (method == "keys") else None
    if method in {"items", "popitem"}:
        pair = inside(0 if is_key else 1, path[1:])
        return inside(None, pair) if method == "items" else pair
    key = key_of(call.positional(0))
    return opened(path, key if method != "pop" or isinstance(key, str) else None)


def added(method: str, each: bool, path: Path, call: f.Call) -> Path:
    """The path in a container that a method adds something to."""
    if method == "setdefault":
        return inside(key_of(call.positional(0)), path)
    if each:
        return path if method == "update" else moved(path)
    return inside(None, path)
