"""Findings that are accepted for now, counted by file, rule and enclosing definition: moved lines change nothing.

When a definition holds more findings of a rule than were accepted, all of them are reported: which one is new cannot be known.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Sequence

import msgspec

from mplint.config.files import nearest
from mplint.config.settings import ConfigError
from mplint.finding import Finding

VERSION = 1
_NEVER = frozenset({"MP000", "MP001"})
"""Codes that a baseline never holds: a file that cannot be read, and comments that can simply be removed."""

Key = tuple[str, str, str]
"""Path relative to the directory of the baseline (with `/`), code, dotted name of the definition ("" at module level)."""


class Baseline(msgspec.Struct, frozen=True):
    """The accepted findings in the file `path`."""

    path: str
    counts: dict[Key, int]


class Split(msgspec.Struct, frozen=True):
    """`new` are reported, `accepted` are not; `gone` are accepted findings of checked files that are no longer found."""

    new: tuple[Finding, ...]
    accepted: tuple[Finding, ...]
    gone: int


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    findings: dict[str, dict[str, dict[str, int]]]


def read(path: str) -> Baseline:
    """The baseline in a file.  Raises ConfigError when it is missing, damaged or newer than this version understands."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise ConfigError(f"baseline {path} does not exist{_similar(path)}; write it with --write-baseline") from None
    except OSError as error:
        raise ConfigError(f"baseline {path} cannot be read: {error.strerror or error}") from None
    try:
        content = msgspec.json.decode(data, type=_File)
    except msgspec.DecodeError as error:
        raise ConfigError(f"baseline {path} is damaged: {error}") from None
    if content.version != VERSION:
        raise ConfigError(f"baseline {path} has version {content.version}, this mplint writes and reads {VERSION}")
    counts = {(file, code, scope): count for file, codes in content.findings.items() for code, scopes in codes.items() for scope, count in scopes.items()}
    return Baseline(path, counts)


def split(baseline: Baseline, findings: Sequence[Finding], *, checked: Collection[str], running: Collection[str]) -> Split:
    """Take the accepted findings out.  `checked` are the absolute paths that were checked, `running` the codes that were."""
    found = Counter(key_of(finding, baseline.path) for finding in findings if finding.code not in _NEVER)
    new: list[Finding] = []
    accepted: list[Finding] = []
    for finding in findings:
        key = key_of(finding, baseline.path)
        covered = finding.code not in _NEVER and found[key] <= baseline.counts.get(key, 0)
        (accepted if covered else new).append(finding)
    files = {_relative(path, baseline.path) for path in checked}
    gone = sum(max(0, count - found[key]) for key, count in baseline.counts.items() if key[1] in running and (key[0] in files or not _exists(key, baseline)))
    return Split(tuple(new), tuple(accepted), gone)


def written(path: str, findings: Sequence[Finding], *, checked: Collection[str], running: Collection[str], old: Baseline | None = None) -> bytes:
    """The content of a baseline that accepts `findings`; what `old` accepts in files and for rules that were not checked stays."""
    counts = Counter(key_of(finding, path) for finding in findings if finding.code not in _NEVER)
    if old is not None:
        files = {_relative(place, path) for place in checked}
        for key, count in old.counts.items():
            if (key[0] not in files or key[1] not in running) and _exists(key, old):
                counts[key] = count
    table: dict[str, dict[str, dict[str, int]]] = {}
    for (file, code, scope), count in sorted(counts.items()):
        table.setdefault(file, {}).setdefault(code, {})[scope] = count
    return msgspec.json.format(msgspec.json.encode(_File(VERSION, table)), indent=2) + b"\n"


def key_of(finding: Finding, path: str) -> Key:
    """What a finding is counted by in the baseline at `path`."""
    return _relative(finding.path, path), finding.code, finding.scope


def _relative(path: str, baseline: str) -> str:
    return os.path.relpath(path, os.path.dirname(baseline)).replace(os.sep, "/")


def _exists(key: Key, baseline: Baseline) -> bool:
    return os.path.exists(os.path.join(os.path.dirname(baseline.path), key[0]))


def _similar(path: str) -> str:
    try:
        return nearest(os.path.basename(path), os.listdir(os.path.dirname(path) or "."))
    except OSError:
        return ""
