"""What a request is about: its paths and standard input, the settings that are in force for them, and the sessions that it needs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence

import msgspec

from mplint.cache.folder import Folder
from mplint.cache.memory import place_of
from mplint.cli.complaints import complain
from mplint.cli.words import Request
from mplint.config import Settings, load
from mplint.config.files import nearest
from mplint.config.settings import ConfigError
from mplint.opening import Opened, open_sessions
from mplint.source.discover import Found, common_directory, grouped


class Input(msgspec.Struct, frozen=True):
    """What is to be checked: paths with `-` replaced by the file it stands for, and its content."""

    paths: tuple[str, ...]
    overlays: Mapping[str, bytes] = {}
    stdin: str | None = None
    """Absolute path of the file that standard input stands for."""


def read_input(asked: Request) -> Input:
    """The paths of a request; standard input is read when `-` is among them."""
    if "-" not in asked.paths:
        return Input(asked.paths or (".",))
    if len(asked.paths) > 1:
        raise ConfigError("`-` (standard input) cannot be checked together with other paths")
    if sys.stdin is None:
        raise ConfigError("`-`: standard input is closed")
    path = os.path.abspath(asked.stdin_filename or "-")
    return Input((path,), {path: sys.stdin.buffer.read()}, path)


def settings_for(asked: Request, paths: Sequence[str]) -> Settings:
    """The settings that are in force for paths of one project.  Raises ConfigError."""
    single = not any(os.path.isdir(path) for path in paths)
    return load(common_directory(paths), command_line=asked.options, config=asked.config, isolated=asked.isolated, single_file=single)


def opened_for(asked: Request, given: Input) -> tuple[Opened, ...]:
    """The sessions that a request needs.  Raises ConfigError."""

    def settings(paths: Sequence[str]) -> Settings:
        found = settings_for(asked, paths)
        return found if asked.write_baseline is None else msgspec.structs.replace(found, baseline=None)

    return open_sessions(given.paths, settings, overlays=given.overlays, folder_for=_folders(asked))


def _folders(asked: Request) -> Callable[[Settings], Folder | None]:
    """What gives the cache of a project, None where none is to be used.  Of all that goes wrong with caches one warning is given."""
    said: list[str] = []

    def warn(text: str) -> None:
        if not said and not asked.quiet:
            complain(text, word="warning")
        said.append(text)

    def folder(settings: Settings) -> Folder | None:
        place = place_of(settings) if asked.cache else None
        return None if place is None else Folder(place, own=settings.cache_dir is None, warn=warn)

    return folder


def tell_paths(found: Found) -> bool:
    """Complain about paths that do not exist or are no Python; whether one of them is an error."""
    for path in found.missing:
        folder = os.path.dirname(path) or "."
        try:
            reason = f"no such file or directory{nearest(os.path.basename(path), os.listdir(folder))}"
        except OSError as error:
            reason = "no such file or directory" if isinstance(error, FileNotFoundError) else str(error.strerror)
        complain(f"{path}: {reason}")
    for path, reason in found.skipped:
        if reason != "excluded":
            complain(f"{path}: {reason}, skipped", word="warning")
    return bool(found.missing)


def grouped_roots(asked: Request) -> list[str]:
    """The directories (and loose files) that a request is about: what has to be watched."""
    paths = asked.paths or (".",)
    return [settings_for(asked, group).root if any(map(os.path.isdir, group)) else common_directory(group) for group in grouped(paths)]
