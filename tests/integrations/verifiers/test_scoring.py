"""Rewards of a trace: noted while it was played, or its answers replayed."""

from __future__ import annotations

import json

import pytest
import verifiers.v1 as vf
from verifiers.v1.graph import MessageNode
from verifiers.v1.trace import AgentInfo, TraceTask

from agents.integrations.pool import PooledEpisode
from agents.integrations.tasks import TaskRef
from agents.integrations.verifiers import scoring
from agents.integrations.verifiers.data import ToolRLData
from agents.integrations.verifiers.scoring import Played, gold_solves, play_answers, played
from tests.integrations.verifiers.rollouts import TOOLBOX, WORKSPACE, gold, play
from toolrl_env.core.errors import ConfigurationError, InfrastructureError

ONE, MANY = TaskRef.of(TOOLBOX, {}, 0), TaskRef.of(WORKSPACE, {}, 0)


def data(ref):
    return ToolRLData(prompt="?", **ref.as_dict())


def trace(*answers, stop="agent_completed"):
    nodes = [
        MessageNode(
            parent=number - 1 if number else None,
            message=vf.AssistantMessage(content=answer),
            sampled=True,
        )
        for number, answer in enumerate(answers)
    ]
    return vf.Trace(
        task=TraceTask(type="Task", data=vf.TaskData()),
        agent=AgentInfo(config=vf.AgentConfig()),
        nodes=nodes,
        stop_condition=stop,
    )


@pytest.mark.parametrize("ref", [ONE, MANY])
def test_answers_are_replayed_for_the_rewards_of_gym_make(ref):
    rewards, terms, said = play(ref.env, {}, 0, gold)
    found = played(data(ref), trace(*said))
    assert found.rewards == tuple(rewards)
    assert found.reward == sum(rewards)
    assert found.is_success
    assert found.over
    assert {**found.terms, "total": found.reward} == terms
    assert play_answers(ref, [*said, "after the end"]) == found
    part = play_answers(MANY, play(WORKSPACE, {}, 0, gold)[2][:1])
    assert (part.over, part.stop_reason, len(part.rewards)) == (False, "", 1)


def test_what_was_noted_is_not_played_again(monkeypatch):
    rolled = trace("x")
    noted = Played((0.25, 0.5), {"outcome": 0.75}, is_success=True, over=True)
    noted.note(rolled)
    rolled.info = json.loads(json.dumps(rolled.info))  # as a file has it
    monkeypatch.setattr(scoring, "play_answers", None)
    found = played(data(ONE), rolled)
    assert found == noted
    assert found.reward == 0.75
    assert found.metrics() == {"outcome": 0.75, "is_success": 1.0, "answers": 2.0}


def test_an_untouched_task_earned_nothing_and_a_stopped_one_has_no_reward():
    assert played(data(ONE), trace(stop=None)).reward == 0.0
    with pytest.raises(InfrastructureError, match="setup_timeout before there was an answer"):
        played(data(ONE), trace(stop="setup_timeout"))


def test_answers_that_end_where_the_episode_goes_on_have_a_reward_only_if_a_limit_ended_them():
    first = play(WORKSPACE, {}, 0, gold)[2][0]
    with pytest.raises(ConfigurationError, match=f"{WORKSPACE} goes on after 1 answer.*ToolRLEnv"):
        played(data(MANY), trace(first))
    for stop, timeout in (("max_turns", False), ("agent_timeout", True)):
        cut = trace(first, stop=stop)
        cut.is_timeout = timeout
        assert played(data(MANY), cut) == play_answers(MANY, [first])


def test_gold_solves_or_does_not_or_is_not_known(monkeypatch):
    assert gold_solves(ONE) is True
    assert gold_solves(MANY) is True
    monkeypatch.setattr(PooledEpisode, "gold_answer", lambda self: "<think> x")
    assert gold_solves(ONE) is False

    def none(self):
        raise ConfigurationError("no gold answer")

    monkeypatch.setattr(PooledEpisode, "gold_answer", none)
    assert gold_solves(ONE) is None
