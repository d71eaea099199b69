"""Whatever a world is asked may fail: the step is masked, the episode ends, a reset begins anew."""

from __future__ import annotations

import gymnasium as gym
import pytest

from tests.data.own.support import ROWS, Till, add
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind, StopReason
from toolrl_env.data.own.session import OwnSession
from toolrl_env.envs.own import OwnToolsEnv, OwnToolsVectorEnv
from toolrl_env.rewards.episode import EpisodeRewardConfig

REWARDS = ["outcome", "shaped", EpisodeRewardConfig(state_execution=1.0, step_f1=1.0)]
RESPONSE = "<think> Done. </think>\n<response> Done. </response>"
DOWN = FailureKind.SERVER_DOWN


def down(*_args):
    raise InfrastructureError("the server is down", DOWN)


def make(**kwargs):
    return OwnToolsEnv([Till, add], ROWS, **kwargs)


def check_masked(env, step):
    _, reward, terminated, truncated, info = step
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert (info["mask_sample"], info["failure_kind"]) == (True, DOWN.value)
    assert info["failure"] == "the server is down"
    assert info["stop_reason"] == StopReason.INFRASTRUCTURE
    assert not info["is_success"]
    assert all(term.reason.startswith("masked") for term in info["breakdown"].terms)
    assert env.credits() == ()
    with pytest.raises(gym.error.ResetNeeded):
        env.step(RESPONSE)


@pytest.mark.parametrize("reward", REWARDS, ids=["outcome", "shaped", "more"])
@pytest.mark.parametrize("asked", ["gold", "progress", "writes", "reply", "outcome", "tools"])
def test_every_question_to_the_world_may_fail(monkeypatch, asked, reward):
    env = make(episode_reward=reward)
    env.reset(seed=0)
    with monkeypatch.context() as broken:
        broken.setattr(OwnSession, asked, down)
        if asked == "tools":  # asked only where the conversation goes on
            answer = env.gold_answer()
            assert "<tool_call>" in answer
            check_masked(env, env.step(answer))
        else:
            check_masked(env, env.step(RESPONSE))
    env.reset(seed=0)
    assert not env.step(env.gold_answer())[4]["mask_sample"]


def test_a_reward_term_that_reaches_a_broken_judge_masks_the_turn():
    env = make(episode_reward=EpisodeRewardConfig(extra_terms=(down,)))
    env.reset(seed=0)
    step = env.step(RESPONSE)
    check_masked(env, step)
    assert [term.name for term in step[4]["breakdown"].terms] == ["outcome"]


@pytest.mark.parametrize(
    ("outcome", "stop"), [(1.0, "goal_reached"), (0.5, "answered"), (None, "answered")]
)
def test_a_world_without_predicates_succeeds_by_its_judgement_alone(monkeypatch, outcome, stop):
    monkeypatch.setattr(OwnSession, "progress", lambda self: ())
    monkeypatch.setattr(OwnSession, "outcome", lambda self: outcome)
    env = make(episode_reward=EpisodeRewardConfig(outcome=0.0, turns=0.1))
    env.reset(seed=0)
    *_, info = env.step(RESPONSE)
    assert (info["is_success"], info["stop_reason"]) == (outcome == 1.0, stop)
    assert info["progress"] == 0.0


def test_a_world_that_cannot_be_opened_is_said_by_reset_and_leaves_no_episode(monkeypatch):
    env = make()
    env.reset(seed=0)
    snapshot = env.snapshot()
    with monkeypatch.context() as broken:
        broken.setattr(type(env.tasks), "open", down)
        for begin in (lambda: env.reset(seed=1), lambda: env.restore(snapshot)):
            with pytest.raises(InfrastructureError, match="down"):
                begin()
            for asked in (lambda: env.step(RESPONSE), env.state_hash):
                with pytest.raises(gym.error.ResetNeeded):
                    asked()
    env.restore(snapshot)
    assert env.step(env.gold_answer())[1] == make_and_play(env.task.id)
    env.close()


def make_and_play(task_id):
    env = make()
    env.reset(options={"task_id": task_id})
    return env.step(env.gold_answer())[1]


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_a_vector_tries_a_failed_reset_again(monkeypatch, mode):
    envs = OwnToolsVectorEnv(2, mode, tools=[Till, add], tasks=ROWS)
    envs.reset(seed=0)
    source = type(envs.envs[0].tasks)
    with monkeypatch.context() as broken:
        broken.setattr(source, "open", down)
        if mode == "NextStep":
            envs.step([RESPONSE] * 2)
        with pytest.raises(InfrastructureError, match="down"):
            envs.step([RESPONSE] * 2)
    assert envs.finished.tolist() == [True, True]
    _, rewards, terminations, *_ = envs.step([RESPONSE] * 2)  # the reset
    assert (rewards.tolist(), terminations.tolist()) == ([0.0, 0.0], [False, False])
    _, _, terminations, truncations, _ = envs.step([RESPONSE] * 2)
    assert (terminations.tolist(), truncations.tolist()) == ([True, True], [False, False])
    envs.close()


@pytest.mark.parametrize(
    "given", [{"reward": "length"}, {"strict": True}, {"episode_reward": "toolrl_turns"}]
)
def test_what_scores_single_answers_is_refused_instead_of_ignored(given):
    with pytest.raises(ConfigurationError, match="episode_reward"):
        make(**given)


def test_a_reward_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match="episode_reward=3; allowed"):
        make(episode_reward=3)
