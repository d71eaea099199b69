from __future__ import annotations

import logging
import threading

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toolrl_env  # noqa: F401  # registers the ids
from agents.conversation import Limits
from agents.rollout import GroupCollector, derive_seed
from agents.shaping import describe_groups
from agents.turn_credits import UNNAMED
from tests.agents.scripts import Script
from tests.agents.two_turns import CODES, COST, TWO_TURNS
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import StopReason
from toolrl_env.envs.workspace import WorkspaceEnv

LIMITS = Limits(max_new_tokens=40, max_context=2000)


def collector(env_id, encoder, *, limits=LIMITS, prompts=3, group_size=2, **kwargs):
    return GroupCollector(
        env_id, kwargs, encoder, limits=limits, prompts=prompts, group_size=group_size
    )


def play(played, sampler, seeds=(1, 2, 3)):
    return played.collect(sampler, seeds, np.random.default_rng(0), 7)


def fixed(encoder, *texts):
    return Script(encoder, lambda _, number: texts[number % len(texts)])


def honest(context, _):
    """Look first, then say what was found."""
    found = context.rpartition("obs ")[2].partition("<")[0]
    return f"[{found}]" if found in CODES else "[look]"


# --------------------------------------------------------------------------- one turn


def test_a_group_shares_its_task_and_nothing_else(stub_id, tiny):
    played = collector(stub_id, tiny[1])
    groups = play(played, fixed(tiny[1], "hm", "hm"))
    for group, envs in zip(groups, played._groups, strict=True):
        assert {f"stub-{env.unwrapped.index}" for env in envs} == {group.task_id}
        assert len({id(env.unwrapped) for env in envs}) == 2
        assert [env.unwrapped.training_step for env in envs] == [7, 7]
        assert len({episode.prompt_ids for episode in group.episodes}) == 1
    assert len({group.task_id for group in groups}) > 1


def test_one_answer_is_an_episode_of_one_turn(stub_id, tiny):
    encoder = tiny[1]
    env = gym.make(stub_id)
    env.reset(seed=1)
    gold = env.unwrapped.gold_answer()
    group = play(collector(stub_id, encoder), fixed(encoder, gold, "nonsense"), (1, 1, 1))[0]
    right, wrong = group.episodes
    assert right.token_ids == encoder.answer(gold)
    assert set(right.sampled) == {True}
    assert set(right.logprobs) == {-0.5}
    assert right.turns[0].tokens == (0, len(right.token_ids))
    assert right.turns[0].text == gold
    assert right.reward == right.highest == 4.0
    assert (right.is_success, wrong.is_success) == (True, False)
    assert right.stop_reason is StopReason.ANSWERED
    assert not right.truncated
    assert wrong.turns[0].components == {"total": -3.0, "format": 0.0, "correctness": -3.0}
    assert group.rewards.tolist() == [4.0, -3.0]


def test_a_group_is_one_request_for_several_answers(stub_id, tiny):
    sampler = fixed(tiny[1], "a", "b")
    play(collector(stub_id, tiny[1]), sampler)
    ((contexts, samples),) = sampler.calls
    assert (len(contexts), samples) == (3, [2, 2, 2])


def test_same_seed_same_tasks(stub_id, tiny):
    ids = [
        [g.task_id for g in play(collector(stub_id, tiny[1]), fixed(tiny[1], "a", "b"))]
        for _ in "12"
    ]
    assert ids[0] == ids[1]


def test_an_unfinished_answer_is_truncated(stub_id, tiny):
    sampler = Script(tiny[1], lambda *_: "hm", finished=False)
    episode = play(collector(stub_id, tiny[1]), sampler)[0].episodes[0]
    assert not episode.turns[0].finished
    assert episode.truncated
    assert episode.turns[0].text == "hm"


# --------------------------------------------------------------------------- failures


@pytest.mark.parametrize("fail", ["raise", "truncate"])
def test_infrastructure_failure_is_left_out_not_zero(stub_id, tiny, fail, caplog):
    with caplog.at_level(logging.WARNING):
        groups = play(
            collector(stub_id, tiny[1], fail=fail, every=2), fixed(tiny[1], "a", "b"), range(3)
        )
    failed = [group for group in groups if int(group.task_id[5:]) % 2 == 0]
    assert 0 < len(failed) < 3
    for group in groups:
        if group in failed:
            assert group.scored == ()
            assert all(episode.turns[0].masked for episode in group.episodes)
            assert {episode.stop_reason for episode in group.episodes} == {"infrastructure"}
        else:
            assert group.rewards.tolist() == [-3.0, -3.0]
    assert f"{2 * len(failed)} of 6 episodes left out" in caplog.text
    got = describe_groups(groups)
    assert got["reward"] == -3.0
    assert got["failures"] == 2 * len(failed)


