"""``RewardConfig``: every variant of the reward as plain data."""

from __future__ import annotations

import functools
import importlib.util
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.core.types import GroundTruth
from toolrl_env.rewards.plan import Plan
from toolrl_env.rewards.terms import Term

__all__ = ["REFERENCE_FLAGS", "RewardConfig"]

REFERENCE_FLAGS: dict[str, dict[str, Any]] = {
    "WITHLENGTH": {"length": True},
    "SCHEDULELENGTH": {"dynamic_length": True},
    "CORRECTMAX1": {"correctness_max": 1.0},
    "MAX1STEP30MAX3": {"two_stage": True},
    "SCHEDULEREWARD": {"dynamic_scale": True},
    "REFINEDREWARD": {"strict_names": True},
    "INTERMEDIATEREWARD": {"granularity": "intermediate"},
    "COARSEREWARD": {"granularity": "coarse"},
}
"""The switches of the paper's code, each with the fields of ``RewardConfig`` that it stands for.
Where two exclude each other the later one here wins, as it does there."""

_CHOICES = {
    "correctness": ("structured", "exact", "f1"),
    "granularity": ("fine", "intermediate", "coarse"),
    "matching": ("greedy", "optimal"),
    "values": ("python", "strict", "tolerant"),
}
_MAX_PLANS = 4_096
_STRUCTURED_ONLY = ("granularity", "strict_names", "correctness_max", "two_stage", "dynamic_scale")


@dataclass(frozen=True)
class RewardConfig:
    """A reward. The default is the paper's: format in ``[0, 1]`` plus correctness in ``[-3, 3]``.

    Attributes:
        correctness: ``structured`` is the paper's; ``exact`` (all or nothing) and ``f1`` run over
            ``[0, 1]`` and take none of the structured one's shapes and scales.
        granularity: ``fine`` pays per call, key and value; ``intermediate`` pays 1 per gold call
            that some prediction equals; ``coarse`` pays for the list of gold calls as a whole.
        strict_names: Names of tools, and of a call's arguments, earn their points only as a list
            equal to the gold one, order included (``refined`` in the paper's code).
        matching: ``greedy`` as in the paper's code; ``optimal`` as in the paper's text, by scipy.
        values: When values are equal: ``python`` (``==``), ``strict`` (types too: ``True`` is not
            ``1``), ``tolerant`` (numbers by value, texts without case and surplus white space).
        correctness_max: Correctness runs over ``±correctness_max``.
        two_stage: Correctness is a third until step 30, format a half from then on.
        dynamic_scale: Both scales move with the step, over 150 steps; see ``rewards.scale``.
        length: Add the length term, in ``[0, 1]``.
        dynamic_length: The words that earn it all grow from 384 to 640 over 105 steps. Without
            ``length`` this changes nothing, as in the paper's code.
        format: Include the format term.
        format_weight: Factor of the format term in the total.
        correctness_weight: Factor of the correctness term in the total.
        length_weight: Factor of the length term in the total.
        extra_terms: Further terms, e.g. your own; see ``rewards.terms``.

    Raises:
        ConfigurationError: A value that is not allowed, fields that contradict each other, or
            ``matching="optimal"`` without scipy.
    """

    correctness: Literal["structured", "exact", "f1"] = "structured"
    granularity: Literal["fine", "intermediate", "coarse"] = "fine"
    strict_names: bool = False
    matching: Literal["greedy", "optimal"] = "greedy"
    values: Literal["python", "strict", "tolerant"] = "python"
    correctness_max: float = 3.0
    two_stage: bool = False
    dynamic_scale: bool = False
    length: bool = False
    dynamic_length: bool = False
    format: bool = True
    format_weight: float = 1.0
    correctness_weight: float = 1.0
    length_weight: float = 1.0
    extra_terms: tuple[Term, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name, allowed in _CHOICES.items():
            if (value := self.__dict__[name]) not in allowed:
                raise UnknownName(name, value, allowed)
        for name in ("correctness_max", "format_weight", "correctness_weight", "length_weight"):
            value = self.__dict__[name]
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise ConfigurationError(f"{name}={value!r}; it must be a finite number")
        if self.correctness_max <= 0:
            raise ConfigurationError(f"correctness_max={self.correctness_max!r}; it must be > 0")
        if not all(map(callable, self.extra_terms)):
            raise ConfigurationError(f"extra_terms={self.extra_terms!r}; each must be callable")
        defaults = RewardConfig.__dataclass_fields__
        if self.correctness != "structured":
            for name in _STRUCTURED_ONLY:
                if self.__dict__[name] != defaults[name].default:
                    raise ConfigurationError(
                        f"{name}={self.__dict__[name]!r} shapes correctness='structured' and has "
                        f"no meaning for correctness={self.correctness!r}; leave it out"
                    )
        if self.matching == "optimal" and importlib.util.find_spec("scipy") is None:
            raise ConfigurationError(
                "matching='optimal' needs scipy: pip install 'toolrl-env[optimal]'"
            )

    @classmethod
    def from_reference_flags(cls, flags: Iterable[str]) -> RewardConfig:
        """Return the configuration of a set of switches of the paper's code.

        Any combination is allowed. Two of them do nothing on their own account there, hence here:
        ``SCHEDULELENGTH`` without ``WITHLENGTH``, and the finer granularities beside
        ``COARSEREWARD``.

        Args:
            flags: Names out of ``REFERENCE_FLAGS``.

        Raises:
            UnknownName: A name is none of them.
        """
        chosen = {flags} if isinstance(flags, str) else set(flags)
        for flag in chosen:
            if flag not in REFERENCE_FLAGS:
                raise UnknownName("reference flag", flag, REFERENCE_FLAGS)
        fields: dict[str, Any] = {}
        for flag, meaning in REFERENCE_FLAGS.items():
            if flag in chosen:
                fields |= meaning
        return cls(**fields)

    @classmethod
    def preset(cls, name: str) -> RewardConfig:
        """Return a configuration by name; see ``rewards.presets`` for what each is.

        Raises:
            UnknownName: There is no preset of this name.
        """
        from toolrl_env.rewards.presets import PRESETS

        if name not in PRESETS:
            raise UnknownName("reward preset", name, PRESETS)
        return PRESETS[name]()

    def bounds(self, gold: GroundTruth, step: int = 0) -> tuple[float, float]:
        """Return the lowest and the highest total that an answer to ``gold`` can earn at ``step``.

        Args:
            gold: The gold answer; without calls the structured correctness is always 0.
            step: The training step.

        Raises:
            ConfigurationError: ``step`` is negative.
        """
        from toolrl_env.rewards.score import score_blank

        low = high = 0.0
        for term in score_blank(gold, self, step):
            ends = sorted((term.weight * term.low, term.weight * term.high))
            low, high = low + ends[0], high + ends[1]
        return low, high

    @functools.cached_property
    def plans(self) -> dict[int, Plan]:
        """Plans by step, worked out so far; no part of the configuration's value."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Pickle and copy the fields alone."""
        return {key: value for key, value in self.__dict__.items() if key != "plans"}

    def plan(self, step: int) -> Plan:
        """Return what this configuration comes to at ``step``; worked out once.

        Raises:
            ConfigurationError: ``step`` is negative or no integer.
        """
        plan = self.plans.get(step)
        if plan is None:
            if not isinstance(step, int) or step < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ConfigurationError(f"step={step!r}; it must be an integer from 0")
            if len(self.plans) >= _MAX_PLANS:
                self.plans.clear()
            plan = self.plans[step] = Plan(self, step)
        return plan
