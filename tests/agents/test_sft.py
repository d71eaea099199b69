"""Supervised training on recorded episodes instead of gold answers."""

from __future__ import annotations

from dataclasses import replace

import gymnasium as gym
import pytest

from agents import sft
from agents.chat_delta import ChatDelta
from agents.models import load_folder
from agents.models.tiny import create
from agents.prompting import ChatEncoder
from agents.sft import SFTConfig, gold_episode, read_demonstrations, shown_episode, train
from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.core.types import StopReason
from toolrl_env.wrappers import RecordTrajectories, read_trajectories
from toolrl_env.wrappers.trajectories import encode

TOOLBOX, WORKSPACE = "ToolRL-Toolbox-v0", "ToolRL-Workspace-v0"
SHORT = {"difficulty": 1, "template": "short"}
WORDS = "I would rather not say."


def recorded(path, env_id, answer=None, seeds=(3,), **kwargs):
    """Return recorded episodes of gold answers, or of one answer again and again."""
    env = RecordTrajectories(gym.make(env_id, **kwargs), path)
    for seed in seeds:
        env.reset(seed=seed)
        over = False
        while not over:
            result = env.step(answer or env.unwrapped.gold_answer())
            over = result[2] or result[3]
    return read_trajectories(path)


@pytest.fixture(scope="module")
def encoder():
    return ChatEncoder(create(WORKSPACE, {}, seed=0, texts=20)[1])


@pytest.mark.parametrize(("env_id", "turns"), [(TOOLBOX, 1), (WORKSPACE, 2)])
def test_recorded_gold_is_learnt_as_gold_is(env_id, turns, encoder, tmp_path):
    (shown,) = recorded(tmp_path / "t.jsonl", env_id)
    env, delta = gym.make(env_id), ChatDelta(encoder)
    episode = shown_episode(env, encoder, delta, shown, 20_000)
    assert len(episode.turns) >= turns
    gold = gold_episode(env, encoder, delta, 3, 20_000)
    assert replace(episode, highest=0.0) == replace(gold, highest=0.0)  # nan over several turns


def test_what_was_shown_is_learnt_good_or_bad(encoder, tmp_path):
    (shown,) = recorded(tmp_path / "t.jsonl", TOOLBOX, WORDS)
    episode = shown_episode(gym.make(TOOLBOX), encoder, ChatDelta(encoder), shown, 20_000)
    assert encoder.decode(episode.token_ids) == WORDS
    assert episode.reward == shown.transitions[0].reward


def test_the_same_tasks_may_be_shown_in_another_way(encoder, tmp_path):
    (shown,) = recorded(tmp_path / "t.jsonl", TOOLBOX)
    delta = ChatDelta(encoder)
    long = shown_episode(gym.make(TOOLBOX), encoder, delta, shown, 20_000)
    short = shown_episode(gym.make(TOOLBOX, template="short"), encoder, delta, shown, 20_000)
    assert short.token_ids == long.token_ids
    assert len(short.prompt_ids) < len(long.prompt_ids)


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"split": "test"}, "other tasks: give the same env and split"),
        ({"protocol": "native"}, "written in protocol 'toolrl', this environment reads 'native'"),
    ],
)
def test_demonstrations_of_something_else_are_refused(kwargs, said, encoder, tmp_path):
    (shown,) = recorded(tmp_path / "t.jsonl", TOOLBOX)
    with pytest.raises(ConfigurationError, match=said):
        shown_episode(gym.make(TOOLBOX, **kwargs), encoder, ChatDelta(encoder), shown, 20_000)


def test_the_turns_that_fit_are_learnt(encoder, tmp_path):
    (shown,) = recorded(tmp_path / "t.jsonl", WORKSPACE)
    env, delta = gym.make(WORKSPACE), ChatDelta(encoder)
    whole = shown_episode(env, encoder, delta, shown, 20_000)
    room = len(whole.prompt_ids) + whole.turns[0].tokens[1]
    assert len(shown_episode(env, encoder, delta, shown, room).turns) == 1
    with pytest.raises(ConfigurationError, match="more than max_context=20"):
        shown_episode(env, encoder, delta, shown, 20)


def test_episodes_that_something_of_ours_stopped_teach_nothing(tmp_path):
    (good,) = recorded(tmp_path / "t.jsonl", TOOLBOX)
    stopped = replace(good.transitions[0], stop_reason=StopReason.INFRASTRUCTURE)
    bad = replace(good, transitions=(stopped,))
    path = tmp_path / "both.jsonl"
    path.write_text(f"{encode(bad)}\n{encode(good)}\n")
    assert read_demonstrations(path) == [good]
    path.write_text(f"{encode(bad)}\n")
    with pytest.raises(DataError, match="no episodes to learn from"):
        read_demonstrations(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_demonstrations(tmp_path / "none.jsonl")
    assert read_demonstrations(None) == []


def test_a_run_draws_from_all_that_was_shown_and_a_bad_file_begins_none(tmp_path, monkeypatch):
    path, drawn = tmp_path / "t.jsonl", []

    def spy(env, encoder, delta, shown, max_context):
        drawn.append(shown.task_id)
        return shown_episode(env, encoder, delta, shown, max_context)

    monkeypatch.setattr(sft, "shown_episode", spy)
    shown = recorded(path, TOOLBOX, WORDS, seeds=range(3), **SHORT)
    config = SFTConfig(
        env_kwargs='{"difficulty": 1, "template": "short"}',
        model="tiny",
        out=tmp_path / "run",
        demonstrations=path,
        steps=4,
        batch_size=4,
    )
    train(config)
    assert len(drawn) == 16
    assert set(drawn) == {each.task_id for each in shown}
    nowhere = replace(config, out=tmp_path / "other", demonstrations=tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="cannot be read"):
        train(nowhere)
    assert not nowhere.out.exists()


def test_a_run_learns_what_was_shown_and_not_gold(tmp_path):
    path = tmp_path / "t.jsonl"
    recorded(path, TOOLBOX, WORDS, seeds=range(4), **SHORT)
    config = SFTConfig(
        env_kwargs='{"difficulty": 1, "template": "short"}',
        model="tiny",
        out=tmp_path / "run",
        demonstrations=path,
        steps=8,
        batch_size=2,
        learning_rate=3e-3,
    )
    losses = []
    folder = train(config, lambda metrics: losses.append(metrics["loss"]))
    again = []
    train(replace(config, out=tmp_path / "again"), lambda metrics: again.append(metrics["loss"]))
    assert losses == again
    assert losses[-1] < 0.5 * losses[0]
    size = len(ChatEncoder(load_folder(folder)[1]).answer(WORDS))
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert all(f'"tokens": {2 * size}' in line for line in lines)
