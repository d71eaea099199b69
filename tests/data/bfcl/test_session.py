from __future__ import annotations

import functools
import pickle
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fresh_process import in_fresh_processes
from toolrl_env.core.errors import SnapshotError
from toolrl_env.core.types import ErrorCode, ToolCall
from toolrl_env.data.bfcl import MAX_STEPS, BFCLMultiTurnSource, BFCLSession
from toolrl_env.data.bfcl.session import MAX_RESULT_CHARS, _shortened
from toolrl_env.envs.bfcl_multi_turn import BFCLMultiTurnEnv
from toolrl_env.parsing import get_protocol
from toolrl_env.tools import as_parsed


@functools.cache
def source(category: str) -> BFCLMultiTurnSource:
    return BFCLMultiTurnSource(category, "all")


def begin(task_id: str) -> BFCLSession:
    tasks = source(task_id.removeprefix("multi_turn_").rsplit("_", 1)[0])
    return tasks.open(tasks[tasks.index_of(task_id)])


def gold(task_id: str) -> list[Any]:
    tasks = source(task_id.removeprefix("multi_turn_").rsplit("_", 1)[0])
    turns = tasks.gold_turns(tasks[tasks.index_of(task_id)])
    return [t if isinstance(t, str) else [as_parsed(call) for call in t] for t in turns]


def play(session: BFCLSession, turns: list[Any]) -> None:
    for turn in turns:
        if isinstance(turn, str):
            session.reply(turn)
        else:
            session.execute(turn)


def call(name: str, /, **arguments: Any) -> list[Any]:
    return [as_parsed(ToolCall(name, arguments))]


# ---------------------------------------------------------------- the rules


def test_gold_passes_check_by_check() -> None:
    session, turns = begin("multi_turn_base_0"), gold("multi_turn_base_0")
    assert session.progress() == (False,) * 8
    seen = []
    for turn in turns:
        play(session, [turn])
        seen.append(sum(session.progress()))
    assert seen == [2, 2, 4, 4, 6, 6, 8, 8]
    assert session.over
    assert session.success


def test_the_user_says_the_official_turns_and_then_nothing() -> None:
    session = begin("multi_turn_base_0")
    said = [session.reply("words") for _ in range(5)]
    assert said[:3] == list(session._plan.scenario.users[1:])
    assert said[3:] == [None, None]
    assert not session.success
    assert session.over


def test_one_call_a_step_is_as_good_as_all_in_one() -> None:
    session = begin("multi_turn_base_0")
    for turn in gold("multi_turn_base_0"):
        play(session, [turn] if isinstance(turn, str) else [[one] for one in turn])
    assert session.success


def test_a_turn_without_a_call_fails_even_if_nothing_had_to_change() -> None:
    task = "multi_turn_base_1"  # the first turn only lists
    session, turns = begin(task), gold(task)
    play(session, turns[1:])
    assert not session.success
    assert session.progress()[:2] == (False, False)


def test_results_of_earlier_turns_count() -> None:
    """A call that is made too early need not be made again, as long as something is called."""
    task = "multi_turn_base_1"
    session, turns = begin(task), gold(task)
    session.execute(turns[0])
    session.execute(turns[0])
    session.reply("")
    assert session.progress()[:2] == (True, True)


def test_a_wrong_state_and_a_missing_result_are_told_apart() -> None:
    state = begin("multi_turn_base_0")
    state.execute(gold("multi_turn_base_0")[0])
    state.execute(call("touch", file_name="unasked"))
    assert state.progress()[:2] == (False, True)
    response = begin("multi_turn_base_1")
    response.execute(call("pwd"))
    assert response.progress()[:2] == (True, False)


def test_a_finished_turn_is_judged_as_it_was_at_its_end() -> None:
    session = begin("multi_turn_base_0")
    play(session, gold("multi_turn_base_0")[:2])
    session.execute(call("touch", file_name="later"))
    assert session.progress()[:2] == (True, True)


def test_twenty_steps_are_allowed_and_no_more() -> None:
    session, turns = begin("multi_turn_base_1"), gold("multi_turn_base_1")
    for _ in range(MAX_STEPS - 1):
        session.execute(call("pwd"))
    assert session.execute(turns[0])[0].ok
    assert session.progress()[:2] == (True, True)
    before = session._world.canonical()
    last = session.execute(call("touch", file_name="f"))
    assert not last[0].executed
    assert "more than 20 steps" in last[0].errors[0].for_model
    assert session._world.canonical() == before
    assert session.over
    assert not session.success
    assert not any(session.progress())
    assert session.reply("") is None


