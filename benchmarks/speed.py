"""How long mplint takes, side by side with the peers that a project may run already.

    python benchmarks/speed.py --cache ~/.cache/mplint-trees --runs 5 --json speed.json --plot docs/images/speed

Every tree is copied to a temporary folder.  The cases of a tree are run in turn (A B C A B C ...), so that a machine whose
speed drifts changes all of them alike; figures are medians.  CPU is user plus system time of the whole process and the
children it waited for.  Trees that are missing are downloaded (see trees.py); nothing in them is built or run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import trees
from measure import Failed, Run, floor, median, run

REPOSITORY = Path(__file__).resolve().parents[1]
GROWTH = (1, 2, 4, 8)
YARDSTICK = "ruff ALL"
SLOW_PEERS = {
    "fixit": ("lint", "."),
    "flake8-async": ("--isolated", "--select=ASYNC", "."),
    "torchfix": ("--select=ALL", "."),
    "bugbear": ("--isolated", "--select=B", "."),
}
"""Peers that are run once, on the smallest tree alone; `flake8-async` and `bugbear` are flake8s in whose environment that plugin is installed."""
PROCESS_API = re.compile(rb"^(?:from|import) (?:multiprocessing|concurrent)", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """`before` is run, unmeasured, before every measured run.  A case with `once` is measured a single time."""

    name: str
    command: Sequence[str]
    cwd: Path
    env: dict[str, str]
    before: Callable[[], object] = lambda: None
    once: bool = False


@dataclass
class Row:
    """The medians of a case on a tree; `ratio` is its CPU over the yardstick's, median of the paired runs, None without one."""

    tree: str
    case: str
    cpu: float | None = None
    wall: float | None = None
    peak_mib: float | None = None
    ratio: float | None = None
    note: str = ""
    counts: dict[str, int] = field(default_factory=dict)


def environment(scratch: Path, **more: str) -> dict[str, str]:
    """The environment of every command: bytecode is kept, as for an installed tool, but away from the repository."""
    env = {k: v for k, v in os.environ.items() if k not in {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "RAYON_NUM_THREADS"}}
    return {**env, "PYTHONPYCACHEPREFIX": str(scratch / "bytecode"), **more}


def clone(scratch: Path) -> str:
    """A folder with mplint and its rules alone, for PYTHONPATH: metadata of an installation beside them would register the plugin twice."""
    home = scratch / "clone"
    home.mkdir(exist_ok=True)
    for name in ("mplint", "rules"):
        if not (home / name).exists():
            (home / name).symlink_to(REPOSITORY / name, target_is_directory=True)
    return str(home)


def busy_file(tree: Path) -> Path:
    """The largest file of a tree that imports a process API, else its largest file."""
    files = sorted(tree.rglob("*.py"))
    return max(files, key=lambda p: (PROCESS_API.search(p.read_bytes()) is not None, p.stat().st_size))


