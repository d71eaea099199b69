from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.tools.suites.bfcl import World
from toolrl_env.tools.suites.bfcl.limits import MAX_DEPTH, MAX_FILES, MAX_NUMBER, refusal

ROOT = {"GorillaFileSystem": {"root": {"home": {"type": "directory", "contents": {}}}}}


@pytest.fixture
def world() -> World:
    return World.load(["GorillaFileSystem", "MathAPI"], ROOT, long=False)


def attempt(world: World, method: str, **arguments: Any) -> str | None:
    """Call as a session does; return why not if it is refused."""
    reason = refusal(method, arguments, world.owner(method))
    if reason is None:
        world.call(method, arguments)
    return reason


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("add", {"a": 1e19, "b": 1}),
        ("add", {"a": float("nan"), "b": 1}),
        ("add", {"a": float("inf"), "b": 1}),
        ("sum_values", {"numbers": [1, [10**30]]}),
        ("power", {"base": 2, "exponent": 10**7}),
        ("logarithm", {"value": 2, "base": 10, "precision": 10**9}),
        ("square_root", {"number": 2, "precision": 10**9}),
        ("round_number", {"number": 5, "decimal_places": -(10**9)}),
    ],
)
def test_numbers_that_would_run_away_are_refused(
    world: World, method: str, arguments: dict[str, Any]
) -> None:
    reason = attempt(world, method, **arguments)
    assert reason is not None
    assert "at most" in reason


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("power", {"base": MAX_NUMBER, "exponent": 10_000}),
        ("power", {"base": 10**18, "exponent": 10_000}),
        ("logarithm", {"value": 3, "base": 7, "precision": 1_000}),
        ("square_root", {"number": 3, "precision": 1_000}),
        ("round_number", {"number": 10**18, "decimal_places": -1_000}),
        ("multiply", {"a": 10**18, "b": -(10**18)}),
    ],
)
def test_what_is_allowed_is_quick(world: World, method: str, arguments: dict[str, Any]) -> None:
    start = time.process_time()
    assert attempt(world, method, **arguments) is None
    assert time.process_time() - start < 30  # without the limits: hours


@given(st.floats(-MAX_NUMBER, MAX_NUMBER) | st.booleans() | st.text(max_size=5) | st.none())
def test_ordinary_values_are_not_refused(value: Any) -> None:
    assert refusal("add", {"a": value, "b": {"c": [value]}}, None) is None


def test_a_directory_is_not_copied_into_itself(world: World) -> None:
    attempt(world, "mkdir", dir_name="d")
    reason = attempt(world, "cp", source="d", destination="d")
    assert reason == "cp: 'd' cannot be put into itself"
    attempt(world, "touch", file_name="f")
    assert attempt(world, "cp", source="f", destination="f") is None  # the API's own error


def test_the_tree_stops_growing_before_it_cannot_be_walked(world: World) -> None:
    """Each round doubles the number of paths; without a limit ``find`` would not come back."""
    attempt(world, "mkdir", dir_name="a0")
    refused = None
    for n in range(40):
        names = {"source": f"a{n}", "destination": f"b{n}"}
        refused = attempt(world, "cp", **names)
        attempt(world, "mkdir", dir_name=f"a{n + 1}")
        for source in (f"a{n}", f"b{n}"):
            refused = refused or attempt(world, "mv", source=source, destination=f"a{n + 1}")
        if refused:
            break
    assert refused is not None
    assert refused.endswith("the file system is full")
    found = world.call("find", {"path": "/"})
    assert 0 < len(found.value["matches"]) <= 3 * MAX_FILES


def test_depth_is_limited(world: World) -> None:
    refused = None
    for _ in range(2 * MAX_DEPTH):
        refused = attempt(world, "mkdir", dir_name="d")
        if refused:
            break
        world.call("cd", {"folder": "d"})
    assert refused == "mkdir: the file system is full"
    world.save()
    world.canonical()


def test_reading_is_never_limited_by_the_tree(world: World) -> None:
    assert refusal("ls", {"a": True}, None) is None
    assert refusal("find", {"path": "."}, None) is None