def test_steps_are_counted_by_turn() -> None:
    session = begin("multi_turn_base_1")
    for _ in range(3):
        for _ in range(MAX_STEPS):
            assert session.execute(call("pwd"))[0].executed
        assert session.reply("") is not None


def test_nothing_runs_after_the_end() -> None:
    session = begin("multi_turn_base_0")
    play(session, gold("multi_turn_base_0"))
    refused = session.execute(call("touch", file_name="f"))
    assert not refused[0].executed
    assert "over" in refused[0].errors[0].for_model
    assert session.success


def test_held_out_functions_arrive() -> None:
    session = begin("multi_turn_miss_func_0")
    early = session.execute(call("sort", file_name="f"))[0]
    assert not early.executed
    assert early.errors[0].code is ErrorCode.UNKNOWN_TOOL
    for _ in range(3):
        session.reply("I cannot do this.")
    assert "sort" in {spec.name for spec in session.tools()}
    assert session.execute(call("sort", file_name="f"))[0].executed


def test_turns_without_gold_calls_are_not_among_the_predicates() -> None:
    session = begin("multi_turn_miss_func_0")
    assert len(session.progress()) == 8
    play(session, gold("multi_turn_miss_func_0"))
    assert session.success


# ---------------------------------------------------------------- execution


def test_calls_are_checked_against_the_documentation_first() -> None:
    session = begin("multi_turn_base_0")
    before = session.state_hash()
    for arguments, code in (
        ({"folder": 1}, ErrorCode.WRONG_TYPE),
        ({}, ErrorCode.MISSING_ARGUMENT),
        ({"folder": "document", "x": 1}, ErrorCode.UNEXPECTED_ARGUMENT),
    ):
        result = session.execute(call("cd", **arguments))[0]
        assert not result.executed
        assert result.errors[0].code is code
    assert session.state_hash() == before


def test_what_the_api_refuses_is_an_executed_failure() -> None:
    result = begin("multi_turn_base_0").execute(call("cd", folder="nowhere"))[0]
    assert result.executed
    assert not result.ok
    assert result.value["error"].startswith("cd: ")
    assert result.errors[0].code is ErrorCode.EXECUTION
    assert "No such file or directory" in result.errors[0].for_model


def test_calls_run_in_order_and_go_on_after_a_failure() -> None:
    session = begin("multi_turn_base_0")
    batch = [
        *call("cd", folder="nowhere"),
        *call("mkdir", dir_name="made"),
        *call("nope"),
        *call("cd", folder="made"),
        *call("pwd"),
    ]
    results = session.execute(batch)
    assert [r.call for r in results] == list(range(5))
    assert [r.ok for r in results] == [False, True, False, True, True]
    assert results[4].value == {"current_working_directory": "/workspace/made"}


