"""Stepping a Gymnasium vector for a learner: transitions that never cross an episode's end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError

__all__ = ["Act", "Moment", "Rollout", "collect", "start"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Act = Callable[[Floats, Bools], tuple[NDArray[np.int64], Floats]]
"""``(observations [N, size], masks [N, n]) -> actions [N], their log-probabilities [N]``."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a vector stands between two steps.

    Attributes:
        observation: float32 [N, size].
        mask: Which actions mean something, [N, n].
        due: Which environments the next step resets, whatever the action, [N].
    """

    observation: Floats
    mask: Bools
    due: Bools


@dataclass(frozen=True, slots=True)
class Rollout:
    """What happened in T steps of N environments.

    Attributes:
        observation: float32 [N, T, size].
        mask: [N, T, n].
        action: int64 [N, T].
        log_prob: Of the action, float32 [N, T].
        following: What was seen after it, in the same episode: float32 [N, T, size].
        reward: float32 [N, T].
        terminated: Whether the episode ended there by itself, [N, T].
        done: Whether nothing that follows counts for this row but the value of ``following``:
            the episode ended or was cut, or the next row is not ``valid``. [N, T].
        valid: Whether the row is a transition to learn from, [N, T]: the step was not the reset of
            a finished episode, and nothing of ours failed in it.
    """

    observation: Floats
    mask: Bools
    action: NDArray[np.int64]
    log_prob: Floats
    following: Floats
    reward: Floats
    terminated: Bools
    done: Bools
    valid: Bools


def start(envs: VectorEnv, seed: int) -> Moment:
    """Reset a vector whose infos have ``action_mask``.

    Raises:
        ConfigurationError: The vector does not reset its environments by itself, or shows no masks.
    """
    mode = envs.metadata["autoreset_mode"]
    if mode not in (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP):
        raise ConfigurationError(f"autoreset_mode={mode}; allowed: SAME_STEP, NEXT_STEP")
    observation, info = envs.reset(seed=seed)
    if "action_mask" not in info:
        raise ConfigurationError("infos have no action_mask: wrap the text in CandidateActions")
    return Moment(observation, info["action_mask"], np.zeros(envs.num_envs, np.bool_))


def collect(envs: VectorEnv, act: Act, moment: Moment, steps: int) -> tuple[Rollout, Moment]:
    """Step the vector and return what happened, and where it stands now.

    In Gymnasium's mode ``NextStep`` (its default) the step after an end is the reset: its action is
    not taken, so its row is not ``valid``. In ``SameStep`` the vector already shows the following
    episode; what was seen last is in ``info["final_obs"]``.

    Args:
        envs: The vector.
        act: Chooses the actions.
        moment: Where the vector stands.
        steps: T, at least 1.

    Raises:
        ConfigurationError: ``steps`` is below 1.
    """
    whole_number("steps", steps, 1)
    same_step = envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    rows: list[tuple[Any, ...]] = []
    for _ in range(steps):
        action, log_prob = act(moment.observation, moment.mask)
        observation, reward, terminated, truncated, info = envs.step(action)
        over, following = terminated | truncated, observation
        if same_step and over.any():
            following = observation.copy()
            following[over] = np.stack(info["final_obs"][over])
        valid = ~moment.due & ~_failed(info, envs.num_envs)
        before = (moment.observation, moment.mask, action, log_prob)
        rows.append((*before, following, reward.astype(np.float32), terminated, over, valid))
        due = np.zeros_like(over) if same_step else over
        moment = Moment(observation, info["action_mask"], due)
    *columns, done, valid = (np.stack(column, axis=1) for column in zip(*rows, strict=True))
    done |= ~valid
    done[:, :-1] |= ~valid[:, 1:]
    return Rollout(*columns, done=done, valid=valid), moment


def _failed(info: Mapping[str, Any], num_envs: int) -> Bools:
    """Return in which environments something of ours failed in this step: they have no reward."""
    failed = np.zeros(num_envs, np.bool_)
    for part in (info, info.get("final_info", {})):
        if "mask_sample" in part:
            failed |= part["mask_sample"] & part["_mask_sample"]
    return failed
