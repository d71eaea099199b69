"""Episodes of ours as Minari datasets: recorded live, and from trajectory files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import minari
import numpy as np
import pytest

import toolrl_env
from agents.integrations.minari import (
    About,
    collect,
    from_trajectories,
    load,
    main,
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
    record,
    recorded,
    use_folder,
)
from toolrl_env.cli import main as toolrl
from toolrl_env.core.errors import ConfigurationError, DataError, UnknownName
from toolrl_env.core.types import FailureKind, StopReason
from toolrl_env.prompts import SHORT
from toolrl_env.rewards import RewardConfig
from toolrl_env.wrappers import (
    CandidateActions,
    ComposedActions,
    TextFeatures,
    read_trajectories,
    replay_trajectory,
)

ROOT = Path(__file__).parents[3]
WRAPPERS = {
    "candidates": lambda env: CandidateActions(env, n=16),
    "composed": ComposedActions,
    "features": lambda env: TextFeatures(env, dim=32),
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    return use_folder(tmp_path, monkeypatch)


# ------------------------------------------------------------------ live


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(("env_id", "steps"), [(TOOLBOX, 2), (WORKSPACE, 5)])
def test_what_the_environment_says_is_what_the_dataset_holds(data_format, env_id, steps):
    env = gym.make(env_id, difficulty=2)
    collector = collect(env, data_format)
    said = play_gold(collector, range(2))
    made = save(collector, "toolrl/gold-v0")
    dataset = load("toolrl/gold-v0")
    assert dataset.total_steps == made.total_steps == sum(len(one) - 1 for one in said) >= steps
    assert (dataset.observation_space, dataset.action_space) == (
        env.observation_space,
        env.action_space,
    )
    for (first, *results), episode in zip(said, dataset, strict=True):
        assert episode.observations == [first[0], *(result[0] for result in results)]
        assert episode.rewards.tolist() == [result[1] for result in results]
        assert episode.terminations.tolist() == [result[2] for result in results]
        assert episode.truncations.tolist() == [result[3] for result in results]


def test_minaris_own_recorder_works_without_ours():
    """Without infos; the spaces are ours again once the adapter is imported."""
    collector = minari.DataCollector(gym.make(TOOLBOX))
    collector.reset(seed=0)
    collector.step("naïve 😀\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        collector.create_dataset("plain-v0")
    dataset = minari.load_dataset("plain-v0")
    assert dataset.action_space == collector.action_space
    assert dataset[0].actions == ["naïve 😀\n"]
    with pytest.raises(DataError, match=r"infos\['failure_kind'\]"):
        list(trajectories(dataset))


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_numeric_wrappers_are_recorded_and_replay(data_format, wrapper):
    env = WRAPPERS[wrapper](gym.make(TOOLBOX, split="test"))
    env.action_space.seed(0)
    collector = collect(env, data_format)
    seen, sent = [], []
    for index in range(3):
        seen.append(collector.reset(options={"task_index": index}))
        sent.append(collector.step(env.action_space.sample()))
    save(collector, "numbers-v0")
    dataset = load("numbers-v0")
    assert (dataset.observation_space, dataset.action_space) == (
        env.observation_space,
        env.action_space,
    )
    assert replay(dataset) == 3
    again = dataset.recover_environment()
    assert type(again) is type(env)
    for episode, (first, info), result in zip(dataset, seen, sent, strict=True):
        assert np.array_equal(episode.observations, [first, result[0]])
        assert ("action_mask" in episode.infos) == ("action_mask" in info)
        if "action_mask" in info:
            masks = [info["action_mask"], result[4]["action_mask"]]
            assert np.array_equal(episode.infos["action_mask"], masks)
            assert episode.infos["answer"][1] in (
                result[4]["answer"],
                result[4]["answer"].encode(),
            )
    with pytest.raises(ConfigurationError, match="trajectories are text"):
        list(trajectories(dataset))


def test_a_collector_goes_on_after_save_and_adds_to_a_dataset():
    collector = record(gym.make(TOOLBOX), ["a", "b"])
    dataset = save(collector, "more-v0")
    collector.reset(options={"task_index": 7})
    collector.step("c")
    collector.add_to_dataset(dataset)
    assert [episode.actions for episode in load("more-v0")] == [["a"], ["b"], ["c"]]
    assert len(list(trajectories(dataset))) == 3
    collector.close()


def test_what_cannot_be_saved_leaves_nothing_behind_and_loses_nothing():
    collector = collect(gym.make(TOOLBOX))
    with pytest.raises(DataError, match="no episodes to write"):
        save(collector, "empty-v0")
    collector.reset(options={"task_index": 0})
    with pytest.raises(DataError, match="no episodes to write"):
        save(collector, "empty-v0")
    collector.step("a")  # the episode still runs
    with pytest.raises(ConfigurationError, match="allowed: name-v0"):
        save(collector, "malformed")
    assert [episode.actions for episode in save(collector, "empty-v0")] == [["a"]]
    theirs = minari.DataCollector(gym.make("CartPole-v1"))
    with pytest.raises(ConfigurationError, match="what collect returned"):
        save(theirs, "theirs-v0")
    collector.close()
    with pytest.raises(DataError, match="save before close"):
        save(collector, "closed-v0")
    assert set(minari.list_local_datasets()) == {"empty-v0"}


def test_an_episode_that_was_cut_is_stored_but_is_no_trajectory():
    collector = collect(gym.make(WORKSPACE, difficulty=3))
    collector.reset(options={"task_index": 0})
    collector.step(collector.unwrapped.gold_answer())
    play_gold(collector, [1])
    dataset = save(collector, "cut-v0")
    assert dataset[0].truncations.tolist() == [True]
    with pytest.warns(UserWarning, match="1 episodes are left out"):
        assert len(list(trajectories(dataset))) == 1
    assert replay(dataset) == 2


def test_a_failure_of_ours_is_no_reward(monkeypatch):
    collector = collect(gym.make(TOOLBOX, difficulty=1))
    source = collector.unwrapped.tasks
    index = next(i for i in range(100) if source[i].gold.has_call)
    collector.reset(options={"task_index": index})
    tools = source.tools_for(collector.unwrapped.task)
    broken = [type(tool)(tool.spec, lambda **_: 1 / 0) for tool in tools]
    with monkeypatch.context() as patch:
        patch.setattr(type(source), "tools_for", lambda self, task: broken)
        reward, info = collector.step(collector.unwrapped.gold_answer())[1::3]
    assert (reward, info["mask_sample"]) == (0.0, True)  # what the environment said is unchanged
    play_gold(collector, [index])
    dataset = save(collector, "failed-v0")
    bad, good = dataset
    assert np.isnan(bad.rewards).all()
    assert bad.infos["failure_kind"][1].decode() == FailureKind.TOOL_CRASHED.value
    assert good.rewards.tolist() == [4.0]
    with pytest.warns(UserWarning, match="1 episodes are left out"):
        assert [each.transitions[0].reward for each in trajectories(dataset)] == [4.0]
    with pytest.warns(UserWarning, match="1 episodes are left out"):
        assert replay(dataset) == 1


def test_environments_that_a_dataset_could_not_make_again_are_refused():
    plain = gym.make(TOOLBOX)
    for env, said in [
        (gym.make("CartPole-v1"), "CartPoleEnv"),
        (type(plain.unwrapped)(), r"gym\.make"),
        (gym.make(TOOLBOX, reward=RewardConfig(length=True)), r"reward=.* of ToolRL-Toolbox-v0"),
        (gym.make(TOOLBOX, template=SHORT), "template="),
        (CandidateActions(plain, encoder=lambda text: np.zeros(4)), "encoder=.*CandidateActions"),
    ]:
        with pytest.raises(ConfigurationError, match=said):
            collect(env)
    with pytest.raises(UnknownName, match="parquet"):
        collect(plain, "parket")


# ------------------------------------------------------------------ from trajectory files


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(
    ("env_id", "kwargs"),
    [
        (TOOLBOX, {"difficulty": 2, "split": "test"}),
        (TOOLBOX, {"reward": "dynamic_scale", "protocol": "native"}),
        (WORKSPACE, {"difficulty": 2, "episode_reward": "shaped"}),
        (TOOLBOX, {"reward": RewardConfig(length=True)}),
    ],
)
def test_there_and_back_again(data_format, env_id, kwargs, tmp_path):
    before = recorded(
        tmp_path / "t.jsonl", env_id, junk=["", "x\r\n é 😀\t"], training_step=75, **kwargs
    )
    assert len(before) == 4
    from_trajectories(before, "back-v0", data_format=data_format)
    dataset = load("back-v0")
    after = list(trajectories(dataset))
    assert after == before
    for one in after:
        replay_trajectory(one)
    assert replay(dataset) == 4


def test_arguments_that_minari_cannot_write_are_recovered_by_ours(tmp_path):
    reward = RewardConfig(length=True, values="strict")
    dataset = from_trajectories(recorded(tmp_path / "t.jsonl", reward=reward), "own-v0")
    with pytest.raises(ValueError, match="env_spec is None"):
        dataset.recover_environment()
    assert recover(load("own-v0")).unwrapped.reward_config == reward


def test_what_the_metadata_says(tmp_path):
    before = recorded(tmp_path / "t.jsonl", split="test")
    about = About(
        description="Two gold answers.",
        author="A. N. Author",
        author_email="an@example.org",
        algorithm_name="gold",
        code_permalink="https://example.org/code",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_trajectories(before, "toolrl/told-v3", about)
        from_trajectories(before, "silent-v0")
    metadata = load("toolrl/told-v3").storage.metadata
    assert metadata["author"] == {"A. N. Author"}
    assert metadata["author_email"] == {"an@example.org"}
    assert metadata["description"] == "Two gold answers."
    assert metadata["algorithm_name"] == "gold"
    assert metadata["code_permalink"] == "https://example.org/code"
    assert metadata["requirements"] == [f"toolrl-env=={toolrl_env.__version__}"]
    noted = metadata["toolrl"]
    assert (noted["env_id"], noted["env_kwargs"]) == (TOOLBOX, {"split": "test"})
    assert noted["fingerprint"] == before[0].fingerprint
    assert noted["versions"]["gymnasium"] == gym.__version__
    spec = load("toolrl/told-v3").env_spec
    assert (spec.id, spec.kwargs) == (TOOLBOX, {"split": "test"})
    assert "author" not in load("silent-v0").storage.metadata
    listed = minari.list_local_datasets()
    assert set(listed) == {"toolrl/told-v3", "silent-v0"}


def test_episodes_that_failed_are_left_out(tmp_path):
    good, bad = recorded(tmp_path / "t.jsonl")
    last = replace(bad.transitions[-1], stop_reason=StopReason.INFRASTRUCTURE, reward=0.0)
    bad = replace(bad, transitions=(last,))
    with pytest.warns(UserWarning, match="1 episodes are left out"):
        assert list(trajectories(from_trajectories([good, bad], "some-v0"))) == [good]
    with (
        pytest.warns(UserWarning, match="1 episodes are left out"),
        pytest.raises(DataError, match="no episodes"),
    ):
        from_trajectories([bad], "none-v0")


def test_what_cannot_become_a_dataset_leaves_nothing_behind(tmp_path):
    one, two = recorded(tmp_path / "t.jsonl")
    (other,) = recorded(tmp_path / "u.jsonl", tasks=[0], split="test")
    step = one.transitions[0]
    for found, said in [
        ([], "no episodes"),
        ([one, other], "(?s)of one environment.*'split': 'test'"),
        ([replace(one, env_id="ToolRL-Toolbax-v0")], "Did you mean 'ToolRL-Toolbox-v0'"),
        ([replace(one, env_id="os:Toolbox-v0")], "unknown environment"),
        ([replace(one, env_kwargs={"dificulty": 1})], "dificulty"),
        ([replace(one, transitions=(step, step))], "step 1 begins with another text"),
    ]:
        with pytest.raises((DataError, ConfigurationError), match=said):
            from_trajectories(found, "spoilt-v0")
    assert "os" not in {spec.partition(":")[0] for spec in gym.registry}
    assert list(trajectories(from_trajectories([one, two], "spoilt-v0"))) == [one, two]
    with pytest.raises(ConfigurationError, match="taken"):
        from_trajectories([one], "spoilt-v0")
    for malformed in ("spoilt", "x/spoilt-v0", "a b-v0", "../out-v0", ""):
        with pytest.raises(ConfigurationError, match="allowed: name-v0"):
            from_trajectories([one], malformed)
    with pytest.raises(UnknownName, match="hdf5"):
        from_trajectories([one], "fine-v0", data_format="hdf")


def test_what_agents_evaluate_wrote(tmp_path):
    command = ["-m", "agents.evaluate", "--env", WORKSPACE, "--agent", "noisy:0.5"]
    command += ["--episodes", "4", "--attempts", "2", "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [sys.executable, *command], check=True, capture_output=True, env=environment, cwd=tmp_path
    )
    before = read_trajectories(tmp_path / "out" / "trajectories.jsonl")
    assert len(before) == 8
    dataset = from_trajectories(before, "evaluated-v0")
    assert list(trajectories(dataset)) == before
    assert replay(dataset) == 8


# ------------------------------------------------------------------ without us; the home folder


def test_the_data_can_be_read_where_this_package_is_not_installed(tmp_path):
    from_trajectories(recorded(tmp_path / "t.jsonl"), "alone-v0")
    code = (
        "import sys; sys.modules['toolrl_env'] = None\n"
        "import minari; d = minari.load_dataset('alone-v0')\n"
        "print(len(d), len(d[0].observations), type(d.action_space).__name__)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert run.stdout.split() == ["2", "2", "Text"]


def test_nothing_is_written_to_the_home_folder(home, tmp_path):
    from_trajectories(recorded(tmp_path / "t.jsonl"), "away-v0")
    save(record(gym.make(TOOLBOX), ["x"]), "live-v0")
    assert list(home.iterdir()) == []
    assert {path.name for path in (tmp_path / "datasets").iterdir()} >= {"away-v0", "live-v0"}


# ------------------------------------------------------------------ command line


def test_the_command_line_takes_a_file_there_and_back(tmp_path, capsys):
    source, out = tmp_path / "t.jsonl", tmp_path / "out.jsonl"
    recorded(source, junk=["bad"])
    assert main(["import", str(source), "toolrl/cli-v0", "--about.author", "me"]) == 0
    assert "3 episodes, 3 steps: " in capsys.readouterr().out
    assert load("toolrl/cli-v0").storage.metadata["author"] == {"me"}
    assert main(["replay", "toolrl/cli-v0"]) == 0
    assert capsys.readouterr().out == "3 episodes are the same again\n"
    assert main(["export", "toolrl/cli-v0", str(out)]) == 0
    assert read_trajectories(out) == read_trajectories(source)
    assert toolrl(["replay", str(out)]) == 0
    best = tmp_path / "best.jsonl"
    assert main(["export", "toolrl/cli-v0", str(best), "--min-return", "0"]) == 0
    assert read_trajectories(best) == read_trajectories(source)[:2]


def test_the_command_line_says_what_is_wrong(tmp_path, capsys):
    one, two = recorded(tmp_path / "t.jsonl")
    step = replace(two.transitions[0], reward=9.5)
    from_trajectories([one, replace(two, transitions=(step,))], "wrong-v0")
    assert main(["replay", "wrong-v0"]) == 1
    assert re.search(r"step 0: reward: recorded 9.5, now ", capsys.readouterr().err)
    for arguments, said in [
        (["replay", "nowhere-v0"], "no dataset 'nowhere-v0' here; there are: wrong-v0"),
        (["import", str(tmp_path / "none.jsonl"), "new-v0"], "cannot be read"),
        (["import", str(tmp_path / "t.jsonl"), "wrong-v0"], "taken"),
        (["export", "wrong-v0", str(tmp_path / "t.jsonl")], "cannot be written: File exists"),
        (["export", "wrong-v0", str(tmp_path / "n"), "--min-return", "99"], "the best has 9.5"),
        (["export", "wrong-v0", str(tmp_path / "n"), "--min-return", "nan"], "min_return=nan"),
    ]:
        assert main(arguments) == 2, arguments
        assert said in capsys.readouterr().err
    assert not (tmp_path / "n").exists()
