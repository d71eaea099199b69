"""The tiny model behind a real server, run by verifiers: its rewards are ours, answer by answer."""

from __future__ import annotations

import json

import gymnasium as gym
import pytest

from agents.models import tiny
from tests.agents.test_openai_served import serving
from tests.integrations.verifiers.rollouts import TOOLBOX, WORKSPACE, load, roll_out

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Base URL and name of the model."""
    folder = str(tmp_path_factory.mktemp("tiny"))
    for part in tiny.create(TOOLBOX, {"difficulty": 1}, 0):
        part.save_pretrained(folder)
    with serving(folder, tmp_path_factory.mktemp("serve") / "log") as url:
        yield url, folder


@pytest.mark.parametrize(
    ("env", "kwargs", "turns"),
    [
        (TOOLBOX, {"difficulty": 1}, 1),
        (TOOLBOX, {"difficulty": 1, "protocol": "native"}, 1),
        (WORKSPACE, {"max_turns": 2}, 2),
    ],
)
def test_the_tiny_model_is_played_by_verifiers(env, kwargs, turns, served):
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
