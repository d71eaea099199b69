from __future__ import annotations

import numpy as np
import pytest

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError


@pytest.mark.parametrize("value", [0, 7, 10**30, np.int64(7), np.uint8(3)])
def test_integers_pass_as_plain_ints(value: object) -> None:
    number = whole_number("n", value)
    assert type(number) is int
    assert number == value


@pytest.mark.parametrize(
    "value",
    [True, False, 1.0, float("nan"), float("inf"), "1", "", None, [1], np.bool_(True), 1j, object],
)
def test_anything_else_is_refused_by_name(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"n=.*allowed: an integer >= 0"):
        whole_number("n", value)


@pytest.mark.parametrize(("value", "ok"), [(0, False), (1, True), (3, True), (4, False)])
def test_limits_are_inclusive(value: int, ok: bool) -> None:
    if ok:
        assert whole_number("n", value, 1, 3) == value
    else:
        with pytest.raises(ConfigurationError, match=f"n={value}; allowed: an integer from 1 to 3"):
            whole_number("n", value, 1, 3)


def test_the_message_is_bounded() -> None:
    with pytest.raises(ConfigurationError) as caught:
        whole_number("n", "x" * 100_000)
    assert len(str(caught.value)) < 200
