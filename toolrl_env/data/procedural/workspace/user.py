"""The scripted user: no language model, only a script that recognises what it is asked.

How a response is read, in this order:

1. Quotations and code are taken out, and what remains is cut into sentences. Polite closings ("let
   me know if there is anything else") are dropped.
2. A sentence asks if it ends in a question mark, or holds words such as "please tell", "I need",
   "could you", "specify", or begins with a question word.
3. An asking sentence is about a hidden fact if it holds one of the words of its kind (``WORDS``:
   "who", "name", "recipient", … for a person); if it holds none of any fact's words and does not
   just ask for consent, the sentence before it counts with it ("The day is not given. Could you
   help?"). All facts asked about are told, in the fact's own words. A fact may be asked for again.
4. Sentences that name more than ``MOST_KINDS`` kinds of fact at once fish: nothing is told, and it
   counts as a question that leads nowhere. (A question for three facts names six kinds at most.)
5. If it asks for nothing that the user keeps back, the user says to go ahead, or asks back what is
   wanted while something is still hidden; ``PATIENCE`` times in an episode.
6. A response that asks nothing is taken as a report: the next request follows, if there is one;
   otherwise the user is done.

The script knows English only. It never confirms a guess as right or wrong. Whoever asks for
everything, six kinds at a time, hears everything in three answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

__all__ = [
    "MOST_KINDS",
    "PATIENCE",
    "WORDS",
    "Fact",
    "Phase",
    "UserState",
    "answer_to",
    "asks_about",
]

PATIENCE = 3
"""Questions that lead nowhere, before the user takes them for reports."""
MOST_KINDS = 6
"""Kinds of fact that one response may ask about."""
MAX_READ = 4_000
"""Characters of a response that are read, from each end."""

WORDS = {
    "person": "who whom whose person people colleague name named recipient recipients attendee "
    "assignee contact somebody someone participant guest member employee e-mail email address",
    "date": "when day date deadline due",
    "time": "when time hour o'clock start starts clock begin",
    "amount": "amount sum much money euro euros eur cents price cost value total",
    "account": "account accounts budget charge charged debit pay paid",
    "quantity": "many quantity number amount count pieces units items piece unit",
    "event": "meeting meetings event events appointment appointments",
    "mail": "mail mails message messages email emails e-mail subject",
    "file": "file files document documents path attachment paper",
    "task": "task tasks to-do todo item job",
    "order": "order orders purchase",
    "invoice": "invoice invoices bill bills supplier",
    "code": "code pin password passcode credentials authorisation authorization authorise "
    "authorize",
}
"""Words that show what a question is about, by kind of fact."""

_QUOTED = re.compile(r"\"[^\"\n]{0,200}\"|“[^”\n]{0,200}”|`[^`\n]{0,200}`")
_CLOSING = re.compile(
    r"\b(anything else|something else|further (help|assistance|questions)|"
    r"(other|more) questions|let me know if|feel free|happy to help)\b",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"\?\s*\Z|\b(please|kindly) (tell|give|provide|share|specify|state|confirm|clarify|let|send|"
    r"say|name|indicate|choose|supply|enter|authori[sz]e)\b|\b(could|can|would|will) you\b|"
    r"\bi( still| also|'d)? (need|require|lack|miss)\b(?! to (?!know|ask|have))|"
    r"\bi (must|have to|would like to|should) (know|ask)\b|\b(tell|give) me\b|\blet me know\b|"
    r"\b(specify|clarify)\b|\b(is|are|am|i'm) missing\b|\bnot (sure|clear)\b|"
    r"\bwithout (knowing|the|your)\b|\A\W*(who|whom|whose|which|what|when|where|how)\b",
    re.IGNORECASE,
)
_CONFIRM = re.compile(
    r"\b(shall|should|may|can) i\b|\bproceed\b|\bgo ahead\b|\bis (that|this|it) (right|correct|ok)|"
    r"\bdo you want\b|\bwould you like\b|\bconfirm\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[a-z][a-z'-]*")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that the user did not say and tells when asked.

    Attributes:
        kind: Kind of thing.
        words: How it is said.
        answer: What the user says when asked.
    """

    kind: str
    words: str
    answer: str


@dataclass(frozen=True, slots=True)
class Phase:
    """One of the user's requests.

    Attributes:
        text: What the user says.
        facts: What is left out of it.
        tools: Names of tools that become available with it.
    """

    text: str
    facts: tuple[Fact, ...] = ()
    tools: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class UserState:
    """Where the conversation stands.

    Attributes:
        phase: Index of the latest request.
        patience: How many more questions that lead nowhere are borne.
        told: Indices of the facts told, over all requests.
    """

    phase: int = 0
    patience: int = PATIENCE
    told: frozenset[int] = frozenset()


def asks_about(response: str, kind: str) -> bool:
    """Return whether a response asks for a fact of this kind.

    >>> asks_about("Before I go on, could you tell me who should get it?", "person")
    True
    >>> asks_about("I have sent it to the person you named.", "person")
    False
    """
    return bool(_asked(_questions(response), [kind]))


def answer_to(
    response: str, phases: tuple[Phase, ...], state: UserState
) -> tuple[str | None, UserState]:
    """Return what the user says to a response (``None``: done) and where they stand then."""
    questions = _questions(response)
    known = [fact for phase in phases[: state.phase + 1] for fact in phase.facts]
    asked = _asked(questions, [fact.kind for fact in known])
    fishes = len(_asked(questions, list(WORDS))) > MOST_KINDS
    if asked and not fishes:
        said = " ".join(known[index].answer for index in asked)
        return said, replace(state, told=state.told | set(asked))
    if questions and state.patience:
        impatient = replace(state, patience=state.patience - 1)
        if fishes:
            return "That is too much at once. What exactly do you need to know?", impatient
        if len(state.told) < len(known) and not _wants_consent(questions):
            return "What exactly do you need to know?", impatient
        return "Please go ahead, exactly as I asked.", impatient
    if state.phase + 1 < len(phases):
        return phases[state.phase + 1].text, replace(state, phase=state.phase + 1)
    return None, state


def _questions(response: str) -> list[tuple[str, str]]:
    """Return the sentences of a response that ask for something, each with the one before it."""
    text = response
    if len(text) > 2 * MAX_READ:
        text = f"{text[:MAX_READ]}\n{text[-MAX_READ:]}"
    parts = _SENTENCE.split(_QUOTED.sub(" ", text.replace("’", "'")))
    return [
        (part, before)
        for part, before in zip(parts, ["", *parts], strict=False)
        if _ASKING.search(part) and not _CLOSING.search(part)
    ]


def _asked(questions: list[tuple[str, str]], kinds: list[str]) -> list[int]:
    """Return which of the kinds are asked about, by index."""
    direct = _about(" ".join([part for part, _ in questions]), kinds)
    if direct or _wants_consent(questions):
        return direct
    return _about(" ".join([before for _, before in questions]), kinds)


def _about(text: str, kinds: list[str]) -> list[int]:
    words = set(_WORD.findall(text.lower()))
    return [i for i, kind in enumerate(kinds) if not words.isdisjoint(WORDS[kind].split())]


def _wants_consent(questions: list[tuple[str, str]]) -> bool:
    return any(_CONFIRM.search(part) for part, _ in questions)
