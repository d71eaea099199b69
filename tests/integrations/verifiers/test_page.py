"""The page about verifiers: its examples run as they stand, but for the endpoint's address."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest

from tests.agents.chat.server import serving
from tests.docs.examples import ROOT, blocks, commands
from tests.integrations.verifiers.rollouts import TOOLBOX, WORKSPACE, gold, scripted

PAGE = ROOT / "docs/trainers/verifiers.md"
ADDRESS = "http://127.0.0.1:8000/v1"
LONGEST = 40

pytestmark = pytest.mark.timeout(600)


def test_python_examples_run_and_print_what_the_page_says():
    plan, _ = scripted(WORKSPACE, {}, 3, gold)
    examples = [block for block in blocks(PAGE) if block.language == "python"]
    assert len(examples) == 2
    for block in examples:
        assert block.text.count("\n") <= LONGEST
        module, printed = types.ModuleType("example"), io.StringIO()
        with serving(plan) as server, contextlib.redirect_stdout(printed):
            source = block.text.replace(ADDRESS, server.url)
            exec(compile(source, f"{PAGE}:{block.line}", "exec"), module.__dict__)  # noqa: S102
        if block.printed is not None:
            assert printed.getvalue() == block.printed
        else:
            lines = printed.getvalue().splitlines()
            assert len(lines) == 3
            assert all(line.startswith("True 1.0 {'outcome': 1.0") for line in lines)


def test_commands_run(tmp_path):
    plan, _ = scripted(TOOLBOX, {"difficulty": 1}, 3, gold)
    written = [
        command
        for block in blocks(PAGE)
        if block.language == "console"
        for command in commands(block)
    ]
    assert [command.program for command in written] == ["pip", "vf-eval", "vf-validate"]
    for command in written[1:]:
        with serving(plan) as server:
            words = shlex.split(command.text.replace(ADDRESS, server.url))
            words[0] = str(Path(sys.executable).parent / words[0])
            done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (traces,) = tmp_path.rglob("traces.jsonl")
    assert re.findall(r'"is_success": ?([0-9.]+)', traces.read_text()) == ["1.0"] * 3
    (checks,) = tmp_path.rglob("results.jsonl")
    assert [json.loads(row)["valid"] for row in checks.read_text().splitlines()] == [True] * 3


def test_what_the_install_line_installs_is_there():
    (pip,) = [
        command
        for block in blocks(PAGE)
        if block.language == "console"
        for command in commands(block)
        if command.program == "pip"
    ]
    assert (ROOT / shlex.split(pip.text)[-1] / "pyproject.toml").is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "verifiers" in project["optional-dependencies"]
