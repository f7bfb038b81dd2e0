"""Statements of a constructor, executed on symbolic values."""

from __future__ import annotations

from typing import Any, Callable, Union

from mplint import facts as f
from mplint.project.definitions import definition_values, definitions_in
from mplint.verdict import builtins, library, operators
from mplint.verdict.expressions import converted, element, ev, iterate
from mplint.verdict.machine import Frame, Impossible, Machine, Thrown, Vague
from mplint.verdict.targets import assign
from mplint.verdict.terms import NONE, Cls, Const, DictObj, Ext, Func, ListObj, Obj, Seq, Term, freeze, kind_of
from mplint.verdict.truth import truth

Signal = Union[None, str, tuple[str, Any]]
"""None: go on; "break"; "continue"; ("return", value)."""


def run(m: Machine, steps: tuple[f.Step, ...], frame: Frame) -> Signal:
    """Execute `steps`.  Raises Thrown, Vague or Impossible."""
    for step in steps:
        m.tick()
        signal = _HANDLERS[type(step)](m, step, frame)
        if signal is not None:
            return signal
    return None


def _assign(m: Machine, step: f.Assign, frame: Frame) -> Signal:
    if step.value is not None:
        value = ev(m, step.value, frame)
        for target in step.targets:
            assign(m, target, value, frame)
    return None


def _change(m: Machine, step: f.Change, frame: Frame) -> Signal:
    left, right = ev(m, step.target, frame), ev(m, step.value, frame)
    if isinstance(left, ListObj) and step.op == "+":
        more = iterate(m, right)
        if left.items is not None and more is not None:
            left.items.extend(more)
            return None
    assign(m, step.target, operators.binary(m, step.op, left, right), frame)
    return None


def _do(m: Machine, step: f.Do, frame: Frame) -> Signal:
    ev(m, step.value, frame)
    return None


def _return(m: Machine, step: f.Return, frame: Frame) -> Signal:
    return "return", ev(m, step.value, frame) if step.value is not None else NONE


def _raise(m: Machine, step: f.Raise, frame: Frame) -> Signal:
    if step.exc is None:
        if frame.handling:
            raise frame.handling[-1]
        raise Thrown("RuntimeError", "No active exception to reraise")
    value = ev(m, step.exc, frame)
    cls = value.cls if isinstance(value, (Obj, Cls)) else value.parts[0].cls if isinstance(value, Term) and value.op == "new" else None
    name = cls if isinstance(cls, str) else cls.name if cls is not None else ""
    raise Thrown(str(name), "raised by the constructor itself", value, stated=True)


def _jump(m: Machine, step: f.Jump, frame: Frame) -> Signal:
    return step.kind if step.kind != "pass" else None


def _nothing(m: Machine, step: f.Row, frame: Frame) -> Signal:
    return None


def _import(m: Machine, step: f.Import, frame: Frame) -> Signal:
    for name, alias in step.names:
        local = alias or (name if step.level or step.module else name.partition(".")[0])
        if name != "*":
            values = [v for d in definitions_in(step, local) for v in definition_values(m.project, d, frame.function)]
            frame.env[local] = converted(tuple(values), frame, local)
    return None


def _assert(m: Machine, step: f.Assert, frame: Frame) -> Signal:
    before = len(m.taken)
    if not truth(m, ev(m, step.test, frame)):
        if len(m.taken) > before:
            raise Impossible
        raise Thrown("AssertionError", "an assertion fails", stated=True)
    return None


def _delete(m: Machine, step: f.Delete, frame: Frame) -> Signal:
    for target in step.targets:
        if isinstance(target, f.Name):
            frame.env.pop(target.id, None)
        elif isinstance(target, f.Attr):
            owner = ev(m, target.value, frame)
            if isinstance(owner, Obj) and owner.attrs.pop(target.attr, None) is None:
                raise Vague("del")
        elif isinstance(target, f.Item):
            owner = ev(m, target.value, frame)
            if isinstance(owner, DictObj):
                owner.drop(freeze(ev(m, target.index, frame)))
    return None


def _if(m: Machine, step: f.If, frame: Frame) -> Signal:
    return run(m, step.body if truth(m, ev(m, step.test, frame)) else step.orelse, frame)


def _for(m: Machine, step: f.For, frame: Frame) -> Signal:
    source = ev(m, step.source, frame)
    items = iterate(m, source)
    if items is None or len(items) > 24:
        return _once(m, step.body, frame, step.at, freeze(source), lambda: assign(m, step.target, element(m, source), frame))
    for item in items:
        assign(m, step.target, item, frame)
        signal = run(m, step.body, frame)
        if signal == "break":
            return None
        if isinstance(signal, tuple):
            return signal
    return run(m, step.orelse, frame)


def _while(m: Machine, step: f.While, frame: Frame) -> Signal:
    for _ in range(16):
        before = len(m.taken)
        if not truth(m, ev(m, step.test, frame)):
            return run(m, step.orelse, frame)
        if len(m.taken) > before:
            return _once(m, step.body, frame, step.at, NONE, lambda: None)
        signal = run(m, step.body, frame)
        if signal == "break":
            return None
        if isinstance(signal, tuple):
            return signal
    raise Vague("a loop")


