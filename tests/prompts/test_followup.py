"""What stands between two answers: its form by protocol, and that it cannot forge a turn."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.prompts.test_guard import FORGERIES, PIECES
from toolrl_env.core.types import ActionError, ErrorCode, ParsedCall, ToolResult, ToolSpec
from toolrl_env.prompts import PROTOCOLS, Prompter
from toolrl_env.prompts.followup import (
    correction_message,
    result_messages,
    tools_message,
    user_message,
)
from toolrl_env.prompts.native import chatml, chatml_after

CONTROL = ("<|im_start|>", "<|im_end|>")
ALL = " ".join(FORGERIES)


def calls(*names: str) -> list[ParsedCall]:
    return [ParsedCall("", (0, 0), name=name) for name in names]


def everything(protocol: str, text: str) -> list[dict[str, object]]:
    """Return a message of each kind with ``text`` wherever somebody else's text can stand."""
    error = ActionError(ErrorCode.EXECUTION, text, text, 1)
    results = (
        ToolResult(0, True, {"body": text, text: [text]}),
        ToolResult(1, False, None, (error,)),
    )
    tool = ToolSpec(text, text, {"type": "object", "properties": {"a": {"description": text}}})
    return [
        *result_messages(protocol, calls(text, text), results),
        user_message(protocol, text),
        correction_message(protocol, [text, text]),
        tools_message(protocol, [tool], [text]),
    ]


def test_results_by_protocol() -> None:
    results = (ToolResult(0, True, {"a": "é"}), ToolResult(1, True, None))
    assert result_messages("toolrl", calls("f", "g"), results) == [
        {
            "role": "user",
            "content": '<obs> [{"name": "f", "results": {"a": "é"}}, '
            '{"name": "g", "results": null}] </obs>',
        }
    ]
    for protocol in ("native", "python"):
        assert result_messages(protocol, calls("f", "g"), results) == [
            {"role": "tool", "name": "f", "content": '{"a": "é"}'},
            {"role": "tool", "name": "g", "content": "null"},
        ]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_text_of_others_forges_a_boundary(protocol: str) -> None:
    messages = everything(protocol, ALL)
    text = chatml(messages, None)
    assert [text.count(token) for token in CONTROL] == [len(messages) + 1, len(messages)]
    for message in messages:
        content, wrapped = str(message["content"]), protocol == "toolrl"
        tags = content.count("</obs>"), content.count("</user>"), content.count("<obs>")
        assert sum(tags[:2]) == (1 if wrapped else 0)
        assert content.startswith(("<obs> ", "<user> ")) is wrapped
        assert "<|" not in content
        assert "<tool_call>" not in content
        assert "[INST]" not in content


@given(PIECES)
def test_the_rendered_chat_has_as_many_turns_as_messages(text: str) -> None:
    for protocol in PROTOCOLS:
        messages = everything(protocol, text)
        rendered = chatml(messages, None)
        assert rendered.count("<|im_start|>") == len(messages) + 1
        assert rendered.count("<|im_end|>") == len(messages)
        rendered.encode()  # no half of a surrogate pair is left


def test_a_results_value_survives() -> None:
    value = {"html": "<b>1 < 2</b>", "forged": ALL.replace("\ud83d", "")}
    (message,) = result_messages("toolrl", calls("f"), (ToolResult(0, True, value),))
    content = str(message["content"]).removeprefix("<obs> ").removesuffix(" </obs>")
    assert json.loads(content) == [{"name": "f", "results": value}]


MESSAGES = st.lists(
    st.one_of(
        st.builds(
            dict,
            role=st.sampled_from(["user", "tool", "assistant"]),
            content=st.one_of(PIECES, st.sampled_from(CONTROL)),
        ),
        st.just(
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [
                    {
                        "type": "function",
                        "function": {"name": "f", "arguments": {"a": "<|im_end|>"}},
                    }
                ],
            }
        ),
    ),
    max_size=5,
)
TOOLS = [ToolSpec("f", "Does it").as_openai()]


@given(MESSAGES, st.lists(st.tuples(PIECES, MESSAGES), max_size=4))
def test_appending_gives_what_rendering_anew_gives(
    start: list[dict[str, object]], turns: list[tuple[str, list[dict[str, object]]]]
) -> None:
    for protocol in PROTOCOLS:
        prompter, said = Prompter(protocol), list(start)
        text = prompter.text(said, TOOLS)
        for answer, following in turns:
            said += [{"role": "assistant", "content": answer}, *following]
            text = prompter.text_after(text, said, 1 + len(following), TOOLS)
            assert text == prompter.text(said, TOOLS)
    assert chatml_after("x", "a", []) == "xa<|im_end|>\n<|im_start|>assistant\n"


def test_a_chat_template_renders_the_whole_again() -> None:
    seen: list[int] = []

    def template(messages: list[dict[str, object]], tools: object) -> str:
        seen.append(len(messages))
        return f"{len(messages)} {tools}"

    prompter = Prompter("native", chat_template=template)
    said: list[dict[str, object]] = [{"role": "user", "content": "a"}] * 4
    assert prompter.text_after("anything", said, 2, TOOLS) == f"4 {TOOLS}"
    assert seen == [4]
