"""What is kept changes nothing but the time that a run takes, whoever wrote it and whatever happens to it."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from command import HANGING, LIMIT, TASKS, codes, project, run
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cli import FIXED, pack

from mplint import __version__
from mplint.cache import findings, stamps
from mplint.cache.folder import LARGEST, Folder
from mplint.cache.memory import NAME, Memory
from mplint.cache.pieces import Pieces
from mplint.cache.trace import DECODER
from mplint.config import load
from mplint.facts.outline import outline_of
from mplint.finding import Finding, Span
from mplint.finding.result import Result
from mplint.opening import Opened, open_sessions
from mplint.source import digest_of
from mplint.source.look import Look
from mplint.source.scan import scan_of

CONCISE = ("--output-format", "concise")


def opened(root: Path, *paths: Path, cached: bool = True, warn: Callable[[str], None] = lambda text: None) -> Opened:
    """The project in `root`, with its cache or without."""
    folder = Folder(str(root / NAME), warn=warn) if cached else None
    (project,) = open_sessions(
        [str(path) for path in paths or (root,)],
        lambda _: load(str(root), isolated=True, environment={}),
        folder_for=lambda _: folder,
    )
    return project


def checked(root: Path, *paths: Path) -> Result:
    """What a run says that uses the cache."""
    project = opened(root, *paths)
    return project.recall() or project.check()


def entries(root: Path) -> list[Path]:
    return sorted((root / NAME / __version__).iterdir())


# -- agreement

SEVERAL = "def work(x):\n    return unheard(step(x))\n\n\ndef idle():\n    return 1\n\n\ndef step(x):\n    return x + 3\n"
EXCEPTION = "class {name}(Exception):\n    def __init__(self, a, b):\n        super().__init__(a)\n"
VARIANTS = {
    "app.py": (
        HANGING,
        FIXED,
        HANGING.replace("pool.map(", "pool.imap("),
        HANGING + "# a comment\n",
        "# above\n" + HANGING,
        HANGING + "# noqa: MP501\n",
        HANGING[:-1] + "  # noqa: MP501\n",
        HANGING.replace("main", "main_"),
        "x = 1\n",
        "def broken(:\n",
        HANGING.replace("tasks", "pkg.deep"),
    ),
    "tasks.py": (
        TASKS,
        "from errors import Odd\n\ndef work(x):\n    raise Odd(x, 2)\n",
        "import sys\n\n\ndef work(x):\n    sys.exit(x)\n",
        "def work(x):\n    # noqa: MP501\n    return work(x - 1)\n",
        SEVERAL,
        SEVERAL.replace("1", "work(1)"),
        SEVERAL.replace("1", "[map(x) for x in 'ab']") + "\n\ndef fresh():\n    return idle(2)\n",
        SEVERAL.replace("x + 3", "step(x - 3)"),
        SEVERAL + "\n\ndef unheard(x):\n    import sys\n    sys.exit(x)\n",
        "import signal\n\n\ndef stop(*a):\n    raise ValueError\n\n\ndef work(x):\n    signal.signal(signal.SIGTERM, stop)\n",
    ),
    "errors.py": (EXCEPTION.format(name="Odd"), EXCEPTION.format(name="Odd").replace("(a)", "(a, b)"), "from base import Odd\n", None),
    "base.py": (EXCEPTION.format(name="Odd"), "class Odd(Exception):\n    pass\n", "\xff = 1\n", None),
    "pkg/deep.py": ("from tasks import work\n", "from errors import *\nwork = Odd\n", None),
    "pkg/__init__.py": ("", None),
    "notes.py": ("x = 1\n", "x = 2\n", "x = 2  # a comment\n", "x = (\n", "x = 2  # mplint: ignore[MP501]\n", "import signal\n", "work(1)\n", None),
}


def put(root: Path, name: str, text: str | None) -> None:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    if text is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(text, encoding="latin-1")


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(VARIANTS)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(VARIANTS[name]))), st.booleans()),
        min_size=1,
        max_size=6,
    )
)
def test_edits_between_runs(tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[tuple[str, str | None], bool]]) -> None:
    root = tmp_path_factory.mktemp("project")
    for name, texts in VARIANTS.items():
        put(root, name, texts[0])
    checked(root)
    for (name, text), alone in edits:
        put(root, name, text)
        paths = (root / "app.py",) if alone else ()
        plain = opened(root, *paths, cached=False).check()
        assert checked(root, *paths) == plain
        assert checked(root, *paths) == plain


BELOW = HANGING + "\n\ndef idle(x):\n    return 1\n"
EDITS = {
    "another file": ("notes.py", "y = 3\n", True),
    "another file grows": ("notes.py", "y = 3\n" * 60_000, False),
    "another file breaks": ("notes.py", "y = (\n", False),
    "another file is suppressed": ("notes.py", "y = 3  # mplint: ignore[MP501]\n", False),
    "another file hands over": ("notes.py", "import multiprocessing\n", False),
    "another file calls": ("notes.py", "from tasks import work\nwork(3)\n", False),
    "a comment below": ("app.py", BELOW + "\n# the end\n", True),
    "a comment above": ("app.py", "# a start\n" + BELOW, False),
    "a suppression below": ("app.py", BELOW + "# mplint: ignore-file\n", False),
    "a statement below": ("app.py", BELOW + "main()\n", False),
    "a comment beside": ("app.py", BELOW.replace("def main():", "def main():  # here"), False),
    "flake8 is told": ("app.py", BELOW + "# flake8: noqa\n", False),
    "a suppression of others below": ("app.py", BELOW + "x = 1  # noqa: E501\n", False),
    "a comment to others below": ("app.py", BELOW + "# noqa: E501\n", True),
    "a comment at the finding": ("app.py", HANGING[:-1] + "  # noqa\n" + BELOW[len(HANGING) :], False),
    "a worker": ("tasks.py", SEVERAL.replace("return unheard", "raise unheard"), False),
    "a comment at a worker": ("tasks.py", SEVERAL + "# done\n", True),
    "a function that nobody read": ("tasks.py", SEVERAL.replace("1", "2"), True),
    "lines go before what was read": ("tasks.py", SEVERAL.replace("    return 1", "    text = 'x'\n    return text"), True),
    "a function that nobody read names an API": ("app.py", BELOW.replace("1", "Pool"), False),
    "a function that nobody read beside an API": ("app.py", BELOW.replace("1", "x + 2"), True),
    "a comment in a worker": (
        "tasks.py",
        SEVERAL.replace("x + 3", "x + 3  # three").replace("    return unheard", "    # step by step\n    return unheard"),
        False,
    ),
    "comments of their own in a worker": ("tasks.py", SEVERAL.replace("    return unheard", "    # one by one\n\n    return unheard"), True),
    "a docstring of a worker": ("tasks.py", SEVERAL.replace("    return unheard", '    """Work."""\n    return unheard'), True),
    "a string of a worker": ("tasks.py", SEVERAL.replace("    return unheard", '    x = """Work."""\n    return unheard'), False),
    "a function that nobody read breaks": ("tasks.py", SEVERAL.replace("1", "("), False),
    "what a worker calls": ("tasks.py", SEVERAL.replace("x + 3", "x - 3"), False),
    "a new function": ("tasks.py", "def fresh(x):\n    return x\n\n\n" + SEVERAL, True),
    "a new function below a finding": ("app.py", BELOW + "\n\ndef fresh(x):\n    return x\n", True),
    "a new function above a finding": ("app.py", "def fresh(x):\n    return x\n\n\n" + BELOW, False),
    "a new function that hands over": ("app.py", BELOW + "\n\ndef fresh(x):\n    return Pool().map(print, x)\n", False),
    "a new function in place of a name": ("tasks.py", SEVERAL + "\n\ndef unheard(x):\n    return x\n", False),
    "a function less": ("tasks.py", SEVERAL.partition("\n\n\ndef idle")[0] + "\n", False),
}
"""A change, and whether what was found before it still stands without another look."""


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_that_the_engine_would_not_see(tmp_path: Path, name: str) -> None:
    path, text, is_known = EDITS[name]
    start = {"notes.py": "y = 2\n", "app.py": BELOW, "tasks.py": SEVERAL}
    root = project(tmp_path, start)
    assert len(checked(root).findings) == 1
    put(root, path, text)
    after = opened(root)
    found = after.recall()
    assert (found is not None) == is_known
    plain = opened(root, cached=False).check()
    assert found in (None, plain)
    assert checked(root) == plain
    assert opened(root, root / "app.py").recall() == opened(root, root / "app.py", cached=False).check()
    put(root, path, start[path])
    assert opened(root).recall() == opened(root, cached=False).check()


def test_an_edit_after_an_edit(tmp_path: Path) -> None:
    root = project(tmp_path, {"notes.py": "y = 2\n"})
    checked(root)
    for number in range(3):
        put(root, "notes.py", f"y = {number} + 7\n")
        assert opened(root).recall() == opened(root, cached=False).check()
    for number in range(3):
        put(root, "tasks.py", TASKS + "\n\n".join(f"def fresh{n}():\n    return {n}\n" for n in range(number)))
        assert opened(root).recall() == opened(root, cached=False).check(), number
    put(root, "more.py", "y = 2\n")
    assert opened(root).recall() is None, "a new file may change what a name means"


def test_an_edit_after_one_that_was_taken_back(tmp_path: Path) -> None:
    root = project(tmp_path, {"notes.py": "y = 2\n"})
    checked(root)
    put(root, "tasks.py", SEVERAL)
    assert opened(root).recall() is None
    checked(root)
    put(root, "tasks.py", TASKS)
    assert opened(root).recall() is not None
    put(root, "notes.py", "y = 3\n")
    assert opened(root).recall() == opened(root, cached=False).check()


@pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")
def test_what_other_processes_looked_at_counts(tmp_path: Path) -> None:
    """What only the check of a file asks for, in a process of its own, is known to the run that follows an edit of just that."""
    plain, forked = (
        project(tmp_path / name, {f"m{n}.py": HANGING.replace("main", f"main{n}") for n in range(4)} | {"notes.py": "y = 2\n"}) for name in ("one", "two")
    )
    for root, jobs in ((plain, 1), (forked, 2)):
        opened(root).check(jobs=jobs)
    for edit in ("y = 3\n", "main2(1)\n", "y = 'IMapIterator'\n", "# nothing\n"):
        known = []
        for root in (plain, forked):
            put(root, "notes.py", edit)
            known.append(opened(root).recall() is not None)
            assert checked(root) == opened(root, cached=False).check()
            put(root, "notes.py", "y = 2\n")
        assert known[0] == known[1], edit


def test_facts_alone_give_the_same_findings(tmp_path: Path) -> None:
    root = project(tmp_path, {"errors.py": EXCEPTION.format(name="Odd"), "tasks.py": VARIANTS["tasks.py"][1] or ""})
    plain = opened(root, cached=False).check()
    opened(root).check()
    assert len(plain.findings) > 1
    again = opened(root)
    assert again.check() == plain
    assert again.session.sources.read(str(root / "app.py")).digest in again._memory.pieces._facts  # type: ignore[union-attr]


def test_a_part_is_answered_by_the_whole(tmp_path: Path) -> None:
    root = project(tmp_path, {"other.py": HANGING, "tasks.py": "import tasks as t  # mplint: ignore[MP501]\n" + TASKS})
    whole = opened(root)
    assert whole.recall() is None
    whole.check()
    part = opened(root, root / "app.py")
    found = part.recall()
    assert found is not None and part.is_recalled
    assert found == opened(root, root / "app.py", cached=False).check()
    assert opened(root, root / "tasks.py").recall() == opened(root, root / "tasks.py", cached=False).check()


def test_parts_add_up_to_the_whole(tmp_path: Path) -> None:
    root = project(tmp_path, {"other.py": HANGING})
    for name in ("tasks.py", "other.py", "app.py"):
        assert opened(root, root / name).recall() is None
        checked(root, root / name)
    assert opened(root).recall() == opened(root, cached=False).check()


def test_a_file_that_a_large_run_had_no_time_to_parse_is_parsed_alone(tmp_path: Path) -> None:
    root = project(tmp_path, {"large.py": "x = 1\n" * 60_000, "idle.py": "def f(:\n"})
    assert not [f for f in checked(root).findings if f.code == "MP000"]
    assert [f.code for f in checked(root, root / "idle.py").findings] == ["MP000"]
    assert opened(root).recall() is not None


def test_other_settings_and_other_packs(tmp_path: Path) -> None:
    rule = (
        "from mplint.rule import Rule\nclass Ours(Rule):\n    '''Ours.'''\n    code = 'XY101'\n    name = 'our-rule'\n    def check(self, module, project):\n"
    )
    env = pack(tmp_path, rule + "        yield from ()\n")
    root = project(tmp_path / "project")
    assert codes(run(*CONCISE, cwd=root)) == ["app.py:8:16: MP501"]
    assert codes(run(*CONCISE, "--ignore", "MP501", cwd=root)) == []
    assert codes(run(*CONCISE, cwd=root, env=env)) == ["app.py:8:16: MP501"]
    (tmp_path / "installed" / "ourpack.py").write_text(rule + "        raise KeyError('oops')\n")
    assert run(*CONCISE, cwd=root, env=env).returncode == 2
    assert run(*CONCISE, cwd=root, env=env).returncode == 2, "a run that failed is not remembered"
    (root / "pyproject.toml").write_text("[tool.mplint]\nignore = ['MP501']\n")
    assert codes(run(*CONCISE, cwd=root)) == []


def test_what_makes_a_program_of_a_file(tmp_path: Path) -> None:
    """A .spec file is no module, and what is found depends on it; as on settings that are not there yet."""
    words = (*CONCISE, "--isolated", "--preview", "--select", "MP705")
    for folder, made, text, other in (
        ("spec", "app.spec", 'a = Analysis(["app.py"], pathex=[])\n', 'a = Analysis(["other.py"], pathex=[])\n'),
        ("table", "pyproject.toml", '[tool.cxfreeze]\nexecutables = ["app.py"]\n', "[tool.other]\n"),
    ):
        root = tmp_path / folder
        root.mkdir()
        (root / "app.py").write_text("from multiprocessing import Pool\n\nif __name__ == '__main__':\n    Pool().map(print, [1])\n")
        (root / ".git").mkdir()
        assert codes(run(*words, "--cache-dir", ".kept", cwd=root)) == []
        (root / made).write_text(text)
        for _ in range(2):
            assert codes(run(*words, "--cache-dir", ".kept", cwd=root)) == ["app.py:4:5: MP705"]
        (root / made).write_text(other)
        assert codes(run(*words, "--cache-dir", ".kept", cwd=root)) == []


def test_a_baseline_that_changes(tmp_path: Path) -> None:
    root = project(tmp_path)
    assert run("--write-baseline", "known.json", cwd=root).returncode == 0
    words = (*CONCISE, "--baseline", "known.json")
    assert [run(*words, cwd=root).returncode for _ in range(2)] == [0, 0]
    (root / "known.json").write_text('{"version": 1, "findings": {}}')
    assert run(*words, cwd=root).returncode == 1


def test_fixes_are_never_taken_from_the_cache(tmp_path: Path) -> None:
    root = project(tmp_path)
    run(*CONCISE, cwd=root)
    for path in entries(root):
        data = path.read_bytes()[16:].replace(b"map_async", b"map_owned")
        path.write_bytes(digest_of(data) + data)
    assert run("--fix", "--unsafe-fixes", cwd=root).returncode == 0
    assert (root / "app.py").read_text() == FIXED


# -- which files changed


def test_only_what_changed_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamps, "SETTLED", -stamps.SETTLED)  # as if every file had been left alone for long
    paths = [str(tmp_path / name) for name in ("a.py", "b.py", "c.py")]
    for path in paths:
        Path(path).write_text("x = 1\n")
    first = stamps.look(paths, {}, {})
    assert first.is_new and set(first.data) == set(paths)
    again = stamps.look(paths, first.stamps, {})
    assert (again.stamps, again.data, again.is_new) == (first.stamps, {}, False)
    Path(paths[1]).write_text("x = 22\n")
    os.unlink(paths[2])
    assert not stamps.unchanged(first, {})
    later = stamps.look(paths, first.stamps, {})
    assert set(later.data) == {paths[1]} and later.is_new
    assert later.stamps[paths[0]] == first.stamps[paths[0]]
    overlaid = stamps.look(paths[:1], first.stamps, {paths[0]: b"x = 22\n"})
    assert overlaid.stamps[paths[0]].digest == later.stamps[paths[1]].digest and not overlaid.data


def test_a_file_that_was_just_written_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    first = stamps.look([str(path)], {}, {})
    assert set(stamps.look([str(path)], first.stamps, {}).data) == {str(path)}


def test_what_changes_during_a_run_is_not_remembered(tmp_path: Path) -> None:
    root = project(tmp_path)
    running = opened(root)
    assert running.recall() is None
    assert running.session.project.errors == {}
    (root / "app.py").write_text(FIXED)
    running.check()
    assert opened(root).recall() is None
    put(root, "app.py", HANGING)
    assert [f.code for f in checked(root).findings] == ["MP501"]


# -- a stranger's cache


def nested(depth: int) -> bytes:
    return b"\x91" * depth + b"\xc0"


HOSTILE = {
    "empty": lambda data: b"",
    "one byte": lambda data: data[:1],
    "half": lambda data: data[: len(data) // 2],
    "longer": lambda data: data + b"\x00",
    "noise": lambda data: random.Random(1).randbytes(4096),
    "huge array": lambda data: b"\xdd\xff\xff\xff\xff",
    "huge map": lambda data: b"\xdf\xff\xff\xff\xff\xa1a",
    "huge text": lambda data: b"\xdb\xff\xff\xff\xff",
    "deep": lambda data: nested(1_000_000),
    "deep map": lambda data: b"\x81\xa1a" * 200_000 + b"\xc0",
    "pickle": lambda data: b"cos\nsystem\n(S'exit 77'\ntR.",
    "other type": lambda data: msgspec.msgpack.encode({"a.py": ["x"]}),
    "nothing": lambda data: msgspec.msgpack.encode(None),
}


@pytest.mark.parametrize("is_named", [False, True], ids=["damaged", "made up"])
@pytest.mark.parametrize("name", HOSTILE)
def test_bad_entries_are_misses(tmp_path: Path, name: str, is_named: bool) -> None:
    root = project(tmp_path)
    plain = opened(root, cached=False).check()
    opened(root).check()
    assert {path.name.partition("-")[0] for path in entries(root)} == {"files", "findings", "facts", "scans", "traces"}
    for path in entries(root):
        data = HOSTILE[name](path.read_bytes()[16:])
        path.write_bytes((digest_of(data) if is_named else b"") + data)
    assert opened(root).recall() is None
    assert checked(root) == plain
    assert opened(root).recall() == plain, "the bad entries were replaced"


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.binary(min_size=1, max_size=4))
def test_bytes_that_differ(tmp_path_factory: pytest.TempPathFactory, at: int, change: bytes) -> None:
    """Any entry with some bytes overwritten is a miss."""
    root = project(tmp_path_factory.mktemp("project"))
    plain = opened(root, cached=False).check()
    opened(root).check()
    for path in entries(root):
        data = bytearray(path.read_bytes())
        data[at % len(data) : at % len(data) + len(change)] = change
        path.write_bytes(data)
    assert checked(root) == plain


def test_entries_of_well_formed_nonsense(tmp_path: Path) -> None:
    """Facts that fit the types and not the file: pages and lines that it does not have."""
    folder = Folder(str(tmp_path))
    pieces = Pieces(folder, "/project")
    outline = outline_of("def f():\n    pass\n\n\ndef g():\n    pass\n")
    pieces.keep_outline(b"right", outline)
    pieces.keep_outline(b"page", msgspec.structs.replace(outline, functions={"f": (7,)}))
    pieces.keep_outline(b"line", msgspec.structs.replace(outline, pages=(msgspec.structs.replace(outline.pages[0], last=99),)))
    pieces.keep_scan(b"right", scan_of(b"import multiprocessing\nclass A(B): pass\n"))
    pieces.save()
    again = Pieces(folder, "/project")
    assert again.outline(b"right", 6) == outline
    assert again.outline(b"page", 6) is again.outline(b"line", 6) is again.outline(b"none", 6) is None
    assert again.scan(b"right") == scan_of(b"import multiprocessing\nclass A(B): pass\n")
    assert again.scan(b"page") is None and again.steps(b"right", 0) is None
    assert Pieces(folder, "/other").outline(b"right", 6) is None


@pytest.mark.parametrize(
    "nonsense", [{"looks": {}}, {"words": {b"Pool": b""}}, {"meanings": {}}, {"sought": frozenset()}, {"files": {}}, {"places": {}}, {"read": {99}}]
)
def test_a_trace_of_well_formed_nonsense(tmp_path: Path, nonsense: dict[str, Any]) -> None:
    root = project(tmp_path)
    checked(root)
    folder, (entry,) = Folder(str(root / NAME)), [path for path in entries(root) if path.name.startswith("traces")]
    name = entry.name.partition("-")[2]
    (trace,) = folder.read("traces", name, DECODER) or ()
    if "read" in nonsense:
        nonsense = {"looks": {path: Look(read=set(nonsense["read"]), held=look.held) for path, look in trace.looks.items()}}
    folder.write("traces", name, (msgspec.structs.replace(trace, **nonsense),))
    put(root, "tasks.py", "def fresh():\n    pass\n\n\n" + TASKS)
    assert checked(root) == opened(root, cached=False).check()


def test_findings_in_files_that_are_no_part_of_the_project(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    stranger = Finding("MP501", "x", "/etc/passwd", Span(0, 1), 1, 1, 1, 2, "look")
    folder.write("findings", "0" * 32, findings.Entry(Result((stranger,), checked=("/etc/passwd",))))
    assert findings.recall(folder, "0" * 32, ["/etc/passwd"], overlays={}, project=["/project/a.py"]) is None


def test_entries_that_are_links_or_pipes(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    plain = opened(root, cached=False).check()
    opened(root).check()
    secret = tmp_path / "secret"
    for kind in ("link", "pipe", "folder"):
        for path in entries(root):
            secret.write_bytes(path.read_bytes())
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()
            if kind == "link":
                path.symlink_to(secret)
            elif kind == "pipe":
                os.mkfifo(path)
            else:
                path.mkdir()
        before = secret.read_bytes()
        assert opened(root).recall() is None
        assert checked(root) == plain
        assert secret.read_bytes() == before, "nothing is written through a link"


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    root, elsewhere = project(tmp_path / "project"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / NAME).symlink_to(elsewhere)
    done = run(*CONCISE, cwd=root)
    assert codes(done) == ["app.py:8:16: MP501"] and not list(elsewhere.iterdir())
    assert done.stderr.count("\n") == 1 and "it is a symbolic link" in done.stderr
    assert run("--clear-cache", cwd=root).returncode == 2
    assert run(*CONCISE, "--cache-dir", NAME, cwd=root).stderr == "" and list(elsewhere.iterdir()), "who names the place may link it"


# -- the folder


def test_the_folder_is_left_alone_by_git_and_backups(tmp_path: Path) -> None:
    root = project(tmp_path)
    run(*CONCISE, cwd=root)
    assert (root / NAME / "CACHEDIR.TAG").read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55")
    assert (root / NAME / ".gitignore").read_text().splitlines()[-1] == "*"


def test_no_cache_and_clear_cache(tmp_path: Path) -> None:
    root = project(tmp_path)
    run("--no-cache", cwd=root)
    assert not (root / NAME).exists()
    run(*CONCISE, "--cache-dir", "kept", cwd=root)
    assert not (root / NAME).exists() and list((root / "kept" / __version__).iterdir())
    run(*CONCISE, cwd=root)
    mine = root / NAME / __version__ / "notes.txt"
    mine.touch()
    done = run("--clear-cache", cwd=root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"mplint: note: 5 entries removed from {NAME}\n")
    assert entries(root) == [mine] and list((root / "kept" / __version__).iterdir())


def test_nothing_is_left_beside_a_loose_file(tmp_path: Path) -> None:
    (tmp_path / "loose.py").write_text(HANGING)
    assert codes(run(*CONCISE, "loose.py", cwd=tmp_path)) == ["loose.py:8:16: MP501"]
    assert [path.name for path in tmp_path.iterdir()] == ["loose.py"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    root = project(tmp_path)
    (root / NAME).write_text("not a folder")
    done = run(*CONCISE, cwd=root)
    assert codes(done) == ["app.py:8:16: MP501"] and done.returncode == 1
    assert done.stderr.startswith("mplint: warning: nothing is kept in the cache") and done.stderr.count("\n") == 1
    assert run(*CONCISE, "--quiet", cwd=root).stderr == ""
    assert (root / NAME).read_text() == "not a folder"


@pytest.mark.parametrize("call", ["open", "replace", "makedirs"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_read_only_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int) -> None:
    said: list[str] = []
    folder = Folder(str(tmp_path / "cache"), warn=said.append)
    if call != "makedirs":
        folder.write("files", "0" * 32, {})

    def fails(*args: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fails)
    folder.write("facts", "1" * 32, {})
    folder.write("facts", "2" * 32, {})
    folder.prune()
    monkeypatch.undo()
    assert len(said) == 1 and os.strerror(number) in said[0]
    assert [path.name for path in (tmp_path / "cache").rglob("*-*")] == ([] if call == "makedirs" else ["files-" + "0" * 32])
    assert not list((tmp_path / "cache").rglob(".[0-9a-f]*"))


def test_what_is_too_large_goes_the_oldest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(str(tmp_path))
    for age, key in ((3, "a"), (1, "b"), (2, "c")):
        folder.write("findings", key * 32, b"x" * 1000)
        path = tmp_path / __version__ / f"findings-{key * 32}"
        os.utime(path, (1e9 - age, 1e9 - age))
    dead = tmp_path / __version__ / ("." + "0" * 24)
    dead.touch()
    os.utime(dead, (1e9, 1e9))
    monkeypatch.setattr("mplint.cache.folder.ROOM", 2500)
    folder.prune()
    assert [path.name[9] for path in sorted((tmp_path / __version__).iterdir())] == ["b", "c"]
    folder.write("facts", "d" * 32, b"x" * 400)
    folder.used("findings", "c" * 32)
    monkeypatch.setattr("mplint.cache.folder.MOST", 1)
    folder.prune()
    assert [path.name for path in sorted((tmp_path / __version__).iterdir())] == ["facts-" + "d" * 32, "findings-" + "c" * 32]
    folder.write("findings", "b" * 32, b"x" * 1000)
    monkeypatch.setattr("mplint.cache.folder.LARGEST", 10)
    assert folder.read("findings", "b" * 32, msgspec.msgpack.Decoder(bytes)) is None
    assert LARGEST > 1 << 20


def test_text_that_is_no_unicode_is_left_out(tmp_path: Path) -> None:
    """A name that cannot be encoded takes the entry out, not the run down."""
    root = project(tmp_path, {"lone.py": HANGING + "NAME = '\\ud800'\n"})
    plain = opened(root, cached=False).check()
    assert checked(root) == plain and checked(root) == plain
    if sys.platform == "linux":
        Path(os.fsdecode(os.fsencode(root) + b"/\xff.py")).write_text(HANGING)
        plain = opened(root, cached=False).check()
        assert len(plain.findings) == 3
        assert checked(root) == plain and checked(root) == plain


def test_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path)
    opened(root).check()
    monkeypatch.setattr("mplint.cache.findings.identity", lambda: b"other code")
    assert opened(root).recall() is None
    monkeypatch.undo()
    assert opened(root).recall() is not None
    monkeypatch.setattr("mplint.cache.folder.__version__", "9.9")
    assert opened(root).recall() is None


# -- several at once


def test_runs_at_once(tmp_path: Path) -> None:
    root = project(tmp_path, {f"m{n}.py": HANGING for n in range(6)})
    expected = run("--no-cache", *CONCISE, cwd=root).stdout
    env = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-m", "mplint", *CONCISE]
    for _ in range(2):  # with nothing there, and with everything
        started = [subprocess.Popen(command, cwd=root, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
        said = [process.communicate(timeout=LIMIT) for process in started]
        assert said == [(expected, "")] * 3
    assert not [path for path in entries(root) if path.name.startswith(".")]
    assert opened(root).recall() is None, "these settings were read from files"
    assert len([path for path in entries(root) if path.name.startswith("findings-")]) == 1


def test_memory_is_of_one_root(tmp_path: Path) -> None:
    """Two projects share a folder."""
    folder = Folder(str(tmp_path / "cache"))
    for name in ("one", "two"):
        root = project(tmp_path / name)
        (found,) = open_sessions([str(root)], lambda _, root=root: load(str(root), isolated=True), folder_for=lambda _: folder)  # type: ignore[misc]
        assert found.recall() is None
        assert found.check().findings[0].path == str(root / "app.py")
    assert len(list((tmp_path / "cache").rglob("files-*"))) == 2
    settings_ = load(str(tmp_path / "one"), isolated=True)
    assert Memory(folder, settings_, [], {}).recall([]) is None
