from __future__ import annotations

import random
from collections import Counter

import gymnasium as gym
import numpy as np
import pytest

import toolrl_env  # noqa: F401
from agents.mistakes import MISTAKES
from agents.policy import Policy
from agents.scripted import GoldPolicy, NoisyGoldPolicy, RandomPolicy, gold_action
from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.parsing import get_protocol
from toolrl_env.rewards import score_response
from toolrl_env.wrappers import CandidateActions

TOOLBOX = "ToolRL-Toolbox-v0"


def play(policy, protocol="toolrl", tasks=40, **kwargs):
    """Answer tasks in one batch; return rewards, the highest rewards, and the answers."""
    envs = [gym.make(TOOLBOX, protocol=protocol, **kwargs) for _ in range(tasks)]
    resets = [env.reset(options={"task_index": index}) for index, env in enumerate(envs)]
    answers = policy.act([obs for obs, _ in resets], [info for _, info in resets])
    steps = [env.step(answer) for env, answer in zip(envs, answers, strict=True)]
    highest = [sum(t.high * t.weight for t in step[4]["breakdown"].terms) for step in steps]
    return np.array([step[1] for step in steps]), np.array(highest), answers


def source(protocol="toolrl"):
    return gym.make(TOOLBOX, protocol=protocol).unwrapped


@pytest.mark.parametrize("protocol", ["toolrl", "native", "python"])
def test_gold_is_perfect_in_every_protocol(protocol):
    rewards, highest, _ = play(GoldPolicy.from_env(source(protocol)), protocol)
    assert rewards == pytest.approx(highest)


def test_from_env_sees_through_wrappers():
    env = gym.make(TOOLBOX)
    assert env is not env.unwrapped
    policy = GoldPolicy.from_env(env)
    assert policy.tasks is env.unwrapped.tasks
    assert policy.protocol is get_protocol("toolrl")


@pytest.mark.parametrize("protocol", ["toolrl", "native", "python"])
def test_noisy_gold_keeps_its_rate(protocol):
    policy = NoisyGoldPolicy(source().tasks, protocol, error_rate=0.3, seed=1)
    rewards, highest, _ = play(policy, protocol, tasks=300)
    assert 0.2 < np.mean(rewards < highest - 1e-9) < 0.4


@pytest.mark.parametrize(("rate", "share"), [(0.0, 0.0), (1.0, 1.0)])
def test_noisy_gold_extremes(rate, share):
    policy = NoisyGoldPolicy.from_env(source(), error_rate=rate)
    _, _, answers = play(policy)
    golds = play(GoldPolicy.from_env(source()))[2]
    assert np.mean([a != g for a, g in zip(answers, golds, strict=True)]) == share


def test_mistakes_vary():
    policy = NoisyGoldPolicy.from_env(source(), error_rate=1.0)
    rewards, _, _ = play(policy, tasks=200)
    assert len(Counter(rewards.round(3))) > 10


def test_noisy_gold_is_seeded_and_leaves_the_global_generator_alone():
    random.seed(5)
    before = random.getstate()
    first, second, third = (
        play(NoisyGoldPolicy.from_env(source(), error_rate=0.5, seed=seed))[2] for seed in (7, 7, 8)
    )
    assert first == second != third
    assert random.getstate() == before


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_noisy_gold_refuses_rates(rate):
    with pytest.raises(ConfigurationError, match="error_rate"):
        NoisyGoldPolicy(source().tasks, error_rate=rate)


@pytest.mark.parametrize("protocol", ["toolrl", "native", "python"])
def test_random_answers_are_readable_and_mostly_wrong(protocol):
    policy = RandomPolicy(protocol, seed=3)
    rewards, highest, answers = play(policy, protocol, tasks=100)
    parser = get_protocol(protocol)
    assert {parser.parse(answer).status.value for answer in answers} <= {"calls", "no_calls"}
    assert np.mean(rewards) < np.mean(highest) - 2
    assert len(set(answers)) > 50


