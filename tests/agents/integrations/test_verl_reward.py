"""The reward function for verl, without verl."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import gymnasium as gym
import pytest

from agents.integrations.tasks import task_rows
from agents.integrations.verl.reward import compute_score
from agents.integrations.verl.scoring import process_pool
from toolrl_env.core.errors import ConfigurationError, DataError, InfrastructureError, UnknownName
from toolrl_env.core.types import FailureKind

TOOLBOX, WORKSPACE = "ToolRL-Toolbox-v0", "ToolRL-Workspace-v0"
BAD = "<think> no </think>"


@pytest.fixture(scope="module")
def rows():
    return task_rows(TOOLBOX, {"difficulty": 2}, range(8))


def gold_of(row):
    with process_pool().open(row.ref) as episode:
        return episode.gold_answer()


def score(row, answer, **changes):
    given = {
        "data_source": "toolrl/toolbox",
        "solution_str": answer,
        "ground_truth": row.task_id,
        "extra_info": row.ref.as_dict(),
    }
    return compute_score(**{**given, **changes})


def test_threads_get_the_rewards_of_the_environment(rows):
    work = [(row, answer) for row in rows for answer in (gold_of(row), BAD, gold_of(row)[3:])] * 4
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda pair: score(*pair), work))
    for (row, answer), result in zip(work, results, strict=True):
        env = gym.make(row.ref.env, **row.ref.kwargs())
        env.reset(seed=0, options={"task_index": row.ref.index})
        _, reward, *_, info = env.step(answer)
        assert result["score"] == reward == info["reward"]["total"]
        assert result["success"] == float(answer == gold_of(row))
        parts = {name: result[f"reward/{name}"] for name in ("format", "correctness")}
        assert parts == {name: info["reward"][name] for name in parts}
        assert len(result) == 4


def test_rewards_of_other_environments_can_have_the_same_keys(rows):
    terms = ["outcome", "correctness", "format"]
    result = score(rows[0], gold_of(rows[0]), terms=terms)
    assert list(result) == ["score", "success", *(f"reward/{name}" for name in terms)]
    assert result["reward/outcome"] == 0.0
    assert result["score"] == sum(result[f"reward/{name}"] for name in terms)
    with pytest.raises(ConfigurationError, match="'correctness'"):
        score(rows[0], BAD, terms=["format"])
    with pytest.raises(ConfigurationError, match="terms='format'; allowed: a list"):
        score(rows[0], BAD, terms="format")


def test_a_failure_of_ours_raises_and_the_next_answer_is_scored(rows, monkeypatch):
    def down(self, action):
        raise InfrastructureError("the disk is full", FailureKind.SERVER_DOWN)

    with process_pool().open(rows[0].ref) as episode:
        kind = type(episode._env)
    with monkeypatch.context() as broken:
        broken.setattr(kind, "step", down)
        with pytest.raises(InfrastructureError, match="disk is full") as caught:
            score(rows[0], BAD)
    assert caught.value.kind is FailureKind.SERVER_DOWN
    assert score(rows[0], BAD)["score"] == -3.0


@pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")
def test_what_is_wrong_with_a_row_or_a_setting_is_said(rows):
    with pytest.raises(DataError, match="export again"):
        score(rows[0], BAD, ground_truth="another")
    with pytest.raises(ConfigurationError, match="no 'env'"):
        score(rows[0], BAD, extra_info={"index": 0})
    with pytest.raises(ConfigurationError, match="task_index=-1"):
        score(rows[0], BAD, extra_info=rows[0].ref.as_dict() | {"task_index": -1})
    [sample] = task_rows("ToolRL-XLAM-v0", {}, [0])
    beyond = sample.ref.as_dict() | {"task_index": 10**6}
    with pytest.raises(ConfigurationError, match="task_index=1000000; allowed: an integer from 0"):
        score(sample, BAD, extra_info=beyond)
    with pytest.raises(UnknownName, match="'terms'"):
        score(rows[0], BAD, term=["format"])
    given = {"reward_router_address": "localhost:1", "reward_model_tokenizer": None}
    assert score(rows[0], BAD, **given) == score(rows[0], BAD)


def test_an_episode_of_several_answers_is_sent_to_the_agent_loop():
    [row] = task_rows(WORKSPACE, {"difficulty": 1}, [0])
    with pytest.raises(ConfigurationError, match="agent loop 'toolrl'"):
        score(row, BAD)
