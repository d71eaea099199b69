from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.core.errors import UnknownName
from toolrl_env.core.types import GroundTruth, Message, Task
from toolrl_env.data.split import SPLITS, check_split, in_split, split_of


def task_that_opens_with(text: str) -> Task:
    return Task(
        "t",
        "made",
        (),
        (Message("user", text), Message("user", "x")),
        GroundTruth("", False, False),
    )


@given(st.text())
def test_every_text_is_in_exactly_one_split_and_in_all(text: str) -> None:
    task = task_that_opens_with(text)
    members = [split for split in SPLITS if in_split(task, split)]
    assert members == [split_of(text), "all"]


@given(st.text())
def test_white_space_and_case_do_not_count(text: str) -> None:
    assert split_of("  " + text.replace(" ", " \n") + "\t") == split_of(text)
    assert split_of("What A Day " + text) == split_of("what a day " + text)


def test_the_hash_does_not_change_between_versions() -> None:
    texts = [f"request number {i}" for i in range(12)]
    assert "".join(split_of(text)[1] for text in texts) == "rrarrrrrrarr"


def test_the_shares_are_80_10_10() -> None:
    counts = Counter(split_of(f"request {i}") for i in range(5000))
    assert 0.78 < counts["train"] / 5000 < 0.82
    assert 0.09 < counts["validation"] / 5000 < 0.11
    assert 0.09 < counts["test"] / 5000 < 0.11


def test_a_lone_surrogate_has_a_split() -> None:
    assert split_of("\udfff") in SPLITS


@pytest.mark.parametrize("split", ["dev", "Train", "", "tests"])
def test_an_unknown_split_says_what_is_allowed(split: str) -> None:
    with pytest.raises(UnknownName, match="allowed: all, test, train, validation"):
        check_split(split)
