"""``EpisodeRewardConfig``: the reward of an episode as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial

from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.rewards.config import RewardConfig
from toolrl_env.rewards.episode.outcome import answer_quality, outcome
from toolrl_env.rewards.episode.penalties import calls, invalid, repeats, turns
from toolrl_env.rewards.episode.progress import shaping, state_execution
from toolrl_env.rewards.episode.result import EpisodeTerm
from toolrl_env.rewards.episode.trajectory import step_f1, trajectory
from toolrl_env.rewards.values import VALUE_COMPARISONS

__all__ = ["EpisodeRewardConfig"]

_WEIGHTS = ("outcome", "answer_quality", "trajectory", "step_f1", "state_execution", "shaping")
_PENALTIES = ("turns", "calls", "repeats", "invalid")


@dataclass(frozen=True)
class EpisodeRewardConfig:
    """A reward over time. Every weight is a factor of one term; 0 leaves the term out.

    The default is the outcome alone.

    Attributes:
        turn: The single-turn reward of every turn against its own gold answer, or ``None``.
        turn_weight: Factor of all terms of ``turn``.
        outcome: Success at the end, in ``{0, 1}``.
        answer_quality: The source's graded judgement of the end, in ``[0, 1]``.
        trajectory: Optimal matching with the gold trajectory, in ``[-1, 1]``.
        step_f1: F1 of solved steps over calls, in ``[0, 1]``.
        state_execution: Progress of the state times the share of calls that ran, in ``[0, 1]``.
        shaping: Potential-based shaping by the share of goal predicates, in ``[-1, gamma]`` a turn.
        turns: Penalty of each turn, at least 0.
        calls: Penalty of each call, at least 0.
        repeats: Penalty of each repeated identical call, at least 0.
        invalid: Penalty of each call that could not be run, at least 0.
        gamma: The trainer's discount per turn, in ``[0, 1]``; matters to ``shaping`` only.
        unmatched: Penalty of a call without a gold partner in ``trajectory``, at least 0.
        values: When arguments are equal, for ``trajectory`` and ``step_f1``: ``python``,
            ``strict`` or ``tolerant``, as in ``RewardConfig``.
        extra_terms: Further terms, e.g. your own: pure functions of the ``EpisodeRecord`` that
            return a ``TermResult`` for its last turn.
        terms: The terms that are on, each with its weight; without those of ``turn``. Not yours to
            give.

    Raises:
        ConfigurationError: A value that is not allowed, or no term at all.
    """

    turn: RewardConfig | None = None
    turn_weight: float = 1.0
    outcome: float = 1.0
    answer_quality: float = 0.0
    trajectory: float = 0.0
    step_f1: float = 0.0
    state_execution: float = 0.0
    shaping: float = 0.0
    turns: float = 0.0
    calls: float = 0.0
    repeats: float = 0.0
    invalid: float = 0.0
    gamma: float = 1.0
    unmatched: float = 0.5
    values: str = "python"
    extra_terms: tuple[EpisodeTerm, ...] = ()
    terms: tuple[tuple[float, EpisodeTerm], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.values not in VALUE_COMPARISONS:
            raise UnknownName("values", self.values, VALUE_COMPARISONS)
        for name in (*_WEIGHTS, *_PENALTIES, "turn_weight", "gamma", "unmatched"):
            value = self.__dict__[name]
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise ConfigurationError(f"{name}={value!r}; it must be a finite number")
        for name in (*_PENALTIES, "gamma", "unmatched"):
            if self.__dict__[name] < 0:
                raise ConfigurationError(f"{name}={self.__dict__[name]!r}; it must be at least 0")
        if self.gamma > 1:
            raise ConfigurationError(f"gamma={self.gamma!r}; a discount is at most 1")
        if not all(map(callable, self.extra_terms)):
            raise ConfigurationError(f"extra_terms={self.extra_terms!r}; each must be callable")
        object.__setattr__(self, "terms", self._weighed())
        if self.turn is None and not self.terms:
            raise ConfigurationError("an episode's reward needs at least one term")

    @classmethod
    def of(cls, given: EpisodeRewardConfig | str) -> EpisodeRewardConfig:
        """Return a configuration as it is, or the preset of a name.

        Raises:
            UnknownName: There is no preset of this name.
            ConfigurationError: It is neither.
        """
        if isinstance(given, str):
            return cls.preset(given)
        if not isinstance(given, cls):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(
                f"episode_reward={given!r:.80}; allowed: an EpisodeRewardConfig or a preset's name"
            )
        return given

    @classmethod
    def preset(cls, name: str) -> EpisodeRewardConfig:
        """Return a configuration by name; see ``rewards.episode.presets`` for what each is.

        Raises:
            UnknownName: There is no preset of this name.
        """
        from toolrl_env.rewards.episode.presets import EPISODE_PRESETS

        if name not in EPISODE_PRESETS:
            raise UnknownName("episode reward preset", name, EPISODE_PRESETS)
        return EPISODE_PRESETS[name]()

    def _weighed(self) -> tuple[tuple[float, EpisodeTerm], ...]:
        known: dict[str, EpisodeTerm] = {
            "outcome": outcome,
            "answer_quality": answer_quality,
            "trajectory": partial(trajectory, unmatched=self.unmatched, values=self.values),
            "step_f1": partial(step_f1, values=self.values),
            "state_execution": state_execution,
            "shaping": partial(shaping, gamma=self.gamma),
            "turns": turns,
            "calls": calls,
            "repeats": repeats,
            "invalid": invalid,
        }
        weighed = [(float(self.__dict__[name]), term) for name, term in known.items()]
        return (*(pair for pair in weighed if pair[0]), *((1.0, term) for term in self.extra_terms))
