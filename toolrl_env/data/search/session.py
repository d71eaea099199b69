"""``SearchSession``: one question, a search tool, and an answer that is scored."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolrl_env.core.errors import InfrastructureError, SnapshotError
from toolrl_env.core.types import (
    ErrorCode,
    FailureKind,
    ParsedCall,
    ToolResult,
    ToolSpec,
)
from toolrl_env.data.search.backend import Document, SearchBackend
from toolrl_env.data.search.extract import Judge
from toolrl_env.data.search.questions import Question
from toolrl_env.tools import CallValidator
from toolrl_env.tools.describe import action_error

__all__ = ["MAX_CALLS", "MAX_HIT_CHARS", "Rules", "SearchSession", "SearchSnapshot"]

MAX_CALLS = 4
"""Searches that run in one round; further ones of the same answer are refused."""
MAX_HIT_CHARS = 1500
"""A longer document is shown by its beginning."""


@dataclass(frozen=True)
class Rules:
    """What the sessions of a source share.

    Attributes:
        backend: What is searched.
        judge: Scores the response.
        tool: The search tool as it is offered.
        validator: Checks calls against it.
        max_rounds: Answers with a search that runs, at most.
        top_k: Documents shown for a search that does not say how many.
    """

    backend: SearchBackend
    judge: Judge
    tool: ToolSpec
    validator: CallValidator
    max_rounds: int
    top_k: int


@dataclass(frozen=True, slots=True)
class SearchSnapshot:
    """A session at one moment.

    Attributes:
        task_id: The task it belongs to.
        rounds: Rounds used.
        response: The model's response; ``None`` before it.
        score: What the response is worth.
    """

    task_id: str
    rounds: int = 0
    response: str | None = None
    score: float = 0.0


class SearchSession:
    """A ``Session``: searches until a response ends it. The world itself never changes."""

    def __init__(self, question: Question, rules: Rules) -> None:
        """Begin with no round used."""
        self._question = question
        self._rules = rules
        self._place = SearchSnapshot(question.id)

    @property
    def over(self) -> bool:
        """False: only a response ends an episode."""
        return False

    def tools(self) -> Sequence[ToolSpec]:
        """Return the search tool; it stays on offer when no round is left."""
        return (self._rules.tool,)

    def execute(self, calls: Sequence[ParsedCall]) -> tuple[ToolResult, ...]:
        """Check each call and run the valid ones, if a round is left.

        An answer none of whose calls is valid uses no round.

        Raises:
            InfrastructureError: The backend failed, or returned something that is no document.
        """
        checked = self._rules.validator.check(calls)
        allowed = MAX_CALLS if self._place.rounds < self._rules.max_rounds else 0
        results: list[ToolResult] = []
        ran = 0
        for call, result in zip(calls, checked, strict=True):
            if not result.ok or call.arguments is None:
                results.append(result)
            elif ran < allowed:
                ran += 1
                found = self._search(**call.arguments)
                results.append(ToolResult(result.call, ok=True, value=found, executed=True))
            else:
                results.append(self._refused(result.call, allowed))
        if ran:
            self._place = replace(self._place, rounds=self._place.rounds + 1)
        return tuple(results)

    def writes(self, calls: Sequence[ParsedCall]) -> tuple[bool, ...]:
        """Return false for each call: a search changes nothing."""
        return (False,) * len(calls)

    def reply(self, response: str) -> None:
        """Score the response and end the episode.

        Raises:
            InfrastructureError: The judge raised, or returned no number within ``[0, 1]``.
        """
        question = self._question
        try:
            score: Any = self._rules.judge(question.text, response, question.answers)
        except InfrastructureError:
            raise
        except Exception as error:
            raise InfrastructureError(
                f"the judge of answers raised {type(error).__name__}: {error}"
            ) from error
        if isinstance(score, bool | str) or not _is_share(score):
            raise InfrastructureError(
                f"the judge of answers returned {score!r:.80}, no number within [0, 1]",
                FailureKind.BAD_RESULT,
            )
        self._place = replace(self._place, response=response, score=float(score))

    def progress(self) -> tuple[bool, ...]:
        """Return one predicate: whether a response was given and judged wholly right."""
        return (self._place.score >= 1.0,)

    def gold(self) -> None:
        """Return ``None``: there is gold for the whole trajectory alone."""

    def outcome(self) -> float:
        """Return the score of the response, in ``[0, 1]``; 0.0 without one."""
        return self._place.score

    def state_hash(self) -> str:
        """Return 64 hexadecimal digits of all that a later step depends on."""
        place = self._place
        state = json.dumps([place.task_id, place.rounds, place.response, place.score])
        return hashlib.sha256(state.encode("ascii")).hexdigest()

    def snapshot(self) -> SearchSnapshot:
        """Return the whole state; it is immutable."""
        return self._place

    def restore(self, snapshot: object) -> None:
        """Put a state back.

        Raises:
            SnapshotError: It is not a snapshot of a session of this task.
        """
        if not isinstance(snapshot, SearchSnapshot) or snapshot.task_id != self._question.id:
            raise SnapshotError(f"not a snapshot of a session of {self._question.id}")
        self._place = snapshot

    def close(self) -> None:
        """Do nothing: the backend is shared and outlives the session."""

    # ------------------------------------------------------------------ inside

    def _search(self, query: str, k: float | None = None) -> list[dict[str, str]]:
        count = self._rules.top_k if k is None else int(k)
        try:
            hits = list(self._rules.backend.search(query, count))[:count]
        except InfrastructureError:
            raise
        except Exception as error:
            raise InfrastructureError(
                f"the search backend raised {type(error).__name__}: {error}"
            ) from error
        for hit in hits:
            if not isinstance(hit, Document):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise InfrastructureError(
                    f"the search backend returned {hit!r:.80}, no Document",
                    FailureKind.BAD_RESULT,
                )
        return [{"title": hit.title, "text": _shown(hit.text)} for hit in hits]

    def _refused(self, index: int, allowed: int) -> ToolResult:
        name, most = self._rules.tool.name, self._rules.max_rounds
        text = f"no search is left, all {most} rounds are used; answer with what you have"
        if allowed:
            text = f"at most {allowed} searches run in one round; this one was not run"
        error = action_error(ErrorCode.EXECUTION, index, name, text)
        return ToolResult(index, ok=False, errors=(error,))


def _is_share(score: Any) -> bool:
    try:
        return math.isfinite(score) and 0.0 <= score <= 1.0
    except TypeError:
        return False


def _shown(text: str) -> str:
    if len(text) <= MAX_HIT_CHARS:
        return text
    return f"{text[:MAX_HIT_CHARS]} … [cut: {len(text) - MAX_HIT_CHARS} more characters]"
