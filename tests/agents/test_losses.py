from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.losses import (
    AGGREGATIONS,
    SURROGATES,
    aggregate,
    cispo,
    clipped,
    entropy_estimate,
    gspo,
    length_mask,
    negative_log_likelihood,
)

ONE = torch.ones(1, 1, dtype=torch.bool)


def single(surrogate, ratio, advantage, **options):
    """Loss, gradient with respect to the new log-probability, and clipping, of a single token."""
    new = torch.tensor([[math.log(ratio)]], requires_grad=True)
    result = surrogate(new, torch.zeros(1, 1), torch.tensor([[advantage]]), ONE, **options)
    result.losses.sum().backward()
    return result.losses.item(), new.grad.item(), bool(result.clipped)


# --------------------------------------------------------------------------- by hand


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "gradient", "bound"),
    [
        (1.0, 2.0, -2.0, -2.0, False),
        (1.0, -2.0, 2.0, 2.0, False),
        (1.1, 1.0, -1.1, -1.1, False),
        (1.5, 1.0, -1.2, 0.0, True),  # already much likelier: no further push
        (0.5, 1.0, -0.5, -0.5, False),  # less likely and good: full push
        (0.5, -1.0, 0.8, 0.0, True),  # already much less likely: no further push
        (1.5, -1.0, 1.5, 1.5, False),
    ],
)
def test_clipped_by_hand(ratio, advantage, loss, gradient, bound):
    got = single(clipped, ratio, advantage)
    assert got == (pytest.approx(loss, rel=1e-5), pytest.approx(gradient, abs=1e-5), bound)


def test_clip_range_is_asymmetric():
    assert single(clipped, 1.5, 1.0, clip_high=0.28)[0] == pytest.approx(-1.28)
    assert single(clipped, 0.5, -1.0, clip_low=0.3)[0] == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("ratio", "advantage", "weight", "bound"),
    [
        (1.0, 2.0, 1.0, False),
        (3.0, 1.0, 3.0, False),
        (9.0, 1.0, 5.0, True),
        (0.1, -1.0, 0.1, False),
    ],
)
def test_cispo_by_hand(ratio, advantage, weight, bound):
    loss, gradient, was = single(cispo, ratio, advantage)
    assert loss == pytest.approx(-weight * advantage * math.log(ratio), rel=1e-5, abs=1e-7)
    assert gradient == pytest.approx(-weight * advantage, rel=1e-5)  # never 0 by clipping
    assert was == bound
    assert single(cispo, 0.1, 1.0, clip_low=0.5)[1] == pytest.approx(-0.5)


def test_gspo_by_hand():
    new = torch.tensor([[math.log(1.2), math.log(1.1), 9.0]], requires_grad=True)
    mask = torch.tensor([[True, True, False]])
    advantages = torch.full((1, 3), 2.0)
    s = math.sqrt(1.2 * 1.1)
    got = gspo(new, torch.zeros(1, 3), advantages, mask, clip_low=0.5, clip_high=0.5)
    assert got.losses.tolist()[0] == pytest.approx([-2 * s, -2 * s, 0.0])
    aggregate(got.losses, mask, "sequence", 1.0).backward()
    # d(-s A)/d log p_t = -A s / |y|
    assert new.grad.tolist()[0] == pytest.approx([-s, -s, 0.0])
    bound = gspo(new, torch.zeros(1, 3), advantages, mask)
    assert bound.losses.tolist()[0] == pytest.approx([-2.0008, -2.0008, 0.0], rel=1e-6)
    assert bound.clipped.tolist() == [[True, True, False]]


def test_gspo_is_the_plain_sequence_ratio():
    generator = torch.Generator().manual_seed(0)
    new = torch.randn(3, 4, generator=generator, requires_grad=True)
    old = new.detach() + 0.1 * torch.randn(3, 4, generator=generator)
    mask = length_mask(torch.tensor([4, 2, 1]), 4)
    advantages = torch.tensor([[1.0], [-2.0], [0.5]]).expand(3, 4)
    ours = aggregate(
        gspo(new, old, advantages, mask, clip_low=0.05, clip_high=0.05).losses, mask, "sequence", 3
    )
    ratio = (((new - old) * mask).sum(1) / mask.sum(1)).exp()
    plain, bound = ratio * advantages[:, 0], ratio.clamp(0.95, 1.05) * advantages[:, 0]
    theirs = -torch.minimum(plain, bound).mean()
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-6)
    gradients = [torch.autograd.grad(loss, new)[0] for loss in (ours, theirs)]
    assert torch.allclose(*gradients, atol=1e-6)


X = torch.tensor([[1.0, 3.0, 99.0], [5.0, 99.0, 99.0], [99.0, 99.0, 99.0]])
HERE = length_mask(torch.tensor([2, 1, 0]), 3)


@pytest.mark.parametrize(
    ("how", "denominator", "want"),
    [("token", 3.0, 3.0), ("sequence", 2.0, 3.5), ("constant", 8.0, 1.125)],
)
def test_aggregations_by_hand(how, denominator, want):
    assert aggregate(X, HERE, how, denominator).item() == pytest.approx(want)


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


# --------------------------------------------------------------------------- entropy


