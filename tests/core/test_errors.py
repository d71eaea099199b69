"""Exceptions: each is a standard-library error too, names the value and the nearest match."""

from __future__ import annotations

import pickle

import pytest

from toolrl_env.core import errors


@pytest.mark.parametrize(
    ("error", "parent"),
    [
        (errors.ConfigurationError, ValueError),
        (errors.UnknownName, ValueError),
        (errors.DataError, ValueError),
        (errors.InvalidGroundTruth, ValueError),
        (errors.NetworkUnavailable, OSError),
        (errors.WrongActionType, TypeError),
        (errors.SnapshotError, ValueError),
        (errors.ReplayMismatch, AssertionError),
        (errors.InfrastructureError, RuntimeError),
    ],
)
def test_plain_except_catches_ours(error, parent):
    assert issubclass(error, parent)
    assert issubclass(error, errors.ToolRLError)


def test_unknown_name_says_value_allowed_and_nearest():
    error = errors.UnknownName("protocol", "tolrl", ["toolrl", "native"])
    assert str(error) == (
        "unknown protocol 'tolrl'; allowed: native, toolrl. Did you mean 'toolrl'?"
    )
    assert "Did you mean" not in str(errors.UnknownName("protocol", "zzz", ["toolrl"]))


def test_unknown_name_survives_pickling():
    error = errors.UnknownName("split", 3, ["train", "test"])
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.allowed == ["test", "train"]


def test_a_name_in_another_case_is_nearest():
    names = ["ToolRL-ToolACE-v0", "ToolRL-Toolbox-v0"]
    for close in (names, names[::-1]):
        assert errors.nearest("toolrl-toolace-V0", close) == "ToolRL-ToolACE-v0"


def test_nearest_takes_anything():
    assert errors.nearest("x" * 10_000, ["toolrl"]) is None
    assert errors.nearest(None, ["None!"]) == "None!"
