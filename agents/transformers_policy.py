"""A causal language model as a ``Policy``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from transformers import PreTrainedModel

from agents.generation import generate
from agents.prompting import ChatEncoder
from agents.token_memory import TokenMemory

__all__ = ["TransformersPolicy"]


class TransformersPolicy:
    """Answers with a transformers model, greedily or by sampling.

    Conversations that go on are continued by the tokens that were sampled (``TokenMemory``).

    Args:
        model: A causal language model.
        encoder: Turns ``info["messages"]`` into ids and sampled ids into text.
        max_new_tokens: Tokens after which an answer is cut.
        temperature: 0 is greedy, 1 samples from the model itself.
        seed: Of this policy's own generator; only used above temperature 0, and for answers that
            have no ``answer_seed`` in their ``info``.
        batch_size: Prompts decoded together.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        encoder: ChatEncoder,
        *,
        max_new_tokens: int = 128,
        temperature: float = 0.0,
        seed: int = 0,
        batch_size: int = 32,
    ) -> None:
        self.model, self.encoder = model, encoder
        self.max_new_tokens, self.temperature = max_new_tokens, temperature
        self.batch_size = batch_size
        self._rng = np.random.default_rng(seed)
        self._memory = TokenMemory(encoder)

    def act(self, observations: Sequence[str], infos: Sequence[Mapping[str, Any]]) -> list[str]:
        """Answer every prompt; similar lengths share a batch, to waste little on padding."""
        if len(observations) != len(infos):
            raise ValueError(f"{len(observations)} observations for {len(infos)} infos")
        prompts = [self._memory.context(info) for info in infos]
        order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
        answers = [""] * len(prompts)
        for start in range(0, len(order), self.batch_size):
            batch = order[start : start + self.batch_size]
            groups = generate(
                self.model,
                [prompts[index] for index in batch],
                max_new_tokens=self.max_new_tokens,
                eos_id=self.encoder.eos_id,
                temperature=self.temperature,
                rngs=[self._generator(infos[index]) for index in batch],
            )
            for index, (completion,) in zip(batch, groups, strict=True):
                answers[index] = self._memory.remember(infos[index], prompts[index], completion)
        return answers

    def _generator(self, info: Mapping[str, Any]) -> np.random.Generator:
        """Return the generator for one answer."""
        if "answer_seed" in info:
            return np.random.default_rng(info["answer_seed"])
        return self._rng.spawn(1)[0]
