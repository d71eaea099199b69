from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.head import output_head, token_scores
from agents.models.tiny import make_model, make_tokenizer
from toolrl_env.core.errors import ConfigurationError

VOCABULARY, WIDTH = 11, 6


def drawn(tokens, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(tokens, WIDTH, generator=generator).to(dtype).requires_grad_()
    weight = torch.randn(VOCABULARY, WIDTH, generator=generator).to(dtype).requires_grad_()
    targets = torch.randint(0, VOCABULARY, (tokens,), generator=generator)
    return hidden, weight, targets


def plain(hidden, weight, targets, temperature):
    table = (hidden @ weight.t() / temperature).log_softmax(-1)
    return table.gather(1, targets[:, None])[:, 0], -(table.exp() * table).sum(-1)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 10), st.sampled_from([1.0, 0.6, 2.0]), st.booleans())
def test_values_and_gradients_equal_the_plain_ones(tokens, chunk, temperature, entropy):
    hidden, weight, targets = drawn(tokens)
    got = token_scores(hidden, weight, targets, temperature, entropy=entropy, chunk=chunk)
    want = plain(hidden, weight, targets, temperature)
    outer = [torch.linspace(-1, 2, tokens), torch.linspace(3, -1, tokens)]
    pairs = list(zip(got, want, outer, strict=True))[: 2 if entropy else 1]
    for value, expected, _ in pairs:
        assert torch.allclose(value, expected, atol=1e-5)
    sums = [sum((p[side] * p[2]).sum() for p in pairs) for side in (0, 1)]
    ours, plainly = (torch.autograd.grad(total, (hidden, weight)) for total in sums)
    for gradient, expected in zip(ours, plainly, strict=True):
        assert torch.allclose(gradient, expected, atol=2e-5)


def test_by_hand():
    hidden = torch.tensor([[1.0]])
    weight = torch.tensor([[0.0], [math.log(3.0)]])
    logprobs, entropies = token_scores(hidden, weight, torch.tensor([1]), entropy=True)
    assert logprobs.exp().item() == pytest.approx(0.75)
    assert entropies.item() == pytest.approx(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))


def test_only_the_entropy_may_have_a_gradient():
    hidden, weight, targets = drawn(4)
    _, entropies = token_scores(hidden, weight, targets, entropy=True)
    (got,) = torch.autograd.grad(entropies.sum(), (hidden,))
    (want,) = torch.autograd.grad(plain(hidden, weight, targets, 1.0)[1].sum(), (hidden,))
    assert torch.allclose(got, want, atol=1e-5)


def test_bfloat16_keeps_the_gradient_of_tokens_that_are_nearly_certain():
    """There 1 - p is 0.0005, less than the spacing of bfloat16 numbers near 1."""
    hidden = torch.tensor([[1.0]], dtype=torch.bfloat16, requires_grad=True)
    weight = torch.tensor([[7.625], [0.0]], dtype=torch.bfloat16, requires_grad=True)
    logprobs, _ = token_scores(hidden, weight, torch.tensor([0]))
    (got,) = torch.autograd.grad(logprobs.sum(), (weight,))
    rest = 1 / (1 + math.exp(7.625))
    assert got[:, 0].tolist() == pytest.approx([rest, -rest], rel=0.01)


def test_no_more_than_a_chunk_of_logits_exists():
    """Peak of all allocations, as the profiler saw them, against the logits' size."""
    tokens, vocabulary, chunk = 512, 4096, 32
    hidden = torch.randn(tokens, 4, requires_grad=True)
    weight = torch.randn(vocabulary, 4, requires_grad=True)
    with torch.profiler.profile(profile_memory=True) as profile:
        token_scores(hidden, weight, torch.zeros(tokens, dtype=torch.long), chunk=chunk)[
            0
        ].sum().backward()
    largest = max(event.cpu_memory_usage for event in profile.events())
    assert 0 < largest < tokens * vocabulary * 4 / 4


@pytest.mark.parametrize(
    ("hidden", "targets", "temperature", "message"),
    [
        (torch.zeros(2, WIDTH), torch.zeros(3, dtype=torch.long), 1.0, "targets"),
        (torch.zeros(WIDTH), torch.zeros(1, dtype=torch.long), 1.0, "hidden"),
        (torch.zeros(2, WIDTH), torch.zeros(2, dtype=torch.long), 0.0, "temperature=0.0"),
    ],
)
def test_refuses(hidden, targets, temperature, message):
    with pytest.raises(ValueError, match=message):
        token_scores(hidden, torch.zeros(VOCABULARY, WIDTH), targets, temperature)


def test_the_head_of_a_model_is_found():
    model = make_model(make_tokenizer(["red green"], vocabulary=300), seed=0, hidden=64, layers=1)
    hidden = torch.ones(1, 64)
    assert torch.equal(output_head(model)(hidden), hidden @ model.model.embed_tokens.weight.t())


def test_a_head_that_is_not_all_is_refused():
    model = make_model(make_tokenizer(["red green"], vocabulary=300), seed=0, hidden=64, layers=1)
    model.config.logits_scaling = 8.0
    with pytest.raises(ConfigurationError, match=r"logits_scaling=8\.0"):
        output_head(model)
    model.config.logits_scaling = 1.0
    model.lm_head = torch.nn.Linear(64, 300)
    with pytest.raises(ConfigurationError, match="bias"):
        output_head(model)
