"""What every report draws from besides the findings: texts, rules, where we stand, how it may look."""

from __future__ import annotations

import bisect
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from mplint.finding import Finding, Span
from mplint.report.style import PLAIN, Style
from mplint.source import UnreadableFile, lines_of

if TYPE_CHECKING:
    from mplint.rule import Rule
    from mplint.worker_map import WorkerMap


class Text:
    """A file's text with its lines: `lines` have no line ends, `starts` are the offsets of their first characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines: list[str] = []
        self.starts: list[int] = []
        offset = 0
        for line in lines_of(text):
            self.lines.append(line.rstrip("\r\n"))
            self.starts.append(offset)
            offset += len(line)
        if not text or text[-1] in "\r\n":
            self.lines.append("")
            self.starts.append(offset)

    def position(self, offset: int) -> tuple[int, int]:
        """Row and column of a character offset, both from 1, columns in characters."""
        row = bisect.bisect_right(self.starts, offset)
        return row, offset - self.starts[row - 1] + 1

    def top(self, row: int) -> int:
        """The row above the notebook's cell in which `row` stands: that of the marker between cells, 0 in the first."""
        from mplint.source.notebook import MARK

        marker = MARK.rstrip("\n")
        return next((at for at in range(min(row, len(self.lines)), 0, -1) if self.lines[at - 1] == marker), 0)

    def line(self, row: int) -> str:
        """The line in `row` (from 1), empty where there is none."""
        return self.lines[row - 1] if 0 < row <= len(self.lines) else ""


class Scene(msgspec.Struct, frozen=True):
    """`text_of` gives the text that the spans count over; `rules` maps codes to rules; paths are shown relative to `root`.

    `url` makes the address of a rule's page out of `{code}` and `{name}`, empty where there is none.  `unsafe_fixes` says
    whether the run would apply unsafe fixes.  `fixed` counts the findings that the run has just repaired.
    """

    text_of: Callable[[str], str]
    rules: Mapping[str, type[Rule]] = msgspec.field(default_factory=dict)
    root: str = msgspec.field(default_factory=os.getcwd)
    version: str = ""
    url: str = ""
    style: Style = PLAIN
    unsafe_fixes: bool = False
    fixed: int = 0
    quiet: bool = False
    """Leave out the closing words."""
    worker_map: WorkerMap | None = None
    texts: dict[str, Text] = msgspec.field(default_factory=dict)
    """Texts that were read, by path; filled as they are asked for."""

    def text(self, path: str) -> Text:
        """The text of a file; an empty one where it cannot be read."""
        found = self.texts.get(path)
        if found is None:
            try:
                found = Text(self.text_of(path))
            except (OSError, UnreadableFile, LookupError):
                found = Text("")
            self.texts[path] = found
        return found

    def row(self, finding: Finding, row: int) -> int:
        """The row that is shown for a row of the text of the finding's file: counted inside its cell in a notebook."""
        return row if finding.notebook_cell is None else row - self.text(finding.path).top(row)

    def source(self, path: str, span: Span) -> str:
        """The text that a span covers."""
        return self.text(path).text[span.start : span.stop]

    def absolute(self, path: str) -> str:
        """The absolute path, in characters that every encoding of Unicode can hold."""
        return _encodable(os.path.normpath(os.path.join(self.root, path)))

    def relative(self, path: str, root: str = "") -> str:
        """The path as it is shown: relative to `root` (by default the scene's) when below it, else absolute."""
        absolute, start = self.absolute(path), os.path.join(_encodable(root or self.root), "")
        return absolute.removeprefix(start)

    def label(self, finding: Finding) -> str:
        """The place of a finding as people and editors write it: `path:row:column`, with the cell of a notebook."""
        return f"{self.file(finding)}:{finding.row}:{finding.column}"

    def file(self, finding: Finding) -> str:
        """The shown path of a finding, with the cell of a notebook."""
        cell = "" if finding.notebook_cell is None else f":cell {finding.notebook_cell}"
        return self.relative(finding.path) + cell

    def rule_url(self, finding: Finding) -> str | None:
        """The address of the page of the finding's rule, None where there is none."""
        return self.url.format(code=finding.code, name=finding.name) if self.url else None

    def uri(self, path: str) -> str:
        """The `file:` address of a path."""
        return "file://" + quoted("/" + self.absolute(path).replace(os.sep, "/").lstrip("/"))


def quoted(path: str) -> str:
    """A path as it stands in a URI."""
    from urllib.parse import quote

    return quote(path.replace(os.sep, "/"), safe="/")


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def _encodable(path: str) -> str:
    return path if path.isascii() else path.encode("utf-8", "replace").decode("utf-8")
