from __future__ import annotations

import io

from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from agents.logs import RunLog, StepBar, read_metrics


def test_rows_go_to_both_places(tmp_path):
    log = RunLog(tmp_path)
    log.write({"step": 0, "loss": 2.0})
    log.write({"step": 1, "loss": 1.5})
    log.close()
    rows = read_metrics(tmp_path / "metrics.jsonl")
    assert rows == [{"step": 0, "loss": 2.0}, {"step": 1, "loss": 1.5}]
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(0, 2.0), (1, 1.5)]


def test_resuming_drops_later_rows(tmp_path):
    log = RunLog(tmp_path)
    for step in range(4):
        log.write({"step": step})
    log.close()
    RunLog(tmp_path, start=2).close()
    assert read_metrics(tmp_path / "metrics.jsonl") == [{"step": 0}, {"step": 1}]
    RunLog(tmp_path).close()
    assert read_metrics(tmp_path / "metrics.jsonl") == []


def test_missing_file_has_no_rows(tmp_path):
    assert read_metrics(tmp_path / "none.jsonl") == []


def show(terminal, steps=20):
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=140)
    with StepBar("GRPO", steps, console) as bar:
        for step in range(steps):
            bar({"step": step, "loss": 0.5, "reward": 1.25, "seconds": 2.0})
    return out.getvalue()


def test_plain_lines_without_a_terminal():
    lines = show(terminal=False).splitlines()
    assert lines[0] == "GRPO  2/20  loss 0.500  reward 1.250  about 36 s left"
    assert lines[-1] == "GRPO  20/20  loss 0.500  reward 1.250  about 0 s left"
    assert len(lines) == 10


def test_a_bar_with_a_terminal():
    text = show(terminal=True)
    assert "20/20" in text
    assert "reward 1.250" in text
    assert "left" in text
