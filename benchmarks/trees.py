"""The source trees that are measured: releases of public packages, and one synthetic tree of any size.

Nothing that is downloaded is built, imported or run.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RELEASES = {
    "distributed": "distributed==2024.12.1",
    "django": "Django==5.1.4",
    "airflow": "apache-airflow==2.10.4",
    "transformers": "transformers==4.46.3",
    "scikit-learn": "scikit-learn==1.6.0",
}
"""Name of a tree -> the release whose source distribution it is; about 70,000 to 1,000,000 lines each."""


@dataclass(frozen=True)
class Size:
    """What a tree holds: Python files, their lines and their bytes."""

    files: int
    lines: int
    bytes: int


def size_of(tree: Path) -> Size:
    files = sorted(p for p in tree.rglob("*.py") if p.is_file())
    texts = [p.read_bytes() for p in files]
    return Size(len(files), sum(t.count(b"\n") for t in texts), sum(map(len, texts)))


def fetch(requirement: str, into: Path, *, prefer_wheel: bool = False, only_python: bool = False) -> Path:
    """Download a release from the package index and unpack it as `into/<name>-<version>`; a tree that is there is used as it is.

    `requirement` is `name` or `name==version`.  The source distribution is taken where there is one, else a wheel.  With
    `only_python` all but Python and configuration files are dropped.  Raises RuntimeError when nothing matches.
    """
    if "==" in requirement and (into / requirement.replace("==", "-")).is_dir():
        return into / requirement.replace("==", "-")
    try:
        from packaging.version import parse
        from unearth import PackageFinder
    except ImportError:
        raise SystemExit("trees are downloaded with unearth: python -m pip install unearth") from None
    name = requirement.partition("==")[0]
    found: list[tuple[Any, int, Any, Any]] = []
    for kind in ("sdist", "wheel") if prefer_wheel else ("wheel", "sdist"):
        sdist = kind == "sdist"
        finder = PackageFinder(ignore_compatibility=True, no_binary=[name] * sdist, only_binary=[name] * (not sdist))
        matches = finder.find_matches(requirement, allow_yanked="==" in requirement, allow_prereleases="==" in requirement)
        found += [(parse(str(match.version)), len(found), finder, match) for match in list(matches)[:1]]
    if not found:
        raise RuntimeError(f"the package index has no {requirement}")
    _, _, finder, match = max(found, key=lambda row: row[:2])
    home = into / f"{name}-{match.version}"
    if home.is_dir():
        return home
    unfinished = into / f".{home.name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    for folder in ("download", "tree"):
        (unfinished / folder).mkdir(parents=True)
    got = Path(finder.download_and_unpack(match.link, unfinished / "tree", unfinished / "download"))
    if got.is_file():
        with zipfile.ZipFile(got) as wheel:
            wheel.extractall(unfinished / "tree")
        got = unfinished / "tree"
    if only_python:
        for path in got.rglob("*"):
            if path.is_symlink() or path.is_file() and path.suffix not in {".py", ".pyi", ".toml", ".cfg"}:
                path.unlink()
    got.rename(home)
    shutil.rmtree(unfinished)
    return home


ORDINARY = '''"""{title}"""

import json
import logging
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)


{exception}@dataclass
class {Title}:
    name: str
    weights: list[float] = field(default_factory=list)
    options: dict[str, object] = field(default_factory=dict)

    def {verb}(self, values: list[float], scale: float = {number}) -> list[float]:
        if len(values) != len(self.weights):
            raise {error}(f"{{self.name}}: {{len(values)}} values, {{len(self.weights)}} weights")
        return [value * weight * scale for value, weight in zip(values, self.weights)]

    def describe(self) -> str:
        return json.dumps({{"name": self.name, "weights": self.weights, **self.options}}, indent={indent})


'''
EXCEPTION = '''class {Title}Error(Exception):
    """Raised when a {title} cannot be {verb}ed."""

    def __init__(self, message, number={number}):
        super().__init__(message, number)
        self.number = number


'''
FUNCTION = '''def {verb}_{noun}_{index}(items, limit={number}, *, strict=False):
    """{verb} every {noun} of `items`, at most `limit` of them."""
    result = {{}}
    for position, item in enumerate(items):
        if position >= limit:
            logger.warning("more than %d items", limit)
            break
        try:
            key, value = item["{noun}"], float(item.get("value", {number}))
        except (KeyError, ValueError) as error:
            if strict:
                raise
            logger.debug("item %d left out: %s", position, error)
            continue
        result.setdefault(key, []).append(value / ({number} + position))
    return {{key: sum(values) / len(values) for key, values in result.items() if values}}


'''
WORKER = '''"""Work on {noun}s in processes."""

import concurrent.futures
import multiprocessing
import signal

from .module_{index} import {verb}_{noun}_0


class Stopped{index}(Exception):
    def __init__(self, reason, number):
        super().__init__(f"{{reason}} ({{number}})")


def stop(signum, frame):
    raise Stopped{index}("signal", signum)


def one(item):
    signal.signal(signal.SIGTERM, stop)
    return {verb}_{noun}_0([item])


def with_pool(items):
    with multiprocessing.Pool({number}) as pool:
        return pool.map(one, items)


def with_executor(items):
    with concurrent.futures.ProcessPoolExecutor() as executor:
        return [future.result() for future in [executor.submit(one, item) for item in items]]
'''
VERBS = ("load", "scale", "merge", "check", "filter", "group")
NOUNS = ("record", "sample", "window", "matrix", "signal", "cell")
MODULES = 250
EXCEPTIONS = 40
"""One module in so many defines an exception, as in the releases above."""
FUNCTIONS = 10
WORKERS = 6


def grow(into: Path, factor: int) -> Path:
    """Write a package of `factor` times 250 ordinary modules (about 50,000 lines) and 6 that start processes; the same for every call."""
    home = into / f"synthetic-{factor}"
    if home.is_dir():
        return home
    unfinished = into / f".{home.name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    dice = random.Random(0)
    for part in range(factor):
        package = unfinished / "package" / f"part_{part}"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        for index in range(MODULES):
            verb, noun = dice.choice(VERBS), dice.choice(NOUNS)
            words: dict[str, Any] = {
                "title": noun,
                "Title": noun.title(),
                "verb": verb,
                "noun": noun,
                "number": dice.randint(2, 99),
                "indent": dice.randint(1, 4),
            }
            raises = index % EXCEPTIONS == 0
            words["exception"] = EXCEPTION.format(**words) if raises else ""
            words["error"] = f"{noun.title()}Error" if raises else "ValueError"
            functions = "".join(FUNCTION.format(index=i, **words) for i in range(FUNCTIONS))
            (package / f"module_{index}.py").write_text(ORDINARY.format(**words) + functions, encoding="utf-8")
            if index < WORKERS:
                (package / f"worker_{index}.py").write_text(WORKER.format(index=index, **words), encoding="utf-8")
    (unfinished / "package" / "__init__.py").touch()
    unfinished.rename(home)
    return home


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Download and unpack releases (name or name==version); print path, files, lines, bytes.")
    parser.add_argument("requirement", nargs="*", help=f"default: {' '.join(RELEASES.values())}")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR")
    parser.add_argument("--only-python", action="store_true", help="keep Python and configuration files only")
    parser.add_argument("--prefer-wheel", action="store_true")
    options = parser.parse_args(argv)
    options.into.mkdir(parents=True, exist_ok=True)
    failed = 0
    for requirement in options.requirement or RELEASES.values():
        try:
            home = fetch(requirement, options.into, prefer_wheel=options.prefer_wheel, only_python=options.only_python)
        except (RuntimeError, OSError) as error:
            print(f"{requirement}: {error}", file=sys.stderr)
            failed = 1
            continue
        size = size_of(home)
        print(home, size.files, size.lines, size.bytes, sep="\t", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
