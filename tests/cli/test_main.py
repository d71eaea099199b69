"""The front of the command line: help, version, mistakes, start-up."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from toolrl_env import __version__
from toolrl_env.cli import COMMANDS, main

PYTHON = [sys.executable, "-m", "toolrl_env.cli"]


def test_version(toolrl):
    assert toolrl("--version") == (0, f"toolrl {__version__}\n", "")


def test_help_names_every_command(toolrl):
    status, out, _ = toolrl("--help")
    assert status == 0
    assert all(name in out and command.summary in out for name, command in COMMANDS.items())
    assert toolrl() == (2, out, "")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert f"usage: toolrl {name}" in out
    assert "Attributes:" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["lst"],
            "unknown command 'lst'; allowed: check, list, play, replay, score, show. Did you",
        ),
        (["show", "ToolRL-ToolACE-v9"], "Did you mean 'ToolRL-ToolACE-v0'"),
        (["show", "no_such_module:X-v0"], "cannot import 'no_such_module'"),
        (["show", "CartPole-v1"], "CartPole-v1 is no tool-use environment"),
        (["show", "ToolRL-XLAM-v0", "--level", "2"], "ToolRL-XLAM-v0 takes no argument 'level'"),
        (["show", "ToolRL-XLAM-v0", "--split", "tran"], "Did you mean 'train'"),
        (["show", "ToolRL-XLAM-v0", "--reward", "tolrl"], "Did you mean 'toolrl'"),
        (["show", "ToolRL-XLAM-v0", "--task-index", "99999"], "task_index=99999"),
        (["show", "ToolRL-XLAM-v0", "--seed", "-1"], "seed=-1"),
        (["show", "ToolRL-XLAM-v0", "--task-index", "1", "--task-id", "x"], "not both"),
        (["show", "ToolRL-XLAM-v0", "--data", "none.jsonl"], "none.jsonl: cannot be read"),
        (["play", "ToolRL-XLM-v0"], "Did you mean 'ToolRL-XLAM-v0'"),
        (["score", "none.jsonl"], "none.jsonl: cannot be read: No such file"),
        (["check", "none.json", "--dataset", "rlla"], "none.json: cannot be read"),
        (["check", "none.txt", "--dataset", "rlla"], "unknown kind of file"),
        (["replay", "none.jsonl"], "none.jsonl: cannot be read"),
        (["replay", "none.jsonl", "--imports", "nope"], "cannot import 'nope'"),
    ],
)
def test_a_mistake_is_one_clear_line(arguments, said, toolrl):
    status, out, err = toolrl(*arguments)
    assert status == 2
    assert out == ""
    *notes, line = err.splitlines()
    assert all(note.startswith("toolrl: note: ") for note in notes)
    assert line.startswith("toolrl: ")
    assert said in line


def test_arguments_that_tyro_refuses_end_with_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["show"])
    assert stopped.value.code == 2
    assert "ENV" in capsys.readouterr().err


def test_the_sample_is_announced_in_one_line_without_source_code():
    run = subprocess.run(
        [*PYTHON, "show", "ToolRL-XLAM-v0"], capture_output=True, text=True, check=True
    )
    (line,) = run.stderr.splitlines()
    assert line.startswith("toolrl: note: xlam: ")


def test_an_output_that_nobody_reads_further_is_no_error():
    with subprocess.Popen(
        [*PYTHON, "show", "ToolRL-ToolACE-v0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        run.stdout.close()
        err = run.stderr.read().decode()
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


def test_a_terminal_without_unicode_still_gets_text():
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    run = subprocess.run([*PYTHON, "list"], capture_output=True, text=True, check=True, env=env)
    assert "ToolRL-ToolACE-v0" in run.stdout


def test_the_libraries_of_the_command_line_are_loaded_when_it_runs():
    code = (
        "import sys, toolrl_env, toolrl_env.cli\n"
        "print(sorted({'rich', 'tyro', 'jsonschema', 'scipy', 'torch'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
