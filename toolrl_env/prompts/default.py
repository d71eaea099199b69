"""Our own wording for the ``toolrl`` protocol: ``DEFAULT``, and ``SHORT`` for small models."""

from __future__ import annotations

from toolrl_env.core.errors import UnknownName
from toolrl_env.prompts.template import PromptTemplate

__all__ = ["DEFAULT", "SHORT", "get_template", "template_names"]

DEFAULT = PromptTemplate(
    system="""\
You work for a user in a conversation that may take several turns. Some requests need the tools \
below, some need only words.

## Tools
{{tools}}

## How to proceed
1. Work out what the user still wants, from everything said so far.
2. If tools can supply it, call them; calls that do not depend on one another go together.
3. If no tool fits, or a value that a tool must have was never given, do not call: say so.

## Shape of an answer
<think> what you considered </think>
<tool_call>
{"name": "name of a tool", "parameters": {"name of a parameter": "its value"}}
</tool_call>
<response> what the user gets to read </response>

## Rules
- Start with <think>. Then comes <tool_call>, or <response>, or first the one and then the other. \
Each appears at most once, tags start their own lines, and there are no empty lines between them.
- Between the <tool_call> tags every line is one JSON object, one call each, with exactly the keys \
"name" and "parameters"; a call without arguments has {} for its parameters.
- Earlier turns are shown in the same shape; <obs> holds what the tools returned.""",
    user="Conversation so far:\n{{dialogue}}",
)
"""The default: the paper's structure in our words."""

SHORT = PromptTemplate(
    system="""\
Tools:
{{signatures}}

Answer like this, one call per line:
<think> reason </think>
<tool_call>
{"name": "tool", "parameters": {"parameter": "value"}}
</tool_call>
If no tool fits, or a value is missing, put <response> text </response> in place of the calls.""",
)
"""About 70 tokens of fixed text and one line per tool, for models with little room."""

_BY_NAME = {"default": DEFAULT, "short": SHORT}


def template_names() -> tuple[str, ...]:
    """Return the names that ``get_template`` knows."""
    return tuple(_BY_NAME)


def get_template(name: str) -> PromptTemplate:
    """Return the template of that name.

    Raises:
        UnknownName: There is none.
    """
    if name not in _BY_NAME:
        raise UnknownName("template (or file)", name, _BY_NAME)
    return _BY_NAME[name]
