"""What a single step returns, on tasks whose every value is known."""

from __future__ import annotations

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.envs.conftest import CALL, RESPONSE
from toolrl_env.core.errors import ConfigurationError, DataError, SnapshotError
from toolrl_env.core.types import Message, Task
from toolrl_env.data.source import TaskSet
from toolrl_env.envs.base import MAX_OBSERVATION_CHARS
from toolrl_env.envs.errors import MAX_ERRORS
from toolrl_env.envs.single_turn import SingleTurnEnv
from toolrl_env.parsing import parse_ground_truth


def answer(env, text, index=0):
    env.reset(options={"task_index": index})
    return env.step(text)


def test_gold_earns_four_and_a_response_one(tasks):
    env = SingleTurnEnv(tasks)
    assert answer(env, CALL)[1] == 4.0
    assert answer(env, RESPONSE, 1)[1] == 1.0
    assert answer(env, "nothing of the kind", 1)[1] == 0.0
    assert answer(env, "nothing of the kind", 0)[1] == -3.0


def test_one_wrong_value_costs_what_the_paper_says(tasks):
    env = SingleTurnEnv(tasks)
    _, reward, _, _, info = answer(env, CALL.replace("Porto", "Lisbon"))
    # name 1 + keys 1 + one of two values 1 = 3 of S_max = 1 + 1 + 2 = 4
    assert info["reward"]["format"] == 1.0
    assert info["reward"]["correctness"] == pytest.approx(6 * 3 / 4 - 3)
    assert reward == pytest.approx(2.5)
    (loss,) = info["breakdown"].losses
    assert (loss.kind, loss.key, loss.expected, loss.actual) == ("value", "city", "Porto", "Lisbon")


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("get_weather", "get_wether", "unknown_tool", ["get_wether", "get_weather"]),
        ('"days": 3', '"days": "three"', "wrong_type", ["days", "three", "integer"]),
        (', "days": 3', "", "missing_argument", ["days"]),
        ('"days": 3', '"days": 3, "dys": 1', "unexpected_argument", ["dys"]),
        ('"parameters"', '"arguments"', "missing_parameters", ["parameters"]),
        ("</tool_call>", "", "missing_tag", ["</tool_call>"]),
        ('"days": 3}', '"days": 3', "bad_json", []),
        ("<think> Weather is asked for. </think>\n", "", "missing_think", []),
    ],
)
def test_errors_name_what_is_wrong(tasks, old, new, code, words):
    assert old in CALL
    info = answer(SingleTurnEnv(tasks), CALL.replace(old, new))[4]
    error = next(error for error in info["errors"] if error.code == code)
    for word in words:
        assert word in error.message
    assert "Porto" not in error.for_model


def test_strict_adds_a_validation_term(tasks):
    lax, strict = SingleTurnEnv(tasks), SingleTurnEnv(tasks, strict=True)
    wrong = CALL.replace("3}", '"three"}')
    assert "validation" not in answer(lax, wrong)[4]["reward"]
    good, bad = answer(strict, CALL)[4]["reward"], answer(strict, wrong)[4]["reward"]
    assert good["validation"] > bad["validation"]


def test_scheduled_rewards_follow_the_training_step(tasks):
    env = SingleTurnEnv(tasks, reward="two_stage")
    env.reset(options={"task_index": 0, "training_step": 0})
    early = env.step(CALL)[1]
    env.reset(options={"task_index": 0, "training_step": 30})
    assert (early, env.step(CALL)[1]) == (2.0, 3.5)


def test_the_observation_grows_by_the_answer(tasks):
    env = SingleTurnEnv(tasks)
    before, _ = env.reset(options={"task_index": 0})
    after, *_, info = env.step(CALL)
    assert after == before + CALL
    assert info["messages"][-1] == {"role": "assistant", "content": CALL}


def test_chat_template_renders_the_observation(tasks):
    env = SingleTurnEnv(
        tasks,
        protocol="native",
        chat_template=lambda messages, tools: f"{len(tools)}|{messages[-1]['content']}|",
    )
    observation, _ = env.reset(options={"task_index": 2})
    assert observation == "1|Again!|"


def test_a_prompt_over_the_limit_is_an_error_that_names_the_task():
    long = Task(
        id="long",
        source="hand",
        tools=(),
        messages=(Message("user", "x" * MAX_OBSERVATION_CHARS),),
        gold=parse_ground_truth(RESPONSE),
    )
    with pytest.raises(DataError, match="'long'"):
        SingleTurnEnv(TaskSet("hand", "train", (long,))).reset()


