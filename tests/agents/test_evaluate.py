"""The evaluation as a whole: any agent, failures, kills and reruns, the command line."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from agents import evaluate, evaluation, generation
from agents.chat.options import ChatOptions
from agents.evaluate import EvaluateConfig, run
from agents.evaluating.results import read_results
from agents.scripted import RandomPolicy
from tests.agents.chat.server import echo_key, good, serving
from tests.agents.evaluating.flaky import FLAKY, WAITING, WaitingEnv
from toolrl_env.cli import main as toolrl
from toolrl_env.core.errors import ConfigurationError, UnknownName

ROOT = Path(__file__).parents[2]
TOOLBOX, WORKSPACE = "ToolRL-Toolbox-v0", "ToolRL-Workspace-v0"
QUIET = Console(quiet=True)
MINE = "tests.agents.evaluating.flaky"


def play(out, agent="random", env=TOOLBOX, **options):
    chosen = {"episodes": 12, "batch_size": 5, **options}
    return run(EvaluateConfig(env=env, agent=agent, out=out, **chosen), QUIET)


# --------------------------------------------------------------------------- agents and results


@pytest.mark.parametrize("env", [TOOLBOX, WORKSPACE, "ToolRL-ToolACE-v0"])
def test_gold_solves_everything_and_random_does_not(env, tmp_path):
    gold = play(tmp_path / "gold", "gold", env)
    assert gold.summary["success"].mean == 1.0
    assert gold.complete
    assert len(gold.tasks) == 12
    random = play(tmp_path / "random", "random", env)
    assert random.summary["reward"].mean < gold.summary["reward"].mean


def test_gold_goes_through_recorded_dialogues(tmp_path):
    kwargs = '{"mode": "multi_turn"}'
    results = play(tmp_path, "gold", "ToolRL-ToolACE-v0", env_kwargs=kwargs)
    assert results.summary["success"].mean == 1.0
    assert results.summary["turns"].mean > 1


def test_noise_over_several_turns(tmp_path):
    results = play(tmp_path, "noisy:0.5", WORKSPACE, episodes=20)
    assert 0 < results.summary["success"].mean < 1


def test_the_trajectories_replay(tmp_path, capsys):
    for number, (agent, env) in enumerate([("noisy:0.4", WORKSPACE), ("random", TOOLBOX)]):
        play(tmp_path / str(number), agent, env, k=2)
        assert toolrl(["replay", str(tmp_path / str(number) / "trajectories.jsonl")]) == 0
        assert "24 of 24 episodes are the same again" in capsys.readouterr().out


def test_equal_seeds_give_equal_files_in_whatever_batch(tmp_path):
    for name, batch_size in (("a", 1), ("b", 3), ("c", 50)):
        play(tmp_path / name, "noisy:0.4", WORKSPACE, k=2, seed=4, batch_size=batch_size)
    first, *others = [(tmp_path / name / "results.json").read_bytes() for name in "abc"]
    assert all(other == first for other in others)
    play(tmp_path / "d", "noisy:0.4", WORKSPACE, k=2, seed=5)
    assert (tmp_path / "d" / "results.json").read_bytes() != first


def test_attempts_differ_from_each_other(tmp_path):
    results = play(tmp_path, "noisy:0.5", k=2, attempts=4, episodes=20)
    assert any(len(set(task.rewards)) > 1 for task in results.tasks)
    summary = results.summary
    assert summary["pass^2"].mean < summary["pass@1"].mean < summary["pass@2"].mean
    assert summary["pass@1"] == summary["pass^1"] == summary["success"]


def test_the_settings_say_what_can_move_a_score(tmp_path):
    kwargs = '{"difficulty": 2, "protocol": "native", "split": "test"}'
    results = play(tmp_path, "noisy:0.3", seed=7, env_kwargs=kwargs)
    settings = json.loads((tmp_path / "results.json").read_text())["settings"]
    assert settings["protocol"] == "native"
    assert settings["split"] == "test"
    assert settings["env_kwargs"] == json.loads(kwargs)
    assert len(settings["fingerprint"]) == len(settings["prompt_sha256"]) == 64
    assert settings["reward"]["granularity"]
    assert settings["seed"] == 7
    assert len(settings["tasks"]) == 12
    assert {"python", "torch", "transformers", "code_sha256"} <= set(settings["versions"])
    assert read_results(tmp_path / "results.json") == results


def test_a_model_of_a_folder_samples_by_the_seed_alone(tiny_folder, tmp_path):
    options = {"k": 2, "episodes": 4, "temperature": 2.0, "max_new_tokens": 6, "dtype": "float32"}
    results = [
        play(tmp_path / str(size), f"hf:{tiny_folder}", batch_size=size, **options)
        for size in (2, 8)
    ]
    actions = []
    for size in (2, 8):
        lines = map(json.loads, (tmp_path / str(size) / "trajectories.jsonl").open())
        found = [(*line["notes"].values(), line["transitions"][0]["action"]) for line in lines]
        actions.append(sorted((each[0], each[1], each[-1]) for each in found))
    assert actions[0] == actions[1]
    assert len({action for *_, action in actions[0]}) > 1
    assert results[0].complete


def test_the_attempts_at_a_task_share_the_reading_of_its_prompt(tiny_folder, tmp_path, monkeypatch):
    read, counted = generation.read, []

    def counting(model, texts, *rest):
        counted.append(len(texts))
        return read(model, texts, *rest)

    monkeypatch.setattr(generation, "read", counting)
    options = {"k": 2, "episodes": 4, "temperature": 1.0, "max_new_tokens": 2}
    assert play(tmp_path, f"hf:{tiny_folder}", batch_size=4, **options).complete
    assert counted == [2, 2]


def test_equal_attempts_are_pointed_out(tiny_folder, tmp_path):
    options = {"episodes": 2, "max_new_tokens": 2, "out": tmp_path}
    for k, said in ((1, False), (2, True)):
        console = Console(record=True, file=io.StringIO(), width=120)
        config = EvaluateConfig(env=TOOLBOX, agent=f"hf:{tiny_folder}", k=k,
                                **options | {"out": tmp_path / str(k)})  # fmt: skip
        run(config, console)
        assert ("all attempts at a task are the same" in console.export_text()) is said


@pytest.mark.model
def test_smollm2_by_its_name(tmp_path):
    results = play(tmp_path, "hf:smollm2", episodes=2, max_new_tokens=8)
    assert results.complete
    assert len(results.settings.agent_settings["weights_sha256"]) == 64


def test_a_hosted_model_with_faults(tmp_path, monkeypatch):
    key = "sk-secret-0123456789"
    monkeypatch.setenv("OPENAI_API_KEY", key)
    chat = ChatOptions(cache=tmp_path / "cache", retries=0, concurrency=1, token_budget=60)

    def plan(number, body):
        return echo_key if number < 4 else good(usage=(10, 5))

    with serving(plan) as server:
        agent = f"openai:m@{server.url}"
        first = play(tmp_path / "out", agent, openai=chat)
        assert {failure.kind for failure in first.failures} == {"refused"}
        assert len(first.failures) == 4
        assert "budget of 60 tokens is spent" in first.stopped
        more = ChatOptions(cache=tmp_path / "cache", retries=0)
        last = play(tmp_path / "out", agent, openai=more)
        assert last.complete
        assert len(server.requests) == 16, "a reply was paid for twice"
        again = play(tmp_path / "again", agent, openai=more)
        assert again == last
        assert len(server.requests) == 16
    assert first.done < 12
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 12
    assert not any(key in path.read_text() for path in files)


# --------------------------------------------------------------------------- tools that wait


def test_environments_that_wait_are_stepped_at_the_same_time(tmp_path, monkeypatch):
    together = threading.Barrier(4, timeout=60)
    monkeypatch.setattr(WaitingEnv, "during", staticmethod(lambda env: together.wait()))
    results = play(tmp_path, "random", WAITING, episodes=4, env_kwargs='{"max_turns": 1}')
    assert results.complete
    assert not together.broken


def test_the_short_evaluation_steps_them_at_the_same_time_too(monkeypatch):
    together = threading.Barrier(4, timeout=60)
    monkeypatch.setattr(WaitingEnv, "during", staticmethod(lambda env: together.wait()))
    found = evaluation.evaluate(RandomPolicy(), WAITING, {"max_turns": 1}, range(4))
    assert len(found.rewards) == 4
    assert not together.broken


@pytest.mark.parametrize(("bound", "batch_size"), [(1, 5), (3, 5), (2, 1)])
def test_the_bound_is_kept(bound, batch_size, tmp_path, monkeypatch):
    lock, running, most = threading.Lock(), [0], [0]

    def during(env):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.002)
        with lock:
            running[0] -= 1

    monkeypatch.setattr(WaitingEnv, "during", staticmethod(during))
    play(tmp_path, "gold", WAITING, batch_size=batch_size, max_concurrency=bound)
    assert 1 <= most[0] <= bound


@pytest.mark.parametrize("env", [WAITING, "ToolRL-MCP-v0"])
def test_nothing_depends_on_how_many_are_stepped_at_a_time(env, tmp_path):
    files = []
    for bound in (1, 4):
        out = tmp_path / str(bound)
        play(out, "noisy:0.4", env, k=2, episodes=6, max_concurrency=bound)
        files.append([(out / name).read_bytes() for name in ("results.json", "trajectories.jsonl")])
    assert files[0] == files[1]


def test_a_bug_in_a_thread_is_raised_and_nothing_stays_open(tmp_path, monkeypatch):
    def during(env):
        raise ZeroDivisionError

    monkeypatch.setattr(WaitingEnv, "during", staticmethod(during))
    monkeypatch.setattr(WaitingEnv, "open", 0)
    with pytest.raises(ZeroDivisionError):
        play(tmp_path, "gold", WAITING)
    assert WaitingEnv.open == 0


# --------------------------------------------------------------------------- failures


def test_a_failed_environment_is_masked_counted_and_tried_again(tmp_path):
    broken, out = tmp_path / "broken", tmp_path / "out"
    kwargs = json.dumps({"broken": str(broken)})
    whole = play(tmp_path / "whole", "random", FLAKY, env_kwargs=kwargs)
    broken.touch()
    part = play(out, "random", FLAKY, env_kwargs=kwargs)
    even = [index for index in part.settings.tasks if index % 2 == 0]
    assert [failure.task_index for failure in part.failures] == even
    assert {failure.kind for failure in part.failures} == {"server_down"}
    assert part.done == 12 - len(even)
    assert not part.complete
    assert {task.task_index % 2 for task in part.tasks} == {1}
    assert len((out / "failures.jsonl").read_text().splitlines()) == len(even)
    broken.unlink()
    again = play(out, "random", FLAKY, env_kwargs=kwargs)
    assert again == whole
    assert (out / "failures.jsonl").read_text() == ""


def test_a_failed_request_is_masked_counted_and_tried_again(tmp_path):
    results = play(tmp_path, f"{MINE}:Unreachable")
    assert {failure.reason for failure in results.failures} == {"no answer in time"}
    assert {task.task_index % 3 for task in results.tasks} == {0}
    assert results.done + len(results.failures) == results.planned
    assert play(tmp_path, f"{MINE}:Unreachable").failures == results.failures


def test_a_server_that_is_gone_leaves_no_reward(tmp_path):
    results = play(tmp_path, f"{MINE}:Down")
    assert results.summary == {}
    assert len(results.failures) == 12


def test_a_spent_budget_stops_cleanly_and_goes_on_later(tmp_path):
    first = play(tmp_path, f"{MINE}:Broke")
    assert first.stopped == "the budget is spent"
    assert first.done == 5
    assert not first.failures
    assert play(tmp_path, f"{MINE}:Broke").done == 10
    last = play(tmp_path, f"{MINE}:Broke")
    assert last.complete
    assert last.stopped == ""


@pytest.mark.parametrize(
    ("agent", "said"),
    [(f"{MINE}:Short", "4 answers to 5 observations"), (f"{MINE}:Numbers", "no str but 3")],
)
def test_an_agent_that_breaks_the_rules_is_told(agent, said, tmp_path):
    with pytest.raises(ConfigurationError, match=said):
        play(tmp_path, agent)


# --------------------------------------------------------------------------- kill and resume


def command(out, *more, **env):
    return subprocess.run(
        [sys.executable, "-m", "agents.evaluate", "--env", WORKSPACE, "--agent", f"{MINE}:Dying",
         "--episodes", "10", "--k", "2", "--batch-size", "4", "--out", str(out), *more],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ASKED": str(out.parent / "asked"), **env},
    )  # fmt: skip


def done(out):
    lines = (out / "trajectories.jsonl").read_bytes().splitlines()
    return [
        (note["task_index"], note["attempt"]) for note in (json.loads(x)["notes"] for x in lines)
    ]


def test_a_killed_run_goes_on_and_equals_one_that_was_not(tmp_path):
    whole = tmp_path / "whole" / "out"
    whole.parent.mkdir()
    assert command(whole, KILL_AFTER="-1").returncode == 0
    killed = tmp_path / "killed" / "out"
    killed.parent.mkdir()
    before = []
    for _ in range(2):
        assert command(killed, KILL_AFTER="3").returncode == -signal.SIGKILL
        assert done(killed)[: len(before)] == before
        assert len(done(killed)) > len(before), "nothing was kept"
        before = done(killed)
    assert len(before) < 20, "it was not killed in the middle"
    ended = {task for task, _ in before if (task, 0) in before and (task, 1) in before}
    asked = killed.parent / "asked"
    asked.unlink()
    assert command(killed, KILL_AFTER="-1").returncode == 0
    assert not any(int(line.split()[0].rsplit("-", 1)[1]) in ended for line in asked.open())
    assert len(done(killed)) == len(set(done(killed))) == 20
    for name in ("results.json", "settings.json"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    lines = [
        sorted((out / "trajectories.jsonl").read_bytes().splitlines()) for out in (killed, whole)
    ]
    assert lines[0] == lines[1]
    asked.unlink()
    assert command(killed, KILL_AFTER="-1").returncode == 0
    assert not asked.exists(), "a finished run was played again"


def test_another_setting_is_refused_by_name(tmp_path):
    play(tmp_path, "noisy:0.3")
    for options, said in (
        ({"seed": 1}, "seed: there 0, now 1"),
        ({"attempts": 3}, "attempts: there 1, now 3"),
        ({"env_kwargs": '{"protocol": "native"}'}, 'protocol: there "toolrl", now "native"'),
        ({"episodes": 13}, "tasks: there"),
    ):
        with pytest.raises(ConfigurationError, match="other settings") as error:
            play(tmp_path, "noisy:0.3", **options)
        assert said in str(error.value)
    with pytest.raises(ConfigurationError, match=r"noisy:0\.4"):
        play(tmp_path, "noisy:0.4")


def test_an_agent_that_was_changed_does_not_go_on_with_its_old_answers(tmp_path, monkeypatch):
    source = (
        "class Mine:\n    def act(self, observations, infos):\n        return {} * len(infos)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "an_agent_of_mine.py"
    file.write_text(source.format('["a"]'))
    play(tmp_path / "out", "an_agent_of_mine:Mine")
    file.write_text(source.format('["b"]'))
    with pytest.raises(ConfigurationError, match=r"agent_settings\.source_sha256"):
        play(tmp_path / "out", "an_agent_of_mine:Mine")


def test_what_moves_no_score_may_change(tmp_path):
    play(tmp_path, "random", attempts=2, max_concurrency=1)
    assert play(tmp_path, "random", attempts=2, k=2, batch_size=2).summary["pass@2"]


# --------------------------------------------------------------------------- the command line


def shell(monkeypatch, capsys, *arguments):
    """Exit status and what is printed."""
    monkeypatch.setattr(sys, "argv", ["evaluate", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "120")
    try:
        evaluate.main()
        status = 0
    except SystemExit as error:
        status = error.code
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_evaluate_and_compare(monkeypatch, capsys, tmp_path):
    for name, agent in (("a", "noisy:0.6"), ("b", "gold")):
        status, out, _ = shell(monkeypatch, capsys, "--env", TOOLBOX, "--agent", agent,
                               "--episodes", 30, "--out", tmp_path / name)  # fmt: skip
        assert status == 0
        assert "30 tasks, 30 of 30 attempts" in out
        assert f"{agent} on {TOOLBOX}" in out
    files = [tmp_path / name / "results.json" for name in "ab"]
    status, out, _ = shell(monkeypatch, capsys, "--compare", *files)
    assert status == 0
    assert shell(monkeypatch, capsys, "--compare", tmp_path / "a", tmp_path / "b")[1] == out
    assert "no longer solved: 0" in out
    assert "newly solved: " in out
    assert 'setting agent: "noisy:0.6" -> "gold"' in out
    assert "single: reward" in out


def test_missing_attempts_are_said_and_counted(monkeypatch, capsys, tmp_path):
    status, out, _ = shell(monkeypatch, capsys, "--env", TOOLBOX, "--agent", f"{MINE}:Unreachable",
                           "--episodes", 12, "--out", tmp_path)  # fmt: skip
    assert status == 1
    assert "failed and have no reward: timeout: no answer in time" in out
    assert "run the same command again" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--env", TOOLBOX, "--agent", "golden"], "Did you mean gold?"),
        (["--env", "ToolRL-Toolbx-v0", "--agent", "gold"], "Did you mean 'ToolRL-Toolbox-v0'?"),
        (["--env", "nowhere:X-v0", "--agent", "gold"], "cannot be made"),
        (["--env", "CartPole-v1", "--agent", "gold"], "no tool-use environment"),
        (["--env", TOOLBOX, "--agent", "gold", "--env-kwargs", '{"x": 1}'], "cannot be made"),
        (["--compare", "a.json", "b.json"], "a.json: cannot be read"),
    ],
)
def test_misuse_is_explained(arguments, said, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    status, _, error = shell(monkeypatch, capsys, *arguments)
    assert status == 2
    assert said in error


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"env": ""}, "--env and --agent"),
        ({"k": 0}, "k=0"),
        ({"k": 3, "attempts": 2}, "attempts=2"),
        ({"episodes": -1}, "episodes=-1"),
        ({"temperature": -1.0}, "temperature=-1.0"),
        ({"env_kwargs": "["}, "is not JSON"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"max_concurrency": 0}, "max_concurrency=0"),
    ],
)
def test_settings_that_cannot_work_are_refused(options, said):
    with pytest.raises(ConfigurationError, match=said):
        EvaluateConfig(**{"env": TOOLBOX, "agent": "gold", **options})


def test_an_environment_that_is_not_there(tmp_path):
    with pytest.raises(UnknownName):
        play(tmp_path, "gold", "ToolRL-Nothing-v0")


def test_the_default_folder_tells_runs_apart():
    folders = {
        EvaluateConfig(env=env, agent=agent).folder
        for env in (TOOLBOX, WORKSPACE)
        for agent in ("gold", "hf:a/b", "openai:m@http://127.0.0.1:1/v1")
    }
    assert len(folders) == 6
    assert all(folder.parent == Path("runs/evaluate") for folder in folders)
