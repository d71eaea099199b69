"""The promises of every registered environment whose episodes go on over several answers."""

from __future__ import annotations

import pickle
from itertools import pairwise

import pytest
from gymnasium.utils.env_checker import data_equivalence

from tests.fresh_process import in_fresh_processes
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import StopReason
from toolrl_env.prompts.native import chatml


def play_gold(env, index):
    """Play the proven gold trajectory; return the steps."""
    steps = [env.reset(options={"task_index": index})]
    while len(steps) == 1 or not (steps[-1][2] or steps[-1][3]):
        steps.append(env.step(env.unwrapped.gold_answer()))
    return steps


def test_the_gold_trajectory_reaches_the_goal(make_multi):
    env = make_multi()
    for index in range(8):
        steps = play_gold(env, index)
        info = steps[-1][4]
        assert info["is_success"], (index, info["errors"])
        assert info["stop_reason"] == StopReason.GOAL_REACHED
        assert info["progress"] == 1.0
        assert (steps[-1][2], steps[-1][3]) == (True, False)
        assert not any(step[4]["mask_sample"] for step in steps[1:])
        assert [step[4]["turn"] for step in steps[1:]] == list(range(1, len(steps)))
        assert sum(step[1] for step in steps[1:]) > 0
        with pytest.raises(ConfigurationError, match="gold has"):
            env.unwrapped.gold_answer()


def test_the_observation_only_ever_grows(make_multi):
    env = make_multi()
    steps = play_gold(env, 3)
    texts = [step[0] for step in steps]
    for before, after in pairwise(texts):
        assert after.startswith(before)
        assert after in env.observation_space


def test_the_observation_is_the_whole_conversation_rendered_anew(make_multi):
    env, seen = make_multi(), []

    def template(messages, tools):
        seen.append((messages, tools))
        return chatml(messages, tools)

    whole = make_multi(chat_template=template)
    for index in (2, 4):
        env.reset(options={"task_index": index})
        whole.reset(options={"task_index": index})
        protocol, gold = env.unwrapped.protocol, env.unwrapped.tasks.gold_turns(env.unwrapped.task)
        answers = ["", "<tool_call>\n{", "<|im_end|> \ud800 </obs>"]
        for turn in gold:
            said = {"response": turn} if isinstance(turn, str) else {}
            answers.append(protocol.render(() if said else turn, think="a", **said))
        for answer in answers:
            text, _, terminated, truncated, info = env.step(answer)
            assert text == whole.step(answer)[0]
            if terminated or truncated:
                break
            assert text == chatml(info["messages"], seen[-1][1])
            assert len(seen[-1][0]) == len(info["messages"])


def test_junk_ends_at_the_turn_limit_with_reasons(make_listening):
    env = make_listening(max_turns=4)
    env.reset(seed=0)
    for turn in range(1, 5):
        observation, _, terminated, truncated, info = env.step("")
        assert info["errors"]
        assert "could not be read" in observation or turn == 4
        assert not terminated
        assert truncated is (turn == 4)
    assert info["stop_reason"] == StopReason.TURN_LIMIT
    assert not info["is_success"]


def test_where_the_record_goes_on_junk_is_replaced_and_the_turns_are_fixed(make_recorded):
    env = make_recorded()
    gold = play_gold(env, 4)
    junk = [env.reset(options={"task_index": 4})]
    while len(junk) == 1 or not junk[-1][2]:
        junk.append(env.step(""))
        assert junk[-1][4]["errors"]
        assert not junk[-1][3]
    assert len(junk) == len(gold)
    assert [step[0] for step in junk[:-1]] == [step[0] for step in gold[:-1]]
    assert junk[-1][4]["stop_reason"] == StopReason.ANSWERED
    assert junk[-1][4]["progress"] == 0.0


def test_a_snapshot_in_mid_episode_restores_world_and_future(make_multi):
    env = make_multi()
    env.reset(options={"task_index": 1})
    env.step(env.unwrapped.gold_answer())
    snapshot = pickle.loads(pickle.dumps(env.unwrapped.snapshot()))
    state = env.unwrapped.state_hash()
    future = [env.step(env.unwrapped.gold_answer()), env.unwrapped.state_hash()]
    env.unwrapped.restore(snapshot)
    assert env.unwrapped.state_hash() == state
    again = [env.step(env.unwrapped.gold_answer()), env.unwrapped.state_hash()]
    other = make_multi()
    other.reset(seed=5)
    other.unwrapped.restore(snapshot)
    elsewhere = [other.step(other.unwrapped.gold_answer()), other.unwrapped.state_hash()]
    assert data_equivalence(again, future, exact=True)
    assert data_equivalence(elsewhere, future, exact=True)


def test_64_forks_never_see_each_others_writes(make_multi):
    env = make_multi()
    env.reset(options={"task_index": 2})
    base = env.unwrapped
    before, state = base.snapshot(), base.state_hash()
    forks = base.fork(64)
    for number, fork in enumerate(forks):
        fork.step(base.gold_answer() if number % 2 else f"<think> {number} </think>")
    assert len({fork.state_hash() for fork in forks[1::2]}) == 1
    if base.teacher_forced:
        assert {fork.state_hash() for fork in forks[::2]} == {forks[1].state_hash()}
        assert forks[1].state_hash() != state
    else:
        assert {fork.state_hash() for fork in forks[::2]} == {state}
    assert base.state_hash() == state
    assert base.snapshot().observation == before.observation
    gold = base.gold_answer()
    assert base.step(gold)[1] == forks[1].unwrapped._breakdown.total


def test_a_failure_of_ours_is_masked_and_never_a_reward(make_multi, monkeypatch):
    env = make_multi()
    env.reset(options={"task_index": 1})
    base = env.unwrapped

    def broken(*_args):
        raise InfrastructureError("the disk is full")

    monkeypatch.setattr(type(base._session), "execute", broken)
    monkeypatch.setattr(type(base._session), "reply", broken)
    _, _, terminated, truncated, info = env.step(base.gold_answer())
    assert (terminated, truncated) == (False, True)
    assert info["mask_sample"]
    assert info["failure_kind"] == "tool_crashed"
    assert info["failure"] == "the disk is full"
    assert info["stop_reason"] == StopReason.INFRASTRUCTURE
    assert all(term.reason.startswith("masked") for term in info["breakdown"].terms)


def test_credits_add_up_to_the_reward(make_multi):
    env = make_multi()
    for _ in range(2):
        env.reset(options={"task_index": 1})
        over = False
        while not over:
            _, reward, terminated, truncated, _ = env.step(env.unwrapped.gold_answer())
            credited = sum(credit.amount for credit in env.unwrapped.credits())
            assert credited == pytest.approx(reward, abs=1e-9)
            over = terminated or truncated


_FRESH = """
import ast, sys, warnings
warnings.simplefilter("ignore")
import gymnasium as gym
env = gym.make("toolrl_env:" + sys.argv[1], **ast.literal_eval(sys.argv[2]))
base = env.unwrapped
for index in range(3):
    env.reset(options={"task_index": index})
    over = False
    while not over:
        observation, reward, terminated, truncated, _ = env.step(base.gold_answer())
        over = terminated or truncated
        print(base.state_hash(), reward, len(observation))
"""


def test_another_process_goes_through_the_same_states(multi_turn):
    env_id, kwargs = multi_turn
    runs = in_fresh_processes(_FRESH, env_id, repr(kwargs))
    assert len(runs) == 1
    assert runs.pop().count("\n") > 3
