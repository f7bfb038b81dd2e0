"""Where the source of library modules lies: the standard library of the running Python, the site-packages of an environment.

Sources are read, never imported, and no interpreter is started.
"""

from __future__ import annotations

import glob
import os
import sys
import sysconfig


def site_packages(python: str | None) -> tuple[str, ...]:
    """The site-packages folders of an environment, given by its folder or its interpreter; () without one."""
    if not python:
        return ()
    home = python if os.path.isdir(python) else os.path.dirname(os.path.dirname(os.path.abspath(python)))
    if os.path.basename(home) == "site-packages":
        return (home,)
    found = [*glob.glob(os.path.join(glob.escape(home), "lib*", "python3*", "site-packages")), os.path.join(home, "Lib", "site-packages")]
    return tuple(sorted({os.path.realpath(path) for path in found if os.path.isdir(path)}))


def module_file(name: str, folders: tuple[str, ...]) -> str | None:
    """The file of a library module by dotted name, None when its source is not there."""
    top = name.partition(".")[0]
    places = (sysconfig.get_path("stdlib"),) if top in sys.stdlib_module_names else folders
    for place in places:
        path = os.path.join(place, *name.split("."))
        for file in (os.path.join(path, "__init__.py"), f"{path}.py"):
            if os.path.isfile(file):
                return file
    return None
