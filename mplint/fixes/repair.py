"""How a rule repairs what it found: node replacements and lines of source in, minimal text edits out.

A rule's `fix(node, alarm, repair)` describes one repair on `repair`.  Nodes are LibCST nodes; whatever is not edited keeps every
byte.  The fix is withheld, and the reason told, when the edits collide, when the result does not parse, or
when `fix` raises `Unrepairable` itself; a `fix` that edits nothing has no fix to offer.

    def fix(self, node: cst.CSTNode, alarm: Alarm, repair: Repair) -> None:
        call = cst.ensure_type(node, cst.Call)                      # pool.map(f, xs)
        method = cst.ensure_type(call.func, cst.Attribute).attr
        repair.replace_source(method, f"{method.value}_async")
        repair.insert_text_after(call, ".get(timeout=3600)")        # pool.map_async(f, xs).get(timeout=3600)
        repair.title = "Wait for the result with a timeout"
        repair.safety = Safety.UNSAFE

Snippets of source are written with four spaces a level and without a margin; they take the margin of their place, and the
indentation and line ends of the file.  Statements that share a line or stand in a one-line suite are put on lines of their own
where that is needed.  A repair calls each of these any number of times:

    replace(old, new)              a node by a node made with `old.with_changes(...)` or from scratch; parentheses are added when needed
    replace_source(node, text)     an expression by the source of one, a statement by statements
    insert_text_before/after(node, text)   raw text at the very edge of an expression
    add_argument(call, text)       "timeout=5" or "x" as the last keyword or positional argument
    insert_before/after(node, lines)   lines before or after a statement, an except clause, a case
    append_to_body(node, lines)    lines at the end of a function, class, loop, with ...; a lone `pass` gives way
    wrap(statements, header, footer="")    a header line above neighbouring statements, which are indented, and lines after them
    remove(node)                   a statement, handler, decorator, argument, element
    import_name(module, name="")   how to spell it here; adds the import when there is none

and asks: code(node), parent(node), ancestors(node), statement_of(node), function_of(node), block_of(statement), node(at),
fresh(name), quoted(text), site (the node of the alarm).  Where an edit takes a comment away, the fix is never offered as safe.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

import libcst as cst

from mplint import extract
from mplint.finding import Alarm, Edit, Safety, spans
from mplint.fixes import imports
from mplint.fixes.blocks import Blocks
from mplint.fixes.edits import Draft, Unrepairable
from mplint.fixes.tree import Tree

__all__ = ["Repair", "Unrepairable"]

_KEYWORD = re.compile(r"\w+\s*=(?!=)")
_LOOSE = (
    cst.BinaryOperation, cst.BooleanOperation, cst.UnaryOperation, cst.Comparison, cst.IfExp, cst.Lambda, cst.Await, cst.Yield,
    cst.NamedExpr, cst.Tuple,
)  # fmt: skip
_TIGHT = (cst.Attribute, cst.Subscript, cst.BinaryOperation, cst.BooleanOperation, cst.UnaryOperation, cst.Comparison, cst.Await)


class Repair:
    """One repair of one file, described by a rule's `fix` (see the module)."""

    def __init__(self, tree: Tree, alarm: Alarm) -> None:
        self.title = ""
        self.safety = Safety.UNSAFE
        self.tree = tree
        self._draft = Draft(tree.source.text)
        self._blocks = Blocks(tree, self._draft)
        self.site = self.node(alarm.site.at)

    # -- questions

    def node(self, at: int) -> cst.CSTNode:
        """The node with this number in the walk of its page (`row.at` of a fact of this file)."""
        try:
            return self.tree.node(at)
        except (LookupError, extract.Unreadable):
            raise Unrepairable("the place of the alarm is not found in the file") from None

    def code(self, node: cst.CSTNode) -> str:
        """The source of a node as it stands in the file; the lines of a statement without their margin."""
        return self.tree.code(node)

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node around `node`; a Module around a statement of the module level, None around that."""
        return self.tree.parents.get(node)

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around `node`, innermost first."""
        return self.tree.around(node)

    def statement_of(self, node: cst.CSTNode) -> cst.BaseSmallStatement | cst.BaseCompoundStatement:
        """The innermost statement that `node` is, or is part of; a small statement rather than its line."""
        if isinstance(node, cst.SimpleStatementLine):
            node = node.body[0]
        for item in itertools.chain([node], self.ancestors(node)):
            if isinstance(item, (cst.BaseSmallStatement, cst.BaseCompoundStatement)):
                return item
        raise Unrepairable("there is no statement here")

    def function_of(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The innermost `def` around `node`."""
        return next((item for item in self.ancestors(node) if isinstance(item, cst.FunctionDef)), None)

    def block_of(self, statement: cst.CSTNode) -> list[cst.BaseSmallStatement | cst.BaseCompoundStatement]:
        """The statements of the block that holds `statement`, itself included."""
        return self._blocks.block_of(statement)

    def fresh(self, wish: str) -> str:
        """A name that the file does not use: `wish`, or `wish` with a number."""
        return self.tree.fresh(wish)

    def quoted(self, text: str) -> str:
        """A string literal in the quotes that the file uses more often."""
        literal = repr(text)
        double = self.tree.source.text.count('"') >= self.tree.source.text.count("'")
        return '"' + literal[1:-1] + '"' if double and '"' not in literal else literal

    def import_name(self, module: str, name: str = "", place: cst.CSTNode | None = None) -> str:
        """How `name` of `module` (or the module) is spelled at `place` (the site of the alarm), importing it when it is not.

        `import_name("sys", "exit")` is "sys.exit" below `import sys`, "leave" below `from sys import exit as leave`.
        """
        text, edit = imports.spelling(self.tree, place or self.site, module, name)
        if edit is not None and edit not in self._draft.imports:
            self._draft.imports.append(edit)
        return text

    # -- expressions and whole nodes

    def replace(self, old: cst.CSTNode, new: cst.CSTNode) -> None:
        """Put `new` in the place of `old`.

        Where `new` has none of its own it takes over the parentheses, the comma, the semicolon and the comments of `old`.
        """
        changes: dict[str, Any] = {}
        for name in ("comma", "semicolon"):
            if isinstance(getattr(new, name, None), cst.MaybeSentinel) and hasattr(old, name):
                changes[name] = getattr(old, name)
        if isinstance(new, cst.BaseExpression) and isinstance(old, cst.BaseExpression) and not new.lpar:
            if old.lpar:
                changes.update(lpar=old.lpar, rpar=old.rpar)
            elif self._loose(old, new):
                changes.update(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        if isinstance(new, cst.BaseStatement) and isinstance(old, cst.BaseStatement):
            if not getattr(new, "leading_lines", ()):
                changes["leading_lines"] = getattr(old, "leading_lines", ())
            if isinstance(new, cst.SimpleStatementLine) and isinstance(old, cst.SimpleStatementLine) and new.trailing_whitespace.comment is None:
                changes["trailing_whitespace"] = old.trailing_whitespace
        new = new.with_changes(**changes)
        if isinstance(old, cst.BaseSmallStatement) and not isinstance(new, cst.BaseSmallStatement):
            self.replace_source(old, spans.generate(self.tree.root(old).with_changes(default_indent="    ", default_newline="\n"), new))
        else:
            self._draft.put(self.tree.outer[old], spans.generate(self.tree.root(old), new, self.tree.indents[old]))

    def replace_source(self, node: cst.CSTNode, text: str) -> None:
        """Put the source `text` in the place of `node`: an expression, or one or more statements."""
        if isinstance(node, (cst.BaseSmallStatement, cst.BaseStatement)):
            self._blocks.replace(node, text)
        elif isinstance(node, cst.BaseExpression):
            try:
                loose = not node.lpar and self._loose(node, cst.parse_expression(text))
            except cst.ParserSyntaxError:
                loose = False
            self._draft.put(self.tree.inner[node], f"({text})" if loose else text)
        else:
            self._draft.put(self.tree.span(node), text)

    def _loose(self, old: cst.BaseExpression, new: cst.BaseExpression) -> bool:
        """Whether `new` would fall apart, or bind otherwise, in the place of `old`."""
        above = self.parent(old)
        tight = isinstance(above, _TIGHT) or (isinstance(above, cst.Call) and above.func is old)
        return tight and isinstance(new, _LOOSE) and not new.lpar and not _same_operator(old, new)

    def insert_text_before(self, node: cst.CSTNode, text: str) -> None:
        """Put raw text right before an expression (and its parentheses)."""
        self._draft.insert(self.tree.span(node).start, text)

    def insert_text_after(self, node: cst.CSTNode, text: str) -> None:
        """Put raw text right behind an expression (and its parentheses)."""
        self._draft.insert(self.tree.span(node).stop, text)

    def add_argument(self, call: cst.Call, text: str) -> None:
        """Add an argument to a call: a keyword ("timeout=5") as the last one, a positional one before the keywords."""
        tree = self.tree
        keyword = _KEYWORD.match(text) is not None
        before = [arg for arg in call.args if keyword or (arg.keyword is None and arg.star != "**")]
        if len(call.args) == 1 and isinstance(call.args[0].value, cst.GeneratorExp) and not call.args[0].value.lpar:
            self.insert_text_before(call.args[0].value, "(")
            self.insert_text_after(call.args[0].value, ")")
        if not before:
            start = tree.outer[call.args[0]].start if call.args else tree.inner[call].stop - 1
            self._draft.insert(start, text + (", " if call.args else ""))
            return
        last = before[-1]
        if not isinstance(last.comma, cst.Comma) or last is not call.args[-1]:
            self._draft.insert(tree.span(last).stop, f", {text}")
            return
        behind = tree.span(last).stop + 1  # there is a trailing comma: the new argument gets one, and a line if the last one has its own
        rest = tree.source.text[behind : tree.line_end(behind)]
        margin = tree.margin(tree.outer[last].start)
        if margin is not None and (not rest.strip() or rest.lstrip().startswith("#")):
            self._draft.insert(behind + len(rest.rstrip("\r\n")), f"{tree.newline}{margin}{text},")
        else:
            self._draft.insert(behind, f" {text},")

    # -- statements

    def insert_before(self, node: cst.CSTNode, lines: str) -> None:
        """Put lines before a statement, an except clause or a case; its comments stay above them."""
        self._blocks.insert_before(node, lines)

    def insert_after(self, node: cst.CSTNode, lines: str) -> None:
        """Put lines behind a statement (and the comment on its line), an except clause or a case."""
        self._blocks.insert_after(node, lines)

    def append_to_body(self, node: cst.CSTNode, lines: str) -> None:
        """Put lines at the end of the block of a function, class or other compound statement; a lone `pass` or `...` gives way."""
        self._blocks.append(node, lines)

    def wrap(self, statements: Sequence[cst.CSTNode], header: str, footer: str = "") -> None:
        """Put `header` (such as "with lock:") above neighbouring statements of one block, indent them, and put `footer` behind them.

        Comments between them move along; the lines of a string stay.  All statements of a shared line must be among them.
        """
        self._blocks.wrap(statements, header, footer)

    def remove(self, node: cst.CSTNode) -> None:
        """Take away a statement with its line, an except clause, a decorator, or an argument, element or imported name with its comma."""
        self._blocks.remove(node)

    # -- result

    def edits(self) -> tuple[Edit, ...]:
        """The edits so far, sorted.  Raises Unrepairable when they collide."""
        self._blocks.check()
        return self._draft.edits()

    def loses_comments(self, edits: Sequence[Edit]) -> bool:
        """Whether a comment of the file is taken away by `edits`."""
        for span in self.tree.comments:
            hit = [edit for edit in edits if edit.span.start < span.stop and edit.span.stop > span.start]
            if hit and not any(self.tree.source.text[span.start : span.stop] in edit.text for edit in hit):
                return True
        return False


def _same_operator(one: cst.CSTNode, other: cst.CSTNode) -> bool:
    return type(one) is type(other) and type(getattr(one, "operator", None)) is type(getattr(other, "operator", None))
