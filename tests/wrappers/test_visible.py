"""What is visible, in every protocol, and nothing else."""

from __future__ import annotations

import gymnasium as gym
import pytest

from tests.wrappers.numeric_support import info_of, tool, toolbox
from toolrl_env.wrappers.numeric.visible import look
from toolrl_env.wrappers.numeric.words import SMALL_WORDS, stems, tokens

pytestmark = pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")


class Guarded(dict):
    """An info in which only two keys may be looked at."""

    def __getitem__(self, key):
        assert key in ("messages", "tools"), f"{key} was looked at"
        return super().__getitem__(key)

    def get(self, key, default=None):
        assert key in ("messages", "tools"), f"{key} was looked at"
        return super().get(key, default)


@pytest.mark.parametrize("protocol", ["toolrl", "native", "python"])
def test_the_request_is_what_the_user_said_in_every_protocol(protocol):
    env = toolbox(protocol=protocol)
    for seed in range(5):
        _, info = env.reset(seed=seed)
        shown = look(Guarded(info))
        assert shown.request == env.unwrapped.task.messages[-1].content
        assert [tool.name for tool in shown.tools] == [
            spec.name for spec in env.unwrapped.task.tools
        ]


def test_the_last_three_turns_of_the_user_are_the_request_and_results_are_said():
    turns = "".join(f"<user> turn {n} </user>\n<response> no </response>\n" for n in range(5))
    shown = look(info_of(turns + '<obs> [{"name": "f", "results": {"city": "Oslo"}}] </obs>'))
    assert shown.request == "turn 2\nturn 3\nturn 4"
    assert 'city "Oslo"' in shown.said
    assert "no" not in shown.said.split()


def test_what_the_assistant_and_the_system_wrote_is_not_read():
    messages = [
        {"role": "system", "content": "secret one"},
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "secret two"},
        {"role": "tool", "content": "[1, 2]"},
    ]
    assert look({"messages": messages, "tools": []}).said == "hello\n [1, 2]"


CALL = '<tool_call>\n{"name": "add", "parameters": {"a": 1}}\n</tool_call>'
DIALOGUES = {
    "in one message": [
        ("user", f"<user> hi </user>\n<think> sub </think>\n{CALL}\n<obs> 3 </obs>")
    ],
    "in messages": [("user", "hi"), ("assistant", f"<think> sub </think>\n{CALL}"), ("tool", "3")],
    "as Python": [("user", "hi"), ("assistant", "<think> sub </think>[add(a=1)]"), ("tool", "3")],
}


@pytest.mark.parametrize("dialogue", DIALOGUES.values(), ids=DIALOGUES)
def test_of_what_the_assistant_wrote_the_names_of_called_tools_are_seen(dialogue):
    messages = [{"role": role, "content": content} for role, content in dialogue]
    tools = [tool("add"), tool("sub"), tool("ad")]
    shown = look({"messages": messages, "tools": tools})
    assert shown.called == {"add"}
    assert (shown.said, shown.said[shown.results_at :]) == ("hi\n 3", "\n 3")
    messages.append({"role": "user", "content": "and now?"})
    later = look({"messages": messages, "tools": tools})
    assert later.called == frozenset()
    assert later.results_at == len(later.said)


def test_results_of_a_long_conversation_begin_where_it_is_cut():
    shown = look(info_of(f"<user> hi </user>\n<obs> {'a' * 9000} </obs>"))
    assert (shown.results_at, len(shown.said)) == (0, 4000)


def test_announced_tools_are_seen_as_tools_not_as_text():
    text = "<obs> These tools can be used from now on:\n1. Name: secret </obs>"
    assert "secret" not in look(info_of(text)).said


def test_a_long_conversation_keeps_its_end():
    shown = look(info_of("a" * 9000 + "end"))
    assert len(shown.said) == 4000
    assert shown.said.endswith("end")


@pytest.mark.parametrize("schema", [True, {}, {"type": ["string", "null"]}, {"anyOf": []}])
def test_odd_schemas_are_slots_like_others(schema):
    (offered,) = look(info_of("hi", tool("f", x=schema))).tools
    assert offered.slots[0].name == "x"
    assert offered.slots[0].required


def test_tools_without_parameters():
    bare = {"type": "function", "function": {"name": "now"}}
    (offered,) = look({"messages": [], "tools": [bare]}).tools
    assert (offered.slots, offered.text) == ((), "now ")


def test_the_seed_depends_on_text_and_tools_alone():
    base = look(info_of("hi", tool("f")))
    assert base.seed == look(info_of("hi", tool("f")) | {"task_id": "x", "category": "y"}).seed
    assert base.seed != look(info_of("ho", tool("f"))).seed
    assert base.seed != look(info_of("hi", tool("g"))).seed


def test_multi_turn_conversations_grow():
    env = gym.make("ToolRL-Workspace-v0", difficulty=3)
    _, info = env.reset(seed=1)
    before = look(Guarded(info))
    _, _, _, _, info = env.step(env.unwrapped.gold_answer())
    after = look(Guarded(info))
    assert after.said.startswith(before.said)
    assert len(after.said) > len(before.said)
    assert after.seed != before.seed


def test_words():
    assert tokens("convert_lengthTo 3.5 km") == ["conve", "lengt", "to", "3.5", "km"]
    assert stems("the converted Lengths") == {"conve", "lengt"}
    assert "the" in SMALL_WORDS
