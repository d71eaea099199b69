from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rewards.episode_support import HONEST, Raw, Turn, look, play, switch
from toolrl_env.core.episode import EpisodeRecord, TurnRecord
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import StopReason, ToolCall
from toolrl_env.rewards.episode import Share, shaping, state_execution
from toolrl_env.rewards.episode.progress import potential

BAD = ToolCall("light", {"room": "hall"})
LIT: list[Turn] = [[switch("hall"), switch("attic")]]


@pytest.mark.parametrize(
    ("progress", "share"),
    [((True,), 1.0), ((False,), 0.0), ((True, False, False, False), 0.25)],
)
def test_the_potential_is_the_share(progress: tuple[bool, ...], share: float) -> None:
    assert potential(progress) == share


@pytest.mark.parametrize("term", [shaping, state_execution])
def test_without_a_goal_there_is_no_progress(term: object) -> None:
    record = EpisodeRecord((TurnRecord(play(HONEST).turns[0].action),))
    with pytest.raises(ConfigurationError, match="goal predicates"):
        term(record)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("script", "on", "score"),
    [
        (HONEST, (), 1.0),
        (["Done."], (), 0.0),
        ([[switch("hall")], "Done."], (), 0.5),
        ([[switch("hall")], "Done."], ("attic",), 1.0),
        ([[switch("attic", on=False)], "Done."], ("attic",), 0.0),
        (["Done."], ("hall", "attic"), 1.0),
        ([[switch("attic", on=False)], "Done."], ("hall", "attic"), 0.0),
        ([[BAD], *LIT, "Done."], (), 2 / 3),
        ([[BAD, BAD], "Done."], (), 0.0),
        ([[BAD], *LIT], (), 0.0),
        ([*LIT, [switch("cellar")], "Done."], (), 2 / 3),
        ([*LIT, [switch("cellar")], [switch("cellar")], "Done."], (), 1.0),
        ([[switch("hall"), BAD], "Done."], (), 0.25),
    ],
)
def test_state_times_execution(script: list[Turn], on: tuple[str, ...], score: float) -> None:
    term = state_execution(play(script, on=on)).term
    assert term.score == pytest.approx(score)
    assert (term.low, term.high) == (0.0, 1.0)


def test_dilution_is_as_the_documentation_says() -> None:
    once: list[Turn] = [[switch("hall"), BAD], "Done."]
    reads: Turn = [look(f"room {i}") for i in range(8)]
    whole = state_execution(play(once, on=("attic",))).term.score
    assert whole == 0.5
    assert state_execution(play([once[0], reads, once[1]], on=("attic",))).term.score == 0.9


def test_undoing_and_redoing_earns_nothing() -> None:
    farm: list[Turn] = [[switch("hall")], [switch("hall", on=False), BAD]] * 4
    assert state_execution(play([*farm, *LIT, "Done."])).term.score < 1.0


def test_state_credit_goes_to_the_writers() -> None:
    record = play([[look("hall"), switch("hall")], [BAD], [switch("attic")], "Done."])
    assert state_execution(record).shares == (Share(0, 1, 0.375), Share(2, 0, 0.375))


def test_masked_progress_and_masked_failures_are_left_out() -> None:
    script: list[Turn] = [[switch("hall"), BAD], [switch("attic")], "Done."]
    assert state_execution(play(script, masked=(0,))).term.score == 0.5
    assert state_execution(play(script, masked=(1,))).term.score == 0.25


@pytest.mark.parametrize(
    ("before", "after", "ended", "gamma", "score"),
    [
        ((False, False), (True, False), False, 1.0, 0.5),
        ((True, False), (True, False), False, 1.0, 0.0),
        ((True, False), (True, False), False, 0.9, -0.05),
        ((True, True), (False, False), False, 1.0, -1.0),
        ((True, False), (True, True), True, 1.0, -0.5),
        ((True, True), (True, True), True, 0.9, -1.0),
        ((False, False), (True, True), True, 0.9, 0.0),
        ((False, False), (True, True), False, 0.0, 0.0),
    ],
)
def test_shaping(
    before: tuple[bool, ...], after: tuple[bool, ...], ended: bool, gamma: float, score: float
) -> None:
    action = play(["Hm."]).turns[0].action
    turn = TurnRecord(action, progress_before=before, progress_after=after)
    stop = StopReason.TURN_LIMIT if ended else None
    term = shaping(EpisodeRecord((turn,), stop_reason=stop), gamma).term
    assert term.score == pytest.approx(score)
    assert term.low == -1.0 <= term.score <= term.high == gamma


def test_shaping_credits_the_writers_and_takes_back_from_the_turn() -> None:
    records = list(play([[switch("hall"), look("hall")], "Done."]).prefixes())
    assert shaping(records[0]).shares == (Share(0, 0, 0.5),)
    assert shaping(records[1]).shares == (Share(1, None, -0.5),)


def test_progress_without_a_write_credits_the_turn() -> None:
    turn = play([Raw("<think> a </think>")]).turns[0]
    turn = replace(turn, progress_before=(False,), progress_after=(True,))
    assert shaping(EpisodeRecord((turn,))).shares == (Share(0, None, 1.0),)


@settings(deadline=None)
@given(
    states=st.lists(st.tuples(*[st.booleans()] * 3), min_size=2, max_size=9),
    gamma=st.floats(0.0, 1.0),
    stop=st.sampled_from([StopReason.ANSWERED, StopReason.TURN_LIMIT, StopReason.MALFORMED]),
)
def test_the_shaped_return_telescopes(
    states: list[tuple[bool, ...]], gamma: float, stop: StopReason
) -> None:
    action = play(["Hm."]).turns[0].action
    turns = tuple(
        TurnRecord(action, progress_before=before, progress_after=after)
        for before, after in itertools.pairwise(states)
    )
    record = EpisodeRecord(turns, stop_reason=stop)
    total = sum(
        gamma**t * shaping(prefix, gamma).term.score for t, prefix in enumerate(record.prefixes())
    )
    assert total == pytest.approx(-potential(states[0]), abs=1e-12)
