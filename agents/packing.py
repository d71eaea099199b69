"""Log-probabilities of answers, computing each shared prompt once and the head only on answers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache

from agents.losses import length_mask

__all__ = ["answer_logprobs", "group_logprobs", "pad_right"]


def pad_right(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Stack rows of ids, filled with 0 at the end.

    Returns:
        Ids [B, T] and lengths [B].
    """
    if not rows or any(len(row) == 0 for row in rows):
        raise ValueError("every row needs at least one token")
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = torch.tensor(list(row))
    return ids, lengths


def group_logprobs(
    model: PreTrainedModel,
    prompt: Sequence[int],
    answers: Sequence[Sequence[int]],
    temperature: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Log-probabilities of several answers to one prompt, which is run once.

    The prompt's keys and values stay in the graph and are expanded to the answers: two ordinary
    model calls, exact up to rounding. Right padding needs no mask of its own, because attention is
    causal and padded positions are not read.

    Args:
        model: The policy.
        prompt: Token ids of the prompt, not empty.
        answers: Token ids of each answer, none empty.
        temperature: The policy's temperature, above 0.

    Returns:
        Log-probabilities [G, T] (0 at padding), with gradient, and the mask [G, T].
    """
    ids, lengths = pad_right(answers)
    mask = length_mask(lengths, ids.shape[1])  # [G, T]
    size, width = ids.shape
    head = model.base_model(
        input_ids=torch.tensor([list(prompt)]), past_key_values=DynamicCache(), use_cache=True
    )
    first = head.last_hidden_state[:, -1:].expand(size, -1, -1)  # [G, 1, D], predicts token 0
    if width == 1:
        return _token_logprobs(model, first, ids, mask, temperature), mask
    cache = head.past_key_values
    for layer in cache.layers:
        layer.keys = layer.keys.expand(size, -1, -1, -1)
        layer.values = layer.values.expand(size, -1, -1, -1)
    body = model.base_model(
        input_ids=ids[:, :-1],
        attention_mask=_continue_mask(len(prompt), width - 1),
        position_ids=torch.arange(len(prompt), len(prompt) + width - 1)[None].expand(size, -1),
        past_key_values=cache,
        use_cache=True,
    )
    hidden = torch.cat([first, body.last_hidden_state], dim=1)  # [G, T, D]
    return _token_logprobs(model, hidden, ids, mask, temperature), mask


def answer_logprobs(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]
) -> tuple[Tensor, Tensor]:
    """Log-probabilities of one answer to each of several prompts (for supervised training).

    Args:
        model: The policy.
        prompts: Token ids of each prompt, none empty.
        answers: Token ids of each answer, same number, none empty.

    Returns:
        Log-probabilities [B, T] (0 at padding), with gradient, and the mask [B, T].
    """
    joined = [[*prompt, *answer] for prompt, answer in zip(prompts, answers, strict=True)]
    inputs, _ = pad_right([row[:-1] for row in joined])
    ids, lengths = pad_right(answers)
    mask = length_mask(lengths, ids.shape[1])  # [B, T]
    # right padding: causal attention alone keeps it out of every position that is read
    out = model.base_model(input_ids=inputs, use_cache=False).last_hidden_state  # [B, L, D]
    starts = torch.tensor([len(prompt) - 1 for prompt in prompts])
    where = (starts[:, None] + torch.arange(ids.shape[1])).clamp(max=out.shape[1] - 1)  # [B, T]
    hidden = out.gather(1, where[:, :, None].expand(-1, -1, out.shape[2]))
    return _token_logprobs(model, hidden, ids, mask), mask


def _token_logprobs(
    model: PreTrainedModel, hidden: Tensor, ids: Tensor, mask: Tensor, temperature: float = 1.0
) -> Tensor:
    """Apply the head at real answer tokens only; return [B, T] with 0 elsewhere."""
    logits = model.lm_head(hidden[mask]).float() / temperature  # [N, V]
    values = -torch.nn.functional.cross_entropy(logits, ids[mask], reduction="none")
    return torch.zeros(mask.shape, dtype=values.dtype).masked_scatter(mask, values)


def _continue_mask(past: int, width: int) -> Tensor:
    """Return the boolean mask [1, 1, width, past + width] of a causal continuation."""
    return torch.ones(width, past + width, dtype=torch.bool).tril(diagonal=past)[None, None]
