"""Losses as pure functions of token log-probabilities, with the equation and its source."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["PolicyLoss", "clipped_policy_loss", "length_mask", "negative_log_likelihood"]


@dataclass(frozen=True, slots=True)
class PolicyLoss:
    """A policy loss and what to watch beside it.

    Attributes:
        loss: Scalar to minimise, with gradient.
        clip_fraction: Share of tokens whose ratio was clipped where that matters, in [0, 1].
        approx_kl: Estimate of KL(old || new) per token, at least 0, in nats.
    """

    loss: Tensor
    clip_fraction: Tensor
    approx_kl: Tensor


def length_mask(lengths: Tensor, width: int) -> Tensor:
    """Return a boolean mask [B, width] that is true at the first ``lengths[b]`` positions.

    Masks come from lengths, never from token ids: where padding and end share an id (as in
    SmolLM2), a mask by id would drop the end token from the loss.

    >>> length_mask(torch.tensor([1, 3]), 3).tolist()
    [[True, False, False], [True, True, True]]
    """
    if lengths.ndim != 1:
        raise ValueError(f"lengths must have shape [B], not {tuple(lengths.shape)}")
    return torch.arange(width, device=lengths.device) < lengths[:, None]


def negative_log_likelihood(logprobs: Tensor, mask: Tensor) -> Tensor:
    r"""Mean token negative log-likelihood.

    .. math:: L = -\frac{1}{\sum_t m_t} \sum_t m_t \log \pi(y_t)

    Args:
        logprobs: Log-probabilities of the answer's tokens, shape [B, T].
        mask: True at real tokens, shape [B, T].

    Returns:
        Scalar, in nats per token, at least 0.
    """
    _same_shape(logprobs, mask)
    return -logprobs[mask].mean()


def clipped_policy_loss(
    new: Tensor,
    old: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    clip_low: float = 0.2,
    clip_high: float = 0.2,
    denominator: float,
) -> PolicyLoss:
    r"""Clipped surrogate, summed over tokens and divided by a constant.

    .. math::
        L = -\frac{1}{Z} \sum_{i,t} m_{i,t}
            \min(\rho_{i,t} A_i,\ \mathrm{clip}(\rho_{i,t}, 1-\epsilon_l, 1+\epsilon_h) A_i),
        \qquad \rho_{i,t} = \frac{\pi_\theta(y_{i,t})}{\pi_{\text{old}}(y_{i,t})}

    Sources: PPO, arXiv 1707.06347, eq. 7; token-level sum over a group: DAPO, arXiv 2503.14476,
    eq. 8 (Z = number of tokens in the batch); constant Z: Dr. GRPO, arXiv 2503.20783. No KL term.

    Args:
        new: Log-probabilities under the policy being trained, shape [B, T], with gradient.
        old: Log-probabilities when sampled, shape [B, T].
        advantages: One per answer, shape [B].
        mask: True at real tokens, shape [B, T].
        clip_low: How far below 1 the ratio may count, in [0, 1).
        clip_high: How far above 1.
        denominator: Z, positive; the same for all parts of an accumulated batch.

    Returns:
        The loss and two diagnostics (without gradient, means over this call's tokens).
    """
    _same_shape(new, mask)
    _same_shape(old, mask)
    if advantages.shape != new.shape[:1]:
        raise ValueError(f"advantages {tuple(advantages.shape)} for {new.shape[0]} answers")
    if denominator <= 0:
        raise ValueError(f"denominator must be positive, not {denominator}")
    gap = torch.where(mask, new - old, 0.0)  # [B, T]
    ratio = gap.exp()
    weights = advantages[:, None]
    plain, clipped = ratio * weights, ratio.clamp(1 - clip_low, 1 + clip_high) * weights
    loss = -(torch.minimum(plain, clipped) * mask).sum() / denominator
    with torch.no_grad():
        clip_fraction = (clipped < plain)[mask].float().mean()
        approx_kl = (ratio - 1 - gap)[mask].mean()  # Schulman's k3 estimator
    return PolicyLoss(loss, clip_fraction, approx_kl)


def _same_shape(values: Tensor, mask: Tensor) -> None:
    if values.ndim != 2 or values.shape != mask.shape:
        raise ValueError(f"expected [B, T], got {tuple(values.shape)}, mask {tuple(mask.shape)}")
    if mask.dtype != torch.bool:
        raise ValueError(f"mask must be boolean, not {mask.dtype}")
