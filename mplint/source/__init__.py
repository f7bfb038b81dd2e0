"""The text of files: bytes as they are on disk (or in an editor's buffer), decoded as CPython decodes them, nothing normalised."""

from __future__ import annotations

import functools
import hashlib
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import overload

import msgspec

from mplint.source.look import Look

_FEW = 250
"""Files in which a word is looked for one by one, whatever their share of all: what was seen is kept by file, of all files in one bit each."""

_BOM = b"\xef\xbb\xbf"
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_BLANK = re.compile(rb"^[ \t\f]*(?:[#\r\n]|$)")
_OTHER_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


class UnreadableFile(Exception):
    """A file that cannot be turned into text; `row` and `column` count from 1."""

    def __init__(self, path: str, reason: str, row: int = 1, column: int = 1) -> None:
        super().__init__(path, reason, row, column)
        self.path, self.reason, self.row, self.column = path, reason, row, column

    def __str__(self) -> str:
        return self.reason


class Lines(Sequence[str]):
    """The lines of a text as `lines_of` splits it, cut out when they are asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._ends = array("Q", accumulate(map(len, lines_of(text)), initial=0))

    @functools.cached_property
    def starts(self) -> Sequence[int]:
        """Character offset of the first character of each line."""
        return self._ends[:-1]

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        where = range(len(self))[index]
        if isinstance(where, int):
            return self.between(where + 1, where + 1)
        return [self.between(number + 1, number + 1) for number in where]

    def __iter__(self) -> Iterator[str]:
        return (self.text[start:stop] for start, stop in pairwise(self._ends))

    def between(self, first: int, last: int) -> str:
        """The text of the lines `first` to `last` (from 1, inclusive)."""
        return self.text[self._ends[first - 1] : self._ends[min(last, len(self))]]


class Source(msgspec.Struct, frozen=True, dict=True):
    """One file: its bytes and the text they stand for.

    `text` holds the line ends of the file and no byte order mark; `encoding` is a codec name that turns it back into `data`
    ("utf-8-sig" when there was a mark).
    """

    path: str
    data: bytes
    text: str
    encoding: str = "utf-8"
    cells: tuple[tuple[int, int], ...] = ()
    """For a notebook, the number of each code cell and the row of `text` at which it begins."""

    @functools.cached_property
    def lines(self) -> Lines:
        """The text split after each `\\n`, `\\r` or `\\r\\n`, ends kept: the lines that CPython and LibCST count."""
        return Lines(self.text)

    @property
    def starts(self) -> Sequence[int]:
        """Character offset of the first character of each line."""
        return self.lines.starts

    def between(self, first: int, last: int) -> str:
        """The text of the lines `first` to `last` (from 1, inclusive)."""
        return self.lines.between(first, last)

    @functools.cached_property
    def newline(self) -> str:
        """The line end of the first line, `\\n` when there is none."""
        line = self.lines[0] if self.lines else ""
        return line[len(line.rstrip("\r\n")) :] or "\n"

    @functools.cached_property
    def digest(self) -> bytes:
        """Names the content: 16 bytes that differ when the bytes do."""
        return digest_of(self.data)

    def encode(self, text: str) -> bytes:
        """The bytes of this file with `text` in place of its own.  Raises ValueError (UnicodeEncodeError) when they cannot hold it."""
        if self.cells:
            from mplint.source.notebook import rebuilt

            return rebuilt(self, text)
        return text.encode(self.encoding)


def digest_of(data: bytes) -> bytes:
    """16 bytes that name the content."""
    return hashlib.blake2b(data, digest_size=16).digest()


def lines_of(text: str) -> list[str]:
    """`text` split after each line end that Python knows, ends kept (`str.splitlines` splits at form feeds and others too)."""
    if any(end in text for end in _OTHER_ENDS):
        return _LINE.findall(text)
    return text.splitlines(keepends=True)


def decode(path: str, data: bytes) -> Source:
    """The source in `data`, by its byte order mark or its PEP 263 comment, else UTF-8; a notebook by its cells.  Raises UnreadableFile."""
    if path.endswith(".ipynb"):
        from mplint.source.notebook import decode_notebook

        return decode_notebook(path, data)
    encoding = encoding_of(path, data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        row = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode(encoding, "replace")) + 1
        reason = f"not {encoding.removesuffix('-sig')}: byte 0x{data[error.start]:02x} cannot be decoded"
        raise UnreadableFile(path, reason, row, column) from None
    except (LookupError, UnicodeError):
        raise UnreadableFile(path, f"unknown encoding: {encoding}") from None
    return Source(path, data, text, encoding)


def encoding_of(path: str, data: bytes) -> str:
    """The codec for the content of a Python file.  Raises UnreadableFile when the file contradicts itself."""
    marked = data.startswith(_BOM)
    head = data[3:1024] if marked else data[:1024]
    if b"coding" in head:
        for row, line in enumerate(re.split(rb"\r\n|\n|\r", head, maxsplit=2)[:2], 1):
            if found := _COOKIE.match(line):
                name = found[1].decode("ascii").lower().replace("_", "-")
                if name == "utf-8" or name.startswith("utf-8-") or name == "utf8":
                    break
                if marked:
                    raise UnreadableFile(path, f"encoding {name} declared in a file that starts with a UTF-8 mark", row)
                return "latin-1" if name in {"latin-1", "iso-8859-1", "iso-latin-1"} else name
            if not _BLANK.match(line):
                break
    return "utf-8-sig" if marked else "utf-8"


class Sources:
    """The files of a project: which there are, and their content read at most once.

    `files` are the absolute, sorted paths of all modules under `root`, `specs` those of the .spec files; `overlays` are contents that stand for
    files that were not saved (an editor's buffer, standard input).  A path that is in neither can be read all the same.
    """

    def __init__(self, root: str, files: Sequence[str], overlays: Mapping[str, bytes] | None = None) -> None:
        self.root = root
        self.files: tuple[str, ...] = tuple(path for path in files if not path.endswith(".spec"))
        self.specs: tuple[str, ...] = tuple(path for path in files if path.endswith(".spec"))
        self.overlays: Mapping[str, bytes] = dict(overlays or {})
        self.failed: dict[str, str] = {}
        """Files that could not be read, and why."""
        self._data: dict[str, bytes] = dict(self.overlays)
        self._sources: dict[str, Source] = {}
        self._digests: dict[str, bytes] = {}
        self.asked: dict[bytes, tuple[str, ...]] = {}
        """The words that were looked for everywhere, and the files that hold them."""
        self.asked_of: dict[bytes, dict[str, bool]] = {}
        """The words that were looked for in some files, and which of those hold them."""
        self.looks: dict[str, Look] = {}
        """The files that were read as modules, or skimmed, and what of their text was looked at."""
        self.sought: set[str] = set()
        """The names that were looked for in the code of all pages of some files (see `Look.named`)."""
        self.raw: set[str] = set()
        """Files whose bytes were asked for as they are."""

    def data(self, path: str) -> bytes:
        """The bytes of a file, nothing when it cannot be read (`read` tells why); every one of them counts from now on (see `raw`)."""
        self.raw.add(path)
        return self.peek(path)

    def skim(self, path: str, name: str) -> bytes:
        """The bytes of a file, to see whether it is worth to be read as a module: of no consequence but for the lines of its pages that have `name`."""
        self.look(path).near.add(name)
        return self.peek(path)

    def look(self, path: str) -> Look:
        """What was looked at of the text of a file so far; to be added to."""
        return self.looks.setdefault(path, Look())

    def holding(self, word: bytes, among: Sequence[str] | None = None) -> tuple[str, ...]:
        """The files (of those `among`, when given) that hold `word`."""
        if among is not None and len(among) > len(self.files) // 4 > _FEW:
            held = frozenset(self.holding(word))
            return tuple(path for path in among if path in held)
        if among is not None:
            seen = self.asked_of.setdefault(word, {})
            for path in among:
                if path not in seen:
                    seen[path] = word in self.peek(path)
            return tuple(path for path in among if seen[path])
        if word not in self.asked:
            self.asked[word] = tuple(path for path in self.files if word in self.peek(path))
        return self.asked[word]

    def peek(self, path: str) -> bytes:
        """The bytes of a file, for what is known to depend on something smaller than all of them."""
        data = self._data.get(path)
        if data is None:
            try:
                with open(path, "rb", buffering=0) as file:
                    data = file.readall()
            except OSError as error:
                data = b""
                self.failed[path] = f"cannot be read: {error.strerror or error}"
            self._data[path] = data
        return data

    def digest(self, path: str) -> bytes:
        """The digest of a file's bytes; the file is read only when nobody has told it."""
        return self._digests.get(path) or digest_of(self.peek(path))

    def tell(self, digests: Mapping[str, bytes], data: Mapping[str, bytes]) -> None:
        """Digests, and the bytes of some files, that are known already."""
        self._digests.update(digests)
        self._data = {**data, **self._data}

    @property
    def outside(self) -> dict[str, bytes]:
        """The files outside of the project that were read so far, with their bytes."""
        files = frozenset((*self.files, *self.specs))
        return {path: data for path, data in self._data.items() if path not in files and path not in self.overlays and path not in self.failed}

    @property
    def missing(self) -> tuple[str, ...]:
        """The files outside of the project that were asked for and cannot be read."""
        files = frozenset((*self.files, *self.specs))
        return tuple(path for path in self.failed if path not in files)

    def read(self, path: str) -> Source:
        """The decoded text of a file, kept.  Raises UnreadableFile."""
        source = self._sources[path] = self.glance(path)
        return source

    def glance(self, path: str) -> Source:
        """The decoded text of a file that may never be asked for again.  Raises UnreadableFile."""
        source = self._sources.get(path)
        if source is not None:
            return source
        data = self.peek(path)
        if path in self.failed:
            raise UnreadableFile(path, self.failed[path])
        return decode(path, data)

    def changed(self, overlays: Mapping[str, bytes]) -> Sources:
        """The same files with other contents in place of some of them; what was read already is not read again."""
        other = Sources(self.root, (*self.files, *self.specs), {**self.overlays, **overlays})
        other.failed.update(self.failed)
        other._data = {**self._data, **overlays}
        other._digests = {path: digest for path, digest in self._digests.items() if path not in overlays}
        other._sources = {path: source for path, source in self._sources.items() if path not in overlays}
        return other
