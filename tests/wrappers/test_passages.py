"""Where a conversation is cut, and which passage a place belongs to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.wrappers.numeric.passages import split_passages


@pytest.mark.parametrize(
    ("text", "passages"),
    [
        ("", [""]),
        ("Add 2 and 3.", ["Add 2 and 3."]),
        ("Add 2.5 to 3.5. Thanks!", ["Add 2.5 to 3.5. ", "Thanks!"]),
        (
            "Find a mile in feet, and then square it",
            ["Find a mile in feet, and then ", "square it"],
        ),
        ("Book it, but keep the seat", ["Book it, but ", "keep the seat"]),
        ("One line\n\nanother; a third", ["One line\n\n", "another; ", "a third"]),
        ("Wake me at 06:30: it is late", ["Wake me at 06:30: ", "it is late"]),
        ("more than that or then-current", ["more than that or then-current"]),
    ],
)
def test_sentences_and_words_that_lead_on(text, passages):
    assert list(split_passages(text).texts) == passages


@given(st.text(alphabet="ab.,;: \nthen", max_size=300))
def test_every_place_is_in_the_passage_that_has_it(text):
    passages = split_passages(text)
    assert "".join(passages.texts) == text
    assert 1 <= len(passages.texts) == len(passages.starts) <= 32
    for place in range(len(text)):
        number = passages.at(place)
        start = passages.starts[number]
        assert start <= place < start + len(passages.texts[number])
