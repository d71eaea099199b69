from __future__ import annotations

import copy
import dataclasses
import inspect
import itertools
import pickle

import pytest

from tests.rewards.support import answer, call
from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.parsing import parse_ground_truth
from toolrl_env.rewards import REFERENCE_FLAGS, RewardConfig, forget, preset_names, score_response
from toolrl_env.rewards.presets import PRESETS

GOLD = answer(call("f", x=1))
NO_CALLS = answer(response="ok")


def test_flags_are_configuration():
    assert RewardConfig.from_reference_flags(set()) == RewardConfig()
    config = RewardConfig.from_reference_flags({"WITHLENGTH", "SCHEDULELENGTH"})
    assert config == RewardConfig(length=True, dynamic_length=True)
    assert RewardConfig.from_reference_flags(["CORRECTMAX1"]).correctness_max == 1.0
    assert RewardConfig.from_reference_flags("COARSEREWARD").granularity == "coarse"


def test_every_combination_of_flags_is_allowed():
    for number in range(len(REFERENCE_FLAGS) + 1):
        for flags in itertools.combinations(REFERENCE_FLAGS, number):
            config = RewardConfig.from_reference_flags(flags)
            assert config.length is ("WITHLENGTH" in flags)
            assert config.strict_names is ("REFINEDREWARD" in flags)


def test_coarse_wins_over_intermediate_whatever_the_order():
    for flags in (["COARSEREWARD", "INTERMEDIATEREWARD"], ["INTERMEDIATEREWARD", "COARSEREWARD"]):
        assert RewardConfig.from_reference_flags(flags).granularity == "coarse"


def test_a_wrong_flag_names_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'WITHLENGTH'"):
        RewardConfig.from_reference_flags({"WITH_LENGTH"})


def test_dynamic_length_without_length_changes_nothing():
    text = answer(call("f", x=2))
    config = RewardConfig.from_reference_flags({"SCHEDULELENGTH"})
    assert score_response(text, GOLD, config) == score_response(text, GOLD)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"matching": "optimum"}, "unknown matching 'optimum'.*Did you mean 'optimal'"),
        ({"granularity": "finest"}, "coarse, fine, intermediate"),
        ({"values": "lax"}, "unknown values"),
        ({"correctness": None}, "unknown correctness"),
        ({"correctness_max": 0}, "must be > 0"),
        ({"correctness_max": float("nan")}, "finite"),
        ({"format_weight": "1"}, "format_weight='1'"),
        ({"length_weight": float("inf")}, "finite"),
        ({"extra_terms": (3,)}, "callable"),
        ({"correctness": "f1", "two_stage": True}, "two_stage=True .* no meaning"),
        ({"correctness": "exact", "granularity": "coarse"}, "leave it out"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(fields, words):
    with pytest.raises(ConfigurationError, match=words):
        RewardConfig(**fields)


def test_a_configuration_is_a_frozen_value():
    config = RewardConfig(two_stage=True)
    assert config == RewardConfig(two_stage=True)
    assert hash(config) == hash(RewardConfig(two_stage=True))
    score_response(GOLD, GOLD, config, 40)
    assert config == RewardConfig(two_stage=True)
    assert pickle.loads(pickle.dumps(config)) == config
    changed = dataclasses.replace(config, two_stage=False)
    assert score_response(GOLD, GOLD, changed, 40).total == 4.0
    assert score_response(GOLD, GOLD, config, 40).total == 3.5
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.two_stage = False  # type: ignore[misc]
    assert "plans" not in repr(config)
    assert "plans" not in dataclasses.asdict(config)
    assert config.plans
    assert not copy.deepcopy(config).plans


@pytest.mark.parametrize(
    ("config", "step", "with_calls", "without"),
    [
        (RewardConfig(), 0, (-3.0, 4.0), (0.0, 1.0)),
        (RewardConfig(length=True), 0, (-3.0, 5.0), (0.0, 2.0)),
        (RewardConfig(correctness_max=1.0), 0, (-1.0, 2.0), (0.0, 1.0)),
        (RewardConfig(two_stage=True), 0, (-1.0, 2.0), (0.0, 1.0)),
        (RewardConfig(two_stage=True), 30, (-3.0, 3.5), (0.0, 0.5)),
        (RewardConfig(dynamic_scale=True), 0, (-4.0, 4.0), (-2.0, 2.0)),
        (RewardConfig(dynamic_scale=True), 150, (-4.0, 4.0), (-1.0, 1.0)),
        (RewardConfig(correctness_max=1.0, dynamic_scale=True), 450, (-2.0, 2.0), (-1.0, 1.0)),
        (RewardConfig(correctness="exact", format=False), 0, (0.0, 1.0), (0.0, 1.0)),
        (RewardConfig(correctness="f1"), 0, (0.0, 2.0), (0.0, 2.0)),
    ],
)
def test_bounds(config, step, with_calls, without):
    assert config.bounds(parse_ground_truth(GOLD), step) == pytest.approx(with_calls)
    assert config.bounds(parse_ground_truth(NO_CALLS), step) == pytest.approx(without)


def test_presets_are_named_documented_and_distinct():
    assert preset_names()[0] == "toolrl"
    assert RewardConfig.preset("toolrl") == RewardConfig()
    configs = [RewardConfig.preset(name) for name in preset_names()]
    assert len(set(configs)) == len(configs)
    for preset in PRESETS.values():
        assert "paper" in (doc := inspect.getdoc(preset) or "").lower() or "Ours" in doc
    with pytest.raises(UnknownName, match="Did you mean 'two_stage'"):
        RewardConfig.preset("twostage")


@pytest.mark.parametrize("name", preset_names())
@pytest.mark.parametrize("step", [0, 40, 200])
def test_the_gold_answer_is_best_under_every_preset(name, step):
    config = RewardConfig.preset(name)
    thought = "<think>" + " a" * 1_000 + " </think>"
    for text in (GOLD, NO_CALLS):
        gold = text.replace("<think> a </think>", thought)
        high = config.bounds(parse_ground_truth(gold), step)[1]
        assert score_response(gold, gold, config, step).total == high


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch):
    forget()
    monkeypatch.setattr("toolrl_env.rewards.plan._MAX_VERDICTS", 5)
    monkeypatch.setattr("toolrl_env.rewards.config._MAX_PLANS", 5)
    monkeypatch.setattr("toolrl_env.rewards.plan._MAX_TERMS", 5)
    config = RewardConfig(dynamic_scale=True)
    for number in range(40):
        text = answer(call("f", x=0, **{f"k{index}": 0 for index in range(number)}))
        score_response(text, GOLD, config, step=number)
        fresh = RewardConfig(dynamic_scale=True)
        assert score_response(text, GOLD, config, 3) == score_response(text, GOLD, fresh, 3)
    assert len(config.plan(3).verdicts) <= 5
    assert len(config.plans) <= 5
    long = answer(call("f", x="a" * 3_000))
    score_response(long, GOLD, config)
    assert all(block is None or len(block) < 3_000 for _, block in config.plan(3).verdicts)
    forget()
    assert not config.plan(3).verdicts


def test_configurations_with_the_same_rules_share_what_they_remember():
    one, other = RewardConfig(length=True), RewardConfig(two_stage=True)
    assert one.plan(0).verdicts is other.plan(9).verdicts
    assert one.plan(0).verdicts is not RewardConfig(values="strict").plan(0).verdicts
