"""A module without the bodies of its functions, line for line: all that an outline needs, at a third of the price of parsing it whole.

Functions of the module level and of classes are found by their margin: a line that begins a statement at the column of its
block ends the statement before it.  What is not understood for certain stays as it is: text after an odd number of triple
quotes, classes with an unusual head, whole files with carriage returns or form feeds.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOP = re.compile(r"\n(?=[^\s#)\]}])")
_FUNCTION = re.compile(r"(?:async[ \t]+)?def[ \t]+(\w+)")
_CLASS_HEAD = re.compile(r"class[ \t]+\w+[^:#\"'\\]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*([ \t]+)")


@lru_cache(maxsize=64)
def _margin(indent: str) -> re.Pattern[str]:
    return re.compile(rf"\n{indent}(?=[^\s#)\]}}])")


def skeleton(source: str) -> str:
    """`source` with every function `def name(...): body` as `def name(): ...` over the same lines.

    Parses to the same module-level and class-level statements at the same lines.  Where a line inside brackets or quotes looks
    like the end of a function, what is left has a bracket or quote too many, and does not parse at all.
    """
    if "\r" in source or "\f" in source:
        return source
    out: list[str] = []
    done = _cut(source, 0, len(source), _TOP, out, 0)
    out.append(source[done:])
    return "".join(out)


def _cut(source: str, start: int, stop: int, margin: re.Pattern[str], out: list[str], done: int) -> int:
    """Append the skeleton of a block (`source[start:stop]`, statements at `margin`) and of what is before it since `done`; returns the new `done`."""
    open_ = (0, 0)
    first = start
    for found in (*[m.end() for m in margin.finditer(source, start, stop) if source[m.start() - 1] != "\\"], stop):
        odd = source.count('"""', first, found) & 1, source.count("'''", first, found) & 1
        if not any(odd) and not any(open_):
            head = source[first : first + 6]
            if head[:3] == "def" or head[:5] == "async":
                if (function := _FUNCTION.match(source, first, found)) and (end := _end(source, first, found)):
                    lines = source.count("\n", first, end)
                    out.append(f"{source[done:first]}def {function[1]}({chr(10) * lines}): ...")
                    done = end
            elif head == "class " and (body := _CLASS_HEAD.match(source, first, found)):
                done = _cut(source, body.end(), found, _margin(body[1]), out, done)
        open_ = open_[0] ^ odd[0], open_[1] ^ odd[1]
        first = found
    return done


def _end(source: str, start: int, stop: int) -> int:
    """Where the statement that begins at `start` ends: blank lines and comments before `stop` left out; 0 when quotes are among them."""
    end = stop
    while True:
        while source[end - 1] in " \t\n":
            end -= 1
        line = source.rfind("\n", start, end) + 1
        if line <= start or source[line:end].lstrip()[:1] != "#":
            break
        end = line
    return 0 if '"""' in source[end:stop] or "'''" in source[end:stop] else end
