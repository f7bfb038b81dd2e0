"""Suppression comments: what they hide, which are useless, what fixes and `--add-noqa` make of them."""

from __future__ import annotations

import pytest

from mplint.finding import Finding, Span
from mplint.finding.suppress import Verdict, added, judge
from mplint.fixes.edits import applied
from mplint.source import Source, decode

KNOWN = (("MP000", "unreadable-file"), ("MP001", "useless-suppression"), ("MP501", "pool-call-without-timeout"), ("MP502", "async-result"))
ALL = frozenset(code for code, _ in KNOWN)


def finding(row: int, code: str = "MP501", last: int | None = None) -> Finding:
    return Finding(code, dict(KNOWN)[code], "m.py", Span(0, 0), row, 1, row, 2, "message", noqa_row=last or row)


def verdict(text: str, *findings: Finding, running: frozenset[str] = ALL, noqa: bool = True) -> tuple[Source, Verdict]:
    source = decode("m.py", text.encode())
    return source, judge(source, findings, running=running, known=KNOWN, noqa=noqa)


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa", "#noqa", "# NOQA", "# noqa: MP501", "# noqa:MP501", "# noqa: E501, MP501", "# noqa: E501 MP5", "# noqa: mp501",
        "# why # noqa: MP501", "# mplint: ignore", "# mplint: ignore[MP501]", "# mplint:ignore[ MP502 , pool-call-without-timeout ]",
        "# noqa: MP501 because it ends", "# mplint: ignore-file", "# mplint: ignore-file[MP501]",
    ],
)  # fmt: skip
def test_hidden(comment: str) -> None:
    _, found = verdict(f"f()  {comment}\n", finding(1))
    assert (found.kept, len(found.hidden)) == ((), 1)


@pytest.mark.parametrize(
    "line", ["f()  # noqa: E501", "f()  # noqa: MP502", "f()  # mplint: ignore[MP502]", "f()  # mplint: ignore[]", "f('# noqa')", "f()  # flake8: noqa"]
)
def test_not_hidden(line: str) -> None:
    _, found = verdict(f"{line}\n", finding(1))
    assert (len(found.kept), found.hidden) == (1, ())


def test_a_comment_counts_for_its_statement_and_no_other() -> None:
    text = "f(\n  1,\n)  # noqa: MP501\nf()\nwith g(\n    h,  # noqa: MP501\n):\n    f()\n"
    _, found = verdict(text, finding(1, last=3), finding(4), finding(5, last=7), finding(8))
    assert [f.row for f in found.hidden] == [1, 5]


def test_whole_file() -> None:
    assert len(verdict("# flake8: noqa\nf()\n", finding(2))[1].hidden) == 1
    assert len(verdict("# flake8: noqa: MP502\nf()\n", finding(2))[1].hidden) == 0
    assert len(verdict("f()\ng()  # mplint: ignore-file[MP5]\n", finding(1), finding(1, "MP502"))[1].hidden) == 2


def test_noqa_can_be_left_to_others() -> None:
    _, found = verdict("f()  # noqa\ng()  # mplint: ignore\n", finding(1), finding(2), noqa=False)
    assert [f.row for f in found.hidden] == [2]


@pytest.mark.parametrize(
    ("line", "message", "repaired"),
    [
        ("f()  # noqa: MP501\n", "`MP501` suppresses nothing here", "f()\n"),
        ("f()  # noqa: MP501, E501\n", "`MP501` suppresses", "f()  # noqa: E501\n"),
        ("f()  # noqa: E501, MP501\n", "`MP501` suppresses", "f()  # noqa: E501\n"),
        ("f()  # noqa: MP999\n", "`MP999` is no rule", "f()\n"),
        ("f()  # mplint: ignore[nonsense]\n", "`nonsense` is no rule", "f()\n"),
        ("f()  # mplint: ignore\n", "this comment suppresses nothing", "f()\n"),
        ("f()  # noqa: MP501 # type: ignore\n", "`MP501` suppresses", "f()  # type: ignore\n"),
        ("f()  # reason # noqa: MP501\n", "`MP501` suppresses", "f()  # reason\n"),
        ("# mplint: ignore-file\nf()\n", "this comment suppresses nothing", "f()\n"),
        ("f()  # noqa: MP501 as it ends\n", "`MP501` suppresses", "f()  # as it ends\n"),
    ],
)
def test_useless(line: str, message: str, repaired: str) -> None:
    source, found = verdict(line)
    (useless,) = found.useless
    assert message in useless.message
    assert useless.fix is not None
    assert applied(source.text, useless.fix.edits) == repaired
    assert source.text[useless.span.start : useless.span.stop] in line


def test_words_of_one_comment_are_judged_one_by_one() -> None:
    _, found = verdict("f()  # noqa: MP501, MP502\n", finding(1))
    assert [u.message for u in found.useless] == ["useless suppression: `MP502` suppresses nothing here"]


@pytest.mark.parametrize("line", ["f()  # noqa", "f()  # noqa: E501", "f()  # noqa: MP501, MP001", "f()  # noqa: MP", "f('# noqa: MP501')"])
def test_not_useless_or_not_ours_to_say(line: str) -> None:
    assert verdict(f"{line}\n")[1].useless == ()


def test_rules_that_do_not_run_are_not_judged() -> None:
    assert verdict("f()  # noqa: MP501\n", running=frozenset({"MP001", "MP502"}))[1].useless == ()
    assert verdict("f()  # mplint: ignore\n", running=frozenset({"MP001", "MP502"}))[1].useless == ()
    assert verdict("f()  # noqa: MP501\n", running=frozenset({"MP501"}))[1].useless == ()


def test_adding_comments() -> None:
    text = "f()\r\ng(\r\n  1,\r\n)\r\nh()  # noqa: E501\r\ni()  # hm"
    source = decode("m.py", text.encode())
    new = added(source, [finding(1), finding(1, "MP502"), finding(2, last=4), finding(5), finding(6)])
    assert new == ("f()  # noqa: MP501, MP502\r\ng(\r\n  1,\r\n)  # noqa: MP501\r\nh()  # noqa: E501, MP501\r\ni()  # hm  # noqa: MP501")
    again = [finding(1), finding(1, "MP502"), finding(2, last=4), finding(5), finding(6)]
    assert judge(decode("m.py", new.encode()), again, running=ALL, known=KNOWN).kept == ()
