"""MP904: what a manager's dict, list or namespace gives is a copy; changing that changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Safety, Step, by_file
from mplint.project.lives.lifetimes import Life, Touch
from mplint.project.lives.mentions import is_target, loads
from mplint.project.lives.nesting import Key, key_of
from mplint.project.messages.proxies import MAKING, is_plain, stored_in
from mplint.project.messages.updates import CHANGING, lost_updates
from mplint.project.modules import CallSite, Function
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project

_GIVING = {"get", "setdefault", "__getitem__"}
"""Methods of a dict or list that give one of its values."""


class NestedProxyMutation(Rule):
    """What a manager's dict, list or namespace holds is changed in place.

    ## What it does

    Reports changes of a value inside a manager's dict, list or namespace: `d["names"].append(name)`, `d[key]["n"] = 1`, `namespace.items.append(item)`.
    So it does for `+=` on a manager's value, on an attribute of its namespace or an item of its dict, when several processes do that.

    ## Why it hurts

    The object lives in the manager's process. `d["names"]` sends a copy of the list; `append` changes the copy, which nobody has any more a
    moment later. Nothing is raised. Measured on CPython 3.8 to 3.13: the list stays empty, in the process that made it as in every other.

    `+=` is two messages to the manager, one that reads and one that writes. Measured on the same versions with four processes: updates are lost.

    ## When it knows

    The proxy is followed from the manager's call that makes it, through names, attributes, containers and calls, into the processes that it is handed to
    as an argument, by an initializer or as a global. What is put into it must be a list, dict or object of one process: a nested proxy (`d["names"]
    = manager.list()`) passes the change on, and the rule is silent about it. It is silent, too, for a copy that has a name and is stored back (`names =
    d["names"]; names.append(name); d["names"] = names`), or is used for something else afterwards. `+=` counts only without a lock, as MP901 has it.

    ## Fix safety

    The fix takes the value out, changes it and puts it back. It is only shown: where several processes do so at a time a lock has to be
    held around it, and a nested proxy may be the better way. There is none for `+=`, which needs a lock that all processes share (`manager.Lock()`).

    ## References

    - [multiprocessing, Proxy objects](https://docs.python.org/3/library/multiprocessing.html#proxy-objects): "modifications to those mutable values
      or items will not be propagated through the manager".
    - [gh-91192](https://github.com/python/cpython/issues/91192), [gh-76719](https://github.com/python/cpython/issues/76719): taken for a bug of Python.
    """

    code = "MP904"
    name = "nested-proxy-mutation"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        yield from project.kept("MP904", lambda: by_file(_alarms(project))).get(module.path, ())

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        import libcst as cst

        if not alarm.hint:
            return
        place, statement = repair.node(int(alarm.hint)), repair.statement_of(node)
        if not isinstance(place, (cst.Subscript, cst.Attribute)) or not isinstance(statement, (cst.Expr, cst.Assign, cst.AugAssign, cst.Del)):
            return
        name, text = repair.fresh("changed"), repair.code(place)
        repair.insert_before(statement, f"{name} = {text}")
        repair.replace_source(place, name)
        repair.insert_after(statement, f"{text} = {name}")
        repair.title = "Take the value out, change it and put it back"
        repair.safety = Safety.SHOWN

    example = Example(
        bad="""\
from multiprocessing import Manager, Process


def find(found, kind, name):
    found[kind].append(name)  # MP904


def main():
    with Manager() as manager:
        found = manager.dict({"birds": [], "fish": []})
        workers = [Process(target=find, args=(found, kind, name)) for kind, name in [("birds", "wren"), ("fish", "pike")]]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(found["birds"], found["fish"])


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("[] []"),
        fixed="""\
from multiprocessing import Manager, Process


def find(found, kind, name):
    changed = found[kind]
    changed.append(name)
    found[kind] = changed


def main():
    with Manager() as manager:
        found = manager.dict({"birds": [], "fish": []})
        workers = [Process(target=find, args=(found, kind, name)) for kind, name in [("birds", "wren"), ("fish", "pike")]]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(found["birds"], found["fish"])


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("['wren'] ['pike']"),
    )


def _alarms(project: Project) -> Iterator[Alarm]:
    """The alarms of the whole project."""
    for site in project.calls_ending(*MAKING):
        made = next(project.made_by(site), None) if isinstance(site.call.func, f.Attr) else None
        if made is None or project.role(made) != "proxy":
            continue
        kind = f.last_name(site.call.func)
        said = f"a manager's `{kind}`"
        step = Step(site.site, f"the manager's `{kind}` is made here")
        life = project.life(site, handed=True, patient=True)
        if kind not in {"Value", "Array"}:
            yield from _copies(project, site, kind, life, said, step)
        yield from _races(project, site, kind, life, said, step)


def _races(project: Project, site: CallSite, kind: str, life: Life, said: str, step: Step) -> Iterator[Alarm]:
    touches = life.touched("value") if kind == "Value" else (t for t in life.touches if (t.name == "[]") == (kind != "Namespace"))
    for update in lost_updates(project, site, touches):
        message = f"this reads from {said} and writes back, two messages without a lock, while another process may write: updates are lost"
        yield _alarm(update.function, update.row, message, (step, *update.writers.steps))


def _alarm(function: Function, row: f.Row, message: str, because: tuple[Step, ...], hint: str = "") -> Alarm:
    return Alarm(NestedProxyMutation.code, function.site(row), message, because, function.qualname, hint)


def _copies(project: Project, site: CallSite, kind: str, life: Life, said: str, step: Step) -> Iterator[Alarm]:
    stored = list(stored_in(site, kind, life))
    for touch in life.touches:
        key, place = _taken(touch, kind)
        if place is None:
            continue
        function = touch.function
        change = _change(function, place)
        named = None if change is not None else _changed_name(function, place)
        row = change or named
        if row is None or not is_plain(project, [s for s in stored if key is None or s.key is None or s.key == key]):
            continue
        why = project.why(function) or ()
        message = f"what {said} gives is a copy: this change of it is lost"
        because = (step, *why) if named is None else (step, *why, Step(function.site(place), "the copy is taken here"))
        fixable = isinstance(place, (f.Item, f.Attr)) and named is None and _is_statement(function, row)
        yield _alarm(function, row, message, because, str(place.at) if fixable else "")


def _is_statement(function: Function, row: f.Row) -> bool:
    return not isinstance(row, f.Call) or isinstance(function.parent(row), f.Do)


# -- what is taken out of it, and changed


def _taken(touch: Touch, kind: str) -> tuple[Key, f.Expr | None]:
    """What a touch takes out of the proxy, and under which key or name."""
    row = touch.row
    if kind == "Namespace":
        return (row.attr, row) if isinstance(row, f.Attr) and touch.call is None and not row.attr.startswith("_") else (None, None)
    if isinstance(row, f.Item):
        return key_of(row.index), row
    if touch.name in _GIVING and touch.call is not None:
        return key_of(touch.call.positional(0)), touch.call
    if touch.name in {"values", "iter"}:
        return None, touch.call or (row if isinstance(row, (f.Name, f.Attr, f.Item)) and kind == "list" else None)
    return None, None


def _change(function: Function, place: f.Expr) -> f.Row | None:
    """The row that changes what `place` gives at once, in it or below it."""
    row: f.Expr = place
    while True:
        around = function.parent(row)
        if isinstance(around, f.Call) and isinstance(row, f.Attr) and row is not place and around.func is row:
            return around if row.attr in CHANGING else None
        if row is not place and isinstance(around, (f.Assign, f.Change, f.Delete)) and is_target(function, row):
            return around if isinstance(around, f.Change) or len(around.targets) == 1 and around.targets[0] is row else None
        if not isinstance(around, (f.Attr, f.Item)) or around.value is not row:
            return None
        row = around


def _changed_name(function: Function, place: f.Expr) -> f.Row | None:
    """The first row that changes a copy with a name which is used for nothing else afterwards."""
    around = function.parent(place)
    if isinstance(around, f.Assign) and around.value is place and len(around.targets) == 1:
        target = around.targets[0]
    elif isinstance(around, f.For) and around.source is place:
        target = around.target
    else:
        return None
    if not isinstance(target, f.Name):
        return None
    mine = [load for load in loads(function, target.id) if any(d is around for d in function.graph.definitions(load) or ())]
    if not mine or any(function.graph.definitions(load) != (around,) for load in mine):
        return None
    if any(load.id == target.id for inner in function.all_nested() for load in loads(inner, target.id)):
        return None
    changes = {load.at: row for load in mine if (row := _change(function, load)) is not None}
    used = [load for load in mine if load.at not in changes]
    if not all(_is_statement(function, row) for row in changes.values()):
        return None
    if any(function.graph.reaches(row, load, avoiding=[around]) for row in changes.values() for load in used):
        return None
    return next(iter(changes.values()), None)
