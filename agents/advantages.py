"""Advantages of grouped answers: pure functions of rewards.

Some choices look at one group at a time, the others whiten over the whole batch;
``batch_advantages`` is the one door to all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from toolrl_env.core.errors import UnknownName

__all__ = [
    "ADVANTAGES",
    "GROUP_ADVANTAGES",
    "batch_advantages",
    "dr_grpo",
    "gdpo",
    "grpo",
    "is_informative",
    "rebn",
    "reinforce_pp",
    "reinforce_pp_baseline",
    "rloo",
    "whiten",
]

Array = NDArray[np.float64]
_EPSILON = 1e-4  # as in the reference code of GRPO and of GDPO
_FLAT = 1e-9  # a spread below this is rounding


def grpo(rewards: Array, epsilon: float = _EPSILON) -> Array:
    r"""Group-normalised advantage.

    .. math:: A_i = \frac{r_i - \operatorname{mean}(r)}{\operatorname{std}(r) + \epsilon}

    with the population standard deviation. Source: DeepSeekMath, arXiv 2402.03300, section 4.1.2
    (outcome supervision).

    Args:
        rewards: Rewards of one prompt's answers, shape [G], finite.
        epsilon: Added to the standard deviation.

    Returns:
        Advantages [G], mean 0. All 0 if the rewards are equal.

    Raises:
        ValueError: Not one-dimensional, empty, or not finite.

    >>> grpo(np.array([1.0, 3.0]), epsilon=0.0).tolist()
    [-1.0, 1.0]
    """
    return whiten([rewards], epsilon)[0]


def dr_grpo(rewards: Array) -> Array:
    r"""Group-centred advantage, not divided by the spread.

    .. math:: A_i = r_i - \operatorname{mean}(r)

    Dividing by the standard deviation weighs prompts by how even their answers are. Source:
    Dr. GRPO, arXiv 2503.20783, section 3.2.

    Args:
        rewards: Rewards of one prompt's answers, shape [G], finite.

    Returns:
        Advantages [G], mean 0.

    Raises:
        ValueError: Not one-dimensional, empty, or not finite.

    >>> dr_grpo(np.array([1.0, 3.0])).tolist()
    [-1.0, 1.0]
    """
    rewards = _checked(rewards)
    return rewards - rewards.mean()


def rloo(rewards: Array) -> Array:
    r"""Leave-one-out advantage: against the mean of the *other* answers.

    .. math:: A_i = r_i - \frac{1}{G-1} \sum_{j \ne i} r_j
                  = \frac{G}{G-1} \left(r_i - \operatorname{mean}(r)\right)

    The baseline does not depend on the answer itself, so the gradient has no bias. Source: RLOO,
    arXiv 2402.14740, the leave-one-out estimator.

    Args:
        rewards: Rewards of one prompt's answers, shape [G], finite.

    Returns:
        Advantages [G], mean 0; a single answer has nothing to be compared with: 0.

    Raises:
        ValueError: Not one-dimensional, empty, or not finite.

    >>> rloo(np.array([1.0, 3.0, 5.0])).tolist()
    [-3.0, 0.0, 3.0]
    """
    centred = dr_grpo(rewards)
    return centred * (centred.size / max(1, centred.size - 1))


def whiten(values: Sequence[Array], epsilon: float = _EPSILON) -> list[Array]:
    r"""Shift and scale to mean 0 and standard deviation 1 over everything.

    .. math:: x' = \frac{x - \operatorname{mean}(x)}{\operatorname{std}(x) + \epsilon}

    Args:
        values: Arrays of shape [N_i], one a group or an episode, finite, each N_i at least 1.
        epsilon: Added to the (population) standard deviation.

    Returns:
        Arrays of the same shapes; all 0 if every value is the same.

    Raises:
        ValueError: An array is not one-dimensional, empty, or not finite.

    >>> [part.tolist() for part in whiten([np.array([1.0]), np.array([3.0])], epsilon=0.0)]
    [[-1.0], [1.0]]
    """
    values = [_checked(part) for part in values]
    if not values:
        return []
    everything = np.concatenate(values)
    if np.ptp(everything) <= _FLAT:
        return [np.zeros_like(part) for part in values]
    mean, scale = everything.mean(), everything.std() + epsilon
    return [(part - mean) / scale for part in values]


def gdpo(
    components: Sequence[Array], weights: Array | None = None, epsilon: float = _EPSILON
) -> list[Array]:
    r"""Normalise each part of the reward within its group, add up, whiten over the batch.

    .. math::
        A^{(k)}_{g,i} = \frac{r^{(k)}_{g,i} - \operatorname{mean}(r^{(k)}_g)}
                             {\operatorname{std}(r^{(k)}_g) + \epsilon}, \qquad
        A_{g,i} = \operatorname{whiten}\Big(\sum_k w_k A^{(k)}_{g,i}\Big)

    Normalising the sum instead gives different pairs of (format, correctness) the same advantage.
    Source: GDPO, arXiv 2601.05242, the method.

    Args:
        components: One array [G, K] a group: G answers, K parts of the reward, finite.
        weights: Of the parts, shape [K]; ``None`` weighs all 1.
        epsilon: Added to each standard deviation.

    Returns:
        Advantages [G] a group.

    Raises:
        ValueError: Shapes differ, K is 0, or a value is not finite.

    >>> flat = gdpo([np.array([[0.0, -3.0], [1.0, -3.0], [1.0, 3.0]])], epsilon=0.0)[0]
    >>> flat.round(2).tolist()
    [-1.22, 0.0, 1.22]
    """
    arrays = [np.asarray(part, dtype=np.float64) for part in components]
    for part in arrays:
        if part.ndim != 2 or part.shape[1] == 0 or part.shape[1] != arrays[0].shape[1]:
            raise ValueError(f"components must have one shape [G, K], K >= 1, not {part.shape}")
    scale = np.ones(arrays[0].shape[1]) if weights is None and arrays else np.asarray(weights)
    if arrays and scale.shape != arrays[0].shape[1:]:
        raise ValueError(f"{scale.size} weights for {arrays[0].shape[1]} parts")
    sums = [
        sum(w * grpo(column, epsilon) for w, column in zip(scale, part.T, strict=True))
        for part in arrays
    ]
    return whiten(sums, epsilon)


def reinforce_pp(rewards: Sequence[Array], epsilon: float = _EPSILON) -> list[Array]:
    """Rewards whitened over the batch; the group plays no part (it may have one answer).

    Source: REINFORCE++, arXiv 2501.03262, global advantage normalisation.

    Args:
        rewards: Rewards [G] a group.
        epsilon: Added to the standard deviation.

    >>> [part.tolist() for part in reinforce_pp([np.array([0.0, 2.0])], epsilon=0.0)]
    [[-1.0, 1.0]]
    """
    return whiten(rewards, epsilon)


def reinforce_pp_baseline(rewards: Sequence[Array], epsilon: float = _EPSILON) -> list[Array]:
    """Rewards less their group's mean, whitened over the batch.

    Source: arXiv 2501.03262, REINFORCE++ with baseline.

    Args:
        rewards: Rewards [G] a group.
        epsilon: Added to the standard deviation.

    >>> got = reinforce_pp_baseline([np.array([0.0, 2.0]), np.array([5.0, 5.0])], epsilon=0.0)
    >>> [part.round(2).tolist() for part in got]
    [[-1.41, 1.41], [0.0, 0.0]]
    """
    return whiten([dr_grpo(part) for part in rewards], epsilon)


def rebn(returns: Sequence[Array], epsilon: float = _EPSILON) -> list[Array]:
    """Return batch normalisation: discounted returns of turns, whitened over the batch.

    Source: GEM, arXiv 2510.01051, ReBN. It needs no groups, so every turn may have a return of its
    own.

    Args:
        returns: One array [turns] an episode (or one [G] a group of one-turn episodes).
        epsilon: Added to the standard deviation.

    >>> [part.tolist() for part in rebn([np.array([1.0, 3.0])], epsilon=0.0)]
    [[-1.0, 1.0]]
    """
    return whiten(returns, epsilon)


def is_informative(rewards: Array) -> bool:
    """Return whether a group has any spread: without it every group advantage is 0.

    Args:
        rewards: Rewards of one prompt's answers, shape [G]; G may be 0.

    >>> is_informative(np.array([2.0, 2.0]))
    False
    """
    rewards = np.asarray(rewards, dtype=np.float64)
    return rewards.size > 1 and bool(np.ptp(rewards) > _FLAT)


GROUP_ADVANTAGES: dict[str, Callable[[Array], Array]] = {
    "grpo": grpo,
    "dr_grpo": dr_grpo,
    "rloo": rloo,
}
"""Those of them that compare within the group, by name: from rewards [G] to advantages [G]."""
_BY_BATCH: dict[str, Callable[[Sequence[Array]], list[Array]]] = {
    "reinforce++": reinforce_pp,
    "reinforce++baseline": reinforce_pp_baseline,
    "rebn": rebn,
}
ADVANTAGES = (*GROUP_ADVANTAGES, "gdpo", *_BY_BATCH)
"""The choices of ``agents.grpo``'s ``--advantage``."""


def batch_advantages(
    name: str,
    rewards: Sequence[Array],
    components: Sequence[Array] = (),
    weights: Array | None = None,
) -> list[Array]:
    """Advantages of a batch of groups.

    Args:
        name: One of ``ADVANTAGES``.
        rewards: Rewards [G] a group.
        components: Parts of the rewards [G, K] a group; only ``"gdpo"`` looks at them.
        weights: Of the parts, for ``"gdpo"``.

    Returns:
        Advantages [G] a group.

    Raises:
        UnknownName: There is no such choice.

    >>> batch_advantages("dr_grpo", [np.array([0.0, 2.0])])[0].tolist()
    [-1.0, 1.0]
    """
    if name in GROUP_ADVANTAGES:
        return [GROUP_ADVANTAGES[name](part) for part in rewards]
    if name in _BY_BATCH:
        return _BY_BATCH[name](rewards)
    if name == "gdpo":
        return gdpo(components, weights)
    raise UnknownName("advantage", name, ADVANTAGES)


def _checked(values: Array) -> Array:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"rewards must have shape [G] with G >= 1, not {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"rewards must be finite, got {values.tolist()}")
    return values
