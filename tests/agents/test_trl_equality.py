"""Fifty steps on the same samples: TRL's loss curve and ours are one, where both have the formula.

Plain gradient descent, since Adam would hide a wrong scale. Two groups of different prompts;
answers of different lengths, some with an environment's tokens in the middle; five updates on each
batch, so that ratios leave 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from agents.episode import Episode, Group, Turn
from agents.grpo import GRPOConfig
from agents.lessons import assign, denominator, lesson_logprobs, make_lesson, measure
from agents.logprobs import sampled_logprobs
from agents.models import load_folder
from agents.models.tiny import make_model, make_tokenizer
from agents.objective import policy_loss
from agents.parts import Part, divide
from toolrl_env.core.types import StopReason

STEPS, UPDATES, LIMIT = 50, 5, 8
WEIGHT = 0.3  # of the KL term


@dataclass(frozen=True)
class Formula:
    """One formula by its settings in TRL and here."""

    trl: dict[str, object]
    ours: dict[str, object]


FORMULAS = {
    "grpo": Formula({"loss_type": "grpo"}, {"aggregation": "sequence"}),
    "bnpo": Formula({"loss_type": "bnpo"}, {"aggregation": "token"}),
    "dapo": Formula(
        {"loss_type": "dapo", "epsilon_high": 0.28}, {"aggregation": "token", "clip_high": 0.28}
    ),
    "dr_grpo": Formula(
        {"loss_type": "dr_grpo"}, {"aggregation": "constant", "advantage": "dr_grpo"}
    ),
    "gspo": Formula(
        {
            "loss_type": "grpo",
            "importance_sampling_level": "sequence",
            "epsilon_low": 0.01,
            "epsilon_high": 0.02,
        },
        {"loss": "gspo", "aggregation": "sequence", "clip_low": 0.01, "clip_high": 0.02},
    ),
    # there the bound is the largest weight, here what it is above 1
    "cispo": Formula(
        {"loss_type": "cispo", "epsilon_high": 1.1},
        {"loss": "cispo", "aggregation": "token", "clip_high": 0.1},
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("tiny")
    tokenizer = make_tokenizer(["red green blue pink"])
    make_model(tokenizer, seed=0, hidden=32, layers=1).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


@pytest.fixture(scope="module")
def trainer(folder, tmp_path_factory):
    from datasets import Dataset
    from trl import GRPOConfig as TRLConfig
    from trl import GRPOTrainer

    args = TRLConfig(
        output_dir=str(tmp_path_factory.mktemp("trl")),
        per_device_train_batch_size=8,
        num_generations=4,
        max_completion_length=LIMIT,
        beta=WEIGHT,  # so that it makes a reference
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        report_to="none",
        model_init_kwargs={"dtype": "float32"},
    )
    made = GRPOTrainer(
        model=str(folder),
        reward_funcs=lambda completions, **_: [0.0] * len(completions),
        args=args,
        train_dataset=Dataset.from_dict({"prompt": ["red"] * 8}),
    )
    made.current_gradient_accumulation_steps = 1  # ``train`` would set it
    return made


def batches(seed=0):
    """Groups of episodes with random tokens and rewards, ``UPDATES`` steps on each batch."""
    rng = np.random.default_rng(seed)

    def episode(prompt):
        size = int(rng.integers(2, LIMIT + 1))
        sampled = [True] * size
        if size > 4:
            sampled[2:4] = [False, False]
        ids = tuple(rng.integers(5, 200, size).tolist())
        reward = float(rng.choice([-3.0, 0.5, 1.0, 4.0]))
        last = Turn((4 if size > 4 else 0, size), "", reward)
        turns = (Turn((0, 2), "", 0.0), last) if size > 4 else (last,)
        return Episode(
            prompt, ids, tuple(sampled), (0.0,) * size, turns, stop_reason=StopReason.ANSWERED
        )

    def group(length):
        prompt = tuple(rng.integers(5, 200, length).tolist())
        return Group("task", tuple(episode(prompt) for _ in range(4)))

    return [[group(3), group(6)] for _ in range(STEPS // UPDATES)]


def ours(folder, formula, kl, corrected) -> tuple[list[float], torch.Tensor]:
    """Losses of every step with this project's update, and the final weights."""
    config = GRPOConfig(
        max_new_tokens=LIMIT,
        kl="k3" if kl else "none",
        kl_weight=kl,
        kl_correction=corrected,
        **formula.ours,
    )
    model, _ = load_folder(folder)
    reference = load_folder(folder)[0] if kl else None
    losses = []
    for groups in batches():
        made = [measure(make_lesson(g, config), config, model, reference) for g in groups]
        before = [lesson_logprobs(model, lesson, config) for lesson in made]
        lessons = assign(
            config, [replace(x, old=o, sampler=o) for x, o in zip(made, before, strict=True)]
        )
        parts, whole = divide(lessons, 16), denominator(config, lessons)
        assert len(parts) > 1

        def loss(parts: list[Part] = parts, whole: float = whole) -> torch.Tensor:
            losses = []
            for part in parts:
                new = sampled_logprobs(model, part.episodes).logprobs
                losses.append(policy_loss(config, part.batch(new), whole).loss)
            return torch.stack(losses).sum()

        losses += descend(model, loss)
    return losses, flat(model)


