from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.advantages import dr_grpo
from agents.credit import (
    gigpo,
    mt_grpo,
    outcome,
    returns_to_go,
    trainable,
    turn_returns,
)
from agents.schemes import CREDITS, assign_credit
from agents.span_credit import span_credit
from tests.agents.played import GAP, WIDTH, credit, episode, group, per_turn, turn
from toolrl_env.core.errors import UnknownName
from toolrl_env.core.types import StopReason


def plain(values):
    """GRPO without the small constant, to compute by hand."""
    spread = values.std()
    return (values - values.mean()) / spread if spread else values * 0


def exact(values):
    return np.asarray(values, dtype=float) - np.mean(values)


# --------------------------------------------------------------------------- single schemes


def test_returns_to_go():
    assert returns_to_go([1, 2, 3], 1.0).tolist() == [6, 5, 3]
    assert returns_to_go([1, 2, 3], 0.0).tolist() == [1, 2, 3]
    assert returns_to_go([0, 0, 8], 0.5).tolist() == [2, 4, 8]
    assert returns_to_go([], 0.5).tolist() == []
    with pytest.raises(ValueError, match=r"gamma=1\.5"):
        returns_to_go([1], 1.5)


def test_outcome_gives_all_turns_the_same():
    batch = [group(episode(turn(0), turn(3)), episode(turn(1)))]
    (rows,) = outcome(batch, [dr_grpo(batch[0].rewards)])
    assert per_turn(rows) == [[1.0, 1.0], [-1.0]]


def test_turn_returns_are_whitened_over_the_batch():
    # returns at gamma 0.5: [2, 4], [0], [1, 2] -> mean 1.8, population variance 1.76
    batch = [group(episode(turn(0), turn(4)), episode(turn(0))), group(episode(turn(0), turn(2)))]
    first, second = turn_returns(batch, gamma=0.5)
    spread = 1.76**0.5 + 1e-4
    assert per_turn(first) == [
        [round(0.2 / spread, 6), round(2.2 / spread, 6)],
        [round(-1.8 / spread, 6)],
    ]
    assert per_turn(second) == [[round(-0.8 / spread, 6), round(0.2 / spread, 6)]]


def test_turn_returns_of_equal_turns_are_nothing():
    (rows,) = turn_returns([group(episode(turn(1)), episode(turn(1)))])
    assert per_turn(rows) == [[0.0], [0.0]]
    assert turn_returns([group()]) == [[]]


def test_mt_grpo():
    # turn 0 rewards 1, 0 (third episode has only a last turn); last rewards 0, 3, 3
    batch = [group(episode(turn(1), turn(0)), episode(turn(0), turn(3)), episode(turn(3)))]
    (rows,) = mt_grpo(batch, weight=0.5, normalise=exact)
    assert per_turn(rows) == [[0.5 + 0.5 * -2.0, -2.0], [-0.5 + 0.5 * 1.0, 1.0], [1.0]]
    (rows,) = mt_grpo(batch, weight=0.0, normalise=exact)
    assert per_turn(rows) == [[0.5, -2.0], [-0.5, 1.0], [1.0]]


def test_mt_grpo_compares_turns_of_one_number():
    batch = [group(episode(turn(5), turn(1), turn(0)), episode(turn(5), turn(3), turn(0)))]
    (rows,) = mt_grpo(batch, normalise=exact)
    assert per_turn(rows) == [[0, -1, 0], [0, 1, 0]]


def test_gigpo():
    # returns 4, 0, 0 -> A^E 8/3, -4/3, -4/3; at gamma 0.5 the steps' returns are
    # s0: 2, 0, 0 -> 4/3, -2/3, -2/3; s1 (episodes 0, 1): 4, 0 -> 2, -2; s2: alone -> 0
    batch = [
        group(
            episode(turn(0, "s0"), turn(4, "s1")),
            episode(turn(0, "s0"), turn(0, "s1")),
            episode(turn(0, "s0"), turn(0, "s2")),
        )
    ]
    (rows,) = gigpo(batch, weight=1.0, gamma=0.5, normalise=exact)
    assert per_turn(rows) == [
        [round(8 / 3 + 4 / 3, 6), round(8 / 3 + 2, 6)],
        [round(-4 / 3 - 2 / 3, 6), round(-4 / 3 - 2, 6)],
        [round(-4 / 3 - 2 / 3, 6), round(-4 / 3, 6)],
    ]
    (rows,) = gigpo(batch, weight=0.0, gamma=0.5, normalise=exact)
    assert per_turn(rows)[0] == [round(8 / 3, 6)] * 2


