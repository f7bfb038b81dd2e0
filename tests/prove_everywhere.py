"""Proves the example of every rule on every CPython found, 3.10 and later; ends with 1 when one does not hold.

    python tests/prove_everywhere.py [CODE ...] [--python PATH ...] [--processes 4]

Interpreters are looked for on PATH and among pyenv's versions, the newest of each minor version; `--python` names others instead.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mplint.prove import Proof, prove, report, version_of
from mplint.registry import registry
from mplint.rule import Rule

Version = tuple[int, int, int]


def interpreters() -> dict[Version, str]:
    """The newest CPython of each minor version, oldest first."""
    newest: dict[tuple[int, int], tuple[Version, str]] = {}
    for path in _candidates():
        try:
            version = version_of(path)
        except (OSError, subprocess.SubprocessError, ValueError):  # a shim without a version behind it
            continue
        if version >= (3, 10, 0) and version > newest.get(version[:2], ((0, 0, 0), ""))[0]:
            newest[version[:2]] = (version, path)
    return dict(newest[minor] for minor in sorted(newest))


def _candidates() -> Iterator[str]:
    yield sys.executable
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for path in Path(folder).glob("python3.*"):
            if re.fullmatch(r"python3\.\d+", path.name):
                yield str(path)
    home = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    for path in home.glob("versions/3.*/bin/python"):
        if "t" not in path.parent.parent.name:  # free-threaded builds are another matter
            yield str(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("codes", nargs="*", metavar="CODE", help="rules to prove (all)")
    parser.add_argument("--python", action="append", metavar="PATH", help="interpreter to prove on (all that are found)")
    parser.add_argument("--processes", type=int, default=4, help="programs that run at a time (4)")
    options = parser.parse_args()
    rules = [rule for rule in registry().rules if not options.codes or rule.code in options.codes]
    if unknown := set(options.codes) - {rule.code for rule in rules}:
        parser.error(f"no such rule: {', '.join(sorted(unknown))}")
    pythons = {version_of(shutil.which(path) or path): path for path in options.python} if options.python else interpreters()

    jobs = [(rule, python) for rule in rules for python in pythons.values()]
    failed: list[tuple[Rule, tuple[Proof, ...]]] = []
    rows: dict[str, list[str]] = {rule.code: [] for rule in rules}
    print("       " + "  ".join(f"{'.'.join(map(str, version)):7}" for version in pythons) + "  (bad, fixed: + as claimed, X not)")
    with ThreadPoolExecutor(options.processes) as executor:
        for (rule, _), proofs in zip(jobs, executor.map(lambda job: prove(job[0].example, python=job[1]), jobs)):
            rows[rule.code].append("".join("+" if proof.held else "X" for proof in proofs) or "n/a")
            if not all(proof.held for proof in proofs):
                failed.append((rule, proofs))
            if len(rows[rule.code]) == len(pythons):
                cells = "  ".join(f"{cell:7}" for cell in rows[rule.code])
                print(f"{rule.code}  {cells}  {rule.example.bad_ends}; repaired: {rule.example.fixed_ends}", flush=True)
    for rule, proofs in failed:
        print("\n" + report(rule.code, rule.name, proofs))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
