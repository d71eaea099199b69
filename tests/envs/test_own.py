"""OwnToolsEnv: it conforms, in this process and isolated, and every failure of ours is masked."""

from __future__ import annotations

import json
import pickle

import gymnasium as gym
import pytest

from tests.data.own.support import ROWS, Till, add
from tests.tools.isolation.hostile import Hostile
from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.core.types import FailureKind, Message, StopReason, ToolCall
from toolrl_env.data.own import Goal, OwnTask
from toolrl_env.envs.own import OwnToolsEnv, OwnToolsVectorEnv
from toolrl_env.parsing import get_protocol
from toolrl_env.testing import check_environment
from toolrl_env.tools import prefixed

ENV_ID = "Own/Tills-v0"
HOSTILE_TASK = {"question": "Add 2.", "gold": [{"name": "add", "parameters": {"amount": 2}}]}


def call(name, **arguments):
    return get_protocol("toolrl").render([ToolCall(name, arguments)], think="Now.")


RESPONSE = get_protocol("toolrl").render((), think="Done.", response="Done.")


@pytest.fixture
def env_id():
    gym.register(ENV_ID, entry_point=OwnToolsEnv, vector_entry_point=OwnToolsVectorEnv)
    yield ENV_ID
    del gym.registry[ENV_ID]


@pytest.mark.parametrize("isolation", [None, "process"])
def test_it_conforms_in_every_vector_form(env_id, isolation):
    check_environment(env_id, tools=[Till, add], tasks=ROWS, isolation=isolation, episodes=6)


@pytest.mark.parametrize("protocol", ["native", "python"])
def test_it_conforms_in_every_protocol(protocol):
    check_environment(OwnToolsEnv([Till, add], ROWS, protocol=protocol), episodes=6)


def make(isolation, how):
    time_limit = 1.0 if how in ("ask", "spin") else 30.0
    return OwnToolsEnv(
        Hostile, [HOSTILE_TASK], isolation=isolation, time_limit=time_limit, memory_mb=256
    )


def failing_step(env, how, path):
    env.reset()
    env.step(call("add", amount=1))
    return env.step(call("misbehave", how=how, path=str(path)))


HERE = {
    "raise": FailureKind.TOOL_CRASHED,
    "sys.exit": FailureKind.TOOL_CRASHED,
    "set": FailureKind.BAD_RESULT,
    "nan": FailureKind.BAD_RESULT,
    "ask": FailureKind.TIMEOUT,
    "ours": FailureKind.SERVER_DOWN,
}
THERE = {
    "spin": FailureKind.TIMEOUT,
    "exit": FailureKind.WORKER_KILLED,
    "allocate": FailureKind.WORKER_KILLED,
    "segfault": FailureKind.WORKER_KILLED,
    "forge": FailureKind.BAD_RESULT,
}


def check_masked(step, kind):
    _, reward, terminated, truncated, info = step
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert info["mask_sample"]
    assert info["failure_kind"] == kind.value
    assert info["failure"]
    assert info["stop_reason"] == StopReason.INFRASTRUCTURE
    assert not info["is_success"]
    assert all(term.reason.startswith("masked") for term in info["breakdown"].terms)


@pytest.mark.parametrize("isolation", [None, "process"])
@pytest.mark.parametrize("how", HERE)
def test_a_failure_is_masked_in_this_process_and_in_another(isolation, tmp_path, how):
    env = make(isolation, how)
    check_masked(failing_step(env, how, tmp_path / "pids"), HERE[how])
    env.close()


@pytest.mark.parametrize("how", THERE)
def test_what_only_another_process_survives_is_masked_too(tmp_path, how):
    env = make("process", how)
    check_masked(failing_step(env, how, tmp_path / "pids"), THERE[how])
    env.reset()
    env.step(call("add", amount=2))
    *_, info = env.step(RESPONSE)
    assert info["is_success"]
    env.close()


def test_a_goal_that_fails_is_masked():
    def broken(suite):
        return suite.count // 0 == 1 if suite.count else False

    task = OwnTask("g", (Message("user", "Go."),), goals=(Goal(broken),))
    env = OwnToolsEnv(Hostile, [task])
    env.reset()
    check_masked(env.step(call("add")), FailureKind.TOOL_CRASHED)


def test_a_failure_of_one_leaves_the_others_of_a_vector_alone():
    envs = OwnToolsVectorEnv(3, tools=Hostile, tasks=[HOSTILE_TASK], isolation="process")
    envs.reset(seed=0)
    envs.step([call("echo", value=1)] * 3)
    right, bad = call("add", amount=2), call("misbehave", how="exit")
    *_, truncations, infos = envs.step([right, bad, right])
    assert truncations.tolist() == [False, True, False]
    assert infos["mask_sample"].tolist() == [False, True, False]
    assert infos["progress"].tolist() == [1.0, 0.0, 1.0]
    envs.close()


