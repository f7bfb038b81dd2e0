"""MP901: a shared value is read, changed and written back while another process does the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step
from mplint.project.messages.sharing import Writers
from mplint.project.messages.updates import Update, is_same, lost_updates
from mplint.project.modules import CallSite, Function
from mplint.project.values import Instance
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project


class SharedValueRace(Rule):
    """`value += 1` on a `multiprocessing.Value` that no lock guards.

    ## What it does

    Reports a shared value that is changed by what it was (`counter.value += 1`) outside of a lock, while other processes may write to it. The value is a
    `Value`, `Array`, `RawValue` or `RawArray`; `counter.value = counter.value + 1` and `totals[0] += n` are the same, and so is what a name keeps in between
    (`n = counter.value`, later `counter.value = n + 1`).

    ## Why it hurts

    Each access takes the value's lock for itself, the statement as a whole does not: between reading and writing another process writes, and its
    update is lost. Measured on CPython 3.8 to 3.13 with three processes: updates are lost in every run.

    ## When it knows

    The object is followed from the call that makes it, through names, attributes, containers and calls, into the processes that it is handed to
    as an argument, by an initializer or as a global. Silent under any lock, `with value.get_lock()` or another, held here or by all who call
    the function; when only one process ever writes; and for an item of an array whose index is given to the worker, which then
    has an item of its own.

    ## Fix safety

    The fix puts the statement under `with value.get_lock():`. It is safe: this lock can be taken again by who has it. There is none for raw values, for
    a value that was given a lock of its own, and where a name keeps what was read.

    ## References

    - [multiprocessing.Value](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Value): "operations like += which involve a
      read and write are not atomic".
    """

    code = "MP901"
    name = "shared-value-race"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        seen: set[int] = set()
        for race in project.kept("races for shared values", lambda: tuple(_races(project))):
            if race.function.module is module and race.row.at not in seen:
                seen.add(race.row.at)
                message = f"`{race.text}` is read and written back without its lock while another process may write: updates are lost"
                because = (Step(race.made.site, "the shared value is made here"), *race.writers.steps)
                hint = str(race.whole.at) if race.has_lock else ""
                yield Alarm(self.code, race.function.site(race.row), message, because, race.function.qualname, hint)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        statement = repair.statement_of(node)
        target = statement.target if isinstance(statement, cst.AugAssign) else statement.targets[0].target if isinstance(statement, cst.Assign) else None
        if not alarm.hint or not isinstance(target, (cst.Attribute, cst.Subscript)):
            return
        repair.wrap([repair.statement_of(repair.node(int(alarm.hint)))], f"with {repair.code(target.value)}.get_lock():")
        repair.title = "Hold the value's lock"
        repair.safety = Safety.SAFE

    example = Example(
        bad="""\
from multiprocessing import Process, Value


def count(total, times):
    for _ in range(times):
        total.value += 1  # MP901


def main():
    total = Value("i", 0)
    workers = [Process(target=count, args=(total, 50_000)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print("all counted" if total.value == 200_000 else "updates were lost")


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("updates were lost"),
        fixed="""\
from multiprocessing import Process, Value


def count(total, times):
    for _ in range(times):
        with total.get_lock():
            total.value += 1


def main():
    total = Value("i", 0)
    workers = [Process(target=count, args=(total, 50_000)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print("all counted" if total.value == 200_000 else "updates were lost")


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("all counted"),
    )


class Race(NamedTuple):
    """A row that changes a shared value by what it was; `whole` is the step that belongs under the lock with it, `has_lock` whether the value has one to
    take for that."""

    made: CallSite
    function: Function
    row: f.Row
    whole: f.Row
    text: str
    has_lock: bool
    writers: Writers


def _races(project: Project) -> Iterator[Race]:
    for site in project.calls_ending("Value", "Array"):
        yield from _of_value(project, site)


def _of_value(project: Project, site: CallSite) -> Iterator[Race]:
    made = next(project.made_by(site), None)
    if made is None or made.where != "process" or project.role(made) != "shared-value":
        return
    life = project.life(site, handed=True, patient=True)
    for update in lost_updates(project, site, life.touched("value", "[]")):
        place = update.place
        text = f"{f.dotted(place.value) or 'it'}.value" if isinstance(place, f.Attr) else f"{f.dotted(place.value) or 'it'}[...]"
        at_once = isinstance(update.row, f.Change) or any(is_same(row, place) for row in f.walk(update.row.value))
        yield Race(site, update.function, update.row, _whole(update), text, at_once and _has_lock(site, made), update.writers)


def _whole(update: Update) -> f.Row:
    """The row, or an `if` around it that asks for the value and does nothing else."""
    around = update.function.parent(update.row)
    if isinstance(around, f.If) and len(around.body) == 1 and not around.orelse and any(is_same(r, update.place) for r in f.walk(around.test)):
        return around
    return update.row


def _has_lock(site: CallSite, made: Instance) -> bool:
    """Whether the value has the lock that it makes for itself, which whoever holds it may take again."""
    given = site.call.keyword("lock")
    return made.cls.name.rpartition(".")[2].startswith("Synchronized") and (given is None or (isinstance(given, f.Const) and given.value is True))
