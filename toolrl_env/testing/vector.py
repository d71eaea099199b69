"""``check_vectors``: sync, async and native vectors of an environment agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym

from toolrl_env.testing.requirement import JUNK, require

__all__ = ["check_vectors"]

_NUM_ENVS = 2


def check_vectors(env_id: str, kwargs: Mapping[str, Any]) -> None:
    """Check that every vector form gives the same for the same seeds, with default arguments.

    Args:
        env_id: A registered id. Without a ``vector_entry_point`` its native form is not checked.
        kwargs: Arguments for the environment.

    Raises:
        ContractViolation: Two forms differ.
    """
    from gymnasium.utils.env_checker import data_equivalence

    modes = ["sync", "async"]
    if gym.registry[env_id.rpartition(":")[2]].vector_entry_point is not None:
        modes.append("vector_entry_point")
    expected = None
    for mode in modes:
        steps = _rollout(env_id, mode, kwargs)
        expected = expected or steps
        same = data_equivalence(steps, expected, exact=True)
        require(same, env_id, f"vectorization_mode={mode!r} differs from 'sync'")


def _rollout(env_id: str, mode: str, kwargs: Mapping[str, Any]) -> list[Any]:
    """Reset and step twice, so that an automatic reset is in it."""
    env = gym.make_vec(env_id, num_envs=_NUM_ENVS, vectorization_mode=mode, **kwargs)
    try:
        return [
            env.reset(seed=5),
            env.step(tuple(f"<think> {i} é😀 </think>" for i in range(_NUM_ENVS))),
            env.step(JUNK[1 : 1 + _NUM_ENVS]),
        ]
    finally:
        env.close()
