"""An imported environment whose taskset fails, and several of them: threads, loops, agents."""

from __future__ import annotations

import asyncio
import gc
import threading

import gymnasium as gym
import pytest
import vf_sums
from rich.console import Console

from agents.evaluate import EvaluateConfig, run
from agents.evaluation import evaluate
from agents.integrations.verifiers import foreign
from agents.integrations.verifiers.driver import Driver
from agents.integrations.verifiers.foreign import VerifiersEnv
from agents.turn_outcome import take_turn
from tests.integrations.verifiers.sums import SEAT, Adds, sums
from toolrl_env.core.errors import (
    ConfigurationError,
    InfrastructureError,
)
from toolrl_env.core.types import FailureKind
from toolrl_env.testing import check_agent, check_environment

pytestmark = pytest.mark.usefixtures("no_threads_left")


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
    env = make(sums(trouble="slow"), timeout=4)
    vf_sums.JUDGED.clear()
    env.reset(options={"task_index": 1})
    try:
        with pytest.raises(InfrastructureError, match=r"more than 4 s") as caught:
            env.step("3")
        with pytest.raises(gym.error.ResetNeeded):
            env.step("3")
        env.reset(options={"task_index": 1})  # the first thread still waits for its judge
    finally:
        vf_sums.JUDGED.set()
    assert caught.value.kind is FailureKind.TIMEOUT
    assert env.step("3")[1] == 1.0


def test_a_request_that_cannot_be_shown_whole_is_named(make, monkeypatch):
    monkeypatch.setattr(foreign, "MAX_OBSERVATION_CHARS", foreign.MAX_CHARS + 20)
    with pytest.raises(InfrastructureError, match="characters; 20 can be shown") as caught:
        make().reset(seed=0)
    assert caught.value.kind is FailureKind.BAD_RESULT


def test_a_thread_that_does_not_end_is_warned_of(make, monkeypatch):
    env = make()
    env.reset(seed=0)
    close = Driver.close
    monkeypatch.setattr(Driver, "close", lambda driver: not close(driver))
    with pytest.warns(UserWarning, match="did not end within 60 s"):
        env.close()


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
