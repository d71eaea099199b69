"""A real model on the processor, behind the interface of verl's servers, and verl's own config."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_module
from verl.workers.rollout.replica import TokenOutput

from agents.generation import Decoder
from agents.models import load_folder, tiny
from agents.prompting import ChatEncoder

ROOT = Path(__file__).parents[3]
LOOP_CONFIG = ROOT / "agents/integrations/verl/agent_loop.yaml"
WORKSPACE = "ToolRL-Workspace-v0"
BREVITY = 16.0  # on the end token's row of the tied head: a fresh model then ends its answers soon


class ModelServer:
    """Answers as verl's servers do; ``answers`` are given instead of sampled ones, in order."""

    def __init__(self, folder: Path, seed: int = 0, answers=()) -> None:
        torch.set_num_threads(1)
        self.model, tokenizer = load_folder(folder)
        self.encoder = ChatEncoder(tokenizer)
        self.seed, self.answers, self.asked = seed, list(answers), []

    async def generate(self, request_id, *, prompt_ids, sampling_params, **_) -> TokenOutput:
        return await asyncio.to_thread(self._generate, request_id, prompt_ids, sampling_params)

    def _generate(self, request_id, prompt_ids, params) -> TokenOutput:
        number, room = len(self.asked), params["max_tokens"]
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


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Keep torch on one thread."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """A tiny model that has seen the workspace's words, whose answers are short."""
    model, tokenizer = tiny.create(WORKSPACE, {"difficulty": 1}, seed=0, texts=40)
    with torch.no_grad():
        model.get_input_embeddings().weight[tokenizer.eos_token_id] *= BREVITY
    path = tmp_path_factory.mktemp("tiny")
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture(scope="session")
def tokenizer(folder):
    """The model's tokenizer as transformers loads it."""
    return load_folder(folder)[1]


@pytest.fixture(scope="session")
def encoder(tokenizer):
    """The model's encoder."""
    return ChatEncoder(tokenizer)


@pytest.fixture
def server(folder):
    """Return a maker of servers."""
    return lambda **kwargs: ModelServer(folder, **kwargs)


@pytest.fixture(scope="session")
def make_config(folder):
    """Return a maker of verl's own configuration, with further overrides."""

    def make(*overrides: str):
        with initialize_config_module("verl.trainer.config", version_base=None):
            return compose(
                "ppo_trainer",
                overrides=[
                    f"actor_rollout_ref.model.path={folder}",
                    "actor_rollout_ref.rollout.name=vllm",
                    f"actor_rollout_ref.rollout.agent.agent_loop_config_path={LOOP_CONFIG}",
                    "actor_rollout_ref.rollout.agent.num_workers=1",
                    "reward.num_workers=1",
                    "data.max_prompt_length=1024",
                    "data.max_response_length=512",
                    *overrides,
                ],
            )

    return make
