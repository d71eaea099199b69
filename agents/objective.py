"""What a policy update minimises: the settings, what they exclude, and the loss they add up to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from agents.advantages import ADVANTAGES
from agents.importance import CORRECTIONS, sampler_weights
from agents.kl import KL_ESTIMATORS, kl_estimate
from agents.losses import AGGREGATIONS, SURROGATES, aggregate, entropy_estimate, log_ratio
from agents.session import RunConfig
from toolrl_env.core.errors import ConfigurationError, UnknownName

__all__ = ["ObjectiveConfig", "PolicyLoss", "TokenBatch", "policy_loss"]

_KL_PLACES = ("loss", "reward")
_ALONE = ("reinforce++", "rebn")  # advantages that compare with the batch, not with the group


@dataclass(frozen=True)
class ObjectiveConfig(RunConfig):
    """Settings of a policy update; docs/training.md says when to use which.

    Attributes:
        advantage: How rewards become advantages: "grpo", "dr_grpo", "rloo", "gdpo",
            "reinforce++", "reinforce++baseline" or "rebn".
        component_weights: For "gdpo": weights of the reward's parts as a JSON object; 1 each.
        loss: "clipped" (PPO, GRPO, DAPO), "gspo" (one ratio a sequence) or "cispo".
        aggregation: Mean over "token" (of the batch, DAPO), "sequence" (GRPO), or sum over a
            "constant" (answers times max_new_tokens, Dr. GRPO).
        clip_low: How far below 1 the ratio may count; None takes the loss's own default.
        clip_high: How far above 1 the ratio may count; None takes the loss's own default.
        kl: Distance to the model that the run began with: "none", "k1", "k2" or "k3".
        kl_in: Where it counts: "loss" (k2, k3; k1 with kl_correction) or "reward" (k1, k3).
        kl_weight: Its weight.
        kl_correction: Whether k1 or k3 in the loss is weighted with the ratio: then its gradient is
            that of KL(policy || reference), off-policy too.
        entropy_weight: Weight of an entropy bonus.
        importance: Correction for a sampler unlike the trainer: "none", "truncate" or "mask".
        importance_cap: Weight above which it is truncated or masked.
        overlong_buffer: Last tokens before max_new_tokens over which a penalty rises from 0 to 1;
            0 has no penalty.
    """

    advantage: str = "grpo"
    component_weights: str = "{}"
    loss: str = "clipped"
    aggregation: str = "token"
    clip_low: float | None = None
    clip_high: float | None = None
    kl: str = "none"
    kl_in: str = "loss"
    kl_weight: float = 0.0
    kl_correction: bool = False
    entropy_weight: float = 0.0
    importance: str = "none"
    importance_cap: float = 2.0
    overlong_buffer: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work or make no sense together."""
        super().__post_init__()
        for kind, value, allowed in (
            ("advantage", self.advantage, ADVANTAGES),
            ("loss", self.loss, SURROGATES),
            ("aggregation", self.aggregation, AGGREGATIONS),
            ("kl", self.kl, ("none", *KL_ESTIMATORS)),
            ("kl_in", self.kl_in, _KL_PLACES),
            ("importance", self.importance, CORRECTIONS),
        ):
            if value not in allowed:
                raise UnknownName(kind, value, allowed)
        for name, bound in (("clip_low", self.clip_low), ("clip_high", self.clip_high)):
            if bound is not None:
                self.require_positive(**{name: bound})
        if self.entropy_weight < 0 or self.kl_weight < 0 or self.overlong_buffer < 0:
            raise ConfigurationError("entropy_weight, kl_weight and overlong_buffer are at least 0")
        if self.importance_cap < 1:
            raise ConfigurationError(f"importance_cap={self.importance_cap!r}; it is at least 1")
        self._refuse_combinations()
        if self.weights and self.advantage != "gdpo":
            raise ConfigurationError("component_weights need advantage='gdpo'")

    def _refuse_combinations(self) -> None:
        if self.loss == "gspo" and self.aggregation != "sequence":
            raise ConfigurationError(
                f"loss='gspo' with aggregation={self.aggregation!r}: its objective is a mean over "
                "sequences; set aggregation='sequence'"
            )
        if (self.kl == "none") != (self.kl_weight == 0):
            raise ConfigurationError(
                f"kl={self.kl!r} with kl_weight={self.kl_weight!r}: set both or neither"
            )
        if self.kl_correction and (self.kl not in ("k1", "k3") or self.kl_in == "reward"):
            raise ConfigurationError(
                f"kl_correction with kl={self.kl!r} and kl_in={self.kl_in!r}: it weights k1 or k3 "
                "in the loss"
            )
        if self.kl == "k1" and self.kl_in == "loss" and not self.kl_correction:
            raise ConfigurationError(
                "kl='k1' in the loss has a gradient of mean 0; use k2 or k3, kl_correction, or "
                "kl_in='reward'"
            )
        if self.kl == "k2" and self.kl_in == "reward":
            raise ConfigurationError(
                "kl='k2' is a biased value, so no part of a reward; use k1 or k3, or kl_in='loss'"
            )
        if self.advantage == "gdpo" and self.kl != "none" and self.kl_in == "reward":
            raise ConfigurationError(
                "advantage='gdpo' normalises every part of the reward, so kl_weight would have no "
                "effect there; use kl_in='loss'"
            )

    @property
    def weights(self) -> dict[str, float]:
        """``component_weights``, parsed.

        Raises:
            ConfigurationError: Not a JSON object of numbers.
        """
        try:
            weights = json.loads(self.component_weights)
            return {str(name): float(weight) for name, weight in weights.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigurationError(
                f"component_weights={self.component_weights!r}; it must be a JSON object of numbers"
            ) from error

    @property
    def needs_groups(self) -> bool:
        """Whether an answer is compared with others to the same prompt."""
        return self.advantage not in _ALONE

    @property
    def kl_in_reward(self) -> bool:
        """Whether the distance to the reference is subtracted from the reward."""
        return self.kl != "none" and self.kl_in == "reward"

    @property
    def regularised(self) -> bool:
        """Whether answers without an advantage have a gradient too (KL or entropy in the loss)."""
        return self.entropy_weight > 0 or (self.kl != "none" and self.kl_in == "loss")


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Tokens to train on.

    Attributes:
        new: Log-probabilities under the policy, shape [B, T], with gradient.
        old: Log-probabilities before the update, shape [B, T].
        sampler: Log-probabilities as they were sampled, shape [B, T]; ``old`` where the sampler
            is trusted.
        advantages: Shape [B, T].
        mask: True at tokens that the policy sampled, shape [B, T], boolean.
        reference: Log-probabilities under the frozen reference, shape [B, T], or ``None``.
    """

    new: Tensor
    old: Tensor
    sampler: Tensor
    advantages: Tensor
    mask: Tensor
    reference: Tensor | None = None


@dataclass(frozen=True, slots=True)
class PolicyLoss:
    """A policy loss and what to watch beside it.

    Attributes:
        loss: Scalar to minimise, with gradient.
        watched: Means over the tokens: ``clip_fraction`` (share whose ratio was clipped where that
            matters), ``approx_kl`` (of the old policy to the new one, at least 0, in nats),
            ``entropy`` (in nats) and ``kl`` (to the reference, in nats; 0 without one).
    """

    loss: Tensor
    watched: Mapping[str, float]


def policy_loss(config: ObjectiveConfig, batch: TokenBatch, denominator: float) -> PolicyLoss:
    r"""Add up the loss of a batch, or of a part of it.

    .. math:: L = \operatorname{agg}(w\,\ell + \beta\,\widehat{KL} - \alpha\,\hat H)

    Args:
        config: Which surrogate, aggregation and terms.
        batch: The tokens.
        denominator: Of the aggregation, over the whole batch (see ``agents.losses.aggregate``).
    """
    given = {"clip_low": config.clip_low, "clip_high": config.clip_high}
    bounds = {name: value for name, value in given.items() if value is not None}
    new, old, mask = batch.new, batch.old, batch.mask
    surrogate = SURROGATES[config.loss](new, old, batch.advantages, mask, **bounds)
    weights = sampler_weights(
        old, batch.sampler, mask, how=config.importance, cap=config.importance_cap
    )
    losses = surrogate.losses * weights  # [B, T]
    if config.kl != "none" and config.kl_in == "loss" and batch.reference is not None:
        distance = kl_estimate(new, batch.reference, mask, config.kl)
        if config.kl_correction:
            distance = distance * log_ratio(new, old, mask).exp()
        losses = losses + config.kl_weight * distance
    entropy = entropy_estimate(new, old, mask)
    if config.entropy_weight:
        losses = losses - config.entropy_weight * entropy
    fixed = new.detach()
    if batch.reference is None:
        away = 0.0
    else:
        away = _mean(kl_estimate(fixed, batch.reference, mask, "k3"), mask)
    watched = {
        "clip_fraction": _mean(surrogate.clipped.float(), mask),
        "approx_kl": _mean(kl_estimate(old, fixed, mask, "k3"), mask),
        "entropy": _mean(entropy.detach(), mask),
        "kl": away,
    }
    return PolicyLoss(aggregate(losses, mask, config.aggregation, denominator), watched)


def _mean(values: Tensor, mask: Tensor) -> float:
    return float(values.sum() / mask.sum().clamp(min=1))
