from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.models.tiny import make_tokenizer
from agents.prompting import ChatEncoder
from agents.token_spans import token_span

ENCODER = ChatEncoder(make_tokenizer(["the colour is red and the code is green"] * 3, 300))


def bytes_of(text):
    """One token per byte: characters outside ASCII are spelt out by several."""
    vocabulary = ENCODER.tokenizer.get_vocab()
    from tokenizers import pre_tokenizers

    pieces = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    (whole,) = pieces.pre_tokenize_str(text)
    return [vocabulary[symbol] for symbol in whole[0]]


def test_words():
    ids = ENCODER.answer("the colour is red")[:-1]
    text = ENCODER.decode(ids)
    start = text.index("red")
    first, last = token_span(ENCODER.decode, ids, (start, start + 3))
    assert ENCODER.decode(ids[first:last]) == "red"


@pytest.mark.parametrize(
    ("span", "tokens"),
    [((0, 1), (0, 1)), ((1, 2), (1, 4)), ((2, 3), (4, 5)), ((1, 3), (1, 5)), ((0, 3), (0, 5))],
)
def test_a_character_of_three_tokens_belongs_to_all_three(span, tokens):
    assert token_span(ENCODER.decode, bytes_of("a€b"), span) == tokens


def test_half_a_character_at_the_end():
    ids = bytes_of("a€")[:-1]
    text = ENCODER.decode(ids)
    assert text.startswith("a�")
    assert token_span(ENCODER.decode, ids, (0, 1)) == (0, 1)
    first, last = token_span(ENCODER.decode, ids, (1, len(text)))
    assert first == 1
    assert ENCODER.decode(ids[:last]) == text  # the rest of the bytes adds nothing to the text


def test_bytes_that_are_no_text_in_the_middle():
    ids = [*bytes_of("a"), bytes_of("€")[1], *bytes_of("bc")]
    text = ENCODER.decode(ids)
    at = text.index("b")
    assert token_span(ENCODER.decode, ids, (at, at + 1)) == (2, 3)


def test_nothing_has_no_tokens():
    ids = bytes_of("a€b")
    assert token_span(ENCODER.decode, ids, (2, 2)) == (4, 4)
    assert token_span(ENCODER.decode, [], (0, 0)) == (0, 0)


@pytest.mark.parametrize("span", [(-1, 1), (2, 1), (0, 9)])
def test_outside_of_the_text(span):
    with pytest.raises(ValueError, match="of a text of 3"):
        token_span(ENCODER.decode, bytes_of("abc"), span)


TEXTS = st.text(
    st.sampled_from("the colour is red {}\n") | st.characters(codec="utf-8"), max_size=30
)


@given(TEXTS, st.booleans(), st.data())
def test_the_range_is_the_smallest_that_holds_the_text(text, by_bytes, data):
    ids = (bytes_of(text) if text else []) if by_bytes else ENCODER.answer(text)[:-1]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    first, last = token_span(ENCODER.decode, ids, (start, end))
    assert (first == last) == (start == end)
    assert len(ENCODER.decode(ids[:last])) >= end
    assert ENCODER.decode(ids[:first]) == text[: len(ENCODER.decode(ids[:first]))]
    assert len(ENCODER.decode(ids[:first])) <= start
    if start < end:
        assert text[start:end] in ENCODER.decode(ids[first:last])
        shorter, later = ENCODER.decode(ids[: last - 1]), ENCODER.decode(ids[: first + 1])
        assert not text.startswith(shorter) or len(shorter) < end
        assert not text.startswith(later) or len(later) > start
