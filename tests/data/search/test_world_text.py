"""Passages and questions as English: whole sentences, right pronouns, words that state the fact."""

from __future__ import annotations

import re
from collections import Counter

from toolrl_env.data.search.world.build import build
from toolrl_env.data.search.world.passages import number, write_passages
from toolrl_env.data.search.world.questions import ask, mentions

WORLD = build()
WRITTEN = write_passages(WORLD)
ASKED = ask(WORLD, WRITTEN)
ENTITIES = {entity.title: entity for entity in WORLD.entities.values()}

SAID_BY = {
    "birthplace": r"born|native|came into the world",
    "born": r"born|came into the world",
    "died": r"died|death|lived until",
    "academy": r"studied|admitted|training|studies|educated",
    "mentor": r"mentor|learned the craft|teacher|pupil",
    "river": r"stands on|runs through|quays|crossed|bank of",
    "founded": r"founded|foundation",
    "population": r"inhabitants|population|people live",
    "trade": r"known for|come to the town for|wealth|history of|made the town rich",
    "length": r"kilometres long|course|length",
    "source": r"rises|source|spring",
    "mouth": r"flows into|reaches|mouth|empties into",
    "height": r"metres high|summit stands|height",
    "climber": r"ascent|first to stand|first climbed|reached the top",
    "ascended": r"ascent|first to stand|first climbed|reached the top",
    "author": r"written|author|wrote|work of",
    "publisher": r"published|brought the book out|edition",
    "published": r"published|brought the book out|edition|came out",
    "genre": r" (is|,) |, ",
    "founder": r"established|founded|founder|opened|started",
    "established": r"established|founded|set up|goes back to|started|opened|existed",
    "seat": r"seat|headquarters|head office|based in|stands in|buildings are in",
    "products": r"makes|lists|known for|produces",
    "inventor": r"invented|inventor",
    "invented": r"invented|first model",
    "maker": r"first to manufacture|first manufactured by|first to build|first manufacturer",
    "place": r" in |streets of|above|bridges of",
    "engineer": r"engineer|built|work of|plans",
    "opened": r"opened|crossed for the first time",
    "span": r"long|length|measures",
    "rector": r"first rector",
    "subjects": r"teaches|chairs|choose between",
    "architect": r"architect|designed|building",
    "painters": r"works by|walls are given to",
    "painter": r"painted|work of|completed",
    "painted": r"painted|finished|completed",
    "museum": r"hangs|belongs to|seen in|kept in",
    "since": r"held since|first one took place|began in",
    "honours": r"memory of|commemorates",
    "leader": r"led by|leader|in command",
    "members": r"members|took part|went along",
    "year": r"set out|of \d{4} was|took place",
}
"""What a sentence must say, one of these, to state a fact of a relation."""


def test_a_sentence_that_states_a_fact_says_so():
    seen = Counter()
    for passage in WRITTEN:
        for statement in passage.statements:
            for relation in statement.relations:
                said = re.search(SAID_BY[relation], statement.text, re.IGNORECASE)
                assert said, (relation, statement.text)
                seen[relation] += 1
    assert set(seen) == set(SAID_BY)


def test_no_sentence_states_a_fact_by_accident():
    for passage in WRITTEN:
        facts = list(WORLD.facts.about(ENTITIES[passage.title].name))
        for statement in passage.statements:
            for fact in facts:
                shown = number(fact.relation, fact.value)
                if fact.relation not in statement.relations and isinstance(fact.value, int):
                    assert not mentions(statement.text, shown), (fact, statement.text)


def test_sentences_are_whole():
    for passage in WRITTEN:
        for statement in passage.statements:
            text = statement.text
            assert text[0].isupper() or text[0].isdigit(), text
            assert text.endswith("."), text
            assert not re.search(r"[{}]|  |\.\.| ,| \.", text), text
            assert not re.search(r"\b(\w+) \1\b", text), text


def test_articles_and_pronouns_agree():
    for passage in WRITTEN:
        assert not re.search(r"\b[Aa] (?!one)[aeiou]", passage.text), passage.text
        assert not re.search(r"\b[Aa]n [^aeiouhAEIOUX]", passage.text), passage.text
        if ENTITIES[passage.title].kind == "person":
            woman = passage.title in WORLD.women
            wrong = r"\b([Hh]e|[Hh]is|[Hh]im)\b" if woman else r"\b([Ss]he|[Hh]ers?)\b"
            assert not re.search(wrong, passage.text), passage.text


def test_passages_are_short_and_vary():
    lengths = [len(passage.text.split()) for passage in WRITTEN]
    assert min(lengths) >= 20
    assert max(lengths) <= 100
    for passage in WRITTEN:
        texts = [statement.text for statement in passage.statements]
        assert len(set(texts)) == len(texts), passage.text
    repeated = Counter(s.text for passage in WRITTEN for s in passage.statements)
    assert repeated.most_common(1)[0][1] <= 14
    shapes = Counter(
        tuple(statement.relations for statement in passage.statements)
        for passage in WRITTEN
        if ENTITIES[passage.title].kind == "person"
    )
    assert len(shapes) >= 8


def test_questions_are_english_questions():
    for question in ASKED:
        text = question.text
        assert text[0].isupper(), text
        assert text.endswith("?"), text
        assert text.count("?") == 1, text
        assert not re.search(r"[{}]|  |\bthe the\b|\b[Tt]he The\b", text), text
    assert len({question.text.split()[0] for question in ASKED}) >= 8
    kinds = {question.kind.name: set() for question in ASKED}
    for question in ASKED:
        shape = question.text
        for name in (*question.given, question.bridge):
            shape = re.sub(re.escape(name), "…", shape, flags=re.IGNORECASE)
        kinds[question.kind.name].add(shape)
    assert sum(len(shapes) >= 2 for shapes in kinds.values()) >= 38


def test_every_wording_of_a_kind_is_used():
    used = {(question.kind.name, text) for question in ASKED for text in wordings_of(question)}
    assert used == {(kind.name, t) for kind in {q.kind for q in ASKED} for t in kind.texts}


def wordings_of(question):
    words = {"given": question.given[0], "other": question.given[-1]}
    filled = {text: text.format_map(words) for text in question.kind.texts}
    return [text for text, full in filled.items() if full[1:] == question.text[1:]]
