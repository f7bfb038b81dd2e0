"""The flake8 plugin in the real flake8: selection, comments, standard input, processes, and agreement with the command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command import HANGING, TASKS, codes, pack, project, run

pytest.importorskip("flake8")

COMMON = ("--isolated", "--format", "%(path)s:%(row)d:%(col)d: %(code)s %(text)s")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """flake8 knows a plugin by the metadata of its distribution; in a clone there is none, so that it is written here."""
    home = tmp_path_factory.mktemp("installed")
    meta = home / "mplint_of_the_tree-0.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: mplint-of-the-tree\nVersion: 0\n")
    if not _installed():
        (meta / "entry_points.txt").write_text("[flake8.extension]\nMP = mplint.flake8:Plugin\n")
    return {"PYTHONPATH": f"{Path(__file__).parent.parent}:{home}"}


def _installed() -> bool:
    done = subprocess.run([sys.executable, "-m", "flake8", "--version"], capture_output=True, text=True, check=True, cwd="/")
    return "mplint" in done.stdout


def flake8(*words: str, cwd: Path, env: dict[str, str], stdin: bytes = b"", common: tuple[str, ...] = COMMON) -> subprocess.CompletedProcess[str]:
    done = run(*common, *words, cwd=cwd, module="flake8", env=env, stdin=stdin)
    assert "Traceback" not in done.stderr + done.stdout
    return done


def test_agreement_with_the_command(tmp_path: Path, environment: dict[str, str]) -> None:
    suppressed = HANGING.replace("range(9))", "range(9))  # noqa: MP501")
    several = "from multiprocessing import Pool\n\ndef f(é, x):\n    é = 1; Pool().map(\n        f,\n        x,\n    )  # noqa: MP5\n    Pool().apply(f)\n"
    project(
        tmp_path,
        {
            "pkg/__init__.py": "", "pkg/app.py": HANGING, "pkg/tasks.py": TASKS, "pkg/quiet.py": suppressed, "pkg/several.py": several,
            "pkg/useless.py": "x = 1  # noqa: MP501, E501\n", "pkg/own.py": HANGING.replace("range(9))", "range(9))  # mplint: ignore[MP501]"),
            "pkg/latin.py": "\ufeff" + HANGING, "ignored.py": HANGING,
        },
        config='[tool.mplint.per-file-ignores]\n"ignored.py" = ["MP501"]\n',
    )  # fmt: skip
    tree = sorted(codes(run("--output-format", "concise", cwd=tmp_path)))
    assert "pkg/app.py:8:16: MP501" in tree and "pkg/useless.py:1:16: MP001" in tree and len(tree) >= 4
    words = ("--select", "MP")
    for jobs in ("1", "2"):
        assert sorted(codes(flake8(*words, "-j", jobs, ".", cwd=tmp_path, env=environment))) == [f"./{line}" for line in tree]
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.py"))
    for file in files:
        mine = [line for line in tree if line.startswith(f"{file}:")]
        assert codes(run("--output-format", "concise", file, cwd=tmp_path)) == mine, file
        assert codes(flake8(*words, file, cwd=tmp_path, env=environment)) == mine, file
        data = (tmp_path / file).read_bytes()
        assert codes(flake8(*words, "-", "--stdin-display-name", file, cwd=tmp_path, env=environment, stdin=data)) == mine, file
        assert codes(run("--output-format", "concise", "-", "--stdin-filename", file, cwd=tmp_path, stdin=data)) == mine, file


def test_the_second_run_is_answered_by_the_cache(tmp_path: Path, environment: dict[str, str]) -> None:
    project(tmp_path, {"app.py": HANGING, "build/old.py": HANGING}, config='[tool.mplint]\ncache-dir = "kept"\n')
    program = (
        "import atexit, os, sys\nfrom flake8.main.cli import main\nme = os.getpid()\n"
        "atexit.register(lambda: print(sorted({'libcst', 'mplint.session', 'mplint.registry'} & set(sys.modules)) if os.getpid() == me else ''))\n"
        "sys.exit(main(['--isolated', *sys.argv[1:]]))"
    )
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "probe.py").write_text(program)
    paths = {"PYTHONPATH": f"{environment['PYTHONPATH']}:{tmp_path / 'tools'}"}

    def probed(*words: str) -> tuple[list[str], str]:
        done = run(*words, cwd=tmp_path, module="probe", env=paths)
        return sorted(line for line in done.stdout.splitlines() if "MP" in line), done.stdout.splitlines()[-1]

    first, loaded = probed("-j", "2", ".")
    assert [line.split(" ")[1] for line in first] == ["MP501"] and "libcst" in loaded
    assert (tmp_path / "kept").is_dir() and not (tmp_path / ".mplint_cache").exists()
    for words in (("-j", "2", "."), ("-j", "1", "."), ("-j", "1", "./app.py")):
        assert probed(*words) == (first, "[]"), words
    assert "answered by the cache" in run("--verbose", ".", cwd=tmp_path).stderr
    (tmp_path / "app.py").write_text("import os\n" + HANGING)
    assert [line.split(":")[1] for line in probed("-j", "2", ".")[0]] == [str(int(first[0].split(":")[1]) + 1)]
    named, _ = probed("-j", "2", "--select", "MP5", "build/old.py", "app.py")
    assert {line.split(":")[0] for line in named} == {"build/old.py", "app.py"}
    assert (probed("-j", "2", "--select", "MP5", "build/old.py", "app.py")[0], probed("--select", "MP4", ".")[0]) == (named, [])


def test_the_interface_of_flake8_names_its_files_late(tmp_path: Path, environment: dict[str, str]) -> None:
    project(tmp_path, {"app.py": HANGING, "other.py": HANGING})
    program = (
        "from flake8.api.legacy import get_style_guide\nguide = get_style_guide(select=['MP'])\n"
        "for name in ('app.py', 'other.py'):\n    print(name, guide.check_files([name]).total_errors)\n"
    )
    (tmp_path / "probe.py").write_text(program)
    done = run(cwd=tmp_path, module="probe", env={"PYTHONPATH": f"{environment['PYTHONPATH']}:{tmp_path}"})
    assert [line for line in done.stdout.splitlines() if line[-2] == " "] == ["app.py 1", "other.py 1"], done.stderr


def test_selection_is_that_of_flake8(tmp_path: Path, environment: dict[str, str]) -> None:
    project(tmp_path, {"app.py": HANGING + "\n\nimport os\n"})

    def found(*words: str) -> set[str]:
        return {line.split(" ")[1] for line in flake8(*words, "app.py", cwd=tmp_path, env=environment).stdout.splitlines()}

    assert found() == {"MP501", "F401", "E402"}
    assert found("--select", "F") == {"F401"}
    assert found("--select", "F,MP") == {"F401", "MP501"}
    assert found("--ignore", "MP501") == {"F401", "E402"}
    assert found("--extend-ignore", "MP") == {"F401", "E402"}
    assert found("--select", "E4", "--extend-select", "MP5") == {"E402", "MP501"}
    assert found("--per-file-ignores", "app.py:MP501,F401") == {"E402"}
    assert found("--max-complexity", "1", "--select", "C90,MP") == {"MP501"} | ({"C901"} & found("--max-complexity", "1", "--select", "C90"))


FALSY = "class Empty(Exception):\n    def __bool__(self):\n        return False\n"
"""A finding of MP205, which is in preview."""


def test_rules_in_preview_have_to_be_named(tmp_path: Path, environment: dict[str, str]) -> None:
    project(tmp_path, {"app.py": FALSY})
    assert codes(run("--preview", "--output-format", "concise", cwd=tmp_path)) == ["app.py:1:7: MP205"]
    assert codes(run("--output-format", "concise", cwd=tmp_path)) == []
    assert codes(flake8("--select", "MP", "app.py", cwd=tmp_path, env=environment)) == []
    assert codes(flake8("--extend-select", "MP205", "app.py", cwd=tmp_path, env=environment)) == ["app.py:1:7: MP205"]
    (tmp_path / "mplint.toml").write_text("preview = true")
    assert codes(flake8("--select", "MP", "app.py", cwd=tmp_path, env=environment)) == ["app.py:1:7: MP205"]


def test_comments(tmp_path: Path, environment: dict[str, str]) -> None:
    project(tmp_path, {"app.py": HANGING.replace("range(9))", "range(9))  # noqa: MP501")})
    assert flake8("app.py", cwd=tmp_path, env=environment).stdout == ""
    assert "MP501" in flake8("--disable-noqa", "app.py", cwd=tmp_path, env=environment).stdout


def test_a_wrong_configuration_is_one_finding_and_no_traceback(tmp_path: Path, environment: dict[str, str]) -> None:
    project(tmp_path, config="[tool.mplint]\nslect = []\n")
    done = flake8("-j", "1", ".", cwd=tmp_path, env=environment)
    assert [line.split(" ")[1] for line in done.stdout.splitlines()] == ["MP000"]
    assert "unknown key `slect`" in done.stdout


def test_a_rule_that_raises_is_a_finding_of_its_file(tmp_path: Path, environment: dict[str, str]) -> None:
    env = pack(
        tmp_path,
        "from mplint.rule import Rule\nclass Bad(Rule):\n    '''Bad.'''\n    code = 'XY101'\n    name = 'bad-rule'\n"
        "    def check(self, module, project):\n        raise KeyError('oops')\n",
    )
    root = project(tmp_path / "project", {"idle.py": "x = 1\n"})
    paths = {"PYTHONPATH": f"{environment['PYTHONPATH']}:{env['PYTHONPATH']}"}
    for jobs in ("1", "2"):
        done = flake8("-j", jobs, ".", cwd=root, env=paths)
        assert (done.returncode, [line.split(" ", 1)[0] for line in codes(done)]) == (1, ["./app.py:1:1:", "./app.py:8:16:", "./tasks.py:1:1:"])
        assert "MP000 internal error in XY101: KeyError: 'oops'" in done.stdout


def test_files_that_flake8_cannot_parse_are_its_own(tmp_path: Path, environment: dict[str, str]) -> None:
    project(tmp_path, {"broken.py": "import multiprocessing\ndef f(:\n"})
    done = flake8("broken.py", cwd=tmp_path, env=environment)
    assert "E999" in done.stdout and "MP000" not in done.stdout


def test_what_is_not_selected_is_not_imported(tmp_path: Path, environment: dict[str, str]) -> None:
    project(tmp_path)
    program = (
        "import sys\nfrom flake8.main.cli import main\nmain(['--isolated', '-j', '1', '--select', 'E', 'app.py'])\n"
        "print(sorted(name for name in sys.modules if name.startswith(('mplint.', 'libcst')) and name != 'mplint.flake8'))"
    )
    (tmp_path / "probe.py").write_text(program)
    done = run(cwd=tmp_path, module="probe", env={"PYTHONPATH": f"{environment['PYTHONPATH']}:{tmp_path}"})
    assert done.stdout == "[]\n"
