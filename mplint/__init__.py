"""mplint: finds the pitfalls of Python multiprocessing, shows why each one bites, and mends what can be mended."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from mplint.finding import Finding

__version__ = "0.1.0"


def check(paths: Sequence[str | os.PathLike[str]] = (".",)) -> list[Finding]:
    """Findings in files and directories, with the configuration that the command line would find.

    Raises `mplint.config.ConfigError` when that cannot be obeyed and FileNotFoundError for a path that does not exist.
    """
    import os

    from mplint.config import load
    from mplint.opening import merged, open_sessions
    from mplint.source.discover import common_directory

    wanted = [os.fspath(path) for path in paths]
    opened = open_sessions(wanted, lambda group: load(common_directory(group), single_file=not any(map(os.path.isdir, group))))
    for project in opened:
        if project.found.missing:
            raise FileNotFoundError(project.found.missing[0])
    return list(merged([project.check() for project in opened]).findings)
