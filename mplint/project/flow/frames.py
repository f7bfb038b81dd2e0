"""What is around a place while a graph is built: where jumps and exceptions go from there."""

from __future__ import annotations

from mplint import facts as f

Source = tuple[int, int]
"""Where an edge comes from: number of the node, kind of the edge."""


class Frame:
    """A block that jumps have to get out of.

    `loop` stops break and continue; `dispatch` (number of a "raised" node) takes exceptions, `handlers` are those behind it;
    `pending` keeps, for a block with a cleanup, what leaves it in each way (and the class raised, where it is written out).
    """

    def __init__(self, *, loop: bool = False, dispatch: int = -1, handlers: tuple[f.Handler, ...] = (), heads: tuple[int, ...] = ()) -> None:
        self.loop, self.dispatch, self.handlers, self.heads = loop, dispatch, handlers, heads
        self.pending: dict[tuple[str, str], list[Source]] = {}
