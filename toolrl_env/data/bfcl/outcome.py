"""The official verdict on a single-turn answer, with the reason."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from toolrl_env.core.frozen import thaw
from toolrl_env.core.types import ParsedAction, ToolCall
from toolrl_env.tools.suites.bfcl import load_library
from toolrl_env.tools.suites.bfcl.library import MODEL

__all__ = ["Outcome", "check_answer", "check_calls", "language_of"]

_LANGUAGES = {"simple_java": "java", "simple_javascript": "javascript"}
_MAX_FOREIGN = 512
_MAX_BRACKETS = 16
_SPACES = re.compile(r"\s{9}")


class Outcome(NamedTuple):
    """An official verdict.

    Attributes:
        ok: Whether the answer is right.
        reason: Why not; empty if it is.
    """

    ok: bool
    reason: str


def language_of(category: str) -> str:
    """Return the language of a category's arguments: ``python``, ``java`` or ``javascript``."""
    return _LANGUAGES.get(category, "python")


def check_answer(
    category: str,
    functions: Sequence[Mapping[str, Any]],
    answer: Sequence[Mapping[str, Any]],
    action: ParsedAction,
) -> Outcome:
    """Return the official verdict on an answer.

    In the relevance categories only whether there is a call counts, and an answer whose calls
    cannot be decoded has none; elsewhere it is wrong.

    Args:
        category: The official category.
        functions: The entry's official functions, as the checker wants them.
        answer: The entry's possible answers.
        action: The answer, as it was parsed.
    """
    calls = [
        ToolCall(call.name, call.arguments)
        for call in action.calls
        if call.name is not None and call.arguments is not None and call.issue is None
    ]
    decoded = action.values is not None and len(calls) == len(action.calls) > 0
    if category.endswith("irrelevance"):
        return Outcome(not decoded, "a call was made, but none of the functions fits" * decoded)
    if category.endswith("relevance"):
        return Outcome(decoded, "" if decoded else "no call was made, but a function fits")
    if not decoded:
        return Outcome(False, "there is no call that can be decoded")
    return check_calls(category, functions, answer, calls)


def check_calls(
    category: str,
    functions: Sequence[Mapping[str, Any]],
    answer: Sequence[Mapping[str, Any]],
    calls: Sequence[ToolCall],
) -> Outcome:
    """Return what the official checker says of calls.

    An argument with which the checker itself fails is wrong. In Java and JavaScript an argument of
    more than 512 characters, or with long runs of spaces or many brackets, is wrong without asking
    it: the regular expressions with which it reads them take exponential time on such text.
    """
    library, language = load_library(), language_of(category)
    if language != "python":
        hard = [name for call in calls for name, v in call.arguments.items() if _is_hard(v)]
        if hard:
            return Outcome(False, f"argument {hard[0]!r} is too long to be read as {language}")
    output = [{call.name: thaw(call.arguments)} for call in calls]
    try:
        verdict = library.ast_check(
            list(functions), output, list(answer), library.languages[language], category, MODEL
        )
    except Exception as error:  # the checker indexes and iterates what the model wrote
        return Outcome(False, f"the official checker fails on it with {type(error).__name__}")
    return Outcome(bool(verdict["valid"]), "" if verdict["valid"] else _reason(verdict))


def _is_hard(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    brackets = sum(map(value.count, "[]{}()<"))
    return len(value) > _MAX_FOREIGN or brackets > _MAX_BRACKETS or bool(_SPACES.search(value))


def _reason(verdict: Mapping[str, Any]) -> str:
    text = "; ".join(map(str, verdict["error"]))
    return f"{verdict['error_type']}: {text}"[:1_000]
