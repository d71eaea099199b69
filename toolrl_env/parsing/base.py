"""What every answer protocol does: read text totally, judge its layout, write answers."""

from __future__ import annotations

import abc
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import (
    ErrorCode,
    GroundTruth,
    ParsedAction,
    ParseIssue,
    ParseStatus,
    ToolCall,
)
from toolrl_env.parsing.build import new_action
from toolrl_env.parsing.layout import RESPONSE_CLOSE, RESPONSE_OPEN, THINK_CLOSE, THINK_OPEN

__all__ = ["MAX_CHARS", "AnswerProtocol"]

MAX_CHARS = 65_536
"""Characters of an answer that are read by default; longer ones are cut and count as malformed."""

_TAG_CODES = frozenset({ErrorCode.DUPLICATE_TAG, ErrorCode.MISSING_TAG})
_LAYOUT_CODES = _TAG_CODES | frozenset(
    {
        ErrorCode.BAD_LAYOUT,
        ErrorCode.BAD_SYNTAX,
        ErrorCode.EMPTY,
        ErrorCode.TOO_LONG,
    }
)


class AnswerProtocol(abc.ABC):
    """A way of writing an answer: where the thought, the calls and the response stand.

    Instances hold no state; get the shared ones from ``toolrl_env.parsing.get_protocol``.

    Attributes:
        name: ``"toolrl"``, ``"native"`` or ``"python"``.
    """

    name: str

    def parse(self, text: str, max_chars: int = MAX_CHARS) -> ParsedAction:
        """Read an answer. Never raises on a string; time and memory are linear in ``max_chars``.

        Args:
            text: What the model wrote, anything at all.
            max_chars: Longer text is cut here and has status ``TOO_LONG`` and no ``values``.
        """
        if len(text) > max_chars:
            message = f"the answer has {len(text)} characters; only {max_chars} are read"
            issue = ParseIssue(ErrorCode.TOO_LONG, message, (max_chars, len(text)))
            cut = self._read(text[:max_chars])
            return replace(
                cut, status=ParseStatus.TOO_LONG, values=None, issues=(issue, *cut.issues)
            )
        if not text or text.isspace():
            issue = ParseIssue(ErrorCode.EMPTY, "the answer is empty", (0, len(text)))
            return new_action(text, self.name, ParseStatus.EMPTY, None, None, (), None, (issue,))
        return self._read(text)

    def layout_ok(self, action: ParsedAction, has_call: bool, has_response: bool) -> bool:
        """Whether the answer has the layout that the format reward asks for.

        Here, for the protocols that are not the paper's: nothing is cut, unclosed, stray or
        unreadable as calls; there are calls exactly if ``has_call``, a response exactly if
        ``has_response``, and a thought if neither is asked for. A thought is otherwise optional.

        Args:
            action: The answer, as this protocol's ``parse`` returned it.
            has_call: Whether the gold answer has calls.
            has_response: Whether the gold answer has a response.
        """
        if any(issue.code in _LAYOUT_CODES for issue in action.issues):
            return False
        if bool(action.calls) is not has_call or (action.response is not None) is not has_response:
            return False
        return has_call or has_response or action.think is not None

    def render(
        self,
        calls: Sequence[ToolCall | Mapping[str, Any]],
        *,
        think: str | None = None,
        response: str | None = None,
    ) -> str:
        """Write an answer that ``parse`` reads back as the same calls, thought and response.

        Args:
            calls: Calls, each a ``ToolCall`` or ``{"name": …, "parameters": {…}}``.
            think: The thought, or ``None`` for none. White space at its ends is not kept.
            response: The response, or ``None`` for none. White space at its ends is not kept.

        Raises:
            ConfigurationError: A call has another shape or is not JSON-like, or this protocol
                cannot carry it: a thought with ``</think>`` in it, a name that the syntax of
                ``python`` cannot hold, and so on.
        """
        normal = [_normal_form(call) for call in calls]
        try:
            text = self._write(normal, think, response)
            action = self.parse(text, max(len(text), 1))
            same = json.dumps(action.values or ()) == json.dumps(normal)
        except (TypeError, ValueError, RecursionError) as error:
            raise ConfigurationError(f"a call is not JSON-like: {error}") from error
        if not same:
            names = ", ".join(repr(call["name"])[:80] for call in normal)
            why = action.issues[0].message if action.issues else "they change"
            raise ConfigurationError(
                f"protocol {self.name!r} cannot carry the calls {names} so that they are read "
                f"back: {why}"
            )
        read = (action.think or "", action.response or "")
        if read != ((think or "").strip(), (response or "").strip()) or any(
            issue.code in _TAG_CODES for issue in action.issues
        ):
            raise ConfigurationError(
                f"protocol {self.name!r} cannot carry this thought or response so that it is read "
                f"back: {think!r:.200}, {response!r:.200}; neither may hold the protocol's own "
                "tags or syntax"
            )
        return text

    def render_gold(self, gold: GroundTruth) -> str:
        """Write the gold answer in this protocol.

        Raises:
            ConfigurationError: The gold calls are not ``{"name": …, "parameters": {…}}`` or this
                protocol cannot carry them.
        """
        start, text = 0, gold.text
        think = response = None
        if text.startswith(THINK_OPEN) and THINK_CLOSE in text:
            start = text.index(THINK_CLOSE)
            think = text[len(THINK_OPEN) : start].strip()
        if gold.has_response:
            opened = text.rfind(RESPONSE_OPEN) + len(RESPONSE_OPEN)
            response = text[opened:].partition(RESPONSE_CLOSE)[0].strip()
        return self.render(gold.values, think=think, response=response)

    @abc.abstractmethod
    def _read(self, text: str) -> ParsedAction:
        """Read a text that is not blank and within the limit."""

    @abc.abstractmethod
    def _write(self, calls: list[dict[str, Any]], think: str | None, response: str | None) -> str:
        """Write calls in normal form; need not care whether they can be read back."""


def _normal_form(call: ToolCall | Mapping[str, Any]) -> dict[str, Any]:
    """Return ``{"name": …, "parameters": {…}}`` and nothing else."""
    if isinstance(call, ToolCall):
        return {"name": call.name, "parameters": dict(call.arguments)}
    name, parameters = call.get("name"), call.get("parameters")
    if not isinstance(name, str) or not isinstance(parameters, Mapping):
        raise ConfigurationError(
            f"cannot write the call {dict(call)!r:.200}; it must be a ToolCall or a mapping with "
            "'name' (a string) and 'parameters' (a mapping)"
        )
    arguments: dict[str, Any] = dict(parameters)  # pyright: ignore[reportUnknownArgumentType]
    return {"name": name, "parameters": arguments}
