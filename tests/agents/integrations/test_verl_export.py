"""The file for verl, without verl."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pyarrow.parquet as pq
import pytest

from agents.integrations.tasks import TaskRef, task_rows
from agents.integrations.verl.export import ExportConfig, export, main, write_rows
from toolrl_env.core.errors import ConfigurationError, UnknownName

TOOLBOX, TOOLACE = "ToolRL-Toolbox-v0", "ToolRL-ToolACE-v0"
WORKSPACE = "ToolRL-Workspace-v0"
ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")


def written(tmp_path, **settings):
    config = ExportConfig(**{"env": TOOLBOX, "tasks": 5, "out": tmp_path / "x.parquet", **settings})
    count = export(config)
    rows = pq.read_table(config.out).to_pylist()
    assert len(rows) == count
    return rows


def test_a_row_names_its_task_and_shows_what_the_model_sees(tmp_path):
    for row in written(tmp_path, env_kwargs='{"difficulty": 2}', split="test"):
        ref = TaskRef.parse(row["extra_info"])
        assert ref.kwargs() == {"difficulty": 2, "split": "test"}
        env = gym.make(TOOLBOX, **ref.kwargs())
        _, info = env.reset(options={"task_index": ref.index})
        assert row["prompt"] == list(info["messages"])
        assert row["reward_model"]["ground_truth"] == info["task_id"]
        assert row["data_source"] == "toolrl/" + info["source"]
        assert (row["ability"], row["agent_name"]) == ("tool_use", "toolrl")
        assert row["extra_info"]["split"] == "test"


def test_the_gold_answer_is_nowhere_in_the_file(tmp_path):
    called = 0
    for row in written(tmp_path, env_kwargs='{"difficulty": 3}', tasks=20):
        ref = TaskRef.parse(row["extra_info"])
        env = gym.make(TOOLBOX, **ref.kwargs())
        env.reset(options={"task_index": ref.index})
        gold = env.unwrapped.gold_answer()
        calls = [line for line in gold.splitlines() if line.startswith("{")]
        called += len(calls)
        text = json.dumps(row)
        for secret in (gold, *calls):
            assert json.dumps(secret)[1:-1] not in text
    assert called > 10


def test_a_finite_set_is_written_whole_and_an_endless_one_by_number(tmp_path):
    rows = written(tmp_path, env=TOOLACE, tasks=0)
    assert len(rows) == len(gym.make(TOOLACE).unwrapped.tasks)
    with pytest.raises(ConfigurationError, match=r"tasks=0 .* no end"):
        written(tmp_path, tasks=0)


def test_the_seed_chooses_the_tasks(tmp_path):
    one, same, other = (written(tmp_path, seed=seed) for seed in (1, 1, 2))
    assert one == same != other


def test_history_with_calls_as_fields_is_refused_and_as_text_is_not(tmp_path):
    with pytest.raises(ConfigurationError, match="tool_calls"):
        written(tmp_path, env=TOOLACE, tasks=0, env_kwargs='{"protocol": "native"}')
    roles = {
        message["role"]
        for row in written(tmp_path, env=TOOLACE, tasks=0)
        for message in row["prompt"]
    }
    assert roles == {"system", "user"}


def test_tools_that_verls_own_loop_would_not_show_are_refused(tmp_path):
    native = {"env_kwargs": '{"protocol": "native"}'}
    with pytest.raises(ConfigurationError, match="single_turn_agent does not show"):
        written(tmp_path, agent="single_turn_agent", **native)
    assert len(written(tmp_path, **native)) == 5
    assert written(tmp_path, agent="single_turn_agent")[0]["agent_name"] == "single_turn_agent"


def test_episodes_of_several_answers_are_not_for_verls_own_loop(tmp_path):
    one = {"env": WORKSPACE, "tasks": 2, "agent": "single_turn_agent"}
    with pytest.raises(ConfigurationError, match="up to max_turns=30: use agent='toolrl'"):
        written(tmp_path, **one)
    assert not list(tmp_path.iterdir())
    assert len(written(tmp_path, env_kwargs='{"max_turns": 1}', **one)) == 2


def test_a_conversation_that_does_not_go_on_from_the_answer_is_refused(tmp_path):
    given = {"env": TOOLACE, "env_kwargs": '{"mode": "multi_turn"}', "tasks": 1}
    with pytest.raises(ConfigurationError, match="free_running"):
        written(tmp_path, **given)


def test_folders_are_made_and_a_file_that_is_there_is_replaced(tmp_path):
    path = tmp_path / "a" / "b.parquet"
    for count in (2, 1):
        write_rows(task_rows(TOOLBOX, {}, range(count)), path, split="train")
        assert pq.read_table(path).num_rows == count


def test_a_write_that_breaks_off_leaves_the_old_file(tmp_path, monkeypatch):
    path, rows = tmp_path / "x.parquet", task_rows(TOOLBOX, {}, range(2))
    write_rows(rows, path, split="train")
    before = path.read_bytes()

    def interrupted(_, where):
        where.write_bytes(before[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr(pq, "write_table", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_rows(rows, path, split="train")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "file").touch()
    for name in ("folder.parquet", "file/x.parquet"):
        with pytest.raises(ConfigurationError, match=f"out='.*{name}' cannot be written"):
            written(tmp_path, out=tmp_path / name)


def test_who_exports_the_sample_is_told_that_it_is_one(tmp_path):
    command = [sys.executable, "-m", "agents.integrations.verl.export", "--env", TOOLACE]
    command += ["--tasks", "2", "--out", str(tmp_path / "x.parquet")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stderr.count("SampleDataWarning: toolace") == 1


@pytest.mark.parametrize(
    ("setting", "error", "words"),
    [
        ({"tasks": -1}, ConfigurationError, "tasks=-1"),
        ({"seed": -1}, ConfigurationError, "seed=-1"),
        ({"agent": "toolrl_agent"}, UnknownName, "'toolrl'"),
        ({"out": "rows.json"}, ConfigurationError, "parquet"),
        ({"split": "test", "env_kwargs": '{"split": "train"}'}, ConfigurationError, "split"),
        ({"env_kwargs": "[]"}, ConfigurationError, "JSON object"),
        ({"env": "ToolRL-Toolbx-v0"}, ConfigurationError, "Toolbx"),
        ({"env": "CartPole-v1"}, ConfigurationError, "not a ToolUseEnv"),
    ],
)
def test_what_cannot_work_is_said(tmp_path, setting, error, words):
    changed = {**setting, **({"out": tmp_path / setting["out"]} if "out" in setting else {})}
    with pytest.raises(error, match=words):
        written(tmp_path, **changed)


def test_the_command_line(tmp_path, monkeypatch, capsys):
    out = tmp_path / "x.parquet"
    command = ["export", "--env", TOOLBOX, "--split", "test", "--tasks", "3", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", command)
    main()
    assert capsys.readouterr().out == f"3 tasks: {out}\n"
    monkeypatch.setattr(sys, "argv", [*command, "--agent", "other"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "unknown agent 'other'" in capsys.readouterr().err


def test_neither_verl_nor_torch_is_needed():
    code = (
        "import sys; sys.modules['verl'] = sys.modules['torch'] = None;"
        "import agents.integrations.verl.export, agents.integrations.verl.reward"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
