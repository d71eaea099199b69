"""The source: arguments, tasks, gold trajectories, identity; Bamboogle."""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import replace

import pytest

from tests.data.search.search_support import CORPUS, OTHER, QUESTION, make_source
from toolrl_env.core.errors import ConfigurationError, DataError, UnknownName, UnknownTask
from toolrl_env.core.types import ToolCall
from toolrl_env.data.search import BM25Backend, HTTPBackend, SearchSource
from toolrl_env.testing import check_dataset
from toolrl_env.tools import as_parsed


@pytest.mark.parametrize("split", ["train", "validation", "test", "all"])
def test_the_built_in_source_keeps_every_promise(split):
    report = check_dataset(SearchSource(split))
    assert report.tasks == {"train": 235, "validation": 47, "test": 93, "all": 375}[split]
    assert report.invalid_gold == ()


def test_a_users_source_keeps_every_promise():
    assert check_dataset(make_source()).tasks == 2


def test_every_built_in_gold_trajectory_reaches_its_goal():
    source = SearchSource("all")
    kinds = Counter()
    for index in range(source.size):
        task = source[index]
        *searches, answer = source.gold_turns(task)
        assert len(searches) == task.difficulty == 2
        session = source.open(task)
        found = set()
        for (call,) in searches:
            (result,) = session.execute([as_parsed(call)])
            found |= {hit["title"] for hit in result.value}
        assert set(task.metadata["evidence"]) <= found
        session.reply(answer)
        assert session.progress() == (True,)
        kinds[task.category] += 1
    assert len(kinds) == 42


def test_the_task_says_question_rounds_and_how_to_answer():
    task = make_source(max_rounds=3)[0]
    text = task.messages[0].content
    assert text.startswith(QUESTION.text)
    assert "3 times" in text
    assert "<answer>" in text
    assert "once" in make_source(max_rounds=1)[0].messages[0].content
    assert (task.id, task.category, task.difficulty) == ("q1", "author_birthplace", 2)
    assert [tool.name for tool in task.tools] == ["search"]
    assert task.gold.has_call


def test_gold_without_known_searches_is_the_answer_alone():
    source = make_source()
    assert source.gold_turns(source[1]) == ("Ostrevik",)
    assert source[1].difficulty is None
    assert not source[1].gold.has_call
    assert source[1].gold.has_response


def test_gold_never_has_more_searches_than_rounds():
    source = make_source(max_rounds=1)
    first = (ToolCall("search", {"query": "Salt Ledger author"}),)
    assert source.gold_turns(source[0]) == (first, "Pellstad")


def test_the_split_of_a_row_counts_else_a_hash():
    rows = [{"question": f"Question {n}?", "answer": "x"} for n in range(200)]
    rows += [{"question": "Mine?", "answer": "x", "split": "test", "id": "mine"}]
    sources = {
        s: SearchSource(s, corpus=CORPUS, questions=rows) for s in ("train", "validation", "test")
    }
    assert sum(source.size for source in sources.values()) == 201
    assert sources["train"].size > 140
    assert sources["test"].index_of("mine") >= 0
    with pytest.raises(UnknownTask):
        sources["train"].index_of("mine")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"corpus": CORPUS}, ConfigurationError, "corpus= needs questions="),
        ({"questions": [QUESTION]}, ConfigurationError, "need corpus= or backend="),
        ({"corpus": CORPUS, "backend": HTTPBackend("http://x")}, ConfigurationError, "not both"),
        ({"backend": object()}, ConfigurationError, "'search\\(query, k\\)'"),
        ({"max_rounds": 0}, ConfigurationError, "max_rounds=0"),
        ({"top_k": 11}, ConfigurationError, "top_k=11; allowed: an integer from 1 to 10"),
        ({"answer_score": "em"}, UnknownName, "unknown answer_score 'em'"),
        ({"corpus": CORPUS, "questions": [OTHER, OTHER]}, DataError, "two tasks have the id 'q2'"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(options, error, said):
    with pytest.raises(error, match=said):
        SearchSource("train", **options)


def test_a_split_without_questions_is_refused():
    with pytest.raises(DataError, match="split 'validation' has no questions; all together have 2"):
        SearchSource("validation", corpus=CORPUS, questions=[QUESTION, OTHER])
    with pytest.raises(UnknownName, match="Did you mean 'train'"):
        SearchSource("trian")


def test_the_fingerprint_knows_what_matters():
    reference = make_source().fingerprint
    assert make_source().fingerprint == reference
    alias = replace(QUESTION, answers=("Pellstad",))
    others = [
        make_source(corpus=CORPUS[:-1]),
        make_source(questions=[alias, OTHER]),
        make_source(top_k=4),
        make_source(max_rounds=5),
        make_source(answer_score="f1"),
        make_source(answer_score=lambda *_: 1.0),
        make_source(corpus=None, backend=HTTPBackend("http://x")),
    ]
    assert len({reference, *(other.fingerprint for other in others)}) == len(others) + 1


def test_a_copy_shares_the_index():
    source = make_source()
    twin = pickle.loads(pickle.dumps(source))
    assert twin.fingerprint == source.fingerprint
    assert twin._rules.backend._index is source._rules.backend._index


def test_waiting_is_the_backends():
    assert make_source().waits is False
    assert make_source(corpus=None, backend=HTTPBackend("http://x")).waits is True
    assert SearchSource("test", backend=BM25Backend(CORPUS)).waits is False


@pytest.mark.shared_data
def test_bamboogle_over_a_users_corpus(shared_data):
    path = shared_data / "bamboogle" / "data.json"
    source = SearchSource("all", corpus=CORPUS, questions=path)
    assert source.size == 62
    assert check_dataset(source).tasks == 62
    for index in range(62):
        task = source[index]
        (answer,) = source.gold_turns(task)
        session = source.open(task)
        session.reply(answer)
        assert session.progress() == (True,)
