"""Sources: bytes to text and back, as CPython reads them; notebooks as modules."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplint.finding import Finding, Span
from mplint.source import Sources, UnreadableFile, decode
from mplint.source.comments import Layout
from mplint.source.notebook import MARK, in_cells


@given(st.text(st.sampled_from("ab \t\f\n\r\x0b\x1c\u2028é")))
def test_lines_are_those_of_the_tokenizer(text: str) -> None:
    source = decode("m.py", text.encode())
    assert "".join(source.lines) == text
    assert list(source.lines) == list(io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n"))) or "\r" in text
    assert len(source.lines) == text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + (text[-1:] not in {"", "\n", "\r"})
    assert [source.text[start:][: len(line)] for start, line in zip(source.starts, source.lines)] == list(source.lines)
    assert [source.lines[row] for row in range(len(source.lines))] == list(source.lines) == source.lines[:]
    assert [source.lines.between(1, row) for row in range(len(source.lines))] == ["".join(source.lines[:row]) for row in range(len(source.lines))]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"x = 1\n", "utf-8"),
        (b"\xef\xbb\xbfx = 1\r\n", "utf-8-sig"),
        (b"\xef\xbb\xbf# coding: utf-8\n", "utf-8-sig"),
        ("# -*- coding: latin-1 -*-\ns = 'é'\n".encode("latin-1"), "latin-1"),
        ("#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\ns = '€'\n".encode("cp1252"), "cp1252"),
        (b"\n# coding: cp1251\ns = '\xe0'\n", "cp1251"),
        ("x = 1\n# coding: latin-1\ns = 'é'\n".encode(), "utf-8"),
        ("'a'\n\n# coding: latin-1\n# é\n".encode(), "utf-8"),
    ],
)
def test_encoding(data: bytes, encoding: str) -> None:
    source = decode("m.py", data)
    assert source.encoding == encoding
    assert source.encode(source.text) == data
    with io.BytesIO(data) as file:
        spelled = tokenize.detect_encoding(file.readline)[0]
    assert source.text == data.decode(spelled)


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        (b"a = 1\nb = '\xff'\n", (2, 6), "not utf-8: byte 0xff"),
        (b"# coding: nonsense\n", (1, 1), "^unknown encoding: nonsense$"),
        (b"# coding: rot13\n", (1, 1), "unknown encoding"),
        (b"\xef\xbb\xbf# coding: latin-1\n", (1, 1), "UTF-8 mark"),
    ],
)
def test_what_cannot_be_decoded_is_told_with_its_place(data: bytes, place: tuple[int, int], reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason) as caught:
        decode("m.py", data)
    assert (caught.value.row, caught.value.column) == place


def test_a_file_that_cannot_be_opened_stops_only_who_needs_its_text(tmp_path: Path) -> None:
    sources = Sources(str(tmp_path), [str(tmp_path / "gone.py")])
    assert sources.data(sources.files[0]) == b""
    with pytest.raises(UnreadableFile, match="cannot be read: No such file"):
        sources.read(sources.files[0])


def test_overlays_stand_for_files(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("disk")
    sources = Sources(str(tmp_path), [str(path)], {str(path): b"editor"})
    assert sources.read(str(path)).text == "editor"
    assert sources.changed({str(path): b"fixed"}).read(str(path)).text == "fixed"
    assert sources.read(str(path)).text == "editor"


def notebook(*cells: tuple[str, str], **metadata: object) -> bytes:
    content = {
        "cells": [{"cell_type": kind, "metadata": {}, "source": text.splitlines(keepends=True)} for kind, text in cells],
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


CELLS = (("markdown", "# Title"), ("code", "%matplotlib inline\nimport os\nfiles = !ls\nos?"), ("code", "%%bash\nls -l"), ("code", "x = 'ü' % 1"))


def test_notebook_becomes_a_module_that_parses_and_comes_back() -> None:
    data = notebook(*CELLS)
    source = decode("n.ipynb", data)
    ast.parse(source.text)
    assert source.text.count(MARK) == 2
    assert source.cells == ((2, 1), (3, 6), (4, 9))
    assert [len(line) for line in source.lines[:4]] == [len(line) + (not line.endswith("\n")) for line in CELLS[1][1].splitlines(keepends=True)]
    assert source.encode(source.text) == data


def test_editing_a_cell_leaves_magics_and_other_cells() -> None:
    source = decode("n.ipynb", notebook(*CELLS))
    edited = json.loads(source.encode(source.text.replace("import os", "import os, sys")))
    texts = ["".join(cell["source"]) for cell in edited["cells"]]
    assert texts == [CELLS[0][1], CELLS[1][1].replace("import os", "import os, sys"), CELLS[2][1], CELLS[3][1]]


def test_findings_count_rows_in_cells(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    path.write_bytes(notebook(*CELLS))
    sources = Sources(str(tmp_path), [str(path)])
    found = in_cells(Finding("MP501", "n", str(path), Span(0, 1), 9, 5, 9, 6, "m", noqa_row=9), sources)
    assert (found.notebook_cell, found.row, found.column, found.end_row, found.noqa_row) == (4, 1, 5, 1, 1)


@pytest.mark.parametrize(("data", "reason"), [(b"{", "not a notebook"), (b"[]", "no list of cells"), (b"[1,", "Expecting value$")])
def test_what_is_no_notebook(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        decode("n.ipynb", data)


@pytest.mark.parametrize("metadata", [{"language_info": {"name": "R"}}, {"kernelspec": {"language": "julia"}}])
def test_notebooks_of_other_languages_have_no_code(metadata: dict[str, object]) -> None:
    data = notebook(("code", "from multiprocessing import Pool"), **metadata)
    source = decode("n.ipynb", data)
    assert source.text == ""
    assert decode("n.ipynb", data.replace(b"language", b"dialect")).text  # it says nothing of its language


PIECES = st.sampled_from(["x = 1\n", "f(\n", ")\n", "'#'\n", '"""\n# no\n"""\n', "# yes\n", "y \\\n = 2\n", "a = [1,  # in\n", "]\n", "z = 'a\\'#'\n"])


@given(st.lists(PIECES, max_size=12).map("".join))
def test_comments_and_logical_lines_are_those_of_the_tokenizer(text: str) -> None:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        ast.parse(text)
    except (SyntaxError, tokenize.TokenError):
        return
    layout = Layout(decode("m.py", text.encode()))
    assert [(c.row, c.text) for c in layout.comments] == [(t.start[0], t.string) for t in tokens if t.type == tokenize.COMMENT]
    first = None
    for token in tokens:
        if token.type == tokenize.NEWLINE and first is not None:
            assert layout.logical(first) == layout.logical(token.start[0]) == (first, token.start[0])
            first = None
        elif token.type not in {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT} and first is None:
            first = token.start[0]


def test_nesting_is_a_finding_and_no_crash(tmp_path: Path) -> None:
    """Neither a source that holds no hazard nor one that starts processes may overflow the machine's stack."""
    nested = "x = " + "(" * 5000 + ")" * 5000 + "\n"
    (tmp_path / "idle.py").write_text(nested)
    (tmp_path / "busy.py").write_text("from multiprocessing import Pool\n" + nested)
    command = [sys.executable, "-m", "mplint", "--isolated", "--no-cache", "--output-format", "concise", str(tmp_path)]
    env = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 1, done.stderr
    assert done.stdout.count("MP000 nested too deeply to be read") == 2
