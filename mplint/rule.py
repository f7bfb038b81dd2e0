"""What a rule is: one file with its identity, its prose, its example, its check and its fix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Iterator, Union

import msgspec

if TYPE_CHECKING:
    import libcst as cst

    from mplint.finding import Alarm
    from mplint.fixes.repair import Repair
    from mplint.project import Module, Project


class Exits(msgspec.Struct, frozen=True):
    """The program ends by itself with this exit status."""

    status: int = 0

    def __str__(self) -> str:
        return f"exits with {self.status}"


class Raises(msgspec.Struct, frozen=True):
    """The program ends with an uncaught exception whose last line contains `text`."""

    text: str

    def __str__(self) -> str:
        return f"ends with {self.text}"


class Hangs(msgspec.Struct, frozen=True):
    """The program is still alive after `after` seconds, or after three times as long as the repaired one took, when that is more."""

    after: float = 6.0

    def __str__(self) -> str:
        return "hangs"


class Prints(msgspec.Struct, frozen=True):
    """The program exits with 0 and its output contains `text`: what was lost, corrupted or leaked is visible in it."""

    text: str

    def __str__(self) -> str:
        return f"prints {self.text!r}"


Ending = Union[Exits, Raises, Hangs, Prints]


class Example(msgspec.Struct, frozen=True):
    """Two runnable programs and how CPython ends each.

    The lines of `bad` on which the rule must report end in `# MPxxx`.  `fixed` is what the rule's fix makes of `bad` (with
    all fixes, unsafe ones too), or, for a rule without a fix, the same program repaired by hand.  Both run under fork and as
    `__main__`; they must not print anything that varies.
    """

    bad: str
    bad_ends: Ending
    fixed: str
    fixed_ends: Ending
    needs: tuple[int, int] = (3, 10)
    """Oldest Python on which the example's outcome is claimed."""
    until: tuple[int, int] = (99, 0)
    """First Python on which it is not claimed any more."""


class Rule:
    """Derive once, give the class attributes, and write `check`; `fix` where a repair is possible.

    The class docstring is the rule's page, in the fixed skeleton `## What it does`, `## Why it hurts`, `## When it knows`,
    `## Fix safety` (rules with a fix), `## References`; the example is printed between them.  A rule has no state.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    since: ClassVar[str] = "0.1.0"
    preview: ClassVar[bool] = False
    example: ClassVar[Example]

    def check(self, module: Module, project: Project) -> Iterator[Alarm]:
        """Alarms whose site is in `module`."""
        raise NotImplementedError

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        """Describe the repair of `alarm`, whose site is `node`, on `repair`; leave it empty when there is none."""

    @classmethod
    def has_fix(cls) -> bool:
        """Whether the rule can repair anything: derived, never stated."""
        return cls.fix is not Rule.fix

    @classmethod
    def summary(cls) -> str:
        """The first sentence of "What it does"."""
        text = (cls.__doc__ or "").split("## What it does", 1)[-1].strip()
        return re.split(r"(?<=\.)\s", " ".join(text.split("\n\n", 1)[0].split()), maxsplit=1)[0]