def edit(path: Path, text: str) -> None:
    """Append `text`, with a number that is new each time."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text.format(path.stat().st_size))


def mplint_cases(command: Sequence[str], tree: Path, scratch: Path, limit: float) -> list[Case]:
    env = environment(scratch, PYTHONPATH=clone(scratch))
    cache = ["--cache-dir", str(scratch / "mplint-cache")]
    file = busy_file(tree)
    (tree / "mplint.toml").touch()  # the root of the project, for the one file that is given, too
    warm = [*command, *cache, "."]
    cold = [*command, "--no-cache", "."]

    def refresh() -> Run:
        return run(warm, cwd=tree, env=env, timeout=limit)

    def comment() -> None:
        refresh()
        edit(file, "\n# edited {0}\n")

    def change() -> None:
        refresh()
        edit(file, "\n\ndef edited_{0}(number):\n    return number + {0}\n")

    def pool() -> None:
        refresh()
        edit(file, "\n\ndef pooled_{0}(tasks):\n    import multiprocessing\n\n    return multiprocessing.Pool({0}).map(print, tasks)\n")

    return [
        Case("mplint cold, one job", [*cold, "--jobs", "1"], tree, env),
        Case("mplint cold, all jobs", [*cold, "--jobs", str(os.cpu_count() or 1)], tree, env),
        Case("mplint warm", warm, tree, env, refresh),
        Case("mplint one comment edited", warm, tree, env, comment),
        Case("mplint one function added", warm, tree, env, change),
        Case("mplint one pool added", warm, tree, env, pool),
        Case("mplint one file given", [*warm[:-1], str(file.relative_to(tree))], tree, env, refresh),
    ]


def ruff_cases(ruff: str, tree: Path, scratch: Path, limit: float) -> list[Case]:
    every = [ruff, "check", "--select", "ALL", "--isolated"]
    one, many = environment(scratch, RAYON_NUM_THREADS="1"), environment(scratch)
    warm = [*every, "--cache-dir", str(scratch / "ruff-cache"), "."]

    def refresh() -> Run:
        return run(warm, cwd=tree, env=many, timeout=limit)

    return [
        Case(YARDSTICK, [*every, "--no-cache", "."], tree, one),
        Case(f"{YARDSTICK}, all jobs", [*every, "--no-cache", "."], tree, many),
        Case(f"{YARDSTICK}, warm", warm, tree, many, refresh),
    ]


def flake8_cases(flake8: str, tree: Path, scratch: Path) -> list[Case]:
    """flake8 by itself and with mplint as a local plugin; its environment must hold mplint's dependencies and not mplint itself."""
    configuration = scratch / "flake8.cfg"
    configuration.write_text("[flake8:local-plugins]\nextension =\n    MP = mplint.flake8:Plugin\n", encoding="utf-8")
    env = environment(scratch, PYTHONPATH=clone(scratch))
    every = [flake8, "--jobs", "1"]
    return [
        Case("flake8", [*every, "--isolated", "."], tree, environment(scratch), once=True),
        Case("flake8 with mplint", [*every, "--config", str(configuration), "."], tree, env, once=True),
    ]


def counts_of(case: Case, limit: float) -> dict[str, int]:
    """How many files mplint checked, linked, read, parsed: the numbers of its `--verbose` lines, by the word that follows."""
    errors = run([*case.command, "--verbose"], cwd=case.cwd, env=case.env, timeout=limit).errors
    pairs = re.findall(r"(\d+) (?:files? )?(found|checked|linked|read|parsed|lowered)\b", errors)
    return {word: int(number) for number, word in pairs}


def measure(tree: str, cases: Sequence[Case], runs: int, limit: float) -> list[Row]:
    """Run the cases in turn `runs` times after one uncounted round; a case that fails is left out with a note."""
    seen: dict[str, list[Run]] = {case.name: [] for case in cases}
    notes: dict[str, str] = {}
    for round_ in range(runs + 1):
        for case in cases:
            if case.name in notes or case.once and round_ != 1:
                continue
            try:
                case.before()
                result = run(case.command, cwd=case.cwd, env=case.env, timeout=limit)
            except Failed as error:
                notes[case.name] = str(error)
                continue
            if round_:
                seen[case.name].append(result)
    rows = []
    for case in cases:
        if case.name in notes:
            rows.append(Row(tree, case.name, note=notes[case.name]))
            continue
        middle = median(seen[case.name])
        pairs = zip(seen[case.name], seen.get(YARDSTICK, []))
        ratios = [mine.cpu / theirs.cpu for mine, theirs in pairs if theirs.cpu]
        ratio = statistics.median(ratios) if ratios else None
        rows.append(Row(tree, case.name, middle.cpu, middle.wall, middle.peak / 2**20, ratio))
        if case.name.startswith("mplint cold, one"):
            try:
                rows[-1].counts = counts_of(case, limit)
            except Failed as error:
                rows[-1].note = f"--verbose: {error}"
    return rows


