"""Chat templates of our own that behave as those of well-known model families do."""

from __future__ import annotations

import copy

from transformers import PreTrainedTokenizerBase

from agents.prompting import ChatEncoder

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WITH_TOOLS = "{% if tools %}<|im_start|>tools\n{{ tools | tojson }}<|im_end|>\n{% endif %}" + CHATML
"""Also writes the tools first."""
NO_NEWLINE = (
    "{% for m in messages %}{% if m.role == 'assistant' %} {{ m.content }}<|im_end|>"
    "{% else %}[{{ m.role | upper }}] {{ m.content }}[/{{ m.role | upper }}]{% endif %}{% endfor %}"
    "{% if add_generation_prompt %} {% endif %}"
)
"""Nothing but the end token stands between an answer and what follows."""
TRIMMING = (
    "<|im_start|>{% for m in messages %}<h>{{ m.role }}</h>\n\n{{ m.content | trim }}<|im_end|>"
    "{% endfor %}{% if add_generation_prompt %}<h>assistant</h>\n\n{% endif %}"
)
"""Trims contents, begins with a token of its own."""
RESULTS_AS_USER = (
    "{% for m in messages %}{% if m.role == 'tool' %}"
    "{% if loop.first or messages[loop.index0 - 1].role != 'tool' %}<|im_start|>user{% endif %}"
    "\n<result>\n{{ m.content }}\n</result>"
    "{% if loop.last or messages[loop.index0 + 1].role != 'tool' %}<|im_end|>\n{% endif %}"
    "{% else %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Results in a row make one user message."""
FORGETS_THOUGHTS = (
    "{% set ns = namespace(last=0) %}{% for m in messages %}{% if m.role == 'user' %}"
    "{% set ns.last = loop.index0 %}{% endif %}{% endfor %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and loop.index0 < ns.last %}"
    "{{ m.content.split('</think>')[-1].lstrip('\n') }}"
    "{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Thoughts before the last user message are dropped."""
SYSTEM_LAST = (
    "{% for m in messages %}{% if m.role != 'system' %}<|im_start|>{{ m.role }}\n"
    "{% if loop.last and m.role == 'user' %}{{ messages[0].content }}\n{% endif %}"
    "{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""The system message moves to the last user message."""
NO_TOOL_ROLE = (
    "{% for m in messages %}{% if m.role == 'tool' %}"
    "{{ raise_exception('only system, user and assistant') }}{% endif %}{% endfor %}" + CHATML
)
OTHER_END = CHATML.replace("<|im_end|>", "</s>")
COUNTS = CHATML.replace(
    "{{ m.role }}", "{{ m.role }}{{ loop.index if m.role != 'assistant' else '' }}"
)
"""Numbers the messages: the same message is written differently elsewhere."""

APPEND_ONLY = {
    "chatml": CHATML,
    "with tools": WITH_TOOLS,
    "no newline": NO_NEWLINE,
    "trimming": TRIMMING,
    "results as user": RESULTS_AS_USER,
}


def encoder_with(
    tokenizer: PreTrainedTokenizerBase, template: str, protocol: str = "toolrl"
) -> ChatEncoder:
    """An encoder of a copy of the tokenizer with another template."""
    own = copy.deepcopy(tokenizer)
    own.chat_template = template
    return ChatEncoder(own, protocol)
