"""Losses as pure functions of token log-probabilities, with the equation and its source.

A policy loss is put together from a *surrogate* (what each token costs), optional terms per token
(``agents.kl``, ``entropy_estimate``) and an *aggregation* (how tokens are averaged).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = [
    "AGGREGATIONS",
    "SURROGATES",
    "Surrogate",
    "aggregate",
    "cispo",
    "clipped",
    "entropy_estimate",
    "gspo",
    "length_mask",
    "log_ratio",
    "negative_log_likelihood",
    "same_shape",
]

AGGREGATIONS = ("token", "sequence", "constant")


@dataclass(frozen=True, slots=True)
class Surrogate:
    """What each token costs.

    Attributes:
        losses: To minimise, shape [B, T], 0 outside the mask, with gradient.
        clipped: Where a clipped ratio stops or caps the gradient, boolean [B, T].
    """

    losses: Tensor
    clipped: Tensor


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
    same_shape(mask, logprobs)
    return -logprobs[mask].mean()


def clipped(
    new: Tensor,
    old: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    clip_low: float = 0.2,
    clip_high: float = 0.2,
) -> Surrogate:
    r"""Clipped surrogate of PPO and GRPO, token by token.

    .. math::
        \ell_{i,t} = -\min(\rho_{i,t} A_{i,t},\
            \mathrm{clip}(\rho_{i,t}, 1-\epsilon_l, 1+\epsilon_h) A_{i,t}),
        \qquad \rho_{i,t} = \frac{\pi_\theta(y_{i,t})}{\pi_{\text{old}}(y_{i,t})}

    Sources: PPO, arXiv 1707.06347, eq. 7; GRPO, arXiv 2402.03300, eq. 3; a higher upper bound:
    DAPO, arXiv 2503.14476, eq. 10.

    Args:
        new: Log-probabilities under the policy being trained, shape [B, T], with gradient.
        old: Log-probabilities when sampled, shape [B, T].
        advantages: Shape [B, T].
        mask: True at tokens that the policy sampled, shape [B, T], boolean. Nothing outside it
            has any influence.
        clip_low: How far below 1 the ratio may count, in [0, 1).
        clip_high: How far above 1.
    """
    gap = log_ratio(new, old, mask)
    same_shape(mask, advantages)
    return _clip(gap.exp(), advantages, mask, clip_low, clip_high)


def gspo(
    new: Tensor,
    old: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    clip_low: float = 3e-4,
    clip_high: float = 4e-4,
) -> Surrogate:
    r"""Clipped surrogate with one ratio a sequence: the geometric mean of the tokens' ratios.

    .. math::
        s_i = \exp\Big(\frac{1}{|y_i|} \sum_t \log \rho_{i,t}\Big), \qquad
        s_{i,t} = \mathrm{sg}[s_i] \frac{\pi_\theta(y_{i,t})}{\mathrm{sg}[\pi_\theta(y_{i,t})]},
        \qquad
        \ell_{i,t} = -\min(s_{i,t} A_{i,t},\ \mathrm{clip}(s_{i,t}, 1-\epsilon_l, 1+\epsilon_h)
            A_{i,t})

    Where a sequence has one advantage, value and gradient are those of the plain sequence ratio;
    written per token it also takes an advantage per token. Source: GSPO, arXiv 2507.18071,
    section 4.1 (sequence ratio) and section 4.3 (GSPO-token); average over sequences.

    Args:
        new: Log-probabilities under the policy being trained, shape [B, T], with gradient.
        old: Log-probabilities when sampled, shape [B, T].
        advantages: Shape [B, T].
        mask: True at tokens that the policy sampled, shape [B, T], boolean.
        clip_low: How far below 1 the ratio may count. Sequence ratios are close to 1: the paper
            has 3e-4.
        clip_high: How far above 1; the paper has 4e-4.
    """
    gap = log_ratio(new, old, mask)
    same_shape(mask, advantages)
    mean = gap.sum(1, keepdim=True) / mask.sum(1, keepdim=True).clamp(min=1)  # [B, 1]
    ratio = mean.detach().exp() * (gap - gap.detach()).exp()  # [B, T]
    return _clip(ratio, advantages, mask, clip_low, clip_high)


def cispo(
    new: Tensor,
    old: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    clip_low: float = 1.0,
    clip_high: float = 4.0,
) -> Surrogate:
    r"""Policy gradient weighted with a clipped ratio that itself has no gradient.

    .. math::
        \ell_{i,t} = -\mathrm{sg}[\mathrm{clip}(\rho_{i,t}, 1-\epsilon_l, 1+\epsilon_h)]
            \ A_{i,t} \log \pi_\theta(y_{i,t})

    No token loses its gradient by clipping, only its excess weight. Source: CISPO, MiniMax-M1,
    arXiv 2506.13585, section 3.1, eq. 4 and 5.

    Args:
        new: Log-probabilities under the policy being trained, shape [B, T], with gradient.
        old: Log-probabilities when sampled, shape [B, T].
        advantages: Shape [B, T].
        mask: True at tokens that the policy sampled, shape [B, T], boolean.
        clip_low: How far below 1 the weight may go; 1 sets no lower bound, as in the paper.
        clip_high: How far above 1 the weight may go.
    """
    ratio = log_ratio(new, old, mask).detach().exp()
    same_shape(mask, advantages)
    weight = ratio.clamp(1 - clip_low, 1 + clip_high)
    losses = -weight * torch.where(mask, advantages * torch.where(mask, new, 0.0), 0.0)
    return Surrogate(losses, (weight != ratio) & mask)


SURROGATES: dict[str, Callable[..., Surrogate]] = {"clipped": clipped, "gspo": gspo, "cispo": cispo}
"""The choices of ``agents.grpo``'s ``--loss``."""


