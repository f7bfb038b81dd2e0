"""Paths into containers are what taking things apart with Python itself gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mplint import facts as f
from mplint.project.lives.nesting import Key, converted, inside, key_of, opened, taken

KEYS: st.SearchStrategy[Key] = st.one_of(st.integers(0, 3), st.sampled_from(["in", "out"]))
MARK = object()


def wrapped(keys: list[Key]) -> object:
    """The mark inside tuples and dicts, to be reached by `keys`, outermost first."""
    held: object = MARK
    for key in reversed(keys):
        held = {key: held} if isinstance(key, str) else tuple(held if n == key else None for n in range(4))
    return held


@given(st.lists(KEYS, max_size=3), st.lists(KEYS, max_size=3))
def test_the_path_leads_to_the_object_and_other_keys_do_not(keys: list[Key], asked: list[Key]) -> None:
    path: tuple[Key, ...] | None = ()
    for key in reversed(keys):
        path = inside(key, path or ())
    found = wrapped(keys)
    for key in asked[: len(keys)]:
        path = opened(path, key) if path is not None else None
        try:
            found = found[key]  # type: ignore[index]
        except (KeyError, TypeError):
            found = None
    if len(asked) >= len(keys):
        assert (path == ()) == (found is MARK)


def argument(star: str = "") -> f.Argument:
    return f.Argument(f.Name(0, "x"), "", star)


def test_zip_turns_rows_into_columns() -> None:
    pairs = [("a", MARK), ("b", MARK)]
    columns = list(zip(*pairs))
    assert MARK in columns[1] and MARK not in columns[0]
    assert converted("zip", (None, 1), argument("*"), 0) == (1, None)


def test_enumerate_and_items_give_pairs() -> None:
    assert next(iter(enumerate([MARK])))[1] is MARK
    assert converted("enumerate", (0,), argument(), 0) == (None, 1)
    call = f.Call(0, f.Attr(1, f.Name(2, "d"), "items"), ())
    assert next(iter({"k": MARK}.items()))[1] is MARK
    assert taken("items", ("k",), call) == (None, 1)


def test_numbers_from_the_end_say_nothing() -> None:
    assert key_of(f.Const(0, 2, "int")) == 2
    assert key_of(f.Const(0, True, "bool")) is None
