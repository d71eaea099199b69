"""Agents without a model: gold answers, random calls, gold answers with mistakes at a set rate."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Self

import gymnasium as gym

from agents.mistakes import MISTAKES
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import GroundTruth
from toolrl_env.data.source import TaskSource
from toolrl_env.parsing import AnswerProtocol, get_protocol

__all__ = ["GoldPolicy", "NoisyGoldPolicy", "RandomPolicy"]


class GoldPolicy:
    """Gives the gold answer, which it looks up by ``info["task_index"]``.

    Args:
        tasks: The environment's tasks (``env.unwrapped.tasks``).
        protocol: The environment's protocol.
    """

    def __init__(self, tasks: TaskSource, protocol: AnswerProtocol | str = "toolrl") -> None:
        self.tasks = tasks
        self.protocol = get_protocol(protocol) if isinstance(protocol, str) else protocol

    @classmethod
    def from_env(cls, env: gym.Env, **options: Any) -> Self:
        """Return a policy for the tasks and the protocol of an environment, wrapped or not."""
        return cls(env.unwrapped.tasks, env.unwrapped.protocol, **options)

    def gold(self, info: Mapping[str, Any]) -> GroundTruth:
        """Return the gold answer of the task that ``info`` is about."""
        return self.tasks[int(info["task_index"])].gold

    def act(self, observations: Sequence[str], infos: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the gold answers."""
        return [
            self.protocol.render_gold(self.gold(info))
            for _, info in zip(observations, infos, strict=True)
        ]


class NoisyGoldPolicy(GoldPolicy):
    """Gives the gold answer, or with probability ``error_rate`` one with a single mistake in it.

    The kind of mistake is drawn from those of ``agents.mistakes`` that the answer allows.

    Args:
        tasks: The environment's tasks.
        protocol: The environment's protocol.
        error_rate: Probability of a mistake, in [0, 1].
        seed: Of this policy's own generator.

    Raises:
        ConfigurationError: ``error_rate`` is outside [0, 1].
    """

    def __init__(
        self,
        tasks: TaskSource,
        protocol: AnswerProtocol | str = "toolrl",
        *,
        error_rate: float = 0.5,
        seed: int = 0,
    ) -> None:
        super().__init__(tasks, protocol)
        if not 0 <= error_rate <= 1:
            raise ConfigurationError(f"error_rate={error_rate!r}; allowed: 0 to 1")
        self.error_rate = error_rate
        self._rng = random.Random(seed)

    def act(self, observations: Sequence[str], infos: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the gold answers, some spoilt."""
        answers = super().act(observations, infos)
        return [
            self._spoil(answer, self.gold(info)) if self._rng.random() < self.error_rate else answer
            for answer, info in zip(answers, infos, strict=True)
        ]

    def _spoil(self, answer: str, gold: GroundTruth) -> str:
        for kind in self._rng.sample(sorted(MISTAKES), len(MISTAKES)):
            spoilt = MISTAKES[kind](self._rng, self.protocol, answer, gold.values)
            if spoilt is not None and spoilt != answer:
                return spoilt
        raise AssertionError("cutting an answer short always applies")


class RandomPolicy:
    """Calls a random offered tool with random arguments of the documented types, or just talks.

    Args:
        protocol: The environment's protocol.
        seed: Of this policy's own generator.
    """

    def __init__(self, protocol: AnswerProtocol | str = "toolrl", *, seed: int = 0) -> None:
        self.protocol = get_protocol(protocol) if isinstance(protocol, str) else protocol
        self._rng = random.Random(seed)

    def act(self, observations: Sequence[str], infos: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return one random answer each."""
        return [self._answer(info) for _, info in zip(observations, infos, strict=True)]

    def _answer(self, info: Mapping[str, Any]) -> str:
        tools = [tool["function"] for tool in info["tools"]]
        if not tools or self._rng.random() < 0.25:
            return self.protocol.render([], think="Who knows.", response="I would rather talk.")
        tool = self._rng.choice(tools)
        properties = tool["parameters"].get("properties", {})
        arguments = {name: self._value(schema) for name, schema in properties.items()}
        call = {"name": tool["name"], "parameters": arguments}
        return self.protocol.render([call], think="Let me try this one.")

    def _value(self, schema: Mapping[str, Any] | bool) -> Any:
        schema = {} if isinstance(schema, bool) else schema
        if "enum" in schema:
            return self._rng.choice(list(schema["enum"]))
        kind = schema.get("type", "string")
        kind = kind if isinstance(kind, str) else self._rng.choice(list(kind))
        plain: dict[str, Any] = {
            "integer": self._rng.randrange(100),
            "number": round(self._rng.uniform(0, 100), 2),
            "boolean": self._rng.random() < 0.5,
            "array": [],
            "object": {},
            "null": None,
        }
        return plain.get(kind, self._rng.choice(("red", "Monday", "42", "")))
