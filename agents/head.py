"""Log-probabilities and entropies of tokens, without ever holding all their logits.

The logits of S tokens are S times the vocabulary in size: the largest thing of an update. They are
made in chunks, forward and again backward; between the passes only the hidden states are kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers import PreTrainedModel

from toolrl_env.core.errors import ConfigurationError

__all__ = ["output_head", "token_scores"]

_SCALES = ("final_logit_softcapping", "logits_scaling", "logit_scale")


def output_head(model: PreTrainedModel) -> nn.Module:
    """Return the layer that makes logits of hidden states, which must be all that makes them.

    Raises:
        ConfigurationError: The model has a bias there, or bends or scales its logits.
    """
    head, config = model.get_output_embeddings(), model.config.get_text_config().to_dict()
    for name in _SCALES:
        if config.get(name) not in (None, 1, 1.0):
            raise ConfigurationError(f"the model has {name}={config[name]!r}; it must have none")
    if "bias" in dict(head.named_parameters()):
        raise ConfigurationError("the model's head has a bias; it must have none")
    return head


def token_scores(
    hidden: Tensor,
    weight: Tensor,
    targets: Tensor,
    temperature: float = 1.0,
    *,
    entropy: bool = False,
    chunk: int = 256,
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
            table = _logits(hidden[part], weight, temperature).float().log_softmax(-1)  # [chunk, V]
            logprobs[part] = table.gather(1, targets[part, None])[:, 0]
            if entropy:
                entropies[part] = -(table.exp() * table).sum(-1)
        ctx.save_for_backward(hidden, weight, targets, logprobs, entropies)
        ctx.temperature, ctx.entropy, ctx.chunk = temperature, entropy, chunk
        return logprobs, entropies

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_logprobs: Tensor, d_entropies: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, targets, logprobs, entropies = ctx.saved_tensors
        d_hidden, d_weight = torch.empty_like(hidden), torch.zeros_like(weight)
        for part in _chunks(len(targets), ctx.chunk):
            logits = _logits(hidden[part], weight, ctx.temperature)  # [chunk, V]
            chosen, scale = targets[part, None], d_logprobs[part, None]
            if ctx.entropy:
                extra = d_entropies[part, None]
                slope = _slope_with_entropy(logits, chosen, scale, entropies[part, None], extra)
            else:
                slope = _slope(logits, chosen, scale, logprobs[part, None])
            if ctx.temperature != 1:
                slope.div_(ctx.temperature)
            torch.mm(slope, weight, out=d_hidden[part])
            d_weight.addmm_(slope.t(), hidden[part])
        return d_hidden, d_weight, None, None, None, None


def _slope(logits: Tensor, chosen: Tensor, scale: Tensor, logprobs: Tensor) -> Tensor:
    """Return the gradient of the logits [chunk, V], d log p_y / dz_i = [i = y] - p_i."""
    slope = torch.softmax(logits, dim=-1).mul_(-scale)
    own = scale * -torch.expm1(logprobs)  # 1 - p_y, exact in bfloat16 too when p_y is near 1
    return slope.scatter_(1, chosen, own.to(slope.dtype))


def _slope_with_entropy(
    logits: Tensor, chosen: Tensor, scale: Tensor, entropies: Tensor, extra: Tensor
) -> Tensor:
    """Return the same with that of the entropy, dH/dz_i = -p_i (log p_i + H)."""
    table = logits.float().log_softmax(-1)
    slope = table.exp().mul_(table.add_(entropies).mul_(extra).add_(scale).neg_())
    return slope.scatter_add_(1, chosen, scale).to(logits.dtype)


def _chunks(size: int, chunk: int) -> list[slice]:
    return [slice(start, min(start + chunk, size)) for start in range(0, size, chunk)]


def _logits(hidden: Tensor, weight: Tensor, temperature: float) -> Tensor:
    """Return z / T, in the model's format [chunk, V]."""
    logits = hidden @ weight.t()
    return logits if temperature == 1 else logits.div_(temperature)
