"""One question's session: searches, rounds, refusals, the answer, failures, state."""

from __future__ import annotations

import pickle

import pytest

from tests.data.search.search_support import CORPUS, OTHER, make_session, make_source, search
from toolrl_env.core.errors import InfrastructureError, SnapshotError
from toolrl_env.core.types import ErrorCode, FailureKind, ToolCall
from toolrl_env.data.search import Document
from toolrl_env.data.search.session import MAX_CALLS, MAX_HIT_CHARS
from toolrl_env.tools import as_parsed


def titles(result):
    return [hit["title"] for hit in result.value]


def test_a_search_returns_titles_and_texts():
    (result,) = search(make_session(), "Mirel Oskane born", k=1)
    assert (result.ok, result.executed) == (True, True)
    assert result.value == [{"title": "Mirel Oskane", "text": "A novelist, born in Pellstad."}]


def test_how_many_are_shown():
    session = make_session(top_k=2)
    assert len(search(session, "a town novel")[0].value) == 2
    assert len(search(session, "a town novel", k=4)[0].value) == 4
    assert len(search(session, "a town novel", k=1.0)[0].value) == 1
    assert search(session, "nothing-like-it")[0].value == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, ErrorCode.MISSING_ARGUMENT),
        ({"query": ""}, ErrorCode.INVALID_VALUE),
        ({"query": "x" * 501}, ErrorCode.INVALID_VALUE),
        ({"query": 3}, ErrorCode.WRONG_TYPE),
        ({"query": "x", "k": 0}, ErrorCode.INVALID_VALUE),
        ({"query": "x", "k": 11}, ErrorCode.INVALID_VALUE),
        ({"query": "x", "k": 1.5}, ErrorCode.WRONG_TYPE),
        ({"query": "x", "limit": 3}, ErrorCode.UNEXPECTED_ARGUMENT),
    ],
)
def test_a_call_that_breaks_the_schema_is_not_run_and_uses_no_round(arguments, code):
    session = make_session(max_rounds=1)
    (result,) = session.execute([as_parsed(ToolCall("search", arguments))])
    assert (result.ok, result.executed, result.errors[0].code) == (False, False, code)
    assert search(session, "Ollan")[0].ok


def test_another_tool_is_unknown():
    (result,) = make_session().execute([as_parsed(ToolCall("serch", {"query": "x"}))])
    assert result.errors[0].code == ErrorCode.UNKNOWN_TOOL
    assert "'search'" in result.errors[0].message


def test_after_the_last_round_searches_are_refused_and_the_reason_is_said():
    session = make_session(max_rounds=2)
    assert search(session, "Ollan")[0].ok
    assert search(session, "Wendle")[0].ok
    for _ in range(2):
        (result,) = search(session, "Pellstad")
        assert (result.ok, result.executed) == (False, False)
        assert "No search is left, all 2 rounds are used" in result.errors[0].for_model
    assert not session.over
    session.reply("Pellstad")
    assert session.outcome() == 1.0


def test_searches_of_one_answer_are_one_round_and_bounded():
    session = make_session(max_rounds=1)
    results = search(session, *["Ollan"] * (MAX_CALLS + 2))
    assert [result.ok for result in results] == [True] * MAX_CALLS + [False] * 2
    assert f"At most {MAX_CALLS} searches" in results[-1].errors[0].for_model
    assert [result.call for result in results] == list(range(MAX_CALLS + 2))
    assert not search(session, "Ollan")[0].ok


def test_long_documents_are_shown_by_their_beginning():
    long = Document("Long", "word " * 1000)
    (result,) = search(make_session(corpus=[long]), "word")
    shown = result.value[0]["text"]
    assert shown.startswith("word word")
    assert shown.endswith(f"[cut: {5000 - MAX_HIT_CHARS} more characters]")


def test_a_response_is_scored_and_ends_the_episode():
    session = make_session()
    assert session.progress() == (False,)
    assert session.outcome() == 0.0
    assert session.reply("<answer>Pellstad.</answer>") is None
    assert session.progress() == (True,)
    assert session.outcome() == 1.0


