"""``toolrl list`` and ``toolrl show``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.registration import ENVIRONMENTS

ROOT = Path(__file__).parents[2]
IDS = [row.id for row in ENVIRONMENTS]
pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")


def test_list_has_every_id_with_its_true_sizes(toolrl):
    status, out, _ = toolrl("list")
    assert status == 0
    for env_id in IDS:
        (line,) = [line for line in out.splitlines() if env_id in line]
        cells = [cell.strip() for cell in line.strip("│").split("│")]
        for cell, split in zip(cells[2:5], ("train", "validation", "test"), strict=True):
            source = gym.make(env_id, split=split).unwrapped.tasks
            size = source.size
            assert cell == ("endless" if size is None else str(size))
        assert (cells[1] == "our sample") is source.is_sample
        assert (cells[1] == "a generator") is (source.size is None)
        assert (cells[1] == "the benchmark") is ("BFCL" in env_id)
        assert (cells[1] == "our own") is (env_id in ("ToolRL-Search-v0", "ToolRL-MCP-v0"))


def test_list_goes_on_without_an_optional_package(toolrl, monkeypatch):
    def missing(*_args):
        raise ConfigurationError("pip install it")

    monkeypatch.setattr("toolrl_env.envs.bfcl.BFCLSource", missing)
    status, out, _ = toolrl("list")
    assert status == 0
    (line,) = [line for line in out.splitlines() if "ToolRL-BFCL-v0" in line]
    assert "not installed" in line
    assert "ToolRL-Workspace-v0" in out


def test_a_file_in_the_current_directory_is_found_as_with_python_m(tmp_path):
    (tmp_path / "own_env_here.py").write_text(
        "import gymnasium as gym\n"
        "from toolrl_env.envs.toolbox import ToolboxEnv\n"
        "gym.register('Own/Here-v0', entry_point=ToolboxEnv)\n"
    )
    script = "import sys; del sys.path[0]; from toolrl_env.cli import main; sys.exit(main())"
    for command in (
        ["show", "own_env_here:Own/Here-v0"],
        ["replay", "x", "--imports", "own_env_here"],
    ):
        run = subprocess.run(
            [sys.executable, "-c", script, *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(ROOT)},
            check=False,
        )
        assert "cannot import" not in run.stderr
    assert "x" in run.stderr


@pytest.mark.parametrize("env_id", IDS)
def test_show_has_the_prompt_the_tools_and_the_gold_answer_as_they_stand(env_id, toolrl):
    status, out, _ = toolrl("show", env_id, "--seed", 7)
    assert status == 0
    env = gym.make(env_id)
    observation, info = env.reset(seed=7)
    assert observation in out
    assert env.unwrapped.gold_answer() in out
    assert info["task_id"] in out
    for tool in info["tools"]:
        assert f"─ {tool['function']['name']} ─" in out
    assert ("our sample, not the dataset" in out) is info["is_sample"]


def test_show_picks_the_task(toolrl):
    _, by_index, _ = toolrl("show", "ToolRL-XLAM-v0", "--task-index", 5, "--split", "test")
    env = gym.make("ToolRL-XLAM-v0", split="test")
    _, info = env.reset(options={"task_index": 5})
    _, by_id, _ = toolrl("show", "ToolRL-XLAM-v0", "--task-id", info["task_id"], "--split", "test")
    assert by_index == by_id
    assert info["task_id"] in by_id


def test_show_takes_the_arguments_of_the_environment(toolrl):
    _, out, _ = toolrl(
        "show", "ToolRL-Toolbox-v0", "--protocol", "native", "--reward", "length", "--difficulty", 5
    )
    assert "toolbox-train-d5-" in out
    assert "<|im_start|>" in out
    _, out, _ = toolrl("show", "ToolRL-APIBank-v0", "--level", 3, "--template", "short")
    assert "API-Bank" in out or "api_bank" in out


def test_show_takes_the_mode(toolrl):
    show = ("show", "ToolRL-ToolACE-v0", "--task-index", 3)
    dialogues = toolrl(*show, "--mode", "multi_turn").out
    assert "of 94" in dialogues
    assert "of 360" in toolrl(*show).out
    status, _, err = toolrl("show", "ToolRL-XLAM-v0", "--mode", "multi_turn")
    assert status == 2
    assert "nothing was recorded after it" in err


def test_show_takes_the_reward_of_episodes(toolrl):
    show = ("show", "ToolRL-Workspace-v0", "--difficulty", 1)
    assert toolrl(*show, "--episode-reward", "shaped").status == 0
    assert "Did you mean 'shaped'" in toolrl(*show, "--episode-reward", "shapd").err
    assert "give episode_reward instead" in toolrl(*show, "--reward", "length").err
    status, _, err = toolrl("show", "ToolRL-XLAM-v0", "--episode-reward", "shaped")
    assert (status, "takes no argument 'episode_reward'" in err) == (2, True)


def test_show_takes_the_step_of_scheduled_rewards(toolrl):
    show = ("show", "ToolRL-Toolbox-v0", "--difficulty", 1, "--reward", "dynamic_scale", "--step")
    assert "reward from -4 to 4" in toolrl(*show, 0).out
    assert "reward from -4 to 4" in toolrl(*show, 150).out


def test_show_reads_real_files(toolrl, shared_data):
    status, out, err = toolrl("show", "ToolRL-RLLA-v0", "--data", shared_data / "rlla_sft.json")
    assert (status, err) == (0, "")
    assert "as loaded" in out
    assert "our sample" not in out


def test_an_environment_from_outside_is_imported_by_its_module(toolrl, tmp_path, monkeypatch):
    (tmp_path / "own_env_for_show.py").write_text(
        "import gymnasium as gym\n"
        "from toolrl_env.envs.toolbox import ToolboxEnv\n"
        "gym.register('Own/Tools-v0', entry_point=ToolboxEnv)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        status, out, _ = toolrl("show", "own_env_for_show:Own/Tools-v0", "--difficulty", 2)
        assert status == 0
        assert "toolbox-train-d2-" in out
        assert "Own/Tools-v0" in toolrl("show", "Own/Tool-v0").err
    finally:
        gym.registry.pop("Own/Tools-v0", None)


def test_an_episode_of_several_turns_says_so(toolrl):
    status, out, _ = toolrl("show", "ToolRL-Workspace-v0", "--difficulty", 4, "--task-index", 1)
    assert status == 0
    assert "an episode of up to 30 answers; the gold answer is the first one" in out
    assert "reward from" not in out
    dialogue = toolrl("show", "ToolRL-ToolACE-v0", "--mode", "multi_turn").out
    assert "an episode of up to" in dialogue
    assert "reward from" not in dialogue
    status, out, _ = toolrl("show", "ToolRL-BFCLMultiTurn-v0", "--category", "miss_func")
    assert status == 0
    assert "miss_func" in out
