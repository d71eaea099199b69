"""UnicodeText: membership, sampling, pickling, and a faithful trip through shared memory."""

from __future__ import annotations

import copy
import multiprocessing
import pickle

import numpy as np
import pytest
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array
from gymnasium.vector.utils.shared_memory import (
    create_shared_memory,
    read_from_shared_memory,
    write_to_shared_memory,
)
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.spaces import UnicodeText

ANY_TEXT = st.text(st.characters(codec=None), max_size=50)  # lone surrogates included


@pytest.mark.parametrize(
    ("value", "member"),
    [("", True), ("é😀\x00\ud800", True), ("x" * 20, True), ("x" * 21, False), (b"x", False)],
)
def test_membership_is_length_alone(value, member):
    assert (value in UnicodeText(20)) is member


def test_samples_are_members_vary_and_follow_the_seed():
    first, second = UnicodeText(300, seed=3), UnicodeText(300, seed=3)
    samples = [first.sample() for _ in range(200)]
    assert samples == [second.sample() for _ in range(200)]
    assert all(sample in first for sample in samples)
    assert len(set(samples)) > 150
    assert any(not sample.isascii() for sample in samples)
    assert max(map(len, samples)) <= 256
    assert max(len(UnicodeText(5, seed=0).sample()) for _ in range(20)) <= 5


def test_masks_are_refused():
    with pytest.raises(ValueError, match="neither mask nor probability"):
        UnicodeText(5).sample(mask=(1, None))


def test_equality_pickling_and_repr():
    space = UnicodeText(7)
    assert pickle.loads(pickle.dumps(space)) == space
    assert space != UnicodeText(8)
    assert space != "UnicodeText(7)"
    assert repr(space) == "UnicodeText(7)"
    assert not space.is_np_flattenable


def test_batching_gives_tuples_of_text():
    space = UnicodeText(9)
    assert create_empty_array(space, 3) == ("", "", "")
    assert concatenate(space, ["a", "é"], ("", "")) == ("a", "é")
    assert ("a", "b") in batch_space(space, 2)


@given(st.lists(ANY_TEXT, min_size=1, max_size=4))
def test_shared_memory_returns_what_was_written(texts):
    space = UnicodeText(50)
    memory = create_shared_memory(space, len(texts))
    for index, text in enumerate(texts):
        write_to_shared_memory(space, index, text, memory)
    assert tuple(read_from_shared_memory(space, memory, len(texts))) == tuple(texts)


def test_shared_memory_holds_the_longest_text_in_the_widest_characters():
    space = UnicodeText(64)
    memory = create_shared_memory(space, 2)
    write_to_shared_memory(space, 0, "😀" * 64, memory)
    write_to_shared_memory(space, 1, "x", memory)
    write_to_shared_memory(space, 0, "shorter", memory)
    assert tuple(read_from_shared_memory(space, memory, 2)) == ("shorter", "x")
    with pytest.raises(ValueError, match="does not fit"):
        write_to_shared_memory(space, 0, "x" * 65, memory)


def test_what_was_read_is_a_live_view_whose_deep_copy_is_not():
    space = UnicodeText(20)
    memory = create_shared_memory(space, 2)
    view = read_from_shared_memory(space, memory, 2)
    write_to_shared_memory(space, 1, "now", memory)
    kept = copy.deepcopy(view)
    write_to_shared_memory(space, 1, "later", memory)
    assert kept == ("", "now")
    assert view[1] == "later"
    assert view[0:2] == ("", "later")
    assert repr(view) == "('', 'later')"
    assert len(view) == 2


def _write_in_child(memory):
    write_to_shared_memory(UnicodeText(10), 1, "from child", memory)


def test_shared_memory_crosses_processes():
    memory = create_shared_memory(UnicodeText(10), 2)
    child = multiprocessing.get_context("fork").Process(target=_write_in_child, args=(memory,))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert tuple(read_from_shared_memory(UnicodeText(10), memory, 2)) == ("", "from child")
    assert np.frombuffer(memory.get_obj(), np.uint8).nbytes == 2 * (8 + 40)


@pytest.mark.parametrize("wrapper", ["CandidateActions", "ComposedActions"])
def test_who_asks_for_the_parts_of_text_learns_which_wrapper_to_use(wrapper):
    with pytest.raises(ConfigurationError, match=f"toolrl_env.wrappers.{wrapper}"):
        _ = UnicodeText(5).spaces
    assert UnicodeText(5).shape is None
