"""What is known of names outside the project, as rows: bases that add nothing, what calls return, what cannot be pickled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mplint.project.values import External
from mplint.verdict import builtins

if TYPE_CHECKING:
    from mplint.apis import Table

INERT_BASES = frozenset({
    "builtins.object", "typing.Generic", "typing.Protocol", "typing_extensions.Protocol", "typing_extensions.Generic", "abc.ABC", "typing.Any",
})  # fmt: skip
"""Bases that take no part in construction or pickling."""

INERT_MODULES = ("collections.abc.", "typing.", "typing_extensions.")


def inert(name: str) -> bool:
    """Whether a base of this name takes no part in construction or pickling."""
    return name in INERT_BASES or name.startswith(INERT_MODULES)


FIELD_MAKERS = frozenset({
    "dataclasses.field", "attr.ib", "attr.attrib", "attr.field", "attrs.field", "attr.attr",
})  # fmt: skip

UNPICKLABLE: dict[str, str] = {
    **dict.fromkeys(("threading.Lock", "threading.RLock", "threading.Condition", "threading.Semaphore", "threading.BoundedSemaphore",
                     "threading.Event", "threading.Barrier", "_thread.allocate_lock"), "a lock"),
    **dict.fromkeys(("multiprocessing.Lock", "multiprocessing.RLock", "multiprocessing.Condition", "multiprocessing.Semaphore",
                     "multiprocessing.Event"), "a lock"),
    "threading.local": "thread-local data", "threading.Thread": "a thread", "builtins.open": "an open file", "io.open": "an open file",
    "socket.socket": "a socket", "socket.create_connection": "a socket", "sqlite3.connect": "a database connection",
    "subprocess.Popen": "a running process", "weakref.ref": "a weak reference", "sys._getframe": "a frame", "inspect.currentframe": "a frame",
    "sys.exc_info": "a traceback", "types.MappingProxyType": "a mapping proxy", "concurrent.futures.ThreadPoolExecutor": "an executor",
    "multiprocessing.Queue": "a queue", "queue.Queue": "a queue with a lock", "tempfile.TemporaryFile": "an open file",
    "tempfile.NamedTemporaryFile": "an open file", "weakref.WeakKeyDictionary": "a weak dictionary", "builtins.memoryview": "a memoryview",
}  # fmt: skip
"""Calls whose result cannot be pickled, and what to call it."""

KINDS: dict[str, str] = {
    **dict.fromkeys(("builtins.repr", "builtins.format", "builtins.ascii", "builtins.chr", "builtins.hex", "builtins.oct", "builtins.bin",
                     "json.dumps", "os.getcwd", "os.path.join", "os.path.basename", "os.path.dirname", "os.path.abspath", "textwrap.dedent",
                     "textwrap.indent", "textwrap.fill", "textwrap.shorten", "pprint.pformat", "traceback.format_exc", "gettext.gettext",
                     "gettext.ngettext", "os.strerror", "time.strftime", "time.ctime", "urllib.parse.quote", "urllib.parse.urlencode",
                     "html.escape", "shlex.quote", "shlex.join", "builtins.input", "platform.system", "reprlib.repr", "inspect.getsource"), "str"),
    **dict.fromkeys(("builtins.len", "builtins.int", "builtins.id", "builtins.hash", "builtins.ord", "os.getpid", "time.time_ns",
                     "builtins.round"), "int"),
    **dict.fromkeys(("time.time", "time.monotonic", "time.perf_counter", "builtins.float"), "float"),
    **dict.fromkeys(("builtins.isinstance", "builtins.issubclass", "builtins.callable", "builtins.hasattr", "builtins.any", "builtins.all",
                     "builtins.bool", "os.path.exists", "os.path.isfile", "os.path.isdir"), "bool"),
    **dict.fromkeys(("builtins.sorted", "builtins.dir", "traceback.format_exception", "traceback.format_stack", "traceback.format_tb",
                     "difflib.get_close_matches", "shlex.split"), "list"),
    "builtins.bytes": "bytes", "builtins.frozenset": "frozenset", "builtins.vars": "dict", "builtins.globals": "dict", "builtins.locals": "dict",
    "copy.copy": "", "copy.deepcopy": "",
}  # fmt: skip
"""Calls and the builtin type of what they return."""

METHOD_KINDS: dict[str, dict[str, str]] = {
    "str": {
        **dict.fromkeys(("format", "join", "strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize", "replace", "casefold", "center",
                         "ljust", "rjust", "zfill", "swapcase", "expandtabs", "translate", "removeprefix", "removesuffix", "format_map"), "str"),
        **dict.fromkeys(("split", "rsplit", "splitlines"), "list"), **dict.fromkeys(("partition", "rpartition"), "tuple"), "encode": "bytes",
        **dict.fromkeys(("startswith", "endswith", "isdigit", "isalpha", "isspace", "isupper", "islower", "isidentifier"), "bool"),
        **dict.fromkeys(("find", "rfind", "index", "rindex", "count"), "int"),
    },
    "bytes": {"decode": "str", "hex": "str", "strip": "bytes", "split": "list", "join": "bytes", "replace": "bytes"},
    "dict": {"keys": "!dictionary keys", "values": "!dictionary values", "items": "!dictionary items", "copy": "dict"},
    "list": {"copy": "list", "index": "int", "count": "int"},
    "int": {"bit_length": "int", "to_bytes": "bytes"},
}  # fmt: skip

IDEMPOTENT = frozenset({
    "builtins.str", "os.fspath", "os.path.abspath", "os.path.normpath", "os.path.realpath", "pathlib.Path", "builtins.tuple",
    "builtins.list", "builtins.sorted", "builtins.set", "builtins.frozenset", "builtins.int", "builtins.float", "builtins.bool", "builtins.bytes",
    "copy.copy", "copy.deepcopy", "inspect.cleandoc", "textwrap.dedent", "os.fsdecode", "os.fsencode", "builtins.abs",
})  # fmt: skip
"""Functions for which f(f(x)) is f(x)."""


GROWING = frozenset({"json.dumps", "builtins.repr", "builtins.ascii"})
"""Functions for which f(f(x)) is never f(x): each puts quotes around a text."""


KEEPING = frozenset({"textwrap.dedent", "textwrap.fill", "textwrap.indent"})
"""Functions that change nothing in a text but its white space."""


def builtin_base(table: Table, name: str) -> str:
    """The builtin exception that stands for the library class `name`, "" when it is none."""
    while not name.startswith("builtins."):
        kind = table.kind(name)
        if kind is None or not kind.plain or len(kind.bases) != 1:
            canonical = table.canonical(name)
            return builtin_base(table, canonical) if canonical != name else ""
        name = kind.bases[0]
    return builtins.canonical(name.removeprefix("builtins."))


def dotted_of(values: tuple[Any, ...]) -> str:
    """The dotted name when `values` is one external thing, else ""."""
    return values[0].name if len(values) == 1 and isinstance(values[0], External) else ""
