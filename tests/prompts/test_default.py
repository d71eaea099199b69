from __future__ import annotations

import pytest

from toolrl_env.core.errors import UnknownName
from toolrl_env.core.types import Message, ToolCall, ToolSpec
from toolrl_env.parsing import get_protocol
from toolrl_env.prompts import DEFAULT, SHORT, get_template, template_names

TOOLS = [ToolSpec("f", "F", documented={})]


def test_names() -> None:
    assert template_names() == ("default", "short")
    assert (get_template("default"), get_template("short")) == (DEFAULT, SHORT)
    with pytest.raises(UnknownName, match="Did you mean 'short'"):
        get_template("shot")


@pytest.mark.parametrize("template", [DEFAULT, SHORT], ids=["default", "short"])
def test_the_shown_shape_is_one_that_earns_the_format_reward(template: object) -> None:
    text = template.render(TOOLS)  # type: ignore[attr-defined]
    start = text.index("<think>")
    shown = text[start : text.index("</tool_call>") + len("</tool_call>")]
    protocol = get_protocol("toolrl")
    action = protocol.parse(shown)
    assert protocol.layout_ok(action, True, False)
    (call,) = action.calls
    assert call.issue is None


def test_the_default_shows_the_reply_too() -> None:
    text = DEFAULT.render(TOOLS)
    shown = text[text.index("<think>") : text.index("</response>") + len("</response>")]
    protocol = get_protocol("toolrl")
    assert protocol.layout_ok(protocol.parse(shown), True, True)


def test_every_tag_of_the_dialogue_is_explained_by_the_default() -> None:
    for tag in ("<think>", "<tool_call>", "<response>", "<obs>"):
        assert tag in DEFAULT.system


def test_the_short_one_is_short() -> None:
    fixed = SHORT.system.replace("{{signatures}}", "")
    assert len(fixed) < 260
    assert SHORT.user == "{{dialogue}}"


def test_a_whole_prompt() -> None:
    messages = [Message("user", "Go"), Message("assistant", "", "t", (ToolCall("f", {}),))]
    assert DEFAULT.render_user(messages).startswith("Conversation so far:\n<user> Go </user>\n\n")
    assert "1. Name: f\nDescription: F\nParameters: {}" in DEFAULT.render(TOOLS)


def test_the_wording_is_not_the_papers(shared_data: object) -> None:
    import json
    from pathlib import Path

    assert isinstance(shared_data, Path)
    row = json.loads((shared_data / "rlla_sft.json").read_text("utf-8"))[0]
    words = row["instruction"].split()
    runs = {" ".join(words[i : i + 7]) for i in range(len(words) - 6)}
    for template in (DEFAULT, SHORT):
        ours = template.system.split()
        assert not runs & {" ".join(ours[i : i + 7]) for i in range(len(ours) - 6)}
