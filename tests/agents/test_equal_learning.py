"""The fast update and the plain one learn the same: same samples, same losses, same weights."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from agents.advantages import grpo
from agents.generation import generate
from agents.logprobs import padded_logprobs, sampled_logprobs
from agents.losses import aggregate, clipped
from agents.models.tiny import make_model, make_tokenizer
from agents.packing import micro_batches
from tests.agents.sequences import Tokens

STEPS, PROMPTS, GROUP = 20, ((11, 12, 13, 14, 15), (16, 17)), 4
MODEL = make_model(make_tokenizer(["red green 1 2 3"], vocabulary=300), seed=0, hidden=64, layers=2)


def play(model, step):
    """Two turns of each group, with an observation between that is not trained on."""
    rngs = np.random.default_rng(step).spawn(len(PROMPTS) * GROUP)
    options = {"max_new_tokens": 6, "eos_id": 3, "rngs": rngs}
    first = [c for group in generate(model, PROMPTS, GROUP, **options) for c in group]
    prompts = [prompt for prompt in PROMPTS for _ in range(GROUP)]
    seen = [(40 + index, 41, step) for index in range(len(prompts))]
    contexts = [
        [*prompt, *answer.token_ids, *observation]
        for prompt, answer, observation in zip(prompts, first, seen, strict=True)
    ]
    second = [c for group in generate(model, contexts, **options) for c in group]
    episodes, old = [], []
    for prompt, one, observation, two in zip(prompts, first, seen, second, strict=True):
        flags = [True] * len(one.token_ids), [False] * 3, [True] * len(two.token_ids)
        ids = (*one.token_ids, *observation, *two.token_ids)
        episodes.append(Tokens(prompt, ids, tuple(flag for part in flags for flag in part)))
        old.append([*one.logprobs, 0.0, 0.0, 0.0, *two.logprobs])
    return episodes, old


def reward(episode):
    """Even tokens are good; only what was sampled counts."""
    return sum(i % 2 == 0 for i, own in zip(episode.token_ids, episode.sampled, strict=True) if own)


def step(model, optimizer, score, episodes, old, budget):
    """One update, in parts; returns the loss and the mean log-probability."""
    rewards = np.array([reward(episode) for episode in episodes], dtype=np.float64)
    groups = rewards.reshape(len(PROMPTS), GROUP)
    advantages = np.concatenate([grpo(group) for group in groups])
    total, loss, logprob = sum(sum(episode.sampled) for episode in episodes), 0.0, 0.0
    for part in micro_batches(episodes, budget):
        scores = score(model, [episodes[index] for index in part])
        width = scores.mask.shape[1]
        before = [old[index] + [0.0] * (width - len(old[index])) for index in part]
        advantage = torch.from_numpy(advantages[list(part)]).float()[:, None].expand(-1, width)
        surrogate = clipped(scores.logprobs, torch.tensor(before), advantage, scores.mask)
        part_loss = aggregate(surrogate.losses, scores.mask, "token", float(total))
        part_loss.backward()
        loss += part_loss.item()
        logprob += scores.logprobs.sum().item() / total
    optimizer.step()
    optimizer.zero_grad()
    return loss, logprob


@pytest.fixture(scope="module")
def curves():
    """Losses and log-probabilities of both on the same samples, and the two models."""
    twins = {"fast": copy.deepcopy(MODEL), "plain": copy.deepcopy(MODEL)}
    scorers = {"fast": sampled_logprobs, "plain": padded_logprobs}
    budgets = {"fast": 60, "plain": 10_000}
    optimizers = {name: torch.optim.SGD(m.parameters(), lr=0.3) for name, m in twins.items()}
    found = {name: [] for name in twins}
    for index in range(STEPS):
        episodes, old = play(twins["plain"], index)
        for name, model in twins.items():
            found[name].append(
                step(model, optimizers[name], scorers[name], episodes, old, budgets[name])
            )
    return np.array(found["fast"]), np.array(found["plain"]), twins


def test_losses_and_logprobs_lie_on_each_other(curves):
    fast, plain, _ = curves
    assert np.abs(fast - plain).max() < 1e-4
    assert np.ptp(plain[:, 1]) > 0.05, "the test needs a model that moves"


def test_so_do_the_weights(curves):
    fast, plain = (
        torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
        for model in (curves[2]["fast"], curves[2]["plain"])
    )
    start = torch.cat([parameter.detach().flatten() for parameter in MODEL.parameters()])
    assert (fast - plain).norm() < 1e-3 * (plain - start).norm()
