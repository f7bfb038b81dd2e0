"""The flake8 plugin (`MP`): the same session and the same findings, one file at a time.

One process opens one session for all the paths that flake8 was given, when the first file arrives.  What is not selected costs
nothing: then nothing of mplint but this module is imported.  Nothing is ever raised into flake8.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from mplint import __version__

if TYPE_CHECKING:
    import argparse
    import ast

    from mplint.finding import Finding
    from mplint.opening import Opened
    from mplint.session import Session

_PREFIX = "MP"
Report = tuple[int, int, str, type]


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

    def run(self) -> Iterator[Report]:
        """Row, column (from 0), text and owner of each finding of the file."""
        run = type(self)._run
        if run is None or not run.wanted:
            return
        try:
            found = [*run.failures(), *run.findings(self.filename, self.lines)]
        except Exception as error:  # flake8 would end with a traceback and report nothing of anybody
            run.complain(f"internal error at {self.filename}: {type(error).__name__}: {error}")
            return
        for row, column, text in found:
            yield row, column, text, type(self)


class _Run:
    """What all files of one process share."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.wanted = _selected(options)
        self._opened: tuple[Opened, ...] | None = None
        self._by_path: dict[str, Session] = {}
        self._said: set[str] = set()
        self._failure = ""
        self._previews = False
        self._decide: Callable[[str], bool] | None = None

    def complain(self, text: str) -> None:
        """Say something on standard error, once."""
        if text not in self._said:
            self._said.add(text)
            print(f"mplint: error: {text}", file=sys.stderr)

    def failures(self) -> Iterator[tuple[int, int, str]]:
        """A configuration that cannot be obeyed, reported at the first file: flake8 has no other place for it."""
        from mplint.config.settings import ConfigError

        if self._opened is None:
            try:
                self._opened = self._open([path for path in self.options.filenames if os.path.exists(path)] or ["."])
            except ConfigError as error:
                self._opened = ()
                self._failure = str(error)
                yield 1, 0, f"MP000 configuration: {error}"
                return
            for opened in self._opened:
                self._by_path.update(dict.fromkeys(opened.found.given, opened.session))
                for broken in opened.session.packs.broken:
                    self.complain(broken)

    def findings(self, filename: str, lines: Sequence[str]) -> Iterator[tuple[int, int, str]]:
        """The findings of one file."""
        if self._failure:
            return
        path = os.path.abspath(filename)
        session = self._by_path.get(path)
        if session is None or not os.path.isfile(path) or self._from_stdin(filename):
            overlays = {path: _bytes_of(path, lines)} if self._from_stdin(filename) else None
            session = self._open([path], overlays)[0].session
        result = session.check([path], fixes=False)
        for crash in result.crashes:
            self.complain(f"internal error in {crash.code} at {filename}: {crash.error}")
        for finding in result.findings:
            yield finding.row, finding.column - 1, _text(finding)

    def _from_stdin(self, filename: str) -> bool:
        return "-" in self.options.filenames and filename == self.options.stdin_display_name

    def _open(self, paths: Sequence[str], overlays: dict[str, bytes] | None = None) -> tuple[Opened, ...]:
        import msgspec

        from mplint.config import Settings, load
        from mplint.discover import common_directory
        from mplint.opening import open_sessions

        def settings(group: Sequence[str]) -> Settings:
            found = load(common_directory(group), single_file=not any(map(os.path.isdir, group)))
            self._previews = found.preview
            return msgspec.structs.replace(found, preview=True, explicit_preview_rules=False)

        noqa = not getattr(self.options, "disable_noqa", False)
        return open_sessions(paths, settings, overlays=overlays, noqa=noqa, codes=self._chosen)

    def _chosen(self, code: str) -> bool:
        """Whether flake8 would report this code.  A rule in preview has to be named, unless mplint is configured to run them."""
        if self._decide is None:
            from flake8.style_guide import Decision, DecisionEngine

            from mplint.registry import registry

            engine = DecisionEngine(self.options)
            named = {*(self.options.select or ()), *(self.options.extend_select or ())}
            hidden = set() if self._previews else {rule.code for rule in registry().rules if rule.preview} - named
            self._decide = lambda code: code not in hidden and engine.decision_for(code) is Decision.Selected
        return code != "MP000" and self._decide(code)


def _selected(options: argparse.Namespace) -> bool:
    """Whether any code of mplint can be selected; told without loading a rule."""
    chosen = [*(options.select or ()), *(options.extend_select or ())]
    if any(word.startswith(_PREFIX) or _PREFIX.startswith(word) for word in chosen):
        return True
    ignored = [*(options.ignore or ()), *(options.extend_ignore or ())]
    return not options.select and not any(_PREFIX.startswith(word) for word in ignored)


def _text(finding: Finding) -> str:
    return f"{finding.code} {finding.message}"


def _bytes_of(path: str, lines: Sequence[str]) -> bytes:
    """The bytes that the decoded lines came from, as far as that matters: the declared encoding reads them back."""
    from mplint.source import UnreadableFile, encoding_of

    text = "".join(lines)
    data = text.encode("utf-8", "replace")
    try:
        return text.encode(encoding_of(path, data), "replace")
    except (UnreadableFile, LookupError):
        return data
