"""The words of an API table: which names in a source can have to do with it."""

from __future__ import annotations

import re
from typing import Callable

from mplint.apis import Table

PASSING = {
    "list", "tuple", "set", "sorted", "iter", "reversed", "enumerate", "zip", "next", "filter", "closing", "nullcontext", "enter_context",
    "enter_async_context", "cast", "partial", "delayed", "copy", "deque", "chain", "islice", "tqdm",
}  # fmt: skip
"""Functions whose result holds what they are given."""

ADDING = {"append", "appendleft", "add", "extend", "update", "insert", "setdefault"}

TAKING = {"pop", "popleft", "popitem", "get", "setdefault", "values", "items", "copy"}
"""Methods of containers that give what was put in."""

DISTINCT = {
    "run_in_executor", "apply_async", "map_async", "starmap_async", "imap", "imap_unordered", "starmap", "gather", "add_done_callback", "signal",
    "to_thread", "TaskGroup", "create_task", "wait_for", "wrap_future", "add_signal_handler", "setitimer", "alarm", "set_start_method", "get_start_method",
}  # fmt: skip
"""Calls of these names are looked at whatever they are called on."""

OPENING = frozenset({"run_in_executor", "apply_async", "map_async", "starmap_async", "imap", "imap_unordered", "add_signal_handler", "setitimer"})
"""Pages that hold one of these are read even where nothing else leads."""

AWAITED = frozenset({"run_in_executor", "to_thread", "wrap_future"})
"""What gives work to an executor and awaits it."""

AWAITING = frozenset({"gather", "TaskGroup", "wait_for"})
"""Pages that hold one of these, name asyncio and name a function that leads to AWAITED are read too."""


class Vocabulary:
    """The words of an API table: last names of what it knows (exceptions apart: no work is given to them), those that give an object or hand
    some out, and the modules they come from; libraries left out that the project itself is (`is_own`, by top-level name)."""

    def __init__(self, table: Table, is_own: Callable[[str], bool] = lambda name: False) -> None:
        kinds = [name for name, kind in table.kinds.items() if kind.role != "exception"]
        aliases = [name for name, target in table.aliases.items() if not _is_exception(table, target)]
        foreign = (n for n in (*table.apis, *kinds, *aliases) if n.partition(".")[0] not in _PLAIN)
        names = [n for n in foreign if not (is_own(n.partition(".")[0]) or is_own(table.canonical(n).partition(".")[0]))]
        self.words = frozenset(n.rpartition(".")[2] for n in (*table.apis, *kinds, *aliases)) - {"*"}
        giving = {row.name.rpartition(".")[2] for row in table.apis.values() if row.gives or row.gives_each or "pass" in row.does}
        self.giving = frozenset(giving | {n.rpartition(".")[2] for n in kinds})
        self.handing = frozenset(row.name.rpartition(".")[2] for row in table.apis.values() if row.gives_each)
        self.modules = frozenset(m for n in names if (m := n.rpartition(".")[0]) and not m.rpartition(".")[2][:1].isupper())
        self.above = frozenset(".".join(m.split(".")[:k]) for m in self.modules for k in range(1, m.count(".") + 1)) - self.modules
        self.leading = self.modules | self.above
        self.members = self.words.union(*(m.split(".") for m in self.modules))
        """What may stand behind the dot of a module of these libraries and matter."""
        starting = [n for n, row in table.apis.items() if row.gives or row.gives_each or row.callee is not None]
        starting += [n for n, kind in table.kinds.items() if kind.role != "exception"]
        starting += [n for n, meant in table.aliases.items() if meant in table.apis or meant in table.kinds]
        homes = {n.rpartition(".")[0] for n in starting}
        starting_in = {m for m in self.modules if any(h == m or h.startswith(m + ".") for h in homes)}
        self.starting = frozenset(m for m in starting_in if not any(m.startswith(above + ".") for above in starting_in))
        """The modules of which an object or a function hands over work, or registers a handler; not those inside one of them."""

    def is_imported(self, text: str) -> bool:
        """Whether a source imports what may lead to an API."""
        found = _IMPORTED.findall(text)
        return any(name in self.leading or (how == "import" and name.partition(".")[0] in self.leading) for how, name in found)


def _is_exception(table: Table, name: str) -> bool:
    kind = table.kind(name)
    return name.startswith("builtins.") or (kind is not None and kind.role == "exception")


_IMPORTED = re.compile(r"\b(from|import)\s+([\w.]+)")


_PLAIN = {
    "asyncio", "builtins", "os", "sys", "atexit", "threading", "subprocess", "queue", "functools", "contextlib", "typing", "weakref", "time", "random",
    "posix", "six",
}  # fmt: skip
"""Packages of rows that say nothing about processes by themselves; what an event loop does with an executor has names of its own."""
