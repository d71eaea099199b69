"""An environment of ours played by verifiers where something fails, is slow, or many play."""

from __future__ import annotations

import asyncio
import threading

import gymnasium as gym
import pytest

from agents.integrations.pool import EnvPool
from agents.integrations.verifiers.threaded import ThreadedEpisode
from tests.agents.chat.server import good, hang, hang_up, refuse, serving
from tests.data.own.support import ROWS, Till, add
from tests.integrations.verifiers.rollouts import (
    TOOLBOX,
    WORKSPACE,
    gold,
    load,
    roll_out,
    scripted,
)
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.data.own.session import OwnSession
from toolrl_env.envs.own import OwnToolsEnv

OWN = "ToolRLExported-v0"


@pytest.fixture
def own_id():
    gym.register(OWN, entry_point=lambda **kwargs: OwnToolsEnv([Till, add], ROWS, **kwargs))
    yield OWN
    del gym.registry[OWN]


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
    execute, take_back, leave = OwnSession.execute, EnvPool.take_back, ThreadedEpisode.close

    def wait(self, calls):
        assert released.wait(30)
        order.append("step ended")
        return execute(self, calls)

    def back(self, *args, **kwargs):
        order.append("given back")
        return take_back(self, *args, **kwargs)

    async def close(self):
        released.set()
        await leave(self)

    said = play_gold_first(own_id)
    env = load(own_id, {}, 1, timeout={"episode": 3})
    monkeypatch.setattr(OwnSession, "execute", wait)
    monkeypatch.setattr(EnvPool, "take_back", back)
    monkeypatch.setattr(ThreadedEpisode, "close", close)
    with serving(good(said)) as server:
        (episode,) = roll_out(env, server.url)
    assert [error.type for error in unscored(episode)[1]] == ["TimeoutError"]
    assert order == ["step ended", "given back"]


def test_many_at_once_do_not_meet_and_nothing_is_left(no_threads_left, monkeypatch):
    plan, expected = scripted(WORKSPACE, {}, 4, gold)
    env, close, closed = load(WORKSPACE, {}, 4), EnvPool.close, []
    monkeypatch.setattr(EnvPool, "close", lambda pool: closed.append(pool) or close(pool))
    with serving(plan, delay=0.01) as server:
        episodes = roll_out(env, server.url, rollouts=6)
        again = roll_out(env, server.url)
        assert server.most > 4
    assert all(episode.traces[0].reward == 1.0 for episode in (*episodes, *again))
    assert len(set(closed)) == 2
    assert [e.traces[0].num_turns for e in again] == [len(said) for *_, said in expected]
