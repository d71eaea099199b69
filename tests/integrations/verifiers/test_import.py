"""A taskset or an environment of verifiers as a Gymnasium environment, stepped by hand."""

from __future__ import annotations

import asyncio
import gc
import threading

import gymnasium as gym
import pytest
import verifiers.v1 as vf
import vf_sums
from gymnasium.utils.env_checker import check_env, data_equivalence
from rich.console import Console
from verifiers.v1.envs.user_sim.env import UserSimEnvConfig
from verifiers.v1.utils.loaders import resolve_env_config

from agents.evaluate import EvaluateConfig, run
from agents.evaluation import evaluate
from agents.integrations.verifiers.foreign import VerifiersEnv
from agents.turn_outcome import take_turn
from toolrl_env.core.errors import (
    ConfigurationError,
    InfrastructureError,
    UnknownName,
    WrongActionType,
)
from toolrl_env.core.types import FailureKind, StopReason
from toolrl_env.spaces import UnicodeText
from toolrl_env.testing import check_agent, check_environment
from toolrl_env.testing.requirement import JUNK

pytestmark = pytest.mark.usefixtures("no_threads_left")

CALL = '<think> Add. </think>\n<tool_call>\n{"name": "sums_add", "arguments": %s}\n</tool_call>'
SEAT = {"harness": {"id": "vf_sums"}, "runtime": {"type": "subprocess"}}
REGISTERED = "ToolRLSums-v0"


def sums(**config):
    return vf_sums.SumTaskset(vf_sums.SumConfig(**config))


@pytest.fixture
def make():
    made = []

    def make(source=None, **kwargs):
        made.append(VerifiersEnv(sums() if source is None else source, **kwargs))
        return made[-1]

    yield make
    for env in made:
        env.close()


class Adds:
    """Adds the numbers of the last question."""

    def act(self, observations, infos):
        return [self._answer(info["messages"][-1]["content"]) for info in infos]

    def _answer(self, question):
        return str(sum(int(word.strip("?")) for word in question.split() if word[0].isdigit()))


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
        (sums, {"max_turns": 0}, "max_turns=0"),
        (lambda: vf_sums.Endless(vf_sums.SumConfig()), {}, "Endless is endless; give num_tasks"),
        (lambda: sums().exclude(idx=["0:4"]), {}, "has no tasks"),
        (lambda: "gsm8k", {}, "str is nothing to import"),
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


# ---------------------------------------------------------------------- failures


def play(env, answer="5"):
    env.reset(seed=0)
    return env.step(answer)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [("reward", "TaskError.*the judge is down"), ("setup", "TaskError.*no room")],
)
def test_what_they_raise_is_infrastructure_and_the_next_episode_goes_on(make, trouble, said):
    env = make(sums(trouble=trouble))
    for _ in range(2):
        with pytest.raises(InfrastructureError, match=said) as caught:
            play(env)
        assert caught.value.kind is FailureKind.TOOL_CRASHED
        with pytest.raises(gym.error.ResetNeeded):
            env.step("5")


def test_an_agent_loop_sees_a_masked_step(make):
    env = make(sums(trouble="reward"))
    env.reset(seed=0)
    outcome = take_turn(env, "5")
    assert (outcome.masked, outcome.over) == (True, True)
    assert outcome.failure_kind is FailureKind.TOOL_CRASHED


def test_a_tool_server_that_does_not_start_is_named(make):
    env = make(vf_sums.BrokenToolTaskset(vf_sums.SumConfig()))
    with pytest.raises(InfrastructureError, match="ToolsetError") as caught:
        env.reset(seed=0)
    assert caught.value.kind is FailureKind.SERVER_DOWN


def test_their_time_is_limited_and_a_new_thread_takes_over(make):
    env = make(sums(trouble="slow"), timeout=0.5)
    for _ in range(2):
        env.reset(options={"task_index": 1})
        with pytest.raises(InfrastructureError, match=r"more than 0\.5 s") as caught:
            env.step("3")
        assert caught.value.kind is FailureKind.TIMEOUT
        with pytest.raises(gym.error.ResetNeeded):
            env.step("3")


# ---------------------------------------------------------------------- threads and loops


def test_closing_or_resetting_in_mid_episode_leaves_nothing(make):
    env = make(vf_sums.SumEnvConfig(taskset={"id": "vf_sums"}, player=SEAT))
    for _ in range(3):
        env.reset(options={"task_index": 3})
        assert not env.step("8")[2]
    env.close()
    env.close()
    with pytest.raises(gym.error.ResetNeeded):
        env.step("7")
    env.reset(options={"task_index": 3})
    assert env.step("7")[1] == 1.0


def test_it_works_where_an_event_loop_runs(make):
    async def inside():
        env = make()
        env.reset(options={"task_index": 2})
        return env.step("5")[1]

    assert asyncio.run(inside()) == 1.0


def test_several_at_once_do_not_meet(make):
    envs = [make() for _ in range(4)]
    shown = [env.reset(options={"task_index": n})[1] for n, env in enumerate(envs)]
    answers = Adds().act([""] * 4, shown)
    assert answers == ["1", "3", "5", "7"]
    results = [
        env.step(answer)[1] for env, answer in zip(reversed(envs), answers[::-1], strict=True)
    ]
    assert results == [1.0] * 4


def test_threads_step_their_own(make):
    def play(env, index, found):
        for _ in range(3):
            env.reset(options={"task_index": index})
            found.append(env.step(str(2 * index + 1))[1])

    found, envs = [], [make() for _ in range(4)]
    threads = [
        threading.Thread(target=play, args=(env, index, found)) for index, env in enumerate(envs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1.0] * 12


@pytest.fixture
def registered():
    gym.register(REGISTERED, entry_point=lambda: VerifiersEnv(sums()))
    yield REGISTERED
    del gym.registry[REGISTERED]


def test_vectors_of_gymnasium_hold_several(registered):
    envs = gym.make_vec(registered, 3, vectorization_mode="sync")
    _, infos = envs.reset(seed=[1, 2, 3])
    questions = [messages[-1]["content"] for messages in infos["messages"]]
    answers = [Adds()._answer(question) for question in questions]
    _, rewards, terminated, *_ = envs.step(tuple(answers))
    assert rewards.tolist() == [1.0] * 3
    assert terminated.all()
    envs.close()


def test_agents_of_ours_play_it(registered):
    result = evaluate(Adds(), registered, {}, range(4))
    assert result.rewards == [1.0] * 4
    assert result.perfect == [1.0] * 4
    assert result.component("right") == [0.75] * 4


def test_the_kit_checks_an_agent_on_it(registered):
    check_agent(Adds, registered, batch=3, turns=1)


def test_what_is_forgotten_without_a_close_ends_its_thread():
    env = VerifiersEnv(sums())
    env.reset(seed=0)
    (thread,) = [each for each in threading.enumerate() if each.name == "verifiers"]
    del env
    gc.collect()
    thread.join(20)
    assert not thread.is_alive()


def test_what_needs_an_environment_of_ours_says_so(make, registered, tmp_path):
    with pytest.raises(ConfigurationError, match="not built on ToolUseEnv"):
        check_environment(make())
    config = EvaluateConfig(env=registered, agent="random", out=tmp_path)
    with pytest.raises(ConfigurationError, match="no tool-use environment"):
        run(config, Console(quiet=True))


def test_their_thread_is_a_daemon_and_ends_with_close(make):
    env = make()
    env.reset(seed=0)
    (thread,) = [each for each in threading.enumerate() if each.name == "verifiers"]
    assert thread.daemon
    env.close()
    assert not thread.is_alive()
