"""From what an environment shows to token ids, by the model's own chat template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from agents.control_tokens import ControlTokens
from toolrl_env.core.errors import ConfigurationError

__all__ = ["ChatEncoder"]


class ChatEncoder:
    """Encodes prompts and answers for one model and one protocol.

    Nothing that an environment shows can become a control token (``agents.control_tokens``).

    Args:
        tokenizer: The model's tokenizer, with a chat template and an end token.
        protocol: The environment's protocol. Only ``"native"`` hands the tools to the template:
            the other protocols have them in the system message.

    Attributes:
        tokenizer: The tokenizer.
        protocol: The protocol.
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
        self.protocol = protocol
        self.eos_id: int = tokenizer.eos_token_id
        self._control = ControlTokens(tokenizer)

    def prompt(self, info: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the ids of ``info["messages"]`` up to where the answer begins.

        Raises:
            ConfigurationError: The template refuses the messages.
        """
        tools = info["tools"] if self.protocol == "native" else ()
        text = self.render(info["messages"], tools, answer_next=True)
        return self._control.encode(text)

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
        *,
        answer_next: bool,
    ) -> str:
        """Return a conversation as the template writes it, with marks for forged control tokens.

        Args:
            messages: The conversation.
            tools: The tools on offer; not used unless the protocol is ``"native"``.
            answer_next: Whether to go on up to where the next answer begins.

        Raises:
            ConfigurationError: The template refuses the messages.
        """
        offered = self._control.protect(list(tools)) if self.protocol == "native" else []
        try:
            return self.tokenizer.apply_chat_template(
                self._control.protect(list(messages)),
                tools=offered or None,  # some templates write their words about tools for []
                tokenize=False,
                add_generation_prompt=answer_next,
            )
        except (TemplateError, TypeError) as error:
            roles = ", ".join(str(message.get("role")) for message in messages)
            raise ConfigurationError(
                f"the chat template of {self.tokenizer.name_or_path!r} refuses a conversation of "
                f"the roles {roles}: {error}. Use a template that takes it, or another protocol "
                "(toolrl has no tool messages)"
            ) from error

    def encode(self, rendered: str) -> tuple[int, ...]:
        """Return the ids of what ``render`` returned, or of a part from a control token on."""
        return self._control.encode(rendered)

    def answer(self, text: str) -> tuple[int, ...]:
        """Return the ids of an answer, with the end token."""
        return (*self._control.plain(text), self.eos_id)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of sampled ids, without the end token, every space as it was."""
        if ids and ids[-1] == self.eos_id:
            ids = ids[:-1]
        return self.tokenizer.decode(
            list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
