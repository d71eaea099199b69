"""Tables and properties of normalisation and of the three scores."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.data.search import contains, exact_match, f1, normalise
from toolrl_env.data.search.answers import CONTAINS_SLACK

WORDS = st.lists(
    st.sampled_from(["pellstad", "ostrevik", "river", "wendle", "of", "the"]), min_size=1
)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The River Wendle", "river wendle"),
        ("  an   apple, a pear!  ", "apple pear"),
        ("U.S.A.", "usa"),
        ("Weavers' Bridge", "weavers bridge"),
        ("Weavers’ Bridge", "weavers bridge"),
        ("twenty-one", "twentyone"),
        ("Saare—Wendle", "saare wendle"),
        ("1871–1874", "1871 1874"),
        ("Zürich", "zurich"),
        ("Zu\u0308rich", "zurich"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("ﬁne", "fine"),
        ("x²", "x2"),
        ("１２", "12"),
        ("1,200", "1200"),
        ("1,200.50", "1200.5"),
        ("3.0", "3"),
        ("1.5", "1.5"),
        ("-5", "-5"),
        ("−5", "-5"),
        ("$1,000,000", "1000000"),
        ("1,2345", "12345"),
        ("version 1.2.3", "version 123"),
        ("1200.", "1200"),
        ("(12)", "12"),
        ("100", "100"),
        ("100.00", "100"),
        ("A", "a"),
        ("The", "the"),
        ("a theatre", "theatre"),
        ("«Café»", "cafe"),
        ("東京", "東京"),
        ("\ue000 7", "7"),
        ("", ""),
        ("?!", ""),
    ],
)
def test_normalise(text, normal):
    assert normalise(text) == normal


@given(st.text(max_size=200))
def test_normalising_is_idempotent_up_to_what_it_removed(text):
    once = normalise(text)
    assert "  " not in once
    assert once == once.strip()
    assert exact_match(text, [text]) == float(bool(once))


@given(st.text(string.ascii_letters + " .,!?'\"-", max_size=80))
def test_on_ascii_words_it_is_the_rule_of_squad(text):
    words = "".join(c for c in text.lower() if c not in string.punctuation)
    plain = " ".join(re.sub(r"\b(a|an|the)\b", " ", words).split())
    assert normalise(text) == plain or plain == ""


@pytest.mark.parametrize(
    ("prediction", "answers", "score"),
    [
        ("Ollan", ["Ollan"], 1.0),
        ("the Ollan.", ["Ollan"], 1.0),
        ("River Ollan", ["Ollan"], 0.0),
        ("River Ollan", ["Ollan", "River Ollan"], 1.0),
        ("Ollan and Wendle", ["Ollan"], 0.0),
        ("four", ["4"], 1.0),
        ("4", ["Four"], 1.0),
        ("in four", ["4"], 0.0),
        ("12417", ["12,417"], 1.0),
        ("12.417", ["12,417"], 0.0),
        ("15", ["1.5"], 0.0),
        ("5", ["-5"], 0.0),
        ("", ["Ollan"], 0.0),
        ("", [""], 0.0),
        ("the", ["a"], 0.0),
        ("x", [], 0.0),
    ],
)
def test_exact_match(prediction, answers, score):
    assert exact_match(prediction, answers) == score


@pytest.mark.parametrize(
    ("prediction", "answers", "score"),
    [
        ("Mirel Oskane", ["Mirel Oskane"], 1.0),
        ("Oskane Mirel", ["Mirel Oskane"], 1.0),
        ("Oskane", ["Mirel Oskane"], 2 / 3),
        ("Mirel Oskane of Pellstad", ["Mirel Oskane"], 2 / 3),
        ("Pellstad or Ostrevik", ["Ostrevik"], 0.5),
        ("Pellstad", ["Ostrevik"], 0.0),
        ("Ostrevik Ostrevik", ["Ostrevik"], 2 / 3),
        ("four", ["4"], 1.0),
        ("Oskane", ["Pellstad", "Oskane"], 1.0),
        ("", ["Oskane"], 0.0),
        ("Oskane", [], 0.0),
    ],
)
def test_f1(prediction, answers, score):
    assert f1(prediction, answers) == pytest.approx(score)


SLACK = " ".join(["word"] * CONTAINS_SLACK)


@pytest.mark.parametrize(
    ("prediction", "answers", "score"),
    [
        ("It lies on the river Ollan, I think.", ["Ollan"], 1.0),
        ("Mirel Oskane", ["Mirel Oskane"], 1.0),
        ("Oskane, Mirel", ["Mirel Oskane"], 0.0),
        ("1847", ["4"], 0.0),
        ("In 1847", ["1847"], 1.0),
        ("4 of them", ["4"], 1.0),
        ("one of them", ["1"], 0.0),
        ("Ollander", ["Ollan"], 0.0),
        (f"Ollan {SLACK}", ["Ollan"], 1.0),
        (f"Ollan {SLACK} word", ["Ollan"], 0.0),
        (f"Mirel Oskane {SLACK}", ["Mirel Oskane"], 1.0),
        ("", ["Ollan"], 0.0),
        ("Ollan", ["?"], 0.0),
        ("Ollan", [], 0.0),
    ],
)
def test_contains(prediction, answers, score):
    assert contains(prediction, answers) == score


@given(WORDS, WORDS)
def test_scores_are_ordered_and_bounded(prediction, answer):
    said, right = " ".join(prediction), [" ".join(answer)]
    exact, graded, inside = (score(said, right) for score in (exact_match, f1, contains))
    assert 0.0 <= exact <= graded <= 1.0
    assert exact <= inside <= 1.0
    assert f1(said, right) == pytest.approx(f1(right[0], [said]))


@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=3))
def test_nothing_that_a_model_writes_raises(prediction, answers):
    for score in (exact_match, f1, contains):
        assert 0.0 <= score(prediction, answers) <= 1.0


def test_a_list_of_everything_is_not_contained():
    towns = [f"town{n}" for n in range(40)]
    assert contains(", ".join(towns), ["town7"]) == 0.0
    assert exact_match(", ".join(towns), ["town7"]) == 0.0
    assert f1(", ".join(towns), ["town7"]) == pytest.approx(2 / 41)
