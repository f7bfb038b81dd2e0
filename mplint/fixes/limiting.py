"""The limit that a fix gives to a wait: how long, how safe, and where it goes.

A check says it in the hint of its alarm, the fix reads it there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mplint.finding import Safety

if TYPE_CHECKING:
    import libcst as cst

    from mplint.fixes.repair import Repair
    from mplint.project import Limits


def limit_hint(limits: Limits, *, keeps: bool = True) -> str:
    """The hint for a limit of the project's own, which is safe when all that it changes is how long is waited (`keeps`), or of an hour, which is not."""
    return f"{'safe' if limits.timeout_is_own and keeps else 'unsafe'} {limits.timeout}"


def read_limit(hint: str) -> tuple[Safety, str]:
    """How safe the limit is, and its source text."""
    safety, text = hint.split(" ", 1)
    return Safety.SAFE if safety == "safe" else Safety.UNSAFE, text


def add_limit(node: cst.CSTNode, hint: str, repair: Repair) -> None:
    """Give the call `node` the limit as its argument `timeout`."""
    import libcst as cst

    if hint and isinstance(node, cst.Call):
        repair.safety, text = read_limit(hint)
        repair.add_argument(node, f"timeout={text}")
        repair.title = f"Wait with a limit: `timeout={text}`"
