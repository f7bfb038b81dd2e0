"""The fixes that rules offer for their alarms, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Union

import msgspec

from mplint.facts.outline import Outline
from mplint.finding import Alarm, Edit, Fix, Safety
from mplint.fixes.edits import Unrepairable, applied, parses
from mplint.fixes.repair import Repair
from mplint.fixes.tree import Tree
from mplint.rule import Rule
from mplint.source import Source


class Refusal(msgspec.Struct, frozen=True):
    """A fix that is withheld, and why."""

    reason: str


def fixes_for(source: Source, outline: Outline, alarms: Iterable[Alarm], rules: Mapping[str, Rule]) -> dict[Alarm, Union[Fix, Refusal]]:
    """The fix of each alarm of one file, by the rule of its code; an alarm whose rule offers none is left out.

    Every fix is checked to leave source that parses; `mplint.fixes.rewrite` checks what else is promised.
    """
    wanted = [alarm for alarm in alarms if alarm.code in rules and rules[alarm.code].has_fix()]
    found: dict[Alarm, Union[Fix, Refusal]] = {}
    if not wanted:
        return found
    tree = Tree(source, outline)
    for alarm in wanted:
        try:
            fix = _fix(tree, alarm, rules[alarm.code])
        except Unrepairable as reason:
            found[alarm] = Refusal(str(reason))
        except Exception as error:  # a mistake in one rule's fix must not end the run
            found[alarm] = Refusal(f"the fix of {alarm.code} failed: {type(error).__name__}: {error}")
        else:
            if fix is not None:
                found[alarm] = fix
    return found


def _fix(tree: Tree, alarm: Alarm, rule: Rule) -> Fix | None:
    repair = Repair(tree, alarm)
    rule.fix(repair.site, alarm, repair)
    edits = repair.edits()
    if not edits:
        return None
    if _breaks(tree, edits):
        raise Unrepairable("the repaired file does not parse")
    lost = repair.safety is Safety.SAFE and repair.loses_comments(edits)
    return Fix(repair.title or f"Repair {rule.name}", edits, Safety.UNSAFE if lost else repair.safety, tree.source.path)


def _breaks(tree: Tree, edits: Sequence[Edit]) -> bool:
    """Whether edits keep a file that parses from doing so; what they change is parsed alone where that can tell."""
    if all(map(parses, tree.parts.changed(edits))):
        return False
    return not parses(applied(tree.source.text, edits)) and parses(tree.source.text)
