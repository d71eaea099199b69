"""Whatever is answered, a replay keeps its promises."""

from __future__ import annotations

import warnings

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import data_equivalence
from hypothesis import given, settings
from hypothesis import strategies as st

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.core.types import ToolCall
from toolrl_env.data import SampleDataWarning

CONTINUATIONS = ("teacher_forced", "free_running")
KINDS = ("gold", "half", "twice", "more", "words", "both", "unknown", "empty", "unclosed")
SCRIPTS = st.lists(st.one_of(st.sampled_from(KINDS), st.text(max_size=60)), min_size=8, max_size=8)
TASKS = st.integers(0, 90)


@pytest.fixture(scope="module")
def envs():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SampleDataWarning)
        return {
            name: gym.make(
                "ToolRL-ToolACE-v0", mode="multi_turn", continuation=name, max_turns=8
            ).unwrapped
            for name in CONTINUATIONS
        }


def written(env, kind):
    """Return an answer of a kind, made from what is due now; other text stays as it is."""
    if kind not in KINDS:
        return kind
    gold = env.protocol.parse(env.gold_answer())
    calls = [ToolCall(call.name, call.arguments) for call in gold.calls]
    other = ToolCall(env.task.tools[0].name, {"no such parameter": 1})
    plain = {"empty": "", "unclosed": "<think> x </think>\n<tool_call>\n{}", "gold": gold.text}
    made = {
        "half": calls[:1],
        "twice": calls * 2,
        "more": [*calls, other],
        "words": [],
        "both": calls,
        "unknown": [ToolCall("no_such_tool", {})],
    }
    if kind in plain:
        return plain[kind]
    response = "Words." if kind in ("words", "both") or not made[kind] else None
    return env.protocol.render(made[kind], think="x", response=response)


def play(env, task, script):
    """Play a script; return the steps."""
    steps = [env.reset(options={"task_index": task})]
    for kind in script:
        steps.append(env.step(written(env, kind)))
        if steps[-1][2] or steps[-1][3]:
            break
    return steps


@settings(max_examples=60)
@given(task=TASKS, script=SCRIPTS)
def test_forced_the_turns_are_the_records_and_each_is_scored(envs, task, script):
    env = envs["teacher_forced"]
    steps = play(env, task, script)
    total = len(env.tasks.gold_turns(env.task))
    assert len(steps) == 1 + total
    assert steps[-1][2]
    shares = [step[4]["progress"] * total for step in steps[1:]]
    for number, (before, after) in enumerate(zip([0, *shares], shares, strict=False), 1):
        assert round(after - before) in (0, 1)
        assert round(after) <= number
    assert all(
        term.low < term.high for step in steps[1:] for term in step[4]["breakdown"].terms[:1]
    )


@settings(max_examples=60)
@given(task=TASKS, script=SCRIPTS)
def test_free_each_step_is_paid_at_most_once(envs, task, script):
    env = envs["free_running"]
    steps = play(env, task, script)
    gold = env.tasks.gold_turns(env.task)
    scored = sum(step[4]["breakdown"].terms[0].high > 0.0 for step in steps[1:])
    assert scored <= len(gold)
    assert steps[-1][2] or steps[-1][3]
    highest = sum(1.0 if isinstance(turn, str) else 4.0 for turn in gold)
    assert sum(step[1] for step in steps[1:]) <= highest
    assert steps[-1][4]["is_success"] is (steps[-1][4]["progress"] == 1.0)


@pytest.mark.parametrize("continuation", CONTINUATIONS)
@settings(max_examples=40)
@given(task=TASKS, script=SCRIPTS, place=st.integers(0, 3))
def test_a_fork_goes_the_same_way_and_leaves_the_other_alone(
    envs, continuation, task, script, place
):
    env = envs[continuation]
    env.reset(options={"task_index": task})
    over = False
    for kind in script[:place]:
        if not over:
            over = any(env.step(written(env, kind))[2:4])
    if over:
        return
    (fork,) = env.fork(1)
    state = env.state_hash()
    text = written(env, script[place])
    first = fork.step(text)
    assert env.state_hash() == state
    assert data_equivalence(env.step(text), first, exact=True)
    assert env.state_hash() == fork.state_hash()


@pytest.mark.parametrize("continuation", CONTINUATIONS)
@settings(max_examples=40)
@given(task=TASKS, script=SCRIPTS)
def test_credits_add_up_and_lie_in_the_answer(envs, continuation, task, script):
    env = envs[continuation]
    env.reset(options={"task_index": task})
    for turn, kind in enumerate(script):
        text = written(env, kind)
        _, reward, terminated, truncated, _ = env.step(text)
        earned = env.credits()
        assert sum(part.amount for part in earned) == pytest.approx(reward, abs=1e-9)
        for part in earned:
            assert part.turn == turn
            assert 0 <= part.span[0] <= part.span[1] <= len(text)
        if terminated or truncated:
            break
