"""Every row of the API table against the library that is installed.

Rows of libraries that are not there are skipped with a note (torch, eventlet, gevent and trio are not among the test dependencies), as are
rows of newer Pythons.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import multiprocessing
import os
import sys
import threading
from contextlib import suppress
from functools import lru_cache
from typing import Any, Iterator

import pytest

from mplint.apis import Alias, Api, Kind, Parameter, asynchronous, builtin_table, errors, libraries, processes, system

ROWS = (*processes.ROWS, *system.ROWS, *asynchronous.ROWS, *errors.ROWS, *libraries.ROWS)
TABLE = builtin_table()
KINDS = [row for row in ROWS if isinstance(row, Kind)]
APIS = [row for row in ROWS if isinstance(row, Api)]
ALIASES = [row for row in ROWS if isinstance(row, Alias)]


def named(rows: list[Any]) -> Any:
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


def resolve(name: str) -> Any:
    """The object called `name`; attributes win over submodules (`torch.multiprocessing.spawn` is both), which are tried after them.

    Skips when the library is not installed.  Raises AttributeError when it has no such name.
    """
    root, *rest = name.split(".")
    try:
        found = importlib.import_module(root)
    except ImportError:
        pytest.skip(f"{root} is not installed")
    path = root
    for part in rest:
        above, path = path, f"{path}.{part}"
        with suppress(ImportError):
            importlib.import_module(path)
        for holder in (found, sys.modules.get(above)):
            if hasattr(holder, part):
                found = getattr(holder, part)
                break
        else:
            raise AttributeError(f"{name}: nothing called {part}")
    return found


def in_time(row: Kind | Api) -> None:
    if row.since and sys.version_info[:2] < row.since:
        pytest.skip(f"since Python {'.'.join(map(str, row.since))}")
    if isinstance(row, Kind) and any(base.startswith("builtins.") and not hasattr(builtins, base.removeprefix("builtins.")) for base in row.bases):
        pytest.skip("its base is newer than this Python")
    if isinstance(row, Api) and row.until and sys.version_info[:2] > row.until:
        pytest.skip(f"until Python {'.'.join(map(str, row.until))}")


def class_of(name: str) -> type:
    """The class of a kind; `threading.Lock` and the like are functions in some versions, then the class of what they give."""
    found = resolve(name)
    return found if isinstance(found, type) else type(found())


@lru_cache(maxsize=1)
def started_manager() -> Any:
    """A manager whose process runs; multiprocessing ends it with this one."""
    return multiprocessing.get_context("spawn").Manager()


def member(kind: str, name: str) -> Any:
    """Method `name` of a kind; of an instance when only instances have it (locks, managers); None when there is none."""
    if name == "Process" and kind.endswith("context.BaseContext"):
        return getattr(resolve(kind.replace("BaseContext", "DefaultContext")), name)
    found = getattr(class_of(kind), name, None)
    if found is None and TABLE.kinds[kind].role == "manager":
        return getattr(started_manager(), name, None)
    if found is None and TABLE.kinds[kind].role == "lock":
        return getattr(resolve(next(row.name for row in APIS if row.gives == kind))(), name, None)
    return found


def callable_of(name: str) -> Any:
    head, _, tail = name.rpartition(".")
    return member(head, tail) if head in TABLE.kinds else resolve(name)


def parameters(row: Api) -> Iterator[tuple[str, Parameter]]:
    for field in row.__struct_fields__:
        value = getattr(row, field)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Parameter):
                yield field, item
            elif hasattr(item, "parameter"):
                yield field, item.parameter


def misplaced(row: Api, function: Any, *, method: bool, exact: bool = False) -> list[str]:
    """What the signature of `function` says against the columns of `row`; nothing when it has none or takes anything (proxies).

    `exact`: a parameter that can be passed by keyword must have its keyword in the row.
    """
    try:
        formal = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []
    if method and inspect.isroutine(function) and getattr(function, "__self__", None) is None:
        formal = formal[1:]
    if all(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in formal):
        return []
    by_position = [one for one in formal if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    by_keyword = {one.name for one in formal if one.kind in (one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD)}
    more = any(one.kind is one.VAR_POSITIONAL for one in formal)
    any_keyword = any(one.kind is one.VAR_KEYWORD for one in formal)
    wrong = []
    for field, place in parameters(row):
        if place.keyword and place.keyword not in by_keyword and not any_keyword:
            wrong.append(f"{field}: no keyword {place.keyword}")
        if place.position is None:
            if any(one.name == place.keyword for one in by_position):
                wrong.append(f"{field}: {place.keyword} has a position")
        elif place.position < len(by_position):
            actual = by_position[place.position]
            if place.keyword and place.keyword != actual.name or exact and not place.keyword and actual.kind is not actual.POSITIONAL_ONLY:
                wrong.append(f"{field}: at {place.position} stands {actual.name}, not {place.keyword or 'a positional-only argument'}")
        elif place.keyword or not more:
            wrong.append(f"{field}: nothing at {place.position}")
    return wrong


def is_method(name: str) -> bool:
    return name.rpartition(".")[0] in TABLE.kinds


def methods(kind: str) -> Iterator[Api]:
    """Rows of all methods that the kind has by itself and by its bases; a nearer row hides one that is farther."""
    seen = set()
    for base in TABLE.bases(kind):
        for name, row in TABLE.apis.items():
            head, _, tail = name.rpartition(".")
            if head == base and tail not in seen:
                seen.add(tail)
                yield row


@named(KINDS)
def test_kind(row: Kind) -> None:
    in_time(row)
    if row.name.endswith("()"):
        assert TABLE.api(row.name.removesuffix("()")) is not None
        return
    cls = class_of(row.name)
    if row.role == "exception":
        assert issubclass(cls, BaseException)
    if row.entry:
        assert callable(getattr(cls, row.entry))
    if row.same_as and sys.version_info[:2] >= row.same_since:
        assert cls is resolve(row.same_as)
        return
    for base in row.bases:
        assert base.startswith("builtins.") or base in TABLE.kinds
        if row.role == "exception":
            assert issubclass(cls, resolve(base))


CARRYING = {"__init__", "__new__", "__reduce__", "__reduce_ex__", "__setstate__", "__getstate__", "__getnewargs__", "__getattribute__", "__setattr__"}


@named([row for row in KINDS if row.role == "exception" and row.bases and not row.same_as])
def test_exceptions_are_built_as_the_row_says(row: Kind) -> None:
    """A plain one has nothing of its own between itself and its builtin base that takes part in making or pickling it."""
    in_time(row)
    builtin = {value for value in vars(builtins).values() if isinstance(value, type)}
    own = [name for cls in class_of(row.name).__mro__ if cls not in builtin for name in CARRYING & vars(cls).keys()]
    assert bool(own) is not row.plain, own


@named([row for row in KINDS if row.bases and row.role != "exception" and not row.name.endswith("()")])
def test_kind_has_the_methods_of_its_bases(row: Kind) -> None:
    in_time(row)
    missing = found = 0
    for api in methods(row.name):
        if api.since and sys.version_info[:2] < api.since:
            continue
        tail = api.name.rpartition(".")[2]
        function = member(row.name, tail)
        if function is None:  # a copy need not have all: calling it would fail anyway
            missing += 1
            continue
        found += 1
        assert not misplaced(api, function, method=True), f"{row.name}.{tail}{inspect.signature(function)}"
    assert not missing or found and not issubclass(class_of(row.name), class_of(row.bases[0]))


@named(APIS)
def test_api(row: Api) -> None:
    in_time(row)
    function = callable_of(row.name)
    assert callable(function)
    assert not misplaced(row, function, method=is_method(row.name), exact=True), inspect.signature(function)
    for name in (row.gives, row.gives_each, row.through):
        assert not name or name in TABLE.kinds
    assert not row.raises or row.raises in TABLE.kinds or issubclass(resolve(row.raises), BaseException)
    if row.twin:
        twin = TABLE.apis[f"{row.name.rpartition('.')[0]}.{row.twin}"]
        assert twin.gives, "what the bounded twin gives is what is waited for"
        assert TABLE.method(twin.gives, "get")
    if row.where == "argument:executor":
        assert row.executor is not None
    if row.method == "argument:0":
        assert row.method_at is not None and row.method_at.position == 0
    if "submit" in row.does:
        assert row.callee is not None and row.payload and row.where


@named([row for row in ALIASES if not row.name.endswith(".*")])
def test_alias(row: Alias) -> None:
    """The same object, a subclass of it, or (a fork's function) one that takes what the row says."""
    found, target = resolve(row.name), resolve(row.same_as)
    if found is target:
        return
    if isinstance(found, type) and isinstance(target, type) and issubclass(found, target):
        return
    if getattr(found, "__func__", found) is getattr(target, "__func__", target):
        return
    api = TABLE.api(row.same_as)
    assert api is not None
    assert not misplaced(api, found, method=False), f"{row.name}{inspect.signature(found)}"


@named([row for row in ALIASES if row.name.endswith(".*")])
def test_alias_of_a_module(row: Alias) -> None:
    """Names below the alias that the library has: each behaves as the row it leads to says."""
    here, there = row.name.removesuffix("*"), row.same_as.removesuffix("*")
    for row_below in KINDS:
        if row_below.name.startswith(here):
            in_time(row_below)
    try:
        resolve(here.removesuffix("."))
    except AttributeError:
        assert any(row_there.since > sys.version_info[:2] for row_there in KINDS if row_there.name.startswith(there))
        pytest.skip("a module of a newer Python")
    compared = 0
    for target in [*TABLE.kinds, *TABLE.apis]:
        name = here + target.removeprefix(there)
        if not target.startswith(there) or TABLE.canonical(name) != target or "(" in target:
            continue
        try:
            found = resolve(name)
        except AttributeError:
            continue
        compared += 1
        api, kind = TABLE.apis.get(target), TABLE.kinds.get(target)
        if api is not None:
            problems = misplaced(api, found, method=is_method(target))
            assert not problems, f"{name}: {problems}"
        if kind is not None and kind.role == "exception":
            assert isinstance(found, type) and issubclass(found, BaseException)
    assert compared


LIGHT = {"lock", "event", "barrier", "queue", "simple-queue", "shared-value", "future", "context", "executor", "event-loop"}
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    **{f"{at}.{name}": ("i", value) for at in ("multiprocessing", "manager") for name, value in (
        ("Value", 0), ("RawValue", 0), ("Array", [1, 2]), ("RawArray", [1, 2]))},
    **{f"{at}.Barrier": (2,) for at in ("multiprocessing", "manager", "threading")},
    "multiprocessing.get_context": ("spawn",),
}  # fmt: skip


