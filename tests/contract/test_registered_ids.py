"""The promises every registered environment keeps. A new id is picked up by itself."""

from __future__ import annotations

import copy
import json
import math
import pickle
import warnings
from itertools import islice

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence

from tests.fresh_process import in_fresh_processes
from toolrl_env.core.errors import ConfigurationError, SnapshotError, WrongActionType
from toolrl_env.core.types import RewardBreakdown, StopReason
from toolrl_env.spaces import UnicodeText

JUNK = ["", "hello", "\x00\ud800", "<tool_call>\n{\n</tool_call>", "[" * 10_000, "1e400"]


def test_check_env_passes_without_warnings(make):
    env = make()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


@pytest.mark.parametrize("render_mode", ["ansi", "human"])
def test_check_env_passes_when_rendering(make, render_mode, capsys):
    env = make(render_mode=render_mode)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped, skip_render_check=True)
    env.reset(seed=0)
    env.step("hello")
    picture = env.render()
    if render_mode == "ansi":
        assert "reward" in picture
        assert "\x1b[" in picture
        assert "hello" in picture
    else:
        assert picture is None
        assert "reward" in capsys.readouterr().out


def test_spaces_and_info(make):
    env = make()
    assert isinstance(env.observation_space, UnicodeText)
    observation, info = env.reset(seed=1)
    assert observation in env.observation_space
    assert {"messages", "tools", "task_id", "task_index", "source", "category", "is_sample"} <= set(
        info
    )
    assert info["messages"][0]["role"] == "system"
    assert all(message["content"] in observation for message in info["messages"])
    for tool in info["tools"]:
        assert tool["type"] == "function"
        assert tool["function"]["parameters"]["type"] == "object"
    json.dumps([info["messages"], info["tools"]])


def test_gold_answer_earns_the_maximum(make_single):
    env = make_single()
    for seed in range(25):
        env.reset(seed=seed)
        base = env.unwrapped
        _, reward, terminated, truncated, info = env.step(base.gold_answer())
        low, high = base.reward_config.bounds(base.task.gold, base.training_step)
        assert reward == pytest.approx(high, abs=1e-12), info["errors"]
        assert low < high
        assert (terminated, truncated) == (True, False)
        assert info["errors"] == ()
        assert info["stop_reason"] == StopReason.ANSWERED


def reset_to_call(env, number):
    """Reset to a task whose gold answer has calls (in ``native``, any words are a response)."""
    tasks = env.unwrapped.tasks
    with_calls = (i for i in range(10_000) if tasks[i].gold.has_call)
    env.reset(seed=number, options={"task_index": next(islice(with_calls, number, None))})


def test_junk_is_data_with_a_reason(make_single):
    env = make_single()
    base = env.unwrapped
    for number, junk in enumerate(JUNK):
        reset_to_call(env, number)
        low, high = base.reward_config.bounds(base.task.gold, 0)
        observation, reward, terminated, truncated, info = env.step(junk)
        assert observation in env.observation_space
        assert low <= reward < high
        assert (terminated, truncated) == (True, False)
        assert info["errors"], junk[:20]
        assert all(error.message and error.for_model for error in info["errors"])


def test_reward_info_is_flat_floats_and_agrees_with_the_breakdown(make):
    env = make()
    env.reset(seed=2)
    _, reward, _, _, info = env.step("<think> x </think>\n<response> y </response>")
    assert isinstance(info["breakdown"], RewardBreakdown)
    assert all(type(value) is float for value in info["reward"].values())
    assert info["reward"]["total"] == reward == info["breakdown"].total
    terms = info["breakdown"].terms
    assert math.isclose(reward, sum(t.weight * t.score for t in terms), abs_tol=1e-12)
    assert all(t.low <= t.score <= t.high for t in terms)


def test_over_limit_text_is_cut_said_and_scored_as_malformed(make_single):
    env = make_single(max_chars=1000)
    env.reset(seed=0)
    gold = env.unwrapped.gold_answer()
    observation, reward, _, _, info = env.step(gold + " " * 2000)
    low, _ = env.unwrapped.reward_config.bounds(env.unwrapped.task.gold, 0)
    assert reward == low
    assert info["errors"][0].code == "too_long"
    assert info["stop_reason"] == StopReason.MALFORMED
    assert len(info["messages"][-1]["content"]) == 1000
    assert observation in env.observation_space


