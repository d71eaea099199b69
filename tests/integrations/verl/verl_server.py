"""A real model on the processor, behind the interface of verl's servers."""

from __future__ import annotations

import asyncio
import itertools
import threading
from pathlib import Path

import numpy as np
import torch
from verl.workers.rollout.replica import TokenOutput

from agents.generation import Decoder
from agents.models import load_folder
from agents.prompting import ChatEncoder

LENGTH = 600
"""Tokens of an answer where verl asks for no limit."""


class ModelServer:
    """Answers as verl's servers do; ``answers`` are given instead of sampled ones, in order."""

    def __init__(self, folder: Path, seed: int = 0, answers=()) -> None:
        torch.set_num_threads(1)
        self.model, tokenizer = load_folder(folder)
        self.encoder = ChatEncoder(tokenizer)
        self.seed, self.answers, self.asked = seed, list(answers), []
        self.numbers, self.lock = itertools.count(), threading.Lock()

    def say(self, answers) -> None:
        """Give these answers next."""
        self.answers = list(answers)

    async def generate(self, request_id, *, prompt_ids, sampling_params, **_) -> TokenOutput:
        return await asyncio.to_thread(self._answer, request_id, prompt_ids, sampling_params)

    def _answer(self, *request) -> TokenOutput:
        with self.lock:  # a model computes for one thread at a time
            return self._generate(*request)

    def _generate(self, request_id, prompt_ids, params) -> TokenOutput:
        number, room = next(self.numbers), params.get("max_tokens", LENGTH)
        if self.answers:
            text = self.answers.pop(0)
            ids = text if isinstance(text, list) else list(self.encoder.answer(text))
            ids = ids[:room]
            logprobs = [-0.5] * len(ids)
        else:
            decoder = Decoder(
                self.model, eos_id=self.encoder.eos_id, temperature=params["temperature"]
            )
            rng = np.random.default_rng([self.seed, number])
            [[done]] = decoder.generate([prompt_ids], max_new_tokens=room, rngs=[rng])
            ids, logprobs = list(done.token_ids), list(done.logprobs)
        self.asked.append((request_id, tuple(prompt_ids), tuple(ids), tuple(logprobs), room))
        stop = "completed" if ids and ids[-1] == self.encoder.eos_id else "length"
        return TokenOutput(
            token_ids=ids,
            log_probs=logprobs if params["logprobs"] else None,
            stop_reason=stop,
            num_preempted=0,
            extra_fields={"min_global_steps": number, "max_global_steps": number},
        )
