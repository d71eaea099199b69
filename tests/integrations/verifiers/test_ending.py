"""What an episode of theirs earned: sums, names, limits, and failures that are never a reward."""

from __future__ import annotations

import pytest
import verifiers.v1 as vf
from verifiers.v1.trace import AgentInfo, Reward, TraceTask

from agents.integrations.verifiers.ending import Ending
from agents.integrations.verifiers.sides import Run
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind, StopReason


def trace(rewards=None, *, name="agent", trainable=True, stop="agent_completed", ok=True, **rest):
    return vf.Trace(
        task=TraceTask(type="Task", data=vf.TaskData()),
        agent=AgentInfo(config=vf.AgentConfig(), name=name, trainable=trainable),
        rewards=rewards or {},
        stop_condition=stop,
        ok=ok,
        **rest,
    )


def test_rewards_are_weighted_and_summed():
    rewards = {"a": Reward(score=1.0, weight=0.5), "b": Reward(score=-2.0)}
    ending = Ending.of(Run([trace(rewards, metrics={"m": 3.0, "n": None})]))
    assert ending.reward == -1.5
    assert ending.rewards == {"a": 0.5, "b": -2.0}
    assert ending.metrics == {"m": 3.0}
    assert (ending.truncated, ending.stop_reason) == (False, StopReason.ANSWERED)
    assert ending.as_info()["reward"] == {"a": 0.5, "b": -2.0, "total": -1.5}


def test_of_several_agents_those_that_are_trained_count_and_are_named():
    one = {"r": Reward(score=1.0)}
    traces = [
        trace(one, name="a"),
        trace(one, name="b"),
        trace(one, name="b"),
        trace(one, name="judge", trainable=False),
    ]
    ending = Ending.of(Run(traces))
    assert ending.rewards == {"a/r": 1.0, "b/r": 2.0}
    assert (ending.reward, ending.stop_reason) == (3.0, StopReason.GOAL_REACHED)


@pytest.mark.parametrize(
    ("stop", "timeout", "reason"),
    [
        ("max_turns", False, StopReason.TURN_LIMIT),
        ("max_total_tokens", False, StopReason.CONTEXT_LIMIT),
        ("agent_timeout", True, StopReason.TURN_LIMIT),
    ],
)
def test_limits_truncate(stop, timeout, reason):
    ending = Ending.of(Run([trace({"r": Reward(score=1.0)}, stop=stop, is_timeout=timeout)]))
    assert (ending.truncated, ending.stop_reason) == (True, reason)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("ProviderError", FailureKind.BAD_RESULT),
        ("HarnessError", FailureKind.WORKER_KILLED),
        ("SandboxError", FailureKind.WORKER_KILLED),
        ("ToolsetError", FailureKind.SERVER_DOWN),
        ("TunnelError", FailureKind.SERVER_DOWN),
        ("TimeoutError", FailureKind.TIMEOUT),
        ("TaskError", FailureKind.TOOL_CRASHED),
        ("ValueError", FailureKind.TOOL_CRASHED),
    ],
)
@pytest.mark.parametrize("where", ["trace", "episode"])
def test_an_error_of_theirs_is_raised_with_its_kind(error, kind, where):
    errors = [vf.Error(type=error, message="why")]
    whole = {"r": Reward(score=1.0)}
    if where == "trace":
        run = Run([trace(whole), trace(whole, ok=False, errors=errors)])
    else:
        run = Run([trace(whole)], errors)
    with pytest.raises(InfrastructureError, match=f"{error}: why") as caught:
        Ending.of(run)
    assert caught.value.kind is kind


def test_errors_of_an_attempt_that_was_repeated_with_success_do_not_count():
    errors = [vf.Error(type="SandboxError", message="once")]
    ending = Ending.of(Run([trace({"r": Reward(score=1.0)}, errors=errors)]))
    assert ending.reward == 1.0


@pytest.mark.parametrize("stage", ["setup", "finalize", "scoring"])
@pytest.mark.parametrize("trainable", [True, False])
def test_a_deadline_that_is_not_the_agents_is_no_reward(stage, trainable):
    """Verifiers scores what there is then; a judge that was not heard would be a reward of 0."""
    late = trace({"r": Reward(score=0.0)}, stop=f"{stage}_timeout", trainable=trainable)
    late.is_timeout = True
    with pytest.raises(InfrastructureError, match=f"{stage}_timeout") as caught:
        Ending.of(Run([trace({"r": Reward(score=1.0)}), late]))
    assert caught.value.kind is FailureKind.TIMEOUT


@pytest.mark.parametrize(
    ("rewards", "said"),
    [
        ({"r": None}, "r was not computed"),
        ({}, "no reward was recorded"),
        ({"r": Reward(score=float("nan"))}, "r is nan"),
        ({"r": Reward(score=float("inf"))}, "r is inf"),
    ],
)
def test_what_is_no_number_is_no_reward(rewards, said):
    with pytest.raises(InfrastructureError, match=said):
        Ending.of(Run([trace(rewards)]))


def test_a_rollout_that_was_broken_off_has_no_reward_even_if_nothing_says_why():
    with pytest.raises(InfrastructureError, match="of b was broken off"):
        Ending.of(Run([trace({"r": Reward(score=1.0)}, name="b", ok=False)]))


def test_without_an_agent_that_is_trained_there_is_no_reward():
    with pytest.raises(InfrastructureError, match="no agent"):
        Ending.of(Run([trace({"r": Reward(score=1.0)}, trainable=False)]))