def test_prepared_tasks_are_bounded(tasks, monkeypatch):
    monkeypatch.setattr("toolrl_env.envs.prepare._CACHED_TASKS", 2)
    env = SingleTurnEnv(tasks)
    for index in (0, 1, 2, 0, 1, 2):
        _, info = env.reset(options={"task_index": index})
        assert info["task_id"] == f"hand-{index}"
    assert env._prepare._remembered.cache_info().currsize == 2


def test_forks_prepare_tasks_in_several_threads(tasks, monkeypatch):
    monkeypatch.setattr("toolrl_env.envs.prepare._CACHED_TASKS", 1)
    forks = SingleTurnEnv(tasks).fork(4)

    def play(number):
        for turn in range(300):
            index = (number + turn) % 3
            _, info = forks[number].reset(options={"task_index": index})
            assert info["task_id"] == f"hand-{index}"
            assert forks[number].step(forks[number].gold_answer())[1] >= 1.0
        return True

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(play, range(4)))
    finally:
        sys.setswitchinterval(interval)


class CountingEnv(SingleTurnEnv):
    """A subclass with a state of its own."""

    def __init__(self, tasks):
        super().__init__(tasks)
        self.seen = {"actions": []}

    def step(self, action):
        self.seen["actions"].append(action)
        return super().step(action)


def test_the_state_of_a_subclass_is_not_shared_by_forks(tasks):
    env = CountingEnv(tasks)
    env.reset(seed=0)
    one, two = env.fork(2)
    one.step("x")
    assert (env.seen, one.seen, two.seen) == ({"actions": []}, {"actions": ["x"]}, {"actions": []})
    assert one.tasks is env.tasks


def test_forks_sample_independently_but_alike(tasks):
    env = SingleTurnEnv(tasks)
    env.action_space.seed(3)
    one, two = env.fork(2)
    first = [one.action_space.sample() for _ in range(5)]
    assert [two.action_space.sample() for _ in range(5)] == first
    assert [env.action_space.sample() for _ in range(5)] == first


def test_an_environment_pickles_in_mid_episode(tasks):
    env = SingleTurnEnv(tasks, strict=True)
    env.reset(seed=4, options={"task_index": 0})
    twin = pickle.loads(pickle.dumps(env))
    wrong = CALL.replace("3}", '"three"}')
    assert data_equivalence(env.step(wrong), twin.step(wrong), exact=True)
    assert data_equivalence(env.reset(), twin.reset(), exact=True)
    with pytest.raises(ResetNeeded):
        pickle.loads(pickle.dumps(SingleTurnEnv(tasks))).step("x")


def test_a_snapshot_of_other_prompts_is_refused_and_nothing_is_lost(tasks):
    env, other = SingleTurnEnv(tasks), SingleTurnEnv(tasks, protocol="python")
    env.reset(seed=0)
    other.reset(seed=1)
    before = other.snapshot()
    for wrong in (env.snapshot(), None, {}):
        with pytest.raises(SnapshotError):
            other.restore(wrong)
    assert other.snapshot() == before


@pytest.mark.parametrize(
    "options",
    [
        {"task_index": "abc"},
        {"task_index": [1]},
        {"task_index": float("nan")},
        {"task_index": float("inf")},
        {"task_index": 3},
        {"task_id": "hand-9"},
        {"task_id": ["hand-1"]},
        {"task_id": 1},
        {"training_step": "x"},
        {"training_step": 9, "task_index": -1},
        [("task_index", 1)],
        "task_index",
    ],
)
def test_what_is_refused_changes_nothing(tasks, options):
    env = SingleTurnEnv(tasks)
    env.reset(seed=0, options={"training_step": 5})
    before = env.snapshot()
    with pytest.raises(ConfigurationError):
        env.reset(seed=1, options=options)
    assert env.snapshot() == before
    for seed in (-1, 1.5, "a", True, [1]):
        with pytest.raises(ConfigurationError, match="seed="):
            env.reset(seed=seed, options={"training_step": 9})
        assert env.snapshot() == before


