"""Behaviour cloning from Minari datasets: of answers by a language model, of choices by a net."""

from __future__ import annotations

import json

import gymnasium as gym
import numpy as np
import pytest
import torch
from rich.console import Console

from agents import sft
from agents.evaluate import EvaluateConfig, run
from agents.integrations.minari import collect, load, main, save
from agents.models import load_model
from agents.sb3_policies import CandidateScorer
from agents.scripted import gold_action
from tests.agents.integrations.minari_support import TOOLBOX, use_folder
from tests.learning.test_learning import held_out, mean_reward
from tests.learning.test_sb3 import random_reward
from toolrl_env.wrappers import CandidateActions

SHORT = {"difficulty": 1, "template": "short"}
TEST = SHORT | {"split": "test"}
EASY = {"difficulty": 1}


@pytest.fixture(autouse=True)
def one_thread(tmp_path, monkeypatch):
    use_folder(tmp_path, monkeypatch)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_the_best_of_a_noisy_agent_are_learnt_by_a_language_model(tmp_path):
    """Played, imported, the best exported, learnt: the same as on the command line."""
    played, best = tmp_path / "played", tmp_path / "best.jsonl"
    kwargs = json.dumps(SHORT)
    config = EvaluateConfig(
        env=TOOLBOX, env_kwargs=kwargs, agent="noisy:0.5", episodes=300, out=played
    )
    run(config, Console(quiet=True))
    assert main(["import", str(played / "trajectories.jsonl"), "toolrl/noisy-v0"]) == 0
    assert main(["export", "toolrl/noisy-v0", str(best), "--min-return", "4"]) == 0
    kept = len(best.read_text().splitlines())
    assert 50 < kept < 200 < len(load("toolrl/noisy-v0"))
    folder = sft.train(
        sft.SFTConfig(
            env=TOOLBOX,
            env_kwargs=kwargs,
            model="tiny",
            out=tmp_path / "sft",
            demonstrations=best,
            steps=90,
            learning_rate=4e-3,
            warmup_steps=10,
            decay_steps=20,
        )
    )
    before = mean_reward(*load_model("tiny", TOOLBOX, SHORT, 0), TOOLBOX, TEST, 24, 80)
    after = held_out(folder, TOOLBOX, TEST, 24, 80)
    assert before == -3.0
    assert after > -2.4


def test_choices_are_cloned_by_a_small_network():
    env = CandidateActions(gym.make(TOOLBOX, **EASY))
    collector = collect(env)
    for index in range(300):
        collector.reset(options={"task_index": index})
        action = gold_action(collector)
        if action is not None:
            collector.step(action)
    save(collector, "toolrl/choices-v0")
    dataset = load("toolrl/choices-v0")
    seen = torch.tensor(np.stack([episode.observations[0] for episode in dataset]))
    done = torch.tensor([int(episode.actions[0]) for episode in dataset])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = CandidateScorer(env.observation_space, env.layout)
        optimizer = torch.optim.Adam(net.parameters(), 3e-3)
        for _ in range(200):
            rows = torch.randint(len(seen), (64,))
            scores = net(seen[rows])[:, : env.action_space.n]
            loss = torch.nn.functional.cross_entropy(scores, done[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    held = CandidateActions(gym.make(TOOLBOX, split="test", **EASY))
    total = 0.0
    for index in range(80):
        observation, _ = held.reset(options={"task_index": index})
        with torch.no_grad():
            scores = net(torch.tensor(observation[None]))[0, : env.action_space.n]
        total += held.step(int(scores.argmax()))[1]
    assert random_reward({"difficulty": 1}) < 1.0
    assert total / 80 > 3.0
