"""The program under `examples/` compiles, and mplint finds in it what it is there for: each founding hazard once, and nothing else."""

from __future__ import annotations

import py_compile
from pathlib import Path

import pytest

import mplint
from mplint.finding import Finding

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
FOUNDING = {
    ("MP101", "lifetime.py"),
    ("MP103", "lifetime.py"),
    ("MP201", "errors.py"),
    ("MP202", "errors.py"),
    ("MP301", "profiles.py"),
    ("MP401", "gallery.py"),
    ("MP501", "studio.py"),
    ("MP502", "summary.py"),
}


@pytest.fixture(scope="module")
def findings() -> list[Finding]:
    return mplint.check([str(EXAMPLES)])


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.py")), ids=lambda path: path.name)
def test_it_compiles(path: Path, tmp_path: Path) -> None:
    py_compile.compile(str(path), cfile=str(tmp_path / "compiled"), doraise=True)


def test_every_founding_hazard_is_found_and_nothing_else(findings: list[Finding]) -> None:
    assert sorted((finding.code, Path(finding.path).name) for finding in findings) == sorted(FOUNDING)


@pytest.mark.parametrize("code", ["MP101", "MP103", "MP301"])
def test_the_chain_leads_through_several_places(findings: list[Finding], code: str) -> None:
    finding = next(finding for finding in findings if finding.code == code)
    assert len({(place.path, place.row) for place in finding.because}) >= 2, finding.because
