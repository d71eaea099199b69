"""Prompts by the model's own template."""

from __future__ import annotations

from agents.models.tiny import make_tokenizer
from tests.agents.templates import CHATML, encoder_with
from toolrl_env.core.types import ToolSpec

NAIVE = "{% if tools is not none %}<|im_start|>You can call tools.<|im_end|>\n{% endif %}" + CHATML
"""Writes about tools for an empty list too, as some families' templates do."""
MESSAGES = [{"role": "user", "content": "Hi"}]


def test_a_task_without_tools_is_written_as_one_without_and_not_as_an_empty_offer():
    encoder = encoder_with(make_tokenizer(["red"]), NAIVE, "native")
    assert "tools" not in encoder.render(MESSAGES, (), answer_next=True)
    tool = ToolSpec("look", "Look.").as_openai()
    assert "You can call tools." in encoder.render(MESSAGES, [tool], answer_next=True)
    assert "tools" not in encoder_with(encoder.tokenizer, NAIVE).render(
        MESSAGES, [tool], answer_next=True
    )
