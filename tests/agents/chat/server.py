"""A local server that speaks just enough of the OpenAI chat API to go wrong in every way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SOON = {"retry-after-ms": "1"}
RESPONSE = "<think> Hm. </think>\n<response> I do not know. </response>"


def completion(content=RESPONSE, calls=(), usage=(10, 5)):
    """A well-formed completion; calls as (name, arguments) pairs."""
    message = {"role": "assistant", "content": content}
    if calls:
        message["tool_calls"] = [
            {"id": f"c{i}", "type": "function", "function": {"name": name, "arguments": text}}
            for i, (name, text) in enumerate(calls)
        ]
    body = {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    if usage is not None:
        names = ("prompt_tokens", "completion_tokens", "total_tokens")
        body["usage"] = dict(zip(names, (*usage, sum(usage)), strict=True))
    return body


def reply(body, status=200, headers=(), kind="application/json"):
    """Answer with a body."""

    def act(handler):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(data)))
        for name, value in dict(headers).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    return act


def good(*args, **kwargs):
    return reply(completion(*args, **kwargs))


def refuse(status, message="no", headers=SOON):
    return reply({"error": {"message": message}}, status, headers)


def cut(handler):
    """Break off in the middle of the body."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "500")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.close_connection = True


def hang_up(handler):
    """Close the connection without a word."""
    handler.close_connection = True
    handler.connection.close()


def hang(handler):
    """Keep silent until the server is shut down."""
    handler.server.released.wait(20)


def echo_key(handler):
    """Tell the key back, as some servers do."""
    refuse(400, f"bad request with {handler.headers['Authorization']}")(handler)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            server.requests.append((self.path, self.headers, body))
            server.running += 1
            server.most = max(server.most, server.running)
            act = server.plan(len(server.requests) - 1, body)
        if server.delay:
            time.sleep(server.delay)
        try:
            act(self)
        finally:
            with server.lock:
                server.running -= 1

    def log_message(self, *args):
        """Keep quiet."""


class Server(ThreadingHTTPServer):
    """``plan(number of the request, its body)`` says what to do.

    Attributes:
        requests: Path, headers and body of each.
        most: Most requests under way at one time.
    """

    daemon_threads = True

    def __init__(self, plan: Callable, delay=0.0):
        super().__init__(("127.0.0.1", 0), Handler)
        self.plan, self.delay = plan, delay
        self.lock, self.released = threading.Lock(), threading.Event()
        self.requests, self.running, self.most = [], 0, 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request, client_address):
        """Clients that have given up are no errors here."""


@contextmanager
def serving(*acts, delay=0.0):
    """Serve; the last act is for every request that follows, or a plan is given instead."""
    planned = acts[0] if len(acts) == 1 and acts[0].__name__ == "plan" else None
    plan = planned or (lambda number, body: acts[min(number, len(acts) - 1)])
    server = Server(plan, delay)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
