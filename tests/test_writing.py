"""Files are replaced whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from mplint.fixes.writing import Unwritable, write_source
from mplint.source import decode


@pytest.mark.parametrize(
    ("data", "text", "written"),
    [
        (b"x = 1\r\ny = 2\n", "x = 2\r\ny = 2\n", b"x = 2\r\ny = 2\n"),
        (b"\xef\xbb\xbfx = '\xc3\xa9'\r", "y = 'é'\r", b"\xef\xbb\xbfy = '\xc3\xa9'\r"),
        (b"# coding: latin-1\nx = '\xe9'", "# coding: latin-1\ny = 'é'", b"# coding: latin-1\ny = '\xe9'"),
    ],
)
def test_encoding_mark_and_line_ends_stay(tmp_path: Path, data: bytes, text: str, written: bytes) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(data)
    path.chmod(0o750)
    write_source(decode(str(path), data), text)
    assert path.read_bytes() == written
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert os.listdir(tmp_path) == ["a.py"]


def test_links_stay_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "a.py", tmp_path / "b.py"
    target.write_bytes(b"x")
    link.symlink_to(Path("real") / "a.py")
    write_source(decode(str(link), b"x"), "y")
    assert link.is_symlink() and target.read_bytes() == b"y" and os.listdir(tmp_path / "real") == ["a.py"]


def refused(path: Path, data: bytes, text: str) -> str:
    before = path.read_bytes()
    with pytest.raises(Unwritable) as caught:
        write_source(decode(str(path), data), text)
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]
    return str(caught.value)


def test_what_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"# coding: ascii\n")
    assert "changed since" in refused(path, b"x = 1\n", "x = 2\n")
    assert "cannot hold" in refused(path, b"# coding: ascii\n", "# coding: ascii\n'é'")
    path.chmod(0o444)
    assert "read-only" in refused(path, b"# coding: ascii\n", "x")


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"x")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", denied)
    assert "Permission denied" in refused(path, b"x", "y")


def test_an_interrupt_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"x")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_source(decode(str(path), b"x"), "y")
    assert path.read_bytes() == b"x" and os.listdir(tmp_path) == ["a.py"]
