"""``toolrl score``: rows in, the same rows with their reward out; nothing is lost."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.cli.score_stream import TermStatistics
from toolrl_env.rewards import preset_names, score_response

CALL = '{"name": "f", "parameters": {"x": 1}}'
GOLD = f"<think> a </think>\n<tool_call>\n{CALL}\n</tool_call>"
WRONG = GOLD.replace("1", "2")
BROKEN = "<think> a </think>\n<tool_call>\nno json\n</tool_call>"


def write(path, *rows):
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(line + "\n" for line in lines), "utf-8")
    return path


def read(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def two(tmp_path):
    row = {"id": 7, "response": GOLD, "ground_truth": GOLD}
    return write(tmp_path / "rows.jsonl", row, {"response": WRONG, "ground_truth": GOLD})


def test_every_row_comes_back_with_its_reward(two, toolrl):
    status, out, err = toolrl("score", two)
    assert (status, err) == (0, "")
    first, second = read(two.with_name("rows.scored.jsonl"))
    assert first["id"] == 7
    assert first["response"] == first["ground_truth"] == GOLD
    assert first["toolrl"] == {
        "line": 1,
        "reward": {"total": 4.0, "format": 1.0, "correctness": 3.0},
        "reasons": {},
        "lost": [],
        "error": None,
    }
    assert second["toolrl"]["reward"] == score_response(WRONG, GOLD).as_dict()
    assert second["toolrl"]["lost"] == ["'x' of 'f' is 2, gold is 1"]
    assert "correctness" in second["toolrl"]["reasons"]
    table = {line.split("│")[1].strip(): line for line in out.splitlines() if "│" in line}
    assert "2" in table["total"]
    assert "+3.0000" in table["total"]
    assert "50.0%" in table["correctness"]
    assert "100.0%" in table["format"]
    assert out.splitlines()[-1].startswith("2 rows scored, 0 not; written to ")


@pytest.mark.parametrize("name", preset_names())
def test_any_preset(name, two, toolrl, tmp_path):
    out = tmp_path / "out.jsonl"
    assert toolrl("score", two, "--preset", name, "--out", out).status == 0
    from toolrl_env.rewards import RewardConfig

    config = RewardConfig.preset(name)
    assert [row["toolrl"]["reward"] for row in read(out)] == [
        score_response(answer, GOLD, config).as_dict() for answer in (GOLD, WRONG)
    ]


def test_flags_and_steps(tmp_path, toolrl):
    rows = [{"response": GOLD, "ground_truth": GOLD, "step": step} for step in (0, 150)]
    file = write(tmp_path / "rows.jsonl", *rows, {"response": GOLD, "ground_truth": GOLD})
    status, _, _ = toolrl("score", file, "--flags", "SCHEDULEREWARD", "--step", 150)
    assert status == 0
    rewards = [row["toolrl"]["reward"] for row in read(tmp_path / "rows.scored.jsonl")]
    assert rewards[0] != rewards[1] == rewards[2]


def test_bad_rows_are_named_counted_and_kept(tmp_path, toolrl):
    good = {"response": GOLD, "ground_truth": GOLD}
    bad = [
        "{oops",
        "[1]",
        {"ground_truth": GOLD},
        {"response": 3, "ground_truth": GOLD},
        {"response": GOLD, "ground_truth": BROKEN, "id": "keep"},
        {**good, "step": -1},
        {**good, "step": "one"},
    ]
    file = write(tmp_path / "rows.jsonl", good, "", *bad, good)
    status, out, err = toolrl("score", file)
    assert status == 1
    said = err.splitlines()
    assert [line.partition(":")[0] for line in said] == [f"line {n}" for n in range(3, 10)]
    for line, part in zip(
        said,
        [
            "not JSON",
            "not an object but list",
            "'response' is missing",
            "'response' is int",
            "not JSON",
            "step=-1",
            "step='one'",
        ],
        strict=True,
    ):
        assert part in line
    rows = read(tmp_path / "rows.scored.jsonl")
    assert [row["toolrl"]["line"] for row in rows] == [1, 3, 4, 5, 6, 7, 8, 9, 10]
    assert rows[1]["raw"].strip() == "{oops"
    assert rows[5]["id"] == "keep"
    assert all(row["toolrl"]["error"] for row in rows[1:-1])
    assert rows[-1]["toolrl"]["reward"]["total"] == 4.0
    assert "2 rows scored, 7 not" in out


def test_many_bad_rows_do_not_flood_the_screen(tmp_path, toolrl):
    file = write(tmp_path / "rows.jsonl", *["{"] * 50)
    status, _, err = toolrl("score", file)
    assert status == 1
    assert len(err.splitlines()) == 21
    assert "30 more" in err


def test_bytes_that_are_no_text_are_a_bad_row(tmp_path, toolrl):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'\xff{"a": 1}\n' + json.dumps({"response": GOLD}).encode() + b"\n")
    assert toolrl("score", file).status == 1
    assert "not UTF-8" in read(tmp_path / "rows.scored.jsonl")[0]["toolrl"]["error"]


def test_compressed_input_and_scoring_again(two, toolrl, tmp_path):
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress(two.read_bytes()))
    toolrl("score", packed)
    once = read(tmp_path / "packed.scored.jsonl")
    toolrl("score", tmp_path / "packed.scored.jsonl", "--out", tmp_path / "twice.jsonl")
    assert read(tmp_path / "twice.jsonl") == once


def test_a_file_that_breaks_off_is_scored_as_far_as_it_goes(two, toolrl, tmp_path):
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress(two.read_bytes())[:-8])
    status, out, err = toolrl("score", packed)
    assert status == 2
    assert "2 rows scored" in out
    assert "packed.jsonl.gz, after line" in err
    assert len(read(tmp_path / "packed.scored.jsonl")) == 2


def test_standard_input_and_output():
    row = json.dumps({"response": GOLD, "ground_truth": GOLD})
    run = subprocess.run(
        [sys.executable, "-m", "toolrl_env.cli", "score", "-"],
        input=row + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout)["toolrl"]["reward"]["total"] == 4.0
    assert "1 rows scored" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--preset", "tolrl"], "Did you mean 'toolrl'"),
        (["--flags", "WITHLENGHT"], "Did you mean 'WITHLENGTH'"),
        (["--flags", "WITHLENGTH", "--preset", "f1"], "not both"),
        (["--out", "{file}"], "is the file to be scored"),
        (["--out", "{folder}/no/such/place.jsonl"], "cannot be written"),
    ],
)
def test_mistakes_leave_the_input_alone(arguments, said, two, toolrl):
    before = two.read_bytes()
    given = [a.format(file=two, folder=two.parent) for a in arguments]
    status, _, err = toolrl("score", two, *given)
    assert status == 2
    assert said in err
    assert two.read_bytes() == before


def test_an_output_is_replaced_only_on_request(two, toolrl):
    assert toolrl("score", two).status == 0
    status, _, err = toolrl("score", two)
    assert status == 2
    assert "--overwrite" in err
    assert toolrl("score", two, "--overwrite").status == 0


def test_an_empty_file_is_a_mistake(tmp_path, toolrl):
    status, _, err = toolrl("score", write(tmp_path / "rows.jsonl", "", ""))
    assert status == 2
    assert "there are no rows" in err


def test_the_golden_rows(toolrl, shared_data, tmp_path):
    """Rows of every variant through one preset: the count of broken gold answers is the file's."""
    source = shared_data / "rlla_reward_golden.jsonl.gz"
    status, out, _ = toolrl("score", source, "--out", tmp_path / "out.jsonl")
    with gzip.open(source, "rt") as file:
        expected = [json.loads(line) for line in file]
    broken = sum("error" in row["expected"] for row in expected)
    assert status == (1 if broken else 0)
    assert f"{len(expected) - broken} rows scored, {broken} not" in " ".join(out.split())
    plain = [row for row in expected if not row["flags"] and "error" not in row["expected"]]
    scored = {
        row["id"]: row["toolrl"]["reward"]
        for row in read(tmp_path / "out.jsonl")[:]
        if row["toolrl"]["reward"]
    }
    assert plain
    for row in plain:
        assert scored[row["id"]]["total"] == pytest.approx(row["expected"]["score"], abs=1e-12)


def test_memory_does_not_grow_with_the_file(tmp_path, toolrl):
    """25 MB of rows need hardly more than 1 MB of them."""
    row = json.dumps({"response": GOLD + "x" * 50_000, "ground_truth": GOLD}) + "\n"
    peaks = []
    for number in (20, 20, 500):  # the first run also loads what the command needs
        file = tmp_path / "rows.jsonl"
        file.write_text(row * number)
        tracemalloc.start()
        assert toolrl("score", file, "--overwrite").status == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < 1_000_000


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=50))
def test_running_statistics_are_the_true_ones(values):
    running = TermStatistics()
    for value in values:
        running.add(value, 5.0)
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    assert running.count == len(values)
    assert running.mean == pytest.approx(mean, abs=1e-9)
    assert running.half_width == pytest.approx(1.96 * (variance / len(values)) ** 0.5, abs=1e-6)
    assert (running.lowest, running.highest) == (min(values), max(values))
    assert running.perfect == sum(value >= 5 - 1e-12 for value in values)


def test_one_value_has_no_spread():
    running = TermStatistics()
    running.add(1.0, 1.0)
    assert (running.half_width, running.perfect) == (0.0, 1)
