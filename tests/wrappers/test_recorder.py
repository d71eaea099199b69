"""Recording episodes and reading them back."""

from __future__ import annotations

import copy
import json
import multiprocessing

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import data_equivalence
from hypothesis import given
from hypothesis import strategies as st

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.core.types import StopReason, Trajectory, Transition
from toolrl_env.prompts import SHORT
from toolrl_env.rewards import RewardConfig, TermContext, validation
from toolrl_env.wrappers import (
    BrokenLine,
    RecordTrajectories,
    iter_trajectories,
    read_trajectories,
    replay_trajectory,
)
from toolrl_env.wrappers.arguments import decode_arguments, encode_arguments
from toolrl_env.wrappers.trajectories import decode, encode

pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")

ID = "ToolRL-Toolbox-v0"
ODD = "caf\u00e9 \U0001f600 \x00 \ud800 \u2028 </think>"


def record(path, actions=("junk",), env_id=ID, **kwargs):
    env = RecordTrajectories(gym.make(env_id, **kwargs), path)
    for seed, action in enumerate(actions):
        env.reset(seed=seed)
        env.step(env.unwrapped.gold_answer() if action == "gold" else action)
    return env


def test_nothing_the_environment_returns_is_changed(tmp_path):
    plain, recorded = gym.make(ID), RecordTrajectories(gym.make(ID), tmp_path / "t.jsonl")
    for action in ("junk", plain.unwrapped.protocol.render([], think="a", response="b")):
        assert data_equivalence(plain.reset(seed=3), recorded.reset(seed=3), exact=True)
        assert data_equivalence(plain.step(action), recorded.step(action), exact=True)


def test_one_line_per_finished_episode_with_everything_in_it(tmp_path):
    path = tmp_path / "new" / "folder" / "t.jsonl"
    env = record(path, ["gold", ODD], difficulty=2, split="test", render_mode="ansi")
    first, second = read_trajectories(path)
    assert len(path.read_text("ascii").splitlines()) == 2
    assert (first.env_id, first.env_kwargs) == (ID, {"difficulty": 2, "split": "test"})
    assert first.fingerprint == env.unwrapped.tasks.fingerprint
    observation, info = env.reset(seed=0)
    assert first.task_id == info["task_id"]
    (step,) = first.transitions
    assert step.observation == observation
    assert step.next_observation == observation + step.action
    assert step.reward == step.components["total"]
    assert (step.terminated, step.truncated, step.stop_reason) == (True, False, StopReason.ANSWERED)
    assert second.transitions[0].action == ODD
    assert second.transitions[0].reward < step.reward


def test_unfinished_episodes_are_not_written(tmp_path):
    env = RecordTrajectories(gym.make(ID), tmp_path / "t.jsonl")
    env.reset(seed=0)
    env.reset(seed=1)
    assert read_trajectories(env.path) == []
    env.step("x")
    assert len(read_trajectories(env.path)) == 1


def test_the_training_step_is_recorded(tmp_path):
    env = RecordTrajectories(gym.make(ID, reward="dynamic_scale"), tmp_path / "t.jsonl")
    env.reset(seed=0, options={"training_step": 75})
    env.step(env.unwrapped.gold_answer())
    (found,) = read_trajectories(env.path)
    assert found.training_step == 75
    replay_trajectory(found)


def test_files_grow_and_are_never_overwritten(tmp_path):
    path = tmp_path / "t.jsonl"
    record(path, ["a"])
    record(path, ["b", "c"])
    assert [t.transitions[0].action for t in read_trajectories(path)] == ["a", "b", "c"]


def test_a_crash_in_mid_write_costs_one_line(tmp_path):
    path = tmp_path / "t.jsonl"
    record(path, ["a", "b"])
    path.write_bytes(path.read_bytes()[:-100])
    items = list(iter_trajectories(path))
    assert isinstance(items[0], Trajectory)
    assert items[1] == BrokenLine(2, items[1].reason, cut=True)
    with pytest.warns(UserWarning, match="line 2: the last line is cut"):
        assert len(read_trajectories(path)) == 1
    record(path, ["c"])
    items = list(iter_trajectories(path))
    assert [type(item) for item in items] == [Trajectory, BrokenLine, Trajectory]
    assert not items[1].cut
    assert "JSON" in items[1].reason


def _record_some(path):
    record(path, [f"{i}" * 5000 for i in range(10)])


