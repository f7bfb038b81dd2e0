"""Questions that may need their own answer, each answered once: a small tabling engine.

What a parameter can be depends on its callers' arguments, which may depend on the parameter.  A question met again while it is
being answered gets the answer so far; when that turns out to be short, the circle is gone round again.  Answers inside a circle
are provisional until the question that the circle started from is done, and final from then on, so that the answer does not
depend on which question came first and every question costs once.
"""

from __future__ import annotations

import sys
from typing import Callable, TypeVar

T = TypeVar("T")

DEPTH = 160
"""Deepest chain of questions before the answer is the default."""

ROUNDS = 3
"""How often a circle is gone round; values settle after two rounds almost always."""

_FRAMES = 40
"""Python frames that one question may need."""

_FAR = 1 << 30


class Answers:
    """Final answers, provisional ones, and the questions under way with their depth."""

    def __init__(self) -> None:
        self._final: dict[object, object] = {}
        self._provisional: dict[object, tuple[object, int]] = {}
        self._trail: list[object] = []
        self._active: dict[object, int] = {}
        self._so_far: dict[object, object] = {}
        self._met: set[object] = set()
        self._cut = _FAR
        self._unsettled = False
        """Whether, in the round under way, a question of a larger circle got another answer than others were told before."""
        if sys.getrecursionlimit() < DEPTH * _FRAMES:
            sys.setrecursionlimit(DEPTH * _FRAMES)

    def ask(self, key: object, compute: Callable[[], T], default: T) -> T:
        """The answer to `key`; `default` where a circle or the depth leaves nothing else to say."""
        if key in self._final:
            return self._final[key]  # type: ignore[return-value]
        known = self._provisional.get(key)
        if known is not None:
            self._cut = min(self._cut, known[1])
            return known[0]  # type: ignore[return-value]
        depth = self._active.get(key)
        if depth is not None:
            self._cut = min(self._cut, depth)
            self._met.add(key)
            return self._so_far.get(key, default)  # type: ignore[return-value]
        here = len(self._active)
        if here >= DEPTH:
            self._cut = 0
            return default
        return self._answer(key, compute, default, here)

    def _answer(self, key: object, compute: Callable[[], T], default: T, here: int) -> T:
        before, mark, outside = self._cut, len(self._trail), self._unsettled
        for _ in range(ROUNDS):
            self._cut, self._unsettled = _FAR, False
            self._active[key] = here
            self._met.discard(key)
            try:
                answer = compute()
            finally:
                del self._active[key]
            if key in self._met and answer != self._so_far.get(key, default):
                self._so_far[key] = answer
                self._unsettled = True
            if not self._unsettled or self._cut < here:  # inside a larger circle, which goes round as a whole
                break
            for other in self._trail[mark:]:
                del self._provisional[other]
            del self._trail[mark:]
        self._unsettled = outside or (self._unsettled and self._cut < here)
        if self._cut >= here:
            self._final[key] = answer
            self._so_far.pop(key, None)
            for other in self._trail[mark:]:
                self._final[other] = self._provisional.pop(other)[0]
                self._so_far.pop(other, None)
            del self._trail[mark:]
            self._cut = before
        else:
            for other in self._trail[mark:]:  # what stands on this question stands on what this one stands on
                found, cut = self._provisional[other]
                if cut >= here:
                    self._provisional[other] = (found, self._cut)
            self._provisional[key] = (answer, self._cut)
            self._trail.append(key)
            self._cut = min(before, self._cut)
        return answer
