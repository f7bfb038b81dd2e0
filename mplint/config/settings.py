"""What is in force: the options of all layers put together, checked, and each value's origin."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from mplint.apis import Alias, Api, Kind

Row = Kind | Api | Alias

EXCLUDED = (
    ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mplint_cache", ".mypy_cache", ".nox", ".pants.d",
    ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode", "__pycache__", "__pypackages__", "_build",
    "buck-out", "build", "dist", "node_modules", "site-packages", "venv",
)  # fmt: skip
"""Directories that hold no code of the project.  `build` and `dist` count only when they are not packages."""

DEFAULT_TIMEOUT = 3600
"""Seconds that waiting fixes write when the project does not say."""


class ConfigError(Exception):
    """The configuration or the command line cannot be obeyed; the message names the place and the cure.  Ends the run with 2."""


class Selection(msgspec.Struct, frozen=True):
    """The selectors of one layer; `select` None leaves what the layers below chose."""

    origin: str
    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run depends on.  Paths are absolute; patterns are relative to `root`, the directory of the project.

    `origins` tells for each key of the configuration where its value came from.  `target_version` is (major, minor).
    `timeout` is the text that waiting fixes write, and `timeout_is_own` tells whether the project chose it.
    """

    root: str
    config_file: str | None = None
    isolated: bool = False
    packages_only: bool = False
    """The root is no project but the directory of a loose file: only packages below it are linked."""
    selection: tuple[Selection, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = EXCLUDED
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    src: tuple[str, ...] = ()
    target_version: tuple[int, int] = (3, 10)
    preview: bool = False
    explicit_preview_rules: bool = False
    fix: bool = False
    unsafe_fixes: bool = False
    show_fixes: bool = False
    unfixable: tuple[str, ...] = ()
    extend_safe_fixes: tuple[str, ...] = ()
    extend_unsafe_fixes: tuple[str, ...] = ()
    timeout: str = str(DEFAULT_TIMEOUT)
    timeout_is_own: bool = False
    memory_bound: int = 1_000_000_000
    output_format: str = "full"
    cache_dir: str | None = None
    python: str | None = None
    baseline: str | None = None
    required_version: str | None = None
    api: tuple[Row, ...] = ()
    origins: Mapping[str, str] = {}
