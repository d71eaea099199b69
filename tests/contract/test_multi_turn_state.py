"""State in mid-episode: forks, forks of forks, other processes, recordings, vectors."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import data_equivalence

from tests.contract.state_support import different_actions
from toolrl_env.core.errors import ReplayMismatch
from toolrl_env.wrappers import RecordTrajectories, read_trajectories, replay_trajectory
from toolrl_env.wrappers.trajectories import decode, encode

DIFFERENT = {"ToolRL-Workspace-v0": 4, "ToolRL-BFCLMultiTurn-v0": 6}
"""At least how many different states 64 actions lead to, where calls write."""


def in_mid_episode(env, index=2, steps=2):
    """Begin a task that takes more answers than these, and play some gold ones."""
    base = env.unwrapped
    while len(base.tasks.gold_turns(base.tasks[index])) <= steps:
        index += 1
    env.reset(options={"task_index": index})
    for _ in range(steps):
        env.step(base.gold_answer())
    return base


def seen(env, action):
    """Step, and return all that can be seen of it."""
    return [env.step(action), env.unwrapped.state_hash()]


def test_64_forks_with_64_actions_are_as_if_each_were_alone(make_world, world):
    base = in_mid_episode(make_world())
    actions = different_actions(base, 64)
    assert len(set(actions)) == 64
    before = base.snapshot(), base.state_hash()
    forks = base.fork(64)
    first = [seen(fork, action) for fork, action in zip(forks, actions, strict=True)]
    going_on = [i for i, ((_, _, over, cut, _), _) in enumerate(first) if not (over or cut)]
    second = {i: seen(forks[i], actions[63 - i]) for i in going_on}
    for i, action in enumerate(actions):
        alone = in_mid_episode(make_world())
        assert data_equivalence(seen(alone, action), first[i], exact=True), action
        if i in second:
            assert data_equivalence(seen(alone, actions[63 - i]), second[i], exact=True), action
    assert data_equivalence(
        [base.snapshot().observation, base.state_hash()],
        [before[0].observation, before[1]],
        exact=True,
    )
    if world[0] in DIFFERENT:
        assert len({state for _, state in first}) >= DIFFERENT[world[0]]


def test_forks_of_forks(make_world):
    base = in_mid_episode(make_world(), steps=1)
    actions = different_actions(base, 8)
    (left, right) = base.fork(2)
    seen(left, actions[0])
    below = [fork for fork in left.fork(3) for fork in fork.fork(2)]
    seen(right, actions[1])
    ends = [seen(fork, action) for fork, action in zip(below, actions[2:], strict=True)]
    for action, end in zip(actions[2:], ends, strict=True):
        alone = in_mid_episode(make_world(), steps=1)
        seen(alone, actions[0])
        assert data_equivalence(seen(alone, action), end, exact=True)
    assert base.state_hash() == in_mid_episode(make_world(), steps=1).state_hash()


def test_one_snapshot_is_restored_again_and_again(make_world):
    base = in_mid_episode(make_world(), steps=1)
    snapshot = base.snapshot()
    state, actions = base.state_hash(), different_actions(base, 6)
    once = []
    for action in actions:
        base.restore(snapshot)
        assert base.state_hash() == state
        once.append(seen(base, action))
    for action, end in reversed(list(zip(actions, once, strict=True))):
        base.restore(snapshot)
        assert data_equivalence(seen(base, action), end, exact=True)


_ELSEWHERE = """
import ast, hashlib, pickle, sys, warnings
warnings.simplefilter("ignore")
import gymnasium as gym
env = gym.make("toolrl_env:" + sys.argv[1], **ast.literal_eval(sys.argv[2]))
base = env.unwrapped
snapshot, actions = pickle.loads(sys.stdin.buffer.read())
for action in actions:
    base.restore(snapshot)
    observation, reward, terminated, truncated, _ = base.step(action)
    print(hashlib.sha256(observation.encode()).hexdigest(), reward, terminated, truncated,
          base.state_hash())
