from __future__ import annotations

import pytest

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import Message, ToolCall
from toolrl_env.prompts.toolrl_reader import read_dialogue, read_parameters, read_system

ENTRY = "{}. Name: {}\nDescription: {}\nParameters: {}"


def test_a_system_text_falls_into_head_tools_and_tail() -> None:
    first = ENTRY.format(1, "a b", "x 2. Name: no", '{"p": {"type": "int"}}')
    second = ENTRY.format(2, "c", "", "{'q': {'type': 'str'}}")
    head, tail = "Head 1.\n", "\n\n1. Think.\n2. Name: trap"
    read = read_system(head + first + "\n" + second + tail)
    assert (read.head, read.tail) == (head, tail)
    assert [tool.name for tool in read.tools] == ["a b", "c"]
    assert read.tools[0].description == "x 2. Name: no"
    assert read.tools[1].documented == {"q": {"type": "str"}}
    assert read.tools[1].parameters["required"] == ["q"]


def test_a_description_may_have_lines() -> None:
    (tool,) = read_system(ENTRY.format(1, "a", "one\ntwo\n", "{}")).tools
    assert tool.description == "one\ntwo\n"


def test_numbers_must_follow_one_another() -> None:
    text = ENTRY.format(1, "a", "", "{}") + "\n" + ENTRY.format(3, "b", "", "{}")
    read = read_system(text)
    assert len(read.tools) == 1
    assert read.tail.startswith("\n3. Name: b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no numbered list"),
        ("x 1. Name: f", "no numbered list"),
        ("1. Name: f", "tool 1 of the system text lacks a field"),
        (ENTRY.format(1, "f", "", "{}") + "\n2. Name: g", "tool 2 of the system text lacks"),
        (ENTRY.format(1, "f", "", ""), "tool 1 \\('f'\\): parameters are neither"),
        (ENTRY.format(1, "f", "", "null"), "not an object but 'null'"),
    ],
)
def test_a_broken_list_of_tools_says_why(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_system(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": null}', {"a": None}),
        ("{'a': None, 'b': (1, True)}", {"a": None, "b": (1, True)}),
        (" {'a': \"it's\"} ", {"a": "it's"}),
    ],
)
def test_parameters_are_json_or_python(text: str, value: object) -> None:
    assert read_parameters(text) == value


@pytest.mark.parametrize("text", ["", "{", "f(x)", "{'a': f()}", "(" * 9999, "{1, 2}", "'a'"])
def test_parameters_that_are_neither_are_refused(text: str) -> None:
    with pytest.raises(DataError):
        read_parameters(text)


def test_the_two_spacings_of_api_bank() -> None:
    text = (
        "***Head**\n<user>Hi.</user>\n<response>Yes?</response>\n\n<user> Bye.</user>\n"
        '<tool_call>\n{"name": "f", "parameters": {}}\n</tool_call>\n<obs> {\'a\': 1} </obs>\n'
        "<response> Done. </response>\n\n"
    )
    head, messages, _ = read_dialogue(text)
    assert head == "***Head**\n"
    assert messages == (
        Message("user", "Hi."),
        Message("assistant", "Yes?"),
        Message("user", "Bye."),
        Message("assistant", "", None, (ToolCall("f", {}),)),
        Message("tool", "{'a': 1}"),
        Message("assistant", "Done."),
    )


def test_it_says_where_each_message_begins() -> None:
    parts = (
        "<user> x </user>\n\n",
        "<think> t </think>\n<response> r </response>\n",
        "<obs> o </obs> ",
        "<response> a </response>\n",
        "<response> b </response>\n\n",
        "<think> c </think>",
    )
    head, messages, starts = read_dialogue("Head\n" + "".join(parts))
    assert len(messages) == len(starts) == len(parts)
    assert [start - len(head) for start in starts] == [
        len("".join(parts[:number])) for number in range(len(parts))
    ]


def test_the_parts_of_one_step_make_one_message() -> None:
    text = (
        "<user> x </user>\n\n<think> t </think>\n<tool_call>\n"
        '{"name": "f", "parameters": {"a": 1}}\n\n</tool_call>\n<response> r </response>'
    )
    assert read_dialogue(text).messages[1] == Message(
        "assistant", "r", "t", (ToolCall("f", {"a": 1}),)
    )


def test_an_empty_line_or_a_repeated_part_starts_a_new_step() -> None:
    text = (
        "<user> x </user>\n<response> a </response>\n<response> b </response>\n\n<think> t </think>"
    )
    assert read_dialogue(text).messages[1:] == (
        Message("assistant", "a"),
        Message("assistant", "b"),
        Message("assistant", "", "t"),
    )
    split = '<tool_call>\n{"name": "f", "parameters": {}}\n</tool_call>\n\n<response> r </response>'
    assert len(read_dialogue(split).messages) == 2


def test_white_space_of_a_message_is_content_but_for_one_space_on_either_side() -> None:
    (message,) = read_dialogue("<user>   a \n\n b\t  </user>").messages
    assert message.content == "  a \n\n b\t "


def test_tags_in_a_text_are_text_unless_a_block_follows() -> None:
    inner = "write <think> and </user> or <obs> x </obs>, </think>"
    assert read_dialogue(f"<user> {inner} </user>").messages == (Message("user", inner),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no <user> turn"),
        ("user: hi", "no <user> turn"),
        ("<user> hi", "<user> is not closed"),
        ("<user> hi </user>\nand more", "<user> is not closed"),
        ("<user> a </user> <b>", "<user> is not closed"),
        ("<user> a </user>\n<tool_call>\nf()\n</tool_call>", "an earlier call is not JSON"),
        ("<user> a </user>\n<tool_call>\n[1]\n</tool_call>", "not an object"),
        ('<user> a </user>\n<tool_call>\n{"name": "f"}\n</tool_call>', "lacks a name or param"),
    ],
)
def test_broken_dialogues_say_why(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_dialogue(text)


def test_long_odd_texts_take_no_time() -> None:
    for text in ("<user>" * 50_000, "<user> </user>" + " " * 200_000 + "x", "<user>\n" * 50_000):
        with pytest.raises(DataError):
            read_dialogue(text)
