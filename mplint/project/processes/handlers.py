"""Signal handlers: which are registered for which signals, and in which processes they run."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Step
from mplint.project.calling import called_by
from mplint.project.processes.forking import made_after, made_by
from mplint.project.importing import is_test
from mplint.project.modules import CallSite, Class, Function, Module
from mplint.project.values import External, Instance, Literal
from mplint.project.workers import Reach, Submission

if TYPE_CHECKING:
    from mplint.project import Project

FAR = 200
"""Functions of a new process that are looked at for handlers of its own."""


_NAMES = {number.value: number.name for number in signal.Signals}
"""Signals that have a name; most real-time signals, though valid, have none."""


class Registration(NamedTuple):
    """A call of `signal.signal`: the names of the signals it can be for, the functions of the project and the names of the library's handlers."""

    submission: Submission
    signals: frozenset[str]
    functions: tuple[Function, ...]
    others: frozenset[str]

    @property
    def site(self) -> CallSite:
        return self.submission.site


class Home(NamedTuple):
    """A process in which a handler runs.

    `role` is that of who owns it: "pool" (one that joins after SIGTERM), "executor", "process", ... or "". `inherited`: the handler is the parent's
    and comes along by fork, with the process made at `creation`.  `because` leads from the registration, or from the submission, to it.
    """

    role: str
    inherited: bool
    certain: bool
    because: tuple[Step, ...]
    owner: Instance | None
    creation: CallSite | None = None


def registrations(project: Project, module: Module) -> Iterator[Registration]:
    """The handlers that code of `module` registers."""
    for submission in project.submissions_of(module):
        if submission.role == "handler" and project.table.canonical(submission.api.name) == "signal.signal":
            yield _registration(project, submission)


def _registration(project: Project, submission: Submission) -> Registration:
    call = submission.site.call
    asked = call.positional(0) or call.keyword("signalnum")
    signals = frozenset(n for v in (project.values(asked, submission.site.function) if asked is not None else ()) for n in _signal_name(v))
    others = frozenset(project.table.canonical(v.name) for v in submission.callables if isinstance(v, External))
    return Registration(submission, signals, submission.callees, others)


def _signal_name(value: object) -> Iterator[str]:
    if isinstance(value, External):
        name = value.name.rpartition(".")[2]
        if name.startswith("SIG"):
            yield name
    elif isinstance(value, Literal) and isinstance(value.value, int) and value.value in _NAMES:
        yield _NAMES[value.value]


# -- where


def home(project: Project, registration: Registration) -> Home | None:
    """The worker process in which a registered handler runs; None when nothing shows that there is one."""
    function = registration.site.function
    reach = project.workers().get(function)
    if reach is not None:
        owner = reach.submission.receiver
        role = "process" if reach.submission.role in {"target", "run"} else _role(project, owner)
        return Home(role, False, reach.certain, project.why(function) or (), owner)
    if reverts(registration):
        return None
    return next(_inherited(project, registration), None)


def _role(project: Project, owner: Instance | None) -> str:
    """The role of what owns a worker; "" for a pool that is told when a worker dies, and for what is not known well enough."""
    kind = project.kind(owner) if owner is not None else None
    if kind is None or (kind.role == "pool" and kind.notices_death):
        return ""
    return "executor" if kind.role == "event-loop" else kind.role


def is_for_test(project: Project, reach: Reach, function: Function) -> bool:
    """Whether only a test runs a function of the project in a process: that says nothing about where it runs in earnest."""
    return is_test(project, reach.submission.site.function.path) and not is_test(project, function.path)


def reverts(registration: Registration) -> bool:
    """Whether the function that registers also registers another handler for the same signal later: it is there for a while only."""
    function, call = registration.site.function, registration.site.call
    asked = call.positional(0)
    for site in function.calls:
        if site.call is not call and isinstance(site.call.func, (f.Name, f.Attr)) and f.dotted(site.call.func) == f.dotted(call.func):
            other = site.call.positional(0)
            if asked is not None and other is not None and f.dotted(asked) == f.dotted(other) and function.graph.reaches(call, site.call):
                return True
    return False


