from __future__ import annotations

import pytest
import torch

from agents.episode import Episode, Turn
from agents.logprobs import sampled_logprobs
from agents.models.tiny import make_model, make_tokenizer
from agents.values import ValueHead, forward, value_loss
from toolrl_env.core.types import StopReason


def played(prompt, tokens, sampled=None):
    size = len(tokens)
    sampled = (True,) * size if sampled is None else sampled
    turn = Turn((0, size), "x", 1.0)
    return Episode(prompt, tokens, sampled, (0.0,) * size, (turn,), StopReason.ANSWERED)


@pytest.fixture(scope="module")
def model():
    return make_model(make_tokenizer(["a b c d"]), seed=0, hidden=64, layers=2)


@pytest.fixture
def head():
    head = ValueHead(64)
    torch.nn.init.normal_(head.linear.weight, generator=torch.Generator().manual_seed(0))
    return head


def test_a_new_head_says_zero(model):
    got = forward(model, ValueHead(64), [played((5, 6), (7, 8, 9))], 1.0)
    assert got.values.tolist() == [[0.0] * 4]


def test_logprobs_are_those_of_the_other_path(model, head):
    answers = [(7, 8, 9), (10,), (11, 12)]
    episodes = [played((5, 6), answer) for answer in answers]
    got, want = forward(model, head, episodes, 0.7), sampled_logprobs(model, episodes, 0.7)
    assert torch.equal(got.mask, want.mask)
    assert torch.allclose(got.logprobs, want.logprobs, atol=1e-5)


def test_a_value_depends_on_what_came_before_alone(model, head):
    whole = forward(model, head, [played((5, 6), (7, 8, 9))], 1.0).values[0]
    for seen in range(3):
        tokens = (*(7, 8, 9)[:seen], 20, 21, 22)[:3]
        other = forward(model, head, [played((5, 6), tokens)], 1.0).values[0]
        assert torch.allclose(whole[: seen + 1], other[: seen + 1], atol=1e-5)
        assert not torch.allclose(whole[seen + 1], other[seen + 1], atol=1e-5)


def test_neighbours_and_padding_change_nothing(model, head):
    alone = forward(model, head, [played((5, 6), (7, 8))], 1.0)
    long = played((5, 6, 7, 8, 9), (10, 11, 12, 13))
    both = forward(model, head, [long, played((5, 6), (7, 8))], 1.0)
    assert torch.allclose(both.values[1, :3], alone.values[0], atol=1e-5)
    assert torch.allclose(both.logprobs[1, :2], alone.logprobs[0], atol=1e-5)
    assert both.mask[1].tolist() == [True, True, False, False]


def test_context_has_no_logprob(model, head):
    got = forward(model, head, [played((5,), (7, 8, 9), (True, False, True))], 1.0)
    assert got.mask.tolist() == [[True, False, True]]
    assert got.logprobs[0, 1] == 0.0


def test_both_learn(model, head):
    got = forward(model, head, [played((5, 6), (7, 8))], 1.0)
    got.values.sum().backward()
    assert head.linear.weight.grad is not None
    assert model.base_model.embed_tokens.weight.grad.abs().sum() > 0
    model.zero_grad()


def test_a_shared_prompt_is_computed_once(model, head, monkeypatch):
    seen = []
    body = type(model.base_model).forward

    def counted(self, input_ids, **options):
        seen.append(input_ids.shape[1])
        return body(self, input_ids=input_ids, **options)

    monkeypatch.setattr(type(model.base_model), "forward", counted)
    prompt = tuple(range(5, 25))
    forward(model, head, [played(prompt, (7, 8)), played(prompt, (9, 10, 11))], 1.0)
    assert seen == [20 + 2 + 3]  # the state after the last token is one of them


def test_the_last_state_of_a_cut_episode_has_seen_everything(model, head):
    first, other = (
        forward(model, head, [played((5, 6), (7, last))], 1.0).values[0] for last in (8, 9)
    )
    assert torch.allclose(first[:2], other[:2], atol=1e-6)
    assert not torch.allclose(first[2], other[2], atol=1e-4)


@pytest.mark.parametrize("sampled", [(True, True, True), (True, False, True)])
def test_everything_is_made_where_the_model_is(sampled):
    away = make_model(make_tokenizer(["a b c d"]), seed=0, hidden=64, layers=2).to("meta")
    episodes = [played((5, 6), (7, 8, 9), sampled), played((5, 6), (7,))]
    got = forward(away, ValueHead(64).to("meta"), episodes, 0.7)
    scores = sampled_logprobs(away, episodes, entropy=True)
    tensors = (got.logprobs, got.values, got.mask, scores.logprobs, scores.entropies, scores.mask)
    assert {each.device.type for each in tensors} == {"meta"}


MASK = torch.tensor([[True, True, False]])


def test_value_loss_by_hand():
    values = torch.tensor([[1.0, 4.0, 50.0]], requires_grad=True)
    returns, old = torch.tensor([[2.0, 1.0, -9.0]]), torch.zeros(1, 3)
    plain = value_loss(values, old, returns, MASK, clip=None, denominator=2.0)
    assert plain.item() == pytest.approx((1 + 9) / 4)
    plain.backward()
    assert values.grad.tolist() == [[-0.5, 1.5, 0.0]]
    # clipped to 0.5 from 0: errors (0.5-2)^2 = 2.25 over 1, and (0.5-1)^2 under 9
    clipped = value_loss(values, old, returns, MASK, clip=0.5, denominator=2.0)
    assert clipped.item() == pytest.approx((2.25 + 9) / 4)


def test_a_value_that_has_gone_far_enough_is_not_pushed_further():
    values = torch.tensor([[1.0]], requires_grad=True)
    mask, old, returns = torch.tensor([[True]]), torch.zeros(1, 1), torch.tensor([[2.0]])
    value_loss(values, old, returns, mask, clip=0.5, denominator=1.0).backward()
    assert values.grad.item() == 0.0


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"\[B, T\]"):
        value_loss(torch.zeros(1, 2), *[torch.zeros(1, 3)] * 2, MASK, clip=None, denominator=1.0)
