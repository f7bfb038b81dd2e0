"""What a configuration file or a command line may say: every key with its type and its meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

FORMATS = ("full", "concise", "json", "json-lines", "sarif", "github", "gitlab", "junit", "html")

Selectors = tuple[Annotated[str, Meta(description='A code ("MP501"), a prefix of codes ("MP5"), a name ("pool-call-without-timeout") or "ALL".')], ...]
Patterns = tuple[Annotated[str, Meta(description="A pattern in the words of .gitignore; one with a slash is relative to the directory of the file.")], ...]
Version = Annotated[str, Meta(pattern=r"^(py3\d{1,2}|3\.\d{1,2})$", examples=["3.10", "py314"])]
Format = Literal["full", "concise", "json", "json-lines", "sarif", "github", "gitlab", "junit", "html"]


def _doc(text: str) -> Meta:
    return Meta(description=text)


class Options(msgspec.Struct, frozen=True, rename="kebab", kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The keys of `[tool.mplint]` and of `mplint.toml`."""

    select: Annotated[Selectors | UnsetType, _doc("Rules to run, in place of the default (all that are not in preview).")] = UNSET
    extend_select: Annotated[Selectors | UnsetType, _doc("Rules to run besides those of `select`.")] = UNSET
    ignore: Annotated[Selectors | UnsetType, _doc("Rules not to run; the longer selector wins over `select`.")] = UNSET
    per_file_ignores: Annotated[
        dict[str, Selectors] | UnsetType, _doc("Rules not to report in files that match a pattern; a `!` before it turns it round.")
    ] = UNSET
    exclude: Annotated[Patterns | UnsetType, _doc("Files and directories not to look at, in place of the default list.")] = UNSET
    extend_exclude: Annotated[Patterns | UnsetType, _doc("Files and directories not to look at, besides `exclude`.")] = UNSET
    force_exclude: Annotated[bool | UnsetType, _doc("Exclude files that are named on the command line, too.")] = UNSET
    respect_gitignore: Annotated[bool | UnsetType, _doc("Skip what .gitignore files skip.")] = UNSET
    src: Annotated[
        tuple[str, ...] | UnsetType,
        _doc("Directories from which modules are imported; by default the first one above a file that has no `__init__.py`."),
    ] = UNSET
    target_version: Annotated[Version | UnsetType, _doc("Oldest Python the code runs on; the default comes from `requires-python`, then 3.10.")] = UNSET
    preview: Annotated[bool | UnsetType, _doc("Run the rules that are in preview.")] = UNSET
    explicit_preview_rules: Annotated[bool | UnsetType, _doc("With `preview`, run a preview rule only when its own code or name is selected.")] = UNSET
    fix: Annotated[bool | UnsetType, _doc("Apply fixes.")] = UNSET
    unsafe_fixes: Annotated[bool | UnsetType, _doc("Apply fixes that may change what the program does, too.")] = UNSET
    show_fixes: Annotated[bool | UnsetType, _doc("List what was fixed.")] = UNSET
    unfixable: Annotated[Selectors | UnsetType, _doc("Rules whose fixes are shown and never applied.")] = UNSET
    extend_safe_fixes: Annotated[Selectors | UnsetType, _doc("Rules whose unsafe fixes count as safe.")] = UNSET
    extend_unsafe_fixes: Annotated[Selectors | UnsetType, _doc("Rules whose safe fixes count as unsafe.")] = UNSET
    timeout: Annotated[int | float | str | UnsetType, _doc("What waiting fixes write: seconds, or a Python expression such as `settings.POOL_TIMEOUT`.")] = (
        UNSET
    )
    memory_bound: Annotated[Annotated[int, Meta(ge=1)] | UnsetType, _doc("Number of elements from which MP302 takes a container for too large.")] = UNSET
    output_format: Annotated[Format | UnsetType, _doc("How findings are written.")] = UNSET
    cache_dir: Annotated[str | UnsetType, _doc("Directory of the cache; the default is `.mplint_cache` in the project.")] = UNSET
    python: Annotated[str | UnsetType, _doc("Interpreter or environment whose site-packages are read (never imported) for third-party bases.")] = UNSET
    baseline: Annotated[str | UnsetType, _doc("File with the findings that are accepted for now.")] = UNSET
    required_version: Annotated[str | UnsetType, _doc('Versions of mplint that may be used, such as ">=0.1".')] = UNSET
    api: Annotated[tuple[dict[str, Any], ...] | UnsetType, _doc("Rows of the API table for the project's own wrappers around pools and workers.")] = UNSET

    def given(self) -> Iterator[tuple[str, object]]:
        """The attributes that are set, with their values."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is not UNSET:
                yield name, value


KEYS: tuple[str, ...] = tuple(Options.__struct_encode_fields__)
"""All keys as they are written in a file."""


def key_of(name: str) -> str:
    """The key of an attribute: `extend_select` -> `extend-select`."""
    return name.replace("_", "-")
