"""SkyRL-Gym: an environment of ours as a ``BaseTextEnv``, and its tasks as SkyRL's rows.

SkyRL makes an environment for each trajectory, ``skyrl_gym.make(env_class, env_config=…,
extras=…)``, where ``extras`` are the columns of the row but ``prompt`` and ``env_class``. The
columns that name a task (``TaskRef``) are among them, and that is all that is needed to play it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import gymnasium as gym
import skyrl_gym
from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput

from agents.files import replacing
from agents.integrations.pool import EnvPool, PooledEpisode
from agents.integrations.tasks import TaskRef, task_rows
from agents.turn_outcome import TurnOutcome
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError, InfrastructureError

__all__ = ["ENV_CLASS", "ToolRLTextEnv", "register", "skyrl_rows", "write_parquet"]

ENV_CLASS = "toolrl"
"""The id in SkyRL-Gym's registry, and the rows' ``env_class``."""
_NATIVE = (
    "protocol='native' shows the tools through the chat template, which SkyRL cannot give a row's "
    "tools: use protocol='toolrl' or 'python', which have them in the system message"
)


def register(env_class: str = ENV_CLASS) -> None:
    """Register ``ToolRLTextEnv`` with SkyRL-Gym; again is harmless.

    Args:
        env_class: The id. It says nothing of the environment of ours: the row does.

    Raises:
        ConfigurationError: SkyRL-Gym has another environment by that id.
    """
    entry_point = f"{__name__}:{ToolRLTextEnv.__name__}"
    known = skyrl_gym.registry.get(env_class)
    if known is None:
        skyrl_gym.register(id=env_class, entry_point=entry_point)
    elif known.entry_point != entry_point:
        raise ConfigurationError(
            f"env_class={env_class!r} is SkyRL-Gym's {known.entry_point} already: take another id"
        )


def skyrl_rows(
    env: str, env_kwargs: Mapping[str, Any], indices: Iterable[int], env_class: str = ENV_CLASS
) -> list[dict[str, Any]]:
    """Return tasks as rows of SkyRL's ``PromptDataset``. The gold answers are not in them.

    Args:
        env: Registered environment id.
        env_kwargs: For ``gym.make``.
        indices: The tasks.
        env_class: The id that ``register`` was given.

    Returns:
        Rows with ``prompt`` (chat messages), ``env_class``, ``data_source`` (by which SkyRL groups
        its evaluation), ``task_id``, ``category`` and the columns of ``TaskRef``.

    Raises:
        ConfigurationError: There is no such environment, argument or task, or the protocol is
            ``native``.
        InfrastructureError: A task's world cannot be opened.
    """
    rows = []
    for row in task_rows(env, env_kwargs, indices):
        _refuse_native(row.ref)
        about = {"data_source": row.source, "task_id": row.task_id, "category": row.category}
        prompt = [dict(message) for message in row.messages]
        rows.append({"prompt": prompt, "env_class": env_class, **about, **row.ref.as_dict()})
    return rows


def write_parquet(path: Path | str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows to a Parquet file, as SkyRL's ``data.train_data`` takes it; return its path.

    Raises:
        ConfigurationError: There are no rows, or the file cannot be written; one that was there
            before is still there then.
    """
    import pyarrow as pa
    from pyarrow import parquet

    if not rows:
        raise ConfigurationError("there are no rows to write")
    path = Path(path)
    table = pa.Table.from_pylist([dict(row) for row in rows])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as scratch:
            parquet.write_table(table, scratch)
    except OSError as error:
        raise ConfigurationError(f"path={str(path)!r} cannot be written: {error}") from error
    return path