def test_numpy_integers_are_integers(tasks):
    env = SingleTurnEnv(tasks)
    options = {"task_index": np.int64(2), "training_step": np.int32(7)}
    _, info = env.reset(seed=np.int64(3), options=options)
    assert type(info["task_index"]) is int
    assert (info["task_index"], env.training_step) == (2, 7)


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"max_chars": True}, "max_chars=True; allowed: an integer from 1 to"),
        ({"max_chars": 10**9}, "max_chars=1000000000"),
        ({"strict": "no"}, "strict='no'"),
    ],
)
def test_odd_arguments_are_refused(tasks, kwargs, said):
    with pytest.raises(ConfigurationError, match=said):
        SingleTurnEnv(tasks, **kwargs)


def test_each_error_is_told_once_with_its_call(tasks):
    lines = '{"name": "f", "parameters": [1]}\n{"name": "g", "parameters": {}}\nnot JSON'
    answer_text = f"<think> x </think>\n<tool_call>\n{lines}\n</tool_call>"
    info = answer(SingleTurnEnv(tasks), answer_text)[4]
    assert [(e.code.value, e.call) for e in info["errors"]] == [
        ("bad_parameters", 0),
        ("bad_json", 2),
        ("unknown_tool", 1),
    ]
    assert info["errors"][0].message.startswith("call 0: ")
    assert info["errors"][0].span is not None


@pytest.mark.parametrize("line", ["1", '{"name": "f", "parameters": {}}', '{"name": 1}'])
def test_errors_are_bounded_and_the_rest_is_counted(tasks, line):
    text = "<think> x </think>\n<tool_call>\n" + f"{line}\n" * 300 + "</tool_call>"
    errors = answer(SingleTurnEnv(tasks), text)[4]["errors"]
    assert len(errors) == MAX_ERRORS + 1
    assert errors[-1].message == f"{300 - MAX_ERRORS} more errors are not listed"


@pytest.mark.parametrize("protocol", ["toolrl", "native", "python"])
def test_the_model_is_not_told_what_kind_of_answer_is_gold(tasks, protocol):
    env = SingleTurnEnv(tasks, protocol=protocol)
    env.reset(options={"task_index": 0})
    call = env.gold_answer()
    env.reset(options={"task_index": 1})
    words = env.gold_answer()
    told = [
        next(e.for_model for e in answer(env, text, index)[4]["errors"] if e.code == "bad_layout")
        for index, text in ((0, words), (1, call))
    ]
    assert told[0] == told[1]


FRAGMENTS = st.sampled_from(
    ["<think>", "</think>", "<tool_call>", "</tool_call>", "<response>", "</response>", "\n", "{",
     "}", '"name"', '"parameters"', '"get_weather"', ":", ",", "[", "]", "1e400", "NaN", "null",
     "\x00", "\ud800", " "]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(FRAGMENTS, max_size=40).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_scored_within_bounds(text):
    for protocol in ("toolrl", "native", "python"):
        env = FUZZED[protocol]
        for index in range(2):
            observation, reward, terminated, truncated, info = answer(env, text, index)
            low, high = env.reward_config.bounds(env.task.gold, 0)
            assert low <= reward <= high
            assert observation in env.observation_space
            assert terminated
            assert not truncated
            assert info["errors"] or reward == high or protocol != "toolrl" or info["results"]


_SHARED = TaskSet(
    "hand",
    "train",
    tuple(
        Task(f"t{i}", "hand", (), (Message("user", "Go."),), parse_ground_truth(gold))
        for i, gold in enumerate((CALL, RESPONSE))
    ),
)
FUZZED = {name: SingleTurnEnv(_SHARED, protocol=name) for name in ("toolrl", "native", "python")}


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000,
        "<think> x </think>\n<tool_call>\n" + "[" * 10_000 + "]" * 10_000 + "\n</tool_call>",
        CALL.replace("3}", "1e400}"),
        CALL.replace('"days": 3', '"days": 3, "days": 4'),
        CALL.replace("3}", "9" * 5000 + "}"),
        "<think> x </think>\n<tool_call>\n" + '{"name": "f", "parameters": {}}\n' * 1_000_000,
        "\x00" * 65_536,
        "\ud800" * 1000,
        "<think>" * 10_000,
        "<tool_call>" * 5_000 + "</tool_call>" * 5_000,
    ],
    ids=range(10),
)
@pytest.mark.parametrize("protocol", ["toolrl", "native", "python"])
def test_hostile_answers_are_data(tasks, text, protocol):
    env = SingleTurnEnv(tasks, protocol=protocol, strict=True)
    observation, reward, _, _, info = answer(env, text)
    assert reward < env.reward_config.bounds(env.task.gold, 0)[1]
    assert info["errors"] or info["breakdown"].losses
    assert observation in env.observation_space
