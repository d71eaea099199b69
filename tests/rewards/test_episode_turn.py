from __future__ import annotations

from dataclasses import replace

import pytest

from tests.rewards.episode_support import HONEST, Raw, Turn, look, play, switch
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import TermScore
from toolrl_env.rewards import RewardConfig, score_response
from toolrl_env.rewards.episode import (
    MASKED,
    EpisodeRewardConfig,
    score_credits,
    score_episode,
    score_turn,
)
from toolrl_env.rewards.terms import validation

TURNS = EpisodeRewardConfig(turn=RewardConfig(), outcome=0.0)
RAW = Raw(play(HONEST).turns[0].action.text)
WRONG: list[Turn] = [[look("attic")], [switch("attic"), switch("hall", on=False)], "No."]


@pytest.mark.parametrize("script", [HONEST, WRONG, ["Done."], [HONEST[1], HONEST[0], HONEST[2]]])
@pytest.mark.parametrize("name", ["toolrl", "length", "coarse", "f1", "strict_types"])
def test_every_turn_is_scored_as_a_single_turn(script: list[Turn], name: str) -> None:
    single = RewardConfig.preset(name)
    record = play(script)
    for turn, got in zip(
        record.turns,
        score_episode(record, EpisodeRewardConfig(turn=single, outcome=0.0), 3),
        strict=True,
    ):
        assert turn.gold is not None
        alone = score_response(turn.action.text, turn.gold.text, single, 3)
        assert got.as_dict() == pytest.approx(alone.as_dict())
        assert got.matches == alone.matches
        assert got.losses == alone.losses


def test_the_gold_dialogue_earns_the_maximum() -> None:
    assert [each.total for each in score_episode(play(HONEST), TURNS)] == [4.0, 4.0, 1.0]


def test_the_weight_is_a_factor_of_all_terms() -> None:
    config = replace(TURNS, turn_weight=0.5)
    assert score_turn(play(HONEST[:1]), config).total == 2.0


def test_turns_beyond_gold_earn_nothing_and_say_so() -> None:
    record = play([[look("hall")], [switch("hall")], [look("hall")], [look("hall")]])
    scored = score_turn(record, replace(TURNS, turn=RewardConfig(length=True)))
    assert scored.as_dict() == {"total": 0.0, "format": 0.0, "correctness": 0.0, "length": 0.0}
    assert {term.reason for term in scored.terms} == {
        "the dialogue has no gold answer for this turn"
    }
    assert score_credits(record, TURNS) == ()


def test_a_turn_in_which_we_failed_is_masked_under_terms_that_ask_for_results_too() -> None:
    record = play(HONEST[:1])
    broken = replace(record.turns[0], results=(), writes=(), masked=True)
    strict = replace(RewardConfig(), extra_terms=(validation,))
    scored = score_turn(replace(record, turns=(broken,)), replace(TURNS, turn=strict))
    assert set(scored.as_dict()) == {"total", "format", "correctness"}
    assert {term.reason for term in scored.terms} == {MASKED}
    unchecked = replace(record, turns=(replace(broken, masked=False),))
    with pytest.raises(ConfigurationError, match="one result per call"):
        score_turn(unchecked, replace(TURNS, turn=strict))


def test_a_source_without_gold_answers_is_no_silent_zero() -> None:
    with pytest.raises(ConfigurationError, match="needs a gold answer for each turn"):
        score_turn(play(HONEST, gold=()), TURNS)


def test_matched_calls_have_their_points() -> None:
    record = play([[look("hall")], [switch("attic", on=False), switch("hall")]])
    credits_of = {c.call: c.amount for c in score_credits(record, TURNS) if c.term == "correctness"}
    assert score_turn(record, TURNS).matches[1].score == 2.0  # its keys and one of two values
    assert credits_of[1] == pytest.approx(6 * 3 / 7)
    assert credits_of[0] == pytest.approx(6 * 2 / 7)
    assert credits_of[None] == pytest.approx(6 * 1 / 7 - 3)


def test_an_undecodable_turn_is_its_own_fault() -> None:
    record = play([replace(RAW, text=RAW.text.replace("}}", "}"))])
    parts = [c for c in score_credits(record, TURNS) if c.term == "correctness"]
    assert [(c.turn, c.call, c.amount) for c in parts] == [(0, None, -3.0)]


def test_other_terms_have_other_names() -> None:
    def trajectory(_: object) -> TermScore:
        return TermScore("trajectory", 0.0, 0.0, 1.0)

    clash = EpisodeRewardConfig(turn=RewardConfig(extra_terms=(trajectory,)), trajectory=1.0)
    with pytest.raises(ConfigurationError, match="two reward terms have one name"):
        score_turn(play(HONEST), clash)
