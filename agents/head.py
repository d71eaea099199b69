"""Log-probabilities and entropies of tokens, without ever holding all their logits.

The logits of S tokens are S times the vocabulary in size: the largest thing of an update. They are
made in chunks, forward and again backward; between the passes only the hidden states are kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["token_scores"]


def token_scores(
    hidden: Tensor,
    weight: Tensor,
    targets: Tensor,
    temperature: float = 1.0,
    *,
    entropy: bool = False,
    chunk: int = 128,
) -> tuple[Tensor, Tensor | None]:
    r"""Score tokens under :math:`p = \mathrm{softmax}(z / T)`, :math:`z = W h`.

    Args:
        hidden: What predicts each token, h, shape [S, D].
        weight: The head, W, shape [V, D].
        targets: The tokens' ids, shape [S].
        temperature: T, above 0.
        entropy: Whether to compute entropies too.
        chunk: Tokens whose logits exist at a time.

    Returns:
        :math:`\log p_y` of each token [S], and :math:`-\sum_i p_i \log p_i` [S] in nats if asked
        for: float32, differentiable once in ``hidden`` and ``weight``.
    """
    if hidden.ndim != 2 or targets.shape != hidden.shape[:1]:
        raise ValueError(f"hidden {tuple(hidden.shape)} and targets {tuple(targets.shape)}")
    if temperature <= 0:
        raise ValueError(f"temperature={temperature!r}; it must be above 0")
    logprobs, entropies = _TokenScores.apply(hidden, weight, targets, temperature, entropy, chunk)
    return logprobs, entropies if entropy else None


class _TokenScores(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        targets: Tensor,
        temperature: float,
        entropy: bool,
        chunk: int,
    ) -> tuple[Tensor, Tensor]:
        logprobs = hidden.new_empty(len(targets), dtype=torch.float32)
        entropies = torch.zeros_like(logprobs)
        for part in _chunks(len(targets), chunk):
            table = _log_table(hidden[part], weight, temperature)  # [chunk, V]
            logprobs[part] = table.gather(1, targets[part, None])[:, 0]
            if entropy:
                entropies[part] = -(table.exp() * table).sum(-1)
        ctx.save_for_backward(hidden, weight, targets, entropies)
        ctx.temperature, ctx.entropy, ctx.chunk = temperature, entropy, chunk
        return logprobs, entropies

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_logprobs: Tensor, d_entropies: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, targets, entropies = ctx.saved_tensors
        d_hidden = torch.empty_like(hidden)
        d_weight = torch.zeros_like(weight, dtype=torch.float32)
        for part in _chunks(len(targets), ctx.chunk):
            table = _log_table(hidden[part], weight, ctx.temperature)
            slope = table.exp()  # [chunk, V], p
            if ctx.entropy:  # dH/dz_i = -p_i (log p_i + H)
                gap = table.add_(entropies[part, None]).mul_(d_entropies[part, None])
                slope.mul_(gap.add_(d_logprobs[part, None]).neg_())
            else:  # d log p_y / dz_i = [i = y] - p_i
                slope.mul_(-d_logprobs[part, None])
            slope.scatter_add_(1, targets[part, None], d_logprobs[part, None])
            slope = slope.div_(ctx.temperature).to(weight.dtype)
            d_hidden[part] = slope @ weight
            d_weight += slope.t() @ hidden[part]
        return d_hidden, d_weight.to(weight.dtype), None, None, None, None


def _chunks(size: int, chunk: int) -> list[slice]:
    return [slice(start, min(start + chunk, size)) for start in range(0, size, chunk)]


def _log_table(hidden: Tensor, weight: Tensor, temperature: float) -> Tensor:
    """Return the log-probabilities of the whole vocabulary [chunk, V], float32."""
    return ((hidden @ weight.t()).float() / temperature).log_softmax(-1)
