"""Whether what is sent to another process is surely little: numbers, flags, short texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mplint import facts as f
from mplint.project.modules import CallSite, Function
from mplint.project.values import Literal

if TYPE_CHECKING:
    from mplint.project import Project

_DEPTH = 4
_FEW = 16

_GIVING_LITTLE = frozenset({
    "len", "int", "float", "bool", "str", "repr", "hash", "id", "type", "sum", "min", "max", "abs", "round", "getpid", "getppid", "time",
    "perf_counter", "monotonic", "process_time", "time_ns", "randint", "random", "uniform", "format_exc", "is_set", "is_alive", "isinstance",
    "hasattr", "any", "all", "get_ident", "gethostname", "now", "uuid4", "hexdigest", "strip", "cpu_count", "qsize", "WEXITSTATUS", "WTERMSIG",
    "WIFEXITED", "WIFSIGNALED", "waitstatus_to_exitcode", "fork", "system",
})  # fmt: skip
"""Last names of calls that give a number, a flag or a short text."""

_LITTLE = frozenset({"int", "float", "bool", "complex"})
"""Annotations of what is little; a `str` may be a whole document."""


def is_little(project: Project, expr: f.Expr | None, function: Function, depth: int = _DEPTH) -> bool:
    """Whether `expr`, a row of `function`, is surely no more than some hundred bytes when pickled."""
    if expr is None or isinstance(expr, (f.Const, f.Text)):
        return True
    if isinstance(expr, f.Sequence):
        return len(expr.items) <= _FEW and all(not isinstance(i, f.Star) and is_little(project, i, function, depth) for i in expr.items)
    if isinstance(expr, f.Mapping):
        return len(expr.values) <= _FEW and None not in expr.keys and all(is_little(project, v, function, depth) for v in expr.values)
    if isinstance(expr, f.Op):
        if expr.op in {"not", "==", "!=", "<", "<=", ">", ">=", "is", "is not", "in", "not in"}:
            return True
        return expr.op != "*" and all(is_little(project, o, function, depth) for o in expr.operands)
    if isinstance(expr, f.Choice):
        return is_little(project, expr.body, function, depth) and is_little(project, expr.orelse, function, depth)
    if isinstance(expr, f.Bind):
        return is_little(project, expr.value, function, depth)
    if not depth:
        return False
    if isinstance(expr, f.Call):
        return _gives_little(project, CallSite(function, expr), depth - 1)
    values = project.values(expr, function)
    if values and all(isinstance(v, Literal) for v in values):
        return True
    return isinstance(expr, f.Name) and _is_bound_to_little(project, expr, function, depth - 1)


def _gives_little(project: Project, site: CallSite, depth: int) -> bool:
    callees = project.callees(site)
    if not callees:
        return f.last_name(site.call.func) in _GIVING_LITTLE
    for callee in callees:
        if callee.name == "__init__" or callee.facts.is_generator or callee.facts.is_async:
            return False
        if not all(is_little(project, row.value, callee, depth) for row in callee.rows if isinstance(row, f.Return)):
            return False
    return True


def _is_bound_to_little(project: Project, name: f.Name, function: Function, depth: int) -> bool:
    found = function.graph.definitions(name)
    if not found:
        return False
    for row in found:
        if isinstance(row, f.Assign):
            if not all(_is_little_for(project, name.id, target, row.value, function, depth) for target in row.targets):
                return False
        elif isinstance(row, f.Handler):  # an exception
            continue
        elif isinstance(row, (f.For, f.Clause)):
            counted = isinstance(row.source, f.Call) and isinstance(row.source.func, f.Name) and row.source.func.id == "range"
            if not counted:
                return False
        elif isinstance(row, f.Change):
            if row.op not in {"+", "-"} or not isinstance(row.value, f.Const) or row.value.kind not in {"int", "float"}:
                return False
        elif isinstance(row, f.Param):
            if not (isinstance(row.annotation, f.Name) and row.annotation.id in _LITTLE) and not _is_given_little(project, row, function, depth):
                return False
        else:
            return False
    return True


def _is_little_for(project: Project, name: str, target: f.Expr, value: f.Expr | None, function: Function, depth: int) -> bool:
    """Whether an assignment to a target gives the name in it something little."""
    if isinstance(target, f.Sequence) and isinstance(value, f.Sequence) and len(target.items) == len(value.items):
        pairs = zip(target.items, value.items)
        return all(_is_little_for(project, name, t, v, function, depth) for t, v in pairs if any(isinstance(r, f.Name) and r.id == name for r in f.walk(t)))
    return value is not None and isinstance(target, f.Name) and is_little(project, value, function, depth)


def _is_given_little(project: Project, param: f.Param, function: Function, depth: int) -> bool:
    """Whether all that the project's calls, and those that hand the function to a process, pass to a parameter is little."""
    given = list(project.arguments(function, param))
    for submission in project.submissions():
        if function in submission.callees:
            args = project.argument(submission.site.call, submission.api.arguments)
            places = [p for p in function.facts.params if p.kind in {"positional", "positional-only"}]
            place = places.index(param) - (1 if function.receiver and function not in submission.callables else 0) if param in places else -1
            if submission.api.payload != "args" or not isinstance(args, f.Sequence) or not 0 <= place < len(args.items):
                return False
            given.append((args.items[place], submission.site.function))
    return bool(given) and all(is_little(project, expr, caller, depth) for expr, caller in given)
