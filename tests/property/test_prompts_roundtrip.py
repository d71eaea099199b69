"""Reading what was written gives back what was written, and reading anything never crashes."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import Message, ToolCall, ToolSpec
from toolrl_env.prompts import DEFAULT, SHORT, PromptTemplate
from toolrl_env.prompts.toolrl import paper_parameters, render_dialogue, render_tools
from toolrl_env.prompts.toolrl_reader import read_dialogue, read_system
from toolrl_env.tools import documented_to_schema

TEXT = st.text(st.characters(exclude_characters="<", exclude_categories=("Cs",)), max_size=30)
LINE = st.text(st.characters(exclude_characters="\n\r", exclude_categories=("Cs",)), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
CALLS = st.lists(st.builds(ToolCall, TEXT, st.dictionaries(TEXT, JSON, max_size=3)), max_size=3)
THOUGHTS = st.none() | TEXT
MESSAGES = st.one_of(
    st.builds(Message, st.just("user"), TEXT),
    st.builds(Message, st.just("tool"), TEXT),
    st.builds(Message, st.just("assistant"), TEXT, THOUGHTS, CALLS.map(tuple)),
)
TYPES = st.sampled_from(["str", "int, optional", "List[int]", "dict", "Callable[[float], float]"])
DOCS = st.dictionaries(
    TEXT,
    st.fixed_dictionaries({"description": TEXT, "type": TYPES, "default": JSON}),
    max_size=3,
)
TOOLS = st.lists(
    st.builds(
        lambda name, description, doc: ToolSpec(name, description, documented_to_schema(doc), doc),
        LINE,
        LINE,
        DOCS,
    ),
    min_size=1,
    max_size=4,
)
TAGS = ("user", "think", "tool_call", "obs", "response")
PIECES = (
    *(f"<{tag}>" for tag in TAGS),
    *(f"</{tag}>" for tag in TAGS),
    *(" ", "\n", "\n\n", "x", "{}", '{"name":"f","parameters":{}}'),
)
TAGGED = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@given(st.lists(MESSAGES, min_size=1, max_size=6))
def test_a_dialogue_is_read_back(messages: list[Message]) -> None:
    assert list(read_dialogue(render_dialogue(messages)).messages) == messages


@given(st.lists(MESSAGES, min_size=1, max_size=4), TEXT)
def test_what_stands_before_a_dialogue_is_kept(messages: list[Message], head: str) -> None:
    read = read_dialogue(f"{head}\n{render_dialogue(messages)}")
    assert read.head == f"{head}\n"
    assert list(read.messages) == messages


@settings(max_examples=50)
@given(TOOLS)
def test_tools_are_read_back(tools: list[ToolSpec]) -> None:
    read = read_system(f"Head.\n{render_tools(tools)}\n\nTail.")
    assert (read.head, read.tail) == ("Head.\n", "\n\nTail.")
    assert list(read.tools) == tools


@settings(max_examples=40)
@given(TOOLS, st.lists(MESSAGES, min_size=1, max_size=4))
def test_a_template_derived_from_its_own_prompt_is_the_same(
    tools: list[ToolSpec], messages: list[Message]
) -> None:
    row = {"instruction": DEFAULT.render(tools), "input": DEFAULT.render_user(messages)}
    assert PromptTemplate.derive(row) == DEFAULT


@settings(max_examples=300)
@given(TAGGED)
def test_any_tangle_of_tags_is_read_or_refused(text: str) -> None:
    try:
        read = read_dialogue(text)
    except DataError:
        return
    assert text.startswith(read.head)
    assert read.messages
    assert all(message.content in text for message in read.messages)


@given(st.text() | TAGGED)
def test_any_system_text_is_read_or_refused(text: str) -> None:
    entry = f"1. Name: {text}\nDescription: {text}\nParameters: {text}"
    for candidate in (text, entry):
        try:
            read = read_system(candidate)
        except DataError:
            continue
        assert read.tools


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_any_documentation_has_the_three_fields(documented: dict[str, Any]) -> None:
    tool = ToolSpec("f", "", documented_to_schema(documented), documented)
    for fields in paper_parameters(tool).values():
        assert list(fields) == ["description", "type", "default"]


@settings(max_examples=40)
@given(st.lists(MESSAGES, max_size=4), TOOLS)
def test_templates_keep_every_text(messages: list[Message], tools: list[ToolSpec]) -> None:
    for template in (DEFAULT, SHORT):
        user, system = template.render_user(messages), template.render(tools)
        assert all(message.content in user for message in messages)
        assert all(tool.name in system and tool.description in system for tool in tools)
