"""The demo's whole path with a recipe of a few seconds, and its report."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from agents.demo import pipeline
from agents.demo.__main__ import DemoConfig
from agents.demo.figure import draw
from agents.demo.page import write_page
from agents.demo.pipeline import STAGES, run_demo, save_results
from agents.demo.recipe import FULL, QUICK
from agents.demo.seeds import aggregate
from agents.demo.table import HEADERS, example_indices, markdown, rows, show
from agents.models import load_folder
from agents.precision import choose_device, choose_dtype
from agents.statistics import Interval
from toolrl_env.core.errors import ConfigurationError

SHORT = replace(
    QUICK,
    held_out=9,
    warm_start=QUICK.warm_start | {"steps": 60, "decay_steps": 20},
    reinforcement=QUICK.reinforcement | {"steps": 2, "prompts": 2, "group_size": 4},
)


@pytest.fixture(scope="module")
def result(tmp_path_factory, one_thread):
    return run_demo(SHORT, 0, tmp_path_factory.mktemp("demo"), Console(file=io.StringIO()))


@pytest.fixture(scope="module")
def page(result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    draw(result, folder / "curve.png")
    write_page(result, folder / "curve.png", folder / "report.html")
    return folder


def test_every_stage_is_scored_on_the_same_held_out_tasks(result):
    assert tuple(result.evaluations) == STAGES
    assert len({got.golds for got in result.evaluations.values()}) == 1
    assert {len(got.rewards) for got in result.evaluations.values()} == {9}


def test_the_warm_start_helps(result):
    before, after = (result.evaluations[stage].summary() for stage in STAGES[:2])
    assert before["reward"].mean == -3.0
    assert after["format"].mean > before["format"].mean


def test_the_gain_is_that_of_grpo(result):
    warm, after = (result.evaluations[stage].summary()["reward"].mean for stage in STAGES[1:])
    assert result.gain.mean == pytest.approx(after - warm)


def test_the_checkpoint_loads_again(result):
    assert result.reloaded == 1.0
    assert (result.checkpoint / "config.json").is_file()
    assert (result.checkpoint / "trainer.pt").is_file()


def test_evaluation_computes_in_the_format_of_training(result, monkeypatch):
    seen = []
    monkeypatch.setattr(pipeline, "evaluate", lambda policy, *_: seen.append(policy))
    pipeline._score(SHORT, *load_folder(result.checkpoint))
    (policy,) = seen
    device = choose_device(SHORT.grpo(Path("out"), 0, 1, Path("model")).device)
    assert policy.model.dtype is choose_dtype("auto", device)
    assert policy.batch_size == SHORT.held_out


def test_times_and_metrics(result):
    assert result.seconds.keys() == result.cpu_seconds.keys()
    assert {"train: warm start", "train: GRPO", "score: after GRPO"} <= result.seconds.keys()
    assert (len(result.metrics["sft"]), len(result.metrics["grpo"])) == (60, 2)
    assert {"reward", "format", "correctness"} <= result.metrics["grpo"][0].keys()


def test_training_never_sees_the_test_split():
    for recipe in (FULL, QUICK):
        config = recipe.grpo("out", 0, 1, "model")
        assert json.loads(config.env_kwargs)["split"] == "train"
        assert json.loads(recipe.sft("out", 0, 1).env_kwargs)["split"] == "train"


def test_terminal_report(result):
    out = io.StringIO()
    show(result, Console(file=out, width=200))
    text = out.getvalue()
    for word in ("mean reward", "perfect answers", "right format", "reward gained by GRPO"):
        assert word in text
    assert text.count("after GRPO: reward") == 3
    assert '"name"' in text


class Reader(HTMLParser):
    """Collects tags and what the page would fetch from elsewhere."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in {"meta", "img"}:
            self.open.append(tag)
        self.links += [value for key, value in attrs if key in {"src", "href"}]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_is_well_formed_and_self_contained(page):
    reader = Reader()
    reader.feed((page / "report.html").read_text())
    assert reader.open == []
    assert {"script", "link", "iframe"}.isdisjoint(reader.tags)
    (image,) = reader.links
    kind, data = image.split(",", 1)
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == (page / "curve.png").read_bytes()
    assert base64.b64decode(data).startswith(b"\x89PNG")


def test_page_shows_table_examples_and_settings(page, result):
    text = (page / "report.html").read_text()
    for heading in HEADERS:
        assert f"<th>{heading}</th>" in text
    assert text.count('<pre class="gold">') == 3
    assert "&lt;tool_call&gt;" in text
    assert "<tool_call>" not in text
    assert "&quot;learning_rate&quot;: 0.004" in text
    assert result.gain.signed() in text


def test_examples_are_chosen_without_looking_at_the_result(result):
    chosen = example_indices(result)
    perfect = result.evaluations[STAGES[1]].perfect
    assert chosen == [i for i in range(9) if not perfect[i]][:3]


def test_table_rows():
    interval = Interval(0.5, 0.25, 0.75)
    summaries = {s: dict.fromkeys(("reward", "perfect", "format"), interval) for s in STAGES}
    table = rows(summaries)
    assert table[0] == ("mean reward", *["0.50 [0.25, 0.75]"] * 3)
    assert table[1] == ("perfect answers", *["50% [25%, 75%]"] * 3)
    assert markdown(["x"], [["1"]]) == "| x |\n|---|\n| 1 |"


def test_seeds_are_added_up(result, tmp_path):
    folders = []
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        folder.mkdir()
        save_results(replace(result, seed=seed), folder / "results.json")
        folders.append(folder)
    lines = aggregate(folders).splitlines()
    assert [line.split("|")[1].strip() for line in lines] == ["seed", "---", "0", "1", "mean"]
    assert len({line.count("|") for line in lines}) == 1
    assert re.search(r"-3\.00 \[-3\.00, -3\.00\]", lines[-1])
    assert lines[2].split("|")[2:6] == lines[4].split("|")[2:6]  # equal runs, equal mean
    assert len(aggregate(folders[:1]).splitlines()) == 3


def test_seeds_of_different_recipes_are_refused(result, tmp_path):
    for name, recipe in (("a", SHORT), ("b", QUICK)):
        (tmp_path / name).mkdir()
        save_results(replace(result, recipe=recipe), tmp_path / name / "results.json")
    with pytest.raises(ConfigurationError, match="different recipes"):
        aggregate([tmp_path / "a", tmp_path / "b"])


def test_defaults():
    assert DemoConfig().out.as_posix() == "runs/demo"
    assert FULL.model == "smollm2"
    assert QUICK.model == "tiny"
