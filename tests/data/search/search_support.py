"""A small corpus, questions on it, and sessions for the tests."""

from __future__ import annotations

from toolrl_env.core.types import ToolCall
from toolrl_env.data.search import Document, Question, SearchSource
from toolrl_env.tools import as_parsed

CORPUS = (
    Document("The Salt Ledger", "A novel by Mirel Oskane."),
    Document("Mirel Oskane", "A novelist, born in Pellstad."),
    Document("Pellstad", "A town on the Wendle."),
    Document("Ostrevik", "A town on the Ollan."),
)
QUESTION = Question(
    "q1",
    "Where was the author of The Salt Ledger born?",
    ("Pellstad", "Pellstad, Ardemar"),
    ("Salt Ledger author", "Mirel Oskane born"),
    ("The Salt Ledger", "Mirel Oskane"),
    "author_birthplace",
)
OTHER = Question("q2", "Which town lies on the Ollan?", ("Ostrevik",))


def make_source(**options):
    """Return a source of the two questions above."""
    options = {"corpus": CORPUS, "questions": [QUESTION, OTHER], **options}
    return SearchSource("all", **options)


def make_session(index=0, **options):
    """Return a fresh session of one of them."""
    source = make_source(**options)
    return source.open(source[index])


def search(session, *queries, **arguments):
    """Run searches as one answer; return the results."""
    calls = [as_parsed(ToolCall("search", {"query": q, **arguments})) for q in queries]
    return session.execute(calls)