def test_gigpo_counts_a_state_that_one_episode_meets_twice():
    batch = [group(episode(turn(0, "s"), turn(1, "s")), episode(turn(0, "t")))]
    (rows,) = gigpo(batch, gamma=0.5, normalise=exact)
    assert per_turn(rows) == [[0.5 - 0.25, 0.5 + 0.25], [-0.5]]


def test_gigpo_keeps_groups_apart():
    one, other = group(episode(turn(1, "s"))), group(episode(turn(0, "s")))
    assert [per_turn(rows) for rows in gigpo([one, other])] == [[[0.0]], [[0.0]]]


@pytest.mark.parametrize("scheme", [mt_grpo, gigpo, span_credit])
def test_weights_are_not_negative(scheme):
    with pytest.raises(ValueError, match="weight=-1"):
        scheme([group(episode(turn(1)))], weight=-1)


# --------------------------------------------------------------------------- spans


def test_span_credit_by_hand():
    # Equal returns, so A^E = 0. Spans: 1 and 0 -> +-0.5. What is left: 0 and 1 -> -+0.5.
    batch = [
        group(
            episode(turn(1, "", credit(1, 3, 1.0))),
            episode(turn(1, "", credit(0, 2, 0.0))),
        )
    ]
    (rows,) = span_credit(batch, normalise=exact)
    assert rows[0].tolist() == [-0.5, 0.0, 0.0, -0.5]
    assert rows[1].tolist() == [0.0, 0.0, 0.5, 0.5]


def test_a_part_paid_later_counts_where_it_was_earned():
    # Both episodes earn 1 in the last turn; in the first it was turn 0 that earned it.
    early = episode(turn(0), turn(1, "", credit(0, WIDTH, 1.0)))
    late = episode(turn(0), turn(1))
    (rows,) = span_credit([group(early, late)], normalise=exact)
    assert per_turn(rows) == [[0.5, -0.5], [-0.5, 0.5]]


def test_a_part_that_the_prompt_earned_is_nobodys():
    fork = episode(turn(1, "", credit(0, 0, 1.0)))
    own = episode(turn(1))
    (rows,) = span_credit([group(fork, own)], normalise=exact)
    assert per_turn(rows) == [[-0.5], [0.5]]


def test_several_parts_of_one_span_add_up():
    both = turn(3, "", credit(0, 2, 1.0, "a"), credit(0, 2, 1.0, "b"), credit(2, 4, 1.0))
    (rows,) = span_credit([group(episode(both))], normalise=exact)
    assert rows[0].tolist() == [0.5, 0.5, -0.5, -0.5]


def test_without_spans_only_the_episodes_and_turns_count():
    batch = [group(episode(turn(1)), episode(turn(0)))]
    (rows,) = span_credit(batch, weight=0.5, normalise=exact)
    assert per_turn(rows) == [[0.75], [-0.75]]
    assert span_credit([group()]) == [[]]


# --------------------------------------------------------------------------- who earned it
#
# Two calls a turn, two turns. Everybody looks in turn 0. In turn 1 the first two episodes make the
# good call, the others the bad one; the reward of 1 comes with turn 1 and names the good call.

CALL = (WIDTH + GAP + 1, WIDTH + GAP + 3)


def world():
    def play(earned):
        named = credit(*CALL, earned)
        looked = credit(1, 3, 0.0, "unnamed")
        return episode(turn(0, "start", looked), turn(earned, "looked", named))

    return [group(play(1.0), play(1.0), play(0.0), play(0.0))]


# first turn, words of the second turn, the call in the second turn; in the good episodes
EARNED = {
    "outcome": (0.5, 0.5, 0.5),
    "mt_grpo": (0.5, 0.5, 0.5),
    "gigpo": (0.75, 1.0, 1.0),
    "span": (0.5, 0.5, 1.0),
}


@pytest.mark.parametrize("name", EARNED)
def test_each_scheme_puts_credit_where_it_belongs(name):
    (rows,) = assign(name, world(), gamma=0.5)
    first, words, call = EARNED[name]
    expected = [first] * WIDTH + [0.0] * GAP + [words, call, call, words]
    for row, sign in zip(rows, (1, 1, -1, -1), strict=True):
        assert row.tolist() == pytest.approx([sign * value for value in expected])


def test_returns_credit_the_turn_that_was_paid_most():
    (rows,) = assign("turns", world(), gamma=0.5)  # returns 0.5, 1 and 0, 0: their mean is 0.375
    good, bad = per_turn(rows[::2])
    assert 0 < good[0] < good[1]
    assert bad[0] == bad[1] < 0
    assert good[1] / bad[0] == pytest.approx(0.625 / -0.375)


