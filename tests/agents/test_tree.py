from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import toolrl_env  # noqa: F401  # registers the ids
from agents.chat_delta import ChatDelta
from agents.conversation import Conversation, Limits
from agents.credit import outcome
from agents.rollout import GroupCollector
from agents.shaping import describe_groups
from agents.tree import TreeConfig, grow, rest_of
from agents.turn_credits import UNNAMED
from tests.agents.played import credit, episode, turn
from tests.agents.scripts import Script
from tests.agents.two_turns import CODES, COST, TWO_TURNS, TwoTurnEnv
from toolrl_env.core.errors import ConfigurationError, InfrastructureError, UnknownName

LIMITS = Limits(40, 2000)


def start(env, encoder, seed=1, index=0):
    """A conversation on an environment that was just reset."""
    _, info = env.reset(seed=seed, options={"task_index": index})
    rng = np.random.default_rng(seed)
    prompt = encoder.prompt(info)
    return Conversation(env, encoder, ChatDelta(encoder), rng, prompt, info["messages"])


def rng(seed=0):
    return np.random.default_rng(seed)


class Guesses:
    """Look first; afterwards every answer is another code."""

    def __init__(self):
        self.given = 0

    def __call__(self, text, _):
        if "obs" not in text:
            return "[look]"
        self.given += 1
        return f"[{CODES[(self.given - 1) % len(CODES)]}]"


def test_branches_share_the_prefix_and_nothing_else(tiny):
    encoder = tiny[1]
    stem = start(gym.make(TWO_TURNS), encoder)
    (bush,) = grow([stem], Script(encoder, Guesses()), LIMITS, TreeConfig(branches=3), rng())
    whole = stem.episode()
    assert (bush.stem, bush.turn) == (0, 1)
    begin = whole.turns[1].tokens[0]
    assert [each.turns[0].text for each in bush.episodes] == [f"[{code}]" for code in CODES[:4]]
    for each in bush.episodes:
        assert each.prompt_ids == whole.prompt_ids + whole.token_ids[:begin]
        assert len(each.turns) == 1
        assert each.turns[0].tokens == (0, len(each.token_ids))
        assert all(each.sampled)
        assert each.turns[0].state == whole.turns[1].state
    assert [each.is_success for each in bush.episodes] == [True, False, False, False]
    assert [each.reward for each in bush.episodes] == pytest.approx([1 - COST, *[-COST] * 3])


def test_the_rest_of_the_stem_is_what_was_sampled(tiny):
    encoder = tiny[1]
    stem = start(gym.make(TWO_TURNS), encoder)
    (bush,) = grow([stem], Script(encoder, Guesses()), LIMITS, TreeConfig(branches=1), rng())
    whole, rest = stem.episode(), bush.episodes[0]
    assert rest.prompt_ids + rest.token_ids == whole.prompt_ids + whole.token_ids
    assert rest.turns[0].text == whole.turns[1].text
    assert rest.reward == whole.turns[1].reward
    assert (rest.stop_reason, rest.is_success) == (whole.stop_reason, whole.is_success)


def test_what_the_prefix_earned_is_nobodys(tiny):
    encoder = tiny[1]
    stem = start(gym.make(TWO_TURNS), encoder)
    right = Script(encoder, lambda text, _: f"[{CODES[0]}]" if "obs" in text else "[look]")
    (bush,) = grow([stem], right, LIMITS, TreeConfig(branches=1), rng())
    for each in bush.episodes:
        cost, earned = each.turns[0].credits
        assert cost.tokens == each.turns[0].tokens
        assert (earned.term, earned.tokens, earned.amount) == ("outcome", (0, 0), 1.0)


def test_advantages_compare_the_branches_of_one_point(tiny):
    encoder = tiny[1]
    played = GroupCollector(
        TWO_TURNS, {}, encoder, limits=LIMITS, prompts=1, group_size=2, tree=TreeConfig(2, "all")
    )
    (root,) = played.collect(Script(encoder, Guesses()), [1], rng(), 0)
    assert len(root.episodes) == 2
    assert [len(group.episodes) for group in root.branches] == [3, 3]
    assert {group.task_id for group in root.branches} == {root.task_id}
    for group in root.branches:
        (rows,) = outcome([group], [group.rewards - group.rewards.mean()])
        signs = [np.sign(row[0]) for row in rows]
        assert signs == [np.sign(each.reward - group.rewards.mean()) for each in group.episodes]
    got = describe_groups([root])
    assert got["branch_groups"] == 2.0
    assert got["turns"] == 2.0


def test_a_first_answer_that_ends_it_leaves_nothing_to_branch(tiny):
    encoder = tiny[1]
    stem = start(gym.make(TWO_TURNS), encoder)
    assert grow([stem], Script(encoder, lambda *_: "[red]"), LIMITS, TreeConfig(), rng()) == []
    assert stem.over


def test_where_it_branches(tiny):
    encoder = tiny[1]
    turns = []
    for at, seed in (("all", 0), *(("random", seed) for seed in range(12))):
        stems = [start(gym.make(TWO_TURNS), encoder) for _ in range(2)]
        wandering = Script(encoder, lambda *_: "hm")
        bushes = grow(stems, wandering, LIMITS, TreeConfig(1, at), rng(seed))
        turns.append([(bush.stem, bush.turn) for bush in bushes])
    assert turns[0] == [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)]
    assert all([stem for stem, _ in drawn] == [0, 1] for drawn in turns[1:])
    assert {turn for drawn in turns[1:] for _, turn in drawn} == {1, 2, 3}