def is_light(row: Api) -> bool:
    if row.name.rpartition(".")[0] not in {"multiprocessing", "threading", "queue", "concurrent.futures"} or row.gives.endswith("()"):
        return False
    return "make" in row.does and bool(row.gives) and TABLE.kinds[row.gives].role in LIGHT


@named([row for row in APIS if is_light(row)])
def test_what_a_constructor_gives(row: Api) -> None:
    in_time(row)
    assert isinstance(resolve(row.name)(*ARGUMENTS.get(row.name, ())), class_of(row.gives))


@named([row for row in APIS if row.name.startswith("multiprocessing.managers.SyncManager.") and not row.name.endswith(".Pool")])
def test_what_a_manager_gives(row: Api) -> None:
    name = row.name.rpartition(".")[2]
    proxy = getattr(started_manager(), name)(*ARGUMENTS.get(f"manager.{name}", ()))
    if row.gives.endswith("()"):
        assert TABLE.kinds[row.gives].role == "proxy" and type(proxy).__name__.startswith("AutoProxy")
        for method in methods(row.gives):
            assert hasattr(proxy, method.name.rpartition(".")[2])
    else:
        assert isinstance(proxy, class_of(row.gives))


@named([row for row in APIS if row.name.startswith("multiprocessing.pool.Pool.") and row.gives])
def test_what_a_pool_gives(row: Api) -> None:
    with resolve("multiprocessing.pool.ThreadPool")(1) as pool:
        items = () if row.payload == "args" else [(1,)] if row.payload == "star" else [1]
        result = getattr(pool, row.name.rpartition(".")[2])(int, items)
        assert isinstance(result, class_of(row.gives))


