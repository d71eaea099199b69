"""An environment of ours as OpenEnv's ``Environment``: one object per session."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.utils.seeding import np_random
from openenv.core.env_server import Environment
from openenv.core.env_server.types import EnvironmentMetadata

from agents.integrations.openenv.failures import marked
from agents.integrations.openenv.models import ToolRLAction, ToolRLObservation, ToolRLState
from agents.integrations.openenv.served import Served
from agents.integrations.pool import PooledEpisode
from agents.turn_outcome import TurnOutcome
from toolrl_env import __version__
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError, InfrastructureError, UnknownName
from toolrl_env.core.frozen import thaw

__all__ = ["ToolRLEnvironment"]

_RESET = ("episode_id", "index", "seed", "split", "task_index")


class ToolRLEnvironment(Environment[ToolRLAction, ToolRLObservation, ToolRLState]):
    """A session: the episodes that one client plays, one after the other.

    Sessions share tasks, which never change, and nothing else. Rewards are the environment's own.
    A model's bad answer has its reward; a failure of ours raises ``InfrastructureError`` with its
    kind in the text, which OpenEnv sends as an error, and never becomes a reward.

    Args:
        served: What is served.
    """

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, served: Served) -> None:
        super().__init__()
        self._served = served
        self._rng = np_random(None)[0]
        self._episode: PooledEpisode | None = None
        self._state = ToolRLState(env=served.name, env_kwargs=served.env_kwargs)

    def reset(
        self,
        seed: int | None = None,
        episode_id: str | None = None,
        task_index: int | None = None,
        split: str | None = None,
        index: int | None = None,
        **unknown: Any,
    ) -> ToolRLObservation:
        """Start an episode.

        Args:
            seed: Reseeds what tasks are drawn with: equal seeds give the tasks that the Gymnasium
                environment's ``reset(seed=…)`` gives. ``None`` goes on with it.
            episode_id: A name for the episode, kept in ``state``.
            task_index: Picks the task; otherwise it is drawn at random.
            split: The split that is served, if named at all (OpenEnv's task API).
            index: The same as ``task_index`` (OpenEnv's task API).
            unknown: Refused: OpenEnv passes on whatever a client sends.

        Raises:
            ConfigurationError: An argument is unknown or out of range.
            InfrastructureError: The task's world cannot be opened; no episode is running then.
        """
        for name in unknown:
            raise UnknownName("reset argument", name, _RESET)
        if split is not None:
            self._check_split(split)
        if index is not None and task_index is not None:
            raise ConfigurationError("give task_index or index, not both: they are the same")
        if seed is not None:
            self._rng = np_random(whole_number("seed", seed))[0]
        return self._begin(index if task_index is None else task_index, episode_id)

    def _begin(self, index: int | None, episode_id: str | None) -> ToolRLObservation:
        self.close()
        self._state = ToolRLState(
            env=self._served.name, env_kwargs=self._served.env_kwargs, episode_id=episode_id
        )
        tasks = self._served.tasks
        try:
            episode = self._served.open(tasks.draw(self._rng) if index is None else index)
        except InfrastructureError as error:
            raise self._failed(error) from error
        self._episode = episode
        self._state.task_id, self._state.task_index = episode.task_id, episode.ref.index
        return self._observation(episode)

    def step(
        self, action: ToolRLAction, timeout_s: float | None = None, **kwargs: Any
    ) -> ToolRLObservation:
        """Give the environment an answer.

        Args:
            action: The answer. Half a surrogate pair, which UTF-8 cannot carry back to the client,
                is read as U+FFFD.
            timeout_s: Not used: tools have limits of their own, by the environment's arguments.
            kwargs: Not used.

        Raises:
            InfrastructureError: Something of ours failed: no reward, and the episode is over.
            gymnasium.error.ResetNeeded: No episode is running.
        """
        del timeout_s, kwargs
        episode = self._episode
        if episode is None:
            raise gym.error.ResetNeeded(
                "call reset() before step(). The HTTP routes /reset and /step forget the episode "
                "between two requests: use an OpenEnv client, which keeps a WebSocket"
            )
        try:
            outcome = episode.answer(_encodable(action.text))
        except InfrastructureError as error:
            raise self._failed(error) from error
        self._state.step_count += 1
        self._state.total_reward = episode.reward
        self._state.stop_reason = outcome.stop_reason
        return self._observation(episode, outcome)

    @property
    def state(self) -> ToolRLState:
        """Where the session stands."""
        return self._state

    def get_metadata(self) -> EnvironmentMetadata:
        """Return the environment's name and what it is."""
        tasks = self._served.tasks
        size = "endless" if tasks.size is None else f"{tasks.size} tasks"
        return EnvironmentMetadata(
            name=self._served.name,
            description=f"Tool use over {tasks.name}, split {tasks.split} ({size}), rewarded as in "
            "ToolRL (arXiv 2504.13958)",
            version=__version__,
        )

    def close(self) -> None:
        """End the running episode, if there is one."""
        if self._episode is not None:
            self._episode.close()
            self._episode = None

    # ------------------------------------------------------------------ OpenEnv's task API

    def list_splits(self) -> list[str]:
        """Return the split that is served."""
        return [self._served.tasks.split]

    def num_tasks(self, split: str) -> int:
        """Return the number of tasks.

        Raises:
            NotImplementedError: They are endless. OpenEnv answers 501.
        """
        self._check_split(split)
        if self._served.tasks.size is None:
            raise NotImplementedError(f"{self._served.name} has endless tasks")
        return self._served.tasks.size

    def get_task(self, split: str, index: int) -> dict[str, Any]:
        """Return a task's id and index; what it asks comes with ``reset``.

        Raises:
            IndexError: There is no such task. OpenEnv answers 400.
        """
        self._check_split(split)
        try:
            task = self._served.tasks[index]
        except LookupError as error:
            raise IndexError(str(error)) from error
        return {"id": task.id, "index": index}

    def _check_split(self, split: str) -> None:
        if split != self._served.tasks.split:
            raise UnknownName("split", split, self.list_splits())

    def _failed(self, error: InfrastructureError) -> InfrastructureError:
        named = marked(error)
        self._state.failure = str(named)
        self.close()
        return named

    def _observation(
        self, episode: PooledEpisode, outcome: TurnOutcome | None = None
    ) -> ToolRLObservation:
        seen = ToolRLObservation(
            text=episode.observation,
            messages=[thaw(message) for message in episode.messages],
            new_messages=[thaw(message) for message in episode.new_messages],
            tools=[thaw(tool) for tool in episode.tools],
            task_id=episode.task_id,
            task_index=episode.ref.index,
        )
        if outcome is None:
            return seen
        earned = {
            "reward": outcome.reward,
            "done": outcome.over,
            "terms": dict(outcome.components),
            "truncated": outcome.truncated,
            "stop_reason": outcome.stop_reason,
            "is_success": outcome.is_success,
        }
        return seen.model_copy(update=earned)


def _encodable(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