def test_failure_of_everything_raises(stub_id, tiny):
    with pytest.raises(InfrastructureError, match="every episode: the tool server is gone"):
        play(collector(stub_id, tiny[1], fail="raise"), fixed(tiny[1], "a", "b"))


def test_a_bug_is_not_an_infrastructure_failure(stub_id, tiny):
    with pytest.raises(ZeroDivisionError):
        play(collector(stub_id, tiny[1], fail="bug"), fixed(tiny[1], "a", "b"))


@pytest.mark.parametrize("raises", [True, False])
def test_a_failure_in_mid_episode_masks_its_turn_and_drops_the_episode(tiny, raises):
    played = collector(TWO_TURNS, tiny[1], fail_at=2, raises=raises, prompts=2)
    quick = Script(tiny[1], lambda text, number: "[red]" if number else honest(text, number))
    groups = play(played, quick, (1, 2))
    for group in groups:
        failed, scored = group.episodes
        assert [turn.masked for turn in failed.turns] == [False, True]
        assert failed.turns[0].reward == -COST
        assert failed.turns[1].reward == 0.0
        assert failed.turns[1].credits == ()
        assert failed.failure.startswith("the tool server")
        assert group.scored == (scored,)
    got = describe_groups(groups)
    assert got["failures"] == 2.0
    assert got["turns"] == 1.0


def test_an_environment_that_cannot_be_reset_counts_as_failed(tiny):
    played = collector(TWO_TURNS, tiny[1], bad_reset=2, prompts=1)
    sampler = Script(tiny[1], honest)
    assert len(play(played, sampler, (1,))[0].scored) == 2
    with pytest.raises(InfrastructureError, match="the server did not start"):
        play(played, sampler, (1,))
    assert len(play(played, sampler, (1,))[0].scored) == 2
    lost = collector(TWO_TURNS, tiny[1], prompts=1, group_size=3)
    lost._groups[0][1].unwrapped.bad_reset = 1
    group = play(lost, sampler, (1,))[0]
    assert [episode.failed for episode in group.episodes] == [False, False, True]
    assert not group.episodes[2].truncated
    assert group.episodes[2].prompt_ids == group.episodes[0].prompt_ids


# --------------------------------------------------------------------------- several turns


def test_the_environments_tokens_are_context(tiny):
    encoder = tiny[1]
    sampler = Script(encoder, honest)
    groups = play(collector(TWO_TURNS, encoder), sampler)
    assert [sum(samples) for _, samples in sampler.calls] == [6, 6]
    for group in groups:
        for episode in group.episodes:
            assert len(episode.turns) == 2
            sampled = [
                token for token, own in zip(episode.token_ids, episode.sampled, strict=True) if own
            ]
            texts = [turn.text for turn in episode.turns]
            assert tuple(sampled) == encoder.answer(texts[0]) + encoder.answer(texts[1])
            context = encoder.tokenizer.decode(
                episode.token_ids[slice(episode.turns[0].tokens[1], episode.turns[1].tokens[0])]
            )
            said = f"\n<|im_start|>user\nobs {texts[1][1:-1]}<|im_end|>\n"
            assert context == f"{said}<|im_start|>assistant\n"
            assert not any(episode.logprobs[i] for i, own in enumerate(episode.sampled) if not own)
            assert episode.reward == pytest.approx(1.0 - 2 * COST)
            assert episode.is_success
            assert episode.stop_reason is StopReason.GOAL_REACHED


def test_the_tokens_are_those_of_the_full_rendering(tiny):
    encoder = tiny[1]
    played = collector(TWO_TURNS, encoder, prompts=1)
    episode = play(played, Script(encoder, honest), (5,))[0].episodes[0]
    messages = played._groups[0][0].unwrapped.messages
    full = encoder.render(messages, (), answer_next=False)
    assert encoder.tokenizer.decode([*episode.prompt_ids, *episode.token_ids]) == full.rstrip("\n")


def test_an_answer_without_its_end_token_gets_it_as_context(tiny):
    encoder = tiny[1]
    sampler = Script(encoder, honest, finished=False)
    episode = play(collector(TWO_TURNS, encoder, prompts=1), sampler, (5,))[0].episodes[0]
    end = episode.turns[0].tokens[1]
    assert not episode.turns[0].finished
    assert episode.token_ids[end] == encoder.eos_id
    assert not episode.sampled[end]
    finished = play(collector(TWO_TURNS, encoder, prompts=1), Script(encoder, honest), (5,))[0]
    assert episode.token_ids == finished.episodes[0].token_ids[:-1]


