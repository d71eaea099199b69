from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.rewards.values import (
    VALUE_COMPARISONS,
    equal_python,
    equal_strict,
    equal_tolerant,
    same_but_type,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("gold", "predicted", "python", "strict", "tolerant"),
    [
        (1, 1, True, True, True),
        (1, True, True, False, False),
        (0, False, True, False, False),
        (1, 1.0, True, False, True),
        (1, "1", False, False, True),
        (70, " 70.0 ", False, False, True),
        ("70", 70, False, False, True),
        ("7e1", 70, False, False, True),
        (0.1, 0.1 + 1e-12, False, False, True),
        (0.1, 0.1001, False, False, False),
        ("New York", "new  york ", False, False, True),
        ("Straße", "STRASSE", False, False, True),
        ("a", "b", False, False, False),
        (True, "true", False, False, True),
        (False, "False ", False, False, True),
        (True, "yes", False, False, False),
        (None, None, True, True, True),
        (None, "None", False, False, False),
        (None, 0, False, False, False),
        (None, "", False, False, False),
        ("1_000", 1000, False, False, False),
        ("", 0, False, False, False),
        ([1, 2], [1, 2], True, True, True),
        ([1, 2], [2, 1], False, False, False),
        ([1], [True], True, False, False),
        ([1], ["1"], False, False, True),
        ([1], [1, 1], False, False, False),
        ([], {}, False, False, False),
        ([1], 1, False, False, False),
        ({"a": 1}, {"a": 1.0}, True, False, True),
        ({"a": 1}, {"A": 1}, False, False, False),
        ({"a": 1}, {"a": 1, "b": 2}, False, False, False),
        (10**400, 10**400, True, True, True),
        (10**400, 1e300, False, False, False),
        (math.inf, "inf", False, False, True),
        (math.inf, -math.inf, False, False, False),
    ],
)
def test_table(gold, predicted, python, strict, tolerant):
    got = tuple(equal(gold, predicted) for equal in (equal_python, equal_strict, equal_tolerant))
    assert got == (python, strict, tolerant)


@given(values)
def test_everything_equals_itself_but_nan_in_python(value):
    assert equal_strict(value, value)
    assert equal_tolerant(value, value)


@given(values, values)
def test_comparisons_are_symmetric_and_ordered(left, right):
    for equal in VALUE_COMPARISONS.values():
        assert equal(left, right) == equal(right, left)
    if equal_strict(left, right):
        assert equal_tolerant(left, right)


@pytest.mark.parametrize("equal", VALUE_COMPARISONS.values())
def test_deep_values_need_no_deep_stack(equal):
    def nest(leaf):
        value = leaf
        for _ in range(200):
            value = [{"a": value}]
        return value

    assert equal(nest(1), nest(1))
    assert not equal(nest(1), nest(2))


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [(70, "70", True), (1, True, True), (1, 2, False), ("a", "A", False), ("true", True, True)],
)
def test_what_counts_as_a_mere_difference_of_type(gold, predicted, expected):
    assert same_but_type(gold, predicted) is expected
