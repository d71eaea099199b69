"""``SearchSource``: questions as tasks that are played with a search tool."""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.core.frozen import freeze
from toolrl_env.core.types import Message, Task, ToolCall, ToolSpec
from toolrl_env.data.gold import make_gold, thought_for
from toolrl_env.data.search.backend import SearchBackend
from toolrl_env.data.search.bm25 import BM25Backend
from toolrl_env.data.search.documents import Corpus, load_documents
from toolrl_env.data.search.extract import Judge, get_judge
from toolrl_env.data.search.questions import Question, Questions, load_questions
from toolrl_env.data.search.session import Rules, SearchSession
from toolrl_env.data.search.world.files import PASSAGES, QUESTIONS
from toolrl_env.data.source import TaskSet
from toolrl_env.data.split import check_split
from toolrl_env.tools import CallValidator

if TYPE_CHECKING:
    import numpy as np

__all__ = ["MAX_K", "MAX_QUERY_CHARS", "SearchSource"]

MAX_K = 10
"""Most documents that one search may ask for."""
MAX_QUERY_CHARS = 500
"""Longest query."""


class SearchSource:
    """Questions, a corpus to search, and a score for the answer.

    Args:
        split: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``.
        corpus: The user's documents (see ``load_documents``); ``None`` for the built-in ones.
        questions: The user's questions (see ``load_questions``); ``None`` for the built-in ones.
        backend: Searched in place of BM25 over a corpus.
        answer_score: ``"exact_match"``, ``"f1"``, ``"contains"``, or a ``Judge``.
        max_rounds: Answers with searches that run, at most; at least 1.
        top_k: Documents shown for a search that does not say how many, 1 to 10.

    Raises:
        UnknownName: There is no such split or score.
        ConfigurationError: Arguments that do not go together, or a package that is missing.
        DataError: A file cannot be used, or the split is empty.

    >>> source = SearchSource("validation")
    >>> source.size, source[0].messages[0].content.splitlines()[0]
    (47, 'What is the birthplace of the author of A Candle for the Miller?')
    """

    name = "search"
    is_sample = False

    def __init__(
        self,
        split: str = "train",
        *,
        corpus: Corpus | None = None,
        questions: Questions | None = None,
        backend: SearchBackend | None = None,
        answer_score: str | Judge = "exact_match",
        max_rounds: int = 4,
        top_k: int = 3,
    ) -> None:
        check_split(split)
        judge = get_judge(answer_score)
        max_rounds = whole_number("max_rounds", max_rounds, 1)
        top_k = whole_number("top_k", top_k, 1, MAX_K)
        self._arguments = {
            "corpus": corpus,
            "questions": questions,
            "backend": backend,
            "answer_score": answer_score,
            "max_rounds": max_rounds,
            "top_k": top_k,
        }
        searched = _backend(corpus, questions, backend)
        asked = load_questions(QUESTIONS if questions is None else questions)
        self.split = split
        tool = _tool(top_k)
        self._rules = Rules(searched, judge, tool, CallValidator([tool]), max_rounds, top_k)
        chosen = [question for question in asked if split in ("all", question.split)]
        if not chosen:
            raise DataError(f"split {split!r} has no questions; all together have {len(asked)}")
        self._questions = {question.id: question for question in chosen}
        tasks = tuple(_task(question, tool, max_rounds) for question in chosen)
        options = {
            "answer_score": answer_score if isinstance(answer_score, str) else "judge",
            "backend": _digest(searched),
            "max_rounds": max_rounds,
            "questions": hashlib.sha256(repr(chosen).encode("utf-8", "replace")).hexdigest(),
            "top_k": top_k,
        }
        self._tasks = TaskSet(self.name, split, tasks, options=options)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the arguments: files are read again, an index is shared or built again."""
        return functools.partial(SearchSource, **self._arguments), (self.split,)

    @property
    def waits(self) -> bool:
        """Whether a search waits for something outside of this process."""
        return self._rules.backend.waits

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the tasks, the answers, the corpus and the options."""
        return self._tasks.fingerprint

    @property
    def size(self) -> int:
        """Number of questions."""
        return self._tasks.size

    def __getitem__(self, index: int) -> Task:
        """Return the task at ``index``. Raises ``UnknownTask`` if there is none."""
        return self._tasks[index]

    def index_of(self, task_id: str) -> int:
        """Return the index of the task with this id. Raises ``UnknownTask`` if there is none."""
        return self._tasks.index_of(task_id)

    def draw(self, rng: np.random.Generator) -> int:
        """Return the index of a task drawn uniformly with ``rng``."""
        return self._tasks.draw(rng)

    def question(self, task: Task) -> Question:
        """Return what a task asks, with its answers and evidence.

        Raises:
            UnknownTask: The task is not of this source.
        """
        self.index_of(task.id)
        return self._questions[task.id]

    def open(self, task: Task) -> SearchSession:
        """Return a fresh session for the task.

        Raises:
            UnknownTask: The task is not of this source.
        """
        return SearchSession(self.question(task), self._rules)

    def gold_turns(self, task: Task) -> tuple[tuple[ToolCall, ...] | str, ...]:
        """Return the gold searches, one a round and no more than rounds, and the answer.

        Questions without gold searches have the answer alone.

        Raises:
            UnknownTask: The task is not of this source.
        """
        question = self.question(task)
        searches = question.searches[: self._rules.max_rounds]
        return (*((_call(query),) for query in searches), question.answers[0])