class ToolRLTextEnv(BaseTextEnv):
    """One episode of a task, as SkyRL plays it: ``init``, ``step`` until ``done``, ``close``.

    Rewards are those of ``step`` of the environment itself, turn by turn. A model's bad answer has
    its reward. If something of ours fails, ``init`` or ``step`` raises ``InfrastructureError``:
    there is no reward then, not even 0.

    Args:
        env_config: Nothing: the environment's arguments are in the row.
        extras: The row, without ``prompt`` and ``env_class``. SkyRL's generator adds ``max_turns``,
            which must leave the environment room for its own limit of turns.

    Attributes:
        pool: Makes each environment once for all episodes of this process; threads share it.

    Raises:
        ConfigurationError: ``env_config`` says something, the row names no task, or its protocol is
            ``native``.
    """

    pool: ClassVar[EnvPool] = EnvPool()

    def __init__(
        self, env_config: Mapping[str, Any] | None = None, extras: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__()
        if env_config:
            raise ConfigurationError(
                f"env_config={env_config!r:.200} has no effect: arguments of the environment are "
                "in the rows' env_kwargs"
            )
        row = extras or {}
        self.ref = TaskRef.parse(row)
        _refuse_native(self.ref)
        given = row.get("max_turns")
        self.max_turns = None if given is None else whole_number("max_turns", given, 1)
        self._episode: PooledEpisode | None = None

    def init(self, prompt: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], dict]:
        """Begin the episode.

        Args:
            prompt: The row's.

        Returns:
            The messages to begin with, which are those of ``prompt``, and ``task_id``.

        Raises:
            ConfigurationError: ``prompt`` is not what the environment shows (the rows were written
                with other arguments or another version), there is no such environment or task, or
                SkyRL's ``generator.max_turns`` is less than the environment's.
            InfrastructureError: The task's world cannot be opened.
        """
        self.close()
        episode = self._episode = self.pool.open(self.ref)
        self.turns = 0
        try:
            self._check(episode, prompt)
        except ConfigurationError:
            self.close()
            raise
        return [dict(message) for message in episode.messages], {"task_id": episode.task_id}

    def step(self, action: str) -> BaseTextEnvStepOutput:
        """Let the environment have an answer.

        Returns:
            ``observations``: what the environment says to it, empty at the end; ``reward``;
            ``done``; ``metadata``: ``task_id``, ``reward`` (term by term), ``stop_reason`` (why the
            episode ended, else ``None``), ``truncated`` (whether it was cut by a limit),
            ``is_success``, ``turn``.

        Raises:
            InfrastructureError: Something of ours failed. The episode is closed.
            gymnasium.error.ResetNeeded: No episode is running.
        """
        if self._episode is None:
            raise gym.error.ResetNeeded("call init() before step(): no episode is running")
        try:
            outcome = self._episode.answer(action)
        except InfrastructureError:
            self.close()  # SkyRL does not, after an exception
            raise
        self.turns += 1
        return BaseTextEnvStepOutput(
            observations=[dict(message) for message in self._episode.new_messages],
            reward=outcome.reward,
            done=outcome.over,
            metadata=self._metadata(outcome),
        )

    def get_metrics(self) -> dict[str, Any]:
        """Return the episode's numbers, which SkyRL averages and logs as ``environment/…``."""
        outcomes = () if self._episode is None else self._episode.outcomes
        metrics: dict[str, float] = {"turns": float(self.turns)}
        for outcome in outcomes:
            metrics["is_success"] = float(outcome.is_success)
            metrics["truncated"] = float(outcome.truncated)
            for name, score in outcome.components.items():
                metrics[f"reward_{name}"] = metrics.get(f"reward_{name}", 0.0) + score
        return metrics

    def close(self) -> None:
        """Give the environment back. May be called again."""
        if self._episode is not None:
            self._episode.close()
            self._episode = None

    def _metadata(self, outcome: TurnOutcome) -> dict[str, Any]:
        return {
            "task_id": self._episode.task_id if self._episode else None,
            "reward": dict(outcome.components),
            "stop_reason": None if outcome.stop_reason is None else outcome.stop_reason.value,
            "truncated": outcome.truncated,
            "is_success": outcome.is_success,
            "turn": self.turns,
        }

    def _check(self, episode: PooledEpisode, prompt: Sequence[Mapping[str, Any]]) -> None:
        limit = episode.max_turns
        if self.max_turns is not None and limit is not None and self.max_turns < limit:
            raise ConfigurationError(
                f"generator.max_turns={self.max_turns}, and {self.ref.env} takes up to {limit} "
                f"answers: set generator.max_turns={limit}, or write the rows with "
                f"env_kwargs={{'max_turns': {self.max_turns}}}"
            )
        if [_without_none(each) for each in prompt] != list(episode.messages):
            raise ConfigurationError(
                f"the prompt of task {episode.task_id!r} is not what {self.ref.env} shows with "
                f"env_kwargs={self.ref.env_kwargs}: write the rows anew"
            )


def _without_none(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message as it was before a Parquet file gave all messages the same keys."""
    return {key: value for key, value in message.items() if value is not None}


def _refuse_native(ref: TaskRef) -> None:
    if ref.kwargs().get("protocol") == "native":
        raise ConfigurationError(_NATIVE)
