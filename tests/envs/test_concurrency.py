"""A vector steps environments at the same time where they wait. No test here looks at a clock."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import data_equivalence

from tests.envs.conftest import CALL
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.envs.single_turn import SingleTurnEnv
from toolrl_env.envs.vector import MAX_CONCURRENCY, ToolVectorEnv
from toolrl_env.envs.workers import Workers, attempt, raise_first

LONG = 60  # seconds after which a test that would hang fails


class WaitingEnv(SingleTurnEnv):
    """An environment whose steps do what ``during`` says."""

    _shared = SingleTurnEnv._shared | {"during"}

    def __init__(self, tasks, during=lambda env, action: None, waits=True, **kwargs):
        super().__init__(tasks, **kwargs)
        self.during, self.waits = during, waits

    def step(self, action):
        self.during(self, action)
        return super().step(action)


class WaitingVectorEnv(ToolVectorEnv):
    env_class = WaitingEnv


@pytest.fixture
def vector(tasks):
    made = []

    def _vector(num_envs, during=lambda env, action: None, **kwargs):
        made.append(WaitingVectorEnv(num_envs, tasks=tasks, during=during, **kwargs))
        made[-1].reset(seed=0)
        return made[-1]

    yield _vector
    for envs in made:
        envs.close()


def test_eight_steps_are_in_flight_before_any_returns(vector):
    together = threading.Barrier(8, timeout=LONG)
    envs = vector(8, lambda env, action: together.wait())
    envs.step([CALL] * 8)
    assert not together.broken


def test_resets_run_at_the_same_time_too(vector):
    envs = vector(4)
    together = threading.Barrier(4, timeout=LONG)
    for env in envs.envs:
        env._begin_episode = lambda current: together.wait()
    envs.reset(seed=1)
    assert not together.broken


def test_a_bound_of_three_is_reached_and_never_exceeded(vector):
    lock, running, most = threading.Lock(), [0], [0]
    together = threading.Barrier(3, timeout=LONG)

    def during(env, action):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        together.wait()
        with lock:
            running[0] -= 1

    envs = vector(9, during, max_concurrency=3)
    for _ in range(4):
        envs.step([CALL] * 9)
    assert most == [3]


@pytest.mark.parametrize(
    "kwargs", [{"waits": False}, {"max_concurrency": 1}, {"render_mode": "human"}]
)
def test_the_plain_path_stays_on_the_callers_thread(vector, kwargs, capsys):
    threads = []
    envs = vector(4, lambda env, action: threads.append(threading.get_ident()), **kwargs)
    envs.step([CALL] * 4)
    assert threads == [threading.get_ident()] * 4
    assert envs._workers._executor is None


def test_a_single_environment_is_not_worth_a_thread(vector):
    threads = []
    envs = vector(1, lambda env, action: threads.append(threading.get_ident()))
    envs.step([CALL])
    assert threads == [threading.get_ident()]


def test_a_blocked_session_does_not_keep_the_others_from_their_step(vector):
    done, all_others = [], threading.Event()
    envs = vector(8)
    blocked = envs.envs[3]

    def during(env, action):
        if env is blocked:
            assert all_others.wait(LONG)
            return
        done.append(env)
        if len(done) == 7:
            all_others.set()

    envs.set_attr("during", during)
    _, rewards, *_ = envs.step([CALL] * 8)
    assert len(done) == 7
    assert len(rewards) == 8


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_results_infos_and_random_numbers_are_those_of_one_after_the_other(tasks, mode):
    def rollout(limit):
        envs = WaitingVectorEnv(6, mode, max_concurrency=limit, tasks=tasks)
        answers = [[CALL if (turn + i) % 3 else f"no {i}" for i in range(6)] for turn in range(5)]
        steps = [envs.reset(seed=3), *(envs.step(row) for row in answers)]
        numbers = [env.np_random.integers(1 << 30) for env in envs.envs]
        envs.close()
        return [*steps, numbers]

    assert data_equivalence(rollout(6), rollout(1), exact=True)
    assert data_equivalence(rollout(2), rollout(1), exact=True)


@pytest.mark.parametrize("limit", [1, 4])
def test_one_that_raises_keeps_no_other_from_its_step(vector, limit):
    def during(env, action):
        if action.startswith("raise"):
            raise RuntimeError(action)

    envs = vector(4, during, max_concurrency=limit)
    with pytest.raises(RuntimeError, match="raise 1") as caught:
        envs.step([CALL, "raise 1", CALL, "raise 3"])
    assert "environment 1, 3" in caught.value.__notes__[0]
    assert envs.finished.tolist() == [True, False, True, False]
    assert [env._done for env in envs.envs] == [True, False, True, False]
    texts, _, terminations, _, _ = envs.step([CALL] * 4)  # 0 and 2 are reset, 1 and 3 step on
    assert terminations.tolist() == [False, True, False, True]
    assert texts[1].endswith(CALL)
    assert not texts[0].endswith(CALL)


def test_one_reset_that_fails_leaves_the_others_reset(vector):
    envs = vector(3)
    envs.step([CALL] * 3)
    with pytest.raises(ConfigurationError, match="task_index=99") as caught:
        envs.reset(options={"task_index": [0, 99, 1]})
    assert "environment 1;" in caught.value.__notes__[0]
    assert envs.finished.tolist() == [False, True, False]


def test_misuse_is_refused_before_anybody_steps(vector):
    stepped = []
    envs = vector(2, lambda env, action: stepped.append(env))
    with pytest.raises(TypeError, match="action 1"):
        envs.step([CALL, 3])
    assert stepped == []
    for bad in (0, -1, 1.5, True, "many"):
        with pytest.raises(ConfigurationError, match="max_concurrency"):
            vector(2, max_concurrency=bad)


def test_copies_have_threads_of_their_own_and_closing_ends_them(vector, tasks):
    envs = vector(3)
    envs.step([CALL] * 3)
    twin = copy.deepcopy(envs)
    assert twin._workers._executor is None
    assert twin._workers.limit == MAX_CONCURRENCY
    assert data_equivalence(twin.reset(seed=4), envs.reset(seed=4), exact=True)
    twin.close()
    assert twin._workers._executor is None
    assert pickle.loads(pickle.dumps(Workers(5))).limit == 5


def test_the_bound_can_be_given_to_make_vec():
    envs = gym.make_vec("toolrl_env:ToolRL-Toolbox-v0", num_envs=2, max_concurrency=2)
    assert envs.unwrapped._workers.limit == 2
    envs.close()


# ------------------------------------------------------------------ workers


def test_outcomes_come_in_order_and_exceptions_are_data():
    workers = Workers(4)
    outcomes = workers.map(lambda x: 12 // x, [1, 2, 0, 3])
    assert outcomes[:2] + outcomes[3:] == [12, 6, 4]
    assert isinstance(outcomes[2], ZeroDivisionError)
    assert isinstance(attempt(lambda x: 1 // x, 0), ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        raise_first(outcomes, [5, 6, 7, 8])
    raise_first([1, 2], [0, 1])
    workers.close()
    workers.close()


def test_an_interrupt_is_passed_on_and_what_has_not_begun_does_not_begin():
    begun, workers = [], Workers(1)
    release = threading.Event()

    def work(number):
        begun.append(number)
        if number == 0:
            raise KeyboardInterrupt
        release.wait(LONG)

    with pytest.raises(KeyboardInterrupt):
        workers.map(work, range(50))
    release.set()
    workers.close()
    assert len(begun) < 50


_FORKED = """
import os
from toolrl_env.envs.workers import Workers
workers = Workers(2)
assert workers.map(str, [1, 2]) == ["1", "2"]
child = os.fork()
if not child:
    ok = workers.map(str, [3, 4]) == ["3", "4"]
    os._exit(0 if ok else 1)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(sys.platform == "win32", reason="nothing forks there")
def test_a_forked_child_starts_threads_of_its_own():
    subprocess.run([sys.executable, "-c", _FORKED], check=True, timeout=LONG)
