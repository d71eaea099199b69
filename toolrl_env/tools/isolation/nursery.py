"""The nursery: forks a worker for each session, and buries it with all that it left behind.

A process of one thread that has imported the tools once, so that a worker costs milliseconds and a
fork never copies a lock that another thread holds. Started by ``client``; what it is told arrives
on a socket of packets, one JSON object each.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import sys
from multiprocessing import spawn
from typing import Any, NoReturn

from toolrl_env.tools.isolation import worker
from toolrl_env.tools.isolation.client import MAX_PACKET, forbid_nesting
from toolrl_env.tools.isolation.linux import adopt_orphans, children

__all__ = ["Nursery", "main"]

_PATIENCE = 1.0
"""Seconds between looks at whether the process that this nursery serves still lives."""


def main(control_fd: int, parent: int) -> None:
    """Serve until the other end closes or the parent is gone.

    Args:
        control_fd: The socket.
        parent: Process id of the process that this nursery serves.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    forbid_nesting()
    adopt_orphans()
    Nursery(socket.socket(fileno=control_fd)).run(parent)


class Nursery:
    """The workers of one process.

    Args:
        control: Where requests arrive.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._workers: set[int] = set()
        self._has_main = False

    def run(self, parent: int) -> None:
        """Do what is asked, and at the end bury everyone."""
        while os.getppid() == parent:
            if not select.select([self._control], [], [], _PATIENCE)[0]:
                continue
            packet, fds, _, _ = socket.recv_fds(self._control, MAX_PACKET, 1)
            if not packet:
                break
            request: dict[str, Any] = json.loads(packet)
            if "bury" in request:
                self._bury(request["bury"])
            else:
                self._hatch(fds[0], request)
        for pid in tuple(self._workers):
            self._bury(pid)

    def _hatch(self, channel_fd: int, request: dict[str, Any]) -> None:
        """Import what the worker is going to need, and fork it."""
        self._import(request["modules"], request["preparation"])
        try:
            pid = os.fork()
        except OSError:  # too many processes; the other end sees that the channel is closed
            os.close(channel_fd)
            return
        if pid == 0:
            self._control.close()
            _live(channel_fd)
        os.close(channel_fd)
        self._workers.add(pid)

    def _import(self, modules: list[str], preparation: dict[str, Any]) -> None:
        """Import ahead; what fails here fails again in the worker, which can say so."""
        sys.path[:] = preparation["sys_path"]
        if not self._has_main and {"__main__", "__mp_main__"} & set(modules):
            self._has_main = True
            with contextlib.suppress(BaseException):
                spawn.prepare(preparation)
        for module in modules:
            with contextlib.suppress(BaseException):
                importlib.import_module(module)

    def _bury(self, pid: int) -> None:
        """Kill a worker, its process group, and the orphans that escaped from the group."""
        if pid not in self._workers:
            return
        self._workers.discard(pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)  # dead or not, it is ours until the next line
        os.waitpid(pid, 0)
        while orphans := children() - self._workers:
            for orphan in orphans:
                os.kill(orphan, signal.SIGKILL)
                os.waitpid(orphan, 0)


def _live(channel_fd: int) -> NoReturn:
    """Be the worker; whatever happens in it, it ends here."""
    try:
        worker.serve(channel_fd)
    finally:
        os._exit(0)
