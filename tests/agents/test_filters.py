from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.episode import Episode, Group, Turn
from agents.filters import (
    PromptHistory,
    Verdict,
    components,
    max_variance_subset,
    verdict,
)


def episode(correctness=None, solved=False, failure="", **more):
    parts = more if correctness is None else {"correctness": correctness, **more}
    turn = Turn((0, 1), "x", sum(parts.values()), {**parts, "total": sum(parts.values())})
    return Episode((1,), (2,), (True,), (0.0,), (turn,), is_success=solved, failure=failure)


def group(*episodes):
    return Group("task", episodes)


def test_components_are_added_over_turns():
    turns = (
        Turn((0, 1), "x", 1.0, {"total": 1.0, "cost": -0.5, "format": 1.5}),
        Turn((1, 2), "y", 1.0, {"total": 1.0, "cost": -0.5}),
    )
    played = Episode((1,), (2, 3), (True, True), (0.0, 0.0), turns)
    assert components(played) == {"cost": -1.0, "format": 1.5}


@pytest.mark.parametrize(
    ("episodes", "want"),
    [
        ([episode(3.0, True), episode(3.0, True)], Verdict.SOLVED),
        ([episode(3.0, True), episode(-3.0)], Verdict.MIXED),
        ([episode(-3.0), episode(-3.0)], Verdict.HOPELESS),
        ([episode(-3.0), episode(-1.0)], Verdict.MIXED),  # nearer is worth learning
        # a shaped score varies among answers that are all wrong, or all right
        ([episode(-3.0, format=0.0), episode(-3.0, format=1.0)], Verdict.HOPELESS),
        ([episode(3.0, True, length=0.2), episode(3.0, True, length=0.9)], Verdict.SOLVED),
        # no such term: success alone
        ([episode(cost=-0.1), episode(cost=-0.4)], Verdict.HOPELESS),
        ([episode(cost=-0.1, solved=True), episode(cost=-0.4)], Verdict.MIXED),
        # failures of ours say nothing
        ([episode(3.0, True), episode(-3.0, failure="the server is gone")], Verdict.SOLVED),
    ],
)
def test_verdicts(episodes, want):
    assert verdict(group(*episodes)) is want


def test_no_verdict_without_a_scored_episode():
    with pytest.raises(ValueError, match="'task' was scored"):
        verdict(group(episode(1.0, failure="gone")))


# --------------------------------------------------------------------------- max variance


@pytest.mark.parametrize(
    ("rewards", "size", "want"),
    [
        ([0.0, 1.0, 5.0, 2.0], 2, [0, 2]),
        ([4.0, -3.0, -3.0, 4.0, 0.0, 0.0], 4, [0, 1, 2, 3]),
        ([-3.0, -3.0, -3.0, -3.0, 4.0], 2, [0, 4]),
        ([-3.0, -3.0, -3.0, -3.0, 4.0], 3, [0, 3, 4]),
        ([1.0, 2.0], 4, [0, 1]),
        ([1.0, 1.0, 1.0, 1.0], 2, [0, 3]),  # nothing to choose: half from each end
    ],
)
def test_max_variance_by_hand(rewards, size, want):
    assert max_variance_subset(np.array(rewards), size).tolist() == want


@given(st.lists(st.integers(-3, 4), min_size=1, max_size=8), st.integers(1, 8))
def test_no_other_subset_varies_more(rewards, size):
    rewards = np.array(rewards, dtype=float)
    chosen = max_variance_subset(rewards, size)
    assert len(set(chosen.tolist())) == len(chosen) == min(size, len(rewards))
    assert chosen.tolist() == sorted(chosen.tolist())
    others = itertools.combinations(rewards, len(chosen))
    assert rewards[chosen].var() >= max(np.var(other) for other in others) - 1e-9


def test_max_variance_refuses():
    with pytest.raises(ValueError, match="size >= 1"):
        max_variance_subset(np.zeros(3), 0)
    with pytest.raises(ValueError, match=r"\[G\]"):
        max_variance_subset(np.zeros((3, 1)), 2)


# --------------------------------------------------------------------------- memory


def test_a_streak_lowers_the_probability_and_a_mixed_visit_ends_it():
    history = PromptHistory(keep_solved=0.5, keep_hopeless=0.25)
    assert history.probability("a") == 1.0
    seen = []
    for visit in (Verdict.SOLVED, Verdict.SOLVED, Verdict.HOPELESS, Verdict.HOPELESS):
        history.record("a", visit)
        seen.append(history.probability("a"))
    assert seen == [0.5, 0.25, 0.25, 0.0625]  # another verdict begins a streak of its own
    assert history.probability("b") == 1.0
    history.record("a", Verdict.MIXED)
    assert history.probability("a") == 1.0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(Verdict)), max_size=20))
def test_the_memory_survives_saving_and_never_gives_a_prompt_up(visits):
    history, other = PromptHistory(0.3, 0.6), PromptHistory(0.3, 0.6)
    for prompt, seen in visits:
        history.record(prompt, seen)
        assert 0 < history.probability(prompt) <= 1
    other.load_state_dict(history.state_dict())
    for prompt in "abc":
        assert other.probability(prompt) == history.probability(prompt)
    assert other.state_dict() == history.state_dict()


def test_bad_probabilities():
    with pytest.raises(ValueError, match="keep_solved=0"):
        PromptHistory(0.0)
    with pytest.raises(ValueError, match=r"keep_hopeless=1\.5"):
        PromptHistory(1.0, 1.5)
