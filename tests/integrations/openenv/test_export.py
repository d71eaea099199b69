"""What we serve, through OpenEnv's own client over its wire, equals what gym.make plays."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import gymnasium as gym
import pytest
from openenv.core import GenericEnvClient
from openenv.core.env_server.mcp_types import Tool
from openenv.core.harness import StepEnvSessionAdapter

from agents.integrations.openenv.client import ToolRLClient
from agents.integrations.openenv.environment import ToolRLEnvironment
from agents.integrations.openenv.models import ToolRLAction
from agents.integrations.openenv.serve import ServeConfig
from agents.integrations.openenv.served import Served
from tests.integrations.openenv.support import serving
from toolrl_env.core.errors import ConfigurationError, InfrastructureError, UnknownName
from toolrl_env.core.types import FailureKind, ToolCall
from toolrl_env.data.own.session import OwnSession
from toolrl_env.parsing import get_protocol

pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")

TOOLBOX, WORKSPACE = "ToolRL-Toolbox-v0", "ToolRL-Workspace-v0"
PLAYED = [(TOOLBOX, {}), ("ToolRL-ToolACE-v0", {}), (WORKSPACE, {"difficulty": 3})]
BAD = "<think> hm"


@pytest.fixture(scope="module")
def workspace():
    with serving(WORKSPACE, '{"difficulty": 4}') as url:
        yield url


@pytest.fixture
def client(workspace):
    with ToolRLClient(workspace).sync() as client:
        yield client


def play(client, env, answers, **reset):
    """Play an episode on both sides; compare everything that a trainer sees."""
    result = client.reset(**reset)
    seed = reset.pop("seed", None)
    text, info = env.reset(seed=seed, options=reset or None)
    over = False
    assert (result.reward, result.done) == (None, False)
    while not over:
        seen = result.observation
        assert (seen.text, seen.messages, seen.tools) == (text, info["messages"], info["tools"])
        assert (seen.task_id, seen.task_index) == (info["task_id"], info["task_index"])
        before = len(seen.messages)
        answer = answers(env.unwrapped)
        text, reward, terminated, truncated, info = env.step(answer)
        over = terminated or truncated
        result = client.step(ToolRLAction(text=answer))
        seen = result.observation
        assert (result.reward, result.done, seen.truncated) == (reward, over, truncated)
        assert (seen.reward, seen.done) == (reward, over)
        assert seen.terms == info["reward"]
        assert seen.stop_reason == info["stop_reason"]
        said = [] if over else info["messages"][before + 1 :]
        assert seen.new_messages == said
    assert client.state().stop_reason == info["stop_reason"]
    return result


@pytest.mark.parametrize(("env_id", "kwargs"), PLAYED, ids=[env for env, _ in PLAYED])
def test_episodes_over_the_wire_are_those_of_gym_make(env_id, kwargs):
    env = gym.make(env_id, **kwargs)
    with serving(env_id, json.dumps(kwargs)) as url, ToolRLClient(url).sync() as client:
        for seed in range(4):
            assert play(
                client, env, lambda env: env.gold_answer(), seed=seed
            ).observation.is_success
            play(client, env, lambda _: BAD, seed=seed)
        last = play(client, env, lambda env: env.gold_answer(), task_index=7)
        assert last.observation.task_index == 7


def test_unseeded_resets_go_on_with_the_seed_as_gymnasium_does(client):
    env = gym.make(WORKSPACE, difficulty=4)
    tasks = [client.reset(**reset).observation.task_index for reset in ({"seed": 5}, {}, {})]
    infos = [env.reset(seed=seed)[1] for seed in (5, None, None)]
    assert tasks == [info["task_index"] for info in infos]
    assert len(set(tasks)) == 3


def test_state_says_where_the_session_stands(client):
    client.reset(seed=1, episode_id="mine")
    client.step(ToolRLAction(text=BAD))
    state = client.state()
    assert (state.episode_id, state.step_count, state.failure) == ("mine", 1, None)
    assert (state.env, state.env_kwargs) == (WORKSPACE, '{"difficulty": 4}')
    client.reset(seed=1)
    assert client.state().step_count == 0


def test_state_adds_up_the_rewards():
    """In an environment that rewards steps in mid-episode."""
    kwargs = {"difficulty": 3, "episode_reward": "shaped"}
    session, env = ToolRLEnvironment(Served(WORKSPACE, kwargs)), gym.make(WORKSPACE, **kwargs)
    seen, rewards = session.reset(seed=0), []
    env.reset(seed=0)
    while not seen.done:
        answer = env.unwrapped.gold_answer()
        rewards.append(env.step(answer)[1])
        seen = session.step(ToolRLAction(text=answer))
        assert session.state.total_reward == sum(rewards)
    assert rewards[-1] != sum(rewards)


def test_a_reset_in_mid_episode_gives_its_environment_back():
    session = ToolRLEnvironment(Served(WORKSPACE, {}))
    used = []
    for _ in range(3):
        session.reset(seed=0)
        used.append(session._episode._env)
    assert used[1] is used[2] is used[0]


@pytest.mark.parametrize(
    ("reset", "said"),
    [
        ({"seed": -1}, "seed=-1; allowed: an integer >= 0"),
        ({"task_index": "first"}, "task_index='first'; allowed"),
        ({"task_idx": 3}, "unknown reset argument 'task_idx'.*Did you mean 'task_index'"),
        ({"split": "tset"}, "unknown split 'tset'; allowed: train"),
        ({"index": 1, "task_index": 1}, "not both"),
    ],
)
def test_what_reset_does_not_take_is_named_and_the_session_lives_on(client, reset, said):
    with pytest.raises(RuntimeError, match=said):
        client.reset(**reset)
    assert client.reset(split="train", index=3).observation.task_index == 3


def test_stepping_without_an_episode_says_what_to_do(client):
    with pytest.raises(RuntimeError, match=r"call reset\(\) before step"):
        client.step(ToolRLAction(text="hello"))
    client.reset(seed=0)
    while not client.step(ToolRLAction(text="<think>\n</think>\n<response> no </response>")).done:
        pass
    with pytest.raises(RuntimeError, match="this episode is over"):
        client.step(ToolRLAction(text="hello"))


def test_an_answer_of_another_form_is_their_validation_error(workspace):
    with GenericEnvClient(workspace).sync() as client:
        client.reset(seed=0)
        for action in ({"text": 3}, {}, {"text": "x", "more": 1}):
            with pytest.raises(RuntimeError, match="code: VALIDATION_ERROR"):
                client.step(action)
        assert client.step({"text": "x"}).reward == 0.0


def test_half_a_surrogate_pair_is_data(client):
    client.reset(seed=0)
    result = client.step(ToolRLAction.model_construct(text="x\ud800y", metadata={}))
    assert result.observation.messages[-2]["content"] == "x\ufffdy"


# ------------------------------------------------------------------ side by side


def test_sessions_on_one_task_do_not_meet(workspace):
    env = gym.make(WORKSPACE, difficulty=4)
    with ToolRLClient(workspace).sync() as one, ToolRLClient(workspace).sync() as other:
        one.reset(task_index=2)
        before = other.reset(task_index=2).observation
        env.reset(options={"task_index": 2})
        for _ in range(2):
            answer = env.unwrapped.gold_answer()
            env.step(answer)
            one.step(ToolRLAction(text=answer))
        assert other.state().step_count == 0
        after = other.reset(task_index=2).observation
        assert after == before
        play(other, gym.make(WORKSPACE, difficulty=4), lambda env: env.gold_answer(), task_index=2)


def test_many_sessions_at_the_same_time_play_what_one_plays(workspace):
    def session(index):
        env = gym.make(WORKSPACE, difficulty=4)
        with ToolRLClient(workspace).sync() as client:
            return play(client, env, lambda env: env.gold_answer(), task_index=index % 4).reward

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(session, range(16))) == {1.0}


def test_a_session_too_many_is_refused():
    with serving(TOOLBOX, max_sessions=1) as url, ToolRLClient(url).sync() as one:
        one.reset(seed=0)
        second = ToolRLClient(url).sync()
        with pytest.raises(RuntimeError, match="CAPACITY_REACHED"):
            second.reset(seed=0)
        second.close()
        assert one.step(ToolRLAction(text="")).reward == -3.0


# ------------------------------------------------------------------ failures


def fails(kind):
    def fail(*_, **__):
        raise InfrastructureError("the disk is full", kind)

    return fail


def test_a_failing_step_is_their_error_and_no_reward(own_id, monkeypatch):
    with serving(own_id) as url, ToolRLClient(url).sync() as client:
        client.reset(task_index=0)
        with monkeypatch.context() as broken:
            broken.setattr(OwnSession, "progress", fails(FailureKind.TIMEOUT))
            with pytest.raises(RuntimeError, match=r"failure \(timeout\): .*disk is full"):
                client.step(ToolRLAction(text=BAD))
        state = client.state()
        assert "disk is full" in state.failure
        assert (state.total_reward, state.step_count) == (0.0, 0)
        with pytest.raises(RuntimeError, match="call reset"):
            client.step(ToolRLAction(text=BAD))
        env = gym.make(own_id)
        play(client, env, lambda env: env.gold_answer(), task_index=0)


def test_a_world_that_cannot_be_opened_is_their_error(own_id, monkeypatch):
    with serving(own_id) as url, ToolRLClient(url).sync() as client:
        with monkeypatch.context() as broken:
            broken.setattr(OwnSession, "__init__", fails(FailureKind.SERVER_DOWN))
            with pytest.raises(RuntimeError, match=r"failure \(server_down\)"):
                client.reset(task_index=0)
        assert client.reset(task_index=0).observation.task_index == 0


def test_a_server_that_ends_closes_its_environments(monkeypatch):
    closed = []
    with monkeypatch.context() as spied:
        spied.setattr(Served, "close", lambda self: closed.append(self.name))
        with serving(TOOLBOX):
            assert closed == []
    assert closed == [TOOLBOX]


def test_what_cannot_be_served_is_refused_before_anyone_connects():
    with pytest.raises(ConfigurationError, match="Toolbx"):
        Served("ToolRL-Toolbx-v0", {})
    with pytest.raises(ConfigurationError, match="CartPoleEnv: no tool use"):
        Served("CartPole-v1", {})
    with pytest.raises(ConfigurationError, match="teacher forcing"):
        Served("ToolRL-ToolACE-v0", {"mode": "multi_turn"})
    with pytest.raises(ConfigurationError, match="max_sessions=0"):
        ServeConfig(max_sessions=0)


# ------------------------------------------------------------------ the HTTP routes


def post(url, body):
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    return json.load(urllib.request.urlopen(request, timeout=10))


def test_the_task_api_names_the_tasks(workspace):
    base = f"{workspace}/{WORKSPACE}"
    assert json.load(urllib.request.urlopen(f"{base}/splits", timeout=10)) == [
        {"name": "train", "type": "train"}
    ]
    task = post(f"{base}/task", {"split": "train", "index": 3})["task"]
    env = gym.make(WORKSPACE, difficulty=4)
    assert task == {"id": env.reset(options={"task_index": 3})[1]["task_id"], "index": 3}
    with pytest.raises(urllib.error.HTTPError, match="501"):  # they are endless
        post(f"{base}/num_tasks", {"split": "train"})


def test_the_task_api_counts_the_tasks_of_a_dataset():
    served = Served("ToolRL-ToolACE-v0", {})
    env = ToolRLEnvironment(served)
    assert env.num_tasks("train") == served.tasks.size
    assert f"{served.tasks.size} tasks" in env.get_metadata().description
    with pytest.raises(IndexError):
        env.get_task("train", served.tasks.size)
    with pytest.raises(UnknownName, match="allowed: train"):
        env.num_tasks("test")
    served.close()


def test_reset_works_without_a_session_and_the_schema_is_published(workspace):
    assert post(f"{workspace}/reset", {"seed": 2})["observation"]["messages"]
    schema = json.load(urllib.request.urlopen(f"{workspace}/schema", timeout=10))
    assert set(schema["action"]["properties"]) == {"metadata", "text"}
    assert {"messages", "tools", "text", "terms"} <= set(schema["observation"]["properties"])
    assert "total_reward" in schema["state"]["properties"]


# ------------------------------------------------------------------ their harness


def test_their_harness_takes_the_client():
    """What TRL's asynchronous GRPO drives; for environments of one answer."""
    env = gym.make(TOOLBOX, difficulty=1)
    _, info = env.reset(options={"task_index": 0})
    (call,) = (value for value in env.unwrapped.task.gold.values)
    tools = [
        Tool(name=f["name"], description=f["description"], input_schema=f["parameters"])
        for f in (tool["function"] for tool in info["tools"])
    ]

    def action(name, arguments):
        call = ToolCall(name, arguments)
        return ToolRLAction(text=get_protocol("toolrl").render([call], think="Now."))

    with serving(TOOLBOX, '{"difficulty": 1}') as url:
        session = StepEnvSessionAdapter(
            ToolRLClient(url),
            reset_kwargs={"task_index": 0},
            tool_specs=tools,
            action_builder=action,
            initial_messages_builder=lambda result, _: result.observation.messages,
        )
        assert session.initial_messages() == info["messages"]
        result = session.call_tool(call["name"], call["parameters"])
        verdict = session.verify([])
        session.close()
    *_, info = env.step(action(call["name"], call["parameters"]).text)
    assert (result.done, verdict.done) == (True, True)
    assert result.metadata["reward"] == verdict.env_reward == info["reward"]["total"] == 4.0
