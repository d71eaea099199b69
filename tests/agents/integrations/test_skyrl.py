"""Our environments through SkyRL-Gym's registry: the same rewards, rows, refusals, failures."""

from __future__ import annotations

import copy
import json

import gymnasium as gym
import pytest
import skyrl_gym
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from skyrl_gym.metrics import aggregate_for_environment

from agents.integrations.skyrl import (
    ENV_CLASS,
    ToolRLTextEnv,
    register,
    skyrl_rows,
    write_parquet,
)
from agents.models import load_model
from agents.prompting import ChatEncoder
from agents.transformers_policy import TransformersPolicy
from tests.agents.integrations.skyrl_support import OWN, registered
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.data.own.session import OwnSession

TOOLBOX, WORKSPACE = "ToolRL-Toolbox-v0", "ToolRL-Workspace-v0"
FREE = {"mode": "multi_turn", "continuation": "free_running"}
pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")


@pytest.fixture(autouse=True)
def world(monkeypatch):
    with registered(monkeypatch):
        yield


def row(env=TOOLBOX, kwargs=None, index=0):
    return skyrl_rows(env, {"difficulty": 1} if kwargs is None else kwargs, [index])[0]


def begin(row, **more):
    """Do what SkyRL's generator does before the first answer."""
    extras = {key: value for key, value in row.items() if key not in ("prompt", "env_class")}
    env = skyrl_gym.make(row["env_class"], env_config={}, extras=extras | more)
    messages, _ = env.init(copy.deepcopy(row["prompt"]))
    return env, messages


def ours(row, answers=None):
    """Play a row's task without SkyRL: answers given, gold by default; return what step said."""
    env = gym.make(row["env"], **json.loads(row["env_kwargs"]))
    env.reset(seed=0, options={"task_index": row["task_index"]})
    steps, given, over = [], [], False
    while not over:
        answer = env.unwrapped.gold_answer() if answers is None else answers[len(given)]
        _, reward, terminated, truncated, info = env.step(answer)
        steps.append((reward, info["reward"], info["stop_reason"]))
        given.append(answer)
        over = terminated or truncated
    env.close()
    return steps, given, info["messages"]


# ------------------------------------------------------------------ the same episodes


@pytest.mark.parametrize(
    ("env", "kwargs"),
    [
        (TOOLBOX, {}),
        (TOOLBOX, {"protocol": "python", "difficulty": 4}),
        ("ToolRL-ToolACE-v0", {}),
        ("ToolRL-ToolACE-v0", FREE),
        (WORKSPACE, {"difficulty": 3}),
        (WORKSPACE, {"difficulty": 2, "protocol": "python", "episode_reward": "shaped"}),
    ],
)
def test_gold_answers_earn_what_they_earn_without_skyrl(env, kwargs):
    for index in range(3):
        task = row(env, kwargs, index)
        steps, answers, whole = ours(task)
        theirs, messages = begin(task)
        for number, answer in enumerate(answers):
            said = theirs.step(answer)
            last = number == len(answers) - 1
            reward, terms, stop = steps[number]
            assert (said["reward"], said["done"]) == (reward, last)
            about = said["metadata"]
            assert (about["reward"], about["stop_reason"]) == (terms, stop)
            assert (about["turn"], about["task_id"]) == (number + 1, task["task_id"])
            assert bool(said["observations"]) is not last
            messages += [{"role": "assistant", "content": answer}, *said["observations"]]
        assert messages == list(whole)
        assert json.loads(json.dumps(said)) == said
        metrics = theirs.get_metrics()
        assert metrics["reward_total"] == pytest.approx(sum(reward for reward, _, _ in steps))
        for name in steps[-1][1]:
            earned = [terms.get(name, 0.0) for _, terms, _ in steps]
            assert metrics[f"reward_{name}"] == pytest.approx(sum(earned))
        theirs.close()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=3), st.integers(0, 9))
def test_whatever_the_model_says_the_rewards_are_the_same(texts, index):
    task = row(WORKSPACE, {"difficulty": 1, "max_turns": len(texts)}, index)
    steps, _, _ = ours(task, texts)
    env, _ = begin(task)
    for reward, terms, stop in steps:
        said = env.step(texts[env.turns])
        assert (said["reward"], said["metadata"]["reward"]) == (reward, terms)
        assert said["metadata"]["stop_reason"] == stop
    assert said["done"]
    env.close()


