"""What a person types: the trainers and the demo's table, in this process and in a fresh one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from agents import grpo, ppo, sft
from agents.demo import __main__ as demo
from agents.demo import seeds
from agents.logs import read_metrics

ROOT = Path(__file__).parents[2]


def run(monkeypatch, main, *arguments):
    monkeypatch.setattr(sys, "argv", ["program", *map(str, arguments)])
    main()


def test_sft_then_grpo(monkeypatch, capsys, stub_id, tmp_path):
    shared = ["--env", stub_id, "--steps", 2, "--seed", 3]
    run(monkeypatch, sft.main, *shared, "--model", "tiny", "--batch-size", 4,
        "--out", tmp_path / "sft")  # fmt: skip
    folder = tmp_path / "sft" / "checkpoint"
    assert f"checkpoint: {folder}" in capsys.readouterr().out
    run(monkeypatch, grpo.main, *shared, "--model", folder, "--group-size", 2,
        "--max-new-tokens", 8, "--out", tmp_path / "grpo")  # fmt: skip
    assert "GRPO  2/2" in capsys.readouterr().out
    assert len(read_metrics(tmp_path / "grpo" / "metrics.jsonl")) == 2


@pytest.mark.parametrize(
    "module", ["agents.sft", "agents.grpo", "agents.ppo", "agents.demo", "agents.evaluate"]
)
def test_help_documents_every_field(module):
    got = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    words = " ".join(got.stdout.replace("│", " ").split())
    assert "--seed" in words
    assert "--out" in words
    if module == "agents.grpo":
        assert "Answers per prompt." in words
        assert "Registered environment id." in words
    if module == "agents.evaluate":
        assert "Largest k of pass@k and pass^k." in words
        assert "--openai.token-budget" in words


def test_every_choice_can_be_typed(monkeypatch, capsys, stub_id, tmp_path):
    shared = ["--env", stub_id, "--steps", 1, "--model", "tiny", "--max-new-tokens", 6]
    run(monkeypatch, grpo.main, *shared, "--advantage", "gdpo", "--component-weights",
        '{"format": 0.5}', "--loss", "gspo", "--aggregation", "sequence", "--clip-high", 0.01,
        "--kl", "k3", "--kl-weight", 0.01, "--kl-correction", "--entropy-weight", 0.01,
        "--importance", "mask", "--overlong-buffer", 3, "--tasks", 4, "--keep-solved", 0.5,
        "--resample", 1, "--train-on", 4, "--levels", "[{}, {}]", "--out", tmp_path / "grpo",
        )  # fmt: skip
    assert "GRPO  1/1" in capsys.readouterr().out
    run(monkeypatch, ppo.main, *shared, "--prompts", 3, "--lam", 0.9, "--value-clip", 0.2,
        "--no-whiten", "--out", tmp_path / "ppo")  # fmt: skip
    assert "PPO  1/1" in capsys.readouterr().out


def test_a_combination_without_sense_is_refused(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, grpo.main, "--loss", "gspo")
    words = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "set aggregation='sequence'" in words


def test_an_unknown_option_is_refused(monkeypatch, capsys):
    with pytest.raises(SystemExit) as error:
        run(monkeypatch, grpo.main, "--grup-size", 2)
    assert error.value.code == 2
    assert "--grup-size" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "ToolRL-Tolbox-v0"], "ToolRL-Tolbox-v0 cannot be made: .*ToolRL-Toolbox"),
        (["--env-kwargs", '{"dificulty": 1}'], "cannot be made: .*dificulty"),
        (["--model", "smollm3"], "model='smollm3'; allowed: 'smollm2', 'tiny'"),
        (["--resume", "nowhere"], "nowhere"),
    ],
)
@pytest.mark.parametrize("main", [sft.main, grpo.main, ppo.main])
def test_what_cannot_be_had_is_said_in_a_line(
    monkeypatch, capsys, stub_id, tmp_path, main, arguments, message
):
    shared = ["--model", "tiny", "--env", stub_id, "--steps", 1, "--out", tmp_path]
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, main, *shared, *arguments)
    assert stopped.value.code == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert re.search(message, said[-1])
    assert "Traceback" not in "".join(said)


class Recorder:
    """Stands for one run of the demo."""

    def __init__(self):
        self.calls = []

    def __call__(self, quick, seed, out, console):
        self.calls.append((quick, seed, out))
        out.mkdir(parents=True, exist_ok=True)


def test_the_demo_runs_one_seed(monkeypatch, tmp_path):
    recorder = Recorder()
    monkeypatch.setattr(demo, "run_one", recorder)
    run(monkeypatch, demo.main, "--quick", "--seed", 5, "--out", tmp_path)
    assert recorder.calls == [(True, 5, tmp_path)]


def test_the_demo_runs_several_seeds_and_adds_them_up(monkeypatch, capsys, tmp_path):
    recorder = Recorder()
    monkeypatch.setattr(demo, "run_one", recorder)
    monkeypatch.setattr(demo, "aggregate", lambda folders: f"table of {len(folders)}")
    run(monkeypatch, demo.main, "--seeds", 0, 4, "--out", tmp_path)
    assert recorder.calls == [(False, 0, tmp_path / "seed0"), (False, 4, tmp_path / "seed4")]
    assert "table of 2" in capsys.readouterr().out
    assert (tmp_path / "seeds.md").read_text() == "table of 2\n"


def test_the_table_of_finished_runs(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(seeds, "aggregate", lambda folders: f"{[f.name for f in folders]}")
    run(monkeypatch, seeds.main, tmp_path / "a", tmp_path / "b")
    assert capsys.readouterr().out == "['a', 'b']\n"
