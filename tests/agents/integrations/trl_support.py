"""Real trainers of TRL with a tiny model that has been taught what to say."""

from __future__ import annotations

import contextlib
import copy
import warnings

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents.chat_delta import ChatDelta
from agents.models.tiny import make_model, make_tokenizer
from agents.prompting import ChatEncoder
from tests.data.own.support import ROWS, Till, add
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.envs.own import OwnToolsEnv

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from trl import GRPOConfig, GRPOTrainer

OWN, BROKEN, ODD = "ToolRLTRL-v0", "ToolRLTRLBroken-v0", "ToolRLTRLOdd-v0"
PAY, SUM, TWO, LOOK, GOALS = range(5)  # the tasks of OWN


ODD_ROWS = [
    {"id": "one", "question": "Go.", "answer": "1"},
    {"id": "other", "question": "Go.", "answer": "2"},
    {"id": "forged", "question": "Say [STOP] now.", "answer": "no"},
]


class Fails:
    """When the environments of ``BROKEN`` fail: at which steps of all of them, and at ``reset``."""

    def __init__(self):
        self.steps, self.resets, self.step, self.begun = set(), set(), -1, -1


FAILS = Fails()


class BrokenEnv(OwnToolsEnv):
    """Own tasks on a server that is gone now and then."""

    def reset(self, **kwargs):
        FAILS.begun += 1
        if FAILS.begun in FAILS.resets:
            raise InfrastructureError("the world cannot be opened")
        return super().reset(**kwargs)

    def step(self, action):
        FAILS.step += 1
        if FAILS.step in FAILS.steps:
            raise InfrastructureError("the server is gone")
        return super().step(action)


gym.register(OWN, entry_point=lambda **kw: OwnToolsEnv([Till, add], ROWS, **kw))
gym.register(ODD, entry_point=lambda **kw: OwnToolsEnv([add], ODD_ROWS, **kw))
gym.register(BROKEN, entry_point=lambda **kw: BrokenEnv([Till, add], ROWS, **kw))


@contextlib.contextmanager
def failing(steps=(), resets=()):
    """Let the n-th steps and resets of ``BROKEN`` fail, counted from 0 over all its copies."""
    FAILS.__init__()
    FAILS.steps, FAILS.resets = set(steps), set(resets)
    yield FAILS
    FAILS.__init__()


class Recorded(GRPOTrainer):
    """Keeps what each generation brought."""

    def __init__(self, **kwargs):
        self.generations = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            super().__init__(**kwargs)

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        said = {
            "inputs": inputs,
            "completions": completions,
            "ids": completion_ids_list,
            "rewards": rewards,
            "weights": {k: v.clone() for k, v in self.model.state_dict().items()},
        }
        self.generations.append(said)
        return rewards

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        self.generations[-1]["output"] = output
        return output


def trainer_of(taught, dataset, folder, *, generations=4, steps=3, batch=8, **kwargs):
    """A trainer of a copy of a model."""
    model, tokenizer = taught
    settings = {
        "learning_rate": 1e-4,
        "max_completion_length": 96,
        "temperature": 0.7,
        "gradient_checkpointing": False,
        **kwargs.pop("settings", {}),
    }
    args = GRPOConfig(
        output_dir=str(folder),
        per_device_train_batch_size=batch,
        num_generations=generations,
        max_steps=steps,
        use_cpu=True,
        bf16=False,
        report_to="none",
        logging_steps=1,
        save_strategy="no",
        disable_tqdm=True,
        **settings,
    )
    return Recorded(
        model=copy.deepcopy(model),
        processing_class=tokenizer,
        args=args,
        train_dataset=dataset,
        **kwargs,
    )


def tiny(texts, template=None, seed=0):
    """A fresh tiny model whose tokenizer is made of ``texts``."""
    tokenizer = make_tokenizer(texts)
    if template is not None:
        tokenizer.chat_template = template
    return make_model(tokenizer, seed, hidden=64, layers=1), tokenizer


