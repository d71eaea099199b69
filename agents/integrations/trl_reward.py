"""Rewards for TRL: of one answer, and how all of ours are logged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from transformers import PreTrainedTokenizerBase

from agents.integrations.pool import EnvPool
from agents.integrations.tasks import COLUMNS, TaskRef
from agents.prompting import ChatEncoder
from agents.turn_outcome import TurnOutcome
from toolrl_env.core.errors import ConfigurationError, InfrastructureError

__all__ = ["LogExtra", "LogMetric", "Scored", "TaskReward", "in_words", "report", "sum_terms"]

_LOG = logging.getLogger(__name__)

LogMetric = Callable[[str, float], None]
LogExtra = Callable[[str, list[Any]], None]
Scored = tuple[float, Mapping[str, float]] | str
"""A reward with its terms, or what of ours failed."""


class TaskReward:
    """Reward function for ``GRPOTrainer`` over tasks of one answer.

    The answer that is scored is all that was sampled, whether or not a limit cut it: a cut answer
    has the reward of what was written. A failure of ours is ``None``, which TRL leaves out of the
    group's mean and gives no advantage.

    Args:
        pool: Where the environments are kept; its own if ``None``.
        tokenizer: The model's. If given, answers are decoded from the sampled ids as this
            project's agents do, special tokens included. TRL leaves special tokens out of
            ``completions``, and where the tokenizer has a response template it takes calls apart;
            then this is needed.
    """

    def __init__(
        self, *, pool: EnvPool | None = None, tokenizer: PreTrainedTokenizerBase | None = None
    ) -> None:
        self._pool = EnvPool() if pool is None else pool
        self._encoder = None if tokenizer is None else ChatEncoder(tokenizer)

    def __call__(
        self,
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]] = (),
        prompts: Sequence[Any] = (),
        log_metric: LogMetric | None = None,
        log_extra: LogExtra | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """Return a reward per completion.

        Args:
            completions: Texts, or conversations of one message.
            completion_ids: What was sampled.
            prompts: What the model read.
            log_metric: TRL's, for the mean of each reward term.
            log_extra: TRL's, for the terms of each completion.
            columns: The dataset's, of which ``env``, ``env_kwargs`` and ``task_index`` name the
                tasks.

        Raises:
            ConfigurationError: A column is missing, an environment goes on after an answer, a
                completion is no text, the trainer plays episodes, or the model cannot have seen
                the tools.
        """
        _refuse_episodes(columns)
        missing = [name for name in COLUMNS if name not in columns]
        if missing:
            raise ConfigurationError(
                f"there is no column {missing[0]!r}: make the dataset with trl_dataset, and leave "
                "remove_unused_columns at False"
            )
        scored: list[Scored] = []
        for index, completion in enumerate(completions):
            ref = TaskRef.parse({name: columns[name][index] for name in COLUMNS})
            _refuse_unseen_tools(ref, prompts[index] if prompts else "")
            ids = completion_ids[index] if completion_ids else ()
            scored.append(self._score(ref, self._text(completion, ids)))
        return report(scored, log_metric, log_extra)

    def close(self) -> None:
        """Close the environments."""
        self._pool.close()

    def _score(self, ref: TaskRef, text: str) -> Scored:
        try:
            outcome = self._pool.score(ref, text)
        except InfrastructureError as error:
            return in_words(error)
        return outcome.reward, outcome.components

    def _text(self, completion: Any, ids: Sequence[int]) -> str:
        if self._encoder is not None:
            return self._encoder.decode(ids)
        if isinstance(completion, str):
            return completion
        if len(completion) != 1 or completion[0].get("tool_calls"):
            raise ConfigurationError(
                f"completion={completion!r:.200} is not one text: TRL took its calls apart. Give "
                "TaskReward the tokenizer, and the answer is decoded from what was sampled"
            )
        return completion[0]["content"]


def _refuse_episodes(columns: Mapping[str, Any]) -> None:
    """Raise if the completions are whole episodes, which must not be scored as one answer."""
    for name, ours in (
        ("environments", "environment_reward"),
        ("episode_reward", "episode_reward"),
    ):
        if name in columns:
            raise ConfigurationError(
                f"TaskReward scores one answer, but this trainer plays episodes: use {ours}"
            )


def _refuse_unseen_tools(ref: TaskRef, prompt: Any) -> None:
    """Raise if the tools are for the template to write, and TRL was given no text."""
    if ref.kwargs().get("protocol") == "native" and not isinstance(prompt, str):
        raise ConfigurationError(
            "the prompts do not show the model its tools, which the protocol 'native' leaves to "
            "the chat template: make the dataset with trl_dataset(..., tokenizer=tokenizer)"
        )


def report(
    scored: Sequence[Scored], log_metric: LogMetric | None, log_extra: LogExtra | None
) -> list[float | None]:
    """Return the rewards, ``None`` for a failure of ours, and log what they are made of.

    The metrics are ``terms/<name>``, the mean of each term over the completions that have it, and
    ``failed``, the share of failures. The columns are ``terms`` and ``failure``.

    >>> report([(1.0, {"format": 1.0, "total": 1.0}), "server down"], None, None)
    [1.0, None]
    """
    failures = [each for each in scored if isinstance(each, str)]
    terms = [{} if isinstance(each, str) else _terms(each[1]) for each in scored]
    if failures:
        _LOG.warning("%d of %d rewards left out: %s", len(failures), len(scored), failures[0])
    if log_metric is not None and scored:
        for name in dict.fromkeys(name for each in terms for name in each):
            values = [each[name] for each in terms if name in each]
            log_metric(f"terms/{name}", sum(values) / len(values))
        log_metric("failed", len(failures) / len(scored))
    if log_extra is not None:
        log_extra("terms", [" ".join(f"{k}={v:g}" for k, v in each.items()) for each in terms])
        log_extra("failure", [each if isinstance(each, str) else "" for each in scored])
    return [None if isinstance(each, str) else float(each[0]) for each in scored]


def sum_terms(outcomes: Sequence[TurnOutcome]) -> dict[str, float]:
    """Return each reward term, summed over the turns of an episode."""
    terms: dict[str, float] = {}
    for outcome in outcomes:
        for name, value in outcome.components.items():
            terms[name] = terms.get(name, 0.0) + value
    return terms


def in_words(error: InfrastructureError) -> str:
    """Return what failed, never empty."""
    return str(error) or "infrastructure error"


def _terms(components: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in components.items() if name != "total"}
