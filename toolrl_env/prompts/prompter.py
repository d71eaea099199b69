"""``Prompter``: a task becomes chat messages and the text an agent observes, for one protocol."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.core.frozen import FrozenList, freeze
from toolrl_env.core.types import Task, ToolSpec
from toolrl_env.prompts.default import DEFAULT, get_template, template_names
from toolrl_env.prompts.guard import guarded_tokens
from toolrl_env.prompts.native import chatml, chatml_after, native_messages
from toolrl_env.prompts.python import python_messages
from toolrl_env.prompts.template import PromptTemplate

__all__ = ["PROTOCOLS", "ChatTemplate", "Prompter", "TemplateSource"]

PROTOCOLS = ("toolrl", "native", "python")

ChatTemplate = Callable[[list[dict[str, Any]], list[dict[str, Any]] | None], str]
"""``(messages, tools) -> text``, e.g. ``lambda messages, tools:
tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, add_generation_prompt=True)``.
``tools`` is ``None`` unless the protocol is ``native`` and there are tools."""


TemplateSource = PromptTemplate | str | Path | Task | Mapping[str, Any]
"""What ``template=`` may be: a template, its name or file, or a real row to derive it from."""


class Prompter:
    """Renders tasks for one protocol. Stateless, so it can be shared.

    Args:
        protocol: ``"toolrl"`` (the paper's layout: one system and one user text), ``"native"``
            (chat messages and ``tools=`` for the model's own chat template) or ``"python"``
            (``[f(a=1), g()]``).
        template: For ``"toolrl"`` alone: a ``PromptTemplate``, the name of one (``"default"``,
            ``"short"``), a skeleton file, or a real row (raw or as a ``Task``) to derive it from.
            ``None``: a task that has its own prompt keeps it as it stands, any other gets
            ``"default"``.
        chat_template: ``(messages, tools) -> text``; by default ChatML as SmolLM2 and Qwen use it.

    Raises:
        UnknownName: No such protocol or template.
        ConfigurationError: ``template`` is given for another protocol or is of a wrong type.
        DataError: The skeleton file cannot be read, or the row has no prompt of the paper's layout.
    """

    def __init__(
        self,
        protocol: str = "toolrl",
        template: TemplateSource | None = None,
        chat_template: ChatTemplate | None = None,
    ) -> None:
        if protocol not in PROTOCOLS:
            raise UnknownName("protocol", protocol, PROTOCOLS)
        if template is not None and protocol != "toolrl":
            raise ConfigurationError(
                f"template= belongs to protocol 'toolrl'; protocol {protocol!r} has its own prompt"
            )
        if chat_template is not None and not callable(chat_template):
            raise ConfigurationError(
                f"chat_template must be a callable (messages, tools) -> str, not {chat_template!r}"
            )
        self.protocol = protocol
        self.template = None if template is None else _template(template)
        self._chat_template = chat_template

    def messages(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return the chat messages of ``task``.

        Each is a dict with ``role`` and ``content``; for ``native``, ``tool_calls`` and ``name``
        where there are any. Special tokens in them are no longer any: see ``guard``.
        """
        return tuple(
            {key: freeze(guarded_tokens(value)) for key, value in message.items()}
            for message in self._messages(task)
        )

    def _messages(self, task: Task) -> tuple[dict[str, Any], ...]:
        if self.protocol == "native":
            return native_messages(task)
        if self.protocol == "python":
            return python_messages(task)
        if self.template is None and task.system is not None and task.user is not None:
            system, user = task.system, task.user
        else:
            template = self.template or DEFAULT
            system, user = template.render(task.tools), template.render_user(task.messages)
        return ({"role": "system", "content": system}, {"role": "user", "content": user})

    def offer(self, tools: Sequence[ToolSpec]) -> FrozenList:
        """Return tools OpenAI-style as a model may be shown them, without special tokens."""
        return FrozenList(_shown(_Same(tool)) for tool in tools)

    def text(
        self,
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]] | None = None,
    ) -> str:
        """Return the conversation as one text, up to where the answer begins.

        Args:
            messages: What ``messages`` returned.
            tools: OpenAI-style tools. Used by ``native`` alone: the other protocols have them in
                the system text already.

        Raises:
            ConfigurationError: ``chat_template`` returned something else than text.
        """
        offered = list(tools) if tools and self.protocol == "native" else None
        if self._chat_template is not None:
            text = self._chat_template(list(messages), offered)
            if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ConfigurationError(
                    "chat_template must return the conversation as a str (tokenize=False), "
                    f"not {type(text).__name__}"
                )
            return text
        return chatml(messages, offered)

    def text_after(
        self,
        text: str,
        messages: Sequence[dict[str, Any]],
        added: int,
        tools: Sequence[dict[str, Any]] | None = None,
    ) -> str:
        """Return what ``text`` would for a conversation that has grown, without rendering it anew.

        A ``chat_template`` renders the whole again: nothing says that it only appends.

        Args:
            text: The text up to where the last answer begins.
            messages: The whole conversation.
            added: How many messages at its end are new: the answer and what followed it, which
                are no system messages.
            tools: As for ``text``.

        Raises:
            ConfigurationError: ``chat_template`` returned something else than text.
        """
        if self._chat_template is not None:
            return self.text(messages, tools)
        answer, *following = messages[len(messages) - added :]
        return chatml_after(text, answer["content"], following)


class _Same:
    """A tool that is equal to itself alone: worlds show the same few objects again and again."""

    __slots__ = ("tool",)

    def __init__(self, tool: ToolSpec) -> None:
        self.tool = tool

    def __hash__(self) -> int:
        return id(self.tool)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.tool is self.tool


@functools.lru_cache(maxsize=1024)
def _shown(same: _Same) -> Any:
    return freeze(guarded_tokens(same.tool.as_openai()))


def _template(template: object) -> PromptTemplate:
    if isinstance(template, PromptTemplate):
        return template
    if isinstance(template, Task | Mapping):
        return PromptTemplate.derive(cast("Task | Mapping[str, Any]", template))
    if not isinstance(template, str | Path):
        raise ConfigurationError(
            f"template must be a PromptTemplate, a name, a file or a row, not {template!r:.80}"
        )
    if isinstance(template, str) and template in template_names():
        return get_template(template)
    if isinstance(template, str) and "\n" in template:
        raise ConfigurationError(
            "template is a name or a file; make a text into one with PromptTemplate(text): "
            f"{template[:80]!r}"
        )
    if isinstance(template, Path) or "/" in template or os.path.isfile(template):  # noqa: PTH113  # total, unlike Path's
        return PromptTemplate.from_file(template)
    return get_template(template)
