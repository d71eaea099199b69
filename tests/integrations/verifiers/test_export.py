"""An environment of ours played by verifiers: the same rewards, and failures that are marked."""

from __future__ import annotations

import asyncio
import json
import threading

import gymnasium as gym
import pytest
import verifiers.v1 as vf

from agents.integrations.pool import EnvPool
from agents.integrations.verifiers.play import ToolRLEnv
from agents.integrations.verifiers.taskset import ToolRLTaskset, ToolRLTasksetConfig
from tests.agents.chat.server import good, hang, hang_up, refuse, serving
from tests.data.own.support import ROWS, Till, add
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
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.data.own.session import OwnSession
from toolrl_env.envs.own import OwnToolsEnv

OWN, RLLA, ACE = "ToolRLExported-v0", "ToolRL-RLLA-v0", "ToolRL-ToolACE-v0"


@pytest.fixture
def own_id():
    gym.register(OWN, entry_point=lambda **kwargs: OwnToolsEnv([Till, add], ROWS, **kwargs))
    yield OWN
    del gym.registry[OWN]


@pytest.mark.parametrize(
    ("env", "answers"),
    [(TOOLBOX, gold), (TOOLBOX, mixed), (WORKSPACE, gold), (WORKSPACE, mixed), (RLLA, mixed)],
)
def test_rewards_and_terms_are_those_of_gym_make(env, answers):
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


def test_calls_that_cannot_be_read_are_each_told_so():
    with serving(good("", [("f", "{"), ("g", "3")])) as server:
        agent = {"max_turns": 2}
        (episode,) = roll_out(load(WORKSPACE, {"protocol": "native"}, 1, agent), server.url)
        *_, (_, _, body) = server.requests
    assert episode.ok
    results = [message for message in body["messages"] if message["role"] == "tool"]
    assert [result["tool_call_id"] for result in results] == ["c0", "c1"]
    assert all(result["content"] for result in results)


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
    assert trace.rewards["toolrl"].score == 0.0


# ---------------------------------------------------------------------- failures


def unscored(episode):
    assert not episode.ok
    for trace in episode.traces:
        assert not trace.ok
        assert not any(reward is not None for reward in trace.rewards.values())
    return [error.type for trace in episode.traces for error in trace.errors], episode.errors


@pytest.mark.parametrize("act", [refuse(500, headers=()), refuse(400), hang_up])
def test_a_failing_endpoint_is_an_error_and_no_reward(act):
    with serving(act) as server:
        (episode,) = roll_out(load(TOOLBOX, {}, 1), server.url)
    assert unscored(episode)[0] == ["ProviderError"]


def test_an_endpoint_that_fails_after_an_answer_leaves_no_reward():
    with serving(good("<think> x"), refuse(400)) as server:
        (episode,) = roll_out(load(WORKSPACE, {}, 1), server.url)
    assert unscored(episode)[0] == ["ProviderError"]


def test_verifiers_can_repeat_an_episode_that_failed():
    env = load(WORKSPACE, {}, 1, retries={"max_retries": 1})
    with serving(good("<think> x"), refuse(400), good("<think> x")) as server:
        (episode,) = roll_out(env, server.url)
    assert episode.ok
    assert [error.type for error in episode.errors] == ["ProviderError"]
    assert episode.traces[0].num_turns == len(episode.traces[0].info["toolrl"]["rewards"]) > 1


def test_an_agent_that_ran_out_of_time_before_its_first_answer_has_no_reward():
    with serving(hang) as server:
        (episode,) = roll_out(load(TOOLBOX, {}, 1, {"timeout": {"rollout": 0.5}}), server.url)
    (trace,) = episode.traces
    types, _ = unscored(episode)
    assert trace.is_timeout
    assert types == ["TaskError"]
    assert "before there was an answer" in trace.last_error.message


def test_a_failing_step_of_ours_is_an_error_with_its_words(own_id, monkeypatch):
    def down(*_):
        raise InfrastructureError("the till is down", FailureKind.SERVER_DOWN)

    monkeypatch.setattr(OwnSession, "execute", down)
    said = play_gold_first(own_id)
    with serving(good(said)) as server:
        (episode,) = roll_out(load(own_id, {}, 1), server.url)
    types, errors = unscored(episode)
    assert types == ["InfrastructureError"]
    assert [error.type for error in errors] == ["EnvError"]
    assert "the till is down" in errors[0].message


def play_gold_first(env):
    made = gym.make(env)
    made.reset(seed=0, options={"task_index": 0})
    return made.unwrapped.gold_answer()


def test_a_world_that_does_not_open_is_an_error(own_id, monkeypatch):
    env = load(own_id, {}, 1)
    tasks = list(env.taskset)
    monkeypatch.setattr(type(env.taskset), "load", lambda self: tasks)

    def down(*_):
        raise InfrastructureError("no more tills", FailureKind.SERVER_DOWN)

    monkeypatch.setattr(OwnSession, "begin", down)
    with serving(good()) as server:
        (episode,) = roll_out(env, server.url)
        assert not server.requests
    types, errors = unscored(episode)
    assert (types, [error.type for error in errors]) == ([], ["EnvError"])
    assert "no more tills" in errors[0].message


# ---------------------------------------------------------------------- side by side


def test_a_step_that_waits_does_not_hold_up_the_event_loop(own_id, monkeypatch):
    released, execute = threading.Event(), OwnSession.execute

    def wait(self, calls):
        assert released.wait(30), "the event loop never ran"
        return execute(self, calls)

    async def release():
        await asyncio.sleep(0.2)
        released.set()

    monkeypatch.setattr(OwnSession, "execute", wait)
    with serving(good(play_gold_first(own_id))) as server:
        env = load(own_id, {}, 1, {"max_turns": 1})
        (episode,) = roll_out(env, server.url, meanwhile=release)
    assert episode.ok
    assert released.is_set()


def test_an_environment_is_given_back_only_when_its_step_has_ended(own_id, monkeypatch):
    """Verifiers' deadline passes while a tool runs; nobody else may get that environment yet."""
    released, order = threading.Event(), []
    execute, take_back = OwnSession.execute, EnvPool.take_back

    def wait(self, calls):
        assert released.wait(30)
        order.append("step ended")
        return execute(self, calls)

    def back(self, *args, **kwargs):
        order.append("given back")
        return take_back(self, *args, **kwargs)

    async def release():
        await asyncio.sleep(2)
        released.set()

    said = play_gold_first(own_id)
    env = load(own_id, {}, 1, timeout={"episode": 0.5})
    monkeypatch.setattr(OwnSession, "execute", wait)
    monkeypatch.setattr(EnvPool, "take_back", back)
    with serving(good(said)) as server:
        (episode,) = roll_out(env, server.url, meanwhile=release)
    assert [error.type for error in unscored(episode)[1]] == ["TimeoutError"]
    assert order == ["step ended", "given back"]


def test_many_at_once_do_not_meet_and_nothing_is_left(no_threads_left):
    plan, expected = scripted(WORKSPACE, {}, 4, gold)
    env = load(WORKSPACE, {}, 4)
    with serving(plan, delay=0.01) as server:
        episodes = roll_out(env, server.url, rollouts=6)
        again = roll_out(env, server.url)
        assert server.most > 4
    assert all(episode.traces[0].reward == 1.0 for episode in (*episodes, *again))
    assert [e.traces[0].num_turns for e in again] == [len(said) for *_, said in expected]


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
