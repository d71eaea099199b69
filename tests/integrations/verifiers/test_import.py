"""A taskset or an environment of verifiers as a Gymnasium environment, stepped by hand."""

from __future__ import annotations

import asyncio

import gymnasium as gym
import pytest
import verifiers.v1 as vf
import vf_sums
from gymnasium.utils.env_checker import check_env, data_equivalence
from verifiers.v1.envs.user_sim.env import UserSimEnvConfig
from verifiers.v1.utils.loaders import resolve_env_config

from agents.integrations.verifiers.foreign import VerifiersEnv
from tests.integrations.verifiers.sums import SEAT, sums
from toolrl_env.core.errors import (
    ConfigurationError,
    UnknownName,
    WrongActionType,
)
from toolrl_env.core.types import StopReason
from toolrl_env.spaces import UnicodeText
from toolrl_env.testing.requirement import JUNK

pytestmark = pytest.mark.usefixtures("no_threads_left")

CALL = '<think> Add. </think>\n<tool_call>\n{"name": "sums_add", "arguments": %s}\n</tool_call>'


def exported(env):
    return vf.EnvConfig(taskset={"id": "toolrl", "env": env})


# ---------------------------------------------------------------------- single turn


def test_gymnasiums_checker_passes(make):
    check_env(make(), skip_render_check=True)


def test_a_rollout_is_one_answer_scored_by_their_rewards(make):
    env = make()
    observation, info = env.reset(seed=0, options={"task_index": 2})
    assert info["messages"] == [
        {"role": "system", "content": "Answer with a number."},
        {"role": "user", "content": "What is 2 + 3?"},
    ]
    assert "What is 2 + 3?" in observation
    assert (info["task_id"], info["task_index"], info["agent"]) == ("sum-2", 2, "agent")
    after, reward, terminated, truncated, info = env.step("It is 5")
    assert after == observation + "It is 5"
    assert (reward, terminated, truncated) == (1.0, True, False)
    assert info["reward"] == {"right": 0.75, "short": 0.25, "total": 1.0}
    assert info["metrics"] == {"letters": 7.0}
    assert info["messages"][-1] == {"role": "assistant", "content": "It is 5"}
    assert (info["is_success"], info["stop_condition"]) == (True, "agent_completed")


def test_rewards_are_what_their_own_runner_records(make):
    """The same answers through ``vf.Agent`` and an endpoint that says them."""
    from tests.agents.chat.server import good, serving

    async def theirs(task, url):
        client = vf.EvalClientConfig(base_url=url, api_key_var="TOOLRL_NO_KEY")
        agent = vf.Agent(vf.AgentConfig(model="m", client=client, **SEAT))
        return await agent.run(task)

    env = make()
    for answer in ("5", "wrong", "a long way to say that it is 5", ""):
        with serving(good(answer)) as server:
            trace = asyncio.run(theirs(env.tasks[2], server.url))
        env.reset(options={"task_index": 2})
        _, reward, *_, info = env.step(answer)
        assert reward == trace.reward
        assert info["metrics"] == trace.metrics


def test_seeds_choose_tasks_and_episodes_are_repeatable(make):
    one, other = make(), make()
    for seed in (*range(5), None):
        first, second = one.reset(seed=seed), other.reset(seed=seed)
        assert data_equivalence(first, second, exact=True)
        assert data_equivalence(one.step("x"), other.step("x"), exact=True)
    assert len({one.reset(seed=seed)[1]["task_id"] for seed in range(20)}) == 4


@pytest.mark.parametrize("junk", [*JUNK, "x" * 70_000])
def test_junk_is_an_answer_with_a_low_reward(make, junk):
    env = make()
    env.reset(seed=1)
    observation, reward, terminated, _, info = env.step(junk)
    assert observation in env.observation_space
    assert terminated
    assert 0.0 <= reward <= 0.25
    assert info["reward"]["right"] == 0.0


def test_spaces_and_misuse(make):
    env = make()
    assert isinstance(env.observation_space, UnicodeText)
    assert isinstance(env.action_space, UnicodeText)
    with pytest.raises(gym.error.ResetNeeded):
        env.step("x")
    env.reset(seed=0)
    with pytest.raises(WrongActionType):
        env.step(3)
    env.step("x")
    with pytest.raises(gym.error.ResetNeeded):
        env.step("x")
    with pytest.raises(UnknownName, match="task_index"):
        env.reset(options={"task_indx": 1})
    with pytest.raises(ConfigurationError, match="task_index=4"):
        env.reset(options={"task_index": 4})
    with pytest.raises(ConfigurationError, match="no gold answer"):
        env.gold_answer()


@pytest.mark.parametrize(
    ("source", "kwargs", "said"),
    [
        (sums, {"timeout": 0}, "timeout=0"),
        (sums, {"timeout": "1"}, "timeout='1'; allowed: a number above 0"),
        (sums, {"harness": "bahs"}, "harness 'bahs' not found.*are: bash, .* Did you mean 'bash'"),
        (vf.EnvConfig, {}, "needs a seed taskset"),
        (lambda: vf_sums.SumTaskset, {}, "the class SumTaskset is nothing to import"),
        (lambda: exported("ToolRL-Toolbocks-v0"), {}, "Did you mean: `ToolRL-Toolbox`"),
        (sums, {"max_turns": 0}, "max_turns=0"),
        (lambda: vf_sums.Endless(vf_sums.SumConfig()), {}, "Endless is endless; give num_tasks"),
        (lambda: sums().exclude(idx=["0:4"]), {}, "has no tasks"),
        (lambda: "gsm8k", {}, "'gsm8k' is nothing to import"),
        (lambda: vf_sums.SumEnvConfig(taskset={"id": "vf_sums"}), {"max_turns": 2}, "an Env has"),
    ],
)
def test_what_cannot_be_imported_is_named(source, kwargs, said):
    with pytest.raises(ConfigurationError, match=said):
        VerifiersEnv(source(), **kwargs)


