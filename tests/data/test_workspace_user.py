"""The scripted user: what counts as a question, what is told, what is never told."""

from __future__ import annotations

import itertools
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.data.procedural.workspace.phrases import DONE, QUESTIONS, VAGUE
from toolrl_env.data.procedural.workspace.user import (
    PATIENCE,
    WORDS,
    Fact,
    Phase,
    UserState,
    answer_to,
    asks_about,
)

PERSON = Fact("person", "Ada Thorne", "It is Ada Thorne.")
DATE = Fact("date", "4 March 2027", "4 March 2027, please.")
CODE = Fact("code", "271828", "I mean 271828.")

ASKED: dict[str, tuple[str, ...]] = {
    "person": (
        "Who should I send it to?",
        "I need to know the recipient before I can share the file.",
        "Could you please tell me your colleague's name",
        "Which colleague do you mean?\n\nThe file is ready otherwise.",
        "Sure! One more detail: whom should I invite?",
        "Please provide the e-mail address of the attendee.",
        "The request does not say who it is for; please specify.",
        "Happy to. What's the name of the person?",
        "It is not clear to me who the new assignee should be.",
        "Before I proceed, I'd need the contact's email address.",
    ),
    "date": (
        "On which day should the meeting be?",
        "When is it due?",
        "What deadline shall I set?",
        "Please let me know the date.",
        "I'm missing the due date. Please share it.",
        "Can you specify when",
        "i still need the new date to go on",
        "The day is not given. Could you help me with that?",
    ),
    "time": ("What time should it start?", "At what hour?", "Please give me the start time."),
    "amount": (
        "How much should I transfer?",
        "What is the sum?",
        "Could you confirm the amount in euros?",
        "I need the exact amount, please.",
    ),
    "account": ("Which account should be charged?", "From what account do you want to pay?"),
    "quantity": ("How many do you want?", "What quantity?", "Please state the number of pieces."),
    "event": ("Which meeting?", "Could you tell me which event this is about?"),
    "mail": ("Which email do you mean?", "What is the subject line?"),
    "file": ("Which document should I delete?", "Please give me the path of the file."),
    "task": ("Which task is it?", "What is the to-do called?"),
    "order": ("Which order do you mean?", "I need the number of the order."),
    "invoice": ("Which invoice should I pay?", "Which supplier's bill is it?"),
    "code": (
        "I need your payment code to continue.",
        "What is your PIN?",
        "Please authorise the payment with your code.",
        "Could you share the passcode?",
    ),
}
REPORTS = (
    *DONE,
    "I have sent the file to the person you named.",
    "Done! Let me know if you need anything else.",
    "The meeting was moved to the new date. Is there anything else I can help with?",
    "Everything is finished. Feel free to ask if you have further questions about the account!",
    'I sent the mail "Who is coming? Which date?" to your colleague.',
    "I paid the invoice from the account and told the contact the amount.",
    "",
    "   ",
    "I need to look up the file first.",
    "Let me check who owns the file.",
)


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, ts in ASKED.items() for t in ts])
def test_paraphrased_questions_are_understood(kind: str, text: str) -> None:
    fact = Fact(kind, "the secret", "It is the secret.")
    assert asks_about(text, kind)
    said, state = answer_to(text, (Phase("Do it.", (fact,)),), UserState())
    assert said == "It is the secret."
    assert state == UserState(0, PATIENCE, frozenset({0}))


def test_every_kind_that_can_be_hidden_can_be_asked_for() -> None:
    assert set(QUESTIONS) == set(WORDS) == set(ASKED) == {*VAGUE, "code"}
    for kind, texts in QUESTIONS.items():
        assert all(asks_about(text, kind) for text in texts)


@pytest.mark.parametrize("report", REPORTS)
def test_reports_are_no_questions(report: str) -> None:
    facts = tuple(Fact(kind, "the secret", "the secret") for kind in WORDS)
    assert answer_to(report, (Phase("Do it.", facts),), UserState()) == (None, UserState())


def test_only_what_is_asked_for_is_told() -> None:
    phases = (Phase("Do it.", (PERSON, DATE, CODE)),)
    said, state = answer_to("Who is it for?", phases, UserState())
    assert said == PERSON.answer
    said, state = answer_to("And on what day? Also, what is your code?", phases, state)
    assert said == f"{DATE.answer} {CODE.answer}"
    assert state.told == {0, 1, 2}
    assert answer_to("Who was it again?", phases, state)[0] == PERSON.answer


