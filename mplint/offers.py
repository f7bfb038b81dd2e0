"""The fixes that rules offer for their alarms, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Union

import msgspec

from mplint.edits import NeedsWhole, Unrepairable, applied, parses
from mplint.facts import PAGE_BITS
from mplint.finding import Alarm, Fix, Safety
from mplint.fixing import Repair
from mplint.outline import Outline
from mplint.rule import Rule
from mplint.source import Source
from mplint.tree import Tree


class Refusal(msgspec.Struct, frozen=True):
    """A fix that is withheld, and why."""

    reason: str


def fixes_for(source: Source, outline: Outline, alarms: Iterable[Alarm], rules: Mapping[str, Rule]) -> dict[Alarm, Union[Fix, Refusal]]:
    """The fix of each alarm of one file, by the rule of its code; an alarm whose rule offers none is left out.

    Every fix is checked to leave source that parses; `mplint.rewrite` checks what else is promised.
    """
    wanted = [alarm for alarm in alarms if alarm.code in rules and rules[alarm.code].has_fix()]
    found: dict[Alarm, Union[Fix, Refusal]] = {}
    if not wanted:
        return found
    trees: dict[tuple[int, int], Tree | Unrepairable] = {}
    for alarm in wanted:
        try:
            try:
                part = (1, 0) if (1, 0) in trees else _part(outline, alarm.site.at)
                fix = _fix(_tree(source, *part, trees), outline, alarm, rules[alarm.code])
            except NeedsWhole:
                fix = _fix(_tree(source, 1, 0, trees), outline, alarm, rules[alarm.code])
        except Unrepairable as reason:
            found[alarm] = Refusal(str(reason))
        except Exception as error:  # a mistake in one rule's fix must not end the run
            found[alarm] = Refusal(f"the fix of {alarm.code} failed: {type(error).__name__}: {error}")
        else:
            if fix is not None:
                found[alarm] = fix
    return found


def _part(outline: Outline, at: int) -> tuple[int, int]:
    """The first and last line of the module-level statement that holds a node; (1, 0) for all lines."""
    number = max(at, 0) >> PAGE_BITS
    while number > 0 and outline.pages[number].indent:
        number -= 1
    top = outline.pages[number]
    if at < 0 or top.kind == "module":
        return 1, 0
    return top.first, next((page.first - 1 for page in outline.pages[number + 1 :] if not page.indent), 0)


def _tree(source: Source, first: int, last: int, trees: dict[tuple[int, int], Tree | Unrepairable]) -> Tree:
    if (first, last) not in trees:
        try:
            trees[first, last] = Tree(source, first, last)
        except Unrepairable as reason:
            trees[first, last] = reason
    tree = trees[first, last]
    if isinstance(tree, Unrepairable):
        raise tree
    return tree


def _fix(tree: Tree, outline: Outline, alarm: Alarm, rule: Rule) -> Fix | None:
    repair = Repair(tree, outline, alarm)
    rule.fix(repair.site, alarm, repair)
    edits = repair.edits()
    if not edits:
        return None
    text = applied(tree.source.text, edits)
    if not parses(text) and parses(tree.source.text):
        raise Unrepairable("the repaired file does not parse")
    lost = repair.safety is Safety.SAFE and repair.loses_comments(edits)
    return Fix(repair.title or f"Repair {rule.name}", edits, Safety.UNSAFE if lost else repair.safety, tree.source.path)
