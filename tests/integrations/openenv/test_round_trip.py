"""Ours -> OpenEnv -> Gymnasium: the same observations, rewards and flags, step for step."""

from __future__ import annotations

import json

import gymnasium as gym
import pytest

from agents.integrations.openenv.environment import ToolRLEnvironment
from agents.integrations.openenv.gymnasium_env import OpenEnvEnv
from agents.integrations.openenv.models import ToolRLAction
from agents.integrations.openenv.served import Served
from agents.integrations.openenv.texts import field_text, plain_fields
from tests.integrations.openenv.support import serving
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind, StopReason
from toolrl_env.data.own.session import OwnSession

pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")

CALL = '{"name": "search", "parameters": {"query": "x"}}'
SEARCH = f"<think> t </think>\n<tool_call>\n{CALL}\n</tool_call>"
ANSWERS = {
    "gold": lambda env: env.gold_answer(),
    "unreadable": lambda _: "<tool_call>{",
    "nothing": lambda _: "",
    "odd characters": lambda _: "naïve 😀\x00\u2028 \\ud800",
    "calls without end": lambda _: SEARCH,
}
IDS = [
    ("ToolRL-Toolbox-v0", {"difficulty": 2}),
    ("ToolRL-APIBank-v0", {}),
    ("ToolRL-Hammer-v0", {}),
    ("ToolRL-Workspace-v0", {"difficulty": 2, "max_turns": 4}),
    ("ToolRL-ToolACE-v0", {"mode": "multi_turn", "continuation": "free_running"}),
]


def back(source, **kwargs):
    """Import what we serve."""
    return OpenEnvEnv(
        source,
        bad_action_reward=-9.0,
        show=field_text("text"),
        truncated=lambda seen: plain_fields(seen)["truncated"],
        **kwargs,
    )


def episode(env, answers, seed):
    """Play an episode; yield each answer and what ``step`` returned."""
    env.reset(seed=seed)
    over = False
    while not over:
        answer = answers(env.unwrapped)
        step = env.step(answer)
        over = step[2] or step[3]
        yield answer, step


@pytest.mark.parametrize(("env_id", "kwargs"), IDS, ids=[env for env, _ in IDS])
@pytest.mark.parametrize("way", ["in process", "over the wire"])
def test_there_and_back_is_the_same(env_id, kwargs, way):
    ours = gym.make(env_id, **kwargs)
    if way == "in process":
        theirs = back(ToolRLEnvironment(Served(env_id, kwargs)), action_type=ToolRLAction)
        assert compare(ours, theirs) >= 10
    else:
        with serving(env_id, json.dumps(kwargs)) as url:
            theirs = back(url)
            assert compare(ours, theirs) >= 10
            theirs.close()


def compare(ours, theirs):
    steps = 0
    for seed in range(2):
        for answers in ANSWERS.values():
            assert theirs.reset(seed=seed)[0] == ours.reset(seed=seed)[0]
            for answer, (*step, info) in episode(ours, answers, seed):
                found = theirs.step(answer)
                assert list(found[:4]) == step
                seen = found[4]["openenv"]
                assert seen["terms"] == info["reward"]
                assert seen["messages"] == info["messages"]
                assert seen["stop_reason"] == info["stop_reason"]
                steps += 1
    return steps


def test_a_turn_limit_comes_back_as_truncation():
    with serving("ToolRL-Workspace-v0", '{"max_turns": 2}') as url:
        env = back(url)
        *_, last = episode(env, lambda _: SEARCH, 0)
        assert last[1][2:4] == (False, True)
        assert last[1][4]["stop_reason"] is StopReason.TURN_LIMIT
        env.close()


@pytest.mark.parametrize("kind", FailureKind)
def test_a_failure_of_ours_comes_back_with_its_kind(own_id, monkeypatch, kind):
    def fail(*_):
        raise InfrastructureError("no", kind)

    with serving(own_id) as url:
        env = back(url)
        env.reset(seed=0)
        with monkeypatch.context() as broken:
            broken.setattr(OwnSession, "progress", fail)
            with pytest.raises(InfrastructureError, match="no") as caught:
                env.step("<think> t </think>\n<response> r </response>")
        assert caught.value.kind is kind
        env.reset(seed=0)
        env.close()
