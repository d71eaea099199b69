from __future__ import annotations

from dataclasses import replace

import pytest

from tests.rewards.episode_support import HONEST, Raw, Turn, look, play, switch
from toolrl_env.core.episode import EpisodeRecord
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ToolCall
from toolrl_env.rewards.episode import Share, calls, invalid, repeats, turns
from toolrl_env.rewards.episode.calls import call_key, count_failures
from toolrl_env.rewards.episode.penalties import MAX_CALLS, MAX_PER_TURN

BAD = ToolCall("light", {"room": "hall"})
OFF = switch("hall", on=False)
CUT = '{"name": "look", "para'


def block(*lines: str) -> Raw:
    return Raw("<think> a </think>\n<tool_call>\n" + "\n".join(lines) + "\n</tool_call>")


def test_every_turn_costs() -> None:
    for prefix in play(HONEST).prefixes():
        assert turns(prefix).shares == (Share(len(prefix.turns) - 1, None, -1.0),)


@pytest.mark.parametrize("number", [0, 1, 3, MAX_CALLS, MAX_CALLS + 5])
def test_every_call_costs_up_to_a_limit(number: int) -> None:
    made: Turn = [look(f"room {i}") for i in range(number)] or "None."
    result = calls(play([made]))
    assert result.term.score == -min(number, MAX_CALLS)
    assert result.term.low == -MAX_CALLS
    assert [share.call for share in result.shares] == list(range(number))
    assert sum(share.amount for share in result.shares) == pytest.approx(result.term.score)


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ([[look("a")]], []),
        ([[look("a"), look("a")]], [1]),
        ([[look("a"), look("b"), look("a"), look("a")]], [2, 3]),
        ([[look("a")], [look("a")]], [0]),
        ([[look("a")], "Yes?", [look("a")]], []),
        ([[look("a")], [switch("hall")], [look("a")]], []),
        ([[look("a")], [switch("hall"), look("a")]], []),
        ([[look("a")], [look("a"), switch("hall")]], [0]),
        ([[switch("hall")], [switch("hall")]], [0]),
        ([[switch("hall")], [look("a")], [switch("hall")]], [0]),
        ([[switch("hall")], [OFF], [switch("hall")]], []),
        ([[switch("cellar")], [switch("cellar")]], []),
        ([[switch("cellar")], [switch("cellar")], [switch("cellar")]], [0]),
        ([[BAD], [BAD]], []),
        ([[look("a")], [BAD], [look("a")]], [0]),
    ],
)
def test_repeated_calls(script: list[Turn], found: list[int]) -> None:
    record = play([turn for turn in script if not isinstance(turn, str)])
    if len(record.turns) < len(script):  # a response in between ends this world's episodes
        record = replace(record, turns=record.turns[:1])
    result = repeats(record)
    assert result.term.score == -len(found)
    assert [share.call for share in result.shares] == found


def test_the_order_of_arguments_does_not_count() -> None:
    swapped = ToolCall("switch", {"on": True, "room": "hall"})
    assert repeats(play([[switch("hall")], [swapped]])).term.score == -1.0
    assert call_key("f", {"a": 1, "b": [1.5]}) == call_key("f", {"b": [1.5], "a": 1})
    assert call_key("f", {"a": 1}) != call_key("g", {"a": 1})
    assert call_key("f", {1: "x", "1": "y"}) == call_key("f", {1: "x", "1": "y"})  # not sortable


def test_a_masked_turn_was_never_there() -> None:
    script: list[Turn] = [[look("a")], [look("a")]]
    assert repeats(play(script)).term.score == -1.0
    assert repeats(play(script, masked=(0,))).term.score == 0.0
    written: list[Turn] = [[look("a")], [switch("hall")], [look("a")]]
    assert repeats(play(written, masked=(1,))).term.score == -1.0


@pytest.mark.parametrize(
    ("turn", "found", "score"),
    [
        ([look("a")], [], 0.0),
        ([look("a"), BAD], [1], -1.0),
        ([ToolCall("switch", {"room": "hall", "on": "yes"}), BAD], [0, 1], -2.0),
        ([switch("cellar")], [], 0.0),
        ("Fine.", [], 0.0),
        (Raw("just words"), [], 0.0),
        (Raw(""), [None], -1.0),
        (Raw(" \n "), [None], -1.0),
        (Raw("<think> a </think>\n<tool_call>\n</tool_call>"), [0], -1.0),
        (block(CUT), [0], -1.0),
        (block('{"name": "look", "parameters": {"room": "a"}}', CUT), [1], -1.0),
    ],
)
def test_invalid_calls(turn: Turn, found: list[int | None], score: float) -> None:
    result = invalid(play([turn]))
    assert result.term.score == score
    assert [share.call for share in result.shares] == found


@pytest.mark.parametrize("term", [invalid, repeats])
def test_the_charge_is_bounded_and_shared(term: object) -> None:
    record = play([[BAD if term is invalid else look("a")] * 40])
    result = term(record)  # type: ignore[operator]
    assert result.term.score == result.term.low == -MAX_PER_TURN
    assert sum(share.amount for share in result.shares) == pytest.approx(-MAX_PER_TURN)
    assert len(result.shares) == (40 if term is invalid else 39)


def test_malformed_calls_that_nobody_ran_count() -> None:
    turn = replace(play([block(CUT, CUT)]).turns[0], results=())
    assert invalid(EpisodeRecord((turn,))).term.score == -2.0


@pytest.mark.parametrize("term", [invalid, repeats, count_failures])
def test_calls_that_nobody_checked_are_no_silent_zero(term: object) -> None:
    turn = replace(play([[look("a")]]).turns[0], results=())
    with pytest.raises(ConfigurationError, match="one result per call, got none for 1 calls"):
        term(EpisodeRecord((turn,)))  # type: ignore[operator]


@pytest.mark.parametrize("turn", ["Fine.", [look("a")]])
def test_no_charge_is_a_plain_zero(turn: Turn) -> None:
    for term in (invalid, repeats):
        assert str(term(play([turn])).term.score) == "0.0"


def test_failures_that_are_made_good_do_not_count() -> None:
    record = play([[switch("cellar"), BAD], [switch("cellar")], [BAD]])
    assert count_failures(record) == (2, 4)
    assert count_failures(replace(record, turns=record.turns[:1])) == (2, 2)
