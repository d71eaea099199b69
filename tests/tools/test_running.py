"""Running a tool in this process: the cooperative deadline, whose fault it is, what is returned."""

from __future__ import annotations

import math
import sys
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.tools import ToolError, deadline
from toolrl_env.tools.limits import CallLimits, bounded
from toolrl_env.tools.running import judge, run_tool

LIMITS = CallLimits(seconds=60)
HASTY = CallLimits(seconds=0.05)


def run(fn: Any, limits: CallLimits = LIMITS, **arguments: Any) -> Any:
    return run_tool("tool", fn, arguments, limits)


def failure(fn: Any, limits: CallLimits = LIMITS) -> FailureKind:
    with pytest.raises(InfrastructureError) as caught:
        run(fn, limits)
    return caught.value.kind


def test_a_tool_that_asks_is_stopped() -> None:
    def loop() -> None:
        while True:
            deadline.check()

    assert failure(loop, HASTY) is FailureKind.TIMEOUT


def test_a_tool_that_does_not_ask_has_timed_out_when_it_returns() -> None:
    assert failure(lambda: time.sleep(0.1), HASTY) is FailureKind.TIMEOUT


def test_what_is_left_goes_down_and_is_without_end_outside() -> None:
    def two() -> list[float]:
        return [deadline.remaining(), deadline.remaining()]

    first, second = run(two)
    assert 60 >= first >= second > 0
    assert deadline.remaining() == math.inf
    deadline.check()


def test_an_inner_deadline_cannot_be_later_than_an_outer_one() -> None:
    with deadline.within(1), deadline.within(100):
        assert deadline.remaining() <= 1
    with deadline.within(100):
        with deadline.within(1):
            assert deadline.remaining() <= 1
        assert deadline.remaining() > 1


def test_threads_have_deadlines_of_their_own() -> None:
    found: list[float] = []
    with deadline.within(5):
        thread = threading.Thread(target=lambda: found.append(deadline.remaining()))
        thread.start()
        thread.join()
    assert found == [math.inf]


@pytest.mark.parametrize("error", [KeyError("k"), RecursionError(), MemoryError(), SystemExit(2)])
def test_an_undeclared_exception_is_a_crash(error: BaseException) -> None:
    def crash() -> None:
        raise error

    assert failure(crash) is FailureKind.TOOL_CRASHED


def test_an_interrupt_by_the_user_is_not_a_crash() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupted)


def test_a_tool_may_say_itself_that_something_of_ours_is_down() -> None:
    def down() -> None:
        raise InfrastructureError("the shop is closed", FailureKind.SERVER_DOWN)

    assert failure(down) is FailureKind.SERVER_DOWN


def test_a_refusal_passes() -> None:
    def refuse() -> None:
        raise ToolError("no")

    with pytest.raises(ToolError, match="no"):
        run(refuse)


@pytest.mark.parametrize("bad", [{1}, object(), math.nan, math.inf, b"x", {(1, 2): 3}, 1j])
def test_what_json_cannot_hold_is_a_bad_result(bad: object) -> None:
    assert failure(lambda: bad) is FailureKind.BAD_RESULT


def test_a_result_nested_without_end_is_a_bad_result() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert failure(lambda: endless) is FailureKind.BAD_RESULT
    for _ in range(sys.getrecursionlimit() * 100):
        endless = [endless]
    assert failure(lambda: endless, CallLimits()) is FailureKind.BAD_RESULT


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_json_that_fits_comes_back_as_it_is(value: Any) -> None:
    assert bounded("f", value, CallLimits(result_chars=10_000_000)) == value


@given(JSON | st.text(min_size=30), st.integers(1, 40))
def test_a_result_is_never_much_longer_than_the_limit(value: Any, most: int) -> None:
    cut = bounded("f", value, CallLimits(result_chars=most))
    if cut != value:
        shown, mark, rest = cut.partition(" … [cut: ")
        assert len(shown) == most
        assert mark
        assert int(rest.removesuffix(" more characters]")) > 0


def test_keys_and_tuples_become_json() -> None:
    assert bounded("f", {1: (2, 3), None: "x"}, CallLimits()) == {"1": [2, 3], "null": "x"}


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf, True, "3", None, 1e9])
def test_a_time_that_cannot_be_kept_is_refused(seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match="seconds="):
        CallLimits(seconds=seconds)


@pytest.mark.parametrize("chars", [0, -1, 1.5, True, None])
def test_a_length_that_cannot_be_kept_is_refused(chars: Any) -> None:
    with pytest.raises(ConfigurationError, match="result_chars="):
        CallLimits(result_chars=chars)


def test_a_goal_is_true_or_false_or_ours_to_mend() -> None:
    assert judge(lambda world: world, [1], LIMITS) is True
    assert judge(lambda world: world, [], LIMITS) is False
    for broken in (KeyError("k"), ToolError("no")):

        def goal(world: object, error: Exception = broken) -> bool:
            raise error

        with pytest.raises(InfrastructureError):
            judge(goal, [], LIMITS)