def test_a_stem_is_the_same_with_and_without_branches(tiny):
    encoder = tiny[1]

    def played(tree):
        made = GroupCollector(
            TWO_TURNS, {}, encoder, limits=LIMITS, prompts=2, group_size=2, tree=tree
        )
        sampler = Noisy(encoder)
        groups = made.collect(sampler, [1, 2], rng(3), 0)
        return [[(each.token_ids, each.turns) for each in group.episodes] for group in groups]

    assert played(None) == played(TreeConfig(2, "all"))


class Noisy:
    """Answers by each conversation's own generator."""

    def __init__(self, encoder):
        self.encoder = encoder

    def __call__(self, contexts, samples, rngs):
        draws = iter([int(each.integers(len(CODES))) for each in rngs])
        return Script(
            self.encoder,
            lambda text, _: f"[{CODES[next(draws)]}]" if "obs" in text else str(next(draws)),
        )(contexts, samples, rngs)


def test_limits_count_from_the_beginning(tiny):
    encoder = tiny[1]
    stem = start(gym.make(TWO_TURNS, max_turns=99), encoder)
    limits = Limits(40, 2000, max_turns=3)
    bushes = grow([stem], Script(encoder, lambda *_: "hm"), limits, TreeConfig(1, "all"), rng())
    assert len(stem.episode().turns) == 3
    for bush in bushes:
        assert [len(each.turns) for each in bush.episodes] == [3 - bush.turn] * 2


def test_offices_branch_independently(tiny):
    """On a real environment: one branch works on, another breaks things, the stem sees neither."""
    encoder = tiny[1]
    limits = Limits(600, 9000)
    env = gym.make("ToolRL-Workspace-v0", difficulty=3)
    stem = start(env, encoder, index=4)
    base = env.unwrapped
    script = OfficeScript(encoder, base)
    states: list[str] = []
    bushes = grow([stem], script, limits, TreeConfig(2, "all"), rng())
    whole = stem.episode()
    assert whole.is_success
    assert len(bushes) == len(whole.turns) - 1
    for bush in bushes:
        rest, gold, junk = bush.episodes
        assert rest.is_success
        assert gold.is_success
        assert len({each.turns[0].state for each in bush.episodes}) == 1
        assert rest.token_ids == gold.token_ids
        assert rest.reward == gold.reward == 1.0
        for each in (gold, junk):
            named = [part for each_turn in each.turns for part in each_turn.credits]
            assert sum(part.amount for part in named) == pytest.approx(each.reward)
        states += [each.turns[0].state for each in bush.episodes]
    gave_up = [bush.episodes[2].is_success for bush in bushes]
    assert gave_up == sorted(gave_up)  # giving up does no harm once the work is done
    assert not gave_up[0]
    assert len(set(states)) == len(bushes)
    assert any(part.term == UNNAMED for each in whole.turns for part in each.credits)


class OfficeScript:
    """The stem and each first branch follow gold, each second branch gives up."""

    def __init__(self, encoder, base):
        self.encoder, self.base, self.gold = encoder, base, []

    def __call__(self, contexts, samples, rngs):
        def choose(text, number):
            if number or "I give up" in text:
                return "<think> No. </think>\n<response> I give up. </response>"
            step = text.count("<|im_start|>assistant") - 1
            if step == len(self.gold):
                self.gold.append(self.base.gold_answer())
            return self.gold[step]

        return Script(self.encoder, choose)(contexts, samples, rngs)


# --------------------------------------------------------------------------- failures, settings


class NoForkEnv(TwoTurnEnv):
    """Cannot be copied."""

    fork = None


def test_an_environment_without_fork_is_refused(tiny):
    stem = start(NoForkEnv(), tiny[1])
    with pytest.raises(ConfigurationError, match=r"NoForkEnv has no fork\(\)"):
        grow([stem], Script(tiny[1], Guesses()), LIMITS, TreeConfig(), rng())


def test_a_world_that_cannot_be_copied_just_now_does_not_branch(tiny, monkeypatch, caplog):
    env = gym.make(TWO_TURNS)
    stem = start(env, tiny[1])

    def broken(n):
        raise InfrastructureError("out of memory")

    monkeypatch.setattr(env.unwrapped, "fork", broken)
    assert grow([stem], Script(tiny[1], Guesses()), LIMITS, TreeConfig(), rng()) == []
    assert stem.over
    assert "cannot be copied: out of memory" in caplog.text


def test_rest_of_moves_everything():
    whole = episode(turn(1), turn(2, "", credit(0, 2, 1.5), credit(7, 9, 0.5)))
    rest = rest_of(whole, 1)
    assert rest.prompt_ids == (1, 2, 0, 1, 2, 3, 4, 5)
    assert rest.token_ids == (6, 7, 8, 9)
    assert rest.sampled == (True,) * 4
    assert rest.turns[0].tokens == (0, 4)
    assert [part.tokens for part in rest.turns[0].credits] == [(0, 0), (1, 3)]
    assert rest.reward == 2
    assert rest_of(whole, 0) == whole


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"branches": 0}, ConfigurationError, "branches=0"),
        ({"at": "rnadom"}, UnknownName, "Did you mean 'random'"),
    ],
)
def test_settings(kwargs, error, message):
    with pytest.raises(error, match=message):
        TreeConfig(**kwargs)
