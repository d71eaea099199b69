"""An episode for TRL while it is played: the ids that were sampled and those that were not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from agents.chat_delta import ChatDelta
from agents.conversation import Limits
from agents.generation import Completion
from agents.integrations.pool import PooledEpisode
from agents.integrations.trl_reward import in_words, sum_terms
from agents.prompting import ChatEncoder
from toolrl_env.core.errors import InfrastructureError

__all__ = ["Played", "Template"]


class Template:
    """How a model writes conversations of one protocol.

    Args:
        tokenizer: The model's.
        protocol: The environment's.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, protocol: str) -> None:
        self.encoder = ChatEncoder(tokenizer, protocol)
        self.delta = ChatDelta(self.encoder)


class Played:
    """An episode with the tokens that led to where it is.

    Args:
        template: How the model writes it.
        prompt_ids: What the first answer follows.
        rng: Of its answers.
        episode: The episode; ``None`` if its world could not be opened.
        failure: What of ours failed, if something did.
    """

    def __init__(
        self,
        template: Template,
        prompt_ids: tuple[int, ...],
        rng: np.random.Generator,
        episode: PooledEpisode | None,
        failure: str = "",
    ) -> None:
        self.prompt_ids, self.rng, self.failure = prompt_ids, rng, failure
        self._template, self._episode = template, episode
        self._ids: list[int] = []
        self._logprobs: list[float] = []
        self._sampled: list[int] = []

    @property
    def context(self) -> tuple[int, ...]:
        """What the next answer is sampled after."""
        return (*self.prompt_ids, *self._ids)

    def goes_on(self, limits: Limits) -> bool:
        """Whether the environment waits for an answer and the limits have room for one."""
        if self._episode is None or self.failure or self._episode.over:
            return False
        room = limits.max_context - len(self.prompt_ids) - len(self._ids)
        return room >= limits.max_new_tokens and len(self._episode.outcomes) < limits.max_turns

    def answer(self, completion: Completion) -> None:
        """Give the environment a sampled answer, and take in what it says to it."""
        assert self._episode is not None
        self._extend(completion.token_ids, completion.logprobs, 1)
        try:
            self._episode.answer(self._template.encoder.decode(completion.token_ids))
        except InfrastructureError as error:
            self.failure = in_words(error)
            return
        if said := self._episode.new_messages:
            ids = self._template.delta.after(said, finished=completion.finished)
            self._extend(ids, [0.0] * len(ids), 0)

    def fields(self) -> dict[str, Any]:
        """Return what TRL and the reward functions get of it."""
        ids, logprobs, mask = self._ids, self._logprobs, self._sampled
        if not ids:  # TRL needs a token
            ids, logprobs, mask = [self._template.encoder.eos_id], [0.0], [0]
        if self.failure:
            mask = [0] * len(ids)
        outcomes = [] if self._episode is None else self._episode.outcomes
        last = outcomes[-1] if outcomes else None
        stop = None if last is None else last.stop_reason
        return {
            "prompt_ids": list(self.prompt_ids),
            "completion_ids": ids,
            "logprobs": logprobs,
            "env_mask": mask,
            "episode_reward": None if self.failure else sum(each.reward for each in outcomes),
            "episode_terms": {} if self.failure else sum_terms(outcomes),
            "episode_turns": len(outcomes),
            "episode_success": last is not None and last.is_success,
            "episode_stop": None if stop is None else stop.value,
            "episode_failure": self.failure,
        }

    def _extend(self, ids: Sequence[int], logprobs: Sequence[float], sampled: int) -> None:
        self._ids += ids
        self._logprobs += logprobs
        self._sampled += [sampled] * len(ids)
