"""One episode while it is played: an environment, and the tokens so far, never tokenised again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol, Self, runtime_checkable

import gymnasium as gym
import numpy as np

from agents.chat_delta import ChatDelta
from agents.episode import Episode, Turn
from agents.generation import Completion
from agents.prompting import ChatEncoder
from agents.turn_credits import turn_credits
from agents.turn_outcome import TurnOutcome, added_messages, take_turn
from toolrl_env.core.errors import ConfigurationError

__all__ = ["Conversation", "ForkingEnv", "Limits", "StatefulEnv"]


@runtime_checkable
class StatefulEnv(Protocol):
    """An environment that can name the state of its world."""

    def state_hash(self) -> str:
        """Return a key that is equal for equal states."""
        ...


@runtime_checkable
class ForkingEnv(Protocol):
    """An environment that can be copied in mid-episode."""

    def fork(self, n: int) -> list[Any]:
        """Return ``n`` independent copies."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How long answers and episodes may become.

    Attributes:
        max_new_tokens: Tokens after which an answer is cut.
        max_context: Tokens of a whole episode, its prompt included: it stops where there is no
            room for another answer of ``max_new_tokens``.
        max_turns: Answers after which an episode stops, whatever the environment allows.

    Raises:
        ConfigurationError: One of them is below 1.
    """

    max_new_tokens: int
    max_context: int = 4096
    max_turns: int = 30

    def __post_init__(self) -> None:
        """Refuse limits that leave no room."""
        for name, value in asdict(self).items():
            if value < 1:
                raise ConfigurationError(f"{name}={value!r}; it must be at least 1")


class Conversation:
    """An environment in mid-episode with the tokens that led there.

    Args:
        env: The environment, just reset, or a fork of one in mid-episode.
        encoder: Of the model that answers.
        delta: Of the same model.
        rng: Of this episode's answers.
        prompt_ids: What the first answer follows.
        messages: The conversation as it stands.
        answered: Answers that ``prompt_ids`` holds already.
    """

    def __init__(
        self,
        env: gym.Env[str, str],
        encoder: ChatEncoder,
        delta: ChatDelta,
        rng: np.random.Generator,
        prompt_ids: Sequence[int],
        messages: Sequence[Mapping[str, Any]],
        answered: int = 0,
    ) -> None:
        self.env, self.rng = env, rng
        self.prompt_ids = tuple(prompt_ids)
        self._encoder, self._delta = encoder, delta
        self._messages, self._shown = messages, messages
        self._answered = answered
        self._ids: list[int] = []
        self._sampled: list[bool] = []
        self._logprobs: list[float] = []
        self._turns: list[Turn] = []
        self._last: TurnOutcome | None = None

    @property
    def context(self) -> tuple[int, ...]:
        """Everything so far: what the next answer is sampled after."""
        return (*self.prompt_ids, *self._ids)

    @property
    def played(self) -> int:
        """Answers so far, those of the prompt not counted."""
        return len(self._turns)

    @property
    def answered(self) -> int:
        """Answers so far, those of the prompt included."""
        return self._answered + len(self._turns)

    @property
    def over(self) -> bool:
        """Whether the environment ended the episode."""
        return self._last is not None and self._last.over

    def goes_on(self, limits: Limits) -> bool:
        """Whether the environment waits for an answer and the limits have room for one."""
        if self.over:
            return False
        room = limits.max_context - len(self.prompt_ids) - len(self._ids)
        return room >= limits.max_new_tokens and self.answered < limits.max_turns

    def answer(self, completion: Completion) -> None:
        """Give the environment a sampled answer, and take in what it says to it."""
        self.hear(take_turn(self.env, self.say(completion)))

    def say(self, completion: Completion) -> str:
        """Add a sampled answer; return its text, which the environment must have next."""
        text, state = self._encoder.decode(completion.token_ids), self._state()
        start = len(self._ids)
        self._extend(completion.token_ids, completion.logprobs, sampled=True)
        tokens = (start, len(self._ids))
        self._turns.append(Turn(tokens, text, 0.0, state=state, finished=completion.finished))
        return text

    def hear(self, outcome: TurnOutcome) -> None:
        """Take in what the environment said to the last answer."""
        turn = replace(
            self._turns[-1],
            reward=outcome.reward,
            components=outcome.components,
            masked=outcome.masked,
        )
        self._turns[-1] = turn
        if not outcome.masked:
            self._turns[-1] = turn_credits(
                self.env.unwrapped, self._encoder, self._ids, self._turns, self._answered, outcome
            )
        self._last = outcome
        if not outcome.over:
            self._take_in(outcome, turn)

    def fork(self, n: int) -> list[Self]:
        """Return ``n`` conversations that begin here, each with a world of its own.

        Raises:
            ConfigurationError: The environment cannot be forked.
        """
        base = self.env.unwrapped
        if not isinstance(base, ForkingEnv):
            raise ConfigurationError(
                f"{type(base).__name__} has no fork(): trees need an environment that can be copied"
            )
        context = self.context
        copies = [
            type(self)(env, self._encoder, self._delta, rng, context, self._messages, self.answered)
            for env, rng in zip(base.fork(n), self.rng.spawn(n), strict=True)
        ]
        for copy in copies:
            copy._shown = self._shown
        return copies

    def episode(self) -> Episode:
        """Return what was played."""
        last = self._last
        return Episode(
            prompt_ids=self.prompt_ids,
            token_ids=tuple(self._ids),
            sampled=tuple(self._sampled),
            logprobs=tuple(self._logprobs),
            turns=tuple(self._turns),
            stop_reason=None if last is None or not last.over else last.stop_reason,
            highest=float("nan") if last is None else last.highest,
            is_success=last is not None and last.is_success,
            failure="" if last is None else last.failure,
        )

    def _extend(self, ids: Sequence[int], logprobs: Sequence[float], *, sampled: bool) -> None:
        self._ids += ids
        self._logprobs += logprobs
        self._sampled += [sampled] * len(ids)

    def _take_in(self, outcome: TurnOutcome, turn: Turn) -> None:
        """Append what follows the answer, as context."""
        self._shown = added_messages(self.env, len(self._messages), turn.text, outcome)
        self._messages = outcome.messages
        ids = self._delta.after(self._shown, finished=turn.finished)
        self._extend(ids, [0.0] * len(ids), sampled=False)

    def _state(self) -> str:
        """Return a key of the state that the next answer is given in.

        It is the world's own hash with what was shown last; without such a hash the whole
        conversation. After a read the world is what it was, yet the model knows more.
        """
        base = self.env.unwrapped
        named = isinstance(base, StatefulEnv)
        world, seen = (base.state_hash(), self._shown) if named else ("", self._messages)
        text = json.dumps([world, [dict(message) for message in seen]])
        return hashlib.sha256(text.encode()).hexdigest()[:32]
