"""`full` and `concise`: what people read, and what the terminal is told."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import BREAKS, CHAIN, FINDINGS, MAIN, ROOT, TEXTS, WAITS, WIDE, finding, scene

from mplint.finding import Edit, Finding, Fix, Place, Safety, Span
from mplint.report import FORMATS, Scene, render, write
from mplint.report.columns import Cells, tame, width
from mplint.report.frame import changes, frame
from mplint.report.scene import Text
from mplint.report.style import Style, style_for


def shown(*findings: Finding, style: Style | None = None, **more: object) -> str:
    return "".join(render(findings, format="full", scene=scene(style=style or Style(), **more)))


def test_full_shows_frame_chain_and_fix() -> None:
    assert (
        shown(WAITS)
        == """\
app/main.py:9:18  MP501 pool-call-without-timeout
  `Pool.map` without a timeout: a worker that dies takes its task along, and this call waits for ever

   7 │ def main(paths):
   8 │     with Pool(4) as pool:
   9 │         counts = pool.map(parse, paths)
     │                  ^^^^^^^^^^^^^^^^^^^^^^
  10 │     return sum(counts)
     │
     ╰ 1  app/main.py:9:18  `Pool.map` runs `parse` in worker processes

 fix · Wait at most 3600 s with `map_async`  (--fix --unsafe-fixes)
   9 -         counts = pool.map(parse, paths)
     +         counts = pool.map_async(parse, paths).get(timeout=3600)

