"""What runs in a worker: every place that hands a callable over, and all that those callables reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.apis import Api, Parameter
from mplint.finding import Step
from mplint.project.callables import callable_values, is_open, wrapped_tasks
from mplint.project.calling import called_by
from mplint.project.hierarchy import derived, find_method
from mplint.project.importing import is_guarded
from mplint.project.modules import CallSite, Class, Function
from mplint.project.processes.given import given
from mplint.project.processes.targets import constructing, constructor_row, targets
from mplint.project.values import Bound, External, Instance, Literal, Many, Partial, Tuple, Unknown, Value, elements
from mplint.source import words

if TYPE_CHECKING:
    from mplint.project import Project


class Submission(NamedTuple):
    """A place that hands a callable to somebody who runs it later.

    `role`: "task", "initializer", "target" (of a Process), "run" (a Process subclass), "callback" (runs in the parent) or "handler"
    (a signal handler).  `where`: "process", "thread", "any" or "" (the process that registers it).  `callees` are the functions of the
    project it can be, `callables` the values, `receiver` the pool or executor.
    """

    site: CallSite
    api: Api
    role: str
    where: str
    start: str
    callables: tuple[Value, ...]
    callees: tuple[Function, ...]
    receiver: Instance | None
    argument: f.Expr | None

    @property
    def resolved(self) -> bool:
        """Whether every callable is known: a function of the project or of a library."""
        return bool(self.callables) and not any(isinstance(v, Many) or is_open(v) for v in self.callables)

    @property
    def title(self) -> str:
        """How people call the API: `Pool.map`, `run_in_executor`, `Process`."""
        parts = self.api.name.split(".")
        return ".".join(parts[-2:]) if len(parts) > 1 and parts[-2][:1].isupper() else parts[-1]


class Reach(NamedTuple):
    """How a function comes to run in a worker process: called by `caller` at `call`, or handed over by `submission` itself."""

    submission: Submission
    caller: Function | None
    call: f.Row | None
    certain: bool


def runs_here(project: Project, executor: Instance) -> bool:
    """Whether an executor of the project's own calls what it is given in this process: `submit` does it itself, or starts a thread."""
    submit = find_method(project, executor.cls, "submit") if isinstance(executor.cls, Class) else None
    if not isinstance(submit, Function):
        return False
    given = [p.name for p in submit.facts.params if p.name != submit.receiver][:1]
    called = [row.func for row in submit.rows if isinstance(row, f.Call)]
    return any((isinstance(func, f.Name) and func.id in given) or project.external(func, submit) == "threading.Thread" for func in called)


def functions_of(project: Project, value: Value, depth: int = 0) -> Iterator[Function]:
    """The functions of the project that run when `value` is called."""
    if depth > 8:
        return
    if isinstance(value, Function):
        yield value
    elif isinstance(value, Bound):
        if isinstance(value.function, Function):
            yield value.function
            yield from overrides(project, value.function, value.receiver)
    elif isinstance(value, Partial):
        yield from functions_of(project, value.func, depth + 1)
    elif isinstance(value, Class):
        for name in ("__new__", "__init__", "__post_init__"):
            method = find_method(project, value, name)
            if isinstance(method, Function):
                yield method
    elif isinstance(value, Instance) and isinstance(value.cls, Class):
        method = find_method(project, value.cls, "__call__")
        if isinstance(method, Function):
            yield method
    elif isinstance(value, Tuple) and value.items:  # joblib's task: (function, args, kwargs)
        for first in value.items[0]:
            yield from functions_of(project, first, depth + 1)


def overrides(project: Project, method: Function, receiver: Value) -> Iterator[Function]:
    """What subclasses put in the place of an abstract method, when the receiver may be one of them; `super()` looks above the receiver, never below."""
    if method.owner is None or not isinstance(receiver, Instance) or receiver.made is not None or not _is_abstract(method):
        return
    if isinstance(receiver.cls, Class) and find_method(project, receiver.cls, method.name) is not method:
        return
    for cls in derived(project, method.owner, method.name, words.defines):
        own = cls.method(method.name)
        if own is not None:
            yield own


