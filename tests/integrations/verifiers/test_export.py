"""An environment of ours played by verifiers: the same rewards, and failures that are marked."""

from __future__ import annotations

import json

import gymnasium as gym
import pytest
import verifiers.v1 as vf

from agents.integrations.verifiers import scoring
from agents.integrations.verifiers.play import ToolRLEnv, ToolRLEnvConfig
from agents.integrations.verifiers.taskset import ToolRLTaskset, ToolRLTasksetConfig
from tests.agents.chat.server import good, serving
from tests.integrations.verifiers.rollouts import (
    TOOLBOX,
    WORKSPACE,
    gold,
    load,
    mixed,
    play,
    roll_out,
    scripted,
)
from toolrl_env.core.errors import ConfigurationError

RLLA, ACE = "ToolRL-RLLA-v0", "ToolRL-ToolACE-v0"


@pytest.mark.parametrize(
    ("env", "answers"),
    [(TOOLBOX, gold), (TOOLBOX, mixed), (WORKSPACE, gold), (WORKSPACE, mixed), (RLLA, mixed)],
)
def test_rewards_and_terms_are_those_of_gym_make(env, answers, monkeypatch):
    monkeypatch.setattr(scoring, "play_answers", None)  # nothing is played twice
    plan, expected = scripted(env, {}, 3, answers)
    with serving(plan) as server:
        episodes = roll_out(load(env), server.url, rollouts=2)
    assert len(episodes) == 6
    for number, episode in enumerate(episodes):
        rewards, terms, said = expected[number // 2]
        assert episode.ok, episode
        (trace,) = episode.traces
        assert trace.reward == sum(rewards)
        assert trace.info["toolrl"]["rewards"] == tuple(rewards)
        assert [message.content for message in trace.assistant_messages] == said
        terms = {name: value for name, value in terms.items() if name != "total"}
        solved = float(answers is gold or trace.reward > 0)
        assert trace.metrics == {**terms, "is_success": solved, "answers": len(said)}


@pytest.mark.parametrize("protocol", ["python", "native"])
@pytest.mark.parametrize(
    ("env", "answers"), [(TOOLBOX, gold), (WORKSPACE, gold), (WORKSPACE, mixed)]
)
def test_the_other_protocols_are_played_too(env, answers, protocol):
    kwargs = {"protocol": protocol}
    plan, expected = scripted(env, kwargs, 3, answers)
    with serving(plan) as server:
        episodes = roll_out(load(env, kwargs), server.url)
        bodies = [body for *_, body in server.requests]
    assert [e.traces[0].reward for e in episodes] == [sum(rewards) for rewards, *_ in expected]
    for episode, (*_, said) in zip(episodes, expected, strict=True):
        (trace,) = episode.traces
        assert [trace.task.data.answer(message) for message in trace.assistant_messages] == said
    for body in bodies:
        assert ("tools" in body) is (protocol == "native")
        called = [call["id"] for m in body["messages"] for call in m.get("tool_calls", ())]
        assert [m["tool_call_id"] for m in body["messages"] if m["role"] == "tool"] == called


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "must be a JSON object"), ("<tool_call> {", "could not be read, so nothing was run")],
)
def test_calls_that_cannot_be_read_are_each_told_so(content, words):
    """Their arguments are no objects; or the text beside them leaves none that can be read."""
    with serving(good(content, [("f", "{"), ("g", "3")])) as server:
        agent = {"max_turns": 2}
        (episode,) = roll_out(load(WORKSPACE, {"protocol": "native"}, 1, agent), server.url)
        *_, (_, _, body) = server.requests
    assert episode.ok
    results = [message for message in body["messages"] if message["role"] == "tool"]
    assert [result["tool_call_id"] for result in results] == ["c0", "c1"]
    assert all(words in result["content"] for result in results)


def test_the_answer_is_scored_as_it_was_written_not_stripped():
    padded = "\n" + play(TOOLBOX, {}, 0, gold)[2][0]
    (expected,), *_ = play(TOOLBOX, {}, 0, lambda *_: padded)
    assert expected < play(TOOLBOX, {}, 0, gold)[0][0]
    with serving(good(padded)) as server:
        (episode,) = roll_out(load(TOOLBOX, {}, 1), server.url)
    assert episode.traces[0].reward == expected