def test_the_entropy_estimate_is_right_on_average_in_value_and_gradient():
    logits = torch.tensor([0.3, -1.0, 2.0, 0.1], dtype=torch.float64, requires_grad=True)
    behaviour = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    table = logits.log_softmax(0)
    exact = -(table.exp() * table).sum()
    estimates = entropy_estimate(table[:, None], behaviour.log()[:, None], torch.ones(4, 1).bool())
    mean = (behaviour * estimates[:, 0]).sum()
    assert mean.item() == pytest.approx(exact.item())
    got, want = (
        torch.autograd.grad(value, logits, retain_graph=True)[0] for value in (mean, exact)
    )
    assert torch.allclose(got, want)
    naive = torch.autograd.grad(-(table.exp().detach() * table).sum(), logits)[0]
    assert torch.allclose(naive, torch.zeros(4, dtype=torch.float64), atol=1e-12)  # pulls nowhere


# --------------------------------------------------------------------------- properties


@st.composite
def batches(draw):
    """Random log-probabilities, advantages and masks; some rows and many tokens are context."""
    rows, width = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**20)))

    def noise():
        return torch.randn(rows, width, generator=generator, dtype=torch.float64)

    mask = torch.rand(rows, width, generator=generator) < 0.6
    new = noise()
    return new, new + 0.3 * noise(), noise(), mask


def loss_and_gradient(name, how, new, old, advantages, mask, denominator):
    leaf = new.clone().requires_grad_()
    losses = SURROGATES[name](leaf, old, advantages, mask).losses
    losses = losses - 0.1 * entropy_estimate(leaf, old, mask)
    loss = aggregate(losses, mask, how, denominator)
    loss.backward()
    return loss.item(), leaf.grad


CHOICES = pytest.mark.parametrize(
    ("name", "how"), [(name, how) for name in SURROGATES for how in AGGREGATIONS]
)


@CHOICES
@settings(max_examples=30, deadline=None)
@given(batches(), st.sampled_from([0.0, 1e4, -1e4, math.inf, math.nan]))
def test_context_and_padding_have_no_influence(name, how, batch, junk):
    new, old, advantages, mask = batch
    loss, gradient = loss_and_gradient(name, how, *batch, 7.0)
    spoilt = [torch.where(mask, values, junk) for values in (new, old, advantages)]
    wider = [torch.cat([x, torch.full((len(x), 2), junk, dtype=x.dtype)], 1) for x in spoilt]
    wide_mask = torch.cat([mask, torch.zeros(len(mask), 2, dtype=torch.bool)], 1)
    other, other_gradient = loss_and_gradient(name, how, *wider, wide_mask, 7.0)
    assert other == pytest.approx(loss, rel=1e-12)
    assert torch.allclose(other_gradient[:, :-2], gradient)
    assert (other_gradient[:, -2:] == 0).all()
    assert (gradient[~mask] == 0).all()


@CHOICES
@settings(max_examples=30, deadline=None)
@given(batches(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(name, how, batch, rng):
    order = list(range(len(batch[0])))
    rng.shuffle(order)
    loss, gradient = loss_and_gradient(name, how, *batch, 7.0)
    other, other_gradient = loss_and_gradient(name, how, *(x[order] for x in batch), 7.0)
    assert other == pytest.approx(loss, rel=1e-9, abs=1e-12)
    assert torch.allclose(other_gradient, gradient[order])


@CHOICES
@settings(max_examples=30, deadline=None)
@given(batches(), st.integers(1, 4))
def test_parts_add_up_to_the_whole(name, how, batch, size):
    loss, gradient = loss_and_gradient(name, how, *batch, 7.0)
    parts = [
        loss_and_gradient(name, how, *(x[first : first + size] for x in batch), 7.0)
        for first in range(0, len(batch[0]), size)
    ]
    assert sum(part for part, _ in parts) == pytest.approx(loss, rel=1e-9, abs=1e-12)
    assert torch.allclose(torch.cat([g for _, g in parts]), gradient)


@CHOICES
@settings(max_examples=30, deadline=None)
@given(batches())
def test_on_policy_every_surrogate_is_the_policy_gradient(name, how, batch):
    new, _, advantages, mask = batch
    leaf = new.clone().requires_grad_()
    if name == "gspo":  # one advantage a sequence, as in its paper
        advantages = advantages[:, :1].expand_as(advantages)
    losses = SURROGATES[name](leaf, new, advantages, mask).losses
    got = torch.autograd.grad(aggregate(losses, mask, how, 7.0), leaf)[0]
    want = torch.autograd.grad(aggregate(-advantages * leaf, mask, how, 7.0), leaf)[0]
    assert torch.allclose(got, want)


@pytest.mark.parametrize(
    ("new", "old", "advantages", "mask", "message"),
    [
        (torch.zeros(2), torch.zeros(2), torch.zeros(2), torch.ones(2).bool(), r"\[B, T\]"),
        (torch.zeros(1, 2), torch.zeros(1, 1), torch.zeros(1, 2), torch.ones(1, 2).bool(), "got"),
        (torch.zeros(1, 2), torch.zeros(1, 2), torch.zeros(1), torch.ones(1, 2).bool(), "got"),
        (torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1, 1), torch.ones(1, 1), "boolean"),
    ],
)
@pytest.mark.parametrize("name", SURROGATES)
def test_shapes_are_checked(name, new, old, advantages, mask, message):
    with pytest.raises(ValueError, match=message):
        SURROGATES[name](new, old, advantages, mask)


def test_bad_aggregations():
    with pytest.raises(ValueError, match="must be one of"):
        aggregate(X, HERE, "mean", 1.0)
    with pytest.raises(ValueError, match="denominator"):
        aggregate(X, HERE, "token", 0.0)
