"""Finding and reading configuration files: which one counts, what it says, and what is wrong with it in words that help."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mplint.config.options import KEYS, Options
from mplint.config.settings import ConfigError

A_VERSION = 'expected a Python version such as "3.12" or "py312"'

_OWN = (".mplint.toml", "mplint.toml")
_MARKERS = (*_OWN, "pyproject.toml", "setup.py", "setup.cfg", ".git")


def nearest(word: str, words: Iterable[str]) -> str:
    """` (did you mean "...")?` for the most similar word, or nothing."""
    found = difflib.get_close_matches(word, list(words), 1, 0.6)
    return f' (did you mean "{found[0]}"?)' if found else ""


def ancestors(directory: str) -> Iterable[str]:
    """`directory` and every directory above it."""
    while True:
        yield directory
        above = os.path.dirname(directory)
        if above == directory:
            return
        directory = above


def config_in(directory: str) -> str | None:
    """The file in `directory` that configures mplint: `.mplint.toml`, `mplint.toml`, or a pyproject.toml with a `[tool.mplint]` table."""
    for name in _OWN:
        path = os.path.join(directory, name)
        if os.path.isfile(path):
            return path
    path = os.path.join(directory, "pyproject.toml")
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return None
    return path if re.search(rb"(?m)^\s*\[{1,2}\s*tool\s*\.\s*[\"']?mplint\b|^\s*tool\s*\.\s*mplint\b|^\s*\[\s*tool\s*\]", data) and _has_table(path) else None


def _has_table(path: str) -> bool:
    tool = read_toml(path).get("tool", {})
    return isinstance(tool, dict) and "mplint" in tool


def find_project(directory: str) -> tuple[str | None, str | None]:
    """The root of the project that `directory` is in, and its configuration file; None where there is none.

    The root is the nearest directory, not above the repository, that configures mplint; else the nearest one that a project is known by.
    """
    marked: str | None = None
    for place in ancestors(directory):
        found = config_in(place)
        if found is not None:
            return place, found
        if marked is None and any(os.path.exists(os.path.join(place, name)) for name in _MARKERS):
            marked = place
        if os.path.exists(os.path.join(place, ".git")):
            break
    return marked, None


def read_toml(path: str) -> dict[str, Any]:
    """The content of a TOML file.  Raises ConfigError."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    return parse_toml(text, path)


def parse_toml(text: str, origin: str) -> dict[str, Any]:
    """The content of a TOML text.  Raises ConfigError, naming `origin`."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{origin}: not valid TOML: {error}") from None
    return content


def read_options(path: str) -> Options:
    """The options in a configuration file; in a pyproject.toml those of its `[tool.mplint]`.  Raises ConfigError."""
    table: object = read_toml(path)
    if os.path.basename(path) == "pyproject.toml":
        for name in ("tool", "mplint"):
            table = table.get(name, {}) if isinstance(table, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: `tool.mplint` must be a table")
    return parse_options(table, path)


def parse_options(table: Mapping[str, object], origin: str) -> Options:
    """The options that `table` spells, checked for names and types.  Raises ConfigError, naming the key and `origin`."""
    for key in table:
        if key not in KEYS:
            raise ConfigError(f"{origin}: unknown key `{key}`{nearest(key.replace('_', '-'), KEYS)}")
    try:
        return msgspec.convert(dict(table), Options)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `")
        key = place.rstrip("`").removeprefix("$.").removeprefix("$") or "?"
        raise ConfigError(f"{origin}: `{key}`: {_reason(reason, key, table)}") from None


def _reason(reason: str, key: str, table: Mapping[str, object]) -> str:
    value = table.get(re.split(r"[.\[]", key)[0])
    if key == "output-format" and isinstance(value, str):
        from mplint.config.options import FORMATS

        return f'no format is called "{value}"{nearest(value, FORMATS)}; there are {", ".join(FORMATS)}'
    if key == "target-version":
        return A_VERSION
    return in_words(reason)


def in_words(reason: str) -> str:
    """What msgspec says is wrong with a value, without the names of its types."""
    plain = reason[:1].lower() + reason[1:].replace("`str`", "a string").replace("`bool`", "true or false").replace("`array`", "a list")
    return plain.replace("`object`", "a table").replace("`int`", "a whole number").replace("`int | float | str`", "a number or a string")


def minimum_python(specifiers: str) -> tuple[int, int] | None:
    """The oldest Python 3 that a `requires-python` admits; None when it sets no lower bound that can be read."""
    lowest: tuple[int, int] | None = None
    for clause in specifiers.split(","):
        found = re.match(r"\s*(>=|>|~=|===?)\s*v?3(?:\.(\d+))?", clause)
        if found:
            bound = (3, int(found[2] or 0))
            if found[1] == ">" and re.fullmatch(r"\s*>\s*v?3\.\d+\s*", clause) is not None:
                bound = (3, bound[1] + 1)
            lowest = bound if lowest is None else max(lowest, bound)
    return lowest


def requires_python(root: str) -> tuple[tuple[int, int], str] | None:
    """The oldest Python that the project in `root` declares, and where it does."""
    path = os.path.join(root, "pyproject.toml")
    if os.path.isfile(path):
        project = read_toml(path).get("project", {})
        text = project.get("requires-python") if isinstance(project, dict) else None
        found = minimum_python(text) if isinstance(text, str) else None
        if found is not None:
            return found, f"`requires-python` in {path}"
    path = os.path.join(root, "setup.cfg")
    if os.path.isfile(path):
        import configparser

        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read(path, encoding="utf-8")
            found = minimum_python(parser.get("options", "python_requires", fallback=""))
        except (configparser.Error, UnicodeDecodeError):
            return None
        if found is not None:
            return found, f"`python_requires` in {path}"
    return None
