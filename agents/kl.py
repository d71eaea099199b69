r"""Distance to a frozen reference, estimated from the sampled tokens.

With :math:`\Delta = \log \pi_{\text{ref}}(y) - \log \pi_\theta(y)`, :math:`y \sim \pi_\theta`:

======  ==================================  =================================================
name    estimate                            its gradient, in expectation, if it is a loss term
======  ==================================  =================================================
``k1``  :math:`-\Delta`                     0: it pulls nowhere (so it is refused there)
``k2``  :math:`\Delta^2 / 2`                that of KL(policy || reference), the usual one
``k3``  :math:`e^\Delta - 1 - \Delta`       that of KL(reference || policy), the other one
======  ==================================  =================================================

``k1`` and ``k3`` have the right expected *value*, so they may be subtracted from the reward; ``k2``
has not, by an amount that is small near the reference. Sources: J. Schulman, *Approximating KL
divergence*, 2020; k3 in the loss: GRPO, arXiv 2402.03300, eq. 4; the gradients: Tang and Munos,
arXiv 2506.09477. The table assumes that the tokens come from the policy itself (ratio 1). Weighted
with the ratio :math:`\pi_\theta / \pi_{\text{old}}`, gradient included, each of k1 and k3 has the
gradient of KL(policy || reference), off-policy too (DeepSeek-V3.2, arXiv 2512.02556): that is
``kl_correction`` of ``agents.objective``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.losses import log_ratio

__all__ = ["KL_ESTIMATORS", "kl_estimate"]

KL_ESTIMATORS = ("k1", "k2", "k3")


def kl_estimate(new: Tensor, reference: Tensor, mask: Tensor, kind: str) -> Tensor:
    """Estimate KL(policy || reference) at each token.

    Args:
        new: Log-probabilities under the policy, shape [B, T].
        reference: Log-probabilities of the same tokens under the reference, shape [B, T].
        mask: True at tokens that the policy sampled, shape [B, T], boolean.
        kind: One of ``KL_ESTIMATORS``.

    Returns:
        Estimates [B, T] in nats, 0 outside the mask; at least 0 for k2 and k3.

    Raises:
        ValueError: Shapes differ or ``kind`` is unknown.

    >>> new, ref = torch.tensor([[0.0]]), torch.tensor([[-2.0]])
    >>> here = torch.tensor([[True]])
    >>> [round(kl_estimate(new, ref, here, kind).item(), 3) for kind in KL_ESTIMATORS]
    [2.0, 2.0, 1.135]
    """
    delta = log_ratio(reference, new, mask)
    if kind == "k1":
        return -delta
    if kind == "k2":
        return delta.square() / 2
    if kind == "k3":
        return torch.expm1(delta) - delta
    raise ValueError(f"kind must be one of {KL_ESTIMATORS}, not {kind!r}")
