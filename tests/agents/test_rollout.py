from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import toolrl_env  # noqa: F401  # registers the ids
from agents.evaluation import evaluate
from agents.generation import Completion
from agents.grpo import describe
from agents.rollout import GroupCollector, derive_seed, score
from toolrl_env.core.errors import ConfigurationError, InfrastructureError


def collector(stub_id, tiny, **kwargs):
    return GroupCollector(stub_id, kwargs, tiny[1], prompts=3, group_size=2)


def answering(encoder, *texts):
    """A sampler that gives the same texts to every prompt."""

    def sample(prompts, rng):
        ids = [encoder.answer(text) for text in texts]
        return [[Completion(row, (0.0,) * len(row), True) for row in ids] for _ in prompts]

    return sample


def answers_for(collector_):
    """The gold answers of the tasks that are running, one per group."""
    return [envs[0].unwrapped.gold_answer() for envs in collector_._groups]


def play(collector_, encoder, *texts, seeds=(1, 2, 3)):
    return collector_.collect(answering(encoder, *texts), seeds, np.random.default_rng(0), 7)


def test_a_group_shares_its_task_and_nothing_else(stub_id, tiny):
    played = collector(stub_id, tiny)
    groups = play(played, tiny[1], "hm", "hm")
    for group, envs in zip(groups, played._groups, strict=True):
        assert {f"stub-{env.unwrapped.index}" for env in envs} == {group.task_id}
        assert len({id(env.unwrapped) for env in envs}) == 2
        assert [env.unwrapped.training_step for env in envs] == [7, 7]
    assert len({group.task_id for group in groups}) > 1


def test_samples_keep_the_sampled_ids_and_their_scores(stub_id, tiny):
    encoder = tiny[1]
    env = gym.make(stub_id)
    env.reset(seed=1)
    gold = env.unwrapped.gold_answer()
    group = play(collector(stub_id, tiny), encoder, gold, "nonsense", seeds=(1, 1, 1))[0]
    right, wrong = group.samples
    assert right.completion.token_ids == encoder.answer(gold)
    assert right.text == gold
    assert right.outcome.reward == right.outcome.highest == 4.0
    assert wrong.outcome.reward == -3.0
    assert wrong.outcome.components == {"total": -3.0, "format": 0.0, "correctness": -3.0}
    assert group.rewards.tolist() == [4.0, -3.0]


def test_same_seed_same_tasks(stub_id, tiny):
    ids = [[g.task_id for g in play(collector(stub_id, tiny), tiny[1], "a", "b")] for _ in "12"]
    assert ids[0] == ids[1]


@pytest.mark.parametrize("fail", ["raise", "truncate"])
def test_infrastructure_failure_is_left_out_not_zero(stub_id, tiny, fail):
    groups = play(collector(stub_id, tiny, fail=fail, every=2), tiny[1], "a", "b", seeds=range(3))
    failed = [group for group in groups if int(group.task_id[5:]) % 2 == 0]
    assert failed
    assert len(failed) < 3
    for group in groups:
        if group in failed:
            assert (group.samples, group.failures) == ((), 2)
        else:
            assert (group.rewards.tolist(), group.failures) == ([-3.0, -3.0], 0)


def test_failure_of_everything_raises(stub_id, tiny):
    with pytest.raises(InfrastructureError, match="every answer"):
        play(collector(stub_id, tiny, fail="raise"), tiny[1], "a", "b")


def test_a_bug_is_not_an_infrastructure_failure(stub_id, tiny):
    with pytest.raises(ZeroDivisionError):
        play(collector(stub_id, tiny, fail="bug"), tiny[1], "a", "b")


def test_score_says_what_failed(stub_id):
    env = gym.make(stub_id, fail="raise")
    env.reset(seed=0)
    outcome = score(env, "x")
    assert outcome.reward is None
    assert outcome.failure == "the tool server is gone"


def test_derive_seed():
    seeds = {derive_seed(a, b, c) for a in range(5) for b in range(5) for c in range(5)}
    assert len(seeds) == 125
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_describe_counts_only_scored_answers(stub_id, tiny):
    groups = play(
        collector(stub_id, tiny, fail="raise", every=2), tiny[1], "a", "b", seeds=range(3)
    )
    got = describe(groups, 0)
    assert got["reward"] == -3.0
    assert got["failures"] == sum(group.failures for group in groups) > 0


def test_an_episode_that_goes_on_is_refused():
    env = gym.make("ToolRL-Workspace-v0", difficulty=2)
    env.reset(seed=0)
    with pytest.raises(ConfigurationError, match=r"ToolRL-Workspace-v0.*one answer"):
        score(env, env.unwrapped.gold_answer())


# --------------------------------------------------------------------------- evaluation


class Fixed:
    """Answers its texts in turn, whatever the question."""

    def __init__(self, *texts):
        self.texts = texts

    def act(self, observations, infos):
        return [self.texts[i % len(self.texts)] for i in range(len(observations))]


GOLD = '<think> ok </think>\n<tool_call>\n{"red": 0}\n</tool_call>'
HALF = '<think> ok </think>\n<tool_call>\n{"red": 9}\n</tool_call>'


def test_evaluate(stub_id):
    got = evaluate(Fixed(GOLD, HALF, "no"), stub_id, {"split": "test"}, [0, 0, 0])
    assert got.rewards == [4.0, 1.0, -3.0]
    assert got.perfect == [1.0, 0.0, 0.0]
    assert got.component("format") == [1.0, 1.0, 0.0]
    assert got.golds == (GOLD,) * 3
    summary = got.summary()
    assert summary["reward"].mean == pytest.approx(2 / 3)
    assert summary["perfect"].mean == pytest.approx(1 / 3)
    assert summary["format"].mean == pytest.approx(2 / 3)


def test_evaluate_takes_the_tasks_it_is_told(stub_id):
    got = evaluate(Fixed(GOLD), stub_id, {}, [0, 5])
    assert list(got.questions) == ["red 0", "green 1"]
    assert got.rewards == [4.0, -2.0]  # the format is right


def test_evaluate_refuses_a_mean_over_the_rest(stub_id):
    with pytest.raises(InfrastructureError, match="1 of 2 tasks failed: the tool server"):
        evaluate(Fixed(GOLD), stub_id, {"fail": "raise", "every": 2}, [0, 1])
