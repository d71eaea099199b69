"""The nursery's own duties, looked at from within one process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from toolrl_env.tools.isolation import linux
from toolrl_env.tools.isolation.nursery import Nursery

REQUEST = {"modules": ["no_such_module"], "preparation": {"sys_path": sys.path[:]}}


def test_a_fork_that_fails_closes_the_channel_and_the_nursery_lives(monkeypatch):
    def no(*_):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    control, other = socket.socketpair()
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(os, "fork", no)
    nursery = Nursery(control)
    nursery._hatch(theirs.detach(), REQUEST)
    assert ours.recv(1) == b""
    assert nursery._workers == set()
    for sock in (control, other, ours):
        sock.close()


def test_a_process_that_is_not_its_worker_is_never_killed():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    control, other = socket.socketpair()
    Nursery(control)._bury(child.pid)
    assert child.poll() is None
    child.communicate(b"\n")
    assert child.returncode == 0
    control.close()
    other.close()


def test_children_are_found_zombies_included():
    before = linux.children()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert linux.children() - before == {child.pid}
    os.kill(child.pid, signal.SIGKILL)
    time.sleep(0.05)
    assert linux.children() - before == {child.pid}
    child.communicate()
    assert linux.children() == before


def test_what_linux_refuses_is_an_error():
    with pytest.raises(OSError, match="Invalid argument"):
        linux._prctl(-1, 0)
