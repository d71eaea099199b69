"""One episode as Minari stores it, and back: what is kept beside the steps, and what cannot be.

Importing this teaches Minari to read ``UnicodeText`` back: it writes any ``Text`` by its length and
its set of characters, and a set that is empty means every character here.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from minari import EpisodeData, StepData, StepDataCallback
from minari.data_collector import EpisodeBuffer
from minari.serialization import deserialize_space
from numpy.typing import NDArray

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import StopReason, Trajectory, Transition
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.spaces import UnicodeText
from toolrl_env.wrappers.recorder import transition_of

__all__ = [
    "KeepInfo",
    "buffer_of",
    "failed",
    "info_texts",
    "require_storable",
    "reward_terms",
    "transitions_of",
]

_NO_REWARD = float("nan")
_STRICTEST = "hdf5"  # for infos in every format: NumPy drops a NUL at the end of a text
_AT_RESET = {"terms": "{}", "stop_reason": "", "state_hash": ""}
_plain_text = deserialize_space.registry["Text"]


@deserialize_space.register("Text")
def _read_text_space(fields: Mapping[str, Any]) -> gym.spaces.Text:
    if fields["charset"] == "" and fields["min_length"] == 0:
        return UnicodeText(fields["max_length"])
    return _plain_text(fields)


class KeepInfo(StepDataCallback):
    """Keeps of ``info`` what has one form at every step, for ``DataCollector(record_infos=True)``.

    Every field has an entry for the reset and one for each step:

    - ``task_id``, ``fingerprint`` (of the task set), ``training_step``;
    - ``terms``: the reward, term by term, as a JSON object; ``{}`` at the reset;
    - ``stop_reason``: empty while the episode goes on;
    - ``state_hash``: of the world after the step; empty where there is none;
    - ``failure_kind``: empty unless something of ours failed. Such a step's reward becomes NaN;
    - with ``CandidateActions`` and ``ComposedActions`` also ``action_mask`` (which actions mean
      something in the state that the entry's observation shows) and ``answer``, the text sent.

    Args:
        data_format: Minari's name of the storage; decides which texts can be stored.
    """

    def __init__(self, data_format: str) -> None:
        self._data_format = data_format

    def __call__(
        self,
        env: gym.Env,
        obs: Any,
        info: dict[str, Any],
        action: Any = None,
        rew: Any = None,
        terminated: bool | None = None,
        truncated: bool | None = None,
    ) -> StepData:
        """Return what is stored of a reset (``action`` is ``None``) or a step.

        Raises:
            DataError: A text cannot be stored.
        """
        base = env.unwrapped
        assert isinstance(base, ToolUseEnv)
        kept: dict[str, Any] = {
            "task_id": info["task_id"],
            "fingerprint": base.tasks.fingerprint,
            "training_step": base.training_step,
            "failure_kind": info.get("failure_kind") or "",
            **_AT_RESET,
        }
        if action is not None:
            step = transition_of("", "", ("", rew, terminated, truncated, info), base)
            kept |= _step_info(step)
            if info["mask_sample"]:
                rew = _NO_REWARD
        if "action_mask" in info:
            kept |= {"action_mask": info["action_mask"], "answer": info.get("answer", "")}
        where = f"task {info['task_id']!r:.80}"
        require_storable(f"{where}, action", [action], self._data_format)
        require_storable(f"{where}, observation", [obs], self._data_format)
        require_storable(f"{where}, infos", kept.values(), _STRICTEST)
        return super().__call__(env, obs, kept, action, rew, terminated, truncated)


def require_storable(where: str, values: Iterable[Any], data_format: str) -> None:
    """Check those of the values that are texts.

    Args:
        where: What the error says about the place.
        values: What is to be stored.
        data_format: Minari's name of the storage.

    Raises:
        DataError: A text holds half of a surrogate pair (none of the formats has it), or a NUL,
            which HDF5 has not.
    """
    for text in (value for value in values if isinstance(value, str)):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise DataError(
                f"{where}: a text has {text[error.start]!r} at character {error.start}, half of a "
                "surrogate pair, which Minari cannot store; replace it, or leave the episode out"
            ) from error
        if data_format == "hdf5" and "\0" in text:
            place = text.index("\0")
            raise DataError(
                f"{where}: a text has a NUL at character {place}, which HDF5 cannot store; "
                "observations and actions can have it with data_format='parquet'"
            )


def buffer_of(trajectory: Trajectory, data_format: str) -> EpisodeBuffer:
    """Return an episode as Minari stores it, with the same ``infos`` as ``KeepInfo`` keeps.

    Raises:
        DataError: A step does not begin with what the step before it showed, or a text cannot be
            stored.
    """
    steps, where = trajectory.transitions, f"task {trajectory.task_id!r:.80}"
    for number, (before, after) in enumerate(itertools.pairwise(steps), 1):
        if before.next_observation != after.observation:
            raise DataError(f"{where}: step {number} begins with another text than was shown")
    observations = [steps[0].observation, *(step.next_observation for step in steps)]
    actions = [step.action for step in steps]
    rows = [_AT_RESET, *(_step_info(step) for step in steps)]
    infos: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in rows[0]}
    infos |= {
        "task_id": [trajectory.task_id] * len(rows),
        "fingerprint": [trajectory.fingerprint] * len(rows),
        "training_step": [trajectory.training_step] * len(rows),
        "failure_kind": [""] * len(rows),
    }
    require_storable(f"{where}, action", actions, data_format)
    require_storable(f"{where}, observation", observations, data_format)
    require_storable(f"{where}, infos", [trajectory.task_id], _STRICTEST)
    return EpisodeBuffer(
        options={"task_id": trajectory.task_id, "training_step": trajectory.training_step},
        observations=observations,
        actions=actions,
        rewards=[step.reward for step in steps],
        terminations=[step.terminated for step in steps],
        truncations=[step.truncated for step in steps],
        infos=infos,
    )


def transitions_of(episode: EpisodeData) -> tuple[Transition, ...]:
    """Return the steps of an episode; texts must be its observations and actions."""
    terms, reasons, states = (
        info_texts(episode, name)[1:] for name in ("terms", "stop_reason", "state_hash")
    )
    return tuple(
        Transition(
            observation=episode.observations[step],
            action=episode.actions[step],
            reward=float(episode.rewards[step]),
            components=json.loads(terms[step]),
            next_observation=episode.observations[step + 1],
            terminated=bool(episode.terminations[step]),
            truncated=bool(episode.truncations[step]),
            stop_reason=StopReason(reasons[step]) if reasons[step] else None,
            state_hash=states[step] or None,
        )
        for step in range(len(episode))
    )


def failed(episode: EpisodeData) -> bool:
    """Return whether something of ours failed in an episode, so that it has no return."""
    return any(info_texts(episode, "failure_kind"))


def info_texts(episode: EpisodeData, name: str) -> list[str]:
    """Return a field of ``infos`` that holds texts; HDF5 gives them as bytes, Arrow as NumPy's.

    Raises:
        DataError: The episode was recorded without it.
    """
    values: Sequence[Any] | None = (episode.infos or {}).get(name)
    if values is None:
        raise DataError(
            f"episode {episode.id} has no infos[{name!r}]: record with agents.integrations.minari "
            "(collect or from_trajectories)"
        )
    return [value.decode("utf-8") if isinstance(value, bytes) else str(value) for value in values]


def _step_info(step: Transition) -> dict[str, str]:
    return {
        "terms": json.dumps(dict(step.components), allow_nan=False),
        "stop_reason": "" if step.stop_reason is None else step.stop_reason.value,
        "state_hash": step.state_hash or "",
    }


def reward_terms(episode: EpisodeData) -> dict[str, NDArray[np.float64]]:
    """Return the parts of an episode's rewards, by name: [T], NaN where a step has no such part."""
    rows = [json.loads(text) for text in info_texts(episode, "terms")[1:]]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array([row.get(name, _NO_REWARD) for row in rows]) for name in names}
