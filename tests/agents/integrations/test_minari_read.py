"""Datasets of ours in Minari's hands, and episodes that are run again."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import minari
import pytest

from agents.integrations.minari import (
    collect,
    from_trajectories,
    load,
    recover,
    replay,
    save,
    trajectories,
)
from tests.agents.integrations.minari_support import (
    FORMATS,
    TOOLBOX,
    WORKSPACE,
    play_gold,
    recorded,
    use_folder,
)
from toolrl_env.core.errors import ConfigurationError, DataError, ReplayMismatch, UnknownName
from toolrl_env.core.types import StopReason


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    return use_folder(tmp_path, monkeypatch)


# ------------------------------------------------------------------ Minari's own functions


@pytest.mark.parametrize("data_format", FORMATS)
def test_minari_samples_filters_and_splits(data_format, tmp_path):
    before = recorded(tmp_path / "t.jsonl", tasks=range(4), junk=["bad", "worse"])
    from_trajectories(before, "six-v0", data_format=data_format)
    dataset = minari.load_dataset("six-v0")
    drawn = []
    for _ in range(2):
        dataset.set_seed(1)
        drawn.append([episode.id for episode in dataset.sample_episodes(3)])
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 3
    best = dataset.filter_episodes(lambda episode: episode.rewards.sum() > 0)
    assert list(trajectories(best)) == before[:4]
    assert replay(best) == 4
    parts = minari.split_dataset(dataset, [2, 4], seed=0)
    assert [len(list(trajectories(part))) for part in parts] == [2, 4]
    assert dataset[5].actions == ["worse"]


def test_combined_datasets_are_still_trajectories(tmp_path):
    one = recorded(tmp_path / "t.jsonl", split="test")
    two = recorded(tmp_path / "u.jsonl", tasks=[5], split="test")
    parts = [from_trajectories(one, "one-v0"), from_trajectories(two, "two-v0")]
    minari.combine_datasets(parts, "both-v0")
    both = load("both-v0")
    assert list(trajectories(both)) == [*one, *two]
    assert replay(both) == 3


@pytest.mark.parametrize("data_format", ["arrow", "parquet"])
@pytest.mark.xfail(strict=True, raises=ValueError, reason="Minari 0.5.4 cannot, and the page says")
def test_combining_in_the_other_formats(data_format, tmp_path):
    made = from_trajectories(recorded(tmp_path / "t.jsonl"), "one-v0", data_format=data_format)
    again = from_trajectories(recorded(tmp_path / "u.jsonl"), "two-v0", data_format=data_format)
    minari.combine_datasets([made, again], "both-v0")
    assert len(list(load("both-v0"))) == 4


# ------------------------------------------------------------------ environments


@pytest.mark.parametrize("data_format", FORMATS)
def test_the_recovered_environment_replays_by_hand(data_format, tmp_path):
    """As a user of Minari alone would do it: the options of the reset are in the metadata."""
    found = recorded(tmp_path / "t.jsonl", WORKSPACE, junk=["bad"], training_step=2)
    dataset = from_trajectories(found, "hand-v0", data_format=data_format)
    env = dataset.recover_environment()
    told = list(dataset.storage.get_episode_metadata(dataset.episode_indices))
    for episode, metadata in zip(dataset, told, strict=True):
        assert metadata["options"]["training_step"] == 2
        observation, _ = env.reset(options=metadata["options"])
        assert observation == episode.observations[0]
        rewards = [env.step(action)[1] for action in episode.actions]
        assert rewards == episode.rewards.tolist()


def test_a_seeded_live_episode_replays_by_its_seed():
    collector = collect(gym.make(TOOLBOX))
    said = []
    for seed in (11, None):
        said.append(collector.reset(seed=seed)[0])
        collector.step("x")
    dataset = save(collector, "seeds-v0")
    env = dataset.recover_environment()
    seeds = [each["seed"] for each in dataset.storage.get_episode_metadata([0, 1])]
    assert seeds[0] == 11
    assert [env.reset(seed=int(seed))[0] for seed in seeds] == said


def test_recover_is_minaris_own_where_that_works(tmp_path):
    dataset = from_trajectories(recorded(tmp_path / "t.jsonl", difficulty=2), "r-v0")
    assert recover(dataset).spec == dataset.recover_environment().spec


def test_a_dataset_without_an_environment_says_so():
    one = minari.data_collector.EpisodeBuffer(
        observations=["a", "b"],
        actions=["x"],
        rewards=[0.0],
        terminations=[True],
        truncations=[False],
        infos={},
    )
    space = gym.make(TOOLBOX).action_space
    with pytest.warns(UserWarning, match="is set to None"):
        bare = minari.create_dataset_from_buffers(
            "bare-v0", [one], observation_space=space, action_space=space
        )
    for use in (recover, replay, lambda dataset: list(trajectories(dataset))):
        with pytest.raises(DataError, match="which environment"):
            use(bare)


def test_a_file_makes_no_environment_that_is_not_registered(tmp_path):
    dataset = from_trajectories(recorded(tmp_path / "t.jsonl"), "o-v0")
    noted = dataset.storage.metadata["toolrl"] | {"env_id": "os:Toolbox-v0"}
    dataset.storage.update_metadata({"toolrl": noted})
    dataset._env_spec = None
    with pytest.raises(UnknownName, match="os:Toolbox-v0"):
        recover(dataset)


def test_a_dataset_that_is_not_here(tmp_path):
    with pytest.raises(DataError, match=r"no dataset 'nowhere-v0' here; there are: none\.$"):
        load("nowhere-v0")
    from_trajectories(recorded(tmp_path / "t.jsonl"), "toolrl/gold-v0")
    for name, hint in [
        ("toolrl/glod-v0", r" Did you mean 'toolrl/gold-v0'\?$"),
        ("malformed", r"$"),
        ("../gold-v0", ""),
    ]:
        with pytest.raises(DataError, match=rf"'{name}' here; there are: toolrl/gold-v0\.{hint}"):
            load(name)


def test_a_dataset_that_is_broken(tmp_path):
    dataset = from_trajectories(recorded(tmp_path / "t.jsonl"), "broken-v0")
    (Path(dataset.storage.data_path) / "metadata.json").write_text("{")
    with pytest.raises(DataError, match="'broken-v0' cannot be loaded"):
        load("broken-v0")


# ------------------------------------------------------------------ replay


def spoil(trajectory, number, **changes):
    steps = list(trajectory.transitions)
    steps[number] = replace(steps[number], **changes)
    if "next_observation" in changes and number + 1 < len(steps):
        steps[number + 1] = replace(steps[number + 1], observation=changes["next_observation"])
    return replace(trajectory, transitions=tuple(steps))


@pytest.mark.parametrize(
    ("number", "changes", "said"),
    [
        (0, {"observation": "x"}, "first observation"),
        (0, {"next_observation": "x"}, "step 0: observation"),
        (1, {"action": "bad"}, "step 1: observation"),
        (1, {"reward": 0.125}, "step 1: reward: recorded 0.125, now 0.0"),
        (1, {"components": {"total": 1.0}}, "step 1: terms"),
        (1, {"state_hash": "0" * 64}, "step 1: state_hash"),
        (-1, {"stop_reason": StopReason.ANSWERED}, "stop_reason: recorded .answered"),
    ],
)
def test_replay_names_the_first_difference(number, changes, said, tmp_path):
    first, second = recorded(tmp_path / "t.jsonl", WORKSPACE, difficulty=3)
    dataset = from_trajectories([first, spoil(second, number, **changes)], "spoilt-v0")
    with pytest.raises(ReplayMismatch, match=rf"episode 1, task '{second.task_id}'.*{said}"):
        replay(dataset)


def test_other_tasks_do_not_replay(tmp_path):
    (one,) = recorded(tmp_path / "t.jsonl", tasks=[0])
    dataset = from_trajectories([replace(one, fingerprint="0" * 64)], "other-v0")
    with pytest.raises(ReplayMismatch, match=re.compile("task set.*now", re.DOTALL)):
        replay(dataset)


def test_a_numeric_dataset_is_no_text():
    from toolrl_env.wrappers import TextFeatures

    collector = collect(TextFeatures(gym.make(TOOLBOX), dim=8))
    play_gold(collector, [0])
    dataset = save(collector, "numbers-v0")
    with pytest.raises(ConfigurationError, match=r"Box.*UnicodeText"):
        list(trajectories(dataset))