def _is_abstract(method: Function) -> bool:
    if any(f.dotted(d).rpartition(".")[2] in {"abstractmethod", "abstractproperty"} for d in method.decorators):
        return True
    body = method.facts.body
    return all(isinstance(s, f.Jump) or (isinstance(s, f.Raise) and "NotImplemented" in _raised(s)) for s in body)


def _raised(step: f.Raise) -> str:
    return f.dotted(step.exc.func if isinstance(step.exc, f.Call) else step.exc)


def submissions_in(project: Project, function: Function) -> Iterator[Submission]:
    """The submissions that the calls of `function` make, each once."""
    seen: set[tuple[object, ...]] = set()
    for submission in _submissions(project, function):
        key = (submission.site, submission.role, submission.where, submission.callees, submission.argument)
        if key not in seen:
            seen.add(key)
            yield submission


def _submissions(project: Project, function: Function) -> Iterator[Submission]:
    for site in function.calls:
        if not project.spread.matters(site):
            continue
        for value in project.values(site.call.func, function):
            while isinstance(value, Partial) and not value.delayed and isinstance(value.func, (Class, Partial)):
                value = value.func
            if isinstance(value, Class):
                yield from _constructed(project, site, value)
            elif isinstance(value, (External, Bound, Instance)):
                row = project.row_of(value)
                if row is None and (row := constructor_row(project, value)) is not None:
                    yield from _initialised(project, site, row, value)
                elif row is not None and (row.callee or row.initializer or row.callbacks) and "delay" not in row.does:
                    receiver = (
                        value.receiver if isinstance(value, Bound) and isinstance(value.receiver, Instance) else value if isinstance(value, Instance) else None
                    )
                    yield from submitted(project, site, row, receiver)


def _constructed(project: Project, site: CallSite, cls: Class) -> Iterator[Submission]:
    outside = next((b for b in project.mro(cls) if isinstance(b, External) and project.table.kind(b.name) is not None), None)
    if outside is None:
        return
    kind = project.table.kind(outside.name)
    assert kind is not None
    row = project.table.api(outside.name)
    if kind.role == "process":
        run = find_method(project, cls, "run")
        if isinstance(run, Function):
            api = row or Api(name=outside.name, does=("make",))
            made = project.instance_of(cls, made=site.site)
            yield Submission(site, api, "run", kind.where or "process", "", (run,), (run,), made, None)
            return
        handed = tuple(v for v in targets(project, site, cls) if not isinstance(v, (Literal, Unknown)))
        if handed and row is not None:
            callees = tuple(dict.fromkeys(g for v in handed for g in functions_of(project, v)))
            yield Submission(site, row, "run", kind.where or "process", "", handed, callees, project.instance_of(cls, made=site.site), None)
            return
    if row is not None and find_method(project, cls, "__init__") is None:
        yield from submitted(project, site, row, None)


def _initialised(project: Project, site: CallSite, row: Api, value: Value) -> Iterator[Submission]:
    """`super().__init__(target=...)` in a class that derives from Process and leaves it to `Process.run` to call the target."""
    owner = site.function.owner
    run = find_method(project, owner, "run") if owner is not None else None
    if owner is not None and (not isinstance(run, Function) or run.spells("super", "_target")):
        yield from submitted(project, CallSite(site.function, constructing(value, site.call)), row, project.instance_of(owner))


def submitted(project: Project, site: CallSite, row: Api, receiver: Instance | None) -> Iterator[Submission]:
    """What a call hands over by a row of the API table."""
    where = project.table_where(row, site.call, site.function, receiver)
    start = receiver.start if receiver is not None else ""
    given = [v for v in project.values(site.call, site.function) if isinstance(v, Instance)]
    made = next((v for v in given if isinstance(v.cls, External) and v.cls.name == row.gives), given[0] if given else None)
    if "make" in row.does and made is not None:
        where, start = made.where or where, made.start or start
    owner = made or receiver if "make" in row.does else receiver or made

    def one(parameter: Parameter, role: str, at: str) -> Iterator[Submission]:
        argument = project.argument(site.call, parameter)
        if argument is None:
            if site.call.starred:
                yield Submission(site, row, role, at, start, (Unknown("star"),), (), owner, None)
            return
        values = callable_values(project, argument, site.function)
        if role == "task" and row.name.endswith(".__call__"):
            values = wrapped_tasks(project, argument, site.function) or elements(values)
        called = tuple(v for v in values if not (isinstance(v, Literal) and v.value is None))
        if called:
            callees = tuple(dict.fromkeys(g for v in called for g in functions_of(project, v)))
            yield Submission(site, row, role, at, start, called, callees, owner, argument)

    if row.callee is not None:
        role = "handler" if "handler" in row.does else "callback" if {"callback", "atexit"} & set(row.does) else "target" if "make" in row.does else "task"
        yield from one(row.callee, role, "" if role in {"handler", "callback"} else where)
    if row.initializer is not None:
        yield from one(row.initializer, "initializer", where)
    for parameter in row.callbacks:
        yield from one(parameter, "callback", "")


