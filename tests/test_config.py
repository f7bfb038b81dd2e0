"""Configuration: where it is found, what it says, what is wrong with it; and the files that are discovered."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import msgspec
import pytest
from command import project, run

from mplint import __version__
from mplint.apis import Alias, Api, Kind
from mplint.config import ConfigError, Options, Settings, load
from mplint.config.files import minimum_python
from mplint.config.options import FORMATS, KEYS
from mplint.config.schema import text as schema_text
from mplint.config.selectors import choose
from mplint.report import FORMATS as WRITTEN
from mplint.rule import Rule
from mplint.source.discover import discover, grouped, matches


def settings(root: Path, text: str = "", **given: object) -> Settings:
    (root / "mplint.toml").write_text(text)
    return load(str(root), environment={}, **given)  # type: ignore[arg-type]


# -- keys and values


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("slect = []", 'unknown key `slect` (did you mean "select"?)'),
        ("extend_select = []", 'unknown key `extend_select` (did you mean "extend-select"?)'),
        ("fix = 'yes'", "`fix`: expected true or false, got a string"),
        ("select = 'MP'", "`select`: expected a list, got a string"),
        ("output-format = 'sarfi'", 'no format is called "sarfi" (did you mean "sarif"?)'),
        ("target-version = '2.7'", "`target-version`: expected a Python version"),
        ("timeout = 'a b'", "'a b' is not a Python expression"),
        ("timeout = 0", "`timeout`: expected a number of seconds above 0"),
        ("timeout = nan", "`timeout`: expected a number"),
        ("memory-bound = 0", "`memory-bound`: expected a whole number >= 1"),
        ("src = ['nowhere']", "nowhere does not exist"),
        ("python = 'nowhere'", "nowhere does not exist"),
        ("required-version = '>=99'", f"`required-version` is >=99, this is mplint {__version__}"),
        ("required-version = 'new'", "'new' is no version specifier"),
        ("[[api]]\nname = 'x'\nroel = 'pool'", "`api[0]`: unknown column `roel`"),
        ("[[api]]\nname = 'x'\ndoes = ['sumbit']", "`api[0]`: `does[0]`: 'sumbit' is no word for this (did you mean \"submit\"?); there are make,"),
        ("[[api]]\nname = 'x'\ndoes = ['submit']\nwhere = 'moon'", "'moon' is no word for this; there are process,"),
        ("[[api]]\nname = 'x'\ndoes = ['submit']\ncallee = ['task']", '`callee`: expected a position, a keyword or both, such as 0, "task" or [0, "task"]'),
        ("[[api]]\nname = 1\ndoes = ['submit']", "`api[0]`: `name`: expected a string, got a whole number"),
        ("timeout = true", "`timeout`: expected a number or a string, got true or false"),
        ("select = [", "not valid TOML"),
    ],
)
def test_mistakes_name_the_file_the_key_and_the_nearest_word(tmp_path: Path, config: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, config)
    assert str(caught.value).startswith(str(tmp_path / "mplint.toml"))
    assert message in str(caught.value)


@pytest.mark.parametrize("version", ("2.7", "py27", "3", "311", "3.x"))
def test_a_version_on_the_command_line_is_looked_at_too(tmp_path: Path, version: str) -> None:
    with pytest.raises(ConfigError, match="command line: `target-version`: expected a Python version"):
        load(str(tmp_path), command_line=Options(target_version=version))


def test_the_command_line_wins_and_every_value_has_an_origin(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.12"\n[tool.other]\nx = 1\n')
    found = settings(tmp_path, "preview = true\nextend-exclude = ['a']\n", command_line=Options(extend_exclude=("b",)), config=("timeout = 7",))
    assert (found.preview, found.extend_exclude, found.timeout, found.timeout_is_own) == (True, ("a", "b"), "7", True)
    assert found.target_version == (3, 12)
    assert found.origins["preview"] == str(tmp_path / "mplint.toml")
    assert found.origins["extend-exclude"] == "command line"
    assert found.origins["timeout"].startswith("--config")
    assert "requires-python" in found.origins["target-version"]


@pytest.mark.parametrize(
    ("specifiers", "oldest"),
    [(">=3.9", (3, 9)), (">3.9", (3, 10)), (">3.9.1", (3, 9)), ("~=3.11", (3, 11)), ("==3.12.*", (3, 12)), (">=3.8,!=3.9.*,<4", (3, 8)), (">=3", (3, 0)),
     ("<4", None), ("", None), ("nonsense", None)],
)  # fmt: skip
def test_oldest_python(specifiers: str, oldest: tuple[int, int] | None) -> None:
    assert minimum_python(specifiers) == oldest


def test_rows_of_own_wrappers(tmp_path: Path) -> None:
    config = """
