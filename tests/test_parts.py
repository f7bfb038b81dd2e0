"""Parts of a file can be read alone: what is said of each of them holds for all of it."""

from __future__ import annotations

import asyncio
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplint.facts.outline import outline_of
from mplint.finding import Edit, Span
from mplint.fixes.edits import applied, parses
from mplint.fixes.parts import Parts
from mplint.source import decode

LIBRARY = Path(asyncio.__file__).parents[1]
FILES = [*sorted(LIBRARY.glob("asyncio/*.py")), *sorted(LIBRARY.glob("[dt-u]*.py"))]
TEXT = 'import a; \\\nx = 1\nimport b\n\n\nclass C:  # c\n    def f(self): return """\nimport c\n"""\n@d\ndef e():\n    pass\n# f\nfor i in x: print(i); y = 2\nz = \\\n  3'
SNIPPETS = ["import m\n", "\n", "if 1:\n", "    ", "x", "1", "y = ", "(", '"', '"""', "\\", "\\\n", "#", "", "else: pass\n", "@", " "]


def of(text: str) -> Parts:
    return Parts(decode("x.py", text.encode()), outline_of(text))


@pytest.mark.parametrize("text", [TEXT, *(path.read_bytes().decode() for path in FILES)], ids=["tricky", *(path.name for path in FILES)])
def test_parts_make_up_the_file_and_parse_alone(text: str) -> None:
    parts = of(text)
    texts = [parts.text(number, number) for number in range(len(parts))]
    assert "".join(texts) == text
    assert [parts.start(number) for number in range(len(parts))] == list(accumulate(map(len, texts), initial=0))[:-1]
    assert all(map(parses, texts))


@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(0, 12), st.sampled_from(SNIPPETS)), min_size=1, max_size=3))
def test_changed_parts_that_parse_alone_parse_together(wishes: list[tuple[int, int, str]]) -> None:
    edits: list[Edit] = []
    for start, length, text in sorted(wishes):
        if not edits or start > edits[-1].span.stop:
            edits.append(Edit(Span(start, min(start + length, len(TEXT))), text))
    if all(map(parses, of(TEXT).changed(edits))):
        assert parses(applied(TEXT, edits))


def test_a_fix_in_one_part_asks_nothing_of_the_others() -> None:
    at = TEXT.index("pass")
    assert list(of(TEXT).changed([Edit(Span(at, at + 4), "return 1")])) == ["@d\ndef e():\n    return 1\n# f\n"]
