"""The `__reduce__` that repairs an exception class, as source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mplint.finding import Alarm, Safety

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair


def add_reduce(node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
    """Describe the recipe in `alarm.hint` on `repair`; nothing when there is none."""
    import libcst as cst

    if not alarm.hint or not isinstance(node, cst.ClassDef):
        return
    name, *members = alarm.hint.split(" ")
    rebuild = f"{repair.import_name('copyreg')}.__newobj__" if name != "call" else ""
    returns = " -> tuple[object, ...]" if _annotated(node) else ""
    lines = [f"def __reduce__(self){returns}:"]
    if name == "rebuild":
        lines += [f"    return {rebuild}, (type(self), *self.args), self.__dict__"]
        repair.title = "Rebuild the exception without running `__init__` again"
    elif name == "fields":
        lines += [
            f"    names = ({', '.join(map(repr, members))}{',' if len(members) == 1 else ''})".replace("'", '"'),
            "    fields = {name: getattr(self, name) for name in names if getattr(self, name, None) is not None}",
            f'    return {rebuild}, (type(self),), {{**self.__dict__, **fields, "args": self.args}}',
        ]
        repair.title = "Rebuild the exception, with its fields, without running `__init__` again"
    elif name == "call":
        lines += [f"    return type(self), ({', '.join(f'self.{m}' for m in members)}{',' if len(members) == 1 else ''})"]
        repair.title = "Rebuild the exception from its own parameters"
    else:
        lines += [
            f'    state = {{name: value for name, value in self.__dict__.items() if name != "{members[0]}"}}',
            f"    return {rebuild}, (type(self), *self.args), state",
        ]
        repair.title = f"Leave `{members[0]}` behind when the exception is pickled"
    repair.append_to_body(node, "\n" + "\n".join(lines))
    repair.safety = {"rebuild": Safety.SAFE, "fields": Safety.SAFE, "call": Safety.UNSAFE}.get(name, Safety.SHOWN)


def _annotated(node: cst.ClassDef) -> bool:
    """Whether the methods of the class tell what they return."""
    import libcst as cst

    methods = [s for s in node.body.body if isinstance(s, cst.FunctionDef)]
    return bool(methods) and all(m.returns is not None for m in methods)