[[api]]
name = "ours.run"
does = ["submit"]
callee = 0
timeout = "limit"
callbacks = [[1, "done"]]
[[api]]
name = "ours.Pool"
role = "pool"
where = "process"
[[api]]
name = "ours.P"
same-as = "ours.Pool"
"""
    call, kind, alias = settings(tmp_path, config).api
    assert isinstance(call, Api) and call.callee is not None and call.callee.position == 0
    assert call.timeout is not None and (call.timeout.position, call.timeout.keyword) == (None, "limit")
    assert call.callbacks[0].keyword == "done"
    assert isinstance(kind, Kind) and kind.role == "pool"
    assert alias == Alias("ours.P", "ours.Pool")


def test_environments(tmp_path: Path) -> None:
    (tmp_path / "mplint.toml").touch()
    (tmp_path / "env").mkdir()
    assert load(str(tmp_path), environment={}).python is None
    assert load(str(tmp_path), environment={"VIRTUAL_ENV": str(tmp_path / "env")}).python == str(tmp_path / "env")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    assert load(str(tmp_path), environment={"VIRTUAL_ENV": str(tmp_path / "env"), "PRE_COMMIT": "1"}).python == str(tmp_path / ".venv")


# -- which file


def test_which_file_and_which_root(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert load(str(inner)).root == str(tmp_path)
    (tmp_path / "a" / "setup.py").touch()
    assert load(str(inner)).root == str(tmp_path / "a")
    (tmp_path / "pyproject.toml").write_text("[tool.mplint]\npreview = true\n")
    found = load(str(inner))
    assert (found.root, found.config_file, found.preview) == (str(tmp_path), str(tmp_path / "pyproject.toml"), True)
    (tmp_path / ".mplint.toml").write_text("preview = false\n")
    assert load(str(inner)).config_file == str(tmp_path / ".mplint.toml")
    isolated = load(str(inner), isolated=True)
    assert (isolated.root, isolated.config_file) == (str(inner), None)


def test_configuration_above_the_repository_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "mplint.toml").write_text("preview = true\n")
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    assert load(str(tmp_path / "repo")).root == str(tmp_path / "repo")


def test_paths_of_several_projects_keep_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "setup.py").touch()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    paths = [str(tmp_path / "one"), str(tmp_path / "two" / "setup.py"), str(tmp_path / "one" / "setup.py")]
    assert grouped(paths) == [[paths[0], paths[2]], [paths[1]]]
    (tmp_path / "mplint.toml").touch()
    assert grouped(paths) == [paths]


# -- selectors


class First(Rule):
    """One."""

    code, name = "MP501", "first-rule"


class Second(Rule):
    """Two."""

    code, name, preview = "MP502", "second-rule", True


class Third(Rule):
    """Three."""

    code, name = "MP601", "third-rule"


RULES = (First(), Second(), Third())


@pytest.mark.parametrize(
    ("config", "chosen"),
    [
        ("", {"MP501", "MP601"}),
        ("preview = true", {"MP501", "MP502", "MP601"}),
        ("select = ['MP5']\npreview = true", {"MP501", "MP502"}),
        ("select = ['MP5']\npreview = true\nexplicit-preview-rules = true", {"MP501"}),
        ("select = ['MP5', 'second-rule']\npreview = true\nexplicit-preview-rules = true", {"MP501", "MP502"}),
        ("select = ['MP502']", set()),
        ("ignore = ['MP5']\nselect = ['MP501', 'MP6']", {"MP501", "MP601"}),
        ("ignore = ['first-rule']\nselect = ['ALL']", {"MP601"}),
        ("ignore = ['MP']\nextend-select = ['mp601']", {"MP601"}),
        ("select = []", set()),
    ],
)
def test_selectors(tmp_path: Path, config: str, chosen: set[str]) -> None:
    assert choose(settings(tmp_path, config), RULES).codes == chosen


def test_selecting_on_the_command_line_starts_again(tmp_path: Path) -> None:
    config = "select = ['MP6']\nignore = ['MP501']"
    assert choose(settings(tmp_path, config, command_line=Options(select=("MP5",))), RULES).codes == {"MP501"}
    assert choose(settings(tmp_path, config, command_line=Options(extend_select=("MP5",))), RULES).codes == {"MP501", "MP601"}
    assert choose(settings(tmp_path, config, command_line=Options(ignore=("MP6",))), RULES).codes == set()


@pytest.mark.parametrize("key", ["select", "extend-select", "ignore", "unfixable", "extend-safe-fixes", "extend-unsafe-fixes"])
def test_unknown_selectors_are_errors(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError, match=r"no rule is meant by 'MP511' \(did you mean \"MP501\"\?\)") as caught:
        choose(settings(tmp_path, f"{key} = ['MP511']"), RULES)
    assert str(tmp_path / "mplint.toml") in str(caught.value)


def test_a_preview_rule_without_preview_is_remarked(tmp_path: Path) -> None:
    assert "MP502 is in preview" in choose(settings(tmp_path, "extend-select = ['MP502']"), RULES).remarks[0]


# -- the schema


def test_the_shipped_schema_is_that_of_the_types() -> None:
    import mplint.config

    shipped = Path(mplint.config.__file__).with_name("schema.json").read_text()
    assert shipped == schema_text()
    schema = json.loads(shipped)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]) == set(KEYS)
    assert set(FORMATS) == set(WRITTEN)


VALUES = (True, 3, -1, 2.5, "", "3.12", "json", [], ["MP5"], [1], {}, {"a": ["MP5"]}, {"a": "MP5"}, [{}])


@pytest.mark.parametrize("key", KEYS)
def test_schema_and_reader_agree_on_types(key: str) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema_text()))
    taken = []
    for value in VALUES:
        try:
            msgspec.convert({key: value}, Options)
        except msgspec.ValidationError:
            assert not validator.is_valid({key: value}), value
        else:
            taken.append(value)
            assert validator.is_valid({key: value}) or key == "api", value
    assert taken


# -- files


def tree(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def found(root: Path, *paths: str, **given: object) -> set[str]:
    inner = load(str(root), command_line=Options(**given), environment={})  # type: ignore[arg-type]
    given_paths = [str(root / path) for path in paths or (".",)]
    return {Path(path).relative_to(root).as_posix() for path in discover(given_paths, inner).given}


def test_what_is_walked_and_what_is_skipped(tmp_path: Path) -> None:
    tree(
        tmp_path, "mplint.toml", "a.py", "b.pyi", "n.ipynb", "c.txt", "p/__init__.py", ".venv/x.py", "env/pyvenv.cfg", "env/lib/x.py", "build/x.py",
        "src/build/__init__.py", "src/build/x.py", "node_modules/x.py", "p/__pycache__/x.py", "lib/site-packages/q/x.py",
    )  # fmt: skip
    assert found(tmp_path) == {"a.py", "b.pyi", "n.ipynb", "p/__init__.py", "src/build/__init__.py", "src/build/x.py"}
    assert found(tmp_path, "lib/site-packages") == {"lib/site-packages/q/x.py"}
    assert found(tmp_path, "env/lib", ".venv/x.py") == {"env/lib/x.py", ".venv/x.py"}
    assert found(tmp_path, ".venv/x.py", "a.py", force_exclude=True) == {"a.py"}


def test_exclude_patterns(tmp_path: Path) -> None:
    tree(tmp_path, "mplint.toml", "a.py", "t/a.py", "t/data/b.py", "u/t/a.py")
    assert found(tmp_path, extend_exclude=("t",)) == {"a.py"}
    assert found(tmp_path, extend_exclude=("./t/",)) == {"a.py", "u/t/a.py"}
    assert found(tmp_path, extend_exclude=(f"{tmp_path}/t",)) == {"a.py", "u/t/a.py"}
    assert found(tmp_path, extend_exclude=("**/data", "u/*")) == {"a.py", "t/a.py"}
    assert found(tmp_path, exclude=("a.py",)) == {"t/data/b.py"}


def test_gitignore_counts_in_a_repository(tmp_path: Path) -> None:
    tree(tmp_path, "a.py", "gen/x.py", "gen/keep.py", "p/y.py", "p/z_pb2.py", "p/q/z_pb2.py")
    (tmp_path / ".gitignore").write_text("/gen/*\n!/gen/keep.py\n*_pb2.py\n")
    assert len(found(tmp_path)) == 6
    (tmp_path / ".git").mkdir()
    (tmp_path / "p" / ".gitignore").write_text("!z_pb2.py\n/y.py\n")
    assert found(tmp_path) == {"a.py", "gen/keep.py", "p/z_pb2.py", "p/q/z_pb2.py"}
    assert found(tmp_path, "p") == {"p/z_pb2.py", "p/q/z_pb2.py"}
    assert len(found(tmp_path, respect_gitignore=False)) == 6
    assert found(tmp_path, "gen/x.py") == {"gen/x.py"}


def test_scripts_are_known_by_their_first_line(tmp_path: Path) -> None:
    (tmp_path / "mplint.toml").touch()
    for name, line in {"tool": "#!/usr/bin/env python3", "sh": "#!/bin/sh", "uv": "#!/usr/bin/env -S uv run --script", "notes.txt": "python"}.items():
        (tmp_path / name).write_text(f"{line}\n")
    assert found(tmp_path) == set()
    assert found(tmp_path, "tool", "sh", "uv", "notes.txt") == {"tool", "uv"}


def test_only_packages_are_linked_around_a_loose_file(tmp_path: Path) -> None:
    tree(tmp_path, "a.py", "b.py", "p/__init__.py", "p/m.py", "downloads/x.py")
    loose = load(str(tmp_path), single_file=True, environment={})
    linked = discover([str(tmp_path / "a.py")], loose).project
    assert {Path(path).relative_to(tmp_path).as_posix() for path in linked} == {"a.py", "b.py", "p/__init__.py", "p/m.py"}


@pytest.mark.parametrize(
    ("pattern", "hit"),
    [("tests", True), ("*.py", True), ("tests/*", True), ("tests/a/*.py", True), ("a/x.py", False), ("/tests/a/x.py", True), ("**/a/*", True), ("!tests", False),
     ("!src", True), ("x.py", True), ("test", False)],
)  # fmt: skip
def test_patterns_of_per_file_ignores(pattern: str, hit: bool) -> None:
    assert matches("/home/tests/a/x.py", pattern, "/home") is hit


# -- what a user sees


def test_show_settings_and_files(tmp_path: Path) -> None:
    project(tmp_path, config='[tool.mplint]\nignore = ["MP501"]\n')
    shown = run("--show-settings", "--preview", cwd=tmp_path).stdout
    assert "preview = true  # command line" in shown
    assert 'ignore = ["MP501"]  # pyproject.toml' in shown
    assert 'output-format = "full"  # default' in shown
    assert "#   MP502" in shown and "#   MP501" not in shown
    assert run("--show-files", cwd=tmp_path).stdout.split() == [str(tmp_path / "app.py"), str(tmp_path / "tasks.py")]


def test_a_wrong_configuration_ends_with_2(tmp_path: Path) -> None:
    project(tmp_path, config="[tool.mplint]\nslect = []\n")
    done = run(".", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f'mplint: error: {tmp_path / "pyproject.toml"}: unknown key `slect` (did you mean "select"?)\n'
    assert run(".", "--isolated", "--select", "MP501", cwd=tmp_path).returncode == 1


def test_every_key_is_documented() -> None:
    page = (Path(__file__).parent.parent / "docs" / "usage.md").read_text(encoding="utf-8")
    table = page.split("| key | meaning | default |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([a-z-]+)`", "\n".join(line.split("|")[1] for line in table.splitlines()[2:]))) == set(KEYS)


def test_the_documented_configuration_is_valid(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "docs" / "usage.md").read_text(encoding="utf-8")
    text = next(block for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "tool.mplint" in block)
    (tmp_path / "pyproject.toml").write_text(text)
    assert [row.name for row in load(str(tmp_path)).api] == ["ours.jobs.enqueue", "ours.jobs.Farm", "ours.Farm"]
