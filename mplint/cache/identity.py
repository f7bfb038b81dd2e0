"""What answers: the code of mplint and of the rule packs, the Python that runs it, and where packs could come from."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import sys
from collections.abc import Collection, Iterator

import mplint

_METADATA = (".dist-info", ".egg-info")


@functools.lru_cache(maxsize=1)
def identity() -> bytes:
    """Digest of all that decides what mplint says about given files, except the modules of foreign rule packs."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (mplint.__version__, sys.version, sys.platform, sys.prefix):
        digest.update(part.encode("utf-8", "replace") + b"\0")
    here = os.path.dirname(os.path.abspath(mplint.__file__))
    spec = importlib.util.find_spec("mplint.rules")
    rules = spec.submodule_search_locations if spec is not None else None
    for top in (here, *(rules or [os.path.join(os.path.dirname(here), "rules")])):
        for path in _modules(top):
            _add(digest, path)
    for folder in sys.path:
        for path in _metadata(folder):
            if _is_of_libcst(path) or _names_a_pack(path):
                _add(digest, path)
    return digest.digest()


def _is_of_libcst(path: str) -> bool:
    return os.path.basename(os.path.dirname(path)).startswith("libcst-")


def _names_a_pack(path: str) -> bool:
    try:
        with open(path, "rb", buffering=0) as file:
            return b"mplint.rules" in file.readall()
    except OSError:
        return False


def _add(digest: hashlib.blake2b, path: str) -> None:
    digest.update(os.fsencode(path) + b"\0")
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.readall()
    except OSError:
        return
    digest.update(b"%d\0" % len(data))
    digest.update(data)


def _modules(top: str) -> Iterator[str]:
    """The modules of a package, those of its subpackages too."""
    try:
        with os.scandir(top) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.endswith(".py"):
            yield entry.path
        elif "." not in entry.name and not entry.name.startswith("__") and entry.is_dir():
            yield from _modules(entry.path)


def _metadata(folder: str) -> Iterator[str]:
    """The files in which the distributions in a folder of the import path name their entry points."""
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return
    for name in sorted(names):
        if name.endswith(_METADATA):
            yield os.path.join(folder, name, "entry_points.txt")


def files_of_packs(modules: Collection[str]) -> list[str]:
    """The files of the packages that rules of other packs were loaded from; `modules` are the names of the rules' modules."""
    tops = {name.partition(".")[0] for name in modules} - {"mplint"}
    found = {getattr(module, "__file__", None) for name, module in sys.modules.items() if name.partition(".")[0] in tops}
    return sorted(path for path in found if path)
