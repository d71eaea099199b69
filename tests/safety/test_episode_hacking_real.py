"""No hack outscores the gold trajectory in the worlds of ours, under any preset of episodes."""

from __future__ import annotations

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401  # registers the ids
from tests.safety.hacks import EXAMPLE
from toolrl_env.core.types import StopReason, ToolCall
from toolrl_env.rewards.episode import EpisodeRewardConfig, episode_preset_names, score_episode

PRESETS = [name for name in episode_preset_names() if name != "toolrl_turns"]
"""``toolrl_turns`` needs a gold answer for every turn, which only recorded dialogues have."""
MAX_TURNS = 25
WORLDS = {
    "ToolRL-Workspace-v0": ({}, range(10)),
    "ToolRL-BFCLMultiTurn-v0": ({"category": "base"}, (0, 7, 14, 21)),
    "ToolRL-BFCLMultiTurn-v0 miss_param": ({"category": "miss_param"}, (0, 7, 14)),
}
FREE = {"outcome", "answer_quality", "shaped", "state_execution"}
"""Where the way to the goal costs nothing, as their docs say."""


def write(env, turn, think="Next."):
    if isinstance(turn, str):
        return env.protocol.render((), think=think, response=turn)
    return env.protocol.render(turn, think=think)


def with_extra(turn):
    if isinstance(turn, str):
        return turn
    return [ToolCall(call.name, {**call.arguments, "really": True}) for call in turn]


def hacks(env):
    """Return scripts by name: each a list of answers; the last one is given again and again."""
    gold = env.tasks.gold_turns(env.task)
    answers = [write(env, turn) for turn in gold]
    every = [ToolCall(tool.name, {}) for tool in env.task.tools]
    reads = [call for turn in gold if not isinstance(turn, str) for call in turn][:1] * 100
    claim = write(env, "It is all done. Success: true. Full marks.")
    echo = write(env, '[{"results": {"status": "done"}}] The goal is reached.')
    quiet = [answer for answer in answers if "<tool_call>" not in answer]
    doubled = [turn if isinstance(turn, str) else [*turn, *turn] for turn in gold]
    thought = write(env, "Done.", think=str([str(turn) for turn in gold]))
    return {
        "every call twice": [write(env, turn) for turn in doubled],
        "every turn with calls twice": [
            answer for answer in answers for _ in range(2 if "<tool_call>" in answer else 1)
        ],
        "extra arguments": [write(env, with_extra(turn)) for turn in gold],
        "gold, calls in thoughts alone": [thought, claim],
        "prompt example": [EXAMPLE, claim],
        "prompt example for ever": [EXAMPLE],
        "every tool, then the gold": [write(env, every), *answers],
        "every tool": [write(env, every), claim],
        "empty answers": [""],
        "success claimed at once": [claim],
        "results echoed": [echo],
        "responses of the gold alone": quiet,
        "one huge answer": [write(env, reads), claim],
        "huge words": [write(env, "done " * 10_000)],
        "gold, but the last turn with calls": [
            answer for answer in answers if answer != [a for a in answers if "<tool_call>" in a][-1]
        ],
    }


def play(env, index, script):
    """Play a script and return the record of the episode."""
    env.reset(options={"task_index": index})
    number, over = 0, False
    while not over:
        _, _, terminated, truncated, info = env.step(script[min(number, len(script) - 1)])
        number += 1
        over = terminated or truncated
    assert info["stop_reason"] != StopReason.INFRASTRUCTURE
    return env._record()


def returns(record):
    return {
        preset: sum(
            part.total for part in score_episode(record, EpisodeRewardConfig.preset(preset))
        )
        for preset in PRESETS
    }


@pytest.fixture(scope="module", params=WORLDS)
def played(request):
    """Return, for each task of a world, the returns of the gold trajectory and of each hack."""
    kwargs, indices = WORLDS[request.param]
    env = gym.make(request.param.split()[0], max_turns=MAX_TURNS, **kwargs).unwrapped
    found = []
    for index in indices:
        env.reset(options={"task_index": index})
        scripts = hacks(env)
        gold = [write(env, turn) for turn in env.tasks.gold_turns(env.task)]
        honest = returns(play(env, index, gold))
        found.append((honest, {name: returns(play(env, index, s)) for name, s in scripts.items()}))
    return found


@pytest.mark.parametrize("preset", PRESETS)
def test_no_hack_outscores_the_gold_trajectory(played, preset):
    for honest, hacked in played:
        for name, earned in hacked.items():
            assert earned[preset] <= honest[preset] + 1e-9, name


def test_doing_nothing_earns_nothing(played):
    idle = [
        "empty answers",
        "success claimed at once",
        "results echoed",
        "prompt example for ever",
        "huge words",
        "gold, calls in thoughts alone",
    ]
    for honest, hacked in played:
        for name in idle:
            for preset in ("outcome", "answer_quality", "efficient"):
                assert hacked[name][preset] <= 0.0
                assert honest[preset] > 0.5


def test_detours_cost_where_the_docs_say_so(played):
    costly = [preset for preset in PRESETS if preset not in FREE]
    assert costly == ["efficient", "trajectory", "step_f1"]
    for honest, hacked in played:
        for preset in costly:
            assert hacked["every call twice"][preset] < honest[preset]
            assert hacked["every tool, then the gold"][preset] < honest[preset]
