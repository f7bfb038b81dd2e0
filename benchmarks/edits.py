"""What a run costs after an edit, for edits of every kind: random lines of a tree are deleted, doubled, changed or put in, one at a time.

    python benchmarks/edits.py --tree scikit-learn --edits 40

Each edit is followed by one measured run with a cache, and taken back before the next.
"""

from __future__ import annotations

import argparse
import ast
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from measure import run
from speed import clone, environment, located

FAST = 0.5
"""Seconds of CPU within which the answer after an edit feels like none was computed."""


def edited(text: str, chance: random.Random) -> str | None:
    """The text with one line of a function deleted, doubled, followed by another, or with one of its words changed; None when that does not parse."""
    try:
        functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    except (SyntaxError, ValueError):
        return None
    if not functions:
        return None
    function = chance.choice(functions)
    lines = text.split("\n")
    at = chance.randrange(function.body[0].lineno - 1, function.end_lineno or function.lineno)
    line = lines[at]
    words = re.findall(r"[A-Za-z_]\w+", line)
    if not words:
        return None
    margin = line[: len(line) - len(line.lstrip())]
    kinds = ([], [line, line], [line, f"{margin}fresh_name = {at}"], [line.replace(chance.choice(words), "fresh_name", 1)])
    new = "\n".join([*lines[:at], *chance.choice(kinds), *lines[at + 1 :]])
    try:
        ast.parse(new)
    except (SyntaxError, ValueError):
        return None
    return new


def edits(tree: Path, count: int, seed: int) -> Iterator[tuple[Path, str]]:
    """Files, chosen evenly, each with the text after an edit."""
    chance = random.Random(seed)
    files = sorted(path for path in tree.rglob("*.py") if path.stat().st_size)
    while count:
        path = chance.choice(files)
        new = edited(path.read_text(encoding="utf-8", errors="surrogateescape"), chance)
        if new is not None:
            yield path, new
            count -= 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", default="distributed", help="a tree of trees.py, a release, or a folder (default: %(default)s)")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "mplint-trees", help="where trees are kept (default: %(default)s)")
    parser.add_argument("--edits", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=600.0, help="seconds that a run may take")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        tree = shutil.copytree(located(arguments.tree, arguments.cache)[1], scratch / "tree", symlinks=True)
        command = [sys.executable, "-m", "mplint", "--isolated", "--jobs", "1", "--cache-dir", str(scratch / "cache"), "."]
        env = environment(scratch, PYTHONPATH=clone(scratch))

        def checked() -> float:
            return run(command, cwd=tree, env=env, timeout=arguments.limit).cpu

        checked()
        time.sleep(2.5)  # file times younger than two seconds are not trusted
        checked()
        costs = []
        for path, new in edits(tree, arguments.edits, arguments.seed):
            before = path.read_bytes()
            path.write_text(new, encoding="utf-8", errors="surrogateescape")
            costs.append(checked())
            path.write_bytes(before)
            checked()
    fast = sum(cost <= FAST for cost in costs)
    print(f"{arguments.tree}: {fast} of {len(costs)} edits cost at most {FAST} s of CPU, median {statistics.median(costs):.2f} s, highest {max(costs):.2f} s")


if __name__ == "__main__":
    main()
