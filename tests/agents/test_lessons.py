"""From groups to tokens with advantages: masks, what is subtracted, and the denominators."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from agents.episode import Episode, Group, Turn
from agents.grpo import GRPOConfig
from agents.lessons import assign, denominator, make_lesson, measure, trained_tokens
from agents.models.tiny import make_model, make_tokenizer
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import StopReason


@pytest.fixture(scope="module")
def models():
    tokenizer = make_tokenizer(["a b c d"])
    return [make_model(tokenizer, seed=seed, hidden=32, layers=1) for seed in (0, 1)]


def episode(reward, length=3, **parts):
    turn = Turn((0, length), "x", reward, parts or {"format": 0.0, "correctness": reward})
    ids = tuple(range(5, 5 + length))
    return Episode(
        (1, 2), ids, (True,) * length, (-0.5,) * length, (turn,), stop_reason=StopReason.ANSWERED
    )


def two_turns(reward):
    """Two tokens, two of the environment's, one token."""
    turns = (Turn((0, 2), "x", reward), Turn((4, 5), "y", 1.0))
    sampled = (True, True, False, False, True)
    return Episode(
        (1, 2), (5, 6, 7, 8, 9), sampled, (-0.5,) * 5, turns, stop_reason=StopReason.ANSWERED
    )


def lesson(models, group, **choices):
    config = GRPOConfig(max_new_tokens=8, **choices)
    reference = models[1] if config.kl != "none" else None
    return config, measure(make_lesson(group, config), config, models[0], reference)


def advantages(models, group, **choices):
    config, made = lesson(models, group, **choices)
    return assign(config, [made])[0].advantages


def test_every_token_of_an_episode_gets_its_advantage(models):
    group = Group("t", (episode(1.0), two_turns(2.0)))
    got = advantages(models, group, advantage="dr_grpo")
    assert got.tolist() == [[-1.0, -1.0, -1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0, 1.0]]


def test_failed_episodes_are_no_rows(models):
    lost = Episode((1, 2), (), (), (), (), failure="gone")
    _, made = lesson(models, Group("t", (episode(1.0), lost, episode(2.0))))
    assert made.mask.shape == (2, 3)


def test_the_sampler_is_trusted_unless_it_is_corrected(models):
    group = Group("t", (episode(1.0), episode(2.0)))
    _, plain = lesson(models, group)
    assert plain.old is plain.sampler
    assert plain.reference is None
    _, corrected = lesson(models, group, importance="truncate")
    assert not torch.allclose(corrected.old, corrected.sampler)
    assert not corrected.old.requires_grad


def test_overlong_answers_are_worth_less(models):
    group = Group("t", (episode(1.0, length=8), episode(1.0, length=6), episode(1.0, length=2)))
    got = advantages(models, group, advantage="dr_grpo", overlong_buffer=4)
    # penalties -1, -0.5, 0 about their mean
    assert got[:, 0].tolist() == pytest.approx([-0.5, 0.0, 0.5])
    flat = advantages(models, group, advantage="dr_grpo")
    assert not flat.any()


def test_overlong_is_a_part_of_its_own_for_gdpo(models):
    group = Group("t", (episode(1.0, length=8), episode(1.0, length=2)))
    got = advantages(models, group, advantage="gdpo", overlong_buffer=4)
    assert got[:, 0].tolist() == pytest.approx([-1.0, 1.0], rel=1e-2)
    without = {"advantage": "gdpo", "overlong_buffer": 4, "component_weights": '{"overlong": 0}'}
    assert not advantages(models, group, **without).any()


@pytest.mark.parametrize("name", ["grpo", "gdpo", "rebn"])
def test_nothing_kept_is_nothing_to_learn(name):
    choices = {"component_weights": '{"format": 2}'} if name == "gdpo" else {}
    assert assign(GRPOConfig(advantage=name, overlong_buffer=4, **choices), []) == []


def test_gdpo_says_that_a_reward_has_no_parts(models):
    bare = Turn((0, 1), "x", 1.0)
    plain = Episode((1,), (5,), (True,), (0.0,), (bare,), stop_reason=StopReason.ANSWERED)
    with pytest.raises(ConfigurationError, match="this environment's has none"):
        advantages(models, Group("t", (plain, plain)), advantage="gdpo")


def test_distance_to_the_reference_is_subtracted_from_the_reward(models):
    group = Group("t", (episode(1.0), episode(1.0, length=2)))
    choices = {"advantage": "dr_grpo", "kl": "k1", "kl_in": "reward", "kl_weight": 0.1}
    config, made = lesson(models, group, **choices)
    distance = ((made.sampler - made.reference) * made.mask).sum(1)
    got = assign(config, [made])[0].advantages[:, 0]
    want = -0.1 * (distance - distance.mean())
    assert got.tolist() == pytest.approx(want.tolist(), abs=1e-6)
    assert got.abs().min() > 1e-4


def test_whitening_looks_at_all_lessons(models):
    groups = [Group("a", (episode(0.0), episode(0.0))), Group("b", (episode(2.0), episode(2.0)))]
    config = GRPOConfig(max_new_tokens=8, advantage="rebn")
    made = assign(config, [make_lesson(group, config) for group in groups])
    assert made[0].advantages[0, 0] == pytest.approx(-1.0, rel=1e-3)
    assert made[1].teaches
    alone = assign(config, [make_lesson(groups[0], config)])
    assert not alone[0].teaches


@pytest.mark.parametrize(
    ("aggregation", "want"), [("token", 9.0), ("sequence", 3.0), ("constant", 4 * 8.0)]
)
def test_denominators_by_hand(models, aggregation, want):
    # 3 + 3 + 3 tokens; three episodes; four answers of at most 8 tokens
    config = GRPOConfig(max_new_tokens=8, aggregation=aggregation)
    groups = [Group("a", (episode(0.0), two_turns(1.0))), Group("b", (episode(2.0),))]
    made = [make_lesson(group, config) for group in groups]
    assert denominator(config, made) == want
    assert trained_tokens(made) == 9


def test_nothing_is_not_a_number_for_rewards_of_any_size(models):
    group = Group("t", tuple(episode(r) for r in (-1e6, 0.0, 1e-12, 1e6)))
    for name in ("grpo", "dr_grpo", "rloo", "gdpo", "reinforce++", "reinforce++baseline", "rebn"):
        got = advantages(models, group, advantage=name)
        assert np.isfinite(got.numpy()).all(), name
        assert math.isclose(float(got[:, 0].double().sum()), 0.0, abs_tol=1.0)