Found 1 finding in 1 file.
`--fix --unsafe-fixes` repairs it.
"""
    )


def test_steps_outside_the_frame_bring_their_line() -> None:
    lines = shown(BREAKS).split("\n")
    chain = lines[lines.index("     │") + 1 :][:4]
    assert chain == [
        "     ├ 1  app/main.py:9:18    `Pool.map` runs `parse` in worker processes",
        "     │    counts = pool.map(parse, paths)",
        "     ╰ 2  app/parse.py:10:13  `parse` raises `RowError`",
        '          raise RowError(number, "no tab")',
    ]


def test_carets_stand_below_wide_characters_and_tabs() -> None:
    lines = shown(finding(WIDE, "pool.map(parse,\tpaths)")).split("\n")
    source = next(line for line in lines if "pool.map" in line)
    carets = lines[lines.index(source) + 1]
    left = width(source[: source.index("pool.map")])
    assert carets.index("^") == left
    assert carets.count("^") == width(source) - left


def test_long_lines_are_cut_around_the_marked_range() -> None:
    lines = shown(finding(WIDE, "value_40"), style=Style(width=80)).split("\n")
    source = next(line for line in lines if "value_40" in line)
    assert len(source) <= 80 and "│ …" in source and source.endswith("…")
    carets = lines[lines.index(source) + 1]
    assert source[carets.index("^") :].startswith("value_40")


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n")), st.integers(0, 40), st.integers(2, 60))
def test_cropped_lines_take_no_more_than_their_columns(line: str, left: int, room: int) -> None:
    cells = Cells(line)
    cropped = cells.crop(left, left + room, "…")
    assert width(cropped) <= room
    if left == 0 and cells.at[-1] <= room:
        assert width(cropped) == width("".join(cells.pieces).rstrip())


@given(st.text())
def test_tamed_text_steers_no_terminal(text: str) -> None:
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", tame(text))
    assert len(tame(text)) == len(text)


def test_escapes_in_source_and_messages_are_not_passed_on() -> None:
    path = f"{ROOT}/evil\x1b[2J.py"
    text = "x = '\x1b]0;owned\x07'\n"
    evil = Finding("MP501", "n", path, Span(0, 5), 1, 1, 1, 6, "boo\x1b[31m", (Place(path, Span(0, 1), 1, 1, "\x1b[0m"),))
    here = Scene({path: text}.__getitem__, root=ROOT)
    for format in ("full", "concise"):
        assert "\x1b" not in "".join(render((evil,), format=format, scene=here))


def test_a_file_that_cannot_be_read_still_has_its_finding() -> None:
    gone = finding(MAIN, "pool.map(parse, paths)", because=CHAIN)
    here = Scene({}.__getitem__, root=ROOT)
    assert shown_lines(gone, here)[:4] == [
        "app/main.py:9:18  MP501 some-hazard",
        "  something waits for ever",
        "",
        "     ├ 1  app/main.py:9:18    `Pool.map` runs `parse` in worker processes",
    ]


def shown_lines(one: Finding, here: Scene) -> list[str]:
    return "".join(render((one,), format="full", scene=here)).split("\n")


def test_colour_changes_nothing_but_colour() -> None:
    colored = shown(*FINDINGS, style=Style(color=True))
    assert "\x1b[1;33mMP501\x1b[0m" in colored and "\x1b[1;31mMP201\x1b[0m" in colored
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == shown(*FINDINGS)


def test_links_lead_to_the_file_and_to_the_rule() -> None:
    linked = shown(WAITS, style=Style(links=True), url="https://example.org/{name}")
    assert "\x1b]8;;file:///project/app/main.py\x1b\\app/main.py:9:18\x1b]8;;\x1b\\" in linked
    assert "\x1b]8;;https://example.org/pool-call-without-timeout\x1b\\MP501" in linked


def test_ascii_only_where_the_output_is_ascii() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="")
    style = style_for(stream, environ={})
    write((WAITS, finding(WIDE, "pool.map")), format="full", stream=stream, scene=scene(style=style))
    written = raw.getvalue().decode("ascii")
    assert "9 |         counts" in written and "\\u6570" in written


@pytest.mark.parametrize(
    ("color", "environ", "terminal", "expected"),
    [
        ("auto", {}, False, False),
        ("auto", {}, True, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_who_decides_about_colour(color: str, environ: dict[str, str], terminal: bool, expected: bool) -> None:
    assert style_for(_Screen(terminal), color=color, environ=environ).color is expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({}, False), ({"TERM": "xterm-kitty"}, True), ({"VTE_VERSION": "4600"}, False), ({"VTE_VERSION": "6003"}, True)]
    + [({"TERM_PROGRAM": "vscode", "CI": "true"}, False), ({"TERM_PROGRAM": "vscode", "FORCE_HYPERLINK": "0"}, False)],
)
def test_links_only_on_terminals_that_have_them(environ: dict[str, str], expected: bool) -> None:
    assert style_for(_Screen(True), environ=environ).links is expected
    assert not style_for(_Screen(False), environ=environ).links


class _Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def test_concise_marks_what_this_run_would_fix() -> None:
    def lines(**more: object) -> list[str]:
        return "".join(render(FINDINGS, format="concise", scene=scene(**more))).split("\n")[:2]

    assert [" [*] " in line for line in lines()] == [False, True]
    assert [" [*] " in line for line in lines(unsafe_fixes=True)] == [True, True]
    assert lines()[1].startswith("app/parse.py:1:1: MP201 [*] `RowError` cannot be unpickled")


def test_closing_words() -> None:
    def last(*findings: Finding, **more: object) -> str:
        return "".join(render(findings, format="concise", scene=scene(**more))).split("\n", len(findings))[-1]

    assert last() == "Nothing found.\n"
    assert last(fixed=3) == "Fixed 3 findings, none left.\n"
    assert last(*FINDINGS) == "Found 2 findings in 2 files.\n`--fix` repairs 1, `--unsafe-fixes` 1 more.\n"
    assert last(*FINDINGS, unsafe_fixes=True) == "Found 2 findings in 2 files.\n`--fix` repairs all.\n"
    assert last(WAITS, fixed=2) == "Found 3 findings (2 fixed, 1 left in 1 file).\n`--fix --unsafe-fixes` repairs it.\n"


def test_frames_of_long_ranges_leave_out_the_middle() -> None:
    text = Text("".join(f"line{n}\n" for n in range(1, 31)))
    rows = [line.row for line in frame(text, Span(text.starts[4], text.starts[20]))]
    assert rows == [3, 4, 5, 6, 7, 0, 20, 21]


def test_frames_stay_inside_the_cell_of_a_notebook() -> None:
    text = Text("a\n# %% mplint: next cell\nb\nc\n# %% mplint: next cell\nd\n")
    assert [line.text for line in frame(text, Span(text.starts[2], text.starts[2] + 1), notebook=True)] == ["b", "c"]


def test_rows_in_a_notebook_count_in_the_cell() -> None:
    path = f"{ROOT}/book.ipynb"
    text = "a\n# %% mplint: next cell\nb\nfoo()\n"
    where = Span(text.index("foo"), text.index("foo") + 5)
    one = Finding("MP501", "n", path, where, 2, 1, 2, 6, "m", fix=Fix("t", (Edit(where, "bar()"),), Safety.SAFE), notebook_cell=4)
    lines = shown_lines(one, Scene({path: text}.__getitem__, root=ROOT))
    assert lines[0] == "book.ipynb:cell 4:2:1  MP501 n"
    assert lines[3:6] == ["   1 │ b", "   2 │ foo()", "     │ ^^^^^"]
    assert lines[7:9] == [" fix · t  (--fix)", "   2 - foo()"]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4), st.text("ab\n", max_size=5)), max_size=4), st.text("xy\n", max_size=30))
def test_changes_are_the_difference_that_the_edits_make(pieces: list[tuple[int, int, str]], source: str) -> None:
    edits, at = [], 0
    for gap, length, new in pieces:
        start = min(at + gap, len(source))
        stop = min(start + length, len(source))
        if edits and start <= edits[-1].span.stop:
            continue
        edits.append(Edit(Span(start, stop), new))
        at = stop
    text = Text(source)
    fixed = source
    for edit in reversed(edits):
        fixed = fixed[: edit.span.start] + edit.text + fixed[edit.span.stop :]
    old, rebuilt = list(text.lines), []
    row = 1
    for change in changes(text, tuple(edits)):
        if change.sign == "-":
            rebuilt += old[row - 1 : change.row - 1]
            row = change.row + 1
        elif change.sign == "+":
            rebuilt += old[row - 1 : change.row - 1] if change.row > row else []
            row = max(row, change.row)
            rebuilt.append(change.text)
    assert rebuilt + old[row - 1 :] == Text(fixed).lines


def test_reports_load_neither_libcst_nor_rich() -> None:
    formats = sorted(set(FORMATS))
    program = (
        "import sys\nfrom report_samples import FINDINGS, scene\nfrom mplint.report import render\n"
        f"for format in {formats}:\n    ''.join(render(FINDINGS, format=format, scene=scene()))\n"
        "print(sorted({'libcst', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr


def test_samples_hold_what_they_say() -> None:
    for one in FINDINGS:
        assert Text(TEXTS[one.path]).position(one.span.start) == (one.row, one.column)
