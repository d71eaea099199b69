"""The hosted-model policy against ``transformers serve`` with SmolLM2, a real server of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from agents.chat.options import ChatOptions
from agents.evaluate import EvaluateConfig, run
from agents.models import smollm2

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]
START_WITHIN, ANSWER_WITHIN = 240, 120
QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Base URL and model name of a server that ends with the tests."""
    folder = str(smollm2.folder())
    with serving(folder, tmp_path_factory.mktemp("serve") / "log") as url:
        yield url, folder


@contextmanager
def serving(folder: str, log: Path):
    """Run ``transformers serve`` on a saved model; yield its base URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = "from transformers.cli.transformers import main; main()"
    arguments = ["serve", folder, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with log.open("w") as file:
        server = subprocess.Popen(
            [sys.executable, "-c", program, *arguments], stdout=file, stderr=file, env=env
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(20)


def wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + START_WITHIN
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    pytest.fail(f"the server did not start: {log.read_text()}")


@pytest.mark.parametrize("protocol", ["toolrl", "native"])
def test_smollm2_is_evaluated_behind_a_real_server(protocol, served, tmp_path):
    url, model = served
    options = ChatOptions(timeout=ANSWER_WITHIN, concurrency=2, cache=tmp_path / "cache")
    config = EvaluateConfig(
        env="ToolRL-Toolbox-v0",
        env_kwargs=json.dumps({"difficulty": 1, "protocol": protocol}),
        agent=f"openai:{model}@{url}",
        episodes=2,
        max_new_tokens=12,
        out=tmp_path / "first",
        openai=options,
    )
    results = run(config, QUIET)
    assert results.complete, results.failures
    assert not results.failures
    lines = (tmp_path / "first" / "trajectories.jsonl").read_text().splitlines()
    answers = [json.loads(line)["transitions"][0]["action"] for line in lines]
    assert all(answers), "the model said nothing"
    again = run(EvaluateConfig(**{**vars(config), "out": tmp_path / "again"}), QUIET)
    assert [task.rewards for task in again.tasks] == [task.rewards for task in results.tasks]
    assert len(list((tmp_path / "cache").rglob("*.json"))) == 2
