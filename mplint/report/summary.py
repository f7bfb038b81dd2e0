"""The last words of a run: how much was found, and what `--fix` would do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mplint.finding import Finding, Safety
from mplint.report.scene import Scene, counted


def closing(findings: Sequence[Finding], scene: Scene) -> Iterator[str]:
    """The closing lines for people."""
    style = scene.style
    if scene.quiet:
        return
    if scene.fixed and not findings:
        yield style.paint(f"Fixed {counted(scene.fixed, 'finding')}, none left.", "good") + "\n"
        return
    if not findings:
        yield style.paint("Nothing found.", "good") + "\n"
        return
    files = counted(len({finding.path for finding in findings}), "file")
    where = f"({scene.fixed} fixed, {len(findings)} left in {files})" if scene.fixed else f"in {files}"
    total = counted(len(findings) + scene.fixed, "finding")
    yield style.paint(f"Found {total} {where}.", "strong") + "\n"
    if said := repairs(findings, scene):
        yield said + "\n"


def repairs(findings: Sequence[Finding], scene: Scene) -> str:
    """What `--fix` would do about the findings, one sentence; "" when nothing."""
    safe, unsafe = (sum(_has(finding, safety) for finding in findings) for safety in (Safety.SAFE, Safety.UNSAFE))
    if scene.unsafe_fixes:
        safe, unsafe = safe + unsafe, 0
    if safe and unsafe:
        return f"`--fix` repairs {safe}, `--unsafe-fixes` {unsafe} more."
    if not safe and not unsafe:
        return ""
    number = safe or unsafe
    how = "it" if number == len(findings) == 1 else "all" if number == len(findings) else number
    return f"`--fix` repairs {how}." if safe else f"`--fix --unsafe-fixes` repairs {how}."


def _has(finding: Finding, safety: Safety) -> bool:
    return finding.fix is not None and finding.fix.safety is safety
