"""Newer syntax in the words of an older Python, line for line: what an outline asks of a module, any of them can then tell.

Rewritten are the type parameters and `type` statements of PEP 695, the exceptions without parentheses of PEP 758 and the lazy imports of PEP 810;
what they say about types is left out.  Strings that look like one of these are changed, too: an outline does not read strings.
"""

from __future__ import annotations

import re

_EXCEPT = re.compile(r"^([ \t]*except\*?[ \t]+)([^\n:#()]*,[^\n:#()]*):", re.MULTILINE)
_ALIAS = re.compile(r"^([ \t]*)type[ \t]+(\w+)[ \t]*(?:\[[^\[\]\n]*(?:\[[^\[\]\n]*\][^\[\]\n]*)*\][ \t]*)?=(?!=)", re.MULTILINE)
_LAZY = re.compile(r"^([ \t]*)lazy[ \t]+(?=import\b|from\b)", re.MULTILINE)
_GENERIC = re.compile(r"^[ \t]*(?:async[ \t]+def|def|class)[ \t]+\w+[ \t]*(\[)", re.MULTILINE)
_ARGUMENTS = re.compile(r"[ \t]*\(")
_BRACKET = re.compile(r"[\[\]]")


def older(source: str) -> str:
    """`source` with as many lines, for a parser that knows none of these."""
    text = _LAZY.sub(r"\1", _EXCEPT.sub(r"\1(\2):", source))
    return _without_parameters(_ALIAS.sub(r"\1\2 =", text))


def _without_parameters(source: str) -> str:
    """The same without the type parameters of functions and classes; their lines go into the brackets of the arguments."""
    out: list[str] = []
    done = 0
    for head in _GENERIC.finditer(source):
        end = _closed(source, head.end())
        if head.start() < done or not end:
            continue
        out.append(source[done : head.start(1)])
        lines = "\n" * source.count("\n", head.start(1), end)
        called = _ARGUMENTS.match(source, end)
        out.append(f"({lines}" if called else f"({lines})")
        done = called.end() if called else end
    return "".join((*out, source[done:]))


def _closed(source: str, start: int) -> int:
    """The end of the bracket that was opened right before `start`; 0 when there is none."""
    depth = 1
    for found in _BRACKET.finditer(source, start):
        depth += 1 if found[0] == "[" else -1
        if not depth:
            return found.end()
    return 0
