"""Whether a project is made into an executable (PyInstaller, cx_Freeze, py2exe, py2app, Nuitka, briefcase), and with which programs."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Iterator, NamedTuple

from mplint import facts as f
from mplint.project.importing import guards, is_beside
from mplint.project.modules import CallSite, Function, Module
from mplint.project.names import absolute

if TYPE_CHECKING:
    from mplint.project import Project

_NEVER = re.compile(r"setup|conftest|noxfile|tasks|fabfile|(run_)?(\w+_)?tests?(_\w+)?|(build|make|release|package|benchmark)\w*")
"""Programs of developers, which nobody freezes."""

_VENDORED = frozenset({"_vendor", "vendor", "vendored", "_vendored", "extern", "_external", "third_party", "site-packages"})

_DEPENDS = re.compile(r"""["']\s*(pyinstaller|cx[-_]freeze|nuitka|py2exe|py2app|briefcase|pyoxidizer)\b(?![-_])""", re.IGNORECASE)
"""A tool that freezes, as one asks for it in the metadata of a package."""

_ENTRY = re.compile(r"""=\s*["']?([A-Za-z_][\w.]*):([A-Za-z_]\w*)\b""")
"""A program in the metadata of a package: `name = package.module:function`."""

_ASKED = (b"sys.frozen", b'sys, "frozen"', b"sys, 'frozen'")
"""How a program asks whether it is frozen; one that PyInstaller made may also ask for `sys._MEIPASS`."""

_TOOLS = (b"cx_Freeze", b"py2exe", b"py2app", b"PyInstaller.__main__")
"""Modules that a script imports in order to freeze others."""

_MAKING = re.compile(r"setup|build|make|freez|pack|install|release|dist|compile|exe|bundle|app", re.IGNORECASE)
"""How such scripts are called."""

_FROZEN = re.compile(r"""\bExecutable\s*\(\s*(?:script\s*=\s*)?([^,)]*)|\b(?:console|windows|app|service)\s*=\s*\[([^\]]*)|\brun\s*\(\s*\[([^\]]*)""")
"""Where such a script names the programs: of cx_Freeze, of py2exe and py2app, of PyInstaller."""

_TABLES = re.compile(r"^\[+tool\.(briefcase|cxfreeze|nuitka|poetry-pyinstaller-plugin|pyinstaller)\b", re.MULTILINE)
_SCRIPT = re.compile(r"""["']([\w./\\-]+\.pyw?)["']""")
_ANYWHERE = re.compile(r"""["'](?:\{\w+\})?[/\\]?([\w./\\-]+\.pyw?)["']""")
_ANALYSIS = re.compile(r"\bAnalysis\s*\(\s*(.*?)\]", re.DOTALL)
_IMPORTS = re.compile(rb"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n#]*)|import[ \t]+([\w., \t]+))", re.MULTILINE)


class Frozen(NamedTuple):
    """A program that becomes an executable: the module that runs first, where that begins, and how it is known.  A `certain` one is named by what
    freezes it."""

    module: Module
    function: Function
    step: f.Step
    because: str
    certain: bool


def frozen_programs(project: Project) -> tuple[Frozen, ...]:
    """The programs of a project that run frozen."""
    return project.kept("frozen programs", lambda: tuple(_programs(project)))


def _programs(project: Project) -> Iterator[Frozen]:
    named: dict[str, str] = {}
    for script, because in _named(project):
        named.setdefault(script, because)
    if named:
        for path, because in named.items():
            yield from _program(project, path, because, True)
        return
    alike = project.sources.holding(b"frozen")
    asking = {path for word in _ASKED for path in project.sources.holding(word, alike)} | set(project.sources.holding(b"_MEIPASS"))
    asking = {path for path in asking if _VENDORED.isdisjoint(PurePosixPath(path).parts)}
    for folder, top in dict.fromkeys(_place(project, path) for path in sorted(asking)):
        for path, name in _installed(project, folder, top):
            if not asking.isdisjoint(imported_by(project, path)):
                yield from _program(project, path, "the project asks whether it is frozen", False, name)
    if asking:
        return
    for folder in dict.fromkeys((project.sources.root, *(path.rpartition("/")[0] for path in project.sources.files if path.endswith("/setup.py")))):
        tools = [found[1] for file in _metadata(folder) if (found := _DEPENDS.search(_text(project, file))) is not None]
        for path, name in _installed(project, folder, "") if tools else ():
            yield from _program(project, path, f"`{tools[0]}` is among what the project is made with", False, name)


