"""Names for findings that stay the same when lines move: what code hosts compare between two runs."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from mplint.finding import Finding
from mplint.report.scene import Scene


def fingerprints(findings: Sequence[Finding], scene: Scene, root: str = "") -> tuple[str, ...]:
    """One name a finding, in order, all different: from code, relative path, definition and marked source without its layout.

    No line number and no message goes in (messages name lines).  Equal findings are told apart by their order in the file.
    """
    seen: Counter[str] = Counter()
    names = []
    for finding in findings:
        source = " ".join(scene.source(finding.path, finding.span).split())
        parts = (finding.code, scene.relative(finding.path, root).replace("\\", "/"), finding.scope, source)
        key = "\0".join(parts)
        seen[key] += 1
        names.append(hashlib.sha256(f"{key}\0{seen[key]}".encode("utf-8", "replace")).hexdigest()[:32])
    return tuple(names)
