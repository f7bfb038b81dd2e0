"""Diffs: `git apply` makes the new bytes out of the old ones."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mplint.report.diff import unified, unified_bytes

LINES = "".join(f"line {n}\n" for n in range(40))


def apply(root: Path, diff: bytes) -> None:
    done = subprocess.run(["git", "apply", "-"], cwd=root, input=diff, capture_output=True, timeout=20)
    assert done.returncode == 0, (done.stderr, diff)


CASES = {
    "two hunks": (LINES, LINES.replace("line 3\n", "").replace("line 30\n", "line thirty\nand more\n")),
    "no newline before": ("a\nb", "a\nb\nc\n"),
    "no newline after": ("a\nb\n", "a\nc"),
    "no newline at all": ("a\nb", "a\nc"),
    "crlf": (LINES.replace("\n", "\r\n"), LINES.replace("line 3\n", "x\n").replace("\n", "\r\n")),
    "mixed ends": ("a\r\nb\nc\rd\n", "a\r\nB\nc\rd\r\n"),
    "form feed and separators": ("a\x0cb\x1c\u2028c\nd\n", "a\x0cb\x1c\u2028c\nD\n"),
    "to nothing": ("a\n", ""),
    "from nothing": ("", "a\nb\n"),
    "first line": ("a\n" + LINES, "b\n" + LINES),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["plain.py", "in/a folder/file name.py", "ünï/数.py", 'q"uo\\te.py', "tab\there.py"])
def test_git_apply_takes_it(tmp_path: Path, case: str, name: str) -> None:
    old, new = CASES[case]
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(old.encode())
    apply(tmp_path, unified_bytes(str(file), old, new, root=str(tmp_path)))
    assert file.read_bytes() == new.encode()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "shift_jis"])
def test_the_bytes_are_those_of_the_file(tmp_path: Path, encoding: str) -> None:
    word = "数" if encoding == "shift_jis" else "ü"
    old = f"# coding: x\n{word} = 1\n"
    new = f"# coding: y\n{word} = 2\n"
    file = tmp_path / "file.py"
    file.write_bytes(old.encode(encoding))
    apply(tmp_path, unified_bytes(str(file), old, new, root=str(tmp_path), encoding=encoding))
    assert file.read_bytes() == new.encode(encoding)


def test_in_a_folder_of_a_repository_paths_are_relative_to_it(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True, timeout=20)
    file = tmp_path / "sub" / "file.py"
    file.parent.mkdir()
    file.write_text("a\n")
    diff = unified(str(file), "a\n", "b\n", root=str(file.parent))
    assert diff == "--- a/file.py\n+++ b/file.py\n@@ -1 +1 @@\n-a\n+b\n"
    apply(file.parent, diff.encode())
    assert file.read_text() == "b\n"


def test_no_difference_no_diff() -> None:
    assert unified("/x/a.py", "a\n", "a\n", root="/x") == ""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from("a\n|b\r\n|c\r|\n|d".split("|")), max_size=30), st.data())
def test_git_applies_any_change_of_lines(tmp_path: Path, pieces: list[str], data: st.DataObject) -> None:
    old = "".join(pieces)
    start = data.draw(st.integers(0, len(old)))
    stop = data.draw(st.integers(start, len(old)))
    new = old[:start] + data.draw(st.text("xy\r\n", max_size=6)) + old[stop:]
    file = tmp_path / "file.py"
    file.write_bytes(old.encode())
    diff = unified_bytes(str(file), old, new, root=str(tmp_path))
    if diff:
        apply(tmp_path, diff)
        assert file.read_bytes() == new.encode() if file.exists() else new == ""
