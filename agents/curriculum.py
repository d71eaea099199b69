"""A curriculum that follows the measured success: play the level that teaches most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curriculum", "mixed_probability"]


def mixed_probability(success: float, group_size: int) -> float:
    r"""Probability that a group of answers has both right and wrong ones.

    .. math:: 1 - p^G - (1-p)^G

    Only such a group tells right from wrong; it is likeliest at p = 1/2.

    Args:
        success: p, the rate at which single answers are right, in [0, 1].
        group_size: G, at least 1.

    >>> mixed_probability(0.5, 2), mixed_probability(1.0, 8)
    (0.5, 0.0)
    """
    if not 0 <= success <= 1 or group_size < 1:
        raise ValueError(f"success={success!r} must be in [0, 1], group_size={group_size!r} >= 1")
    return 1 - success**group_size - (1 - success) ** group_size


class Curriculum:
    """Draws levels in proportion to how likely their groups are mixed.

    The success of a level is an average over its past answers in which older ones fade, beginning
    from one imagined success and one failure, so that an untried level looks promising.

    Args:
        levels: Number of levels, at least 1.
        group_size: Answers per prompt.
        fading: Weight that earlier answers keep when a batch of the level comes in, in [0, 1).
        floor: Share of draws that are spread evenly, in (0, 1], so that every level is measured
            again.

    Attributes:
        group_size: Answers per prompt.
    """

    def __init__(
        self, levels: int, group_size: int, *, fading: float = 0.7, floor: float = 0.1
    ) -> None:
        if levels < 1 or not 0 <= fading < 1 or not 0 < floor <= 1:
            raise ValueError(f"levels={levels!r}, fading={fading!r}, floor={floor!r}")
        self.group_size = group_size
        self._fading, self._floor = fading, floor
        self._solved, self._seen = [0.0] * levels, [0.0] * levels

    @property
    def success(self) -> list[float]:
        """Estimated success rate of each level, in (0, 1)."""
        return [(s + 1) / (n + 2) for s, n in zip(self._solved, self._seen, strict=True)]

    def probabilities(self) -> NDArray[np.float64]:
        """Return the probability of drawing each level, shape [levels]."""
        useful = np.array([mixed_probability(p, self.group_size) for p in self.success])
        if useful.sum() > 0:
            useful = useful / useful.sum()
        even = np.full(useful.size, 1 / useful.size)
        share = self._floor if useful.sum() > 0 else 1.0
        return share * even + (1 - share) * useful

    def draw(self, rng: np.random.Generator) -> int:
        """Draw a level."""
        return int(rng.choice(len(self._seen), p=self.probabilities()))

    def record(self, level: int, solved: int, answers: int) -> None:
        """Add a batch of answers at a level, ``solved`` of them right."""
        if not 0 <= solved <= answers:
            raise ValueError(f"{solved} of {answers} answers solved")
        self._solved[level] = self._fading * self._solved[level] + solved
        self._seen[level] = self._fading * self._seen[level] + answers

    def state_dict(self) -> dict[str, Any]:
        """Return the measurements, as plain values."""
        return {"solved": list(self._solved), "seen": list(self._seen)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        self._solved, self._seen = list(state["solved"]), list(state["seen"])
