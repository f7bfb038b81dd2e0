"""What runs when a module is imported, and what only when it is run as the main program."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Iterator

from mplint import facts as f
from mplint.project.modules import CallSite, Function, Module
from mplint.project.names import absolute

if TYPE_CHECKING:
    from mplint.project import Project

_TESTING = frozenset({"test", "tests", "testing"})
_STANDALONE = frozenset({"__main__", "setup", "conftest", "noxfile"})
_BESIDE = _TESTING | {"examples", "example", "docs", "doc", "benchmarks", "benchmark", "scripts", "tools", "t"}
"""Folders of programs that belong to a package and that nobody imports."""

LEVELS = 2
"""Calls between a module's own statements and what is still said to run when it is imported."""


def is_main_guard(test: f.Expr) -> bool:
    """Whether a condition asks for `__name__`."""
    return any(isinstance(row, f.Name) and row.id == "__name__" for row in f.walk(test))


def is_notebook(module: Module) -> bool:
    """Whether a module is a notebook, which nobody imports, and not the processes either that it starts."""
    return module.path.endswith(".ipynb")


def is_guarded(body: Function, row: f.Row) -> bool:
    """Whether a row of a module's body is kept away from those that import the module: below a main guard, or behind one that leaves."""
    if any(isinstance(above, f.If) and is_main_guard(above.test) for above in body.ancestors(row)):
        return True
    return any(True for _ in guards(body.module)) and any(is_main_guard(branch.test) for branch in body.graph.branch_conditions(row))


def guards(module: Module) -> Iterator[f.If]:
    """The main guards of a module, in source order."""
    for step in module.body.facts.body:
        if isinstance(step, f.If) and is_main_guard(step.test):
            yield step


def on_import(project: Project, function: Function, levels: int = LEVELS) -> tuple[CallSite, ...] | None:
    """The calls by which importing a module comes to `function`, outermost first: () for a module's body, None when nothing shows that it does."""
    if is_notebook(function.module):
        return None
    if function.is_module:
        return ()
    if levels:
        for site in project.callers(function):
            if site.function.is_module and is_guarded(site.function, site.call):
                continue
            way = on_import(project, site.function, levels - 1)
            if way is not None:
                return (*way, site)
    return None


def is_test(project: Project, path: str) -> bool:
    """Whether a file is of a test suite, by its name and its place in the project."""
    file = PurePosixPath(path.removeprefix(project.sources.root))
    return file.name.startswith(("test_", "conftest")) or file.stem.endswith("_test") or not _TESTING.isdisjoint(file.parts[:-1])


def is_beside(project: Project, module: Module) -> bool:
    """Whether a module belongs to what lies beside a package: tests, examples, scripts."""
    return is_test(project, module.path) or not _BESIDE.isdisjoint(PurePosixPath(module.path.removeprefix(project.sources.root)).parts[:-1])


def is_library(project: Project, module: Module) -> bool:
    """Whether a module is there to be imported by programs that it does not know: part of a package, and no program of its own."""
    if is_notebook(module) or (not module.is_package and "." not in module.name):
        return False
    return module.name.rpartition(".")[2] not in _STANDALONE and not is_beside(project, module)


def is_offered(project: Project, function: Function) -> bool:
    """Whether the package of a function, or of the class that it is a method of, imports it for others to use."""
    module = function.module
    name = function.qualname.partition(".")[0]
    package = project.find_module(module.name.partition(".")[0], module.path)
    if package is None or not package.is_package or name.startswith(("_", "<")):
        return False
    if package is module:
        return True
    for i in package.outline.imports:
        if i.name in {name, "*"} and project.find_module(absolute(package.package, i.module, i.level), package.path) is module:
            return True
    return False
