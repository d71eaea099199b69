"""Whatever a model answers: credits add up to the reward, and writes and outcome are filled in."""

from __future__ import annotations

from random import Random

import pytest

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ToolCall
from toolrl_env.rewards import RewardConfig
from toolrl_env.rewards.episode import EpisodeRewardConfig

EVERYTHING = {
    "outcome": 1.0,
    "answer_quality": 0.5,
    "trajectory": 0.25,
    "step_f1": 0.5,
    "state_execution": 2.0,
    "shaping": 0.75,
    "turns": 0.01,
    "calls": 0.02,
    "repeats": 0.1,
    "invalid": 0.2,
}
VALUES = (1, -2.5, "Ada", "", True, [], {}, None)
JUNK = ("", "<tool_call>", "<think> x </think>", "<|im_end|> <response>")


def _call(tools, rng):
    tool = rng.choice(tools)
    names = [*tool.parameters.get("properties", {}), "no_such_argument"]
    return ToolCall(tool.name, {name: rng.choice(VALUES) for name in names if rng.random() < 0.6})


def _answer(base, rng):
    """Return junk, random calls, the same call twice, words, or what gold says."""
    kind, tools = rng.randrange(6), base.task.tools
    if kind == 0:
        return rng.choice(JUNK)
    if kind == 1:
        return base.protocol.render([_call(tools, rng) for _ in range(3)], think="Try.")
    if kind == 2:
        return base.protocol.render([_call(tools, rng)] * 2, think="Twice.")
    if kind > 3:
        try:
            return base.gold_answer()
        except ConfigurationError:
            return base.protocol.render((), think="Say.", response="There is no more.")
    return base.protocol.render((), think="Say.", response="I do not know.")


def _reward(base):
    turn = RewardConfig() if base.scores_answers else None
    return EpisodeRewardConfig(turn=turn, **EVERYTHING)


def test_credits_add_up_whatever_is_answered(make_multi):
    env = make_multi(max_turns=10)
    base = env.unwrapped
    base.episode_reward, rng = _reward(base), Random(7)
    ends = set()
    for seed in range(4):
        env.reset(seed=seed)
        over = False
        while not over:
            _, reward, terminated, truncated, info = env.step(_answer(base, rng))
            over = terminated or truncated
            earned = base.credits()
            assert sum(credit.amount for credit in earned) == pytest.approx(reward, abs=1e-9)
            turns = base._record().turns
            for credit in earned:
                action, (start, end) = turns[credit.turn].action, credit.span
                assert 0 <= start <= end <= len(action.text)
                assert start < end or not action.text
            assert len(turns[-1].writes) == len(turns[-1].results)
            assert set(EVERYTHING) <= set(info["reward"])
            assert not info["mask_sample"]
        assert 0.0 <= base._record().outcome <= 1.0
        ends.add(info["stop_reason"])
    assert ends <= {"turn_limit", "answered", "goal_reached"}


def test_gold_has_writes_wherever_the_world_has_tools_that_write(make_multi):
    env = make_multi()
    wrote = False
    for index in range(6):
        env.reset(options={"task_index": index})
        over = False
        while not over:
            *_, terminated, truncated, info = env.step(env.unwrapped.gold_answer())
            over = terminated or truncated
            wrote |= any(env.unwrapped._record().turns[-1].writes)
        assert env.unwrapped._record().outcome == 1.0
        assert info["is_success"]
    assert wrote is (env.unwrapped.task.source != "search")
