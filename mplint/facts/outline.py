"""The table of contents of a module: its pages, and which names they bind.

A page is the smallest piece of source that is ever read whole: a module-level or class-level statement, the head of a
class, or a function with everything in it.  The outline comes from `ast` (fast, C), of a long module without its function
bodies (`mplint.source.skeleton`); the pages that a question reaches are parsed with LibCST (`mplint.extract`).  Source that the
running Python cannot parse but LibCST can is one single page.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import warnings
from typing import Any, Iterator

import msgspec

from mplint import facts as f
from mplint.source import lines_of
from mplint.source.older import older
from mplint.source.skeleton import skeleton


class Page(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Lines `first` to `last` (from 1, inclusive).

    `kind` is "step", "function", "class" (the head alone, to be closed with a `pass`), "block" (a class
    whose statements share lines) or "module" (the whole file).  `indent` says that the lines stand deeper than the margin.
    `acts` tells, for a step, whether anything is called when the module is imported; `decorators` are those of a function by dotted name,
    "" for one that is more than a name.
    """

    first: int
    last: int
    kind: str
    name: str = ""
    indent: bool = False
    acts: bool = False
    decorators: tuple[str, ...] = ()


class ImportedName(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`local` is bound to `name` of `module`; `name` "" means the module itself, "*" everything public in it."""

    local: str
    module: str
    level: int
    name: str


class ClassOutline(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A class with pages of its own: the page of its head, of each method and of each class-level name."""

    name: str
    head: int
    bases: tuple[str, ...]
    methods: dict[str, tuple[int, ...]]
    names: dict[str, tuple[int, ...]]


class Outline(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`functions` and `names` are those of the module level; a class is found under its dotted name (`Outer.Inner`)."""

    pages: tuple[Page, ...]
    imports: tuple[ImportedName, ...]
    functions: dict[str, tuple[int, ...]]
    classes: dict[str, ClassOutline]
    names: dict[str, tuple[int, ...]]


LONG = 8_000
"""Characters from which on a module is outlined without looking into its functions, where a syntax error may stay unseen."""


def outline_of(source: str) -> Outline:
    """The outline of a module.  Raises SyntaxError, ValueError (NUL bytes), RecursionError or MemoryError as `ast.parse` does."""
    builder = _Builder(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        builder.module(shallow(source)[0])
    return builder.outline()


def shallow(source: str) -> tuple[ast.Module, str]:
    """The tree of a module, of a long one without the bodies of its functions, and the text that was parsed for it, line for line the same.

    Raises what `ast.parse` does; syntax that is newer than the running Python is read in older words, as far as there are any.
    """
    try:
        return _shallow(source)
    except SyntaxError as error:
        text = older(source)
        if text != source:
            with contextlib.suppress(SyntaxError):
                return _shallow(text)
        raise error


def _shallow(source: str) -> tuple[ast.Module, str]:
    if len(source) >= LONG:
        with contextlib.suppress(SyntaxError):
            return ast.parse(text := skeleton(source)), text
    return ast.parse(source), source


def nests_too_deeply(error: Exception) -> bool:
    """Whether `ast` gave up on a source by its nesting; LibCST, which counts no levels, would overflow the machine's stack on it."""
    return isinstance(error, (RecursionError, MemoryError)) or "too many nested" in str(error)


def outline_of_steps(steps: tuple[f.Step, ...], lines: int) -> Outline:
    """The outline of a module that was lowered whole, as page 0 of kind "module": source newer than the running Python."""
    imports: list[ImportedName] = []
    functions: dict[str, tuple[int, ...]] = {}
    classes: dict[str, ClassOutline] = {}
    names: dict[str, tuple[int, ...]] = {}
    stack: list[tuple[Any, str]] = [(step, "") for step in reversed(steps)]
    while stack:
        row, outer = stack.pop()
        if isinstance(row, f.FunctionFacts):
            if not outer:
                functions[row.name] = (0,)
        elif isinstance(row, f.ClassFacts):
            name = f"{outer}.{row.name}" if outer else row.name
            classes[name] = ClassOutline(name, 0, tuple(f.dotted(a.value) for a in row.bases if not a.keyword), {}, {})
            stack.extend((step, name) for step in reversed(row.body))
        elif isinstance(row, f.Import):
            imports.extend(_imported(row))
        elif isinstance(row, f.Name):
            if not outer:
                names[row.id] = (0,)  # also names that are only read: the page is looked through anyway
        elif not isinstance(row, f.Lambda):
            stack.extend((child, outer) for child in reversed(list(f.children(row))))
    return Outline((Page(1, lines, "module", acts=True),), tuple(imports), functions, classes, names)


def _imported(row: f.Import) -> Iterator[ImportedName]:
    for name, alias in row.names:
        if row.module or row.level:
            yield ImportedName(alias or name, row.module, row.level, name)
        else:
            yield ImportedName(alias or name.partition(".")[0], name if alias else name.partition(".")[0], 0, "")


class _Builder:
    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: list[str] | None = None
        self.pages: list[Page] = []
        self.imports: list[ImportedName] = []
        self.functions: dict[str, list[int]] = {}
        self.classes: dict[str, ClassOutline] = {}
        self.names: dict[str, list[int]] = {}

    def outline(self) -> Outline:
        return Outline(
            pages=tuple(self.pages),
            imports=tuple(self.imports),
            functions={k: tuple(v) for k, v in self.functions.items()},
            classes=self.classes,
            names={k: tuple(v) for k, v in self.names.items()},
        )

    def page(self, node: ast.stmt, kind: str, name: str = "", *, first: int = 0, last: int = 0, indent: bool = False, acts: bool = False) -> int:
        first = first or _first(node)
        last = last or node.end_lineno or node.lineno
        if kind == "step" and self.pages:
            previous = self.pages[-1]
            if previous.kind == "step" and previous.last >= first:  # statements that share a line are one page
                self.pages[-1] = msgspec.structs.replace(previous, last=max(last, previous.last), acts=acts or previous.acts)
                return len(self.pages) - 1
        decorators = tuple(_dotted(d) for d in node.decorator_list) if kind == "function" and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else ()
        self.pages.append(Page(first, last, kind, name, indent, acts, decorators))
        return len(self.pages) - 1

    def module(self, tree: ast.Module) -> None:
        first = last = 0
        for node in tree.body:
            if node.lineno != last:  # else it begins on the line on which the statement before it ends
                first = node.lineno
            last = node.end_lineno or node.lineno
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.functions.setdefault(node.name, []).append(self.page(node, "function", node.name))
            elif isinstance(node, ast.ClassDef):
                self.class_(node, "")
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                self.import_(node)
            else:
                page = self.page(node, "step", first=first, acts=_acts(node))
                self.bound(node, page, self.names, self.functions)

    def class_(self, node: ast.ClassDef, outer: str) -> None:
        name = f"{outer}.{node.name}" if outer else node.name
        bases = tuple(_dotted(base) for base in node.bases)
        methods: dict[str, list[int]] = {}
        names: dict[str, list[int]] = {}
        indent = bool(outer)
        if self.crowded(node):
            block = self.page(node, "block", name, indent=indent)
            self.classes[name] = ClassOutline(name, block, bases, {}, {})
            for step in node.body:
                self.bound(step, block, names, methods)
                if isinstance(step, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    methods.setdefault(step.name, []).append(block)
        else:
            head = self.page(node, "class", name, last=_first(node.body[0]) - 1, indent=indent)
            for step in node.body:
                if isinstance(step, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    methods.setdefault(step.name, []).append(self.page(step, "function", f"{name}.{step.name}", indent=True))
                elif isinstance(step, ast.ClassDef):
                    self.class_(step, name)
                    names.setdefault(step.name, [])
                elif not (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant)) and not isinstance(step, ast.Pass):
                    self.bound(step, self.page(step, "step", name, indent=True, acts=_acts(step)), names, methods)
            self.classes[name] = ClassOutline(name, head, bases, {}, {})
        self.classes[name] = msgspec.structs.replace(
            self.classes[name],
            methods={k: tuple(v) for k, v in methods.items()},
            names={k: tuple(v) for k, v in names.items()},
        )

    def crowded(self, node: ast.ClassDef) -> bool:
        """Whether a line of the class holds more than one statement, its header included, so that it cannot be cut into pages."""
        body = node.body
        if body[0].lineno == node.lineno or any((n.end_lineno or n.lineno) == _first(after) for n, after in itertools.pairwise(body)):
            return True
        if len(body) > 1 or hasattr(body[0], "body"):
            return False
        if self.lines is None:
            self.lines = lines_of(self.source)
        return bool(self.lines[body[0].lineno - 1].encode()[: body[0].col_offset].strip())

    def import_(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    self.imports.append(ImportedName(alias.asname, alias.name, 0, ""))
                else:
                    self.imports.append(ImportedName(alias.name.split(".")[0], alias.name.split(".")[0], 0, ""))
                    if "." in alias.name:
                        self.imports.append(ImportedName("", alias.name, 0, ""))
        else:
            for alias in node.names:
                self.imports.append(ImportedName(alias.asname or alias.name, node.module or "", node.level, alias.name))

    def bound(self, node: ast.stmt, page: int, names: dict[str, list[int]], functions: dict[str, list[int]]) -> None:
        """Note what a statement binds, through the compound statements it consists of."""
        stack: list[ast.AST] = [node]
        while stack:
            item = stack.pop()
            if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
                if item is not node:
                    functions.setdefault(item.name, []).append(page)
            elif isinstance(item, ast.ClassDef):
                if item is not node:
                    names.setdefault(item.name, []).append(page)
            elif isinstance(item, (ast.Import, ast.ImportFrom)):
                self.import_(item)
            elif isinstance(item, ast.Name):
                if isinstance(item.ctx, ast.Store) and page not in names.setdefault(item.id, []):
                    names[item.id].append(page)
            elif not isinstance(item, (ast.Lambda, ast.Constant)):
                stack.extend(ast.iter_child_nodes(item))


def _first(node: ast.stmt) -> int:
    """The first line of a statement, decorators included."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return node.lineno


def _acts(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return False
    stack: list[ast.AST] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, (ast.Call, ast.With, ast.Raise)):
            return True
        if not isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Constant, ast.Name)):
            stack.extend(ast.iter_child_nodes(item))
    return False


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _dotted(node.value)
    if isinstance(node, ast.Attribute):
        head = _dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return node.id if isinstance(node, ast.Name) else ""
