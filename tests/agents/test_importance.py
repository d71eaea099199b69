from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.importance import CORRECTIONS, sampler_weights

MASK = torch.tensor([[True, True, True, False]])
TRAINER = torch.tensor([[0.5, 1.5, 3.0, math.inf]]).log()
SAMPLER = torch.tensor([[0.0, 0.0, 0.0, math.nan]])


@pytest.mark.parametrize(
    ("how", "want"),
    [
        ("none", [1.0, 1.0, 1.0, 1.0]),
        ("truncate", [0.5, 1.5, 2.0, 1.0]),
        ("mask", [0.5, 1.5, 0.0, 1.0]),
    ],
)
def test_by_hand(how, want):
    got = sampler_weights(TRAINER, SAMPLER, MASK, how=how, cap=2.0)
    assert got.tolist()[0] == pytest.approx(want)


def test_no_gradient():
    trainer = torch.zeros(1, 4, requires_grad=True)
    assert not sampler_weights(trainer, SAMPLER, MASK, how="truncate", cap=2.0).requires_grad


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=6), st.floats(1, 5))
def test_the_same_model_needs_no_correction_and_the_cap_holds(values, cap):
    logprobs = torch.tensor([values])
    everywhere = torch.ones(1, len(values), dtype=torch.bool)
    for how in CORRECTIONS:
        same = sampler_weights(logprobs, logprobs, everywhere, how=how, cap=cap)
        assert (same == 1).all()
    for how in ("truncate", "mask"):
        off = sampler_weights(logprobs, torch.zeros_like(logprobs), everywhere, how=how, cap=cap)
        assert off.max() <= cap + 1e-6
        assert off.min() >= 0


def test_an_unbounded_weight_makes_the_sampler_unbiased():
    trainer = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    sampler = torch.tensor([0.3, 0.3, 0.4], dtype=torch.float64)
    values = torch.tensor([1.0, -2.0, 4.0], dtype=torch.float64)
    here = torch.ones(3, 1, dtype=torch.bool)
    w = sampler_weights(trainer.log()[:, None], sampler.log()[:, None], here, how="mask", cap=9.0)
    assert (sampler * w[:, 0] * values).sum().item() == pytest.approx(
        (trainer * values).sum().item()
    )


def test_bad_input():
    with pytest.raises(ValueError, match="at least 1"):
        sampler_weights(TRAINER, SAMPLER, MASK, how="truncate", cap=0.5)
    with pytest.raises(ValueError, match="must be one of"):
        sampler_weights(TRAINER, SAMPLER, MASK, how="clip", cap=2.0)
