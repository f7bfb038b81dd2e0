"""The words of the command line: every option, and what all of them say, as one plain value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click
import msgspec
from msgspec import UNSET

from mplint.config.options import FORMATS, Options

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call of the command.  What a configuration file could say too is in `options`."""

    paths: tuple[str, ...] = ()
    options: Options = Options()
    config: tuple[str, ...] = ()
    isolated: bool = False
    diff: bool = False
    statistics: bool = False
    output_file: str | None = None
    cache: bool = True
    clear_cache: bool = False
    jobs: int = 1
    exit_zero: bool = False
    exit_non_zero_on_fix: bool = False
    stdin_filename: str | None = None
    show_files: bool = False
    show_settings: bool = False
    show_unknown: bool = False
    add_noqa: bool = False
    write_baseline: str | None = None
    watch: bool = False
    quiet: bool = False
    verbose: bool = False
    color: str = "auto"
    explain: str | None = None
    list_rules: bool = False
    prove: str | None = None
    why: str | None = None
    map: bool = False


class _Listed(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """Words with commas between them."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _pair(_: click.Context, __: click.Parameter, values: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """`PATTERN:CODE,CODE` -> {pattern: codes}."""
    table: dict[str, tuple[str, ...]] = {}
    for value in values:
        pattern, colon, codes = value.rpartition(":")
        if not colon or not pattern or not codes:
            raise click.BadParameter(f'expected "PATTERN:CODE,CODE", got {value!r}')
        table[pattern] = (*table.get(pattern, ()), *(code.strip() for code in codes.split(",") if code.strip()))
    return table


_LIST = _Listed()
_GROUPS: tuple[tuple[str, tuple[Callable[[Any], Any], ...]], ...] = (
    (
        "Rules",
        (
            click.option("--select", type=_LIST, multiple=True, metavar="CODES", help="Rules to run: codes, prefixes, names or ALL."),
            click.option("--extend-select", type=_LIST, multiple=True, metavar="CODES", help="Rules to run besides."),
            click.option("--ignore", type=_LIST, multiple=True, metavar="CODES", help="Rules not to run."),
            click.option("--per-file-ignores", multiple=True, callback=_pair, metavar="PATTERN:CODES", help="Rules not to report in some files."),
            click.option("--preview/--no-preview", default=None, help="Run the rules in preview, too."),
            click.option("--target-version", metavar="VERSION", help="Oldest Python the code runs on, such as 3.12."),
        ),
    ),
    (
        "Fixes",
        (
            click.option("--fix/--no-fix", default=None, help="Apply the safe fixes."),
            click.option("--unsafe-fixes/--no-unsafe-fixes", default=None, help="Apply the fixes that may change behaviour, too."),
            click.option("--show-fixes", is_flag=True, default=None, help="List what was fixed."),
            click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing."),
            click.option("--add-noqa", is_flag=True, help="Write `# noqa: CODE` behind everything that is found."),
        ),
    ),
    (
        "Files",
        (
            click.option("--exclude", type=_LIST, multiple=True, metavar="PATTERNS", help="Files not to look at, in place of the default."),
            click.option("--extend-exclude", type=_LIST, multiple=True, metavar="PATTERNS", help="Files not to look at, besides."),
            click.option("--force-exclude/--no-force-exclude", default=None, help="Exclude files that are named here, too."),
            click.option("--respect-gitignore/--no-respect-gitignore", default=None, help="Skip what .gitignore skips.  [default: on]"),
            click.option("--stdin-filename", metavar="PATH", help="What file `-` (standard input) stands for."),
            click.option("--python", metavar="PATH", help="Environment to read third-party bases from."),
            click.option("--baseline", metavar="FILE", help="Report only what is not in this file."),
            click.option("--write-baseline", metavar="FILE", help="Accept all that is found now."),
            click.option("--watch", is_flag=True, help="Check again whenever a file is saved."),
        ),
    ),
    (
        "Configuration",
        (
            click.option("--config", multiple=True, metavar="FILE|KEY=VALUE", help="A configuration file, or one key."),
            click.option("--isolated", is_flag=True, help="Read no configuration file."),
            click.option("--cache-dir", metavar="DIR", help="Where the cache is."),
            click.option("--no-cache", "-n", is_flag=True, help="Neither read nor write the cache."),
            click.option("--clear-cache", is_flag=True, help="Empty the cache, and do nothing else."),
            click.option("--jobs", "-j", type=click.IntRange(0), default=1, metavar="N", help="Worker processes; 0 takes one a core."),
        ),
    ),
    (
        "Output",
        (
            click.option("--output-format", type=click.Choice(FORMATS), default=None, help="How findings are written.  [default: full]"),
            click.option("--output-file", "-o", metavar="FILE", help="Write findings to a file."),
            click.option("--statistics", is_flag=True, help="Count findings by rule."),
            click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="When to use colours."),
            click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found."),
            click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit with 1 when something was fixed."),
            click.option("--quiet", "-q", is_flag=True, help="Print findings and errors only."),
            click.option("--verbose", "-v", is_flag=True, help="Tell what is done."),
        ),
    ),
    (
        "Questions",
        (
            click.option("--explain", metavar="CODE", help="Print the page of a rule."),
            click.option("--list-rules", is_flag=True, help="Print the table of all rules."),
            click.option("--prove", metavar="CODE", help="Run the programs of a rule's example and show how they end."),
            click.option("--why", metavar="PATH[:LINE]", help="Tell why this line, or what of this file, runs in a worker process."),
            click.option("--map", is_flag=True, help="Print what runs in worker processes, and from where."),
            click.option("--show-files", is_flag=True, help="List the files that would be checked."),
            click.option("--show-settings", is_flag=True, help="Print what is in force and where it comes from."),
            click.option("--show-unknown", is_flag=True, help="List what could not be resolved, why, and what share could."),
        ),
    ),
)


class Command(click.Command):
    """A command whose help is in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None  # the text above tells what PATHS are
            if record is not None:
                rows.setdefault(getattr(param, "group", "Other"), []).append(record)
        for title, records in sorted(rows.items(), key=lambda row: row[0] == "Other"):
            with formatter.section(title):
                formatter.write_dl(records)


def options(function: Decorated) -> Decorated:
    """All options, in the order of the help."""
    for title, group in reversed(_GROUPS):
        for option in reversed(group):
            function = option(function)
            function.__click_params__[-1].group = title  # type: ignore[attr-defined]
    return function


_LISTS = ("select", "extend_select", "ignore", "exclude", "extend_exclude")
_CONFIGURED = (
    *_LISTS, "per_file_ignores", "preview", "target_version", "fix", "unsafe_fixes", "show_fixes", "force_exclude", "respect_gitignore",
    "python", "baseline", "cache_dir", "output_format",
)  # fmt: skip


_WRITING = ("diff", "add_noqa", "write_baseline")


def _agree(asked: Mapping[str, object]) -> None:
    """Each of these words says what is to become of the findings; `--fix --diff` is what `--diff` shows anyway."""
    said = [word for word, value in asked.items() if value]
    if len(said) > 1 and set(said) != {"--diff", "--fix"}:
        raise click.UsageError(f"{said[0]} and {said[-1]} cannot be combined.")


def request(words: dict[str, Any]) -> Request:
    """What click understood, sorted into what a configuration could say and what it could not."""
    given: dict[str, Any] = {}
    for name in _CONFIGURED:
        value = words.pop(name)
        if name in _LISTS:
            value = tuple(word for group in value for word in group) or None
        given[name] = UNSET if value is None or value == {} else value
    words["cache"] = not words.pop("no_cache")
    _agree({f"--{name.replace('_', '-')}": words[name] for name in _WRITING} | {"--fix": given["fix"] is True})
    if "-" in words["paths"] and words["add_noqa"]:
        raise click.UsageError("--add-noqa cannot write to standard input.")
    return Request(options=Options(**given), **words)
