"""What the exceptions written in C do: construction, members, state.  Read from the source of CPython 3.8 to 3.13."""

from __future__ import annotations

import builtins
from typing import Any, Callable

from mplint.verdict.machine import Machine, Thrown, Vague
from mplint.verdict.terms import NONE, Cls, Const, DictObj, ListObj, Obj, Seq, Term, freeze, kind_of

GROUPS = {"BaseExceptionGroup": ("BaseException",), "ExceptionGroup": ("BaseExceptionGroup", "Exception", "BaseException")}
LATER = {"EncodingWarning": ("Warning", "Exception", "BaseException"), "PythonFinalizationError": ("RuntimeError", "Exception", "BaseException")}

MEMBERS: dict[str, tuple[str, ...]] = {
    "OSError": ("errno", "strerror", "filename", "filename2", "characters_written"),
    "ImportError": ("msg", "name", "path", "name_from"),
    "AttributeError": ("name", "obj"),
    "NameError": ("name",),
    "SyntaxError": ("msg", "filename", "lineno", "offset", "text", "end_lineno", "end_offset", "print_file_and_line"),
    "StopIteration": ("value",),
    "SystemExit": ("code",),
    "UnicodeDecodeError": ("encoding", "object", "start", "end", "reason"),
    "UnicodeEncodeError": ("encoding", "object", "start", "end", "reason"),
    "UnicodeTranslateError": ("encoding", "object", "start", "end", "reason"),
    "BaseExceptionGroup": ("message", "exceptions"),
}
"""Members that live in the C structure, not in `__dict__`."""

BASE_MEMBERS = ("args", "__traceback__", "__context__", "__cause__", "__suppress_context__", "__class__", "__dict__")


def bases_of(name: str) -> tuple[str, ...]:
    """The MRO of a builtin exception by names, itself first, without `object`; () when there is no such exception."""
    real = getattr(builtins, name, None)
    if isinstance(real, type) and issubclass(real, BaseException):
        return tuple(c.__name__ for c in real.__mro__[:-1])
    extra = GROUPS.get(name) or LATER.get(name)
    return (name, *extra) if extra else ()


def canonical(name: str) -> str:
    """`IOError` and its like are other names of `OSError`; "" when `name` is no builtin exception."""
    real = getattr(builtins, name, None)
    if isinstance(real, type) and issubclass(real, BaseException):
        return real.__name__
    return name if name in GROUPS or name in LATER else ""


def family(name: str) -> str:
    """The class that gives `name` its C structure."""
    return next((base for base in bases_of(name) if base in MEMBERS), "BaseException")


def solid(tail: tuple[str, ...]) -> str:
    """The C structure of a class with these builtins in its MRO."""
    return next((fam for fam in map(family, tail) if fam != "BaseException"), "BaseException")


def members(builtin: str, version: tuple[int, int]) -> tuple[str, ...]:
    """The members that `builtin` itself declares."""
    if builtin in {"AttributeError", "NameError"} and version < (3, 10):
        return ()
    own = MEMBERS.get(builtin, ())
    if builtin == "ImportError" and version < (3, 12):
        own = own[:3]
    return (*own, *BASE_MEMBERS) if builtin == "BaseException" else own


def use_init(m: Machine, obj_cls: Any) -> bool:
    """Whether an OSError keeps its hands off `args` until `__init__`: that one is overridden, `__new__` is not."""
    shape = m.shapes.of(obj_cls)
    init = shape.find("__init__")
    if shape.find_python("__new__") is not None:
        return False
    return init is None or not isinstance(init.owner, str) or family(init.owner) != "OSError"


