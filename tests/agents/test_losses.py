from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.losses import clipped_policy_loss, length_mask, negative_log_likelihood

ALL = torch.ones(1, 1, dtype=torch.bool)


def one(ratio, advantage, **options):
    """Loss and gradient with respect to the new log-probability, for a single token."""
    new = torch.tensor([[math.log(ratio)]], requires_grad=True)
    result = clipped_policy_loss(
        new, torch.zeros(1, 1), torch.tensor([advantage]), ALL, denominator=1.0, **options
    )
    result.loss.backward()
    return result, new.grad.item()


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "gradient", "clipped"),
    [
        (1.0, 2.0, -2.0, -2.0, 0.0),
        (1.0, -2.0, 2.0, 2.0, 0.0),
        (1.1, 1.0, -1.1, -1.1, 0.0),
        (1.5, 1.0, -1.2, 0.0, 1.0),  # already much likelier: no further push
        (0.5, 1.0, -0.5, -0.5, 0.0),  # less likely and good: full push
        (0.5, -1.0, 0.8, 0.0, 1.0),  # already much less likely: no further push
        (1.5, -1.0, 1.5, 1.5, 0.0),
    ],
)
def test_clipping_by_hand(ratio, advantage, loss, gradient, clipped):
    result, got = one(ratio, advantage)
    assert result.loss.item() == pytest.approx(loss, rel=1e-5)
    assert got == pytest.approx(gradient, rel=1e-5, abs=1e-7)
    assert result.clip_fraction.item() == clipped


def test_clip_range_is_asymmetric():
    assert one(1.5, 1.0, clip_high=0.28)[0].loss.item() == pytest.approx(-1.28)
    assert one(0.5, -1.0, clip_low=0.3)[0].loss.item() == pytest.approx(0.7)


def test_sum_over_tokens_and_denominator():
    new = torch.zeros(2, 3, requires_grad=True)
    mask = length_mask(torch.tensor([1, 3]), 3)
    result = clipped_policy_loss(
        new, torch.zeros(2, 3), torch.tensor([2.0, -1.0]), mask, denominator=4.0
    )
    result.loss.backward()
    # one token at advantage 2, three at -1, over 4
    assert result.loss.item() == pytest.approx(0.25)
    assert new.grad.tolist() == [[-0.5, 0.0, 0.0], [0.25, 0.25, 0.25]]


def test_padding_never_matters():
    mask = length_mask(torch.tensor([1]), 2)
    new = torch.tensor([[0.1, 50.0]], requires_grad=True)
    old = torch.tensor([[0.1, -50.0]])
    result = clipped_policy_loss(new, old, torch.tensor([1.0]), mask, denominator=1.0)
    result.loss.backward()
    assert result.loss.item() == pytest.approx(-1.0)
    assert result.approx_kl.item() == 0.0
    assert new.grad.tolist() == [[-1.0, 0.0]]


@given(st.floats(0.2, 4.0))
def test_kl_estimate(ratio):
    result, _ = one(ratio, 1.0)
    assert result.approx_kl.item() == pytest.approx(ratio - 1 - math.log(ratio), abs=1e-5)
    assert result.approx_kl.item() >= -1e-6


def test_negative_log_likelihood_by_hand():
    logprobs = torch.tensor([[-1.0, -2.0], [-6.0, -99.0]])
    mask = length_mask(torch.tensor([2, 1]), 2)
    assert negative_log_likelihood(logprobs, mask).item() == pytest.approx(3.0)


def test_length_mask():
    assert length_mask(torch.tensor([0, 2, 3]), 3).tolist() == [
        [False] * 3,
        [True, True, False],
        [True] * 3,
    ]
    with pytest.raises(ValueError, match=r"\[B\]"):
        length_mask(torch.zeros(2, 2), 3)


@pytest.mark.parametrize(
    ("new", "old", "advantages", "mask", "denominator", "message"),
    [
        (torch.zeros(2), torch.zeros(2), torch.zeros(1), torch.ones(2).bool(), 1.0, r"\[B, T\]"),
        (torch.zeros(1, 2), torch.zeros(1, 1), torch.zeros(1), torch.ones(1, 2).bool(), 1.0, "got"),
        (torch.zeros(1, 2), torch.zeros(1, 2), torch.zeros(2), torch.ones(1, 2).bool(), 1.0, "for"),
        (torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1), torch.ones(1, 1), 1.0, "boolean"),
        (torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1), ALL, 0.0, "denominator"),
    ],
)
def test_shapes_are_checked(new, old, advantages, mask, denominator, message):
    with pytest.raises(ValueError, match=message):
        clipped_policy_loss(new, old, advantages, mask, denominator=denominator)
