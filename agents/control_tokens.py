"""Text in which nothing can be mistaken for a control token.

A tool's result may hold ``<|im_end|>``. Rendered into a conversation and tokenised as usual it
would become the token that ends a message, and whoever wrote the result could write messages of any
role.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedTokenizerBase

__all__ = ["ControlTokens"]

_FIRST_MARK = 0x100000  # of a private-use area that no known writing system occupies


class ControlTokens:
    """Tokenises text that is partly a template's and partly other people's.

    ``protect`` goes over what others wrote before it is rendered: each control token's text becomes
    a mark, one character. ``encode`` then reads the rendered text: control tokens in it are the
    template's own, and a mark becomes ordinary tokens of the text that it stands for.

    Args:
        tokenizer: The model's tokenizer.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        added = tokenizer.added_tokens_decoder.values()
        names = {token.content for token in added if token.special} | {
            *tokenizer.all_special_tokens
        }
        self._texts = sorted(filter(None, names), key=lambda name: (-len(name), name))
        self._marks = {text: chr(_FIRST_MARK + i) for i, text in enumerate(self._texts)}
        last = chr(_FIRST_MARK + len(self._texts) - 1) if self._texts else ""
        self._find = re.compile("|".join(map(re.escape, self._texts))) if self._texts else None
        self._split = re.compile(f"([{chr(_FIRST_MARK)}-{last}])") if self._texts else None

    def protect(self, value: Any) -> Any:
        """Return a JSON-like value with marks for control tokens, keys of objects included."""
        if isinstance(value, str):
            if self._find is None:
                return value
            return self._find.sub(lambda found: self._marks[found[0]], value)
        if isinstance(value, Mapping):
            return {self.protect(key): self.protect(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.protect(item) for item in value]
        return value

    def encode(self, text: str) -> tuple[int, ...]:
        """Return the ids of a rendered text."""
        if self._split is None:
            return self._ids(text, split=False)
        ids: tuple[int, ...] = ()
        for part in self._split.split(text):
            if self._split.fullmatch(part):
                ids += self.plain(self._texts[ord(part) - _FIRST_MARK])
            elif part:
                ids += self._ids(part, split=False)
        return ids

    def plain(self, text: str) -> tuple[int, ...]:
        """Return the ids of a text, none of them a control token."""
        return self._ids(text, split=True)

    def _ids(self, text: str, *, split: bool) -> tuple[int, ...]:
        encoded = self._tokenizer(text, add_special_tokens=False, split_special_tokens=split)
        return tuple(encoded["input_ids"])
