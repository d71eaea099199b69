"""For every built-in question: its answer follows from two passages, from no one, and is unique."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import pytest

from toolrl_env.data.search import BM25Backend, Document, load_documents, load_questions
from toolrl_env.data.search.world.build import ROLES, World, build
from toolrl_env.data.search.world.facts import Facts
from toolrl_env.data.search.world.files import PASSAGES, QUESTIONS
from toolrl_env.data.search.world.generate import main
from toolrl_env.data.search.world.kinds import Apart, Bridge, Compare, Gap, Shared, load_kinds
from toolrl_env.data.search.world.passages import number, write_passages
from toolrl_env.data.search.world.questions import PROVINCE_SPLITS, ask, mentions

WORLD = build()
WRITTEN = write_passages(WORLD)
ASKED = ask(WORLD, WRITTEN)
TEXTS = {document.title: document.text for document in load_documents(PASSAGES)}
QUESTIONS_SHIPPED = load_questions(QUESTIONS)
LOWER = {title: text.casefold() for title, text in TEXTS.items()}
NAMES = {name.casefold(): name for name in WORLD.entities}
ANY_NAME = re.compile(
    r"(?<![\w,])(" + "|".join(sorted(map(re.escape, NAMES), key=len, reverse=True)) + r")(?!,?\w)"
)
TOP_K = 3
PAIRS = list(zip(ASKED, QUESTIONS_SHIPPED, strict=True))
HOPS = [pair for pair in PAIRS if isinstance(pair[0].kind, Bridge | Gap)]


def test_what_is_shipped_is_what_the_generator_writes(tmp_path):
    main(["--out", str(tmp_path)])
    for path in (PASSAGES, QUESTIONS):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    assert PASSAGES.stat().st_size + QUESTIONS.stat().st_size < 100_000


def test_there_are_enough_of_them_and_of_every_form():
    assert len(TEXTS) == 520
    assert len(ASKED) == len(QUESTIONS_SHIPPED) == 375
    assert len({q.text for q in ASKED}) == 375
    forms = Counter(type(question.kind) for question in ASKED)
    assert set(forms) == {Bridge, Gap, Compare, Apart, Shared}
    assert min(forms.values()) >= 15
    assert len({q.kind.name for q in ASKED}) == len(load_kinds()) == 42


# ------------------------------------------------------------------ facts and passages


def names_in(text):
    """Return the things that a text names; a name within a longer name is not named."""
    return {NAMES[found] for found in ANY_NAME.findall(text.casefold())}


def test_passages_state_each_fact_once_and_name_nothing_else():
    entities = {entity.title: entity for entity in WORLD.entities.values()}
    assert len(entities) == len(WRITTEN)
    for passage in WRITTEN:
        check_passage(passage, entities[passage.title])


def check_passage(passage, entity):
    facts = list(WORLD.facts.about(entity.name))
    assert TEXTS[passage.title] == passage.text
    stated = Counter(relation for each in passage.statements for relation in each.relations)
    assert stated == dict.fromkeys({fact.relation for fact in facts}, 1)
    for statement in passage.statements:
        for fact in facts:
            shown = number(fact.relation, fact.value)
            if fact.relation in statement.relations:
                assert mentions(statement.text, shown), (fact, statement.text)
    values = {str(fact.value) for fact in facts}
    assert names_in(passage.text) == {entity.name} | (values & set(WORLD.entities))
    digits = set(re.findall(r"\d[\d,]*\d|\d", passage.text))
    numbers = {number(f.relation, f.value) for f in facts if isinstance(f.value, int)}
    assert digits == numbers


def test_no_fact_reaches_over_a_province_border():
    for fact in WORLD.facts:
        if fact.value in WORLD.entities:
            here, there = WORLD.entities[fact.subject], WORLD.entities[str(fact.value)]
            assert here.province == there.province, fact


def test_the_years_make_sense():
    at = WORLD.facts.number
    for fact in WORLD.facts:
        subject, relation, value = fact
        if relation == "died":
            assert 60 <= value - at(subject, "born") <= 90
        if relation == "mentor":
            assert 10 < at(subject, "born") - at(value, "born") < 30
            assert WORLD.entities[subject].role == WORLD.entities[value].role
            assert at(value, "died") > at(subject, "born") + 15
        for maker, year in (
            ("author", "published"),
            ("inventor", "invented"),
            ("engineer", "opened"),
            ("architect", "opened"),
            ("painter", "painted"),
            ("founder", "established"),
            ("rector", "established"),
            ("climber", "ascended"),
            ("leader", "year"),
            ("members", "year"),
        ):
            if relation == maker:
                assert at(value, "born") + 19 <= at(subject, year) <= at(value, "died"), fact
        if relation == "honours":
            assert at(subject, "since") > at(value, "died")
        if relation in ("publisher", "maker"):
            done = "published" if relation == "publisher" else "invented"
            assert at(subject, done) > at(value, "established")
        if relation == "academy":
            assert at(value, "established") < at(subject, "born") + 18
        if relation == "birthplace":
            assert at(value, "founded") < at(subject, "born")


def test_people_are_told_apart_by_their_full_names_alone():
    people = [e.name.split(" ", 1) for e in WORLD.of("person")]
    assert len(people) == 8 * sum(ROLES.values())
    firsts, lasts = Counter(first for first, _ in people), Counter(last for _, last in people)
    assert min(firsts.values()) >= 3
    assert sum(count > 1 for count in lasts.values()) > 0.8 * len(lasts)


# ------------------------------------------------------------------ questions


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[1].id)
def test_the_answer_follows_from_the_evidence_and_is_unique(pair):
    question, shipped = pair
    evidence = WORLD.facts.about(question.given[0], question.bridge)
    titles = tuple(WORLD.entities[name].title for name in (question.given[0], question.bridge))
    assert question.evidence == titles
    everywhere = question.kind.answers(WORLD.facts, question.given)
    assert len(everywhere) == 1
    assert question.kind.answers(evidence, question.given) == everywhere
    (answer,) = everywhere
    assert shipped.answers[0] == question.answers[0] == number(question.kind.relation, answer)
    assert shipped.text == question.text
    assert shipped.evidence == question.evidence
    assert set(shipped.evidence) <= set(TEXTS)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[1].id)
def test_neither_passage_alone_has_the_answer(pair):
    question, _ = pair
    for subject in (question.given[0], question.bridge):
        alone = WORLD.facts.about(subject)
        if not isinstance(question.kind, Shared):
            assert question.kind.answers(alone, question.given) == set()
        else:
            assert len(alone.values(subject, question.kind.relation)) == 3
            assert question.kind.answers(alone, question.given) == set()
    first, second = (TEXTS[title] for title in question.evidence)
    if isinstance(question.kind, Bridge | Gap):
        assert not mentions(question.text, question.bridge)
        assert mentions(first, question.bridge)
        assert not mentions(second, question.given[0])
    if isinstance(question.kind, Bridge):
        assert not mentions(first, question.answers[0])
        assert mentions(second, question.answers[0])
        assert not mentions(question.text, question.answers[0])


def test_no_single_passage_gives_a_bridge_question_away():
    for question, shipped in PAIRS:
        if isinstance(question.kind, Bridge):
            thing, answer = question.given[0].casefold(), question.answers[0].casefold()
            near = [t for t, text in LOWER.items() if thing in text and answer in text]
            told = [t for t in near if mentions(LOWER[t], thing) and mentions(LOWER[t], answer)]
            assert told == [], (shipped.id, told)


@pytest.fixture(scope="module")
def backend():
    return BM25Backend(Document(title, text) for title, text in TEXTS.items())


def test_the_gold_searches_find_the_evidence(backend):
    for _, shipped in PAIRS:
        assert len(shipped.searches) == len(shipped.evidence) == 2
        for search, title in zip(shipped.searches, shipped.evidence, strict=True):
            found = [hit.title for hit in backend.search(search, TOP_K)]
            assert title in found, (shipped.id, search, found)


def test_a_search_uses_only_what_is_known_by_then():
    for question, shipped in PAIRS:
        first, second = question.searches
        known = names_in(question.text)
        assert names_in(first) <= known, shipped.id
        assert names_in(second) <= known | names_in(TEXTS[question.evidence[0]]), shipped.id


def test_the_question_itself_rarely_finds_the_second_passage(backend):
    found = Counter()
    for _, shipped in HOPS:
        titles = [hit.title for hit in backend.search(shipped.text, TOP_K)]
        found.update(hop for hop in (0, 1) if shipped.evidence[hop] in titles)
    assert found[0] > 0.9 * len(HOPS)
    assert found[1] < 0.1 * len(HOPS)


# ------------------------------------------------------------------ splits


def test_splits_share_no_thing():
    things = defaultdict(set)
    for question, shipped in PAIRS:
        assert shipped.split == PROVINCE_SPLITS[question.province]
        things[shipped.split] |= names_in(" ".join((question.text, *question.searches)))
        things[shipped.split] |= {question.bridge, *question.given}
        things[shipped.split] |= {a for a in question.answers if a in WORLD.entities}
    assert set(things) == {"train", "validation", "test"}
    for one in things:
        for other in things:
            assert one == other or not things[one] & things[other]
    sizes = Counter(q.split for q in QUESTIONS_SHIPPED)
    assert sizes == {"train": 235, "validation": 47, "test": 93}


def test_another_seed_gives_another_world_that_is_as_sound():
    world = build(seed=7)
    assert isinstance(world, World)
    passages = write_passages(world, seed=7)
    asked = ask(world, passages, seed=7)
    assert len(asked) > 360
    assert {q.text for q in asked} != {q.text for q in ASKED}
    for question in asked:
        assert len(question.kind.answers(Facts(world.facts), question.given)) == 1


def test_the_proofs_would_notice_a_question_that_is_not_two_hop():
    kind = next(k for k in load_kinds() if k.name == "author_birthplace")
    question = next(q for q in ASKED if q.kind == kind)
    writer = question.bridge
    town = question.answers[0]
    leaky = Facts([*WORLD.facts.about(question.given[0]), *WORLD.facts.about(writer)])
    assert kind.answers(leaky, question.given) == {town}
    assert kind.answers(leaky.about(writer), question.given) == set()
    assert names_in(f"{writer} of {town}") == {writer, town}