def test_steps_from_one_state_are_told_apart_where_the_outcome_does_not():
    """A lucky episode with a bad step, an unlucky one with a good step."""
    batch = [
        group(
            episode(turn(1, "a"), turn(0, "b")),
            episode(turn(0, "a"), turn(1, "b")),
        )
    ]
    for name, expected in (
        ("outcome", [[0, 0], [0, 0]]),
        ("mt_grpo", [[0.5 - 0.5, -0.5], [-0.5 + 0.5, 0.5]]),
        ("gigpo", [[0.5, -0.5], [-0.5, 0.5]]),
        ("span", [[0.5, -0.5], [-0.5, 0.5]]),
    ):
        (rows,) = assign(name, batch, gamma=0.0)
        assert per_turn(rows) == expected, name
    (rows,) = assign("turns", batch, gamma=0.0)
    assert [np.sign(row).tolist() for row in per_turn(rows)] == [[1, -1], [-1, 1]]


def test_span_credit_singles_out_the_call_within_the_turn():
    """Two calls in one turn, one right and one wrong; the words around them get nothing."""
    mixed = turn(0.5, "", credit(0, 1, 0.5), credit(2, 3, 0.0))
    (rows,) = span_credit([group(episode(mixed), episode(mixed))], normalise=plain)
    assert rows[0].tolist() == rows[1].tolist() == [1.0, 0.0, -1.0, 0.0]


def assign(name, batch, *, gamma=0.95):
    if name == "outcome":
        return outcome(batch, [exact(each.rewards) if each.scored else [] for each in batch])
    return assign_credit(name, batch, normalise=exact, gamma=gamma, weight=1.0)


# --------------------------------------------------------------------------- what is masked


def test_trained_tokens():
    masked = episode(turn(1), turn(0, masked=True))
    assert trainable(masked).tolist() == [True] * 4 + [False] * 6
    assert not trainable(episode(turn(1), failure="gone")).any()
    cut = episode(turn(1), stop=StopReason.TURN_LIMIT)
    assert trainable(cut).all()
    assert not trainable(cut, keep_truncated=False).any()


@pytest.mark.parametrize("name", CREDITS)
def test_failed_episodes_change_nothing(name):
    whole = [group(episode(turn(0, "a"), turn(1, "b")), episode(turn(0, "a")))]
    failed = episode(turn(9, "a"), turn(0, "b", masked=True), failure="gone")
    more = [group(whole[0].episodes[0], failed, whole[0].episodes[1]), group(failed)]
    (expected,), (got, empty) = assign(name, whole), assign(name, more)
    assert [row.tolist() for row in got] == [row.tolist() for row in expected]
    assert empty == []


def test_unknown_scheme():
    with pytest.raises(UnknownName, match="Did you mean 'gigpo'"):
        assign("gipo", world())


# --------------------------------------------------------------------------- properties

REWARDS = st.integers(-3, 4).map(float)
TURNS = st.builds(turn, REWARDS, st.sampled_from("abc"), masked=st.booleans())
EPISODES = st.lists(TURNS, min_size=1, max_size=4).map(lambda turns: episode(*turns))
BATCHES = st.lists(
    st.lists(EPISODES, min_size=1, max_size=4).map(lambda each: group(*each)),
    min_size=1,
    max_size=3,
)


@given(BATCHES, st.sampled_from(CREDITS))
def test_context_and_masked_turns_get_nothing(batch, name):
    for each, rows in zip(batch, assign(name, batch), strict=True):
        for played, row in zip(each.scored, rows, strict=True):
            assert row.shape == (len(played.token_ids),)
            assert np.isfinite(row).all()
            assert not row[~trainable(played)].any()


@given(BATCHES, st.sampled_from(CREDITS), st.floats(-5, 5))
def test_equal_returns_of_one_turn_teach_nothing(batch, name, reward):
    same = [group(*[episode(turn(reward, "a")) for _ in each.episodes]) for each in batch]
    for rows in assign(name, same):
        assert all(np.abs(row).max() < 1e-9 for row in rows)


@given(BATCHES, st.sampled_from(("outcome", "mt_grpo", "gigpo", "span")))
def test_groups_do_not_look_at_each_other(batch, name):
    together = assign(name, batch)
    for each, rows in zip(batch, together, strict=True):
        (alone,) = assign(name, [each])
        assert [row.tolist() for row in alone] == [row.tolist() for row in rows]
