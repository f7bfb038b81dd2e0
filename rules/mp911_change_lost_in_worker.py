"""MP911: a worker sets an attribute or fills a list of its own copy, and the parent reads another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Alarm, Step, by_file
from mplint.project.lives.mentions import is_target, loads
from mplint.project.messages.losing import changed, is_first, losses, read_on
from mplint.project.modules import CallSite, Function
from mplint.project.processes.given import passed
from mplint.project.processes.sides import callers, sides
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project, Submission
    from mplint.project.messages.losing import Loss

_READING = frozenset({
    "print", "len", "sum", "sorted", "list", "tuple", "set", "dict", "str", "repr", "max", "min", "any", "all", "enumerate", "zip", "join", "dumps", "array",
    "reversed", "concatenate", "format", "DataFrame", "info", "debug", "Counter", "append", "extend", "mean", "median",
})  # fmt: skip
"""Last names of calls that read a container and add nothing to it."""

_FILLING = frozenset({"append", "extend", "insert", "add", "update", "sort", "reverse"})
"""Methods by which a list or set is filled or put in order."""


class ChangeLostInWorker(Rule):
    """An attribute or a list that a worker fills and the parent reads.

    ## What it does

    Reports attributes that a worker sets on its object, and empty containers that it is given and fills, where the parent reads them afterwards. The
    worker is the `run` method of a `Process`, or a method or function that is given to a process or pool.

    ## Why it hurts

    The process has a copy of the object, by fork as well as by pickle, and the copy ends with it. The parent reads what was there before: `None`, 0, an
    empty list. Nothing is raised. Measured on CPython 3.10 to 3.13, with fork, spawn and forkserver.

    ## When it knows

    The method must run in workers only, by all calls that are known. Nobody but the worker may set the attribute, apart from a first value that the
    class or `__init__` gives it, a constant or an empty container; the class and its bases must be known. A container must be made in the function
    that hands it over, empty or, when the worker does nothing else with it than to fill it, as a list; it must be changed there by nobody, and go
    nowhere else. The read must come behind the call that makes the process or gives the task: in the same function, in a method that it calls on the
    object, or in the function that called it. Silent for threads, and for `Value`, `Array` and what a manager shares.

    ## References

    - [multiprocessing, Sharing state between processes](https://docs.python.org/3/library/multiprocessing.html#sharing-state-between-processes).
    """

    code = "MP911"
    name = "change-lost-in-worker"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        yield from project.kept("MP911", lambda: by_file(_alarms(project))).get(module.path, ())

    example = Example(
        bad="""\
from multiprocessing import Process


class Search(Process):
    def __init__(self, limit):
        super().__init__()
        self.limit = limit
        self.found = []

    def run(self):
        for number in range(1, self.limit):
            if number % 7 == 0:
                self.found.append(number)  # MP911


def main():
    search = Search(30)
    search.start()
    search.join()
    print("found", search.found)


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("found []"),
        fixed="""\
from multiprocessing import Process, SimpleQueue


class Search(Process):
    def __init__(self, limit):
        super().__init__()
        self.limit = limit
        self.answers = SimpleQueue()

    def run(self):
        self.answers.put([number for number in range(1, self.limit) if number % 7 == 0])


def main():
    search = Search(30)
    search.start()
    print("found", search.answers.get())
    search.join()


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("found [7, 14, 21, 28]"),
    )


class _Read(NamedTuple):
    function: Function
    row: f.Row


def _alarms(project: Project) -> Iterator[Alarm]:
    for submission in project.submissions():
        if submission.where != "process" or submission.role not in {"target", "run", "task"} or len(submission.callees) != 1 or not submission.resolved:
            continue
        callee = submission.callees[0]
        if callee.owner is not None and callee.receiver:
            for loss in losses(project, callee.owner, callee):
                read = next(_reads(project, submission, loss), None)
                if read is not None:
                    message = f"`{loss.name}` is changed in the worker's copy of the object: the parent, which reads it afterwards, does not see that"
                    yield _alarm(project, submission, loss.function, loss.row, read, message)
        for given, param in _given(project, submission, callee):
            row = next((row for attr, row in changed(callee, param) if not attr), None)
            if row is None or any(isinstance(d.row, f.Row) and not isinstance(d.row, (f.Change, f.Delete)) for d in callee.graph.all_definitions(param)):
                continue
            lost = _read_after(project, submission, given, filled=_is_only_filled(callee, param))
            if lost is not None:
                message = f"`{param}` is the worker's copy of `{given.id}`: the parent, which reads it afterwards, does not see this change"
                yield _alarm(project, submission, callee, row, lost, message)


def _alarm(project: Project, submission: Submission, function: Function, row: f.Row, read: _Read, message: str) -> Alarm:
    because = (
        *(project.why(function) or (Step(submission.site.site, "the work is handed over here"),)),
        Step(read.function.site(read.row), "the parent reads it here"),
    )
    return Alarm("MP911", function.site(row), message, because, function.qualname)


# -- attributes


def _reads(project: Project, submission: Submission, loss: Loss) -> Iterator[_Read]:
    """Where the parent reads an attribute that the worker has set, behind the call that hands the work over."""
    site, attr = submission.site, loss.name
    if submission.role == "run":
        life = project.life(site)
        if any(is_target(t.function, t.row) for t in life.touched(attr) if isinstance(t.row, f.Attr)) or "run" in life.names():
            return
        begun = [t for t in life.touched("start") if t.call is not None]
        for touch in life.touches:
            if any(touch.function is b.function and touch.function.graph.reaches(b.row, touch.row) for b in begun):
                if touch.name == attr:
                    yield _Read(touch.function, touch.row)
                elif touch.call is not None:
                    yield from _in_callees(project, CallSite(touch.function, touch.call), attr)
        return
    argument = submission.argument
    if not isinstance(argument, f.Attr) or (receiver := f.dotted(argument.value)) == "":
        return
    yield from _behind(project, site, receiver, attr)
    if receiver == site.function.receiver:
        for caller in callers(project, site.function):
            func = caller.call.func
            if isinstance(func, f.Attr) and (other := f.dotted(func.value)):
                yield from _behind(project, caller, other, attr)


def _behind(project: Project, site: CallSite, receiver: str, attr: str) -> Iterator[_Read]:
    """The reads of an attribute of `receiver` in the function of `site`, behind that, and in the methods that it calls on it there."""
    function = site.function
    if sides(project, function) != {"parent"}:
        return
    if any(name == attr and row is not site.call for name, row in changed(function, receiver)):
        return
    for row in read_on(function, receiver, attr):
        if function.graph.reaches(site.call, row) and not any(row is inner for inner in f.walk(site.call)):
            yield _Read(function, row)
    for other in function.calls:
        if (
            isinstance(other.call.func, f.Attr)
            and f.dotted(other.call.func.value) == receiver
            and other.call is not site.call
            and function.graph.reaches(site.call, other.call)
        ):
            yield from _in_callees(project, other, attr)


def _in_callees(project: Project, site: CallSite, attr: str) -> Iterator[_Read]:
    for callee in project.callees(site):
        if callee.receiver and sides(project, callee) == {"parent"}:
            for row in read_on(callee, callee.receiver, attr):
                yield _Read(callee, row)


# -- arguments


def _given(project: Project, submission: Submission, callee: Function) -> Iterator[tuple[f.Name, str]]:
    """The names that are passed along as they are, each with the parameter that gets it."""
    for param, expr, function in passed(project, submission, callee):
        if isinstance(expr, f.Name) and function is submission.site.function:
            yield expr, param.name


def _read_after(project: Project, submission: Submission, given: f.Name, *, filled: bool) -> _Read | None:
    """Where the parent reads a container that it has made, empty unless it is only `filled` there, given to the worker and to nobody else."""
    function = submission.site.function
    made = tuple(_made(function, given.id))
    if not made or not all(value is not None and (_is_empty(value) or filled and _is_fresh(value)) for value in made):
        return None
    others = (other for other in function.module.functions(given.id) if not other.is_module) if function.is_module else function.all_nested()
    if any(not attr for attr, _ in changed(function, given.id)) or any(_mentions(other, given.id) for other in others):
        return None
    handed = {id(row) for s in project.submissions_of(function.module) if s.site.function is function and s.where == "process" for row in f.walk(s.site.call)}
    found: _Read | None = None
    for row in function.rows:
        if not isinstance(row, f.Name) or row.id != given.id or is_target(function, row) or id(row) in handed:
            continue
        around = function.parent(row)
        if isinstance(around, f.Call) and f.last_name(around.func) not in _READING or isinstance(around, (f.Assign, f.Sequence, f.Mapping, f.Star, f.Bind)):
            return None
        if found is None and function.graph.reaches(submission.site.call, row):
            found = _Read(function, row)
    return found


def _made(function: Function, name: str) -> Iterator[f.Expr | None]:
    """What a name is bound to in a function, or in the statements of the module; None for anything but a plain assignment."""
    if not function.is_module:
        yield from (d.value if isinstance(d.row, f.Assign) and not d.path else None for d in function.graph.all_definitions(name))
        return
    for page in function.module.outline.names.get(name, ()):
        for row in f.walk(*function.module.steps(page)):
            if any(isinstance(part, f.Name) and part.id == name for target in f.stored_to(row) for part in f.walk(target)):
                yield row.value if isinstance(row, f.Assign) and any(isinstance(t, f.Name) and t.id == name for t in row.targets) else None


def _is_only_filled(callee: Function, param: str) -> bool:
    """Whether a worker does nothing with a container but change it, and print it: the change is what it is given for."""
    for row in loads(callee, param):
        around = callee.parent(row)
        if isinstance(around, f.Attr) and around.attr in _FILLING or isinstance(around, f.Item) and around.value is row:
            continue
        if not isinstance(around, (f.Text, f.Op)) and not (isinstance(around, f.Call) and f.last_name(around.func) in {"print", "len", "range"}):
            return False
    return True


def _is_fresh(value: f.Expr) -> bool:
    """Whether an expression makes a list or set of its own."""
    if isinstance(value, f.Call):
        return isinstance(value.func, f.Name) and value.func.id in {"list", "set"}
    return isinstance(value, f.Sequence) and value.kind != "tuple" or isinstance(value, f.Comprehension) and value.kind in {"list", "set"}


def _is_empty(value: f.Expr) -> bool:
    return is_first(value) and not isinstance(value, f.Const) and not (isinstance(value, f.Sequence) and value.kind == "tuple")


def _mentions(function: Function, name: str) -> bool:
    """Whether a function names what is outside of it: a name that is none of its own."""
    if any(isinstance(row, f.Declare) and name in row.names for row in function.rows):
        return True
    own = any(p.name == name for p in function.facts.params) or function.graph.all_definitions(name)
    return not own and any(isinstance(row, f.Name) and row.id == name for row in function.rows)