def test_finished_episodes_leave_the_batch(tiny):
    encoder = tiny[1]
    sampler = Script(encoder, lambda text, n: "[red]" if n == 0 else honest(text, n))
    groups = play(collector(TWO_TURNS, encoder, prompts=2, group_size=3), sampler, (1, 2))
    assert sampler.calls[0][1] == [3, 3]
    assert [len(contexts) for contexts, _ in sampler.calls] == [2, 2, 2][: len(sampler.calls)]
    assert sum(sampler.calls[1][1]) == 4
    assert all(len(group.episodes[0].turns) == 1 for group in groups)


@pytest.mark.parametrize(
    ("limits", "kwargs", "turns", "stop"),
    [
        (Limits(40, 2000, max_turns=2), {}, 2, None),
        (Limits(40, 110), {}, 2, None),
        (LIMITS, {"max_turns": 3}, 3, StopReason.TURN_LIMIT),
    ],
)
def test_limits_truncate(tiny, limits, kwargs, turns, stop):
    played = collector(TWO_TURNS, tiny[1], limits=limits, prompts=1, **kwargs)
    groups = play(played, Script(tiny[1], lambda *_: "no idea"), (1,))
    for episode in groups[0].episodes:
        assert len(episode.turns) == turns
        assert episode.stop_reason is stop
        assert episode.truncated
        assert len(episode.prompt_ids) + len(episode.token_ids) <= limits.max_context
    assert describe_groups(groups)["truncated"] == 2.0


def test_a_prompt_without_room_is_refused(tiny):
    played = collector(TWO_TURNS, tiny[1], limits=Limits(40, 45))
    with pytest.raises(ConfigurationError, match=r"code-\d+' has \d+ tokens.*leave room for 5"):
        play(played, Script(tiny[1], honest))


@pytest.mark.parametrize("name", ["max_new_tokens", "max_context", "max_turns"])
def test_limits_are_positive(name):
    with pytest.raises(ConfigurationError, match=f"{name}=0"):
        Limits(**({"max_new_tokens": 4} | {name: 0}))


def test_an_environment_that_forgets_its_messages_is_refused(tiny):
    played = collector(TWO_TURNS, tiny[1], prompts=1)
    for env in played._groups[0]:
        env.unwrapped._info = lambda: {
            "messages": [{"role": "user", "content": "code"}],
            "tools": [],
            "task_id": "x",
        }
    with pytest.raises(ConfigurationError, match=r"TwoTurnEnv goes on.*it grew by \[\]"):
        play(played, Script(tiny[1], honest), (1,))


def test_an_environment_that_replaces_answers_is_refused(tiny):
    played = collector(TWO_TURNS, tiny[1], prompts=1)
    script = Script(tiny[1], honest)
    for env in played._groups[0]:
        base = env.unwrapped
        inner = base._info
        base._info = lambda inner=inner: (
            inner()
            | {
                "messages": [
                    said | {"content": "recorded"} if said["role"] == "assistant" else said
                    for said in inner()["messages"]
                ]
            }
        )
    with pytest.raises(ConfigurationError, match="TwoTurnEnv puts other answers in the place"):
        play(played, script, (1,))
    with pytest.raises(ConfigurationError, match=r"ToolACE-v0 puts other.*free_running"):
        collector("ToolRL-ToolACE-v0", tiny[1], mode="multi_turn")


def test_recorded_dialogues_run_freely(tiny):
    kwargs = {"mode": "multi_turn", "continuation": "free_running", "max_turns": 2}
    played = collector("ToolRL-ToolACE-v0", tiny[1], limits=Limits(40, 30_000), **kwargs)
    for group in play(played, Script(tiny[1], lambda *_: "hm")):
        assert all(len(episode.turns) >= 1 for episode in group.scored)


def test_environments_that_wait_are_stepped_at_the_same_time(tiny, monkeypatch):
    encoder = tiny[1]
    kwargs = {"limits": Limits(600, 9000), "prompts": 2, "difficulty": 2}
    names, step = set(), WorkspaceEnv.step

    def noted(self, action):
        names.add(threading.current_thread().name)
        return step(self, action)

    def tokens(played):
        envs = [env for group in played._groups for env in group]
        groups = play(played, GoldScript(encoder, envs), (1, 2))
        played.close()
        return [episode.token_ids for group in groups for episode in group.episodes]

    alone = tokens(collector("ToolRL-Workspace-v0", encoder, **kwargs))
    monkeypatch.setattr(WorkspaceEnv, "step", noted)
    monkeypatch.setattr(WorkspaceEnv, "waits", True)
    assert tokens(collector("ToolRL-Workspace-v0", encoder, **kwargs)) == alone
    assert threading.main_thread().name not in names


