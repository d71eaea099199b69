"""Between which points a term runs at a training step: the paper's schedules, as pure functions.

They repeat the paper's code to the last bit, so the order of the operations matters.
"""

from __future__ import annotations

__all__ = ["correctness_scale", "format_scale", "length_words"]

_TWO_STAGE_STEP = 30
_DYNAMIC_STEPS = 150
_LENGTH_STEPS = 105
_SHORT_WORDS, _LONG_WORDS = 384, 640
_FIXED_WORDS = 512


def format_scale(step: int, *, two_stage: bool, dynamic: bool) -> tuple[float, float]:
    """Return what the wrong and the right layout earn at ``step``.

    ``(0, 1)``; two-stage: half of it from step 30 on; dynamic: from ``(-2, 2)`` at step 0 to
    ``(-1, 1)`` at step 150 and later.

    >>> format_scale(0, two_stage=False, dynamic=True)
    (-2.0, 2.0)
    """
    low, high = 0.0, 1.0
    if two_stage and step >= _TWO_STAGE_STEP:
        low, high = low / 2, high / 2
    if dynamic:
        high = max(1.0, 2 - (2 - high) * step / _DYNAMIC_STEPS)
        low = min(-1.0, -2 + (2 + low) * step / _DYNAMIC_STEPS)
    return low, high


def correctness_scale(
    step: int, maximum: float, *, two_stage: bool, dynamic: bool
) -> tuple[float, float]:
    """Return what no and full correctness earn at ``step``, in this order.

    ``(-maximum, maximum)``; two-stage: a third of it before step 30; dynamic: from ``(-2, 2)`` at
    step 0, linear to what it would otherwise be at step 150 and beyond it, within ±3.

    With ``maximum < 2`` the dynamic line does not stop at step 150, in the paper's code neither:
    for 1 the two ends meet at step 300 and then **change sides**, so that wrong calls earn more
    than right ones. Do not train that long with both.

    >>> correctness_scale(75, 3.0, two_stage=False, dynamic=True)
    (-2.5, 2.5)
    >>> correctness_scale(450, 1.0, two_stage=False, dynamic=True)
    (1.0, -1.0)
    """
    worst, best = -maximum, maximum
    if two_stage and step < _TWO_STAGE_STEP:
        worst, best = worst / 3, best / 3
    if dynamic:
        best = min(3.0, (best - 2) * step / _DYNAMIC_STEPS + 2)
        worst = max(-3.0, (worst + 2) * step / _DYNAMIC_STEPS - 2)
    return worst, best


def length_words(step: int, *, dynamic: bool) -> float:
    """Return how many words of thought earn the full length reward at ``step``.

    512; dynamic: from 384 at step 0 to 640 at step 105 and further on.

    >>> length_words(105, dynamic=True)
    640.0
    """
    if not dynamic:
        return _FIXED_WORDS
    return (_LONG_WORDS - _SHORT_WORDS) * step / _LENGTH_STEPS + _SHORT_WORDS
