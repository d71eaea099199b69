"""The tokens of conversations that a policy without state of its own has had a part in."""

from __future__ import annotations

import functools
import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from agents.chat_delta import ChatDelta
from agents.generation import Completion
from agents.prompting import ChatEncoder
from toolrl_env.core.errors import ConfigurationError

__all__ = ["TokenMemory"]


class TokenMemory:
    """Continues conversations by the ids that were sampled, as in training.

    Rendered anew, a conversation may have other tokens than those that were sampled, and with the
    protocol ``"native"`` another list of tools at its beginning. So each conversation is remembered
    under its messages up to the policy's last answer. Unknown ones are rendered, and so are all if
    the template rewrites history.

    Args:
        encoder: The model's encoder.
        size: Conversations remembered; those unused for longest are forgotten.
    """

    def __init__(self, encoder: ChatEncoder, size: int = 512) -> None:
        self._encoder, self._delta, self._size = encoder, ChatDelta(encoder), size
        self._known: OrderedDict[str, tuple[tuple[int, ...], bool]] = OrderedDict()

    def context(self, info: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the ids that the next answer follows."""
        messages = info["messages"]
        last = max(
            (i for i, each in enumerate(messages) if each["role"] == "assistant"), default=-1
        )
        known = self._known.get(_key(messages[: last + 1])) if last >= 0 else None
        if known is None or not self._appends:
            return self._encoder.prompt(info)
        ids, finished = known
        return ids + self._delta.after(messages[last + 1 :], finished=finished)

    def remember(
        self, info: Mapping[str, Any], context: tuple[int, ...], completion: Completion
    ) -> str:
        """Remember an answer to ``info``, sampled after ``context``; return its text."""
        text = self._encoder.decode(completion.token_ids)
        key = _key([*info["messages"], {"role": "assistant", "content": text}])
        self._known[key] = (context + completion.token_ids, completion.finished)
        self._known.move_to_end(key)
        if len(self._known) > self._size:
            self._known.popitem(last=False)
        return text

    @functools.cached_property
    def _appends(self) -> bool:
        try:
            self._delta.check()
        except ConfigurationError:
            return False
        return True


def _key(messages: Sequence[Mapping[str, Any]]) -> str:
    text = json.dumps([dict(message) for message in messages], default=dict)
    return hashlib.sha256(text.encode()).hexdigest()
