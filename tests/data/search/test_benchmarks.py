"""The benchmarks say what the documents say."""

from __future__ import annotations

import pytest

from benchmarks.quality.search_retrieval import POLICIES, VARIANTS, bamboogle_table, recall
from benchmarks.speed.search import PlainBM25, episode_cost, grown
from tests.docs.test_facts import rows
from toolrl_env.data.search import ANSWER_SCORES, BM25Backend, load_questions
from toolrl_env.data.search.world.files import QUESTIONS
from toolrl_env.data.search.world.kinds import load_kinds

ASKED = load_questions(QUESTIONS)
UNNAMED = {kind.name for kind in load_kinds() if kind.named == 1}


def mean(policy, score):
    said = ((q, POLICIES[policy](q, ASKED)) for q in ASKED)
    return sum(ANSWER_SCORES[score](q.text, text, q.answers) for q, text in said) / len(ASKED)


def test_recall_is_as_documented():
    hops = [question for question in ASKED if question.kind in UNNAMED]
    assert len(hops) == 280
    assert recall(hops, lambda q: q.searches, 3) == (1.0, 1.0, 1.0)
    first, second, both = recall(hops, lambda q: (q.text,), 3)
    assert first > 0.9
    assert round(second, 2) == 0.02
    assert both <= min(first, second)


def test_what_each_way_to_answer_earns_is_as_documented():
    table = {
        c[0].split("`")[1]: c[2:] for c in rows("docs/environments.md", "## Search") if "`" in c[0]
    }
    for score in ("exact_match", "f1", "contains"):
        sentence, few, many = table[score]
        two, five = few.split(", ")
        for said, policy in (
            (sentence, "gold: in a sentence of seven words"),
            (two, "2 candidates, one right"),
            (five, "5 candidates, one right"),
            (many, "up to 10 candidates, one right"),
        ):
            assert mean(policy, score) == pytest.approx(float(said), abs=0.006), (score, policy)
    assert mean("the most frequent answer of the kind", "exact_match") == pytest.approx(
        0.15, abs=0.006
    )
    assert (
        sum(
            question.kind
            in {"older_bridge", "born_first", "longer_river", "larger_town", "earlier_book"}
            for question in ASKED
        )
        == 48
    )


@pytest.mark.parametrize("score", ANSWER_SCORES)
def test_only_gold_earns_everything(score):
    assert (
        mean("gold: the answer", score) == mean("gold: in <answer> after a sentence", score) == 1.0
    )
    for policy in ("a neighbour's answer", "the last passage, copied", "nothing"):
        assert mean(policy, score) < 0.06


def test_the_plain_side_finds_equally_good_documents():
    documents = grown(600)
    assert len(documents) == 600
    ours, plain = BM25Backend(documents), PlainBM25(documents)
    for question in ASKED[:50]:
        for query in question.searches:
            every = {documents[n]: score for score, n in plain.search(query, len(documents))}
            wanted = [score for score, _ in plain.search(query, 3)]
            assert [every[hit] for hit in ours.search(query, 3)] == pytest.approx(wanted, rel=1e-4)


def test_an_episode_can_be_timed():
    assert episode_cost(2) > 0.0


@pytest.mark.shared_data
def test_bamboogle_variants(shared_data):
    table = bamboogle_table(shared_data / "bamboogle" / "data.json")
    assert table.row_count == len(VARIANTS)
    columns = [list(column.cells) for column in table.columns]
    names, scores = (
        columns[0],
        dict(zip(("exact_match", "f1", "contains"), columns[2:], strict=True)),
    )
    for name in ("as it stands", "in <answer>", "in \\boxed{}", "'The answer is …'"):
        assert {scores[score][names.index(name)] for score in scores} == {"100.0"}
    wrong = [n for n, (right, _) in enumerate(VARIANTS.values()) if not right]
    assert {scores["exact_match"][n] for n in wrong} == {"0.0"}
