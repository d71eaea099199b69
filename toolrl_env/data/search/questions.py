"""Questions with their answers: a file or a list → ``Question``."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.data.files import read_rows
from toolrl_env.data.search.documents import version_of
from toolrl_env.data.source import RefusedRow
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
    if isinstance(questions, str | Path):
        path = Path(questions).absolute()
        return _from_file(path, version_of(path))
    if not isinstance(questions, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"questions={questions!r:.80}; allowed: a file, or a list")
    return _questions(questions, "questions")


@functools.lru_cache(maxsize=4)
def _from_file(path: Path, version: tuple[int, int] | None) -> tuple[Question, ...]:
    del version  # part of the key alone
    return _questions(read_rows(path), str(path))


def _questions(rows: Iterable[object], origin: str) -> tuple[Question, ...]:
    found = tuple(_question(row, f"{origin}: row {i}", i) for i, row in enumerate(rows))
    if not found:
        raise DataError(f"{origin}: there are no questions")
    return found


def _question(row: object, where: str, index: int) -> Question:
    if isinstance(row, Question):
        return row
    if isinstance(row, RefusedRow):
        raise DataError(f"{where}: {row.reason}")
    if not isinstance(row, Mapping):
        raise DataError(f"{where}: not a question but {type(row).__name__}")
    fields = cast("Mapping[str, Any]", row)
    text = fields.get("question", fields.get("Question"))
    if not isinstance(text, str) or not text.strip():
        found = ", ".join(map(str, fields)) or "none"
        raise DataError(f"{where}: 'question' must be a text; columns: {found}")
    answers = _texts(fields, where, "answer", "Answer", "answers", "aliases")
    if not answers:
        raise DataError(f"{where}: 'answer' or 'answers' must name at least one answer")
    split = fields.get("split", split_of(text))
    if split not in SPLITS[:3]:
        raise DataError(f"{where}: split {split!r}; allowed: {', '.join(SPLITS[:3])}")
    return Question(
        id=str(fields.get("id", f"question-{index}")),
        text=text,
        answers=answers,
        searches=_texts(fields, where, "searches"),
        evidence=_texts(fields, where, "evidence"),
        kind=str(fields.get("kind", "question")),
        split=split,
    )


def _texts(fields: Mapping[str, Any], where: str, *columns: str) -> tuple[str, ...]:
    """Return the texts of some columns, each once; a column holds one, a list, or nothing."""
    found: dict[str, None] = {}
    for column in columns:
        given = fields.get(column)
        if given is None:
            continue
        values = cast("list[Any]", given) if isinstance(given, list | tuple) else [given]
        for value in values:
            plain = isinstance(value, str | int | float) and not isinstance(value, bool)
            if not plain or not str(value).strip():
                raise DataError(f"{where}: {column} holds {value!r:.80}, which is no text")
            found[str(value)] = None
    return tuple(found)