def entropy_estimate(new: Tensor, old: Tensor, mask: Tensor) -> Tensor:
    r"""Entropy of the policy at each token, estimated from the sampled token alone.

    .. math::
        \hat H_{i,t} = -\rho_{i,t} \log \pi_\theta(y_{i,t}), \qquad
        \nabla \hat H_{i,t} = -\rho_{i,t} \log \pi_\theta(y_{i,t})\,
            \nabla \log \pi_\theta(y_{i,t})

    Both are right in expectation over :math:`y \sim \pi_{\text{old}}`. Plain autograd of
    :math:`-\log \pi` would not do: its gradient has expectation 0. Since it needs no logits, it
    costs nothing; it is noisier than the entropy of the full distribution.

    Args:
        new: Log-probabilities under the policy being trained, shape [B, T], with gradient.
        old: Log-probabilities when sampled, shape [B, T].
        mask: True at tokens that the policy sampled, shape [B, T], boolean.

    Returns:
        Estimates [B, T] in nats, 0 outside the mask.
    """
    ratio = log_ratio(new, old, mask).detach().exp()
    kept = torch.where(mask, new, 0.0)
    fixed = kept.detach()
    return -ratio * (fixed + fixed * (kept - fixed))


def aggregate(values: Tensor, mask: Tensor, how: str, denominator: float) -> Tensor:
    r"""Average tokens into one number; parts of a batch, with one denominator, add up to it.

    .. math::
        \text{token, constant: } \frac{1}{Z} \sum_{i,t} m_{i,t} x_{i,t} \qquad
        \text{sequence: } \frac{1}{Z} \sum_i \frac{\sum_t m_{i,t} x_{i,t}}{\sum_t m_{i,t}}

    Sources: sequence, GRPO, arXiv 2402.03300, eq. 3 (Z: sequences); token, DAPO, arXiv 2503.14476,
    eq. 12 (Z: tokens); constant, Dr. GRPO, arXiv 2503.20783, section 3.2 (Z: sequences times the
    token limit). ``sequence`` gives each token of a long answer less weight, ``token`` weighs
    long answers more, ``constant`` does neither.

    Args:
        values: Shape [B, T].
        mask: True at tokens that count, shape [B, T], boolean. Rows may be empty.
        how: One of ``AGGREGATIONS``.
        denominator: Z of the whole batch, positive.

    Raises:
        ValueError: Shapes differ, ``how`` is unknown, or the denominator is not positive.

    >>> x, all_true = torch.tensor([[1.0, 3.0]]), torch.tensor([[True, True]])
    >>> aggregate(x, all_true, "sequence", 1.0).item(), aggregate(x, all_true, "token", 2.0).item()
    (2.0, 2.0)
    """
    same_shape(mask, values)
    if how not in AGGREGATIONS:
        raise ValueError(f"aggregation must be one of {AGGREGATIONS}, not {how!r}")
    if denominator <= 0:
        raise ValueError(f"denominator must be positive, not {denominator}")
    kept = torch.where(mask, values, 0.0)
    if how == "sequence":
        return (kept.sum(1) / mask.sum(1).clamp(min=1)).sum() / denominator
    return kept.sum() / denominator


def log_ratio(new: Tensor, old: Tensor, mask: Tensor) -> Tensor:
    """Return ``new - old``, 0 outside the mask whatever stands there, shape [B, T]."""
    same_shape(mask, new, old)
    return torch.where(mask, new, 0.0) - torch.where(mask, old, 0.0)


def same_shape(mask: Tensor, *values: Tensor) -> None:
    """Raise ``ValueError`` unless everything is [B, T] and the mask boolean."""
    if mask.dtype != torch.bool:
        raise ValueError(f"mask must be boolean, not {mask.dtype}")
    for each in values:
        if mask.ndim != 2 or each.shape != mask.shape:
            shapes = f"{tuple(each.shape)}, mask {tuple(mask.shape)}"
            raise ValueError(f"expected [B, T], got {shapes}")


def _clip(
    ratio: Tensor, advantages: Tensor, mask: Tensor, clip_low: float, clip_high: float
) -> Surrogate:
    advantages = torch.where(mask, advantages, 0.0)
    plain, bounded = ratio * advantages, ratio.clamp(1 - clip_low, 1 + clip_high) * advantages
    return Surrogate(-torch.minimum(plain, bounded), bounded < plain)
