"""The page about OpenEnv runs and prints what it says."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import subprocess
import sys
import types

import gymnasium as gym
import pytest

from agents.integrations.openenv.serve import ServeConfig, make_app
from tests.docs.examples import ROOT, blocks, commands
from tests.integrations.openenv.support import running

PAGE = ROOT / "docs" / "trainers" / "openenv.md"
BLOCKS = blocks(PAGE)
COMMANDS = [c for block in BLOCKS if block.language == "console" for c in commands(block)]


@pytest.fixture
def served():
    """Serve what the page's first command serves, on any port."""
    (command,) = (c for c in COMMANDS if c.slow)
    words = shlex.split(command.text)
    assert words[:3] == ["python", "-m", "agents.integrations.openenv.serve"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options.pop("--port") == "8000"
    with running(make_app(ServeConfig(options.pop("--env")))) as url:
        assert not options
        yield url


def test_the_examples_run(served, monkeypatch):
    module = types.ModuleType("openenv_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    registered = set(gym.registry)
    for block in BLOCKS:
        if block.language != "python":
            continue
        text = "\n" * (block.line - 1) + block.text.replace("http://127.0.0.1:8000", served)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(text, str(PAGE), "exec", dont_inherit=True), vars(module))  # noqa: S102
        if block.printed is not None:
            assert output.getvalue() == block.printed, block.line
    (new,) = set(gym.registry) - registered
    env = gym.make(new)
    env.reset(seed=1)
    assert env.step("no")[1] == 0.0
    env.close()
    del gym.registry[new]


def test_the_examples_are_short():
    assert all(block.text.count("\n") <= 40 for block in BLOCKS if block.language == "python")


def test_the_commands_run(tmp_path):
    ran = [c for c in COMMANDS if c.program == "python" and not c.slow]
    assert ran
    for command in ran:
        done = subprocess.run(
            command.arguments(),
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "toolbox_env" / "openenv.yaml").is_file()


def test_the_settings_that_the_page_names_are_there():
    text = PAGE.read_text("utf-8")
    assert f"`--max-sessions` ({ServeConfig().max_sessions})" in text
    for kwargs in re.findall(r"--env-kwargs '(.*?)'", text):
        assert ServeConfig(env_kwargs=kwargs).env_kwargs == json.dumps(json.loads(kwargs))
