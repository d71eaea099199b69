from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agents.generation import generate, inverse_cdf
from agents.logprobs import padded_logprobs
from agents.models.tiny import make_model, make_tokenizer
from agents.packing import Example

MODEL = make_model(make_tokenizer(["red green 1 2 3"], vocabulary=300), seed=0, hidden=64, layers=2)
NEVER = -1
PROMPTS = [[5, 6, 7], [8], [9, 10, 11, 12, 13, 14]]


def rng(seed=0):
    return np.random.default_rng(seed)


def run(contexts=PROMPTS, samples=2, seed=0, **options):
    options = {"max_new_tokens": 8, "eos_id": NEVER} | options
    rows = samples * len(contexts) if isinstance(samples, int) else sum(samples)
    return generate(MODEL, contexts, samples, rngs=rng(seed).spawn(rows), **options)


def model_logprobs(prompt, group, temperature=1.0):
    episodes = [Example(prompt, completion.token_ids) for completion in group]
    with torch.no_grad():
        return padded_logprobs(MODEL, episodes, temperature).logprobs


def test_greedy_equals_transformers_generate():
    got = run(samples=1, temperature=0.0)
    for prompt, (completion,) in zip(PROMPTS, got, strict=True):
        ids = torch.tensor([prompt])
        want = MODEL.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, min_new_tokens=8,
            do_sample=False, pad_token_id=0,
        )  # fmt: skip
        assert list(completion.token_ids) == want[0, len(prompt) :].tolist()


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_logprobs_are_those_of_the_model(temperature):
    for prompt, group in zip(PROMPTS, run(temperature=temperature), strict=True):
        got = torch.tensor([c.logprobs for c in group])
        assert torch.allclose(got, model_logprobs(prompt, group, temperature), atol=2e-5)


def test_same_seed_same_answers_other_seed_others():
    assert run(seed=3) == run(seed=3)
    assert run(seed=3) != run(seed=4)


def test_group_members_differ():
    (group,) = run([[5, 6, 7]], samples=6)
    assert len({completion.token_ids for completion in group}) > 1


def test_finished_rows_leave_without_changing_the_others():
    free = run(samples=4)
    eos = free[0][0].token_ids[2]
    stopped = run(samples=4, eos_id=eos)
    ended = 0
    for group_free, group_stopped in zip(free, stopped, strict=True):
        for one, other in zip(group_free, group_stopped, strict=True):
            if eos in one.token_ids:
                cut = one.token_ids.index(eos) + 1
                assert other.finished
                assert other.token_ids == one.token_ids[:cut]
                assert other.logprobs == pytest.approx(one.logprobs[:cut], abs=1e-5)
                ended += 1
            else:
                assert not other.finished
                assert other.token_ids == one.token_ids
    assert 0 < ended < 12


def test_end_at_the_very_last_position_counts_as_finished():
    free = run([[5, 6]], samples=1)[0][0]
    assert len(set(free.token_ids)) == 8, "the test needs an answer without repeats"
    last = run([[5, 6]], samples=1, eos_id=free.token_ids[-1])[0][0]
    assert last.finished
    assert last.token_ids == free.token_ids


def test_global_generators_are_left_alone():
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    run()
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()  # noqa: NPY002


@pytest.mark.parametrize("prompts", [[], [[1], []]])
def test_refuses_empty_prompts(prompts):
    with pytest.raises(ValueError, match="at least one token"):
        run(prompts)


# --------------------------------------------------------------------------- inverse_cdf


def test_inverse_cdf_by_hand():
    logits = torch.tensor([[math.log(0.2), math.log(0.5), math.log(0.3)]] * 5)
    uniforms = torch.tensor([0.0, 0.19, 0.21, 0.69, 0.99])
    ids, logprobs = inverse_cdf(logits, uniforms, 1.0)
    assert ids.tolist() == [0, 0, 1, 1, 2]
    want = [0.2, 0.2, 0.5, 0.5, 0.3]
    assert logprobs.exp().tolist() == pytest.approx(want, rel=1e-5)


def test_inverse_cdf_has_the_right_distribution():
    logits = torch.randn(7, generator=torch.Generator().manual_seed(0))
    draws = torch.from_numpy(rng().random(20_000, dtype=np.float32))
    ids, _ = inverse_cdf(logits.expand(20_000, -1), draws, 1.3)
    counts = np.bincount(ids.numpy(), minlength=7)
    expected = (logits / 1.3).softmax(-1).double().numpy() * 20_000
    assert stats.chisquare(counts, expected * 20_000 / expected.sum()).pvalue > 1e-3


@given(st.floats(0, 1, exclude_max=True, width=32), st.integers(0, 3))
def test_impossible_tokens_are_never_drawn(uniform, hole):
    logits = torch.zeros(1, 4)
    logits[0, hole] = -torch.inf
    ids, logprobs = inverse_cdf(logits, torch.tensor([uniform]), 1.0)
    assert ids.item() != hole
    assert logprobs.item() == pytest.approx(math.log(1 / 3))


def test_temperature_zero_is_greedy():
    ids, logprobs = inverse_cdf(torch.tensor([[0.0, 2.0, 1.0]]), torch.tensor([0.0]), 0.0)
    assert ids.tolist() == [1]
    assert logprobs.item() == pytest.approx(2 - math.log(1 + math.e + math.e**2))


def test_inverse_cdf_checks_shapes():
    with pytest.raises(ValueError, match="uniforms"):
        inverse_cdf(torch.zeros(2, 3), torch.zeros(3), 1.0)
