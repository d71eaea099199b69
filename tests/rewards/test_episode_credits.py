from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rewards.episode_support import HONEST, Raw, Turn, look, play, switch
from toolrl_env.core.episode import CreditSpan, EpisodeRecord, TurnRecord
from toolrl_env.core.types import StopReason, ToolCall
from toolrl_env.parsing import get_protocol
from toolrl_env.rewards import RewardConfig
from toolrl_env.rewards.episode import (
    MASKED,
    EpisodeRewardConfig,
    episode_preset_names,
    score_credits,
    score_episode,
    score_turn,
)

EVERYTHING = EpisodeRewardConfig(
    turn=RewardConfig(),
    turn_weight=0.7,
    answer_quality=2.0,
    trajectory=1.5,
    step_f1=0.5,
    state_execution=0.25,
    shaping=0.5,
    turns=0.01,
    calls=0.02,
    repeats=0.1,
    invalid=0.2,
    gamma=0.9,
)
CONFIGS = [EVERYTHING, *map(EpisodeRewardConfig.preset, episode_preset_names())]
ROOMS = st.sampled_from(["hall", "attic", "cellar"])
CALLS = st.one_of(
    st.builds(look, ROOMS),
    st.builds(switch, ROOMS, st.booleans()),
    st.just(ToolCall("light", {"x": [1]})),
    st.just(ToolCall("switch", {"room": "hall", "on": "yes"})),
)
RAWS = st.sampled_from(["", "words", "<tool_call>\n{oops\n</tool_call>", "<think> a </think>"])
TURNS = st.one_of(st.lists(CALLS, min_size=1, max_size=4), st.just("Done."), st.builds(Raw, RAWS))


def check(record: EpisodeRecord, config: EpisodeRewardConfig) -> None:
    scored, credits_ = score_turn(record, config), score_credits(record, config)
    for term in scored.terms:
        mine = [credit.amount for credit in credits_ if credit.term == term.name]
        assert sum(mine) == pytest.approx(term.score * term.weight, abs=1e-9)
        assert term.low <= term.score <= term.high
    assert sum(credit.amount for credit in credits_) == pytest.approx(scored.total, abs=1e-9)
    for credit in credits_:
        action = record.turns[credit.turn].action
        start, end = credit.span
        assert 0 <= start <= end <= len(action.text)
        assert not record.turns[credit.turn].masked
        if credit.call is not None:
            assert action.text[start:end] == action.calls[credit.call].raw


@settings(deadline=None)
@given(
    script=st.lists(TURNS, min_size=1, max_size=6),
    masked=st.sets(st.integers(0, 5)),
    on=st.sets(st.sampled_from(["hall", "attic"])),
    judged=st.floats(0.0, 1.0),
    config=st.sampled_from(CONFIGS),
)
def test_credits_add_up_to_the_breakdown(
    script: list[Turn],
    masked: set[int],
    on: set[str],
    judged: float,
    config: EpisodeRewardConfig,
) -> None:
    record = play(script, on=sorted(on), masked=sorted(masked), judge=lambda _: judged)
    for prefix in record.prefixes():
        check(prefix, config)
    if record.stop_reason is None:
        check(replace(record, stop_reason=StopReason.MALFORMED, outcome=judged), config)


def test_credits_point_at_characters() -> None:
    record = play(HONEST)
    found = {
        (c.turn, c.call, record.turns[c.turn].action.text[slice(*c.span)], round(c.amount, 9))
        for c in score_credits(record, EpisodeRewardConfig.preset("trajectory"))
    }
    third = round(1 / 3, 9)
    assert found == {
        (0, 0, '{"name": "look", "parameters": {"room": "hall"}}', third),
        (1, 0, '{"name": "switch", "parameters": {"room": "hall", "on": true}}', third),
        (1, 1, '{"name": "switch", "parameters": {"room": "attic", "on": true}}', third),
    }


def test_a_turn_as_a_whole_is_its_whole_text() -> None:
    record = play(HONEST[:1])
    config = EpisodeRewardConfig(outcome=0.0, turns=0.5)
    size = len(record.turns[0].action.text)
    assert score_credits(record, config) == (CreditSpan("turns", 0, None, (0, size), -0.5),)


def test_a_call_without_characters_is_its_turns_whole_text() -> None:
    action = get_protocol("toolrl").parse("<tool_call>")
    assert [call.span for call in action.calls] == [(11, 11)]
    record = EpisodeRecord((TurnRecord(action),))
    config = EpisodeRewardConfig(outcome=0.0, calls=0.5)
    assert score_credits(record, config) == (CreditSpan("calls", 0, 0, (0, 11), -0.5),)


def test_a_turn_without_reward_has_no_credit() -> None:
    assert score_credits(play(HONEST[:2]), EpisodeRewardConfig()) == ()


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_masked_turn_contributes_nothing_and_says_so(
    config: EpisodeRewardConfig, index: int
) -> None:
    record = play(HONEST, masked=(index,), judge=lambda _: 1.0)
    prefix = list(record.prefixes())[index]
    plain = list(play(HONEST, judge=lambda _: 1.0).prefixes())[index]
    scored = score_turn(prefix, config)
    assert scored.total == 0.0
    assert scored.detail is None
    assert score_credits(prefix, config) == ()
    assert [t.name for t in scored.terms] == [t.name for t in score_turn(plain, config).terms]
    for term in scored.terms:
        assert (term.score, term.low, term.high, term.reason) == (0.0, 0.0, 0.0, MASKED)
    for later in list(record.prefixes())[index:]:
        assert index not in {credit.turn for credit in score_credits(later, config)}


@pytest.mark.parametrize("config", CONFIGS)
def test_an_infrastructure_failure_masks_the_turn_it_ends(config: EpisodeRewardConfig) -> None:
    record = replace(play(HONEST), stop_reason=StopReason.INFRASTRUCTURE)
    scored = score_turn(record, config)
    assert scored.total == 0.0
    assert {term.reason for term in scored.terms} == {MASKED}
    assert score_credits(record, config) == ()


def test_a_masked_turn_may_lack_its_results() -> None:
    turn = replace(play(HONEST[:1]).turns[0], masked=True, results=(), progress_after=(False,) * 2)
    for config in CONFIGS:
        record = EpisodeRecord((turn,), play(HONEST).gold_turns)
        assert score_turn(record, config).total == 0.0


def test_the_return_is_the_sum_over_turns() -> None:
    record = play(HONEST, judge=lambda _: 0.5)
    returns = [sum(each.total for each in score_episode(record, config)) for config in CONFIGS[1:4]]
    assert returns == pytest.approx([0.0, 0.5, 0.0])
