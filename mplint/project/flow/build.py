"""FunctionFacts -> control-flow graph.

Recursion follows the nesting of blocks (CPython allows 100 levels); chains of `elif` are followed in a loop.
The body of a `finally`, the exit of a `with` and the end of a handler's name are there once for each way out of the block
(to its end, by an exception, `return`, `break`, `continue`), so that no path mixes two of them.
"""

from __future__ import annotations

from typing import Any, Callable

from mplint import facts as f
from mplint.project.flow.frames import Frame, Source
from mplint.project.flow.nodes import (
    BROKEN, CONTINUED, ENTRY, ESCAPED, FELL, MAYBE, NORMAL, RAISED, RETURNED, STOPPED, Ends, Node, Place, Swallows, catches,
    constant, ending_call, forestalled, may_raise, raised_class,
)  # fmt: skip

_EXITS = {"return": RETURNED, "raise": ESCAPED, "break": BROKEN, "continue": CONTINUED}

_COPIED = 4
"""Depth of `finally` inside `finally` up to which each way out has a copy; beyond it they share one, as their number doubles."""


class Builder:
    """Collects `nodes`, `successors` and `predecessors` (lists of (node, kind of edge) by node number)."""

    def __init__(self, ends: Ends, swallows: Swallows) -> None:
        self.nodes: list[Node] = []
        self.successors: list[list[Source]] = []
        self.predecessors: list[list[Source]] = []
        self._ends, self._swallows = ends, swallows
        self._frames: list[Frame] = []
        self._place: Place | None = None
        self._finals = 0
        for number in range(CONTINUED + 1):
            self._node("entry" if number == ENTRY else "exit", (), None, [])

    def function(self, facts: f.FunctionFacts) -> None:
        self._join(self._block(facts.body, [(ENTRY, NORMAL)]), FELL)

    # -- nodes and edges

    def _join(self, sources: list[Source], target: int) -> None:
        for source, kind in sources:
            if (target, kind) not in self.successors[source]:
                self.successors[source].append((target, kind))
                self.predecessors[target].append((source, kind))

    def _node(self, kind: str, rows: tuple[Any, ...], owner: Any, sources: list[Source], raises: bool | None = None, index: int = 0) -> int:
        number = len(self.nodes)
        raising = any(may_raise(row) for row in rows) if raises is None else raises
        self.nodes.append(Node(kind, rows, owner, self._place, raising, index))
        self.successors.append([])
        self.predecessors.append([])
        self._join(sources, number)
        if raising and sources:
            self._leave("raise", [(number, MAYBE)])
        return number

    def _leave(self, way: str, sources: list[Source], raised: str = "") -> None:
        """Lead `sources` out of the function in this way, through whatever is around; `raised` is the class where it is written out."""
        for frame in reversed(self._frames):
            if frame.dispatch >= 0:
                if way == "raise" and (not raised or not frame.handlers):
                    self._join(sources, frame.dispatch)
                    return
                if way == "raise":
                    for handler, head in zip(frame.handlers, frame.heads):
                        caught = catches(handler, raised)
                        if caught is not False:
                            self._join(sources, head)
                        if caught:
                            return
            elif not frame.loop or way in ("break", "continue"):
                frame.pending.setdefault((way, raised), []).extend(sources)
                return
        if way in _EXITS:
            self._join(sources, _EXITS[way])

    def _guarded(self, body: Callable[[], list[Source]], cleanup: Callable[[list[Source], str], list[Source]], *, shared: bool = False) -> list[Source]:
        """Build `body` inside a block with a cleanup; the ways out other than its end go on outside.  Returns what leaves at the end.

        One cleanup for each way, or a `shared` one for all.
        """
        frame = Frame()
        self._frames.append(frame)
        out = body()
        self._frames.pop()
        if shared:
            after = cleanup([*out, *(s for sources in frame.pending.values() for s in sources)], "")
            for way, raised in frame.pending:
                self._leave(way, after, raised)
            return after if out else []
        out = cleanup(out, "")
        for (way, raised), sources in frame.pending.items():
            after = cleanup(sources, way)
            if after:
                self._leave(way, after, raised)
        return out

    def _inside(self, row: Any, part: str, branch: Any, steps: tuple[f.Step, ...], sources: list[Source]) -> list[Source]:
        outer = self._place
        self._place = Place(row, part, branch, outer)
        out = self._block(steps, sources)
        self._place = outer
        return out

    # -- steps

    def _block(self, steps: tuple[f.Step, ...], sources: list[Source]) -> list[Source]:
        outer = self._place
        for step in steps:
            build = _COMPOUND.get(type(step))
            sources = build(self, step, sources) if build is not None else self._simple(step, sources)
        self._place = outer
        return sources

    def _simple(self, step: Any, sources: list[Source]) -> list[Source]:
        node = self._node("step", (step,), step, sources, raises=False if isinstance(step, f.Raise) else None)
        if not sources:
            return []
        call = ending_call(step)
        ending = self._ends(call) if call is not None else ""
        written = raised_class(step)
        if ending == "stop":
            self._join([(node, RAISED)], STOPPED)
        elif ending == "raise" or written is not None:
            self._leave("raise", [(node, RAISED)], written or "" if ending != "raise" else "SystemExit")
        elif isinstance(step, f.Return):
            self._leave("return", [(node, NORMAL)])
        elif isinstance(step, f.Jump) and step.kind != "pass":
            self._leave(step.kind, [(node, NORMAL)])
        else:
            return [(node, NORMAL)]
        return []

    def _if(self, step: f.If, sources: list[Source]) -> list[Source]:
        out: list[Source] = []
        links: list[tuple[f.If, bool]] = []
        outer = self._place
        chained = True
        while chained:
            test = self._node("test", (step.test,), step, sources)
            truth = constant(step.test)
            go = [(test, NORMAL)] if sources else []
            body = self._inside(step, "body", None, step.body, go if truth is not False else [])
            out.extend(body)
            links.append((step, bool(body)))
            sources = go if truth is not True else []
            chained = len(step.orelse) == 1 and isinstance(step.orelse[0], f.If)
            if chained:
                self._place = Place(step, "orelse", None, self._place)
                step = step.orelse[0]  # type: ignore[assignment]
        orelse = self._inside(step, "orelse", None, step.orelse, sources)
        out.extend(orelse)
        self._place = outer
        lives = bool(orelse)
        for number, (link, falls) in enumerate(links):
            if falls and (lives or any(later for _, later in links[number + 1 :])):
                break
            self._place = Place(link, "after body" if falls else "after orelse", None, self._place)
            if falls:
                break
        return out

    def _while(self, step: f.While, sources: list[Source]) -> list[Source]:
        test = self._node("test", (step.test,), step, sources)
        truth = constant(step.test)
        go = [(test, NORMAL)] if sources else []
        past = go if truth is not True else []
        out = self._loop(step, test, go if truth is not False else [], past)
        if truth is None and not step.orelse and out == past:
            self._place = Place(step, "after orelse", None, self._place)
        return out

    def _for(self, step: f.For, sources: list[Source]) -> list[Source]:
        source = self._node("source", (step.source,), step, sources)
        reached = bool(sources)
        ask = self._node("next", (), step, [(source, NORMAL)] if reached else [], raises=True)
        bind = self._node("target", (step.target,), step, [(ask, NORMAL)] if reached else [], raises=not isinstance(step.target, f.Name))
        return self._loop(step, ask, [(bind, NORMAL)] if reached else [], [(ask, NORMAL)] if reached else [])

    def _loop(self, step: f.While | f.For, head: int, into: list[Source], past: list[Source]) -> list[Source]:
        frame = Frame(loop=True)
        self._frames.append(frame)
        again = self._inside(step, "body", None, step.body, into)
        self._frames.pop()
        self._join([*again, *frame.pending.get(("continue", ""), ())], head)
        return [*self._inside(step, "orelse", None, step.orelse, past), *frame.pending.get(("break", ""), ())]

    def _match(self, step: f.Match, sources: list[Source]) -> list[Source]:
        subject = self._node("subject", (step.subject,), step, sources)
        sources = [(subject, NORMAL)] if sources else []
        out: list[Source] = []
        for case in step.cases:
            pattern = self._node("pattern", case.patterns, case, sources, raises=bool(case.patterns))
            matched = self._node("matched", (), case, [(pattern, NORMAL)] if sources else [], raises=False)
            go = [(matched, NORMAL)] if sources else []
            if case.guard is not None:
                guard = self._node("guard", (case.guard,), case, go)
                go = [(guard, NORMAL)] if go else []
            out.extend(self._inside(step, "case", case, case.body, go))
            if sources:
                sources = [] if case.always else [(pattern, NORMAL)]
                if case.guard is not None:
                    sources = [*sources, *go]
        return [*out, *sources]

    def _with(self, step: f.With, sources: list[Source], index: int = 0) -> list[Source]:
        if index == len(step.items):
            return self._block(step.body, sources)
        item = step.items[index]
        rows = (item.value,) if item.target is None else (item.value, item.target)
        enter = self._node("enter", rows, step, sources, raises=True, index=index)
        go = [(enter, NORMAL)] if sources else []
        swallows = self._swallows(item)
        outer = self._place

        def body() -> list[Source]:
            self._place = Place(step, "with", item, outer)
            out = self._with(step, go, index + 1)
            self._place = outer
            return out

        swallowed: list[Source] = []

        def cleanup(ways: list[Source], way: str) -> list[Source]:
            if not ways:
                return []
            leave = self._node("leave", (), step, ways, raises=True, index=index)
            if way == "raise" and swallows:
                swallowed.append((leave, NORMAL))
            return [(leave, NORMAL)]

        return [*self._guarded(body, cleanup), *swallowed]

    def _try(self, step: f.Try, sources: list[Source]) -> list[Source]:
        if not step.final:
            return self._tried(step, sources)

        def cleanup(ways: list[Source], way: str) -> list[Source]:
            self._finals += 1
            out = self._inside(step, "final", None, step.final, ways)
            self._finals -= 1
            return out

        return self._guarded(lambda: self._tried(step, sources), cleanup, shared=self._finals >= _COPIED)

    def _tried(self, step: f.Try, sources: list[Source]) -> list[Source]:
        start = self._node("try", (), step, sources, raises=False)
        reached = bool(sources)
        go = [(start, NORMAL)] if reached else []
        if not step.handlers:
            if reached:
                self._leave("raise", [(start, MAYBE)])
            return self._inside(step, "body", None, step.body, go)
        dispatch = self._node("raised", (), step, [(start, MAYBE)] if reached else [], raises=False)
        heads: list[int] = []
        outer = self._place
        for index, handler in enumerate(step.handlers):
            asking = [(dispatch, NORMAL)] if reached and not forestalled(handler, step.handlers[:index]) else []
            self._place = Place(step, "handler", handler, outer)
            heads.append(self._node("handler", (handler.types,) if handler.types is not None else (), handler, asking, raises=False))
        self._place = outer
        if not step.is_star:
            self._frames.append(Frame(dispatch=dispatch, handlers=step.handlers, heads=tuple(heads)))
        else:
            self._frames.append(Frame(dispatch=dispatch))
        body = self._inside(step, "body", None, step.body, go)
        self._frames.pop()
        out = self._inside(step, "orelse", None, step.orelse, body)
        left: list[Source] = []
        for handler, head in zip(step.handlers, heads):
            if step.is_star:
                self._join(left, head)
            left = [*left, *self._handled(step, handler, [(head, NORMAL)] if self.predecessors[head] else [])]
        if reached and not any(catches(h) for h in step.handlers):
            self._leave("raise", [(dispatch, NORMAL)])
        if step.is_star and left:
            self._leave("raise", left)
        return [*out, *left]

    def _handled(self, step: f.Try, handler: f.Handler, sources: list[Source]) -> list[Source]:
        if not handler.name:
            return self._inside(step, "handler", handler, handler.body, sources)

        def cleanup(ways: list[Source], way: str) -> list[Source]:
            return [(self._node("unbind", (), handler, ways, raises=False), NORMAL)] if ways else []

        return self._guarded(lambda: self._inside(step, "handler", handler, handler.body, sources), cleanup)


_COMPOUND: dict[type, Callable[[Builder, Any, list[Source]], list[Source]]] = {
    f.If: Builder._if, f.While: Builder._while, f.For: Builder._for, f.Match: Builder._match, f.With: Builder._with, f.Try: Builder._try,
}  # fmt: skip
