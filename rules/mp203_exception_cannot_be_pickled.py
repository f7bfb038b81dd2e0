"""MP203: the exception that a worker raises cannot be sent at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint.finding import Alarm
from mplint.rule import Example, Prints, Rule
from mplint.verdict.alarms import alarms, local_classes
from mplint.verdict.repairs import add_reduce

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project


class ExceptionCannotBePickled(Rule):
    """An exception class whose instances hold what pickle refuses, or that is defined inside a function.

    ## What it does

    Reports exception classes that keep a lock, a lambda, a generator, a traceback, a file or a socket, and those that worker code defines inside a function.

    ## Why it hurts

    Measured on CPython 3.8 to 3.13: the parent gets `MaybeEncodingError` (Pool) or the pickling error (executor) in place of the
    exception, so that no `except` clause for it matches; a loky worker dies.

    ## When it knows

    The constructor is executed on symbolic values over the whole class hierarchy, once as the project constructs the class and once as
    pickle does, and the two results are compared. All of `super().__init__`, `self.args = ...`, `__new__`, `__reduce__`, `__setstate__`,
    `copyreg.pickle`, dataclasses, attrs, slots, properties and the fields of the builtin exceptions are followed. Where the answer depends on the
    construction (no `super().__init__` call: positional arguments survive, keywords do not), every construction in the project is looked at.
    Silent when a base class is not known, for private classes that are caught where they are raised, and for `sys.exc_info()` where the project
    constructs the class outside of handlers only.
    Classes inside functions are reported when the function runs in a worker process.

    ## Fix safety

    A `__reduce__` that leaves the attribute behind is shown, never applied: what reads the attribute in the parent finds it missing.

    ## References

    - [gh-79492](https://github.com/python/cpython/issues/79492) and [gh-103061](https://github.com/python/cpython/issues/103061): a result that
      cannot be unpickled hangs `Pool`, open.
    - [gh-76877](https://github.com/python/cpython/issues/76877): `args` must rebuild an exception.
    - [object.__reduce__](https://docs.python.org/3/library/pickle.html#object.__reduce__)
    """

    code = "MP203"
    name = "exception-cannot-be-pickled"

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        yield from alarms(module, project, self.code, "DUMP")
        yield from local_classes(module, project, self.code)

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        add_reduce(node, alarm, repair)

    example = Example(
        bad="""\
import threading
from concurrent.futures import ProcessPoolExecutor


class Interrupted(Exception):  # MP203
    def __init__(self, message):
        super().__init__(message)
        self.lock = threading.Lock()


def work(item):
    raise Interrupted("stopped")


if __name__ == "__main__":
    with ProcessPoolExecutor(1) as executor:
        error = executor.submit(work, 1).exception()
    print(f"<{error}>")
""",
        bad_ends=Prints("cannot pickle"),
        fixed="""\
import copyreg
import threading
from concurrent.futures import ProcessPoolExecutor


class Interrupted(Exception):
    def __init__(self, message):
        super().__init__(message)
        self.lock = threading.Lock()

    def __reduce__(self):
        state = {name: value for name, value in self.__dict__.items() if name != "lock"}
        return copyreg.__newobj__, (type(self), *self.args), state


def work(item):
    raise Interrupted("stopped")


if __name__ == "__main__":
    with ProcessPoolExecutor(1) as executor:
        error = executor.submit(work, 1).exception()
    print(f"<{error}>")
""",
        fixed_ends=Prints("<stopped>"),
    )
