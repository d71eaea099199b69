from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.curriculum import Curriculum, mixed_probability


@pytest.mark.parametrize(
    ("success", "size", "want"),
    [(0.5, 2, 0.5), (0.5, 3, 0.75), (0.0, 8, 0.0), (1.0, 8, 0.0), (0.2, 1, 0.0)],
)
def test_mixed_probability_by_hand(success, size, want):
    assert mixed_probability(success, size) == pytest.approx(want)


@given(st.floats(0, 1), st.integers(1, 16))
def test_right_and_wrong_are_alike_and_even_odds_are_best(success, size):
    got = mixed_probability(success, size)
    assert got == pytest.approx(mixed_probability(1 - success, size), abs=1e-9)
    assert -1e-12 <= got <= mixed_probability(0.5, size) + 1e-12


def test_success_by_hand():
    curriculum = Curriculum(2, group_size=4, fading=0.5)
    assert curriculum.success == [0.5, 0.5]
    curriculum.record(0, solved=8, answers=8)
    assert curriculum.success == [pytest.approx(0.9), 0.5]
    curriculum.record(0, solved=0, answers=8)  # the eight before count half
    assert curriculum.success == [pytest.approx(5 / 14), 0.5]


def test_it_plays_what_is_neither_solved_nor_hopeless():
    curriculum = Curriculum(3, group_size=8)
    for _ in range(5):
        curriculum.record(0, 64, 64)
        curriculum.record(1, 32, 64)
        curriculum.record(2, 0, 64)
    easy, right, hard = curriculum.probabilities()
    assert right > 0.8
    assert min(easy, hard) > 0.03  # measured again now and then
    rng = np.random.default_rng(0)
    draws = [curriculum.draw(rng) for _ in range(300)]
    assert draws.count(1) / 300 == pytest.approx(right, abs=0.08)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=12))
def test_probabilities_add_up_and_the_memory_survives_saving(records):
    curriculum, other = Curriculum(3, 4), Curriculum(3, 4)
    for level, solved in records:
        curriculum.record(level, solved, 9)
    probabilities = curriculum.probabilities()
    assert probabilities.sum() == pytest.approx(1.0)
    assert (probabilities >= 0.1 / 3 - 1e-12).all()
    other.load_state_dict(curriculum.state_dict())
    assert other.probabilities().tolist() == probabilities.tolist()


def test_single_answers_are_never_mixed_so_levels_are_drawn_evenly():
    assert Curriculum(4, group_size=1).probabilities().tolist() == [0.25] * 4


@pytest.mark.parametrize("bad", [{"levels": 0}, {"fading": 1.0}, {"floor": 0.0}])
def test_refuses(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Curriculum(**{"levels": 2, "group_size": 4} | bad)


def test_refuses_impossible_counts():
    with pytest.raises(ValueError, match="9 of 8"):
        Curriculum(1, 4).record(0, 9, 8)
    with pytest.raises(ValueError, match=r"success=1\.2"):
        mixed_probability(1.2, 4)
