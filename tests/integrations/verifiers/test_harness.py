"""The chat loop: what is sent, what a tool server that is down says."""

from __future__ import annotations

import asyncio

import pytest
import verifiers.v1 as vf

from agents.integrations.verifiers import harness as module
from agents.integrations.verifiers.harness import ChatHarness
from tests.agents.chat.server import good, refuse, serving

CONTEXT = vf.ModelContext("m", vf.EvalClientConfig())


def launch(url, data, mcp_urls=None):
    harness = ChatHarness(vf.HarnessConfig(id="toolrl"))
    work = harness.launch(CONTEXT, None, None, url, "secret", mcp_urls or {}, data)
    return asyncio.run(work)


@pytest.mark.parametrize(
    ("prompt", "sent"),
    [
        ("Hi", [{"role": "user", "content": "Hi"}]),
        (
            [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}],
            [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}],
        ),
    ],
)
def test_the_conversation_is_sent_as_it_is(prompt, sent):
    with serving(good()) as server:
        result = launch(server.url, vf.TaskData(system_prompt="Be brief.", prompt=prompt))
        ((_, headers, body),) = server.requests
    assert result.exit_code == 0
    assert headers["Authorization"] == "Bearer secret"
    assert body == {"model": "m", "messages": [{"role": "system", "content": "Be brief."}, *sent]}


def test_a_call_without_a_server_is_answered_and_the_loop_goes_on():
    calls = [("f", '{"a": 1}'), ("f", "{"), ("f", "3")]
    with serving(good("", calls), good("done")) as server:
        launch(server.url, vf.TaskData(prompt="Hi"))
        answer, *results = server.requests[1][2]["messages"][1:]
    assert [call["id"] for call in answer["tool_calls"]] == ["c0", "c1", "c2"]
    assert [result["tool_call_id"] for result in results] == ["c0", "c1", "c2"]
    missing, broken, number = [result["content"] for result in results]
    assert missing == "error: there is no tool 'f'; there are none"
    assert broken.startswith("error: the arguments are not JSON")
    assert number == "error: the arguments are no JSON object but int"


def test_a_busy_endpoint_is_asked_again():
    with serving(refuse(503), refuse(429), good()) as server:
        launch(server.url, vf.TaskData(prompt="Hi"))
        assert len(server.requests) == 3


def test_a_tool_server_that_does_not_answer_is_named_not_wrapped(monkeypatch):
    async def down(config, stack):
        raise ExceptionGroup("one", [ExceptionGroup("two", [OSError("refused")])])

    monkeypatch.setattr(module, "connect_mcp", down)
    with pytest.raises(ConnectionError, match=r"servers till do not answer: OSError\('refused'\)"):
        launch("http://127.0.0.1:9", vf.TaskData(prompt="Hi"), {"till": "http://127.0.0.1:9/mcp"})