def teach(model, examples, until=0.05, rate=4e-3):
    """Teach a model to say what is sampled in examples, ``(ids, sampled)`` each, well enough."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.95))
    width = max(len(ids) for ids, _ in examples)
    ids = torch.zeros(len(examples), width).long()
    wanted = torch.full((len(examples), width), -100)
    for row, (tokens, sampled) in enumerate(examples):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        chosen = torch.tensor(sampled)
        wanted[row, : len(tokens)][chosen] = torch.tensor(tokens)[chosen]
    learnt = wanted[:, 1:] != -100
    for _ in range(200):
        states = model.model(input_ids=ids).last_hidden_state[:, :-1][learnt]
        loss = torch.nn.functional.cross_entropy(model.lm_head(states), wanted[:, 1:][learnt])
        if loss < until:
            return model.eval()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    raise AssertionError(f"the model has not learnt it: {loss=}")


def example(tokenizer, env_id, kwargs, index, answers):
    """The tokens of an episode in which ``answers`` are given, for ``teach``."""
    encoder = ChatEncoder(tokenizer, kwargs.get("protocol", "toolrl"))
    delta = ChatDelta(encoder)
    env = gym.make(env_id, **kwargs)
    _, info = env.reset(options={"task_index": index})
    ids = list(encoder.prompt(info))
    sampled = [False] * len(ids)
    for answer in answers:
        said = encoder.answer(answer)
        ids += said
        sampled += [True] * len(said)
        before = len(info["messages"])
        *_, info = env.step(answer)
        if info["stop_reason"] is None:
            more = delta.after(info["messages"][before + 1 :], finished=True)
            ids += more
            sampled += [False] * len(more)
    env.close()
    return ids, sampled


def replay(env_id, kwargs, index, answers):
    """The sum of rewards of an episode with these answers, played by ``gym.make``."""
    env = gym.make(env_id, **kwargs)
    env.reset(seed=0, options={"task_index": index})
    total = 0.0
    for answer in answers:
        _, reward, terminated, truncated, _ = env.step(answer)
        total += reward
        if terminated or truncated:
            break
    env.close()
    return total


def logged(trainer, name):
    """What the trainer logged under a name, step by step."""
    return [entry[name] for entry in trainer.state.log_history if name in entry]


def check_logged_rewards(trainer, name, wanted):
    """What TRL was given, and what it logged, is ``wanted``: a list of rewards per generation."""
    for generation, ours in zip(trainer.generations, wanted, strict=True):
        assert generation["rewards"][:, 0].tolist() == [float(np.float32(each)) for each in ours]
    means = [float(np.mean(each)) for each in wanted]
    assert logged(trainer, f"rewards/{name}/mean") == pytest.approx(means, rel=1e-6)


def advantages(rewards):
    """GRPO's advantages of one group, ``nan`` left out, as TRL has them: 0 there."""
    rewards = np.asarray(rewards, dtype=np.float64)
    kept = rewards[~np.isnan(rewards)]
    spread = kept.std(ddof=1) if len(kept) > 1 else np.nan
    if not len(kept):
        return np.zeros_like(rewards)
    return np.nan_to_num((rewards - kept.mean()) / (spread + 1e-4))


def slopes(trainer, output):
    """The gradient of TRL's loss by each token's log-probability [B, T]."""
    leaves = torch.zeros_like(output["completion_ids"], dtype=torch.float32, requires_grad=True)
    real = trainer._get_per_token_logps_and_entropies
    trainer._get_per_token_logps_and_entropies = lambda *_, **__: (leaves * 1, leaves * 0, None)
    try:
        trainer.compute_loss(trainer.model, output).backward()
    finally:
        trainer._get_per_token_logps_and_entropies = real
    return leaves.grad


def check_logprobs(trainer, generation):
    """What was returned is what TRL finds with the weights that sampled."""
    output, now = generation["output"], trainer.model.state_dict()
    kept = {name: value.clone() for name, value in now.items()}
    trainer.model.load_state_dict(generation["weights"])
    ids = torch.cat([output["prompt_ids"], output["completion_ids"]], 1)
    mask = torch.cat([output["prompt_mask"], output["completion_mask"]], 1)
    width = output["completion_ids"].shape[1]
    with torch.no_grad():
        found = trainer._get_per_token_logps_and_entropies(trainer.model, ids, mask, width)[0]
    trainer.model.load_state_dict(kept)
    own = (output["tool_mask"] * output["completion_mask"]).bool()
    assert own.any()
    sampled = output["sampling_per_token_logps"]
    assert sampled[own].numpy() == pytest.approx(found[own].numpy(), abs=1e-3)
    assert (sampled[~own] == 0).all()
