from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.core.errors import InfrastructureError
from toolrl_env.tools.suites.bfcl import Library
from toolrl_env.tools.suites.bfcl.canonical import encode_instance

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.0, 1.0, -0.0, 0.5, 1e18, float("inf")])
    | st.sampled_from(["", "1", "a", "b", "'", "1'a'", "list(", ","])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.sampled_from(["a", "b", "1", 1, 2]), inner, max_size=3)
        | st.sets(st.integers(0, 2))
    ),
    max_leaves=6,
)


class Holder:
    def __init__(self, value: Any) -> None:
        self.value = value


def encode(value: Any) -> str:
    return encode_instance(Holder(value))


@given(VALUES, VALUES)
def test_equal_exactly_if_python_says_so(one: Any, two: Any) -> None:
    assert (encode(one) == encode(two)) == (one == two)


@given(VALUES)
def test_a_copy_encodes_the_same(value: Any) -> None:
    assert encode(value) == encode(rebuilt(value))


def rebuilt(value: Any) -> Any:
    """Return an equal value with dictionaries in the opposite order and integers as floats."""
    if isinstance(value, dict):
        return {key: rebuilt(item) for key, item in reversed(value.items())}
    if isinstance(value, list):
        return [rebuilt(item) for item in value]
    return float(value) if type(value) is int else value


def test_python_equality_of_numbers() -> None:
    assert encode({"n": 1}) == encode({"n": 1.0}) == encode({"n": True})
    assert encode(1) != encode("1")
    assert encode([1]) != encode((1,))


def test_texts_cannot_forge_structure() -> None:
    assert encode(["a", "b"]) != encode(["a,1'b"])
    assert encode({"a": "b"}) != encode({"a:1'b": None})


def test_random_generators_count_by_their_state() -> None:
    one, two = random.Random(7), random.Random(7)
    assert encode(one) == encode(two)
    two.random()
    assert encode(one) != encode(two)


def file_system(library: Library) -> Any:
    system: Any = library.classes["GorillaFileSystem"]()
    root = {"root": {"home": {"type": "directory", "contents": {}}}}
    system._load_scenario(root)
    return system


def test_files_count_by_name_and_content_and_the_directory_by_its_path(library: Library) -> None:
    one, two = file_system(library), file_system(library)
    for system in (one, two):
        system.mkdir("d")
        system.touch("f")
    assert encode_instance(one) == encode_instance(two)  # made at different times
    two.cd("d")
    moved = encode_instance(two)
    assert moved != encode_instance(one)
    two.cd("..")
    assert encode_instance(two) == encode_instance(one)
    two.echo("text", "f")
    assert encode_instance(two) != encode_instance(one)


def test_an_unknown_object_is_refused() -> None:
    with pytest.raises(InfrastructureError, match="holds a object"):
        encode(object())