def is_replaced(project: Project, registration: Registration) -> bool:
    """Whether the function that registers may give the signal another handler behind it: an event loop's, say."""
    function, call = registration.site.function, registration.site.call
    for site in function.calls:
        adds = f.last_name(site.call.func) == "add_signal_handler" or project.external(site.call.func, function) == "signal.signal"
        if adds and site.call is not call and function.graph.reaches(call, site.call):
            asked = site.call.positional(0)
            signals = {name for value in (project.values(asked, function) if asked is not None else ()) for name in _signal_name(value)}
            if not signals or signals & registration.signals:
                return True
    return False


def _inherited(project: Project, registration: Registration) -> Iterator[Home]:
    for steps, creation in made_after(project, registration.site):
        made = made_by(project, creation)
        if made is None or (is_test(project, creation.function.path) and not is_test(project, registration.site.function.path)):
            continue
        if _sets_own(project, creation, registration.signals):
            continue
        role = _role(project, made)
        message = f"a process that inherits the handler by fork is made here (`{made.cls.name.rpartition('.')[2]}`)"
        yield Home(role, True, True, (*steps, Step(creation.site, message)), made, creation)


def _sets_own(project: Project, creation: CallSite, signals: frozenset[str]) -> bool:
    """Whether the new process registers a handler of its own for one of the signals, in its initializer, target or run."""
    starts = [s for s in project.submissions_of(creation.function.module) if s.site.site == creation.site and s.role in {"initializer", "target", "run"}]
    if any(s.role == "initializer" and not s.resolved for s in starts):
        return True
    for start in starts:
        if any(isinstance(v, External) and project.table.canonical(v.name) == "signal.signal" for v in start.callables):
            return True
        seen = dict.fromkeys(start.callees)
        for _ in range(3):
            for function in tuple(seen):
                seen.update(dict.fromkeys(callee for callee, _ in called_by(project, function)))
        if any(_registers(project, function, signals) for function in list(seen)[:FAR]):
            return True
    return False


def _registers(project: Project, function: Function, signals: frozenset[str]) -> bool:
    return any(r.site.function is function and (not r.signals or r.signals & signals) for r in registrations(project, function.module))


# -- what a handler does


def ends_itself(project: Project, site: CallSite) -> bool:
    """Whether a call sends a signal to the own process."""
    name = project.external(site.call.func, site.function) if isinstance(site.call.func, (f.Name, f.Attr)) else ""
    if name == "signal.raise_signal":
        return True
    if name not in {"os.kill", "os.killpg", "signal.pthread_kill"}:
        return False
    target = site.call.positional(0)
    asked = project.external(target.func, site.function) if isinstance(target, f.Call) else ""
    return asked in {"os.getpid", "os.getpgrp", "os.getpgid", "threading.get_ident"} or not isinstance(target, f.Call)


def goes_on(project: Project, function: Function) -> bool:
    """Whether some way through a handler neither raises nor ends the process: what was interrupted continues."""
    ends = [s.call for s in function.calls if ends_itself(project, s) or _calls_unknown_handler(project, s)]
    ends += [s.call for s in function.calls if (callees := project.callees(s)) and all(not goes_on_at_all(project, c) for c in callees)]
    return bool(function.graph.exits(avoiding=ends) & {"fall", "return"})


def goes_on_at_all(project: Project, function: Function) -> bool:
    return not project.never_returns(function) and not any(ends_itself(project, s) for s in function.calls)


def _calls_unknown_handler(project: Project, site: CallSite) -> bool:
    """Whether a call with the parameters of a handler goes to what does not resolve: the handler that was there before."""
    params = [p.name for p in site.function.facts.params]
    given = [a.value.id for a in site.call.args if isinstance(a.value, f.Name)]
    return len(given) >= 2 and len(given) == len(site.call.args) and set(given) <= set(params) and not project.callees(site)


def signal_parameter(handler: Function) -> str:
    """The source by which a handler names the number of its signal, "" when it gets none."""
    first = next((p for p in handler.facts.params if p.name != handler.receiver), None)
    if first is None or first.kind not in {"positional", "positional-only", "*"}:
        return ""
    return f"{first.name}[0]" if first.kind == "*" else first.name


def owner_name(home: Home) -> str:
    """How people call what owns the process: `Pool`, `ProcessPoolExecutor`, `Process`."""
    cls = home.owner.cls if home.owner is not None else None
    return cls.name.rpartition(".")[2] if isinstance(cls, (Class, External)) else ""
