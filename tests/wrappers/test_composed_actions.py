"""ComposedActions: a tool, and a source for each parameter."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from tests.wrappers.numeric_support import info_of, tool, toolbox
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ToolCall
from toolrl_env.wrappers import ComposedActions
from toolrl_env.wrappers.numeric.composed_actions import ComposedLayout, view_composed
from toolrl_env.wrappers.numeric.encoding import HashedNgrams

pytestmark = pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")
LAYOUT = ComposedLayout(tools=3, slots=2, sources=6, context=64)
CONVERT = tool(
    "convert",
    "Convert a length.",
    value={"type": "number"},
    unit={"type": "string", "enum": ["miles", "feet"]},
)
ALARM = tool("alarm", "Set an alarm.", ["at"], at={"type": "string"}, loud={"type": "boolean"})


def view(text, *tools, layout=LAYOUT):
    return view_composed(info_of(text, *tools), layout, HashedNgrams())


def number_of(shown, name):
    return [offered.name for offered in shown.tools].index(name) + 1


def test_gymnasium_finds_nothing_wrong():
    check_env(ComposedActions(toolbox()), skip_render_check=True)


def test_the_space_is_the_tool_and_a_source_for_each_parameter():
    env = ComposedActions(toolbox(), tools=4, slots=3, sources=10)
    assert env.action_space.nvec.tolist() == [5, 19, 19, 19]
    observation, info = env.reset(seed=0)
    assert observation.shape == (env.layout.size,)
    assert observation in env.observation_space
    assert info["action_mask"].shape == (5 + 3 * 19,)


def test_zero_answers_without_a_tool():
    shown = view("Convert 60", CONVERT)
    assert shown.call([0, 5, 5]) is None


def test_options_of_the_schema_come_first_in_their_order_then_values_as_they_were_said():
    shown = view("60 and then 7 to feet", CONVERT)
    number = number_of(shown, "convert")
    assert shown.call([number, 9, 1]) == ToolCall("convert", {"value": 60, "unit": "miles"})
    assert shown.call([number, 9, 2]) == ToolCall("convert", {"value": 60, "unit": "feet"})
    values = [filler.value for filler in shown.values[number - 1][0] if filler is not None]
    assert values == [60, 7]


def test_booleans_are_true_then_false_whatever_was_said():
    for text in ("Wake me at 06:00", "Wake me at 06:00, not loud"):
        shown = view(text, ALARM)
        number = number_of(shown, "alarm")
        loud = [shown.call([number, 0, choice]).arguments for choice in (0, 1, 2)]
        assert loud == [{}, {"loud": True}, {"loud": False}]


def test_a_choice_without_a_value_leaves_the_argument_out():
    shown = view("Convert 60", CONVERT)
    assert shown.call([number_of(shown, "convert"), 0, 0]) == ToolCall("convert", {})
    assert shown.call([number_of(shown, "convert"), 8, 8]) == ToolCall("convert", {})


def test_the_mask_says_which_choices_mean_something_for_some_tool():
    shown = view("Convert 60 or wake me at 06:00", CONVERT, ALARM)
    tools, first, second = np.split(shown.mask, [4, 4 + LAYOUT.choices])
    assert tools.tolist() == [True, True, True, False]
    assert first[0]
    assert second[0]
    assert second[1:3].all(), "both options of both tools"
    assert not second[3:9].any()


def test_of_too_many_tools_those_like_the_request_are_kept():
    others = [tool(f"zzz{n}", "Nothing.") for n in range(9)]
    shown = view("Set an alarm at 06:00", *others, ALARM)
    assert len(shown.tools) == 3
    assert "alarm" in [offered.name for offered in shown.tools]


def test_gold_calls_of_easy_tasks_can_mostly_be_composed():
    env = ComposedActions(toolbox())
    composed = 0
    for seed in range(30):
        env.reset(seed=seed)
        (gold,) = env.unwrapped.task.gold.values
        shown = env._view
        number = number_of(shown, gold["name"])
        action = [number] + [0] * env.layout.slots
        for place, slot in enumerate(shown.tools[number - 1].slots):
            for choice, filler in enumerate(shown.values[number - 1][place]):
                if filler is not None and filler.value == gold["parameters"].get(slot.name):
                    action[1 + place] = choice
        _, reward, _, _, _ = env.step(np.array(action))
        composed += reward == 4.0
    assert composed >= 24


def test_a_number_without_a_tool_is_an_answer_and_earns_the_least():
    env = ComposedActions(toolbox())
    env.reset(seed=0)
    action = np.zeros(7, np.int64)
    action[0] = 12
    _, reward, terminated, _, info = env.step(action)
    assert (reward, terminated, info["answer"]) == (-3.0, True, "")


def test_every_action_at_random_is_an_answer():
    env = ComposedActions(toolbox())
    env.action_space.seed(0)
    rewards = []
    for seed in range(40):
        env.reset(seed=seed)
        rewards.append(env.step(env.action_space.sample())[1])
    assert min(rewards) == -3.0
    assert all(-3 <= reward <= 4 for reward in rewards)


@pytest.mark.parametrize("action", [[0], [99] * 7, np.zeros((7, 1)), [-1] * 7])
def test_what_is_no_action_is_refused(action):
    env = ComposedActions(toolbox())
    env.reset(seed=0)
    with pytest.raises(ConfigurationError, match="allowed: MultiDiscrete"):
        env.step(action)


def test_a_step_needs_a_reset():
    with pytest.raises(gym.error.ResetNeeded):
        ComposedActions(toolbox()).step(np.zeros(7, np.int64))


@pytest.mark.parametrize("arguments", [{"tools": 0}, {"slots": 0}, {"sources": 500}])
def test_bad_sizes(arguments):
    with pytest.raises(ConfigurationError, match=next(iter(arguments))):
        ComposedActions(toolbox(), **arguments)


def test_many_turns_and_no_tools_at_all():
    env = ComposedActions(gym.make("ToolRL-Workspace-v0", difficulty=2, max_turns=3))
    env.reset(seed=0)
    for _ in range(3):
        observation, _, terminated, truncated, _ = env.step(np.zeros(7, np.int64))
        if terminated or truncated:
            break
        assert observation.any()
    assert terminated or truncated
    assert view("Hello").mask.tolist() == [True, False, False, False] + 2 * (
        [True] + [False] * (LAYOUT.choices - 1)
    )