def test_processes_may_share_a_file(tmp_path):
    path = tmp_path / "t.jsonl"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_record_some, args=(path,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(read_trajectories(path)) == 20


def test_vectors_of_recorders(tmp_path):
    path = tmp_path / "t.jsonl"
    env = gym.make_vec(
        ID,
        num_envs=3,
        vectorization_mode="sync",
        wrappers=[lambda env: RecordTrajectories(env, path)],
    )
    env.reset(seed=0)
    env.step(["a", "b", "c"])
    assert [t.transitions[0].action for t in read_trajectories(path)] == ["a", "b", "c"]
    env.close()


def test_a_recorder_copies_deeply(tmp_path):
    env = RecordTrajectories(gym.make(ID), tmp_path / "t.jsonl")
    env.reset(seed=0)
    twin = copy.deepcopy(env)
    twin.step("twin")
    env.step("first")
    assert [t.transitions[0].action for t in read_trajectories(env.path)] == ["twin", "first"]


def test_the_wrapped_spec_makes_the_same_again(tmp_path):
    env = record(tmp_path / "t.jsonl")
    again = gym.make(env.spec)
    assert isinstance(again, RecordTrajectories)
    assert again.path == env.path


def test_environments_that_cannot_be_recorded_are_refused(tmp_path):
    path = tmp_path / "t.jsonl"
    with pytest.raises(ConfigurationError, match="CartPoleEnv"):
        RecordTrajectories(gym.make("CartPole-v1"), path)
    text = gym.make(ID)
    encoded = gym.wrappers.TransformObservation(text, len, gym.spaces.Discrete(10**6))
    with pytest.raises(ConfigurationError, match="inside the wrapper"):
        RecordTrajectories(encoded, path)
    with pytest.raises(ConfigurationError, match=r"gym\.make"):
        RecordTrajectories(type(text.unwrapped)(), path)
    with pytest.raises(ConfigurationError, match="chat_template"):
        RecordTrajectories(gym.make(ID, chat_template=lambda m, t: str(m)), path)
    assert not path.exists()


def test_a_file_that_cannot_be_written_is_said_at_once(tmp_path):
    with pytest.raises(DataError, match="cannot be written"):
        record(tmp_path)


# ------------------------------------------------------------------ arguments


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"split": "test", "level": 2, "data_options": {"level": 1}, "data": None},
        {"reward": RewardConfig()},
        {"reward": RewardConfig(length=True, values="strict", correctness_max=1.0)},
        {"template": SHORT},
        {"reward": "exact", "strict": True},
    ],
)
def test_arguments_survive_the_file(arguments):
    stored = json.loads(json.dumps(encode_arguments(arguments)))
    assert decode_arguments(stored) == arguments


def test_paths_become_text(tmp_path):
    assert encode_arguments({"data": tmp_path}) == {"data": str(tmp_path)}


def own_term(context: TermContext):
    return validation(context)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"reward": RewardConfig(extra_terms=(own_term,))}, "extra_terms"),
        ({"x": object()}, "x=<object"),
        ({"x": float("nan")}, "x=nan"),
    ],
)
def test_arguments_that_a_file_cannot_carry(arguments, said):
    with pytest.raises(ConfigurationError, match=said):
        encode_arguments(arguments)


@pytest.mark.parametrize(
    "stored",
    [
        {"reward": {"$reward_config": {"lenght": True}}},
        {"reward": {"$reward_config": {"matching": "x"}}},
        {"template": {"$prompt_template": {"system": "no slot"}}},
        {"reward": {"$reward_config": 3}},
    ],
)
def test_recorded_arguments_that_cannot_be_made_again(stored):
    with pytest.raises(DataError, match="cannot be made again"):
        decode_arguments(stored)


# ------------------------------------------------------------------ lines

texts = st.text(st.characters(), max_size=30)
floats = st.floats(allow_nan=False, allow_infinity=False)
transitions = st.builds(
    Transition,
    observation=texts,
    action=texts,
    reward=floats,
    components=st.dictionaries(texts, floats, max_size=3),
    next_observation=texts,
    terminated=st.booleans(),
    truncated=st.booleans(),
    stop_reason=st.none() | st.sampled_from(StopReason),
)
trajectories = st.builds(
    Trajectory,
    env_id=texts,
    env_kwargs=st.dictionaries(texts, st.none() | st.booleans() | st.integers() | texts),
    fingerprint=texts,
    task_id=texts,
    training_step=st.integers(0),
    transitions=st.lists(transitions, min_size=1, max_size=3).map(tuple),
)


@given(trajectories)
def test_decode_undoes_encode(trajectory):
    line = encode(trajectory)
    assert "\n" not in line
    assert line.isascii()
    assert decode(line) == trajectory


GOOD = json.loads(
    encode(
        Trajectory(
            ID, {}, "f", "t", 0, (Transition("o", "a", 1.0, {"total": 1.0}, "n", True, False),)
        )
    )
)


def spoilt(*path, value):
    line = copy.deepcopy(GOOD)
    place = line
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("3", "not an object but int"),
        ("{}", "version is None"),
        (spoilt("version", value=2), "version is 2"),
        (spoilt("task_id", value=None), "task_id is not str but NoneType"),
        (spoilt("training_step", value=True), "training_step is not int but bool"),
        (spoilt("transitions", value=[]), "transitions is empty"),
        (spoilt("transitions", value=[1]), "a transition is not an object"),
        (spoilt("transitions", 0, "reward", value="1"), "reward is not float but str"),
        (spoilt("transitions", 0, "components", "total", value=None), "total is not float"),
        (spoilt("transitions", 0, "stop_reason", value="bored"), "stop_reason is 'bored'"),
    ],
)
def test_a_broken_line_says_what_is_broken(line, said):
    with pytest.raises(DataError, match=said):
        decode(line)


def test_a_missing_field_is_named():
    with pytest.raises(DataError, match="fingerprint is missing"):
        decode(json.dumps({k: v for k, v in GOOD.items() if k != "fingerprint"}))


def test_an_unreadable_file(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_trajectories(tmp_path / "none.jsonl")


def test_bytes_that_are_no_text_and_blank_lines(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"\xff\xfe\n\n  \n" + json.dumps(GOOD).encode() + b"\n")
    broken, good = iter_trajectories(path)
    assert (broken.line, broken.cut) == (1, False)
    assert good.env_id == ID
