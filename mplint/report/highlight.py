"""Python source in colour: classes of tokens over a text, for pages."""

from __future__ import annotations

import builtins
import html
import keyword
import re
from collections.abc import Iterator

_PREFIX = r"(?:[rRbBfFuUtT]{0,2})"
_TOKEN = re.compile(
    rf"(?P<comment>\#[^\r\n]*)"
    rf"|(?P<string>{_PREFIX}(?:'''(?:\\.|[^\\])*?(?:'''|\Z)|\"\"\"(?:\\.|[^\\])*?(?:\"\"\"|\Z)"
    rf"|'(?:\\.|[^'\\\r\n])*'?|\"(?:\\.|[^\"\\\r\n])*\"?))"
    rf"|(?P<decorator>(?m:^)[ \t]*@[\w.]+)"
    rf"|(?P<number>\b\d[\w.]*)"
    rf"|(?P<name>\b[^\W\d]\w*)",
    re.DOTALL,
)
_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))

Token = tuple[int, int, str]
"""Start and stop offsets and a class: "c" comment, "s" string, "d" decorator, "n" number, "k" keyword, "b" builtin, "f" defined name."""


def tokens(text: str) -> list[Token]:
    """The coloured tokens of a text, in order."""
    found: list[Token] = []
    defines = False
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "name":
            found.append((match.start(), match.end(), kind[0]))
            continue
        word = match[0]
        if defines:
            found.append((match.start(), match.end(), "f"))
        elif keyword.iskeyword(word):
            found.append((match.start(), match.end(), "k"))
        elif word in _BUILTINS and text[match.start() - 1 : match.start()] != ".":
            found.append((match.start(), match.end(), "b"))
        defines = word in {"def", "class"}
    return found


def painted(text: str, start: int, stop: int, coloured: list[Token], mark: tuple[int, int] = (0, 0)) -> str:
    """HTML of `text[start:stop]`; `coloured` are tokens that overlap it, the range `mark` is wrapped in `<mark>`."""
    edges = sorted({start, stop, *(max(start, min(stop, edge)) for t in coloured for edge in t[:2]), *(max(start, min(stop, m)) for m in mark)})
    pieces = []
    inside = False
    for left, right in zip(edges, edges[1:]):
        marked = mark[0] <= left and right <= mark[1]
        if marked != inside:
            pieces.append("<mark>" if marked else "</mark>")
            inside = marked
        shade = next((kind for first, last, kind in coloured if first <= left and right <= last), "")
        escaped = html.escape(text[left:right], quote=False)
        pieces.append(f'<span class="{shade}">{escaped}</span>' if shade else escaped)
    return "".join(pieces) + ("</mark>" if inside else "")


def within(coloured: list[Token], start: int, stop: int) -> Iterator[Token]:
    """The tokens that overlap a range."""
    return (token for token in coloured if token[0] < stop and token[1] > start)
