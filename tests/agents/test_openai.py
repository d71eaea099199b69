"""The hosted-model policy against a local server that goes wrong in every way."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
from pathlib import Path

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401
from agents.openai import ChatOptions, OpenAIPolicy
from agents.policy import NoAnswer, Policy
from tests.agents.chat.server import (
    RESPONSE,
    completion,
    cut,
    echo_key,
    good,
    hang,
    hang_up,
    refuse,
    reply,
    serving,
)
from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.core.types import FailureKind

KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def info(text="Hi", seed=1, tools=()):
    return {
        "messages": [{"role": "user", "content": text}],
        "tools": list(tools),
        "answer_seed": seed,
    }


def ask(server, tmp_path, infos=None, *, protocol="toolrl", **options):
    """Answers of a fresh policy."""
    infos = [info()] if infos is None else infos
    chosen = ChatOptions(**{"cache": tmp_path, "retries": 2, "timeout": 5.0, **options})
    with OpenAIPolicy("m", server.url, protocol=protocol, options=chosen) as policy:
        return policy.act([""] * len(infos), infos)


def test_it_is_a_policy_and_answers_in_order(tmp_path):
    def plan(number, body):
        return good(f"said {body['messages'][-1]['content']}")

    with serving(plan) as server:
        infos = [info(str(number)) for number in range(20)]
        assert ask(server, tmp_path, infos) == [f"said {number}" for number in range(20)]
        with OpenAIPolicy("m", server.url, options=ChatOptions(cache=tmp_path)) as policy:
            assert isinstance(policy, Policy)
            with pytest.raises(ValueError, match="2 observations for 1 infos"):
                policy.act(["", ""], [info()])


def test_what_is_sent(tmp_path):
    with serving(good()) as server:
        ask(server, tmp_path, extra='{"top_p": 0.5, "temperature": null}')
        path, headers, body = server.requests[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 512,
        "top_p": 0.5,
        "seed": 1,
    }


def test_another_limit_field_and_no_seed(tmp_path):
    with serving(good()) as server:
        ask(server, tmp_path, limit_field="max_completion_tokens", send_seed=False)
        body = server.requests[0][2]
    assert body["max_completion_tokens"] == 512
    assert {"seed", "max_tokens"}.isdisjoint(body)


def test_the_key_comes_from_the_variable_that_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", "another")
    with serving(good()) as server:
        ask(server, tmp_path, key_env="MY_KEY")
        assert server.requests[0][1]["Authorization"] == "Bearer another"


@pytest.mark.parametrize(
    "fault",
    [
        refuse(429), refuse(500), refuse(502), refuse(503), refuse(408), refuse(409), hang_up, cut,
    ],
)  # fmt: skip
def test_a_passing_fault_is_tried_again(fault, tmp_path):
    with serving(fault, fault, good()) as server:
        assert ask(server, tmp_path) == [RESPONSE]
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("fault", "kind", "said", "requests"),
    [
        (refuse(429, "slow down"), FailureKind.REFUSED, "answered 429.*slow down", 2),
        (refuse(500), FailureKind.SERVER_DOWN, "answered 500", 2),
        (refuse(503), FailureKind.SERVER_DOWN, "answered 503", 2),
        (refuse(400, "too long"), FailureKind.REFUSED, "answered 400.*too long", 1),
        (refuse(422), FailureKind.REFUSED, "answered 422", 1),
        (hang_up, FailureKind.SERVER_DOWN, "cannot be reached or broke off", 2),
        (cut, FailureKind.SERVER_DOWN, "broke off", 2),
        (reply(b"{nonsense"), FailureKind.BAD_RESULT, "no completion", 1),
        (reply(b"<html>", kind="text/html"), FailureKind.BAD_RESULT, "no completion.*html", 1),
        (reply({"error": {"message": "x"}}), FailureKind.BAD_RESULT, "no completion", 1),
        (reply({**completion(), "choices": []}), FailureKind.BAD_RESULT, "no completion", 1),
        (reply([1]), FailureKind.BAD_RESULT, "no completion", 1),
        (good(content=[1]), FailureKind.BAD_RESULT, "no completion", 1),
        (good(calls=[("f", None)]), FailureKind.BAD_RESULT, "no completion", 1),
        (good(calls=[("f", {"a": 1})]), FailureKind.BAD_RESULT, "no completion", 1),
    ],
)
def test_a_lasting_fault_is_no_answer(fault, kind, said, requests, tmp_path):
    with serving(fault) as server:
        (answer,) = ask(server, tmp_path, protocol="native", retries=1)
        assert len(server.requests) == requests
    assert isinstance(answer, NoAnswer)
    assert answer.kind is kind
    assert not answer.stop
    assert re.search(said, answer.reason, re.DOTALL), answer.reason
    assert not list(tmp_path.iterdir()), "a failure must not be cached"


def test_a_silent_server_times_out(tmp_path):
    with serving(hang) as server:
        (answer,) = ask(server, tmp_path, retries=1, timeout=0.2)
        assert len(server.requests) == 2
    assert answer.kind is FailureKind.TIMEOUT
    assert "more than 0.2 s" in answer.reason


def test_nobody_there(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    options = ChatOptions(cache=tmp_path, retries=0)
    with OpenAIPolicy("m", url, options=options) as policy:
        (answer,) = policy.act([""], [info()])
    assert answer.kind is FailureKind.SERVER_DOWN


@pytest.fixture
def sleeps(monkeypatch):
    """How long the client wants to wait before each further try; it does not wait."""
    found = []

    async def sleep(seconds):
        found.append(seconds)

    monkeypatch.setattr("openai._base_client.anyio.sleep", sleep)
    return found


def test_retry_after_is_honoured(tmp_path, sleeps):
    with serving(refuse(429, headers={"Retry-After": "7"}), good()) as server:
        assert ask(server, tmp_path) == [RESPONSE]
    assert sleeps == [7.0]


def test_otherwise_the_waits_grow_and_jitter(tmp_path, sleeps):
    with serving(refuse(500, headers={})) as server:
        ask(server, tmp_path, [info(str(n)) for n in range(4)], retries=4)
        assert len(server.requests) == 20
    sizes = [0.5, 1.0, 2.0, 4.0]
    for size in sizes:
        around = [wait for wait in sleeps if 0.75 * size <= wait <= size]
        assert len(around) == 4
        assert len(set(around)) > 1, "no jitter"


def test_a_server_that_wants_more_than_two_minutes_is_left_alone(tmp_path, sleeps):
    with serving(refuse(429, headers={"Retry-After": "3600"})) as server:
        (answer,) = ask(server, tmp_path)
        assert len(server.requests) == 1
    assert answer.kind is FailureKind.REFUSED
    assert not sleeps


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_everything(status, tmp_path):
    with (
        serving(refuse(status, f"bad key {KEY}")) as server,
        pytest.raises(ConfigurationError, match=r"OPENAI_API_KEY.*is set") as error,
    ):
        ask(server, tmp_path)
    assert KEY not in str(error.value)


def test_a_missing_key_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with serving(refuse(401)) as server, pytest.raises(ConfigurationError, match="is not set"):
        ask(server, tmp_path)


def test_a_model_that_is_not_there_ends_everything(tmp_path):
    with (
        serving(refuse(404, "no such model")) as server,
        pytest.raises(ConfigurationError, match=r"404 for model 'm'.*no such model"),
    ):
        ask(server, tmp_path)


def test_one_failure_does_not_touch_the_others(tmp_path):
    def plan(number, body):
        return refuse(400) if body["messages"][0]["content"] == "2" else good()

    with serving(plan) as server:
        answers = ask(server, tmp_path, [info(str(number)) for number in range(5)])
    assert [isinstance(answer, NoAnswer) for answer in answers] == [
        False,
        False,
        True,
        False,
        False,
    ]


def test_no_more_requests_at_a_time_than_allowed(tmp_path):
    with serving(good(), delay=0.02) as server:
        ask(server, tmp_path, [info(str(number)) for number in range(12)], concurrency=3)
        assert len(server.requests) == 12
        assert 1 < server.most <= 3


# --------------------------------------------------------------------------- the key


def test_the_key_is_nowhere(tmp_path, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    cache = tmp_path / "cache"
    with serving(good(), echo_key) as server:
        options = ChatOptions(cache=cache, retries=0, concurrency=1)
        with OpenAIPolicy("m", server.url, options=options) as policy:
            answers = policy.act(["", ""], [info("1"), info("2")])
            said = [repr(answers), repr(policy.settings()), policy.report()]
    assert any(isinstance(answer, NoAnswer) and "***" in answer.reason for answer in answers)
    said += [file.read_text() for file in cache.rglob("*.json")]
    said += [caplog.text, *capsys.readouterr()]
    assert not any(KEY in text for text in said)


@pytest.mark.parametrize(
    "url", ["http://user:word@127.0.0.1/v1", "http://127.0.0.1/v1?key=1", "ftp://x", "x", "http://"]
)
def test_urls_that_are_refused(url):
    with pytest.raises(ConfigurationError, match="base_url") as error:
        OpenAIPolicy("m", url)
    assert "word" not in str(error.value).replace("password", "")


# --------------------------------------------------------------------------- cache and budget


def test_a_rerun_costs_nothing(tmp_path):
    infos = [info(str(number)) for number in range(4)]
    with serving(good()) as server:
        first = ask(server, tmp_path, infos)
        assert len(server.requests) == 4
        options = ChatOptions(cache=tmp_path)
        with OpenAIPolicy("m", server.url, options=options) as policy:
            assert policy.act([""] * 4, infos) == first
            assert policy.report() == "0 replies paid for (0 tokens), 4 from the cache"
        assert len(server.requests) == 4


def test_everything_that_is_sent_makes_another_request(tmp_path):
    with serving(good()) as server:
        for count, (infos, options) in enumerate(
            [
                ([info("a")], {}),
                ([info("b")], {}),
                ([info("a", seed=2)], {}),
                ([info("a", seed=2)], {"send_seed": False}),
                ([info("a", seed=3)], {"send_seed": False}),
                ([info("a")], {"extra": '{"top_p": 0.5}'}),
                ([info("a")], {"limit_field": "max_completion_tokens"}),
            ]
        ):
            ask(server, tmp_path, infos, **options)
            ask(server, tmp_path, infos, **options)
            assert len(server.requests) == count + 1


def test_a_token_budget_stops_asking_and_keeps_what_is_done(tmp_path):
    infos = [info(str(number)) for number in range(6)]
    with serving(good(usage=(10, 5))) as server:
        answers = ask(server, tmp_path, infos, token_budget=40, concurrency=1)
        assert len(server.requests) == 3
        assert answers[:3] == [RESPONSE] * 3
        assert all(answer.stop for answer in answers[3:])
        assert "40 tokens is spent: 45 used" in answers[3].reason
        again = ask(server, tmp_path, infos, token_budget=1000)
        assert again == [RESPONSE] * 6
        assert len(server.requests) == 6, "what was paid for was asked again"


def test_a_money_budget(tmp_path):
    prices = {"price_in": 1e6, "price_out": 2e6, "money_budget": 30.0}
    with serving(good(usage=(10, 5))) as server:
        answers = ask(server, tmp_path, [info(str(n)) for n in range(4)], concurrency=1, **prices)
        assert len(server.requests) == 2
    assert "budget of 30 is spent: 40.0000 paid" in answers[2].reason


def test_no_budget_can_be_kept_without_usage(tmp_path):
    infos = [info(str(number)) for number in range(3)]
    with serving(good(usage=None)) as server:
        answers = ask(server, tmp_path / "a", infos, token_budget=1000, concurrency=1)
        assert len(server.requests) == 1
        assert "does not say how many tokens" in answers[1].reason
        assert ask(server, tmp_path / "b", infos) == [RESPONSE] * 3


def test_a_cache_that_cannot_be_written_is_said(tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    with serving(good()) as server, pytest.raises(DataError, match="cannot be written"):
        ask(server, file)


# --------------------------------------------------------------------------- protocols


def test_tools_and_calls_travel_as_the_api_has_them(tmp_path):
    env = gym.make("ToolRL-Workspace-v0", protocol="native").unwrapped
    _, told = env.reset(options={"task_index": 3})
    gold = env.protocol.parse(env.gold_answer()).values
    calls = [(call["name"], json.dumps(call["parameters"])) for call in gold]
    with serving(good(content=None, calls=calls)) as server:
        (answer,) = ask(server, tmp_path, [told], protocol="native")
        _, _, body = server.requests[0]
        assert {tool["function"]["name"] for tool in body["tools"]} == {
            tool["function"]["name"] for tool in told["tools"]
        }
        assert env.protocol.parse(answer).values == gold
        *_, told = env.step(answer)
        ask(server, tmp_path, [told], protocol="native")
        *_, call_message, result = server.requests[1][2]["messages"][: 4 + len(calls) - 1]
    assert [each["function"]["name"] for each in call_message["tool_calls"]] == [
        name for name, _ in calls
    ]
    assert result["role"] == "tool"
    assert result["tool_call_id"] == call_message["tool_calls"][0]["id"]


def test_it_works_while_an_event_loop_runs(tmp_path):
    async def notebook(server):
        return ask(server, tmp_path)

    with serving(good()) as server:
        assert asyncio.run(notebook(server)) == [RESPONSE]


def test_closing_twice_is_fine(tmp_path):
    policy = OpenAIPolicy("m", "http://127.0.0.1:9/v1", options=ChatOptions(cache=Path(tmp_path)))
    policy.close()
    policy.close()
