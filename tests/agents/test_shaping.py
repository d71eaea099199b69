from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.episode import Episode, Group, Turn
from agents.shaping import component_table, describe_groups, overlong_penalty, part_weights
from toolrl_env.core.errors import InfrastructureError, UnknownName


@pytest.mark.parametrize(
    ("length", "want"), [(0, 0.0), (80, 0.0), (85, -0.25), (90, -0.5), (100, -1.0), (120, -1.0)]
)
def test_overlong_by_hand(length, want):
    assert overlong_penalty(length, limit=100, buffer=20) == pytest.approx(want)


@given(st.integers(0, 300), st.integers(1, 100))
def test_overlong_falls_with_length(length, buffer):
    here, further = (overlong_penalty(n, 100, buffer) for n in (length, length + 1))
    assert -1 <= further <= here <= 0


@pytest.mark.parametrize("buffer", [0, 101])
def test_overlong_refuses(buffer):
    with pytest.raises(ValueError, match=f"buffer={buffer}"):
        overlong_penalty(1, 100, buffer)


def episode(failure="", **parts):
    turn = Turn((0, 2), "x", sum(parts.values()), parts)
    return Episode((1,), (2, 3), (True, True), (0.0, 0.0), (turn,), failure=failure)


GROUPS = (
    Group("a", (episode(format=1.0, correctness=-3.0), episode(format=0.0, correctness=3.0))),
    Group("b", (episode(format=1.0), episode(failure="gone", format=1.0))),
)


def test_component_table_lines_parts_up():
    names, tables = component_table(GROUPS, {"overlong": [np.array([0.0, -1.0]), np.array([-0.5])]})
    assert names == ("correctness", "format", "overlong")
    assert tables[0].tolist() == [[-3.0, 1.0, 0.0], [3.0, 0.0, -1.0]]
    assert tables[1].tolist() == [[0.0, 1.0, -0.5]]


def test_a_reward_without_parts():
    names, tables = component_table([Group("a", (episode(), episode()))], {})
    assert names == ()
    assert tables[0].shape == (2, 0)


def test_part_weights():
    assert part_weights(("a", "b"), {"b": 0.5}).tolist() == [1.0, 0.5]
    with pytest.raises(UnknownName, match="Did you mean 'format'"):
        part_weights(("correctness", "format"), {"fromat": 1.0})


def test_means_leave_failures_out(recwarn):
    got = describe_groups(GROUPS)
    assert got["reward"] == pytest.approx((-2.0 + 3.0 + 1.0) / 3)
    assert got["format"] == pytest.approx(2 / 3)
    assert got["failures"] == 1.0
    assert got["answer_tokens"] == 2.0
    assert not recwarn


def test_a_group_that_failed_altogether_is_left_out_without_a_warning(recwarn):
    lost = Group("c", (episode(failure="gone"),))
    got = describe_groups((lost, *GROUPS))
    assert got["reward"] == describe_groups(GROUPS)["reward"]
    assert got["failures"] == 2.0
    assert not recwarn


def test_nothing_scored_is_said_clearly():
    lost = Group("c", (episode(failure="the server is gone"),))
    with pytest.raises(InfrastructureError, match=r"none of 1 episodes .* the server is gone"):
        describe_groups((lost,))
    with pytest.raises(InfrastructureError, match="nothing was played"):
        describe_groups(())
