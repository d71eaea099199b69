"""The page's example: its commands run, its overrides are verl's."""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import hydra
import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.utils.config import validate_config
from verl.utils.dataset.rl_dataset import RLHFDataset
from verl.utils.import_utils import resolve_config_path

from agents.integrations.verl.agent_loop import ToolRLAgentLoop

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/trainers/verl.md"
OTHERS = ("reward.py", "reward_model.ground_truth")
MODEL = "Qwen/Qwen2.5-3B-Instruct"


@pytest.fixture(scope="module")
def example():
    """Return the commands of the page's example, as lists of words."""
    found = [
        block.text
        for block in runpy.run_path(str(ROOT / "tests/docs/examples.py"))["blocks"](PAGE)
        if block.language == "bash"
    ]
    assert len(found) == 1
    assert len(found[0].splitlines()) <= 40
    return [shlex.split(line) for line in found[0].replace("\\\n", " ").splitlines()]


@pytest.fixture(scope="module")
def config(example, folder):
    """Return verl's configuration with the page's overrides, the model replaced by the tiny one."""
    [words] = [words for words in example if "verl.trainer.main_ppo" in words]
    overrides = words[words.index("verl.trainer.main_ppo") + 1 :]
    assert f"actor_rollout_ref.model.path={MODEL}" in overrides
    with initialize_config_module("verl.trainer.config", version_base=None):
        return compose(
            "ppo_trainer",
            overrides=[word.replace(MODEL, str(folder)) for word in overrides],
        )


def test_the_exports_run_and_verl_reads_them(example, config, tokenizer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exports = [words for words in example if "agents.integrations.verl.export" in words]
    assert len(exports) == 2
    for words in exports:
        assert words[0] == "python"
        command = [sys.executable, *words[1:]]
        command[command.index("--tasks") + 1] = "5"
        subprocess.run(command, check=True, env={"PYTHONPATH": str(ROOT)})
    splits = []
    for files in (config.data.train_files, config.data.val_files):
        dataset = RLHFDataset(files, tokenizer, config.data)
        assert len(dataset) == 5
        splits.append(dataset[0]["extra_info"]["split"])
    assert splits == ["train", "test"]


def test_verl_takes_the_overrides(config, monkeypatch):
    monkeypatch.chdir(ROOT)
    validate_config(config, need_reference_policy(config), need_critic(config))
    assert config.trainer.use_v1
    OmegaConf.resolve(config)
    assert config.actor_rollout_ref.rollout.response_length == config.data.max_response_length
    [loop] = OmegaConf.load(
        resolve_config_path(config.actor_rollout_ref.rollout.agent.agent_loop_config_path)
    )
    assert loop.name == "toolrl"
    assert hydra.utils.get_class(loop._target_) is ToolRLAgentLoop


def test_every_setting_that_the_page_names_exists(config):
    names = re.findall(r"`(\+?[a-z_0-9]+(?:\.[a-z_0-9]+)+)(?:=[^`]*)?`", PAGE.read_text("utf-8"))
    known = [
        name for name in names if name.lstrip("+").split(".")[0] in config and name not in OTHERS
    ]
    assert len(known) > 8
    for name in known:
        parent, _, key = name.removeprefix("+").rpartition(".")
        if name.startswith("+"):
            parent = parent.rpartition(".")[0]
        else:
            assert key in OmegaConf.select(config, parent), name
        assert OmegaConf.select(config, parent) is not None, name
