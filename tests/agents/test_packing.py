from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.models.tiny import make_model, make_tokenizer
from agents.packing import answer_logprobs, group_logprobs, pad_right

MODEL = make_model(make_tokenizer(["red green 1 2 3"], vocabulary=300), seed=0, hidden=64, layers=2)
IDS = st.integers(0, 250)
ROW = st.lists(IDS, min_size=1, max_size=7)


def plain(prompt, answer, temperature=1.0):
    """Log-probabilities by the textbook: one sequence, no padding, no cache."""
    with torch.no_grad():
        logits = MODEL(torch.tensor([[*prompt, *answer]])).logits[0] / temperature
    rows = logits[len(prompt) - 1 : -1].log_softmax(-1)
    return rows.gather(1, torch.tensor(answer)[:, None])[:, 0]


@settings(max_examples=20, deadline=None)
@given(ROW, st.lists(ROW, min_size=1, max_size=4))
def test_group_equals_plain(prompt, answers):
    got, mask = group_logprobs(MODEL, prompt, answers)
    for row, keep, answer in zip(got, mask, answers, strict=True):
        assert keep.tolist() == [i < len(answer) for i in range(got.shape[1])]
        assert torch.allclose(row[keep], plain(prompt, answer), atol=2e-5)
        assert (row[~keep] == 0).all()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(ROW, ROW), min_size=1, max_size=4))
def test_separate_prompts_equal_plain(pairs):
    prompts, answers = zip(*pairs, strict=True)
    got, mask = answer_logprobs(MODEL, prompts, answers)
    for row, keep, prompt, answer in zip(got, mask, prompts, answers, strict=True):
        assert torch.allclose(row[keep], plain(prompt, answer), atol=2e-5)
        assert (row[~keep] == 0).all()


def test_temperature():
    got, mask = group_logprobs(MODEL, [5, 6], [[7, 8, 9]], temperature=0.5)
    assert torch.allclose(got[mask], plain([5, 6], [7, 8, 9], 0.5), atol=2e-5)


def gradient(function):
    MODEL.zero_grad()
    logprobs, mask = function()
    weights = torch.linspace(-1, 1, int(mask.sum()))
    (logprobs[mask] * weights).sum().backward()
    return torch.cat([parameter.grad.flatten() for parameter in MODEL.parameters()])


def test_gradients_agree_although_the_prompt_runs_once():
    prompt, answers = [9, 8, 7, 6, 5], [[1, 2, 3], [4], [5, 6]]
    packed = gradient(lambda: group_logprobs(MODEL, prompt, answers))
    padded = gradient(lambda: answer_logprobs(MODEL, [prompt] * 3, answers))
    assert (packed - padded).norm() / padded.norm() < 1e-5


def test_pad_right():
    ids, lengths = pad_right([[1, 2, 3], [4]])
    assert ids.tolist() == [[1, 2, 3], [4, 0, 0]]
    assert lengths.tolist() == [3, 1]


@pytest.mark.parametrize("rows", [[], [[1], []]])
def test_pad_right_refuses_empty(rows):
    with pytest.raises(ValueError, match="token"):
        pad_right(rows)
