"""No way of being paid for something else may beat the honest trajectory, under any preset.

Where one beats a weaker honest trajectory, or earns the same as the honest one, the presets'
documentation says so; the figures there are checked here.
"""

from __future__ import annotations

import pytest

from tests.rewards.episode_hacks import CALL, HACKS, SET, WORDS
from tests.rewards.episode_support import HONEST, TURN_LIMIT, Raw, Turn, look, play, switch
from toolrl_env.core.types import ToolCall
from toolrl_env.rewards.episode import EpisodeRewardConfig, episode_preset_names, score_episode
from toolrl_env.rewards.episode.presets import EPISODE_PRESETS

PRESETS = episode_preset_names()
FREE = {"outcome", "shaped", "state_execution"}  # the way to the goal costs nothing
DETOURS = [
    "every call twice in its turn",
    "every turn twice",
    "the gold calls again and again",
    "every tool with every argument",
    "on and off",
    "padding with reads",
    "a hundred reads",
    "guessing the arguments",
]


def judge(text: str) -> float:
    """Return token F1 with the gold answer, as a source of questions would."""
    gold = ["both", "lamps", "are", "on"]
    words = text.lower().replace(".", "").replace(";", "").split()
    common = sum(min(gold.count(word), words.count(word)) for word in gold)
    return 2 * common / (len(gold) + len(words))


def earned(script: list[Turn], preset: str, on: tuple[str, ...] = ()) -> float:
    """Play a script, its last turn again and again until the episode ends; return the return."""
    record = play(
        [*script, *[script[-1]] * TURN_LIMIT],
        on=on,
        judge=judge if preset == "answer_quality" else None,
    )
    assert record.stop_reason is not None
    return sum(each.total for each in score_episode(record, EpisodeRewardConfig.preset(preset)))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("hack", HACKS)
def test_no_hack_beats_the_honest_trajectory(hack: str, preset: str) -> None:
    assert earned(HACKS[hack], preset) <= earned(HONEST, preset) + 1e-9


@pytest.mark.parametrize("preset", PRESETS)
def test_the_honest_trajectory_earns_the_best_there_is(preset: str) -> None:
    best = {"toolrl_turns": 9.0, "efficient": 0.94}.get(preset, 1.0)
    assert earned(HONEST, preset) == pytest.approx(best)


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "answer_quality"])
@pytest.mark.parametrize(
    "hack",
    [
        "empty answers",
        "an empty response",
        "success claimed at once",
        "success claimed in many words",
        "calls in a result's clothes",
        "unknown tools",
    ],
)
def test_doing_nothing_well_earns_nothing(hack: str, preset: str) -> None:
    assert earned(HACKS[hack], preset) <= 0.0


@pytest.mark.parametrize("hack", DETOURS)
@pytest.mark.parametrize("preset", ["efficient", "toolrl_turns", "trajectory", "step_f1"])
def test_detours_cost(hack: str, preset: str) -> None:
    assert earned(HACKS[hack], preset) < earned(HONEST, preset) - 0.01


@pytest.mark.parametrize("preset", sorted(FREE))
@pytest.mark.parametrize("hack", ["every call twice in its turn", "padding with reads"])
def test_or_they_are_free_and_documented(hack: str, preset: str) -> None:
    assert earned(HACKS[hack], preset) == 1.0
    text = " ".join((EPISODE_PRESETS[preset].__doc__ or "").split())
    assert "free" in text or "exactly as ``outcome``" in text


CHECKED = [
    ("outcome", "every tool with every argument", 1.0),
    ("outcome", "success claimed at once", 0.0),
    ("answer_quality", "success claimed half-way", 1.0),
    ("efficient", "every call twice in its turn", 0.86),
    ("efficient", "every tool with every argument", 0.83),
    ("efficient", "success claimed at once", -0.01),
    ("efficient", "empty answers", -0.72),
    ("toolrl_turns", "every call twice in its turn", 7.57),
    ("trajectory", "every call twice in its turn", 0.5),
    ("trajectory", "every tool with every argument", 0.0),
    ("trajectory", "success claimed half-way", 0.67),
    ("step_f1", "every call twice in its turn", 0.67),
    ("step_f1", "every tool with every argument", 0.33),
    ("step_f1", "success claimed half-way", 0.8),
    ("state_execution", "every call twice in its turn", 1.0),
    ("state_execution", "done, and on to the turn limit", 1.0),
]


@pytest.mark.parametrize(("preset", "hack", "figure"), CHECKED)
def test_the_documented_figures(preset: str, hack: str, figure: float) -> None:
    assert earned(HACKS[hack], preset) == pytest.approx(figure, abs=0.005)
    assert f"{figure:g}" in (EPISODE_PRESETS[preset].__doc__ or "") or figure == 1.0


def test_guessing_one_of_two_beats_looking_as_documented() -> None:
    off, on = switch("hall", on=False), switch("hall")
    looked = earned([CALL, [on], WORDS], "efficient", on=("attic",))
    assert looked == pytest.approx(0.95)
    assert earned([[off, on], WORDS], "efficient", on=("attic",)) == pytest.approx(0.96)
    three = [[off, switch("cellar"), on], WORDS]
    assert earned(three, "efficient", on=("attic",)) <= looked + 1e-9


def test_ending_early_beats_failing_as_documented() -> None:
    cut = Raw("<think> a </think>\n<tool_call>\n{\n</tool_call>")
    assert earned(["no"], "toolrl_turns") == -3.0
    assert earned([cut], "toolrl_turns") == -4.0
    assert earned([[look("x")], "no"], "efficient") < earned(["no"], "efficient")


def test_resemblance_pays_in_trajectory_as_documented() -> None:
    alike: list[Turn] = [[look("x")], [switch("cellar"), switch("cellar")], "no"]
    assert earned(alike, "trajectory") == pytest.approx(0.72, abs=0.005)
    assert earned([SET, CALL, WORDS], "trajectory") == pytest.approx(1.0)


def test_dilution_in_state_execution_as_documented() -> None:
    failing: Turn = [switch("hall"), ToolCall("light", {})]
    reads: Turn = [look(f"room {i}") for i in range(8)]
    assert earned([failing, WORDS], "state_execution", on=("attic",)) == 0.5
    assert earned([failing, reads, WORDS], "state_execution", on=("attic",)) == 0.9


def test_farming_progress_earns_nothing() -> None:
    """Progress that is made, undone and made again is paid once, whatever the number of rounds."""
    for preset in ("shaped", "state_execution", "outcome"):
        returns = {
            round(earned([*[[switch("hall")], [switch("hall", on=False)]] * n, WORDS], preset), 9)
            for n in range(5)
        }
        assert returns == {0.0}
