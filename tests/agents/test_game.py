"""One attempt at one task, and asking a policy about several."""

from __future__ import annotations

import copy

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401
from agents.game import Game, ask
from agents.policy import NoAnswer
from agents.scripted import GoldPolicy, RandomPolicy
from tests.agents.two_turns import TWO_TURNS
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind, StopReason

TOOLBOX, WORKSPACE = "ToolRL-Toolbox-v0", "ToolRL-Workspace-v0"


class Fixed:
    """Gives what it was made with."""

    def __init__(self, answers):
        self.answers = answers

    def act(self, observations, infos):
        return self.answers


def two_turns(**kwargs):
    return gym.make(TWO_TURNS, **kwargs)


def test_a_game_of_two_turns():
    game = Game(two_turns(), 5)
    assert (game.task_id, game.index, game.question) == ("code-5", 5, "code 0 ?")
    assert game.gold == "[look]"
    game.step("[look]")
    assert not game.over
    game.step("[gold]")
    assert game.over
    assert game.failure is None
    assert game.reward == pytest.approx(0.8)
    assert game.components == pytest.approx({"total": 0.8, "outcome": 1.0, "cost": -0.2})
    first, last = game.transitions
    assert (first.terminated, first.truncated, first.stop_reason) == (False, False, None)
    assert last.terminated
    assert last.stop_reason is StopReason.GOAL_REACHED
    assert first.next_observation == last.observation


def test_a_game_that_is_cut():
    game = Game(two_turns(max_turns=1), 0)
    game.step("what?")
    (only,) = game.transitions
    assert (only.terminated, only.truncated) == (False, True)


@pytest.mark.parametrize("raises", [True, False])
def test_a_failing_step_ends_the_game_without_a_transition(raises):
    game = Game(two_turns(fail_at=2, raises=raises), 0)
    game.step("[look]")
    game.step("[red]")
    assert game.over
    assert game.failure.kind is FailureKind.TOOL_CRASHED
    assert "the tool server" in game.failure.reason
    assert len(game.transitions) == 1


def test_a_failing_reset_ends_the_game():
    game = Game(two_turns(bad_reset=1), 0)
    assert game.over
    assert game.failure.reason == "the server did not start"


def test_no_answer_ends_the_game():
    game = Game(two_turns(), 0)
    lost = NoAnswer(FailureKind.TIMEOUT, "silence")
    game.step(lost)
    assert game.over
    assert game.failure is lost


def test_the_seed_of_an_answer_is_its_own():
    def seeds(seed, index, attempt):
        game = Game(two_turns(), index, attempt=attempt, seed=seed)
        first = game.info()["answer_seed"]
        game.step("[look]")
        return first, game.info()["answer_seed"]

    found = [*seeds(0, 0, 0), *seeds(1, 0, 0), *seeds(0, 1, 0), *seeds(0, 0, 1)]
    assert len(set(found)) == 8
    assert seeds(0, 0, 0) == seeds(0, 0, 0)


def test_gold_is_shown_to_gold_policies_alone():
    class Curious(RandomPolicy):
        def act(self, observations, infos):
            assert not any("gold_answer" in info for info in infos)
            return super().act(observations, infos)

    env = gym.make(WORKSPACE)
    games = [Game(gym.make(WORKSPACE), index) for index in range(3)]
    ask(Curious(), games)
    gold = ask(GoldPolicy.from_env(env), games)
    assert list(gold) == [game.gold for game in games]


def test_gold_that_is_used_up_is_a_word_of_parting():
    env = gym.make(WORKSPACE)
    game = Game(env, 0)
    policy = GoldPolicy.from_env(env)
    for _ in range(len(env.unwrapped.tasks.gold_turns(env.unwrapped.task))):
        game.step("")
    assert game.info(with_gold=True)["gold_answer"] is None
    (answer,) = ask(policy, [game])
    assert "That is all I can do." in answer


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (["x"], "1 answers to 2 observations"),
        ("xy", "no list of answers but 'xy'"),
        (iter(["x", "y"]), "no list of answers"),
        (["x", None], "no str but None"),
        (None, "no list of answers but None"),
    ],
)
def test_answers_of_a_wrong_form_are_refused(answers, said):
    games = [Game(two_turns(), index) for index in range(2)]
    with pytest.raises(ConfigurationError, match=f"Fixed.act returned {said}"):
        ask(Fixed(answers), games)


def test_an_infrastructure_error_is_no_answer_to_any():
    class Down:
        def act(self, observations, infos):
            raise InfrastructureError("gone", FailureKind.SERVER_DOWN)

    games = [Game(two_turns(), index) for index in range(2)]
    assert ask(Down(), games) == [NoAnswer(FailureKind.SERVER_DOWN, "gone")] * 2


def test_policies_draw_from_the_seed_of_the_answer():
    env = gym.make(TOOLBOX)
    games = [Game(copy.deepcopy(env), index) for index in range(20)]
    for policy in (RandomPolicy(seed=1), RandomPolicy(seed=2)):
        forwards = list(ask(policy, games))
        assert forwards == list(ask(policy, games[::-1]))[::-1]
        assert forwards == list(ask(RandomPolicy(seed=3), games))
