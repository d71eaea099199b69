"""``toolrl check`` and ``toolrl replay``."""

from __future__ import annotations

import json

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.wrappers import RecordTrajectories

pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")

TOOLS = json.dumps(
    [
        {
            "name": "add",
            "description": "Add.",
            "parameters": {"x": {"description": "A number.", "type": "int", "default": ""}},
        }
    ]
)


def xlam(number, argument, **changes):
    answers = json.dumps([{"name": "add", "arguments": {"x": argument}}])
    return {"id": number, "query": f"Add {number}", "answers": answers, "tools": TOOLS, **changes}


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


# ------------------------------------------------------------------ check


def test_a_sound_file(tmp_path, toolrl):
    file = write(tmp_path / "x.jsonl", [xlam(n, n) for n in range(5)])
    status, out, _ = toolrl("check", file, "--dataset", "xlam")
    assert status == 0
    counts = dict(line.strip("│").split("│") for line in out.splitlines() if line.startswith("│"))
    counts = {name.strip(): number.strip() for name, number in counts.items()}
    assert counts["rows"] == counts["tasks they make"] == counts["category single"] == "5"
    assert counts["broken rows"] == counts["tasks whose gold does not validate"] == "0"
    assert sum(int(n) for name, n in counts.items() if name.startswith("split")) == 5


def test_broken_rows_are_named_and_fail_the_check(tmp_path, toolrl):
    rows = [xlam(0, 1), xlam(1, 1, answers="[oops"), {"id": 2}, 3]
    status, out, _ = toolrl("check", write(tmp_path / "x.jsonl", rows), "--dataset", "xlam")
    assert status == 1
    assert "row 1: " in out
    assert "row 2: xlam rows need the columns" in out
    assert "row 3: " in out


def test_gold_that_does_not_validate_is_shown_and_does_not_fail(tmp_path, toolrl):
    file = write(tmp_path / "x.jsonl", [xlam(0, 1), xlam(1, "one")])
    status, out, _ = toolrl("check", file, "--dataset", "xlam")
    assert status == 0
    assert "xlam-1: call 0 ('add'): argument $.x is 'one' (string) but must be an integer" in out


def test_long_lists_are_cut_unless_all_is_asked_for(tmp_path, toolrl):
    file = write(tmp_path / "x.jsonl", [xlam(0, 1), *[{"id": n} for n in range(30)]])
    _, short, _ = toolrl("check", file, "--dataset", "xlam")
    _, full, _ = toolrl("check", file, "--dataset", "xlam", "--all")
    assert short.count("rows need the columns") == 20
    assert "and 10 more; --all shows them" in short
    assert full.count("rows need the columns") == 30
    assert "more;" not in full


def test_real_files(shared_data, toolrl):
    status, out, _ = toolrl("check", shared_data / "rlla_sft.json", "--dataset", "rlla")
    assert status == 1
    assert "400" in out
    level = shared_data / "api_bank" / "level-2-api_processed.json"
    status, out, _ = toolrl("check", level, "--dataset", "api_bank", "--level", 2)
    assert "67" in out


def test_options_the_dataset_does_not_have(tmp_path, toolrl):
    file = write(tmp_path / "x.jsonl", [xlam(0, 1)])
    status, _, err = toolrl("check", file, "--dataset", "xlam", "--level", 2)
    assert status == 2
    assert "has no option 'level'" in err


# ------------------------------------------------------------------ replay


@pytest.fixture
def recorded(tmp_path):
    path = tmp_path / "t.jsonl"
    env = RecordTrajectories(gym.make("ToolRL-Toolbox-v0", difficulty=1), path)
    for seed in range(3):
        env.reset(seed=seed)
        env.step(env.unwrapped.gold_answer() if seed else "junk")
    return path


def test_a_recorded_file_replays(recorded, toolrl):
    status, out, err = toolrl("replay", recorded)
    assert (status, err) == (0, "")
    assert out == "3 of 3 episodes are the same again; 0 lines could not be read\n"


def test_a_difference_is_shown_and_the_rest_still_replays(recorded, toolrl):
    lines = recorded.read_text().splitlines()
    lines[1] = lines[1].replace('"reward": 4.0', '"reward": 3.5')
    recorded.write_text("\n".join(lines) + "\n")
    status, out, _ = toolrl("replay", recorded)
    assert status == 1
    assert "episode 2: ToolRL-Toolbox-v0, task toolbox-train-d1-" in out
    assert "  step 0: reward: recorded 3.5, now 4.0" in out
    assert "2 of 3 episodes are the same again" in out


def test_a_cut_last_line_is_told_and_tolerated(recorded, toolrl):
    recorded.write_bytes(recorded.read_bytes()[:-50])
    status, out, _ = toolrl("replay", recorded)
    assert status == 0
    assert "line 3: the last line is cut" in out
    assert "2 of 2 episodes" in out


def test_another_broken_line_fails(recorded, toolrl):
    recorded.write_text("{}\n" + recorded.read_text())
    status, out, _ = toolrl("replay", recorded)
    assert status == 1
    assert "line 1: version is None" in out
    assert "3 of 3 episodes are the same again; 1 lines could not be read" in out


def test_a_file_without_episodes_is_a_mistake(tmp_path, toolrl):
    (tmp_path / "t.jsonl").write_text("\n")
    status, _, err = toolrl("replay", tmp_path / "t.jsonl")
    assert status == 2
    assert "there are no episodes" in err


def test_an_environment_of_ones_own_replays_once_its_module_is_imported(
    tmp_path, toolrl, monkeypatch
):
    (tmp_path / "own_env_for_replay.py").write_text(
        "import gymnasium as gym\n"
        "from toolrl_env.envs.toolbox import ToolboxEnv\n"
        "gym.register('Own/Replayed-v0', entry_point=ToolboxEnv)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "t.jsonl"
    toolrl("play", "own_env_for_replay:Own/Replayed-v0", "--record", path, typed="x\n.\n")
    spec = gym.registry.pop("Own/Replayed-v0")
    assert toolrl("replay", path).status == 2
    gym.registry[spec.id] = spec
    try:
        status, out, _ = toolrl("replay", path, "--imports", "own_env_for_replay")
        assert (status, out[:6]) == (0, "1 of 1")
    finally:
        del gym.registry[spec.id]