def test_same_seed_same_episode_and_seeds_differ(make):
    env, other = make(), make()
    seen = set()
    for seed in range(12):
        first, second = env.reset(seed=seed), other.reset(seed=seed)
        assert data_equivalence(first, second, exact=True)
        seen.add(first[1]["task_id"])
        assert data_equivalence(env.reset(), other.reset(), exact=True)
    assert len(seen) > 6


def test_options_pick_the_task(make):
    env = make()
    _, info = env.reset(options={"task_index": 5})
    _, again = env.reset(options={"task_id": info["task_id"]})
    assert again["task_index"] == 5
    env.reset(options={"training_step": 40})
    assert env.unwrapped.training_step == 40
    env.reset()
    assert env.unwrapped.training_step == 40


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"task_indx": 1}, "Did you mean 'task_index'"),
        ({"task_index": -1}, "task_index=-1"),
        ({"task_index": 1.5}, "task_index=1.5"),
        ({"task_index": 0, "task_id": "x"}, "not both"),
        ({"training_step": -3}, "training_step=-3"),
    ],
)
def test_bad_options_are_refused_and_nothing_is_lost(make, options, said):
    env = make()
    env.reset(seed=0)
    before = env.unwrapped.snapshot()
    with pytest.raises(ConfigurationError, match=said):
        env.reset(options=options)
    assert env.unwrapped.snapshot() == before


