"""Streamable HTTP against servers that the test starts on 127.0.0.1."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import sys
import threading

import pytest

from tests.tools.mcp.conftest import PATIENT, QUICK
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.tools.mcp import MCPServer

TIME = "from mcp_server_time.server import create_server; server = create_server('UTC')"
STOCK = (
    "from toolrl_env.tools.mcp.stockroom.__main__ import create_server; server = create_server()"
)
NOON = {"source_timezone": "Europe/Paris", "time": "12:00", "target_timezone": "Asia/Tokyo"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_open(port, process):
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.05)
    pytest.fail("the server ended")


@pytest.fixture
def over_http():
    """Start a server from a line of code; return its URL and its process."""
    running = []

    def _start(code):
        port = free_port()
        run = f"; server.run('streamable-http', host='127.0.0.1', port={port})"
        process = subprocess.Popen([sys.executable, "-c", code + run], stderr=subprocess.DEVNULL)
        running.append(process)
        wait_until_open(port, process)
        return f"http://127.0.0.1:{port}/mcp", process

    yield _start
    for process in running:
        process.kill()
        process.wait()


def test_a_server_over_http_gives_what_it_gives_over_stdio(over_http):
    url, process = over_http(TIME)
    provider = MCPServer("time", url=url, shared=True)
    stdio = MCPServer("time", sys.executable, ("-m", "mcp_server_time", "--local-timezone", "UTC"))
    tools, others = provider.open(PATIENT), stdio.open(PATIENT)
    assert tools.specs() == others.specs()
    assert tools.call("convert_time", NOON) == others.call("convert_time", NOON)
    stdio.close()
    process.kill()
    process.wait()
    with pytest.raises(InfrastructureError) as caught:
        tools.call("convert_time", NOON)
    assert caught.value.kind is FailureKind.SERVER_DOWN
    with pytest.raises(InfrastructureError) as caught:
        tools.call("convert_time", NOON)
    assert caught.value.kind is FailureKind.SERVER_DOWN
    provider.close()


def test_a_state_behind_http_is_reset_and_replayed(over_http):
    url, _ = over_http(STOCK)
    provider = MCPServer("stockroom", url=url, reset_tool="start_over", max_servers=1)
    first, second = provider.open(PATIENT), provider.open(PATIENT)
    take = {"item": "bolt", "shelf": "A1", "count": 2}
    assert first.call("take_items", take) == {"left": 4}
    assert second.call("take_items", take) == {"left": 4}
    assert first.call("take_items", take) == {"left": 2}
    provider.close()


# ------------------------------------------------------------------ a server by hand


class ByHand(http.server.BaseHTTPRequestHandler):
    """Answers as the test's ``behaviour`` says; speaks the protocol otherwise."""

    behaviour = "good"
    seen: list = []  # noqa: RUF012  # per test, set by the fixture

    def do_POST(self):
        size = int(self.headers["content-length"])
        message = json.loads(self.rfile.read(size))
        type(self).seen.append(dict(self.headers))
        method, number = message["method"], message.get("id")
        if number is None:
            return self.reply(202, b"", "application/json")
        if method == "initialize":
            result = {
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "by hand", "version": "1"},
            }
        elif method == "tools/list":
            tool = {"name": "ask", "inputSchema": {"type": "object"}}
            result = {"tools": [tool]}
        elif method == "tools/call":
            return self.misbehave(number)
        else:
            error = {"code": -32601, "message": "no such method"}
            return self.reply_json({"jsonrpc": "2.0", "id": number, "error": error})
        return self.reply_json({"jsonrpc": "2.0", "id": number, "result": result})

    def misbehave(self, number):
        result = {"content": [{"type": "text", "text": "an answer"}]}
        match self.behaviour:
            case "error":
                return self.reply(500, b"it broke", "text/plain")
            case "html":
                return self.reply(200, b"<html></html>", "text/html")
            case "json":
                return self.reply(200, b"{not json", "application/json")
            case "huge":
                return self.reply(200, b" " * (9 * 1024 * 1024), "application/json")
            case "hang":
                return self.release.wait(60)
        return self.reply_json({"jsonrpc": "2.0", "id": number, "result": result})

    def reply_json(self, value):
        return self.reply(200, json.dumps(value).encode(), "application/json")

    def reply(self, status, body, kind):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply(405, b"", "text/plain")

    def do_DELETE(self):
        self.reply(405, b"", "text/plain")

    def log_message(self, *_args):
        """Say nothing."""


@pytest.fixture
def by_hand():
    """Serve ``ByHand`` with a behaviour; return the URL and the headers that were seen."""
    handler = type("Handler", (ByHand,), {"seen": [], "release": threading.Event()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def _url(behaviour):
        handler.behaviour = behaviour
        return f"http://127.0.0.1:{server.server_port}/mcp", handler.seen

    yield _url
    handler.release.set()
    server.shutdown()
    server.server_close()


def test_headers_are_sent_with_every_request(by_hand):
    url, seen = by_hand("good")
    provider = MCPServer("hand", url=url, headers={"Authorization": "Bearer key"})
    assert provider.open(PATIENT).call("ask", {}) == "an answer"
    provider.close()
    assert len(seen) >= 3
    assert {headers["authorization"] for headers in map(lower, seen)} == {"Bearer key"}


def lower(headers):
    return {name.lower(): value for name, value in headers.items()}


@pytest.mark.parametrize(
    ("behaviour", "kinds"),
    [
        ("error", {FailureKind.SERVER_DOWN, FailureKind.TOOL_CRASHED}),
        ("html", {FailureKind.BAD_RESULT}),
        ("json", {FailureKind.BAD_RESULT}),
        ("huge", {FailureKind.BAD_RESULT}),
        ("hang", {FailureKind.TIMEOUT}),
    ],
)
def test_faults_over_http(by_hand, behaviour, kinds):
    url, _ = by_hand(behaviour)
    provider = MCPServer("hand", url=url, start_seconds=10)
    tools = provider.open(QUICK if behaviour == "hang" else PATIENT)
    with pytest.raises(InfrastructureError) as caught:
        tools.call("ask", {})
    assert caught.value.kind in kinds, str(caught.value)
    assert provider.running() == 0
    provider.close()


def test_nobody_listens():
    provider = MCPServer("nobody", url=f"http://127.0.0.1:{free_port()}/mcp")
    with pytest.raises(InfrastructureError, match="'nobody' at its start") as caught:
        provider.open(PATIENT)
    assert caught.value.kind is FailureKind.SERVER_DOWN