def _once(m: Machine, body: tuple[f.Step, ...], frame: Frame, at: int, source: Any, enter: Callable[[], None]) -> Signal:
    """A loop of unknown length: its body runs once, and what it changes depends on the source in a way not told apart."""
    before = {name: freeze(value) for name, value in frame.env.items()}
    objects = [v for v in frame.env.values() if isinstance(v, Obj)]
    attrs = [{k: freeze(v) for k, v in o.attrs.items()} for o in objects]
    enter()
    signal = run(m, body, frame)
    for name, value in list(frame.env.items()):
        after = freeze(value)
        if before.get(name) != after and not isinstance(value, Obj):
            term = Term("loop", (at, name, source, before.get(name), after), kind_of(value))
            if isinstance(value, ListObj):
                value.items, value.source = None, term
            elif isinstance(value, DictObj):
                value.rest += (term,)
            else:
                frame.env[name] = term
    for obj, old in zip(objects, attrs):
        for name, value in list(obj.attrs.items()):
            after = freeze(value)
            if old.get(name) != after:
                obj.attrs[name] = Term("loop", (at, name, source, old.get(name), after), kind_of(value))
    return signal if isinstance(signal, tuple) else None


def _try(m: Machine, step: f.Try, frame: Frame) -> Signal:
    try:
        try:
            signal = run(m, step.body, frame)
        except Thrown as error:
            handler = next((h for h in step.handlers if catches(m, h.types, error, frame)), None)
            if handler is None:
                raise
            if handler.name:
                frame.env[handler.name] = error.value if isinstance(error.value, (Obj, Term)) else Term("new", (Cls(error.kind), Const(error.text)), "object")
            frame.handling = (*frame.handling, error)
            try:
                signal = run(m, handler.body, frame)
            finally:
                frame.handling = frame.handling[:-1]
        else:
            signal = signal if signal is not None else run(m, step.orelse, frame)
    except (Vague, Impossible):
        raise
    except Thrown:
        late = run(m, step.final, frame)
        if late is None:
            raise
        return late
    late = run(m, step.final, frame)
    return late if late is not None else signal


def catches(m: Machine, types: f.Expr | None, error: Thrown, frame: Frame) -> bool:
    """Whether `except types` catches what was thrown."""
    if types is None:
        return True
    value = ev(m, types, frame)
    names = builtins.bases_of(error.kind) or ((error.kind, "Exception") if error.kind else ("Exception",))
    if error.kind == "dataclasses.FrozenInstanceError":
        names = ("AttributeError", "Exception", "BaseException")
    for item in value.items if isinstance(value, (Seq, ListObj)) and value.items is not None else [value]:
        if isinstance(item, Cls):
            if item.cls in names or item.cls in {"Exception", "BaseException"} or (not isinstance(item.cls, str) and item.cls.name == error.kind):
                return True
        elif isinstance(item, Ext) and (item.name == error.kind or library.builtin_base(m.project.table, item.name) in names[:1]):
            return True
    return False


def _with(m: Machine, step: f.With, frame: Frame) -> Signal:
    quiet: list[Any] = []
    for item in step.items:
        value = ev(m, item.value, frame)
        if isinstance(item.value, f.Call) and f.dotted(item.value.func).rpartition(".")[2] == "suppress":
            quiet.extend(a.value for a in item.value.args)
        if item.target is not None:
            kind = kind_of(value)
            assign(m, item.target, Term("entered", (freeze(value),), kind if kind.startswith("!") else ""), frame)
    try:
        return run(m, step.body, frame)
    except Thrown as error:
        if any(catches(m, types, error, frame) for types in quiet):
            return None
        raise


def _match(m: Machine, step: f.Match, frame: Frame) -> Signal:
    subject = freeze(ev(m, step.subject, frame))
    for case in step.cases:
        if m.decide(Term("match", (case.at, subject)), True):
            for name in case.names:
                frame.env[name] = Term("matched", (subject, case.at, name))
            return run(m, case.body, frame)
    return None


def _define(m: Machine, step: f.FunctionFacts, frame: Frame) -> Signal:
    view = frame.function.view(step)
    frame.env[step.name] = Func(view, frame)
    return None


def _class(m: Machine, step: f.ClassFacts, frame: Frame) -> Signal:
    frame.env[step.name] = Term("class", (step.at,), "!a local class")
    return None


_HANDLERS: dict[type[Any], Callable[[Machine, Any, Frame], Signal]] = {
    f.Assign: _assign, f.Change: _change, f.Do: _do, f.Return: _return, f.Raise: _raise, f.Jump: _jump, f.Declare: _nothing, f.Import: _import,
    f.Assert: _assert, f.Delete: _delete, f.If: _if, f.While: _while, f.For: _for, f.Try: _try, f.With: _with, f.Match: _match,
    f.FunctionFacts: _define, f.ClassFacts: _class,
}  # fmt: skip