# --------------------------------------------------------------------------- credits and states


def test_credits_are_in_tokens_of_the_turn_that_earned_them(tiny):
    encoder = tiny[1]
    episode = play(collector(TWO_TURNS, encoder, prompts=1), Script(encoder, honest), (1,))[0]
    look, said = episode.episodes[0].turns
    assert [(c.term, c.amount) for c in look.credits] == [("cost", -COST), ("outcome", 0.0)]
    assert look.credits[0].tokens == look.tokens
    cost, earned = said.credits
    assert cost.tokens == said.tokens
    assert earned.amount == 1.0
    ids = episode.episodes[0].token_ids[slice(*earned.tokens)]
    assert encoder.tokenizer.decode(ids) == "look"
    assert look.tokens[0] < earned.tokens[0] < earned.tokens[1] < look.tokens[1]


def test_states_are_equal_where_the_same_was_seen(tiny):
    encoder = tiny[1]
    choose = lambda text, n: ("[look]", "hm", "[look]")[n] if "obs" not in text else honest(text, n)
    group = play(
        collector(TWO_TURNS, encoder, prompts=1, group_size=3), Script(encoder, choose), (1,)
    )[0]
    first, astray, third = group.episodes
    assert len({episode.turns[0].state for episode in group.episodes}) == 1
    assert first.turns[1].state == third.turns[1].state
    assert first.turns[1].state not in {turn.state for turn in astray.turns[:2]}
    assert astray.turns[0].state != astray.turns[1].state  # told "no" since


# --------------------------------------------------------------------------- registered ones


@pytest.mark.parametrize("protocol", ["toolrl", "native", "python"])
def test_the_office_is_played_to_its_end(tiny, protocol):
    encoder = type(tiny[1])(tiny[1].tokenizer, protocol)
    limits = Limits(600, 9000)
    played = collector(
        "ToolRL-Workspace-v0", encoder, limits=limits, prompts=2, difficulty=3, protocol=protocol
    )
    envs = [env for group in played._groups for env in group]
    sampler = GoldScript(encoder, envs)
    for group in play(played, sampler, (1, 2)):
        for episode in group.episodes:
            assert episode.is_success
            assert episode.reward == 1.0
            assert len(episode.turns) > 1
            named = [credit for turn in episode.turns for credit in turn.credits]
            assert sum(credit.amount for credit in named) == pytest.approx(1.0)
            assert {credit.term for credit in named} == {"outcome", UNNAMED}
            calls = [credit for credit in named if credit.term == UNNAMED]
            assert len(calls) >= 3
            for credit in calls:
                text = encoder.tokenizer.decode(episode.token_ids[slice(*credit.tokens)])
                assert '"name"' in text or (protocol == "python" and "(" in text)
        assert len({episode.turns[1].state for episode in group.episodes}) == 1


class GoldScript:
    """Gives each environment its next gold answer; relies on the order of the conversations."""

    def __init__(self, encoder, envs):
        self.encoder, self.envs = encoder, envs

    def __call__(self, contexts, samples, rngs):
        live = iter([env for env in self.envs if not env.unwrapped._done])
        script = Script(self.encoder, lambda *_: next(live).unwrapped.gold_answer())
        return script(contexts, samples, rngs)


def test_single_calls_of_one_answer_have_credits_too(tiny):
    encoder = tiny[1]
    played = collector("ToolRL-Toolbox-v0", encoder, limits=Limits(600, 9000), difficulty=3)
    envs = [env for group in played._groups for env in group]
    found = 0
    for group in play(played, GoldScript(encoder, envs)):
        for episode in group.episodes:
            turn = episode.turns[0]
            assert sum(c.amount for c in turn.credits) == pytest.approx(episode.reward)
            for credit in turn.credits:
                if credit.tokens != turn.tokens:
                    text = encoder.tokenizer.decode(episode.token_ids[slice(*credit.tokens)])
                    assert '{"name": ' in text
                    found += 1
    assert found


# --------------------------------------------------------------------------- odds and ends


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20, unique=True))
@settings(max_examples=20, deadline=None)
def test_derive_seed(keys):
    seeds = {derive_seed(*key) for key in keys}
    assert len(seeds) == len(keys)
    assert all(0 <= seed < 2**31 for seed in seeds)
