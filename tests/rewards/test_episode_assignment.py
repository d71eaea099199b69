from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from tests.rewards.episode_support import Raw, look, read, switch
from toolrl_env.core.types import ErrorCode, ParsedCall, ParseIssue, ToolCall
from toolrl_env.rewards.episode.assignment import (
    assign_calls,
    best_assignment,
    same_call,
    similarity,
)
from toolrl_env.rewards.values import equal_python, equal_strict

GRID = st.integers(0, 5).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=width, max_size=width),
        max_size=4,
    )
)


def made(*calls: ToolCall) -> list[ParsedCall]:
    return list(read(list(calls)).calls)


@pytest.mark.parametrize(
    ("call", "score", "same"),
    [
        (switch("hall"), 1.0, True),
        (switch("attic"), 0.75, False),
        (switch("attic", on=False), 0.5, False),
        (ToolCall("switch", {}), 0.25, False),
        (ToolCall("switch", {"room": "hall"}), (1 + 1 / 2 + 1) / 4, False),
        (ToolCall("switch", {"room": "hall", "on": True, "x": 1}), (1 + 2 / 3 + 2) / 4, False),
        (ToolCall("look", {"room": "hall", "on": True}), 0.0, False),
    ],
)
def test_similarity(call: ToolCall, score: float, same: bool) -> None:
    (predicted,) = made(call)
    assert similarity(switch("hall"), predicted, equal_python) == pytest.approx(score)
    assert same_call(switch("hall"), predicted, equal_python) is same


def test_calls_without_parameters_are_alike() -> None:
    (predicted,) = made(ToolCall("now", {}))
    assert similarity(ToolCall("now", {}), predicted, equal_python) == 1.0


def test_the_comparison_is_the_given_one() -> None:
    (predicted,) = made(ToolCall("switch", {"room": "hall", "on": 1}))
    assert same_call(switch("hall"), predicted, equal_python)
    assert not same_call(switch("hall"), predicted, equal_strict)
    assert similarity(switch("hall"), predicted, equal_strict) == 0.75


@pytest.mark.parametrize(
    "broken",
    [
        ParsedCall("x", (0, 1), name="look"),
        ParsedCall(
            "x",
            (0, 1),
            name="look",
            arguments={"room": "a"},
            issue=ParseIssue(ErrorCode.BAD_JSON, "cut"),
        ),
    ],
)
def test_a_call_that_cannot_be_decoded_is_like_nothing(broken: ParsedCall) -> None:
    assert similarity(look("a"), broken, equal_python) == 0.0
    assert not same_call(look("a"), broken, equal_python)
    assert assign_calls([look("a")], [broken], equal_python) == [(None, 0.0)]


@pytest.mark.parametrize(
    ("scores", "chosen"),
    [
        ([], []),
        ([[], []], [None, None]),
        ([[0.5]], [0]),
        ([[0.0]], [None]),
        ([[0.2, 0.9, 0.9]], [1]),
        ([[0.9, 0.8], [0.9, 0.1]], [1, 0]),
        ([[0.5], [0.7]], [None, 0]),
        ([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]], [0, 1]),
        ([[0.0, 1.0], [0.0, 1.0]], [1, None]),
    ],
)
def test_best_assignment(scores: list[list[float]], chosen: list[int | None]) -> None:
    assert best_assignment(scores) == chosen


def total(scores: list[list[float]], chosen: list[int | None]) -> float:
    return sum(scores[row][c] for row, c in enumerate(chosen) if c is not None)


@settings(deadline=None)
@given(GRID)
def test_no_assignment_is_better(scores: list[list[float]]) -> None:
    chosen = best_assignment(scores)
    taken = [c for c in chosen if c is not None]
    assert len(set(taken)) == len(taken)
    width = len(scores[0]) if scores else 0
    options = [*range(width), *[-1] * len(scores)]
    best = max(
        sum(scores[row][c] for row, c in enumerate(each) if c >= 0)
        for each in set(itertools.permutations(options, len(scores)))
    )
    assert total(scores, chosen) == pytest.approx(best)


@settings(deadline=None)
@given(
    st.integers(1, 7).flatmap(
        lambda n: st.lists(st.lists(st.floats(0, 1), min_size=n, max_size=n), max_size=9)
    )
)
def test_agrees_with_scipy(scores: list[list[float]]) -> None:
    best = 0.0
    if scores:
        rows, columns = linear_sum_assignment(scores, maximize=True)
        best = sum(scores[row][column] for row, column in zip(rows, columns, strict=True))
    assert total(scores, best_assignment(scores)) == pytest.approx(best)


def test_optimal_beats_greedy_over_turns() -> None:
    """The vague call comes first; in gold order it would be taken for the wrong gold call."""
    gold = [switch("hall"), switch("attic", on=False)]
    calls = made(switch("attic"), switch("hall"))
    assert assign_calls(gold, calls, equal_python) == [(1, 1.0), (0, 0.75)]


def test_of_duplicates_the_first_is_paid() -> None:
    calls = made(look("hall"), switch("hall"), look("hall"), switch("hall"))
    pairs = assign_calls([switch("hall"), look("hall")], calls, equal_python)
    assert pairs == [(1, 1.0), (0, 1.0)]


def test_thousands_of_calls_are_matched_in_bounded_time() -> None:
    """Only the best columns of each row enter the cubic part."""
    lines = (f'{{"name": "look", "parameters": {{"room": "{i}"}}}}' for i in range(1300))
    text = "<think> a </think>\n<tool_call>\n" + "\n".join(lines) + "\n</tool_call>"
    calls = read(Raw(text)).calls
    assert len(calls) == 1300
    gold = [look(str(1299 - i)) for i in range(12)]
    assert [index for index, _ in assign_calls(gold, calls, equal_python)] == [
        1299 - i for i in range(12)
    ]