def test_a_bad_answer_is_data_and_the_limit_of_turns_is_a_cut():
    env, _ = begin(row())
    said = env.step("no idea")
    assert (said["reward"], said["done"], said["observations"]) == (-3.0, True, [])
    assert not said["metadata"]["is_success"]
    env, _ = begin(row(WORKSPACE, {"max_turns": 1}))
    said = env.step("no idea")
    assert said["done"]
    assert said["metadata"]["truncated"]
    assert said["metadata"]["stop_reason"] == "turn_limit"


def test_the_numbers_of_episodes_are_averaged_by_skyrl():
    good, bad = begin(row())[0], begin(row())[0]
    good.step(ours(row())[1][0])
    bad.step("")
    metrics = [good.get_metrics(), bad.get_metrics()]
    assert metrics[1]["reward_total"] == -3.0
    assert aggregate_for_environment(ENV_CLASS, metrics) == {
        "turns": 1.0,
        "is_success": 0.5,
        "truncated": 0.0,
        "reward_total": 0.5,
        "reward_format": 0.5,
        "reward_correctness": 0.0,
    }


def test_metrics_add_the_turns_up():
    task = row(WORKSPACE, {"difficulty": 3})
    steps, answers, _ = ours(task)
    env, _ = begin(task)
    for answer in answers:
        env.step(answer)
    metrics = env.get_metrics()
    assert metrics["turns"] == len(steps) > 1
    assert metrics["reward_total"] == pytest.approx(sum(reward for reward, _, _ in steps))
    assert metrics["is_success"] == 1.0


# ------------------------------------------------------------------ registry and rows


def test_registering_again_is_harmless_and_another_environment_is_not_replaced():
    register()
    assert skyrl_gym.spec(ENV_CLASS).to_json()
    with pytest.raises(ConfigurationError, match="take another id"):
        register("gsm8k")
    register("toolrl_other")
    assert isinstance(begin(row() | {"env_class": "toolrl_other"})[0], ToolRLTextEnv)
    skyrl_gym.envs.deregister("toolrl_other")


def test_rows_survive_parquet_and_show_no_gold(tmp_path):
    rows = [
        *skyrl_rows(TOOLBOX, {"difficulty": 2, "split": "test"}, range(4)),
        *skyrl_rows("ToolRL-ToolACE-v0", {"protocol": "python"}, range(4)),
    ]
    path = write_parquet(tmp_path / "data" / "train.parquet", rows)
    read = parquet.read_table(path).to_pylist()
    assert [(one["env_class"], one["data_source"]) for one in read[::4]] == [
        (ENV_CLASS, "toolbox"),
        (ENV_CLASS, "toolace"),
    ]
    for one in read:
        answer = ours(one)[1][0]
        assert answer not in json.dumps(one)
        env, messages = begin(one)
        assert env.step(answer)["metadata"]["is_success"]
        assert all(None not in message.values() for message in messages)


def test_a_write_that_breaks_off_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_parquet(tmp_path / "x.parquet", [{"a": 1}])
    before = path.read_bytes()

    def full(_, where):
        where.write_bytes(before[:10])
        raise OSError("no space left")

    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    with pytest.raises(ConfigurationError, match=r"x\.parquet' cannot be written: no space left"):
        write_parquet(path, [{"a": 2}])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_no_rows_are_no_file(tmp_path):
    with pytest.raises(ConfigurationError, match="no rows"):
        write_parquet(tmp_path / "empty.parquet", [])
    assert not list(tmp_path.iterdir())


def test_what_does_not_go_together_is_refused_in_words():
    with pytest.raises(ConfigurationError, match="SkyRL cannot give a row's tools"):
        row(kwargs={"protocol": "native"})
    native = row() | {"env_kwargs": '{"protocol": "native"}'}
    with pytest.raises(ConfigurationError, match="SkyRL cannot give a row's tools"):
        begin(native)
    with pytest.raises(ConfigurationError, match="no 'env'"):
        skyrl_gym.make(ENV_CLASS)
    with pytest.raises(ConfigurationError, match="has no effect"):
        skyrl_gym.make(ENV_CLASS, env_config={"difficulty": 1}, extras=row())
    with pytest.raises(ConfigurationError, match="max_turns=0"):
        begin(row(), max_turns=0)


def test_a_stale_prompt_is_refused_and_gives_its_environment_back():
    stale = row() | {"prompt": row(index=1)["prompt"]}
    with pytest.raises(ConfigurationError, match="write the rows anew"):
        begin(stale)
    pool = ToolRLTextEnv.pool
    assert [len(idle) for idle in pool._idle.values()] == [1]


def test_keys_that_other_rows_of_the_file_have_do_not_change_the_prompt():
    task = row()
    messages = [message | {"tool_calls": None} for message in task["prompt"]]
    assert begin(task | {"prompt": messages})[1] == task["prompt"]


