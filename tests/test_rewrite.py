"""Fixes are applied in rounds, and only those that keep their promises."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplint.finding import Edit, Finding, Fix, Safety, Span
from mplint.fixes.edits import Unrepairable, applied
from mplint.fixes.rewrite import Rewritten, apart, merged, rewrite


def finding(code: str, start: int, edits: tuple[Edit, ...] | None = None, safety: Safety = Safety.SAFE, path: str = "a.py") -> Finding:
    fix = Fix("Repair", edits, safety, path) if edits is not None else None
    return Finding(code, "name", path, Span(start, start + 1), 1, start + 1, 1, start + 2, "message", fix=fix)


def edit(start: int, stop: int, text: str) -> Edit:
    return Edit(Span(start, stop), text)


def linter(
    rules: Mapping[str, tuple[str, Callable[[re.Match[str]], tuple[Edit, ...]], Safety]],
) -> Callable[[Mapping[str, str]], list[Finding]]:
    """A linter that reports every match of a pattern and offers what the rule makes of it."""

    def check(texts: Mapping[str, str]) -> list[Finding]:
        return [
            finding(code, match.start(), offer(match), safety, path)
            for path, text in sorted(texts.items())
            for code, (pattern, offer, safety) in rules.items()
            for match in re.finditer(pattern, text)
        ]

    return check


def swap(text: str) -> Callable[[re.Match[str]], tuple[Edit, ...]]:
    return lambda match: (edit(match.start(), match.end(), text),)


def run(texts: dict[str, str], check: Callable[[Mapping[str, str]], Sequence[Finding]], **options: object) -> Rewritten:
    return rewrite(texts, check(texts), check, **options)  # type: ignore[arg-type]


def test_all_fixes_of_a_round() -> None:
    check = linter({"A": (r"\bbad\b", swap("good"), Safety.SAFE)})
    done = run({"a.py": "bad\nbad = bad\n", "b.py": "bad\n", "c.py": "x\n"}, check)
    assert done.texts == {"a.py": "good\ngood = good\n", "b.py": "good\n"}
    assert (len(done.applied), done.findings, done.withheld) == (4, (), ())


def test_unsafe_fixes_are_asked_for_and_shown_ones_never_applied() -> None:
    check = linter({"A": ("aa", swap("x"), Safety.UNSAFE), "B": ("bb", swap("x"), Safety.SHOWN)})
    assert run({"a.py": "aa, bb\n"}, check).texts == {}
    done = run({"a.py": "aa, bb\n"}, check, unsafe=True)
    assert done.texts == {"a.py": "x, bb\n"}
    assert [f.code for f in done.findings] == ["B"] and not done.withheld


def test_overlapping_fixes_take_several_rounds() -> None:
    check = linter({"A": (r"f\(", lambda m: (edit(m.start(), m.end(), "g("), edit(len(m.string) - 1, len(m.string) - 1, "!")), Safety.SAFE)})
    calls = []

    def recheck(texts: Mapping[str, str]) -> list[Finding]:
        calls.append(texts["a.py"])
        return check(texts)

    done = rewrite({"a.py": "f(f(1)) #\n"}, check({"a.py": "f(f(1)) #\n"}), recheck)
    assert done.texts == {"a.py": "g(g(1)) #!!\n"} and calls == ["g(f(1)) #!\n", "g(g(1)) #!!\n"]


def test_a_shared_import_is_added_once() -> None:
    check = linter({"A": ("old", lambda m: (edit(0, 0, "import new\n"), edit(m.start(), m.end(), "new")), Safety.SAFE)})
    calls = []

    def recheck(texts: Mapping[str, str]) -> list[Finding]:
        calls.append(texts["a.py"])
        return check(texts)

    rewrite({"a.py": "#\nold\nold\n"}, check({"a.py": "#\nold\nold\n"}), recheck)
    assert calls == ["import new\n#\nnew\nnew\n"]


@pytest.mark.parametrize(
    ("offered", "reason"),
    [("bad bad2(", "does not parse"), ("(bad)", "A is still found"), ("worse", "B would be found instead")],
)
def test_a_fix_that_breaks_a_promise_is_withheld(offered: str, reason: str) -> None:
    fixable = linter({"A": (r"\bbad\b", swap(offered), Safety.SAFE), "C": ("c1", swap("c"), Safety.SAFE)})

    def found(texts: Mapping[str, str]) -> list[Finding]:
        return fixable(texts) + [finding("B", m.start()) for m in re.finditer("worse", texts["a.py"])]

    done = run({"a.py": "c1 + c1\nbad\nc1\n"}, found)
    assert done.texts == {"a.py": "c + c\nbad\nc\n"}
    [(withheld, why)] = done.withheld
    assert withheld.code == "A" and reason in why


def test_a_result_that_cannot_be_judged() -> None:
    check = linter({"A": ("bad", swap("good"), Safety.SAFE)})

    def recheck(texts: Mapping[str, str]) -> list[Finding]:
        raise Unrepairable("a rule failed")

    done = rewrite({"a.py": "bad\n"}, check({"a.py": "bad\n"}), recheck)
    assert (done.texts, [why for _, why in done.withheld], len(done.findings)) == ({}, ["a rule failed"], 1)


def test_rounds_are_limited() -> None:
    check = linter({"A": ("a", lambda m: (edit(m.start(), m.end(), "b"), edit(len(m.string), len(m.string), "")), Safety.SAFE)})
    done = run({"a.py": "a, a, a\n"}, check, rounds=2)
    assert done.texts == {"a.py": "b, b, a\n"} and [why for _, why in done.withheld] == ["not reached in 2 rounds"]


def test_doing_it_again_changes_nothing() -> None:
    check = linter({"A": ("aa", swap("bb"), Safety.SAFE), "B": ("x1", swap("x1 "), Safety.SAFE)})
    first = run({"a.py": "aa, x1, aa\n"}, check)
    again = run(first.texts, check)
    assert first.texts == {"a.py": "bb, x1, bb\n"} and again.texts == {}
    assert [why for _, why in again.withheld] == ["B is still found"]


spans = st.tuples(st.integers(0, 12), st.integers(0, 4)).map(lambda pair: Span(pair[0], min(pair[0] + pair[1], 12)))
fixes = st.lists(st.tuples(spans, st.text("xyz", max_size=3)).map(lambda pair: Edit(*pair)), min_size=1, max_size=1)


@given(st.lists(fixes, max_size=6))
def test_chosen_fixes_do_each_what_they_would_alone(offers: list[list[Edit]]) -> None:
    """Letters that no chosen fix replaces stay, and each chosen replacement is found in the result, in order."""
    text = "abcdefghijkl"
    chosen = apart(finding("A", 0, tuple(edits)) for edits in offers)
    edits = merged(chosen)
    result = applied(text, edits)
    assert len(edits) == len(chosen)
    gone = {index for edit in edits for index in range(edit.span.start, edit.span.stop)}
    assert [c for c in result if c in text] == [c for index, c in enumerate(text) if index not in gone]
    assert sorted(c for c in result if c in "xyz") == sorted(c for edit in edits for c in edit.text)
    assert sum(edit.span.stop - edit.span.start for edit in edits) == len(gone)
    if offers:
        assert chosen