def test_random_is_seeded():
    one, same, other = (play(RandomPolicy(seed=seed))[2] for seed in (1, 1, 2))
    assert one == same != other


def test_random_without_tools_talks():
    (answer,) = RandomPolicy().act([""], [{"tools": []}])
    assert "<response>" in answer


def test_random_follows_schemas():
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"enum": ["x"]}, "c": True},
    }
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    policy = RandomPolicy(seed=0)
    answers = policy.act([""] * 30, [{"tools": [tool]}] * 30)
    values = [get_protocol("toolrl").parse(answer).values for answer in answers]
    calls = [value[0]["parameters"] for value in values if value]
    assert 15 < len(calls) < 30
    for call in calls:
        assert isinstance(call["a"], int)
        assert call["b"] == "x"
        assert isinstance(call["c"], str)


def test_all_are_policies_and_check_lengths():
    for policy in (RandomPolicy(), GoldPolicy.from_env(source())):
        assert isinstance(policy, Policy)
        with pytest.raises(ValueError, match=r"shorter|longer"):
            policy.act(["a", "b"], [{"tools": [], "task_index": 0}])
    with pytest.raises(UnknownName, match="protocol"):
        RandomPolicy("tolrl")


# --------------------------------------------------------------------------- mistakes

ANSWER = (
    "<think> Two calls. </think>\n<tool_call>\n"
    '{"name": "add", "parameters": {"a": 1, "b": true}}\n'
    '{"name": "say", "parameters": {"text": "hi"}}\n</tool_call>'
)
CALLS = get_protocol("toolrl").parse(ANSWER).values


@pytest.mark.parametrize("kind", sorted(MISTAKES))
def test_every_mistake_costs_something(kind):
    applied = 0
    for seed in range(30):
        protocol = get_protocol("toolrl")
        spoilt = MISTAKES[kind](random.Random(seed), protocol, ANSWER, CALLS)
        if spoilt is None:
            continue
        applied += 1
        assert score_response(spoilt, ANSWER).total < 4.0, (seed, spoilt)
    assert applied >= (5 if kind == "break_syntax" else 30)


@pytest.mark.parametrize("kind", sorted(set(MISTAKES) - {"cut_short", "talk_first"}))
def test_call_mistakes_need_calls(kind):
    answer = "<think> No tool. </think>\n<response> Sorry. </response>"
    assert MISTAKES[kind](random.Random(0), get_protocol("toolrl"), answer, ()) is None


def test_some_mistakes_do_not_apply():
    protocol, single = get_protocol("toolrl"), [{"name": "now", "parameters": {}}]
    for kind in ("missing_call", "missing_argument", "wrong_value", "wrong_type"):
        answer = protocol.render(single, think="x")
        assert MISTAKES[kind](random.Random(0), protocol, answer, single) is None


def test_unusual_gold_calls_are_left_alone():
    assert MISTAKES["wrong_name"](random.Random(0), get_protocol("toolrl"), "x", [3]) is None


def test_the_gold_action_earns_what_gold_earns_or_there_is_none():
    env = CandidateActions(gym.make(TOOLBOX))
    wrapped = gym.wrappers.RecordEpisodeStatistics(env)
    found = Counter()
    for index in range(80):
        _, info = wrapped.reset(options={"task_index": index})
        action, gold = gold_action(wrapped), env.unwrapped.gold_answer()
        calls = env.unwrapped.protocol.parse(gold).values or ()
        found[len(calls), action is not None] += 1
        if action is not None:
            assert info["action_mask"][action]
            assert (action == 0) == (not calls)
            reward, info = wrapped.step(action)[1::3]
            highest = sum(term.high * term.weight for term in info["breakdown"].terms)
            assert reward == (highest if calls else 1.0)
    assert found[1, True] > 10
    assert found[0, True] > 0
    assert found[2, True] == found[3, True] == found[0, False] == 0