def test_an_endless_taskset_is_cut_where_asked(make):
    env = make(vf_sums.Endless(vf_sums.SumConfig()), num_tasks=7)
    assert len(env.tasks) == 7
    env.reset(options={"task_index": 6})
    assert env.step("2")[1] == 1.0


# ---------------------------------------------------------------------- several turns


def test_tools_run_on_their_side_and_calls_are_native(make):
    env = make(vf_sums.ToolSumTaskset(vf_sums.SumConfig()))
    observation, info = env.reset(options={"task_index": 3})
    assert [tool["function"]["name"] for tool in info["tools"]] == ["sums_add"]
    assert "Add two numbers." in observation
    call = CALL % '{"a": 3, "b": 4}'
    observation, reward, terminated, truncated, info = env.step(call)
    assert (reward, terminated, truncated, info["stop_reason"]) == (0.0, False, False, None)
    assert info["messages"][-2:] == [
        {"role": "assistant", "content": call},
        {"role": "tool", "name": "sums_add", "content": "7"},
    ]
    assert observation in env.observation_space
    assert env.step("7")[1:3] == (1.0, True)


def test_wrong_calls_are_answered_and_a_limit_of_turns_truncates(make):
    """With a tool server that all tasks of the taskset share."""
    env = make(vf_sums.SharedToolSumTaskset(vf_sums.SumConfig()), max_turns=4)
    env.reset(options={"task_index": 0})
    for call, said in (
        (CALL % '"3, 4"', "no JSON object but str"),
        (CALL.replace("sums_add", "sums_sub") % "{}", "no tool 'sums_sub'; there are sums_add"),
        (CALL % '{"a": "x"}', "rror"),
    ):
        _, _, terminated, truncated, info = env.step(call)
        assert (terminated, truncated) == (False, False)
        assert said in info["messages"][-1]["content"]
    assert env.step("1")[1:3] == (1.0, True)
    env.reset(options={"task_index": 3})
    for _ in range(3):
        assert not any(env.step(CALL % '{"a": 3, "b": 4}')[2:4])
    _, reward, terminated, truncated, info = env.step(CALL % '{"a": 3, "b": 4}')
    assert (terminated, truncated, info["stop_condition"]) == (False, True, "max_turns")
    assert info["stop_reason"] == StopReason.TURN_LIMIT
    assert reward == info["reward"]["total"]


ASKS_AGAIN = vf_sums.SumEnvConfig(taskset={"id": "vf_sums"}, player=SEAT)


@pytest.mark.parametrize(
    "source", [ASKS_AGAIN, vf_sums.SumEnv(ASKS_AGAIN), vf.EnvConfig(taskset={"id": "vf_sums"})]
)
def test_an_environment_of_theirs_asks_again(make, source):
    env = make(source)
    _, info = env.reset(options={"task_index": 1})
    assert info["agent"] == "player"
    _, reward, terminated, _, info = env.step("4")
    assert (reward, terminated) == (0.0, False)
    assert info["messages"][-2:] == [
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "Wrong. Try again."},
    ]
    assert env.step("3")[1:3] == (1.0, True)


def test_an_environment_that_is_given_is_not_the_one_that_plays(make, monkeypatch):
    started = []

    async def start(self):
        started.append(self)

    monkeypatch.setattr(vf_sums.SumEnv, "start", start)
    source = vf_sums.SumEnv(ASKS_AGAIN)
    for env in (make(source), make(source)):
        env.reset(seed=0)
    assert len({*started, source}) == 3


def test_an_environment_that_comes_with_verifiers_plays_two_agents(make):
    config = UserSimEnvConfig(id="user-sim", taskset={"id": "vf_sums"}, user=SEAT, assistant=SEAT)
    env = make(config)
    _, info = env.reset(options={"task_index": 1})
    seats = [info["agent"]]
    for answer in ("What is 1 + 2?", "3", "###DONE###"):
        _, reward, terminated, _, info = env.step(answer)
        seats.append(info["agent"])
    assert seats == ["user", "assistant", "user", "user"]
    assert (reward, terminated) == (1.0, True)
    assert info["reward"] == {"right": 0.75, "short": 0.25, "total": 1.0}  # the user's do not count
    assert info["metrics"]["user_turns"] == 2.0


def test_ours_exported_and_imported_again_is_ours(make):
    env = make(resolve_env_config({"taskset": {"id": "toolrl", "env": "ToolRL-Workspace-v0"}}))
    ours = gym.make("ToolRL-Workspace-v0")
    for index in range(2):
        _, info = env.reset(options={"task_index": index})
        _, own = ours.reset(options={"task_index": index})
        total, over = 0.0, False
        while not over:
            assert info["messages"] == own["messages"]
            answer = ours.unwrapped.gold_answer()
            _, reward, *ends, own = ours.step(answer)
            _, theirs, *over, info = env.step(answer)
            total, over = total + reward, any(over)
            assert over is any(ends)
        assert theirs == total == 1.0
        assert info["metrics"]["is_success"] == 1.0
