"""The exception verdict against real pickle, on random classes: `python benchmarks/verdict.py [COUNT] [FIRST_SEED]`."""

from __future__ import annotations

import collections
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent.parent / "tests")]

from random_exceptions import case, reality  # noqa: E402

from mplint.project import Project  # noqa: E402
from mplint.source import Sources  # noqa: E402
from mplint.verdict.judge import verdict  # noqa: E402
from mplint.verdict.shapes import Shapes  # noqa: E402


def predicted(source: str) -> str:
    """The verdict that mplint gives to `Broken` from the text alone."""
    path = "/random/case.py"
    project = Project(Sources("/random", (path,), {path: source.encode()}))
    module = project.module(path)
    assert module is not None
    cls = module.class_("Broken")
    assert cls is not None
    found = verdict(project, Shapes(project, sys.version_info[:2]), cls)
    return found.kind if found is not None else "NONE"


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    table: collections.Counter[tuple[str, str]] = collections.Counter()
    for seed in range(first, first + count):
        source = case(seed).source
        truth = reality(source)
        if truth == "NONE":
            table["NONE", ""] += 1
            continue
        answer = predicted(source)
        table[truth, answer] += 1
        if answer != truth and "-v" in sys.argv:
            print(f"--- seed {seed}: really {truth}, predicted {answer}\n{source}")
    bad = {"FAIL", "CORRUPT", "DUMP"}
    seen = sum(n for (t, a), n in table.items() if t in bad and a in bad)
    missed = sum(n for (t, a), n in table.items() if t in bad and a not in bad)
    false = sum(n for (t, a), n in table.items() if t == "OK" and a in bad)
    kind = sum(n for (t, a), n in table.items() if t in bad and a == t)
    for (truth, answer), number in sorted(table.items()):
        print(f"{truth:8} {answer:8} {number}")
    print(f"recall {seen / max(1, seen + missed):.4f} precision {seen / max(1, seen + false):.4f} right kind {kind / max(1, seen):.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
