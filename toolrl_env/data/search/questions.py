"""Questions with their answers: a file or a list → ``Question``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from toolrl_env.core.errors import DataError
from toolrl_env.data.search.rows import columns_of, read_all
from toolrl_env.data.split import SPLITS, split_of

__all__ = ["Question", "Questions", "load_questions"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question that can be searched for.

    Attributes:
        id: Unique among its questions.
        text: The question.
        answers: The right answer, then other spellings of it.
        searches: The gold searches, one a round; ``()`` if nobody knows any.
        evidence: Titles of the passages from which the answer follows; ``()`` if unknown.
        kind: What sort of question it is; ``"question"`` if unknown.
        split: ``train``, ``validation`` or ``test``.
    """

    id: str
    text: str
    answers: tuple[str, ...]
    searches: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    kind: str = "question"
    split: str = "train"


Questions = str | Path | Sequence[Question | Mapping[str, Any]]
"""A file (``.jsonl``, ``.json``, ``.jsonl.gz``, ``.parquet``), or the questions themselves."""


def load_questions(questions: Questions) -> tuple[Question, ...]:
    """Return the questions, in order.

    Rows have ``question`` and ``answer`` or ``answers`` (Bamboogle's ``Question`` and ``Answer``
    will do), each answer a text or a number; and, if they like, ``aliases``, ``searches``,
    ``evidence``, ``kind``, ``id`` and ``split``. A row without a split gets one by a hash of its
    question. A file is read once per process for as long as it does not change.

    Raises:
        ConfigurationError: ``questions`` is neither a path nor a list.
        DataError: The file cannot be read, a row is no question, or there is none.
    """
    return read_all(questions, "questions", Question, _question)


def _question(row: Mapping[str, Any], index: int) -> Question:
    text = row.get("question", row.get("Question"))
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"'question' must be a text; columns: {columns_of(row)}")
    answers = _texts(row, "answer", "Answer", "answers", "aliases")
    if not answers:
        raise DataError("'answer' or 'answers' must name at least one answer")
    split = row.get("split")
    split = split_of(text) if split is None else split
    if split not in SPLITS[:3]:
        raise DataError(f"split {split!r}; allowed: {', '.join(SPLITS[:3])}")
    return Question(
        id=str(row.get("id", f"question-{index}")),
        text=text,
        answers=answers,
        searches=_texts(row, "searches"),
        evidence=_texts(row, "evidence"),
        kind=str(row.get("kind", "question")),
        split=split,
    )


def _texts(row: Mapping[str, Any], *columns: str) -> tuple[str, ...]:
    """Return the texts of some columns, each once; a column holds one, a list, or nothing."""
    found: dict[str, None] = {}
    for column in columns:
        given = row.get(column)
        if given is None:
            continue
        values = cast("list[Any]", given) if isinstance(given, list | tuple) else [given]
        for value in values:
            plain = isinstance(value, str | int | float) and not isinstance(value, bool)
            if not plain or not str(value).strip():
                raise DataError(f"{column} holds {value!r:.80}, which is no text")
            found[str(value)] = None
    return tuple(found)
