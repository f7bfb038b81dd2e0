"""The command, as a user runs it: exit codes, messages, fixes, comments, baselines, standard input."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from command import HANGING, LIMIT, codes, pack, project, run

from mplint import __version__, check
from mplint.cli.inputs import tell_paths
from mplint.config import ConfigError, load
from mplint.source.discover import discover

FIXED = HANGING.replace("pool.map(work, range(9))", "pool.map_async(work, range(9)).get(timeout=3600)")


def concise(*words: str, cwd: Path, stdin: bytes = b"") -> tuple[int, list[str], str]:
    done = run(*words, "--output-format", "concise", cwd=cwd, stdin=stdin)
    return done.returncode, codes(done), done.stderr


# -- exit codes and bad input


def test_clean_found_and_zero(tmp_path: Path) -> None:
    project(tmp_path)
    assert concise(cwd=tmp_path) == (1, ["app.py:8:16: MP501"], "")
    assert concise("tasks.py", cwd=tmp_path) == (0, [], "")
    assert concise("--exit-zero", cwd=tmp_path)[:2] == (0, ["app.py:8:16: MP501"])
    assert concise("--ignore", "MP5", cwd=tmp_path) == (0, [], "")


def test_a_missing_path_ends_with_2_and_the_rest_is_still_checked(tmp_path: Path) -> None:
    project(tmp_path)
    code, found, said = concise("app.py", "task.py", cwd=tmp_path)
    assert (code, found) == (2, ["app.py:8:16: MP501"])
    assert said == 'mplint: error: task.py: no such file or directory (did you mean "tasks.py"?)\n'


def test_what_cannot_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, {"secret/app.py": HANGING})
    monkeypatch.chdir(tmp_path)
    real = os.scandir

    def scandir(path: str) -> Any:
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = discover(["."], load(str(tmp_path)))
    assert [Path(path).name for path in found.given] == ["app.py", "tasks.py"]
    assert found.skipped == (("secret", "cannot be listed (Permission denied)"),)
    monkeypatch.setattr(os, "listdir", scandir)
    assert tell_paths(discover(["secret/nothing.py"], load(str(tmp_path))))


def test_nothing_to_check(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    assert concise(cwd=tmp_path) == (2, [], "mplint: error: no Python files found\n")
    code, _, said = concise("notes.txt", cwd=tmp_path)
    assert code == 2 and "notes.txt: not a Python file, skipped" in said
    assert json.loads(run("--output-format", "json", cwd=tmp_path).stdout) == []
    assert run("--output-format", "json", "--output-file", "out.json", cwd=tmp_path).stdout == ""
    assert json.loads((tmp_path / "out.json").read_text()) == []
    project(tmp_path, config='[tool.mplint]\nexclude = ["app.py"]\n')
    assert concise("--force-exclude", "app.py", cwd=tmp_path) == (0, [], "")


def test_files_that_cannot_be_read_are_findings(tmp_path: Path) -> None:
    project(tmp_path, {"broken.py": "import multiprocessing\ndef f(:\n", "idle.py": "x = (\n"})
    (tmp_path / "bytes.py").write_bytes(b"x = '\xff'\n")
    code, found, said = concise(cwd=tmp_path)
    assert (code, said) == (1, "")
    assert found == ["app.py:8:16: MP501", "broken.py:2:7: MP000", "bytes.py:1:6: MP000", "idle.py:1:5: MP000"]
    assert concise("--ignore", "MP000", cwd=tmp_path)[1] == ["app.py:8:16: MP501"]
    assert concise("--select", "MP502", "broken.py", cwd=tmp_path)[1] == ["broken.py:2:7: MP000"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--select", "MP5O1"], "command line: no rule is meant by 'MP5O1' (did you mean \"MP501\"?)"),
        (["--config", "nowhere.toml"], "--config nowhere.toml: no such file"),
        (["--config", "fixx = true"], 'unknown key `fixx` (did you mean "fix"?)'),
        (["--baseline", "nowhere.json"], "nowhere.json does not exist"),
        (["--explain", "MP5011"], "there is no rule 'MP5011' (did you mean \"MP501\"?)"),
        (["--output-format", "xml"], "Invalid value for '--output-format'"),
        (["--nonsense"], "No such option"),
        (["-", "app.py"], "cannot be checked together with other paths"),
        (["--why", "app.py:x"], 'expected "PATH" or "PATH:LINE"'),
        (["--why", "nowhere.py:3"], "nowhere.py: no such file"),
        (["--output-file", "no/where.txt"], "--output-file no/where.txt"),
        (["--per-file-ignores", "app.py"], 'expected "PATTERN:CODE,CODE"'),
    ],
)
def test_usage_errors_end_with_2(tmp_path: Path, words: list[str], message: str) -> None:
    done = run(*words, cwd=project(tmp_path))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_rule_that_raises_is_named_and_the_other_findings_are_printed(tmp_path: Path) -> None:
    env = pack(
        tmp_path,
        "from mplint.rule import Rule\nclass Bad(Rule):\n    '''Bad.'''\n    code = 'XY101'\n    name = 'bad-rule'\n"
        "    def check(self, module, project):\n        raise KeyError('oops')\n",
    )
    root = project(tmp_path / "project")
    done = run("--output-format", "concise", "app.py", cwd=root, env=env)
    assert (done.returncode, codes(done)) == (2, ["app.py:8:16: MP501"])
    assert "mplint: error: internal error in XY101 at app.py: KeyError: 'oops'" in done.stderr
    assert "Traceback" not in done.stderr
    assert "raise KeyError('oops')" in run("--verbose", "app.py", cwd=root, env=env).stderr
    assert run("--select", "MP501", "app.py", cwd=root, env=env).returncode == 1


def test_a_pack_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    done = run("app.py", cwd=project(tmp_path / "project"), env=pack(tmp_path, "import nothing_like_this\n"))
    assert done.returncode == 2
    assert "rule pack ourpack cannot be loaded: ModuleNotFoundError" in done.stderr
    assert "MP501" in done.stdout


NAMED = "from mplint.finding import Alarm, Site\nfrom mplint.rule import Rule\nclass Odd(Rule):\n    'Odd.'\n    code = 'XY101'\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "rule pack ourpack cannot be loaded: ValueError: Odd: a name is words in kebab-case, not ''"),
        ("    name = 'Odd Rule'\n", "not 'Odd Rule'"),
        (
            "    name = 'odd-rule'\n    def check(self, m, p): yield 'x'\n",
            "internal error in XY101 at app.py: TypeError: `check` has to yield alarms of XY101, not 'x'",
        ),
        ("    name = 'odd-rule'\n    def check(self, m, p): yield Alarm('XY102', Site(m.path, 0), 'no')\n", "`check` has to yield alarms of XY101, not Alarm("),
    ],
)
def test_what_is_wrong_with_a_rule_is_said(tmp_path: Path, text: str, message: str) -> None:
    done = run("app.py", cwd=project(tmp_path / "project"), env=pack(tmp_path, NAMED + text))
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr
    assert "MP501" in done.stdout


def test_interrupting_ends_with_130(tmp_path: Path) -> None:
    env = pack(
        tmp_path,
        "import os, signal\nfrom mplint.rule import Rule\nclass Slow(Rule):\n    '''Slow.'''\n    code = 'XY101'\n    name = 'slow-rule'\n"
        "    def check(self, module, project):\n        os.kill(os.getpid(), signal.SIGINT)\n        yield from ()\n",
    )
    root = project(tmp_path / "project")
    done = run("--fix", "--unsafe-fixes", cwd=root, env=env)
    assert (done.returncode, done.stdout) == (130, "")
    assert (root / "app.py").read_text() == HANGING


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    project(tmp_path, {f"m{n}.py": HANGING for n in range(40)})
    words = [sys.executable, "-m", "mplint", "--ignore", "MP000"]
    env = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    command = subprocess.Popen(words, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert command.stdout is not None and command.stderr is not None
    command.stdout.close()
    said = command.stderr.read()
    command.stderr.close()
    assert command.wait(LIMIT) in {0, 1}
    assert said == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
@pytest.mark.parametrize("words", (["--version"], ["--explain", "MP501"], ["app.py"], ["--diff", "--unsafe-fixes"]))
def test_output_that_cannot_be_written_is_an_error(tmp_path: Path, words: list[str]) -> None:
    project(tmp_path)
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "mplint", *words], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, timeout=LIMIT)
    assert (done.returncode, done.stderr.decode()) == (2, "mplint: error: standard output cannot be written: No space left on device\n")


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_streams_that_are_closed(tmp_path: Path) -> None:
    project(tmp_path)
    for closed, words, code in ((">&-", "app.py", 1), (">&- 2>&-", "app.py nowhere.py", 2), ("<&-", "-", 2)):
        done = subprocess.run(f"{sys.executable} -m mplint {words} {closed}", shell=True, cwd=tmp_path, capture_output=True, timeout=LIMIT)
        assert (done.returncode, done.stdout) == (code, b"")
        assert b"Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_names_that_are_no_text(tmp_path: Path) -> None:
    project(tmp_path)
    odd = os.fsencode(tmp_path) + b"/caf\xe9.py"
    with open(odd, "wb") as file:
        file.write(HANGING.encode())
    assert len(concise("-j", "2", cwd=tmp_path)[1]) == 2
    for name in ("full", "json", "sarif", "html"):
        assert run("--output-format", name, "-o", "out.txt", cwd=tmp_path).returncode == 1, name
    assert run("--fix", "--unsafe-fixes", cwd=tmp_path).returncode == 0
    with open(odd, "rb") as file:
        assert file.read() == FIXED.encode()


# -- fixes


def test_fix_says_what_more_could_be_fixed_and_unsafe_fixes_do_it(tmp_path: Path) -> None:
    project(tmp_path)
    done = run("--fix", cwd=tmp_path)
    assert done.returncode == 1 and "--unsafe-fixes" in done.stdout
    assert (tmp_path / "app.py").read_text() == HANGING
    done = run("--fix", "--unsafe-fixes", "--show-fixes", cwd=tmp_path)
    assert done.returncode == 0
    assert "- app.py:\n    1 × MP501 (pool-call-without-timeout)" in done.stdout
    assert (tmp_path / "app.py").read_text() == FIXED
    assert concise(cwd=tmp_path) == (0, [], "")


def test_src_says_which_of_two_namespace_packages_is_meant(tmp_path: Path) -> None:
    files = {
        "app.py": "from crew.pools import make\n\n\ndef main(pages):\n    with make() as pool:\n        return pool.map(len, pages)\n",
        "old/crew/pools.py": "from multiprocessing import Pool\n\n\ndef make():\n    return Pool()\n",
        "new/crew/pools.py": "from multiprocessing.pool import ThreadPool\n\n\ndef make():\n    return ThreadPool()\n",
    }
    for src, found in (("old", ["app.py:6:16: MP501"]), ("new", [])):
        project(tmp_path, files, config=f"[tool.mplint]\nsrc = ['{src}']\n")
        assert concise("app.py", cwd=tmp_path)[1] == found


def test_the_configuration_decides_what_is_safe(tmp_path: Path) -> None:
    project(tmp_path, config='[tool.mplint]\nextend-safe-fixes = ["MP5"]\n')
    assert run("--fix", "--exit-non-zero-on-fix", cwd=tmp_path).returncode == 1
    assert (tmp_path / "app.py").read_text() == FIXED
    assert run("--fix", "--exit-non-zero-on-fix", cwd=tmp_path).returncode == 0
    project(tmp_path, config="[tool.mplint]\ntimeout = 'LIMIT'\nunfixable = ['MP501']\n")
    assert run("--fix", cwd=tmp_path).returncode == 1
    assert (tmp_path / "app.py").read_text() == HANGING
    assert run("--fix", "--config", "unfixable = []", cwd=tmp_path).returncode == 0
    assert "get(timeout=LIMIT)" in (tmp_path / "app.py").read_text()
    project(tmp_path, config="[tool.mplint]\ntimeout = 9\nextend-unsafe-fixes = ['pool-call-without-timeout']\n")
    run("--fix", cwd=tmp_path)
    assert (tmp_path / "app.py").read_text() == HANGING


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("below", [".", "sub dir"])
def test_git_applies_the_diff(tmp_path: Path, below: str) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    folder = project(tmp_path / below, {"app.py": "\ufeff" + HANGING.replace("\n", "\r\n"), "pool.py": HANGING.rstrip()})
    done = run("--diff", "--unsafe-fixes", cwd=folder)
    assert done.returncode == 1 and "2 findings would be fixed in 2 files" in done.stderr
    assert (folder / "pool.py").read_text() == HANGING.rstrip()
    subprocess.run(["git", "apply", "-"], cwd=folder, input=done.stdout.encode(), check=True)
    assert (folder / "app.py").read_bytes() == ("\ufeff" + FIXED.replace("\n", "\r\n")).encode()
    assert (folder / "pool.py").read_text() == FIXED.rstrip()
    assert run("--diff", "--unsafe-fixes", cwd=folder).returncode == 0


def test_what_is_suppressed_is_never_fixed(tmp_path: Path) -> None:
    text = HANGING.replace("range(9))", "range(9))  # noqa: MP501")
    project(tmp_path, {"app.py": text, "other.py": HANGING.replace("range(9))", "range(9))  # mplint: ignore")})
    assert run("--fix", "--unsafe-fixes", cwd=tmp_path).returncode == 0
    assert (tmp_path / "app.py").read_text() == text


def test_a_useless_comment_is_removed_by_fix(tmp_path: Path) -> None:
    project(tmp_path, {"app.py": "x = 1  # noqa: MP501\n"})
    assert concise(cwd=tmp_path)[1] == ["app.py:1:16: MP001"]
    assert run("--fix", cwd=tmp_path).returncode == 0
    assert (tmp_path / "app.py").read_text() == "x = 1\n"


def test_notebooks_are_checked_by_cell_and_fixed(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "metadata": {}, "source": text.splitlines(True)} for text in ("%time\nimport os\n", HANGING)]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}, indent=1))
    (tmp_path / "tasks.py").write_text("def work(x): return x\n")
    (found,) = json.loads(run("--output-format", "json", cwd=tmp_path).stdout)
    assert (found["cell"], found["location"]) == (2, {"row": 8, "column": 16})
    assert run("--fix", "--unsafe-fixes", cwd=tmp_path).returncode == 0
    after = json.loads((tmp_path / "n.ipynb").read_text())
    assert ["".join(cell["source"]) for cell in after["cells"]] == ["%time\nimport os\n", FIXED]


def test_nobody_imports_a_notebook(tmp_path: Path) -> None:
    text = 'import multiprocessing as mp\nmp.set_start_method("spawn")\npool = mp.Pool(2)\npool.close()\n'
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": [{"cell_type": "code", "source": text}], "metadata": {}, "nbformat": 4}))
    assert concise("--select", "MP7", cwd=tmp_path) == (0, [], "")
    (tmp_path / "n.py").write_text(text)
    assert concise("--select", "MP7", "n.py", cwd=tmp_path) == (1, ["n.py:2:1: MP703", "n.py:3:8: MP701"], "")


# -- accepting


@pytest.mark.parametrize("words", ("--diff --add-noqa", "--add-noqa --write-baseline base.json", "--fix --write-baseline base.json"))
def test_words_that_contradict_each_other_change_nothing(tmp_path: Path, words: str) -> None:
    project(tmp_path)
    done = run(*words.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be combined" in done.stderr
    assert (tmp_path / "app.py").read_text() == HANGING and not (tmp_path / "base.json").exists()


def test_adding_noqa(tmp_path: Path) -> None:
    project(tmp_path)
    done = run("--add-noqa", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "Suppressed 1 finding in 1 file.\n")
    assert "range(9))  # noqa: MP501\n" in (tmp_path / "app.py").read_text()
    assert concise(cwd=tmp_path) == (0, [], "")


def test_baseline(tmp_path: Path) -> None:
    project(tmp_path)
    assert run("--write-baseline", "base.json", cwd=tmp_path).stdout == "Accepted 1 finding in base.json.\n"
    assert concise("--baseline", "base.json", cwd=tmp_path) == (0, [], "")
    (tmp_path / "app.py").write_text("\n\n" + HANGING)
    assert concise("--baseline", "base.json", cwd=tmp_path) == (0, [], "")
    (tmp_path / "pyproject.toml").write_text('[tool.mplint]\nbaseline = "base.json"\n')
    assert concise("app.py", "--fix", "--unsafe-fixes", cwd=tmp_path) == (0, [], "")
    assert "timeout" not in (tmp_path / "app.py").read_text()
    (tmp_path / "app.py").write_text(HANGING.replace("return", "pool.map(work, ())\n        return"))
    assert concise(cwd=tmp_path)[1] == ["app.py:8:9: MP501", "app.py:9:16: MP501"]
    (tmp_path / "app.py").write_text(FIXED)
    code, found, said = concise(cwd=tmp_path)
    assert (code, found) == (0, []) and "the baseline holds 1 finding" in said


# -- faces of the same findings


def test_standard_input_stands_for_a_file_of_the_project(tmp_path: Path) -> None:
    project(tmp_path, {"pkg/__init__.py": "", "pkg/app.py": "", "pkg/tasks.py": "def work(x):\n    return x\n"})
    words = ("-", "--stdin-filename", "pkg/app.py")
    assert concise(*words, cwd=tmp_path, stdin=HANGING.encode()) == (1, ["pkg/app.py:8:16: MP501"], "")
    assert (tmp_path / "pkg" / "app.py").read_text() == ""
    done = run(*words, "--fix", "--unsafe-fixes", cwd=tmp_path, stdin=HANGING.encode())
    assert (done.returncode, done.stdout) == (0, FIXED)
    assert concise("-", cwd=tmp_path, stdin=b"x = (")[:2] == (1, ["-:1:5: MP000"])


def test_reports_and_output_file(tmp_path: Path) -> None:
    project(tmp_path)
    for name in ("full", "concise", "json", "json-lines", "sarif", "github", "gitlab", "junit", "html"):
        done = run("--output-format", name, "--output-file", "out.txt", cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", ""), name
        assert "MP501" in (tmp_path / "out.txt").read_text(encoding="utf-8"), name
    assert "MP501" in run("--statistics", cwd=tmp_path).stdout
    assert "\x1b[" in run("--color", "always", cwd=tmp_path).stdout
    assert "\x1b[" not in run(cwd=tmp_path).stdout


def test_per_file_ignores(tmp_path: Path) -> None:
    project(tmp_path, {"tests/test_app.py": HANGING}, config='[tool.mplint.per-file-ignores]\n"tests" = ["MP501"]\n')
    assert concise(cwd=tmp_path)[1] == ["app.py:8:16: MP501"]
    assert concise("--per-file-ignores", "app.py:MP5", "--isolated", cwd=tmp_path)[1] == ["tests/test_app.py:8:16: MP501"]


def test_the_library_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    assert [(f.code, f.row, f.column) for f in check([tmp_path])] == [("MP501", 8, 16)]
    with pytest.raises(FileNotFoundError):
        check([tmp_path / "nowhere"])
    (tmp_path / "mplint.toml").write_text("slect = []")
    with pytest.raises(ConfigError):
        check([tmp_path])


# -- questions


def test_questions(tmp_path: Path) -> None:
    project(tmp_path)
    page = run("--explain", "pool-call-without-timeout", cwd=tmp_path).stdout
    assert page.startswith("# MP501 pool-call-without-timeout\n") and "```python" in page
    assert json.loads(run("--list-rules", "--output-format", "json", cwd=tmp_path).stdout)[0]["code"] == "MP000"
    assert "work" in run("--map", cwd=tmp_path).stdout


def test_quiet_leaves_the_closing_words_out(tmp_path: Path) -> None:
    project(tmp_path)
    assert run("--quiet", "tasks.py", cwd=tmp_path).stdout == ""
    assert "Found" not in run("--quiet", "--output-format", "concise", cwd=tmp_path).stdout


def test_version_imports_nothing() -> None:
    program = (
        "import sys\nfrom mplint.cli import main\ntry:\n    main(['--version'])\nexcept SystemExit as leave:\n    assert leave.code == 0\n"
        "print(sorted({'libcst', 'rich', 'click', 'msgspec', 'pathspec', 'mplint.session'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=LIMIT, cwd=Path(__file__).parent.parent)
    assert done.stdout == f"mplint {__version__}\n[]\n"


def test_watching(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    project(tmp_path)
    env = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parent.parent), "PYTHONUNBUFFERED": "1", "WATCHFILES_FORCE_POLLING": "1"}
    words = [sys.executable, "-m", "mplint", "--watch", "--output-format", "concise"]
    command = subprocess.Popen(words, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    limit = threading.Timer(LIMIT, command.kill)
    limit.start()
    try:
        assert command.stdout is not None and command.stderr is not None
        while "Found" not in (line := command.stdout.readline()):
            assert line, "the first check ended the watch"
        (tmp_path / "app.py").write_text(FIXED)
        later = (tmp_path / "app.py").stat().st_mtime + 5
        os.utime(tmp_path / "app.py", (later, later))  # the polling watcher tells seconds apart, nothing finer
        while "Nothing found" not in (line := command.stdout.readline()):
            assert line, "the change ended the watch"
        command.send_signal(signal.SIGINT)
        said = command.stderr.read()
        assert command.wait(LIMIT) == 130
        assert "app.py changed" in said and "Traceback" not in said
    finally:
        limit.cancel()
        command.kill()
        command.wait()
        command.stdout.close()
        command.stderr.close()
