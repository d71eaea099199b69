"""The short way to type an answer."""

from __future__ import annotations

import contextlib

import gymnasium as gym
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.cli.typed import BadTypingError, short_call, typed_answer
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ParseStatus, ToolCall, ToolSpec
from toolrl_env.data.procedural.workspace.session import SPECS
from toolrl_env.parsing import get_protocol
from toolrl_env.prompts import PROTOCOLS


def tool(name, **kinds):
    properties = {key: {"type": kind} for key, kind in kinds.items()}
    return ToolSpec(name, parameters={"type": "object", "properties": properties})


TOOLS = [
    tool("read_mail", mail_id="integer"),
    tool("send_mail", to="array", subject="string", body="string", urgent="boolean"),
    tool("list_accounts"),
    tool("list"),
    tool("post", text="string", n="number"),
    tool("set", value="object"),
    tool("Bump Version", version="string", part="string"),
]


def read(line, protocol="toolrl"):
    parsed = get_protocol(protocol).parse(typed_answer(line, TOOLS, get_protocol(protocol)))
    assert parsed.issues == ()
    if parsed.status is ParseStatus.NO_CALLS:
        return parsed.response
    return [(call.name, call.arguments) for call in parsed.calls]


CALLS = {
    "read_mail 716": [("read_mail", {"mail_id": 716})],
    "  read_mail mail_id=716  ": [("read_mail", {"mail_id": 716})],
    "read_mail(mail_id=716)": [("read_mail", {"mail_id": 716})],
    "read_mail abc": [("read_mail", {"mail_id": "abc"})],
    "read_mail 7 other=8": [("read_mail", {"mail_id": 7, "other": 8})],
    "list_accounts": [("list_accounts", {})],
    "list_accounts()": [("list_accounts", {})],
    "list": [("list", {})],
    "read_mail 1 ; read_mail 2 ; list_accounts": [
        ("read_mail", {"mail_id": 1}),
        ("read_mail", {"mail_id": 2}),
        ("list_accounts", {}),
    ],
    "send_mail to=a@b,c@d subject='Hi; there' body=\"x = 1\" urgent=true": [
        (
            "send_mail",
            {"to": ["a@b", "c@d"], "subject": "Hi; there", "body": "x = 1", "urgent": True},
        )
    ],
    'send_mail(to=["a@b"], subject="4", body="", urgent=False)': [
        ("send_mail", {"to": ["a@b"], "subject": "4", "body": "", "urgent": False})
    ],
    "send_mail to=a@b subject=42": [("send_mail", {"to": ["a@b"], "subject": "42"})],
    'send_mail to=["a@b"]': [("send_mail", {"to": ["a@b"]})],
    "read_mail 1 ; Bump Version 1.2 part=minor": [
        ("read_mail", {"mail_id": 1}),
        ("Bump Version", {"version": "1.2", "part": "minor"}),
    ],
    "post 'a ; b' ; list": [("post", {"text": "a ; b"}), ("list", {})],
    "post hello 2.5": [("post", {"text": "hello", "n": 2.5})],
    "set '{\"a\": [1]}'": [("set", {"value": {"a": [1]}})],
}
WORDS = {
    "Which day do you mean?": "Which day do you mean?",
    "list everything that you know, please": "list everything that you know, please",
    "post office or mail, which one is it?": "post office or mail, which one is it?",
    "> read_mail said nothing": "read_mail said nothing",
    "It is a=b": "It is a=b",
    "> find_it is done": "find_it is done",
    "post it's": "post it's",
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("line", CALLS)
def test_calls(line, protocol):
    assert read(line, protocol) == CALLS[line]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("line", WORDS)
def test_words(line, protocol):
    assert read(line, protocol) == WORDS[line]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("read_mial mail_id=7", "did you mean 'read_mail'"),
        ("finish(success=True)", "no tool 'finish'"),
        ("reed_mail 7", "did you mean 'read_mail'"),
        ("read_mails", "'>' says the words"),
        ("read_mail 'open", "a quotation mark is not closed"),
        ("read_mail(mail_id=)", "cannot read"),
        ("read_mail 1 2", "takes no further argument"),
        ("read_mail 1 ; nothing 2", "'nothing 2' is no call of a tool"),
        ("read_mail(mail_id=__import__('os'))", "cannot read"),
    ],
)
def test_what_cannot_be_read_is_not_sent(line, why):
    with pytest.raises(BadTypingError, match=why):
        typed_answer(line, TOOLS, get_protocol("toolrl"))


@given(st.text(max_size=40), st.sampled_from(PROTOCOLS))
def test_any_line_is_an_answer_or_says_why_not(line, protocol):
    for text in (line, f"send_mail {line}", f"post({line})"):
        with contextlib.suppress(ConfigurationError):
            assert isinstance(typed_answer(text, TOOLS, get_protocol(protocol)), str)


def test_gold_calls_can_be_typed_back():
    """What :gold shows in short is read back as the very same calls."""
    env = gym.make("ToolRL-Workspace-v0").unwrapped
    protocol, seen = get_protocol("toolrl"), 0
    for index in range(40):
        task = env.tasks[index]
        for turn in env.tasks.gold_turns(task):
            if isinstance(turn, str):
                continue
            line = " ; ".join(short_call(call, SPECS[call.name]) for call in turn)
            action = protocol.parse(typed_answer(line, list(SPECS.values()), protocol))
            back = [ToolCall(call.name, call.arguments) for call in action.calls]
            assert [(c.name, dict(c.arguments)) for c in back] == [
                (c.name, dict(c.arguments)) for c in turn
            ], line
            seen += len(turn)
    assert seen > 150
