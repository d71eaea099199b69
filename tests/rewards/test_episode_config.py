from __future__ import annotations

import math
import pickle

import pytest

from tests.rewards.episode_support import HONEST, look, play
from toolrl_env.core.episode import EpisodeRecord
from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.core.types import TermScore
from toolrl_env.rewards import RewardConfig
from toolrl_env.rewards.episode import (
    EpisodeRewardConfig,
    Share,
    TermResult,
    episode_preset_names,
    score_episode,
    score_turn,
)

EVERYTHING = EpisodeRewardConfig(
    turn=RewardConfig(length=True),
    answer_quality=2.0,
    trajectory=1.0,
    step_f1=0.5,
    state_execution=0.25,
    shaping=0.5,
    turns=0.01,
    calls=0.02,
    repeats=0.1,
    invalid=0.2,
    gamma=0.9,
)


def test_every_term_has_its_column_in_every_turn() -> None:
    names = (
        "total format correctness length outcome answer_quality trajectory step_f1 "
        "state_execution shaping turns calls repeats invalid"
    )
    for scored in score_episode(play(HONEST, judge=lambda _: 1.0), EVERYTHING):
        assert " ".join(scored.as_dict()) == names
        assert scored.total == pytest.approx(sum(t.score * t.weight for t in scored.terms))


def test_terms_keep_their_unweighted_score() -> None:
    last = score_episode(play(HONEST, judge=lambda _: 0.5), EVERYTHING)[-1]
    by_name = {term.name: term for term in last.terms}
    assert (by_name["answer_quality"].score, by_name["answer_quality"].weight) == (0.5, 2.0)
    assert (by_name["turns"].score, by_name["turns"].weight) == (-1.0, 0.01)


def test_scores_are_within_their_bounds() -> None:
    for scored in score_episode(play(HONEST, judge=lambda _: 0.5), EVERYTHING):
        for term in scored.terms:
            assert term.low <= term.score <= term.high


@pytest.mark.parametrize("name", episode_preset_names())
def test_presets(name: str) -> None:
    config = EpisodeRewardConfig.preset(name)
    assert pickle.loads(pickle.dumps(config)) == config
    judged = score_episode(play(HONEST, judge=lambda _: 1.0), config)
    best = {"toolrl_turns": 9.0, "efficient": 0.94}
    assert sum(each.total for each in judged) == pytest.approx(best.get(name, 1.0))


def test_the_presets_that_others_rely_on_are_there() -> None:
    assert {
        "outcome",
        "shaped",
        "toolrl_turns",
        "trajectory",
        "step_f1",
        "state_execution",
    } <= set(episode_preset_names())


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'trajectory'"):
        EpisodeRewardConfig.preset("trajectorys")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"outcome": math.nan}, "outcome=nan"),
        ({"shaping": math.inf}, "shaping=inf"),
        ({"turn_weight": "1"}, "turn_weight='1'"),
        ({"turns": -0.1}, "turns=-0.1; it must be at least 0"),
        ({"calls": -1}, "calls=-1; it must be at least 0"),
        ({"repeats": -1}, "repeats=-1; it must be at least 0"),
        ({"invalid": -1}, "invalid=-1; it must be at least 0"),
        ({"unmatched": -1}, "unmatched=-1; it must be at least 0"),
        ({"gamma": 1.5}, "gamma=1.5; a discount is at most 1"),
        ({"gamma": -0.5}, "gamma=-0.5"),
        ({"values": "exactly"}, "unknown values 'exactly'"),
        ({"extra_terms": (1,)}, "each must be callable"),
        ({"outcome": 0.0}, "at least one term"),
    ],
)
def test_what_cannot_be_meant_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        EpisodeRewardConfig(**fields)  # type: ignore[arg-type]


def brevity(record: EpisodeRecord) -> TermResult:
    """One's own term: up to 1 for a short answer."""
    score = 1.0 / (1 + len(record.turns[-1].action.text))
    share = Share(len(record.turns) - 1, None, score)
    return TermResult(TermScore("brevity", score, 0.0, 1.0, 2.0), (share,))


def test_a_term_of_ones_own() -> None:
    record = play(HONEST[:1])
    scored = score_turn(record, EpisodeRewardConfig(outcome=0.0, extra_terms=(brevity,)))
    assert scored.total == 2.0 / (1 + len(record.turns[0].action.text))


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (TermScore("x", 0.0, 0.0, 1.0), "no TermResult"),
        (TermResult(TermScore("x", math.nan, 0.0, 1.0)), "returned nan"),
        (TermResult(TermScore("x", 0.5, 0.0, 1.0)), "scored 0.5, but its shares add up to 0"),
        (TermResult(TermScore("outcome", 0.0, 0.0, 1.0)), "two reward terms have one name"),
    ],
)
def test_a_term_that_breaks_its_contract_is_refused(result: object, message: str) -> None:
    config = EpisodeRewardConfig(extra_terms=(lambda _: result,))  # type: ignore[arg-type,return-value]
    with pytest.raises(ConfigurationError, match=message):
        score_turn(play([[look("hall")]]), config)


def test_two_scorings_are_equal() -> None:
    record = play(HONEST, judge=lambda _: 0.3)
    assert score_turn(record, EVERYTHING) == score_turn(record, EVERYTHING)


def test_scheduled_rewards_take_the_step() -> None:
    config = EpisodeRewardConfig(turn=RewardConfig(two_stage=True), outcome=0.0)
    record = play(HONEST[:1])
    assert [score_turn(record, config, step).total for step in (0, 30)] == [2.0, 3.5]
