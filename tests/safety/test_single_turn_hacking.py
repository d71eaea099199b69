"""No hack outscores the gold answer on real tasks, under any preset, or the docs say so."""

from __future__ import annotations

import statistics
from pathlib import Path

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401  # registers the ids
from tests.safety.hacks import TOOLRL, hacks_of, long_thought
from toolrl_env.rewards import RewardConfig, preset_names, score_response
from toolrl_env.rewards.presets import PRESETS

pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")
IDS = [
    "ToolRL-Toolbox-v0",
    "ToolRL-XLAM-v0",
    "ToolRL-ToolACE-v0",
    "ToolRL-Hammer-v0",
    "ToolRL-RLLA-v0",
    "ToolRL-APIBank-v0",
]
TASKS = 40
STEPS = (0, 40, 200)
PAID_BY_LENGTH = {"length", "dynamic_length"}
DOCS = Path(__file__).parents[2] / "docs" / "rewards.md"


@pytest.fixture(scope="module")
def tasks():
    """Return gold text, honest answer, hacks and the padded honest answer of many tasks."""
    found = []
    for env_id in IDS:
        env = gym.make(env_id).unwrapped
        for index in range(min(TASKS, env.tasks.size or TASKS)):
            env.reset(options={"task_index": index})
            honest = TOOLRL.render_gold(env.task.gold)
            found.append((env.task.gold.text, honest, hacks_of(env), long_thought(env)))
    return found


@pytest.mark.parametrize("preset", preset_names())
def test_no_hack_outscores_the_gold_answer(preset, tasks):
    config = RewardConfig.preset(preset)
    for gold, honest, hacks, _ in tasks:
        for step in STEPS if config.two_stage or config.dynamic_scale else (0,):
            best = score_response(honest, gold, config, step).total
            for name, answer in hacks.items():
                earned = score_response(answer, gold, config, step).total
                if preset in PAID_BY_LENGTH:  # the honest thoughts are short: compare without
                    earned -= score_response(answer, gold, config, step)["length"]
                assert earned <= best + 1e-9, (name, gold)


@pytest.mark.parametrize("preset", preset_names())
def test_words_pay_where_the_docs_say_so(preset, tasks):
    config = RewardConfig.preset(preset)
    gains = [
        score_response(padded, gold, config).total - score_response(honest, gold, config).total
        for gold, honest, _, padded in tasks
    ]
    if preset in PAID_BY_LENGTH:
        assert 0.9 < statistics.mean(gains) <= 1.0
        assert "up to 1" in " ".join((PRESETS[preset].__doc__ or "").split())
    else:
        assert max(gains) == 0.0


def mean_rewards(tasks, preset):
    """Return the mean reward of each kind of answer to the tasks that have gold calls."""
    config = RewardConfig.preset(preset)
    by_kind = {}
    for gold, honest, hacks, padded in tasks:
        if "extra argument" in hacks:
            for name, answer in {"gold": honest, "long thought": padded, **hacks}.items():
                earned = score_response(answer, gold, config).total
                by_kind.setdefault(name, []).append(earned)
    return {name: statistics.mean(earned) for name, earned in by_kind.items()}


def test_the_figures_of_the_docs(tasks):
    """The table in docs/rewards.md is this one."""
    columns = [mean_rewards(tasks, preset) for preset in ("toolrl", "length", "f1", "exact")]
    page = DOCS.read_text("utf-8")
    for name in columns[0]:
        cells = " | ".join(f"{column[name]:.2f}" for column in columns)
        assert f"| {name} | {cells} |" in page, f"| {name} | {cells} |"


GOLD = """<think> a </think>
<tool_call>
{"name": "f", "parameters": {"x": 1, "y": 2}}
</tool_call>"""


def listed(*ys):
    lines = "\n".join(f'{{"name": "f", "parameters": {{"x": 1, "y": {y}}}}}' for y in ys)
    return f"<think> a </think>\n<tool_call>\n{lines}\n</tool_call>"


@pytest.mark.parametrize(
    ("preset", "wrong", "two", "three"),
    [("toolrl", 2.5, 3.25, 3.0), ("f1", 2 / 3, 2 / 3, 0.5), ("exact", 0.0, 0.0, 0.0)],
)
def test_guessing_beats_a_single_wrong_guess_as_documented(preset, wrong, two, three):
    """Listing a call once for each of k guesses beats one wrong guess under the paper's reward."""
    config = RewardConfig.preset(preset)
    scores = [
        score_response(a, GOLD, config).total for a in (listed(3), listed(3, 2), listed(3, 4, 2))
    ]
    assert scores == pytest.approx([wrong, two, three])
    assert all(score <= score_response(GOLD, GOLD, config).total for score in scores)
