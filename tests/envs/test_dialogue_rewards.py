"""To the last bit: a turn earns what the single-turn environment gives the same answer there."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.core.types import ParseStatus
from toolrl_env.data import SampleDataWarning
from toolrl_env.data.source import TaskSet
from toolrl_env.envs.single_turn import SingleTurnEnv

OURS = [
    ("ToolRL-ToolACE-v0", {}),
    ("ToolRL-RLLA-v0", {}),
    ("ToolRL-APIBank-v0", {"level": 1}),
    ("ToolRL-APIBank-v0", {"level": 2}),
    ("ToolRL-APIBank-v0", {"level": 3}),
]
REAL = [
    ("ToolRL-RLLA-v0", {}, "rlla_sft.json"),
    ("ToolRL-APIBank-v0", {"level": 1}, "api_bank/level-1-api_processed.json"),
    ("ToolRL-APIBank-v0", {"level": 2}, "api_bank/level-2-api_processed.json"),
]


def make(env_id, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SampleDataWarning)
        return gym.make(env_id, split="all", **kwargs).unwrapped


def wrong(gold):
    """Return a gold answer with its first call changed, or with its words taken back."""
    if not gold.has_call:
        return gold.text.replace("<response>", "<tool_call>").replace("</resp", "</tool_call>")
    first, *others = gold.values
    values = [{**first, "parameters": {**first["parameters"], "extra": 1}}, *others]
    lines = "\n".join(json.dumps(value) for value in values)
    return f"<think> x </think>\n<tool_call>\n{lines}\n</tool_call>"


ANSWERS = {"gold": lambda gold: gold.text, "empty": lambda _: "", "wrong": wrong}


def compare(env, answer):
    """Play every dialogue with one kind of answer; return the number of turns compared."""
    turns = 0
    for index in range(env.tasks.size):
        env.reset(options={"task_index": index})
        steps = env.tasks.dialogue(env.task).steps
        tasks = [replace(env.task, id=f"{n}", gold=step.gold) for n, step in enumerate(steps)]
        single = SingleTurnEnv(TaskSet("steps", "all", tuple(tasks)))
        for number, step in enumerate(steps):
            text = ANSWERS[answer](step.gold)
            single.reset(options={"task_index": number})
            _, expected, *_, known = single.step(text)
            _, reward, terminated, _, info = env.step(text)
            assert reward == expected
            assert info["reward"] == known["reward"]
            assert info["breakdown"].terms == known["breakdown"].terms
            assert info["breakdown"].losses == known["breakdown"].losses
            if env.protocol.parse(text).status is ParseStatus.CALLS:
                assert info["results"] == known["results"]
            for credit in env.credits():
                start, end = credit.span
                assert 0 <= start <= end <= len(text)
                assert credit.turn == number
            turns += 1
        assert terminated
        assert info["is_success"] is (answer == "gold")
    return turns


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(("env_id", "kwargs"), OURS)
def test_on_all_of_our_dialogues(env_id, kwargs, answer):
    env = make(env_id, mode="multi_turn", **kwargs)
    assert compare(env, answer) > 2 * env.tasks.size


@pytest.mark.shared_data
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(("env_id", "kwargs", "file"), REAL)
def test_on_all_real_dialogues(shared_data, env_id, kwargs, file, answer):
    env = make(env_id, mode="multi_turn", data=str(shared_data / file), **kwargs)
    assert compare(env, answer) > 2 * env.tasks.size


def test_in_the_single_turn_environment_itself_with_the_prompt_of_that_step():
    multi, single = make("ToolRL-ToolACE-v0", mode="multi_turn"), make("ToolRL-ToolACE-v0")
    for index in range(multi.tasks.size):
        multi.reset(options={"task_index": index})
        name, number, over = multi.task.id, 0, False
        while not over:
            number += 1
            task_id = name if number == 1 else f"{name}-step{number}"
            single.reset(options={"task_id": task_id})
            assert multi.gold_answer() == single.gold_answer()
            text = wrong(single.task.gold)
            _, expected, *_ = single.step(text)
            _, reward, over, _, _ = multi.step(text)
            assert reward == expected


@pytest.mark.parametrize(("env_id", "kwargs"), OURS)
def test_the_first_free_answer_to_a_step_earns_the_same(env_id, kwargs):
    free = make(env_id, mode="multi_turn", continuation="free_running", **kwargs)
    forced = make(env_id, mode="multi_turn", **kwargs)
    for index in range(free.tasks.size):
        for text in (wrong(free.tasks[index].gold), "", free.tasks[index].gold.text):
            free.reset(options={"task_index": index})
            forced.reset(options={"task_index": index})
            assert free.step(text)[1] == forced.step(text)[1]
