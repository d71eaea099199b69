from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.rewards.scale import correctness_scale, format_scale, length_words


@pytest.mark.parametrize(
    ("step", "two_stage", "dynamic", "expected"),
    [
        (0, False, False, (0.0, 1.0)),
        (29, True, False, (0.0, 1.0)),
        (30, True, False, (0.0, 0.5)),
        (0, False, True, (-2.0, 2.0)),
        (75, False, True, (-1.0, 1.5)),
        (150, False, True, (-1.0, 1.0)),
        (10_000, False, True, (-1.0, 1.0)),
        (30, True, True, (-1.6, 1.7)),
    ],
)
def test_format(step, two_stage, dynamic, expected):
    assert format_scale(step, two_stage=two_stage, dynamic=dynamic) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("step", "maximum", "two_stage", "dynamic", "expected"),
    [
        (0, 3.0, False, False, (-3.0, 3.0)),
        (7, 1.0, False, False, (-1.0, 1.0)),
        (29, 3.0, True, False, (-1.0, 1.0)),
        (30, 3.0, True, False, (-3.0, 3.0)),
        (0, 3.0, False, True, (-2.0, 2.0)),
        (150, 3.0, False, True, (-3.0, 3.0)),
        (10_000, 3.0, False, True, (-3.0, 3.0)),
        (0, 1.0, False, True, (-2.0, 2.0)),
        (150, 1.0, False, True, (-1.0, 1.0)),
        (300, 1.0, False, True, (0.0, 0.0)),
        (450, 1.0, False, True, (1.0, -1.0)),
    ],
)
def test_correctness(step, maximum, two_stage, dynamic, expected):
    found = correctness_scale(step, maximum, two_stage=two_stage, dynamic=dynamic)
    assert found == pytest.approx(expected)


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_the_papers_scales_never_turn_nor_leave_their_range(step, two_stage, dynamic):
    low, high = format_scale(step, two_stage=two_stage, dynamic=dynamic)
    assert -2.0 <= low < high <= 2.0
    worst, best = correctness_scale(step, 3.0, two_stage=two_stage, dynamic=dynamic)
    assert -3.0 <= worst <= best <= 3.0 or (two_stage and dynamic)
    assert worst == pytest.approx(-best)


def test_words_of_the_length_reward():
    assert length_words(10_000, dynamic=False) == 512
    assert length_words(0, dynamic=True) == 384
    assert length_words(105, dynamic=True) == 640
    assert length_words(210, dynamic=True) == 896
