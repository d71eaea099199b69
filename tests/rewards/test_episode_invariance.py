"""Policy invariance of the shaping, on a small Markov decision process, by dynamic programming.

States are the truth of three goal predicates. Each action tries to make one predicate true, which
works four times out of five and then, for the first two, may make the third false; ``break`` makes
all false; ``stop`` ends the episode. The process is solved with the rewards that ``score_turn``
gives: of a plain configuration, and of the same with shaping added.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from tests.rewards.episode_support import read
from toolrl_env.core.episode import EpisodeRecord, TurnRecord
from toolrl_env.core.types import StopReason
from toolrl_env.rewards.episode import EpisodeRewardConfig, score_turn
from toolrl_env.rewards.episode.progress import potential

State = tuple[bool, ...]
ACTIONS = ("first", "second", "third", "break", "stop")
STATES: list[State] = list(itertools.product((False, True), repeat=3))
ACTION = read("Hm.")


def outcomes(state: State, action: str) -> list[tuple[float, State]]:
    """Return the probability of each next state."""
    if action == "stop":
        return [(1.0, state)]
    if action == "break":
        return [(1.0, (False, False, False))]
    index = ACTIONS.index(action)
    lit = (*state[:index], True, *state[index + 1 :])
    if index == 2:
        return [(0.8, lit), (0.2, state)]
    return [(0.5, lit), (0.3, (lit[0], lit[1], False)), (0.2, state)]


@cache
def reward(config: EpisodeRewardConfig, state: State, after: State, stop: bool) -> float:
    turn = TurnRecord(ACTION, progress_before=state, progress_after=after)
    end = StopReason.ANSWERED if stop else None
    return score_turn(EpisodeRecord((turn,), stop_reason=end), config).total


def action_values(
    config: EpisodeRewardConfig, gamma: float, values: dict[State, float], state: State
) -> dict[str, float]:
    def one(action: str) -> float:
        stop = action == "stop"
        return sum(
            chance * (reward(config, state, after, stop) + (0.0 if stop else gamma * values[after]))
            for chance, after in outcomes(state, action)
        )

    return {action: one(action) for action in ACTIONS}


def solve(config: EpisodeRewardConfig, gamma: float, sweeps: int = 400) -> dict[State, float]:
    values = dict.fromkeys(STATES, 0.0)
    for _ in range(sweeps):
        values = {s: max(action_values(config, gamma, values, s).values()) for s in STATES}
    return values


def best(config: EpisodeRewardConfig, gamma: float) -> dict[State, set[str]]:
    values = solve(config, gamma)
    found: dict[State, set[str]] = {}
    for state in STATES:
        each = action_values(config, gamma, values, state)
        found[state] = {a for a, v in each.items() if v > max(each.values()) - 1e-9}
    return found


PLAIN = [
    EpisodeRewardConfig(),
    EpisodeRewardConfig(turns=0.02),
    EpisodeRewardConfig(turns=0.3),
    EpisodeRewardConfig(outcome=0.0, state_execution=1.0, turns=0.05),
]


@pytest.mark.parametrize("plain", PLAIN)
@pytest.mark.parametrize(("gamma", "weight"), [(0.9, 1.0), (0.5, 3.0), (0.95, -1.0)])
def test_the_optimal_policies_coincide(
    plain: EpisodeRewardConfig, gamma: float, weight: float
) -> None:
    shaped = replace(plain, shaping=weight, gamma=gamma)
    policies = best(plain, gamma)
    assert best(shaped, gamma) == policies
    assert len({frozenset(actions) for actions in policies.values()}) > 1  # a choice to get wrong


@pytest.mark.parametrize("plain", PLAIN)
def test_optimal_values_differ_by_the_potential(plain: EpisodeRewardConfig) -> None:
    shaped = replace(plain, shaping=2.0, gamma=0.9)
    with_it, without = solve(shaped, 0.9), solve(plain, 0.9)
    for state in STATES:
        assert with_it[state] == pytest.approx(without[state] - 2.0 * potential(state), abs=1e-9)


def test_so_do_the_values_of_any_policy() -> None:
    def evaluate(config: EpisodeRewardConfig, policy: Callable[[State], str]) -> dict[State, float]:
        values = dict.fromkeys(STATES, 0.0)
        for _ in range(400):
            values = {s: action_values(config, 0.9, values, s)[policy(s)] for s in STATES}
        return values

    plain, shaped = EpisodeRewardConfig(), EpisodeRewardConfig(shaping=1.0, gamma=0.9)
    for shift in range(5):
        policy = {s: ACTIONS[(sum(s) * 2 + shift) % 5] for s in STATES}
        with_it, without = evaluate(shaped, policy.__getitem__), evaluate(plain, policy.__getitem__)
        for state in STATES:
            assert with_it[state] == pytest.approx(without[state] - potential(state), abs=1e-9)


def test_paying_progress_without_taking_it_back_would_not_be_invariant() -> None:
    """The test can fail: raw progress as a bonus makes breaking and mending worth while."""

    def bonus(record: EpisodeRecord) -> object:
        from toolrl_env.core.types import TermScore
        from toolrl_env.rewards.episode import Share, TermResult

        turn = record.turns[-1]
        gain = max(0.0, potential(turn.progress_after) - potential(turn.progress_before))
        return TermResult(TermScore("bonus", gain, 0.0, 1.0), (Share(0, None, gain),))

    naive = EpisodeRewardConfig(extra_terms=(bonus,))  # type: ignore[arg-type]
    assert best(naive, 0.9) != best(EpisodeRewardConfig(), 0.9)