def test_unknown_task_id_names_it(make):
    env = make()
    with pytest.raises(ValueError, match="no-such-task"):
        env.reset(options={"task_id": "no-such-task"})


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"protocol": "toolr"}, "Did you mean 'toolrl'"),
        ({"split": "tran"}, "Did you mean 'train'"),
        ({"reward": "tolrl"}, "Did you mean 'toolrl'|give episode_reward"),
        ({"reward": 3}, "reward=3"),
        ({"render_mode": "anzi"}, "Did you mean 'ansi'"),
        ({"max_chars": 0}, "max_chars=0"),
        ({"template": "shrt"}, "template"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*not in the possible render_modes")  # Gymnasium's own
def test_bad_arguments_are_refused_at_construction(make, kwargs, said):
    with pytest.raises(ValueError, match=said):
        make(**kwargs)


def test_misuse_is_an_error(make):
    env = make().unwrapped
    with pytest.raises(gym.error.ResetNeeded):
        env.step("x")
    with pytest.raises(ConfigurationError, match="seed=-1"):
        env.reset(seed=-1)
    env.reset(seed=0)
    with pytest.raises(WrongActionType, match="ndarray"):
        env.step(np.zeros(3))
    over = False
    while not over:
        _, _, terminated, truncated, _ = env.step("still running after the mistake")
        assert not (terminated and truncated)
        over = terminated or truncated
    with pytest.raises(gym.error.ResetNeeded):
        env.step("x")


def test_info_cannot_corrupt_the_task(make):
    env = make()
    _, info = env.reset(seed=0)
    pristine = copy.deepcopy(info)
    info["messages"].append({"role": "user", "content": "x"})
    info["messages"][0]["content"] = "changed"
    info["tools"].append("x")
    if pristine["tools"]:
        with pytest.raises(TypeError, match="cannot be changed"):
            info["tools"][0]["function"]["name"] = "changed"
    _, again = env.reset(seed=0)
    assert again == pristine


def test_snapshot_restores_the_future_rng_included(make):
    env = make()
    env.reset(seed=7)
    snapshot = pickle.loads(pickle.dumps(env.unwrapped.snapshot()))
    future = [env.step("x"), env.reset(), env.step("y"), env.reset()]
    env.unwrapped.restore(snapshot)
    assert data_equivalence(
        [env.step("x"), env.reset(), env.step("y"), env.reset()], future, exact=True
    )
    other = make()
    other.reset(seed=99)
    other.unwrapped.restore(snapshot)
    assert data_equivalence(
        [other.step("x"), other.reset(), other.step("y"), other.reset()], future, exact=True
    )


def test_snapshot_of_other_tasks_is_refused(make):
    env, other = make(), make(split="test")
    env.reset(seed=0)
    with pytest.raises(SnapshotError, match="task set"):
        other.unwrapped.restore(env.unwrapped.snapshot())


def test_forks_share_no_state(make_single):
    env = make_single()
    reset_to_call(env, 3)
    base = env.unwrapped
    before = base.snapshot()
    forks = base.fork(8)
    gold = base.gold_answer()
    rewards = [fork.step(gold if i % 2 else f"junk {i}")[1] for i, fork in enumerate(forks)]
    assert base.snapshot() == before
    assert len({rewards[i] for i in (1, 3, 5, 7)}) == 1
    assert min(rewards[1::2]) > max(rewards[::2])
    futures = [fork.reset()[1]["task_id"] for fork in forks]
    assert len(set(futures)) == 1
    forks[0].reset(seed=123)
    assert forks[1].reset()[1]["task_id"] == forks[2].reset()[1]["task_id"]
    assert base.step(gold)[1] == rewards[1]


def test_a_wrapped_environment_copies_deeply(make):
    env = make()
    env.reset(seed=3)
    twin = copy.deepcopy(env)
    twin.step("x")
    env.step("y")
    assert twin.unwrapped is not env.unwrapped
    assert data_equivalence(twin.reset(), env.reset(), exact=True)


def rollout(env, seed):
    """Three steps, so that the automatic reset is in it: junk, ignored, gold-like text."""
    steps = [env.reset(seed=seed)]
    n = env.num_envs
    steps.append(env.step(tuple(f"<think> {i} é😀 </think>" for i in range(n))))
    steps.append(env.step(("ignored",) * n))
    steps.append(env.step((*JUNK[: n - 1], "<think> x </think>\n<response> y </response>")))
    return steps


def test_native_sync_and_async_vectors_agree_with_default_arguments(make_vec):
    native, sync, asynchronous = (
        rollout(make_vec(mode), seed=11) for mode in ("vector_entry_point", "sync", "async")
    )
    assert data_equivalence(native, sync, exact=True)
    assert data_equivalence(native, asynchronous, exact=True)
    assert native[0][0][0] != native[0][0][1] or native[0][0][1] != native[0][0][2]
    assert all(len(text) > 50 for text in native[0][0])


def test_native_vector_is_the_default(variant):
    env_id, kwargs = variant
    env = gym.make_vec(env_id, num_envs=2, **kwargs)
    assert type(env).__name__.endswith("VectorEnv")
    assert type(env).__module__.startswith("toolrl_env.")
    env.close()


@pytest.mark.parametrize("mode", ["SameStep", "Disabled"])
def test_other_autoreset_modes_agree_with_gymnasium(variant, mode):
    env_id, kwargs = variant
    mode = gym.vector.AutoresetMode(mode)
    native = gym.make_vec(env_id, num_envs=2, autoreset_mode=mode, **kwargs)
    sync = gym.make_vec(
        env_id,
        num_envs=2,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": mode},
        **kwargs,
    )
    assert data_equivalence(native.reset(seed=4), sync.reset(seed=4), exact=True)
    assert data_equivalence(native.step(["a", "b"]), sync.step(["a", "b"]), exact=True)
    if mode is gym.vector.AutoresetMode.DISABLED:
        if native.finished.any():
            with pytest.raises(ConfigurationError, match="reset them first"):
                native.step(["a", "b"])
        mask = np.array([False, True])
        ours = native.reset(seed=9, options={"reset_mask": mask})
        theirs = sync.reset(seed=9, options={"reset_mask": mask})
        assert data_equivalence(ours, theirs, exact=True)
    else:
        assert data_equivalence(native.step(["c", "d"]), sync.step(["c", "d"]), exact=True)


_FRESH = """
import sys, warnings, hashlib
warnings.simplefilter("ignore")
import gymnasium as gym
env = gym.make("toolrl_env:" + sys.argv[1], **eval(sys.argv[2]))
text = "".join(env.reset(seed=s)[0] + str(env.step("x")[1]) for s in range(5))
print(hashlib.sha256(text.encode()).hexdigest(), env.unwrapped.tasks.fingerprint)
"""


def test_another_process_sees_the_same_tasks(variant):
    env_id, kwargs = variant
    runs = in_fresh_processes(_FRESH, env_id, repr(kwargs))
    assert len(runs) == 1
