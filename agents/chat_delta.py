"""The tokens between two answers: how a conversation goes on without being tokenised again.

After an answer the context is what it was, the sampled ids as they are, and a *delta*: what the
template writes from the answer's end to where the next answer begins (end token, line break, the
environment's messages, the header of the next answer). It begins with a control token, so that it
is tokenised alike wherever it stands.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from agents.prompting import ChatEncoder
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ParsedCall, ToolCall, ToolResult, ToolSpec
from toolrl_env.parsing import get_protocol
from toolrl_env.prompts import followup

__all__ = ["ChatDelta"]

_CACHED = 4096
_OPENING = (
    {"role": "system", "content": "You can use tools."},
    {"role": "user", "content": "How warm is it in Oslo, and in Bergen?"},
)
_ANSWER = "Let me see."
_TOOL = ToolSpec(
    "get_weather",
    "Return the weather.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
).as_openai()

Messages = Sequence[Mapping[str, Any]]


class ChatDelta:
    """Deltas of one model's template for one protocol, each worked out once and remembered.

    Args:
        encoder: The model's encoder.
    """

    def __init__(self, encoder: ChatEncoder) -> None:
        self._encoder = encoder
        self._tools = [_TOOL]
        self._end = encoder.tokenizer.convert_ids_to_tokens(encoder.eos_id)
        self._remembered = functools.lru_cache(maxsize=_CACHED)(self._work_out)
        self._checked = False

    def after(self, messages: Messages, *, finished: bool) -> tuple[int, ...]:
        """Return the ids between an answer's last sampled token and the next answer's first.

        Args:
            messages: What follows the answer; at least one.
            finished: Whether the end token was sampled; if not, it comes first, as context.

        Raises:
            ConfigurationError: As ``check``, which is called first if it never was.
        """
        if not self._checked:
            self.check()
        ids = self._remembered(_key(messages))
        return ids[1:] if finished else ids

    def check(self) -> None:
        """Compare deltas with full renderings of a conversation of the protocol's own kind.

        It has a thought with calls, their results, a response, the user's reply, an answer that
        cannot be read, a correction. Call it before a run begins.

        Raises:
            ConfigurationError: The template cannot carry such a conversation, ends an answer with
                another token than the one that sampling stops at, or changes an answer or what
                stands before it once the conversation goes on; says what differs.
        """
        conversation: list[dict[str, Any]] = [dict(message) for message in _OPENING]
        for answer, messages in _example(self._encoder.protocol):
            delta = self._text(conversation, answer, messages)
            usual = self._text(_OPENING, _ANSWER, messages)
            if delta != usual:
                raise ConfigurationError(
                    f"the chat template of {self._encoder.tokenizer.name_or_path!r} writes the "
                    "same messages differently at different places of a conversation: "
                    f"{_difference(usual, delta)}. Use one that does not"
                )
            self._remembered(_key(messages))
            conversation += [{"role": "assistant", "content": answer}, *messages]
        self._checked = True

    def _work_out(self, messages: str) -> tuple[int, ...]:
        ids = self._encoder.encode(self._text(_OPENING, _ANSWER, json.loads(messages)))
        if ids[0] != self._encoder.eos_id:
            raise ConfigurationError(f"the end token {self._end!r} is not one token of its own")
        return ids

    def _text(self, before: Messages, answer: str, messages: Messages) -> str:
        """Return the delta as text, taken from the rendering of a conversation.

        Raises:
            ConfigurationError: The rendering does not begin with what was rendered before.
        """
        head = self._encoder.render(before, self._tools, answer_next=True) + answer
        said = {"role": "assistant", "content": answer}
        full = self._encoder.render([*before, said, *messages], self._tools, answer_next=True)
        name = self._encoder.tokenizer.name_or_path
        if not full.startswith(head):
            raise ConfigurationError(
                f"the chat template of {name!r} rewrites history: {_difference(head, full)}. "
                "What was sampled would not be what is trained. Set tokenizer.chat_template to one "
                "that only appends and keeps answers whole, thoughts included"
            )
        delta = full[len(head) :]
        if not delta.startswith(self._end):
            raise ConfigurationError(
                f"the chat template of {name!r} ends an answer with {delta[:40]!r}, but sampling "
                f"stops at the end token {self._end!r}: set tokenizer.eos_token to the template's"
            )
        return delta


def _key(messages: Messages) -> str:
    return json.dumps([dict(message) for message in messages])


def _example(name: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return answers in a protocol, each with the messages that would follow it."""
    protocol = get_protocol(name)
    calls = [ToolCall("get_weather", {"city": city}) for city in ("Oslo", "Bergen")]
    parsed = [ParsedCall("", (0, 0), name=call.name) for call in calls]
    results = [ToolResult(index, ok=True, value=7 - index) for index in range(len(calls))]
    called = protocol.render(calls, think="I have to look.")
    said = protocol.render((), think="I know.", response="7 and 6 degrees.")
    return [
        (called, followup.result_messages(name, parsed, results)),
        (said, [followup.user_message(name, "And in Bergen alone?")]),
        ("not an answer", [followup.correction_message(name, ["it has no response"])]),
        (called, followup.result_messages(name, parsed[:1], results[:1])),
    ]


def _difference(expected: str, got: str) -> str:
    """Say where two texts part."""
    pairs = enumerate(zip(expected, got, strict=False))
    place = next((i for i, (one, two) in pairs if one != two), min(len(expected), len(got)))
    before = expected[max(0, place - 30) : place]
    return (
        f"after {before!r} it writes {got[place : place + 60]!r} "
        f"instead of {expected[place : place + 60]!r}"
    )
