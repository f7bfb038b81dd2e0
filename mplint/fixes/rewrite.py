"""Applying fixes: rounds of edits that do not overlap, each verified before it counts.

A fix counts when the files still parse, its finding is gone and nothing new was found; otherwise it is withheld and the reason
told.  Rounds go on until no fix is left that may be applied, so that doing it all again changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Union

import msgspec

from mplint.finding import Edit, Finding, Safety
from mplint.fixes.edits import Unrepairable, applied, in_order, parses

ROUNDS = 10

Recheck = Callable[[Mapping[str, str]], Sequence[Finding]]
"""The findings, with fixes, of the files that are reported when those in the mapping (path -> text) are changed.

Raises Unrepairable when that cannot be told.
"""


class Rewritten(msgspec.Struct, frozen=True):
    """What became of the fixes.

    `texts` are the files that change (path -> text), `findings` what is found in the result, `applied` the findings that were
    repaired, with the positions and fixes they had in their round, `withheld` those whose fix was not, each with the reason.
    """

    texts: dict[str, str]
    findings: tuple[Finding, ...]
    applied: tuple[Finding, ...]
    withheld: tuple[tuple[Finding, str], ...]


class _State(NamedTuple):
    texts: dict[str, str]
    findings: Sequence[Finding]


def rewrite(texts: Mapping[str, str], findings: Sequence[Finding], recheck: Recheck, *, unsafe: bool = False, rounds: int = ROUNDS) -> Rewritten:
    """Apply the safe fixes of `findings`, and the unsafe ones when asked.

    `texts` are the files of the findings as they were read.  Nothing is written.
    """
    allowed = {Safety.SAFE, Safety.UNSAFE} if unsafe else {Safety.SAFE}
    state = _State(dict(texts), findings)
    done: list[Finding] = []
    refused: dict[tuple[str, str, int], tuple[Finding, str]] = {}
    for _ in range(rounds):
        chosen = apart(_wanted(state.findings, allowed, refused))
        if not chosen:
            break
        trial = _Trial(state, recheck)
        trial.settle(chosen)
        refused.update({_key(finding): (finding, reason) for finding, reason in trial.refused})
        refused = {_moved(key, trial.good): value for key, value in refused.items()}
        done += trial.good
        state = trial.best
    for finding in _wanted(state.findings, allowed, refused):
        refused[_key(finding)] = finding, f"not reached in {rounds} rounds"
    changed = {path: text for path, text in state.texts.items() if text != texts.get(path)}
    return Rewritten(changed, tuple(state.findings), tuple(done), tuple(refused.values()))


def _wanted(findings: Iterable[Finding], allowed: Collection[Safety], refused: Collection[tuple[str, str, int]]) -> list[Finding]:
    return [f for f in findings if f.fix is not None and f.fix.safety in allowed and _key(f) not in refused]


def apart(findings: Iterable[Finding]) -> list[Finding]:
    """As many of the findings, first come first served, as have fixes that do not overlap.  An import that several add is no overlap."""
    taken: dict[str, list[Edit]] = {}
    chosen: list[Finding] = []
    for finding in sorted((f for f in findings if f.fix is not None), key=lambda f: (f.path, f.fix.edits[0].span if f.fix else f.span)):
        assert finding.fix is not None
        mine = taken.setdefault(finding.path, [])
        if not any(_overlap(edit, other) for edit in finding.fix.edits for other in mine if not _shared(edit, other)):
            mine.extend(finding.fix.edits)
            chosen.append(finding)
    return chosen


class _Trial:
    """One round on `start`: `good` are the findings whose fixes hold together, `best` is the state with them."""

    def __init__(self, start: _State, recheck: Recheck) -> None:
        self.start = self.best = start
        self.recheck = recheck
        self.good: list[Finding] = []
        self.refused: list[tuple[Finding, str]] = []

    def settle(self, group: list[Finding]) -> None:
        """Take in all of `group` that can be: together, else by halves, at last one by one."""
        after = self.tried([*self.good, *group])
        if isinstance(after, _State):
            self.good += group
            self.best = after
        elif len(group) > 1:
            middle = len(group) // 2
            self.settle(group[:middle])
            self.settle(group[middle:])
        elif not self.good or not isinstance(after := self.tried(group), _State):  # else it gets its own round
            self.refused.append((group[0], after))

    def tried(self, group: list[Finding]) -> Union[_State, str]:
        """The state after the fixes of `group`, or why they are no good."""
        texts = dict(self.start.texts)
        for path in {finding.path for finding in group}:
            texts[path] = applied(texts[path], merged(finding for finding in group if finding.path == path))
            if not parses(texts[path]) and parses(self.start.texts[path]):
                return "the repaired file does not parse"
        try:
            findings = self.recheck(texts)
        except Unrepairable as reason:
            return str(reason)
        spare = Counter(map(_kind, self.start.findings)) - Counter(map(_kind, group))
        for finding in findings:
            kind = _kind(finding)
            spare[kind] -= 1
            if spare[kind] < 0:
                still = any(_kind(old) == kind for old in group)
                return f"{finding.code} is still found" if still else f"{finding.code} would be found instead: {finding.message}"
        return _State(texts, findings)


def merged(findings: Iterable[Finding]) -> list[Edit]:
    """The edits of fixes that do not overlap, sorted; an import that several add is added once."""
    edits: list[Edit] = []
    for finding in findings:
        for edit in finding.fix.edits if finding.fix is not None else ():
            if not any(_shared(edit, other) for other in edits):
                edits.append(edit)
    return in_order(edits)


def _kind(finding: Finding) -> tuple[str, str, str]:
    return finding.path, finding.code, finding.scope


def _key(finding: Finding) -> tuple[str, str, int]:
    return finding.path, finding.code, finding.span.start


def _moved(key: tuple[str, str, int], fixed: Sequence[Finding]) -> tuple[str, str, int]:
    """The key of a finding after the fixes of other findings."""
    path, code, start = key
    shift = 0
    for edit in merged(finding for finding in fixed if finding.path == path):
        if edit.span.stop <= start:
            shift += len(edit.text) - (edit.span.stop - edit.span.start)
    return path, code, start + shift


def _shared(one: Edit, other: Edit) -> bool:
    return one == other and one.span.start == one.span.stop and one.text.lstrip().startswith("import ")


def _overlap(one: Edit, other: Edit) -> bool:
    if one.span.start == one.span.stop or other.span.start == other.span.stop:
        return one.span.start <= other.span.stop and other.span.start <= one.span.stop
    return one.span.start < other.span.stop and other.span.start < one.span.stop
