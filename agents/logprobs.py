"""Log-probabilities of the tokens that a policy sampled, with gradient, for an update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from agents.attention import own_attention, plan_attention, row_attend
from agents.head import output_head, token_scores
from agents.losses import length_mask
from agents.packing import Row, Trainable, pack

__all__ = [
    "Scores",
    "hidden_states",
    "padded_logprobs",
    "sampled_logprobs",
    "spread",
    "where_sampled",
]


@dataclass(frozen=True, slots=True)
class Scores:
    """What the model says about the tokens after the prompts.

    B episodes, T tokens in the longest of them. All but ``mask`` are 0.0 where ``mask`` is false.

    Attributes:
        logprobs: Log-probability of each token [B, T], float32, with gradient.
        mask: Where a sampled token is [B, T]: false at the environment's tokens and at padding.
        entropies: Entropy of the distribution that each token was drawn from [B, T], in nats, with
            gradient; ``None`` if not asked for.
    """

    logprobs: Tensor
    mask: Tensor
    entropies: Tensor | None = None


def sampled_logprobs(
    model: PreTrainedModel,
    episodes: Sequence[Trainable],
    temperature: float = 1.0,
    *,
    entropy: bool = False,
) -> Scores:
    """Score the sampled tokens of episodes.

    Args:
        model: The policy.
        episodes: B of them, of one prompt or of several.
        temperature: The policy's, above 0.
        entropy: Whether to compute entropies too.
    """
    row = pack(episodes)
    logprobs, entropies = token_scores(
        hidden_states(model, row),
        output_head(model).weight,
        torch.tensor(row.targets, device=model.device),
        temperature,
        entropy=entropy,
    )  # [S] each
    mask = where_sampled(episodes).to(model.device)  # [B, T]
    return Scores(
        spread(logprobs, mask), mask, None if entropies is None else spread(entropies, mask)
    )


def hidden_states(model: PreTrainedModel, row: Row) -> Tensor:
    """Return the last hidden state that predicts each sampled token of a row [S, D]."""
    device = model.device
    with own_attention(model):
        out = model.base_model(
            input_ids=torch.tensor([row.token_ids], device=device),
            position_ids=torch.tensor([row.position_ids], device=device),
            use_cache=False,
            attend=row_attend(plan_attention(row)),
        )
    return out.last_hidden_state[0, torch.tensor(row.sources, device=device)]


def where_sampled(episodes: Sequence[Trainable]) -> Tensor:
    """Return where the sampled tokens are among those after the prompts [B, T].

    Row by row, its S places are in the order of a packed row's sampled tokens.
    """
    mask = torch.zeros(len(episodes), max(len(e.token_ids) for e in episodes), dtype=torch.bool)
    for index, episode in enumerate(episodes):
        mask[index, : len(episode.sampled)] = torch.tensor(episode.sampled)
    return mask


def spread(values: Tensor, mask: Tensor) -> Tensor:
    """Put S values where the mask is true, 0 elsewhere [B, T]."""
    return values.new_zeros(mask.shape).masked_scatter(mask, values)


def padded_logprobs(
    model: PreTrainedModel,
    episodes: Sequence[Trainable],
    temperature: float = 1.0,
    *,
    entropy: bool = False,
) -> Scores:
    """Do the same the plain way: a right-padded batch, one row per episode, logits everywhere.

    What ``sampled_logprobs`` must equal, up to rounding. Several times slower.
    """
    device = model.device
    rows = [[*episode.prompt_ids, *episode.token_ids] for episode in episodes]
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = torch.tensor(row)
    mask = where_sampled(episodes)  # [B, T]
    where = torch.zeros(mask.shape, dtype=torch.long)
    for index, episode in enumerate(episodes):
        size, first = len(episode.token_ids), len(episode.prompt_ids) - 1
        where[index, :size] = torch.arange(first, first + size)
    ids, mask, where = ids.to(device), mask.to(device), where.to(device)
    attention = length_mask(lengths.to(device), ids.shape[1])
    logits = model(input_ids=ids, attention_mask=attention, use_cache=False).logits.float()
    table = (logits / temperature).log_softmax(-1)  # [B, L, V]
    targets = ids[:, 1:].gather(1, where.clamp(max=ids.shape[1] - 2))  # [B, T]
    rowwise = table.gather(1, where[:, :, None].expand(-1, -1, table.shape[-1]))  # [B, T, V]
    logprobs = rowwise.gather(2, targets[:, :, None])[:, :, 0]
    entropies = -(rowwise.exp() * rowwise).sum(-1) if entropy else None
    return Scores(
        torch.where(mask, logprobs, 0.0),
        mask,
        None if entropies is None else torch.where(mask, entropies, 0.0),
    )
