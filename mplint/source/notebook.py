"""Notebooks: the code cells of an .ipynb as one module, and back.

Cells are joined by a marker line, so that an edited text can be taken apart again.  Lines that are no Python (magics, shell
commands, help) become comments of the same length behind a `0`; each keeps its place.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

import msgspec

from mplint.finding import Finding, Place
from mplint.source import Source, Sources, UnreadableFile, lines_of

MARK = "# %% mplint: next cell\n"
_MAGIC = re.compile(r"^(?P<before>[ \t]*(?:[\w.\[\], \t]+=[ \t]*)?)(?P<magic>[%!?].*|[\w.]+\?{1,2}[ \t]*$)")
_PYTHON_MAGICS = frozenset({"time", "timeit", "capture", "prun", "mprun", "memit", "python", "python3", "debug"})


class Cell(msgspec.Struct, frozen=True):
    """A code cell: its number (from 1, text cells count), and the row of the module at which it begins."""

    number: int
    row: int


def decode_notebook(path: str, data: bytes) -> Source:
    """The code of a notebook as a source.  Raises UnreadableFile when it is no notebook."""
    texts: list[str] = []
    cells: list[Cell] = []
    row = 1
    for number, code in _code_cells(_content(path, data)):
        text, _ = neutral("".join(code))
        if not text.endswith("\n"):
            text += "\n"
        cells.append(Cell(number, row))
        texts.append(text)
        row += len(lines_of(text)) + 1
    return Source(path, data, MARK.join(texts), "utf-8", tuple((cell.number, cell.row) for cell in cells))


def rebuilt(source: Source, text: str) -> bytes:
    """The bytes of the notebook with its code as in `text`; cells that did not change are left alone.  Raises ValueError when cells were lost."""
    content = _content(source.path, source.data)
    before, after = source.text.split(MARK), text.split(MARK)
    if len(before) != len(after):
        raise ValueError("the cells of the notebook cannot be told apart any more")
    for (number, code), old, new in zip(_code_cells(content), before, after):
        if old != new:
            original = "".join(code)
            replaced = neutral(original)[1]
            lines = []
            for line in lines_of(new):
                place = next((n for n, (shown, _) in enumerate(replaced) if shown == line.rstrip("\r\n")), None)
                lines.append(line if place is None else replaced.pop(place)[1] + line[len(line.rstrip("\r\n")) :])
            written = "".join(lines)
            if not original.endswith("\n"):
                written = written.removesuffix("\n")
            content["cells"][number - 1]["source"] = written if isinstance(content["cells"][number - 1]["source"], str) else lines_of(written)
    return _dumped(content, source.data)


def in_cells(finding: Finding, sources: Sources) -> Finding:
    """A finding whose rows, and those of its because chain, count in the cells of their notebooks; spans stay as they are."""
    chain = tuple(_place_in_cell(place, sources) for place in finding.because)
    cell, shift = _cell(finding.path, finding.row, sources)
    return msgspec.structs.replace(
        finding,
        row=finding.row - shift,
        end_row=finding.end_row - shift,
        noqa_row=finding.noqa_row - shift,
        notebook_cell=cell,
        because=chain,
    )


def _place_in_cell(place: Place, sources: Sources) -> Place:
    cell, shift = _cell(place.path, place.row, sources)
    if cell is None:
        return place
    return msgspec.structs.replace(place, row=place.row - shift, message=f"{place.message} (cell {cell})")


def _cell(path: str, row: int, sources: Sources) -> tuple[int | None, int]:
    """The number of the cell that holds a row, and what to take from the row to count in the cell."""
    if not path.endswith(".ipynb"):
        return None, 0
    try:
        cells = sources.read(path).cells
    except UnreadableFile:
        return None, 0
    return next(((number, first - 1) for number, first in reversed(cells) if first <= row), (None, 0))


def neutral(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The text of a cell with everything that is no Python put out of the way, and what was replaced: (new line, old line)."""
    if _parses(text):
        return text, []
    lines = lines_of(text)
    first = next((line for line in lines if line.strip()), "")
    foreign = first.startswith("%%") and first[2:].split(maxsplit=1)[:1] not in [[name] for name in _PYTHON_MAGICS]
    replaced: list[tuple[str, str]] = []
    out: list[str] = []
    for line in lines:
        body = line.rstrip("\r\n")
        found = re.match(r"(?P<before>)(?P<magic>.+)", body) if foreign else _MAGIC.match(body)
        if found is not None and (foreign or not _parses(body.strip())):
            magic = found["magic"]
            shown = found["before"] + ("#" if foreign else "0" if len(magic) == 1 else "0#") + magic[1 if foreign else 2 :]
            replaced.append((shown, body))
            out.append(shown + line[len(body) :])
        else:
            out.append(line)
    return "".join(out), replaced


def _parses(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def _content(path: str, data: bytes) -> Any:
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except ValueError as error:
        reason = f"not a notebook: {getattr(error, 'msg', error)}"
        raise UnreadableFile(path, reason, getattr(error, "lineno", 1), getattr(error, "colno", 1)) from None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise UnreadableFile(path, "not a notebook of format 4: it has no list of cells")
    return content


def _is_python(content: Any) -> bool:
    """Whether the code of a notebook is Python by what it says itself, or it says nothing."""
    about = content.get("metadata")
    for table, key in (("language_info", "name"), ("kernelspec", "language")):
        said = about.get(table) if isinstance(about, dict) else None
        if isinstance(said, dict) and isinstance(said.get(key), str):
            return said[key].lower() in {"python", "ipython"}
    return True


def _code_cells(content: Any) -> list[tuple[int, list[str]]]:
    """The code cells with their numbers; none where they hold another language."""
    found: list[tuple[int, list[str]]] = []
    if not _is_python(content):
        return found
    for number, cell in enumerate(content["cells"], 1):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", "")
            lines = [source] if isinstance(source, str) else source if isinstance(source, list) else []
            found.append((number, [line for line in lines if isinstance(line, str)]))
    return found


def _dumped(content: Any, like: bytes) -> bytes:
    """JSON in the style of `like`: its indentation, its way with other characters, its last line end."""
    text = like.decode("utf-8-sig")
    indent = re.match(r"\{\r?\n([ \t]*)", text)
    width = indent[1] if indent is not None else None
    out = json.dumps(content, indent=width, ensure_ascii=like.isascii(), separators=(",", ": ") if width is not None else None)
    return (out + "\n" * text.endswith("\n")).encode("utf-8")
