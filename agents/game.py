"""One attempt at one task, played answer by answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym

from agents.policy import NoAnswer, Policy
from agents.scripted import GoldPolicy
from agents.seeds import derive_seed
from agents.turn_outcome import TurnOutcome, take_turn
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind, Transition
from toolrl_env.envs.base import ToolUseEnv

__all__ = ["Game", "ask"]


class Game:
    """A task that is being played, until it ends or something of ours fails.

    Args:
        env: Used by this game alone while it lasts.
        index: The task's index.
        attempt: Number of the attempt at this task, from 0.
        seed: Seed of the run.

    Attributes:
        index: The task's index.
        attempt: Number of the attempt.
        task_id: The task's id; empty if the environment could not be reset.
        category: The task's category; empty if it has none.
        question: The last message that the model saw before its first answer.
        gold: The gold answer to it; empty if there is none that the protocol can carry.
        observation: What the environment shows now.
        turns: What came of each answer.
        transitions: The same, to be recorded.
        failure: What failed and how, in words; ``None`` while nothing has.
    """

    def __init__(
        self, env: gym.Env[str, str], index: int, *, attempt: int = 0, seed: int = 0
    ) -> None:
        self._env, self._seed = env, seed
        self.index, self.attempt = index, attempt
        self.task_id = self.category = self.question = self.gold = self.observation = ""
        self.turns: list[TurnOutcome] = []
        self.transitions: list[Transition] = []
        self.failure: NoAnswer | None = None
        self._info: Mapping[str, Any] = {}
        try:
            self.observation, self._info = env.reset(seed=0, options={"task_index": index})
        except InfrastructureError as error:
            self._fail(error.kind, str(error))
            return
        self.task_id = self._info["task_id"]
        self.category = self._info.get("category", "")
        self.question = self._info["messages"][-1]["content"]
        self.gold = self._gold() or ""

    @property
    def over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.failure is not None or any(turn.over for turn in self.turns[-1:])

    @property
    def reward(self) -> float:
        """The sum of the turns' rewards."""
        return sum(turn.reward for turn in self.turns)

    @property
    def components(self) -> dict[str, float]:
        """The sum of each reward term over the turns."""
        names = dict.fromkeys(name for turn in self.turns for name in turn.components)
        return {name: sum(turn.components.get(name, 0.0) for turn in self.turns) for name in names}

    def info(self, *, with_gold: bool = False) -> dict[str, Any]:
        """Return what a policy is told beside the observation.

        Args:
            with_gold: Whether to add ``gold_answer``, ``None`` if there is none to go on with.
        """
        seed = derive_seed(self._seed, self.index, self.attempt, len(self.turns))
        told = {**self._info, "answer_seed": seed}
        if with_gold:
            told["gold_answer"] = self._gold()
        return told

    def step(self, answer: str | NoAnswer) -> None:
        """Let the environment have an answer."""
        if isinstance(answer, NoAnswer):
            self.failure = answer
            return
        outcome = take_turn(self._env, answer)
        self.turns.append(outcome)
        if outcome.masked:
            kind = outcome.failure_kind or FailureKind.TOOL_CRASHED
            self._fail(kind, outcome.failure or "the environment asks not to count a step")
            return
        self.transitions.append(
            Transition(
                observation=self.observation,
                action=answer,
                reward=outcome.reward,
                components=outcome.components,
                next_observation=outcome.observation,
                terminated=outcome.over and not outcome.truncated,
                truncated=outcome.truncated,
                stop_reason=outcome.stop_reason,
                state_hash=self._state_hash(),
            )
        )
        self.observation, self._info = outcome.observation, outcome.info

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _state_hash(self) -> str | None:
        base = self._env.unwrapped
        return base.state_hash() if isinstance(base, ToolUseEnv) else None

    def _gold(self) -> str | None:
        try:
            return self._env.unwrapped.gold_answer()
        except ConfigurationError:  # the gold trajectory is over, or the protocol cannot carry it
            return None

    def _fail(self, kind: FailureKind, reason: str) -> None:
        self.failure = NoAnswer(kind, reason or "infrastructure error")


def ask(policy: Policy, games: Sequence[Game]) -> Sequence[str | NoAnswer]:
    """Return the policy's answer to each game.

    ``InfrastructureError`` out of the policy counts as no answer to any of them.

    Raises:
        ConfigurationError: The policy gave something else than one answer a game.
    """
    with_gold = isinstance(policy, GoldPolicy)
    infos = [game.info(with_gold=with_gold) for game in games]
    try:
        answers = policy.act([game.observation for game in games], infos)
    except InfrastructureError as error:
        return [NoAnswer(error.kind, str(error))] * len(games)
    who = type(policy).__name__
    if isinstance(answers, str) or not isinstance(answers, Sequence):
        raise ConfigurationError(f"{who}.act returned no list of answers but {answers!r:.80}")
    if len(answers) != len(games):
        raise ConfigurationError(
            f"{who}.act returned {len(answers)} answers to {len(games)} observations"
        )
    for answer in answers:
        if not isinstance(answer, str | NoAnswer):
            raise ConfigurationError(f"{who}.act returned no str but {answer!r:.80}")
    return answers
