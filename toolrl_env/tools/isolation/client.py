"""This process's end: starting workers, asking them, and ending them, whatever they do."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from multiprocessing import spawn
from typing import Any

from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.tools.isolation.wire import BadFrame, Channel, ChannelClosed

__all__ = ["MAX_PACKET", "Worker", "forbid_nesting", "start_worker"]

MAX_PACKET = 128 * 1024
"""Longest packet to the nursery, in bytes."""
START_SECONDS = 60.0
"""What making the tools of one session may take, imports included."""
_STOP_SECONDS = 5.0
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from toolrl_env.tools.isolation.nursery import main; main(int(sys.argv[2]), int(sys.argv[3]))"
)


class _Nursery:
    """The process that forks this process's workers."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        self._unburied: list[int] = []
        self.owner = os.getpid()
        fd = theirs.fileno()
        path = json.dumps([str(entry) for entry in sys.path])
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _BOOT, path, str(fd), str(self.owner)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[fd],
                start_new_session=True,
            )

    @property
    def lives(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def hatch(self, channel: socket.socket, modules: Sequence[str]) -> None:
        """Ask for a worker at the other end of ``channel``."""
        unburied, self._unburied = self._unburied, []
        for pid in unburied:
            self.bury(pid)
        whole = spawn.get_preparation_data("toolrl-nursery")
        wanted = ("sys_path", "dir", "init_main_from_name", "init_main_from_path")
        preparation = {key: whole[key] for key in wanted if key in whole}
        preparation["sys_path"] = [str(entry) for entry in preparation["sys_path"]]
        packet = json.dumps({"modules": modules, "preparation": preparation}).encode("ascii")
        socket.send_fds(self._control, [packet], [channel.fileno()])

    def bury(self, pid: int) -> None:
        """Have a worker killed with all that it left behind. Never waits."""
        try:
            packet = json.dumps({"bury": pid}).encode("ascii")
            self._control.send(packet, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._unburied.append(pid)
        except OSError:  # the nursery is gone, and its workers with it
            return

    def stop(self) -> None:
        """End the nursery, which ends its workers."""
        if self.owner != os.getpid():
            return
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._control.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _Shelf:
    """Where the one nursery of this process is kept."""

    lock = threading.Lock()
    nursery: _Nursery | None = None
    nested = False


def forbid_nesting() -> None:
    """Refuse to start workers from here on: this process is a nursery or a worker itself."""
    _Shelf.nested = True


def _forget() -> None:
    """Begin anew in a fork: the nursery is the parent's."""
    _Shelf.lock, _Shelf.nursery = threading.Lock(), None


def _stop() -> None:
    if _Shelf.nursery is not None:
        _Shelf.nursery.stop()


os.register_at_fork(after_in_child=_forget)
atexit.register(_stop)


def _nursery() -> _Nursery:
    if _Shelf.nested:
        raise ConfigurationError(
            "isolated tools cannot be opened while they are imported into a worker: put what opens "
            "them below 'if __name__ == \"__main__\":'"
        )
    with _Shelf.lock:
        if _Shelf.nursery is None or not _Shelf.nursery.lives:
            _Shelf.nursery = _Nursery()
        return _Shelf.nursery


class Worker:
    """A running worker.

    Args:
        nursery: The nursery that forked it.
        channel: The connection.
        pid: Its process id, which is its group's.
    """

    def __init__(self, nursery: _Nursery, channel: Channel, pid: int) -> None:
        self._channel = channel
        self.pid = pid
        self._owner = nursery.owner
        self._asked = False  # whether an answer is due, e.g. after an interrupt
        self.end = weakref.finalize(self, _end, nursery, channel, pid)

    @property
    def usable(self) -> bool:
        """Whether it lives, waits for a request, and is not the parent's of a forked process."""
        return self.end.alive and not self._asked and self._owner == os.getpid()

    def ask(
        self, what: str, seconds: float, head: Mapping[str, Any], blob: bytes = b""
    ) -> tuple[dict[str, Any], bytes]:
        """Send a request and return the answer; a worker that does not give one is ended.

        Args:
            what: What is asked, for messages.
            seconds: How long it may take.
            head: The request.
            blob: Bytes that go with it.

        Raises:
            InfrastructureError: It took too long (``TIMEOUT``), the process ended
                (``WORKER_KILLED``) or answered nonsense (``BAD_RESULT``), or it reports a failure.
        """
        deadline = time.monotonic() + seconds
        self._asked = True
        try:
            self._channel.send(head, blob, deadline=deadline)
            answer, bytes_ = self._channel.receive(deadline=deadline)
            _raise_failure(answer)
        except TimeoutError:
            self.end()
            text = f"{what} took longer than its limit, and its process was killed"
            raise InfrastructureError(text, FailureKind.TIMEOUT) from None
        except ChannelClosed:
            self.end()
            text = f"{what}: its process ended; it was killed, or it ended itself"
            raise InfrastructureError(text, FailureKind.WORKER_KILLED) from None
        except BadFrame as error:
            self.end()
            text = f"{what}: its process sent {error}"
            raise InfrastructureError(text, FailureKind.BAD_RESULT) from None
        except BaseException:
            self.end()
            raise
        self._asked = False
        return answer, bytes_


def start_worker(
    name: str, beginning: object, modules: Sequence[str], max_head: int
) -> tuple[Worker, dict[str, Any], bytes]:
    """Start a worker.

    Args:
        name: The tools' name, for messages.
        beginning: What it begins with (``worker.Beginning``).
        modules: Modules that are worth importing once for all workers.
        max_head: Longest JSON that is accepted from it, in bytes.

    Returns:
        The worker, and what it said about its tools.

    Raises:
        ConfigurationError: The tools cannot be imported there, or this is a worker itself.
        InfrastructureError: It cannot be started, or the tools cannot be made.
    """
    nursery = _nursery()
    ours, theirs = socket.socketpair()
    channel = Channel(ours, max_head)
    try:
        with theirs:
            nursery.hatch(theirs, modules)
        hello, _ = channel.receive(deadline=time.monotonic() + START_SECONDS)
        worker = Worker(nursery, channel, int(hello["pid"]))
    except (OSError, ChannelClosed, BadFrame, KeyError, TypeError, ValueError) as error:
        channel.close()
        with _Shelf.lock:  # one that hangs in an import goes on for those that it has
            if isinstance(error, TimeoutError) and _Shelf.nursery is nursery:
                _Shelf.nursery = None
        raise InfrastructureError(
            f"no process could be started for {name!r}: {error!r}", FailureKind.SERVER_DOWN
        ) from error
    blob = pickle.dumps(beginning, pickle.HIGHEST_PROTOCOL)
    return worker, *worker.ask(f"making {name!r}", START_SECONDS, {}, blob)


def _raise_failure(answer: Mapping[str, Any]) -> None:
    """Raise what the worker reports."""
    if "unusable" in answer:
        raise ConfigurationError(
            f"what runs in a process of its own cannot be imported there: {answer['unusable']}. "
            "Define classes and functions at the top of a module or a script, not in a notebook"
        )
    if "failed" in answer:
        kinds = {kind.value: kind for kind in FailureKind}
        kind = kinds.get(str(answer["failed"]), FailureKind.BAD_RESULT)
        raise InfrastructureError(str(answer.get("reason")), kind)


def _end(nursery: _Nursery, channel: Channel, pid: int) -> None:
    """End a worker: at once here, and then thoroughly by the nursery.

    A worker stays a zombie until the nursery buries it, so that its id is no other process's; it
    dies with the nursery.
    """
    channel.close()
    if nursery.owner == os.getpid() and nursery.lives:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        nursery.bury(pid)
