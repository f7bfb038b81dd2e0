"""MP301: recursion that no base case and no overflow ends keeps a worker busy for ever."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Iterator, Mapping

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.project.hierarchy import derived
from mplint.rule import Example, Hangs, Raises, Rule
from mplint.source.words import called_in, defines

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import CallSite, Function, Module, Project

Edges = Mapping["Function", "tuple[CallSite, ...]"]


class UnboundedRecursion(Rule):
    """Recursion in a worker that nothing ends.

    ## What it does

    Reports functions that run in a worker process and recurse, directly or through others, without an end. That is (a) on every way through
    the function, or (b) again in an `except` or `finally` clause that covers the recursive call and sees its `RecursionError`.

    ## Why it hurts

    Plain unbounded recursion arrives in the parent as `RecursionError`. A clause that recurses again turns it into a task that never
    ends: below the recursion limit the tree of calls doubles at every level, some 2^1000 calls of which none overflows for good. Measured:
    `Pool` hangs on CPython 3.8 to 3.13; an executor hangs on 3.9 and later and breaks on 3.8, losing the other tasks.

    ## When it knows

    The call must resolve to the function itself or lead back to it, by methods that no subclass in the project overrides. Silent when a way
    through the function ends without recursing (form a), when the clause cannot catch `RecursionError`, does not recurse, or comes after one
    that lets it pass, and when an argument of the call in the clause changes and bounds the recursion: it is compared or tested, gets
    smaller, or comes out of a structure that is walked.

    ## Fix safety

    For form (b) the fix puts `except RecursionError: raise` before the clause. It is unsafe: what was retried is now an error. Form (a),
    a `finally`, and a clause for nothing but `RecursionError` have no fix.

    ## References

    - [RecursionError](https://docs.python.org/3/library/exceptions.html#RecursionError), raised when the recursion limit is reached.
    """

    code = "MP301"
    name = "unbounded-recursion"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        for function in project.workers_in(module):
            if function.is_module or not (function.name.startswith("__") or function.name in project.kept("called in workers", lambda: _called(project))):
                continue
            circle = _circle(project, function)
            if not circle:
                continue
            chain = project.why(function) or ()
            for call, covered in _again(function, circle):
                clause = "except" if isinstance(covered, f.Handler) else "finally"
                message = f"`{function.name}` runs in a worker and recurses again in the `{clause}` that sees its RecursionError: the task never ends"
                hint = str(covered.at) if isinstance(covered, f.Handler) and _mendable(function, circle, covered) else ""
                yield Alarm(self.code, call.site, message, chain, function.qualname, hint)
            if function in _endless(circle):
                call = circle[function][0]
                message = f"`{function.name}` runs in a worker and calls itself on every way through it: the recursion has no end"
                yield Alarm(self.code, call.site, message, (*chain, *_round(circle, function)), function.qualname)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        if alarm.hint:
            repair.insert_before(repair.node(int(alarm.hint)), "except RecursionError:\n    raise")
            repair.title = "Let RecursionError pass"
            repair.safety = Safety.UNSAFE

    example = Example(
        bad="""\
from multiprocessing import Pool

REDIRECTS = {"/old": "/new", "/new": "/old"}


def resolve(path):
    if path not in REDIRECTS:
        return path
    try:
        return resolve(REDIRECTS[path])
    except Exception:
        return resolve(path)  # MP301


if __name__ == "__main__":
    with Pool(1) as pool:
        print(pool.apply(resolve, ("/old",)))
""",
        bad_ends=Hangs(),
        fixed="""\
from multiprocessing import Pool

REDIRECTS = {"/old": "/new", "/new": "/old"}


def resolve(path):
    if path not in REDIRECTS:
        return path
    try:
        return resolve(REDIRECTS[path])
    except RecursionError:
        raise
    except Exception:
        return resolve(path)


if __name__ == "__main__":
    with Pool(1) as pool:
        print(pool.apply(resolve, ("/old",)))
""",
        fixed_ends=Raises("RecursionError"),
    )


def _called(project: Project) -> frozenset[str]:
    """The names that code which runs in workers calls."""
    pages = {(function.module, function.facts.at >> f.PAGE_BITS) for function in project.workers()}
    return frozenset().union(*(called_in(module.page_code(page)) for module, page in pages))


def _own_calls(project: Project, function: Function) -> dict[Function, list[CallSite]]:
    """The functions that `function` calls for certain, on its own object if they are methods, with the calls."""
    out: dict[Function, list[CallSite]] = {}
    for site in function.calls:
        func = site.call.func
        on_self = isinstance(func, f.Attr) and isinstance(func.value, f.Name) and func.value.id in {function.receiver, "cls"}
        callees = project.callees(site)
        if len(callees) != 1 or not (isinstance(func, f.Name) or on_self or callees[0].owner is None or callees[0].is_static):
            continue
        callee = callees[0]
        if callee.name in {"__init__", "__new__"} or callee.facts.is_generator:
            continue
        if callee.facts.is_async and not isinstance(function.parent(site.call), f.Await):
            continue
        if on_self and callee is not function and _is_overridden(project, function, callee):
            continue
        out.setdefault(callee, []).append(site)
    return out


def _is_overridden(project: Project, function: Function, callee: Function) -> bool:
    """Whether a class that derives from that of `function` has a method of its own in place of `callee`: defaults may call each other."""
    owner = function.owner
    return owner is not None and any(callee.name in cls.method_names() for cls in derived(project, owner, callee.name, defines))


def _circle(project: Project, start: Function) -> dict[Function, tuple[CallSite, ...]]:
    """The functions that `start` calls and that lead back to it, itself among them, each with its calls to the others; empty when none does."""
    calls: dict[Function, dict[Function, list[CallSite]]] = {}
    queue = [start]
    while queue and len(calls) < 200:
        function = queue.pop()
        if function not in calls and function in project.workers():  # what lies behind the last that is followed is not read for this
            calls[function] = project.kept(("own calls", function), functools.partial(_own_calls, project, function))
            queue.extend(calls[function])
    back = {start}
    grew = True
    while grew:
        new = {g for g, callees in calls.items() if g not in back and any(c in back for c in callees)}
        grew = bool(new)
        back |= new
    circle = {g: tuple(s for c, sites in calls[g].items() if c in back for s in sites) for g in back if g in calls}
    return circle if circle.get(start) else {}


def _endless(circle: Edges) -> frozenset[Function]:
    """All functions of a circle when each of them calls one of them on every way through; none when one can end, or recurses again in a clause."""
    if any(True for g in circle for _ in _again(g, circle)):
        return frozenset()
    if all(_recurses_always(g, [s.call for s in sites]) for g, sites in circle.items()):
        return frozenset(circle)
    return frozenset()


def _recurses_always(function: Function, calls: list[f.Call]) -> bool:
    return not function.graph.exits(avoiding=calls)


def _round(circle: Edges, function: Function) -> Iterator[Step]:
    for other, sites in circle.items():
        if other is not function and sites:
            yield Step(sites[0].site, f"`{other.name}` leads back to `{function.name}`")


def _again(function: Function, circle: Edges) -> Iterator[tuple[CallSite, f.Handler | f.Try]]:
    """Recursive calls in a handler or finally whose try covers another recursive call, and the clause."""
    recursive = {id(site.call): site for site in circle[function]}
    for row in function.rows:
        if not isinstance(row, f.Try) or not any(id(c) in recursive for step in row.body for c in f.walk(step)):
            continue
        covered = next(c for step in row.body for c in f.walk(step) if id(c) in recursive)
        for handler in row.handlers:
            if _catches_overflow(handler):
                for site in _calls_in(handler.body, recursive):
                    if not _bounded(function, site.call, covered):
                        yield site, handler
                break
        for site in _calls_in(row.final, recursive):
            if not _bounded(function, site.call, covered):
                yield site, row


def _calls_in(block: tuple[f.Step, ...], recursive: Mapping[int, CallSite]) -> list[CallSite]:
    return [recursive[id(row)] for step in block for row in f.walk(step) if id(row) in recursive]


def _catches_overflow(handler: f.Handler) -> bool:
    types = handler.types
    names = [types] if not isinstance(types, f.Sequence) else list(types.items)
    return types is None or any(f.dotted(n).rpartition(".")[2] in {"Exception", "BaseException", "RuntimeError", "RecursionError"} for n in names)


def _mendable(function: Function, circle: Edges, handler: f.Handler) -> bool:
    """Whether letting RecursionError pass leaves a handler that is good for something, and a function that can end."""
    only_overflow = handler.types is not None and f.dotted(handler.types).rpartition(".")[2] == "RecursionError"
    return not only_overflow and not _recurses_always(function, [site.call for site in circle[function]])


def _bounded(function: Function, call: f.Call, covered: f.Call) -> bool:
    """Whether the arguments of the call in the clause can bring the recursion to an end, or something decides whether it is made."""
    if function.graph.branch_conditions(call) and _decides(function, call):
        return True
    params = {p.name for p in function.facts.params} - {function.receiver}
    tested = _tested(function)
    for given in call.args:
        names = {r.id for r in f.walk(given.value) if isinstance(r, f.Name)}
        if isinstance(given.value, f.Name) and given.value.id in params:
            continue  # passed on as it came
        if _smaller(given.value) or (names - params and not isinstance(given.value, f.Const)):
            return True
        if names & params & tested:
            return True
    return False


def _decides(function: Function, call: f.Call) -> bool:
    """Whether a condition inside the clause looks at a parameter or a counter."""
    return any(
        isinstance(r, f.Name) for branch in function.graph.branch_conditions(call) for r in f.walk(branch.test) if _inside_clause(function, call, branch.test)
    )


def _inside_clause(function: Function, call: f.Call, test: f.Expr) -> bool:
    clauses = [a for a in function.ancestors(call) if isinstance(a, f.Handler)]
    return bool(clauses) and any(row is test for row in f.walk(*clauses[-1].body))


def _tested(function: Function) -> set[str]:
    """Names that a condition of the function looks at."""
    tests = [r.test for r in function.rows if isinstance(r, (f.If, f.While, f.Choice, f.Assert))]
    return {r.id for test in tests for r in f.walk(test) if isinstance(r, f.Name)}


def _smaller(expr: f.Expr) -> bool:
    """`n - 1`, `n // 2`, `xs[1:]`, `node.parent`: what shrinks or walks."""
    if isinstance(expr, f.Op):
        return expr.op in {"-", "//", "/", ">>", "%"}
    return isinstance(expr, (f.Item, f.Attr, f.Call))
