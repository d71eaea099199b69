"""The HTTP backend against a real local server, one that fails in every way included."""

from __future__ import annotations

import json
import pickle
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.data.search import Document, HTTPBackend, SearchBackend
from toolrl_env.data.search.http import MAX_RESPONSE_BYTES

HITS = [{"title": "Ollan", "text": "A river.", "score": 2.5}, {"title": "", "text": "A café."}]


class Handler(BaseHTTPRequestHandler):
    """Answers as the path says."""

    seen: ClassVar[list] = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.headers.get("Authorization"), json.loads(body)))
        getattr(self, "do_" + self.path.strip("/"))()

    def reply(self, body, code=200):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_good(self):
        self.reply(json.dumps({"hits": HITS}).encode())

    def do_empty(self):
        self.reply(b'{"hits": []}')

    def do_error(self):
        self.reply(b"out of memory", 500)

    def do_limited(self):
        self.reply(b"slow down", 429)

    def do_html(self):
        self.reply(b"<html>")

    def do_list(self):
        self.reply(b"[]")

    def do_nohits(self):
        self.reply(b'{"results": []}')

    def do_wrong(self):
        self.reply(b'{"hits": [{"title": 3, "text": "x"}]}')

    def do_deep(self):
        self.reply(b"[" * 100_000)

    def do_huge(self):
        self.reply(b" " * (MAX_RESPONSE_BYTES + 1))

    def do_short(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"hits"')

    def do_silent(self):
        time.sleep(1.5)

    def do_drip(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(30):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)

    def do_hangup(self):
        self.connection.close()

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="module")
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # clients that give up are part of the tests
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_search_is_asked_and_answered(url):
    backend = HTTPBackend(f"{url}/good", headers={"Authorization": "Bearer key"})
    assert isinstance(backend, SearchBackend)
    assert backend.waits is True
    assert backend.search("Ollan é\ud800", 2) == [
        Document("Ollan", "A river."),
        Document("", "A café."),
    ]
    assert Handler.seen[-1] == ("Bearer key", {"query": "Ollan é\ud800", "k": 2})
    assert backend.search("Ollan", 1) == [Document("Ollan", "A river.")]
    assert "key" not in repr(backend)
    assert pickle.loads(pickle.dumps(backend)).search("x", 1) == backend.search("x", 1)


def test_nothing_found_is_no_failure(url):
    assert HTTPBackend(f"{url}/empty").search("x", 3) == []


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("error", FailureKind.SERVER_DOWN, "answered 500"),
        ("limited", FailureKind.SERVER_DOWN, "answered 429"),
        ("short", FailureKind.SERVER_DOWN, "broke off"),
        ("hangup", FailureKind.SERVER_DOWN, "broke off|cannot be reached"),
        ("html", FailureKind.BAD_RESULT, "did not answer"),
        ("list", FailureKind.BAD_RESULT, "did not answer"),
        ("nohits", FailureKind.BAD_RESULT, "did not answer"),
        ("wrong", FailureKind.BAD_RESULT, "did not answer"),
        ("deep", FailureKind.BAD_RESULT, "did not answer"),
        ("huge", FailureKind.BAD_RESULT, "more than"),
    ],
)
def test_a_failure_says_its_kind_and_is_never_an_empty_result(url, path, kind, said):
    with pytest.raises(InfrastructureError, match=said) as caught:
        HTTPBackend(f"{url}/{path}").search("x", 3)
    assert caught.value.kind is kind


@pytest.mark.parametrize("path", ["silent", "drip"])
def test_a_slow_server_is_a_timeout(url, path):
    with pytest.raises(InfrastructureError, match=r"took more than 0\.3 s") as caught:
        HTTPBackend(f"{url}/{path}", timeout=0.3).search("x", 3)
    assert caught.value.kind is FailureKind.TIMEOUT


def test_a_server_that_is_not_there_is_down():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for where in (f"http://127.0.0.1:{port}", "http://no-such-host.invalid/"):
        with pytest.raises(InfrastructureError, match=r"cannot be reached|answered") as caught:
            HTTPBackend(where, timeout=5).search("x", 3)
        assert caught.value.kind is FailureKind.SERVER_DOWN


@pytest.mark.parametrize(
    "where", ["file:///etc/passwd", "ftp://x/y", "localhost:80", "", "http://"]
)
def test_other_addresses_are_refused(where):
    with pytest.raises(ConfigurationError, match="allowed: http"):
        HTTPBackend(where)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf")])
def test_a_time_limit_is_finite_and_positive(timeout):
    with pytest.raises(ConfigurationError, match="timeout="):
        HTTPBackend("http://x", timeout=timeout)
