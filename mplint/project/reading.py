"""Files as modules: read, outlined and lowered when somebody asks, each once; what earlier runs kept is used first."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from mplint import facts as f
from mplint.facts.outline import Outline, Page, nests_too_deeply, outline_of, outline_of_steps
from mplint.project.index import Index
from mplint.project.modules import Module
from mplint.source import Source, Sources, UnreadableFile

if TYPE_CHECKING:
    from mplint.cache.pieces import Pieces

EMPTY = Outline((), (), {}, {}, {})


class Reading:
    """The modules of a project by path; `roots` are the directories that it says modules are imported from.  `errors` collects the files that could not
    be read: path -> (message, row, column)."""

    def __init__(self, sources: Sources, pieces: Pieces | None, roots: tuple[str, ...]) -> None:
        self.sources = sources
        self._roots = roots
        self.errors: dict[str, tuple[str, int, int]] = {}
        self._pieces = pieces
        self._modules: dict[str, Module | None] = {}

    @cached_property
    def index(self) -> Index:
        return Index(self.sources.files, self._roots)

    def module(self, path: str) -> Module | None:
        """The module in the file `path`; None (and an entry in `errors`) when it cannot be read."""
        if path not in self._modules:
            self._modules[path] = None
            look = self.sources.look(path)
            try:
                source = self.sources.read(path)
            except UnreadableFile as error:
                self.errors[path] = (str(error), error.row, error.column)
                return None
            name, is_package = self.index.name(path)
            self._modules[path] = Module(name, is_package, source, look, self._outline, self._lowered)
        return self._modules[path]

    def _outline(self, source: Source) -> Outline:
        if self._pieces is None:
            return self._read_outline(source)
        outline = self._pieces.outline(source.digest, len(source.lines))
        if outline is None:
            outline = self._read_outline(source)
            if source.path not in self.errors:
                self._pieces.keep_outline(source.digest, outline)
        return outline

    def _read_outline(self, source: Source) -> Outline:
        try:
            return outline_of(source.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if nests_too_deeply(error):
                row, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
                self.errors[source.path] = ("nested too deeply to be read", row, column)
                return EMPTY
            return self._outline_of_whole(source)

    def _outline_of_whole(self, source: Source) -> Outline:
        """The outline of a file that the running Python cannot parse: LibCST, which reads newer syntax, reads it whole."""
        from mplint.extract import Unreadable, parse_page, steps_of

        page = Page(1, len(source.lines), "module")
        try:
            tree, _ = parse_page(source.lines, page)
            return outline_of_steps(steps_of(tree, page, 0), len(source.lines))
        except Unreadable as error:
            self.errors[source.path] = (str(error), error.line or 1, error.column or 1)
            return EMPTY

    def _lowered(self, path: str, number: int) -> tuple[f.Step, ...]:
        if self._pieces is None:
            return self._read_page(path, number)
        module = self._modules[path]
        assert module is not None
        digest = module.page_digest(number)
        steps = self._pieces.steps(digest, number)
        if steps is None:
            steps = self._read_page(path, number)
            if path not in self.errors:
                self._pieces.keep_steps(digest, steps)
        return steps

    def _read_page(self, path: str, number: int) -> tuple[f.Step, ...]:
        from mplint.extract import Unreadable, parse_page, steps_of

        module = self._modules[path]
        assert module is not None
        page = module.outline.pages[number]
        try:
            tree, _ = parse_page(module.lines, page)
            return steps_of(tree, page, number)
        except Unreadable as error:
            self.errors.setdefault(path, (str(error), error.line or page.first, error.column or 1))
            return ()

    @property
    def loaded(self) -> tuple[Module, ...]:
        """The modules that were read so far."""
        return tuple(m for m in self._modules.values() if m is not None and m.is_read)
