"""How fast the built-in search is, against BM25 in plain Python in the same run, on one core.

    python -m benchmarks.speed.search [--documents 20000]

Indexing and single queries, over the built-in passages and over a corpus of the given size, whose
documents are made of the sentences of the built-in passages. Both sides split texts into words
alike and are checked to find equally good documents for every query before they are timed in
turns; the plain side is the textbook's inverted index. Then a whole gold episode of the
environment: two searches and an answer.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import gymnasium as gym
import tyro
from rich.console import Console
from rich.table import Table

import toolrl_env  # noqa: F401  # registers the ids
from benchmarks.speed.timing import compare
from toolrl_env.data.search import BM25Backend, Document, load_documents, load_questions
from toolrl_env.data.search.bm25 import K1, B, _index, words_of
from toolrl_env.data.search.world.files import PASSAGES, QUESTIONS

__all__ = ["PlainBM25", "episode_cost", "grown", "search_rows"]

TOP_K = 3


@dataclass(frozen=True)
class Config:
    """What to run.

    Attributes:
        documents: Size of the larger corpus.
        queries: Queries of each round.
    """

    documents: int = 20_000
    queries: int = 40


class PlainBM25:
    """BM25 as the textbook has it: an inverted index of lists, scores in a dictionary."""

    def __init__(self, documents: Sequence[Document]) -> None:
        bags = [Counter(words_of(f"{d.title} {d.text}")) for d in documents]
        mean = sum(bag.total() for bag in bags) / len(bags)
        self.postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, bag in enumerate(bags):
            norm = K1 * (1 - B + B * bag.total() / mean)
            for word, count in bag.items():
                self.postings[word].append((number, count / (count + norm)))
        self.idf = {
            word: math.log(1 + (len(bags) - len(held) + 0.5) / (len(held) + 0.5))
            for word, held in self.postings.items()
        }

    def search(self, query: str, k: int) -> list[tuple[float, int]]:
        """Return score and index of the best ``k`` documents, best first."""
        scores: dict[int, float] = defaultdict(float)
        for word in words_of(query):
            for number, part in self.postings.get(word, ()):
                scores[number] += self.idf[word] * part
        best = heapq.nsmallest(k, ((-score, number) for number, score in scores.items()))
        return [(-score, number) for score, number in best]


def grown(count: int) -> tuple[Document, ...]:
    """Return the built-in passages and, up to ``count``, mixtures of their sentences."""
    passages = load_documents(PASSAGES)
    sentences = [s for passage in passages for s in passage.text.split(". ")]
    rng = Random(0)
    more = (
        Document(f"Mixture {n}", ". ".join(rng.sample(sentences, 6)))
        for n in range(count - len(passages))
    )
    return (*passages, *more)


def search_rows(documents: tuple[Document, ...], queries: int) -> list[tuple[str, ...]]:
    """Time indexing and searching; return the rows of the table.

    Raises:
        AssertionError: The two do not find equally good documents.
    """
    asked = [s for q in load_questions(QUESTIONS) for s in q.searches][:queries]
    ours, plain = BM25Backend(documents), PlainBM25(documents)
    for query in asked:
        scores = {documents[n]: score for score, n in plain.search(query, len(documents))}
        found = [scores[hit] for hit in ours.search(query, TOP_K)]
        wanted = [score for score, _ in plain.search(query, TOP_K)]
        assert all(abs(a - b) < 1e-4 for a, b in zip(found, wanted, strict=True)), query

    def fresh() -> None:
        _index.cache_clear()
        BM25Backend(documents)

    index = compare({"ours": fresh, "plain": lambda: PlainBM25(documents)}, 1, rounds=3)
    search = compare(
        {
            "ours": lambda: [ours.search(query, TOP_K) for query in asked],
            "plain": lambda: [plain.search(query, TOP_K) for query in asked],
        },
        1,
    )
    size, rows = f"{len(documents):,}", list[tuple[str, ...]]()
    for what, timed, scale in (
        ("index, ms", index, 1e3),
        ("query, ms", search, 1e3 / len(asked)),
    ):
        own, other = (timed.seconds(side) * scale for side in ("ours", "plain"))
        rows.append(
            (size, what, f"{own:.3f}", f"{other:.3f}", f"{timed.speed_ratio('ours', 'plain'):.2f}")
        )
    return rows


def episode_cost(episodes: int = 100) -> float:
    """Return CPU milliseconds of a gold episode: a reset, two searches, an answer."""
    env = gym.make("ToolRL-Search-v0", split="all")
    base = env.unwrapped
    start = time.process_time()
    for index in range(episodes):
        env.reset(options={"task_index": index})
        over = False
        while not over:
            _, _, terminated, truncated, _ = env.step(base.gold_answer())
            over = terminated or truncated
    return 1e3 * (time.process_time() - start) / episodes


def main(config: Config) -> None:
    """Print the table."""
    table = Table(title="BM25 by bm25s against plain Python, CPU time on one core")
    for column in ("documents", "what", "ours", "plain", "times faster"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for size in (0, config.documents):
        for row in search_rows(grown(size), config.queries):
            table.add_row(*row)
    console = Console()
    console.print(table)
    console.print(f"a gold episode (reset and three steps): {episode_cost():.2f} ms")


if __name__ == "__main__":
    main(tyro.cli(Config))