def _backend(
    corpus: Corpus | None, questions: Questions | None, backend: SearchBackend | None
) -> SearchBackend:
    """Return what is to be searched, if the arguments go together."""
    if backend is not None:
        if corpus is not None:
            raise ConfigurationError("give corpus= or backend=, not both")
        if not isinstance(backend, SearchBackend):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(
                f"backend={backend!r:.80}; it must have 'waits' and 'search(query, k)'"
            )
        return backend
    if corpus is None and questions is not None:
        raise ConfigurationError(
            "questions= of your own need corpus= or backend=: the built-in passages are about an "
            "invented country and answer the built-in questions alone"
        )
    if corpus is not None and questions is None:
        raise ConfigurationError("corpus= needs questions=, a file or a list of them")
    return BM25Backend(load_documents(PASSAGES if corpus is None else corpus))


def _digest(backend: SearchBackend) -> str:
    """Return what a fingerprint knows of a backend: BM25's documents, another's class."""
    if not isinstance(backend, BM25Backend):
        return type(backend).__qualname__
    digest = hashlib.sha256()
    for document in backend.documents:
        digest.update(repr((document.title, document.text)).encode("utf-8", "replace"))
    return digest.hexdigest()


def _tool(top_k: int) -> ToolSpec:
    return ToolSpec(
        name="search",
        description="Search the passages. Returns the best matches, each with title and text.",
        parameters=freeze(
            {
                "type": "object",
                "properties": {
                    "query": {
                        "type": "string",
                        "description": "What to look for, in a few words.",
                        "minLength": 1,
                        "maxLength": MAX_QUERY_CHARS,
                    },
                    "k": {
                        "type": "integer",
                        "description": f"How many passages to return; {top_k} if left out.",
                        "minimum": 1,
                        "maximum": MAX_K,
                    },
                },
                "required": ["query"],
                "additionalProperties": False,
            }
        ),
    )


def _task(question: Question, tool: ToolSpec, max_rounds: int) -> Task:
    times = "once" if max_rounds == 1 else f"{max_rounds} times"
    request = (
        f"{question.text}\n\nYou may search {times}. Respond with the answer alone, as short as "
        "possible, or put it between <answer> and </answer>."
    )
    calls = [_call(query) for query in question.searches[:1]]
    response = None if calls else question.answers[0]
    return Task(
        id=question.id,
        source=SearchSource.name,
        tools=(tool,),
        messages=(Message("user", request),),
        gold=make_gold(calls, response, thought_for(len(calls))),
        category=question.kind,
        difficulty=len(question.searches) or None,
        metadata=freeze({"evidence": list(question.evidence), "split": question.split}),
    )


def _call(query: str) -> ToolCall:
    return ToolCall("search", {"query": query})
