"""The estimators of KL: values by hand, and what their gradients are worth on average."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.kl import KL_ESTIMATORS, kl_estimate

ALL = torch.ones(4, 1, dtype=torch.bool)
LOGITS = torch.tensor([0.3, -1.0, 2.0, 0.1], dtype=torch.float64)
REFERENCE = torch.tensor([0.9, 0.5, -0.4, 0.2], dtype=torch.float64).log_softmax(0)


@pytest.mark.parametrize(
    ("kind", "want"), [("k1", 0.5), ("k2", 0.125), ("k3", math.exp(-0.5) - 1 + 0.5)]
)
def test_by_hand(kind, want):
    new, reference = torch.tensor([[-1.0, 7.0]]), torch.tensor([[-1.5, math.inf]])
    mask = torch.tensor([[True, False]])
    assert kl_estimate(new, reference, mask, kind).tolist()[0] == pytest.approx([want, 0.0])


@given(st.floats(-5, 0), st.floats(-5, 0))
def test_k2_and_k3_are_never_negative_and_zero_only_at_the_reference(new, reference):
    args = torch.tensor([[new]]).double(), torch.tensor([[reference]]).double(), ALL[:1]
    for kind in ("k2", "k3"):
        assert kl_estimate(*args, kind).item() >= 0
        assert kl_estimate(args[0], args[0], ALL[:1], kind).item() == 0


def divergence(of, against):
    return (of.exp() * (of - against)).sum()


def expected(kind):
    """Expected value and gradient of an estimator used as a loss, over the policy's own tokens."""
    logits = LOGITS.clone().requires_grad_()
    table = logits.log_softmax(0)
    estimates = kl_estimate(table[:, None], REFERENCE[:, None], ALL, kind)[:, 0]
    mean = (table.exp().detach() * estimates).sum()
    return mean.item(), torch.autograd.grad(mean, logits)[0]


def true_gradient(reverse):
    logits = LOGITS.clone().requires_grad_()
    table = logits.log_softmax(0)
    value = divergence(table, REFERENCE) if reverse else divergence(REFERENCE, table)
    return value.item(), torch.autograd.grad(value, logits)[0]


def test_k1_has_the_right_value_and_pulls_nowhere():
    value, gradient = expected("k1")
    assert value == pytest.approx(true_gradient(reverse=True)[0])
    assert torch.allclose(gradient, torch.zeros(4, dtype=torch.float64), atol=1e-12)


def test_k2_has_the_gradient_of_the_reverse_divergence():
    value, gradient = expected("k2")
    want, slope = true_gradient(reverse=True)
    assert value != pytest.approx(want, rel=1e-2)
    assert torch.allclose(gradient, slope)


def test_k3_has_the_right_value_and_the_gradient_of_the_forward_divergence():
    value, gradient = expected("k3")
    assert value == pytest.approx(true_gradient(reverse=True)[0])
    assert torch.allclose(gradient, true_gradient(reverse=False)[1])
    assert not torch.allclose(gradient, true_gradient(reverse=True)[1], atol=1e-2)


@pytest.mark.parametrize("kind", ["k1", "k3"])
def test_weighted_with_the_ratio_the_gradient_is_the_usual_one_off_policy_too(kind):
    behaviour = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    logits = LOGITS.clone().requires_grad_()
    table = logits.log_softmax(0)
    weights = (table - behaviour.log()).exp()
    estimates = weights * kl_estimate(table[:, None], REFERENCE[:, None], ALL, kind)[:, 0]
    mean = (behaviour * estimates).sum()
    want, slope = true_gradient(reverse=True)
    assert mean.item() == pytest.approx(want)
    assert torch.allclose(torch.autograd.grad(mean, logits)[0], slope)


def test_bad_input():
    assert KL_ESTIMATORS == ("k1", "k2", "k3")
    with pytest.raises(ValueError, match="kind must be one of"):
        kl_estimate(*[torch.zeros(4, 1)] * 2, ALL, "k4")
    with pytest.raises(ValueError, match=r"\[B, T\]"):
        kl_estimate(torch.zeros(4, 1), torch.zeros(1, 4), ALL, "k1")
