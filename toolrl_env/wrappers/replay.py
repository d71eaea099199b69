"""Running a recorded episode again and comparing everything that came of it."""

from __future__ import annotations

import warnings
from itertools import zip_longest
from typing import Any

import gymnasium as gym

from toolrl_env.core.errors import DataError, ReplayMismatch, UnknownName, UnknownTask
from toolrl_env.core.types import Trajectory, Transition
from toolrl_env.data.source import SampleDataWarning
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.wrappers.arguments import decode_arguments
from toolrl_env.wrappers.recorder import transition_of

__all__ = ["Replayer", "replay_trajectory"]

_SHOWN = 120


class Replayer:
    """Replays trajectories, making each environment once.

    Only registered ids are made, so a file cannot make this import a module: import yours first.
    """

    def __init__(self) -> None:
        self._made: dict[str, gym.Env[str, str]] = {}

    def replay(self, trajectory: Trajectory) -> None:
        """Run an episode again.

        Raises:
            ReplayMismatch: An observation, reward, component, end, reason or state of the world
                differs, or the tasks are others. The message lists every difference. States are
                compared where the file has them.
            UnknownName: No environment of that id is registered.
            DataError: The environment cannot be made with the recorded arguments.
        """
        env = self._env(trajectory)
        base = env.unwrapped
        if not isinstance(base, ToolUseEnv):
            raise DataError(f"{trajectory.env_id} is no environment that trajectories come from")
        if base.tasks.fingerprint != trajectory.fingerprint:
            raise ReplayMismatch(
                f"{trajectory.env_id}: the task set is another than at recording\n"
                f"  recorded {trajectory.fingerprint}\n  now      {base.tasks.fingerprint}"
            )
        differences = _differences(base, env, trajectory)
        if differences:
            title = f"{trajectory.env_id}, task {trajectory.task_id}: does not replay"
            raise ReplayMismatch("\n".join((title, *differences)))

    def _env(self, trajectory: Trajectory) -> gym.Env[str, str]:
        if trajectory.env_id not in gym.registry:
            known = [name for name in gym.registry if name.startswith("ToolRL-")]
            raise UnknownName("environment", trajectory.env_id, known)
        key = repr((trajectory.env_id, trajectory.env_kwargs))
        if key not in self._made:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SampleDataWarning)
                kwargs = decode_arguments(trajectory.env_kwargs)
                try:
                    self._made[key] = gym.make(trajectory.env_id, **kwargs)
                except TypeError as error:
                    raise DataError(
                        f"{trajectory.env_id} cannot be made with {kwargs!r:.200}: {error}"
                    ) from error
        return self._made[key]


def replay_trajectory(trajectory: Trajectory) -> None:
    """Run one recorded episode again; see ``Replayer.replay``."""
    Replayer().replay(trajectory)


def _differences(base: ToolUseEnv, env: gym.Env[str, str], trajectory: Trajectory) -> list[str]:
    options = {"task_id": trajectory.task_id, "training_step": trajectory.training_step}
    try:
        observation, _ = env.reset(options=options)
    except UnknownTask as error:
        raise ReplayMismatch(f"{trajectory.env_id}: {error}") from error
    found: list[str] = []
    for number, recorded in enumerate(trajectory.transitions):
        now = transition_of(observation, recorded.action, env.step(recorded.action), base)
        found += _compare(number, recorded, now)
        observation = now.next_observation
        if now.terminated or now.truncated:
            left = len(trajectory.transitions) - number - 1
            found += [f"  step {number}: ends here, {left} recorded steps follow"] if left else []
            break
    return found


def _compare(number: int, recorded: Transition, now: Transition) -> list[str]:
    texts = {
        "observation": (recorded.observation, now.observation),
        "next_observation": (recorded.next_observation, now.next_observation),
    }
    values: dict[str, tuple[Any, Any]] = {
        "reward": (recorded.reward, now.reward),
        "terminated": (recorded.terminated, now.terminated),
        "truncated": (recorded.truncated, now.truncated),
        "stop_reason": (recorded.stop_reason, now.stop_reason),
    }
    if recorded.state_hash is not None:
        values["state_hash"] = (recorded.state_hash, now.state_hash)
    for name in dict.fromkeys((*recorded.components, *now.components)):
        values[f"component {name}"] = (recorded.components.get(name), now.components.get(name))
    found = [
        f"  step {number}: {name}: {_text_difference(before, after)}"
        for name, (before, after) in texts.items()
        if before != after
    ]
    found += [
        f"  step {number}: {name}: recorded {before!r}, now {after!r}"
        for name, (before, after) in values.items()
        if before != after
    ]
    return found


def _text_difference(recorded: str, now: str) -> str:
    """Say where two different texts part, with a piece of both from there."""
    pairs = enumerate(zip_longest(recorded, now))
    place = next(index for index, (before, after) in pairs if before != after)
    line = recorded.count("\n", 0, place) + 1
    start = max(recorded.rfind("\n", 0, place) + 1, place - _SHOWN // 3)
    piece = slice(start, start + _SHOWN)
    return (
        f"differs from character {place} (line {line}) on\n"
        f"    recorded …{recorded[piece]!r}\n"
        f"    now      …{now[piece]!r}"
    )
