"""64 forks that all write, each something else: none sees another's, on the two worlds of ours."""

from __future__ import annotations

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import data_equivalence

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.core.types import ToolCall


def workspace_call(number):
    """Return a call that makes a task for oneself."""
    due = f"2031-0{1 + number % 9}-1{number % 10}"
    arguments = {"title": f"job {number}", "assignee": "a.b@office.example", "due": due}
    return ToolCall("create_task", arguments)


def bfcl_call(number):
    """Return a call that makes a folder."""
    return ToolCall("mkdir", {"dir_name": f"folder_{number}"})


WORLDS = {
    "ToolRL-Workspace-v0": (workspace_call, "create_task"),
    "ToolRL-BFCLMultiTurn-v0": (bfcl_call, "mkdir"),
}


def begin(env_id, tool):
    """Begin the first task that offers the tool, one gold answer in."""
    env = gym.make(env_id).unwrapped
    index = 0
    while tool not in {each.name for each in env.tasks[index].tools} or (
        len(env.tasks.gold_turns(env.tasks[index])) < 4
    ):
        index += 1
    env.reset(options={"task_index": index})
    env.step(env.gold_answer())
    return env


def answer(env, call, me):
    """Write the call; in the office it is for an address that is known there."""
    if call.name == "create_task":
        call = ToolCall(call.name, {**call.arguments, "assignee": me})
    return env.protocol.render([call], think="Write.")


def address(env):
    """Return an address that the office knows."""
    rows = env._session._office.database.rows("contacts")
    return next(value for value in rows[0] if isinstance(value, str) and "@" in value)


@pytest.mark.parametrize("env_id", WORLDS)
def test_64_writes_on_64_forks(env_id):
    make_call, tool = WORLDS[env_id]
    base = begin(env_id, tool)
    me = address(base) if env_id == "ToolRL-Workspace-v0" else ""
    state = base.state_hash()
    forks = base.fork(64)
    ends = [fork.step(answer(fork, make_call(i), me)) for i, fork in enumerate(forks)]
    assert all(end[4]["results"][0].ok for end in ends), ends[0][4]["errors"]
    states = [fork.state_hash() for fork in forks]
    assert len({*states, state}) == 65
    assert base.state_hash() == state
    # a second write on every fork, backwards, and one on forks of the forks
    below = [fork.fork(1)[0] for fork in forks]
    for i in reversed(range(64)):
        forks[i].step(answer(base, make_call(100 + i), me))
    assert [fork.state_hash() for fork in below] == states
    for i in range(64):
        alone = begin(env_id, tool)
        assert data_equivalence(alone.step(answer(alone, make_call(i), me)), ends[i], exact=True)
        assert alone.state_hash() == states[i]
        alone.step(answer(alone, make_call(100 + i), me))
        assert alone.state_hash() == forks[i].state_hash()


@pytest.mark.parametrize("env_id", WORLDS)
def test_a_fork_outlives_the_environment_it_came_from(env_id):
    base = begin(env_id, WORLDS[env_id][1])
    (fork,) = base.fork(1)
    gold = base.gold_answer()
    snapshot = base.snapshot()
    base.close()
    after = fork.step(gold), fork.state_hash()
    other = gym.make(env_id).unwrapped
    other.restore(snapshot)
    assert data_equivalence(after, (other.step(gold), other.state_hash()), exact=True)
