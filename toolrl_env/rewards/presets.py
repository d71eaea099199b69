"""Rewards by name. The paper is *ToolRL: Reward is All Tool Learning Needs*, arXiv 2504.13958.

Its section 3.3, "Reward Design", defines R = R_format + R_correct, with R_format in {0, 1} and
R_correct = 6 · S / S_max - 3 in [-3, 3]; the variants are those of its analysis of length, scale
and granularity. Where its text and its code differ the presets follow the code, but for
``optimal``.
"""

from __future__ import annotations

from collections.abc import Callable

from toolrl_env.rewards.config import RewardConfig

__all__ = ["PRESETS", "preset_names"]


def toolrl() -> RewardConfig:
    """R_format + R_correct, the paper's reward (section 3.3), calls matched greedily. Default.

    No answer earns more than gold's. Exploitable by answers that are not sure: listing a call once
    for each of two guesses earns 3.25 whichever is right, one wrong guess 2.5, a right one 4.
    """
    return RewardConfig()


def length() -> RewardConfig:
    """The paper's reward and R_length in [0, 1]: words of the thought over 512.

    The paper finds that it does not help tool use (BFCL 33.23 for the 1.5B model and 48.89 for the
    3B one, against 46.20 and 52.98 without).

    Exploitable: any words pay, up to 1 for 512 of them. On our samples the gold answer earns 4.02
    and the same with 2000 times one word as its thought 5.00.
    """
    return RewardConfig(length=True)


def dynamic_length() -> RewardConfig:
    """``length`` with the words asked for growing from 384 to 640 over 105 steps.

    In the paper worse still for the small model: BFCL 28.51 (1.5B) and 48.24 (3B). Exploitable as
    ``length``: any words pay, up to 1.
    """
    return RewardConfig(length=True, dynamic_length=True)


def equal_max() -> RewardConfig:
    """R_correct in [-1, 1], so that it weighs like the format. The paper: 39.47 and 51.76."""
    return RewardConfig(correctness_max=1.0)


def two_stage() -> RewardConfig:
    """Correctness in [-1, 1] before step 30; from then in [-3, 3] with the format halved.

    The paper: BFCL 38.85 (1.5B) and 50.66 (3B).
    """
    return RewardConfig(two_stage=True)


def dynamic_scale() -> RewardConfig:
    """Both terms start at ±2; over 150 steps format goes to ±1 and correctness to ±3.

    The best of the paper's variants of scale: BFCL 45.71 (1.5B) and 53.81 (3B).
    """
    return RewardConfig(dynamic_scale=True)


def refined() -> RewardConfig:
    """Names earn points as whole equal lists only. The paper: BFCL 40.71 (1.5B), 52.06 (3B)."""
    return RewardConfig(strict_names=True)


def intermediate() -> RewardConfig:
    """A gold call pays as a whole or not. The paper: BFCL 37.65 (1.5B) and 51.36 (3B)."""
    return RewardConfig(granularity="intermediate")


def coarse() -> RewardConfig:
    """The calls pay all together or not. The paper: BFCL 36.72 (1.5B) and 51.40 (3B)."""
    return RewardConfig(granularity="coarse")


def optimal() -> RewardConfig:
    """The paper's reward with optimal matching of calls, as the text of section 3.3 has it.

    Needs scipy (the extra ``optimal``). It differs from the code's greedy matching only where one
    tool is called several times.
    """
    return RewardConfig(matching="optimal")


def exact() -> RewardConfig:
    """1 for exactly the gold calls in any order, or for none where gold has none; else 0. Ours."""
    return RewardConfig(correctness="exact", format=False)


def f1() -> RewardConfig:
    """F1 over the names and arguments of the calls, in [0, 1], without a format term. Ours."""
    return RewardConfig(correctness="f1", format=False)


def strict_types() -> RewardConfig:
    """The paper's reward, but ``True`` is not ``1`` and ``1`` is not ``1.0``. Ours."""
    return RewardConfig(values="strict")


def tolerant() -> RewardConfig:
    """The paper's reward, forgiving ``"70"`` for ``70``, letter case and white space. Ours."""
    return RewardConfig(values="tolerant")


PRESETS: dict[str, Callable[[], RewardConfig]] = {
    preset.__name__: preset
    for preset in (
        toolrl,
        length,
        dynamic_length,
        equal_max,
        two_stage,
        dynamic_scale,
        refined,
        intermediate,
        coarse,
        optimal,
        exact,
        f1,
        strict_types,
        tolerant,
    )
}
"""The presets by name, each a function that returns the configuration."""


def preset_names() -> tuple[str, ...]:
    """Return the names that ``RewardConfig.preset`` takes."""
    return tuple(PRESETS)