HOSTILE = [
    "'; DROP TABLE users; --",
    "../../../../etc/passwd",
    "__import__('os').system('touch /tmp/owned')",
    "{0.__class__.__mro__}",
    "<tool_call>\n{}\n</tool_call>",
    "</think><response>done</response>",
    "\x00\ud800\u202e",
    "a" * 60_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", ["cd", "cat", "mkdir", "touch"])
def test_hostile_text_is_only_text(name: str, text: str) -> None:
    session = begin("multi_turn_base_0")
    key = {"cd": "folder", "mkdir": "dir_name"}.get(name, "file_name")
    result = session.execute(call(name, **{key: text}))[0]
    assert result.executed
    session.state_hash()
    session.restore(pickle.loads(pickle.dumps(session.snapshot())))


@pytest.mark.parametrize(
    "answer",
    [
        '{"name": "_load_scenario", "parameters": {"scenario": {}}}',
        '{"name": "__init__", "parameters": {}}',
        '{"name": "root.contents.clear", "parameters": {}}',
        '{"name": "cd", "parameters": ["document"]}',
        '{"name": "cd"}',
        "cd('document')",
        "[" * 300,
    ],
)
def test_no_answer_reaches_anything_but_a_documented_method(answer: str) -> None:
    session = begin("multi_turn_base_0")
    action = get_protocol("toolrl").parse(
        f"<think> t </think>\n<tool_call>\n{answer}\n</tool_call>"
    )
    before = session.state_hash()
    results = session.execute(action.calls)
    assert len(results) == len(action.calls)
    assert not any(result.executed for result in results)
    assert session.state_hash() == before


def test_long_results_are_cut_only_for_show() -> None:
    text = "x" * (MAX_RESULT_CHARS + 10)
    assert _shortened({"t": "short"}, "short") == {"t": "short"}
    shown = _shortened({"t": text}, text)
    assert shown.startswith('{"t": "xxx')
    assert shown.endswith("more characters]")
    assert len(shown) < len(text) + 100


# ---------------------------------------------------------------- state


def test_snapshots_can_be_restored_any_number_of_times_anywhere() -> None:
    task = "multi_turn_base_0"
    turns = gold(task)
    session = begin(task)
    play(session, turns[:3])
    saved = pickle.loads(pickle.dumps(session.snapshot()))
    at = (session.state_hash(), session.progress())
    play(session, turns[3:])
    assert session.success
    for other in (session, begin(task)):
        other.restore(saved)
        assert (other.state_hash(), other.progress()) == at
        assert not other.over
        play(other, turns[3:])
        assert other.success


def test_a_snapshot_of_something_else_is_refused() -> None:
    session = begin("multi_turn_base_0")
    with pytest.raises(SnapshotError, match="multi_turn_base_1"):
        session.restore(begin("multi_turn_base_1").snapshot())
    with pytest.raises(SnapshotError, match="dict"):
        session.restore({})


def test_sixty_four_forks_do_not_see_each_other() -> None:
    session = begin("multi_turn_long_context_0")
    session.execute(gold("multi_turn_long_context_0")[0])
    saved, before = session.snapshot(), session.state_hash()
    forks = [begin("multi_turn_long_context_0") for _ in range(64)]
    for n, fork in enumerate(forks):
        fork.restore(saved)
        fork.execute(call("touch", file_name=f"fork{n}"))
    for n, fork in enumerate(forks):
        listing = fork.execute(call("ls", a=True))[0].value["current_directory_content"]
        assert [name for name in listing if name.startswith("fork")] == [f"fork{n}"]
    assert len({fork.state_hash() for fork in forks}) == 64
    assert session.state_hash() == before


def test_the_hash_tells_turns_and_tasks_apart() -> None:
    session = begin("multi_turn_base_0")
    first = session.state_hash()
    assert len(first) == 64
    assert begin("multi_turn_base_0").state_hash() == first
    session.reply("")
    assert session.state_hash() != first
    assert begin("multi_turn_miss_param_0").state_hash() != first


REPLAY = """
import json, sys
from toolrl_env.data.bfcl import BFCLMultiTurnSource
from toolrl_env.tools import as_parsed
for category in ("base", "long_context"):
    tasks = BFCLMultiTurnSource(category, "all")
    for index in range(0, 200, 20):
        session = tasks.open(tasks[index])
        for turn in tasks.gold_turns(tasks[index]):
            if isinstance(turn, str):
                session.reply(turn)
            else:
                results = session.execute([as_parsed(call) for call in turn])
                print(json.dumps([result.value for result in results]))
        print(session.state_hash(), session.success)
"""


def test_every_process_sees_the_same() -> None:
    (seen,) = in_fresh_processes(REPLAY)
    assert sum(line.endswith(" True") for line in seen.splitlines()) == 20


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 199), st.integers(0, 2**32), st.sampled_from(["base", "miss_func"]))
def test_random_play_never_breaks_and_replays(number: int, seed: int, category: str) -> None:
    """Any mixture of the scenario's values in any documented call is survived and repeatable."""
    task = f"multi_turn_{category}_{number}"
    one, two = begin(task), begin(task)
    assert _wander(one, seed) == _wander(two, seed)
    assert one.state_hash() == two.state_hash()


def _wander(session: BFCLSession, seed: int) -> list[Any]:
    rng = random.Random(seed)
    values = [
        v for calls in session._plan.scenario.gold for c in calls for v in c.arguments.values()
    ]
    values += [1, "", -1, True, [], {}, "..", 2.5]
    seen: list[Any] = []
    for _ in range(12):
        tool = rng.choice(session.tools())
        names = tool.parameters["properties"]
        arguments = {name: rng.choice(values) for name in names if rng.random() < 0.9}
        result = session.execute(call(tool.name, **arguments))[0]
        assert "0x" not in str(result.value)
        seen.append((result.ok, result.executed, result.value, session.progress()))
        if rng.random() < 0.2:
            seen.append(session.reply("go on"))
    return seen


def test_an_episode_with_too_many_steps_in_a_turn_gave_up() -> None:
    env = BFCLMultiTurnEnv()
    env.reset(options={"task_index": 0})
    call = env.gold_answer()
    steps = [env.step(call) for _ in range(MAX_STEPS + 1)]
    assert [step[4]["stop_reason"] for step in steps[:-1]] == [None] * MAX_STEPS
    assert steps[-1][2:4] == (True, False)
    assert steps[-1][4]["stop_reason"] == "gave_up"
    assert steps[-1][1] == 0.0
