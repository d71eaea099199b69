"""Minari datasets read back: as trajectories, and by running their episodes again."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import gymnasium as gym
import minari
import numpy as np
from minari import EpisodeData, MinariDataset

from agents.env_kwargs import make_env
from agents.integrations.minari_about import origin_of
from agents.integrations.minari_steps import failed, info_texts, transitions_of
from toolrl_env.core.errors import (
    ConfigurationError,
    DataError,
    ReplayMismatch,
    UnknownName,
    nearest,
)
from toolrl_env.core.types import Trajectory
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.wrappers.arguments import decode_arguments
from toolrl_env.wrappers.recorder import transition_of

__all__ = ["load", "make_again", "recover", "replay", "tell_left_out", "trajectories"]


def load(dataset_id: str) -> MinariDataset:
    """Return ``minari.load_dataset(dataset_id)``; nothing is downloaded.

    Raises:
        DataError: There is no such dataset here (names those that there are), or it is broken.
    """
    try:
        return minari.load_dataset(dataset_id)
    except FileNotFoundError:
        here = sorted(minari.list_local_datasets())
        close = nearest(dataset_id, here)
        hint = f" Did you mean {close!r}?" if close else ""
        known = ", ".join(here) or "none"
        raise DataError(
            f"there is no dataset {dataset_id!r} here; there are: {known}.{hint}"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"dataset {dataset_id!r} cannot be loaded: {error}") from error


def trajectories(dataset: MinariDataset) -> Iterator[Trajectory]:
    """Yield the episodes of a text dataset as trajectories, equal to what they were made from.

    Episodes in which something of ours failed, or that were cut from outside (by ``save``, a
    ``reset`` or a time limit), are left out, with a warning.

    Raises:
        ConfigurationError: The dataset is not of texts.
        DataError: It was not recorded with this module.
    """
    spaces = (dataset.observation_space, dataset.action_space)
    if not all(isinstance(space, gym.spaces.Text) for space in spaces):
        raise ConfigurationError(
            f"trajectories are text, and this dataset has {spaces[0]} and {spaces[1]}"
        )
    env_id, env_kwargs = origin_of(dataset)
    left_out = 0
    for episode in dataset:
        if failed(episode) or not info_texts(episode, "stop_reason")[-1]:
            left_out += 1
            continue
        yield Trajectory(
            env_id=env_id,
            env_kwargs=env_kwargs,
            fingerprint=info_texts(episode, "fingerprint")[0],
            task_id=info_texts(episode, "task_id")[0],
            training_step=int(episode.infos["training_step"][0]),
            transitions=transitions_of(episode),
        )
    tell_left_out(left_out)


def recover(dataset: MinariDataset) -> gym.Env[Any, Any]:
    """Return ``dataset.recover_environment()``, also where an argument is not plain JSON.

    Like Minari's, it imports the module that the dataset names as the environment's.

    Raises:
        DataError: The dataset does not say which environment it is of.
    """
    if dataset.env_spec is not None:
        return dataset.recover_environment()
    return make_again(*origin_of(dataset))


def replay(dataset: MinariDataset) -> int:
    """Run every episode again in the recovered environment, and compare all that came of it.

    Works on text and on numbers. Episodes in which something of ours failed are left out, with a
    warning. How an episode that was cut from outside ended is not compared.

    Returns:
        How many episodes were the same again.

    Raises:
        ReplayMismatch: An observation, reward, term, end or state of the world differs, or the
            tasks are others; names the first difference.
        DataError: The dataset was not recorded with this module.
    """
    same = left_out = 0
    with closing(recover(dataset)) as env:
        for episode in dataset:
            if failed(episode):
                left_out += 1
            else:
                _run_again(env, episode)
                same += 1
    tell_left_out(left_out)
    return same


def make_again(env_id: str, env_kwargs: Mapping[str, Any]) -> gym.Env[str, str]:
    """Make a registered environment with arguments that ``encode_arguments`` wrote.

    Raises:
        UnknownName: No environment of that id is registered; no module is imported to find one.
        ConfigurationError: It has no such arguments.
    """
    if env_id not in gym.registry:
        known = [name for name in gym.registry if name.startswith("ToolRL-")]
        raise UnknownName("environment", env_id, known)
    return make_env(env_id, decode_arguments(env_kwargs))


def tell_left_out(number: int) -> None:
    """Warn about episodes without a return, if there are any."""
    if number:
        warnings.warn(
            f"{number} episodes are left out: something failed or cut them, so they have no return",
            stacklevel=3,
        )


def _run_again(env: gym.Env[Any, Any], episode: EpisodeData) -> None:
    base = env.unwrapped
    assert isinstance(base, ToolUseEnv)
    where = f"episode {episode.id}, task {info_texts(episode, 'task_id')[0]!r:.80}"
    fingerprint = info_texts(episode, "fingerprint")[0]
    if base.tasks.fingerprint != fingerprint:
        raise ReplayMismatch(
            f"{where}: the task set is another than at recording\n"
            f"  recorded {fingerprint}\n  now      {base.tasks.fingerprint}"
        )
    texts = {name: info_texts(episode, name) for name in ("terms", "stop_reason", "state_hash")}
    observation, _ = env.reset(
        options={
            "task_id": info_texts(episode, "task_id")[0],
            "training_step": int(episode.infos["training_step"][0]),
        }
    )
    _require_equal(where, "first observation", episode.observations[0], observation)
    for number, action in enumerate(episode.actions):
        result = env.step(action)
        now = transition_of("", "", ("", *result[1:]), base)
        place = f"{where}, step {number}"
        _require_equal(place, "observation", episode.observations[number + 1], result[0])
        _require_equal(place, "reward", float(episode.rewards[number]), now.reward)
        recorded = {name: column[number + 1] for name, column in texts.items()}
        _require_equal(place, "terms", json.loads(recorded["terms"]), now.components)
        _require_equal(place, "stop_reason", recorded["stop_reason"], now.stop_reason or "")
        _require_equal(place, "state_hash", recorded["state_hash"], now.state_hash or "")


def _require_equal(where: str, what: str, recorded: Any, now: Any) -> None:
    same = np.array_equal(recorded, now) if isinstance(now, np.ndarray) else recorded == now
    if not same:
        raise ReplayMismatch(f"{where}: {what}: recorded {recorded!r:.200}, now {now!r:.200}")
