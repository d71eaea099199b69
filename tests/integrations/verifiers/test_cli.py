"""The command lines of verifiers on our taskset, from their entry points on.

They run in this process, because each new one would spend seconds on imports; ``test_page`` starts
them as programs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points

import pytest
from verifiers.v1 import WireEpisode

from tests.agents.chat.server import good, serving
from tests.integrations.verifiers.conftest import ROOT
from tests.integrations.verifiers.rollouts import TOOLBOX, mixed, scripted
from toolrl_env.core.errors import ConfigurationError

ENVIRONMENT = ROOT / "agents/integrations/verifiers/environment"
KWARGS = {"difficulty": 2}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Call a program's entry point in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(program, *arguments):
        words = [program, *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", words)
        (entry,) = entry_points(group="console_scripts", name=program)
        entry.load()(words[1:])

    return run


def evaluate(run, url, folder, count):
    run(
        "vf-eval", "toolrl", "--env.taskset.env", TOOLBOX,
        "--env.taskset.env-kwargs", json.dumps(KWARGS), "-n", count, "--model", "m",
        "--client.base-url", url, "--client.api-key-var", "TOOLRL_NO_KEY",
        "--no-push", "--no-rich", "-o", "runs", "--run.name", "first",
    )  # fmt: skip
    lines = (folder / "runs/first/traces.jsonl").read_text().splitlines()
    return [WireEpisode.model_validate_json(line) for line in lines]


def test_vf_eval_writes_our_rewards_and_vf_replay_finds_them_again(run, tmp_path):
    plan, expected = scripted(TOOLBOX, KWARGS, 4, mixed)
    with serving(plan) as server:
        episodes = evaluate(run, server.url, tmp_path, 4)
    found = {e.task.data.task_index: e.traces[0].reward for e in episodes if e.ok}
    assert found == {index: sum(rewards) for index, (rewards, *_) in enumerate(expected)}
    run("vf-replay", "runs/first", "--no-rich", "-o", "runs/again")
    again = (tmp_path / "runs/again/traces.jsonl").read_text().splitlines()
    scores = {}
    for line in again:
        trace = json.loads(line)
        trace = trace["traces"][0] if "traces" in trace else trace
        scores[trace["task"]["data"]["task_index"]] = trace["rewards"]["toolrl"]["score"]
    assert scores == found


def test_a_wrong_argument_ends_with_its_name(run):
    with serving(good()) as server:
        with pytest.raises(ConfigurationError, match="ToolRL-Toolbocks-v0 cannot be made"):
            run(
                "vf-eval", "toolrl", "--env.taskset.env", "ToolRL-Toolbocks-v0", "--no-push",
                "--no-rich", "--client.base-url", server.url, "-n", 1,
            )  # fmt: skip
        assert not server.requests


def test_the_package_can_be_installed(tmp_path):
    project = tomllib.loads((ENVIRONMENT / "pyproject.toml").read_text())
    (package,) = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert (ENVIRONMENT / package / "__init__.py").is_file()
    pip = ["-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", tmp_path]
    subprocess.run([sys.executable, *pip, ENVIRONMENT], check=True)
    assert (tmp_path / "toolrl/__init__.py").is_file()
