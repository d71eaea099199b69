"""Parts of a batch: within the budget, every token once, and the gradient of the whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents import grpo, lessons
from agents.episode import Episode, Group, Turn
from agents.grpo import GRPOConfig
from agents.lessons import Lesson, assign, denominator, make_lesson, measure
from agents.logprobs import sampled_logprobs
from agents.models.tiny import make_model, make_tokenizer
from agents.objective import policy_loss
from agents.packing import pack
from agents.parts import divide
from toolrl_env.core.types import StopReason

MODEL = make_model(make_tokenizer(["a b c d"], vocabulary=300), seed=0, hidden=32, layers=2)
OTHER = make_model(make_tokenizer(["a b c d"], vocabulary=300), seed=1, hidden=32, layers=2)


def episode(rng, prompt, cut=False):
    """Two turns with an observation of two tokens between."""
    first, second = (int(size) for size in rng.integers(1, 7, size=2))
    size = first + 2 + second
    flags = (True,) * first + (False,) * 2 + (True,) * second
    turns = (
        Turn((0, first), "x", float(rng.integers(0, 3))),
        Turn((first + 2, size), "y", float(rng.integers(0, 3))),
    )
    stop = StopReason.TURN_LIMIT if cut else StopReason.ANSWERED
    ids = tuple(int(token) for token in rng.integers(5, 250, size=size))
    logprobs = tuple(
        -float(x) if own else 0.0 for x, own in zip(rng.random(size), flags, strict=True)
    )
    return Episode(prompt, ids, flags, logprobs, turns, stop_reason=stop)


def batch(seed, config, groups=3, size=4, cut=False):
    rng, made = np.random.default_rng(seed), []
    for index in range(groups):
        prompt = tuple(int(token) for token in rng.integers(5, 250, size=9 + index))
        members = tuple(episode(rng, prompt, cut and member == 0) for member in range(size))
        made.append(make_lesson(Group(f"t{index}", members), config))
    reference = OTHER if config.kl != "none" else None
    return [measure(lesson, config, MODEL, reference) for lesson in assign(config, made)]


def gradient(config, parts, whole):
    MODEL.zero_grad()
    total = 0.0
    for part in parts:
        new = sampled_logprobs(MODEL, part.episodes, config.temperature).logprobs
        loss = policy_loss(config, part.batch(new), whole).loss
        loss.backward()
        total += loss.item()
    return total, torch.cat([p.grad.flatten() for p in MODEL.parameters()])


@pytest.mark.parametrize(
    "choice",
    [
        {},
        {"aggregation": "sequence"},
        {"aggregation": "constant", "advantage": "dr_grpo"},
        {"loss": "gspo", "aggregation": "sequence"},
        {"loss": "cispo", "temperature": 0.7},
        {"kl": "k3", "kl_weight": 0.1, "entropy_weight": 0.01},
        {"importance": "truncate", "importance_cap": 1.5},
        {"credit": "turns"},
    ],
)
def test_the_gradient_does_not_depend_on_the_budget(choice):
    config = GRPOConfig(max_new_tokens=8, **choice)
    made = batch(0, config)
    whole = denominator(config, made)
    together = divide(made, 10_000)
    small = divide(made, 30)
    groups = [part for lesson in made for part in divide([lesson], 10_000)]
    assert (len(together), len(groups)) == (1, 3)
    assert len(small) > 3
    want, slope = gradient(config, groups, whole)
    assert slope.norm() > 0
    for parts in (together, small):
        loss, other = gradient(config, parts, whole)
        assert loss == pytest.approx(want, rel=1e-5, abs=1e-6)
        assert (other - slope).norm() <= 1e-5 * slope.norm()


@given(st.integers(0, 2**31), st.integers(1, 120), st.booleans())
def test_every_trained_token_is_in_one_part_within_the_budget(seed, budget, cut):
    config = GRPOConfig(max_new_tokens=8, truncated="mask")
    made = batch(seed, config, cut=cut)
    parts = divide(made, budget)
    assert sum(part.tokens for part in parts) == sum(int(lesson.mask.sum()) for lesson in made)
    held = [(e.prompt_ids, e.token_ids) for part in parts for e in part.episodes]
    wanted = [e for lesson in made for e in lesson.group.scored if not e.truncated]
    assert sorted(held) == sorted((e.prompt_ids, e.token_ids) for e in wanted)
    for part in parts:
        assert len(part.episodes) == 1 or len(pack(part.episodes).token_ids) <= budget
        for row, each in enumerate(part.episodes):
            old = torch.tensor(each.logprobs)
            assert torch.equal(part.old[row, : len(old)], old)
            assert not part.mask[row, len(old) :].any()
        assert part.mask.shape == (len(part.episodes), max(len(e.token_ids) for e in part.episodes))


def test_advantages_stay_with_their_episodes():
    config = GRPOConfig(max_new_tokens=8, advantage="dr_grpo")
    made = batch(3, config)
    want = {
        e.token_ids: lesson.advantages[row, 0].item()
        for lesson in made
        for row, e in enumerate(lesson.group.scored)
    }
    for part in divide(made, 40):
        for row, each in enumerate(part.episodes):
            assert part.advantages[row, 0].item() == want[each.token_ids]


def test_a_batch_goes_to_the_device_of_the_policy():
    config = GRPOConfig(max_new_tokens=8, kl="k3", kl_weight=0.1)
    (part,) = divide(batch(0, config), 10_000)
    tokens = part.batch(torch.zeros(part.mask.shape, device="meta"))
    for each in (tokens.old, tokens.sampler, tokens.advantages, tokens.mask, tokens.reference):
        assert each.device.type == "meta"


def test_nothing_is_in_no_part():
    assert divide([], 10) == []


@pytest.mark.parametrize("choice", [{}, {"importance": "truncate"}])
def test_groups_without_an_advantage_are_dropped_before_any_compute(
    choice, stub_id, tiny_folder, tmp_path, monkeypatch
):
    def compute(*args, **kwargs):
        raise AssertionError("a group that teaches nothing was computed")

    def flat(config, made: list[Lesson]) -> list[Lesson]:
        return [replace(lesson, advantages=torch.zeros_like(lesson.advantages)) for lesson in made]

    monkeypatch.setattr(grpo, "assign", flat)
    monkeypatch.setattr(grpo, "sampled_logprobs", compute)
    monkeypatch.setattr(lessons, "sampled_logprobs", compute)
    config = GRPOConfig(
        env=stub_id, model=str(tiny_folder), out=tmp_path, steps=1, group_size=2,
        max_new_tokens=8, **choice,
    )  # fmt: skip
    seen = []
    grpo.train(config, seen.append)
    assert seen[0]["informative_groups"] == 0
    assert seen[0]["grad_norm"] == 0
