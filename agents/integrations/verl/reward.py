"""Our reward as verl's custom reward function, for episodes of one answer.

``reward.custom_reward_function.path=pkg://agents.integrations.verl.reward``, or the path of this
file; ``name=compute_score``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agents.integrations.verl.scoring import as_reward, open_episode
from toolrl_env.core.errors import ConfigurationError, UnknownName

__all__ = ["compute_score"]

_FROM_VERL = ("reward_router_address", "reward_model_tokenizer")


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any],
    terms: Sequence[str] | None = None,
    **other: object,
) -> dict[str, float]:
    """Score one answer with the environment that its row names. Threads may call it at once.

    Args:
        data_source: The row's column; only named in errors.
        solution_str: The answer, as verl decodes it: without special tokens.
        ground_truth: The task's id.
        extra_info: The row's column, with the task.
        terms: See ``scoring.as_reward``; set it under ``custom_reward_function.reward_kwargs``.
        other: What verl adds if a reward model runs beside; not used.

    Returns:
        ``score``, ``success`` and ``reward/<term>``.

    Raises:
        InfrastructureError: Something of ours failed: there is no reward. verl counts the sample's
            group as failed, and leaves the sample out.
        ConfigurationError: The environment goes on after an answer, the row names no task, or an
            argument is unknown.
        DataError: The row is of other data.
    """
    for name in other.keys() - _FROM_VERL:
        raise UnknownName("reward_kwargs", name, ["terms"])
    with open_episode(extra_info, ground_truth) as episode:
        outcome = episode.answer(solution_str)
    if not outcome.over:
        raise ConfigurationError(
            f"{episode.ref.env} ({data_source}) goes on after an answer: play it with the agent "
            "loop 'toolrl', which gives the rewards itself"
        )
    return as_reward([outcome], terms)
