"""From what an environment shows to token ids, by the model's own chat template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedTokenizerBase

from toolrl_env.core.errors import ConfigurationError

__all__ = ["ChatEncoder"]


class ChatEncoder:
    """Encodes prompts and answers for one model and one protocol.

    Args:
        tokenizer: The model's tokenizer, with a chat template and an end token.
        protocol: The environment's protocol. Only ``"native"`` hands the tools to the template:
            the other protocols have them in the system message.

    Attributes:
        eos_id: The token that ends an answer.

    Raises:
        ConfigurationError: The tokenizer has no chat template or no end token.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, protocol: str = "toolrl") -> None:
        if tokenizer.chat_template is None or tokenizer.eos_token_id is None:
            raise ConfigurationError(
                f"tokenizer {tokenizer.name_or_path!r} needs a chat template and an end token"
            )
        self.tokenizer = tokenizer
        self.eos_id: int = tokenizer.eos_token_id
        self._with_tools = protocol == "native"

    def prompt(self, info: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the ids of ``info["messages"]`` up to where the answer begins."""
        encoded = self.tokenizer.apply_chat_template(
            [dict(message) for message in info["messages"]],
            tools=list(info["tools"]) if self._with_tools else None,
            add_generation_prompt=True,
        )
        return tuple(encoded["input_ids"])

    def answer(self, text: str) -> tuple[int, ...]:
        """Return the ids of an answer, with the end token."""
        return (*self.tokenizer(text, add_special_tokens=False)["input_ids"], self.eos_id)

    def decode(self, ids: tuple[int, ...]) -> str:
        """Return the text of sampled ids, without the end token, every space as it was."""
        if ids and ids[-1] == self.eos_id:
            ids = ids[:-1]
        return self.tokenizer.decode(
            ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
