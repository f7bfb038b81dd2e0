"""The exception verdict and its fix against real pickle, on random classes: `python benchmarks/verdict.py [COUNT] [FIRST_SEED] [-v] [--no-fix]`."""

from __future__ import annotations

import collections
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent.parent / "tests")]

from exception_verdicts import predicted, repaired  # noqa: E402
from random_exceptions import case, reality  # noqa: E402

BAD = {"FAIL", "CORRUPT", "DUMP"}


def main() -> int:
    numbers = [int(a) for a in sys.argv[1:] if a.isdigit()]
    count, first = (numbers + [5000])[0], (numbers[1:] + [0])[0]
    table: collections.Counter[tuple[str, str]] = collections.Counter()
    fixes: collections.Counter[str] = collections.Counter()
    for seed in range(first, first + count):
        source = case(seed).source
        truth = reality(source)
        if truth == "NONE":
            table["NONE", ""] += 1
            continue
        found = predicted(source)
        answer = found.kind if found is not None else "NONE"
        table[truth, answer] += 1
        if answer != truth and "-v" in sys.argv:
            print(f"--- seed {seed}: really {truth}, predicted {answer}\n{source}")
        if answer in {"FAIL", "CORRUPT"} and "--no-fix" not in sys.argv:
            after = repaired(source)
            still = predicted(after)
            outcome = "no fix" if still is None or still.kind in BAD else reality(after)
            fixes[outcome] += 1
            if outcome not in {"no fix", "OK"} or (outcome == "no fix" and "-vv" in sys.argv):
                print(f"--- seed {seed}: {outcome} after the fix\n{after}")
    seen = sum(n for (t, a), n in table.items() if t in BAD and a in BAD)
    missed = sum(n for (t, a), n in table.items() if t in BAD and a not in BAD)
    false = sum(n for (t, a), n in table.items() if t == "OK" and a in BAD)
    kind = sum(n for (t, a), n in table.items() if t in BAD and a == t)
    for (really, answer), number in sorted(table.items()):
        print(f"{really:8} {answer:8} {number}")
    print(f"recall {seen / max(1, seen + missed):.4f} precision {seen / max(1, seen + false):.4f} right kind {kind / max(1, seen):.4f}")
    print("after the fix:", dict(fixes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
