"""``RecordTrajectories``: writes every finished episode to a file, to be replayed from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.core.types import StopReason, Trajectory, Transition
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.spaces import UnicodeText
from toolrl_env.wrappers.arguments import encode_arguments
from toolrl_env.wrappers.trajectories import encode

__all__ = ["RecordTrajectories", "transition_of"]

StepResult = tuple[str, SupportsFloat, bool, bool, dict[str, Any]]


class RecordTrajectories(gym.Wrapper[str, str, str, str], RecordConstructorArgs):
    """Append each finished episode to a JSONL file, as one ``Trajectory`` a line.

    A line is written by one unbuffered append when the episode ends, so a crash loses the running
    episode alone, and several environments, also in several processes, may share a file. If the
    file ends in the middle of a line, that piece is closed off and kept. An episode that is reset
    before its end is not written. Nothing the environment returns is changed. The state of the
    world, if there is one, is hashed after every step.

    ``toolrl replay FILE`` and ``toolrl_env.wrappers.replay_trajectory`` run the episodes again.

    Args:
        env: A text environment of this package, or of your own on top of ``ToolUseEnv``, made by
            ``gym.make``. Wrappers that turn text into something else go outside of this one.
        path: The file; folders on the way are made.

    Raises:
        ConfigurationError: The environment is not of that kind, or has arguments that a file cannot
            carry (a ``chat_template``, a reward with terms of your own).
        DataError: The file cannot be written.
    """

    def __init__(self, env: gym.Env[str, str], path: str | Path) -> None:
        RecordConstructorArgs.__init__(self, path=str(path))
        gym.Wrapper.__init__(self, env)  # pyright: ignore[reportUnknownMemberType]
        if not isinstance(env.unwrapped, ToolUseEnv):
            raise ConfigurationError(
                f"RecordTrajectories takes a ToolUseEnv, not {type(env.unwrapped).__name__}"
            )
        spaces = (env.observation_space, env.action_space)
        if not all(isinstance(space, UnicodeText) for space in spaces):
            raise ConfigurationError(
                "RecordTrajectories records text: put it inside the wrapper that changes "
                f"the spaces to {spaces[0]} and {spaces[1]}"
            )
        if env.unwrapped.spec is None:
            raise ConfigurationError(
                "the environment has no id to make it by again: make it with gym.make"
            )
        self.path = Path(path)
        self._base = env.unwrapped
        self._env_id = env.unwrapped.spec.id
        self._env_kwargs = encode_arguments(env.unwrapped.spec.kwargs)
        self._observation = ""
        self._transitions: list[Transition] = []
        self._prepare_file()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Start an episode; one that is still running is dropped."""
        self._observation, info = self.env.reset(seed=seed, options=options)
        self._transitions.clear()
        return self._observation, info

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Step, and write the episode down if this ends it."""
        result = self.env.step(action)
        transition = transition_of(self._observation, action, result, self._base)
        self._transitions.append(transition)
        self._observation = transition.next_observation
        if transition.terminated or transition.truncated:
            self._write(result[4]["task_id"])
            self._transitions.clear()
        return transition.next_observation, transition.reward, *result[2:]

    def _write(self, task_id: str) -> None:
        trajectory = Trajectory(
            env_id=self._env_id,
            env_kwargs=self._env_kwargs,
            fingerprint=self._base.tasks.fingerprint,
            task_id=task_id,
            training_step=self._base.training_step,
            transitions=tuple(self._transitions),
        )
        self._append(encode(trajectory).encode("ascii") + b"\n")

    def _prepare_file(self) -> None:
        """Make the folders, check that the file can be written and close off a cut last line."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                if file.tell():
                    file.seek(-1, 2)
                    cut = file.read(1) != b"\n"
                    file.write(b"\n" if cut else b"")
        except OSError as error:
            raise DataError(f"{self.path}: cannot be written: {error.strerror or error}") from error

    def _append(self, line: bytes) -> None:
        try:
            with self.path.open("ab", buffering=0) as file:
                file.write(line)
        except OSError as error:
            raise DataError(f"{self.path}: cannot be written: {error.strerror or error}") from error


def transition_of(observation: str, action: str, result: StepResult, env: ToolUseEnv) -> Transition:
    """Return a step as data.

    Args:
        observation: What was seen before.
        action: The answer.
        result: What ``step`` returned.
        env: The environment as the step left it.
    """
    following, reward, terminated, truncated, info = result
    reason = info.get("stop_reason")
    failed = info.get("failure_kind") is not None
    return Transition(
        observation=observation,
        action=action,
        reward=float(reward),
        components=dict(info["reward"]),
        next_observation=following,
        terminated=terminated,
        truncated=truncated,
        stop_reason=None if reason is None else StopReason(reason),
        state_hash=None if failed else env.state_hash(),
    )
