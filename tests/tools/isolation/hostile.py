"""A suite whose tools do what tools should not; importable, so that a worker can have it."""

from __future__ import annotations

import ctypes
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.tools import ToolError, ToolSuite, deadline, read, write


class Hostile(ToolSuite):
    """Counts, and misbehaves on request."""

    def __init__(self) -> None:
        self.count = 0
        self.seen: set[str] = set()

    @write
    def add(self, amount: int = 1) -> int:
        """Add to the count.

        Args:
            amount: How much.
        """
        self.count += amount
        self.seen.add(f"n{self.count}")
        return self.count

    @write
    def refuse_after_adding(self) -> int:
        """Add one and refuse."""
        self.count += 1
        raise ToolError("added, but no")

    @read
    def pid(self) -> int:
        """Tell the process id."""
        return os.getpid()

    @read
    def echo(self, value: Any) -> Any:
        """Return the value.

        Args:
            value: Anything.
        """
        return value

    @write
    def misbehave(self, how: str, path: str = "") -> Any:
        """Do harm.

        Args:
            how: Which harm.
            path: A file to write process ids to.
        """
        self.count += 1000
        return _DEEDS[how](path)


def _note(path: str) -> None:
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")


def _spin(path: str) -> None:
    _note(path)
    while True:
        pass


def _sleep(path: str) -> None:
    _note(path)
    time.sleep(1e6)


def _regex(path: str) -> None:
    _note(path)
    re.match(r"(a+)+$", "a" * 60 + "b")


def _ask(path: str) -> None:
    _note(path)
    while True:
        deadline.check()


def _ignore(path: str) -> None:
    _note(path)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    while True:
        try:
            time.sleep(0.01)
        except BaseException:  # what a hostile tool would do
            continue


def _fork(path: str) -> None:
    """Leave a child and a grandchild that hold the channel, then hang."""
    if os.fork() == 0 and os.fork() == 0:
        _spin(path)
    _spin(path)


def _escape(path: str) -> None:
    """Leave a daemon in a session of its own, then hang."""
    program = "import os, time; os.setsid(); time.sleep(1e6)"
    child = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
    with Path(path).open("a") as file:
        file.write(f"{child.pid}\n")
    _spin(path)


def _daemon_and_return(path: str) -> str:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            _sleep(path)
        os._exit(0)
    while not Path(path).exists():
        time.sleep(0.005)
    return "returned"


def _allocate(path: str) -> int:
    _note(path)
    return len(bytearray(8 * 1024**3))


def _allocate_slowly(path: str) -> int:
    _note(path)
    kept = []
    while True:
        kept.append(bytearray(1024 * 1024))


def _segfault(path: str) -> None:
    _note(path)
    ctypes.string_at(0)


def _forge(path: str) -> None:
    """Write a frame with a pickle bomb into every socket, and lengths without end."""

    class Bomb:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {path}",)

    _write_everywhere(pickle.dumps(Bomb()) + b"\xff" * 64)


def _write_everywhere(data: bytes) -> None:
    for fd in range(3, 64):
        try:
            with socket.socket(fileno=os.dup(fd)) as sock:
                sock.sendall(data)
        except OSError:
            continue


def _ours_down(path: str) -> None:
    raise InfrastructureError("the shop's database is down", FailureKind.SERVER_DOWN)


def _noise(path: str) -> str:
    sys.stdout.write("x" * 1_000_000)
    sys.stdout.flush()
    os.write(1, b"\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00{}" * 1000)
    os.write(2, b"noise\n" * 1000)
    subprocess.run(["/bin/echo", "noise"], check=True)
    return sys.stdin.read()


_DEEDS: dict[str, Any] = {
    "spin": _spin,
    "sleep": _sleep,
    "regex": _regex,
    "ask": _ask,
    "ignore signals": _ignore,
    "fork": _fork,
    "escape": _escape,
    "daemon": _daemon_and_return,
    "allocate": _allocate,
    "allocate slowly": _allocate_slowly,
    "segfault": _segfault,
    "exit": lambda path: os._exit(0),
    "sys.exit": lambda path: sys.exit(3),
    "suicide": lambda path: os.kill(os.getpid(), signal.SIGKILL),
    "raise": lambda path: {}["nothing"],
    "set": lambda path: {1, 2},
    "nan": lambda path: float("nan"),
    "deep": lambda path: _deep(),
    "big": lambda path: "x" * 200_000_000,
    "forge": _forge,
    "noise": _noise,
    "ours": _ours_down,
}


def _deep() -> Any:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    return value


def counts_to(number: int, suite: Hostile) -> bool:
    """Return whether the count is ``number``."""
    return suite.count == number


def is_two(suite: Hostile) -> bool:
    """Return whether the count is 2."""
    return suite.count == 2


def never_ends(suite: Hostile) -> bool:
    """Hang."""
    while True:
        pass
