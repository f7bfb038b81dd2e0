"""MP202: the exception that arrives is not the one that was raised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint.finding import Alarm
from mplint.rule import Example, Prints, Rule
from mplint.verdict.alarms import alarms
from mplint.verdict.repairs import add_reduce

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project


class ExceptionChangesInTransit(Rule):
    """An exception class whose instances come back from a worker with another message, other `args` or other attributes.

    ## What it does

    Reports exception classes that unpickle, but into something else: a message that is formatted twice, `args` in another order, attributes that get lost.

    ## Why it hurts

    An exception crosses to the parent as `type(e)(*e.args)`, then its `__dict__` is restored. Measured on CPython 3.8 to 3.13: a constructor
    that formats its message formats the finished message again, values in `__slots__` fall back to what `__init__` gives, fields of `OSError`
    and its like are lost. The log of the parent then tells of something that did not happen.

    ## When it knows

    The constructor is executed on symbolic values over the whole class hierarchy, once as the project constructs the class and once as
    pickle does, and the two results are compared. All of `super().__init__`, `self.args = ...`, `__new__`, `__reduce__`, `__setstate__`,
    `copyreg.pickle`, dataclasses, attrs, slots, properties and the fields of the builtin exceptions are followed. Where the answer depends on the
    construction (no `super().__init__` call: positional arguments survive, keywords do not), every construction in the project is looked at.
    Silent when a base class is not known, and for private classes that are caught where they are raised.

    ## Fix safety

    Adds a `__reduce__` that makes the copy without running `__init__` again, carrying `args`, attributes, and the fields of `OSError` and its
    like. It is offered only when, by the same symbolic execution, every construction of the class and of its subclasses in the project then
    survives unchanged, and it is safe then. A frozen dataclass is rebuilt from its own fields: unsafe, since a subclass may take other ones.
    Nothing is offered where a base class of the project is the one to repair.

    ## References

    - [gh-79492](https://github.com/python/cpython/issues/79492) and [gh-103061](https://github.com/python/cpython/issues/103061): a result that
      cannot be unpickled hangs `Pool`, open.
    - [gh-76877](https://github.com/python/cpython/issues/76877): `args` must rebuild an exception.
    - [object.__reduce__](https://docs.python.org/3/library/pickle.html#object.__reduce__)
    """

    code = "MP202"
    name = "exception-changes-in-transit"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        yield from alarms(module, project, self.code, "CORRUPT")

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        add_reduce(node, alarm, repair)

    example = Example(
        bad="""\
from concurrent.futures import ProcessPoolExecutor


class DiskFull(Exception):  # MP202
    def __init__(self, path):
        super().__init__(f"no space left for {path}")
        self.path = path


def save(path):
    raise DiskFull(path)


if __name__ == "__main__":
    with ProcessPoolExecutor(1) as executor:
        error = executor.submit(save, "out.txt").exception()
    print(f"<{error}>")
""",
        bad_ends=Prints("<no space left for no space left for out.txt>"),
        fixed="""\
import copyreg
from concurrent.futures import ProcessPoolExecutor


class DiskFull(Exception):
    def __init__(self, path):
        super().__init__(f"no space left for {path}")
        self.path = path

    def __reduce__(self):
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__


def save(path):
    raise DiskFull(path)


if __name__ == "__main__":
    with ProcessPoolExecutor(1) as executor:
        error = executor.submit(save, "out.txt").exception()
    print(f"<{error}>")
""",
        fixed_ends=Prints("<no space left for out.txt>"),
    )
