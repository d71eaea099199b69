"""What the reward function and the agent loop share: episodes by row, rewards as verl logs them."""

from __future__ import annotations

import atexit
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from agents.integrations.pool import EnvPool, PooledEpisode
from agents.integrations.tasks import TaskRef
from agents.turn_outcome import TurnOutcome
from toolrl_env.core.errors import ConfigurationError, DataError

__all__ = ["TERM", "as_reward", "open_episode", "process_pool", "term_names"]

TERM = "reward/"
"""Before a term's name in what verl logs."""


@functools.cache
def process_pool() -> EnvPool:
    """Return the one pool of this process: verl makes a new agent loop for every sample."""
    pool = EnvPool()
    atexit.register(pool.close)
    return pool


def open_episode(extra_info: Mapping[str, Any], task_id: str) -> PooledEpisode:
    """Start an episode of the task that a row of the dataset names.

    Args:
        extra_info: The row's column of this name, as ``export`` writes it.
        task_id: The row's ``reward_model.ground_truth``.

    Raises:
        ConfigurationError: The row names no task that there is.
        DataError: The environment has another task there: data or code changed after the export.
        InfrastructureError: The task's world cannot be opened.
    """
    ref = TaskRef.parse(extra_info)
    episode = process_pool().open(ref)
    if episode.task_id != task_id:
        episode.close()
        raise DataError(
            f"task {ref.index} of {ref.env} {ref.env_kwargs} is {episode.task_id!r}, but the row "
            f"says {task_id!r}: export again with the data and the code that train"
        )
    return episode


def term_names(terms: Sequence[str] | None) -> list[str] | None:
    """Return the setting ``terms`` as a list.

    Raises:
        ConfigurationError: It is one text, which would be taken letter by letter.
    """
    if isinstance(terms, str):
        raise ConfigurationError(f"terms={terms!r}; allowed: a list of names, as [{terms}]")
    return None if terms is None else list(terms)


def as_reward(outcomes: Sequence[TurnOutcome], terms: Sequence[str] | None) -> dict[str, float]:
    """Return an episode's reward as verl takes it: ``score``, ``success``, and every term.

    Args:
        outcomes: What came of each answer.
        terms: Names of the terms, for rows of several environments in one dataset: verl's legacy
            trainer wants the same keys in every row of a batch. A term that an environment does
            not have is 0.0. ``None`` takes what the outcomes have.

    Returns:
        ``score``, the sum of the rewards; ``success``, 1.0 if the task is solved (not ``acc``: in
        verl's validation, a sample that failed counts as ``acc`` 0); ``reward/<term>``, the sum of
        a term over the answers.

    Raises:
        ConfigurationError: There is a term that is not among ``terms``, or these are no list.
    """
    names = term_names(terms)
    sums: dict[str, float] = {} if names is None else dict.fromkeys(names, 0.0)
    for outcome in outcomes:
        for name, value in outcome.components.items():
            if name == "total":
                continue
            if names is not None and name not in names:
                raise ConfigurationError(
                    f"the reward has a term {name!r}, but terms={names!r}: add it"
                )
            sums[name] = sums.get(name, 0.0) + value
    solved = bool(outcomes) and outcomes[-1].is_success
    return {
        "score": sum(outcome.reward for outcome in outcomes),
        "success": float(solved),
        **{TERM + name: value for name, value in sums.items()},
    }
