"""An environment of theirs in the hands of the trainers here."""

from __future__ import annotations

import json

import gymnasium as gym
import numpy as np
import pytest

from agents.conversation import Limits
from agents.grpo import GRPOConfig, train
from agents.models import tiny
from agents.prompting import ChatEncoder
from agents.rollout import GroupCollector
from agents.turn_outcome import take_turn
from tests.agents.scripts import Script
from tests.integrations.openenv.support import parrot_app, running
from toolrl_env.core.types import FailureKind, StopReason

THEIRS = "TheirParrot-v0"


@pytest.fixture(scope="module")
def model():
    return tiny.create("ToolRL-Toolbox-v0", {"difficulty": 1}, 0)


@pytest.fixture(scope="module")
def theirs():
    """Serve parrots; register them, cut after three answers."""
    with running(parrot_app(sessions=32)) as url:
        gym.register(
            THEIRS,
            entry_point="agents.integrations.openenv.gymnasium_env:OpenEnvEnv",
            kwargs={"source": url, "bad_action_reward": -1.0, "system": "Say a word."},
            max_episode_steps=4,
        )
        yield THEIRS
        del gym.registry[THEIRS]


def test_a_turn_is_read_as_one_of_ours(theirs):
    env = gym.make(theirs).unwrapped
    _, info = env.reset(seed=1)
    assert [message["role"] for message in info["messages"]] == ["system", "user"]
    outcome = take_turn(env, "hello")
    assert (outcome.reward, outcome.over, outcome.masked) == (1.25, False, False)
    assert outcome.components == {"total": 1.25, "openenv": 1.25}
    assert [dict(message) for message in outcome.messages[-2:]] == [
        {"role": "assistant", "content": "hello"},
        {"role": "user", "content": "1: hello"},
    ]
    assert np.isnan(outcome.highest)
    outcome = take_turn(env, "bye")
    assert (outcome.over, outcome.stop_reason) == (True, StopReason.ANSWERED)
    env.reset(seed=1)
    outcome = take_turn(env, "die")
    assert (outcome.masked, outcome.over) == (True, True)
    assert outcome.failure_kind is FailureKind.TOOL_CRASHED
    env.close()


def test_groups_of_episodes_are_played_and_failures_are_marked(theirs, model):
    encoder = ChatEncoder(model[1])
    words = ("hello", "bye", "die")
    limits = Limits(max_new_tokens=8, max_context=400, max_turns=2)
    played = GroupCollector(theirs, {}, encoder, limits=limits, prompts=2, group_size=3)
    sampler = Script(encoder, lambda _, number: words[number % 3])
    groups = played.collect(sampler, (1, 2), np.random.default_rng(0), 0)
    played.close()
    assert len({group.task_id for group in groups}) == 2
    for group in groups:
        long, short, failed = group.episodes
        assert [turn.reward for turn in short.turns] == [0.75]
        assert [turn.reward for turn in long.turns] == [1.25, 1.25]
        assert failed.failed
        assert list(group.rewards) == [2.5, 0.75]


def test_grpo_takes_a_step_on_it(theirs, model, tmp_path):
    folder = tmp_path / "model"
    for part in model:
        part.save_pretrained(folder)
    config = GRPOConfig(
        env=theirs,
        model=str(folder),
        out=tmp_path / "run",
        steps=1,
        prompts=2,
        group_size=2,
        max_new_tokens=8,
        max_context=400,
    )
    train(config)
    (line,) = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(line)["reward"] > 0
