"""The environment's tokens are context: whatever their log-probabilities are, nothing changes."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.grpo import GRPOConfig
from agents.lessons import assign, denominator, make_lesson
from agents.objective import TokenBatch, policy_loss
from tests.agents.played import episode, group, turn
from toolrl_env.core.types import StopReason

REWARDS = st.integers(-3, 4).map(float)
TURNS = st.builds(turn, REWARDS, st.sampled_from("ab"), masked=st.booleans())
EPISODES = st.builds(
    lambda turns, stop: episode(*turns, stop=stop),
    st.lists(TURNS, min_size=1, max_size=4),
    st.sampled_from([StopReason.ANSWERED, StopReason.TURN_LIMIT]),
)
GROUPS = st.lists(EPISODES, min_size=2, max_size=4).map(lambda each: group(*each))
CONFIGS = st.builds(
    lambda credit, loss, truncated: GRPOConfig(credit=credit, truncated=truncated, **loss),
    st.sampled_from(["outcome", "turns", "mt_grpo", "gigpo", "span"]),
    st.sampled_from(
        [
            {},
            {"aggregation": "sequence"},
            {"loss": "gspo", "aggregation": "sequence"},
            {"loss": "cispo", "aggregation": "constant"},
            {"entropy_weight": 0.1},
        ]
    ),
    st.sampled_from(["keep", "mask"]),
)


def loss_of(config, lesson, new, old):
    batch = TokenBatch(new, old, old, lesson.advantages, lesson.mask)
    return policy_loss(config, batch, max(1.0, denominator(config, [lesson]))).loss


@given(GROUPS, CONFIGS, st.integers(0, 2**31), st.floats(-50, 50))
def test_perturbing_an_observation_changes_nothing(played, config, seed, shift):
    (lesson,) = assign(config, [make_lesson(played, config)])
    draws = np.random.default_rng(seed)
    shape = lesson.mask.shape
    new, old = (torch.tensor(-draws.random(shape), dtype=torch.float32) for _ in range(2))
    new.requires_grad_()
    loss = loss_of(config, lesson, new, old)
    loss.backward()
    assert torch.isfinite(loss)
    assert not new.grad[~lesson.mask].any()

    noise = torch.tensor(draws.normal(size=shape) + shift, dtype=torch.float32)
    noise[lesson.mask] = 0.0
    again = (new.detach() + noise).requires_grad_()
    other = loss_of(config, lesson, again, old - 2 * noise)
    other.backward()
    assert torch.equal(other, loss)
    assert torch.equal(again.grad, new.grad)


@given(GROUPS, CONFIGS)
def test_the_mask_is_the_policys_own_tokens(played, config):
    lesson = make_lesson(played, config)
    for row, each in zip(lesson.mask, played.scored, strict=True):
        size = len(each.token_ids)
        assert not row[size:].any()
        dropped = each.truncated and config.truncated == "mask"
        masked = {i for t in each.turns if t.masked for i in range(*t.tokens)}
        expected = [own and i not in masked and not dropped for i, own in enumerate(each.sampled)]
        assert row[:size].tolist() == expected


@given(GROUPS, CONFIGS)
def test_perturbing_a_token_of_the_policy_does_change_something(played, config):
    (lesson,) = assign(config, [make_lesson(played, config)])
    if not lesson.teaches or config.loss == "cispo":
        return
    new = lesson.sampler.clone().requires_grad_()
    loss_of(config, lesson, new, lesson.sampler).backward()
    if config.loss == "clipped":
        assert new.grad[lesson.mask & (lesson.advantages.abs() > 1e-6)].all()
    assert new.grad.any() or config.loss == "gspo"