def test_an_empty_answer_is_an_answer():
    with serving(good("")) as server:
        (episode,) = roll_out(load(TOOLBOX, {}, 1), server.url)
    assert (episode.ok, episode.traces[0].reward) == (True, -3.0)


def test_a_limit_of_turns_leaves_the_rewards_so_far():
    with serving(good("<think> x")) as server:
        (episode,) = roll_out(load(WORKSPACE, {}, 1, {"max_turns": 2}), server.url)
    (trace,) = episode.traces
    assert (trace.stop_condition, trace.is_truncated, trace.num_turns) == ("max_turns", True, 2)
    assert trace.info["toolrl"]["over"] is False
    assert trace.info["toolrl"]["rewards"] == (0.0, 0.0)
    assert trace.rewards["toolrl"].score == 0.0


# ---------------------------------------------------------------------- the taskset


def test_verifiers_finds_taskset_environment_and_harness_by_name():
    env = load(TOOLBOX)
    assert isinstance(env, ToolRLEnv)
    assert isinstance(env.taskset, ToolRLTaskset)
    assert env.config.agent_harnesses()["agent"].id == "toolrl"
    assert env.config.agent.runtime.type == "subprocess"


def test_tasks_show_what_the_model_sees_and_no_gold():
    config = ToolRLTasksetConfig(id="toolrl", first_task=2, num_tasks=2)
    first, second = ToolRLTaskset(config)
    made = gym.make(TOOLBOX)
    _, info = made.reset(options={"task_index": 2})
    assert first.data.system_prompt == info["messages"][0]["content"]
    assert first.data.prompt_text == info["messages"][1]["content"]
    assert (first.data.id, first.data.source) == (info["task_id"], info["source"])
    assert made.unwrapped.gold_answer() not in json.dumps(first.data.model_dump(mode="json"))
    assert first.key != second.key
    assert first.key == next(iter(ToolRLTaskset(config))).key


def test_a_finite_set_ends_where_it_ends():
    made = gym.make(RLLA)
    size = made.unwrapped.tasks.size
    config = ToolRLTasksetConfig(env=RLLA, first_task=size - 2, num_tasks=100)
    assert len(list(ToolRLTaskset(config))) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"env": "ToolRL-Toolbocks-v0"}, "ToolRL-Toolbocks-v0"),
        ({"env": ACE, "env_kwargs": '{"mode": "multi_turn"}'}, "teacher forcing"),
        ({"env_kwargs": '{"difficulti": 1}'}, "difficulti"),
        ({"env_kwargs": "{"}, "not JSON"),
        ({"env": RLLA, "first_task": 10_000_000}, "task_index=10000000"),
    ],
)
def test_what_cannot_be_exported_is_named(change, said):
    with pytest.raises(ConfigurationError, match=said):
        ToolRLTaskset(ToolRLTasksetConfig(**change))


def test_our_environment_plays_our_tasksets_alone():
    with pytest.raises(ConfigurationError, match=r"'vf_sums' is a SumTaskset.*id 'toolrl'"):
        ToolRLEnv(ToolRLEnvConfig(taskset={"id": "vf_sums"}))


def test_another_environment_of_theirs_scores_by_replaying_the_answers():
    """``best-of-n`` comes with verifiers and knows nothing of ours."""
    from verifiers.v1.envs.best_of_n.env import BestOfNEnvConfig

    plan, expected = scripted(TOOLBOX, {}, 2, mixed)
    config = BestOfNEnvConfig(
        id="best-of-n", taskset={"id": "toolrl", "num_tasks": 2}, n=2, **_seats(BestOfNEnvConfig)
    )
    with serving(plan) as server:
        episodes = roll_out(vf.load_environment(config), server.url)
    for episode, (rewards, *_) in zip(episodes, expected, strict=True):
        assert [trace.rewards["toolrl"].score for trace in episode.traces] == rewards * 2


def _seats(config):
    names = [
        name for name, field in config.model_fields.items() if field.annotation is vf.AgentConfig
    ]
    return {name: {"runtime": {"type": "subprocess"}} for name in names}