def test_facts_of_a_later_request_are_not_told_earlier() -> None:
    phases = (Phase("First.", (PERSON,)), Phase("Second.", (DATE,)))
    said, state = answer_to("Who, and on which date?", phases, UserState())
    assert said == PERSON.answer
    said, state = answer_to("That is done.", phases, state)
    assert (said, state.phase) == ("Second.", 1)
    assert answer_to("Which date?", phases, state)[0] == DATE.answer
    assert answer_to("That is done.", phases, state)[0] is None


def test_idle_questions_are_borne_three_times() -> None:
    phases = (Phase("First.", (CODE,)), Phase("Second."))
    state, heard = UserState(), []
    for _ in range(PATIENCE + 2):
        said, state = answer_to("Could you give me more details?", phases, state)
        heard.append(said)
    assert heard == ["What exactly do you need to know?"] * PATIENCE + ["Second.", None]
    assert answer_to("What is your code?", phases, state)[0] == CODE.answer


def test_a_guess_is_never_confirmed_as_right_or_wrong() -> None:
    phases = (Phase("Do it.", (DATE,)),)
    right = answer_to("Shall I book 4 March 2027?", phases, UserState())[0]
    wrong = answer_to("Shall I book 5 March 2027?", phases, UserState())[0]
    assert right == wrong == "Please go ahead, exactly as I asked."


def test_asking_for_consent_is_not_asking_for_what_was_said_before() -> None:
    phases = (Phase("Do it.", (DATE, PERSON)),)
    said, _ = answer_to("The meeting has no date. Shall I go ahead?", phases, UserState())
    assert said == "Please go ahead, exactly as I asked."


def test_nothing_hidden_means_go_ahead() -> None:
    said, state = answer_to("Should I delete the file now?", (Phase("Do it."),), UserState())
    assert said == "Please go ahead, exactly as I asked."
    assert state.patience == PATIENCE - 1


@given(st.text(max_size=400))
def test_any_response_is_read_and_secrets_take_a_word_for_them(text: str) -> None:
    phases = (Phase("Do it.", (CODE,)),)
    said, state = answer_to(text, phases, UserState())
    if not set(re.findall(r"[a-z][a-z'-]*", text.lower())) & set(WORDS["code"].split()):
        assert said is None or CODE.words not in said
        assert state.told == frozenset()


@pytest.mark.parametrize(
    "text",
    ["?" * 200_000, "a" * 200_000, '"' * 200_000, " \t" * 100_000, "who " * 50_000,
     "please " * 30_000, "i need " * 30_000, "(" * 100_000 + "?", "\n" * 200_000, "!? " * 60_000],
)  # fmt: skip
def test_huge_responses_are_read_quickly(text: str) -> None:
    begin = time.process_time()
    for _ in range(3):
        answer_to(text, (Phase("Do it.", (CODE, PERSON)),), UserState())
    assert time.process_time() - begin < 20  # a runaway expression would take hours


EVERY = tuple(Fact(kind, f"secret {kind}", f"It is the secret {kind}.") for kind in WORDS)
FISHING = (
    "Which " + " ".join(word for words in WORDS.values() for word in words.split()) + "?",
    " ".join(texts[0] for texts in QUESTIONS.values()),
    "\n".join(f"- {texts[-1]}" for texts in QUESTIONS.values()),
    "Please tell me the person, date, time, amount, account, quantity, meeting and mail.",
)


@pytest.mark.parametrize("text", FISHING)
@pytest.mark.parametrize("facts", [EVERY, EVERY[:1], EVERY[-1:]])
def test_fishing_is_refused(text: str, facts: tuple[Fact, ...]) -> None:
    phases = (Phase("First.", facts), Phase("Second."))
    state = UserState()
    for left in reversed(range(PATIENCE)):
        said, state = answer_to(text, phases, state)
        assert said == "That is too much at once. What exactly do you need to know?"
        assert state == UserState(0, left)
    assert answer_to(text, phases, state) == ("Second.", UserState(1, 0))


def test_three_honest_questions_are_never_taken_for_fishing() -> None:
    for kinds in itertools.combinations(QUESTIONS, 3):
        facts = tuple(fact for fact in EVERY if fact.kind in kinds)
        for texts in itertools.product(*(QUESTIONS[kind] for kind in kinds)):
            said, state = answer_to(" ".join(texts), (Phase("Do it.", facts),), UserState())
            assert said == " ".join(fact.answer for fact in facts)
            assert state.patience == PATIENCE


def test_everything_takes_three_answers() -> None:
    phases, state = (Phase("Do it.", EVERY),), UserState()
    turns = 0
    for start in range(0, len(WORDS), 5):
        kinds = list(WORDS)[start : start + 5]
        _, state = answer_to(" ".join(QUESTIONS[kind][0] for kind in kinds), phases, state)
        turns += 1
    assert turns == 3
    assert len(state.told) == len(EVERY)
