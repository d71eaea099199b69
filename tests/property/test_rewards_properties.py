"""What holds for every answer, gold answer, configuration and step."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.speed.plain_reward import plain_reward
from toolrl_env.parsing import PROTOCOLS, get_protocol, parse_ground_truth
from toolrl_env.rewards import REFERENCE_FLAGS, RewardConfig, score_action, score_response

leaves = st.sampled_from([0, 1, 2, 1.0, True, False, None, "a", "A ", "1", "x y", 1e400, [1], {}])
values = st.recursive(
    leaves,
    lambda children: (
        st.lists(children, max_size=2)
        | st.dictionaries(st.sampled_from("ab"), children, max_size=2)
    ),
    max_leaves=4,
)
arguments = st.dictionaries(st.sampled_from("pqrs"), values, max_size=3)
calls = st.fixed_dictionaries({"name": st.sampled_from("fgh"), "parameters": arguments})
call_lists = st.lists(calls, min_size=1, max_size=4)
odd_values = values | st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from("fg") | values,
        "parameters": arguments | values,
        "arguments": arguments,
    },
)
odd_lists = st.lists(calls | odd_values, min_size=1, max_size=4)
steps = st.sampled_from([0, 1, 29, 30, 75, 105, 149, 150, 151, 300, 301, 400])
flag_sets = st.sets(st.sampled_from(sorted(REFERENCE_FLAGS)))
configs = st.builds(
    RewardConfig,
    granularity=st.sampled_from(["fine", "intermediate", "coarse"]),
    strict_names=st.booleans(),
    matching=st.sampled_from(["greedy", "optimal"]),
    values=st.sampled_from(["python", "strict", "tolerant"]),
    correctness_max=st.sampled_from([1.0, 3.0]),
    two_stage=st.booleans(),
    dynamic_scale=st.booleans(),
    length=st.booleans(),
    dynamic_length=st.booleans(),
) | st.builds(
    RewardConfig,
    correctness=st.sampled_from(["exact", "f1"]),
    matching=st.sampled_from(["greedy", "optimal"]),
    values=st.sampled_from(["python", "strict", "tolerant"]),
)


def answer(block: list[Any], thought: str = "a") -> str:
    lines = "\n".join(map(json.dumps, block))
    return f"<think> {thought} </think>\n<tool_call>\n{lines}\n</tool_call>"


@given(odd_lists, odd_lists, configs, steps)
@settings(max_examples=300)
def test_every_term_stays_within_its_bounds(gold, predicted, config, step):
    text = answer(gold)
    breakdown = score_response(answer(predicted), text, config, step)
    for term in breakdown.terms:
        assert term.low <= term.score <= term.high
        assert (term.reason == "") is (term.score == term.high) or config.dynamic_scale
    low, high = config.bounds(parse_ground_truth(text), step)
    assert low <= breakdown.total <= high


@given(odd_lists, odd_lists, configs, steps)
@settings(max_examples=300)
def test_losses_add_up_and_matches_are_one_to_one(gold, predicted, config, step):
    breakdown = score_response(answer(predicted), answer(gold), config, step)
    detail = breakdown.detail
    assert detail is not None
    losses, matches = breakdown.losses, breakdown.matches
    assert len(matches) == len(gold)
    taken = [match.predicted for match in matches if match.predicted is not None]
    assert len(set(taken)) == len(taken)
    if any(loss.kind == "malformed" for loss in losses):
        assert len(losses) == 1
        return
    lost = sum(loss.points for loss in losses)
    assert lost == pytest.approx(detail.possible - detail.earned, abs=1e-9)
    assert all(loss.points > 0 for loss in losses)
    if config.correctness == "structured":
        worst, best = config.plan(step).worst, config.plan(step).best
        expected = (best - worst) * detail.earned / detail.possible + worst
        assert breakdown["correctness"] == pytest.approx(expected, abs=1e-9)


@given(odd_lists, configs, steps)
def test_identity_is_maximal(gold, config, step):
    text = answer(gold, "a " * 1_400)
    assume(config.correctness != "f1" or all(_is_call(call) for call in gold))
    scored = score_response(text, text, config, step)
    assert scored["correctness"] == config.plan(step).best
    assert scored.losses == ()
    if config.plan(step).best >= config.plan(step).worst:
        assert scored.total == config.bounds(parse_ground_truth(text), step)[1]


def _is_call(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("parameters"), dict)
        and (isinstance(value.get("name"), str))
    )


@given(call_lists, call_lists, st.randoms(use_true_random=False))
def test_the_order_of_predicted_calls_is_nothing_to_optimal_matching(gold, predicted, random):
    config = RewardConfig(matching="optimal")
    shuffled = list(predicted)
    random.shuffle(shuffled)
    one, other = (
        score_response(answer(block), answer(gold), config)["correctness"]
        for block in (predicted, shuffled)
    )
    assert one == pytest.approx(other, abs=1e-9)


@given(call_lists, call_lists, st.sampled_from(["exact", "f1"]), st.randoms())
def test_the_order_of_calls_is_nothing_to_exact_and_optimal_f1(gold, predicted, kind, random):
    config = RewardConfig(correctness=kind, matching="optimal")
    mixed_gold, mixed = list(gold), list(predicted)
    random.shuffle(mixed_gold)
    random.shuffle(mixed)
    one = score_response(answer(predicted), answer(gold), config)["correctness"]
    other = score_response(answer(mixed), answer(mixed_gold), config)["correctness"]
    assert one == pytest.approx(other, abs=1e-9)


@given(call_lists, call_lists, configs, st.randoms(use_true_random=False))
def test_the_order_of_arguments_is_nothing_unless_refined(gold, predicted, config, random):
    assume(not config.strict_names)
    shuffled = []
    for call in predicted:
        items = list(call["parameters"].items())
        random.shuffle(items)
        shuffled.append({"name": call["name"], "parameters": dict(items)})
    one = score_response(answer(predicted), answer(gold), config)
    other = score_response(answer(shuffled), answer(gold), config)
    assert one.terms == other.terms


@given(call_lists, call_lists)
def test_optimal_matching_is_at_least_greedy_and_is_the_best_there_is(gold, predicted):
    greedy, optimal = (
        score_response(answer(predicted), answer(gold), RewardConfig(matching=matching)).detail
        for matching in ("greedy", "optimal")
    )
    assert optimal.earned >= greedy.earned - 1e-9
    slots = [*range(len(predicted)), *[None] * len(gold)]
    best = max(
        sum(_points(call, predicted[slot]) for call, slot in zip(gold, chosen) if slot is not None)  # noqa: B905
        for chosen in set(itertools.permutations(slots, len(gold)))
    )
    assert sum(match.score for match in optimal.matches()) == pytest.approx(best)


def _points(gold: dict[str, Any], predicted: dict[str, Any]) -> float:
    if gold["name"] != predicted["name"]:
        return 0.0
    mine, other = gold["parameters"], predicted["parameters"]
    union = mine.keys() | other.keys()
    names = len(mine.keys() & other.keys()) / len(union) if union else 1.0
    return names + sum(key in other and other[key] == value for key, value in mine.items())


@given(odd_lists, odd_lists, flag_sets, steps)
@settings(max_examples=300)
def test_it_is_the_plain_implementation_for_every_combination_of_flags(
    gold, predicted, flags, step
):
    config = RewardConfig.from_reference_flags(flags)
    text, gold_text = answer(predicted), answer(gold)
    assert score_response(text, gold_text, config, step).total == plain_reward(
        text, gold_text, step, flags
    )


@given(odd_lists, odd_lists, configs, steps, st.sampled_from(["", "\n<response> b </response>"]))
@settings(max_examples=200)
def test_the_short_way_is_the_long_way(gold, predicted, config, step, tail):
    toolrl, gold_text = get_protocol("toolrl"), answer(gold) + tail
    text = answer(predicted)
    short = score_response(text, gold_text, config, step)
    long = score_action(toolrl.parse(text), parse_ground_truth(gold_text), toolrl, config, step)
    assert short.terms == long.terms
    assert short.total == long.total
    assert json.dumps(short.detail.values) == json.dumps(long.detail.values)


@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from([*list('<>/\n{}[]",:'), "think", "tool_call"])).map("".join),
    call_lists,
    configs,
    st.sampled_from(sorted(PROTOCOLS)),
)
def test_no_text_raises_in_any_protocol(text, gold, config, name):
    protocol, gold_answer = PROTOCOLS[name], parse_ground_truth(answer(gold))
    breakdown = score_action(protocol.parse(text), gold_answer, protocol, config)
    low, high = config.bounds(gold_answer)
    assert low <= breakdown.total <= high
    assert breakdown.losses
