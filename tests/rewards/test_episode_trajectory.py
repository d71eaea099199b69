from __future__ import annotations

import pytest

from tests.rewards.episode_support import HONEST, Raw, Turn, look, play, switch
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ToolCall
from toolrl_env.rewards.episode import Share, step_f1, trajectory

SET = [switch("hall"), switch("attic")]
CUT = Raw('<think> a </think>\n<tool_call>\n{"name": "look", "para\n</tool_call>')


@pytest.mark.parametrize(
    ("script", "matched", "f1"),
    [
        (HONEST, 1.0, 1.0),
        ([[look("hall"), *SET], "Done."], 1.0, 1.0),
        ([SET, [look("hall")], "Done."], 1.0, 1.0),
        (["Done."], 0.0, 0.0),
        ([SET, "Done."], 2 / 3, 2 * 2 / 5),
        ([[look("attic")], SET, "Done."], (2 + 2 / 3) / 3, 2 * 2 / 6),
        ([*HONEST[:1], *HONEST], (3 - 0.5) / 3, 2 * 3 / 7),
        ([[ToolCall("light", {})], *HONEST], (3 - 0.5) / 3, 2 * 3 / 7),
        ([[look(f"{i}") for i in range(30)], "Done."], (2 / 3 - 3) / 3, 0.0),
        ([CUT, *HONEST], (3 - 0.5) / 3, 2 * 3 / 7),
    ],
)
def test_scores(script: list[Turn], matched: float, f1: float) -> None:
    record = play(script)
    for result, score, low in (
        (trajectory(record), matched, -1.0),
        (step_f1(record), f1, 0.0),
    ):
        assert result.term.score == pytest.approx(score)
        assert (result.term.low, result.term.high) == (low, 1.0)
        assert sum(share.amount for share in result.shares) == pytest.approx(score)


@pytest.mark.parametrize(
    ("script", "matched", "f1"),
    [(["No."], 1.0, 1.0), ([[look("hall")], "No."], -0.5, 0.0), ([SET * 3, "No."], -1.0, 0.0)],
)
def test_where_no_call_is_gold(script: list[Turn], matched: float, f1: float) -> None:
    record = play(script, gold=("Nothing can be done.",))
    assert trajectory(record).term.score == pytest.approx(matched)
    assert step_f1(record).term.score == f1


@pytest.mark.parametrize("term", [trajectory, step_f1])
def test_gold_is_needed_from_the_first_turn_on(term: object) -> None:
    with pytest.raises(ConfigurationError, match="needs a gold trajectory"):
        term(play(HONEST[:1], gold=()))  # type: ignore[operator]


@pytest.mark.parametrize("term", [trajectory, step_f1])
def test_it_pays_at_the_end(term: object) -> None:
    result = term(play(HONEST[:2]))  # type: ignore[operator]
    assert (result.term.score, result.shares) == (0.0, ())
    assert result.term.reason == "the episode goes on"


def test_each_call_has_its_own_share() -> None:
    record = play([[look("hall"), look("cellar")], [switch("hall")], [switch("attic")], "Done."])
    assert trajectory(record, unmatched=0.25).shares == (
        Share(0, 0, pytest.approx(1 / 3)),
        Share(0, 1, pytest.approx(-0.25 / 3)),
        Share(1, 0, pytest.approx(1 / 3)),
        Share(2, 0, pytest.approx(1 / 3)),
    )
    assert [share[:2] for share in step_f1(record).shares] == [(0, 0), (1, 0), (2, 0)]


def test_what_others_earn_does_not_change_a_share() -> None:
    alone = trajectory(play([[look("hall")], "Done."])).shares
    among = trajectory(play([[look("hall")], [switch("cellar")] * 1, SET, "Done."])).shares
    assert alone[0] == among[0]


@pytest.mark.parametrize(("unmatched", "score"), [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)])
def test_the_penalty_of_needless_calls(unmatched: float, score: float) -> None:
    record = play([[look("a"), look("b"), look("c")], *HONEST])
    assert trajectory(record, unmatched=unmatched).term.score == pytest.approx(score)


def test_the_penalty_is_bounded() -> None:
    record = play([[ToolCall("light", {"n": i}) for i in range(50)], "Done."])
    result = trajectory(record, unmatched=4.0)
    assert result.term.score == -1.0
    assert {round(share.amount, 12) for share in result.shares} == {-0.02}


def test_a_gold_call_is_solved_once() -> None:
    record = play([SET, SET, "Done."], gold=((switch("hall"), switch("hall")), "Done."))
    assert step_f1(record).term.score == pytest.approx(2 * 2 / (4 + 2))


@pytest.mark.parametrize(("values", "solved"), [("python", 1.0), ("strict", 0.0)])
def test_values_compare_as_told(values: str, solved: float) -> None:
    record = play(
        [[ToolCall("look", {"room": 1})], "Done."], gold=((ToolCall("look", {"room": True}),),)
    )
    assert step_f1(record, values=values).term.score == solved
    assert trajectory(record, values=values).term.score == pytest.approx((1 + 1 + solved) / 3)


def test_masked_turns_are_left_out() -> None:
    script: list[Turn] = [[look("x")], *HONEST]
    assert trajectory(play(script, masked=(0,))).term.score == pytest.approx(1.0)
    assert step_f1(play(script, masked=(0,))).term.score == 1.0
    assert step_f1(play(HONEST, masked=(1,))).term.score == pytest.approx(2 / 4)