def test_skyrls_limit_of_turns_must_leave_room_for_ours():
    long = row(WORKSPACE, {"difficulty": 1, "max_turns": 6})
    with pytest.raises(ConfigurationError, match=r"generator\.max_turns=1, .* up to 6 answers"):
        begin(long, max_turns=1)
    with pytest.raises(ConfigurationError, match=r"generator\.max_turns=5"):
        begin(long, max_turns=5)
    assert begin(long, max_turns=6)[0].max_turns == 6
    assert begin(row(), max_turns=1)[0].max_turns == 1  # one answer is all there is


# ------------------------------------------------------------------ order, closing, failures


def test_steps_need_a_running_episode():
    task = row()
    extras = {key: value for key, value in task.items() if key not in ("prompt", "env_class")}
    env = skyrl_gym.make(ENV_CLASS, extras=extras)
    with pytest.raises(gym.error.ResetNeeded, match="init"):
        env.step("")
    env.close()
    env.init(task["prompt"])
    env.step("")
    with pytest.raises(gym.error.ResetNeeded):
        env.step("")
    with env:
        env.init(task["prompt"])
    with pytest.raises(gym.error.ResetNeeded):
        env.step("")


def test_closing_frees_the_world_and_gives_the_environment_back(monkeypatch):
    closed = []

    def close(session):
        closed.append(session)

    monkeypatch.setattr(OwnSession, "close", close)
    pool, task = ToolRLTextEnv.pool, row(OWN, {})
    (one, _), (two, _) = begin(task), begin(task)
    env, worlds = one._episode._env, [each._episode._env._session for each in (one, two)]
    assert not any(world in closed for world in worlds)
    one.close()
    one.close()
    assert worlds[0] in closed
    assert worlds[1] not in closed
    assert [len(idle) for idle in pool._idle.values()] == [1]
    three, _ = begin(task)
    assert three._episode._env is env
    assert env._session not in closed
    pool.close()
    two.close()
    assert worlds[1] in closed


@pytest.mark.parametrize("kind", [FailureKind.SERVER_DOWN, FailureKind.TIMEOUT])
def test_a_failure_of_ours_is_raised_and_never_a_reward(monkeypatch, kind):
    def down(*_):
        raise InfrastructureError("the server is down", kind)

    task = row(OWN, {})
    env, _ = begin(task)
    closed, world = [], env._episode._env._session

    def close(session):
        closed.append(session)

    monkeypatch.setattr(OwnSession, "close", close)
    monkeypatch.setattr(OwnSession, "progress", down)
    with pytest.raises(InfrastructureError, match="server is down") as caught:
        env.step(ours_gold(task))
    assert caught.value.kind is kind
    assert world in closed  # SkyRL does not close after an exception
    assert "reward_total" not in env.get_metrics()
    with pytest.raises(gym.error.ResetNeeded):
        env.step("again")
    assert not any(ToolRLTextEnv.pool._idle.values())  # what failed is not used again


def ours_gold(task):
    env = gym.make(task["env"], **json.loads(task["env_kwargs"]))
    env.reset(options={"task_index": task["task_index"]})
    return env.unwrapped.gold_answer()


def test_a_world_that_does_not_open_is_raised(monkeypatch):
    task = row(OWN, {})

    def refuse(*_, **__):
        raise InfrastructureError("no")

    monkeypatch.setattr(OwnSession, "__init__", refuse)
    with pytest.raises(InfrastructureError, match="no"):
        begin(task)


# ------------------------------------------------------------------ a model, through SkyRL alone


@pytest.mark.parametrize(
    ("env", "kwargs"),
    [(TOOLBOX, {"difficulty": 1}), (WORKSPACE, {"difficulty": 1, "max_turns": 3})],
)
def test_a_tiny_model_plays_episodes_through_skyrls_api_alone(env, kwargs):
    model, tokenizer = load_model("tiny", env, kwargs, seed=0)
    policy = TransformersPolicy(
        model, ChatEncoder(tokenizer), max_new_tokens=24, temperature=1.0, seed=0
    )
    for task in skyrl_rows(env, kwargs, range(4)):
        theirs, messages = begin(task, max_turns=8)
        answers, rewards, done = [], [], False
        while not done:
            (answer,) = policy.act([""], [{"messages": messages, "tools": []}])
            said = theirs.step(answer)
            messages = [*messages, {"role": "assistant", "content": answer}, *said["observations"]]
            answers.append(answer)
            rewards.append(said["reward"])
            done = said["done"]
        theirs.close()
        assert [reward for reward, _, _ in ours(task, answers)[0]] == rewards
