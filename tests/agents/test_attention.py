from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.attention import Block, attend_row, cut, own_attention, plan_attention, row_attend
from agents.models.tiny import make_model, make_tokenizer
from agents.packing import Example, pack
from tests.agents.sequences import episodes
from toolrl_env.core.errors import ConfigurationError


def visible(row) -> torch.Tensor:
    """What each token of a row may see, written down the slow way [N, N]."""
    size = len(row.token_ids)
    mask = torch.zeros(size, size, dtype=torch.bool)
    for trunk in row.trunks:
        prompt = range(trunk.start, trunk.start + trunk.length)
        for place in prompt:
            mask[place, trunk.start : place + 1] = True
        for branch in trunk.branches:
            for place in range(branch.start, branch.start + branch.length):
                mask[place, list(prompt)] = True
                mask[place, branch.start : place + 1] = True
    return mask


def dense(query, key, value, mask, scaling):
    repeat = query.shape[0] // key.shape[0]
    key, value = (part.repeat_interleave(repeat, 0) for part in (key, value))
    scores = (query @ key.transpose(1, 2) * scaling).masked_fill(~mask, -torch.inf)
    return (scores.softmax(-1) @ value).transpose(0, 1)


def tensors(length, past=0, dtype=torch.float32, heads=6, kv_heads=2, width=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = [(heads, length, width), (kv_heads, past + length, width)]
    shapes = [shapes[0], shapes[1], shapes[1], (length, heads, width)]
    made = [torch.randn(shape, generator=generator).to(dtype) for shape in shapes]
    return [part.requires_grad_() for part in made[:3]], made[3]


def both(inputs, plan, mask, outer, past=0):
    ours = attend_row(*inputs, plan, 0.3, past)
    plain = dense(*(part.float() for part in inputs), mask, 0.3)
    grads = [torch.autograd.grad(out, inputs, outer) for out in (ours, plain.to(ours.dtype))]
    return [ours, *grads[0]], [plain, *grads[1]]


@settings(max_examples=40, deadline=None)
@given(episodes())
def test_equals_attention_with_a_dense_mask(batch):
    row = pack(batch)
    inputs, outer = tensors(len(row.token_ids))
    for got, want in zip(*both(inputs, plan_attention(row), visible(row), outer), strict=True):
        assert torch.allclose(got, want, atol=1e-5)


@pytest.mark.parametrize("length", [127, 128, 129, 300])
def test_blocks_fit_together(length):
    row = pack([Example((1,) * length, (2,) * size) for size in (140, 1, 260)])
    inputs, outer = tensors(len(row.token_ids))
    for got, want in zip(*both(inputs, plan_attention(row), visible(row), outer), strict=True):
        assert torch.allclose(got, want, atol=2e-5)


def test_bfloat16_is_as_exact_as_its_inputs():
    row = pack([Example((1,) * 150, (2,) * 40) for _ in range(3)])
    inputs, outer = tensors(len(row.token_ids), dtype=torch.bfloat16)
    for got, want in zip(*both(inputs, plan_attention(row), visible(row), outer), strict=True):
        assert got.dtype == torch.bfloat16
        assert (got.float() - want.float()).norm() < 0.01 * want.float().norm()


def test_keys_of_the_past_come_first():
    """Two segments of new tokens, which see different parts of what was read before."""
    past, before = 7, (((0, 4),), ((0, 4), (4, 7)))
    plan = (cut(0, 3, before[0]), cut(3, 2, before[1]))
    mask = torch.zeros(5, 12, dtype=torch.bool)
    mask[:3, :4] = True
    mask[3:, :7] = True
    mask[:3, 7:10] = torch.ones(3, 3, dtype=torch.bool).tril()
    mask[3:, 10:] = torch.ones(2, 2, dtype=torch.bool).tril()
    inputs, outer = tensors(5, past)
    for got, want in zip(*both(inputs, plan, mask, outer, past), strict=True):
        assert torch.allclose(got, want, atol=1e-5)


def test_cut():
    assert cut(5, 300, ((0, 5),)) == (
        Block(5, 133, 5, ((0, 5),)),
        Block(133, 261, 5, ((0, 5),)),
        Block(261, 305, 5, ((0, 5),)),
    )
    assert [block.seen for block in cut(5, 300, ((0, 5),))] == [133, 261, 305]


@given(st.integers(1, 1000), st.integers(0, 50))
def test_cut_covers_everything_once(length, start):
    places = [place for block in cut(start, length) for place in range(block.first, block.last)]
    assert places == list(range(start, start + length))


# --------------------------------------------------------------------------- in a model


def tiny():
    tokenizer = make_tokenizer(["red green 1 2 3"], vocabulary=300)
    return make_model(tokenizer, seed=0, hidden=64, layers=2)


def test_the_models_own_attention_comes_back():
    model = tiny()
    ids = torch.tensor([[1, 2, 3]])
    before = model(ids).logits
    with pytest.raises(ZeroDivisionError), own_attention(model):
        raise ZeroDivisionError
    assert torch.equal(model(ids).logits, before)


def test_threads_take_turns_at_a_model():
    """One that is done must not take the attention away from one that goes on."""
    model, inside, go_on = tiny(), threading.Event(), threading.Event()

    def first():
        with own_attention(model):
            inside.set()
            assert not go_on.wait(0.2)

    def second():
        inside.wait(10)
        out = run(model)
        go_on.set()
        return out.logits

    with ThreadPoolExecutor(2) as threads:
        done = threads.submit(second)
        threads.submit(first).result()
        assert torch.equal(done.result(), run(model).logits)


def run(model):
    plan = plan_attention(pack([Example((1, 2), (3, 4))]))
    with own_attention(model):
        return model(torch.tensor([[1, 2, 3]]), attend=row_attend(plan), use_cache=False)


def test_dropout_is_refused():
    model = tiny()
    model.config.attention_dropout = 0.1
    for layer in model.model.layers:
        layer.self_attn.attention_dropout = 0.1
    run(model)
    with pytest.raises(ConfigurationError, match="evaluation mode"):
        run(model.train())


def test_gradient_checkpointing_is_refused():
    """It would compute the forward pass again outside, with the usual attention."""
    model = tiny()
    model.gradient_checkpointing_enable()
    run(model)
    with pytest.raises(ConfigurationError, match="checkpointing"):
        run(model.train())


def test_a_sliding_window_is_refused():
    from transformers import MistralConfig, MistralForCausalLM

    config = MistralConfig(
        vocab_size=20,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        sliding_window=4,
    )
    with pytest.raises(ConfigurationError, match="sliding_window=4"):
        run(MistralForCausalLM(config).eval())
