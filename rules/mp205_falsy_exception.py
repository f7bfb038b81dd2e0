"""MP205: an exception that is false gets lost in an executor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.finding import Alarm, Step
from mplint.project.modules import Class
from mplint.rule import Example, Prints, Raises, Rule
from mplint.verdict.alarms import shapes_of
from mplint.verdict.classes import stated

if TYPE_CHECKING:
    from mplint.project import Function, Module, Project


class FalsyException(Rule):
    """An exception class whose instances can be false.

    ## What it does

    Reports exception classes with a `__bool__` that can be false or a `__len__` that can be zero, such as a list of errors that is raised empty.

    ## Why it hurts

    A future asks `if self._exception:` before it raises. Measured on CPython 3.8 to 3.13.0: `result()` of an executor (loky's too) returns
    `None` where the task raised such an exception, and `map` dies with an `AttributeError` of its own. `Pool` delivers it.

    ## When it knows

    The method must be written in a class of the project. Silent when it returns nothing but true constants, and when the code runs on Python
    3.14 or later only.

    ## References

    - [gh-132063](https://github.com/python/cpython/issues/132063): executors swallow falsy exceptions, fixed after 3.13.0.
    """

    code = "MP205"
    name = "falsy-exception"
    preview = True

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        if project.target >= (3, 14):
            return
        for cls in stated(module):
            method = _falsy(project, cls)
            if method is None or any(_falsy(project, base) is method for base in project.mro(cls)[1:] if isinstance(base, Class)):
                continue
            name = method.facts.name
            message = f"`{cls.name}` is false when its `{name}` says so: `result()` of an executor then returns None instead of raising it"
            because = () if method.owner is cls else (Step(method.site(), f"`{name}` comes from here"),)
            yield Alarm(self.code, cls.site(), message, because, cls.qualname)

    example = Example(
        bad="""\
from concurrent.futures import ProcessPoolExecutor


class Problems(Exception):  # MP205
    def __len__(self):
        return len(self.args)


def check(item):
    raise Problems


if __name__ == "__main__":
    with ProcessPoolExecutor(1) as executor:
        print("answer:", executor.submit(check, 1).result())
""",
        bad_ends=Prints("answer: None"),
        fixed="""\
from concurrent.futures import ProcessPoolExecutor


class Problems(Exception):
    def __len__(self):
        return len(self.args)

    def __bool__(self):
        return True


def check(item):
    raise Problems


if __name__ == "__main__":
    with ProcessPoolExecutor(1) as executor:
        print("answer:", executor.submit(check, 1).result())
""",
        fixed_ends=Raises("Problems"),
    )


def _falsy(project: Project, cls: Class) -> Function | None:
    """The method that can make an instance false, None when there is none or `cls` is no exception class."""
    shape = shapes_of(project).of(cls)
    if not shape.is_exception:
        return None
    found = shape.find_python("__bool__") or shape.find_python("__len__")
    if found is None or not found.functions:
        return None
    function = found.functions[-1]
    returns = [row.value for row in function.rows if isinstance(row, f.Return)]
    always = bool(returns) and all(isinstance(value, f.Const) and bool(value.value) for value in returns)
    return None if always else function
