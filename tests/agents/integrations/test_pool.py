"""Episodes by reference: the same rewards as gym.make, side by side, and failures that are said."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import gymnasium as gym
import pytest

from agents.integrations.pool import EnvPool
from agents.integrations.tasks import TaskRef
from agents.turn_outcome import REPLACES_ANSWERS
from tests.data.own.support import ROWS, Till, add
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.data.own.session import OwnSession
from toolrl_env.envs.own import OwnToolsEnv

TOOLBOX, WORKSPACE, OWN = "ToolRL-Toolbox-v0", "ToolRL-Workspace-v0", "ToolRLPooled-v0"


@pytest.fixture
def pool():
    with EnvPool() as pool:
        yield pool


@pytest.fixture
def own_id():
    gym.register(OWN, entry_point=lambda **kwargs: OwnToolsEnv([Till, add], ROWS, **kwargs))
    yield OWN
    del gym.registry[OWN]


def play_gold(pool, ref):
    with pool.open(ref) as episode:
        while not episode.over:
            episode.answer(episode.gold_answer())
    return episode


def play_gym(ref):
    env = gym.make(ref.env, **ref.kwargs())
    text, _ = env.reset(seed=0, options={"task_index": ref.index})
    rewards, over = [], False
    while not over:
        text, reward, terminated, truncated, info = env.step(env.unwrapped.gold_answer())
        rewards.append(reward)
        over = terminated or truncated
    env.close()
    return rewards, info["messages"], text


@pytest.mark.parametrize("env", [TOOLBOX, WORKSPACE])
def test_an_episode_is_what_gym_make_plays(pool, env):
    for index in range(3):
        ref = TaskRef.of(env, {"difficulty": 3}, index)
        episode, (rewards, messages, text) = play_gold(pool, ref), play_gym(ref)
        assert [outcome.reward for outcome in episode.outcomes] == rewards
        assert (episode.messages, episode.reward) == (messages, sum(rewards))
        assert episode.observation == text


def test_new_messages_are_what_came_after_the_answer(pool):
    with pool.open(TaskRef.of(WORKSPACE, {"difficulty": 4}, 0)) as episode:
        assert episode.new_messages == ()
        while not episode.over:
            before, answer = list(episode.messages), episode.gold_answer()
            episode.answer(answer)
            said = {"role": "assistant", "content": answer}
            if not episode.over:
                assert episode.new_messages
                assert episode.messages == [*before, said, *episode.new_messages]
        assert episode.new_messages == ()


def test_episodes_side_by_side_do_not_meet_and_environments_are_used_again(pool):
    ref = TaskRef.of(WORKSPACE, {"difficulty": 4}, 0)
    one, other = pool.open(ref), pool.open(ref)
    one.answer(one.gold_answer())
    assert len(other.messages) < len(one.messages)
    env = one._env
    assert env is not other._env
    one.close()
    one.close()
    with pool.open(ref) as third, pool.open(ref) as fourth:
        assert third._env is env
        assert fourth._env is not env
    with pytest.raises(gym.error.ResetNeeded, match="over"):
        one.answer("late")
    other.close()


def test_a_closed_episodes_world_is_freed_while_its_environment_waits(pool, own_id, monkeypatch):
    closed, close = [], OwnSession.close

    def note(session):
        closed.append(session)
        close(session)

    monkeypatch.setattr(OwnSession, "close", note)
    ref = TaskRef.of(own_id, {}, 0)
    episode = pool.open(ref)
    world = episode._env._session
    assert world not in closed
    episode.close()
    assert world in closed
    assert play_gold(pool, ref)._env is episode._env


def test_the_limit_of_turns_is_told(pool):
    with pool.open(TaskRef.of(WORKSPACE, {"max_turns": 7}, 0)) as episode:
        assert episode.max_turns == 7
    with pool.open(TaskRef.of(TOOLBOX, {}, 0)) as episode:
        assert episode.max_turns is None


def test_threads_share_a_pool(pool):
    refs = [TaskRef.of(WORKSPACE, {"difficulty": 2}, index % 4) for index in range(32)]
    with ThreadPoolExecutor(8) as threads:
        episodes = list(threads.map(lambda ref: play_gold(pool, ref), refs))
    assert [episode.reward for episode in episodes] == [sum(play_gym(ref)[0]) for ref in refs]


def test_one_answer_is_scored_and_a_bad_one_is_data(pool):
    ref = TaskRef.of(TOOLBOX, {"difficulty": 1}, 0)
    assert pool.score(ref, "").reward == -3.0
    with pool.open(ref) as episode:
        gold = episode.gold_answer()
    outcome = pool.score(ref, gold)
    assert outcome.reward == outcome.highest == outcome.components["total"]


def test_scoring_one_answer_of_a_longer_episode_is_refused(pool):
    with pytest.raises(ConfigurationError, match="goes on after an answer"):
        pool.score(TaskRef.of(WORKSPACE, {"difficulty": 1}, 0), "hello")


def test_teacher_forcing_is_refused_because_nobody_else_could_follow(pool):
    ref = TaskRef.of("ToolRL-ToolACE-v0", {"mode": "multi_turn"}, 0)
    with pytest.raises(ConfigurationError) as caught:
        pool.open(ref)
    assert REPLACES_ANSWERS in str(caught.value)
    free = {"mode": "multi_turn", "continuation": "free_running"}
    assert play_gold(pool, TaskRef.of("ToolRL-ToolACE-v0", free, 0)).over


def test_a_failing_step_raises_its_kind_and_its_environment_is_not_used_again(
    pool, own_id, monkeypatch
):
    def down(*_):
        raise InfrastructureError("the server is down", FailureKind.SERVER_DOWN)

    ref = TaskRef.of(own_id, {}, 0)
    episode = pool.open(ref)
    with monkeypatch.context() as broken:
        broken.setattr(OwnSession, "progress", down)
        with pytest.raises(InfrastructureError, match="server is down") as caught:
            episode.answer(episode.gold_answer())
    assert caught.value.kind is FailureKind.SERVER_DOWN
    assert episode.over
    assert episode.outcomes == []
    with pytest.raises(gym.error.ResetNeeded):
        episode.answer("again")
    episode.close()
    assert play_gold(pool, ref)._env is not episode._env


def test_an_environment_whose_step_was_interrupted_is_not_used_again(pool, own_id, monkeypatch):
    """It may still have a call under way, and give its result as that of a later one."""

    def interrupted(*_):
        raise KeyboardInterrupt

    ref = TaskRef.of(own_id, {}, 0)
    with monkeypatch.context() as patch, pool.open(ref) as episode:
        patch.setattr(OwnSession, "progress", interrupted)
        with pytest.raises(KeyboardInterrupt):
            episode.answer(episode.gold_answer())
    assert episode.over
    assert play_gold(pool, ref)._env is not episode._env


def test_a_world_that_cannot_be_opened_raises_and_the_next_one_opens(pool, own_id, monkeypatch):
    ref = TaskRef.of(own_id, {}, 0)
    with monkeypatch.context() as broken:
        broken.setattr(
            OwnSession,
            "__init__",
            lambda *_, **__: (_ for _ in ()).throw(InfrastructureError("no")),
        )
        with pytest.raises(InfrastructureError, match="no"):
            pool.open(ref)
    assert play_gold(pool, ref).over


def test_what_cannot_be_pooled_is_named(pool, stub_id):
    with pytest.raises(ConfigurationError, match="StubEnv, not a ToolUseEnv"):
        pool.open(TaskRef.of(stub_id, {}, 0))
    ref = TaskRef.of("ToolRL-APIBank-v0", {"level": 3}, 0)
    used = play_gold(pool, ref)._env
    with pytest.raises(ConfigurationError, match="task_index=99"):
        pool.open(TaskRef.of(ref.env, ref.kwargs(), 99_999_999))
    assert play_gold(pool, ref)._env is used  # nothing broke


def test_a_closed_pool_opens_nothing_and_closes_what_comes_back():
    pool = EnvPool()
    episode = pool.open(TaskRef.of(TOOLBOX, {}, 0))
    pool.close()
    closed = []
    episode._env.close = lambda: closed.append(True)
    episode.close()
    assert closed == [True]
    with pytest.raises(ConfigurationError, match="closed"):
        pool.open(TaskRef.of(TOOLBOX, {}, 0))
