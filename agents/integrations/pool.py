"""Environments that are kept ready, for trainers that ask for an episode by its task alone."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Self

import gymnasium as gym

from agents.env_kwargs import make_env
from agents.integrations.tasks import TaskRef
from agents.turn_outcome import REPLACES_ANSWERS, TurnOutcome, added_messages, take_turn
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.multi_turn import MultiTurnEnv

__all__ = ["EnvPool", "PooledEpisode"]


class PooledEpisode:
    """One episode that another trainer plays. Made by ``EnvPool.open``; not for several threads.

    Attributes:
        ref: The task.
        task_id: Its id.
        messages: The whole conversation so far.
        observation: The same as text, as ``reset`` and ``step`` return it.
        tools: The tools on offer now, OpenAI-style.
        new_messages: What the environment said to the last answer; ``()`` before the first one and
            when the episode is over.
        outcomes: What came of each answer.
    """

    def __init__(self, pool: EnvPool, env: ToolUseEnv, ref: TaskRef) -> None:
        self._pool, self._env = pool, env
        self.ref = ref
        self.new_messages: tuple[Mapping[str, Any], ...] = ()
        self.outcomes: list[TurnOutcome] = []
        self._closed = self._broken = False
        self.observation, info = env.reset(seed=0, options={"task_index": ref.index})
        self.task_id: str = info["task_id"]
        self.messages: Sequence[Mapping[str, Any]] = info["messages"]
        self.tools: Sequence[Mapping[str, Any]] = info["tools"]

    @property
    def over(self) -> bool:
        """Whether the episode has ended, in whatever way."""
        return self._broken or any(outcome.over for outcome in self.outcomes[-1:])

    @property
    def reward(self) -> float:
        """The sum of the rewards so far."""
        return sum(outcome.reward for outcome in self.outcomes)

    @property
    def max_turns(self) -> int | None:
        """Answers after which the environment cuts the episode; ``None`` without such a limit."""
        return self._env.max_turns if isinstance(self._env, MultiTurnEnv) else None

    def answer(self, text: str) -> TurnOutcome:
        """Let the environment have an answer of the model.

        Raises:
            InfrastructureError: Something of ours failed: this step has no reward, and the episode
                is over.
            ConfigurationError: The conversation did not go on from the answer.
            gymnasium.error.ResetNeeded: The episode is over or closed.
        """
        if self._closed or self.over:
            raise gym.error.ResetNeeded("this episode is over: open another one")
        self._broken, self.new_messages = True, ()  # also if the step is interrupted
        outcome = take_turn(self._env, text)
        if outcome.masked:
            kind = outcome.failure_kind or FailureKind.TOOL_CRASHED
            raise InfrastructureError(outcome.failure or "a step asks not to be counted", kind)
        self._broken = False
        self.outcomes.append(outcome)
        said = () if outcome.over else added_messages(self._env, len(self.messages), text, outcome)
        self.new_messages = tuple(said)
        self.observation, self.messages = outcome.observation, outcome.messages
        self.tools = outcome.info["tools"]
        return outcome

    def gold_answer(self) -> str:
        """Return the gold answer to what was said last, in the environment's protocol.

        Raises:
            ConfigurationError: There is none.
        """
        return self._env.gold_answer()

    def close(self) -> None:
        """Give the environment back. May be called again."""
        if not self._closed:
            self._closed = True
            self._pool.take_back(self.ref, self._env, broken=self._broken)

    def __enter__(self) -> Self:
        """Return the episode."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


class EnvPool:
    """Plays tasks by reference. Each set of arguments is made once; episodes use copies of it.

    Copies are used again by later episodes, one at a time. Threads may share a pool.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], ToolUseEnv] = {}
        self._idle: dict[tuple[str, str], list[ToolUseEnv]] = {}
        self._closed = False

    def open(self, ref: TaskRef) -> PooledEpisode:
        """Start an episode.

        Raises:
            ConfigurationError: There is no such environment, argument or task, the environment puts
                other answers in the place of the model's, or the pool is closed.
            InfrastructureError: The task's world cannot be opened.
        """
        env = self._take(ref)
        try:
            return PooledEpisode(self, env, ref)
        except ConfigurationError:
            self.take_back(ref, env, broken=False)
            raise
        except BaseException:
            self.take_back(ref, env, broken=True)
            raise

    def score(self, ref: TaskRef, text: str) -> TurnOutcome:
        """Return what comes of one answer, in an environment whose episodes are one answer.

        Raises:
            ConfigurationError: As for ``open``, or the episode goes on after the answer.
            InfrastructureError: Something of ours failed: there is no reward.
        """
        with self.open(ref) as episode:
            outcome = episode.answer(text)
        if not outcome.over:
            raise ConfigurationError(
                f"{ref.env} goes on after an answer: one answer cannot be scored alone. Play its "
                "episodes, or make it with mode='single_turn' if it has that"
            )
        return outcome

    def take_back(self, ref: TaskRef, env: ToolUseEnv, *, broken: bool) -> None:
        """Close an environment's world; keep it for a later episode unless it failed."""
        if broken or isinstance(env, MultiTurnEnv):
            env.close()
        with self._lock:
            keep = not (broken or self._closed)
            if keep:
                self._idle[ref.env, ref.env_kwargs].append(env)
        if not (broken or keep):
            env.close()

    def close(self) -> None:
        """Close every environment; those of running episodes when these are closed."""
        with self._lock:
            self._closed = True
            envs = [*self._made.values(), *(env for idle in self._idle.values() for env in idle)]
            self._made.clear()
            self._idle.clear()
        for env in envs:
            env.close()

    def __enter__(self) -> Self:
        """Return the pool."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _take(self, ref: TaskRef) -> ToolUseEnv:
        key = (ref.env, ref.env_kwargs)
        with self._lock:
            if self._closed:
                raise ConfigurationError("this pool of environments is closed")
            idle = self._idle.setdefault(key, [])
            if idle:
                return idle.pop()
            if key not in self._made:
                made = make_env(ref.env, ref.kwargs()).unwrapped
                if not isinstance(made, ToolUseEnv):
                    made.close()
                    raise ConfigurationError(
                        f"{ref.env} is a {type(made).__name__}, not a ToolUseEnv: it cannot be "
                        "copied for episodes that run side by side"
                    )
                if isinstance(made, MultiTurnEnv) and made.teacher_forced:
                    made.close()
                    raise ConfigurationError(f"{ref.env} {REPLACES_ANSWERS}")
                self._made[key] = made
            return self._made[key].fork(1)[0]
