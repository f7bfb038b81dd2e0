"""Which files there are: those that are reported on (the given paths) and those that are linked (the project)."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from mplint.config.files import ancestors, find_project

if TYPE_CHECKING:
    from mplint.config import Settings

_SHEBANG = re.compile(rb"#!.*\bpython[\d.]*[wt]?\b|#!.*\bpypy[\d.]*\b|#!.*\buv\b.*\brun\b")
_MODULES = (".py", ".pyi")
_READ = (*_MODULES, ".ipynb", ".spec")
"""Endings of what is linked: modules, notebooks, and what PyInstaller makes programs of, which is never reported on."""

_PACKAGES = frozenset({"build", "dist", "_build"})
"""Names that stand for build folders unless an `__init__.py` lies in them."""


class Found(msgspec.Struct, frozen=True):
    """Absolute sorted paths: `given` are checked, `project` are linked (and include `given` and the .spec files); `skipped` are told with the reason."""

    given: tuple[str, ...]
    project: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()


def common_directory(paths: Sequence[str]) -> str:
    """The nearest directory that holds all `paths`; a directory among them counts as itself."""
    places = [os.path.abspath(path) for path in paths] or [os.getcwd()]
    places = [place if os.path.isdir(place) else os.path.dirname(place) for place in places]
    try:
        return os.path.commonpath(places)
    except ValueError:  # different drives
        return places[0]


def grouped(paths: Sequence[str]) -> list[list[str]]:
    """Paths by project.  All belong together when their common directory is in a project, or is where we are; else each has its own."""
    common = common_directory(paths)
    here = os.getcwd()
    if len(paths) < 2 or find_project(common)[0] is not None or os.path.commonpath((common, here)) == here:
        return [list(paths)]
    groups: dict[str, list[str]] = {}
    for path in paths:
        directory = common_directory([path])
        groups.setdefault(find_project(directory)[0] or directory, []).append(path)
    return list(groups.values())


def discover(paths: Sequence[str], settings: Settings, *, unsaved: Collection[str] = ()) -> Found:
    """The files that `paths` name and the files of the project around them; those in `unsaved` (absolute) need not exist."""
    skips = Skips(settings)
    given: set[str] = set()
    skipped: list[tuple[str, str]] = []
    missing: list[str] = []
    walked: dict[str, list[str]] = {}
    refused: list[tuple[str, str]] = []
    for path in paths:
        place = os.path.abspath(path)
        if os.path.isdir(place):
            walked[place] = list(walk(place, skips.below(place), refused=refused))
            given.update(found for found in walked[place] if not found.endswith(".spec"))
        elif place not in unsaved and not os.path.lexists(place):
            missing.append(path)
        elif place not in unsaved and not os.path.isfile(place):
            skipped.append((path, "not a regular file"))
        elif settings.force_exclude and skips.anywhere(place):
            skipped.append((path, "excluded"))
        elif place in unsaved:
            given.add(place)
        elif place.endswith((*_MODULES, ".ipynb", ".pyw")) or has_shebang(place):
            given.add(place)
        else:
            skipped.append((path, "not a Python file"))
    if settings.root in walked:
        project = set(walked[settings.root])
    else:
        project = set(walk(settings.root, skips.below(settings.root), packages_only=settings.packages_only))
    skipped += ((os.path.relpath(directory), f"cannot be listed ({reason})") for directory, reason in refused)
    return Found(tuple(sorted(given)), tuple(sorted(project | given)), tuple(skipped), tuple(missing))


def has_shebang(path: str) -> bool:
    """Whether the first line of a file calls Python."""
    try:
        with open(path, "rb") as file:
            return _SHEBANG.match(file.readline(256)) is not None
    except OSError:
        return False


def walk(top: str, skip: Callable[[str, str, bool], bool], *, packages_only: bool = False, refused: list[tuple[str, str]] | None = None) -> Iterator[str]:
    """The modules, notebooks and .spec files below `top` that `skip(path, name, is_directory)` does not refuse; links to directories are not followed.
    Directories that cannot be listed are added to `refused`, with the reason."""
    stack = [top]
    while stack:
        directory = stack.pop()
        try:
            entries = list(os.scandir(directory))
        except OSError as error:
            if refused is not None:
                refused.append((directory, error.strerror or str(error)))
            continue
        for entry in entries:
            name = entry.name
            if name.endswith(_READ):
                if not skip(entry.path, name, False) and entry.is_file():
                    yield entry.path
            elif entry.is_dir(follow_symlinks=False) and not skip(entry.path, name, True):
                if packages_only and not os.path.isfile(os.path.join(entry.path, "__init__.py")):
                    continue
                stack.append(entry.path)


class Skips:
    """What is not looked at: excluded names, virtual environments, and what .gitignore files name."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.root
        self._use_gitignore = settings.respect_gitignore
        plain = {name for name in settings.exclude if not set(name) & set("*?[/!")}
        self._names = frozenset(plain)
        rest = [*(name for name in settings.exclude if name not in plain), *settings.extend_exclude]
        self._patterns = _Spec(settings.root, rest) if rest else None

    def below(self, top: str) -> Callable[[str, str, bool], bool]:
        """The test for what lies below `top`; what is named itself is never refused for the names of the directories it lies in."""
        above = self._above(top)
        reads = above is not None
        if above and self._ignored(top, True, above):
            above = ()
        specs: dict[str, tuple[_Spec, ...]] = {top: (*(above or ()), *self._own(top))} if reads else {}

        def skip(path: str, name: str, is_directory: bool) -> bool:
            if name in self._names and not (is_directory and name in _PACKAGES and os.path.isfile(os.path.join(path, "__init__.py"))):
                return True
            if is_directory and os.path.isfile(os.path.join(path, "pyvenv.cfg")):
                return True
            if self._patterns is not None and self._patterns.match(path, is_directory):
                return True
            parent = path[: -len(name) - 1] or os.sep
            inherited = specs.get(parent, ())
            if inherited and self._ignored(path, is_directory, inherited):
                return True
            if is_directory and reads:
                specs[path] = (*inherited, *self._own(path))
            return False

        return skip

    def anywhere(self, path: str) -> bool:
        """Whether a file that was named would have been skipped on the way from the root down to it."""
        relative = os.path.relpath(path, self._root)
        if relative.startswith(os.pardir):
            return False
        skip, place = self.below(self._root), self._root
        parts = relative.split(os.sep)
        for number, name in enumerate(parts):
            place = os.path.join(place, name)
            if skip(place, name, number < len(parts) - 1):
                return True
        return False

    def _above(self, top: str) -> tuple[_Spec, ...] | None:
        """The .gitignore files from the top of the repository to above `top`; None outside of a repository, where they say nothing."""
        if not self._use_gitignore:
            return None
        found: list[_Spec] = []
        for directory in ancestors(top):
            if directory != top:
                found[:0] = self._own(directory)
            if os.path.exists(os.path.join(directory, ".git")):
                return tuple(found)
        return None

    def _own(self, directory: str) -> tuple[_Spec, ...]:
        try:
            with open(os.path.join(directory, ".gitignore"), encoding="utf-8", errors="surrogateescape") as file:
                lines = file.read().splitlines()
        except OSError:
            return ()
        return (_Spec(directory, lines),)

    @staticmethod
    def _ignored(path: str, is_directory: bool, specs: tuple[_Spec, ...]) -> bool:
        for spec in reversed(specs):  # the nearest .gitignore that says anything decides
            verdict = spec.match(path, is_directory)
            if verdict is not None:
                return verdict
        return False


