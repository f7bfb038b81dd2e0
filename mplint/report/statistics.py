"""`--statistics`: how often each rule found something, the most frequent first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from mplint.finding import Finding, Safety
from mplint.report.concise import applicable
from mplint.report.jsons import pretty
from mplint.report.scene import Scene
from mplint.report.summary import closing


def render(findings: Sequence[Finding], scene: Scene) -> Iterator[str]:
    """A table of count, code, `[*]` where the run could fix some, and name."""
    style = scene.style
    rows = _counted(findings)
    wide = len(str(rows[0][2])) if rows else 1
    codes = max((len(code) for code, _, _ in rows), default=0)
    for code, name, count in rows:
        fixable = any(finding.code == code and applicable(finding, scene) for finding in findings)
        star = style.paint("[*]", "path") if fixable else "   "
        yield f"{style.paint(str(count).rjust(wide), 'strong')}  {style.paint(code.ljust(codes), 'warning')} {star} {name}\n"
    if rows:
        yield "\n"
    yield from closing(findings, scene)


def render_json(findings: Sequence[Finding], scene: Scene) -> Iterator[str]:
    """The same as an array of `{code, name, count, safe_fixes, unsafe_fixes}`."""
    safe, unsafe = (
        Counter(finding.code for finding in findings if finding.fix is not None and finding.fix.safety is safety) for safety in (Safety.SAFE, Safety.UNSAFE)
    )
    table = [{"code": code, "name": name, "count": count, "safe_fixes": safe[code], "unsafe_fixes": unsafe[code]} for code, name, count in _counted(findings)]
    yield pretty(table) + "\n"


def _counted(findings: Sequence[Finding]) -> list[tuple[str, str, int]]:
    counts = Counter((finding.code, finding.name) for finding in findings)
    return sorted(((code, name, count) for (code, name), count in counts.items()), key=lambda row: (-row[2], row[0]))
