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

__all__ = ["GoldPolicy", "NoisyGoldPolicy", "RandomPolicy", "gold_action"]

_PARTING = "That is all I can do."


class GoldPolicy:
    """Gives the gold answer, which it looks up by ``info["task_index"]``.

    Over several turns it depends on what went before: ``agents.game`` hands it to policies of this
    class, and to no others, as ``info["gold_answer"]``.

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
        """Return the gold answers; where there is none to go on with, a word of parting."""
        return [self._answer(info) for _, info in zip(observations, infos, strict=True)]

    def _answer(self, info: Mapping[str, Any]) -> str:
        if "gold_answer" not in info:
            return self.protocol.render_gold(self.gold(info))
        if info["gold_answer"] is None:
            return self.protocol.render([], think="Nothing is left to do.", response=_PARTING)
        return info["gold_answer"]


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
        rngs = [_generator(info, self._rng) for info in infos]
        return [
            self._spoil(rng, answer) if rng.random() < self.error_rate else answer
            for rng, answer in zip(rngs, answers, strict=True)
        ]

    def _spoil(self, rng: random.Random, answer: str) -> str:
        values = self.protocol.parse(answer, max(len(answer), 1)).values or ()
        for kind in rng.sample(sorted(MISTAKES), len(MISTAKES)):
            spoilt = MISTAKES[kind](rng, self.protocol, answer, values)
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
        return [
            self._answer(_generator(info, self._rng), info)
            for _, info in zip(observations, infos, strict=True)
        ]

    def _answer(self, rng: random.Random, info: Mapping[str, Any]) -> str:
        tools = [tool["function"] for tool in info["tools"]]
        if not tools or rng.random() < 0.25:
            return self.protocol.render([], think="Who knows.", response="I would rather talk.")
        tool = rng.choice(tools)
        properties = tool["parameters"].get("properties", {})
        arguments = {name: _value(rng, schema) for name, schema in properties.items()}
        call = {"name": tool["name"], "parameters": arguments}
        return self.protocol.render([call], think="Let me try this one.")


def gold_action(env: gym.Env) -> int | None:
    """Return the action of ``CandidateActions`` that is the whole gold answer in this state.

    Args:
        env: An environment in mid-episode with ``CandidateActions`` around it, wrapped or not.

    Returns:
        ``None`` if no candidate is, e.g. since the gold answer makes several calls at once.
    """
    base = env.unwrapped
    calls = base.protocol.parse(base.gold_answer()).values or ()
    gold = [(call["name"], call["parameters"]) for call in calls]
    for action, call in enumerate(env.get_wrapper_attr("candidates")):
        if gold == ([] if call is None else [(call.name, dict(call.arguments))]):
            return action
    return None


def _value(rng: random.Random, schema: Mapping[str, Any] | bool) -> Any:
    schema = {} if isinstance(schema, bool) else schema
    if "enum" in schema:
        return rng.choice(list(schema["enum"]))
    kind = schema.get("type", "string")
    kind = kind if isinstance(kind, str) else rng.choice(list(kind))
    plain: dict[str, Any] = {
        "integer": rng.randrange(100),
        "number": round(rng.uniform(0, 100), 2),
        "boolean": rng.random() < 0.5,
        "array": [],
        "object": {},
        "null": None,
    }
    return plain.get(kind, rng.choice(("red", "Monday", "42", "")))


def _generator(info: Mapping[str, Any], own: random.Random) -> random.Random:
    """Return the generator for one answer: by its seed if it has one, else the policy's own."""
    return random.Random(info["answer_seed"]) if "answer_seed" in info else own
