from __future__ import annotations

import pytest
import torch

from agents.cache import Kept, Stem
from agents.decoding import Batch, PackedLinear, decoding_copy
from agents.models.tiny import make_model, make_tokenizer

HEADS, KV_HEADS, WIDTH = 6, 2, 8


def tiny():
    tokenizer = make_tokenizer(["red green 1 2 3"], vocabulary=300)
    return make_model(tokenizer, seed=0, hidden=64, layers=2)


def layers(length, generator):
    shape = (KV_HEADS, length, WIDTH)
    return tuple(
        (torch.randn(shape, generator=generator), torch.randn(shape, generator=generator))
        for _ in range(2)
    )


def plain(query, kept, new, layer, scaling):
    """Attention of one row by the textbook: query [H, 1, D] over all that it has."""
    pieces = [kept.stem.layers[layer], *([kept.layers[layer]] if kept.own else []), *new]
    key, value = (torch.cat([pair[side] for pair in pieces], dim=1) for side in (0, 1))
    key, value = (part.repeat_interleave(HEADS // KV_HEADS, 0) for part in (key, value))
    weights = (query @ key.transpose(1, 2) * scaling).softmax(-1)
    return (weights @ value).transpose(0, 1)


@pytest.mark.parametrize(
    "rows",
    [
        [(0, 0), (0, 0), (0, 0)],
        [(0, 0), (0, 3), (0, 1)],
        [(0, 0), (1, 2), (2, 0)],
        [(0, 1), (0, 2), (1, 0), (2, 4), (3, 0), (3, 0)],
    ],
    ids=["one stem", "one stem, own parts", "no shared stem", "a mixture"],
)
def test_batch_attends_as_each_row_would_alone(rows):
    generator = torch.Generator().manual_seed(0)
    stems = [Stem(length, layers(length, generator)) for length in (5, 2, 7, 3)]
    kept = [Kept(stems[i], own, layers(own, generator) if own else ()) for i, own in rows]
    batch, alive = Batch(kept, room=4), list(range(len(rows)))
    new = [[[], []] for _ in rows]
    for step in range(4):
        batch.step()
        for layer in range(2):
            size = len(alive)
            query = torch.randn(size, HEADS, 1, WIDTH, generator=generator)
            key, value = (
                torch.randn(size, KV_HEADS, 1, WIDTH, generator=generator) for _ in range(2)
            )
            out = batch.attend(layer, query, key, value, 0.3)
            assert out.shape == (size, 1, HEADS, WIDTH)
            for place, row in enumerate(alive):
                new[row][layer].append((key[place], value[place]))
                want = plain(query[place], kept[row], new[row][layer], layer, 0.3)
                assert torch.allclose(out[place], want, atol=1e-5)
        if step == 1:  # the second row ends
            batch.select(torch.tensor([0, *range(2, size)]))
            del alive[1]
    for place, row in enumerate(alive):
        own = batch.own(place, 4)
        assert torch.equal(own[1][0], torch.cat([pair[0] for pair in new[row][1]], dim=1))


def test_a_stem_of_several_rows_is_not_copied():
    stem = Stem(50, layers(50, torch.Generator().manual_seed(0)))
    batch = Batch([Kept(stem, 0, ())] * 4, room=3)
    assert [buffer.shape[2] for buffer in batch.keys] == [3, 3]


@pytest.mark.parametrize("shape", [(1, 64), (8, 1, 64), (3, 5, 64)])
def test_packed_linear_multiplies(shape):
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(32, 64, generator=generator).to(torch.bfloat16)
    x = torch.randn(shape, generator=generator).to(torch.bfloat16)
    got = PackedLinear(weight)(x)
    assert got.shape == (*shape[:-1], 32)
    want = x.float() @ weight.float().t()
    assert (got.float() - want).abs().max() < 0.01 * want.abs().max()


def test_in_float32_the_model_decodes_itself():
    model = tiny()
    assert decoding_copy(model) is model


def test_a_copy_shares_its_weights_and_leaves_the_model_alone():
    model = tiny().to(torch.bfloat16)
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        assert decoding_copy(model) is model
        return
    twin = decoding_copy(model)
    assert twin is not model
    assert twin.model.embed_tokens.weight is model.model.embed_tokens.weight
    assert isinstance(twin.model.layers[0].mlp.up_proj, PackedLinear)
    assert isinstance(twin.get_output_embeddings(), PackedLinear)
    assert not any(isinstance(module, PackedLinear) for module in model.modules())
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        assert torch.allclose(twin(ids).logits, model(ids).logits, atol=0.05)
