"""What a wheel holds, and that it works where it is installed: no top-level `rules`, every module, every data file."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from command import HANGING, LIMIT, TASKS

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the tree, built from a copy so that nothing is left in it."""
    setuptools = pytest.importorskip("setuptools")
    if int(setuptools.__version__.split(".")[0]) < 77:
        pytest.skip("needs setuptools 77")
    copy = tmp_path_factory.mktemp("tree")
    for name in ("mplint", "rules"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if path.name.startswith(("pyproject", "README", "LICENSE")):
            shutil.copy(path, copy)
    out = copy / "out"
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(out), str(copy)]
    subprocess.run(command, check=True, timeout=LIMIT, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_tree(wheel: Path) -> None:
    expected = set()
    for name, package in (("mplint", "mplint"), ("rules", "mplint/rules")):
        for path in (ROOT / name).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix in {".py", ".json", ".css", ".js", ".typed"} | {""}:
                expected.add(f"{package}/{path.relative_to(ROOT / name).as_posix()}")
    with zipfile.ZipFile(wheel) as content:
        names = {name for name in content.namelist() if ".dist-info/" not in name}
        entry_points = content.read(next(name for name in content.namelist() if name.endswith("entry_points.txt"))).decode()
    assert names == expected
    for line in ("mplint = mplint.cli:main", "builtin = mplint.rules", "MP = mplint.flake8:Plugin"):
        assert line in entry_points


def test_the_installed_wheel_works(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "site"
    with zipfile.ZipFile(wheel) as content:
        content.extractall(home)
    (tmp_path / "app.py").write_text(HANGING)
    (tmp_path / "tasks.py").write_text(TASKS)
    program = (
        f"import sys; sys.path[:] = [{str(home)!r}] + [p for p in sys.path if p != {str(ROOT)!r}]\n"
        "sys.meta_path[:] = [f for f in sys.meta_path if not f.__class__.__module__.startswith('__editable__') and '__editable__' not in repr(f)]\n"
        "import mplint; assert mplint.__file__.startswith(sys.path[0]), mplint.__file__\n"
        "from mplint.registry import registry; from mplint.cli import main\n"
        "assert registry().rules and not registry().broken, registry().broken\n"
        "assert type(registry().rules[0]).__module__.startswith('mplint.rules.')\n"
        "assert sys.modules['mplint.rules'].__file__.startswith(sys.path[0])\n"
        "main(['--output-format', 'html', 'app.py'])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT)
    assert (done.returncode, done.stderr) == (1, "")
    assert "MP501" in done.stdout


def test_one_version() -> None:
    import mplint

    assert f'version = "{mplint.__version__}"' in (ROOT / "pyproject.toml").read_text()