def table(rows: Sequence[Row], sizes: dict[str, trees.Size]) -> str:
    """The rows as a Markdown table, a tree after another."""
    out = [f"| tree | case | CPU s | wall s | peak MiB | CPU / {YARDSTICK} | |", "|---|---|---:|---:|---:|---:|---|"]
    for row in rows:
        size = sizes[row.tree]
        first = f"{row.tree}: {size.lines:,} lines, {size.files:,} files" if row.case == next(r.case for r in rows if r.tree == row.tree) else ""
        numbers = [row.cpu, row.wall, row.peak_mib, row.ratio]
        cells = ["-" if n is None else f"{n:.{d}f}" for n, d in zip(numbers, (2, 2, 0, 2))]
        note = row.note or ", ".join(f"{word} {number:,}" for word, number in row.counts.items())
        out.append(f"| {first} | {row.case} | {' | '.join(cells)} | {note} |")
    return "\n".join(out)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--cache", type=Path, default=Path.home() / ".cache" / "mplint-trees", metavar="DIR", help="where trees are kept (default: %(default)s)"
    )
    parser.add_argument("--trees", nargs="*", default=list(trees.RELEASES), metavar="NAME", help=f"of {', '.join(trees.RELEASES)}, a release, or a folder")
    parser.add_argument("--growth", nargs="*", type=int, default=list(GROWTH), metavar="N", help="sizes of the synthetic tree (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, metavar="N")
    parser.add_argument("--mplint", default=f"{sys.executable} -m mplint", metavar="COMMAND")
    parser.add_argument("--peers", nargs="*", default=["ruff"], metavar="NAME[=PROGRAM]", help=f"of ruff, flake8, {', '.join(SLOW_PEERS)} (default: ruff)")
    parser.add_argument("--timeout", type=float, default=300, metavar="SECONDS", help="for one run (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--plot", type=Path, metavar="PATH", help="write PATH.svg and PATH.png (needs matplotlib)")
    return parser.parse_args(argv)


def located(name: str, cache: Path) -> tuple[str, Path]:
    """The name of a tree for the table, and its folder."""
    if Path(name).is_dir():
        return Path(name).resolve().name, Path(name).resolve()
    return name, trees.fetch(trees.RELEASES.get(name, name), cache)


def main(argv: Sequence[str] | None = None) -> int:
    options = arguments(argv)
    options.cache.mkdir(parents=True, exist_ok=True)
    peers = {name: program or name for name, _, program in (peer.partition("=") for peer in options.peers)}
    homes = dict(located(name, options.cache) for name in options.trees)
    homes |= {f"synthetic x{n}": trees.grow(options.cache, n) for n in options.growth}
    sizes = {name: trees.size_of(home) for name, home in homes.items()}
    real = [name for name in homes if not name.startswith("synthetic")]
    smallest = min(real, key=lambda name: sizes[name].lines, default="")
    rows: list[Row] = []
    for name, home in sorted(homes.items(), key=lambda item: sizes[item[0]].lines):
        with tempfile.TemporaryDirectory(prefix="mplint-speed-") as folder:
            scratch = Path(folder)
            tree = scratch / "tree"
            shutil.copytree(home, tree, symlinks=True)
            cases = mplint_cases(options.mplint.split(), tree, scratch, options.timeout)
            if "ruff" in peers:
                cases = ruff_cases(peers["ruff"], tree, scratch, options.timeout) + cases
            if name == smallest:
                if "flake8" in peers:
                    cases += flake8_cases(peers["flake8"], tree, scratch)
                cases += [Case(p, [peers[p], *args], tree, environment(scratch), once=True) for p, args in SLOW_PEERS.items() if p in peers]
            rows += measure(name, cases, options.runs, options.timeout)
            print(f"{name}: done", file=sys.stderr, flush=True)
    print(table(rows, sizes))
    print(f"\nMedians of {options.runs} runs in turn; no peak below {floor() / 2**20:.0f} MiB can be seen.")
    if options.json:
        figures = {"sizes": {n: asdict(s) for n, s in sizes.items()}, "rows": [asdict(r) for r in rows]}
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    if options.plot:
        from plot import draw

        draw(rows, sizes, options.plot, YARDSTICK)
    return 0


if __name__ == "__main__":
    sys.exit(main())
