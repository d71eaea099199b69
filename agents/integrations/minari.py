"""Minari datasets of our episodes: recorded live or from trajectory files, read back, replayed.

python -m agents.integrations.minari import runs/gold/trajectories.jsonl toolrl/gold-v0

python -m agents.integrations.minari replay toolrl/gold-v0

python -m agents.integrations.minari export toolrl/gold-v0 gold.jsonl --min-return 4

Datasets lie in the folder that the variable MINARI_DATASETS_PATH names, or in ~/.minari/datasets.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import minari
import tyro
from minari import DataCollector, MinariDataset

from agents.integrations.minari_about import (
    About,
    Origin,
    check_id,
    describe,
    note_origin,
    what_is_not_json,
    without_advice,
)
from agents.integrations.minari_read import (
    load,
    make_again,
    recover,
    replay,
    tell_left_out,
    trajectories,
)
from agents.integrations.minari_steps import KeepInfo, buffer_of, reward_terms
from toolrl_env.core.errors import (
    ConfigurationError,
    DataError,
    ReplayMismatch,
    ToolRLError,
    UnknownName,
)
from toolrl_env.core.types import StopReason, Trajectory
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.wrappers import read_trajectories
from toolrl_env.wrappers.arguments import encode_arguments
from toolrl_env.wrappers.trajectories import encode

__all__ = [
    "About",
    "collect",
    "from_trajectories",
    "load",
    "recover",
    "replay",
    "reward_terms",
    "save",
    "trajectories",
]

_FORMATS = ("hdf5", "arrow", "parquet")


def collect(env: gym.Env[Any, Any], data_format: str = "hdf5") -> DataCollector:
    """Return Minari's recorder around an environment of ours, set up to keep our ``info``.

    Step it like any environment, then call ``save``. Works on text, and on what
    ``CandidateActions``, ``ComposedActions`` and ``TextFeatures`` make of it.

    Args:
        env: Made by ``gym.make``, wrapped or not.
        data_format: ``"hdf5"``, ``"arrow"`` or ``"parquet"``. HDF5 is the fastest to write, but
            cannot hold a NUL.

    Raises:
        ConfigurationError: The environment is not one of ours, or could not be made again from the
            dataset: it has no id, or an argument that is not JSON.
    """
    if data_format not in _FORMATS:
        raise UnknownName("data_format", data_format, _FORMATS)
    if not isinstance(env.unwrapped, ToolUseEnv):
        raise ConfigurationError(f"collect takes a ToolUseEnv, not {type(env.unwrapped).__name__}")
    if env.spec is None:
        raise ConfigurationError(
            "the environment cannot be made again from a dataset: make it with gym.make, and use "
            "wrappers that record their arguments"
        )
    trouble = what_is_not_json(env.spec)
    if trouble:
        raise ConfigurationError(
            f"{trouble}, so the dataset could not make the environment again. Give paths as text "
            "and rewards by their names; or record with RecordTrajectories, then from_trajectories"
        )
    keep = partial(KeepInfo, data_format)
    return DataCollector(env, keep, record_infos=True, data_format=data_format)


def save(collector: DataCollector, dataset_id: str, about: About | None = None) -> MinariDataset:
    """Write what was collected as a dataset; the collector then begins anew.

    An episode that is still running is cut there, and stored.

    Args:
        collector: What ``collect`` returned.
        dataset_id: ``[namespace/]name-v0``.
        about: What the dataset says of itself.

    Raises:
        ConfigurationError: The id is malformed or taken, or ``collect`` did not make the collector.
        DataError: Nothing was collected, or the collector is closed.
    """
    base, spec = collector.unwrapped, collector.unwrapped.spec
    if not isinstance(collector._step_data_callback, KeepInfo):
        raise ConfigurationError("save takes what collect returned; this is another DataCollector")
    assert isinstance(base, ToolUseEnv)
    assert spec is not None
    check_id(dataset_id)
    if not Path(collector._storage.data_path).exists():
        raise DataError("the collector is closed, and what it held is gone: save before close")
    running = collector._buffer
    if not (collector._storage.total_episodes or (running is not None and len(running))):
        raise DataError("there are no episodes to write")
    with without_advice():
        dataset = collector.create_dataset(
            dataset_id, eval_env=collector.env.spec, **describe(spec.id, about)
        )
    note_origin(dataset, Origin(spec.id, encode_arguments(spec.kwargs), base.tasks.fingerprint))
    return dataset


def from_trajectories(
    found: Iterable[Trajectory],
    dataset_id: str,
    about: About | None = None,
    data_format: str = "hdf5",
) -> MinariDataset:
    """Write recorded episodes as a dataset; nothing is stepped.

    Episodes that something of ours stopped have no return: they are left out, with a warning.

    Args:
        found: All of one environment with the same arguments and tasks.
        dataset_id: ``[namespace/]name-v0``.
        about: What the dataset says of itself.
        data_format: As for ``collect``.

    Raises:
        ConfigurationError: The id is malformed or taken, or the environment cannot be made.
        DataError: There are no episodes, they are of several environments, or a text of theirs
            cannot be stored. Nothing is written then.
    """
    if data_format not in _FORMATS:
        raise UnknownName("data_format", data_format, _FORMATS)
    check_id(dataset_id)
    kept = _scored(found)
    origin, buffers = _origin_of_all(kept), [buffer_of(each, data_format) for each in kept]
    with closing(make_again(origin.env_id, origin.env_kwargs)) as env, without_advice():
        faithful = env.spec is not None and not what_is_not_json(env.spec)
        dataset = minari.create_dataset_from_buffers(
            dataset_id,
            buffers,
            env=env if faithful else None,
            eval_env=env if faithful else None,
            observation_space=env.observation_space,
            action_space=env.action_space,
            data_format=data_format,
            **describe(origin.env_id, about),
        )
    note_origin(dataset, origin)
    return dataset


def _scored(found: Iterable[Trajectory]) -> list[Trajectory]:
    """Return the episodes that have a return."""
    played = list(found)
    kept = [
        each for each in played if each.transitions[-1].stop_reason is not StopReason.INFRASTRUCTURE
    ]
    tell_left_out(len(played) - len(kept))
    if not kept:
        raise DataError("there are no episodes to write")
    return kept


def _origin_of_all(found: Sequence[Trajectory]) -> Origin:
    origins = [Origin(each.env_id, each.env_kwargs, each.fingerprint) for each in found]
    other = next((each for each in origins if each != origins[0]), None)
    if other is not None:
        raise DataError(
            "a dataset is of one environment, and the episodes are of\n"
            f"  {origins[0]}\n  {other}\nMake a dataset of each."
        )
    return origins[0]


# ---------------------------------------------------------------------------- command line


def import_file(
    file: tyro.conf.Positional[Path],
    dataset: tyro.conf.Positional[str],
    about: About,
    data_format: str = "hdf5",
) -> None:
    """Write a trajectory file as a dataset.

    Args:
        file: What RecordTrajectories, agents.evaluate or toolrl play --record wrote.
        dataset: Id of the new dataset, [namespace/]name-v0.
        about: What it says of itself.
        data_format: hdf5, arrow or parquet.
    """
    made = from_trajectories(read_trajectories(file), dataset, about, data_format)
    print(f"{made.total_episodes} episodes, {made.total_steps} steps: {made.spec.data_path}")


def export_dataset(
    dataset: tyro.conf.Positional[str],
    file: tyro.conf.Positional[Path],
    min_return: float | None = None,
) -> None:
    """Write a text dataset as a trajectory file, for toolrl replay or agents.sft.

    Args:
        dataset: Id of the dataset.
        file: The new file.
        min_return: Leave out episodes whose rewards add up to less.
    """
    least = -math.inf if min_return is None else min_return
    if math.isnan(least):
        raise ConfigurationError(f"min_return={least}; allowed: a number")
    found = list(trajectories(load(dataset)))
    returns = [sum(step.reward for step in each.transitions) for each in found]
    if not found:
        raise DataError(f"{dataset} has no episode to write")
    if max(returns) < least:
        raise DataError(
            f"{dataset} has no episode to write: min_return={least}, the best has {max(returns)}"
        )
    kept = zip(found, returns, strict=True)
    lines = [encode(each) for each, earned in kept if earned >= least]
    try:
        with file.open("x", encoding="ascii") as out:
            out.writelines(line + "\n" for line in lines)
    except OSError as error:
        raise DataError(f"{file}: cannot be written: {error.strerror or error}") from error
    print(f"{len(lines)} episodes: {file}")


def replay_dataset(dataset: tyro.conf.Positional[str]) -> None:
    """Run the episodes of a dataset again and compare; exit status 1 if one differs.

    Args:
        dataset: Id of the dataset.
    """
    print(f"{replay(load(dataset))} episodes are the same again")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    commands = {"import": import_file, "export": export_dataset, "replay": replay_dataset}
    try:
        tyro.extras.subcommand_cli_from_dict(
            commands,
            prog="python -m agents.integrations.minari",
            description=__doc__,
            args=arguments,
        )
    except ReplayMismatch as mismatch:
        print(mismatch, file=sys.stderr)
        return 1
    except ToolRLError as error:
        print(f"agents.integrations.minari: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
