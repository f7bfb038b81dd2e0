"""Unified diffs that `git apply` and `patch -p1` take."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator

_AWKWARD = re.compile(r'[\x00-\x1f"\\\x7f]')
_NAMED = {"\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def unified(path: str, old: str, new: str, *, root: str, marked: bool = False) -> str:
    """The difference between two texts of one file, "" when there is none.

    The texts keep their line ends, and so does the diff: lines are what git takes for lines, ended by `\\n` alone.  The path
    is written relative to `root`, the directory in which the diff will be applied.  `marked` says that the file begins with
    a byte order mark, which is not part of the texts.
    """
    return "".join(_lines(path, old, new, root, marked))


def unified_bytes(path: str, old: str, new: str, *, root: str, encoding: str = "utf-8") -> bytes:
    """The same in the bytes of the file: `encoding` is the codec its text was decoded with ("utf-8-sig" when it has a mark)."""
    marked = encoding == "utf-8-sig"
    header = 2
    pieces = []
    for number, line in enumerate(_lines(path, old, new, root, marked)):
        pieces.append(os.fsencode(line) if number < header else line.encode("utf-8" if marked else encoding))
    return b"".join(pieces)


def _lines(path: str, old: str, new: str, root: str, marked: bool) -> Iterator[str]:
    if old == new:
        return
    mark = "\ufeff" if marked else ""
    before, after = _split(mark + old), _split(mark + new)
    name = os.path.relpath(os.path.join(root, path), root).replace(os.sep, "/")
    yield _header("---", "a/" + name)
    yield _header("+++", "b/" + name)
    for group in difflib.SequenceMatcher(None, before, after).get_grouped_opcodes(3):
        yield f"@@ -{_range(group[0][1], group[-1][2])} +{_range(group[0][3], group[-1][4])} @@\n"
        for tag, start, stop, new_start, new_stop in group:
            if tag == "equal":
                yield from _signed(" ", before[start:stop])
                continue
            yield from _signed("-", before[start:stop])
            yield from _signed("+", after[new_start:new_stop])


def _header(sign: str, name: str) -> str:
    if _AWKWARD.search(name):
        return f'{sign} "{_AWKWARD.sub(_escaped, name)}"\n'
    return f"{sign} {name}{chr(9) if ' ' in name else ''}\n"


def _escaped(match: re.Match[str]) -> str:
    return _NAMED.get(match[0]) or f"\\{ord(match[0]):03o}"


def _signed(sign: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield sign + line if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"


def _range(start: int, stop: int) -> str:
    length = stop - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"


def _split(text: str) -> list[str]:
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
