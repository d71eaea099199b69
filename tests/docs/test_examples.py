"""Every example of the README and the docs runs, and prints what the page says."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import types

import gymnasium as gym
import pytest

from tests.docs.examples import PAGES, ROOT, blocks, commands

RUN = ("toolrl", "python")
LOOKED_AT = ("make", "pip", "git", "cd")
SLOW = {
    "python -m agents.demo",
    "python -m agents.evaluate",
    "python -m agents.sft",
    "python -m agents.grpo",
    "python -m agents.ppo",
    "python -m benchmarks.ablations.wasteless",
    "python -m benchmarks.speed.grpo_step",
    "python -m benchmarks.quality.sb3_curves",
    "python -m benchmarks.quality.candidate_coverage",
}
"""Commands that pages may mark slow; each has a test of its own elsewhere, or is `make demo`."""

pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")


@pytest.fixture
def registry():
    """Forget the environments that an example registers."""
    before = dict(gym.registry)
    yield
    for name in set(gym.registry) - set(before):
        del gym.registry[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch, registry):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    name = f"docs_{page.stem}".replace("-", "_")
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    for block in blocks(page):
        if block.language == "python":
            source = "\n" * (block.line - 1) + block.text
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile(source, str(page), "exec", dont_inherit=True), vars(module))  # noqa: S102
            if block.printed is not None:
                assert output.getvalue() == block.printed, f"{page.name}:{block.line}"
        elif block.language == "console":
            for command in commands(block):
                if command.program in RUN and not command.slow:
                    run_command(page, command)


def run_command(page, command):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    run = subprocess.run(
        command.arguments(), capture_output=True, text=True, env=env, input="", check=False
    )
    where = f"{page.name}:{command.line}: {command.text}"
    assert run.returncode == 0, f"{where}\n{run.stderr}"
    lines = [line.rstrip() for line in run.stdout.splitlines()]
    for shown in command.shown:
        assert shown.rstrip() in [*lines, "…"], (
            f"{where} does not print\n{shown}\nbut\n{run.stdout}"
        )


CONSOLE = [
    pytest.param(command, id=f"{page.name}:{command.line}")
    for page in PAGES
    for block in blocks(page)
    if block.language == "console"
    for command in commands(block)
]


@pytest.mark.parametrize("command", CONSOLE)
def test_every_command_is_run_or_known(command):
    assert command.program in RUN + LOOKED_AT, command.text
    if command.slow:
        assert " ".join(command.text.split()[:3]) in SLOW
    if command.program == "make":
        target = command.text.split()[1]
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_every_slow_command_is_listed_once_with_its_reason():
    slow = [param.values[0] for param in CONSOLE if param.values[0].slow]
    assert all(len(command.slow) > 10 for command in slow)
    assert {" ".join(command.text.split()[:3]) for command in slow} <= SLOW


def test_an_example_of_a_trainer_has_at_most_forty_lines():
    pages = sorted((ROOT / "docs/trainers").glob("*.md"))
    assert len(pages) >= 7
    for page in pages:
        code = [block for block in blocks(page) if block.language in {"python", "bash"}]
        assert code, page.name
        for block in code:
            assert len(block.text.splitlines()) <= 40, (page.name, block.line)


def test_every_trainer_is_in_the_readme():
    readme = (ROOT / "README.md").read_text("utf-8")
    for page in (ROOT / "docs/trainers").glob("*.md"):
        assert f"docs/trainers/{page.name})" in readme


def test_every_fence_says_its_language():
    for page in PAGES:
        assert len(re.findall(r"^```", page.read_text("utf-8"), re.MULTILINE)) == 2 * len(
            blocks(page)
        ), page.name
        for block in blocks(page):
            assert block.language in {"python", "console", "text", "json"}, (page.name, block.line)
