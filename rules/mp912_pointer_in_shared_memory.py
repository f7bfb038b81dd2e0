"""MP912: an address of one process is put into memory that others read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm
from mplint.rule import Example, Prints, Rule

if TYPE_CHECKING:
    from mplint.project import Module, Project, Use

_POINTERS = frozenset({"ctypes.c_char_p", "ctypes.c_wchar_p", "ctypes.c_void_p", "ctypes.py_object"})
_MAKING = frozenset({"ctypes.POINTER", "ctypes.CFUNCTYPE", "ctypes.PYFUNCTYPE"})
"""Calls that make a type of pointers."""


class PointerInSharedMemory(Rule):
    """A `Value` or `Array` of pointers.

    ## What it does

    Reports `Value`, `Array`, `RawValue` and `RawArray` of `multiprocessing` whose type is a pointer of `ctypes`: `c_char_p`, `c_wchar_p`, `c_void_p`,
    `py_object`, `POINTER(...)`.

    ## Why it hurts

    Only the address is shared; the text that it points to is in the memory of the process that has set it. Measured on CPython 3.8 to 3.13: what a
    forked worker writes to a `Value(c_char_p)` the parent reads as other bytes or none, and a `Value(c_wchar_p)` raises `ValueError`; a worker that
    `spawn` or `forkserver` started ends by a segmentation fault when it reads what the parent has set. Only a forked worker can read that.

    ## When it knows

    The type must be one of these names of `ctypes`, written where the value is made. Silent for the `Value` of a manager, which keeps the object itself, and
    for arrays of characters, such as `Array("c", 80)`.

    ## References

    - [multiprocessing.sharedctypes](https://docs.python.org/3/library/multiprocessing.html#module-multiprocessing.sharedctypes): "Although it is possible
      to store a pointer in shared memory remember that this will refer to a location in the address space of a specific process."
    """

    code = "MP912"
    name = "pointer-in-shared-memory"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        if not project.spells(module, b"ctypes"):
            return
        for use in project.uses(module, "make"):
            pointer = _pointer(project, use)
            if pointer:
                message = f"a `{pointer}` in shared memory is an address of the process that sets it: another process finds other bytes there"
                yield Alarm(self.code, use.site.site, message, (), use.function.qualname)

    example = Example(
        bad="""\
import ctypes
from multiprocessing import Process, Value


def work(answer):
    answer.value = b"the answer is %d" % sum(range(10))


def main():
    answer = Value(ctypes.c_char_p, b"none")  # MP912
    worker = Process(target=work, args=(answer,))
    worker.start()
    worker.join()
    print("told" if answer.value == b"the answer is 45" else "lost")


if __name__ == "__main__":
    main()
""",
        bad_ends=Prints("lost"),
        fixed="""\
from multiprocessing import Array, Process


def work(answer):
    answer.value = b"the answer is %d" % sum(range(10))


def main():
    answer = Array("c", 80)
    worker = Process(target=work, args=(answer,))
    worker.start()
    worker.join()
    print("told" if answer.value == b"the answer is 45" else "lost")


if __name__ == "__main__":
    main()
""",
        fixed_ends=Prints("told"),
    )


def _pointer(project: Project, use: Use) -> str:
    """The type of pointers that a call makes a shared value of, "" when it is another."""
    if not any(v.where == "process" and project.role(v) == "shared-value" for v in project.made_by(use.site)):
        return ""
    given = use.call.positional(0) or use.call.keyword("typecode_or_type")
    if isinstance(given, f.Call):
        return f"{f.last_name(given.func)}(...)" if project.external(given.func, use.function) in _MAKING else ""
    name = project.external(given, use.function)
    return name.rpartition(".")[2] if name in _POINTERS else ""
