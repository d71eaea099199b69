from __future__ import annotations

import pytest
import torch

from agents.cache import Conversations, Kept, Stem, join
from toolrl_env.core.errors import ConfigurationError


def layers(length, layers=2):
    return tuple((torch.zeros(1, length, 2), torch.ones(1, length, 2)) for _ in range(layers))


def stem(length):
    return Stem(length, layers(length))


def kept(stem, own):
    return Kept(stem, own, layers(own) if own else ())


def test_the_longest_beginning_is_found():
    store, prompt = Conversations(100), stem(2)
    store.keep((1, 2, 3), kept(prompt, 1))
    store.keep((1, 2, 3, 4, 5), kept(prompt, 3))
    assert store.find((1, 2, 3, 4, 5, 6)).own == 3
    assert store.find((1, 2, 3, 4, 9, 6)).own == 1
    assert store.find((1, 2, 4)) is None


def test_a_context_must_go_on_by_a_token():
    store = Conversations(100)
    store.keep((1, 2, 3), kept(stem(2), 1))
    assert store.find((1, 2, 3)) is None
    assert store.find((1, 2, 3, 4)) is not None


def test_shared_stems_count_once():
    store, prompt = Conversations(100), stem(10)
    store.keep((*range(10), 1), kept(prompt, 1))
    store.keep((*range(10), 2, 2), kept(prompt, 2))
    assert store.tokens == 13


def test_the_longest_unused_is_forgotten_first():
    store = Conversations(9)
    for first in (1, 2, 3):
        store.keep((first, 0, 0), kept(stem(2), 1))
    assert (len(store), store.tokens) == (3, 9)
    store.find((1, 0, 0, 7))
    store.keep((4, 0, 0), kept(stem(2), 1))
    assert store.find((2, 0, 0, 7)) is None
    assert store.find((1, 0, 0, 7)) is not None
    assert store.tokens == 9


def test_what_is_larger_than_the_room_is_not_kept():
    store = Conversations(5)
    store.keep(tuple(range(6)), kept(stem(5), 1))
    assert (len(store), store.tokens) == (0, 0)


def test_clear():
    store = Conversations(5)
    store.keep((1, 2, 3), kept(stem(2), 1))
    store.clear()
    assert store.find((1, 2, 3, 4)) is None


def test_refuses():
    with pytest.raises(ConfigurationError, match="room=-1"):
        Conversations(-1)
    with pytest.raises(ValueError, match="2 tokens for a conversation of 3"):
        Conversations(5).keep((1, 2), kept(stem(2), 1))


def test_join():
    both = join(layers(2), layers(3))
    assert [pair[0].shape[1] for pair in both] == [5, 5]
    one = layers(2)
    assert join((), one) is one
    assert join(one, ()) is one