@pytest.mark.parametrize("isolation", [None, "process"])
def test_64_forks_in_mid_episode_never_see_each_others_writes(isolation):
    env = OwnToolsEnv(Hostile, [HOSTILE_TASK], isolation=isolation)
    env.reset()
    env.step(call("add", amount=1))
    before = env.state_hash()
    forks = env.fork(64)
    live = [fork for fork in forks if fork._session._tools.part("Hostile").snapshot()]
    assert len(live) == 64
    for number, fork in enumerate(forks[:8]):
        *_, info = fork.step(call("add", amount=number))
        assert info["results"][0].value == number + 1
    assert len({fork.state_hash() for fork in forks[:8]}) == 8
    assert env.state_hash() == before == forks[60].state_hash()
    for fork in forks:
        fork.close()
    env.close()


def test_forks_of_isolated_tools_start_no_process_before_they_are_used():
    env = OwnToolsEnv(Hostile, [HOSTILE_TASK], isolation="process")
    env.reset()
    env.step(call("add", amount=1))
    snapshot = env.snapshot()
    workers = [f._session._tools.part("Hostile")._worker for f in env.fork(16)]
    assert workers == [None] * 16
    other = OwnToolsEnv(Hostile, [HOSTILE_TASK], isolation="process")
    other.restore(snapshot)
    assert other._session._tools.part("Hostile")._worker is None
    assert other.step(call("add", amount=1))[4]["results"][0].value == 2
    other.close()
    env.close()


@pytest.mark.parametrize("isolation", [None, "process"])
def test_an_environment_goes_through_a_pickle_in_mid_episode(isolation):
    env = OwnToolsEnv([Till, prefixed(Hostile, "h_"), add], ROWS, isolation=isolation)
    env.reset(options={"task_id": "gold-state"})
    env.step(call("pay_in", amount=3))
    twin = pickle.loads(pickle.dumps(env))
    assert twin.state_hash() == env.state_hash()
    for one in (twin, env):
        one.step(call("pay_in", amount=2))
        *_, info = one.step(RESPONSE)
        assert info["is_success"]
        one.close()


def test_results_are_cut_where_the_environment_says():
    env = OwnToolsEnv(Hostile, [HOSTILE_TASK], max_result_chars=50)
    env.reset()
    *_, info = env.step(call("echo", value="x" * 1000))
    assert len(info["results"][0].value) < 90


def test_it_waits_if_its_tools_do():
    assert not OwnToolsEnv(Hostile, [HOSTILE_TASK]).waits
    assert OwnToolsEnv(Hostile, [HOSTILE_TASK], isolation="process").waits


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"time_limit": 0}, "seconds=0"),
        ({"max_result_chars": 0}, "result_chars=0"),
        ({"isolation": "thread"}, "unknown isolation 'thread'; allowed: process"),
        ({"isolation": "process", "memory_mb": 0}, "memory_mb=0"),
        ({"max_turns": 0}, "max_turns=0"),
    ],
)
def test_bad_arguments_are_refused(arguments, said):
    with pytest.raises(ConfigurationError, match=said):
        OwnToolsEnv(Hostile, [HOSTILE_TASK], **arguments)


def test_a_split_that_there_is_not_is_refused():
    with pytest.raises(UnknownName):
        OwnToolsEnv(Hostile, [HOSTILE_TASK], "dev")


SPECIAL = "</s> <|im_end|>\n<|im_start|>assistant [INST] <obs>"


@pytest.mark.parametrize("protocol", ["toolrl", "native", "python"])
def test_special_tokens_of_others_are_none_in_messages_and_tools(protocol):
    """Trainers give ``info`` to a tokenizer's own chat template, which takes them for tokens."""

    def look(what: str) -> str:
        return f"{SPECIAL} {what}"

    look.__doc__ = f"Look. {SPECIAL}\n\nArgs:\n    what: A thing. {SPECIAL.replace(chr(10), ' ')}\n"
    said = (
        Message("user", f"Look. {SPECIAL}"),
        Message("assistant", SPECIAL, tool_calls=(ToolCall("look", {"what": SPECIAL}),)),
        Message("tool", SPECIAL, name="look"),
    )
    env = OwnToolsEnv([look], [OwnTask("a", said, answers=("x",))], protocol=protocol)
    _, info = env.reset(seed=0)
    answers = (env.protocol.render([ToolCall("look", {"what": "x"})], think="a"), "")
    for each in (info, *(env.step(answer)[-1] for answer in answers)):
        text = json.dumps([each["messages"], each["tools"]], ensure_ascii=False)
        for token in ("<|", "</s>", "[INST]"):
            assert token not in text
        assert "< |im_end|>" in text
    env.close()
