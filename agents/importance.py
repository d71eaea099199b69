"""Correction for a sampler that is not quite the trainer (another precision, another engine)."""

from __future__ import annotations

from torch import Tensor

from agents.losses import log_ratio

__all__ = ["CORRECTIONS", "sampler_weights"]

CORRECTIONS = ("none", "truncate", "mask")


def sampler_weights(
    trainer: Tensor, sampler: Tensor, mask: Tensor, *, how: str, cap: float
) -> Tensor:
    r"""Importance weights from the sampler to the trainer, bounded.

    .. math::
        w_{i,t} = \frac{\pi_{\text{trainer}}(y_{i,t})}{\pi_{\text{sampler}}(y_{i,t})}, \qquad
        \text{truncate: } \min(w, C), \qquad \text{mask: } w\,[w \le C]

    Both are of the same weights, before the update; the loss's own ratio then starts at 1. An
    unbounded weight would be unbiased but of unbounded variance. Sources: truncation, Ionides,
    *Truncated importance sampling*, 2008, and Yao et al., *Your efficient RL framework secretly
    brings you off-policy RL training*, 2025; masking: Team Ling, arXiv 2510.18855 (icepop).

    Args:
        trainer: Log-probabilities as the trainer computes them, shape [B, T].
        sampler: Log-probabilities as they were sampled, shape [B, T].
        mask: True at tokens that the policy sampled, shape [B, T], boolean.
        how: One of ``CORRECTIONS``.
        cap: C, at least 1.

    Returns:
        Weights [B, T] in [0, C], without gradient; 1 outside the mask.

    Raises:
        ValueError: Shapes differ, ``how`` is unknown, or the cap is below 1.

    >>> import math, torch
    >>> args = torch.tensor([[math.log(6.0)]]), torch.zeros(1, 1), torch.tensor([[True]])
    >>> [sampler_weights(*args, how=how, cap=2.0).item() for how in ("truncate", "mask")]
    [2.0, 0.0]
    """
    weights = log_ratio(trainer, sampler, mask).detach().exp()
    if cap < 1:
        raise ValueError(f"cap must be at least 1, not {cap}")
    if how == "none":
        return weights.new_ones(weights.shape)
    if how == "truncate":
        return weights.clamp(max=cap)
    if how == "mask":
        return weights.where(weights <= cap, 0.0)
    raise ValueError(f"how must be one of {CORRECTIONS}, not {how!r}")
