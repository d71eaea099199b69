"""Which part of a response is its answer, and the scorers by name."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.data.search import ANSWER_SCORES, extract_answer
from toolrl_env.data.search.extract import get_judge


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("Pellstad", "Pellstad"),
        ("  Pellstad.\n", "Pellstad"),
        ("**Pellstad**", "Pellstad"),
        ('"Pellstad."', "Pellstad"),
        ("“Tide Tables”", "Tide Tables"),
        ("<answer>Pellstad</answer>", "Pellstad"),
        ("<ANSWER>\n Pellstad \n</ANSWER> as I said", "Pellstad"),
        ("<answer>Ostrevik</answer> no: <answer>Pellstad</answer>", "Pellstad"),
        ("<answer>Ostrevik <answer>Pellstad</answer>", "Pellstad"),
        ("<answer></answer>", ""),
        ("The answer is Ostrevik. <answer>Pellstad</answer>", "Pellstad"),
        (r"So it is \boxed{Pellstad}.", "Pellstad"),
        (r"\boxed{Ostrevik} or \boxed{\text{Pellstad}}", r"\text{Pellstad}"),
        (r"<answer>Pellstad</answer> \boxed{Ostrevik}", "Pellstad"),
        ("The answer is Pellstad.", "Pellstad"),
        ("the answer is: Pellstad", "Pellstad"),
        ("Final answer: **Pellstad**\nThank you.", "Pellstad"),
        ("Answer:\nPellstad", "Pellstad"),
        ("The answer is Ostrevik? No, the answer is Pellstad.", "Pellstad"),
        ("Answer: St. Orla's College", "St. Orla's College"),
        ("The answer is", "The answer is"),
        ("No answer: ", "No answer:"),
        ("Answering: Pellstad", "Answering: Pellstad"),
        ("It was born in Pellstad.", "It was born in Pellstad"),
        ("<answer>Pellstad", "<answer>Pellstad"),
        ("", ""),
    ],
)
def test_extract_answer(response, answer):
    assert extract_answer(response) == answer


@given(st.text(max_size=300))
def test_any_text_has_an_answer_that_is_part_of_it(response):
    assert extract_answer(response) in response


@pytest.mark.parametrize(
    "piece",
    ["<answer>", "\\boxed{", "\\boxed{{", "answer is ", "answer:", "answer ", "<answer></", "{"],
)
def test_long_hostile_texts_are_read(piece):
    """Quadratic work on half a megabyte would run into the test's time limit."""
    response = piece * (500_000 // len(piece))
    assert extract_answer(response) in response


def test_the_scorers_look_at_the_answer_alone():
    response = "Not Ostrevik, I first thought, but:\n<answer>Pellstad</answer>"
    for name in ("exact_match", "f1", "contains"):
        judge = get_judge(name)
        assert judge("Where?", response, ["Pellstad"]) == 1.0
        assert judge("Where?", response, ["Ostrevik"]) == 0.0
        assert pickle.loads(pickle.dumps(judge))("Where?", response, ["Pellstad"]) == 1.0
    assert set(ANSWER_SCORES) == {"exact_match", "f1", "contains"}


def test_several_answers_earn_nothing_but_where_the_score_says_so():
    both = "<answer>Pellstad or Ostrevik</answer>"
    scores = {n: get_judge(n)("Which?", both, ["Pellstad"]) for n in ANSWER_SCORES}
    assert scores == {"exact_match": 0.0, "f1": 0.5, "contains": 1.0}
    apart = "<answer>Pellstad</answer> <answer>Ostrevik</answer>"
    assert [get_judge(n)("Which?", apart, ["Pellstad"]) for n in ANSWER_SCORES] == [0.0, 0.0, 0.0]


def test_a_judge_is_taken_as_it_is_and_nonsense_is_refused():
    def judge(question, response, answers):
        return 0.5

    assert get_judge(judge) is judge
    with pytest.raises(UnknownName, match="Did you mean 'exact_match'"):
        get_judge("exactmatch")
    with pytest.raises(ConfigurationError, match="a callable"):
        get_judge(3)
