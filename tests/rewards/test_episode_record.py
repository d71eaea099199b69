from __future__ import annotations

import pickle

import pytest

from tests.rewards.episode_support import GOLD, HONEST, TOOLRL, look, play, read, switch
from toolrl_env.core.episode import EpisodeRecord, TurnRecord
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import StopReason, ToolResult

ACTION = read([look("hall"), look("attic")])
FINE = tuple(ToolResult(index, ok=True) for index in range(2))


@pytest.mark.parametrize("results", [(), FINE])
@pytest.mark.parametrize("writes", [(), (False, True)])
def test_one_result_per_call_or_none(
    results: tuple[ToolResult, ...], writes: tuple[bool, ...]
) -> None:
    assert TurnRecord(ACTION, results, writes).results == results


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"results": FINE[:1]}, "a turn of 2 calls has 1 results"),
        ({"writes": (True,) * 3}, "a turn of 2 calls has 3 writes"),
        ({"progress_before": (True,)}, "1 goal predicates before and 0 after"),
    ],
)
def test_contradictory_turns_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        TurnRecord(ACTION, **fields)  # type: ignore[arg-type]


def test_a_masked_turn_may_be_incomplete() -> None:
    assert TurnRecord(ACTION, FINE[:1], masked=True).masked


def test_an_episode_has_turns() -> None:
    with pytest.raises(ConfigurationError, match="at least one turn"):
        EpisodeRecord(())


@pytest.mark.parametrize("outcome", [-0.1, 1.1, float("nan"), float("inf")])
def test_the_outcome_is_a_share(outcome: float) -> None:
    with pytest.raises(ConfigurationError, match="within"):
        EpisodeRecord((TurnRecord(ACTION),), stop_reason=StopReason.ANSWERED, outcome=outcome)


def test_the_outcome_comes_at_the_end() -> None:
    with pytest.raises(ConfigurationError, match="judge it at its end"):
        EpisodeRecord((TurnRecord(ACTION),), outcome=1.0)


@pytest.mark.parametrize("reason", [None, *StopReason])
def test_failures_of_ours_neither_end_nor_count(reason: StopReason | None) -> None:
    record = EpisodeRecord((TurnRecord(ACTION),), stop_reason=reason)
    assert record.ended is (reason not in (None, StopReason.INFRASTRUCTURE))
    assert record.masked is (reason is StopReason.INFRASTRUCTURE)


def test_gold_calls_leave_the_responses_out() -> None:
    assert play(HONEST).gold_calls == (look("hall"), switch("hall"), switch("attic"))


def test_prefixes_know_nothing_of_the_end() -> None:
    record = play(HONEST, judge=lambda _: 0.5)
    first, second, whole = record.prefixes()
    assert (len(first.turns), len(second.turns)) == (1, 2)
    assert first.stop_reason is None
    assert second.outcome is None
    assert second.gold_turns == GOLD
    assert whole is record


def test_records_travel_between_processes() -> None:
    record = play(HONEST)
    assert pickle.loads(pickle.dumps(record)) == record


def test_the_world_of_these_tests_reads_what_it_writes() -> None:
    assert TOOLRL.parse(read(HONEST[0]).text).calls[0].name == "look"
    assert play(HONEST).turns[-1].progress_after == (True, True)
