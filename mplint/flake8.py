"""The flake8 plugin (`MP`): what the command finds in the paths that flake8 was given, handed out file by file.

All of them are checked at once: by the process that flake8 starts its others from, where it starts any, else when the first file arrives.
What an earlier run left in the cache is believed.  What is not selected costs nothing: then nothing of mplint but this module is imported.
Nothing is ever raised into flake8.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from mplint import __version__

if TYPE_CHECKING:
    import argparse
    import ast

    from mplint.config import Settings

_PREFIX = "MP"
Report = tuple[int, int, str, type]
Told = tuple[int, int, str]
"""Row, column (from 0) and text of a finding."""


class Plugin:
    """One file, as flake8 makes it: its tree (not looked at), its name, its lines."""

    name = "mplint"
    version = __version__
    _run: ClassVar[_Run | None] = None

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        self.filename = filename
        self.lines = lines

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Note what flake8 was asked for.  It is called once a process, before the first file."""
        cls._run = _Run(options)
        if cls._run.will_be_shared():
            cls._run.prepare()

    def run(self) -> Iterator[Report]:
        """Row, column (from 0), text and owner of each finding of the file."""
        run = type(self)._run
        if run is not None and run.wanted:
            for row, column, text in run.findings(self.filename, self.lines):
                yield row, column, text, type(self)


class _Run:
    """What all files of one process share."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._asked: tuple[str, ...] | None = None
        self._found: Mapping[str, list[Told]] = {}
        self._failure = ""
        self._said: set[str] = set()

    @property
    def wanted(self) -> bool:
        """Whether any code of mplint can be selected; told without loading a rule."""
        options = self._options
        chosen = [*(options.select or ()), *(options.extend_select or ())]
        if any(word.startswith(_PREFIX) or _PREFIX.startswith(word) for word in chosen):
            return True
        ignored = [*(options.ignore or ()), *(options.extend_ignore or ())]
        return not options.select and not any(_PREFIX.startswith(word) for word in ignored)

    def will_be_shared(self) -> bool:
        """Whether other processes are going to ask for the same.  flake8's own interface says which files it means only later."""
        alone = not self.wanted or "-" in self._options.filenames or not self._several()
        return not alone and "flake8.api.legacy" not in sys.modules and multiprocessing.parent_process() is None

    def _several(self) -> bool:
        jobs = self._options.jobs
        return bool((os.cpu_count() or 1) > 1 if jobs.is_auto else jobs.n_jobs > 1)

    def prepare(self) -> None:
        """Check all paths that flake8 was given, unless that is done."""
        asked = tuple(self._options.filenames)
        if asked != self._asked:
            self._asked = asked
            self._found = self._guarded([path for path in asked if os.path.exists(path)] or ["."])

    def findings(self, filename: str, lines: Sequence[str]) -> list[Told]:
        """The findings of one file; none when mplint would not look at it."""
        path = os.path.abspath(filename)
        if "-" in self._options.filenames and filename == self._options.stdin_display_name:
            found = self._guarded([path], lines)
        else:
            self.prepare()
            found = self._found
        if self._failure:
            text, self._failure = self._failure, ""
            return [(1, 0, text)]
        return found.get(path, [])

    def _guarded(self, paths: Sequence[str], lines: Sequence[str] | None = None) -> Mapping[str, list[Told]]:
        """The findings by file; `lines` stand for the content of a single one.

        What goes wrong is said: flake8 would end with a traceback and report nothing of anybody.
        """
        from mplint.config.settings import ConfigError

        try:
            return self._check(paths, None if lines is None else {paths[0]: _bytes_of(paths[0], lines)})
        except ConfigError as error:
            self._failure = f"MP000 configuration: {error}"  # a finding of the first file: flake8 has no other place for it
        except Exception as error:
            self._failure = f"MP000 internal error: {type(error).__name__}: {error}"
        return {}

    def _check(self, paths: Sequence[str], overlays: Mapping[str, bytes] | None) -> Mapping[str, list[Told]]:
        from mplint.cache.folder import Folder
        from mplint.cache.memory import place_of
        from mplint.config import load
        from mplint.opening import open_sessions
        from mplint.source.discover import common_directory

        def settings(group: Sequence[str]) -> Settings:
            return self._selecting(load(common_directory(group), single_file=not any(map(os.path.isdir, group))))

        def folder(settings: Settings) -> Folder | None:
            place = place_of(settings)
            return None if place is None else Folder(place, own=settings.cache_dir is None, warn=lambda text: self._complain(text, word="warning"))

        noqa = not getattr(self._options, "disable_noqa", False)
        told: dict[str, list[Told]] = {}
        for opened in open_sessions(paths, settings, overlays=overlays, noqa=noqa, folder_for=folder):
            result = opened.recall()
            if result is None:
                result = opened.check()
            for broken in opened.broken:
                self._complain(broken)
            for crash in result.crashes:
                told.setdefault(crash.path, []).append((1, 0, f"MP000 internal error in {crash.code}: {crash.error}"))
            for finding in result.findings:
                if finding.code != "MP000":
                    told.setdefault(finding.path, []).append((finding.row, finding.column - 1, f"{finding.code} {finding.message}"))
        return told

    def _selecting(self, settings: Settings) -> Settings:
        """The settings with the rules that flake8 would report.  A rule in preview has to be named, unless mplint is configured to run it."""
        options = self._options
        named = {*(options.select or ()), *(options.extend_select or ())}
        if not any(word.startswith("M") for word in (*named.difference({"M", _PREFIX}), *(options.ignore or ()), *(options.extend_ignore or ()))):
            return settings
        import msgspec
        from flake8.style_guide import Decision, DecisionEngine

        from mplint.config.selectors import choose
        from mplint.config.settings import Selection
        from mplint.registry import registry

        decide = DecisionEngine(options).decision_for
        rules = registry().all
        shown = {rule.code for rule in rules if not rule.preview or rule.code in named} | choose(settings, rules).codes
        settings = msgspec.structs.replace(settings, preview=True, explicit_preview_rules=False)
        codes = sorted(code for code in choose(settings, rules).codes & shown if decide(code) is Decision.Selected)
        return msgspec.structs.replace(settings, selection=(*settings.selection, Selection("flake8", tuple(codes))))

    def _complain(self, text: str, *, word: str = "error") -> None:
        """Say something on standard error, once."""
        if text not in self._said:
            self._said.add(text)
            print(f"mplint: {word}: {text}", file=sys.stderr)


def _bytes_of(path: str, lines: Sequence[str]) -> bytes:
    """The bytes that the decoded lines came from, as far as that matters: the declared encoding reads them back."""
    from mplint.source import UnreadableFile, encoding_of

    text = "".join(lines)
    data = text.encode("utf-8", "replace")
    try:
        return text.encode(encoding_of(path, data), "replace")
    except (UnreadableFile, LookupError):
        return data