def new(m: Machine, cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Obj:
    """`BaseException.__new__` and its like."""
    kind = solid(m.shapes.of(cls).builtins)
    obj = Obj(cls, args)
    if kind == "OSError":
        if use_init(m, cls):
            obj.args = ()
        else:
            no_keywords(m, cls, kwargs)
            _os_error(obj, args)
    elif kind == "BaseExceptionGroup":
        if len(args) != 2:
            raise Thrown("TypeError", f"BaseExceptionGroup.__new__() takes exactly 2 arguments ({len(args)} given)")
        if kind_of(args[0]) not in {"str", ""}:
            raise Thrown("TypeError", "the message of an exception group must be text")
        if kind_of(args[1]) not in {"list", "tuple", ""}:
            raise Thrown("TypeError", "an exception group needs a sequence of exceptions")
        obj.fields.update(message=args[0], exceptions=Term("tuple", (freeze(args[1]),), "tuple"))
    return obj


def no_keywords(m: Machine, cls: Any, kwargs: dict[str, Any]) -> None:
    if kwargs:
        raise Thrown("TypeError", f"{m.shapes.of(cls).name}() takes no keyword arguments")


def init(m: Machine, owner: str, obj: Obj, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """`owner.__init__(obj, *args, **kwargs)`."""
    _INITS.get(family(owner), _base)(m, obj, args, kwargs)


def _base(m: Machine, obj: Obj, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    no_keywords(m, obj.cls, kwargs)
    obj.args, obj.args_term = args, None


def _os_error(obj: Obj, args: tuple[Any, ...]) -> None:
    obj.args, obj.args_term = args, None
    if 2 <= len(args) <= 5:
        obj.fields.update(errno=args[0], strerror=args[1])
        if len(args) > 2 and args[2] != NONE:
            obj.fields["filename"] = args[2]
            if len(args) == 5 and args[4] != NONE:
                obj.fields["filename2"] = args[4]
            obj.args = args[:2]


def _os_init(m: Machine, obj: Obj, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if use_init(m, obj.cls):
        no_keywords(m, obj.cls, kwargs)
        _os_error(obj, args)


def _some_keywords(*allowed: str) -> Callable[[Machine, Obj, tuple[Any, ...], dict[str, Any]], None]:
    def run(m: Machine, obj: Obj, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        for name in kwargs:
            if name not in allowed:
                raise Thrown("TypeError", f"'{name}' is an invalid keyword argument for this function")
        obj.args, obj.args_term = args, None
        for name in allowed:
            obj.fields.pop(name, None)
        obj.fields.update(kwargs)
        if "path" in allowed:
            obj.fields["msg"] = args[0] if len(args) == 1 else NONE

    return run


def _stop(m: Machine, obj: Obj, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    _base(m, obj, args, kwargs)
    obj.fields["value"] = args[0] if args else NONE


def _exit(m: Machine, obj: Obj, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    _base(m, obj, args, kwargs)
    if args:
        obj.fields["code"] = args[0] if len(args) == 1 else Seq("tuple", args)


def _syntax(m: Machine, obj: Obj, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    _base(m, obj, args, kwargs)
    if args:
        obj.fields["msg"] = args[0]
    if len(args) == 2:
        info = args[1].items if isinstance(args[1], (Seq, ListObj)) else None
        if isinstance(args[1], Const):
            if not isinstance(args[1].value, str):
                raise Thrown("TypeError", "the details of a SyntaxError must be a sequence")
            info = tuple(Const(c) for c in args[1].value)
        if info is None:  # it is taken to be what it must be
            info = tuple(Term("detail", (freeze(args[1]), i)) for i in range(4))
        if not 4 <= len(info) <= 6:
            raise Thrown("TypeError", "the details of a SyntaxError must have four to six items")
        obj.fields.update(zip(("filename", "lineno", "offset", "text", "end_lineno", "end_offset"), info))


def _unicode(*kinds: tuple[str, set[str]]) -> Callable[[Machine, Obj, tuple[Any, ...], dict[str, Any]], None]:
    def run(m: Machine, obj: Obj, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        _base(m, obj, args, kwargs)
        if len(args) != len(kinds):
            raise Thrown("TypeError", f"function takes exactly {len(kinds)} arguments ({len(args)} given)")
        for value, (name, allowed) in zip(args, kinds):
            kind = kind_of(value)
            if kind and kind not in allowed and kind != "object" and "." not in kind:
                raise Thrown("TypeError", f"`{name}` must be {' or '.join(sorted(allowed))}, not {kind}")
            obj.fields[name] = value

    return run


_TEXT = {"str"}
_NUMBER = {"int", "bool"}
_DECODE = (("encoding", _TEXT), ("object", {"bytes", "bytearray"}), ("start", _NUMBER), ("end", _NUMBER), ("reason", _TEXT))
_ENCODE = (("encoding", _TEXT), ("object", _TEXT), ("start", _NUMBER), ("end", _NUMBER), ("reason", _TEXT))

_INITS: dict[str, Callable[[Machine, Obj, tuple[Any, ...], dict[str, Any]], None]] = {
    "OSError": _os_init, "StopIteration": _stop, "SystemExit": _exit, "SyntaxError": _syntax,
    "ImportError": _some_keywords("name", "path", "name_from"), "AttributeError": _some_keywords("name", "obj"),
    "NameError": _some_keywords("name"), "UnicodeDecodeError": _unicode(*_DECODE), "UnicodeEncodeError": _unicode(*_ENCODE),
    "UnicodeTranslateError": _unicode(*_ENCODE[1:]),
}  # fmt: skip


def reduce(m: Machine, owner: str, obj: Obj) -> Any:
    """What `owner.__reduce__(obj)` returns, as a tuple."""
    if obj.args is None:
        raise Vague("args")
    kind = family(owner)
    args: tuple[Any, ...] = obj.args
    state: dict[Any, Any] = {Const(k): v for k, v in obj.attrs.items()}
    if kind == "OSError" and len(args) == 2 and "filename" in obj.fields:
        args = (*args, obj.fields["filename"])
        if "filename2" in obj.fields:
            args = (*args, NONE, obj.fields["filename2"])
    elif kind == "ImportError":  # a member that was set to None counts, one that was never set does not
        state.update({Const(k): obj.fields[k] for k in ("name", "path", "name_from") if k in obj.fields})
    elif kind == "AttributeError" and m.version >= (3, 12):
        if "name" in obj.fields:
            state[Const("name")] = obj.fields["name"]
        state[Const("args")] = Seq("tuple", obj.args)
    parts = (Cls(obj.cls), Seq("tuple", args))
    return Seq("tuple", (*parts, DictObj(state)) if state else parts)
