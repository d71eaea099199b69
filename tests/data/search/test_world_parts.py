"""The parts of the generator on small worlds made by hand: facts, kinds, filters, the deck."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.data.search.world.build import World, build
from toolrl_env.data.search.world.facts import Entity, Fact, Facts
from toolrl_env.data.search.world.kinds import Apart, Bridge, Compare, Gap, Shared, load_kinds
from toolrl_env.data.search.world.passages import _Deck, number
from toolrl_env.data.search.world.questions import _is_two_hop, _question, mentions

FACTS = Facts(
    [
        Fact("Tide Tables", "author", "Mirel Oskane"),
        Fact("Tide Tables", "published", 1840),
        Fact("Paper Mountains", "published", 1851),
        Fact("Frost Court", "published", 1840),
        Fact("Mirel Oskane", "born", 1801),
        Fact("Mirel Oskane", "birthplace", "Pellstad"),
        Fact("Quill Hall", "subjects", "law"),
        Fact("Quill Hall", "subjects", "logic"),
        Fact("Vellum Hall", "subjects", "logic"),
        Fact("Vellum Hall", "subjects", "botany"),
    ]
)
HEAD = ("name", "book", ("…{given}…",), ("{given}", "{bridge}"), 1)
BRIDGE = Bridge(*HEAD, ("author", "birthplace"))
GAP = Gap(*HEAD, ("author", "born"), ("published",))


def test_facts_are_looked_up_and_followed():
    assert FACTS.values("Quill Hall", "subjects") == ("law", "logic")
    assert FACTS.values("Quill Hall", "rector") == ()
    assert FACTS.follow("Tide Tables", ["author", "born"]) == (1801,)
    assert FACTS.follow("Tide Tables", ["publisher", "seat"]) == ()
    assert FACTS.one("Tide Tables", "author") == "Mirel Oskane"
    assert FACTS.number("Tide Tables", "published") == 1840
    for subject, relation in (("Quill Hall", "subjects"), ("Quill Hall", "rector")):
        with pytest.raises(ValueError, match="values to unpack"):
            FACTS.one(subject, relation)
    with pytest.raises(ValueError, match="invalid literal"):
        FACTS.number("Tide Tables", "author")
    assert [fact.subject for fact in FACTS.about("Quill Hall")] == ["Quill Hall"] * 2


def test_a_bridge_needs_both_its_facts():
    assert BRIDGE.answers(FACTS, ("Tide Tables",)) == {"Pellstad"}
    assert BRIDGE.bridge(FACTS, ("Tide Tables",)) == "Mirel Oskane"
    assert BRIDGE.relation == "birthplace"
    for subject in ("Tide Tables", "Mirel Oskane"):
        assert BRIDGE.answers(FACTS.about(subject), ("Tide Tables",)) == set()


def test_a_gap_is_the_later_less_the_earlier():
    assert GAP.answers(FACTS, ("Tide Tables",)) == {39}
    assert GAP.bridge(FACTS, ("Tide Tables",)) == "Mirel Oskane"
    assert GAP.answers(FACTS.about("Tide Tables"), ("Tide Tables",)) == set()
    assert GAP.answers(FACTS, ("Paper Mountains",)) == set()


@pytest.mark.parametrize(
    ("most", "pair", "answers"),
    [
        (False, ("Tide Tables", "Paper Mountains"), {"Tide Tables"}),
        (False, ("Paper Mountains", "Tide Tables"), {"Tide Tables"}),
        (True, ("Tide Tables", "Paper Mountains"), {"Paper Mountains"}),
        (True, ("Tide Tables", "Frost Court"), set()),
        (True, ("Tide Tables", "Unknown"), set()),
    ],
)
def test_a_comparison_has_one_winner_or_none(most, pair, answers):
    assert Compare(*HEAD, "published", most).answers(FACTS, pair) == answers


def test_apart_is_the_absolute_difference():
    apart = Apart(*HEAD, "published")
    assert apart.answers(FACTS, ("Tide Tables", "Paper Mountains")) == {11}
    assert apart.answers(FACTS, ("Paper Mountains", "Tide Tables")) == {11}
    assert apart.answers(FACTS, ("Tide Tables", "Frost Court")) == set()
    assert apart.bridge(FACTS, ("Tide Tables", "Frost Court")) == "Frost Court"


def test_shared_is_what_both_have():
    shared = Shared(*HEAD, "subjects")
    assert shared.answers(FACTS, ("Quill Hall", "Vellum Hall")) == {"logic"}
    assert shared.answers(FACTS.about("Quill Hall"), ("Quill Hall", "Vellum Hall")) == set()
    assert shared.relation == "subjects"


def small_world():
    entities = [
        Entity("Tide Tables", "book", "Ardemar"),
        Entity("Mirel Oskane", "person", "Ardemar", "novelist"),
        Entity("Pellstad", "town", "Ardemar"),
    ]
    return World({entity.name: entity for entity in entities}, FACTS, frozenset())


TEXTS = {
    "Tide Tables": "tide tables is a novel by mirel oskane.",
    "Mirel Oskane": "mirel oskane was born in pellstad.",
    "Pellstad": "pellstad is a town.",
}


@pytest.mark.parametrize(
    ("title", "text", "good"),
    [
        ("Pellstad", "pellstad is a town.", True),
        ("Tide Tables", "tide tables, by mirel oskane, is set in pellstad.", False),
        ("Mirel Oskane", "mirel oskane, author of tide tables, was born in pellstad.", False),
        ("Pellstad", "pellstad is where tide tables was written.", False),
        ("Pellstad", "pellstad has tables for high tide.", True),
    ],
)
def test_a_question_that_one_passage_gives_away_is_not_asked(title, text, good):
    assert _is_two_hop(BRIDGE, ("Tide Tables",), small_world(), {**TEXTS, title: text}) is good


def test_a_question_without_a_single_answer_is_not_asked():
    assert not _is_two_hop(BRIDGE, ("Frost Court",), small_world(), TEXTS)
    twice = World(
        small_world().entities,
        Facts([*FACTS, Fact("Mirel Oskane", "birthplace", "Ostrevik")]),
        frozenset(),
    )
    assert not _is_two_hop(BRIDGE, ("Tide Tables",), twice, TEXTS)


def test_a_question_is_put_into_words():
    question = _question(BRIDGE, ("Tide Tables",), "Ardemar", small_world(), "where, {given}?")
    assert question.text == "Where, Tide Tables?"
    assert question.searches == ("Tide Tables", "Mirel Oskane")
    assert question.evidence == ("Tide Tables", "Mirel Oskane")
    assert question.answers == ("Pellstad",)
    gap = _question(GAP, ("Tide Tables",), "Ardemar", small_world(), "{given}?")
    assert gap.answers == ("39", "39 years")


@pytest.mark.parametrize(
    ("text", "phrase", "found"),
    [
        ("the salt road", "Salt Road", True),
        ("the Salt Roads", "Salt Road", False),
        ("1,204 people", "204", False),
        ("1,204 people", "1,204", True),
        ("in 1204.", "1204", True),
        ("in 1204, it", "1204", True),
        ("12 and 4", "1", False),
        ("Weavers' Bridge.", "Weavers' Bridge", True),
        ("", "x", False),
    ],
)
def test_mentions_means_whole_words(text, phrase, found):
    assert mentions(text, phrase) is found


@pytest.mark.parametrize(
    ("relation", "value", "shown"),
    [
        ("population", 12417, "12,417"),
        ("height", 1204, "1,204"),
        ("born", 1834, "1834"),
        ("length", 94, "94"),
        ("author", "Mirel Oskane", "Mirel Oskane"),
    ],
)
def test_numbers_are_written_as_one_writes_them(relation, value, shown):
    assert number(relation, value) == shown


@given(st.integers(2, 6), st.integers(0, 40), st.integers(0, 999))
def test_a_deck_deals_evenly_and_never_the_same_twice_at_once(size, times, seed):
    deck, cards = _Deck(Random(seed)), [str(n) for n in range(size)]
    dealt = [deck.deal("slot", cards, 2) for _ in range(times)]
    assert all(len(set(pair)) == 2 for pair in dealt)
    counts = Counter(card for pair in dealt for card in pair)
    if times:
        assert max(counts.values()) - min(counts[card] for card in cards) <= 2


def test_a_seed_gives_one_world_everywhere():
    first, second, other = build(3), build(3), build(4)
    assert list(first.facts) == list(second.facts)
    assert first.entities == second.entities
    assert list(first.facts) != list(other.facts)
    assert first.entities.keys() - other.entities.keys()  # other people live there


def test_kinds_are_read_as_they_are_written():
    kinds = {kind.name: kind for kind in load_kinds()}
    assert kinds["author_birthplace"].path == ("author", "birthplace")
    assert kinds["older_bridge"].most is False
    assert kinds["longer_river"].most is True
    assert kinds["author_age"].since == ("author", "born")
    for kind in kinds.values():
        assert kind.count >= 1
        assert len(kind.searches) == 2
        asked = " ".join(kind.texts)
        assert "{given}" in asked
        assert ("{other}" in asked) == (kind.named == 2)
        assert ("{bridge}" in kind.searches[1]) == (kind.named == 1)
        assert "{bridge}" not in kind.searches[0] + asked
