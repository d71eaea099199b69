"""SkyRL's own dataset and its own rollout loop play our environments, on CPU.

Not its trainer, whose weights live in Ray and vLLM and need GPUs. What is between a Parquet file
and the trainer's batch is SkyRL's code here; the inference engine alone is ours. In a venv of its
own: ``pip install --no-deps skyrl==0.3.0``, then ``loguru`` and ``aiohttp`` (0.4.0 also needs
``cloudpathlib`` and ``pybase64``, and Python 3.12).
"""

from __future__ import annotations

import asyncio
import json
import sys
import typing

import gymnasium as gym
import numpy as np
import pytest
import torch
import typing_extensions

from agents.generation import generate
from agents.integrations.skyrl import ENV_CLASS, skyrl_rows, write_parquet
from agents.models import load_model
from tests.agents.integrations.skyrl_support import OWN, registered
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.data.own.session import OwnSession

if sys.version_info < (3, 12):
    typing.TypedDict = typing_extensions.TypedDict  # pydantic refuses typing's, which SkyRL has
from skyrl.train.config import GeneratorConfig, SkyRLGymConfig
from skyrl.train.config.config import SamplingParams
from skyrl.train.dataset.dataset import PromptDataset
from skyrl.train.generators.skyrl_gym_generator import SkyRLGymGenerator
from skyrl.train.generators.utils import (
    get_metrics_from_generator_output,
    prepare_generator_input,
)

TOOLBOX, WORKSPACE = "ToolRL-Toolbox-v0", "ToolRL-Workspace-v0"
EASY = {"difficulty": 1}
OFFICE = {"difficulty": 2, "max_turns": 4, "template": "short"}


class Engine:
    """What SkyRL asks for answers: session and context in, ids and text out."""

    def __init__(self, tokenizer, answer_ids):
        self.tokenizer, self.answer_ids = tokenizer, answer_ids
        self.answers, self.finished = {}, []

    async def generate(self, asked, model=None):
        (context,), (session,) = asked["prompt_token_ids"], asked["session_ids"]
        ids = list(self.answer_ids(session, context))
        text = self.tokenizer.decode(ids, skip_special_tokens=True)
        self.answers.setdefault(session, []).append(text)
        stop = "stop" if ids[-1] == self.tokenizer.eos_token_id else "length"
        logprobs = [[-0.5] * len(ids)]
        return {
            "responses": [text],
            "response_ids": [ids],
            "stop_reasons": [stop],
            "response_logprobs": logprobs,
        }

    async def finish_session(self, session):
        self.finished.append(session)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def world(monkeypatch):
    with registered(monkeypatch):
        yield


@pytest.fixture(scope="module")
def toolbox_model():
    return load_model("tiny", TOOLBOX, EASY, seed=0)


def read_back(tmp_path, tokenizer, env, kwargs, count):
    """Write rows and let SkyRL read them."""
    path = write_parquet(tmp_path / "train.parquet", skyrl_rows(env, kwargs, range(count)))
    return PromptDataset(str(path), tokenizer, max_prompt_length=4096, num_workers=1)


def roll_out(data, engine, tokenizer, samples=2, **settings):
    """Let SkyRL's generator play every row."""
    chosen = {"max_turns": 1, "max_input_length": 8192} | settings
    sampling = SamplingParams(max_generate_length=24)
    config = GeneratorConfig(sampling_params=sampling, **chosen)
    generator = SkyRLGymGenerator(config, SkyRLGymConfig(max_env_workers=2), engine, tokenizer)
    prompts = data.collate_fn([data[index] for index in range(len(data))])
    asked, uids = prepare_generator_input(prompts, samples, None, "none", "train", 0)
    return asyncio.run(generator.generate(asked, disable_tqdm=True)), uids


def ours(env, kwargs, index, answers):
    """Return the rewards of answers without SkyRL."""
    made = gym.make(env, **kwargs)
    made.reset(options={"task_index": index})
    rewards = [float(made.step(answer)[1]) for answer in answers]
    made.close()
    return rewards


def gold(env, kwargs, index):
    made, answers, over = gym.make(env, **kwargs), [], False
    made.reset(options={"task_index": index})
    while not over:
        answers.append(made.unwrapped.gold_answer())
        _, _, terminated, truncated, _ = made.step(answers[-1])
        over = terminated or truncated
    made.close()
    return answers


class Scripted:
    """Gives each row's answers, turn after turn, as ids that end with the end token."""

    def __init__(self, tokenizer, answers):
        self.tokenizer, self.answers, self.turns = tokenizer, answers, {}

    def __call__(self, session, context):
        turn = self.turns[session] = self.turns.get(session, -1) + 1
        said = self.answers[int(session.split("_")[0])][turn]
        ids = self.tokenizer.encode(said, add_special_tokens=False)
        return [*ids, self.tokenizer.eos_token_id]


