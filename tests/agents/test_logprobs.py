from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.logprobs import padded_logprobs, sampled_logprobs
from agents.models.tiny import make_model, make_tokenizer
from agents.packing import Example
from tests.agents.sequences import Tokens, episodes

MODEL = make_model(make_tokenizer(["red green 1 2 3"], vocabulary=300), seed=0, hidden=64, layers=2)


def textbook(episode, temperature):
    """Log-probabilities and entropies of one episode: no padding, no sharing, one sequence."""
    with torch.no_grad():
        ids = torch.tensor([[*episode.prompt_ids, *episode.token_ids]])
        logits = MODEL(ids).logits[0] / temperature
    table = logits[len(episode.prompt_ids) - 1 : -1].log_softmax(-1)
    chosen = table.gather(1, torch.tensor(episode.token_ids)[:, None])[:, 0]
    return chosen, -(table.exp() * table).sum(-1)


@settings(max_examples=30, deadline=None)
@given(episodes(), st.sampled_from([1.0, 0.7, 1.5]))
def test_equal_to_the_textbook(batch, temperature):
    scores = sampled_logprobs(MODEL, batch, temperature, entropy=True)
    width = max(len(episode.token_ids) for episode in batch)
    assert scores.logprobs.shape == scores.mask.shape == (len(batch), width)
    for index, episode in enumerate(batch):
        flags = torch.tensor(episode.sampled)
        size = len(flags)
        assert torch.equal(scores.mask[index, :size], flags)
        assert not scores.mask[index, size:].any()
        for got, want in zip(
            (scores.logprobs, scores.entropies), textbook(episode, temperature), strict=True
        ):
            assert torch.allclose(got[index, :size], torch.where(flags, want, 0.0), atol=2e-5)
            assert (got[index, size:] == 0).all()


def gradient(function, batch, temperature):
    """The gradient of a sum of log-probabilities and entropies with weights of both signs."""
    MODEL.zero_grad()
    scores = function(MODEL, batch, temperature, entropy=True)
    weights = torch.linspace(-1, 2, scores.mask.numel()).view(scores.mask.shape)
    (scores.logprobs * weights + 0.3 * scores.entropies * weights.flip(0)).sum().backward()
    return torch.cat([parameter.grad.flatten() for parameter in MODEL.parameters()])


@settings(max_examples=30, deadline=None)
@given(episodes(), st.sampled_from([1.0, 0.7]))
def test_gradients_equal_the_padded_batch(batch, temperature):
    ours, plain = (gradient(f, batch, temperature) for f in (sampled_logprobs, padded_logprobs))
    assert (ours - plain).norm() <= 1e-5 * plain.norm()


def test_one_token_after_one_token():
    batch = [Example((5,), (6,))]
    got = sampled_logprobs(MODEL, batch).logprobs
    assert got.item() == pytest.approx(textbook(batch[0], 1.0)[0].item(), abs=1e-5)


def test_entropy_only_if_asked_for():
    assert sampled_logprobs(MODEL, [Example((5,), (6, 7))]).entropies is None


def test_the_last_tokens_of_the_environment_change_nothing():
    short = [Tokens((5, 6), (7, 8), (True, True))]
    longer = [Tokens((5, 6), (7, 8, 9), (True, True, False))]
    first, second = (sampled_logprobs(MODEL, batch).logprobs for batch in (short, longer))
    assert torch.equal(first[0], second[0, :2])
    assert second[0, 2] == 0
