"""MP000: the files that cannot be read, decoded or parsed, as findings."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from mplint.facts.outline import nests_too_deeply
from mplint.finding import Finding, Span
from mplint.source import Source, Sources, UnreadableFile

if TYPE_CHECKING:
    from mplint.project import Project

SYNTAX_BUDGET = 256 * 1024
"""Bytes of files without any hazard that are parsed only to say whether they can be; larger trees are not parsed for that."""

Error = tuple[str, int, int]
"""Message, row and column."""


def unreadable(project: Project, paths: Collection[str], *, idle: Collection[str]) -> Iterator[Finding]:
    """A finding for each of `paths` that could not be read; `idle` are those that the project had no reason to look into."""
    sources = project.sources
    parses = worth_parsing(sources, idle)
    for path in paths:
        error = project.errors.get(path)
        if error is not None:
            error = _error(sources, path, True) or error  # this Python tells the place better than LibCST
        elif path in idle:
            error = _error(sources, path, parses)
        if error is not None:
            message, row, column = error
            span = _span(sources, path, row, column)
            yield Finding("MP000", "unreadable-file", path, span, row, column, row, column, message, noqa_row=row, severity="error")


def worth_parsing(sources: Sources, paths: Iterable[str]) -> bool:
    """Whether idle files are few enough to be parsed only to say whether they can be."""
    return sum(len(sources.peek(path)) for path in paths) <= SYNTAX_BUDGET


def _error(sources: Sources, path: str, parses: bool) -> Error | None:
    data = sources.peek(path)
    if not parses and path not in sources.failed and data.isascii():
        return None
    try:
        source = sources.glance(path)
    except UnreadableFile as error:
        return str(error), error.row, error.column
    return syntax_error(source) if parses else None


def _span(sources: Sources, path: str, row: int, column: int) -> Span:
    try:
        source = sources.read(path)
    except UnreadableFile:
        return Span(0, 0)
    at = min(source.starts[min(row, len(source.starts)) - 1] + column - 1, len(source.text)) if source.starts else 0
    return Span(at, at)


def syntax_error(source: Source) -> Error | None:
    """What is wrong with a text that neither this Python nor LibCST can parse."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(source.text)
            return None
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = getattr(error, "msg", None) or str(error) or type(error).__name__
            found = (reason, getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1)
            if nests_too_deeply(error):
                return ("nested too deeply to be read", *found[1:])
    from mplint.extract import Unreadable, parse_page
    from mplint.facts.outline import Page

    try:
        parse_page(source.lines, Page(1, max(len(source.lines), 1), "module"))
    except (Unreadable, RecursionError):
        return found
    return None
