"""BM25: what it finds, that it agrees with the textbook, that it is shared and survives copies."""

from __future__ import annotations

import copy
import math
import multiprocessing
import pickle
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.data.search import BM25Backend, Document, SearchBackend
from toolrl_env.data.search.bm25 import K1, B, words_of

DOCUMENTS = (
    Document("Ollan", "The Ollan is a river that rises on Mount Corvane."),
    Document("Pellstad", "A town on the river Wendle."),
    Document("Ostrevik", "A town on the Ollan; the Ollan floods it."),
    Document("", "An untitled passage about cafés and Zürich."),
)


@pytest.fixture
def backend():
    return BM25Backend(DOCUMENTS)


def titles(hits):
    return [hit.title for hit in hits]


def test_it_finds_what_shares_words_best_first(backend):
    assert isinstance(backend, SearchBackend)
    assert backend.waits is False
    assert titles(backend.search("Ollan river", 3)) == ["Ollan", "Ostrevik", "Pellstad"]
    assert titles(backend.search("Ollan river", 1)) == ["Ollan"]
    assert titles(backend.search("OSTREVIK", 3)) == ["Ostrevik"]
    assert titles(backend.search("cafe zurich", 3)) == [""]
    assert set(backend.search("Ollan", 10)) <= set(DOCUMENTS)


@pytest.mark.parametrize("query", ["", "  ", "?!", "nowhere", "\ud800", "x" * 10_000])
def test_what_nothing_fits_finds_nothing(backend, query):
    assert backend.search(query, 3) == []


def test_ties_go_by_the_order_of_the_corpus():
    same = [Document(str(n), "alike") for n in range(50)]
    assert titles(BM25Backend(same).search("alike", 4)) == ["0", "1", "2", "3"]


def plain_bm25(documents, query):
    """Return the documents by the formula of Lucene's BM25, worked out word by word."""
    bags = [Counter(words_of(f"{d.title} {d.text}")) for d in documents]
    mean = sum(bag.total() for bag in bags) / len(bags)
    scores = []
    for bag in bags:
        score = 0.0
        for word in words_of(query):
            holding = sum(word in other for other in bags)
            idf = math.log(1 + (len(bags) - holding + 0.5) / (holding + 0.5))
            norm = K1 * (1 - B + B * bag.total() / mean)
            score += idf * bag[word] / (bag[word] + norm)
        scores.append(score)
    return scores


VOCABULARY = ["river", "town", "ollan", "bridge", "of", "the", "1834"]
TEXT = st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=12).map(" ".join)


@given(st.lists(TEXT, min_size=1, max_size=8), TEXT, st.integers(1, 5))
def test_it_agrees_with_the_formula(texts, query, k):
    documents = [Document(str(n), text) for n, text in enumerate(texts)]
    scores = plain_bm25(documents, query)
    found = [int(hit.title) for hit in BM25Backend(documents).search(query, k)]
    assert len(found) == min(k, sum(score > 0 for score in scores))
    assert len(set(found)) == len(found)
    best = sorted((s for s in scores if s > 0), reverse=True)[: len(found)]
    assert [scores[n] for n in found] == pytest.approx(best, rel=1e-5)


def test_an_index_is_built_once_and_shared(backend):
    assert BM25Backend(list(DOCUMENTS))._index is backend._index
    assert pickle.loads(pickle.dumps(backend))._index is backend._index
    assert copy.deepcopy(backend)._index is backend._index
    assert BM25Backend(DOCUMENTS[:2])._index is not backend._index


def search_elsewhere(backend):
    return titles(backend.search("Ollan river", 3))


_ELSEWHERE = """
import pickle, sys
backend = pickle.loads(sys.stdin.buffer.read())
print([hit.title for hit in backend.search("Ollan river", 3)])
"""


def test_a_fresh_process_finds_the_same(backend):
    run = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE],
        input=pickle.dumps(backend),
        capture_output=True,
        check=True,
    )
    assert run.stdout.decode().strip() == str(search_elsewhere(backend))


def test_a_forked_process_finds_the_same(backend):
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    worker = context.Process(target=lambda: queue.put(search_elsewhere(backend)))
    worker.start()
    assert queue.get() == search_elsewhere(backend)
    worker.join()
    assert worker.exitcode == 0


def test_threads_find_the_same(backend):
    alone = search_elsewhere(backend)
    with ThreadPoolExecutor(8) as pool:
        assert all(found == alone for found in pool.map(search_elsewhere, [backend] * 200))


def test_without_the_package_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "bm25s", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'toolrl-env\[search\]'"):
        BM25Backend([Document("never", "indexed before")])


def test_an_empty_corpus_is_refused():
    with pytest.raises(ConfigurationError, match="at least one document"):
        BM25Backend([])


def test_a_corpus_without_any_word_is_refused():
    with pytest.raises(ConfigurationError, match="holds a word"):
        BM25Backend([Document("?", "!")])


def test_documents_without_a_word_are_never_found():
    backend = BM25Backend([Document("?", "!"), Document("", ""), *DOCUMENTS, Document("…", "")])
    assert titles(backend.search("Ollan river", 10)) == ["Ollan", "Ostrevik", "Pellstad"]