def _text(project: Project, path: str) -> str:
    return project.sources.data(path).decode("utf-8", "replace")


def _installed(project: Project, folder: str, top: str) -> Iterator[tuple[str, str]]:
    """The programs that come with a package: what installing it makes, each a file and a function; what `python -m` runs, or scripts beside it."""
    scripts = [found for file in _metadata(folder) for found in _ENTRY.findall(_text(project, file))]
    for module, name in dict.fromkeys(scripts):
        path = project.index.find(module, f"{folder}/setup.py")
        if path is not None:
            yield path, name
    for path in project.sources.files:
        if path == f"{folder}/{top}/__main__.py" or (not scripts and path.rpartition("/")[0] == folder and _is_run(project, path)):
            yield path, ""


def _is_run(project: Project, path: str) -> bool:
    """Whether a loose file is a program: it has a main guard, and no other imports it."""
    stem = path.rpartition("/")[2].removesuffix(".py")
    if _NEVER.fullmatch(stem) or b"__main__" not in project.sources.data(path):
        return False
    return not any(path in _imports(project, user) for user in project.triage.importing((stem,)) if user != path)


def _place(project: Project, path: str) -> tuple[str, str]:
    """The folder from which a file is imported, and its package of the top level ("" for a loose one)."""
    name, is_package = project.index.name(path)
    depth = name.count(".") + 1 + is_package
    top = name.partition(".")[0] if "." in name or is_package else ""
    return "/".join(path.split("/")[:-depth]), top


def _metadata(folder: str) -> Iterator[str]:
    """The files that may tell which programs come with the packages in a folder."""
    for place in (folder, folder.rpartition("/")[0]):
        for name in ("pyproject.toml", "setup.cfg", "setup.py"):
            yield f"{place}/{name}"
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(folder)):
            if name.endswith((".dist-info", ".egg-info")):
                yield f"{folder}/{name}/entry_points.txt"


def _program(project: Project, path: str, because: str, certain: bool, name: str = "") -> Iterator[Frozen]:
    module = project.module(path)
    if module is None or (not certain and is_beside(project, module)):
        return
    function = module.function(name) if name else None
    begun = _beginning(project, module) if not name else (function, function.facts.body[0]) if function is not None and _can_begin(project, function) else None
    if begun is not None:
        yield Frozen(module, *begun, because, certain)


def _beginning(project: Project, module: Module) -> tuple[Function, f.Step] | None:
    """The first step of a program: of the function that is all that its main guard calls, else of the guard; of the module when it has none."""
    body = module.body
    guard = next(guards(module), None)
    block = guard.body if guard is not None else tuple(step for step in body.facts.body if not isinstance(step, (f.Import, f.FunctionFacts, f.ClassFacts)))
    while block and isinstance(block[0], f.Import):
        block = block[1:]
    if not block:
        return None
    calls = [row for row in f.walk(block[0]) if isinstance(row, f.Call)]
    rest = [row for row in f.walk(*block[1:]) if isinstance(row, f.Call)]
    if calls and all(f.dotted(call.func) in {"sys.exit", "exit", "SystemExit"} for call in (*calls[:-1], *rest)):
        for callee in project.callees(CallSite(body, calls[-1])):
            if _can_begin(project, callee):
                return callee, callee.facts.body[0]
    return body, block[0]


