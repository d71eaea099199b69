"""What a single step returns, on tasks whose every value is known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.envs.conftest import CALL, RESPONSE
from toolrl_env.core.errors import DataError
from toolrl_env.core.types import Message, Task
from toolrl_env.data.source import TaskSet
from toolrl_env.envs.base import MAX_OBSERVATION_CHARS
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
    assert len(env._prepare._cache) == 2


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
