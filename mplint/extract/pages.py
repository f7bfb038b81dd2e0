"""A page of source, parsed by LibCST."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
from collections.abc import Iterator

import libcst as cst

from mplint.facts.outline import Page
from mplint.source import Lines

UNFIT = (cst.CSTLogicError, cst.CSTValidationError, ValueError, TypeError)
"""What LibCST raises, besides ParserSyntaxError, for source that it cannot represent."""

_PLACE = re.compile(r"parser error: error at (\d+):(\d+):")

_FEED = re.compile(r"^[ \t\f]*\f", re.MULTILINE)

_LONG = 16_000
"""Characters; a shorter page that CPython parses does not nest deeply enough to matter."""

_STACK = 256 << 20
"""Bytes; they are reserved, not used."""

_DEPTH = 12_000
"""Recursion limit while a tree is walked."""


class Unreadable(Exception):
    """A page that LibCST cannot parse; `line` and `column` (from 1) are those of the file, 0 when unknown."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message, line, column)
        self.message, self.line, self.column = message, line, column

    def __str__(self) -> str:
        return self.message


def page_source(lines: Lines, page: Page) -> tuple[str, int]:
    """The text of a page as a module of its own, and the number of lines put before it.

    An indented page stands behind `if 1:`, so that nothing in it is dedented and columns stay as they are.
    """
    text = lines.between(page.first, page.last)
    if page.kind == "class":
        text += ("" if text.endswith(("\n", "\r")) else "\n") + _margin(text) + " pass\n"
    return (f"if 1:\n{text}", 1) if page.indent else (text, 0)


def _margin(text: str) -> str:
    head = text.lstrip("\r\n")
    return head[: len(head) - len(head.lstrip(" \t"))]


def parse_page(lines: Lines, page: Page) -> tuple[cst.Module, int]:
    """Parse a page.  Raises Unreadable with the position in the file."""
    source, before = page_source(lines, page)
    offset = page.first - 1 - before
    if "\f" in source:  # resets the indentation for CPython, confuses LibCST
        source = _FEED.sub("", source)
    try:
        with _trusted:
            return _parsed(source), before
    except cst.ParserSyntaxError as error:
        if found := _PLACE.match(error.message):  # behind the token that does not fit
            raise Unreadable("invalid syntax", min(int(found[1]) + offset, page.last), max(int(found[2]) - 1, 1)) from None
        raise Unreadable(error.message.removeprefix("tokenizer error: "), error.raw_line + offset, error.raw_column + 1) from None
    except UNFIT as error:
        raise Unreadable(f"LibCST cannot read this ({type(error).__name__})", page.first, 1) from None
    except (RecursionError, MemoryError):
        raise Unreadable("nested too deeply to be read", page.first, 1) from None


class _Trusted:
    """While it is entered, nodes are not checked as if somebody had put them together by hand: a sixth of the time of parsing."""

    def __init__(self) -> None:
        self._check = cst.CSTNode.__post_init__
        self._lock = threading.Lock()
        self._depth = 0

    def __enter__(self) -> None:
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                cst.CSTNode.__post_init__ = _nothing  # type: ignore[assignment, method-assign]

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._depth -= 1
            if not self._depth:
                cst.CSTNode.__post_init__ = self._check  # type: ignore[method-assign]


def _nothing(node: cst.CSTNode) -> None:
    """The parser makes no node that has to be refused."""


_trusted = _Trusted()


def _parsed(source: str) -> cst.Module:
    """LibCST's own parser recurses on the machine's stack: what may nest deeply gets a large one."""
    if len(source) < _LONG:
        return cst.parse_module(source)
    outcome: list[cst.Module | BaseException] = []

    def parse() -> None:
        try:
            outcome.append(cst.parse_module(source))
        except BaseException as error:
            outcome.append(error)

    before = threading.stack_size(_STACK)
    try:
        thread = threading.Thread(target=parse, daemon=True)
        thread.start()
    except RuntimeError:  # no room for such a stack
        return cst.parse_module(source)
    finally:
        threading.stack_size(before)
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


@contextlib.contextmanager
def deep() -> Iterator[None]:
    """Lets a chain of some thousand calls or terms be walked, as CPython reads it."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
