"""`concise`: one line a finding, as editors and grep like it; `[*]` marks what the run could fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mplint.finding import Finding, Safety
from mplint.report.columns import tame
from mplint.report.scene import Scene
from mplint.report.summary import closing


def render(findings: Sequence[Finding], scene: Scene) -> Iterator[str]:
    """`path:row:column: CODE [*] message`, and the closing words."""
    style = scene.style
    for finding in findings:
        place = style.link(style.paint(tame(scene.file(finding)), "strong"), scene.uri(finding.path))
        code = style.link(style.paint(finding.code, severity_role(finding)), scene.rule_url(finding) or "")
        star = style.paint(" [*]", "path") if applicable(finding, scene) else ""
        sep = style.paint(":", "dim")
        yield f"{place}{sep}{finding.row}{sep}{finding.column}{sep} {code}{star} {tame(finding.message)}\n"
    yield from closing(findings, scene)


def applicable(finding: Finding, scene: Scene) -> bool:
    """Whether `--fix` as this run would do it repairs the finding."""
    fix = finding.fix
    return fix is not None and (fix.safety is Safety.SAFE or (fix.safety is Safety.UNSAFE and scene.unsafe_fixes))


def severity_role(finding: Finding) -> str:
    """The colour role of a severity."""
    return finding.severity if finding.severity in {"error", "warning", "note"} else "warning"
