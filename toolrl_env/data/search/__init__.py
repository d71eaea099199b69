"""Search: multi-hop questions, a corpus or a server to search, and a score for the answer."""

from toolrl_env.data.search.answers import contains, exact_match, f1, normalise
from toolrl_env.data.search.backend import Document, SearchBackend
from toolrl_env.data.search.bm25 import BM25Backend
from toolrl_env.data.search.documents import load_documents
from toolrl_env.data.search.extract import ANSWER_SCORES, Judge, extract_answer
from toolrl_env.data.search.http import HTTPBackend
from toolrl_env.data.search.questions import Question, load_questions
from toolrl_env.data.search.session import SearchSession, SearchSnapshot
from toolrl_env.data.search.source import SearchSource

__all__ = [
    "ANSWER_SCORES",
    "BM25Backend",
    "Document",
    "HTTPBackend",
    "Judge",
    "Question",
    "SearchBackend",
    "SearchSession",
    "SearchSnapshot",
    "SearchSource",
    "contains",
    "exact_match",
    "extract_answer",
    "f1",
    "load_documents",
    "load_questions",
    "normalise",
]
