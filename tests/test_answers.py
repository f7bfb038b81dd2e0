"""Circular questions: every answer is the least fixpoint, whichever question comes first."""

from __future__ import annotations

from typing import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mplint.project.answers import Answers


def solver(graph: dict[int, tuple[int, ...]]) -> Callable[[int], frozenset[int]]:
    """What is reachable from a node, itself included, asked as circular questions."""
    answers = Answers()

    def reach(node: int) -> frozenset[int]:
        return answers.ask(node, lambda: frozenset({node}).union(*(reach(n) for n in graph[node])), frozenset())

    return reach


def test_a_circle_inside_a_circle_settles_before_the_outer_answer_is_final() -> None:
    answers = Answers()

    def outer() -> int:
        return answers.ask("outer", lambda: inner() * 0, 0)

    def inner() -> int:
        return answers.ask("inner", lambda: max(outer(), below(), 1), 0)

    def below() -> int:
        return answers.ask("below", inner, 0)

    assert outer() == 0
    assert (inner(), below()) == (1, 1)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_first_question_does_not_matter(order: tuple[int, ...]) -> None:
    reach = solver({0: (1,), 1: (2, 0), 2: (1,)})
    assert {n: reach(n) for n in order} == {0: {0, 1, 2}, 1: {0, 1, 2}, 2: {0, 1, 2}}


def test_what_rests_on_a_provisional_answer_is_provisional() -> None:
    reach = solver({0: (1, 2), 1: (0, 4), 2: (0,), 3: (), 4: (2,)})
    assert [reach(1), reach(4)] == [{0, 1, 2, 4}, {0, 1, 2, 4}]


@settings(deadline=None)
@given(st.integers(1, 6).flatmap(lambda n: st.lists(st.lists(st.integers(0, n - 1), max_size=3), min_size=n, max_size=n)), st.randoms())
def test_small_graphs(edges: list[list[int]], random: st.Random) -> None:  # type: ignore[name-defined]
    graph = {node: tuple(targets) for node, targets in enumerate(edges)}
    expected = {}
    for node in graph:
        seen, stack = {node}, [node]
        while stack:
            for target in graph[stack.pop()]:
                if target not in seen:
                    seen.add(target)
                    stack.append(target)
        expected[node] = seen
    reach = solver(graph)
    order = list(graph)
    random.shuffle(order)
    assert {node: reach(node) for node in order} == expected
