"""Findings by everything that they were found in: the files of the project, the settings, and what answers.

The key names all of that by content, so an entry is never out of date.  The files that were checked are no part of it: what is found in a
file does not depend on which other files are asked about, so a run on a part of them is answered by a run on all.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Collection, Mapping, Sequence

import msgspec

from mplint.cache.folder import Folder
from mplint.cache.identity import identity
from mplint.cache.stamps import Stamps
from mplint.config.settings import Settings
from mplint.finding import Finding
from mplint.finding.result import Result
from mplint.source import Sources, UnreadableFile, digest_of

_SAID_LATER = ("output_format", "fix", "unsafe_fixes", "show_fixes", "cache_dir")
"""Settings that change what is done with findings, not what is found."""


class Entry(msgspec.Struct, frozen=True):
    """What a run answered.

    `idle` tells whether the files without any hazard were parsed for syntax errors; if not, `looked` names the others.  `remarks` are
    warnings about the settings.  `outside` are digests of files outside the project that were read.
    """

    result: Result
    remarks: tuple[str, ...] = ()
    parsed: bool = True
    looked: tuple[str, ...] = ()
    outside: tuple[tuple[str, bytes], ...] = ()


DECODER = msgspec.msgpack.Decoder(Entry)


def key_of(settings: Settings, stamps: Stamps, given: Sequence[str]) -> str:
    """The name of the entry for these inputs; only what a baseline says depends on the files `given` themselves."""
    digest = hashlib.blake2b(digest_size=16)
    plain = msgspec.structs.asdict(settings)
    for name in _SAID_LATER:
        del plain[name]
    plain["origins"] = {key: origin for key, origin in sorted(settings.origins.items()) if key.replace("-", "_") not in _SAID_LATER}
    digest.update(identity())
    digest.update(msgspec.msgpack.encode((plain, content_of(settings.baseline), _libraries(settings.python), given if settings.baseline is not None else ())))
    for path in sorted(stamps):
        digest.update(os.fsencode(path) + b"\0")
        digest.update(stamps[path].digest)
    return digest.hexdigest()


def _libraries(python: str | None) -> list[str]:
    """What is installed in the environment whose sources are read."""
    if python is None:
        return []
    from mplint.environment import site_packages

    found: list[str] = []
    for folder in site_packages(python):
        found.append(folder)
        with contextlib.suppress(OSError):
            found += sorted(name for name in os.listdir(folder) if name.endswith((".dist-info", ".egg-info")))
    return found


def content_of(path: str | None) -> bytes:
    """The digest of a file, b"" without one."""
    if path is None:
        return b""
    try:
        with open(path, "rb", buffering=0) as file:
            return digest_of(file.readall())
    except OSError:
        return b"none"


def recall(folder: Folder, key: str, given: Sequence[str], *, overlays: Mapping[str, bytes], project: Collection[str]) -> Entry | None:
    """What an earlier run found in the files `given`; None when that is not known for all of them."""
    entry = folder.read("findings", key, DECODER)
    if entry is None or not _is_sound(entry, project) or any(content_of(path) != digest for path, digest in entry.outside):
        return None
    result = entry.result
    if result.checked == tuple(given):
        return entry
    if not set(given).issubset(result.checked):
        return None
    if not entry.parsed and not _all_parse(sorted(set(given).difference(entry.looked)), overlays):
        return None
    return msgspec.structs.replace(entry, result=_part(result, frozenset(given), tuple(given)))


def _is_sound(entry: Entry, project: Collection[str]) -> bool:
    """Whether an entry speaks of files of this project alone: it may come from anybody."""
    result = entry.result
    checked = frozenset(result.checked)
    known = frozenset(project).union(path for path, _ in entry.outside)
    findings = (*result.findings, *result.hidden, *result.accepted, *(finding for finding, _ in result.withheld))
    return (
        not result.crashes
        and checked <= known
        and all(f.path in checked and (f.fix is None or f.fix.path in {"", f.path}) and all(place.path in known for place in f.because) for f in findings)
    )


def _part(result: Result, given: frozenset[str], checked: tuple[str, ...]) -> Result:
    def mine(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        return tuple(finding for finding in findings if finding.path in given)

    withheld = tuple(pair for pair in result.withheld if pair[0].path in given)
    return Result(mine(result.findings), mine(result.hidden), (), withheld, (), checked, 0)


def _all_parse(paths: Sequence[str], overlays: Mapping[str, bytes]) -> bool:
    """Whether files that the whole run had no time to parse are fine; a run on few files would have parsed them."""
    from mplint.finding.unreadable import syntax_error, worth_parsing

    sources = Sources("", paths, overlays)
    if not worth_parsing(sources, paths):
        return True
    try:
        return all(syntax_error(sources.read(path)) is None for path in paths)
    except UnreadableFile:
        return False


def keep(folder: Folder, key: str, entry: Entry) -> None:
    """Remember what was found, together with what is known already about other files of exactly the same project."""
    old = folder.read("findings", key, DECODER)
    new = entry.result
    if old is not None and new.checked != old.result.checked:
        if old.parsed != entry.parsed:
            if len(old.result.checked) > len(new.checked):
                return
        else:
            entry = _joined(old, entry)
    folder.write("findings", key, entry)


def _joined(old: Entry, new: Entry) -> Entry:
    """Both entries as one; about files of which both speak the new one is believed."""
    rest = _part(old.result, frozenset(old.result.checked).difference(new.result.checked), ())
    result = Result(
        tuple(sorted((*new.result.findings, *rest.findings), key=lambda f: (f.path, f.row, f.column, f.code, f.message))),
        (*new.result.hidden, *rest.hidden),
        (),
        (*new.result.withheld, *rest.withheld),
        (),
        tuple(sorted({*new.result.checked, *old.result.checked})),
    )
    outside = tuple(sorted({**dict(old.outside), **dict(new.outside)}.items()))
    return msgspec.structs.replace(new, result=result, looked=tuple(sorted({*new.looked, *old.looked})), outside=outside)
