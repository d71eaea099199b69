"""A user's corpus and questions: every format, Bamboogle's, and what is wrong with a row."""

from __future__ import annotations

import gzip
import json

import pytest

from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.data import split_of
from toolrl_env.data.search import Document, Question, load_documents, load_questions

DOCUMENTS = [{"title": "Ollan", "text": "A river."}, {"text": "No title."}]
QUESTIONS = [
    {"question": "Which river?", "answer": "Ollan", "aliases": ["River Ollan", "Ollan"]},
    {
        "id": "two",
        "question": "How many?",
        "answers": [4, "four"],
        "searches": ["first", "second"],
        "evidence": ["A", "B"],
        "kind": "count",
        "split": "test",
        "source": "ours",
    },
    {"Question": "Bamboogle's?", "Answer": "yes"},
]


def write(path, rows):
    if path.name.endswith(".parquet"):
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = sorted({key for row in rows for key in row})
        table = {c: [None if row.get(c) is None else row[c] for row in rows] for c in columns}
        pq.write_table(pa.table(table), path)
        return path
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    if path.name.endswith(".gz"):
        path.write_bytes(gzip.compress(lines.encode()))
    else:
        path.write_text(json.dumps(rows) if path.suffix == ".json" else lines)
    return path


@pytest.mark.parametrize("name", ["c.json", "c.jsonl", "c.jsonl.gz", "c.parquet"])
def test_a_corpus_of_every_format(tmp_path, name):
    rows = DOCUMENTS[:1] if name.endswith("parquet") else DOCUMENTS
    path = write(tmp_path / name, rows)
    expected = (Document("Ollan", "A river."), Document("", "No title."))[: len(rows)]
    assert load_documents(path) == load_documents(str(path)) == expected
    assert load_documents(path) is load_documents(path)


def test_a_changed_file_is_read_again(tmp_path):
    path = write(tmp_path / "c.jsonl", DOCUMENTS)
    before = load_documents(path)
    write(path, [*DOCUMENTS, {"title": "New", "text": "Passage."}])
    assert len(load_documents(path)) == len(before) + 1


def test_a_corpus_may_be_a_list():
    documents = [Document("a", "b"), {"title": "c", "text": "d"}]
    assert load_documents(documents) == (Document("a", "b"), Document("c", "d"))


@pytest.mark.parametrize(
    ("corpus", "said"),
    [
        ([], "no rows"),
        ([{"title": "x"}], "row 0: 'text' and 'title' must be texts; columns: title"),
        ([{"title": "x", "txt": "y"}], "Did you mean 'txt'"),
        ([{"title": "x", "text": 3}], "must be texts"),
        ([{"title": "x", "text": "y"}, "z"], "row 1: not a Document but str"),
        ([{"title": " ", "text": ""}], "empty"),
    ],
)
def test_a_row_that_is_no_document_is_refused(corpus, said):
    with pytest.raises(DataError, match=said):
        load_documents(corpus)


def test_files_that_cannot_be_used_are_refused(tmp_path):
    for load in (load_documents, load_questions):
        with pytest.raises(DataError, match="cannot be read"):
            load(tmp_path / "missing.jsonl")
        with pytest.raises(DataError, match="unknown kind of file"):
            load(write(tmp_path / "c.csv", DOCUMENTS))
        (tmp_path / "broken.jsonl").write_text('{"text": "x"}\n{\n')
        with pytest.raises(DataError, match="row"):
            load(tmp_path / "broken.jsonl")
        with pytest.raises(ConfigurationError, match="=3; allowed: a file"):
            load(3)


@pytest.mark.parametrize("name", ["q.json", "q.jsonl", "q.jsonl.gz"])
def test_questions_of_every_format(tmp_path, name):
    first, second, third = load_questions(write(tmp_path / name, QUESTIONS))
    assert first == Question(
        "question-0", "Which river?", ("Ollan", "River Ollan"), split=split_of("Which river?")
    )
    assert second == Question(
        "two", "How many?", ("4", "four"), ("first", "second"), ("A", "B"), "count", "test"
    )
    assert (third.text, third.answers, third.searches) == ("Bamboogle's?", ("yes",), ())


def test_questions_from_parquet(tmp_path):
    rows = [{"question": "Which?", "answers": ["a", "b"], "searches": ["x", "y"]}]
    (question,) = load_questions(write(tmp_path / "q.parquet", rows))
    assert (question.answers, question.searches) == (("a", "b"), ("x", "y"))


def test_questions_may_be_a_list_of_either_kind():
    question = Question("q", "Who?", ("Oskane",))
    assert load_questions([question, {"question": "What?", "answer": 3.5}])[1].answers == ("3.5",)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "no rows"),
        ([{"quest": "x", "answer": "y"}], "'question' must be a text; columns: quest, answer"),
        ([{"question": " ", "answer": "y"}], "'question' must be a text"),
        ([{"question": "x"}], "at least one answer"),
        ([{"question": "x", "answers": []}], "at least one answer"),
        ([{"question": "x", "answer": None}], "at least one answer"),
        ([{"question": "x", "answer": True}], "answer holds True"),
        ([{"question": "x", "answer": " "}], "answer holds ' '"),
        ([{"question": "x", "answer": "y", "searches": [{"q": 1}]}], "searches holds"),
        ([{"question": "x", "answer": "y", "split": "dev"}], "split 'dev'; allowed: train"),
        ([7], "row 0: not a Question but int"),
    ],
)
def test_a_row_that_is_no_question_is_refused(rows, said):
    with pytest.raises(DataError, match=said):
        load_questions(rows)


@pytest.mark.shared_data
def test_bamboogle_is_read_as_it_is(shared_data):
    questions = load_questions(shared_data / "bamboogle" / "data.json")
    assert len(questions) == 62
    assert len({question.id for question in questions}) == 62
    assert all(len(q.answers) == 1 and q.answers[0] and q.searches == () for q in questions)
