"""One symbolic run: the choices taken so far, what is assumed, and how a run can end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mplint.project.modules import Class, Function
from mplint.verdict.terms import Term, freeze

if TYPE_CHECKING:
    from mplint.project import Project
    from mplint.verdict.recipes import Recipe
    from mplint.verdict.shapes import Shapes


class Thrown(Exception):
    """The program certainly raises here.  `kind` is the class by dotted name ("" when not known); `stated`: by a statement of its own."""

    def __init__(self, kind: str, text: str, value: Any = None, *, stated: bool = False) -> None:
        super().__init__(kind, text, value)
        self.kind, self.text, self.value, self.stated = kind, text, value, stated


class Vague(Exception):
    """The question cannot be answered; `reason` says what was not known."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Impossible(Exception):
    """This path contradicts itself or does not return: no instance is made on it."""


@dataclass
class Frame:
    """The names of one call.  `function` is where they are resolved when they are not local."""

    function: Function
    env: dict[str, Any] = field(default_factory=dict)
    owner: Class | None = None
    receiver: Any = None
    outer: Frame | None = None
    site: bool = False
    """A construction site: its local names are unknown inputs, resolved by the project."""
    handling: tuple[Any, ...] = ()


STEPS = 4000
"""Expressions evaluated in one run at most."""

DEPTH = 16
"""Calls inside calls at most."""


@dataclass
class Machine:
    """`choices` are the decisions to repeat, further ones take the first alternative and are appended to `taken`."""

    project: Project
    shapes: Shapes
    version: tuple[int, int]
    choices: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    assumed: dict[Any, bool] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    asked: dict[Any, set[str]] = field(default_factory=dict)
    steps: int = 0
    earlier: int = 0
    """The steps of the construction, once the rebuild has begun."""
    active: list[Function] = field(default_factory=list)
    """The functions that are being executed, outermost first."""
    rebuilding: bool = False
    recipe: Recipe | None = None
    """A repair that is tried: it takes the place of `__reduce__`."""
    fresh: int = 0
    handling: bool = True
    """Whether another exception may be being handled, which `sys.exc_info()` would give."""
    stars: int | None = None
    """How many items are taken to be behind a star that cannot be taken apart."""

    def decide(self, key: Any, first: bool) -> bool:
        """Whether `key` holds: as assumed before, or a new choice whose first alternative is `first`."""
        key = freeze(key)
        if key in self.assumed:
            return self.assumed[key]
        index = len(self.taken)
        choice = self.choices[index] if index < len(self.choices) else 0
        self.taken.append(choice)
        answer = first if choice == 0 else not first
        self.assumed[key] = answer
        return answer

    def tick(self) -> None:
        self.steps += 1
        if self.steps > STEPS:
            raise Vague("too long")

    def new(self, name: str, kind: str = "") -> Term:
        """A value unlike any other."""
        self.fresh += 1
        return Term("fresh", (name, self.fresh), kind)
