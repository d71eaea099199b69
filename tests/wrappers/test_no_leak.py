"""Candidates, their order, masks and features carry no trace of which candidate is gold."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

from tests.wrappers.numeric_support import toolbox
from toolrl_env.core.types import GroundTruth
from toolrl_env.data import SampleDataWarning, TaskSet, load_tasks
from toolrl_env.data.procedural import ToolboxSource
from toolrl_env.envs.single_turn import SingleTurnEnv
from toolrl_env.wrappers import CandidateActions, ComposedActions
from toolrl_env.wrappers.numeric.candidate_actions import view_candidates
from toolrl_env.wrappers.numeric.candidate_features import FEATURES
from toolrl_env.wrappers.numeric.composed_actions import view_composed
from toolrl_env.wrappers.numeric.encoding import HashedNgrams

pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")

WRAPPERS = [CandidateActions, ComposedActions]
ENVIRONMENTS = [
    ("ToolRL-Toolbox-v0", {"difficulty": 3}),
    ("ToolRL-Toolbox-v0", {"difficulty": 5, "protocol": "native"}),
    ("ToolRL-ToolACE-v0", {"mode": "multi_turn"}),
    ("ToolRL-Workspace-v0", {"difficulty": 3}),
]
OTHER_GOLD = GroundTruth("<think> t </think>\n<response> r </response>", False, True)


def tasks_of(name):
    source = ToolboxSource() if name == "toolbox" else load_tasks(name).tasks
    return tuple(source[index] for index in range(20))


def with_other_gold(tasks, shift):
    """The same tasks with what is not visible exchanged: gold, id, category, notes."""
    golds = [task.gold for task in tasks]
    moved = [*golds[shift:], *golds[:shift]] if shift else [OTHER_GOLD] * len(golds)
    return tuple(
        replace(task, gold=gold, id=f"other-{n}", category="other", difficulty=5, metadata={})
        for n, (task, gold) in enumerate(zip(tasks, moved, strict=True))
    )


@pytest.mark.parametrize("shift", [0, 1, 7])
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_another_gold_answer_changes_nothing(wrapper, shift):
    for name in ("xlam", "toolace", "api_bank", "toolbox"):
        tasks = tasks_of(name)
        one = wrapper(SingleTurnEnv(TaskSet(name, "train", tasks)))
        two = wrapper(SingleTurnEnv(TaskSet(name, "train", with_other_gold(tasks, shift))))
        changed = 0
        for index in range(len(tasks)):
            first, info = one.reset(options={"task_index": index})
            second, other = two.reset(options={"task_index": index})
            changed += one.unwrapped.task.gold != two.unwrapped.task.gold
            np.testing.assert_array_equal(first, second)
            np.testing.assert_array_equal(info["action_mask"], other["action_mask"])
            np.testing.assert_array_equal(one.action_masks(), two.action_masks())
            if wrapper is CandidateActions:
                assert one.candidates == two.candidates
        assert changed > 10


@pytest.mark.parametrize(("env_id", "kwargs"), ENVIRONMENTS)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_every_state_is_a_function_of_messages_and_tools(wrapper, env_id, kwargs):
    env = wrapper(gym.make(env_id, **kwargs))
    view = view_candidates if wrapper is CandidateActions else view_composed
    for seed in range(3):
        observation, info = env.reset(seed=seed)
        over = False
        while not over:
            shown = {key: info[key] for key in ("messages", "tools")}
            again = view(shown, env.layout, HashedNgrams())
            np.testing.assert_array_equal(again.observation, observation)
            np.testing.assert_array_equal(again.mask, info["action_mask"])
            observation, _, terminated, truncated, info = env.play(env.unwrapped.gold_answer())
            over = terminated or truncated


def gold_places(env, seeds):
    """Where the gold call stands among the calls, and how many there are."""
    places = []
    for seed in seeds:
        env.reset(seed=seed)
        (gold,) = env.unwrapped.task.gold.values
        calls = [(call.name, dict(call.arguments)) for call in env.candidates[1:]]
        right = (gold["name"], gold["parameters"])
        if len(calls) >= 5 and right in calls:
            places.append((calls.index(right), len(calls)))
    return places


def test_the_place_of_the_gold_call_is_uniform():
    """Chi-square over five bins of the relative place; 18.5 is the 0.999 quantile of 4 degrees."""
    places = gold_places(CandidateActions(toolbox()), range(600))
    assert len(places) > 400
    bins = [int(5 * (place + 0.5) / count) for place, count in places]
    seen = np.bincount(bins, minlength=5)
    expected = np.zeros(5)
    for _, count in places:
        even = [int(5 * (place + 0.5) / count) for place in range(count)]
        expected += np.bincount(even, minlength=5) / count
    assert ((seen - expected) ** 2 / expected).sum() < 18.5, (seen, expected)


def test_the_test_of_places_would_see_a_sorted_order(monkeypatch):
    """With the shuffle gone, good candidates come first and the same statistic is far off."""
    from toolrl_env.wrappers.numeric import proposals

    class Still:
        def __init__(self, seed):
            pass

        def shuffle(self, items):
            pass

    monkeypatch.setattr(proposals, "Random", Still)
    places = gold_places(CandidateActions(toolbox()), range(120))
    assert np.mean([place / count for place, count in places]) < 0.25


def test_a_row_describes_its_candidate_whatever_its_place(monkeypatch):
    from toolrl_env.wrappers.numeric import proposals

    env = CandidateActions(toolbox())

    def rows():
        observation, _ = env.reset(seed=4)
        table = observation[: env.layout.places * env.layout.row].reshape(env.layout.places, -1)
        return {
            repr(call): row.tobytes() for call, row in zip(env.candidates, table, strict=False)
        }, list(map(repr, env.candidates))

    first, order = rows()
    original = proposals.Random
    monkeypatch.setattr(proposals, "Random", lambda seed: original(seed + 1))
    second, other_order = rows()
    assert order != other_order
    assert first == second


def test_thoughts_and_answers_of_the_assistant_change_nothing():
    """Of a dialogue's earlier turns only the names of called tools are read."""
    env = CandidateActions(gym.make("ToolRL-Toolbox-v0", difficulty=4))
    changed = 0
    for seed in range(20):
        observation, info = env.reset(seed=seed)
        tags = r"(<(think|response)>).*?(</\2>)"
        messages = [
            message | {"content": re.sub(tags, r"\1 1234 Zürich \3", message["content"])}
            for message in info["messages"]
        ]
        changed += messages[1:] != info["messages"][1:]
        again = view_candidates(info | {"messages": messages}, env.layout, HashedNgrams())
        np.testing.assert_array_equal(again.observation, observation)
        assert again.calls == env.candidates
    assert changed > 5


def test_the_features_have_names_and_none_is_of_gold():
    assert len(set(FEATURES)) == len(FEATURES)
    assert not any("gold" in name or "reward" in name for name in FEATURES)


def test_the_sample_warning_is_the_only_one():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", SampleDataWarning)
        CandidateActions(gym.make("ToolRL-XLAM-v0")).reset(seed=0)