def theirs(trainer, folder, formula, kl, corrected) -> tuple[list[float], torch.Tensor]:
    """The same with TRL's."""
    defaults = {"importance_sampling_level": "token", "epsilon_low": 0.2, "epsilon_high": 0.2}
    for name, value in (defaults | formula.trl).items():
        setattr(trainer, name, value)
    trainer.beta = kl
    trainer.args.use_bias_correction_kl = corrected
    trainer.model.load_state_dict(load_folder(folder)[0].state_dict())
    trainer.model.train()
    normalise = GRPOConfig(advantage=formula.ours.get("advantage", "grpo"))
    losses = []
    for groups in batches():
        lessons = assign(normalise, [make_lesson(g, normalise) for g in groups])
        inputs = padded(lessons)
        # here the constant counts answers of several turns, there completions
        turns = [len(e.turns) for lesson in lessons for e in lesson.group.scored]
        trainer.max_completion_length = LIMIT * sum(turns) / len(turns)
        with torch.no_grad():
            inputs["old_per_token_logps"] = trl_logprobs(trainer, trainer.model, inputs)
            inputs["ref_per_token_logps"] = trl_logprobs(trainer, trainer.ref_model, inputs)
        losses += descend(
            trainer.model, lambda inputs=inputs: trainer.compute_loss(trainer.model, inputs)
        )
    return losses, flat(trainer.model)


def padded(lessons) -> dict[str, torch.Tensor]:
    """TRL's inputs: prompts padded on the left, answers on the right."""
    episodes = [e for lesson in lessons for e in lesson.group.scored]
    left = max(len(e.prompt_ids) for e in episodes)
    width = max(len(e.token_ids) for e in episodes)
    size = len(episodes)
    names = ("prompt_ids", "prompt_mask", "completion_ids", "completion_mask", "tool_mask")
    found = {n: torch.zeros(size, left if "prompt" in n else width).long() for n in names}
    for row, e in enumerate(episodes):
        found["prompt_ids"][row, left - len(e.prompt_ids) :] = torch.tensor(e.prompt_ids)
        found["prompt_mask"][row, left - len(e.prompt_ids) :] = 1
        found["completion_ids"][row, : len(e.token_ids)] = torch.tensor(e.token_ids)
        found["completion_mask"][row, : len(e.token_ids)] = 1
        found["tool_mask"][row, : len(e.token_ids)] = torch.tensor(e.sampled).long()
    found["advantages"] = torch.cat([lesson.advantages[:, 0] for lesson in lessons])
    found["num_items_in_batch"] = found["tool_mask"].sum().float()
    return found


def trl_logprobs(trainer, model, inputs) -> torch.Tensor:
    ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], 1)
    mask = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], 1)
    width = inputs["completion_ids"].shape[1]
    return trainer._get_per_token_logps_and_entropies(model, ids, mask, width)[0]


def descend(model, loss: Callable[[], torch.Tensor]) -> list[float]:
    """Take plain gradient steps; return the loss before each."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    values = []
    for _ in range(UPDATES):
        value = loss()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(value.item())
    return values


def flat(model) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.mark.parametrize(
    ("name", "kl", "corrected"),
    [
        *[(name, kl, False) for name in FORMULAS for kl in (0.0, WEIGHT)],
        ("dapo", WEIGHT, True),  # TRL's default since 1.16
        ("cispo", WEIGHT, True),
    ],
)
def test_fifty_steps_are_the_same(trainer, folder, name, kl, corrected):
    mine, my_weights = ours(folder, FORMULAS[name], kl, corrected)
    other, other_weights = theirs(trainer, folder, FORMULAS[name], kl, corrected)
    assert len(mine) == len(other) == STEPS
    assert max(mine) - min(mine) > 0.01, "the curve is flat"
    # losses are means of terms of size 1 that nearly cancel: 1e-6 of them is rounding
    assert mine == pytest.approx(other, rel=1e-5, abs=1e-6)
    moved = (other_weights - flat(load_folder(folder)[0])).norm()
    assert (my_weights - other_weights).norm() < 1e-4 * moved
