"""The command lines of verifiers on our taskset, as its users run them."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from verifiers.v1 import WireEpisode

from tests.agents.chat.server import good, serving
from tests.integrations.verifiers.conftest import ROOT
from tests.integrations.verifiers.rollouts import TOOLBOX, WORKSPACE, mixed, scripted

BIN = Path(sys.executable).parent
ENVIRONMENT = ROOT / "agents/integrations/verifiers/environment"
KWARGS = {"difficulty": 2}
WITHIN = 280  # seconds; five on an idle machine

pytestmark = pytest.mark.timeout(600)


def run(program, *arguments, cwd):
    done = subprocess.run(
        [BIN / program, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def evaluate(url, folder, count):
    run(
        "vf-eval", "toolrl", "--env.taskset.env", TOOLBOX,
        "--env.taskset.env-kwargs", json.dumps(KWARGS), "-n", count, "--model", "m",
        "--client.base-url", url, "--client.api-key-var", "TOOLRL_NO_KEY",
        "--no-push", "--no-rich", "-o", "runs", "--run.name", "first",
        cwd=folder,
    )  # fmt: skip
    lines = (folder / "runs/first/traces.jsonl").read_text().splitlines()
    return [WireEpisode.model_validate_json(line) for line in lines]


def test_vf_eval_writes_our_rewards_and_vf_replay_finds_them_again(tmp_path):
    plan, expected = scripted(TOOLBOX, KWARGS, 4, mixed)
    with serving(plan) as server:
        episodes = evaluate(server.url, tmp_path, 4)
    found = {e.task.data.task_index: e.traces[0].reward for e in episodes if e.ok}
    assert found == {index: sum(rewards) for index, (rewards, *_) in enumerate(expected)}
    run("vf-replay", "runs/first", "--no-rich", "-o", "runs/again", cwd=tmp_path)
    again = (tmp_path / "runs/again/traces.jsonl").read_text().splitlines()
    scores = {}
    for line in again:
        trace = json.loads(line)
        trace = trace["traces"][0] if "traces" in trace else trace
        scores[trace["task"]["data"]["task_index"]] = trace["rewards"]["toolrl"]["score"]
    assert scores == found


def test_vf_validate_finds_that_gold_solves_every_task(tmp_path):
    run(
        "vf-validate", "toolrl", "--taskset.env", WORKSPACE, "--taskset.num-tasks", 3,
        "--runtime.type", "subprocess", "--no-rich", "-o", "runs", "--run.name", "valid",
        cwd=tmp_path,
    )  # fmt: skip
    rows = (tmp_path / "runs/valid/results.jsonl").read_text().splitlines()
    assert [json.loads(row)["valid"] for row in rows] == [True] * 3


def test_a_wrong_argument_ends_with_its_name(tmp_path):
    with serving(good()) as server:
        done = subprocess.run(
            [BIN / "vf-eval", "toolrl", "--env.taskset.env", "ToolRL-Toolbocks-v0", "--no-push",
             "--no-rich", "--client.base-url", server.url, "-n", "1"],
            cwd=tmp_path, capture_output=True, text=True, timeout=WITHIN, check=False,
        )  # fmt: skip
        assert not server.requests
    assert done.returncode != 0
    assert "ToolRL-Toolbocks-v0 cannot be made" in done.stdout + done.stderr


def test_the_package_can_be_installed(tmp_path):
    project = tomllib.loads((ENVIRONMENT / "pyproject.toml").read_text())
    (package,) = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert (ENVIRONMENT / package / "__init__.py").is_file()
    pip = ["-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", tmp_path]
    subprocess.run([sys.executable, *pip, ENVIRONMENT], check=True, timeout=WITHIN)
    assert (tmp_path / "toolrl/__init__.py").is_file()