def test_a_tiny_models_answers_have_our_rewards_in_skyrls_batch(tmp_path, toolbox_model):
    model, tokenizer = toolbox_model
    draws = np.random.default_rng(0)

    def answer(session, context):
        eos = tokenizer.eos_token_id
        ((said,),) = generate(model, [context], max_new_tokens=24, eos_id=eos, rngs=draws.spawn(1))
        return said.token_ids

    engine = Engine(tokenizer, answer)
    batch, uids = roll_out(read_back(tmp_path, tokenizer, TOOLBOX, EASY, 3), engine, tokenizer)
    assert uids == ["0", "0", "1", "1", "2", "2"]
    for uid, number, rewards in zip(uids, [0, 1] * 3, batch["rewards"], strict=True):
        (said,) = engine.answers[f"{uid}_{number}"]
        (expected,) = ours(TOOLBOX, EASY, int(uid), [said])
        assert sum(rewards) == rewards[-1] == expected
    assert set(engine.finished) == set(engine.answers)
    assert batch["rollout_metrics"]["environment/turns"] == 1.0


def test_gold_answers_have_the_most_and_bad_ones_their_penalty(tmp_path, toolbox_model):
    _, tokenizer = toolbox_model
    said = [gold(TOOLBOX, EASY, 0), ["nonsense"], gold(TOOLBOX, EASY, 2)]
    data = read_back(tmp_path, tokenizer, TOOLBOX, EASY, 3)
    batch, uids = roll_out(data, Engine(tokenizer, Scripted(tokenizer, said)), tokenizer, samples=1)
    assert [sum(rewards) for rewards in batch["rewards"]] == [4.0, -3.0, 4.0]
    assert all(all(mask) for mask in batch["loss_masks"])
    assert batch["rollout_metrics"]["environment/is_success"] == pytest.approx(2 / 3)
    metrics = get_metrics_from_generator_output(batch, uids)
    assert (metrics["avg_score"], metrics["pass_at_n"]) == pytest.approx((5 / 3, 2 / 3))


@pytest.mark.parametrize("step_wise", [False, True])
def test_many_turns_have_each_their_reward_at_their_last_token(tmp_path, step_wise):
    _, tokenizer = load_model("tiny", WORKSPACE, OFFICE, seed=0)
    said = [gold(WORKSPACE, OFFICE, 0), ["hm", *gold(WORKSPACE, OFFICE, 1)], ["?"] * 4]
    data = read_back(tmp_path, tokenizer, WORKSPACE, OFFICE, 3)
    engine = Engine(tokenizer, Scripted(tokenizer, said))
    batch, _ = roll_out(
        data, engine, tokenizer, samples=1, max_turns=4, step_wise_trajectories=step_wise
    )
    expected = [ours(WORKSPACE, OFFICE, index, engine.answers[f"{index}_0"]) for index in range(3)]
    assert max(map(len, expected)) > 2
    if step_wise:
        found = [sum(rewards) for rewards in batch["rewards"]]
        assert found == [reward for rewards in expected for reward in rewards]
        assert sum(batch["is_last_step"]) == 3
        return
    for rewards, mask, ids, turns in zip(
        batch["rewards"], batch["loss_masks"], batch["response_ids"], expected, strict=True
    ):
        ends = [at for at, token in enumerate(ids) if mask[at] and token == tokenizer.eos_token_id]
        assert [rewards[end] for end in ends] == turns
        assert sum(rewards) == pytest.approx(sum(turns))


def test_skyrls_default_of_one_turn_is_refused_for_longer_episodes(tmp_path):
    _, tokenizer = load_model("tiny", WORKSPACE, OFFICE, seed=0)
    data = read_back(tmp_path, tokenizer, WORKSPACE, OFFICE, 1)
    engine = Engine(tokenizer, Scripted(tokenizer, [["?"] * 4]))
    with pytest.raises(ConfigurationError, match=r"set generator\.max_turns=4"):
        roll_out(data, engine, tokenizer, samples=1)
    assert not engine.answers


def test_a_failure_of_ours_stops_skyrls_step_instead_of_becoming_a_reward(
    tmp_path, toolbox_model, monkeypatch
):
    _, tokenizer = toolbox_model
    data = read_back(tmp_path, tokenizer, OWN, {}, 1)

    def down(*_):
        raise InfrastructureError("the server is down")

    monkeypatch.setattr(OwnSession, "progress", down)
    engine = Engine(tokenizer, Scripted(tokenizer, [["hm"]]))
    with pytest.raises(InfrastructureError, match="server is down"):
        roll_out(data, engine, tokenizer, samples=1, max_turns=30)


def test_the_rows_that_skyrl_hands_on_are_those_that_were_written(tmp_path, toolbox_model):
    _, tokenizer = toolbox_model
    data = read_back(tmp_path, tokenizer, TOOLBOX, EASY, 2)
    assert len(data) == 2
    prompt, env_class, extras, _ = data[1]
    row = skyrl_rows(TOOLBOX, EASY, [1])[0]
    assert (prompt, env_class) == (row["prompt"], ENV_CLASS)
    assert json.loads(extras["env_kwargs"]) == EASY
    assert (extras["env"], extras["task_index"], extras["data_source"]) == (TOOLBOX, 1, "toolbox")