FOLLOWED = 2_000
"""Functions of workers that calls are followed into, the nearest to what was submitted first.  Whole applications run in processes (vllm, sglang:
20,000 functions and more); what is farther in than so many has chains that nobody reads."""


def reached(project: Project, limit: int = FOLLOWED) -> dict[Function, Reach]:
    """The functions that may run in a worker process, each with the shortest way there; those certain to be processes first.  Some more than
    `limit` when that many are submitted, or called by one function."""
    out: dict[Function, Reach] = {}
    for certain in (True, False):
        queue: list[Function] = []
        handing = [s for s in project.submissions() if s.role not in {"callback", "handler"} and s.where == ("process" if certain else "any")]
        for submission in handing:
            for callee in submission.callees:
                if callee not in out:
                    out[callee] = Reach(submission, None, None, certain)
                    queue.append(callee)
        for submission in handing:
            for root in submission.callees:
                for callee, row in given(project, submission, root):
                    if callee not in out:
                        out[callee] = Reach(submission, root, row, certain)
                        queue.append(callee)
        for function in tuple(queue):
            for callee, found in _imported_again(project, out[function], function):
                if callee not in out:
                    out[callee] = found
                    queue.append(callee)
        for function in queue:  # which grows
            if len(out) >= limit:
                break
            for callee, row in called_by(project, function):
                if callee not in out:
                    out[callee] = Reach(out[function].submission, function, row, certain)
                    queue.append(callee)
    return out


def _imported_again(project: Project, reach: Reach, task: Function) -> Iterator[tuple[Function, Reach]]:
    """What importing the module of a task runs: workers that spawn or forkserver starts import it, but for what its main guard keeps away."""
    if reach.submission.start not in {"spawn", "forkserver"}:
        return
    body = task.module.body
    for callee, row in called_by(project, body):
        if not is_guarded(body, row):
            yield callee, Reach(reach.submission, body, row, reach.certain)


def chain(project: Project, reach: dict[Function, Reach], function: Function) -> tuple[Step, ...] | None:
    """Why `function` runs in a worker: the submission, then each call on the way; None when nothing known brings it there."""
    steps: list[Step] = []
    current: Function | None = function
    while current is not None:
        found = reach.get(current)
        if found is None and current.is_module and steps:
            submission = reach[function].submission
            said = f"`{submission.title}` uses processes that `{submission.start}` starts, each of which imports `{current.module.name}`"
            steps.append(Step(submission.site.site, said))
            break
        if found is None:
            return None
        if found.caller is not None and found.call is not None:
            steps.append(Step(found.caller.site(found.call), f"{_caller(found.caller)} calls `{current.qualname}`"))
            if found.caller in found.submission.callees and reach[found.caller].submission is not found.submission:  # it was given to this one
                steps.append(_handed_over(found, found.caller))
                break
        else:
            steps.append(_handed_over(found, current))
        current = found.caller
    return tuple(reversed(steps))


def _handed_over(found: Reach, function: Function) -> Step:
    submission = found.submission
    verb = "runs it in a worker" if found.certain else "may run it in a worker process"
    what = {"initializer": "as the initializer of each worker", "run": "as the body of a process"}.get(submission.role, verb)
    said = f"`{submission.title}` takes `{function.qualname}` and {verb}" if what == verb else f"`{submission.title}` runs `{function.qualname}` {what}"
    return Step(submission.site.site, said)


def _caller(function: Function) -> str:
    return f"importing `{function.module.name}`" if function.is_module else f"`{function.name}`"
