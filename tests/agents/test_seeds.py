from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.seeds import derive_seed

KEYS = st.lists(st.integers(0, 2**40), min_size=1, max_size=5)


@given(KEYS)
def test_a_seed_is_31_bits_and_the_same_again(key):
    assert derive_seed(*key) == derive_seed(*key)
    assert 0 <= derive_seed(*key) < 2**31


def test_places_have_seeds_of_their_own():
    found = {derive_seed(a, b, c) for a in range(20) for b in range(20) for c in range(5)}
    assert len(found) == 2000
