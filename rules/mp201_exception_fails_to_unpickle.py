"""MP201: the parent cannot rebuild the exception that a worker raised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint.finding import Alarm
from mplint.rule import Example, Hangs, Prints, Rule
from mplint.verdict.alarms import alarms
from mplint.verdict.repairs import add_reduce

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project


class ExceptionFailsToUnpickle(Rule):
    """An exception class whose instances cannot be rebuilt by pickle.

    ## What it does

    Reports exception classes that fail to unpickle: the parent calls the class with `args`, and the constructor does not take them.

    ## Why it hurts

    An exception crosses to the parent as `type(e)(*e.args)`. Measured on CPython 3.8 to 3.13: when that call raises, the thread that reads
    the results of a `Pool` dies, and every later `get()` hangs, those of healthy tasks too; an executor breaks as a whole and loses all pending
    results. The same holds for exceptions that travel through a `Queue` or `Pipe`.

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

    code = "MP201"
    name = "exception-fails-to-unpickle"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        yield from alarms(module, project, self.code, "FAIL")

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        add_reduce(node, alarm, repair)

    example = Example(
        bad="""\
from multiprocessing import Pool


class ParseError(Exception):  # MP201
    def __init__(self, message, line):
        super().__init__(message)
        self.line = line


def parse(text):
    raise ParseError("unexpected end", len(text))


if __name__ == "__main__":
    with Pool(1) as pool:
        try:
            pool.map(parse, ["seven"])
        except ParseError as error:
            print(error, "in line", error.line)
""",
        bad_ends=Hangs(),
        fixed="""\
import copyreg
from multiprocessing import Pool


class ParseError(Exception):
    def __init__(self, message, line):
        super().__init__(message)
        self.line = line

    def __reduce__(self):
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__


def parse(text):
    raise ParseError("unexpected end", len(text))


if __name__ == "__main__":
    with Pool(1) as pool:
        try:
            pool.map(parse, ["seven"])
        except ParseError as error:
            print(error, "in line", error.line)
""",
        fixed_ends=Prints("unexpected end in line 5"),
    )