class _Spec:
    """The patterns of one .gitignore, or of `exclude`.  One regular expression tells in most cases that none of them applies."""

    def __init__(self, directory: str, lines: Iterable[str]) -> None:
        from pathspec import GitIgnoreSpec

        self._spec = GitIgnoreSpec.from_lines(lines)
        self._base = len(directory.rstrip(os.sep)) + 1
        self._directory = directory
        sources = [pattern.regex.pattern for pattern in self._spec.patterns if pattern.regex is not None]
        self._any = None
        if sources and all(isinstance(source, str) for source in sources):
            # The named groups of pathspec would clash in an alternation.
            self._any = re.compile("|".join(re.sub(r"\(\?P<\w+>", "(?:", source) for source in sources))

    def match(self, path: str, is_directory: bool) -> bool | None:
        """True: left out; False: taken in again by a `!` pattern; None: not mentioned."""
        if self._any is None or not path.startswith(self._directory):
            return None
        relative = path[self._base :].replace(os.sep, "/") + "/" * is_directory
        if self._any.match(relative) is None:
            return None
        return self._spec.check_file(relative).include


def matches(path: str, pattern: str, root: str) -> bool:
    """Whether a file is meant by a pattern of `per-file-ignores`: a name anywhere, or a path relative to `root`; `*` crosses directories."""
    relative = os.path.relpath(path, root).replace(os.sep, "/")
    wanted = pattern.removeprefix("!").removeprefix("./")
    if "/" not in wanted.rstrip("/"):
        name = wanted.rstrip("/")
        hit = any(fnmatch.fnmatchcase(part, name) for part in relative.split("/"))
    else:
        place = wanted.strip("/")
        hit = fnmatch.fnmatchcase(relative, place) or fnmatch.fnmatchcase(relative, place + "/*")
        hit = hit or (place.startswith("**/") and fnmatch.fnmatchcase(relative, place[3:]))
    return hit is not pattern.startswith("!")