def _can_begin(project: Project, function: Function) -> bool:
    """Whether the first step of a function is the first that is done when it is called."""
    return not function.decorators and bool(function.facts.body) and not function.facts.is_generator and function.outer is None


def _named(project: Project) -> Iterator[tuple[str, str]]:
    """The files that something freezes, each with what that is."""
    sources = project.sources
    for path in sources.specs:
        text = _text(project, path)
        found = _ANALYSIS.search(text)
        for name in (_SCRIPT.findall(found[1]) or _ANYWHERE.findall(text)) if found is not None else ():
            yield from ((script, f"`{PurePosixPath(path).name}` makes an executable of it") for script in _resolved(project, path, name))
    making = [path for path in sources.files if _MAKING.search(path.rpartition("/")[2])]
    for path in dict.fromkeys(p for word in _TOOLS for p in sources.holding(word, making)):
        tool = next(word.decode().partition(".")[0] for word in _TOOLS if word in sources.data(path))
        if re.search(rf"^\s*(?:import|from)\s+{tool}\b", text := _text(project, path), re.MULTILINE):
            for name in _SCRIPT.findall(" ".join(part for found in _FROZEN.findall(text) for part in found)):
                yield from ((script, f"{tool} makes an executable of it") for script in _resolved(project, path, name) if script != path)
    settings = f"{sources.root}/pyproject.toml"
    text = _text(project, settings)
    if table := _TABLES.search(text):
        because = f"`[tool.{table[1]}]` makes an executable of it"
        for name in _SCRIPT.findall(text):
            yield from ((script, because) for script in _resolved(project, settings, name))
        if table[1] in {"briefcase", "nuitka"}:
            yield from (
                (path, because) for path in sources.files if path.endswith("/__main__.py") and (m := project.module(path)) and not is_beside(project, m)
            )


def _resolved(project: Project, path: str, name: str) -> Iterator[str]:
    """The file that `name` means in the file `path`: relative to that, or the only one that ends so."""
    wanted = PurePosixPath(name.replace("\\", "/"))
    parts = list(PurePosixPath(path).parent.parts)
    for part in wanted.parts:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    direct = str(PurePosixPath(*parts))
    if direct in project.sources.files:
        yield direct
        return
    tail = "/" + "/".join(part for part in wanted.parts if part not in {".", ".."})
    alike = [file for file in project.sources.files if file.endswith(tail)]
    if len(alike) == 1:
        yield alike[0]


def imported_by(project: Project, path: str) -> tuple[str, ...]:
    """The files of the project that a file imports, directly or not, wherever in them; itself first."""
    return project.kept(("imported by", path), lambda: _imported_by(project, path))


def _imported_by(project: Project, path: str) -> tuple[str, ...]:
    seen = {path: None}
    queue = [path]
    while queue:
        for found in _imports(project, queue.pop()):
            if found not in seen:
                seen[found] = None
                queue.append(found)
    return tuple(seen)


def _imports(project: Project, path: str) -> tuple[str, ...]:
    """The files of the project that the import statements of a file mean, those in functions too."""
    return project.kept(("imports of", path), lambda: tuple(_found_imports(project, path)))


def _found_imports(project: Project, path: str) -> Iterator[str]:
    name, is_package = project.index.name(path)
    package = name if is_package else name.rpartition(".")[0]
    for origin, names, plain in _IMPORTS.findall(project.sources.data(path)):
        wanted = [part.strip().split(" ")[0] for part in plain.decode("utf-8", "replace").split(",")] if plain else []
        if origin:
            base = origin.decode("utf-8", "replace")
            levels = len(base) - len(base.lstrip("."))
            base = absolute(package, base[levels:], levels)
            wanted = [base, *(f"{base}.{word}" for word in re.findall(r"\w+", names.decode("utf-8", "replace")))]
        for dotted in wanted:
            found = project.index.find(dotted, path)
            if found is not None:
                yield found