@pytest.mark.parametrize("choice", [c for c in TABLE.apis["joblib.Parallel"].where_if if c.where != "process"], ids=lambda c: c.value)
def test_joblib_runs_where_its_arguments_say(choice: Any) -> None:
    joblib = pytest.importorskip("joblib")
    both_wait = threading.Barrier(2, timeout=60).wait  # two threads or nothing: a process could not even take it
    task = os.getpid if choice.where == "here" else both_wait
    seen = joblib.Parallel(n_jobs=2, **{choice.parameter.keyword: choice.value})(joblib.delayed(task)() for _ in range(2))
    assert set(seen) == ({os.getpid()} if choice.where == "here" else {0, 1})


@pytest.mark.parametrize(("name", "canonical"), [
    ("torch.multiprocessing.Pool", "multiprocessing.Pool"),
    ("torch.multiprocessing.spawn", "torch.multiprocessing.spawn"),
    ("multiprocess.pool.Pool", "multiprocess.pool.Pool"),
    ("multiprocess.pool.Pool.map", "multiprocess.pool.Pool.map"),
    ("pathos.helpers.mp.Queue", "multiprocessing.Queue"),
    ("joblib.externals.loky.process_executor.TerminatedWorkerError", "loky.process_executor.TerminatedWorkerError"),
    ("concurrent.futures.process.ProcessPoolExecutor", "concurrent.futures.ProcessPoolExecutor"),
    ("concurrent.futures.process.BrokenProcessPool", "concurrent.futures.process.BrokenProcessPool"),
    ("somewhere.else.Pool", "somewhere.else.Pool"),
])  # fmt: skip
def test_canonical_names(name: str, canonical: str) -> None:
    assert TABLE.canonical(name) == canonical


def test_methods_come_from_the_nearest_base() -> None:
    assert TABLE.method("billiard.pool.Pool", "map") is TABLE.apis["multiprocessing.pool.Pool.map"]
    fork = TABLE.method("multiprocess.context.BaseContext", "Pool")
    assert fork is not None and fork.gives == "multiprocess.pool.Pool"
    assert TABLE.method("multiprocessing.pool.Pool", "submit") is None


def test_classes_that_became_others() -> None:
    assert TABLE.at((3, 10)).canonical("asyncio.exceptions.TimeoutError") == "asyncio.TimeoutError"
    assert TABLE.at((3, 11)).canonical("asyncio.exceptions.TimeoutError") == "builtins.TimeoutError"
    assert TABLE.at((3, 11)).kind("multiprocessing.TimeoutError") is not None