@pytest.mark.parametrize(
    ("answer_score", "response", "outcome"),
    [
        ("exact_match", "Pellstad", 1.0),
        ("exact_match", "Pellstad, Ardemar", 1.0),
        ("exact_match", "the town of Pellstad", 0.0),
        ("f1", "Pellstad town", 2 / 3),
        ("contains", "the town of Pellstad", 1.0),
        ("contains", "Ostrevik", 0.0),
        (lambda question, response, answers: len(answers) / 4, "anything", 0.5),
        (lambda question, response, answers: question.startswith("Where"), "x", None),
    ],
)
def test_every_score(answer_score, response, outcome):
    session = make_session(answer_score=answer_score)
    if outcome is None:
        with pytest.raises(InfrastructureError, match="returned True"):
            session.reply(response)
        return
    session.reply(response)
    assert session.outcome() == pytest.approx(outcome)
    assert session.progress() == (outcome == 1.0,)


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan"), "1", None, True, [1.0]])
def test_a_judge_that_returns_no_share_is_a_failure_of_ours(score):
    session = make_session(answer_score=lambda *_: score)
    with pytest.raises(InfrastructureError, match="no number within") as caught:
        session.reply("x")
    assert caught.value.kind is FailureKind.BAD_RESULT
    assert session.progress() == (False,)


def test_a_judge_that_raises_is_a_failure_of_ours():
    def down(*_):
        raise InfrastructureError("the judge is down", FailureKind.SERVER_DOWN)

    def broken(*_):
        raise KeyError("score")

    with pytest.raises(InfrastructureError) as caught:
        make_session(answer_score=down).reply("x")
    assert caught.value.kind is FailureKind.SERVER_DOWN
    with pytest.raises(InfrastructureError, match="KeyError") as caught:
        make_session(answer_score=broken).reply("x")
    assert caught.value.kind is FailureKind.TOOL_CRASHED


class Scripted:
    """A backend that does what it is told."""

    waits = True

    def __init__(self, result):
        self.result = result

    def search(self, query, k):
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        (InfrastructureError("slow", FailureKind.TIMEOUT), FailureKind.TIMEOUT),
        (InfrastructureError("gone", FailureKind.SERVER_DOWN), FailureKind.SERVER_DOWN),
        (KeyError("hits"), FailureKind.TOOL_CRASHED),
        ([{"title": "x"}], FailureKind.BAD_RESULT),
        (None, FailureKind.TOOL_CRASHED),
    ],
)
def test_a_backend_that_fails_is_never_an_empty_result(result, kind):
    session = make_session(corpus=None, backend=Scripted(result))
    with pytest.raises(InfrastructureError) as caught:
        search(session, "x")
    assert caught.value.kind is kind
    assert session.snapshot().rounds == 0


def test_a_backend_that_returns_too_many_is_cut():
    session = make_session(corpus=None, backend=Scripted(list(CORPUS)))
    assert titles(search(session, "x", k=2)[0]) == ["The Salt Ledger", "Mirel Oskane"]


def test_a_snapshot_restores_rounds_and_answer():
    session, other = make_session(max_rounds=1), make_session(max_rounds=1)
    before = pickle.loads(pickle.dumps(session.snapshot()))
    start = session.state_hash()
    search(session, "Ollan")
    session.reply("Pellstad")
    other.restore(pickle.loads(pickle.dumps(session.snapshot())))
    assert other.state_hash() == session.state_hash() != start
    assert other.outcome() == 1.0
    session.restore(before)
    assert session.state_hash() == start
    assert session.outcome() == 0.0
    assert search(session, "Ollan")[0].ok


def test_a_snapshot_of_another_task_is_refused():
    for wrong in (make_session(1).snapshot(), None, {"rounds": 1}):
        with pytest.raises(SnapshotError, match="q1"):
            make_session().restore(wrong)


def test_the_rest_of_the_interface():
    session = make_session()
    assert [tool.name for tool in session.tools()] == ["search"]
    assert session.writes([as_parsed(ToolCall("search", {"query": "x"}))] * 2) == (False, False)
    assert session.gold() is None
    assert len(session.state_hash()) == 64
    session.close()
    session.close()


def test_sessions_of_one_source_share_no_state():
    source = make_source(max_rounds=1)
    first, second = source.open(source[0]), source.open(source[0])
    search(first, "Ollan")
    first.reply("Pellstad")
    assert search(second, "Ollan")[0].ok
    assert second.progress() == (False,)
    assert source.open(source[1]).tools() == second.tools()
    assert source.question(source[1]) == OTHER
