from __future__ import annotations

from dataclasses import replace

import pytest

from tests.rewards.episode_support import HONEST, Raw, Turn, look, play, switch
from toolrl_env.core.episode import EpisodeRecord, TurnRecord
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import StopReason
from toolrl_env.rewards.episode import Share, answer_quality, outcome
from toolrl_env.rewards.episode.result import response_span

HALF: list[Turn] = [[switch("hall")], "Done."]


@pytest.mark.parametrize(
    ("script", "score", "reason"),
    [
        (HONEST, 1.0, ""),
        (HALF, 0.0, "1 of 2 goal predicates hold"),
        (["Both lamps are on."], 0.0, "0 of 2 goal predicates hold"),
        ([[switch("attic")], [switch("hall")], "Yes."], 1.0, ""),
        ([*HONEST[:2], [switch("hall", on=False)], "Done."], 0.0, "1 of 2 goal predicates hold"),
        (HONEST[:2], 0.0, "the episode goes on"),
        ([*HONEST[:2], *[[look("hall")]] * 10], 0.0, "the episode was not finished: turn_limit"),
    ],
)
def test_success(script: list[Turn], score: float, reason: str) -> None:
    term = outcome(play(script)).term
    assert (term.score, term.reason, term.low, term.high) == (score, reason, 0.0, 1.0)


@pytest.mark.parametrize("reason", list(StopReason))
def test_only_a_finished_episode_succeeds(reason: StopReason) -> None:
    record = replace(play(HONEST), stop_reason=reason)
    finished = {StopReason.ANSWERED, StopReason.GOAL_REACHED, StopReason.GAVE_UP}
    assert outcome(record).term.score == float(reason in finished)


@pytest.mark.parametrize(("judged", "score"), [(1.0, 1.0), (0.99, 0.0), (0.0, 0.0)])
@pytest.mark.parametrize("script", [HONEST, HALF])
def test_the_source_has_the_last_word(script: list[Turn], judged: float, score: float) -> None:
    record = play(script, judge=lambda _: judged)
    assert outcome(record).term.score == score
    assert answer_quality(record).term.score == judged


def test_credit_goes_to_the_writing_calls() -> None:
    script: list[Turn] = [[switch("hall"), look("hall")], "Half.", [switch("attic")], "Done."]
    record = play([script[0], script[2], script[3]])
    assert outcome(record).shares == (Share(0, 0, 0.5), Share(1, 0, 0.5))


def test_a_judged_end_credits_the_calls_that_made_the_progress_too() -> None:
    record = play(HONEST, judge=lambda _: 1.0)
    shares = outcome(record).shares
    assert shares == outcome(play(HONEST)).shares
    assert all(share.call is not None for share in shares)
    assert sum(share.amount for share in shares) == 1.0


def test_where_there_is_no_predicate_a_judged_end_credits_the_response() -> None:
    said = play(HONEST).turns[2].action
    record = EpisodeRecord((TurnRecord(said),), stop_reason=StopReason.ANSWERED, outcome=1.0)
    (share,) = outcome(record).shares
    assert (share.turn, share.call, share.amount) == (0, None, 1.0)
    assert share.span == response_span(said)


def test_what_was_undone_and_redone_counts_once() -> None:
    script: list[Turn] = [
        [switch("hall"), switch("attic")],
        [switch("hall", on=False)],
        [switch("hall")],
        "Done.",
    ]
    shares = outcome(play(script)).shares
    amounts = [(share.turn, share.call, share.amount) for share in shares]
    assert amounts == [(0, 0, 0.5), (0, 1, 0.5), (1, 0, -0.5), (2, 0, 0.5)]


def test_nothing_to_do_credits_the_last_turn() -> None:
    record = play(["Both are on already."], on=("hall", "attic"))
    assert outcome(record).shares == (Share(0, None, 1.0),)


def test_a_judged_answer_credits_the_response() -> None:
    record = play(HONEST, judge=lambda _: 0.25)
    (share,) = answer_quality(record).shares
    start, end = share.span or (0, 0)
    assert record.turns[2].action.text[start:end] == "Both lamps are on."
    assert (share.turn, share.call, share.amount) == (2, None, 0.25)


def test_a_worthless_answer_has_no_credit() -> None:
    assert answer_quality(play(HONEST, judge=lambda _: 0.0)).shares == ()


def test_without_a_response_the_span_is_the_text() -> None:
    action = play([Raw("just words")]).turns[0].action
    assert response_span(replace(action, response=None)) == (0, 10)


def test_answer_quality_waits_for_the_end() -> None:
    assert answer_quality(play(HONEST[:1])).term.reason == "the episode goes on"


@pytest.mark.parametrize("term", [outcome, answer_quality])
def test_a_source_that_cannot_be_judged_is_no_silent_zero(term: object) -> None:
    bare = TurnRecord(play(HONEST).turns[-1].action)
    record = EpisodeRecord((bare,), stop_reason=StopReason.ANSWERED)
    with pytest.raises(ConfigurationError, match="judge"):
        term(record)  # type: ignore[operator]
