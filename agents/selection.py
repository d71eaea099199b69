"""Which tasks are played and which answers are trained on, so that little compute is wasted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from agents.curriculum import Curriculum
from agents.episode import Group
from agents.filters import PromptHistory, Verdict, max_variance_subset, verdict
from agents.rollout import derive_seed
from agents.session import RunConfig
from toolrl_env.core.errors import ConfigurationError

__all__ = ["Played", "Selection", "SelectionConfig"]

Play = Callable[[int, Sequence[int], np.random.Generator], list[Group]]
"""``(level, seeds, rng) -> groups``: plays one group per seed."""


@dataclass(frozen=True)
class SelectionConfig(RunConfig):
    """Settings of what is played and what is trained on; all of it is off by default.

    Attributes:
        prompts: Prompts per step.
        group_size: Answers per prompt.
        tasks: Number of distinct training tasks; 0 draws a fresh one each time.
        keep_solved: Probability of playing a task again after all its answers were right, squared
            after two such visits in a row, and so on; needs tasks.
        keep_hopeless: The same after none of its answers came nearer than another.
        resample: Further batches to play at most until there are enough prompts whose answers
            differ in correctness; those whose answers do not are dropped.
        train_on: Answers of each group to train on, those whose rewards vary most; 0 for all.
        levels: Keyword arguments of the environment at each level of a curriculum, a JSON list
            of objects; each step draws a level, by how likely its groups are mixed.
        level_floor: Share of those draws that is spread evenly over the levels; 1 ignores success.
    """

    prompts: int = 2
    group_size: int = 8
    tasks: int = 0
    keep_solved: float = 1.0
    keep_hopeless: float = 1.0
    resample: int = 0
    train_on: int = 0
    levels: str = "[]"
    level_floor: float = 0.1

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        self.require_positive(prompts=self.prompts, group_size=self.group_size)
        for name, value in (
            ("tasks", self.tasks),
            ("resample", self.resample),
            ("train_on", self.train_on),
        ):
            if value < 0:
                raise ConfigurationError(f"{name}={value!r}; it must be at least 0")
        shares = {
            "keep_solved": self.keep_solved,
            "keep_hopeless": self.keep_hopeless,
            "level_floor": self.level_floor,
        }
        for name, value in shares.items():
            if not 0 < value <= 1:
                raise ConfigurationError(f"{name}={value!r}; it must be above 0 and at most 1")
        if self.skips and not self.tasks:
            raise ConfigurationError("keep_solved and keep_hopeless need tasks: with fresh tasks "
                                     "every time, none is met again")  # fmt: skip
        if 0 < self.tasks < self.prompts:
            raise ConfigurationError(f"tasks={self.tasks} are fewer than prompts={self.prompts}")
        if self.train_on == 1 or self.train_on > self.group_size:
            raise ConfigurationError(
                f"train_on={self.train_on}; it must be 0 or 2 … group_size={self.group_size}"
            )
        self.level_kwargs()

    @property
    def skips(self) -> bool:
        """Whether tasks are left out by what is remembered of them."""
        return self.keep_solved < 1 or self.keep_hopeless < 1

    def level_kwargs(self) -> list[dict[str, Any]]:
        """Return what each level changes in the environment's keyword arguments, at least one.

        Raises:
            ConfigurationError: Not a JSON list of objects.
        """
        try:
            levels = json.loads(self.levels)
        except json.JSONDecodeError as error:
            raise ConfigurationError(f"levels={self.levels!r} is not JSON: {error}") from error
        if not isinstance(levels, list) or not all(isinstance(each, dict) for each in levels):
            raise ConfigurationError(f"levels={self.levels!r}; it must be a JSON list of objects")
        return levels or [{}]


@dataclass(frozen=True, slots=True)
class Played:
    """What a step played.

    Attributes:
        groups: Every group, in the order in which they were played.
        kept: Those to train on.
        level: Level of the curriculum.
        batches: How many batches were played.
        skipped: How many tasks were left out by what is remembered of them.
    """

    groups: tuple[Group, ...]
    kept: tuple[Group, ...]
    level: int
    batches: int
    skipped: int


class Selection:
    """Draws tasks, and keeps the memories that the draws depend on.

    Args:
        config: The settings.
        stream: Keeps random choices apart from those of other trainers with the same seed.
    """

    def __init__(self, config: SelectionConfig, stream: int) -> None:
        self._config, self._stream = config, stream
        self._history = PromptHistory(config.keep_solved, config.keep_hopeless)
        self._curriculum = Curriculum(
            len(config.level_kwargs()), config.group_size, floor=config.level_floor
        )

    def play(self, play: Play, step: int) -> Played:
        """Play the batches of a step.

        Args:
            play: Plays one batch.
            step: The step; every random choice depends on it and on the memories alone.
        """
        config = self._config
        rng = np.random.default_rng((config.seed, self._stream, step))
        chooser = np.random.default_rng((config.seed, self._stream, step, 1))
        level = self._curriculum.draw(chooser)
        groups: list[Group] = []
        kept: list[Group] = []
        batches = skipped = 0
        while batches <= config.resample and len(kept) < config.prompts:
            seeds, names, left_out = self._draw(level, step, batches, chooser)
            batch = play(level, seeds, rng)
            mixed = [self._record(*pair) for pair in zip(names, batch, strict=True)]
            groups += batch
            every = [group for group in batch if group.scored]
            kept += (
                [g for g, m in zip(batch, mixed, strict=True) if m] if config.resample else every
            )
            batches, skipped = batches + 1, skipped + left_out
        scored = [episode for group in groups for episode in group.scored]
        solved = sum(episode.is_success for episode in scored)
        self._curriculum.record(level, solved, len(scored))
        kept = [self._thin(group) for group in kept[: config.prompts]]
        return Played(tuple(groups), tuple(kept), level, batches, skipped)

    def _draw(
        self, level: int, step: int, batch: int, rng: np.random.Generator
    ) -> tuple[list[int], list[str], int]:
        """Return seeds of tasks, their names, and how many others were left out."""
        config = self._config
        if not config.tasks:
            rows = range(batch * config.prompts, (batch + 1) * config.prompts)
            seeds = [derive_seed(config.seed, self._stream, step, row) for row in rows]
            return seeds, [""] * config.prompts, 0
        chosen: list[int] = []
        passed: list[int] = []
        for task in rng.permutation(config.tasks).tolist():
            if len(chosen) == config.prompts:
                break
            keep = rng.random() < self._history.probability(f"{level}:{task}")
            (chosen if keep else passed).append(task)
        missing = config.prompts - len(chosen)  # the pool ran out: take some of those left out
        chosen += passed[:missing]
        seeds = [derive_seed(config.seed, self._stream, task) for task in chosen]
        return seeds, [f"{level}:{task}" for task in chosen], len(passed[missing:])

    def _record(self, name: str, group: Group) -> bool:
        """Remember a group; return whether its answers differ in correctness."""
        if not group.scored:
            return False
        seen = verdict(group)
        if name:
            self._history.record(name, seen)
        return seen is Verdict.MIXED

    def _thin(self, group: Group) -> Group:
        """Leave out the answers that ``train_on`` has no room for."""
        if not self._config.train_on:
            return group
        scored = group.scored
        best = max_variance_subset(group.rewards, self._config.train_on)
        return replace(group, episodes=tuple(scored[index] for index in best))

    def state_dict(self) -> dict[str, Any]:
        """Return the memories, as plain values."""
        return {
            "history": self._history.state_dict(),
            "curriculum": self._curriculum.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        self._history.load_state_dict(state["history"])
        self._curriculum.load_state_dict(state["curriculum"])
