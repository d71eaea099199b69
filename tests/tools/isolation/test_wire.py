"""Frames: what is sent arrives, and what no honest worker would send is refused unread."""

from __future__ import annotations

import socket
import struct
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolrl_env.tools.isolation.wire import MAX_BLOB, MAX_HEAD, BadFrame, Channel, ChannelClosed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    channel = Channel(ours, max_head=1000)
    yield channel, theirs
    channel.close()
    theirs.close()


def soon() -> float:
    return time.monotonic() + 0.05


def frame(head: bytes, blob: bytes = b"") -> bytes:
    return struct.pack("!IQ", len(head), len(blob)) + head + blob


@given(st.dictionaries(st.text(), JSON), st.binary())
def test_what_is_sent_arrives(head: dict[str, Any], blob: bytes) -> None:
    one, two = map(Channel, socket.socketpair())
    one.send(head, blob)
    one.send({})
    assert two.receive() == (head, blob)
    assert two.receive() == ({}, b"")
    one.close()
    two.close()


def test_what_is_larger_than_any_buffer_arrives() -> None:
    one, two = map(Channel, socket.socketpair())
    blob = bytes(range(256)) * 40_000
    thread = threading.Thread(target=one.send, args=({"n": 1}, blob))
    thread.start()
    assert two.receive() == ({"n": 1}, blob)
    thread.join()
    one.close()
    two.close()


@pytest.mark.parametrize(
    "data",
    [
        frame(b"x"),
        frame(b"[1]"),
        frame(b"null"),
        frame(b'{"a": NaN}'),
        frame(b'{"a": 1e'),
        frame(b"\xff\xfe"),
        frame(b'{"a":' + b"[" * 900 + b"]" * 900 + b"}"),
        frame(b'{"a": "' + b"x" * 1000 + b'"}'),
        struct.pack("!IQ", MAX_HEAD + 1, 0),
        struct.pack("!IQ", 2, MAX_BLOB + 1),
        b"\xff" * 64,
    ],
)
def test_nonsense_is_refused(ends: Any, data: bytes) -> None:
    channel, theirs = ends
    theirs.sendall(data)
    with pytest.raises(BadFrame):
        channel.receive(deadline=time.monotonic() + 10)


def test_lengths_are_refused_before_anything_is_read_or_reserved(ends: Any) -> None:
    channel, theirs = ends
    theirs.sendall(struct.pack("!IQ", 10, 2**63))
    with pytest.raises(BadFrame, match="9223372036854775808 bytes"):
        channel.receive()


@pytest.mark.parametrize("sent", [b"", b"\x00" * 5, frame(b"{}")[:-1]])
def test_an_end_in_the_middle_is_an_end(ends: Any, sent: bytes) -> None:
    channel, theirs = ends
    theirs.sendall(sent)
    theirs.close()
    with pytest.raises(ChannelClosed):
        channel.receive()


@pytest.mark.parametrize("sent", [b"", b"\x00" * 5, frame(b"{}")[:-1]])
def test_a_deadline_holds_however_little_arrives(ends: Any, sent: bytes) -> None:
    channel, theirs = ends
    theirs.sendall(sent)
    with pytest.raises(TimeoutError):
        channel.receive(deadline=soon())
    with pytest.raises(TimeoutError):
        channel.receive(deadline=time.monotonic() - 1)


def test_sending_to_one_who_does_not_read_ends_at_the_deadline(ends: Any) -> None:
    channel, _ = ends
    with pytest.raises(TimeoutError):
        channel.send({}, b"x" * 10_000_000, deadline=soon())


def test_sending_to_nobody_is_said(ends: Any) -> None:
    channel, theirs = ends
    theirs.close()
    with pytest.raises(ChannelClosed):
        channel.send({"a": 1})


def test_what_is_no_json_is_not_sent(ends: Any) -> None:
    channel, _ = ends
    with pytest.raises(ValueError, match="JSON"):
        channel.send({"a": float("nan")})