"""


def test_a_snapshot_goes_on_in_another_process(make_world, world):
    env_id, kwargs = world
    base = in_mid_episode(make_world())
    snapshot, actions = base.snapshot(), [*different_actions(base, 20), base.gold_answer()]
    here = ""
    for action in actions:
        base.restore(snapshot)
        observation, reward, terminated, truncated, _ = base.step(action)
        digest = hashlib.sha256(observation.encode()).hexdigest()
        here += f"{digest} {reward} {terminated} {truncated} {base.state_hash()}\n"
    there = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, env_id, repr(kwargs)],
        input=pickle.dumps((snapshot, actions)),
        capture_output=True,
        check=True,
        env={"PYTHONHASHSEED": "3", "PATH": ""},
    ).stdout.decode()
    assert there == here


_RECORD = """
import ast, sys, warnings
warnings.simplefilter("ignore")
import gymnasium as gym
from toolrl_env.wrappers import RecordTrajectories
env = RecordTrajectories(gym.make("toolrl_env:" + sys.argv[1], **ast.literal_eval(sys.argv[2])),
                         sys.argv[3])
base = env.unwrapped
for seed in range(2):
    env.reset(seed=seed)
    answer, over = "<tool_call>", False
    while not over:
        _, _, terminated, truncated, _ = env.step(answer)
        over = terminated or truncated
        turn = len(base._conversation.turns)
        gold = base.tasks.gold_turns(base.task)
        answer = base.gold_answer() if turn < len(gold) and not over else "It is done."
"""


def record_elsewhere(world, path, hash_seed):
    env_id, kwargs = world
    subprocess.run(
        [sys.executable, "-c", _RECORD, env_id, repr(kwargs), str(path)],
        check=True,
        env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
    )
    return path.read_bytes()


def test_equal_seeds_record_equal_bytes_in_every_process(world, tmp_path):
    first = record_elsewhere(world, tmp_path / "1.jsonl", "1")
    assert record_elsewhere(world, tmp_path / "2.jsonl", "2") == first
    found = read_trajectories(tmp_path / "1.jsonl")
    assert found
    for trajectory in found:  # recorded there, replayed here
        assert all(step.state_hash for step in trajectory.transitions)
        replay_trajectory(trajectory)


def test_a_tampered_state_is_found_and_an_old_file_is_read(make_world, tmp_path):
    env = RecordTrajectories(make_world(), tmp_path / "t.jsonl")
    env.reset(options={"task_index": 1})
    over = False
    while not over:
        _, _, terminated, truncated, _ = env.step(env.unwrapped.gold_answer())
        over = terminated or truncated
    (trajectory,) = read_trajectories(tmp_path / "t.jsonl")
    last = trajectory.transitions[-1].state_hash
    assert last == env.unwrapped.state_hash()
    line = encode(trajectory)
    with pytest.raises(ReplayMismatch, match=r"state_hash: recorded '0{64}', now '"):
        replay_trajectory(decode(line.replace(last, "0" * 64)))
    old = decode(line.replace(f', "state_hash": "{last}"', ""))
    assert old.transitions[-1].state_hash is None
    replay_trajectory(old)


def rollout(world, actions):
    """Play scripted actions in an async vector; return a digest of everything seen."""
    env_id, kwargs = world
    whole = hashlib.sha256()
    envs = gym.make_vec(env_id, num_envs=2, vectorization_mode="async", **kwargs)
    try:
        texts, _ = envs.reset(seed=[11, 12])
        for action in actions:
            texts, rewards, over, cut, _ = envs.step([action, action])
            whole.update(repr((texts, rewards, over, cut, envs.call("state_hash"))).encode())
    finally:
        envs.close()
    return whole.hexdigest()


def test_five_async_runs_give_the_same_rollouts(make_world, world):
    env = make_world()
    env.reset(seed=11)
    actions = different_actions(env.unwrapped, 16)
    assert len({rollout(world, actions) for _ in range(5)}) == 1
    assert rollout(world, actions[::-1]) != rollout(world, actions)
