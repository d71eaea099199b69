"""How surrogate, KL, entropy and importance add up to the loss, by hand and as properties."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.objective import ObjectiveConfig, TokenBatch, policy_loss

MASK = torch.tensor([[True, False, True]])


def batch(**changes):
    """Two sampled tokens around one of the environment's; ratios 1.1 and 0.5, advantage 2."""
    old = torch.tensor([[-1.0, 7.0, -2.0]])
    gap = torch.tensor([[math.log(1.1), 5.0, math.log(0.5)]])
    parts = {
        "new": (old + gap).requires_grad_(),
        "old": old,
        "sampler": old,
        "advantages": torch.full((1, 3), 2.0),
        "mask": MASK,
    }
    return TokenBatch(**parts | changes)


def value(tokens, denominator=1.0, **choices):
    return policy_loss(ObjectiveConfig(**choices), tokens, denominator).loss.item()


def test_the_plain_loss_by_hand():
    assert value(batch()) == pytest.approx(-(2.2 + 1.0))
    assert value(batch(), 4.0) == pytest.approx(-(2.2 + 1.0) / 4)
    assert value(batch(), aggregation="sequence") == pytest.approx(-(2.2 + 1.0) / 2)


def test_a_loss_has_its_own_bounds_unless_others_are_given():
    assert value(batch(), clip_high=0.05) == pytest.approx(-(2.1 + 1.0))
    new = batch().new.detach()
    want = -2 * (1.1 * new[0, 0] + 0.5 * new[0, 2])
    assert value(batch(), loss="cispo") == pytest.approx(want.item(), rel=1e-5)
    sequence = math.sqrt(1.1 * 0.5)  # below 1, and the advantage is positive: not clipped
    assert value(batch(), loss="gspo", aggregation="sequence") == pytest.approx(-2 * sequence)


def test_kl_in_the_loss_by_hand():
    new = batch().new.detach()
    reference = new + torch.tensor([[0.5, 99.0, -1.0]])
    k3 = (math.exp(0.5) - 1 - 0.5) + (math.exp(-1.0) - 1 + 1.0)
    got = value(batch(reference=reference), kl="k3", kl_weight=0.1)
    assert got == pytest.approx(-3.2 + 0.1 * k3, rel=1e-5)
    k2 = (0.25 + 1.0) / 2
    got = value(batch(reference=reference), kl="k2", kl_weight=0.1)
    assert got == pytest.approx(-3.2 + 0.1 * k2, rel=1e-5)
    corrected = 1.1 * (math.exp(0.5) - 1 - 0.5) + 0.5 * math.exp(-1.0)
    got = value(batch(reference=reference), kl="k3", kl_weight=0.1, kl_correction=True)
    assert got == pytest.approx(-3.2 + 0.1 * corrected, rel=1e-5)


def test_kl_in_the_reward_is_not_in_the_loss():
    reference = torch.zeros(1, 3)
    choices = {"kl": "k1", "kl_in": "reward", "kl_weight": 0.1}
    tokens = batch(reference=reference)
    assert value(tokens, **choices) == pytest.approx(value(tokens))
    result = policy_loss(ObjectiveConfig(**choices), tokens, 1.0)
    assert result.watched["kl"] > 0


def test_the_entropy_bonus_by_hand():
    new = batch().new.detach()
    entropy = -(1.1 * new[0, 0] + 0.5 * new[0, 2]).item()
    assert value(batch(), entropy_weight=0.1) == pytest.approx(-3.2 - 0.1 * entropy, rel=1e-5)
    watched = policy_loss(ObjectiveConfig(), batch(), 1.0).watched
    assert watched["entropy"] == pytest.approx(entropy / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("how", "weights"), [("none", (1, 1)), ("truncate", (0.8, 2)), ("mask", (0.8, 0))]
)
def test_importance_by_hand(how, weights):
    off = torch.tensor([[math.log(0.8), 3.0, math.log(4.0)]])
    tokens = batch(sampler=batch().old - off)
    got = value(tokens, importance=how)
    assert got == pytest.approx(-(weights[0] * 2.2 + weights[1] * 1.0), rel=1e-5)


def test_what_is_watched_by_hand():
    watched = policy_loss(ObjectiveConfig(clip_high=0.05), batch(), 1.0).watched
    assert watched["clip_fraction"] == 0.5
    k3 = (0.1 - math.log(1.1)) + (-0.5 - math.log(0.5))
    assert watched["approx_kl"] == pytest.approx(k3 / 2, rel=1e-4)
    assert watched["kl"] == 0.0


CHOICES = st.fixed_dictionaries(
    {
        "loss": st.sampled_from(["clipped", "gspo", "cispo"]),
        "kl": st.sampled_from(["k2", "k3"]),
        "kl_weight": st.just(0.3),
        "entropy_weight": st.sampled_from([0.0, 0.2]),
        "importance": st.sampled_from(["none", "truncate", "mask"]),
    }
)


@settings(max_examples=40, deadline=None)
@given(CHOICES, st.integers(0, 10**6), st.sampled_from([0.0, 99.0, math.nan]))
def test_the_environment_s_tokens_have_no_influence(choices, seed, junk):
    aggregation = "sequence" if choices["loss"] == "gspo" else "token"
    config = ObjectiveConfig(aggregation=aggregation, **choices)
    generator = torch.Generator().manual_seed(seed)
    names = ("new", "old", "sampler", "advantages", "reference")
    tensors = {n: torch.randn(3, 5, generator=generator, dtype=torch.float64) for n in names}
    mask = torch.rand(3, 5, generator=generator) < 0.6

    def run(parts):
        leaf = parts["new"].clone().requires_grad_()
        result = policy_loss(config, TokenBatch(**parts | {"new": leaf}, mask=mask), 5.0)
        result.loss.backward()
        return result.loss.item(), leaf.grad, dict(result.watched)

    spoilt = {name: torch.where(mask, x, junk) for name, x in tensors.items()}
    (loss, gradient, watched), (other, other_gradient, seen) = run(tensors), run(spoilt)
    assert other == pytest.approx(loss, rel=1e-12)
    assert torch.allclose(other_gradient, gradient)
    assert (gradient[~mask] == 0).all()
    assert seen == pytest.approx(watched)
