"""MP304: a child of os.fork() that an exception takes back into its parent's code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Alarm, Step
from mplint.project.modules import CallSite
from mplint.project.processes.branches import ONWARDS, children_of
from mplint.project.raising import Escape, catches, caught_classes, ending
from mplint.project.values import External, Unknown
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Function, Module, Project

_DEPTH = 3
"""Calls between the fork and the code that the child is meant to end in, and between the fork and who handles exceptions above it."""

_FAILING = frozenset({"builtins.open", *(f"os.{name}" for name in ("chdir", "chroot", "setuid", "setgid", "setgroups", "open", "mkdir", "makedirs"))})
"""Calls of the standard library that fail by what they find outside of the program."""


class ForkedChildEscapes(Rule):
    """A forked child that goes on in its parent's code when something fails.

    ## What it does

    Reports a call that can raise in the branch of a child that `os.fork()` made, where only a `try` of the parent handles it. The branch is meant to
    end the process (`os._exit`, an `exec`) and nothing in it handles exceptions; the `try` stands around the fork, there or in who calls it. `sys.exit()`
    in the branch is reported, too, where a `try` of the same function handles it or cleans up.

    ## Why it hurts

    The child is a copy of its parent, with all that is on the stack. An exception leaves the branch and reaches the handlers of the parent: the child
    does what the parent does after an error, and from there on the program runs twice. Measured on CPython 3.8 to 3.13: the loop of the parent goes
    on in both processes, and a `finally` of the parent deletes, in the child, the folder that the parent still works in, after `sys.exit()` as after
    an error. `exec` raises `OSError` when there is no such program, and then the child is still there.

    ## When it knows

    The test of the child (`if pid == 0:`, `if not os.fork():`, the `else` of `if pid:`) must be written out, and so must be what can raise: a
    `raise` below the call, a function that is handed in, an `exec`, a file that is opened. Silent when the parent ends in its branch (a daemon), when
    the child may go on on purpose, when a `try` in the branch ends it, and when nothing above handles what is raised: then it ends the child.

    ## References

    - [os._exit](https://docs.python.org/3/library/os.html#os._exit): to be used in the child after `fork()`.
    - [rq 1.5.1](https://github.com/rq/rq/blob/master/CHANGES.md): the child that runs a job ends by `os._exit(1)` whatever happens.
    """

    code = "MP304"
    name = "forked-child-escapes"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        if not project.forks(module.path):
            return
        for function in module.functions("fork("):
            for site in function.calls:
                if f.last_name(site.call.func) == "fork" and project.external(site.call.func, function) == "os.fork":
                    yield from self._judged(project, site)

    def _judged(self, project: Project, site: CallSite) -> Iterator[Alarm]:
        function = site.function
        for block in children_of(site):
            for find, depth in ((_risk, _DEPTH), (_exit, 0)):
                risk = find(project, function, block)
                above = _handled(project, function, block[0], risk.escape, depth, frozenset()) if risk is not None else None
                if risk is not None and above is not None:
                    message = f"{risk.why} takes the forked child back into its parent's code, which then runs in both processes"
                    because = (Step(site.site, "the child is forked here"), *risk.because, above)
                    yield Alarm(self.code, risk.site.site, message, because, risk.site.function.qualname)
                    break

    example = Example(
        bad="""\
import os


def convert(page):
    if page == 2:
        raise ValueError("the page is empty")


def convert_all(pages):
    for page in pages:
        try:
            child = os.fork()
            if child == 0:
                convert(page)  # MP304
                os._exit(0)
            os.waitpid(child, 0)
        except ValueError as error:
            print(f"page {page}: {error}", flush=True)
        except Exception:
            print(f"page {page} cannot be converted", flush=True)


if __name__ == "__main__":
    parent = os.getpid()
    convert_all([1, 2, 3])
    print("parent" if os.getpid() == parent else "a child goes on", "is done", flush=True)
""",
        bad_ends=Prints("a child goes on is done"),
        fixed="""\
import os


def convert(page):
    if page == 2:
        raise ValueError("the page is empty")


def convert_all(pages):
    for page in pages:
        child = os.fork()
        if child == 0:
            try:
                convert(page)
            except Exception as error:
                print(f"page {page}: {error}", flush=True)
                os._exit(1)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    parent = os.getpid()
    convert_all([1, 2, 3])
    print("parent" if os.getpid() == parent else "a child goes on", "is done", flush=True)
""",
        fixed_ends=Prints("parent is done"),
    )


class _Risk(NamedTuple):
    """A call in the child that can raise `escape`: `why` says what does, `because` are the calls that lead there."""

    site: CallSite
    why: str
    escape: Escape
    because: tuple[Step, ...] = ()


def _risk(project: Project, function: Function, block: tuple[f.Step, ...], depth: int = _DEPTH) -> _Risk | None:
    """What can raise in a block that is meant to end the process and has nothing that handles it; None for any other block."""
    last = block[-1]
    final = last.value if isinstance(last, f.Do) and isinstance(last.value, f.Call) else None
    below = project.callees(CallSite(function, final)) if final is not None else ()
    hands_on = len(below) == 1 and project.never_returns(below[0])
    becomes = final is not None and _is_exec(project, CallSite(function, final))
    if not hands_on and not becomes and function.graph.ways_out(block) & ONWARDS:
        return None
    if any(isinstance(row, f.Try) and _guards(project, function, row) for row in f.walk(*block)):
        return None
    for site in function.calls_in(*block):
        why = _raises(project, site) if not (hands_on and site.call is final) else None
        if why is not None:
            return why
    if hands_on and final is not None and depth:
        found = _risk(project, below[0], below[0].facts.body, depth - 1)
        if found is not None:
            step = Step(function.site(final), f"the child runs `{below[0].qualname}`")
            return found._replace(because=(step, *found.because))
    return None


def _guards(project: Project, function: Function, step: f.Try) -> bool:
    """Whether a `try` of the child is there for whatever happens: by a handler for every exception, or by ending the child in its `finally`."""
    if step.final and not function.graph.ways_out(step.final) & ONWARDS:
        return True
    return any(_is_caught(project, function, handler, _thrown(project, function, step, "Exception")) for handler in step.handlers)


def _thrown(project: Project, function: Function, row: f.Row, name: str) -> Escape:
    """A builtin exception that `row` may raise."""
    kind = External(f"builtins.{name}")
    return Escape(kind, project.ancestry(kind), "raise", function.site(row), function, row, row)


def _is_exec(project: Project, site: CallSite) -> bool:
    """Whether a call makes another program of this process."""
    return f.last_name(site.call.func).startswith("exec") and project.external(site.call.func, site.function).startswith("os.exec")


def _raises(project: Project, site: CallSite) -> _Risk | None:
    """Why a call can raise, as far as that is written out."""
    func, function = site.call.func, site.function
    name = project.external(func, function) if isinstance(func, (f.Name, f.Attr)) else ""
    if _is_exec(project, site):
        return _Risk(site, f"the `OSError` of `{name}` for a program that is not there", _thrown(project, function, site.call, "OSError"))
    if name in _FAILING:
        return _Risk(site, f"an `OSError` of `{f.last_name(func)}`", _thrown(project, function, site.call, "OSError"))
    callees = project.callees(site)
    for callee in callees:
        escape = min((e for e in project.escapes(callee, _DEPTH) if e.is_exception), key=lambda e: len(e.because), default=None)
        if escape is not None:
            title = f"`{escape.title}`" if escape.title else "an exception"
            return _Risk(site, f"{title} of `{callee.name}`", escape, (*escape.because, Step(escape.site, f"{title} is raised here")))
    handed_in = function.has_parameter(func)
    if not callees and (handed_in or isinstance(func, f.Item)) and all(isinstance(v, Unknown) for v in project.values(func, function)):
        called = f"`{f.dotted(func)}`" if handed_in else "the function that is looked up here"
        return _Risk(site, f"an exception of {called}", _thrown(project, function, site.call, "Exception"))
    return None


def _exit(project: Project, function: Function, block: tuple[f.Step, ...]) -> _Risk | None:
    """The `sys.exit()` by which a child is meant to end."""
    for site in function.calls_in(*block):
        if ending(project, site):
            return _Risk(site, f"the `SystemExit` of `{f.dotted(site.call.func)}`", _thrown(project, function, site.call, "SystemExit"))
    return None


def _is_caught(project: Project, function: Function, handler: f.Handler, escape: Escape) -> bool:
    """Whether a handler certainly takes what is raised."""
    known = not any(isinstance(v, Unknown) for v in caught_classes(project, function, handler))
    return known and catches(project, function, handler, escape)


def _handled(project: Project, function: Function, row: f.Row, escape: Escape, depth: int, seen: frozenset[Function]) -> Step | None:
    """The nearest `try` around `row`, there or in who calls `function`, that goes on after the exception or cleans up."""
    for place in function.graph.tries_around(row):
        if place.part != "body" or not isinstance(place.row, f.Try):
            continue
        for handler in place.row.handlers:
            if _is_caught(project, function, handler, escape):
                if function.graph.ways_out(handler.body) & ONWARDS and not _asks(handler.body):
                    return Step(function.site(place.row), "this `try` handles it, in the child as in the parent")
                return None
        if place.row.final and not _asks(place.row.final):
            return Step(function.site(place.row), "the `finally` of this `try` runs in the child, too")
    if depth and function not in seen:
        for site in project.callers(function):
            found = _handled(project, site.function, site.call, escape, depth - 1, seen | {function})
            if found is not None:
                return found
    return None


def _asks(block: tuple[f.Step, ...]) -> bool:
    """Whether a block asks in which process it is."""
    return any(isinstance(row, f.Attr) and row.attr == "getpid" for row in f.walk(*block))
