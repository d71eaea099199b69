"""A real model behind a real server, run by verifiers: its rewards are ours, answer by answer."""

from __future__ import annotations

import json

import gymnasium as gym
import pytest

from tests.agents.test_openai_served import served  # noqa: F401  # a fixture
from tests.integrations.verifiers.rollouts import TOOLBOX, WORKSPACE, load, roll_out

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ("env", "kwargs", "turns"),
    [
        (TOOLBOX, {"difficulty": 1}, 1),
        (TOOLBOX, {"difficulty": 1, "protocol": "native"}, 1),
        (WORKSPACE, {"max_turns": 2}, 2),
    ],
)
def test_smollm2_is_played_by_verifiers(env, kwargs, turns, served):  # noqa: F811
    url, model = served
    episodes = roll_out(load(env, kwargs, 2), url, model=model, max_tokens=12, temperature=0.0)
    for index, episode in enumerate(episodes):
        assert episode.ok, episode.model_dump_json(indent=1)
        (trace,) = episode.traces
        answers = [trace.task.data.answer(message) for message in trace.assistant_messages]
        assert 1 <= len(answers) <= turns
        assert all(answers), "the model said nothing"
        made = gym.make(env, **kwargs)
        made.reset(seed=0, options={"task_index": index})
        rewards = [made.step(answer)[1] for answer in answers]
        assert trace.rewards["toolrl"].score == sum(rewards)
        assert json.loads(json.dumps(trace.info["toolrl"]["rewards"])) == rewards
